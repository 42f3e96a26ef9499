"""Which pixels of the input one output position of a layer depends on: its receptive field, cut off at the edges."""

from collections.abc import Sequence
from typing import NamedTuple

from vggexplorer.summary import Row, Summary

Span = tuple[int, int] | None
"""The first and the last input pixel along one side; None if only padding is seen."""


class Fields(NamedTuple):
    """The fields of all positions of a layer's output, the same for all of its channels.

    A field is a rectangle: the one at (y, x) has the input rows `rows[y]` and the input columns `columns[x]`. From
    Flatten on there is one position, that of all outputs together.
    """

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]


def fields(summary: Summary, row: Row) -> Fields:
    """The fields of the layer `row` of the network; where a window hangs over an edge, it ends there.

    They grow from layer to layer as the receptive field does (Araujo, Norris and Sim, "Computing Receptive Fields of
    Convolutional Neural Networks", 2019), but padding holds nothing of the picture.
    """
    rows = summary.rows[: summary.rows.index(row) + 1]
    return Fields(_along(rows, 1), _along(rows, 2))


def _along(rows: Sequence[Row], axis: int) -> tuple[Span, ...]:
    """What each position of the last of `rows` sees along one axis of the input's shape."""
    spans: list[Span] = [(place, place) for place in range(rows[0].input_shape[axis])]
    for row in rows:
        size = row.output_shape[axis] if len(row.output_shape) == 3 else 1
        spans = [_union(spans, row.layer.reach(place, len(spans))) for place in range(size)]
    return tuple(spans)


def _union(spans: Sequence[Span], places: range) -> Span:
    seen = [span for place in places if (span := spans[place])]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None
