"""What a trainer computes on: its device, its threads, and what is to be known of them."""

import torch

from vggexplorer.errors import InputError
from vggexplorer.processes import peak_memory, processor_name, processors


def best() -> str:
    """The name of the device that a run takes if it is left open."""
    return "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def opened(name: str) -> torch.device:
    """The device, which has answered; `InputError` if it cannot be used."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            "The device {name} cannot be used: {reason}", name=name, reason=str(error).partition("\n")[0]
        ) from error
    return device


def threads(local_world: int = 1) -> int:
    """As many as PyTorch likes, but not more than there are processors for this process, of so many on this host.

    More threads than processors are many times slower.
    """
    most = min(torch.get_num_threads(), processors())
    return most if local_world == 1 else min(most, processors() // local_world)


def title(device: torch.device) -> str | None:
    """What its maker calls it."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_properties(device).name)
    return processor_name() if device.type == "cpu" else None


def uuid(device: torch.device) -> str | None:
    """What tells a GPU from others of its kind; None where PyTorch does not know."""
    found = getattr(torch.cuda.get_device_properties(device), "uuid", None)
    return f"GPU-{found}" if found else None


def wait(device: torch.device) -> None:
    """Until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory(device: torch.device) -> int | None:
    """The most bytes that were in use: on a GPU those of tensors, else all of this process."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
