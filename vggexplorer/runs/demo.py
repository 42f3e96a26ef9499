"""The rows of the quick demo: how much is trained, and which of them a device gets.

They were found by experiment, with the slim VGG-11 on the sample: `benchmarks/quick_demo.py` trains each with five
seeds, `benchmarks/results/quick_demo.md` says what they reached.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.forecast.speed import By, Speed
from vggexplorer.formatting import duration, exact

AIM, MOST = 24.0, 30.0
"""Seconds that a row may take by its estimate, and above which the person is told so before it starts."""
TEST = 5
"""The steps that take as long as a test."""
SIGMOID = 15
"""With XL the book's LeNet reached 0.77 to 0.80 (seeds 11 to 15) at that rate, and 0.56 (seed 11) without."""


class Row(NamedTuple):
    """So many images of a height and width of `side`, so many times."""

    name: str
    side: int
    images: int
    epochs: int
    batch: int = 64
    lr: float = 0.02
    schedule: str = "linear"

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.epochs * -(-self.images // self.batch)

    def input_of(self, network: Network, side: int = 0) -> int:
        """The height and width of its pictures: `side`, or the row's, or the smallest that the network can take."""
        return side or max(self.side, network.architecture.min_side())

    def lr_of(self, network: Network) -> float:
        """Its learning rate: `SIGMOID` times as much for a network of that activation, whose gradients are small."""
        return round(self.lr * (SIGMOID if network.architecture.activation == "sigmoid" else 1), 3)


# The least of seeds 11 to 20 of XS is 0.828. With 2,000 images it was 0.796, in batches of 48 0.805 (seeds 11 to 13).
# The falling rate is worth most: over 6,000 images twice, the worst of seeds 0 to 2 reached 0.863, and 0.734 with a
# constant one. Without batch norm and momentum nothing is learned in this time.
USUAL = Row("S", 32, 3000, 3)
"""Where the speed of the device is not known; the largest where all that is known is what the processor is."""
ROWS = (Row("XS", 32, 2400, 3), USUAL, Row("M", 32, 6000, 2), Row("L", 32, 6000, 3), Row("XL", 48, 6000, 3))
"""From the least work to the most."""
OF_ROW = frozenset(("images", "epochs", "batch_size", "lr", "schedule"))
"""The fields of a training that a row decides, beside the input size."""
GUESSED = 2
"""How many times as long, or as short, a row may take of which no more is known than what the processor is."""


class Picked(NamedTuple):
    """A row, and about how many seconds it takes, and by what that is known; None where it is not."""

    row: Row
    seconds: float | None
    by: By | None = None

    @property
    def long(self) -> bool:
        """Whether it takes too long, and not only may."""
        return (self.seconds or 0) > (GUESSED * MOST if self.by is By.PROCESSOR else MOST)

    def said(self, changes: Collection[str] = ()) -> Iterator[Remark]:
        """What it is and why; if it takes long, what to do about that; nothing if `changes` make another of it."""
        if not OF_ROW.isdisjoint(changes):
            return
        yield self._why()
        if self.long:
            yield Remark(
                "That is more than {most} s. A time budget of {most} s (--time-budget {most}) ends it in time, with "
                "less learned.",
                {"most": f"{MOST:.0f}"},
            )

    def _why(self) -> Remark:
        row = self.row
        values = {"row": row.name, "images": exact(row.images), "epochs": row.epochs}
        if self.seconds is None:
            return Remark(
                "Row {row} of the quick demo: {images} images, {epochs} times. How fast this device trains is not "
                "known yet.",
                values,
            )
        values |= {"time": _about(self.seconds)}
        if self.by is By.PROCESSOR:
            return Remark(
                "Row {row} of the quick demo: {images} images, {epochs} times, about {time} by what this processor is, "
                "if nothing else computes; maybe half or twice as long. Nothing was measured yet.",
                values,
            )
        if self.by is By.RUNS:
            return Remark(
                "Row {row} of the quick demo: {images} images, {epochs} times, about {time}, as earlier runs went "
                "here.",
                values,
            )
        if row == ROWS[-1]:
            return Remark(
                "Row {row} of the quick demo: {images} images, {epochs} times, about {time} by a short measurement. It "
                "is the largest.",
                values,
            )
        if row == ROWS[0]:
            return Remark(
                "Row {row} of the quick demo: {images} images, {epochs} times, about {time} by a short measurement. It "
                "is the smallest.",
                values,
            )
        return Remark(
            "Row {row} of the quick demo: {images} images, {epochs} times, about {time} by a short measurement. The "
            "next one takes too long.",
            values,
        )


def _about(seconds: float) -> str:
    return f"{max(1.0, seconds):.0f} s" if seconds < 100 else duration(seconds)


def seconds(row: Row, network: Network, speed: Speed, side: int = 0) -> float:
    """About how long a row takes with a network; `InputError` if it cannot take such pictures."""
    pixels = row.input_of(network, side)
    step = speed.step(network._replace(input_shape=(network.input_shape[0], pixels, pixels)), row.batch)
    return step * (row.steps + TEST * row.epochs)


@lru_cache(maxsize=4096)
def pick(network: Network, speed: Speed | None, side: int = 0) -> Picked:
    """The largest row that a device does within `AIM`, else the smallest; `USUAL` where its speed is not known.

    It depends on nothing else. `side` is the input size that was asked for, 0 if none was. By what the processor is,
    none is larger than `USUAL`.
    """
    if speed is None:
        return Picked(USUAL, None)
    rows = ROWS[: ROWS.index(USUAL) + 1] if speed.by is By.PROCESSOR else ROWS
    try:
        taken = [Picked(row, seconds(row, network, speed, side), speed.by) for row in rows]
    except InputError:  # a network that takes no such pictures: the config says so
        return Picked(USUAL, None)
    return next((each for each in reversed(taken) if (each.seconds or 0) <= AIM), taken[0])


def heaviest(networks: Iterable[Network], speed: Speed | None, side: int = 0) -> Network | None:
    """The network that has the smallest row, for all that are compared; None where the speed is not known."""

    def weight(network: Network) -> tuple[int, float]:
        found = pick(network, speed, side)
        return -ROWS.index(found.row), found.seconds or 0

    return max(networks, key=weight, default=None) if speed else None
