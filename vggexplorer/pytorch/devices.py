"""Prints the devices that PyTorch can train on: `python -m vggexplorer.pytorch.devices`, a process of its own.

It is a line of JSON, `{"devices": [...]}`, each with how many times as fast bfloat16 is there as float32, and the
seconds for a MAC in float32, from a short measurement.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from vggexplorer.processes import machine_memory, processor_name, tell

ROUNDS, BATCH = 5, 32
MACS = BATCH * 28 * 28 * 9 * (32 * 64 + 64 * 64)
"""Multiply-accumulates of the step that is measured, forward."""


def devices() -> list[dict[str, Any]]:
    """All devices, the best first: GPUs, Apple's, the processor."""
    found = []
    if torch.cuda.is_available():
        found += [_cuda(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append({"name": "mps", "title": "Apple GPU", "memory": machine_memory()})
    found.append({"name": "cpu", "title": processor_name(), "memory": machine_memory()})
    return [device | {"speedup": round(speedup(device["name"]), 2), "pace": pace(device["name"])} for device in found]


def _cuda(index: int) -> dict[str, Any]:
    about = torch.cuda.get_device_properties(index)
    uuid = getattr(about, "uuid", None)
    return {
        "name": f"cuda:{index}",
        "title": about.name,
        "memory": about.total_memory,
        "uuid": f"GPU-{uuid}" if uuid else None,
    }


def speedup(device: str) -> float:
    """How many times as fast a training step of a small VGG block is in bfloat16 as in float32; 0 if it fails.

    A processor without bfloat16 takes up to eight times as long: it is not tried where PyTorch says so, and no more
    once a round was slower than all of float32.
    """
    if device == "cpu" and not _processor_has_bfloat16():
        return 0.0
    try:
        single = [_seconds(device, torch.float32) for _ in range(ROUNDS)]
        half = [_seconds(device, torch.bfloat16)]
        if half[0] <= max(single):
            half += [_seconds(device, torch.bfloat16) for _ in range(ROUNDS - 1)]
    except (RuntimeError, TypeError):
        return 0.0
    return min(single) / min(half)


def pace(device: str) -> float:
    """The seconds of such a step in float32 for each of its MACs; 0 if it fails."""
    try:
        return min(_seconds(device, torch.float32) for _ in range(ROUNDS)) / MACS
    except (RuntimeError, TypeError):
        return 0.0


def _processor_has_bfloat16() -> bool:
    """Whether oneDNN computes in bfloat16 here; True if PyTorch does not say, since the name is not a public one."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError, TypeError):
        return True


def _seconds(device: str, dtype: torch.dtype) -> float:
    """How long the second of two steps takes; the first one prepares."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
    net.to(memory_format=torch.channels_last).to(device)
    images = torch.rand(BATCH, 32, 28, 28, device=device).contiguous(memory_format=torch.channels_last)
    began = 0.0
    for _ in range(2):
        began = time.perf_counter()
        with torch.autocast(torch.device(device).type, dtype, enabled=dtype is not torch.float32):
            loss = net(images).square().mean()
        torch.autograd.backward(loss)
        loss.item()
    return time.perf_counter() - began


def look() -> Iterator[dict[str, Any]]:
    """The line to print."""
    yield {"devices": devices()}


if __name__ == "__main__":
    sys.exit(tell(look()))
