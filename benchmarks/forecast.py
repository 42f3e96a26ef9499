"""Forecasts beside measurements: seconds of a step and peak memory of the trainer, on networks nobody calibrated with.

    python benchmarks/forecast.py [--networks 20] [--seed 0] [--device cpu] [--precision auto] [--json]

The device is calibrated first (`vggexplorer.runs.calibration`, networks of its own). Then random networks are drawn:
one to five blocks of one to three convolutions, channels that are multiples of 8, kernels of 1 to 11, max or average
pooling, batch norm, LRN, sigmoid, all three heads, inputs of 28 to 112 pixels, batches of 16 to 128, with momentum or
without. Each is trained for four seconds or more by the trainer in a process of its own. A step's time is that of the
shortest one (whoever else is on the machine only makes them longer), memory is the most that the process (on a CPU) or
the device's allocator (on a GPU) had. The bars: within 25 % for time, within 15 % for memory (on a GPU 10 %).
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import pairwise
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import table

from vggexplorer.architectures import Architecture, Block, Head, Network
from vggexplorer.forecast.memory import NOTHING_ADDED, training_memory
from vggexplorer.forecast.time import Calibration, training_time
from vggexplorer.processes import child_environment
from vggexplorer.runs.calibration import calibrate
from vggexplorer.runs.datasets import KNOWN
from vggexplorer.runs.devices import resolve
from vggexplorer.summary import summarize
from vggexplorer.text import format_network, parse_network

TIME_BAR, MEMORY_BAR, GPU_MEMORY_BAR = 0.25, 0.15, 0.1
STEPS, SECONDS = 9, 4.0
"""What is trained at least: a process gets faster until the memory that it uses has been provided."""
LEAST, MOST = 2e8, 4e10
"""MACs of a batch."""
MOST_PARAMS = 4e7


class Case(NamedTuple):
    """What is trained."""

    network: Network
    batch: int
    momentum: float


# --- one measurement, in a process of its own --------------------------------------------------------------


def measure(case: Case, device: str, precision: str) -> dict[str, Any]:
    """The trainer's steps: the seconds of the shortest, and the most memory."""
    from vggexplorer.pytorch.loop import Trainer  # noqa: PLC0415 (not in the process that forecasts)
    from vggexplorer.runs.config import Config  # noqa: PLC0415
    from vggexplorer.runs.options import Training  # noqa: PLC0415
    from vggexplorer.runs.trainer.rhythm import Rhythm  # noqa: PLC0415
    from vggexplorer.runs.trainer.session import Session  # noqa: PLC0415

    training = Training(
        input_size=None, batch_size=case.batch, momentum=case.momentum, precision=precision, lr=1e-6, epochs=200
    )
    trainer = Trainer(Config(network=case.network, training=training, device=device), Session())
    trainer.rhythm = Rhythm(1)  # a record at each step
    marks = []
    for record in trainer.run():
        marks.append((record.step, time.perf_counter()))
        if record.step >= STEPS and marks[-1][1] - marks[0][1] > SECONDS:
            break
    steps = [(after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(marks)]
    return {"seconds": min(steps), "memory": record.memory}


def child(*arguments: str) -> Any:
    """What this program or a module prints last, run as a process of its own."""
    done = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.PIPE, check=True, env=os.environ | child_environment()
    )
    return json.loads(done.stdout.splitlines()[-1])


# --- the random networks -----------------------------------------------------------------------------------


def cases(count: int, seed: int) -> list[Case]:
    """Random networks that a person might train."""
    chance = random.Random(seed)  # noqa: S311 (no secrets)
    found: list[Case] = []
    while len(found) < count:
        case = Case(_network(chance), chance.choice([16, 32, 64, 128]), chance.choice([0.0, 0.9]))
        architecture, (_, side, _) = case.network
        if architecture.min_side() > side:
            continue
        totals = summarize(*case.network).totals
        if LEAST <= case.batch * totals.macs <= MOST and totals.params <= MOST_PARAMS:
            found.append(case)
    return found


def _network(chance: random.Random) -> Network:
    blocks = []
    channels = chance.choice([8, 16, 24, 32, 48, 64])
    for index in range(chance.randint(1, 5)):
        blocks.append(
            Block(
                chance.randint(1, 3),
                channels,
                kernel_size=chance.choice([1, 3, 3, 3, 5, 7] if index else [3, 3, 5, 7, 11]),
                stride=chance.choice([1, 1, 1, 2]) if index == 0 else 1,
                pool=chance.choice([(2, 2), (2, 2), (3, 2), None]),
                pool_type=chance.choice(["max", "max", "avg"]),
                lrn=chance.random() < 0.05,
            )
        )
        channels = min(512, channels * chance.choice([1, 2, 2]))
    head = Head(
        chance.choice(["flatten", "flatten", "gap", "adaptive"]),
        hidden=tuple(chance.choice([64, 128, 512, 1024, 4096]) for _ in range(chance.randint(0, 2))),
        dropout=chance.choice([0.0, 0.5]),
    )
    activation = chance.choice(["relu"] * 5 + ["sigmoid"])
    side = chance.choice([28, 32, 48, 64, 96, 112])
    return Network(Architecture(tuple(blocks), head, 10, chance.random() < 0.4, activation), (1, side, side))


