"""What is measured of a device: steps of small networks, in which order, and about how long that takes."""

import hashlib
from collections.abc import Iterable
from math import isfinite
from typing import Any, NamedTuple

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.forecast.time import LayerTime
from vggexplorer.runs.devices import Device
from vggexplorer.summary import summarize

BUDGET, FEWEST, MOST = 0.2, 3, 10
"""Seconds for the steps of a probe, before and while they are taken apart, and within which number of them."""
AGAIN = FEWEST + 1
"""The steps of a second look."""
LOADING, BUILDING = 5.0, 0.1
"""Seconds until PyTorch is loaded and a network is built, about."""


FIRST = 5
"""The probes from which on there are rates."""


class Probe(NamedTuple):
    """A network that is measured, and with which batch."""

    network: Network
    batch: int


PROBES = (
    # The first one is small: what the process takes beside it is the context.
    Probe(NETWORKS["LeNet"], 32),
    # Blocks of more than 32 MiB, of maps and of weights. What is touched here need not be provided again.
    Probe(
        Network(
            Architecture((Block(1, 16, pool_type="avg"), Block(1, 24)), Head("adaptive", hidden=()), batch_norm=True),
            (1, 104, 104),
        ),
        64,
    ),
    Probe(
        Network(
            Architecture(
                (
                    Block(1, 32, kernel_size=5, pool=(3, 2)),
                    Block(1, 64, pool_type="avg"),
                    Block(1, 96, kernel_size=1, pool=None),
                    Block(2, 160),
                ),
                Head("gap", hidden=(256,)),
                batch_norm=True,
            ),
            (1, 64, 64),
        ),
        32,
    ),
    Probe(Network(Architecture((Block(1, 16, lrn=True), Block(1, 32, lrn=True)), Head(hidden=())), (1, 40, 40)), 32),
    # Computing is most of it: without it the rate of arithmetic follows from steps that memory limits.
    Probe(Network(Architecture((Block(1, 64), Block(2, 384)), Head(hidden=(2048,))), (3, 20, 20)), 16),
    Probe(
        Network(
            Architecture(
                (Block(2, 24, pool_type="avg"), Block(1, 40, kernel_size=7)), Head(hidden=()), activation="sigmoid"
            ),
            (1, 48, 48),
        ),
        64,
    ),
    Probe(
        Network(
            Architecture(
                (Block(1, 64, kernel_size=5), Block(1, 128), Block(1, 256, kernel_size=1), Block(1, 384, kernel_size=5))
            ),
            (1, 32, 32),
        ),
        32,
    ),
    # Layers of which hardly more than the call is left.
    Probe(
        Network(
            Architecture(
                (Block(2, 16), Block(2, 32, pool_type="avg"), Block(2, 64)), Head("gap", hidden=(64,)), batch_norm=True
            ),
            (1, 12, 12),
        ),
        16,
    ),
    Probe(Network(Architecture((Block(1, 16), Block(2, 32), Block(2, 64)), Head(hidden=(512,))), (1, 32, 32)), 64),
    Probe(
        Network(
            Architecture(
                (
                    Block(1, 64, kernel_size=11, stride=4, padding=1, pool=(3, 2)),
                    Block(1, 192, kernel_size=5, pool=(3, 2)),
                    Block(1, 256, pool=None),
                ),
                Head("adaptive", hidden=(2048, 1024)),
            ),
            (1, 96, 96),
        ),
        32,
    ),
    Probe(Network(Architecture((Block(2, 48), Block(1, 96)), Head("gap", hidden=())), (1, 80, 80)), 32),
    # Few channels under large kernels, and many on maps of a few pixels.
    Probe(
        Network(
            Architecture(
                (Block(2, 8, kernel_size=7, pool=None), Block(1, 8, kernel_size=11), Block(2, 16, kernel_size=1)),
                Head("gap", hidden=()),
                batch_norm=True,
            ),
            (1, 40, 40),
        ),
        64,
    ),
)
"""In this order: of those that are left after the first ones, the forecasts are best that way."""


class Look(NamedTuple):
    """A measurement: steps of a probe (its place in `PROBES`) are taken apart; or, `again`, some more whole ones are
    made some seconds later, since the machine may have been busy, or slower for a while, at the first ones."""

    precision: str
    probe: int
    again: bool


class Seen(NamedTuple):
    """What a look has found, in seconds: the median whole step; of a first look its parts; how long it took.

    Of a first look on a GPU, the most bytes of a step that were `allocated` and `reserved`, without the images of the
    data set; 0 where that was not measured.
    """

    look: Look
    whole: float
    took: float
    resize: float = 0.0
    update: float = 0.0
    layers: tuple[LayerTime, ...] = ()
    allocated: int = 0
    reserved: int = 0

    @staticmethod
    def from_json(data: Any) -> "Seen":
        """The one that JSON made a list; `ValueError` or `TypeError` if it is damaged."""
        (precision, probe, again), whole, took, resize, update, layers, *peaks = data
        found = Seen(
            Look(str(precision), int(probe), bool(again)),
            *(float(whole), float(took), float(resize), float(update)),
            tuple(LayerTime(*map(float, each)) for each in layers),
            *map(int, peaks),
        )
        rows = 0 if again else len(summarize(*PROBES[found.look.probe].network).rows)
        figures = (
            found.whole,
            found.took,
            found.resize,
            found.update,
            *(each for pair in found.layers for each in pair),
            *(found.allocated, found.reserved),
        )
        if len(found.layers) != rows or not all(isfinite(each) and each >= 0 for each in figures):
            raise ValueError("no measurement")
        return found


def looks(device: Device) -> list[Look]:
    """All that is measured, the most useful first: in the precision that a run has unless one asks for the other."""
    precisions = ["float32"] if device.name == "mps" else sorted(("float32", "bfloat16"), key=device.precision.__ne__)
    return [
        Look(precision, probe, again)
        for precision in precisions
        for again in (False, True)
        for probe in range(len(PROBES))
    ]


def first_looks(precision: str) -> list[Look]:
    """The fewest from which on there are rates in a precision."""
    return [Look(precision, probe, False) for probe in range(FIRST)]


def rounds(step: float) -> int:
    """How many steps of so many seconds are measured."""
    return max(FEWEST, min(int(BUDGET / step), MOST))


def seconds(device: Device, wanted: Iterable[Look]) -> float:
    """About how long these looks take together on a device that nobody else uses."""
    return sum(_seconds(device, look) for look in wanted)


def _seconds(device: Device, look: Look) -> float:
    step = step_seconds(device, *PROBES[look.probe], look.precision)
    if look.again:
        return AGAIN * step
    return BUILDING + max(BUDGET, 2 * step) + 2 * rounds(step) * step


def step_seconds(device: Device, network: Network, batch: int, precision: str) -> float:
    """About how long a step takes on a device of which no more is known than a short measurement."""
    return device.speed(precision).step(network, batch)


def version() -> str:
    """Tells one set of probes from the next."""
    return hashlib.sha256(repr(PROBES).encode()).hexdigest()[:16]
