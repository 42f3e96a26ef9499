"""Tables of networks whose cells are bars: a row for each network, a figure and a ratio in each cell.

They are drawn by `assets/compare.js`; every text and every share of a bar is computed here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from vggexplorer.formatting import factor
from vggexplorer.palette import COLORS, SERIES, series
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.figures import PATTERNS
from vggexplorer.ui.i18n import t

FIGURES = """
.part { container-type: inline-size; font-size: 0.93rem; line-height: 1.3; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; table-layout: fixed; }
caption { caption-side: bottom; text-align: left; font-size: 0.87rem; opacity: 0.8; padding-top: 0.35rem; }
th, td { padding: 0.32rem 0.9rem 0.22rem 0; text-align: left; font-weight: 400; vertical-align: bottom; }
tbody th, tbody td { border-top: 1px solid var(--st-border-color); }
thead th { font-weight: 600; padding-top: 0; }
small { font-size: 0.87rem; font-weight: 400; opacity: 0.72; }
.notation { display: block; padding-left: 1.2rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.swatch { display: inline-block; width: 0.72em; height: 0.72em; border-radius: 2px; margin-right: 0.5em; flex: none; }
.bar { display: flex; height: 0.65rem; }
.bar i, .key i { display: block; background-color: var(--color); min-width: 1px; }
.hatched { background-image: repeating-linear-gradient(0deg, rgb(255 255 255 / 45%) 0 1.2px, transparent 1.2px 4px); }
.key { margin-right: 1em; white-space: nowrap; }
.key i { display: inline-block; width: 1.4em; height: 0.65rem; margin-right: 0.4em; }
"""
"""What the tables of this page share: bars in the colours of the layers, hatched as in the charts."""

_bars = st.components.v2.component(
    "vgg_bars",
    html='<div class="part"></div>',
    css=STYLE
    + FIGURES
    + """
.name { display: flex; align-items: baseline; font-weight: 600; overflow-wrap: anywhere; }
.figure { display: flex; justify-content: space-between; gap: 0.5em; white-space: nowrap; }
button { font-weight: 400; color: var(--st-link-color); text-decoration: underline; }
@container (max-width: 700px) {
  table { display: flex; flex-direction: column; }
  caption { order: 1; }
  tbody, thead, tr, th, td { display: block; }
  thead th:not(:has(button)) { display: none; }
  tbody tr { border-top: 1px solid var(--st-border-color); padding-block: 0.3rem; display: grid;
    grid-template-columns: 1fr 1fr; column-gap: 1rem; }
  tbody th { grid-column: 1 / -1; }
  tbody th, tbody td { border: 0; padding-right: 0; }
  td::before { content: attr(data-label); font-size: 0.87rem; opacity: 0.72; }
  .figure { flex-wrap: wrap; column-gap: 0.8em; justify-content: start; }
}
""",
    js=script("bars", "compare.js"),
)


class Line(NamedTuple):
    """A row: the network's name, how it is written down, and what else is said of it."""

    name: str
    notation: str = ""
    note: str = ""


class Column(NamedTuple):
    """A quantity of each network, taken apart into the layers' parts (None where it is not known)."""

    label: str
    values: Sequence[Mapping[str, float] | None]
    write: Callable[[Any], str]
    note: str = ""
    action: str = ""
    """What a button beside the label says, if there is one."""
    on_action: Callable[[], None] | None = None


def parts() -> dict[str, str]:
    """The parts of a network by the names of their colours, and what they are called."""
    return {"conv": t("convolutions"), "fc": t("fully connected")}


def key_of_colours() -> list[dict[str, Any]]:
    """What the colours and the hatching of the bars mean."""
    return [{"label": label, "color": COLORS[part], "hatched": bool(PATTERNS[part])} for part, label in parts().items()]


def colour(place: int) -> str:
    """The colour of the network at `place`."""
    return series(place)[0]


def table(
    lines: Sequence[Line],
    columns: Sequence[Column],
    caption: str,
    key: str,
    base: int = 0,
) -> None:
    """A row for each network, a bar in each cell; ratios are to the network at `base`."""
    cells = [_cells(column, base) for column in columns]
    rows = [
        {**line._asdict(), "color": colour(place % len(SERIES)), "cells": [column[place] for column in cells]}
        for place, line in enumerate(lines)
    ]
    heads = [{"label": column.label, "note": column.note, "action": column.action} for column in columns]
    data = {"caption": caption, "corner": t("Network"), "key": key_of_colours(), "columns": heads, "rows": rows}
    _bars(key=key, data=data, on_action_change=_acting(columns))


def _acting(columns: Sequence[Column]) -> Callable[[], None]:
    return next((column.on_action for column in columns if column.on_action), lambda: None)


def _cells(column: Column, base: int) -> list[dict[str, Any]]:
    totals = [None if value is None else sum(value.values()) for value in column.values]
    most = max((total for total in totals if total), default=0)
    return [
        {"figure": "–", "ratio": "", "bar": [], "title": ""}
        if value is None or total is None
        else _cell(column, value, most, "" if place == base else factor(total, totals[base] or 0))
        for place, (value, total) in enumerate(zip(column.values, totals, strict=True))
    ]


def _cell(column: Column, value: Mapping[str, float], most: float, ratio: str) -> dict[str, Any]:
    names = parts()
    return {
        "figure": column.write(sum(value.values())),
        "ratio": "" if ratio == "–" else ratio,
        "bar": [bar(part, count / most) for part, count in value.items() if most and count],
        "title": " · ".join(f"{names[part]} {column.write(count)}" for part, count in value.items() if part in names),
    }


def bar(part: str, share: float) -> dict[str, Any]:
    """A piece of a bar: its colour, its hatching, and its share of the room there is."""
    return {"color": COLORS[part], "hatched": bool(PATTERNS.get(part)), "share": share}
