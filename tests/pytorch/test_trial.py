"""The trial of a fused step, on a processor: stand-ins for it that are right, and such as are wrong in one way each."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_train import EVERYTHING, WITH_DROPOUT, Keeper, _no_clock, timeless
from torch import Tensor, nn

from vggexplorer.forecast.precision import Decision, decide
from vggexplorer.forecast.precision import Why as Precision
from vggexplorer.pytorch import precision, trial
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.step import Learned, Plain, Step, Task
from vggexplorer.pytorch.trial import Maker, Trial
from vggexplorer.runs import steps
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import FAST, PLAIN
from vggexplorer.runs.steps import Choice, Place, Why
from vggexplorer.runs.trainer.session import Command, Session

__all__ = ["_no_clock"]
HALF = replace(EVERYTHING, precision="bfloat16", images=1500)
ASKED = Config(network=WITH_DROPOUT, training=HALF, device="cpu", seed=3)
SECONDS = {PLAIN: 2.0, FAST: 1.0}


class Good(Plain):
    """Does what PyTorch's own step does, under another name."""

    kind = FAST
    settled = 2

    def __init__(self, task: Task) -> None:
        super().__init__(task, "bfloat16")
        self.calls = 0

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        self.calls += 1
        return super().learn(rows, lr, weight)


