"""What the allocator of a GPU says of a trainer's steps: the most that they take, without what was there before."""

import gc
from typing import NamedTuple

import torch

from vggexplorer.architectures import Network
from vggexplorer.pytorch.layer_times import Steps

STEPS = 2
"""The second one has the gradients of the first one beside it until it drops them."""


class Bytes(NamedTuple):
    """What tensors have of a device, and what the allocator has asked of it for them."""

    allocated: int = 0
    reserved: int = 0


def in_use(device: str) -> Bytes:
    """What is in use on a CUDA device; nothing is cached any more, and cuBLAS has no workspace. Else nothing."""
    asked = torch.device(device)
    if asked.type != "cuda" or (asked.index or 0) >= torch.cuda.device_count():
        return Bytes()
    _clear()
    return Bytes(torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device))


def most(steps: Steps, before: Bytes) -> Bytes:
    """The most that steps take on a CUDA device, with all that their trainer keeps but the images; else nothing.

    `before` is what was in use before there was a trainer. Workspaces that libraries keep count, as in a process of
    its own.
    """
    device = steps.trainer.device
    if device.type != "cuda":
        return Bytes()
    steps.trainer.net.zero_grad()
    _clear()
    torch.cuda.reset_peak_memory_stats(device)
    for _ in range(STEPS):
        steps.whole()
    images = _images(steps)
    return Bytes(
        max(0, torch.cuda.max_memory_allocated(device) - before.allocated - images),
        max(0, torch.cuda.max_memory_reserved(device) - before.reserved - images),
    )


def peak(network: Network, batch: int, device: str, precision: str) -> int:
    """The most bytes that a trainer of `network` has allocated on a CUDA device, without the images."""
    before = in_use(device)
    steps = Steps(network, batch, device, precision)
    steps.warm_up(0)
    return most(steps, before).allocated


def _images(steps: Steps) -> int:
    trainer = steps.trainer
    held = (trainer.train_images, trainer.train_labels, trainer.test_images, trainer.test_labels)
    return sum(tensor.nbytes for tensor in held)


def _clear() -> None:
    """Give back what nobody uses, the workspaces of cuBLAS too: the next product of matrices makes them anew."""
    gc.collect()
    torch.cuda.synchronize()
    torch._C._cuda_clearCublasWorkspaces()
    torch.cuda.empty_cache()
