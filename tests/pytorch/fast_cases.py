"""What `test_fast.py` has run in a process of its own: steps of whole networks beside PyTorch's.

In Triton's interpreter in float32, and once in bfloat16; on a GPU in bfloat16.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from kernel_cases import DEVICE, INTERPRETED
from rounding import as_on_a_gpu
from torch import Tensor, nn
from torch.nn import functional

from vggexplorer.layers import Shape
from vggexplorer.pytorch import kernels, trial
from vggexplorer.pytorch.fast import CudaGraphs, Fast, Made, Replayed
from vggexplorer.pytorch.modules import build
from vggexplorer.pytorch.optimizers import optimizer
from vggexplorer.pytorch.step import Learned, Plain, Task
from vggexplorer.runs.options import Training
from vggexplorer.runs.steps import Why
from vggexplorer.text import parse_network

PRECISION = "float32" if INTERPRETED else "bfloat16"
NEAR = {"float32": (1e-4, 1e-5), "bfloat16": (0.02, 1e-3)}
"""How far weights may be from those of PyTorch's steps in float32, relative to the norm of their change, and in any
case: what has no influence, as a bias before batch norm, has a gradient of roundings alone."""
TIMES = 4
"""And how many times as far as those of PyTorch's steps in the same precision are."""
TRAINING = Training(batch_size=4, lr=0.1, momentum=0.9, weight_decay=1e-3, label_smoothing=0.1)


def conv(inputs: int, outputs: int, **options: object) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, **{"padding": 1, **options})  # type: ignore[arg-type]


def net(*modules: nn.Module, features: int) -> nn.Sequential:
    return nn.Sequential(nn.Sequential(*modules), nn.Flatten(), nn.Linear(features, 5))


def from_text(text: dict[str, str]) -> nn.Sequential:
    network = parse_network(text | {"input": "1x12x12", "classes": "5"})
    return build(network.architecture, network.input_shape)


def pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, 2)


