"""Memory and time of a training before it starts: arithmetic on a summary, checked against PyTorch by the tests.

Everything here is a function of the network's summary, the batch, the precision ("float32" or "bfloat16"), the
optimizer and the device; what differs from machine to machine comes in as a `Calibration`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, prod
from typing import Any, NamedTuple

from vggexplorer.layers import Kind
from vggexplorer.summary import DTYPES, Row, Summary

SINGLE = DTYPES["float32"]
"""Bytes of a number in float32: weights, gradients and images always are."""

TEST_BATCHES = (32, 500)
"""The fewest and the most images that are tested at once."""
HEAP_SHARE, HEAP_MOST = 0.25, 150 * 2**20
"""What the heap of a process on a CPU keeps in holes, as a share of what is in use, and at most. The C library gives
blocks below 32 MiB back to the system only from the heap's end, and of that it keeps 64 MiB (mallopt(3):
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD). From 55 to 284 MiB were seen; with a fixed threshold of 128 KiB there are none."""


class Memory(NamedTuple):
    """Bytes by component at the moment when most is in use; they add up to `total`.

    `weights` has the copies in bfloat16, where that is the precision. `activations` is what autograd keeps for the
    backward pass; in inference, the largest input and output of a layer. `workspace` is what passes: gradients of
    activations, copies in another precision; and the heap's holes. `data` are the images on the device, `context`
    what the process (on a CPU) or the libraries (on a GPU) take before there is a network.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    data: int
    workspace: int
    context: int

    @property
    def total(self) -> int:
        """The sum of the components."""
        return sum(self)


COMPONENTS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "momentum",
    "activations": "activations kept for the backward pass",
    "data": "images on the device",
    "workspace": "workspace",
    "context": "PyTorch itself",
}
"""The components of memory, as people read them."""


class _Pass(NamedTuple):
    """One layer for a batch, in bytes.

    `kept` is what autograd keeps from this layer on, until its backward pass is done; `entering` and `leaving` are
    what comes in and goes out, `loose` the part of both that nobody keeps, `passing` what comes and goes in the
    backward pass; `copies` its weights in bfloat16.
    """

    kept: int
    entering: int
    leaving: int
    loose: int
    passing: int
    params: int
    copies: int


def _passes(rows: Sequence[Row], batch: int, precision: str, gpu: bool) -> list[_Pass]:
    """All layers in order. What two layers keep is counted with the first: it is the last to release it."""
    low = DTYPES[precision]
    width = SINGLE  # bytes of an element of what reaches the layer
    held = False  # whether that is kept already
    passes = []
    for row in rows:
        keeps = row.layer.kept(row.input_shape, gpu)
        if row.layer.autocast == "lower" and width != low:
            width, held = low, False
        entering = batch * prod(row.input_shape) * width
        kept = batch * (keeps.elements * width + keeps.octets) + keeps.once
        loose = 0
        if keeps.input and not held:
            kept += entering
        elif not held:
            loose += entering
        if row.layer.autocast == "float32":
            width = SINGLE
        leaving = batch * prod(row.output_shape) * width
        if keeps.view:
            leaving, held = 0, held or keeps.input
        else:
            held = keeps.output
            kept += leaving * held
            loose += leaving * (not held)
        copies = row.params * low if row.layer.autocast == "lower" and low != SINGLE else 0
        passes.append(_Pass(kept, entering, leaving, loose, batch * keeps.passing, row.params, copies))
    return passes


def activations(summary: Summary, batch: int, precision: str, *, gpu: bool = False) -> int:
    """Bytes that autograd keeps for the backward pass of a batch: every storage once, the network's parameters and
    their running statistics not counted, the input and (in bfloat16) its copy counted where a layer keeps them.

    It is what `torch.autograd.graph.saved_tensors_hooks` shows of the forward pass, without the loss.
    """
    return sum(each.kept for each in _passes(summary.rows, batch, precision, gpu))


def training_memory(
    summary: Summary,
    batch: int,
    precision: str,
    *,
    momentum: bool = False,
    gpu: bool = False,
    data: int = 0,
    context: int = 0,
) -> Memory:
    """Memory of the trainer at its peak: a walk through a step, forward and backward, layer by layer.

    The backward pass frees what autograd kept, layer by layer, and makes the gradients; these stay until the next step
    begins, and the network is tested beside them. `data` and `context` are bytes.
    """
    passes = _passes(summary.rows, batch, precision, gpu)
    params = SINGLE * summary.totals.params
    optimizer = params if momentum else 0
    most = max((*_training(passes), _Moment(0, params, 0, _testing(summary, batch, precision, gpu))), key=sum)
    pictures = 0 if precision == "float32" else SINGLE * batch * prod(summary.input_shape)  # else autograd keeps them
    holes = 0 if gpu else min(HEAP_MOST, int(HEAP_SHARE * (params + optimizer + sum(most) + pictures)))
    return Memory(
        weights=params + most.copies,
        gradients=most.gradients,
        optimizer=optimizer,
        activations=most.kept,
        data=data,
        workspace=most.passing + pictures + holes,
        context=context,
    )


