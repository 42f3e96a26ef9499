"""The safetensors file format: eight bytes with the length of a JSON header, the header, the tensors' bytes.

Nothing is ever unpickled. The library of that name reads these files too; it is not needed here, so that a
training server needs nothing beside PyTorch. Format: https://huggingface.co/docs/safetensors.
"""

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8}
"""The bytes of one element, by data type; those that our files have."""
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
        content = file.read(length)
    start = 8 + length
    try:
        header: dict[str, Any] = json.loads(content)
        about = {str(name): str(text) for name, text in header.pop("__metadata__", {}).items()}
        tensors = {name: _entry(entry, start) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path.name} has a damaged header") from error
    if any(entry.end > size for entry in tensors.values()):
        raise ValueError(f"{path.name} is cut off")
    return Layout(about, tensors)


def _entry(entry: Any, start: int) -> Entry:
    """A tensor's entry, its offsets from the beginning of the file; `ValueError` unless they fit its shape."""
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
        raise ValueError("not a size")
    if end - begin != math.prod(shape) * BYTES[entry["dtype"]]:
        raise ValueError("the size does not fit the shape")
    return Entry(entry["dtype"], shape, start + begin, start + end)


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