class Doubled(nn.Module):
    """What is no chain: it stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(1, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv(x))
        return y + y


NETS: dict[str, Callable[[], nn.Sequential]] = {
    "first block, pool, dropout": lambda: from_text({"arch": "1x8,1x12", "hidden": "20", "dropout": "0.5"}),
    "batch norm": lambda: from_text({"arch": "1x8,1x12", "hidden": "none", "bn": "1"}),
    "two convolutions first": lambda: net(conv(1, 8), nn.ReLU(), conv(8, 5), nn.ReLU(), pool(), features=180),
    "pools of 3 with stride 2": lambda: net(
        conv(1, 8), nn.ReLU(), nn.MaxPool2d(3, 2), conv(8, 6), nn.ReLU(), nn.MaxPool2d(3, 2), features=24
    ),
    "other pools": lambda: net(
        *(conv(1, 4), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(conv(4, 4), nn.ReLU(), nn.MaxPool2d(2, 1)),
        *(conv(4, 4), nn.ReLU(), nn.MaxPool2d(2, 2, ceil_mode=True)),
        *(conv(4, 4), nn.ReLU(), nn.MaxPool2d(2, 2, dilation=2)),
        features=4,
    ),
    "other activations": lambda: net(conv(1, 4), nn.Sigmoid(), pool(), conv(4, 4), nn.GELU(), pool(), features=36),
    "other convolutions": lambda: net(
        *(conv(1, 4, padding_mode="reflect"), nn.ReLU(), pool()),
        *(conv(4, 4, groups=2), nn.ReLU(), conv(4, 4, bias=False), nn.ReLU(), pool()),
        *(conv(4, 4, dilation=2, padding="same"), nn.ReLU(), conv(4, 4, stride=2), nn.ReLU()),
        features=16,
    ),
    "norms and means": lambda: net(
        *(conv(1, 4), nn.ReLU(), nn.LocalResponseNorm(3), pool(), conv(4, 4), nn.BatchNorm2d(4), nn.ReLU()),
        nn.AdaptiveAvgPool2d(3),
        features=36,
    ),
    "a module of modules": lambda: net(Doubled(), pool(), features=144),
}


@pytest.fixture(autouse=True)
def _the_same_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(kernels, "PROGRAMS", 2)


def task(make: Callable[[], nn.Sequential], training: Training = TRAINING, stored: Shape = (1, 6, 6)) -> Task:
    """The same network and images at each call, as the trainer has them."""
    torch.manual_seed(1)
    made = make().to(memory_format=torch.channels_last).to(DEVICE)
    images = torch.randint(256, (24, *stored), dtype=torch.uint8, device=DEVICE)
    return Task(made, optimizer(made, training), training, images, torch.arange(24, device=DEVICE) % 5, (1, 12, 12))


def batches(*lengths: int) -> list[Tensor]:
    return [torch.randperm(24)[:length].to(DEVICE) for length in lengths]


def go(step: Plain | Fast, rows: list[Tensor], weight: float = 1) -> list[Learned]:
    """Steps as the trainer makes them: the seed is set before each, the learning rate changes, tests lie between."""
    learned = []
    for place, each in enumerate(rows):
        torch.manual_seed(place)
        scores, loss = step.learn(each, TRAINING.lr / (place + 1), weight)
        step.task.net.eval()
        learned.append(Learned(scores.float().clone(), loss.clone()))
    return learned


class Result(NamedTuple):
    """What some steps made of a network: scores, losses, weights, averages, momenta, the last gradients."""

    values: dict[str, Tensor]

    @classmethod
    def of(cls, step: Plain | Fast, rows: list[Tensor], weight: float) -> "Result":
        learned, net = go(step, rows, weight), step.task.net
        found = {
            f"{name} {place}": value for place, each in enumerate(learned) for name, value in each._asdict().items()
        }
        found |= net.state_dict() | step.task.optimizer.state()
        for name, parameter in net.named_parameters():
            gradient = step.gradient(parameter)
            assert gradient is not None
            found[f"gradient.{name}"] = gradient
        return cls({name: value.float() for name, value in found.items()})

    def apart(self, other: "Result") -> dict[str, float]:
        assert self.values.keys() == other.values.keys()
        assert all(value.shape == other.values[name].shape for name, value in self.values.items())
        return {name: float((value - other.values[name]).norm()) for name, value in self.values.items()}


def compare(
    make: Callable[[], nn.Sequential],
    rows: list[Tensor],
    graphs: "Pretended | None" = None,
    precision: str = PRECISION,
    weight: float = 1,
    **changes: object,
) -> None:
    """As near to PyTorch's steps in float32 as `NEAR` and `TIMES` say."""
    training = replace(TRAINING, **changes)  # type: ignore[arg-type]
    start = {name: value.float() for name, value in task(make, training).net.state_dict().items()}
    ours = Result.of(Fast(task(make, training), precision, graphs), rows, weight)
    theirs, exact = (Result.of(Plain(task(make, training), each), rows, weight) for each in (precision, "float32"))
    rounded = theirs.apart(exact)
    near, at_least = NEAR[precision]
    for name, apart in ours.apart(exact).items():
        moved = exact.values[name] - start.get(name, 0)
        assert apart <= near * float(moved.norm()) + at_least + TIMES * rounded[name], name


class Pretended:
    """Graphs without a GPU: a replay makes the step anew, of the rows that lie in the graph's place."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def aside(self, act: Callable[[], Made]) -> Made:
        self.done.append("aside")
        return act()

    def record(self, act: Callable[[], Made]) -> Callable[[], Made]:
        self.done.append("record")

        def replay() -> Made:
            self.done.append("replay")
            return act()

        return replay


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", NETS)
def test_weights_after_some_steps_are_pytorchs(name: str) -> None:
    compare(NETS[name], batches(4, 4, 3))


@pytest.mark.skipif(not INTERPRETED, reason="on a GPU all is in bfloat16")
@pytest.mark.sample(1)
@pytest.mark.parametrize("name", NETS)
def test_in_bfloat16_they_are_as_near_as_pytorchs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_on_a_gpu(monkeypatch)
    compare(NETS[name], batches(4, 4), precision="bfloat16")


@pytest.mark.parametrize(
    "changes",
    [{"momentum": 0.0, "weight_decay": 0.0}, {"label_smoothing": 0.0}, {"flip": True, "crop": 2, "brightness": 0.2}],
    ids=str,
)
def test_so_they_are_with_other_options(changes: dict[str, object]) -> None:
    """What is drawn by chance for the images comes before what dropout draws, as in PyTorch's own step."""
    compare(NETS["first block, pool, dropout"], batches(4, 4), **changes)


