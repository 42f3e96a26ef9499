"""A network's costs, layer by layer: plain integer arithmetic on shapes, in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any, Literal, NamedTuple

from vggexplorer.architectures import MAX_SIDE, Architecture, Place, check_shape
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.layers import POOLS, Kind, Layer, Shape, shape_text

FEATURES = "features."
"""What the names of the layers before the head begin with."""
DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
"""Bytes of one element."""


class Row(NamedTuple):
    """One layer with its costs for one example.

    `receptive_field` (the side, in input pixels, of the square that one output pixel sees) and
    `stride` (how many input pixels lie between two neighbouring output pixels) are None from Flatten
    on. Where adaptive pooling's bins differ, they are those of the largest bin, and `stride` is None;
    behind a further window that is larger than a pixel, so is `receptive_field`.
    """

    name: str
    block: int | None
    layer: Layer
    part: Literal["conv", "fc"]
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    activations: int
    receptive_field: int | None
    stride: int | None

    @property
    def kind(self) -> Kind:
        """Which kind of layer it is."""
        return self.layer.kind

    def cells(self) -> tuple[Any, ...]:
        """What stands under the `COLUMNS`."""
        block = None if self.block is None else self.block + 1
        costs = (self.params, self.macs, self.activations, self.receptive_field, self.stride)
        return (self.name, str(self.kind), block, self.input_shape, self.output_shape, *costs)

    @property
    def weights(self) -> int:
        """The parameters of a convolution or a linear layer without its biases."""
        return prod(self.layer.param_terms(self.input_shape)[0])


COLUMNS = (
    *("layer", "kind", "block", "input_shape", "output_shape", "params", "macs", "activations"),
    *("receptive_field", "stride"),
)
"""What a table of rows has; headers are the same in every language."""


class Totals(NamedTuple):
    """Sums over rows; `conv_` is everything before Flatten, `fc_` everything from it on."""

    params: int
    conv_params: int
    fc_params: int
    macs: int
    conv_macs: int
    fc_macs: int
    activations: int
    conv_activations: int
    fc_activations: int

    @property
    def flops(self) -> int:
        """2 x MACs: one multiplication and one addition each."""
        return 2 * self.macs


class Group(NamedTuple):
    """The rows of one block, or one row of the head: a line of the book's listing."""

    block: int | None
    rows: tuple[Row, ...]

    @property
    def totals(self) -> Totals:
        """Sums over the group's rows."""
        return add_up(self.rows)


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows of a network for one input shape; they sum to the totals."""

    architecture: Architecture
    input_shape: Shape
    rows: tuple[Row, ...]
    totals: Totals

    @property
    def is_whole(self) -> bool:
        """Whether all layers are there; else they end before the one that cannot take its input."""
        return len(self.rows) == self.architecture.num_layers

    @property
    def reached(self) -> Shape:
        """The shape that comes out of the last row."""
        return self.rows[-1].output_shape if self.rows else self.input_shape

    def groups(self) -> Iterator[Group]:
        """Rows grouped by block, as the book's listing prints them (13 lines for VGG-11)."""
        for key, rows in groupby(self.rows, key=lambda row: row.name if row.block is None else row.block):
            yield Group(key if isinstance(key, int) else None, tuple(rows))

    def frame(self) -> Any:
        """A pandas DataFrame with a line for each layer and the `COLUMNS`: blocks are numbered from 1, shapes tuples.

        What a layer has not is <NA>.
        """
        import pandas  # noqa: PLC0415, TID251 (slow to load, and for this alone)

        frame = pandas.DataFrame([row.cells() for row in self.rows], columns=list(COLUMNS))
        return frame.astype(dict.fromkeys(("block", "receptive_field", "stride"), "Int64"))

    def seen_inside(self) -> tuple[Row, ...]:
        """The layers into which one can look as they train: those before the head, if a convolution is among them."""
        rows = tuple(row for row in self.rows if row.name.startswith(FEATURES))
        return rows if any(row.kind == Kind.CONV2D for row in rows) else ()

    def pipeline(self) -> tuple[Row, ...]:
        """What a picture passes of these: each convolution with all that follows up to the next one, and each pool."""
        rows = self.seen_inside()
        begins = [row.kind == Kind.CONV2D or row.kind in POOLS for row in rows[1:]] + [True]
        return tuple(row for row, ends in zip(rows, begins, strict=True) if ends) if rows else ()

    def row(self, name: str) -> Row | None:
        """The row of the layer called `name`."""
        return next((row for row in self.rows if row.name == name), None)


