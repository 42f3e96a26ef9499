"""A term's worth: 500 runs, a million records, a log of a gigabyte. A page opens soon, and time grows with the size."""

import json
import shutil
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from test_runs_page import Page, make, record
from test_runs_page import folder as _folder

from vggexplorer.runs.folder.run import MANY, Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server.metrics import COLUMNS, MOST, answer
from vggexplorer.ui.run import rows

folder = _folder
SOON = 5.0
"""Seconds of the processor for a first look at all of it; the machine of the tests may be busy, so it is much."""


def took(action: Callable[[], object]) -> float:
    """Seconds of the processor."""
    began = time.process_time()
    action()
    return time.process_time() - began


def many(folder: Path, first: int, last: int) -> None:
    origin = folder / "20260101-120000-1"
    for number in range(first, last):
        shutil.copytree(origin, folder / f"20260102-{number:06d}-run")


def test_five_hundred_runs(folder: Path) -> None:
    make(folder, "one", day=1)
    many(folder, 0, 99)
    rows.forget()
    hundred = took(rows.all_rows)
    many(folder, 99, 499)
    rows.forget()
    five_hundred = took(rows.all_rows)
    assert len(rows.all_rows()) == 500
    assert five_hundred < max(1.0, 12 * hundred)
    assert took(rows.all_rows) < five_hundred  # what has ended is read once
    pages: list[Page] = []
    assert took(lambda: pages.append(Page())) < SOON
    assert not pages[0].test.exception
    assert len(Runs(folder).all(recorded=False)) == 500


def metrics(run: Run, count: int, tested_every: int = 10_000) -> None:
    """So many records; each is written as the trainer writes it."""
    parts = [each.line().split(b"7", 1) for each in (record(7), record(7, 0.5))]
    with (run.path / "metrics.jsonl").open("wb") as file:
        for step in range(1, count + 1):
            file.write((b"%d" % step).join(parts[step % tested_every == 0]))


def look(run: Run) -> float:
    """Seconds for all that pages ask of the records of a run."""

    def ask() -> None:
        rows._followed.clear()
        rows.read_row(run)
        run.last_record()
        answer(run, 0, "")

    return took(ask)


def test_a_million_records(folder: Path) -> None:
    run = make(folder, "long", "interrupted")
    metrics(run, 100_000)
    tenth = look(run)
    metrics(run, 1_000_000)
    whole = look(run)
    assert whole < SOON
    assert whole < max(1.0, 20 * tenth)
    tracemalloc.start()
    found = answer(run, 0, "")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20
    assert len(found["rows"]) <= MOST + 100 + 2
    assert found["rows"][-1][COLUMNS.index("step")] == 1_000_000
    assert sum(row[COLUMNS.index("test_acc")] is not None for row in found["rows"]) == 100
    assert answer(run, found["offset"], found["start"])["rows"] == []
    assert len(json.dumps(found)) < 10**6
    page = Page(run.id)
    assert not page.test.exception


def test_of_many_records_some_are_read_and_all_that_were_tested(folder: Path) -> None:
    run = make(folder, "long", "interrupted")
    metrics(run, 3 * MANY, tested_every=5_000)
    records, offset, damaged = run.read(most=1_000)
    assert not damaged
    assert offset == (run.path / "metrics.jsonl").stat().st_size
    assert (records[0].step, records[-1].step) == (1, 3 * MANY)
    assert sum(each.test_acc is not None for each in records) == 3 * MANY // 5_000
    assert 900 <= len(records) <= 1_100
    everything = run.read()
    assert [each.step for each in everything.records] == list(range(1, 3 * MANY + 1))
    assert everything.offset == offset
    assert run.read(offset, 1_000) == ([], offset, False)


def test_a_log_of_a_gigabyte(folder: Path) -> None:
    run = make(folder, "noisy", "interrupted")
    with (run.path / "output.log").open("wb") as file:
        file.seek(2**30)
        file.write("最后 last words\n".encode())
    tracemalloc.start()
    assert run.end_of_log() == "最后 last words"
    peak = tracemalloc.get_traced_memory()[1]
    assert peak < 2**20
    page = Page(run.id)
    assert tracemalloc.get_traced_memory()[1] < 200 * 10**6
    tracemalloc.stop()
    assert not page.test.exception
    assert any("last words" in code.value for code in page.test.code)