class _Moment(NamedTuple):
    """What is there at one moment of a step beside the weights, in bytes."""

    copies: int
    gradients: int
    kept: int
    passing: int


def _training(passes: Sequence[_Pass]) -> Iterator[_Moment]:
    """The moments of a step at which it may have the most."""
    copies = kept = made = 0
    for each in passes:
        kept += each.kept
        copies += each.copies
        yield _Moment(copies, 0, kept, each.loose)
    for number in range(len(passes) - 1, -1, -1):
        each = passes[number]
        entering = each.entering if number else 0  # nobody needs the gradient of the images
        passing = each.leaving + entering + each.passing
        if each.copies:  # the gradient comes in bfloat16; it is made float32 when its layer has let go of the rest
            yield _Moment(copies, made, kept, passing + each.copies)
            made += SINGLE * each.params
            yield _Moment(copies, made, kept - each.kept, entering)
        else:
            made += SINGLE * each.params
            yield _Moment(copies, made, kept, passing)
        kept -= each.kept
        copies -= each.copies


def _testing(summary: Summary, batch: int, precision: str, gpu: bool) -> int:
    """What a forward pass on test images takes beside the weights."""
    tested = inference_memory(summary, tested_at_once(batch), precision, gpu=gpu)
    return tested.total - SINGLE * summary.totals.params


def tested_at_once(batch: int) -> int:
    """How many images are tested at once: as many as trained on, whose memory is known to do, within bounds."""
    fewest, most = TEST_BATCHES
    return max(fewest, min(batch, most))


def inference_memory(
    summary: Summary, batch: int, precision: str, *, gpu: bool = False, data: int = 0, context: int = 0
) -> Memory:
    """Memory of a forward pass without gradients: only one layer's input and output are there at once."""
    passes = _passes(summary.rows, batch, precision, gpu)
    copies = sum(each.copies for each in passes)
    images = SINGLE * batch * prod(summary.input_shape)
    largest = max(each.entering + each.leaving for each in passes)
    return Memory(SINGLE * summary.totals.params + copies, 0, 0, largest, data, images, context)


# --- time ---------------------------------------------------------------------------------------------------


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
    Kind.LOCAL_RESPONSE_NORM: Rest.ALIKE,
    Kind.RELU: Rest.ALIKE,
    Kind.SIGMOID: Rest.ALIKE,
    Kind.DROPOUT: Rest.ALIKE,
    Kind.FLATTEN: Rest.ALIKE,
    Kind.LINEAR: Rest.ALIKE,
}


def kind_of_work(row: Row) -> str:
    """The kind under which a layer's rates are kept."""
    return STEM if row.kind == Kind.CONV2D and row.input_shape[0] <= FEW else row.kind


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
            macs = macs // channels * -(-channels // LANES) * LANES
        weights = SINGLE * each.params
        moved = each.entering + each.leaving
        forward = Work(macs, moved, weights, _fresh(each.leaving))
        both.append((forward, Work(macs, moved, weights, _fresh(each.entering) + _fresh(weights))))
    return both


def _fresh(block: int) -> int:
    return block if block >= LARGE_BLOCK else 0


def resizing(summary: Summary, batch: int) -> Work:
    """Making a batch out of images of bytes."""
    return Work(0, SINGLE * batch * prod(summary.input_shape), 0, 0)


def updating(summary: Summary, momentum: bool) -> Work:
    """One step of the optimizer: weights are read and written, gradients read, momenta read and written."""
    return Work(0, 0, SINGLE * summary.totals.params * (5 if momentum else 3), 0)


