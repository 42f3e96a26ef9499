"""Tensors in safetensors files, without that library: see `vggexplorer.runs.folder.safetensors`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from vggexplorer.runs.folder import safetensors

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def save(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, str]) -> None:
    """Write tensors of any device, and some texts about them."""
    safetensors.write(path, ((name, *_parts(tensor)) for name, tensor in tensors.items()), about)


def _parts(tensor: torch.Tensor) -> tuple[str, tuple[int, ...], memoryview]:
    plain = tensor.detach().cpu().contiguous()
    flat = plain.reshape(-1)
    content = memoryview(flat.view(torch.uint8).numpy() if len(flat) else b"")  # type: ignore[arg-type]
    return _NAMES[tensor.dtype], tuple(tensor.shape), content


def load(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, on the CPU; `ValueError` if the file is damaged."""
    layout = safetensors.read_layout(path)
    content = np.fromfile(path, dtype=np.uint8)
    safetensors.check(path.name, content.data)
    tensors = {}
    for name, entry in layout.tensors.items():
        tensors[name] = torch.empty(entry.shape, dtype=_DTYPES[entry.dtype])
        if entry.end > entry.begin:
            part = torch.from_numpy(content[entry.begin : entry.end].copy())
            tensors[name].view(-1).copy_(part.view(_DTYPES[entry.dtype]))
    return tensors