LENGTHS = [
    ((4, 4, 4, 3, 4, 4, 3, 4), "aside aside aside record replay replay replay"),
    ((4, 4, 3, 4, 4), "aside aside aside record replay"),
]
"""Batches, the second as after a resume just before the end of an epoch, and what is made of those of the length 4."""


@pytest.mark.skipif(not INTERPRETED, reason="on a GPU the graphs are CUDA's own")
@pytest.mark.sample(1)
@pytest.mark.parametrize(("lengths", "done"), LENGTHS, ids=str)
def test_steps_of_one_length_are_replayed(lengths: tuple[int, ...], done: str) -> None:
    """To the same weights: in the steps before the graph, in the graph and beside it, with dropout's chance."""
    graphs = Pretended()
    compare(NETS["first block, pool, dropout"], batches(*lengths), graphs)
    assert " ".join(graphs.done) == done


@pytest.mark.skipif(INTERPRETED, reason="CUDA's own graphs need a GPU")
@pytest.mark.parametrize(("lengths", "_done"), LENGTHS, ids=str)
def test_cudas_graphs_make_the_steps_that_are_made_without(lengths: tuple[int, ...], _done: str) -> None:
    """But for sums that cuDNN makes in any order; other chance in dropout would be seen."""
    make, rows = NETS["first block, pool, dropout"], batches(*lengths)
    graphed, alone = task(make), task(make)
    for found, wanted in zip(go(Fast(graphed), rows), go(Fast(alone, graphs=Pretended()), rows), strict=True):
        torch.testing.assert_close(found.scores, wanted.scores, rtol=0, atol=0.05)
    for found, wanted in zip(graphed.net.parameters(), alone.net.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.01)


@pytest.mark.skipif(INTERPRETED, reason="CUDA's own graphs need a GPU")
def test_a_replay_draws_what_the_generator_would_give() -> None:
    """By its seed, and by what was drawn since: twice in a step, with one number drawn before it."""

    def step(rows: Tensor) -> Made:
        drawn = functional.dropout(torch.ones(1000, device=DEVICE)), torch.rand(len(rows), device=DEVICE)
        return Made(Learned(*drawn), {})

    rows = torch.zeros(4, dtype=torch.int64, device=DEVICE)
    replayed = Replayed(step, rows, CudaGraphs(rows.device))
    for seed in range(6):
        torch.manual_seed(seed)
        before, wanted = torch.rand(1, device=DEVICE), step(rows).learned
        torch.manual_seed(seed)
        assert torch.equal(before, torch.rand(1, device=DEVICE))
        assert all(map(torch.equal, replayed(rows).learned, wanted))


def test_a_loss_may_count_for_less_beside_those_of_others() -> None:
    graphs = Pretended()
    compare(NETS["two convolutions first"], batches(4), graphs, weight=0.25)
    assert graphs.done == []


@pytest.mark.parametrize("flip", [False, True])
def test_images_of_one_channel_are_channels_last_by_their_strides(flip: bool) -> None:
    step = Fast(task(NETS["batch norm"], replace(TRAINING, flip=flip)), PRECISION)
    images = step._images(*batches(4), 0)
    assert images.stride() == (144, 1, 12, 1)


def test_where_offsets_of_32_bits_are_not_enough_pytorch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "MOST", 100)
    for name in ("bias_relu", "bias_relu_pool", "first_block"):
        monkeypatch.setattr(kernels, name, None)
    compare(NETS["first block, pool, dropout"], batches(4))
    compare(NETS["two convolutions first"], batches(4))


def test_a_loss_that_is_not_a_number_is_seen() -> None:
    ours = task(NETS["first block, pool, dropout"])
    step = Fast(ours, PRECISION)
    with torch.no_grad():
        next(ours.net.parameters())[0, 0, 0, 0] = torch.nan
    step.refresh()
    (learned,) = go(step, batches(4))
    assert learned.loss.isnan()
    assert learned.scores.isnan().any(1).all()


