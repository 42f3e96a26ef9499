"""Examples per second of this project's training beside the book's own loop, on the same work, in turns.

    python benchmarks/training.py [--networks vgg11-slim,alexnet] [--sides 224,96] [--rounds 3] [--device cpu]

The book's loop is that of `book.py`, with four loader processes. Each measurement is a process of its own that does a
few steps to warm up and then some that count; both loops see batches of 128 of the sample. Rates count all time. Beside
the ratio stands how much of the device's arithmetic is used: 6 x MACs x examples/sec (a forward and a backward pass)
over the rate of a large matrix product in the same precision.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import book
import table
import torch

from vggexplorer.architectures import Network
from vggexplorer.processes import child_environment
from vggexplorer.pytorch.data import load
from vggexplorer.pytorch.devices import has_bfloat16
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.trainer.session import Session
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

BATCH = 128
WARM_UP = 2
"""Steps before those that count."""
EPOCHS, SEEDS = 2, 3
"""Of the comparison of losses."""
NOISE = 2.0
"""How many standard deviations over the seeds two mean losses may lie apart."""
PART = 0.9
"""Of the device's limit, asked of AlexNet on a processor."""
LARGE = 2048
"""The side of the large matrices."""


class Work(NamedTuple):
    """What is trained: a named network at an input side, on a device, for so many steps that count."""

    network: str
    side: int
    device: str
    steps: int


# --- one measurement, in a process of its own --------------------------------------------------------------


def ours(work: Work, precision: str = "auto") -> dict[str, Any]:
    """This project's loop: the rate is that from one record to another."""
    trainer = Trainer(config(work, precision), Session())
    marks: list[tuple[int, float]] = []
    for record in trainer.run():
        marks.append((record.step, time.perf_counter()))
        if record.step >= WARM_UP + work.steps:
            break
    first = next(mark for mark in marks if mark[0] >= WARM_UP)
    last = marks[-1]
    rate = BATCH * (last[0] - first[0]) / (last[1] - first[1])
    return {"rate": rate, "precision": trainer.precision}


def config(work: Work, precision: str) -> Config:
    """The book's recipe for the network, on the sample."""
    network = Network(parse_arch(work.network).architecture, (1, work.side, work.side))
    training = replace(RECIPES["d2l-vgg"], input_size=work.side, precision=precision)
    return Config(network=network, training=training, device=work.device)


def books_loop(work: Work) -> dict[str, Any]:
    """The chapter's loop; the rate counts all time, as the loader's work is part of it."""
    net = build(*config(work, "float32").trained).to(work.device)
    book.xavier(net)
    batches = book.loader(pictures(work), BATCH)
    learning = book.steps(net, torch.optim.SGD(net.parameters(), lr=0.05), batches, work.device)
    for _ in islice(learning, WARM_UP):
        pass
    began = time.perf_counter()
    for _ in islice(learning, work.steps):
        pass
    return {"rate": BATCH * work.steps / (time.perf_counter() - began), "precision": "float32"}


def pictures(work: Work) -> book.Pictures:
    """The sample as the book's loop reads it."""
    found = load(Dataset("sample"), (1, work.side, work.side))
    return book.Pictures(found.train_images, found.train_labels, work.side)


def limit(work: Work) -> dict[str, Any]:
    """The rate of a large matrix product in float32 and bfloat16, in operations per second."""
    rates = {}
    for name in ("float32", "bfloat16"):
        left, right = (torch.rand(LARGE, LARGE, device=work.device).to(getattr(torch, name)) for _ in range(2))
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            (left @ right).sum().item()
            best = min(best, time.perf_counter() - began)
        rates[name] = 2 * LARGE**3 / best
    return rates


def curve(work: Work) -> Config:
    """The book's recipe with batch norm and momentum, else nothing is learned so soon; `steps` is the seed."""
    own = config(work, "auto")
    training = replace(own.training, epochs=EPOCHS, lr=0.02, momentum=0.9, batch_norm=True)
    return replace(own, training=training, seed=work.steps)


def our_curve(work: Work) -> dict[str, Any]:
    """The training loss of each epoch."""
    return {"losses": [record.train_loss for record in fit(curve(work)) if record.test_acc is not None]}


def their_curve(work: Work) -> dict[str, Any]:
    """The same of the book's loop."""
    torch.manual_seed(work.steps)
    training = curve(work).training
    net = build(*curve(work).trained).to(work.device)
    book.xavier(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=training.lr, momentum=training.momentum)
    batches = book.loader(pictures(work), BATCH, workers=2)
    losses = []
    for _ in range(EPOCHS):
        total, _, count = map(sum, zip(*book.epoch(net, optimizer, batches, work.device), strict=True))
        losses.append(total / count)
    return {"losses": losses}