# --- the comparison ----------------------------------------------------------------------------------------


def compare(case: Case, calibration: Calibration, device: str, precision: str) -> dict[str, Any]:
    """Forecast and measurement of one network, and the relative errors."""
    summary = summarize(*case.network)
    examples, tests = KNOWN["sample"].sizes
    data = (examples + tests) * (prod(KNOWN["sample"].shape) + 8)
    kept = int(case.momentum > 0)
    context = 0 if calibration.gpu else calibration.context  # the allocator does not count it
    memory = training_memory(
        *(summary, case.batch, precision),
        kept=kept,
        gpu=calibration.gpu,
        data=data,
        context=context,
        added=calibration.added.get(precision, NOTHING_ADDED)._replace(cached=0),
    )
    seconds = training_time(
        summary, case.batch, precision, calibration, epochs=1, examples=examples, tests=tests, kept=kept
    ).step
    spec = {"network": format_network(case.network), "batch": case.batch, "momentum": case.momentum}
    seen = child(__file__, "--child", json.dumps(spec), "--device", device, "--precision", precision)
    return {
        **spec,
        "precision": precision,
        "seconds": {"forecast": seconds, "measured": seen["seconds"], "error": seconds / seen["seconds"] - 1},
        "memory": {"forecast": memory.total, "measured": seen["memory"], "error": memory.total / seen["memory"] - 1},
    }


def peaks(
    cases: Iterable[tuple[Network, int]], calibration: Calibration, device: str, precision: str
) -> list[dict[str, Any]]:
    """Forecast and measured peaks of steps on a GPU in this process, in bytes without the images, and their errors."""
    from vggexplorer.pytorch.device_memory import peak  # noqa: PLC0415

    results = []
    for network, batch in cases:
        added = calibration.added[precision]._replace(cached=0)
        own = training_memory(summarize(*network), batch, precision, gpu=True, added=added).total
        seen = peak(network, batch, device, precision)
        about = {"network": format_network(network), "batch": batch, "precision": precision}
        results.append({**about, "memory": {"forecast": own, "measured": seen, "error": own / seen - 1}})
    return results


def verdict(results: list[dict[str, Any]], what: str, bar: float) -> dict[str, Any]:
    """Mean, median and largest size of the errors, and how many are within the bar."""
    errors = [abs(result[what]["error"]) for result in results]
    return {
        "bar": bar,
        "median": statistics.median(errors),
        "mean": statistics.mean(errors),
        "largest": max(errors),
        "within": sum(error <= bar for error in errors),
        "of": len(errors),
    }


def rows(results: list[dict[str, Any]]) -> list[list[str]]:
    """The table's rows, its head first."""
    lines = [["network", "batch", "precision", "ms a step", "measured", "error", "MiB", "measured", "error"]]
    for result in results:
        seconds, memory = result["seconds"], result["memory"]
        text = f"{result['network']['arch']} {result['network'].get('input', '')}"
        cells = [f"{1000 * seconds[key]:.1f}" for key in ("forecast", "measured")] + [f"{seconds['error']:+.0%}"]
        cells += [f"{memory[key] / 2**20:,.0f}" for key in ("forecast", "measured")] + [f"{memory['error']:+.0%}"]
        lines.append([text[:70], str(result["batch"]), result["precision"], *cells])
    return lines


def main() -> int:
    """Calibrate, forecast, measure, print; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="both", choices=["float32", "bfloat16", "both"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        spec = json.loads(options.child)
        case = Case(parse_network(spec["network"]), spec["batch"], spec["momentum"])
        print(json.dumps(measure(case, options.device, options.precision)))
        return 0
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        calibration = calibrate(Path(folder), resolve(options.device, Path(folder)))
    took = time.perf_counter() - began
    names = ["float32", "bfloat16"] if options.precision == "both" else [options.precision]
    results = [
        compare(case, calibration, options.device, names[index % len(names)])
        for index, case in enumerate(cases(options.networks, options.seed))
    ]
    memory_bar = GPU_MEMORY_BAR if calibration.gpu else MEMORY_BAR
    bars = {"seconds": verdict(results, "seconds", TIME_BAR), "memory": verdict(results, "memory", memory_bar)}
    about = table.machine(["torch"]) | {"device": calibration.title}
    if options.json:
        print(json.dumps({"machine": about, "calibrated in": took, "results": results, "bars": bars}, indent=1))
    else:
        print(table.sentence(about), end="\n\n")
        print((table.markdown if options.markdown else table.text)(rows(results)), end="\n\n")
        print(f"calibrated in {took:.1f} s")
        for what, found in bars.items():
            print(
                f"{what}: median error {found['median']:.0%}, mean {found['mean']:.0%}, "
                f"largest {found['largest']:.0%}; {found['within']} of {found['of']} within {found['bar']:.0%}"
            )
    return int(any(found["within"] < found["of"] for found in bars.values()))


if __name__ == "__main__":
    sys.exit(main())
