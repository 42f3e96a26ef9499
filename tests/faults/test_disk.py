"""The disk is full, a file cannot grow, the folder is read-only or gone: the old state stays, the reason is said."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import wait_until
from real_runs import folder_of_runs
from samples import Sample
from test_pages import plain
from test_runs_page import Page
from test_runs_page import folder as _folder  # noqa: F401

from faults.conftest import (
    CONFIG,
    Nursery,
    Whole,
    boundaries,
    check_the_end,
    saved_before,
    steps,
    timeless,
)
from vggexplorer.errors import InputError
from vggexplorer.pytorch import weights
from vggexplorer.runs import launch
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.ui.run import rows

FULL = "The disk is full; free some space, then resume the run."


def log(run: Run) -> str:
    return (run.path / "output.log").read_text()


def check_what_is_kept(run: Run, whole: Run) -> None:
    """A prefix of the records, and a checkpoint that can be read, if there was one."""
    assert timeless(run) == timeless(whole)[: len(steps(run))]
    if run.saved_step():
        weights.load(run.path / "checkpoint" / "state.safetensors")
    assert len(steps(run)) >= run.saved_step()
    assert "Traceback" not in log(run)


# --- no room ---------------------------------------------------------------------------------------------


def fill_up(nursery: Nursery, whole: Whole, runs: Runs, number: int, lasting: bool) -> str:
    """From the call with that number on there is no room (or just then); what became of the run. It is resumed."""
    run = runs.create(CONFIG)
    status = nursery.train(run, "refused", number, errno.ENOSPC, lasting)
    check_what_is_kept(run, whole.run)
    word = run.status().word
    if word == "finished":  # it was the heartbeat's file, or nothing that counts
        assert status == 0
    else:
        assert status == 1
        assert log(run).splitlines()[-1] == FULL
        if word == "failed":
            assert str(run.outcome().reason) == FULL  # type: ignore[union-attr]
        else:
            assert (word, steps(run)) == ("interrupted", [])  # so early that there was no room for an outcome
        assert run.resumable(run.status())
        assert run.saved_step() == saved_before(whole.calls, number)  # the old checkpoint
        assert nursery.train(run) == 0
    check_the_end(run, whole.run)
    return word


@pytest.mark.parametrize("lasting", [True, False], ids=["lasting", "for a moment"])
def test_the_disk_is_full_at_every_write_boundary(
    nursery: Nursery, whole: Whole, runs: Runs, lasting: bool, sample: Sample
) -> None:
    places = [number for number, half in boundaries(whole.calls) if not half]
    growing = [number for number in places if whole.calls[number - 1].split()[0] in ("open", "write", "flush", "mkdir")]
    for number in sample(growing, 3 if lasting else 2):
        try:
            fill_up(nursery, whole, runs, number, lasting)
        except AssertionError as error:
            raise AssertionError(f"full at {number}, {whole.calls[number - 1]}") from error


@pytest.mark.parametrize("what", ["write RUN/checkpoint/.state.safetensors", "flush RUN/metrics.jsonl"])
def test_the_disk_is_full(nursery: Nursery, whole: Whole, runs: Runs, what: str) -> None:
    later = [number for number, name in enumerate(whole.calls, 1) if name == what][-3]
    assert fill_up(nursery, whole, runs, later, lasting=True) == "failed"


@pytest.mark.parametrize("most", [5_000, 9_000])
def test_a_file_that_may_not_grow(nursery: Nursery, whole: Whole, runs: Runs, most: int) -> None:
    """By a real limit of the system."""
    run = runs.create(CONFIG)
    assert nursery.train(run, "small_files", most) == 1
    check_what_is_kept(run, whole.run)
    outcome = run.outcome()
    assert outcome is not None
    assert str(outcome.reason) == "The run's files could not be written: File too large"
    assert nursery.train(run) == 0
    check_the_end(run, whole.run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system; the other tests inject the error of a full disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.usefixtures("_folder")
def test_on_a_small_disk(nursery: Nursery, whole: Whole, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one: the run fails with a sentence on the page, the page lives, and nothing can be started."""
    runs = folder_of_runs(small_disk / "runs")
    run = runs.create(CONFIG, "squeezed")
    pid = nursery.start(run, "slow", 0.05)
    wait_until(lambda: run.saved_step() >= 4)
    full = small_disk / "full"
    with pytest.raises(OSError, match="No space left"):
        full.write_bytes(bytes(2**20))
    wait_until(lambda: run.outcome(), what="the end")
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    outcome = run.outcome()
    assert outcome is not None
    assert (outcome.status, str(outcome.reason)) == ("failed", FULL)
    check_what_is_kept(run, whole.run)
    assert run.saved_step() >= 4

    monkeypatch.setenv("VGGEXPLORER_RUNS", str(runs.path))
    rows.forget()
    page = Page(run.id)
    assert FULL in [plain(error.value) for error in page.test.error]
    with pytest.raises(InputError, match="could not be written: No space left on device"):
        launch.start(runs, CONFIG)
    with pytest.raises(InputError, match="The run could not be changed: No space left on device"):
        run.want()
    assert [each.id for each in runs.all(recorded=False)] == [run.id]

    full.unlink()
    assert nursery.train(run) == 0
    check_the_end(run, whole.run)


# --- a folder that is read-only, or gone ---------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="root's rights are given up by Linux's capset")
def test_a_folder_made_read_only(nursery: Nursery, whole: Whole, runs: Runs) -> None:
    run = runs.create(CONFIG)
    pid = nursery.start(run, "slow_plain_user", 0.3)
    wait_until(lambda: run.saved_step() >= 4)
    run.path.chmod(0o555)
    (run.path / "checkpoint").chmod(0o555)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="its end")
    assert log(run).splitlines()[-1] == "The run's files could not be written: Permission denied"
    assert run.status().word == "interrupted"
    assert run.end_of_log() == log(run).strip()
    check_what_is_kept(run, whole.run)
    for path in (run.path, run.path / "checkpoint"):
        path.chmod(0o755)
    assert nursery.train(run, "plain_user") == 0
    check_the_end(run, whole.run)


@pytest.mark.parametrize("becomes", ["nothing", "a file", "another name"])
def test_a_folder_that_goes_away(nursery: Nursery, whole: Whole, runs: Runs, becomes: str) -> None:
    """The trainer ends soon, frees the device, and makes no new folder; the other run finishes."""
    run, other = runs.create(CONFIG), runs.create(CONFIG)
    pid = nursery.start(run, "slow", 0.2)
    wait_until(lambda: len(steps(run)) >= 2)
    run.path.rename(away := runs.path.parent / "away")
    if becomes == "nothing":
        shutil.rmtree(away, ignore_errors=True)
    elif becomes == "a file":
        run.path.write_text("")
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10, "its end")
    assert not run.path.is_dir()
    assert run.status().word == "damaged"
    assert run.id not in [each.id for each in runs.all()]
    if becomes == "another name":
        assert (away / "output.log").read_text().splitlines()[-1] == "The run's folder is gone."
    assert nursery.train(other) == 0
    check_the_end(other, whole.run)
    assert runs.all(recorded=False) == []


def test_signals_that_end_it_early_leave_no_lock(nursery: Nursery, runs: Runs) -> None:
    run = runs.create(CONFIG)
    pid = nursery.start(run, "slow", 0.2)
    wait_until(run.locked)
    os.kill(pid, signal.SIGHUP)
    wait_until(lambda: not run.locked())
    assert run.status().word == "interrupted"
