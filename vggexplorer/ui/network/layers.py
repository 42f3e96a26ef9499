"""The layers of a network as data: the drawing, the table that opens by block, the inspector of the selected layer."""

from typing import Any, cast

from vggexplorer.drawing import ENGLISH, Failure, Quantity, Words, draw
from vggexplorer.explain import explain
from vggexplorer.formatting import exact, percent, size
from vggexplorer.layers import Kind, shape_text
from vggexplorer.summary import DTYPES, Group, Row, Summary, Totals
from vggexplorer.ui.i18n import capital, t
from vggexplorer.ui.link import COUNTS
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current


def selected(summary: Summary) -> Row:
    """The layer that was chosen, if it still exists; else the one with the most parameters."""
    name = session.get("layer")
    row = summary.rows[0] if name == "input" else summary.row(name or "")
    return row or max(summary.rows, key=lambda row: row.params)


def drawn(summary: Summary) -> dict[str, Any]:
    """The network as a drawing whose parts can be selected, coloured as the person wants it."""
    return {"shade": current().shade, **pictures(summary, selected(summary).name)}


def pictures(summary: Summary, chosen: str | None = None, failure: Failure | None = None) -> dict[str, Any]:
    """The drawing for any width: the browser knows its own."""
    words = Words(*map(t, ENGLISH))
    shade = None if failure else cast(Quantity, current().shade) or None
    wide, narrow = (draw(summary, chosen, words, "vgg", failure, shade, each) for each in (False, True))
    return {"svg": wide, "narrow": {"svg": narrow}}


def listed(summary: Summary) -> dict[str, Any]:
    """The layer table: a line for each block or layer of the head, each block opens to its layers."""
    totals, count = summary.totals, current().count
    groups = list(summary.groups())
    return {
        "columns": [t("Layer"), t("Output shape"), t("Parameters"), count, t("Activations"), t("Receptive field")],
        "groups": [_group(number, group, totals) for number, group in enumerate(groups)],
        "total": {"label": t("Total"), "cells": _cells("", totals, ""), "shares": []},
        "selected": selected(summary).name,
        "words": {
            "open": t("open all {count} layers", count=len(summary.rows)),
            "close": t("close to {count} lines", count=len(groups)),
            "alt": t("Layers with their output shapes and costs"),
        },
    }


def _group(number: int, group: Group, totals: Totals) -> dict[str, Any]:
    last = group.rows[-1]
    return {
        "id": str(number),
        "label": "" if group.block is None else _block_label(group),
        "rows": [_row(row, totals) for row in group.rows],
        **_line(last, group.totals, totals),
    }


def _block_label(group: Group) -> str:
    convolutions = sum(row.kind == Kind.CONV2D for row in group.rows)
    text = t("Block {number}", number=(group.block or 0) + 1)
    return f"{text} · {convolutions} × Conv2d {group.rows[0].output_shape[0]}"


def _row(row: Row, totals: Totals) -> dict[str, Any]:
    hint = row.name if row.name != row.kind.lower() else ""
    return {"name": row.name, "label": row.kind, "hint": hint, **_line(row, row, totals)}


def _line(last: Row, own: Row | Totals, whole: Totals) -> dict[str, Any]:
    """What stands in a line whose output is that of `last` and whose costs are `own`, with their shares of `whole`."""
    field = "–" if last.receptive_field is None else str(last.receptive_field)
    parts = (own.params, whole.params), (own.macs, whole.macs), (own.activations, whole.activations)
    return {
        "cells": _cells(shape_text(last.output_shape), own, field),
        "shares": [
            [percent(part, all_of_it), round(part / (all_of_it or 1), 4)] if part else None for part, all_of_it in parts
        ],
        "part": last.part,
    }


def _cells(shape: str, own: Row | Totals, field: str) -> list[str]:
    return [shape, exact(own.params), exact(own.macs * COUNTS[current().count]), exact(own.activations), field]


# --- the inspector of one layer ----------------------------------------------------------------------------


def inspected(summary: Summary) -> dict[str, Any]:
    """The selected layer: what it is, its figures with their formulas, and what it sees of the input."""
    row = selected(summary)
    figures = [*(_figure(*figure) for figure in explain(summary, row)), *_memory(row), *_shares_of(summary, row)]
    block = "" if row.block is None else t("block {number}", number=row.block + 1)
    height, width = summary.input_shape[1:]
    field = row.receptive_field
    return {
        "kind": row.kind,
        "part": row.part if row.params else "",
        "name": row.name,
        "block": block,
        "shapes": f"{shape_text(row.input_shape)} → {shape_text(row.output_shape)}",
        "figures": figures,
        "field": None if field is None else {"side": field, "input": [height, width]},
    }


_Column = tuple[str, str, str]
"""A figure of a layer: what it is, its value, how it is computed."""


def _figure(quantity: str, value: int, formula: str | None) -> _Column:
    count = current().count
    if quantity == "MACs" and count == "FLOPs":
        quantity, value, formula = count, 2 * value, formula and f"2 × {formula}"
    return capital(t(quantity)), exact(value), formula or "–"


def _memory(row: Row) -> list[_Column]:
    state = current()
    element = DTYPES[state.dtype]
    value = size(row.activations * state.batch * element)
    return [(t("Memory"), value, f"{exact(row.activations)} × {state.batch} × {element} B")] if row.activations else []


def _shares_of(summary: Summary, row: Row) -> list[_Column]:
    count, totals = current().count, summary.totals
    times = COUNTS[count]
    return [
        _share(t("% of parameters"), row.params, totals.params),
        _share(t("% of {count}", count=count), row.macs * times, totals.macs * times),
    ]


def _share(label: str, part: int, whole: int) -> _Column:
    return label, percent(part, whole), f"{exact(part)} / {exact(whole)}"
