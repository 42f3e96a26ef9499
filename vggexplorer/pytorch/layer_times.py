"""Milliseconds of each layer, forward and backward: `python -m vggexplorer.pytorch.layer_times`, a process of its own.

It reads a JSON object from standard input: `network` (as `format_network` writes it), `batch`, `device`, `precision`,
`exact` (whether the steps are) and `rounds`: so often steps are taken apart, and so often whole ones are timed. After
each it prints a line `{"round": 1, "rounds": 20}` (the first, with 0, once the network is warm), and at the end, in
seconds,
`{"step": 0.1, "layers": [{"name": "features.0", "forward": 0.01, "backward": 0.02}, ...]}`. The layers are timed
inside whole steps of the trainer, so that they find the memory and the caches as they do in training.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from vggexplorer.architectures import Network, check_choice, check_int
from vggexplorer.forecast.time import LayerTime
from vggexplorer.processes import tell
from vggexplorer.pytorch.loop import Trainer
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import MAX_BATCH, Training
from vggexplorer.runs.trainer.session import Session
from vggexplorer.summary import DTYPES, Summary, summarize
from vggexplorer.text import parse_network

MAX_ROUNDS = 100
WARM_UP = 1.0
"""Seconds before the clock is looked at."""


class Clock:
    """Marks in the work of a device, and the seconds between them. A GPU is not kept waiting."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.marks: list[Any] = []

    def mark(self) -> int:
        """The number of a mark at what the device does now."""
        if self.device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self.marks.append(event)
        else:
            if self.device.type == "mps":
                torch.mps.synchronize()
            self.marks.append(time.perf_counter())
        return len(self.marks) - 1

    def seconds(self, begin: int, end: int) -> float:
        """The time between two marks; waits until the device has got there."""
        if self.device.type == "cuda":
            self.marks[end].synchronize()
            return float(self.marks[begin].elapsed_time(self.marks[end])) / 1000
        return float(self.marks[end] - self.marks[begin])


class Parts:
    """One step taken apart, in seconds: making the batch, the layers, the update."""

    def __init__(self, resize: float, layers: list[LayerTime], update: float) -> None:
        self.resize, self.layers, self.update = resize, layers, update


class Steps:
    """Steps of the trainer on the first images of the sample."""

    def __init__(
        self, network: Network, batch: int, device: str, precision: str, exact: bool = False, momentum: float = 0.0
    ) -> None:
        how: dict[str, Any] = {"precision": precision, "exact": exact, "momentum": momentum, "lr": 1e-6}
        training = Training(input_size=None, batch_size=batch, **how)
        self.trainer = Trainer(Config(network=network, training=training, device=device), Session())
        self.summary: Summary = summarize(*network)
        self.layers = [self.trainer.net.get_submodule(row.name) for row in self.summary.rows]
        self.rows = torch.arange(batch, device=self.trainer.device) % len(self.trainer.train_labels)

    def whole(self) -> float:
        """The seconds of one step as the trainer does it."""
        clock = Clock(self.trainer.device)
        began = clock.mark()
        self.trainer.descent.learn(self.rows, self.trainer.training.lr)
        return clock.seconds(began, clock.mark())

    def warm_up(self, seconds: float) -> float:
        """Train for so long, two steps at least; the seconds of the last step.

        In the first step, PyTorch chooses how the layers are computed; the system takes longer to provide the memory.
        """
        ended = time.monotonic() + seconds
        last = self.whole() and self.whole()
        while time.monotonic() < ended:
            last = self.whole()
        return last

    def apart(self) -> Parts:
        """One step with a look at the clock between the layers."""
        trainer, clock = self.trainer, Clock(self.trainer.device)
        trainer.net.train()
        trainer.net.zero_grad()
        labels = trainer.train_labels[self.rows]
        began = clock.mark()
        value = trainer.task.batch(self.rows)
        forward = [clock.mark()]
        resized = (began, forward[0])
        arrived: dict[int, int] = {}  # the mark at which the gradient of a layer's output was there
        with torch.autocast(trainer.device.type, torch.bfloat16, enabled=trainer.precision == "bfloat16"):
            for number, layer in enumerate(self.layers):
                value = layer(value)
                value.register_hook(lambda _, number=number: arrived.__setitem__(number, clock.mark()))
                forward.append(clock.mark())
        torch.autograd.backward(cross_entropy(value.float(), labels))
        arrived[-1] = clock.mark()
        trainer.optimizer.step(trainer.training.lr)
        ended = clock.mark()
        times = [
            LayerTime(
                clock.seconds(forward[number], forward[number + 1]),
                clock.seconds(arrived[number], arrived[number - 1]),
            )
            for number in range(len(self.layers))
        ]
        return Parts(clock.seconds(*resized), times, clock.seconds(arrived[-1], ended))

    def best(self, rounds: int) -> Iterator[Parts]:
        """After each of `rounds` rounds the shortest times so far: others on the machine only make them longer."""
        parts = self.apart()
        yield parts
        for _ in range(rounds - 1):
            new = self.apart()
            layers = [
                LayerTime(*map(min, zip(*pair, strict=True))) for pair in zip(parts.layers, new.layers, strict=True)
            ]
            parts = Parts(min(parts.resize, new.resize), layers, min(parts.update, new.update))
            yield parts


def measure() -> Iterator[dict[str, Any]]:
    """Lines to print about what standard input asks for."""
    asked = json.load(sys.stdin)
    network = parse_network(asked["network"])
    check_int(asked["batch"], "the batch size", 1, MAX_BATCH)
    check_int(asked["rounds"], "the number of rounds", 1, MAX_ROUNDS)
    check_choice(asked["precision"], "the precision", tuple(DTYPES))
    steps = Steps(network, asked["batch"], asked["device"], asked["precision"], asked["exact"])
    rounds = asked["rounds"]
    steps.warm_up(WARM_UP)
    yield {"round": 0, "rounds": 2 * rounds}
    layers = []
    for number, parts in enumerate(steps.best(rounds), 1):
        layers = [
            {"name": row.name, **each._asdict()} for row, each in zip(steps.summary.rows, parts.layers, strict=True)
        ]
        yield {"round": number, "rounds": 2 * rounds}
    wholes = []
    for number in range(rounds + 1, 2 * rounds + 1):
        wholes.append(steps.whole())
        yield {"round": number, "rounds": 2 * rounds}
    yield {"step": min(wholes), "layers": layers}


if __name__ == "__main__":
    sys.exit(tell(measure()))
