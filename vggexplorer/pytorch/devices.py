"""Prints the devices that PyTorch can train on: `python -m vggexplorer.pytorch.devices`, a process of its own.

It is a line of JSON, `{"devices": [...]}`, each with how many times as fast bfloat16 is there as float32, and the
seconds for a MAC in float32, from a short measurement. They say about how long something takes on a device that nobody
has calibrated; a run that leaves its precision open times its own network (`precision`).
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from vggexplorer.processes import machine_memory, processor_name, tell

ROUNDS = 5
FEWEST, MOST = 32, 2048
"""Images of the step that is measured: the fewest, all that a processor gets, and the most."""
FILLED = 5e-3
"""Seconds of a step from which on a GPU is measured, and not how fast it is told what to do."""
MACS = 28 * 28 * 9 * (32 * 64 + 64 * 64)
"""Multiply-accumulates of the step that is measured, forward, for each image."""
AMPERE = 8
"""The major compute capability of the first NVIDIA GPUs that compute in bfloat16; older ones imitate it."""


def devices() -> list[dict[str, Any]]:
    """All devices as `here` finds them, with what was measured of them."""
    return [device | measure(device["name"]) for device in here()]


def here() -> list[dict[str, Any]]:
    """All devices, the best first: GPUs, Apple's, the processor."""
    found = []
    if torch.cuda.is_available():
        found += [_cuda(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append({"name": "mps", "title": "Apple GPU", "memory": machine_memory()})
    found.append({"name": "cpu", "title": processor_name(), "memory": machine_memory()})
    return found


def _cuda(index: int) -> dict[str, Any]:
    about = torch.cuda.get_device_properties(index)
    uuid = getattr(about, "uuid", None)
    return {
        "name": f"cuda:{index}",
        "title": about.name,
        "memory": about.total_memory,
        "uuid": f"GPU-{uuid}" if uuid else None,
    }


def has_bfloat16(device: torch.device) -> bool:
    """Whether `device` computes in bfloat16; True where PyTorch does not say.

    A processor without it takes up to eight times as long, a GPU without it (a T4, a V100) imitates it.
    """
    if device.type == "cpu":
        return _processor_has_bfloat16()
    if device.type == "cuda" and torch.version.hip is None:
        return torch.cuda.get_device_capability(device)[0] >= AMPERE
    return True


def _processor_has_bfloat16() -> bool:
    """Whether oneDNN computes in bfloat16 here; True if PyTorch does not say, since the name is not a public one."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError, TypeError):
        return True


def measure(device: str) -> dict[str, float]:
    """Of a training step of a small VGG block: how many times as fast as in float32 it is in bfloat16 (`speedup`, 0 if
    the device lacks it or it fails), and the seconds in float32 for each MAC (`pace`, 0 if it fails).

    Bfloat16 is not tried any more once a round was slower than all of float32.
    """
    try:
        images = _filling(device)
        single = [_seconds(device, torch.float32, images) for _ in range(ROUNDS)]
    except (RuntimeError, TypeError):
        return {"speedup": 0.0, "pace": 0.0}
    return {"speedup": _speedup(device, single, images), "pace": min(single) / (images * MACS)}


def _filling(device: str) -> int:
    """How many images it takes to keep a device busy, as far as the memory goes."""
    images = FEWEST
    try:
        while device != "cpu" and images < MOST and _seconds(device, torch.float32, images) < FILLED:
            images *= 2
    except torch.OutOfMemoryError:
        images //= 2
    return images


def _speedup(device: str, single: list[float], images: int) -> float:
    if not has_bfloat16(torch.device(device)):
        return 0.0
    try:
        half = [_seconds(device, torch.bfloat16, images)]
        if half[0] <= max(single):
            half += [_seconds(device, torch.bfloat16, images) for _ in range(ROUNDS - 1)]
    except (RuntimeError, TypeError):
        return 0.0
    return round(min(single) / min(half), 2)


def _seconds(device: str, dtype: torch.dtype, images: int) -> float:
    """How long the second of two steps takes; the first one prepares."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
    net.to(memory_format=torch.channels_last).to(device)
    batch = torch.rand(images, 32, 28, 28, device=device).contiguous(memory_format=torch.channels_last)
    began = 0.0
    for _ in range(2):
        began = time.perf_counter()
        with torch.autocast(torch.device(device).type, dtype, enabled=dtype is not torch.float32):
            loss = net(batch).square().mean()
        torch.autograd.backward(loss)
        loss.item()
    return time.perf_counter() - began


def look() -> Iterator[dict[str, Any]]:
    """The line to print."""
    yield {"devices": devices()}


if __name__ == "__main__":
    sys.exit(tell(look()))
