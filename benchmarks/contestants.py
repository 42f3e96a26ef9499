"""What trains the same network beside each other on one device: `gpu.py` starts them and gives them their turns.

    python benchmarks/contestants.py NAME '["vgg11-slim", 224, 128, "sample", "cuda:0"]'

Each is a process of its own that stays. It prints a line of JSON when it is loaded; for each number of seconds that it
reads it trains for so long, and prints how many steps it did, how long they took, and what is to be known of it. At its
first turn it gets ready, while nobody else is busy.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import checkout  # noqa: F401
import torch
from torch.nn import functional

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.processes import child_environment, processor_name
from vggexplorer.pytorch.chance import make_network
from vggexplorer.pytorch.data import Data, load
from vggexplorer.pytorch.loop import Trainer
from vggexplorer.pytorch.trial import Maker, fused
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.trainer.session import Session
from vggexplorer.text import parse_arch

TOGETHER = 10
"""Steps before those that count, as many as the book's loader has ready; and those between two looks at the clock."""
EPOCHS = 10_000
"""No contestant gets to the end."""


class Work(NamedTuple):
    """What is trained, with the book's recipe: a network, its input side, the batch, the data set, the device."""

    network: str
    side: int
    batch: int
    data: str
    device: str

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU that PyTorch calls CUDA."""
        return self.device.startswith("cuda")

    def config(self, **training: Any) -> Config:
        """It as a run of this project."""
        shape = (1, self.side, self.side)
        network = Network(parse_arch(self.network).architecture, shape)
        asked = {"input_size": self.side, "batch_size": self.batch, "epochs": EPOCHS} | training
        recipe = replace(RECIPES["d2l-vgg"], **asked)
        return Config(network=network, training=recipe, dataset=Dataset.parse(self.data), device=self.device)

    def images(self) -> Data:
        """The data set, on the CPU."""
        return load(Dataset.parse(self.data), (1, self.side, self.side))


class Done(NamedTuple):
    """Steps, and the seconds that they took."""

    steps: int
    seconds: float


class Ready(NamedTuple):
    """A contestant that can train for so many seconds, and what is to be known of it."""

    turn: Callable[[float], Done]
    about: Mapping[str, Any]


# --- who trains --------------------------------------------------------------------------------------------


def product(work: Work, make: Maker | None = None, **training: Any) -> Ready:
    """This project's trainer; its time is that of its steps as it counts them itself, without tests.

    With `make` it takes the fused step if that is better, as a run does; else PyTorch's own.
    """
    trainer = Trainer(work.config(**training), Session(), make)
    records = trainer.run()

    def turn(seconds: float) -> Done:
        start = next(records).step
        first = next(record for record in records if record.step >= start + TOGETHER)
        last = next(record for record in records if _seconds(record) - _seconds(first) >= seconds)
        return Done(last.step - first.step, _seconds(last) - _seconds(first))

    about = {"decided": trainer.decided, "step": trainer.choice}
    told = {name: choice and choice.to_json() for name, choice in about.items()}
    return Ready(turn, {"precision": trainer.precision, **told})


def _seconds(record: Record) -> float:
    return record.examples / record.examples_per_sec


def books_loop(work: Work) -> Ready:
    """The chapter's loop."""
    book = import_module("book")  # it needs torchvision, which a machine may lack
    found = work.images()
    net = make_network(work.config()).to(work.device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    batches = book.loader(book.Pictures(found.train_images, found.train_labels, work.side), work.batch)
    learning = book.steps(net, optimizer, batches, work.device)
    return Ready(partial(_turn, lambda: next(learning), work.device), {"precision": "float32"})


def plain(work: Work, compiled: bool = False) -> Ready:
    """Plain PyTorch as one would write it for a GPU: the images on the device, bfloat16 autocast, channels last."""
    torch.backends.cudnn.benchmark = True
    found, side = work.images(), (work.side, work.side)
    images, labels = found.train_images.to(work.device), found.train_labels.to(work.device)
    net = make_network(work.config()).train()
    net.to(work.device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    model: Any = torch.compile(net) if compiled else net
    orders = _batches(len(labels), work)

    def step() -> None:
        rows = next(orders)
        batch = functional.interpolate(images[rows].float() / 255, side, mode="bilinear")
        optimizer.zero_grad()
        with torch.autocast(torch.device(work.device).type, torch.bfloat16):
            scores = model(batch.contiguous(memory_format=torch.channels_last))
        functional.cross_entropy(scores.float(), labels[rows]).backward()
        optimizer.step()

    return Ready(partial(_turn, step, work.device), {"precision": "bfloat16"})


def _batches(count: int, work: Work) -> Iterator[torch.Tensor]:
    """Whole batches in another order each epoch."""
    while True:
        order = torch.randperm(count, device=work.device)
        yield from order[: count // work.batch * work.batch].split(work.batch)


def _turn(step: Callable[[], object], device: str, seconds: float) -> Done:
    """Train for so long; between two looks at the clock the device is not waited for."""
    _steps(step, device)
    began, steps = time.perf_counter(), 0
    while True:
        _steps(step, device)
        steps += TOGETHER
        if (took := time.perf_counter() - began) >= seconds:
            return Done(steps, took)


def _steps(step: Callable[[], object], device: str) -> None:
    for _ in range(TOGETHER):
        step()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


class Contestant(NamedTuple):
    """How it is called, and what makes it ready."""

    words: str
    prepare: Callable[[Work], Ready]


CONTESTANTS = {
    "book": Contestant("the book's loop, 4 loader processes", books_loop),
    "auto": Contestant("this project, precision left open", partial(product, make=fused, precision="auto")),
    "float32": Contestant("this project, float32", partial(product, precision="float32")),
    "bfloat16": Contestant("this project, bfloat16, PyTorch's own step", partial(product, precision="bfloat16")),
    "fused": Contestant("this project, bfloat16", partial(product, make=fused, precision="bfloat16")),
    "exact": Contestant("this project, exact", partial(product, precision="auto", exact=True)),
    "plain": Contestant("plain PyTorch, autocast, channels last", plain),
    "compile": Contestant("the same with torch.compile", partial(plain, compiled=True)),
}
"""One line for each that trains."""


# --- its process -------------------------------------------------------------------------------------------


def compete(name: str, work: Work) -> None:
    """What the process of a contestant does."""
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"loaded": name}), file=out, flush=True)
    ready = None
    for seconds in sys.stdin:
        ready = ready or CONTESTANTS[name].prepare(work)
        done = ready.turn(float(seconds))
        _rest(work.device)
        print(json.dumps({**done._asdict(), **ready.about, **card(work.device)}), file=out, flush=True)


