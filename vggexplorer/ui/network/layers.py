"""The layers of a network: the table that opens by block, and the panel of the selected layer."""

from typing import Any

import streamlit as st

from vggexplorer.drawing import ENGLISH, Words, draw
from vggexplorer.explain import explain
from vggexplorer.formatting import exact, percent, size
from vggexplorer.layers import Kind, shape_text
from vggexplorer.summary import DTYPES, Group, Row, Summary, Totals
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import COUNTS
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current


def selected(summary: Summary) -> Row:
    """The layer that was chosen, if it still exists; else the one with the most parameters."""
    name = session.get("layer")
    row = summary.rows[0] if name == "input" else summary.row(name or "")
    return row or max(summary.rows, key=lambda row: row.params)


def drawing(summary: Summary) -> None:
    """The network as a drawing whose parts can be selected."""
    components.drawing(draw(summary, selected(summary).name, Words(*map(t, ENGLISH))), key="drawing")


def table(summary: Summary) -> None:
    """The layer table: a line for each block or layer of the head, each block opens to its layers."""
    components.table(_table(summary), key="layers")


def _table(summary: Summary) -> dict[str, Any]:
    totals, count = summary.totals, current().count
    groups = list(summary.groups())
    columns = [
        *(t("Layer"), t("Output shape"), t("Parameters"), count, t("Activations"), t("Receptive field")),
        *(t("% of parameters"), t("% of {count}", count=count)),
    ]
    return {
        "columns": columns,
        "groups": [_group(number, group, totals) for number, group in enumerate(groups)],
        "total": {"label": t("Total"), "cells": _cells("", totals, "", totals), "shares": []},
        "selected": selected(summary).name,
        "words": {
            "open": t("open all {count} layers", count=len(summary.rows)),
            "close": t("close to {count} lines", count=len(groups)),
            "alt": t("Layers with their output shapes and costs"),
        },
    }


def _group(number: int, group: Group, totals: Totals) -> dict[str, Any]:
    last = group.rows[-1]
    label = "" if group.block is None else _block_label(group)
    field = last.receptive_field
    return {
        "id": str(number),
        "label": label,
        "cells": _cells(shape_text(last.output_shape), group.totals, _field(field), totals),
        "shares": _shares(group.totals.params, group.totals.macs, totals),
        "rows": [_row(row, totals) for row in group.rows],
    }


def _block_label(group: Group) -> str:
    convolutions = sum(row.kind == Kind.CONV2D for row in group.rows)
    text = t("Block {number}", number=(group.block or 0) + 1)
    return f"{text} · {convolutions} × Conv2d {group.rows[0].output_shape[0]}"


def _row(row: Row, totals: Totals) -> dict[str, Any]:
    numbers = (row.params, row.macs, row.activations)
    return {
        "name": row.name,
        "label": row.kind,
        "hint": row.name if row.name != row.kind.lower() else "",
        "cells": _figures(shape_text(row.output_shape), *numbers, _field(row.receptive_field), totals),
        "shares": _shares(row.params, row.macs, totals),
    }


def _field(field: int | None) -> str:
    return "–" if field is None else str(field)


def _cells(shape: str, part: Totals, field: str, whole: Totals) -> list[str]:
    return _figures(shape, part.params, part.macs, part.activations, field, whole)


def _figures(shape: str, params: int, macs: int, activations: int, field: str, whole: Totals) -> list[str]:
    times = COUNTS[current().count]
    shares = [percent(params, whole.params) if params else "", percent(macs, whole.macs) if macs else ""]
    return [shape, exact(params), exact(macs * times), exact(activations), field, *shares]


def _shares(params: int, macs: int, totals: Totals) -> list[float | None]:
    return [None, None, None, None, None, params / totals.params, macs / totals.macs]


# --- the panel of one layer ------------------------------------------------------------------------------


def panel(summary: Summary) -> None:
    """The selected layer with its numbers, and the formula of each with the figures put in."""
    row = selected(summary)
    columns = [*(_figure(*figure) for figure in explain(summary, row)), *_memory(row), *_shares_of(summary, row)]
    lines = [
        [f":small[{label}]" for label, *_ in columns],
        ["---"] * len(columns),
        [f"**{value}**" for _, value, _ in columns],
        [f":small[{formula}]" for *_, formula in columns],
    ]
    with st.container(key="panel"):  # one text: an element of Streamlit's takes half a millisecond at each edit
        st.markdown("\n".join([_heading(row), "", *("|".join(["", *line, ""]) for line in lines)]))


_Column = tuple[str, str, str]
"""A figure of a layer: what it is, its value, how it is computed."""


def _heading(row: Row) -> str:
    block = "" if row.block is None else f" · {t('block {number}', number=row.block + 1)}"
    shapes = f"{shape_text(row.input_shape)} → {shape_text(row.output_shape)}"
    return f"**{row.kind}**{block} · `{row.name}` · {shapes}"


def _figure(quantity: str, value: int, formula: str | None) -> _Column:
    count = current().count
    if quantity == "MACs" and count == "FLOPs":
        quantity, value, formula = count, 2 * value, formula and f"2 × {formula}"
    return t(quantity), exact(value), formula or "–"


def _memory(row: Row) -> list[_Column]:
    state = current()
    element = DTYPES[state.dtype]
    value = size(row.activations * state.batch * element)
    return [(t("memory"), value, f"{exact(row.activations)} × {state.batch} × {element} B")] if row.activations else []


def _shares_of(summary: Summary, row: Row) -> list[_Column]:
    count, totals = current().count, summary.totals
    times = COUNTS[count]
    return [
        _share(t("% of parameters"), row.params, totals.params),
        _share(t("% of {count}", count=count), row.macs * times, totals.macs * times),
    ]


def _share(label: str, part: int, whole: int) -> _Column:
    return label, percent(part, whole), f"{exact(part)} / {exact(whole)}"
