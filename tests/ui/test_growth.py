"""A sweep of twice as many runs takes no more than about twice as much: files asked for and calls made, not seconds."""

# ruff: noqa: F811 (fixtures of other modules)
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
from filelock import FileLock
from test_runs_page import config, folder, make  # noqa: F401 (a fixture)

from vggexplorer.errors import InputError
from vggexplorer.runs import launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.sweeps import keeper, start
from vggexplorer.runs.sweeps.folder import Sweep
from vggexplorer.runs.sweeps.grid import MAX_RUNS, Grid
from vggexplorer.terminal import runs as listed_runs
from vggexplorer.terminal import sweeps as listed_sweeps
from vggexplorer.terminal.sweep_progress import Followed, ended
from vggexplorer.ui.run import rows, scatter
from vggexplorer.ui.runs import listing, sweeps

FEW = 16
ORIGIN = "origin"
"""The folder of the run of which all others are copies."""
MOST = 2.2
"""How many times as much twice as many runs may take."""
FILES = {"posix", "nt", "_io", "io"}
"""The modules whose functions ask the system for files."""


class Work(NamedTuple):
    """What something took: how often the system was asked for a file, and all calls of functions."""

    files: int
    calls: int


class Meter:
    """Counts what is done while it is on; the same each time, on whatever machine."""

    def __init__(self) -> None:
        self.work = Work(0, 0)

    def on(self) -> None:
        sys.setprofile(self._seen)

    def off(self) -> None:
        sys.setprofile(None)

    def _seen(self, _: FrameType, event: str, called: Any) -> None:
        files, calls = self.work
        asked = event == "c_call" and called.__module__ in FILES and called.__name__ != "fspath"
        self.work = Work(files + asked, calls + (event in ("call", "c_call")))


def work(action: Callable[[], object]) -> Work:
    """What `action` takes."""
    meter = Meter()
    meter.on()
    try:
        action()
    finally:
        meter.off()
    return meter.work


def grows_with_its_runs(measured: Callable[[Path, int], Work], folder: Path) -> None:
    """Twice the runs take at most about twice as much."""
    few, many = (measured(folder / str(count), count) for count in (FEW, 2 * FEW))
    assert many.files <= MOST * few.files
    assert many.calls <= MOST * few.calls


@pytest.fixture(autouse=True)
def _trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keeper is started, and each trainer has finished as soon as it is."""
    origin = make(folder / ORIGIN, "one")

    def finished(_: Sequence[str], log: Path, *__: object) -> None:
        shutil.copy(origin.path / layout.OUTCOME, log.parent)
        Line(Runs(log.parent.parent)).leave(Run(log.parent))

    monkeypatch.setattr(start, "_keep", lambda *_: None)
    monkeypatch.setattr(launch, "detached", finished)
    monkeypatch.setattr(launch, "need_torch", lambda: None)
    monkeypatch.setattr(keeper, "LOOK", 0)
    monkeypatch.setattr(listing, "PIECE", float("inf"))
    monkeypatch.setattr(rows, "SETTLED", 0)


def configs(count: int) -> list[Config]:
    return [replace(config(), seed=seed) for seed in range(count)]


def planned(path: Path, count: int) -> Sweep:
    return start.start_sweep(Runs(path), configs(count))


def finished(path: Path, count: int) -> Sweep:
    """Its runs have ended, and all are different."""
    sweep = planned(path, count)
    (origin,) = (path.parent / ORIGIN).iterdir()
    for member in sweep.members():
        shutil.copytree(origin, member.run.path)
        (member.run.path / layout.NAME).write_text(member.name, "utf-8")
        sweep.note(member.run.id)
    return sweep


# --- starting ------------------------------------------------------------------------------------------------


def test_planning_and_writing_it_down(folder: Path) -> None:
    def started(path: Path, count: int) -> Work:
        networks = [config().network]
        return work(lambda: start.start_sweep(Runs(path), Grid(networks=networks, seeds=range(count)).plan().configs))

    grows_with_its_runs(started, folder)


@pytest.mark.parametrize("limits", [Limits(), Limits(runs=2)])
def test_its_keeper_starts_all_of_it(limits: Limits, folder: Path) -> None:
    def kept(path: Path, count: int) -> Work:
        sweep = planned(path, count)
        return work(lambda: keeper.keep(sweep, limits))

    grows_with_its_runs(kept, folder)


def test_a_keeper_that_waits_looks_at_what_is_in_line_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With limits, too: whether there is room is asked only once a run could start."""

    def waits(path: Path, count: int) -> Work:
        sweep, meter = finished(path, count), Meter()
        first, second = (member.run for member in sweep.members()[:2])
        shutil.rmtree(second.path)
        (sweep.path / layout.MADE).unlink()  # it is made again, once the first one trains
        (first.path / layout.OUTCOME).unlink()
        write_json(first.path / layout.HEARTBEAT, {"beat": 1, "phase": "waiting", "step": 0})
        sleeps = itertools.count(1)

        def slept(_: float) -> None:
            if next(sleeps) == 1:
                meter.on()
            else:
                meter.off()
                sweep.want(stop=True)

        monkeypatch.setattr(keeper, "time", SimpleNamespace(sleep=slept))
        with FileLock(first.path / layout.LOCK, thread_local=False):
            keeper.keep(sweep, Limits(runs=1))
        assert next(sleeps) == 3
        return meter.work

    monkeypatch.setattr("vggexplorer.runs.folder.files.PROBE", 0.0)  # a lock that is held is looked at once
    few, many = (waits(folder / str(count), count) for count in (FEW, 4 * FEW))
    assert 0 < few.files == many.files


