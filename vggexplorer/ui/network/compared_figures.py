"""Charts of several networks as Plotly figures: their parts, parameters against MACs, growth with the input."""

from collections.abc import Sequence

from vggexplorer.architectures import Architecture
from vggexplorer.comparison import sweep
from vggexplorer.palette import COLORS, series
from vggexplorer.summary import Summary
from vggexplorer.ui.figures import OVERLAY, PATTERNS, Figure
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import COUNTS
from vggexplorer.ui.state import current

SIDES = tuple(range(28, 257, 4))
"""The input sizes of a sweep, in pixels."""
DASHES = ("solid", "dash", "dot", "dashdot")


def parts(networks: Sequence[tuple[str, Summary]]) -> Figure:
    """Parameters, MACs and activations of each network, stacked from its two parts."""
    count = current().count
    quantities = (("params", t("Parameters"), 1), ("macs", count, COUNTS[count]), ("activations", t("Activations"), 1))
    names = [name for name, _ in networks]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "legendgroup": part,
            "showlegend": index == 0,
            "x": [getattr(summary.totals, f"{part}_{field}") * times for _, summary in networks],
            "y": names,
            "xaxis": f"x{index + 1}" if index else "x",
            "marker": {"color": COLORS[part], "pattern": {**OVERLAY, "shape": PATTERNS[part]}},
            "hovertemplate": "%{y}: %{x:,d} " + f"{title}, {label}<extra></extra>",
        }
        for index, (field, title, times) in enumerate(quantities)
        for part, label in (("conv", t("convolutions")), ("fc", t("fully connected")))
    ]
    axis = {"gridcolor": "$grid", "zeroline": False, "exponentformat": "SI", "nticks": 5}
    axes = {
        f"xaxis{index + 1 if index else ''}": {
            **axis,
            "domain": [index * 0.345, index * 0.345 + 0.31],
            "title": {"text": title},
        }
        for index, (_, title, _) in enumerate(quantities)
    }
    return {
        "data": data,
        "layout": {
            **axes,
            "barmode": "stack",
            "dragmode": False,
            "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "ticksuffix": " "},
            "legend": {"orientation": "h", "y": 1.15, "x": 0, "traceorder": "normal"},
            "height": 170 + 34 * len(names),
            "margin": {"l": 10, "r": 10, "t": 40, "b": 50},
        },
    }


def scatter(networks: Sequence[tuple[str, Summary]], family: Sequence[tuple[str, Summary]]) -> Figure:
    """Parameters against MACs on logarithmic axes; the family in grey behind the compared networks."""
    count = current().count
    log = {"type": "log", "gridcolor": "$grid", "exponentformat": "SI", "dtick": 1}
    behind = {"color": COLORS["input"], "symbol": "circle-open", "size": 9}
    return {
        "data": [
            _points([item for item in family if item not in networks], t("named networks"), behind, "markers"),
            *(_points([item], item[0], _marker(place), "markers+text") for place, item in enumerate(networks)),
        ],
        "layout": {
            "xaxis": {**log, "title": {"text": t("Parameters")}},
            "yaxis": {**log, "title": {"text": count}},
            "showlegend": False,
            "dragmode": False,
            "height": 460,
            "margin": {"l": 60, "r": 10, "t": 20, "b": 50},
        },
    }


def _marker(place: int) -> Figure:
    color, symbol = series(place)
    return {"color": color, "symbol": symbol, "size": 13}


def _points(networks: Sequence[tuple[str, Summary]], name: str, marker: Figure, mode: str) -> Figure:
    times = COUNTS[current().count]
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": [summary.totals.params for _, summary in networks],
        "y": [summary.totals.macs * times for _, summary in networks],
        "text": [title for title, _ in networks],
        "textposition": "top center",
        "marker": marker,
        "hovertemplate": "%{text}: %{x:,d}, %{y:,d}<extra></extra>",
    }


def sizes(networks: Sequence[tuple[str, Architecture]], channels: int) -> Figure:
    """Parameters and MACs of each network over `SIDES`; a network's lines begin at its smallest legal input."""
    count = current().count
    log = {"type": "log", "gridcolor": "$grid", "exponentformat": "SI"}
    side = {
        "gridcolor": "$grid",
        "title": {"text": t("input height and width in pixels")},
        "range": [SIDES[0], SIDES[-1]],
    }
    data, shapes = [], []
    for place, (name, architecture) in enumerate(networks):
        totals = sweep(architecture, channels, SIDES)
        color, _ = series(place)
        line = {"color": color, "dash": DASHES[place % len(DASHES)], "width": 3}
        data.append(_sweep(name, [item and item.params for item in totals], line, ""))
        data.append(_sweep(name, [item and item.macs * COUNTS[count] for item in totals], line, "2"))
        smallest = min(architecture.min_side(), SIDES[-1])
        if smallest > SIDES[0]:
            shapes += [_illegal(axis, smallest, color) for axis in ("", "2")]
    return {
        "data": data,
        "layout": {
            "xaxis": {**side, "domain": [0, 0.46]},
            "xaxis2": {**side, "domain": [0.54, 1], "anchor": "y2"},
            "yaxis": {**log, "title": {"text": t("Parameters")}},
            "yaxis2": {**log, "title": {"text": count}, "anchor": "x2"},
            "shapes": shapes,
            "legend": {"orientation": "h", "y": 1.15, "x": 0},
            "dragmode": False,
            "height": 430,
            "margin": {"l": 60, "r": 10, "t": 40, "b": 50},
        },
    }


def _sweep(name: str, values: list[int | None], line: Figure, axis: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "showlegend": not axis,
        "x": list(SIDES),
        "y": values,
        "line": line,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "hovertemplate": f"{name}, " + "%{x}×%{x}: %{y:,d}<extra></extra>",
    }


def _illegal(axis: str, smallest: int, color: str) -> Figure:
    """The range of inputs that a network cannot take, as a band that ends at its smallest legal one."""
    return {
        "type": "rect",
        "xref": f"x{axis}",
        "yref": f"y{axis} domain",
        "x0": SIDES[0],
        "x1": smallest,
        "y0": 0,
        "y1": 1,
        "fillcolor": color,
        "opacity": 0.12,
        "line": {"width": 0},
    }
