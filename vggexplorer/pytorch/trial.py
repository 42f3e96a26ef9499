"""Which step a run takes: the fused one is tried on its device before the first step, beside PyTorch's own.

A kernel on a GPU that nobody tried it on may be wrong. So one batch is learned from in float32, in bfloat16 and by the
fused step, always from the same weights; the fused one may be a few times as far from float32 as PyTorch's own in
bfloat16. The batch has images of one class: their gradients add up, where those of all classes nearly cancel out at
first, and a third of what is left are roundings. Then the fused step does what it will do in the run, where it may be a
replay of what was recorded, and must come to the same once more, with other images at another learning rate. At last it
must be the faster one. Whatever goes wrong, the run goes on with PyTorch's own, as if nothing had been tried.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vggexplorer.pytorch import machine
from vggexplorer.pytorch.devices import has_bfloat16
from vggexplorer.pytorch.failures import first_line, of_memory
from vggexplorer.pytorch.step import Learned, Plain, Step, Task
from vggexplorer.runs.steps import Choice, Place, Why, pays, ruled_out
from vggexplorer.runs.trainer.session import Session

TIMES, FLOOR = 5.0, 0.05
"""A figure of the fused step may be so many times as far from float32 as PyTorch's own in bfloat16, or by this part of
it, if that is more. In Triton's interpreter, which cuts off where a GPU rounds, 24 small networks were let pass."""
CLEAR, MOST = 0.3, 0.9
"""Where PyTorch's own is nearer than this part, the fused step may not be further than this one: 1 would be nothing."""
AGAIN = 0.02
"""The part by which scores may differ when the same step is made again."""
EXACTLY = 1e-3
"""The part by which an update may differ from what the gradient says."""
ROUNDING = 1e-6
"""The part of a weight by which an update may differ besides: some roundings of float32."""
MOMENT, TIMED = 0.1, 5
"""Seconds for which steps are timed, twice, and how many at most; of longer ones there is one."""

Maker = Callable[[Task], Step]


def fused(task: Task) -> Step:
    """The fused step, which needs Triton."""
    step: Step = import_module("vggexplorer.pytorch.fast").Fast(task)
    return step


def place(device: torch.device, processes: int) -> Place:
    """What the choice of a step depends on."""
    nvidia = device.type == "cuda" and torch.version.hip is None
    return Place(nvidia, nvidia and has_bfloat16(device), find_spec("triton") is not None, processes)


class Chosen(NamedTuple):
    """How a step was chosen, and the fused one if it is taken."""

    choice: Choice
    step: Step | None = None


def choose(
    task: Task, own: Step, place: Place, precision: str, left: int, session: Session, make: Maker = fused
) -> Chosen:
    """The step for the `left` steps of a run, whose own is PyTorch's `own`.

    `precision` is what the run may compute in, which may be another one than that of `own` if it was left open.
    """
    if why := ruled_out(task.training, precision, place):
        return Chosen(Choice(why))
    device = f"{task.images.device} {machine.title(task.images.device)}"
    try:
        trial = Trial(task)
    except (RuntimeError, MemoryError) as error:
        if not of_memory(error):
            raise
        return Chosen(Choice(Why.NO_MEMORY))
    with trial.unchanged():
        found = trial.of(own, left, lambda: session.begin_trial(device), make)
    if trial.begun:  # and the device has not failed for good: then nobody gets here
        session.end_trial(device)
    if found.step:
        found.step.refresh()
    return found


class RefusedError(Exception):
    """Why a fused step is not taken, and where it was seen."""

    def __init__(self, why: Why, what: str = "") -> None:
        super().__init__(why)
        self.why, self.what = why, what


