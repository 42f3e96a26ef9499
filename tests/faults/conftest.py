"""Faults are injected into real trainers; a run takes a sample of the places where one can be, `--all` every one."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import ROOT
from real_runs import end_all, folder_of_runs
from safetensors.torch import load_file
from torch import equal

from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.records import TIMING
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.text import parse_network

HERE = Path(__file__).parent
NETWORK = parse_network({"arch": "1x2,1x4", "input": "1x16x16", "hidden": "8", "dropout": "0.5", "bn": "1"})
TRAINING = Training(epochs=3, batch_size=1000, lr=0.02, momentum=0.9, precision="float32", flip=True)
CONFIG = Config(network=NETWORK, training=TRAINING, device="cpu")
"""18 steps, six in an epoch; with dropout, batch norm, momentum and augmentation, whatever a resume may forget."""
STEPS = 18
SAVE_EVERY = 4
"""Steps between checkpoints in the nursery."""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """A folder of runs; what still trains in the end is killed."""
    runs = folder_of_runs(tmp_path / "runs")
    yield runs
    end_all(runs)


class Nursery(NamedTuple):
    """Trains runs with faults, each in a fork of a process that has PyTorch loaded; see nursery.py."""

    process: "subprocess.Popen[str]"

    def train(self, run: Run, *fault: Any, after: float | None = None) -> int:
        """Train until the process ends, `after` so many seconds by SIGKILL; its status, as Popen has it."""
        return os.waitstatus_to_exitcode(self._ask(run, fault, after, wait=True))

    def start(self, run: Run, *fault: Any) -> int:
        """Begin to train; the process id."""
        return self._ask(run, fault, None, wait=False)

    def _ask(self, run: Run, fault: tuple[Any, ...], after: float | None, wait: bool) -> int:
        asked = {"run": str(run.path), "fault": fault or ("none",), "after": after, "wait": wait}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """One for all tests, with one thread."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system that can fork")
    first = folder_of_runs(tmp_path_factory.mktemp("nursery") / "runs").create(CONFIG)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "nursery.py"), str(first.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    while (line := process.stdout.readline()) != "ready\n":
        assert line, "the nursery has died"
    yield Nursery(process)
    process.stdin.close()  # type: ignore[union-attr]
    process.stdout.close()
    process.wait(20)


# --- a run that nobody disturbed, and what is equal to it -----------------------------------------------------


class Whole(NamedTuple):
    """A run that nobody disturbed: how long it took, and by which calls it changed its folder, in their order."""

    run: Run
    seconds: float
    calls: list[str]


@pytest.fixture(scope="session")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    runs = folder_of_runs(folder / "runs")
    assert nursery.train(runs.create(CONFIG), "listed", str(folder / "calls.json")) == 0
    run = runs.create(CONFIG)
    began = time.monotonic()
    assert nursery.train(run) == 0
    return Whole(run, time.monotonic() - began, json.loads((folder / "calls.json").read_text()))


def timeless(run: Run) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.to_json().items() if key not in TIMING} for each in run.records()]


def steps(run: Run) -> list[int]:
    return [record.step for record in run.records()]


def check_what_is_left(run: Run, whole: Run) -> bool:
    """Every whole record up to the last checkpoint is there, none twice; whether the run was over already."""
    assert steps(run) == list(range(1, len(steps(run)) + 1))
    assert len(steps(run)) >= run.saved_step()
    assert timeless(run) == timeless(whole)[: len(steps(run))]
    if outcome := run.outcome():
        assert (outcome.status, outcome.step) == ("finished", STEPS)
        return True
    assert run.status().word == "interrupted"
    return False


def check_the_end(run: Run, whole: Run) -> None:
    """The same curves, the same weights, the same findings, nothing left lying about."""
    assert run.status() == ("finished", STEPS, 0)
    assert steps(run) == list(range(1, STEPS + 1))
    assert timeless(run) == timeless(whole)
    first, second = (load_file(each.path / "model.safetensors") for each in (whole, run))
    assert first.keys() == second.keys()
    assert all(equal(first[name], second[name]) for name in first)
    assert run.json("result.json") == whole.json("result.json")
    assert {path.name for path in run.path.iterdir()} <= {
        *(path.name for path in whole.path.iterdir()),
        "telemetry.jsonl",  # if it took more than a second
        *("started", "forecast.json", "place.json"),  # if it was a launcher that started it
        *(path.name for path in run.path.glob(".control.json.*")),  # some bytes, if it was killed in that very moment
        "checkpoint",  # if it was killed while it tidied up
    }
    assert not list((run.path.parent / "line").glob(f"*-{run.id}"))
    run.delete()


def saved_before(calls: list[str], number: int) -> int:
    """The step of the last whole checkpoint when the call with that number is about to be made."""
    return SAVE_EVERY * calls[: number - 1].count("replace RUN/checkpoint/.state.safetensors")


def boundaries(calls: list[str]) -> list[tuple[int, bool]]:
    """The first and the last time that each file is changed in each way: before the call, and half of it done."""
    calls = [re.sub(r"snapshots/\.\d+", "snapshots/.step", name) for name in calls]
    firsts = {calls.index(name) + 1 for name in calls}
    lasts = {len(calls) - calls[::-1].index(name) for name in calls}
    places = ((number, half) for number in sorted(firsts | lasts) for half in (False, True))
    return [(number, half) for number, half in places if not half or "write" in calls[number - 1]]