def add_up(rows: Iterable[Row]) -> Totals:
    """The totals of some rows."""
    sums = {"conv": [0, 0, 0], "fc": [0, 0, 0]}
    for row in rows:
        part = sums[row.part]
        part[0] += row.params
        part[1] += row.macs
        part[2] += row.activations
    conv, fc = sums["conv"], sums["fc"]
    return Totals(
        *(conv[0] + fc[0], conv[0], fc[0]),
        *(conv[1] + fc[1], conv[1], fc[1]),
        *(conv[2] + fc[2], conv[2], fc[2]),
    )


def summarize(architecture: Architecture, input_shape: Shape) -> Summary:
    """What every layer does to an input of `input_shape` = (channels, height, width), and what it costs.

    Activations are the elements of a layer's output for one example, Flatten's (a view) not counted,
    nor the input. The receptive field of a window of size k grows by (k - 1) x the stride so far
    (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019).
    Raises `UnfitError`, naming the layer and the smallest legal input, if the input is too small, and
    `InputError` if it is not a shape of an image within the bounds.
    """
    check_shape(input_shape)
    rows: list[Row] = []
    row = Row._make  # in a third less time than Row(...)
    shape = input_shape
    part: Literal["conv", "fc"] = "conv"
    field: int | None = 1
    stride: int | None = 1
    for name, block, layer in architecture.named_layers():
        try:
            output, params, macs = layer.costs(shape)
        except ShapeError as error:
            so_far = Summary(architecture, input_shape, tuple(rows), add_up(rows))
            raise _unfit(so_far, Place(name, block, layer), shape, error) from error
        activations = prod(output)
        if part == "conv":
            if name == "flatten":
                part, field, stride, activations = "fc", None, None, 0
            else:
                window, step = layer.field(shape)
                if stride:
                    field += (window - 1) * stride  # type: ignore[operator]
                    stride = step and stride * step
                elif window > 1:
                    field = None
        rows.append(row((name, block, layer, part, shape, output, params, macs, activations, field, stride)))
        shape = output
    summary = Summary(architecture, input_shape, tuple(rows), add_up(rows))
    if shape != (architecture.num_classes,):
        raise _no_scores(summary)
    return summary


class UnfitError(ShapeError):
    """A network cannot take its input.

    `so_far` are the layers before the one that fails at `place`, `reason` is why it does. `smallest` is the side of the
    smallest square input that the network can take, None if a larger input is no remedy.
    """

    def __init__(
        self,
        template: str,
        /,
        *,
        so_far: Summary,
        place: Place,
        reason: InputError,
        smallest: int | None,
        **values: Any,
    ) -> None:
        super().__init__(template, **values)
        self.so_far, self.place, self.reason, self.smallest = so_far, place, reason, smallest


def _unfit(so_far: Summary, place: Place, shape: Shape, reason: ShapeError) -> UnfitError:
    """What is said of a layer that cannot take `shape`; with the smallest input, if `shape` is too small for it."""
    complaint = _complaint(place, shape_text(shape), reason)
    smallest = so_far.architecture.min_side()
    if place.layer.min_side(1) <= min(shape[1:]):
        return UnfitError("{complaint}", complaint=complaint, so_far=so_far, place=place, reason=reason, smallest=None)
    if smallest <= MAX_SIDE:
        advice = InputError("The smallest input for this network is {side}×{side}.", side=smallest)
    else:
        advice = InputError("No input up to {side}×{side} is large enough: take out a pool or a stride.", side=MAX_SIDE)
    return UnfitError(
        "{complaint} {advice}",
        complaint=complaint,
        advice=advice,
        so_far=so_far,
        place=place,
        reason=reason,
        smallest=smallest if smallest <= MAX_SIDE else None,
    )


def _complaint(place: Place, shape: str, reason: ShapeError) -> InputError:
    kind = place.layer.kind
    if place.block is None:
        return InputError(
            "{kind} ({name}) cannot take {shape}: {reason}.", kind=kind, name=place.name, shape=shape, reason=reason
        )
    number = place.block + 1
    return InputError(
        "{kind} of block {block} cannot take {shape}: {reason}.", kind=kind, block=number, shape=shape, reason=reason
    )


def _no_scores(summary: Summary) -> UnfitError:
    """What comes out is not a score for each class."""
    number = next(number for number, row in enumerate(summary.rows) if row.kind == Kind.FLATTEN)
    flat, before = summary.rows[number], summary.rows[:number]
    reason = InputError(
        "{scores} {scores:score|scores} for {classes} {classes:class|classes}: before Flatten the maps must be of one "
        "pixel, as behind a global average pool",
        scores=prod(flat.output_shape),
        classes=summary.architecture.num_classes,
    )
    place = Place(flat.name, flat.block, flat.layer)
    so_far = Summary(summary.architecture, summary.input_shape, before, add_up(before))
    return UnfitError("{complaint}.", complaint=reason, so_far=so_far, place=place, reason=reason, smallest=None)
