"""The time that a training takes on a device that was measured: from work, rates and the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, prod
from typing import Any, NamedTuple

from vggexplorer.forecast.memory import SINGLE, Added, _passes, tested_at_once
from vggexplorer.layers import Kind
from vggexplorer.summary import Row, Summary


class Work(NamedTuple):
    """What one layer does in one direction for a batch: multiply-accumulates, and bytes moved.

    `macs` counts output channels up to full vectors of `LANES`, since that is how they are computed; pooling and
    normalising compute those numbers one by one that do not fill a vector, and only they count. `bytes` are the input
    and the output, `weights` those of the weights, which are reordered besides. `fresh` are those bytes of new
    blocks that a CPU's system must provide page by page.
    """

    macs: int
    bytes: int
    weights: int
    fresh: int

    @property
    def moved(self) -> int:
        """All bytes that are read or written."""
        return self.bytes + self.weights


class Rate(NamedTuple):
    """What a kind of work costs on a device, in seconds: for each MAC, each byte of either sort, and each layer."""

    macs: float
    bytes: float
    weights: float
    fresh: float
    overhead: float

    def seconds(self, work: Work) -> float:
        """How long `work` takes.

        A roofline takes the larger of arithmetic and bytes; within a layer, the two hardly overlap on the processors
        that we measured, and their sum is nearer.
        """
        moved = work.bytes * self.bytes + work.weights * self.weights + work.fresh * self.fresh
        return work.macs * self.macs + moved + self.overhead


NOTHING = Rate(0, 0, 0, 0, 0)
LANES = 16
"""Numbers in a vector register: libraries fill up the channels of an output to a multiple of it."""
FEW = 4
"""Up to so many input channels count as an image's: libraries have a way of their own for the first layer."""
LARGE_BLOCK = 32 * 2**20
"""Bytes from which on the C library asks the system for each block anew (mallopt(3), DEFAULT_MMAP_THRESHOLD_MAX)."""
STEM, RESIZE, UPDATE, STEP, ANY = "stem", "resize", "update", "step", "any"
"""Kinds of work beside the layers': first convolutions, a batch made of images, the optimizer, the rest of a step."""


class Rest(Enum):
    """How channels that do not fill a vector are computed: as if they did, number by number, or as all others are."""

    FILLED = "filled"
    ONE_BY_ONE = "one by one"
    ALIKE = "alike"


_REST = {
    Kind.CONV2D: Rest.FILLED,
    Kind.MAX_POOL2D: Rest.ONE_BY_ONE,
    Kind.AVG_POOL2D: Rest.ONE_BY_ONE,
    Kind.ADAPTIVE_AVG_POOL2D: Rest.ALIKE,
    Kind.BATCH_NORM2D: Rest.ONE_BY_ONE,
    Kind.BATCH_NORM1D: Rest.ALIKE,
    Kind.LOCAL_RESPONSE_NORM: Rest.ALIKE,
    Kind.RELU: Rest.ALIKE,
    Kind.LEAKY_RELU: Rest.ALIKE,
    Kind.GELU: Rest.ALIKE,
    Kind.SILU: Rest.ALIKE,
    Kind.SIGMOID: Rest.ALIKE,
    Kind.TANH: Rest.ALIKE,
    Kind.DROPOUT: Rest.ALIKE,
    Kind.FLATTEN: Rest.ALIKE,
    Kind.LINEAR: Rest.ALIKE,
}


_LIKE = {
    Kind.LEAKY_RELU: Kind.RELU,
    Kind.GELU: Kind.SIGMOID,
    Kind.SILU: Kind.SIGMOID,
    Kind.TANH: Kind.SIGMOID,
    Kind.BATCH_NORM1D: Kind.BATCH_NORM2D,
}
"""Kinds that are not measured, and those that are and cost about the same."""


