"""Where PyTorch is missing each page says so where it is asked for, and starts neither a thread nor a process."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_compare_page import Compare
from test_pages import Explore, plain
from test_runs_page import Page, folder, make  # noqa: F401 (a fixture)
from test_sweeps_pages import SweepPage, swept
from test_train_page import Train

from vggexplorer import processes
from vggexplorer.runs import datasets, places
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.sweeps import start as sweep_start
from vggexplorer.runs.sweeps.folder import all_sweeps
from vggexplorer.ui import jobs

ADVICE = f"which is not installed here; {processes.INSTALL} helps."
NEEDED = f"This needs PyTorch, {ADVICE}"


@pytest.fixture(autouse=True)
def _neither_threads_nor_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser's Python, but for the threads in which Streamlit runs the pages."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        work = getattr(thread, "_target", None) or getattr(thread, "function", None)
        assert not getattr(work, "__module__", "").startswith(("vggexplorer", "subprocess")), "can't start new thread"
        start(thread)

    def popen(*_: object, **__: object) -> None:
        raise AssertionError("can't start new process")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", popen)


@pytest.fixture(autouse=True)
def missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:  # noqa: F811
    """The modules that are not found: whoever looks for another one finds it."""
    names = {"torch", "ray"}
    for module in (processes, places):
        found = module.find_spec
        monkeypatch.setattr(module, "find_spec", lambda name, found=found: None if name in names else found(name))
    monkeypatch.setattr(jobs, "_named", {})
    before = list(jobs._line)  # an earlier test's may still look for devices
    yield names
    assert [job for job in jobs._line if job not in before] == []


def said(page: Explore | Compare | Page) -> list[str]:
    """What the page complains about."""
    return [plain(box.value) for box in (*page.test.error, *page.test.warning)]


def test_explore_checks_and_writes_no_onnx() -> None:
    page = Explore(tab="check")
    assert said(page) == []
    assert said(page.click("check")) == [NEEDED]
    page = Explore(tab="away")
    assert said(page) == []
    assert said(page.click("onnx-start")) == [NEEDED]


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_the_exporter_needs_more_than_pytorch(missing: set[str], package: str) -> None:
    missing ^= {"torch", package}
    assert said(Explore(tab="away").click("onnx-start")) == [f"This needs {package}, {ADVICE}"]


def test_compare_measures_and_starts_nothing(folder: Path) -> None:  # noqa: F811
    page = Compare(tab="time")
    assert said(page) == []
    assert said(page.click("measure layers")) == [NEEDED]
    page = Compare(tab="train")
    assert said(page) == [NEEDED], "the devices are not known"
    assert said(page.click("start sweep")) == [NEEDED, NEEDED]
    assert all_sweeps(Runs(folder)) == []


def test_train_starts_nothing_and_says_what_a_known_device_would_take(
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vggexplorer.runs.devices.by_its_kind", lambda: None)
    page = Train()
    assert said(page) == [NEEDED], "the devices are not known"
    assert "as soon as the devices are known" in page.captions
    assert said(page.click("start")) == [NEEDED, NEEDED]
    assert said(page.click("ask devices")) == [NEEDED, NEEDED]
    assert list(folder.iterdir()) == []
    page.set("elsewhere", page.widget("elsewhere").options[1])
    assert "an estimate from its data sheet" in page.captions


def test_train_downloads_nothing(missing: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "find", lambda _: None)
    page = Train().set("dataset", "full").click("download data")
    assert said(page).count(NEEDED) == 2
    missing ^= {"torch", "torchvision"}
    assert f"This needs torchvision, {ADVICE}" in said(page.click("download data"))


def test_train_asks_no_cluster() -> None:
    page = Train().set("cluster", "auto")
    assert [text for text in said(page) if "[cluster]" in text] == said(page) != []


def test_a_run_is_neither_resumed_nor_repeated_nor_looked_into(folder: Path) -> None:  # noqa: F811
    run = make(folder, "one", "stopped")
    (run.path / "model.safetensors").write_bytes(b"")
    page = Page(run.id)
    assert said(page) == []
    for button in ("resume run", "again run"):
        assert said(page.click(button)) == [NEEDED]
    page = Page(run.id, tab="inside").click("look inside")
    assert said(page) == [NEEDED]
    page = Page(run.id, tab="picture")
    state = page.test.session_state
    state["tried with"], state["tried picture"], state["tried invert"] = run.id, b"", "auto"
    assert said(page.run()) == [NEEDED]


def test_the_rest_of_a_sweep_is_not_resumed(
    folder: Path,  # noqa: F811
    missing: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing.clear()
    with monkeypatch.context() as patch:
        patch.setattr(sweep_start, "_keep", lambda *_: None)
        sweep = swept(folder, None)
    missing.add("torch")
    page = SweepPage(sweep.id)
    assert said(page) == []
    assert said(page.click("resume the rest")) == [NEEDED]
