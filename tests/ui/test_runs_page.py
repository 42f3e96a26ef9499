"""Runs: the page in Streamlit's AppTest, with run folders made by hand."""

import base64
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from filelock import FileLock
from streamlit.testing.v1 import AppTest
from test_i18n import english_in, has_chinese, seen
from test_pages import plain

from vggexplorer.architectures import Network
from vggexplorer.forecast.precision import decide
from vggexplorer.paths import RUNS
from vggexplorer.runs import launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import CLASSES
from vggexplorer.runs.folder import layout, safetensors, snapshots
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import STATUSES
from vggexplorer.runs.options import Training
from vggexplorer.runs.steps import Choice, Why
from vggexplorer.text import parse_network
from vggexplorer.ui import i18n, widgets
from vggexplorer.ui.link import TABS
from vggexplorer.ui.run.rows import EYE, forget, read_row, scan
from vggexplorer.ui.runs import listing, mistakes

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
PAGE = str(ROOT / "pages" / "runs.py")
TINY = parse_network({"arch": "1x4,1x8", "hidden": "none", "input": "1x28x28"})


# --- folders ------------------------------------------------------------------------------------------------


def config(network: Network = TINY, **training: Any) -> Config:
    own = {"recipe": "quick-demo", "epochs": 2, "lr": 0.1, "momentum": 0.9, "input_size": 28, "batch_norm": True}
    return Config(network=network, training=Training(**(own | training)), device="cpu")


def record(step: int, test_acc: float | None = None) -> Record:
    return Record(
        step=step,
        epoch=step / 50,
        examples=128 * step,
        batch_loss=1.5,
        train_loss=2.0 / step,
        train_acc=0.7,
        lr=0.1,
        examples_per_sec=1234.5,
        examples_per_sec_wall=1000.0,
        seconds=float(step),
        memory=2**20,
        test_acc=test_acc,
        test_loss=None if test_acc is None else 0.5,
    )


def result_json(count: int = 10) -> dict[str, Any]:
    """What a trainer keeps of its test: every tenth image of a class was taken for the next one."""
    cells = [[90 if to == at else 10 if to == (at + 1) % count else 0 for to in range(count)] for at in range(count)]
    picture = {"width": 28, "height": 28, "channels": 1, "bytes": base64.b64encode(bytes(28 * 28)).decode()}
    mistakes = [{"picture": picture, "label": 0, "guess": 6, "chance": 0.987}]
    return {"classes": list(CLASSES), "confusion": cells, "mistakes": mistakes}


def make(
    folder: Path, name: str, status: str = "finished", best: float = 0.8, asked: Config | None = None, day: int = 1
) -> Run:
    """A run as its trainer would have left it; `status` is an outcome's, or interrupted."""
    run = Run(folder / f"202601{day:02d}-120000-{day}")
    run.path.mkdir(parents=True)
    write_json(run.path / "config.json", (asked or config()).to_json())
    write_json(run.path / "created.json", {"time": f"2026-01-{day:02d}T12:00:00+00:00"})
    (run.path / "name.txt").write_text(name, "utf-8")
    about = {"device": "cpu", "precision": "float32", "torch": "2.9", "threads": 2, "classes": list(CLASSES)}
    write_json(run.path / "environment.json", about | {"num_steps": 100, "steps_per_epoch": 50})
    write_json(run.path / "heartbeat", {"beat": 5, "phase": "training", "step": 100, "ahead": 0, "pid": 0})
    lines = [record(50, best), record(100, best - 0.1)]
    (run.path / "metrics.jsonl").write_bytes(b"".join(line.line() for line in lines))
    figures = {"test_acc": best - 0.1, "best_test_acc": best, "loss": 0.5, "train_acc": 0.7, "seconds": 100.0}
    if status != "interrupted":
        write_json(run.path / "outcome.json", Outcome(status=status, step=100, device="cpu", **figures).to_json())
    if status == "finished":
        write_json(run.path / "result.json", result_json())
    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(layout, "RECORDED", tmp_path / "recorded")
    forget()
    return tmp_path