PARTIAL = 0.6
"""The least spread of a calibration of which measurements are missing. After four of its twelve networks, the steps of
nine in ten of the others were within it, half of them within 0.15 (two busy cores, three times)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of a device: rates by precision and kind of work, forward and backward.

    `context` bytes are in use before there is a network, `start` seconds pass before the first step. `spread` is the
    relative error that a forecast of time may well have. `missing` measurements in a precision were not made, as their
    time was up or they were stopped. `measured` is false for figures from a data sheet.
    """

    title: str
    gpu: bool
    rates: Mapping[str, Mapping[str, tuple[Rate, Rate]]]
    context: int
    start: float
    spread: float
    missing: Mapping[str, int] = field(default_factory=dict)
    measured: bool = True

    def partial(self, precision: str) -> bool:
        """Whether measurements in this precision are missing."""
        return self.missing.get(precision, 0) > 0

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
        }

    @staticmethod
    def from_json(data: Any) -> "Calibration":
        """The calibration that `to_json` wrote; `ValueError`, `TypeError` or `KeyError` if it is damaged."""
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
        return Calibration(str(data["title"]), bool(data["gpu"]), rates, *numbers, missing, bool(data["measured"]))


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
    momentum: bool = False,
) -> Time:
    """How long it takes to train on `examples` images and to test on `tests` after each epoch."""
    times = layer_times(summary, batch, precision, calibration)
    resize = calibration.rate(precision, RESIZE)[0]
    update = calibration.rate(precision, UPDATE)[0]
    step = (
        sum(map(sum, times))
        + resize.seconds(resizing(summary, batch))
        + update.seconds(updating(summary, momentum))
        + calibration.rate(precision, STEP)[0].overhead
    )
    tested = tested_at_once(batch)
    test = sum(each.forward for each in layer_times(summary, tested, precision, calibration))
    test += resize.seconds(resizing(summary, tested))
    epoch = ceil(examples / batch) * step + tests / tested * test
    total = calibration.start + epochs * epoch
    spread = calibration.range(precision)
    return Time(step, epoch, total, total / (1 + spread), total * (1 + spread))


# --- devices that are not here --------------------------------------------------------------------------------


class Preset(NamedTuple):
    """A GPU by its data sheet: operations a second in float32 and (0 without tensor cores for it) in bfloat16, bytes
    a second, bytes of memory."""

    title: str
    float32: float
    bfloat16: float
    bandwidth: float
    memory: int


PRESETS = (
    # NVIDIA, "Turing GPU architecture" white paper and the product page: 1536 cores x 2 x 1.77 GHz, GDDR6 at 288 GB/s.
    Preset("GTX 1660 Ti", 5.4e12, 0, 288e9, 6 * 2**30),
    # NVIDIA V100 data sheet (SXM2, 16 GB); its tensor cores know float16, not bfloat16.
    Preset("V100", 15.7e12, 0, 900e9, 16 * 2**30),
    # NVIDIA A100 data sheet (SXM, 80 GB); float32 without TF32.
    Preset("A100", 19.5e12, 312e12, 2039e9, 80 * 2**30),
    # NVIDIA H100 data sheet (SXM), without sparsity; float32 without TF32.
    Preset("H100", 67e12, 989e12, 3.35e12, 80 * 2**30),
)
"""GPUs that a reader may have or rent."""
EFFICIENCY = {"float32": 0.6, "bfloat16": 0.3}
"""The share of a data sheet's figures that training reaches, an estimate. A reader's GTX 1660 Ti trained the book's
slim VGG-11 at 0.68 of them; tensor cores are kept waiting more."""
LAUNCH, REST, START = 15e-6, 1e-3, 8.0
"""Seconds that a GPU takes for each layer and each step whatever its size, and until the first step: estimates."""
GPU_CONTEXT = 500 * 2**20
"""Bytes that CUDA and its libraries take, an estimate."""
ROUGH = 1.0
"""The spread of an estimate from a data sheet: half or twice the time."""


def preset(title: str) -> Calibration | None:
    """The calibration that a data sheet gives for the GPU called `title`, an estimate; None if we have none."""
    return next((_of_data_sheet(found) for found in PRESETS if found.title in title), None)


def _of_data_sheet(found: Preset) -> Calibration:
    rates = {}
    for precision, peak in (("float32", found.float32), ("bfloat16", found.bfloat16)):
        if peak:
            share = EFFICIENCY[precision]
            arithmetic, moving = 2 / (share * peak), 1 / (share * found.bandwidth)
            forward = Rate(arithmetic, moving, moving, 0, LAUNCH)
            backward = Rate(2 * arithmetic, 2 * moving, 2 * moving, 0, LAUNCH)
            rates[precision] = {ANY: (forward, backward), STEP: (NOTHING._replace(overhead=REST), NOTHING)}
    return Calibration(found.title, True, rates, GPU_CONTEXT, START, ROUGH, measured=False)
