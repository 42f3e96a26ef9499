"""What PyTorch raises in a training, as sentences: what people can do something about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vggexplorer.errors import InputError
from vggexplorer.pytorch import distributed
from vggexplorer.runs.config import Config

NO_MEMORY = re.compile("out of memory|can't allocate memory|not enough memory|ALLOC_FAILED")
"""In the messages of CUDA, of the allocators for the processor on Linux and Windows, of cuDNN and cuBLAS."""
_NO_ANSWER = re.compile("CUDA error|CUDA driver|CUDNN_STATUS|CUBLAS_STATUS|CUFFT_|MPS backend|Metal")
"""In the messages of a device that is lost, reset or unplugged in the middle of its work."""
_NOT_EXACT = re.compile("deterministic implementation|Deterministic behavior was enabled|unable to find an engine")
"""In the messages of PyTorch about what it has no deterministic algorithm for."""


def of_memory(error: Exception) -> bool:
    """Whether the memory was not enough."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or (isinstance(error, RuntimeError) and bool(NO_MEMORY.search(str(error))))


def first_line(error: Exception) -> str:
    """The beginning of what an error says, for a sentence of ours."""
    return str(error).strip().partition("\n")[0][:300].rstrip(".")


@contextmanager
def in_a_sentence(config: Config, world: int) -> Iterator[None]:
    """Around a training of one of `world` processes: `InputError` for what is known to go wrong in one."""
    try:
        yield
    except (RuntimeError, MemoryError, ValueError) as error:
        if said := _sentence(error, config, world):
            raise said from error
        raise


def _sentence(error: Exception, config: Config, world: int) -> InputError | None:
    """What to say of `error`; None if it is not known."""
    device, text = config.device, str(error)
    if of_memory(error):
        return InputError(
            "The memory of {device} is not enough; a smaller batch, a smaller input or a smaller width helps.",
            device=device,
        )
    if isinstance(error, ValueError):
        few = "more than 1 value per channel" in text
        return InputError("Batch norm needs more than one example in a batch.") if few else None
    if config.training.exact and _NOT_EXACT.search(text):
        return InputError(
            "PyTorch cannot train this network exactly on the device {device}: {reason}. Without the option exact bits "
            "it can.",
            device=device,
            reason=first_line(error),
        )
    if world > 1 and isinstance(error, RuntimeError) and (lost := distributed.lost(error)):
        return lost
    if _NO_ANSWER.search(text):
        return InputError(
            "The device {device} does not answer any more: {reason}. Resume the run once it does; a smaller batch, "
            "input or width is a lighter load.",
            device=device,
            reason=first_line(error),
        )
    return None
