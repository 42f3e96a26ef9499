"""Where the names of points in a chart stand, so that they do not cover each other."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

DIRECTIONS = ((0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Right and up, from the point; the first that is free is taken, of the nearest ones first."""
DISTANCES = (0, 14, 28, 42, 60, 80)
"""Pixels between a point's mark and its name."""
_WIDE, _NARROW, _HEIGHT = 13.0, 7.0, 15.0
_MARK = 7.0
"""Half of a mark's width and height in pixels."""


class Box(NamedTuple):
    """A rectangle on the screen, in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: "Box") -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.top - self.bottom)


class Spot(NamedTuple):
    """Where the middle of a name is, right of its point and above it, and whether it is so far that it needs a line."""

    right: float
    up: float
    line: bool


class _Name(NamedTuple):
    """A name at a spot: the room it takes, and what its line to the point passes."""

    spot: Spot
    box: Box
    line: tuple[Box, ...]


def place(points: Sequence[tuple[float, float]], names: Sequence[str], page: Box) -> list[Spot]:
    """A spot for the name of each point, in pixels; the first points choose first."""
    marks = [_around(*point, _MARK) for point in points]
    taken = list(marks)
    chosen = []
    for point, mark, name in zip(points, marks, names, strict=True):
        best = _first_least(_candidates(point, name), partial(_covered, taken, mark, page))
        taken += [best.box, *best.line]
        chosen.append(best.spot)
    return chosen


def _first_least(names: Iterator[_Name], cost: Callable[[_Name], float]) -> _Name:
    """The first one that covers nothing (less than a pixel), else the one that covers least."""
    best = next(names)
    least = cost(best)
    while least >= 1 and (name := next(names, None)):
        if (own := cost(name)) < least:
            best, least = name, own
    return best


def _around(x: float, y: float, half: float) -> Box:
    return Box(x - half, y - half, x + half, y + half)


def _covered(taken: Sequence[Box], mark: Box, page: Box, name: _Name) -> float:
    """The area of what a name would cover, its line included, and of what of it would not be on the page."""
    crossed = sum(each.shared(other) for each in name.line for other in taken if other is not mark)
    return sum(map(name.box.shared, taken)) + name.box.area - name.box.shared(page) + crossed


def _candidates(point: tuple[float, float], name: str) -> Iterator[_Name]:
    half = sum(_WIDE if ord(letter) > 0x2E80 else _NARROW for letter in name) / 2
    for distance, (right, up) in product(DISTANCES, DIRECTIONS):
        spot = Spot(right * (_MARK + distance + half), up * (_MARK + distance + _HEIGHT / 2), distance > 0)
        x, y = point[0] + spot.right, point[1] + spot.up
        yield _Name(spot, Box(x - half, y - _HEIGHT / 2, x + half, y + _HEIGHT / 2), _line(point, spot))


def _line(point: tuple[float, float], spot: Spot) -> tuple[Box, ...]:
    """Some places along the line from a point to its name, before it reaches the name."""
    if not spot.line:
        return ()
    end = 1 - _HEIGHT / 2 / (abs(spot.up) or 1e9)
    return tuple(
        _around(point[0] + share * end * spot.right, point[1] + share * end * spot.up, 2.0)
        for share in (0.2, 0.4, 0.6, 0.8)
    )
