"""How soon a device has a forecast, and how near it is to the run that follows, on an idle and on a busy machine.

    python benchmarks/calibration.py [--markdown] [--json] [--states idle,busy]

Each state begins in an empty folder of runs: an estimate by what the processor is; the look at the devices; the first
measurement, of whose seconds those count that come after PyTorch is loaded; then four runs, of two networks in turn,
each with its forecast before it. Beside a busy state one process computes without an end. The bars: the first measured
forecast within 10 s, and all that was measured, or follows from a run, within 25 % of the time of a step.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import table

from vggexplorer.architectures import NETWORKS
from vggexplorer.forecast.time import Time
from vggexplorer.runs import devices, experience, forecasts, launch
from vggexplorer.runs.calibration import calibrate
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder.runs import Runs

WITHIN, SOON = 0.25, 10.0
FIRST = "VGG-11 slim"
OTHER = "AlexNet"
FORECASTS = (
    ("the first measurement", FIRST),
    ("a run of the same", FIRST),
    ("runs of another network", OTHER),
    ("a run of the same", OTHER),
)
"""What the forecast of each run goes by, and what is trained."""
PATIENCE = 300.0
"""Seconds that a run may take."""


def config(name: str) -> Config:
    """A short run: the quick demo with 32 pixels, or the least that the network takes."""
    network = NETWORKS[name]
    training = replace(recipe("quick-demo", network), images=2000, epochs=2)
    return Config(network=network, training=training, device="cpu")


def forecast(runs: Runs, config: Config) -> Time:
    """What is known of a run now."""
    found = forecasts.known(runs.path, config.device)
    time_ = forecasts.forecast(config, *found).time if found else None
    if time_ is None:
        raise SystemExit("Nothing is known of this processor.")
    return time_


def train(runs: Runs, config: Config) -> float:
    """Train as a run of its own; the seconds of its steps."""
    run, ended = launch.start(runs, config), time.monotonic() + PATIENCE
    while run.status().active or run.outcome() is None:
        if time.monotonic() > ended:
            launch.kill(run)
            raise SystemExit("A run took too long.")
        time.sleep(0.2)
    return experience.past(runs.path, "cpu")[-1].seconds


@contextmanager
def beside(busy: bool) -> Iterator[None]:
    """A process that computes all the time, if asked for."""
    if not busy:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def measured(runs: Runs) -> tuple[float, float]:
    """Measure the first rates: the seconds until PyTorch was loaded, and those after it."""
    asked, began = config(FIRST), time.perf_counter()
    device = devices.resolve("cpu", runs.path)
    looked = time.perf_counter() - began
    precision = forecasts.precision_of(asked, device, None)
    began = time.perf_counter()
    found = calibrate(runs.path, device, first=precision, own=experience.steps_of(asked, precision))
    return looked, time.perf_counter() - began - found.start


def state(name: str) -> dict[str, Any]:
    """All that is asked of a machine that is idle, or busy."""
    with TemporaryDirectory() as folder, beside(name == "busy"):
        runs, began = Runs(Path(folder)), time.perf_counter()
        guess = forecast(runs, config(FIRST)).step
        at_once = time.perf_counter() - began
        looked, soon = measured(runs)
        rows: list[dict[str, Any]] = []
        for known, network in FORECASTS:
            expected = forecast(runs, config(network)).step
            took = train(runs, config(network))
            if not rows:
                rows.append(row("what the processor is", FIRST, guess, took))
            rows.append(row(known, network, expected, took))
        return {"state": name, "at once": at_once, "look": looked, "first measured": soon, "rows": rows}


def row(by: str, network: str, expected: float, took: float) -> dict[str, Any]:
    """A forecast beside what followed."""
    return {"by": by, "network": network, "forecast": expected, "took": took, "error": expected / took - 1}


def main() -> int:
    """Print forecasts and runs of each state; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", default="idle,busy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    states = [state(name) for name in options.states.split(",")]
    bars = [bars_of(each) for each in states]
    about = table.machine(["torch"])
    if options.json:
        print(json.dumps({"machine": about, "states": states}, indent=1))
    else:
        write = table.markdown if options.markdown else table.text
        print(table.sentence(about), end="\n\n")
        print(write(lines(states)), end="\n\n")
        print(write([["bar", "measured", "asked", "met"], *(bar for each in bars for bar in each)]))
    return int(any(bar[-1] == "no" for each in bars for bar in each))


def lines(states: list[dict[str, Any]]) -> list[list[str]]:
    """The table's rows, its head first."""
    head = ["machine", "network", "forecast by", "ms a step", "took", "error"]
    body = [
        [
            *(each["state"], found["network"], found["by"]),
            *(f"{1000 * found[key]:.1f}" for key in ("forecast", "took")),
            f"{found['error']:+.0%}",
        ]
        for each in states
        for found in each["rows"]
    ]
    return [head, *body]


def bars_of(found: dict[str, Any]) -> list[list[str]]:
    """What is asked of a state."""
    name, rows = found["state"], found["rows"]
    soon, guess = found["first measured"], abs(rows[0]["error"])
    within = sum(abs(each["error"]) <= WITHIN for each in rows[1:])
    return [
        table.bar(f"{name}: a forecast at once, ms", f"{1000 * found['at once']:.0f}"),
        table.bar(f"{name}: first measured, s after PyTorch", f"{soon:.1f}", f"{SOON:.0f}", soon <= SOON),
        table.bar(f"{name}: by what the processor is, error", f"{guess:.0%}", "half or twice"),
        table.bar(f"{name}: within {WITHIN:.0%} of the run", f"{within} of {len(rows) - 1}", "all", within == 4),
    ]


if __name__ == "__main__":
    sys.exit(main())