def _rest(device: str) -> None:
    """Leave the memory that is not used to the others."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def card(device: str) -> dict[str, str]:
    """The name of the device, and its CUDA."""
    if device.startswith("cuda"):
        return {"card": torch.cuda.get_device_name(device), "CUDA": str(torch.version.cuda)}
    return {"card": processor_name()}


class LeftOutError(Exception):
    """Why a contestant does not train, in a clause."""


class Running:
    """The process of a contestant, and what it says."""

    def __init__(self, name: str, work: Work, log: Path) -> None:
        self.log = log
        shared = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # the book's loop and its loaders share the processors
        environment = shared if name == "book" else child_environment()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", __file__, name, json.dumps(work)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
            )

    def answer(self, seconds: float) -> dict[str, Any]:
        """What it says next; `LeftOutError` if it fails, or does not answer within so many seconds."""
        late = threading.Timer(seconds, self.process.kill)
        late.start()
        try:
            for line in self.process.stdout:
                with suppress(ValueError):  # libraries may print something of their own
                    return dict(json.loads(line))
        finally:
            intime = late.is_alive()
            late.cancel()
        self.process.wait()
        raise LeftOutError(self._last_words() if intime else f"no answer within {seconds:.0f} s")

    def turn(self, seconds: float, patience: float) -> dict[str, Any]:
        """Have it train for so many seconds: `steps`, `seconds`, and what is to be known of it."""
        try:
            self.process.stdin.write(f"{seconds}\n".encode())
            self.process.stdin.flush()
        except OSError as error:
            raise LeftOutError(self._last_words()) from error
        return self.answer(seconds + patience)

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"status {self.process.poll()}"

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


if __name__ == "__main__":
    try:
        compete(sys.argv[1], Work(*json.loads(sys.argv[2])))
    except Exception as error:  # what a machine lacks is said in many ways
        first = str(error).strip().partition("\n")[0]
        sys.exit(first if isinstance(error, InputError) else f"{type(error).__name__}: {first}")