def kind_of_work(row: Row) -> str:
    """The kind under which a layer's rates are kept."""
    return STEM if row.kind == Kind.CONV2D and row.input_shape[0] <= FEW else _LIKE.get(row.kind, row.kind)


def works(summary: Summary, batch: int, precision: str, *, gpu: bool = False) -> list[tuple[Work, Work]]:
    """What every layer does, forward and backward.

    The backward pass is counted with the forward pass's figures (but for fresh blocks: the gradients of the input and
    of the weights): it has rates of its own.
    """
    both = []
    for row, each in zip(summary.rows, _passes(summary.rows, batch, precision, gpu), strict=True):
        macs = batch * row.macs
        channels = row.output_shape[0]
        if _REST[row.kind] is Rest.ONE_BY_ONE:
            macs = batch * prod(row.input_shape) * (channels % LANES) // channels
        elif _REST[row.kind] is Rest.FILLED:
            macs = macs // channels * _filled(channels) * _filled_groups(row)
        weights = SINGLE * each.params
        moved = each.entering + each.leaving
        forward = Work(macs, moved, weights, _fresh(each.leaving))
        both.append((forward, Work(macs, moved, weights, _fresh(each.entering) + _fresh(weights))))
    return both


def _filled(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _filled_groups(row: Row) -> int:
    """How many times as much a convolution computes as each of its groups, by itself, has input channels for.

    Grouped convolutions are not measured. On two cores, in float32, those of 1 to 128 channels a group took 0.8 to 3.6
    times what this makes of the rate of one without groups, forward, and up to 37 times what their multiplications
    alone would.
    """
    groups = getattr(row.layer, "groups", 1)
    own = row.input_shape[0] // groups
    return 1 if groups == 1 else -(-_filled(own) // own)


def _fresh(block: int) -> int:
    return block if block >= LARGE_BLOCK else 0


def resizing(summary: Summary, batch: int) -> Work:
    """Making a batch out of images of bytes."""
    return Work(0, SINGLE * batch * prod(summary.input_shape), 0, 0)


def updating(summary: Summary, kept: int = 0) -> Work:
    """One step of the optimizer: gradients are read, weights and `kept` numbers for each read and written."""
    return Work(0, 0, SINGLE * summary.totals.params * (3 + 2 * kept), 0)


PARTIAL = 0.6
"""The least spread of a calibration of which measurements are missing. After four of its twelve networks, the steps of
nine in ten of the others were within it, half of them within 0.15 (two busy cores, three times)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of a device: rates by precision and kind of work, forward and backward.

    `context` bytes are in use before there is a network, `start` seconds pass before the first step. `spread` is the
    relative error that a forecast of time may well have. `missing` measurements in a precision were not made, as their
    time was up or they were stopped. `measured` is false for figures from a data sheet. `added` is what a GPU takes
    beside tensors, by precision, if that was measured. What another PyTorch or another version of this program has
    measured is `outdated`.
    """

    title: str
    gpu: bool
    rates: Mapping[str, Mapping[str, tuple[Rate, Rate]]]
    context: int
    start: float
    spread: float
    missing: Mapping[str, int] = field(default_factory=dict)
    measured: bool = True
    added: Mapping[str, Added] = field(default_factory=dict)
    outdated: bool = False

    def partial(self, precision: str) -> bool:
        """Whether measurements in this precision are missing; as good as all are, if it is outdated."""
        return self.outdated or self.missing.get(precision, 0) > 0

    def range(self, precision: str) -> float:
        """The relative error that a forecast of time in this precision may well have."""
        return max(self.spread, PARTIAL) if self.partial(precision) else self.spread

    def rate(self, precision: str, kind: str) -> tuple[Rate, Rate]:
        """The rates of a kind of work, forward and backward."""
        rates = self.rates[precision]
        return rates.get(kind) or rates[ANY]

    def to_json(self) -> dict[str, Any]:
        """What a file of calibrations holds."""
        return {
            "title": self.title,
            "gpu": self.gpu,
            "rates": {
                key: {kind: [list(rate) for rate in both] for kind, both in kinds.items()}
                for key, kinds in self.rates.items()
            },
            "context": self.context,
            "start": self.start,
            "spread": self.spread,
            "missing": dict(self.missing),
            "measured": self.measured,
            "added": {key: list(added) for key, added in self.added.items()},
            "outdated": self.outdated,
        }

    @staticmethod
    def from_json(data: Any) -> "Calibration":
        """The calibration that `to_json` wrote; `ValueError`, `TypeError` or `KeyError` if it is damaged.

        One of a version that did not measure what is added has nothing of it.
        """
        rates = {
            key: {
                kind: (Rate(*map(float, forward)), Rate(*map(float, backward)))
                for kind, (forward, backward) in kinds.items()
            }
            for key, kinds in data["rates"].items()
        }
        if not rates or not all(ANY in kinds for kinds in rates.values()):
            raise ValueError("no rates")
        numbers = (int(data["context"]), float(data["start"]), float(data["spread"]))
        missing = {str(key): int(count) for key, count in data["missing"].items()}
        added = {str(key): _added(*each) for key, each in data.get("added", {}).items()}
        measured, outdated = bool(data["measured"]), bool(data.get("outdated"))
        return Calibration(str(data["title"]), bool(data["gpu"]), rates, *numbers, missing, measured, added, outdated)


def _added(libraries: Any, copies: Any, cached: Any, spread: Any) -> Added:
    return Added(int(libraries), float(copies), int(cached), float(spread))


class LayerTime(NamedTuple):
    """Seconds of one layer for a batch."""

    forward: float
    backward: float


def layer_times(summary: Summary, batch: int, precision: str, calibration: Calibration) -> list[LayerTime]:
    """How long every layer takes, forward and backward."""
    times = []
    for row, (forward, backward) in zip(
        summary.rows, works(summary, batch, precision, gpu=calibration.gpu), strict=True
    ):
        rates = calibration.rate(precision, kind_of_work(row))
        times.append(LayerTime(rates[0].seconds(forward), rates[1].seconds(backward)))
    return times


FEWEST_ESTIMATED = 192
"""Training images that batch norm's statistics are estimated from, if there are so many. Of the quick demo's 3,000, ten
times as many gave no better tests."""
ESTIMATED = 1 / 20
"""The share of many images: to go forward through them takes a sixtieth of an epoch, of the quick demo's a fiftieth."""


def estimated_from(examples: int) -> int:
    """How many of so many training images batch norm's statistics are estimated from before a test."""
    return min(examples, max(FEWEST_ESTIMATED, int(examples * ESTIMATED)))


class Time(NamedTuple):
    """Seconds: of a step, of an epoch with its test, and of all; `low` to `high` is where `total` may well be."""

    step: float
    epoch: float
    total: float
    low: float
    high: float


def training_time(
    summary: Summary,
    batch: int,
    precision: str,
    calibration: Calibration,
    *,
    epochs: int,
    examples: int,
    tests: int,
    kept: int = 0,
) -> Time:
    """How long it takes to train on `examples` images and to test on `tests` after each epoch."""
    times = layer_times(summary, batch, precision, calibration)
    resize = calibration.rate(precision, RESIZE)[0]
    update = calibration.rate(precision, UPDATE)[0]
    step = (
        sum(map(sum, times))
        + resize.seconds(resizing(summary, batch))
        + update.seconds(updating(summary, kept))
        + calibration.rate(precision, STEP)[0].overhead
    )
    tested = tested_at_once(batch)
    test = sum(each.forward for each in layer_times(summary, tested, precision, calibration))
    test += resize.seconds(resizing(summary, tested))
    epoch = ceil(examples / batch) * step + tests / tested * test
    total = calibration.start + epochs * epoch
    spread = calibration.range(precision)
    return Time(step, epoch, total, total / (1 + spread), total * (1 + spread))