def test_a_step_that_is_told_of_other_weights_goes_on_with_them() -> None:
    """As after a checkpoint: weights and momenta were copied into the network and the optimizer."""
    make, rows = NETS["first block, pool, dropout"], batches(4, 4, 4)
    whole, begun, other = (task(make) for _ in range(3))
    go(Fast(whole, PRECISION), rows)
    go(Fast(begun, PRECISION), rows[:2])
    resumed = Fast(other, PRECISION)
    other.net.load_state_dict(begun.net.state_dict())
    for name, value in other.optimizer.state().items():
        value.copy_(begun.optimizer.state()[name])
    resumed.refresh()
    torch.manual_seed(2)
    resumed.learn(rows[2], TRAINING.lr / 3)
    for found, wanted in zip(other.net.parameters(), whole.net.parameters(), strict=True):
        assert torch.equal(found, wanted)


def test_a_step_that_is_looked_at_is_not_made() -> None:
    ours = task(NETS["batch norm"])
    step = Fast(ours, PRECISION)
    ours.net.train()
    before = {name: value.clone() for name, value in ours.net.named_parameters()}
    made = step.found(*batches(4))
    assert set(made.gradients) == set(ours.net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in ours.net.named_parameters())
    assert not any(value.any() for value in ours.optimizer.state().values())


# --- the trial ---------------------------------------------------------------------------------------------


def scaled(name: str, factor: float) -> Callable[[pytest.MonkeyPatch], None]:
    """A kernel whose result is too large."""
    real = getattr(kernels, name)
    return lambda patch: patch.setattr(kernels, name, lambda *given: real(*given) * factor)


def no_relu(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kernels, "bias_relu", lambda x, bias: x + bias.to(x.dtype)[:, None, None])


def backward(name: str, change: Callable[[Tensor], Tensor], place: int) -> Callable[[pytest.MonkeyPatch], None]:
    """A kernel one of whose gradients is changed."""
    function = getattr(kernels, name)
    real = function.backward

    def changed(ctx: object, dy: Tensor) -> tuple[Tensor | None, ...]:
        found = list(real(ctx, dy))
        found[place] = change(found[place])
        return tuple(found)

    return lambda patch: patch.setattr(function, "backward", staticmethod(changed))


def other_momentum(patch: pytest.MonkeyPatch) -> None:
    real = kernels.descend
    patch.setattr(kernels, "descend", lambda *given: real(*given[:5], given[5] / 2, given[6]))


FAR = Why.LOSS, Why.GRADIENT
BROKEN: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], tuple[Why, ...]]] = {
    "brighter images": (scaled("pixels", 3.0), FAR),
    "no ReLU": (no_relu, FAR),
    "gradients in the wrong pixel": (backward("_BiasReLUPool", lambda each: each.roll(1, 3), 0), FAR),
    "a sum that misses a program": (backward("_BiasReLU", lambda each: each * 0.5, 1), FAR),
    "taps in another order": (backward("_FirstBlock", lambda each: each.flip(3), 1), FAR),
    "not a number": (backward("_BiasReLU", lambda each: each.log(), 0), (Why.NO_NUMBER,)),
    "another momentum": (other_momentum, (Why.UPDATE,)),
}


def tried(make: Callable[[], nn.Sequential]) -> None:
    """As before the first step of a run that goes on from a checkpoint: there are momenta.

    On fewer images, a maximum that rounding moves to another pixel would be too much of a gradient.
    """
    ours = task(make, replace(TRAINING, batch_size=12))
    go(Plain(ours, "bfloat16"), batches(12, 12))
    trial.Trial(ours).check(Fast(ours, "bfloat16", Pretended() if INTERPRETED else None))


def deep() -> nn.Sequential:
    return from_text({"arch": "1x8,2x12", "hidden": "20", "dropout": "0.5"})


def test_the_trial_of_a_run_takes_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    if INTERPRETED:
        as_on_a_gpu(monkeypatch)
    tried(deep)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", BROKEN)
def test_the_trial_of_a_run_refuses_broken_kernels(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if INTERPRETED:
        as_on_a_gpu(monkeypatch)
    spoil, reasons = BROKEN[name]
    spoil(monkeypatch)
    with pytest.raises(trial.RefusedError) as refused:
        tried(deep)
    assert refused.value.why in reasons