def quality(device: str) -> list[list[str]]:
    """The rows of a table: the mean training loss of each epoch, and its spread over the seeds, of both loops."""
    lines = [["training loss", *(f"epoch {epoch + 1}" for epoch in range(EPOCHS))]]
    epochs: list[list[tuple[float, float]]] = []
    for kind, name in (("their curve", "the book's loop, float32"), ("our curve", "ours")):
        runs = [measure(kind, Work("vgg11-slim", 56, device, seed))["losses"] for seed in range(SEEDS)]
        epochs.append([(statistics.mean(each), statistics.stdev(each)) for each in zip(*runs, strict=True)])
        lines.append([name, *(f"{mean:.3f} ± {spread:.3f}" for mean, spread in epochs[-1])])
    alike = [abs(a - b) <= NOISE * max(one, other) for (a, one), (b, other) in zip(*epochs, strict=True)]
    lines.append(["within the noise of the seeds", *("yes" if each else "no" for each in alike)])
    return lines


CHILDREN = {"our curve": our_curve, "their curve": their_curve}
CHILDREN |= {"ours": ours, "float32": lambda work: ours(work, "float32"), "book": books_loop, "limit": limit}


def measure(kind: str, work: Work) -> dict[str, Any]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--child", kind, json.dumps(work)]
    plain = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # the book's loop and its loaders share the processors, too
    environment = plain if kind.startswith(("book", "their")) else child_environment()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


# --- the table ---------------------------------------------------------------------------------------------


def compare(work: Work, rounds: int) -> dict[str, Any]:
    """Medians over rounds in which all take turns."""
    kinds = ("book", "ours", "float32")
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            found[kind].append(measure(kind, work))
    rates = {kind: statistics.median(item["rate"] for item in items) for kind, items in found.items()}
    precision = found["ours"][-1]["precision"]
    ratios = [own["rate"] / other["rate"] for own, other in zip(found["ours"], found["book"], strict=True)]
    used = 6 * macs(work) * rates["ours"] / measure("limit", work)[precision]
    return {**work._asdict(), "rates": rates, "precision": precision, "ratio": statistics.median(ratios), "used": used}


def macs(work: Work) -> int:
    """Multiply-accumulates of one example."""
    return summarize(*config(work, "float32").trained).totals.macs


def rows(results: list[dict[str, Any]]) -> list[list[str]]:
    """The table's rows, its head first."""
    head = [
        "network and input",
        "the book's loop",
        "ours, float32",
        "ours",
        "ratio",
        "of the device's limit",
        "bar",
        "met",
    ]
    lines = [head]
    for item in results:
        rates = item["rates"]
        own = f"{rates['ours']:.1f}/s ({item['precision']})"
        numbers = [
            f"{rates['book']:.1f}/s",
            f"{rates['float32']:.1f}/s",
            own,
            f"{item['ratio']:.2f}x",
            f"{item['used']:.0%}",
        ]
        verdict = bar(Work(item["network"], item["side"], item["device"], 0), item["ratio"], item["used"])
        lines.append([f"{item['network']}, {item['side']}", *numbers, *verdict])
    return lines


def bar(work: Work, ratio: float, used: float) -> tuple[str, str]:
    """What is asked for at 224 pixels, and whether it is met: a multiple of the book's rate, or a part of the limit.

    The latter for AlexNet on a processor, whose linear layers and large kernels are matrix products already.
    """
    if work.side != 224:
        return "", ""
    cpu = work.device == "cpu"
    if cpu and work.network == "alexnet":
        return f"{PART:.0%} of the limit", "yes" if used >= PART else "no"
    asked = 10 if not cpu else 4 if has_bfloat16(torch.device("cpu")) else 2
    return f"{asked}x", "yes" if ratio >= asked else "no"


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=3)
    parser.add_argument("--networks", default="vgg11-slim,alexnet")
    parser.add_argument("--sides", default="224,96")
    parser.add_argument("--steps", type=int, default=6, help="steps that count, in each measurement")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quality", action="store_true", help="losses of both loops over three seeds instead")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quality:
        losses = quality(options.device)
        table.report(options, table.machine(["torch"]), {"losses": losses}, losses)
        return
    if options.child:
        kind, work = options.child
        print(json.dumps(CHILDREN[kind](Work(*json.loads(work)))))
        return
    works = [
        Work(network, int(side), options.device, options.steps)
        for network in options.networks.split(",")
        for side in options.sides.split(",")
    ]
    results = [compare(work, options.rounds) for work in works]
    about = table.machine(["torch", "torchvision"]) | gpu(options.device)
    table.report(options, about, {"results": results}, rows(results))


def gpu(device: str) -> dict[str, str]:
    """The GPU's name, if the device is one."""
    return {"GPU": torch.cuda.get_device_name(device)} if device.startswith("cuda") else {}


if __name__ == "__main__":
    main()
