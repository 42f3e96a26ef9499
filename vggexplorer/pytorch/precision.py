"""The precision of a run that leaves it open: steps of its own network are timed in both, as the trainer makes them.

A GPU gets the run's own batch, which fills it as the run will; a processor a part of it that takes about a moment.
Afterwards the trainer is as if nothing had happened.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vggexplorer.forecast.precision import Decision, decide
from vggexplorer.pytorch.devices import has_bfloat16
from vggexplorer.pytorch.failures import of_memory
from vggexplorer.pytorch.step import Plain, Step
from vggexplorer.summary import summarize
from vggexplorer.text import format_network

if TYPE_CHECKING:
    from vggexplorer.pytorch.loop import Trainer

MOST_MACS = 2e9
"""Multiply-accumulates, forward, of a step that a processor with bfloat16 makes: a tenth of a second or two."""
MOMENT = 0.1
"""Seconds for which steps are timed, twice; of longer ones there are three."""
MOST_STEPS = 10
LR = 1e-3
"""Of the steps that are timed, which nobody learns from."""


def faster(trainer: "Trainer") -> Decision:
    """The faster precision for the network of `trainer`; its weights and its optimizer are what they were."""
    if not has_bfloat16(trainer.device):
        return decide(False, None, None)
    rows = torch.arange(images(trainer), device=trainer.device) % len(trainer.train_labels)
    with _unchanged(trainer):
        single, half = _in_float32(trainer, rows), _in_bfloat16(trainer, rows)
    return decide(True, single, half, len(rows))


def described(trainer: "Trainer") -> str:
    """What tells steps from others whose times may differ: network, batch and all that their bits depend on."""
    training, kind = trainer.training, trainer.step_kind._replace(precision=None)
    about = format_network(trainer.config.trained) | kind.texts()
    options = [training.batch_size, training.kept, training.flip, training.crop > 0, training.brightness > 0]
    return hashlib.sha256(json.dumps([about, options], sort_keys=True).encode()).hexdigest()[:16]


def images(trainer: "Trainer") -> int:
    """How many images the steps have: the run's batch, or on a processor so many that they take a moment."""
    batch = min(trainer.training.batch_size, len(trainer.train_labels))
    if trainer.device.type != "cpu":
        return batch
    trained = trainer.config.trained
    fewest = 2 if trained.architecture.normalizes else 1
    return min(batch, max(fewest, int(MOST_MACS / summarize(*trained).totals.macs)))


@contextmanager
def _unchanged(trainer: "Trainer") -> Iterator[None]:
    """Around steps that must leave no trace: neither in the network nor in what is told of the device's memory."""
    kept = {name: value.to("cpu", copy=True) for name, value in trainer.net.state_dict().items()}
    try:
        yield
    finally:
        trainer.net.zero_grad()
        trainer.net.load_state_dict(kept)
        for value in trainer.optimizer.state().values():
            value.zero_()
        if trainer.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(trainer.device)


def _in_float32(trainer: "Trainer", rows: Tensor) -> float | None:
    """Seconds of a step; None if the memory is not enough. What else goes wrong would go wrong in the run."""
    try:
        return _seconds(Plain(trainer.task, "float32"), rows)
    except (RuntimeError, MemoryError) as error:
        if not of_memory(error):
            raise
    _let_go(trainer)
    return None


def _in_bfloat16(trainer: "Trainer", rows: Tensor) -> float | None:
    """Seconds of a step; None if it fails."""
    try:
        return _seconds(Plain(trainer.task, "bfloat16"), rows)
    except (RuntimeError, TypeError, MemoryError):
        pass
    _let_go(trainer)
    return None


def _let_go(trainer: "Trainer") -> None:
    """Give back what a step that failed has taken."""
    trainer.net.zero_grad()
    if trainer.device.type == "cuda":
        torch.cuda.empty_cache()


def _seconds(step: Step, rows: Tensor) -> float:
    """Seconds of a step among others. The first one prepares; the second one says how many are timed at once."""
    _steps(step, rows, 1)
    second = _steps(step, rows, 1)
    count = min(MOST_STEPS, int(MOMENT / second))
    return min(second, _steps(step, rows, 1)) if count < 2 else min(_steps(step, rows, count) for _ in range(2))


def _steps(step: Step, rows: Tensor, count: int) -> float:
    """The mean seconds of so many steps, none of which waits for the one before."""
    began = time.perf_counter()
    for _ in range(count):
        learned = step.learn(rows, LR)
    learned.loss.item()
    return (time.perf_counter() - began) / count
