"""Steps with equal bits on an NVIDIA GPU: PyTorch's own switches, and layers in place of those that have none.

By PyTorch's list (`torch.use_deterministic_algorithms`), two layers of ours have a backward pass on a GPU that adds up
in any order: `AdaptiveAvgPool2d`, and `LocalResponseNorm`, which is made of `AvgPool3d`. `MaxPool2d`, `AvgPool2d` and
the cross-entropy of class scores are not among them. Images are indexed and resized without a backward pass.
"""

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def switch(exact: bool) -> None:
    """Have this process do all its steps on GPUs deterministically from now on, or as fast as it can.

    cuBLAS reads its variable when it is used for the first time. `torch.use_deterministic_algorithms` would do the
    same as `set_deterministic_debug_mode`, but imports the compiler of `torch.compile`.
    """
    if exact:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.set_deterministic_debug_mode("error" if exact else "default")
    torch.backends.cudnn.deterministic = exact
    torch.backends.cudnn.benchmark = False
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # nobody reads it


def replace_layers(net: nn.Module) -> None:
    """Put layers with a deterministic backward pass in place of those that have none; they have no weights."""
    for parent in list(net.modules()):
        for name, layer in parent.named_children():
            if made := _MADE.get(type(layer)):
                setattr(parent, name, made(layer))


class AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """PyTorch's, as two products with matrices of means: (n, c, h, w) -> (n, c, *output_size)."""

    def forward(self, input: Tensor) -> Tensor:
        """The means of the windows, added up in float32."""
        height, width = _pair(self.output_size)
        rows, columns = means(input.shape[2], height, input.device), means(input.shape[3], width, input.device)
        with torch.autocast(input.device.type, enabled=False):
            whole: Tensor = rows @ input.float() @ columns.T
        return whole.to(input.dtype)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def means(inputs: int, outputs: int, device: torch.device) -> Tensor:
    """A matrix (outputs x inputs) that takes the means of PyTorch's windows: floor(i n / m) to ceil((i + 1) n / m).

    It is made on the device, which is not waited for.
    """
    place = torch.arange(outputs, device=device)[:, None]
    column = torch.arange(inputs, device=device)
    inside = (column >= place * inputs // outputs) & (column * outputs < (place + 1) * inputs)
    return inside / inside.sum(1, keepdim=True)


class LocalResponseNorm(nn.LocalResponseNorm):
    """PyTorch's, the squares of neighbouring channels added up one after the other: the shape stays."""

    def forward(self, input: Tensor) -> Tensor:
        """x / (k + alpha * mean of the squares of `size` channels around)^beta."""
        channels = input.shape[1]
        squares = functional.pad(input.square(), (0, 0, 0, 0, self.size // 2, (self.size - 1) // 2))
        near = squares[:, :channels]
        for place in range(1, self.size):
            near = near + squares[:, place : place + channels]
        return input / (self.k + self.alpha / self.size * near) ** self.beta


_MADE: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    nn.AdaptiveAvgPool2d: lambda layer: AdaptiveAvgPool2d(layer.output_size),
    nn.LocalResponseNorm: lambda layer: LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k),
}
