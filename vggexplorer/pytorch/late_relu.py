"""ReLU behind the max pool that follows it, on a processor: fewer numbers to compare, and the whole maps are not kept.

The largest of some numbers, and 0 if that is less, is the same in either order, and so is its gradient to the bit: it
goes to where the largest number was, if that is above 0. What a step does on a processor is limited by its memory: of
a block's largest maps nothing is kept for the backward pass but the places of the maxima.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_ATEN = torch.ops.aten


def replace_layers(net: nn.Module) -> None:
    """Have each ReLU just before a max pool wait for it; the modules keep their names, and have no weights."""
    for part in net.modules():
        if type(part) is not nn.Sequential:
            continue
        for (name, before), (place, pool) in pairwise(list(part.named_children())):
            if type(before) is nn.ReLU and type(pool) is nn.MaxPool2d:
                setattr(part, name, Waiting())
                setattr(part, place, PooledReLU(*_arguments(pool)))


def _arguments(pool: nn.MaxPool2d) -> Iterator[Any]:
    yield from (pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.return_indices, pool.ceil_mode)


class Waiting(nn.ReLU):
    """A ReLU that the layer after it does."""

    def forward(self, input: Tensor) -> Tensor:
        """What came in; as a tensor of its own, for those who watch what leaves each layer."""
        same: Tensor = _ATEN.alias(input)
        return same


class PooledReLU(nn.MaxPool2d):
    """A max pool that does the ReLU before it, too."""

    def forward(self, input: Tensor) -> Tensor:
        """The same as PyTorch's of `input.relu()`."""
        how = (self.kernel_size, self.stride, self.padding, self.dilation)
        sides = ([size] * 2 if isinstance(size, int) else list(size) for size in how)
        pooled: Tensor = _Pooled.apply(input, (*sides, self.ceil_mode))
        return pooled


class _Pooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, how: tuple[Any, ...]) -> Tensor:
        pooled: Tensor
        pooled, places = _ATEN.max_pool2d_with_indices(maps, *how)
        pooled.relu_()
        ctx.save_for_backward(pooled, places)
        ctx.layout, ctx.how = (maps.shape, maps.stride()), how
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        pooled, places = ctx.saved_tensors
        gradient = _ATEN.threshold_backward(gradient, pooled, 0)
        whole = torch.empty_strided(*ctx.layout, dtype=gradient.dtype, device=gradient.device)
        # Of the maps that were pooled PyTorch asks for the shape alone, so the result may be in their place.
        _ATEN.max_pool2d_with_indices_backward.grad_input(gradient, whole, *ctx.how, places, grad_input=whole)
        return whole, None
