"""The safetensors file format: eight bytes with the length of a JSON header, the header, the tensors' bytes.

Nothing is ever unpickled. The library of that name reads these files too; it is not needed here, so that a
training server needs nothing beside PyTorch. Format: https://huggingface.co/docs/safetensors.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Texts = Mapping[str, str]
_MOST_HEADER = 100_000_000
_ALIGNMENT = 8


class Entry(NamedTuple):
    """One tensor in a file: its data type ("F32", "I64", ...), its shape, and where its bytes begin and end."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Layout(NamedTuple):
    """What a file's header says."""

    metadata: dict[str, str]
    tensors: dict[str, Entry]


def read_layout(path: Path) -> Layout:
    """The header of a file; `ValueError` if it is damaged, `OSError` if it cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
        if not 2 <= length <= min(_MOST_HEADER, size - 8):
            raise ValueError(f"{path.name} is not a safetensors file")
        header: dict[str, Any] = json.loads(file.read(length))
    start = 8 + length
    about = header.pop("__metadata__", {})
    tensors = {
        name: Entry(entry["dtype"], tuple(entry["shape"]), *(start + at for at in entry["data_offsets"]))
        for name, entry in header.items()
    }
    if any(not start <= entry.begin <= entry.end <= size for entry in tensors.values()):
        raise ValueError(f"{path.name} is cut off")
    return Layout(about, tensors)


def metadata(path: Path) -> dict[str, str]:
    """The texts that were written with the tensors."""
    return read_layout(path).metadata


def write(
    path: Path, tensors: Iterable[tuple[str, str, tuple[int, ...], memoryview]], about: Mapping[str, str]
) -> None:
    """Write tensors given as (name, dtype, shape, bytes), and some texts about them."""
    items = list(tensors)
    header: dict[str, Any] = {"__metadata__": dict(about)}
    offset = 0
    for name, dtype, shape, content in items:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + content.nbytes]}
        offset += content.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for *_, content in items:
            file.write(content)
