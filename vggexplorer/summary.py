"""A network's costs, layer by layer: plain integer arithmetic on shapes, in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Literal, NamedTuple

from vggexplorer.architectures import MAX_SIDE, Architecture, check_shape
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.layers import Kind, Layer, Shape, shape_text

DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
"""Bytes of one element."""


class Row(NamedTuple):
    """One layer with its costs for one example.

    `receptive_field` (the side, in input pixels, of the square that one output pixel sees) and
    `stride` (how many input pixels lie between two neighbouring output pixels) are None from Flatten
    on. Where adaptive pooling's bins differ, they are those of the largest bin, and `stride` is None.
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

    @property
    def weights(self) -> int:
        """The parameters of a convolution or a linear layer without its biases."""
        return prod(self.layer.param_terms(self.input_shape)[0])


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

    def groups(self) -> Iterator[Group]:
        """Rows grouped by block, as the book's listing prints them (13 lines for VGG-11)."""
        for key, rows in groupby(self.rows, key=lambda row: row.name if row.block is None else row.block):
            yield Group(key if isinstance(key, int) else None, tuple(rows))

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
    Raises `ShapeError`, naming the layer and the smallest legal input, if the input is too small, and
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
            raise _too_small(architecture, layer, block, shape, error) from error
        activations = prod(output)
        if part == "conv":
            if name == "flatten":
                part, field, stride, activations = "fc", None, None, 0
            else:
                window, step = layer.field(shape)
                field += (window - 1) * stride  # type: ignore[operator]
                stride = step and stride * step  # type: ignore[operator]
        rows.append(row((name, block, layer, part, shape, output, params, macs, activations, field, stride)))
        shape = output
    return Summary(architecture, input_shape, tuple(rows), add_up(rows))


def _too_small(
    architecture: Architecture, layer: Layer, block: int | None, shape: Shape, reason: ShapeError
) -> ShapeError:
    smallest = architecture.min_side()
    if smallest <= MAX_SIDE:
        advice = InputError("The smallest input for this network is {side}×{side}.", side=smallest)
    else:
        advice = InputError("No input up to {side}×{side} is large enough: take out a pool or a stride.", side=MAX_SIDE)
    return ShapeError(
        "{kind} of block {block} cannot take {shape}: {reason}. {advice}",
        kind=layer.kind,
        block=(block or 0) + 1,
        shape=shape_text(shape),
        reason=reason,
        advice=advice,
    )
