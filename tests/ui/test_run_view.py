"""A run is the same on Train and on Runs: what can be done with it by its status, what is said when it failed."""

from pathlib import Path

import live
import pytest
from conftest import ROOT
from streamlit.testing.v1 import AppTest
from test_pages import plain
from test_runs_page import Page, config, folder, make  # noqa: F401 (a fixture)

from vggexplorer.runs import launch
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.status import STATUSES, Status, Word
from vggexplorer.server import style
from vggexplorer.ui import i18n, widgets
from vggexplorer.ui.run import actions as run_actions
from vggexplorer.ui.run import rows, words

pytestmark = pytest.mark.usefixtures("folder")


class Shown(Page):
    """The page `name` with a run in view."""

    def __init__(self, name: str, run: Run) -> None:
        super().__init__()
        self.test = self.test.switch_page(str(ROOT / "pages" / f"{name}.py"))
        self.view(run)

    def view(self, run: Run) -> AppTest:
        self.test.query_params["run"] = [run.id]
        del self.test.session_state["state"]
        return self.run().test

    @property
    def actions(self) -> list[tuple[str, str, bool]]:
        """Key, label and whether it can be pressed, of each button of the run."""
        buttons = [button for button in self.test.button if button.key.partition(" ")[2].startswith("run")]
        return [(button.key.partition(" ")[0], button.label, not button.disabled) for button in buttons]


both = pytest.mark.parametrize("page", ["train", "runs"])


def test_every_status_has_its_look_and_its_actions() -> None:
    assert run_actions.WAYS.keys() == words.LOOKS.keys() == set(Word)
    assert {name for names in run_actions.WAYS.values() for name in names} < run_actions.ACTIONS.keys()


@both
def test_a_run_has_the_actions_of_its_status(folder: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:  # noqa: F811
    shown = Shown(page, make(folder, "first"))
    for day, word in enumerate(STATUSES, start=2):
        run = make(folder, word, "interrupted", day=day)
        monkeypatch.setattr(Run, "status", lambda *_, word=word: Status(word, 100))
        if word == "damaged":
            (run.path / "config.json").write_text("{")
        shown.view(run)
        wanted = {*run_actions.WAYS[word], *(("again", "explore") if word != "damaged" else ())}
        actions = [(name, each.label, True) for name, each in run_actions.ACTIONS.items() if name in wanted]
        assert shown.actions == actions, word
        assert shown.test.text_input(key=f"name of {run.id}").value == word
        assert live.watched(shown.test)["badge"]["text"] == f"{words.sign(Word(word))} {STATUSES[word]}"


@both
def test_a_run_that_was_asked_to_stop_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:  # noqa: F811
    run = make(folder, "busy", "interrupted")
    monkeypatch.setattr(Run, "status", lambda *_: Status("running", 100))
    shown = Shown(page, run).click("stop run")
    assert ("stop", "Stopping …", False) in shown.actions
    monkeypatch.setattr(Run, "ignores_stop", lambda *_: True)
    assert ("end", "End its process", True) in shown.run().actions


@both
def test_a_double_click_on_resume_starts_one_trainer(
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    run, resumed = make(folder, "one", "stopped"), []
    monkeypatch.setattr(launch, "resume", lambda _, run: resumed.append(run.id))
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 60.0)
    shown = Shown(page, run).click("resume run").click("resume run #1")
    assert resumed == [run.id]
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 0.0)
    shown.click("resume run #1")
    assert resumed == [run.id] * 2


@both
def test_why_a_run_failed_is_said_with_the_end_of_its_log(folder: Path, page: str) -> None:  # noqa: F811
    run = make(folder, "one", "failed")
    reason = {"text": "", "template": "The disk is full; free some space, then resume the run.", "values": {}}
    write_json(run.path / "outcome.json", run.json("outcome.json") | {"reason": reason})
    (run.path / "output.log").write_text("the last words")
    text = Shown(page, run).text
    assert "The disk is full" in text
    assert "the last words" in text


ODD = {
    "“a/*x*.png”: too many pixels: at most 16 megapixels are read": "“a/*x*.png”: 像素太多：最多读取 16 百万像素",
    "“a/y.txt”: not a picture": "“a/y.txt”: 不是图片",
    "“a/z”: Permission denied": "“a/z”: Permission denied",
}
"""Lines of the list, as they are in English and in Chinese."""


@both
def test_files_that_could_not_be_used_are_listed_with_their_reasons(
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    run = make(folder, "one")
    write_json(run.path / "environment.json", run.environment() | {"odd": list(ODD), "num_odd": 7})
    text = plain(Shown(page, run).text)
    assert all(each in text for each in ("7 files could not be used", *ODD, "and 4 more"))
    monkeypatch.setattr(i18n, "language", lambda: "zh")
    text = plain(Shown(page, run).text)
    assert all(each in text for each in ("7 个文件", *ODD.values()))


@pytest.mark.torch
@both
def test_a_run_is_renamed_repeated_and_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:  # noqa: F811
    run = make(folder, "one")
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    shown = Shown(page, run)
    shown.test.text_input(key=f"name of {run.id}").set_value("another")
    shown.run()
    assert run.name() == "another"
    shown.click("again run")
    made = rows.scan(run_actions.Runs(folder))[0]
    assert (made.config(), made.name()) == (run.config(), "another (2)")
    assert shown.test.query_params["run"] == made.id
    shown.view(run)
    shown.click("delete run").click("delete now")
    assert not run.path.exists()


@both
def test_a_run_opens_in_explore(folder: Path, page: str) -> None:  # noqa: F811
    shown = Shown(page, make(folder, "one")).click("explore run")
    assert shown.test.query_params["arch"] == "1x4,1x8"
    assert shown.test.button(key="undo")


def test_what_ends_or_deletes_has_another_colour_than_start(folder: Path) -> None:  # noqa: F811
    ends = {f"{name} run" for name in run_actions.ACTIONS if name in ("stop", "end", "delete")}
    assert ends < set(style.RED)
    assert not {f"{name} run" for name, action in run_actions.ACTIONS.items() if action.starts} & set(style.RED)