def test_a_sweep_that_is_too_large_gets_a_sentence(folder: Path) -> None:
    with pytest.raises(InputError, match="A sweep has from 1 to 1,000 runs, not “1,001”"):
        planned(folder, MAX_RUNS + 1)
    assert Runs(folder).folders() == {ORIGIN}


# --- lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [planned, finished])
def test_the_list_of_sweeps(folder: Path, of: Callable[[Path, int], Sweep]) -> None:
    def listed(path: Path, count: int) -> Work:
        runs = of(path, count).runs
        return work(lambda: listed_sweeps.rows(runs))

    grows_with_its_runs(listed, folder)


def test_the_list_of_runs(folder: Path) -> None:
    def listed(path: Path, count: int) -> Work:
        runs = finished(path, count).runs
        return work(lambda: listed_runs.rows(runs.all()))

    grows_with_its_runs(listed, folder)


def test_following_it_in_a_terminal(folder: Path) -> None:
    """A run that has ended is asked for twice in a look: is its folder as it was, and its end?"""

    def followed(path: Path, count: int) -> Work:
        one = Followed(finished(path, count))
        assert len(one.look()) == count
        again = work(one.look)
        assert again.files <= 2 * count + 10
        whole = work(lambda: (one.look(), one.counts(), ended(one, "finished")))
        return Work(again.files + whole.files, again.calls + whole.calls)

    grows_with_its_runs(followed, folder)


# --- the page ------------------------------------------------------------------------------------------------


def seen_first(path: Path, count: int) -> Work:
    found = listing.Listed(finished(path, count).runs, "en")
    rows.forget()
    return work(found.whole)


def test_the_list_on_the_page_is_read(folder: Path) -> None:
    grows_with_its_runs(seen_first, folder)


def test_the_list_on_the_page_is_read_in_pieces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the smallest: a run in each. Then only the files count, of which each piece asks for a few."""
    monkeypatch.setattr(listing, "PIECE", -1.0)
    few, many = (seen_first(folder / str(count), count) for count in (FEW, 2 * FEW))
    assert many.files <= MOST * few.files


def test_while_it_is_read_its_runs_stand_in_their_sweep(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PIECE", -1.0)
    sweep = finished(folder / "three", 3)
    found = listing.Listed(sweep.runs, "en")
    first = found.answer("", 0)
    assert (first["more"], len(first["lines"])) == (True, 2)
    ids = list(sweep.asked().configs)
    head = first["lines"][sweep.id]
    assert (head["name"], head["runs"], head["reason"], head["word"]) == (sweep.asked().name, ids, None, "")
    whole = found.whole()["lines"]
    assert whole[sweep.id]["runs"] == ids
    assert (whole[sweep.id]["reason"], whole[sweep.id]["word"]) == ("3 of 3 runs finished", "finished")


def test_a_tick_of_the_list_asks_once_for_each_run_and_sends_nothing(folder: Path) -> None:
    def ticked(path: Path, count: int) -> Work:
        found = listing.Listed(finished(path, count).runs, "en")
        rows.forget()
        before = found.whole()
        found._looked = float("-inf")
        again: list[dict[str, Any]] = []
        tick = work(lambda: again.append(found.answer(before["start"], before["number"])))
        assert again[0]["lines"] == {}
        assert tick.files <= count + 10
        return tick

    grows_with_its_runs(ticked, folder)


def test_what_is_sent(folder: Path) -> None:
    def sent(path: Path, count: int) -> int:
        rows.forget()
        return len(json.dumps(listing.Listed(finished(path, count).runs, "en").whole()))

    assert sent(folder / "many", 2 * FEW) <= MOST * sent(folder / "few", FEW)


def test_a_sweep_in_view(folder: Path) -> None:
    def seen(path: Path, count: int) -> Work:
        sweep = finished(path, count)
        sweeps._Seen(sweep)
        tick = work(lambda: sweeps._Seen(sweep))
        assert tick.files <= count + 10
        return tick

    grows_with_its_runs(seen, folder)


def test_its_chart(folder: Path) -> None:
    """All points on the front: each has its name, and is asked for only once whether it is there."""

    def drawn(_: Path, count: int) -> Work:
        marks = [scatter.Mark(f"net {place}", 10.0 + place, place / count, 0.0, 1.0, place) for place in range(count)]
        return work(lambda: scatter.figure(marks, "params", marks))

    grows_with_its_runs(drawn, folder)
