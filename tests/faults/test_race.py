"""A real race: a member that is killed, paused or stopped blocks nobody, and each ends with the bits of a run alone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from conftest import wait_until
from real_runs import CONFIG, LONG, check_same_records
from safetensors.torch import load_file
from torch import equal

from vggexplorer.processes import processors
from vggexplorer.runs import launch
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.races import start_race
from vggexplorer.text import parse_network

LENET = replace(CONFIG, network=parse_network({"arch": "lenet"}), training=replace(CONFIG.training, lr=0.1))
SHORT = replace(CONFIG, training=replace(CONFIG.training, epochs=1))


def pauses(run: Run, step: int) -> None:
    wait_until(lambda: run.status()[:2] == ("paused", step), 90, f"{step}: {run.status()} {run.end_of_log()}")


def wait(line: Sequence[Run], *ahead: int) -> None:
    """All of them wait, with so many before each."""
    expected = [("waiting", 0, number) for number in ahead]
    wait_until(lambda: [run.status() for run in line] == expected, 60, f"{[run.status() for run in line]}")


def ends(run: Run, word: str = "finished") -> None:
    wait_until(lambda: not run.status().active, 120)
    assert run.status().word == word, run.end_of_log()


def check_same_bits(member: Run, alone: Run) -> None:
    check_same_records(member, alone)
    first, second = (load_file(run.path / "model.safetensors") for run in (member, alone))
    assert first.keys() == second.keys()
    assert all(equal(first[name], second[name]) for name in first)


def test_a_member_is_killed_and_goes_on_and_nobody_comes_between(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = max(1, processors() // 2)
    monkeypatch.delenv("OMP_NUM_THREADS")
    killed, paused = start_race(runs, [CONFIG, LENET])
    killed.want(until=350)
    paused.want(until=200)
    pauses(killed, 350)
    pauses(paused, 200)

    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    alone = launch.start(runs, CONFIG)
    stopped, short = start_race(runs, [LONG, SHORT])
    other = launch.start(runs, LENET)
    line = (alone, stopped, short, other)
    wait(line, 2, 3, 3, 5)

    monkeypatch.delenv("OMP_NUM_THREADS")
    launch.kill(killed)
    paused.want(until=400)
    pauses(paused, 400)
    assert killed.status().word == "interrupted"
    wait(line, 1, 2, 2, 4)
    launch.resume(runs, killed)
    ends(killed)
    wait(line, 1, 2, 2, 4)
    paused.want()
    ends(paused)
    assert killed.environment()["threads"] == paused.environment()["threads"] == threads

    ends(alone)
    check_same_bits(killed, alone)
    ends(short)
    assert stopped.status().active
    wait((other,), 1)
    launch.stop(stopped)
    ends(stopped, "stopped")
    ends(other)
    check_same_bits(paused, other)
