"""Our optimizers and learning rates against PyTorch's."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, StepLR

from vggexplorer.pytorch import weights
from vggexplorer.pytorch.optimizers import SGD, optimizer
from vggexplorer.runs.config import RECIPES
from vggexplorer.runs.options import Training

TRAINING = RECIPES["d2l-vgg"]
ADAM = replace(TRAINING, optimizer="adam")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_it_does_what_pytorchs_does(momentum: float, weight_decay: float) -> None:
    torch.manual_seed(0)
    own, theirs = (nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(48, 5)) for _ in range(2))
    own.load_state_dict(theirs.state_dict())
    training = replace(TRAINING, momentum=momentum, weight_decay=weight_decay)
    ours = SGD(own, training)
    reference = torch.optim.SGD(theirs.parameters(), lr=training.lr, momentum=momentum, weight_decay=weight_decay)
    for _ in range(10):
        images = torch.rand(4, 1, 6, 6)
        for net in (own, theirs):
            net.zero_grad()
            torch.autograd.backward(net(images).square().sum())
        ours.step(training.lr)
        reference.step()
    exact = {} if momentum or weight_decay else {"rtol": 0.0, "atol": 0.0}
    for mine, other in zip(own.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, **exact)


def two_networks() -> tuple[nn.Module, nn.Module]:
    """Twice the same network, as it lies in memory in training."""
    torch.manual_seed(0)
    own, theirs = (
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(48, 5)).to(memory_format=torch.channels_last)
        for _ in range(2)
    )
    own.load_state_dict(theirs.state_dict())
    return own, theirs


def give_gradients(*nets: nn.Module) -> None:
    images = torch.rand(4, 2, 6, 6).contiguous(memory_format=torch.channels_last)
    for net in nets:
        net.zero_grad()
        torch.autograd.backward(net(images).square().sum())


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_adam_does_what_pytorchs_does_one_after_the_other(weight_decay: float) -> None:
    own, theirs = two_networks()
    ours = optimizer(own, replace(ADAM, weight_decay=weight_decay))
    reference = torch.optim.Adam(theirs.parameters(), lr=1.0, weight_decay=weight_decay, foreach=False)
    for step in range(10):
        give_gradients(own, theirs)
        lr = reference.param_groups[0]["lr"] = 0.01 / (step + 1)
        ours.step(lr)
        reference.step()
    for mine, other in zip(own.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("training", [replace(TRAINING, momentum=0.9), ADAM], ids=lambda each: each.optimizer)
def test_what_it_keeps_is_all_that_the_next_step_needs(training: Training, tmp_path: Path) -> None:
    """The state of one optimizer, through a file into another: the same bits from there on."""
    own, other = two_networks()
    first, second = optimizer(own, training), optimizer(other, training)
    for _ in range(3):
        give_gradients(own)
        first.step(0.01)
    weights.save(tmp_path / "state", first.state(), {})
    kept = weights.load(tmp_path / "state")
    other.load_state_dict(own.state_dict())
    assert sum(value.numel() for value in kept.values() if value.ndim) == training.kept * parameters(own)
    for name, value in second.state().items():
        assert not value.any()
        value.copy_(kept[name])
    for _ in range(3):
        give_gradients(own, other)
        first.step(0.01)
        second.step(0.01)
    for mine, copied in zip(own.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, copied)
    for value in first.state().values():
        value.zero_()
    own.load_state_dict(fresh := two_networks()[0].state_dict())
    other.load_state_dict(fresh)
    give_gradients(own, other)
    first.step(0.01)
    optimizer(other, training).step(0.01)
    assert all(map(torch.equal, own.parameters(), other.parameters()))  # with zeros in it, it is as new


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("training", [replace(TRAINING, momentum=0.9), ADAM], ids=lambda each: each.optimizer)
def test_a_parameter_without_gradient_stays(training: Training) -> None:
    net = nn.Linear(2, 2)
    before = net.weight.clone()
    optimizer(net, training).step(TRAINING.lr)
    assert torch.equal(net.weight, before)


# --- the learning rate ---------------------------------------------------------------------------------

STEPS_PER_EPOCH = 5
SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], LRScheduler]] = {
    "linear": lambda optimizer: LinearLR(optimizer, 1, 0, 4 * STEPS_PER_EPOCH),
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, 4 * STEPS_PER_EPOCH),
    "step": lambda optimizer: StepLR(optimizer, 3 * STEPS_PER_EPOCH),
}


@pytest.mark.parametrize("warmup", [0, 2])
@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_a_learning_rate_falls_as_pytorchs_does(schedule: str, warmup: int) -> None:
    training = replace(TRAINING, epochs=4, schedule=schedule, warmup=float(warmup))
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=training.lr)
    schedulers = [SCHEDULES[schedule](optimizer)]
    if warmup:
        count = warmup * STEPS_PER_EPOCH
        schedulers.append(LinearLR(optimizer, 1 / count, total_iters=count - 1))
    for step in range(training.epochs * STEPS_PER_EPOCH):
        assert training.lr_at(step, STEPS_PER_EPOCH) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


# --- what a plain run needs not --------------------------------------------------------------------------


@pytest.mark.long
def test_training_does_not_load_the_compiler() -> None:
    program = """
import subprocess
import sys
from vggexplorer.pytorch.loop import fit
from vggexplorer.runs.config import Config, recipe
from vggexplorer.text import parse_arch
network = parse_arch("1x2")._replace(input_shape=(1, 28, 28))
next(fit(Config(network=network, training=recipe("quick-demo", network), device="cpu")))
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False"]
