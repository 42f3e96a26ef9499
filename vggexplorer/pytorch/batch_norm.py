"""The means and variances that batch norm takes in tests, estimated before each test.

PyTorch keeps running averages of those of the training batches, which forget a tenth with each step: after the six
steps of a small set more than half of them is still what they began with, 0 and 1, and a network that has learned all
of its training images guesses in tests. So a test begins with an estimate from some training images, as the network is
now: the mean over several batches of their means and variances. The images are the same ones at each test of a run,
drawn by its seed, and unchanged, as those of the test are; no other chance is used.

The estimate takes the place of the running averages. A step in training never reads those (it takes the batch's own),
so all weights are what they would be without it; and whatever is kept after a test (checkpoint, best and last weights,
a snapshot) holds what was tested. The estimate follows from the weights alone: a run that was stopped and resumed makes
the same one. Kept apart, it would have to be swapped in and out, and be in each of these files twice.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from vggexplorer.forecast.time import estimated_from
from vggexplorer.pytorch.chance import seed_of

_Norm = nn.modules.batchnorm._BatchNorm


def batches(seed: int, count: int, size: int) -> tuple[Tensor, ...]:
    """The places of the images to estimate from, among `count` training images, in even batches of `size` at most."""
    some = estimated_from(count)
    generator = torch.Generator().manual_seed(seed_of(seed, "statistics", 0))
    return torch.randperm(count, generator=generator)[:some].tensor_split(-(-some // size))


def estimate(net: nn.Module, parts: Iterable[Tensor], forward: Callable[[Tensor], object]) -> None:
    """Have all batch norm in `net` take in tests what it has seen on average while `forward` has each of `parts` go
    through it.

    All other layers are as in tests meanwhile. Nothing happens to a network without batch norm.
    """
    layers = [module for module in net.modules() if isinstance(module, _Norm)]
    if not layers:
        return
    net.eval()
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.reset_running_stats()
    with torch.no_grad():
        for place, part in enumerate(parts):
            for layer in layers:
                layer.momentum = 1 / (place + 1)  # of None, PyTorch would ask the device for the same number
            forward(part)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()
