"""What the seed of a run decides: the order of its examples, its network's first weights, the chance in each step."""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config


def seed_of(seed: int, what: str, number: int) -> int:
    """The seed for one use of chance: a hash of the run's seed, what it is for, and its number."""
    digest = hashlib.sha256(f"{seed} {what} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def order_of(seed: int, epoch: int, count: int) -> Tensor:
    """The order in which `count` examples are seen in an epoch (from 0)."""
    generator = torch.Generator().manual_seed(seed_of(seed, "order", epoch))
    return torch.randperm(count, generator=generator)


_INITS: dict[str, Callable[[Tensor], object]] = {
    "pytorch": lambda weight: weight,
    "xavier": nn.init.xavier_uniform_,
    "kaiming": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "normal": lambda weight: nn.init.normal_(weight, std=0.01),
    "constant": lambda weight: nn.init.constant_(weight, 1),
    "uniform10": lambda weight: nn.init.uniform_(weight, -10, 10).mul_(weight.abs() >= 5),
}


def make_network(config: Config) -> nn.Sequential:
    """The network as it will be trained, its weights initialised as the training says; on the CPU."""
    torch.manual_seed(seed_of(config.seed, "init", 0))
    net = build(*config.trained)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                _INITS[config.training.conv_init](module.weight)
            elif isinstance(module, nn.Linear):
                _INITS[config.training.linear_init](module.weight)
    return net