class Page:
    """The page in a session of its own."""

    def __init__(self, *ids: str, tab: str = "", locale: str = "en-US") -> None:
        self.test = AppTest.from_file(MAIN, default_timeout=30)
        self.test.context = {"locale": locale}
        self.test.run()
        self.test = self.test.switch_page(PAGE)
        if ids:
            self.test.query_params["run"] = list(ids)
        if tab:
            self.test.query_params["tab"] = tab
        del self.test.session_state["state"]
        self.run()

    def run(self) -> "Page":
        forget()
        self.test.run()
        assert not self.test.exception
        return self

    def click(self, key: str) -> "Page":
        self.test.button(key=key).click()
        return self.run()

    @property
    def text(self) -> str:
        return " ".join(plain(text) for text in seen(self.test._tree))

    @property
    def keys(self) -> set[str]:
        """The components that are drawn, by their keys."""
        return {component.key for component in self.test.get("bidi_component")}

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows of the list of runs, as the browser gets them."""
        assert "runs table" in self.keys or "to train" in {button.key for button in self.test.button}
        forget()
        lines = listing.listed("en").whole()["lines"].values()
        runs = [each for each in lines if each and "kind" not in each]
        own = sorted((each for each in runs if not each["recorded"]), key=lambda each: each["id"], reverse=True)
        return own + [each for each in runs if each["recorded"]]


# --- the table ----------------------------------------------------------------------------------------------


def test_with_no_run_there_is_an_explanation_and_a_way_to_train(folder: Path) -> None:
    page = Page()
    if page.table:  # runs that ship with the package
        assert all(row["recorded"] for row in page.table)
        return
    assert "No network was trained here yet" in page.text
    page.test.button(key="to train").click()
    page.test.run()
    assert not page.test.exception
    assert "go to" not in page.test.session_state


def test_every_run_is_a_row_the_newest_first(folder: Path) -> None:
    for day, status in enumerate(("finished", "stopped", "failed", "interrupted"), start=1):
        make(folder, f"run {day}", status, best=0.5 + day / 100, day=day)
    rows = [row for row in Page().table if not row["recorded"]]
    assert [row["name"] for row in rows] == ["run 4", "run 3", "run 2", "run 1"]
    assert [row["word"] for row in rows] == ["interrupted", "failed", "stopped", "finished"]
    assert len({row["sign"] for row in rows}) == 4
    cells = {name: cell["text"] for name, cell in rows[0]["cells"].items()}
    assert list(cells) == list(listing.COLUMNS) == list(listing.labels())
    assert (cells["accuracy"], cells["best"], cells["time"], cells["device"]) == ("0.440", "0.540", "1:40", "cpu")
    assert [cells[name] for name in ("network", "recipe", "data")] == [
        "1x4,1x8, hidden none",
        "quick-demo",
        "Fashion-MNIST, a sample",
    ]
    assert rows[0]["cells"]["best"]["value"] == 0.54
    assert rows[0]["cells"]["spark"]["test"] == [[0.5, 0.54], [1.0, 0.44]]


def test_a_run_that_trains_is_active_and_one_whose_trainer_hangs_is_not_responding(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(folder, "busy", "interrupted")
    with FileLock(run.path / "run.lock"):
        page = Page()
        assert page.table[0]["word"] == "running"
        monkeypatch.setattr(EYE, "timeout", 0)
        assert page.run().table[0]["word"] == "not responding"
    assert page.run().table[0]["word"] == "interrupted"


DAMAGE = {
    "config.json": [b"{", b"[]", b'{"version": 99}', b"\xff\xfe", b'{"version": 1, "network": 7}'],
    "outcome.json": [b"{", b"[1]", b'{"status": "finished", "best_test_acc": "x", "seconds": [], "step": {}}'],
    "environment.json": [b"[1]", b'{"device": {}, "classes": 7, "train_examples": "x"}'],
    "heartbeat": [b"[]", b'{"beat": 1, "step": "x", "phase": 7}'],
    "metrics.jsonl": [b"x\n", b"{}\n", b""],
    "result.json": [b"[]", b'{"classes": [1], "confusion": [["x"]], "mistakes": [1, {}]}', b'{"confusion": {}}'],
    "name.txt": [b"\xff\xfe", b""],
    "created.json": [b"7", b'{"time": "never"}'],
}


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_a_damaged_file_is_a_row_and_never_an_exception(folder: Path, status: str) -> None:
    make(folder, "whole", day=99)
    damage = [(file, content) for file, contents in DAMAGE.items() for content in contents]
    hurt = {make(folder, "hurt", status, day=day).path: each for day, each in enumerate(damage, start=1)}
    for path, (file, content) in hurt.items():
        (path / file).write_bytes(content)
    rows = {row["id"]: row for row in Page().table if not row["recorded"]}
    assert len(rows) == len(damage) + 1
    for path, (file, _) in hurt.items():
        if file == "config.json":
            assert rows[path.name]["word"] == "cannot be read"
            assert rows[path.name]["reason"]


@pytest.mark.parametrize("place", range(max(map(len, DAMAGE.values()))))
def test_a_run_with_damaged_files_can_be_opened(folder: Path, place: int) -> None:
    run = make(folder, "hurt")
    for file, contents in DAMAGE.items():
        if file != "config.json":
            (run.path / file).write_bytes(contents[place % len(contents)])
    for tab in TABS[RUNS]:
        Page(run.id, tab=tab)
    (run.path / "config.json").write_bytes(DAMAGE["config.json"][place])
    assert "config.json" in plain(Page(run.id).test.error[0].value) or place == 2


def test_what_has_ended_is_read_once_and_again_when_it_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(folder, "one")
    count = [0]
    read = Run.config

    def counted(self: Run) -> Config:
        count[0] += 1
        return read(self)

    monkeypatch.setattr(Run, "config", counted)
    first = read_row(run)
    assert read_row(run) is first
    assert count == [1]
    run.rename("another")
    assert read_row(run).name == "another"
    assert count == [2]


def test_500_runs_are_looked_at_quickly(folder: Path) -> None:
    make(folder, "first", day=1)
    source = next(folder.iterdir())
    for number in range(500):
        shutil.copytree(source, folder / f"20260201-120000-{number:03d}")
    found = scan(Runs(folder))
    assert len([read_row(run) for run in found]) >= 501
    began = time.perf_counter()
    for run in scan(Runs(folder)):
        read_row(run)
    assert time.perf_counter() - began < 1


def test_records_that_come_are_added_and_those_cut_off_forgotten(folder: Path) -> None:
    run = make(folder, "one", "interrupted", best=0.5)
    assert read_row(run).best == 0.5
    with (run.path / "metrics.jsonl").open("ab") as file:
        file.write(record(150, 0.9).line())
    assert (read_row(run).best, read_row(run).last) == (0.9, 0.9)
    run.cut_back(50)
    assert (read_row(run).best, read_row(run).last) == (0.5, 0.5)


def test_runs_of_the_package_come_last_marked_and_cannot_be_changed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make(folder, "own", day=1)
    monkeypatch.setattr(layout, "RECORDED", tmp_path_factory.mktemp("recorded"))
    recorded = make(layout.RECORDED, "the book's", day=2)
    page = Page(own.id, recorded.id)
    assert [(row["name"], row["recorded"]) for row in page.table] == [("own", False), ("the book's", True)]
    assert page.test.button(key="delete chosen").label == "Delete 1 of the 2 chosen runs …"
    keys = {button.key for button in Page(recorded.id).test.button}
    assert {"again run", "explore run"} <= keys
    assert not {"delete run", "resume run", "stop run"} & keys


# --- chosen runs --------------------------------------------------------------------------------------------


def test_two_runs_in_the_link_are_compared(folder: Path) -> None:
    first = make(folder, "one", best=0.7, day=1)
    second = make(folder, "two", best=0.8, asked=config(lr=0.5), day=2)
    page = Page(first.id, second.id)
    text = page.text
    assert "| Learning rate | 0.1 | 0.5 |" in text
    assert "Momentum" not in text
    assert "| **Best test accuracy** | 0.700 | 0.800 |" in text
    assert "4,290" in text
    assert {"chosen curves", "runs scatter", "runs table"} <= page.keys
    for axis in ("macs", "seconds"):
        page.test.segmented_control(key="runs against").set_value(axis)
        page.run()


def test_three_runs_have_no_table_of_differences(folder: Path) -> None:
    ids = [make(folder, f"run {day}", day=day).id for day in (1, 2, 3)]
    page = Page(*ids)
    assert "3 runs compared" in page.text
    assert "What differs" not in page.text


def test_a_run_that_is_not_there_is_said(folder: Path) -> None:
    make(folder, "one")
    assert "There is no run 20990101-000000-x here" in Page("20990101-000000-x").text


# --- one run ------------------------------------------------------------------------------------------------


def test_one_run_shows_what_was_asked_and_what_came_of_it(folder: Path) -> None:
    run = make(folder, "**bold** <b>", best=0.876)
    text = Page(run.id, tab="settings").text
    for part in ("**bold** <b>", "0.876", "4,290", "88,592", "Learning rate: **0.1 (the recipe:", "float32", "2.9"):
        assert part in text
    text = Page(run.id, tab="mistakes").text
    assert "900 of 1,000 test pictures are recognised, 90.0\N{NO-BREAK SPACE}%. Most often" in text
    assert "True: t-shirt\nTaken for: shirt\nSure: 98.7" in text
    assert "The weights of this run are not kept." in Page(run.id, tab="picture").text


def test_only_what_the_open_tab_shows_is_drawn(folder: Path) -> None:
    run = make(folder, "one")
    page = Page(run.id)
    assert f"curves {run.id}" in page.keys
    assert not {"mistakes", f"confusion {run.id}"} & page.keys
    page = Page(run.id, tab="mistakes")
    assert {"mistakes", f"confusion {run.id}"} <= page.keys
    assert f"curves {run.id}" not in page.keys
    page.click("back")
    assert "tab" not in page.test.query_params


def test_a_failed_run_says_why(folder: Path) -> None:
    run = make(folder, "one", "failed")
    data = json.loads((run.path / "outcome.json").read_bytes())
    reason = {"text": "", "template": "The disk is full; free some space, then resume the run.", "values": {}}
    write_json(run.path / "outcome.json", data | {"reason": reason})
    (run.path / "output.log").write_text("the last words")
    page = Page(run.id)
    assert "The disk is full" in plain(page.test.error[0].value)
    assert "the last words" in page.text
    assert page.test.button(key="resume run")


def test_a_run_is_renamed_and_a_bad_name_refused(folder: Path) -> None:
    run = make(folder, "one")
    page = Page(run.id)
    field: Any = page.test.text_input(key=f"name of {run.id}")
    field.set_value("another")
    page.run()
    assert run.name() == "another"
    field = page.test.text_input(key=f"name of {run.id}")
    field.set_value("x" * 81)
    page.run()
    assert "A name has from 1 to 80 characters" in plain(page.test.error[0].value)
    assert run.name() == "another"
    assert page.test.text_input(key=f"name of {run.id}").value == "x" * 81


def test_deleting_asks_first(folder: Path) -> None:
    run, other = make(folder, "one", day=1), make(folder, "two", day=2)
    page = Page(run.id).click("delete run")
    assert "Delete **one**, with all figures" in page.text
    page.click("keep")
    assert run.path.exists()
    page.click("delete run").click("delete now")
    assert not run.path.exists()
    assert [row["id"] for row in page.table if not row["recorded"]] == [other.id]


def test_the_chosen_runs_are_deleted_but_never_an_active_one(folder: Path) -> None:
    gone, busy = make(folder, "gone", day=1), make(folder, "busy", "interrupted", day=2)
    with FileLock(busy.path / "run.lock"):
        page = Page(gone.id, busy.id)
        assert page.test.button(key="delete chosen").label == "Delete 1 of the 2 chosen runs …"
        page.click("delete chosen").click("delete now")
    assert not gone.path.exists()
    assert busy.path.exists()


def test_a_run_that_was_resumed_meanwhile_is_not_deleted(folder: Path) -> None:
    run = make(folder, "one", "interrupted")
    page = Page(run.id).click("delete run")
    with FileLock(run.path / "run.lock"):
        page.click("delete now")
        assert "not over" in plain(page.test.error[0].value)
    assert run.path.exists()


@pytest.mark.torch
def test_run_again_starts_one_run_however_often_it_is_clicked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(folder, "one")
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    page = Page(run.id)
    page.test.button(key="again run").click()
    page.test.run()
    assert not page.test.exception
    made = [each for each in Runs(folder).all(recorded=False) if each.id != run.id]
    assert [each.config() for each in made] == [run.config()]
    assert page.test.query_params["run"] == made[0].id
    assert "Start another" in [button.label for button in page.test.button]  # Train


def test_the_second_half_of_a_double_click_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if what the first half's callback wrote into the session's state is not seen."""
    now = [100.0]
    monkeypatch.setattr(widgets.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(widgets.st, "session_state", {"id": "one"})
    assert widgets.first_click("again", "again")
    monkeypatch.setattr(widgets.st, "session_state", {"id": "one"})
    now[0] += 0.3
    assert not widgets.first_click("again", "again")
    now[0] += widgets.DOUBLE_CLICK
    assert widgets.first_click("again", "again")
    assert not widgets.first_click("again", "again")
    monkeypatch.setattr(widgets.st, "session_state", {"id": "two"})
    assert widgets.first_click("again", "again")


def test_what_cannot_be_started_gets_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(folder, "one", "stopped")
    monkeypatch.setattr("vggexplorer.processes.find_spec", lambda name: None)
    page = Page(run.id).click("again run")
    assert "needs PyTorch" in plain(page.test.error[0].value)
    assert len(list(folder.glob("2*"))) == 1
    assert "needs PyTorch" in plain(Page(run.id).click("resume run").test.error[0].value)


def test_stop_asks_the_trainer(folder: Path) -> None:
    run = make(folder, "one", "interrupted")
    with FileLock(run.path / "run.lock"):
        page = Page(run.id).click("stop run")
        assert run.control()["stop"]
        assert page.test.button(key="stop run").disabled


def test_a_precision_that_was_left_open_is_shown_with_the_times_that_decided(folder: Path) -> None:
    run = make(folder, "one")
    decided = decide(True, 0.0126, 0.0109, 128)
    write_json(
        run.path / "environment.json", run.environment() | {"precision": "bfloat16", "decided": decided.to_json()}
    )
    assert f"Precision: **{decided.remark}**" in Page(run.id, tab="settings").text
    write_json(run.path / "environment.json", run.environment() | {"decided": {"why": 5}})
    assert "Precision: **bfloat16**" in Page(run.id, tab="settings").text


def test_a_run_shows_which_kind_of_step_it_took_and_why(folder: Path) -> None:
    run = make(folder, "one")
    assert "Kind of step" not in Page(run.id, tab="settings").text
    choice = Choice(Why.FAILED, 0.01, what="*at* 3:7 <b>")
    write_json(run.path / "environment.json", run.environment() | {"step": choice.to_json()})
    assert (
        "Kind of step: **PyTorch's own, since a fused one failed: *at* 3:7 <b>**" in Page(run.id, tab="settings").text
    )
    write_json(run.path / "environment.json", run.environment() | {"step": {"why": 5}})
    assert "Kind of step" not in Page(run.id, tab="settings").text


def test_a_run_shows_where_the_time_of_its_last_start_went(folder: Path) -> None:
    run = make(folder, "one")
    assert "Time of the last start" not in Page(run.id, tab="settings").text
    data = json.loads((run.path / "outcome.json").read_bytes())
    spent = {"import": 4.26, "python": 0.5, "line": 0.001, "steps": 61.0, "of a newer version": 5}
    write_json(run.path / "outcome.json", data | {"parts": spent})
    told = "Python 0.5 s, loading PyTorch 4.3 s, all other steps 61.0 s"
    assert f"Time of the last start: **{told}**" in Page(run.id, tab="settings").text


@pytest.mark.torch
def test_a_bad_picture_gets_a_sentence_and_the_next_run_is_not_asked_by_itself(folder: Path) -> None:
    run, other = make(folder, "one", day=1), make(folder, "two", day=2)
    for each in (run, other):
        (each.path / "model.safetensors").write_bytes(b"")
    page = Page(run.id, tab="picture")
    state = page.test.session_state
    state["tried with"], state["tried picture"], state["tried invert"] = run.id, b"no picture", "auto"
    assert "PyTorch looks at the picture" in page.run().text
    state["prediction"].wait()
    assert "Not a picture" in plain(page.run().test.error[0].value)
    asked = state["prediction"]
    page.test.query_params["run"] = [other.id]
    page.test.query_params["tab"] = "picture"
    del page.test.session_state["state"]
    page.run()
    assert state["prediction"] is asked
    assert page.test.button(key="try again")


def test_range_tests_alone_are_drawn_against_the_rate(folder: Path) -> None:
    ranges = [make(folder, "one", asked=config(schedule="range"), day=day).id for day in (1, 2)]
    usual = make(folder, "usual", day=3).id
    for ids, axis in ((ranges[:1], "lr"), (ranges, "lr"), ([*ranges, usual], "epoch"), ([usual], "epoch")):
        drawn = (json.loads(each.proto.json) for each in Page(*ids).test.get("bidi_component") if "curve" in each.key)
        assert [data["against"] for data in drawn] == [axis]


def test_the_best_weights_are_offered_beside_the_last(folder: Path) -> None:
    run = make(folder, "one")
    (run.path / "model.safetensors").write_bytes(b"")
    safetensors.write(run.path / "best.safetensors", [], {"step": "1200", "test_acc": "0.87654"})
    tree = Page(run.id, tab="run-files").test.get("bidi_component")
    (files,) = (json.loads(each.proto.json)["files"] for each in tree if each.key == "run-files")
    assert [plain(each["label"]).replace("\xa0", " ") for each in files][1:] == [
        "Weights, safetensors (0 B)",
        "Best weights (step 1,200, test accuracy 0.877), safetensors (88 B)",
        "The whole run, to hand on (archive)",
    ]


@pytest.mark.torch
def test_the_inside_of_a_run_is_looked_into_when_asked(folder: Path) -> None:
    run = make(folder, "one")
    page = Page(run.id, tab="inside")
    assert "Nothing is kept of it." in page.text
    (run.path / "model.safetensors").write_bytes(b"")
    page.run().click("look inside")
    assert "PyTorch looks at the picture" in page.text
    state = page.test.session_state
    state["asked inside"].wait()
    assert plain(page.run().test.error[0].value) == "Nothing is kept of the inside of this run."
    first = state["asked inside"]
    page.test.selectbox(key="inside layer").select(0).run()
    assert state["asked inside"] is not first
    assert state["asked inside"].about[3] == "features.0"


def test_the_inside_of_a_run_that_trains_can_be_seen_from_its_first_snapshot_on(folder: Path) -> None:
    run = make(folder, "one", "interrupted")
    with FileLock(run.path / "run.lock"):
        page = Page(run.id, tab="inside")
        assert "It can be seen from the first step on." in page.text
        snapshots.file(run.path, 0).parent.mkdir()
        snapshots.file(run.path, 0).touch()
        assert page.run().test.button(key="look inside")


def test_its_network_opens_in_explore(folder: Path) -> None:
    page = Page(make(folder, "one").id)
    page.test.button(key="explore run").click()
    page.test.run()
    assert page.test.query_params["arch"] == "1x4,1x8"
    assert page.test.button(key="undo")


def test_the_confusion_matrix_holds_the_counts_and_the_pictures_behind_them() -> None:
    picture = result_json()["mistakes"][0]["picture"]
    examples = [{"picture": picture, "label": 0, "guess": to, "chance": 0.9} for to in (0, 0, 1, 7)]
    found = mistakes.cells({"examples": [*examples, {}, 7]}, [[3, 1], [0, 4]], ["a", "<b>"])
    assert [[cell["count"] for cell in row] for row in found["rows"]] == [[3, 1], [0, 4]]
    assert [[len(cell["pictures"]) for cell in row] for row in found["rows"]] == [[2, 1], [0, 0]]
    assert found["rows"][0][1]["label"] == "a, taken for <b>: 1"
    assert found["rows"][0][0]["note"] == "2 of 3 pictures, the surest first."
    assert found["rows"][0][1]["note"] == ""
    assert found["recalls"] == ["75.0\N{NO-BREAK SPACE}%", "100.0\N{NO-BREAK SPACE}%"]
    assert (found["first"], found["words"]["older"]) == ([0, 1], "")
    older = mistakes.cells({"mistakes": examples[2:3]}, [[3, 1], [0, 4]], ["a", "<b>"])
    assert "only the worst mistakes" in older["words"]["older"]
    assert len(older["rows"][0][1]["pictures"]) == 1


def test_the_confusion_matrix_of_many_classes_is_a_chart() -> None:
    figure = mistakes.heatmap([[3, 1], [0, 4]], ["a", "<b>"])
    assert figure["data"][0]["z"] == [[0.75, 0.25], [0, 1]]
    assert figure["data"][0]["hovertext"][0][1] == "a, taken for &lt;b&gt;: 1"
    assert figure["layout"]["yaxis"]["ticktext"] == ["a", "&lt;b&gt;"]


# --- Chinese ------------------------------------------------------------------------------------------------


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "language", lambda: "zh")