@pytest.fixture(autouse=True)
def able(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """This processor counts as a GPU of NVIDIA's; the seconds of both steps, which are made all the same.

    A trial costs nothing, since runs have few steps.
    """
    times, real = dict(SECONDS), Trial.seconds
    for cost in ("COMPILING", "TRIED"):
        monkeypatch.setattr(steps, cost, 0)
    monkeypatch.setattr(trial, "place", lambda device, processes: Place(True, True, True, processes))
    monkeypatch.setattr(Trial, "seconds", lambda self, step: (real(self, step), times[step.kind])[1])
    return times


def facts(make: Maker, asked: Config = ASKED, session: Session | None = None) -> tuple[Trainer, Choice]:
    trainer = Trainer(asked, session or Session(), make)
    choice = Choice.from_json(trainer.environment()["step"])
    assert choice is not None
    assert trainer.environment()["kind"] == trainer.descent.kind == choice.kind
    return trainer, choice


# --- one that is right ---------------------------------------------------------------------------------------


def test_a_fused_step_that_is_right_is_taken_and_the_trial_leaves_no_trace(tmp_path: Path) -> None:
    """All bits are those of a run in bfloat16 without a trial."""
    fused, plain = Keeper(tmp_path / "a"), Keeper(tmp_path / "b")
    torch.manual_seed(5)
    records, kept = list(fit(ASKED, fused, Good)), torch.get_rng_state()
    torch.manual_seed(5)
    again = list(Trainer(ASKED, plain).run())
    assert torch.equal(kept, torch.get_rng_state())
    assert (fused.environment["kind"], plain.environment["kind"]) == (FAST, PLAIN)
    assert fused.environment["step"] == Choice(Why.FASTER, 2.0, 1.0, 500, 2.0 * 6).to_json()
    assert plain.environment["step"] is None
    assert timeless(records) == timeless(again)
    assert all(torch.equal(tensor, plain.weights[name]) for name, tensor in fused.weights.items())
    assert fused.result == plain.result


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_it_is_paused_looked_at_stopped_and_gone_on_with(tmp_path: Path, stop: int) -> None:
    """A resume tries it anew, with the weights and momenta of the checkpoint, and changes nothing of them."""
    whole, half = Keeper(tmp_path / "a"), tmp_path / "b"
    records = list(fit(ASKED, whole, Good))
    first = Keeper(half, [Command.GO] * (stop - 1) + [Command.PAUSE, Command.GO, Command.STOP], view_at=stop - 1)
    before = list(fit(ASKED, first, Good))
    assert (first.sleeps, before[-1].step) == (1, stop)
    assert all(norm is not None and norm > 0 for norm in first.views[0]["gradients"].values())
    rest = Keeper(half)
    after = list(fit(ASKED, rest, Good))
    assert timeless(before + after) == timeless(records)
    assert rest.environment["changed"] is None
    assert all(torch.equal(tensor, rest.weights[name]) for name, tensor in whole.weights.items())


def test_of_a_run_that_goes_on_with_another_step_it_is_said(tmp_path: Path, able: dict[str, float]) -> None:
    path = tmp_path / "checkpoint"
    list(fit(ASKED, Keeper(path, [Command.GO] * 5 + [Command.STOP]), Good))
    able[FAST] = 3.0
    rest = Keeper(path)
    list(fit(ASKED, rest, Good))
    assert rest.environment["step"]["why"] == Why.NOT_FASTER
    assert rest.environment["changed"] == {"step": 5, "what": "kind of step", "before": FAST, "now": PLAIN}


def test_a_smaller_batch_at_the_end_of_an_epoch_is_no_matter(tmp_path: Path) -> None:
    asked = replace(ASKED, training=replace(HALF, batch_size=64, images=150))
    records = list(fit(asked, Keeper(tmp_path / "a"), Good))
    assert [record.examples for record in records] == [64, 128, 150, 214, 278, 300]


def test_a_precision_that_was_left_open_becomes_bfloat16_for_a_fused_step(
    able: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's own bfloat16 was hardly faster than float32, the fused step is. If bfloat16 failed, none is tried."""
    asked = replace(ASKED, training=replace(HALF, precision="auto"))
    monkeypatch.setattr(precision, "faster", lambda _: decide(True, 2.0, 1.9, 500))
    trainer, choice = facts(Good, asked)
    assert (choice.kind, trainer.precision) == (FAST, "bfloat16")
    assert trainer.decided == Decision("bfloat16", Precision.FASTER, 2.0, 1.0, 500)
    able[FAST] = 2.5
    trainer, choice = facts(Good, asked)
    assert (choice.why, trainer.precision) == (Why.NOT_FASTER, "float32")
    assert trainer.decided == decide(True, 2.0, 1.9, 500)
    monkeypatch.setattr(precision, "faster", lambda _: decide(True, 2.0, None, 500))
    assert facts(Good, asked)[1].why is Why.FLOAT32


# --- such as are wrong -----------------------------------------------------------------------------------------


class Moved:
    """An optimizer that has something done to the gradients before its step, and takes `times` the learning rate."""

    def __init__(self, task: Task, before: Callable[[nn.Sequential], object], times: float = 1) -> None:
        self.task, self.before, self.times = task, before, times

    def step(self, lr: float) -> None:
        self.before(self.task.net)
        self.task.optimizer.step(lr * self.times)

    def state(self) -> dict[str, Tensor]:
        return self.task.optimizer.state()


def spoiled(change: Callable[[Tensor], object], number: int = 2, times: float = 1) -> Maker:
    """One that changes the gradient of parameter `number`, and takes `times` the learning rate."""

    def before(net: nn.Sequential) -> None:
        gradient = list(net.parameters())[number].grad
        assert gradient is not None
        change(gradient)

    return lambda task: Good(task._replace(optimizer=Moved(task, before, times)))


class WrongLoss(Good):
    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        scores, loss = super().learn(rows, lr, weight)
        return Learned(scores, loss * 1.01)


class WrongScores(Good):
    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        scores, loss = super().learn(rows, lr, weight)
        return Learned(scores.flip(0), loss)


class NoNumber(Good):
    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        scores, loss = super().learn(rows, lr, weight)
        return Learned(scores * math.nan, loss)


class Uncompiled(Good):
    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        raise SyntaxError("at 3:7:\ntl.dot needs 16")


class TooLarge(Good):
    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        super().learn(rows, lr, weight)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class NoGradient(Good):
    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        return None


class OldRate(Good):
    """As a graph with the learning rate of when it was recorded."""

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        return super().learn(rows, lr if self.calls < 3 else 0.01, weight)


class OldImages(Good):
    """As a graph with the images of when it was recorded."""

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        self.rows = rows if self.calls < 3 else self.rows
        return super().learn(self.rows, lr, weight)


class OldChance(Good):
    """As a graph that drops always the same."""

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        if self.calls >= 3:
            torch.manual_seed(77)
        return super().learn(rows, lr, weight)


def fails(_: Task) -> Step:
    raise ImportError("libcuda.so cannot be found")


BROKEN: dict[str, tuple[Maker, Why, str]] = {
    "a wrong loss": (WrongLoss, Why.LOSS, "loss"),
    "wrong scores": (WrongScores, Why.LOSS, "scores"),
    "a wrong gradient": (spoiled(lambda each: each.mul_(2)), Why.GRADIENT, "features.1.weight"),
    "no gradient in a layer": (spoiled(lambda each: each.zero_(), 8), Why.GRADIENT, "classifier.0.weight"),
    "another layer's": (spoiled(lambda each: each.neg_(), -1), Why.GRADIENT, "classifier.3.bias"),
    "no gradient": (NoGradient, Why.GRADIENT, "classifier.0.bias"),
    "not a number": (NoNumber, Why.NO_NUMBER, "scores"),
    "not a number in a gradient": (spoiled(lambda each: each.fill_(math.nan)), Why.NO_NUMBER, "features.1.weight"),
    "too large an update": (spoiled(lambda each: each, times=1.1), Why.UPDATE, "features.0.weight"),
    "does not compile": (Uncompiled, Why.FAILED, "at 3:7:"),
    "cannot be loaded": (fails, Why.FAILED, "libcuda.so cannot be found"),
    "too large for the memory": (TooLarge, Why.NO_MEMORY, "CUDA out of memory"),
    "an old learning rate": (OldRate, Why.UPDATE, "features.0.weight"),
    "old images": (OldImages, Why.REPEATED, ""),
    "old chance": (OldChance, Why.REPEATED, ""),
}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """The records and weights of the run in bfloat16 by PyTorch's own step."""
    keeper = Keeper(tmp_path_factory.mktemp("right") / "a")
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vggexplorer.pytorch.machine.threads", lambda *_: 1)
        patch.setattr("vggexplorer.runs.trainer.rhythm.APART", 0.0)
        records = timeless(Trainer(ASKED, keeper).run())
    torch.set_num_threads(threads)
    return records, keeper.weights


@pytest.mark.sample(7)
@pytest.mark.parametrize("name", BROKEN)
def test_a_step_that_is_wrong_is_refused_and_the_run_is_as_if_it_had_not_been_tried(
    name: str, tmp_path: Path, right: tuple[list[dict[str, Any]], dict[str, Tensor]]
) -> None:
    make, why, what = BROKEN[name]
    keeper = Keeper(tmp_path / "a")
    records = timeless(fit(ASKED, keeper, make))
    choice = Choice.from_json(keeper.environment["step"])
    assert choice is not None
    assert (choice.why, choice.what.startswith(what)) == (why, True), choice
    assert keeper.environment["kind"] == PLAIN
    assert records == right[0]
    assert all(torch.equal(tensor, keeper.weights[name]) for name, tensor in right[1].items())


def test_a_network_that_has_diverged_cannot_be_compared() -> None:
    trainer = Trainer(ASKED, Session())
    with torch.no_grad():
        next(trainer.net.parameters()).fill_(math.nan)
    found = trial.choose(trainer.task, trainer.descent, Place(True, True, True), "bfloat16", 6, Session(), Good)
    assert (found.choice.why, found.step) == (Why.NOTHING_TO_COMPARE, None)


def test_a_slower_step_is_not_taken(able: dict[str, float]) -> None:
    able[FAST] = 2.1
    assert facts(Good)[1] == Choice(Why.NOT_FASTER, 2.0, 2.1, 500, 12.0)


# --- where it is not tried -------------------------------------------------------------------------------------


def never(_: Task) -> Step:
    raise AssertionError("it is tried")


def test_a_short_run_does_not_compile_anything(able: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "COMPILING", 4.0)
    able[PLAIN] = 0.01
    assert facts(never)[1] == Choice(Why.SHORT, 0.01, None, 500, pytest.approx(0.06))
    able[PLAIN] = 1.0
    hurried = replace(ASKED, training=replace(HALF, time_budget=2.5))
    assert facts(never, hurried)[1] == Choice(Why.SHORT, 1.0, None, 500, 3.0)


@pytest.mark.parametrize(
    ("training", "place", "why"),
    [
        ({"precision": "float32"}, {}, Why.FLOAT32),
        ({"exact": True}, {}, Why.EXACT),
        ({"optimizer": "adam", "momentum": 0.0}, {}, Why.ADAM),
        ({}, {"nvidia": False}, Why.DEVICE),
        ({}, {"bfloat16": False}, Why.NO_BFLOAT16),
        ({}, {"triton": False}, Why.NO_TRITON),
        ({}, {"processes": 2}, Why.SEVERAL),
    ],
)
def test_where_it_cannot_be_it_is_not_tried(
    training: dict[str, Any], place: dict[str, Any], why: Why, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "place", lambda *_: Place(True, True, True)._replace(**place))
    monkeypatch.setattr(Trial, "__init__", never)
    asked = replace(ASKED, training=replace(HALF, **training))
    trainer, choice = facts(never, asked)
    assert choice == Choice(why)
    assert trainer.precision == training.get("precision", "bfloat16")


def test_a_processor_and_apples_gpu_have_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for name in ("cpu", "mps"):
        assert trial.place(torch.device(name), 1)[:2] == (False, False)
    monkeypatch.setattr(torch.version, "hip", "6")
    assert trial.place(torch.device("cuda:0"), 1).nvidia is False


class Noting(Session):
    """Keeps which trials began and ended."""

    def __init__(self, may: bool = True) -> None:
        self.may, self.told = may, list[str]()

    def begin_trial(self, device: str) -> bool:
        self.told.append("begin")
        return self.may

    def end_trial(self, device: str) -> None:
        self.told.append("end")


def test_a_trial_that_takes_the_process_with_it_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (Good, Uncompiled):
        facts(make, session=(session := Noting()))
        assert session.told == ["begin", "end"]
    assert facts(never, session=(session := Noting(may=False)))[1].why is Why.UNFINISHED
    assert session.told == ["begin"]  # the note stays

    def lost(self: Trial) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    class Lost(Good):
        def __init__(self, task: Task) -> None:
            monkeypatch.setattr(Trial, "restore", lost)
            super().__init__(task)

    with pytest.raises(RuntimeError, match="illegal memory access"):
        facts(Lost, session=(session := Noting()))
    assert session.told == ["begin"]


def test_the_trial_makes_a_bounded_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many as `pays` counts with; where a step takes longer than a moment, each is timed once."""
    monkeypatch.undo()
    monkeypatch.setattr(trial, "place", lambda *_: Place(True, True, True))
    monkeypatch.setattr(trial, "pays", lambda *_: True)
    made: list[str] = []
    for kind in (Plain, Good):
        monkeypatch.setattr(kind, "learn", counted(kind.learn, kind.kind, made))
    monkeypatch.setattr(trial, "MOMENT", 0.0)
    facts(Good)
    assert made.count(PLAIN) == 4
    assert made.count(FAST) == 3 + Good.settled + 2
    assert len(made) <= steps.TRIED


def counted(learn: Callable[..., Learned], kind: str, made: list[str]) -> Callable[..., Learned]:
    def counting(self: Plain, *args: Any) -> Learned:
        if self.kind == kind:
            made.append(kind)
        return learn(self, *args)

    return counting
