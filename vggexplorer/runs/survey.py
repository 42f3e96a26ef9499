"""What a data set holds, as a network will get it: `vggexplorer.pytorch.survey` is asked, which reads all pictures."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vggexplorer.comparison import Remark, remark_from_json
from vggexplorer.errors import InputError
from vggexplorer.processes import NoAnswerError, answer
from vggexplorer.runs.config import Config

EVEN = 1.05
"""Up to so many times as many pictures as of the rarest class are about as many."""
ROLLS = 4
"""How many rolls of the dice are told at once."""
Picture = dict[str, Any]
"""A picture for a page, as `pytorch/look.py` makes it."""


class Balance(NamedTuple):
    """How evenly the training pictures are spread over the classes.

    `ratio` is how many times as many there are of the `largest` class as of the `smallest` one; `vote` is the share of
    the test pictures that a network gets right which takes everything for the largest class, None without a test.
    """

    largest: str
    smallest: str
    ratio: float
    vote: float | None

    @property
    def even(self) -> bool:
        """Whether there are about as many of each."""
        return self.ratio <= EVEN


def balance(counts: Mapping[str, tuple[int, int]]) -> Balance:
    """That of classes with so many pictures, at least one each, to train and to test on."""
    largest = max(counts, key=lambda name: counts[name][0])
    smallest = min(counts, key=lambda name: counts[name][0])
    tested = sum(test for _, test in counts.values())
    ratio = counts[largest][0] / counts[smallest][0]
    return Balance(largest, smallest, ratio, counts[largest][1] / tested if tested else None)


class Sizes(NamedTuple):
    """How large the pictures of a folder are, before they get the network's size; each is height x width.

    Of `looked_at` pictures so many are `enlarged`, since they are smaller on both sides, or `squeezed`, since their
    sides have another ratio (by more than a tenth). The median is that of the pictures ordered by their pixels.
    """

    looked_at: int
    smallest: tuple[int, ...]
    median: tuple[int, ...]
    largest: tuple[int, ...]
    enlarged: int
    squeezed: int


class Near(NamedTuple):
    """Two pictures that look alike, and in how many bits their hashes differ.

    Each has its class, its part (train or test) and its file, if it has one.
    """

    distance: int
    pictures: tuple[Picture, Picture]
    classes: tuple[str, str]
    parts: tuple[str, str]
    files: tuple[str, str]


class Survey(NamedTuple):
    """What a data set holds.

    `counts` are those of the pictures that can be used, by class, before a training leaves some out; `mean` and
    `spread` (standard deviation) are of the training pictures' levels, from 0 to 1, by channel. Two pictures that are
    not the same look alike if at most `distance` of the `bits` of their hashes differ. Of `compared` pictures `alike`
    look like another one, `across` of these like one in the other part; `nearest` are the most alike.
    """

    counts: dict[str, tuple[int, int]]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    sizes: Sizes | None
    said: tuple[Remark, ...]
    odd: tuple[str, ...]
    num_odd: int
    distance: int
    bits: int
    compared: int
    alike: int
    across: int
    nearest: tuple[Near, ...]


class Shown(NamedTuple):
    """A training picture as the network gets it, with its class."""

    picture: Picture
    name: str


def survey(config: Config, stop: threading.Event | None = None) -> Survey:
    """What the data set of `config` holds; `stop` as in `processes.ask`. `InputError` if it cannot be used."""
    found = _ask(config, stop)
    return Survey(
        counts={name: (train, test) for name, train, test in found["counts"]},
        mean=tuple(found["mean"]),
        spread=tuple(found["spread"]),
        sizes=_sizes(found["sizes"]) if found["sizes"] else None,
        said=tuple(map(remark_from_json, found["said"])),
        odd=tuple(found["odd"]),
        num_odd=found["num_odd"],
        distance=found["distance"],
        bits=found["bits"],
        compared=found["compared"],
        alike=found["alike"],
        across=found["across"],
        nearest=tuple(Near(distance, *map(tuple, rest)) for distance, *rest in found["nearest"]),
    )


def _sizes(found: Sequence[Any]) -> Sizes:
    looked_at, smallest, median, largest, *counts = found
    return Sizes(looked_at, tuple(smallest), tuple(median), tuple(largest), *counts)


def rolls(config: Config, first: int, stop: threading.Event | None = None) -> list[list[Shown]]:
    """Some training pictures as the network of `config` will get them, drawn by chance, again and again.

    The same roll, counted from 0, is the same pictures, changed alike; `first` is that of the first list.
    """
    return [[Shown(*each) for each in roll] for roll in _ask(config, stop, "--roll", str(first))["rolls"]]


def _ask(config: Config, stop: threading.Event | None, *arguments: str) -> dict[str, Any]:
    given = json.dumps(config.to_json()).encode()
    try:
        return answer("vggexplorer.pytorch.survey", *arguments, given=given, stop=stop)
    except NoAnswerError as error:
        raise InputError("PyTorch could not be asked: {reason}", reason=error) from error
