"""The safetensors file format: eight bytes with the length of a JSON header, the header, the tensors' bytes.

Nothing is ever unpickled. The library of that name reads these files too; it is not needed here, so that a
training server needs nothing beside PyTorch. Format: https://huggingface.co/docs/safetensors. What we write has
a checksum of header and tensors among the header's texts.
"""

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8}
"""The bytes of one element, by data type; those that our files have."""
_MOST_HEADER = 4 * 2**20
"""Bytes; ours have some kilobytes. Of the format's own limit, 100 MB, Python would make gigabytes."""
_MOST_DIMENSIONS = 64
_ALIGNMENT = 8
_CHECKSUM = "crc32"
_BLANK = "00000000"
_BEFORE_CHECKSUM = json.dumps({"__metadata__": {_CHECKSUM: _BLANK}}).partition(_BLANK)[0].encode()
"""What the header of each of our files begins with."""


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
    sizes = (begin, end, *shape)
    if len(sizes) > _MOST_DIMENSIONS or not all(type(number) is int and 0 <= number < 2**63 for number in sizes):
        raise ValueError("not a size")
    if end - begin != math.prod(shape) * BYTES[entry["dtype"]]:
        raise ValueError("the size does not fit the shape")
    return Entry(entry["dtype"], shape, start + begin, start + end)


def metadata(path: Path) -> dict[str, str]:
    """The texts that were written with the tensors."""
    return {name: text for name, text in read_layout(path).metadata.items() if name != _CHECKSUM}


def check(name: str, content: memoryview) -> None:
    """Raise `ValueError` if a file that we wrote (its `content`, all bytes) has changed since; others pass."""
    (length,) = struct.unpack("<Q", content[:8])
    header = bytes(content[8 : 8 + length])
    end = len(_BEFORE_CHECKSUM) + len(_BLANK)
    if header.startswith(_BEFORE_CHECKSUM):
        blank = _BEFORE_CHECKSUM + _BLANK.encode() + header[end:]
        found = f"{zlib.crc32(content[8 + length :], zlib.crc32(blank)):08x}"
        if found.encode() != header[len(_BEFORE_CHECKSUM) : end]:
            raise ValueError(f"{name} was damaged after it was written")


def write(
    path: Path, tensors: Iterable[tuple[str, str, tuple[int, ...], memoryview]], about: Mapping[str, str]
) -> None:
    """Write tensors given as (name, dtype, shape, bytes), and some texts about them."""
    items = list(tensors)
    header: dict[str, Any] = {"__metadata__": {_CHECKSUM: _BLANK, **about}}
    offset = 0
    for name, dtype, shape, content in items:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + content.nbytes]}
        offset += content.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    checksum = zlib.crc32(text)
    for *_, content in items:
        checksum = zlib.crc32(content, checksum)
    text = text.replace(_BLANK.encode(), f"{checksum:08x}".encode(), 1)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for *_, content in items:
            file.write(content)
