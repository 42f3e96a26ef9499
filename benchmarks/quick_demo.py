"""What each row of the quick demo reaches: its accuracy on the sample's test pictures over seeds, and its work.

    python benchmarks/quick_demo.py [--rows XS,S,M,L,XL] [--seeds 11,12,13,14,15] [--precision auto] [--network NAME]

Each run is a process of its own on the processor, with the slim VGG-11 unless another network is named. Its work is
6 x MACs x images x epochs (forward and backward); the seconds are those of its steps and tests, long on a busy machine.
Other processors are imitated by the environment, as in

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OMP_NUM_THREADS=1 python benchmarks/quick_demo.py --rows XS,S
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from math import inf
from typing import Any

import table

from vggexplorer.architectures import NETWORKS
from vggexplorer.processes import child_environment
from vggexplorer.pytorch.loop import Trainer
from vggexplorer.runs.config import Config, as_row
from vggexplorer.runs.demo import MOST, ROWS, USUAL, Row
from vggexplorer.runs.trainer.session import Session
from vggexplorer.summary import summarize

USUALLY = "VGG-11 slim"
BARS = {"XS": (0.0, 0.80, MOST), "S": (0.84, 0.82, MOST), "XL": (0.88, 0.0, inf)}
"""What is asked of the median of the seeds, of the least, and of the most seconds, with `USUALLY`."""
EMULATED = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS")


def config(name: str, row: Row, seed: int, precision: str) -> Config:
    """A run of the row as the recipe has it, of the network called `name`."""
    network = NETWORKS[name]
    return Config(network=network, training=replace(as_row(row, network), precision=precision), device="cpu", seed=seed)


def trained(name: str, row: Row, seed: int, precision: str) -> dict[str, Any]:
    """Train it in this process."""
    trainer = Trainer(config(name, row, seed, precision), Session())
    records = list(trainer.run())
    accs = [record.test_acc for record in records if record.test_acc is not None]
    return {"seed": seed, "acc": accs[-1], "seconds": records[-1].seconds, "precision": trainer.precision}


def measure(name: str, row: Row, seed: int, precision: str) -> dict[str, Any]:
    """Train it in a fresh process."""
    command = [sys.executable, __file__, "--child", name, row.name, str(seed), precision]
    done = subprocess.run(command, env=child_environment(), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def work(name: str, row: Row) -> float:
    """Its operations."""
    macs = summarize(*config(name, row, 0, "float32").trained).totals.macs
    return 6.0 * macs * row.images * row.epochs


def line(name: str, row: Row, runs: list[dict[str, Any]]) -> list[str]:
    """A row of the table."""
    accs, times = [[run[name] for run in runs] for name in ("acc", "seconds")]
    median, least, most = statistics.median(accs), min(accs), max(times)
    asked = BARS.get(row.name) if name == USUALLY else None
    words, met = [], ""
    if asked:
        lowest, floor, seconds = asked
        words = [f"median {lowest:.2f}" * (lowest > 0), f"least {floor:.2f}" * (floor > 0)]
        words.append(f"{seconds:.0f} s" * (seconds < inf))
        met = "yes" if median >= lowest and least >= floor and most <= seconds else "no"
    return [
        f"{row.name}: {row.images:,} of {row.input_of(NETWORKS[name])} px x {row.epochs}",
        *(str(row.steps), f"{work(name, row) / 1e12:.2f}", f"{work(name, row) / work(name, USUAL):.2f}"),
        ", ".join(sorted({run["precision"] for run in runs})),
        ", ".join(str(run["seed"]) for run in runs),
        *(f"{median:.3f}", f"{least:.3f}", f"{statistics.median(times):.1f}", f"{most:.1f}"),
        *(", ".join(filter(None, words)), met),
    ]


HEAD = ["row", "steps", "TFLOP", "beside S", "precision", "seeds", "median", "least", "seconds", "most", "bar", "met"]


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=1)
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--seeds", default="11,12,13,14,15")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--network", default=USUALLY, choices=NETWORKS)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    rows = {row.name: row for row in ROWS}
    if options.child:
        name, row, seed, precision = options.child
        print(json.dumps(trained(name, rows[row], int(seed), precision)))
        return
    seeds = [int(seed) for seed in options.seeds.split(",")]
    wanted = [rows[name] for name in options.rows.split(",")]
    name = options.network
    found = {row.name: [measure(name, row, seed, options.precision) for seed in seeds] for row in wanted}
    about = table.machine(["torch"]) | {name: os.environ[name] for name in EMULATED if name in os.environ}
    table.report(options, about, {"runs": found}, [HEAD, *(line(name, row, found[row.name]) for row in wanted)])


if __name__ == "__main__":
    main()
