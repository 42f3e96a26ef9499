"""Where the time of a fused step goes, by kernel, and what ours would take if they moved their bytes as fast as a copy.

    python benchmarks/fused.py [--network vgg11-slim] [--side 224] [--batch 128] [--device cuda:0]

One step as it is recorded for a CUDA graph, by PyTorch's profiler: the mean of some. The bytes are those that a kernel
must read and write, each once. It needs an NVIDIA GPU, Triton and the sample that comes with this project; it takes
half a minute.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import checkout  # noqa: F401
import table
import torch
from contestants import Work
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from vggexplorer.pytorch import kernels
from vggexplorer.pytorch.fast import Fast
from vggexplorer.pytorch.loop import Trainer
from vggexplorer.runs.trainer.session import Session

STEPS = 20
COPIED = 2**29
"""Elements of bfloat16 whose copy tells the rate of the memory."""
MOST = 30
"""Rows of the table: what takes longest."""


class Row(NamedTuple):
    """A kernel in one step: how often, milliseconds in all, and the bytes that ours must move."""

    name: str
    calls: float
    ms: float
    bytes: int | None = None


def size(*tensors: Tensor) -> int:
    """The bytes of tensors."""
    return sum(each.numel() * each.element_size() for each in tensors)


# --- bytes -------------------------------------------------------------------------------------------------


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


# --- times -------------------------------------------------------------------------------------------------


def copy_rate(device: torch.device) -> float:
    """Bytes a second, read and written, of a large copy on a GPU."""
    source = torch.zeros(COPIED, dtype=torch.bfloat16, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record()
    for _ in range(STEPS):
        target.copy_(source)
    ended.record()
    torch.cuda.synchronize(device)
    return STEPS * size(source, target) / (began.elapsed_time(ended) / 1e3)


def profiled(act: Callable[[], object]) -> list[Row]:
    """The kernels that `act` starts on a GPU, the longest first."""
    for _ in range(3):
        act()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        for _ in range(STEPS):
            act()
        torch.cuda.synchronize()
    rows = [
        Row(event.key, event.count / STEPS, event.self_device_time_total / 1e3 / STEPS)
        for event in found.key_averages()
        if event.self_device_time_total > 0
    ]
    return sorted(rows, key=lambda row: -row.ms)


def cells(rows: list[Row], rate: float) -> list[list[str]]:
    """The table: beside ours, the time that its bytes would take at the rate of a copy."""
    head = ["kernel", "calls", "ms", "MB", "ms at the rate of a copy"]
    body = [
        [
            row.name[:70],
            f"{row.calls:g}",
            f"{row.ms:.3f}",
            "" if row.bytes is None else f"{row.bytes / 1e6:.0f}",
            "" if row.bytes is None else f"{row.bytes / rate * 1e3:.3f}",
        ]
        for row in rows[:MOST]
    ]
    rest = rows[MOST:]
    others = [["others", f"{sum(row.calls for row in rest):g}", f"{sum(row.ms for row in rest):.3f}", "", ""]]
    whole = ["all", f"{sum(row.calls for row in rows):g}", f"{sum(row.ms for row in rows):.3f}", "", ""]
    return [head, *body, *(others if rest else []), whole]


def main() -> None:
    """Profile a step, print the table."""
    parser = table.parser(__doc__, rounds=1)
    parser.add_argument("--network", default="vgg11-slim")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    if not options.device.startswith("cuda"):
        parser.error("the kernels need an NVIDIA GPU")
    work = Work(options.network, options.side, options.batch, "sample", options.device)
    trainer = Trainer(work.config(), Session())
    step, device = Fast(trainer.task), trainer.device
    rows = torch.arange(options.batch, device=device)
    with torch.cuda.device(device):
        with counting() as moved:
            step._step(rows)
        found = [row._replace(bytes=moved.get(row.name)) for row in profiled(lambda: step._step(rows))]
        rate = copy_rate(device)
    about = {**table.machine(["torch", "triton"]), "card": torch.cuda.get_device_name(device)}
    about["copy"] = f"{rate / 1e12:.2f} TB/s"
    table.report(options, about, {"copy": rate, "kernels": [row._asdict() for row in found]}, cells(found, rate))


if __name__ == "__main__":
    main()
