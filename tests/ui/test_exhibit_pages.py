"""The pages of a dashboard that is there to look at: whole but for what would start or keep something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_bring_run import packed  # noqa: F401 (a fixture)
from test_compare_page import Compare
from test_learn_page import Page as Learn
from test_pages import Explore, plain
from test_runs_page import Page, chinese, make  # noqa: F401 (a fixture)
from test_train_page import Train
from test_without_pytorch import _neither_threads_nor_processes, said  # noqa: F401 (a fixture)

from vggexplorer import exhibit
from vggexplorer.catalogue import catalogue
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import keys
from vggexplorer.ui import jobs
from vggexplorer.ui.run.rows import forget

REFUSED = "This dashboard is there to look at: nothing is trained, measured or kept here."


@pytest.fixture(autouse=True)
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A visitor sits at the pages; a folder of runs that has one is there, and stays as it is."""
    monkeypatch.setenv(exhibit.VARIABLE, "1")
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(keys, "ungated", keys.VISITOR)
    monkeypatch.setattr(jobs, "_named", {})  # a job that is refused here is not shown by the tests that come
    run = make(tmp_path, "somebody's", "stopped")
    before = sorted(tmp_path.rglob("*"))
    forget()
    yield run.path
    forget()
    assert sorted(tmp_path.rglob("*")) == before


def told(page: Train | Compare | Learn) -> list[str]:
    """What stands in place of a form."""
    return [plain(box.value) for box in page.test.info]


def keys_of(page: Explore | Compare | Page | Learn) -> set[str]:
    return {button.key for button in page.test.button}


def test_train_says_where_training_is_and_leads_to_recorded_runs() -> None:
    page = Train()
    assert [text[: len(REFUSED)] for text in told(page)] == [REFUSED]
    assert "start" not in keys_of(page)
    assert "curves" in {component.key for component in page.test.get("bidi_component")}
    page.click("to runs")
    assert "runs table" in {component.key for component in page.test.get("bidi_component")}


def test_train_shows_how_it_went_elsewhere_and_opens_that_run() -> None:
    for network, name in (("alexnet", "AlexNet"), ("vgg11-slim", "VGG-11 slim"), ("lenet", "VGG-11 slim")):
        page = Train(arch=network)
        (line,) = (button for button in page.test.button if str(button.key).startswith("look "))
        assert plain(line.label) == f"{name}, all of Fashion-MNIST"
        page.click(str(line.key))
        run = str(line.key).removeprefix("look ")
        assert page.test.query_params["run"] in (run, [run])
        assert f"curves {run}" in {component.key for component in page.test.get("bidi_component")}


def test_compare_races_and_sweeps_nothing() -> None:
    page = Compare()
    assert "start race" not in keys_of(page)
    page = page.tab("train")
    assert [text[: len(REFUSED)] for text in told(page)] == [REFUSED]
    assert "start sweep" not in keys_of(page)
    page = page.tab("time").click("measure layers")
    assert [text[: len(REFUSED)] for text in said(page)] == [REFUSED]


def test_explore_checks_and_writes_no_onnx() -> None:
    for tab, button in (("check", "check"), ("away", "onnx-start")):
        page = Explore(tab=tab)
        assert said(page) == []
        assert [text[: len(REFUSED)] for text in said(page.click(button))] == [REFUSED]


def test_a_task_that_trains_says_where_that_can_be_done() -> None:
    page = Learn(task="head").guess("head").click("step 5")
    assert [text[: len(REFUSED)] for text in told(page)] == [REFUSED]
    assert "start" not in keys_of(page)


def test_runs_shows_what_ships_and_nothing_else(shown: Path) -> None:
    page = Page()
    assert {row["id"] for row in page.table} == {run.id for run in Runs(layout.RECORDED).all(recorded=False)}
    assert "somebody's" not in page.text
    assert not page.test.file_uploader
    assert "Runs that ship with the package" in page.text
    assert "Disk used" not in page.text
    assert "somebody's" not in Page(shown.name).text


@pytest.mark.parametrize("tab", ["curves", "mistakes", "picture", "inside", "settings", "files"])
def test_a_recorded_run_has_its_tabs_and_no_button_that_changes_anything(tab: str) -> None:
    page = Page(Runs(layout.RECORDED).all(recorded=False)[0].id, tab=tab)
    assert said(page) == []
    assert keys_of(page) & {"again run", "resume run", "delete run", "stop run", "end run"} == set()
    assert "explore run" in keys_of(page)
    assert "to hand on" not in str(page.test.get("bidi_component"))


@pytest.mark.usefixtures("chinese")
def test_a_visitor_who_reads_chinese_is_told_in_chinese() -> None:
    text = Page(locale="zh-CN").text
    assert plain(catalogue()["Runs that ship with the package"]) in text
