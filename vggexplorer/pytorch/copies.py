"""Pictures of a data set that are the same, or look the same.

A copy is the same to the pixel as the network gets it, whatever the file is called or how it is packed. What looks the
same is found by a difference hash (N. Krawetz, "Kind of Like That", 2013): a picture saved again, made smaller or a
little lighter keeps which of its parts is lighter than the next.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

GRID = 16
"""A hash compares so many parts of a picture's width and height with the next one."""
BITS = 2 * GRID**2
LIGHTER = 2 / 255
"""By how much a part is lighter than the next for it to count; less is noise of a file's packing."""
NEAR = 15
"""The most bits of `BITS` in which two pictures that look the same differ.

Pictures made from noise of every smoothness are that near to themselves saved again as JPEG of quality 40, made smaller
by a fifth or 5 % lighter; different ones are more than six times as far apart (`tests/pytorch/test_copies.py`).
"""
PLAIN = 32
"""A picture with fewer bits than that is hardly more than one colour; it is near to none."""
MOST = 10_000
"""The most pictures that are compared, each with each."""
_AT_ONCE = 1000


def digest(image: Tensor) -> bytes:
    """The same for pictures (uint8) that are the same to the pixel."""
    return blake2b(image.contiguous().numpy().tobytes(), digest_size=16).digest()


def copied(digests: Sequence[bytes]) -> list[bool]:
    """Of each of these pictures whether there is another that is the same."""
    counts = Counter(digests)
    return [counts[each] > 1 for each in digests]


def hashes(grey: Tensor) -> Tensor:
    """The difference hashes of grey pictures (n, 1, h, w) of values from 0 to 1: n x `BITS`, booleans."""
    wide, high = (interpolate(grey, size, mode="bilinear", antialias=True)[:, 0] for size in _SIZES)
    return torch.cat([(wide.diff(dim=2) > LIGHTER).flatten(1), (high.diff(dim=1) > LIGHTER).flatten(1)], 1)


_SIZES = (GRID, GRID + 1), (GRID + 1, GRID)


class Pair(NamedTuple):
    """The places of two pictures that look the same, and in how many bits their hashes differ."""

    distance: int
    one: int
    other: int


def near(hashed: Tensor) -> list[Pair]:
    """The pairs of pictures that look the same, the most alike first."""
    signs = 2 * hashed.float() - 1
    compared = hashed.sum(1) >= PLAIN
    found = []
    for start in range(0, len(signs), _AT_ONCE):
        apart = (BITS - signs[start : start + _AT_ONCE] @ signs.T) / 2
        alike = (apart <= NEAR) & compared & compared[start : start + _AT_ONCE, None]
        for row, column in alike.triu(start + 1).nonzero().tolist():
            found.append(Pair(int(apart[row, column]), start + row, column))
    return sorted(found)
