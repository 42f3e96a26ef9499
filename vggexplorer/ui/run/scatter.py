"""The best test accuracy against what it cost: a point for each run, or for each group of runs."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from vggexplorer.palette import series
from vggexplorer.ui import components
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.words import chart_text

LONGEST = 32
"""Characters of a name beside a point."""
MOST_APART = 60
"""Of more points, those behind the front are a cloud: small, without their ranges, drawn at once."""


class Mark(NamedTuple):
    """A point, the range of what it is the median of, and its place among those that are shown together."""

    name: str
    cost: float
    best: float
    low: float
    high: float
    place: int


def costs() -> dict[str, str]:
    """What the accuracy can be set against."""
    return {"params": t("Parameters"), "macs": "MACs", "seconds": t("Time")}


def against(key: str) -> str:
    """The switch between the costs; the one chosen."""
    names = costs()
    chosen = st.segmented_control(
        t("Best test accuracy against"), list(names), format_func=names.__getitem__, default="params", key=key
    )
    return chosen or "params"


def show(marks: Sequence[Mark], cost: str, alt: str, key: str, front: Sequence[Mark] = ()) -> None:
    """The chart with `alt` below it; `front` are the marks of the Pareto front, the cheapest first."""
    components.chart(figure(marks, cost, front), alt, key=key)
    st.caption(alt)


def figure(marks: Sequence[Mark], cost: str, front: Sequence[Mark] = ()) -> Figure:
    """A point for each mark, in a colour and with a symbol of its own, and a line along the front.

    Where there is a front, only what is on it has its name beside it, and of very many what is not is a cloud.
    """
    ahead = set(front)
    apart = marks if not front or len(marks) <= MOST_APART else front
    grid = {"gridcolor": "$grid", "zeroline": False}
    axis = costs()[cost] + (t(" in seconds") if cost == "seconds" else "")
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": t("Pareto front"),
        "x": [mark.cost for mark in front],
        "y": [mark.best for mark in front],
        "line": {"shape": "hv", "color": "$text", "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }
    points = [_point(mark, not front or mark in ahead) for mark in apart]
    if len(points) > 1:  # names at the ends do not run out of the chart
        costs_ = [mark.cost for mark in apart]
        points[costs_.index(min(costs_))]["textposition"] = "top right"
        points[costs_.index(max(costs_))]["textposition"] = "top left"
    return {
        "data": [
            *([] if apart is marks else [_cloud([mark for mark in marks if mark not in ahead])]),
            *([line] if front else []),
            *points,
        ],
        "layout": {
            "xaxis": {**grid, "type": "log", "exponentformat": "SI", "title": {"text": axis}},
            "yaxis": {**grid, "tickformat": ".3f", "title": {"text": t("Best test accuracy")}},
            "showlegend": False,
            "dragmode": False,
            "height": 400,
            "margin": {"l": 70, "r": 30, "t": 30, "b": 50},
        },
    }


def _cloud(marks: Sequence[Mark]) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [mark.cost for mark in marks],
        "y": [mark.best for mark in marks],
        "text": [chart_text(mark.name) for mark in marks],
        "marker": {"color": "$text", "size": 6, "opacity": 0.35},
        "hovertemplate": "%{text}: %{x:,.4~g}, %{y:.3f}<extra></extra>",
    }


def _point(mark: Mark, named: bool) -> Figure:
    name, (color, symbol) = chart_text(mark.name), series(mark.place)
    spread = {"symmetric": False, "array": [mark.high - mark.best], "arrayminus": [mark.best - mark.low]}
    return {
        "type": "scatter",
        "mode": "markers+text" if named else "markers",
        "name": name,
        "x": [mark.cost],
        "y": [mark.best],
        "error_y": {**spread, "visible": mark.low < mark.high, "thickness": 1.5},
        "text": [name if len(mark.name) <= LONGEST else chart_text(mark.name[:LONGEST]) + "…"],
        "textposition": "top center",
        "cliponaxis": False,
        "marker": {"color": color, "symbol": symbol, "size": 13},
        "hovertemplate": "%{fullData.name}: %{x:,.4~g}, %{y:.3f}<extra></extra>",
    }
