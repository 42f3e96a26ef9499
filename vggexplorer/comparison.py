"""Several networks side by side, under one input: ratios, stages of equal resolution, and why one costs more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log2, prod
from types import MappingProxyType
from typing import Any, NamedTuple

from vggexplorer.architectures import Architecture, Network
from vggexplorer.catalogue import fill
from vggexplorer.errors import InputError, ShapeError, reason_from_json, reason_to_json
from vggexplorer.formatting import exact, percent, ratio, short
from vggexplorer.layers import Kind, Shape, shape_text
from vggexplorer.summary import Row, Summary, Totals, add_up, summarize
from vggexplorer.text import title


class Entry(NamedTuple):
    """One network of a comparison: its summary, or why it has none for the common input."""

    name: str
    network: Network
    summary: Summary | None
    error: InputError | None


def compare(architectures: Iterable[Architecture], input_shape: Shape, num_classes: int) -> list[Entry]:
    """All architectures under the same input and number of classes; one that cannot take the input says why."""
    entries = []
    for architecture in architectures:
        network = Network(replace(architecture, num_classes=num_classes), input_shape)
        try:
            entries.append(Entry(title(network), network, summarize(*network), None))
        except InputError as error:
            entries.append(Entry(title(network), network, None, error))
    return entries


# --- stages ------------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """The blocks of a network that work at about the same resolution.

    `halvings` says at which: the input's sides divided by about 2 ** halvings. None is the part from
    Flatten on. `shapes` are the outputs of its convolutions' blocks.
    """

    halvings: int | None
    convolutions: int
    shapes: tuple[Shape, ...]
    totals: Totals


def stages(summary: Summary) -> dict[int | None, Stage]:
    """The stages of a network by their resolution, so that networks can be aligned.

    A block, or a convolution with what follows it, belongs to round(log2(input side / side of its first
    convolution's output)), with the geometric mean of height and width as the side.
    """
    rows: dict[int | None, list[Row]] = {}
    at: int | None = 0
    for group in summary.groups():
        if group.rows[0].kind == Kind.CONV2D:
            at = round(log2(prod(summary.input_shape[1:]) / prod(group.rows[0].output_shape[1:])) / 2)
        elif group.rows[0].part == "fc":
            at = None
        rows.setdefault(at, []).extend(group.rows)
    return {at: _stage(at, tuple(members)) for at, members in rows.items()}


def _stage(halvings: int | None, rows: tuple[Row, ...]) -> Stage:
    convolutions = [row for row in rows if row.kind == Kind.CONV2D]
    shapes = tuple(dict.fromkeys(row.output_shape for row in convolutions))
    return Stage(halvings, len(convolutions), shapes, add_up(rows))


# --- why -----------------------------------------------------------------------------------------------


class Remark(NamedTuple):
    """A sentence with its figures apart, so that it can be shown in another language."""

    template: str
    values: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return fill(self.template, **self.values)


def remark_to_json(remark: Remark) -> dict[str, Any]:
    """The sentence with its template and values apart, as `reason_to_json` writes a reason."""
    return reason_to_json(InputError(remark.template, **remark.values))


def remark_from_json(data: Mapping[str, Any]) -> Remark:
    """The sentence that `remark_to_json` wrote; `ValueError` if it is none."""
    reason = reason_from_json(data)
    return Remark(reason.template, reason.values)


def why(first: Entry, second: Entry) -> list[Remark]:
    """Why one of two networks computes more and needs more memory than the other, in computed sentences.

    The first one is the answer in short. Empty if one of them cannot take the input.
    """
    if not (first.summary and second.summary):
        return []
    (less, a), (more, b) = sorted(
        ((first.name, first.summary), (second.name, second.summary)), key=lambda item: item[1].totals.macs
    )
    names = {"more": more, "less": less}
    if a.totals == b.totals:
        return [Remark("{more} and {less} cost the same.", names)]
    remarks = [*_headline(a, b), _totals(a, b)]
    if _weights(a) and _weights(b):
        remarks += _compute(a, b)
    remarks += [*_parameters(a, b), *_memory(a, b)]
    return [Remark(remark.template, {**names, **remark.values}) for remark in remarks]


def _headline(a: Summary, b: Summary) -> list[Remark]:
    """Why `b` computes more, where convolutions are most of what it computes."""
    if not (_weights(a) and _weights(b)) or a.totals.macs == b.totals.macs or 2 * b.totals.conv_macs < b.totals.macs:
        return []
    return [
        Remark(
            "{more} does {macs} the MACs of {less}: its convolutions hold {weights} the weights and use each at "
            "{positions} the positions.",
            {
                "macs": ratio(b.totals.macs, a.totals.macs),
                "weights": ratio(_weights(b), _weights(a)),
                "positions": ratio(_uses(b), _uses(a)),
            },
        )
    ]


def _uses(summary: Summary) -> float:
    """At how many positions a weight of the convolutions is used, on average."""
    return summary.totals.conv_macs / _weights(summary)


def _totals(a: Summary, b: Summary) -> Remark:
    own, base = b.totals, a.totals
    return Remark(
        "{more} has {params} the parameters, {macs} the MACs and {activations} the activations of {less}.",
        {
            "params": ratio(own.params, base.params),
            "macs": ratio(own.macs, base.macs),
            "activations": ratio(own.activations, base.activations),
        },
    )


def _weights(summary: Summary) -> int:
    """Weights of the convolutions without biases."""
    return sum(row.weights for row in summary.rows if row.kind == Kind.CONV2D)


def _compute(a: Summary, b: Summary) -> list[Remark]:
    remarks = [
        Remark(
            "A convolution uses each weight once per position. {more} has {weights} the convolution weights and uses "
            "each at {own} {own:position|positions} on average, {less} at {base}: together {macs} the MACs in "
            "convolutions.",
            {
                "weights": ratio(_weights(b), _weights(a)),
                "own": short(round(_uses(b))),
                "base": short(round(_uses(a))),
                "macs": ratio(b.totals.conv_macs, a.totals.conv_macs),
            },
        )
    ]
    return remarks + _resolution(a, b) + _largest_stage(a, b)


def _first(summary: Summary) -> Row:
    return next(row for row in summary.rows if row.kind == Kind.CONV2D)


def _resolution(a: Summary, b: Summary) -> list[Remark]:
    own, base = _first(b).output_shape, _first(a).output_shape
    if prod(own[1:]) == prod(base[1:]):
        return []
    return [
        Remark(
            "The first convolution of {less} (stride {stride}) leaves {base}, that of {more} {own}: "
            "{positions} the positions for what follows.",
            {
                "stride": getattr(_first(a).layer, "stride", 1),
                "base": shape_text(base),
                "own": shape_text(own),
                "positions": ratio(prod(own[1:]), prod(base[1:])),
            },
        )
    ]


def _largest_stage(a: Summary, b: Summary) -> list[Remark]:
    own, base = stages(b), stages(a)
    gains = {
        at: stage.totals.macs - (base[at].totals.macs if at in base else 0)
        for at, stage in own.items()
        if at is not None and stage.convolutions
    }
    at = max(gains, key=gains.__getitem__)
    difference = b.totals.macs - a.totals.macs
    if difference <= 0 or gains[at] <= 0:
        return []
    return [
        Remark(
            "The largest part of the difference, {gain} MACs, is at about {side}: {more} has {own} "
            "{own:convolution|convolutions} there and does {macs} MACs, {less} has {base} and does {others}.",
            {
                "gain": short(gains[at]),
                "side": shape_text(own[at].shapes[0][1:]),
                "own": own[at].convolutions,
                "macs": short(own[at].totals.macs),
                "base": base[at].convolutions if at in base else 0,
                "others": short(base[at].totals.macs) if at in base else 0,
            },
        )
    ]


def _linear(summary: Summary) -> Row | None:
    return next((row for row in summary.rows if row.kind == Kind.LINEAR), None)


def _parameters(a: Summary, b: Summary) -> list[Remark]:
    own, base = _linear(b), _linear(a)
    if not (own and base):
        return _without_linear(own, base)
    return [
        Remark(
            "The first linear layer of {more} has {own_in} {own_in:input|inputs} and {own} parameters "
            "({own_share} of the network's); that of {less} {base_in} {base_in:input|inputs} and {base} "
            "({base_share}).",
            {
                "own_in": exact(own.input_shape[0]),
                "own": short(own.params),
                "own_share": percent(own.params, b.totals.params),
                "base_in": exact(base.input_shape[0]),
                "base": short(base.params),
                "base_share": percent(base.params, a.totals.params),
            },
        )
    ]


def _without_linear(more: Row | None, less: Row | None) -> list[Remark]:
    """What the fully connected layers are of the one network that has any."""
    row = more or less
    if row is None:
        return []
    values = {"count": exact(row.input_shape[0]), "params": short(row.params)}
    if more:
        return [
            Remark(
                "{less} has no linear layer; the first one of {more} has {count} {count:input|inputs} and {params} "
                "parameters.",
                values,
            )
        ]
    return [
        Remark(
            "{more} has no linear layer; the first one of {less} has {count} {count:input|inputs} and {params} "
            "parameters.",
            values,
        )
    ]


def _memory(a: Summary, b: Summary) -> list[Remark]:
    own, base = (max(summary.rows, key=lambda row: row.activations) for summary in (b, a))
    values = {
        "own": shape_text(own.output_shape),
        "own_count": short(own.activations),
        "base": shape_text(base.output_shape),
        "base_count": short(base.activations),
    }
    largest = Remark(
        "Training keeps the activations. The largest of {more} is {own} "
        "({own_count} {own_count:element|elements}), of {less} {base} ({base_count}).",
        values,
    )
    if own.block is None:
        return [largest]
    block = sum(row.activations for row in b.rows if row.block == own.block)
    return [
        Remark(
            "Training keeps the activations. The largest of {more} is {own} "
            "({own_count} {own_count:element|elements}), of {less} {base} ({base_count}); its block alone holds "
            "{share} of all activations of {more}.",
            values | {"share": percent(block, b.totals.activations)},
        )
    ]


# --- over input sizes ------------------------------------------------------------------------------------


def sweep(architecture: Architecture, channels: int, sides: Sequence[int]) -> list[Totals | None]:
    """The totals for square inputs of each of `sides`; None where the network cannot take the input."""
    return [_at(architecture, (channels, side, side)) for side in sides]


def _at(architecture: Architecture, shape: Shape) -> Totals | None:
    try:
        return summarize(architecture, shape).totals
    except ShapeError:
        return None
