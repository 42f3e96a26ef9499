"""The bytes that the kernels of a fused step must move, and how fast a GPU moves them at best."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import checkout  # noqa: F401
import torch
from torch import Tensor

from vggexplorer.pytorch import kernels
from vggexplorer.pytorch.fast import Fast
from vggexplorer.pytorch.step import Task

COPIED, TIMES = 2**29, 20
"""Elements of bfloat16 whose copy tells the rate of the memory, and how often it is made."""


def size(*tensors: Tensor) -> int:
    """The bytes of tensors."""
    return sum(each.numel() * each.element_size() for each in tensors)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Counts the bytes that our kernels must move within it, by the kernels' names."""
    moved: Counter[str] = Counter()
    real = {
        name: getattr(kernels, name) for name in ("pixels", "first_block", "bias_relu", "bias_relu_pool", "descend")
    }

    def pixels(*given: Any) -> Tensor:
        y: Tensor = real["pixels"](*given)
        moved["_pixels"] += size(y)
        return y

    def pooled(name: str, kernel: str) -> Callable[..., Tensor]:
        def act(x: Tensor, *given: Any) -> Tensor:
            y: Tensor = real[name](x, *given)
            moved[f"{kernel}_forward"] += size(x, y) + y.numel()
            moved[f"{kernel}_backward"] += size(x, y) + y.numel()
            return y

        return act

    def bias_relu(x: Tensor, bias: Tensor) -> Tensor:
        moved["_relu_forward"] += 2 * size(x)
        moved["_relu_backward"] += 3 * size(x)
        y: Tensor = real["bias_relu"](x, bias)
        return y

    def descend(weight: Tensor, gradient: Tensor, half: Tensor | None, velocity: Tensor | None, *given: Any) -> None:
        twice = [each for each in (weight, velocity) if each is not None]
        moved["_descend"] += 2 * size(*twice) + size(gradient, *([] if half is None else [half]))
        real["descend"](weight, gradient, half, velocity, *given)

    counted = {
        "pixels": pixels,
        "first_block": pooled("first_block", "_first"),
        "bias_relu": bias_relu,
        "bias_relu_pool": pooled("bias_relu_pool", "_pool"),
        "descend": descend,
    }
    try:
        for name, function in counted.items():
            setattr(kernels, name, function)
        yield moved
    finally:
        for name, function in real.items():
            setattr(kernels, name, function)


def floors(task: Task, rows: Tensor) -> dict[str, float]:
    """The milliseconds that our kernels would take in a step on the images `rows` if a copy moved their bytes."""
    with counting() as moved:
        Fast(task).learn(rows, 0.0)
    rate = copy_rate(rows.device)
    return {name: count / rate * 1e3 for name, count in moved.items()}


def copy_rate(device: torch.device) -> float:
    """Bytes a second, read and written, of a large copy on a GPU."""
    source = torch.zeros(COPIED, dtype=torch.bfloat16, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record()
    for _ in range(TIMES):
        target.copy_(source)
    ended.record()
    torch.cuda.synchronize(device)
    return TIMES * size(source, target) / (began.elapsed_time(ended) / 1e3)
