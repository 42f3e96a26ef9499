"""How soon the command line and the trainer begin, in processes of their own, in turns.

    python benchmarks/start.py [--rounds 7] [--json | --markdown]
    python benchmarks/start.py --doors [site] [light] [whole]

`vggexplorer profile vgg11 --json` as a whole process beside a Python that only imports what it uses (argparse, and
Rich for the tables that people see). The trainer: the time from the end of `import torch` to its first record, beside
one later step, at the book's 224 pixels with batches of 128. A quick demo: from the command to its first record, where
nobody has asked for the devices before, and where they are known; PyTorch is in the disk's cache. The doors are
measured by `doors.py`, from nothing to the first page: that needs npm, a browser and some minutes.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import doors
import table

from vggexplorer.architectures import NETWORKS
from vggexplorer.processes import child_environment
from vggexplorer.processor import processor
from vggexplorer.runs.config import RECIPES, Config

BAR, STEPS, FIRST = 2.0, 1.0, 4.0
"""The bars: times the imports; steps that the preparation of the trainer may take; seconds to the first record."""
DEMO = ["-m", "vggexplorer", "train", "vgg11-slim", "--device", "cpu", "--json"]
COMMANDS = {
    "import argparse, rich": ["-c", "import argparse, rich.console, rich.table"],
    "profile vgg11": ["-m", "vggexplorer", "profile", "vgg11"],
    "profile vgg11 --json": ["-m", "vggexplorer", "profile", "vgg11", "--json"],
}
TRAINER = """
import sys, time
import torch
began = time.perf_counter()
from pathlib import Path
import json
from vggexplorer.pytorch.loop import fit
from vggexplorer.runs.config import Config
from vggexplorer.runs.trainer import rhythm
rhythm.APART = 0.0  # a record for each step
marks = []
for record in fit(Config.from_json(json.loads(Path(sys.argv[1]).read_text("utf-8")))):
    marks.append(time.perf_counter() - began)
    if len(marks) == 4:
        break
print(json.dumps(marks))
"""


def seconds(command: list[str]) -> float:
    """The time that a process takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def trainer() -> dict[str, float]:
    """Seconds from the imported torch to the first record, and of a step after the first ones."""
    network = NETWORKS["VGG-11 slim"]
    bfloat16 = any("bf16" in flag for flag in processor().flags)
    training = replace(RECIPES["d2l-vgg"], precision="bfloat16" if bfloat16 else "float32")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(Config(network=network, training=training, device="cpu").to_json()), "utf-8")
        command = [sys.executable, "-c", TRAINER, str(path)]
        done = subprocess.run(command, env=child_environment(), stdout=subprocess.PIPE, check=True)
    marks = json.loads(done.stdout)
    return {"first record": marks[0], "step": min(late - early for early, late in pairwise(marks))}


def first_record(runs: str) -> float:
    """Seconds from the command to its first record; the run is stopped then."""
    began = time.perf_counter()
    environment = os.environ | {"VGGEXPLORER_RUNS": runs}
    with subprocess.Popen(
        [sys.executable, *DEMO], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as command:
        next(iter(command.stdout or ()), None)
        took = time.perf_counter() - began
        command.send_signal(signal.SIGINT)
        command.communicate()  # until it is stopped: who reads no more leaves a run that goes on
    return took


def demos() -> dict[str, float]:
    """Seconds of a first start, and of a second one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as runs:  # a trainer may still be at its end
        return {name: first_record(runs) for name in ("first start", "second start")}


def measure(rounds: int) -> dict[str, Any]:
    """Medians over rounds in which all take turns."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    return {
        "commands": {name: statistics.median(values) for name, values in times.items()},
        "trainer": [trainer() for _ in range(3)],
        "demos": [demos() for _ in range(3)],
    }


def rows(found: dict[str, Any]) -> list[list[str]]:
    """The table, its head first."""
    imports, *commands = found["commands"].items()
    lines = [["", "measured", "bar", "met"], table.bar(imports[0], f"{1000 * imports[1]:.0f} ms")]
    for name, value in commands:
        ratio = value / imports[1]
        lines.append(table.bar(name, f"{1000 * value:.0f} ms, {ratio:.2f}x", f"{BAR:g}x", ratio <= BAR))
    first, step = (min(each[name] for each in found["trainer"]) for name in ("first record", "step"))
    ready = (first - step) / step
    text = f"first record after {first:.2f} s, a step {step:.2f} s: {ready:.2f} steps"
    lines.append(table.bar("trainer ready after import torch", text, f"{STEPS:g} step", ready <= STEPS))
    for name in ("first start", "second start"):
        took = statistics.median(each[name] for each in found["demos"])
        lines.append(
            table.bar(f"quick demo, {name}: its first record after", f"{took:.1f} s", f"{FIRST:g} s", took < FIRST)
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=7)
    parser.add_argument("--doors", nargs="*", choices=doors.NAMES, help="measure the ways to the dashboard instead")
    options = parser.parse_args()
    if options.doors is not None:
        ways = doors.measure(options.doors or list(doors.NAMES), min(options.rounds, 3))
        table.report(options, table.machine(["streamlit", "playwright"]), ways, doors.rows(ways))
        return
    found = measure(options.rounds)
    table.report(options, table.machine(["torch", "rich"]), found, rows(found))


if __name__ == "__main__":
    main()
