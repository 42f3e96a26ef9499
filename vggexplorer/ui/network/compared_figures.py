"""Charts of several networks as Plotly figures: their parts, parameters against MACs, growth with the input."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import NamedTuple

from vggexplorer.architectures import Architecture
from vggexplorer.comparison import sweep
from vggexplorer.formatting import exact, percent
from vggexplorer.palette import COLORS, series
from vggexplorer.published import CLASSES, PUBLISHED, Published, find
from vggexplorer.summary import Summary
from vggexplorer.ui.figures import OVERLAY, PATTERNS, Figure
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import COUNTS
from vggexplorer.ui.network import labels
from vggexplorer.ui.state import current

SIDES = tuple(range(28, 257, 4))
"""The input sizes of a sweep, in pixels."""
Able = tuple[int, str, Summary]
"""A network that can take the input: its place among all, which gives it its colour, its name and its summary."""
DASHES = ("solid", "dash", "dot", "dashdot")


def parts(networks: Sequence[Able]) -> Figure:
    """Parameters, MACs and activations of each network, stacked from its two parts."""
    count = current().count
    quantities = (("params", t("Parameters"), 1), ("macs", count, COUNTS[count]), ("activations", t("Activations"), 1))
    names = [name for _, name, _ in networks]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "legendgroup": part,
            "showlegend": index == 0,
            "x": [getattr(summary.totals, f"{part}_{field}") * times for *_, summary in networks],
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


def scatter(networks: Sequence[Able], family: Sequence[Able]) -> Figure:
    """Parameters against MACs on logarithmic axes, each with its name; the family in grey behind the networks."""
    count = current().count
    points = [
        Point(name, summary.totals.params, COUNTS[count] * summary.totals.macs, place, _hover(name, summary))
        for place, name, summary in (*networks, *family)
    ]
    return _named_points(points, t("Parameters"), count, log=True)


def accuracy(places: Mapping[Published, int]) -> Figure:
    """The published accuracy on ImageNet against MACs; those that are compared here in their colours."""
    times, count = COUNTS[current().count], current().count
    shown = sorted(PUBLISHED, key=lambda each: each not in places)
    points = [
        Point(each.name, 1e9 * times * each.giga_macs, each.top1, places.get(each, -1), _published(each))
        for each in shown
    ]
    return _named_points(points, count, t("ImageNet top-1, %"), log=False)


class Point(NamedTuple):
    """A network in a chart: its name, where it is, its place among the compared ones (-1 if it is behind them)."""

    name: str
    x: float
    y: float
    place: int
    hover: str


def _hover(name: str, summary: Summary) -> str:
    known = find(summary.architecture)
    times = COUNTS[current().count]
    text = f"{name}: {exact(summary.totals.params)} · {exact(times * summary.totals.macs)} {current().count}"
    return f"{text}<br>{_published(known)}" if known else text


def _published(known: Published) -> str:
    return t(
        "{name} on ImageNet: top-1 {top1} (3×224×224, {classes} {classes:class|classes})",
        name=known.name,
        top1=percent(known.top1, 100),
        classes=exact(CLASSES),
    )


_PLOT, _NARROW = labels.Box(0, 0, 480, 350), labels.Box(0, 0, 285, 415)
"""About the room of the points, in pixels: the names are placed for it, or for what a phone has."""


def _named_points(points: Sequence[Point], x: str, y: str, log: bool) -> Figure:
    """Points with their names; `log` says whether the vertical axis is logarithmic, as the horizontal one is."""
    across, up = _Axis.of([point.x for point in points], log=True), _Axis.of([point.y for point in points], log)
    names = [point.name for point in points]

    def notes(page: labels.Box) -> list[Figure]:
        places = [(across.share(point.x) * page.right, up.share(point.y) * page.top) for point in points]
        spots = labels.place(places, names, page)
        return [
            _name(point, _at(point.x, log=True), _at(point.y, log), spot)
            for point, spot in zip(points, spots, strict=True)
        ]

    grey = {"color": COLORS["input"], "symbol": "circle-open", "size": 9}
    return {
        "data": [
            _points([point for point in points if point.place < 0], grey),
            *(_points([point], _marker(point.place)) for point in points if point.place >= 0),
        ],
        "layout": {
            "xaxis": {**across.layout, "title": {"text": x}},
            "yaxis": {**up.layout, "title": {"text": y}},
            "annotations": notes(_PLOT),
            "showlegend": False,
            "dragmode": False,
            "height": 420,
            "margin": {"l": 60, "r": 10, "t": 10, "b": 50},
        },
        "narrow": {"annotations": notes(_NARROW), "height": 480},
    }


def _name(point: Point, x: float, y: float, spot: labels.Spot) -> Figure:
    """The name of a point, with a thin line to it where it stands further away."""
    color = "$text" if point.place >= 0 else COLORS["input"]
    note: Figure = {"text": point.name, "x": x, "y": y, "font": {"color": color, "size": 12}}
    if not spot.line:
        return {**note, "showarrow": False, "xshift": spot.right, "yshift": spot.up}
    line = {"arrowhead": 0, "arrowwidth": 1, "arrowcolor": COLORS["input"], "standoff": 5}
    return {**note, "showarrow": True, "ax": spot.right, "ay": -spot.up, **line}


class _Axis(NamedTuple):
    low: float
    high: float
    log: bool

    @staticmethod
    def of(values: Sequence[float], log: bool) -> "_Axis":
        """The axis that has room for these values and for their names, most of it at the upper end."""
        ends = [_at(value, log) for value in (min(values), max(values))]
        more = 0.1 * (ends[1] - ends[0]) or 0.5
        return _Axis(ends[0] - more, ends[1] + 2 * more, log)

    def share(self, value: float) -> float:
        return (_at(value, self.log) - self.low) / (self.high - self.low)

    @property
    def layout(self) -> Figure:
        axis: Figure = {"gridcolor": "$grid", "range": [self.low, self.high], "zeroline": False}
        return {**axis, "type": "log", "exponentformat": "SI", "dtick": 1} if self.log else axis


def _at(value: float, log: bool) -> float:
    return log10(max(value, 1)) if log else value


def _marker(place: int) -> Figure:
    color, symbol = series(place)
    return {"color": color, "symbol": symbol, "size": 13}


def _points(points: Sequence[Point], marker: Figure) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": ", ".join(point.name for point in points),
        "x": [point.x for point in points],
        "y": [point.y for point in points],
        "text": [point.name for point in points],
        "hovertext": [point.hover for point in points],
        "marker": marker,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }


def sizes(networks: Sequence[tuple[str, Architecture]], channels: int) -> Figure:
    """Parameters and MACs of each network over `SIDES`; a network's lines begin at its smallest legal input."""
    count = current().count
    log = {"type": "log", "gridcolor": "$grid", "exponentformat": "SI"}
    side = {
        "gridcolor": "$grid",
        "title": {"text": t("Input height and width in pixels")},
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
    up, up2 = {**log, "title": {"text": t("Parameters")}}, {**log, "title": {"text": count}, "anchor": "x2"}
    return {
        "data": data,
        "narrow": {
            "xaxis": {**side, "title": {}},
            "xaxis2": {**side, "anchor": "y2"},
            "yaxis": {**up, "domain": [0.55, 1]},
            "yaxis2": {**up2, "domain": [0, 0.45]},
            "height": 640,
        },
        "layout": {
            "xaxis": {**side, "domain": [0, 0.46]},
            "xaxis2": {**side, "domain": [0.54, 1], "anchor": "y2"},
            "yaxis": up,
            "yaxis2": up2,
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
