"""For tests with real trainers: a small training, a folder where the devices are known, and nobody left in the end.

Which steps have a record is decided by the clock as well: two runs have the same records at the steps that both have.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from conftest import wait_until

from vggexplorer.runs import devices, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import TIMING
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import all_sweeps
from vggexplorer.runs.trainer.rhythm import Rhythm
from vggexplorer.text import parse_network

NETWORK = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "8", "dropout": "0.5"})
TRAINING = Training(
    epochs=2, batch_size=20, lr=0.01, momentum=0.9, precision="float32", flip=True, checkpoint_every=1.0
)
CONFIG = Config(network=NETWORK, training=TRAINING, device="cpu")
LONG = replace(CONFIG, training=replace(TRAINING, epochs=10_000))
"""A training that does not end by itself while a test runs."""


def folder_of_runs(path: Path) -> Runs:
    """An empty folder of runs where nobody need ask PyTorch for its devices."""
    path.mkdir(parents=True)
    cpu = {"name": "cpu", "title": "CPU", "memory": 2**33, "speedup": 1.0}
    write_json(path / "devices.json", {"machine": devices.machine(), "devices": [cpu]})
    return Runs(path)


def check_steps(steps: Sequence[int], steps_per_epoch: int, after: int = 0) -> None:
    """Steps `after` that one have a record once, in their order, and all those that the book draws are among them."""
    rhythm = Rhythm(steps_per_epoch)
    assert list(steps) == sorted(set(steps))
    assert {step for step in range(after + 1, steps[-1] + 1) if rhythm.drawn(step)} <= set(steps)


def check_records(run: Run) -> None:
    """`check_steps` of all that a run has."""
    check_steps([record.step for record in run.records()], run.environment()["steps_per_epoch"])


def check_same_records(run: Run, other: Run) -> None:
    """Two runs have the same figures, but for the time, after the same steps, and end with the same step."""
    for each in (run, other):
        check_records(each)
    mine, others = timeless(run), timeless(other)
    assert max(mine) == max(others)
    assert {step: mine[step] for step in mine.keys() & others.keys()} == {
        step: others[step] for step in mine.keys() & others.keys()
    }


def timeless(run: Run) -> dict[int, dict[str, Any]]:
    """The records of a run by their steps, without what the clock decides."""
    return {
        record.step: {name: value for name, value in record.to_json().items() if name not in TIMING}
        for record in run.records()
    }


def end_all(runs: Runs) -> None:
    """Stop the sweeps and kill what still trains."""
    for sweep in all_sweeps(runs):
        start.stop_sweep(sweep)
        wait_until(lambda sweep=sweep: not sweep.kept(), 20)  # type: ignore[misc]
    for run in runs.all(recorded=False):
        if run.locked():
            wait_until(run.heartbeat)
            launch.kill(run)
            wait_until(lambda run=run: not run.locked(), 20)  # type: ignore[misc]