class Trial:
    """Steps from the state that a run is in, as often as one likes."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.device = task.images.device
        self.lr = task.training.lr
        self.begun = False
        batch = min(task.training.batch_size, len(task.labels))
        by_class = task.labels.argsort(stable=True)
        self.rows, self.others = by_class[:batch], by_class[-batch:]
        self.weights = {name: value.clone() for name, value in task.net.state_dict().items()}
        self.momenta = {name: value.clone() for name, value in task.optimizer.state().items() if value.any()}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Leave no trace: in the network, the optimizer, chance, and what is told of the device's memory."""
        gpu = self.device.type == "cuda"
        try:
            with torch.random.fork_rng([self.device] if gpu else [], device_type="cuda"):
                yield
        finally:
            self.restore()
            self.task.net.zero_grad()
            machine.wait(self.device)
            if gpu:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats(self.device)

    def restore(self) -> None:
        """Put weights and momenta back."""
        self.task.net.load_state_dict(self.weights)
        for name, value in self.task.optimizer.state().items():
            kept = self.momenta.get(name)
            value.zero_() if kept is None else value.copy_(kept)

    def of(self, own: Step, left: int, begin: Callable[[], bool], make: Maker) -> Chosen:
        """What the trial of the step that `make` makes comes to, in the place of `own`; `begin` says if it may be."""
        known = Choice(Why.FAILED, batch=len(self.rows))
        try:
            plain, budget = self.seconds(own), self.task.training.time_budget
            left = left if budget is None else min(left, math.ceil(budget / plain))
            known = known._replace(plain=plain, left=plain * left)
            if not pays(plain, left):
                raise RefusedError(Why.SHORT)
            self.begun = begin()
            if not self.begun:
                raise RefusedError(Why.UNFINISHED)
            step = make(self.task)
            self.check(step)
            known = known._replace(fast=(fast := self.seconds(step)))
            if fast >= plain:
                raise RefusedError(Why.NOT_FASTER)
            return Chosen(known._replace(why=Why.FASTER), step)
        except RefusedError as refused:
            return Chosen(known._replace(why=refused.why, what=refused.what))
        except Exception as error:  # Triton, its compiler and CUDA raise many kinds
            why = Why.NO_MEMORY if of_memory(error) else Why.FAILED
            return Chosen(known._replace(why=why, what=first_line(error) or type(error).__name__))

    def check(self, step: Step) -> None:
        """`RefusedError` if `step` does something else than PyTorch's own."""
        with without_dropout(self.task.net):
            close = self.tolerances()
            learned = self.learn(step, self.rows, self.lr)
            self.compare(learned, step, close)
        before = self.learn(step, self.others, self.lr / 2).scores.float().clone()
        for _ in range(step.settled):
            self.learn(step, self.rows, self.lr)
        again = self.learn(step, self.others, self.lr / 2).scores.float()
        if not (again - before).norm() <= AGAIN * before.norm():
            raise RefusedError(Why.REPEATED)
        self.check_update(step, self.lr / 2)

    def learn(self, step: Step, rows: Tensor, lr: float) -> Learned:
        """A step from the state of the run, with always the same chance."""
        self.restore()
        step.refresh()
        torch.manual_seed(0)
        return step.learn(rows, lr)

    def figures(self, learned: Learned, step: Step) -> dict[str, Tensor]:
        """What must agree, by name: the scores, and all gradients."""
        gradients = {name: step.gradient(parameter) for name, parameter in self.task.net.named_parameters()}
        found = {SCORES: learned.scores, **gradients}
        return {name: value.detach().float() for name, value in found.items() if value is not None}

    def tolerances(self) -> "Close":
        """What steps in float32 come to, and how far from it others may be."""
        single, half = Plain(self.task, "float32"), Plain(self.task, "bfloat16")
        right = {
            name: value.clone() for name, value in self.figures(self.learn(single, self.rows, self.lr), single).items()
        }
        far = distances(self.figures(self.learn(half, self.rows, self.lr), half), right)
        size = distances({name: torch.zeros_like(value) for name, value in right.items()}, right)
        if not all(map(math.isfinite, (*far.values(), *size.values()))):
            raise RefusedError(Why.NOTHING_TO_COMPARE)
        return Close(right, {name: most(far[name], size[name]) for name in right})

    def compare(self, learned: Learned, step: Step, close: "Close") -> None:
        """`RefusedError` if a figure of `step` is too far from what is right."""
        found = self.figures(learned, step)
        if missing := close.right.keys() - found.keys():
            raise RefusedError(Why.GRADIENT, min(missing))
        for name, distance in distances(found, close.right).items():
            if not math.isfinite(distance):
                raise RefusedError(Why.NO_NUMBER, name)
            if distance > close.most[name]:
                raise RefusedError(Why.LOSS if name == SCORES else Why.GRADIENT, name)
        smoothing = self.task.training.label_smoothing
        loss = cross_entropy(found[SCORES], self.task.labels[self.rows], label_smoothing=smoothing).item()
        if not abs(learned.loss.item() - loss) <= EXACTLY * loss:
            raise RefusedError(Why.LOSS, "loss")
        self.check_update(step, self.lr)

    def check_update(self, step: Step, lr: float) -> None:
        """`RefusedError` if the step just made has moved a parameter elsewhere than its gradient says."""
        training = self.task.training
        state = self.task.optimizer.state()
        errors: dict[str, Tensor] = {}
        for name, parameter in self.task.net.named_parameters():
            change = step.gradient(parameter)
            if change is None:
                continue
            weight = self.weights[name]
            change = change.float() + training.weight_decay * weight
            expected = {name: (parameter.detach(), weight - lr * change)}
            if training.momentum:
                kept = self.momenta.get(velocity := f"momentum.{name}")
                change = change if kept is None else change + training.momentum * kept
                expected = {name: (parameter.detach(), weight - lr * change), velocity: (state[velocity], change)}
            for what, (moved, right) in expected.items():
                allowed = EXACTLY * lr * change.norm() + ROUNDING * right.norm()
                errors[what] = (moved - right).norm() / allowed.clamp_min(torch.finfo(torch.float32).tiny)
        for name, error in zip(errors, torch.stack(list(errors.values())).tolist(), strict=True):
            if not error <= 1:
                raise RefusedError(Why.UPDATE, name)

    def seconds(self, step: Step) -> float:
        """Those of a step among others; the first one prepares."""
        self.learn(step, self.rows, self.lr).loss.item()
        once = self._seconds(step, 1)
        count = min(TIMED, int(MOMENT / once))
        return min(once, *(self._seconds(step, count) for _ in range(2))) if count > 1 else once

    def _seconds(self, step: Step, count: int) -> float:
        machine.wait(self.device)
        began = time.perf_counter()
        for _ in range(count):
            learned = step.learn(self.rows, 0.0)
        learned.loss.item()
        return (time.perf_counter() - began) / count


SCORES = "scores"


def most(far: float, size: float) -> float:
    """How far a figure of `size` may be, if PyTorch's own in bfloat16 is as far as `far`."""
    allowed = max(TIMES * far, FLOOR * size)
    return min(allowed, MOST * size) if far < CLEAR * size else allowed


class Close(NamedTuple):
    """What is right, and how far from it a figure may be, by its name."""

    right: Mapping[str, Tensor]
    most: Mapping[str, float]


def distances(found: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> dict[str, float]:
    """How far each figure is from what is right: the norm of the difference, in one look at the device."""
    norms = torch.stack([(found[name] - value).norm() for name, value in right.items()])
    return dict(zip(right, norms.tolist(), strict=True))


@contextmanager
def without_dropout(net: nn.Module) -> Iterator[None]:
    """Nothing is dropped: in another precision, the device may draw other numbers from the same seed."""
    layers = [module for module in net.modules() if isinstance(module, nn.Dropout)]
    shares = [layer.p for layer in layers]
    try:
        for layer in layers:
            layer.p = 0.0
        yield
    finally:
        for layer, share in zip(layers, shares, strict=True):
            layer.p = share
