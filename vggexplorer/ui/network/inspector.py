"""The receptive field of the selected layer, position by position, on a test picture."""

from functools import cache

import streamlit as st

from vggexplorer.palette import FOUND
from vggexplorer.receptive import fields
from vggexplorer.runs.datasets import CLASSES, KNOWN, of_each_class
from vggexplorer.summary import Row, Summary
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network.layers import selected
from vggexplorer.ui.pictures import Picture, grey
from vggexplorer.ui.widgets import translated

_inspector = st.components.v2.component(
    "vgg_inspector",
    html='<div class="inspector part">'
    '<figure><canvas class="picture" role="img"></canvas><figcaption></figcaption></figure>'
    '<figure><canvas class="map" tabindex="0" role="application" aria-describedby="seen"></canvas>'
    '<figcaption></figcaption></figure><p id="seen" role="status"></p></div>',
    css=STYLE
    + """
.inspector { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
canvas { display: block; max-width: 100%; }
.map { cursor: crosshair; touch-action: none; }
.map:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
figcaption { font-size: 0.85rem; margin-top: 0.35rem; max-width: 320px; }
small { opacity: 0.75; }
p { margin: 0; max-width: 22rem; font-size: 1rem; line-height: 1.5; }
""",
    js=script("inspector", "inspector.js"),
)

_DATA = KNOWN["sample"]


def show(summary: Summary) -> None:
    """The selected layer's field on a picture; the positions are chosen in the map of its output."""
    row = selected(summary)
    st.markdown(_nominal(row))
    names = list(range(len(CLASSES)))
    chosen = st.selectbox(
        t("Picture"), names, 9, format_func=lambda place: t(CLASSES[place]), key=translated("seen picture"), width=222
    )
    found = fields(summary, row)
    flat = len(row.output_shape) < 3
    height, width = summary.input_shape[1:]
    words = {
        "picture": t("The picture at {height}×{width}", height=height, width=width),
        "map": t("Output of {layer}", layer=row.name),
        "keys": t("Choose a position with the pointer or the arrow keys (10 at once with Shift)."),
        "place": t("Row {row} of {rows}, column {column} of {columns}:"),
        "flat": t("All outputs together:"),
        "sees": t("sees the rows {top} to {bottom} and the columns {left} to {right}: {height}×{width} pixels."),
        "whole": t("sees the whole picture."),
        "padding": t("sees nothing but padding."),
    }
    data = {
        "picture": _pictures()[chosen],
        "size": [height, width],
        "rows": found.rows,
        "columns": found.columns,
        "flat": flat,
        "found": FOUND,
        "words": words,
    }
    _inspector(key="inspector", data=data)


def _nominal(row: Row) -> str:
    """What a position in the middle of a large input would see."""
    if row.part == "fc":
        return t("**{layer}**: from Flatten on, every output depends on the whole of what comes in.", layer=row.name)
    side = row.receptive_field
    if side is None:
        return t("**{layer}**: the receptive field differs from place to place.", layer=row.name)
    if row.stride is None:
        return t("**{layer}**: receptive field {side}×{side} pixels.", layer=row.name, side=side)
    return t(
        "**{layer}**: receptive field {side}×{side} pixels, stride {stride}; at the edges it is cut off.",
        layer=row.name,
        side=side,
        stride=row.stride,
    )


@cache
def _pictures() -> tuple[Picture, ...]:
    """A test picture of each class."""
    _, height, width = _DATA.shape
    return tuple(grey(pixels, width, height) for pixels in of_each_class(_DATA))