SAME = (
    "quick-demo sample safetensors CSV JSON json zip PNG JPEG WEBP GIF BMP png jpg jpeg webp gif bmp markers+text cpu "
    "csv"
)
OURS = [
    r"[\w.-]+\.(?:csv|safetensors|zip)|[0-9a-f]{32}",  # files
    *(re.escape(word) for word in SAME.split()),
    r":[a-z]+-badge\[:material/\w+:",
    r"\(<Word\..*?\)$",  # what a page has drawn of a run
    r"\{\s*\"version\".*\}|rgba\([^)]*\)|\$\w+",  # a config, colours
    r"(?:records|tables|archives|download|assets)/[^ ]*|listed\?[^ ]*",  # addresses
    r"202\d[\w-]*|\{\w+\}|[A-Za-z0-9+/=]{60,}",  # ids, values, pictures
]
"""What is no text for people, or the same in every language."""


@pytest.mark.parametrize("status", ["finished", "stopped", "failed", "interrupted"])
@pytest.mark.usefixtures("chinese")
def test_the_pages_are_chinese(folder: Path, status: str) -> None:
    asked = config(parse_network({"arch": "vgg11", "input": "1x64x64"}), input_size=64, momentum=0.5)
    ids = [make(folder, "一", status, day=1).id, make(folder, "二", status, asked=asked, day=2).id]
    (folder / ids[0] / "model.safetensors").write_bytes(b"")
    for shown, tab in (((), ""), (ids, ""), *((ids[:1], tab) for tab in TABS[RUNS])):
        texts = [
            re.sub("|".join(OURS), " ", plain(text), flags=re.DOTALL)
            for text in seen(Page(*shown, tab=tab, locale="zh-CN").test._tree)
        ]
        assert has_chinese(texts)
        assert [text for text in texts if text not in STATUSES and english_in(text)] == []
    for line in listing.listed("zh").whole()["lines"].values():
        cells = {name: cell["text"] for name, cell in line["cells"].items() if name not in ("network", "recipe")}
        texts = [line["word"], *cells.values()]
        assert has_chinese(texts)
        assert [text for text in texts if english_in(re.sub("|".join(OURS), " ", text))] == []
