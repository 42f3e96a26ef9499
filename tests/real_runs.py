"""For tests with real trainers: a small training, a folder where the devices are known, and nobody left in the end."""

from dataclasses import replace
from pathlib import Path

from conftest import wait_until

from vggexplorer.runs import devices, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import all_sweeps
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
