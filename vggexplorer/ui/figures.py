"""Charts as Plotly figures (plain dicts): cost by layer, convolutions against the fully connected part."""

from collections.abc import Sequence
from typing import Any

from vggexplorer.formatting import exact, percent
from vggexplorer.palette import COLORS
from vggexplorer.summary import Row, Summary
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import COUNTS
from vggexplorer.ui.state import current

Figure = dict[str, Any]
PATTERNS = {"conv": "", "fc": "-"}
OVERLAY = {"fillmode": "overlay", "fgcolor": "white", "fgopacity": 0.45, "size": 6, "solidity": 0.2}
_GAP = 0.04


def described(summary: Summary) -> dict[str, Any]:
    """Both charts with their headings, and in a sentence what they say."""
    charts = [
        ("costs", t("Cost by layer"), t("Parameters and MACs of each layer, side by side"), cost_by_layer(summary)),
        ("split", t("Convolutions against the fully connected part"), sentence(summary), conv_against_fc(summary)),
    ]
    return {
        "sentence": sentence(summary),
        "charts": [dict(zip(("key", "heading", "alt", "figure"), chart, strict=True)) for chart in charts],
    }


def cost_by_layer(summary: Summary) -> Figure:
    """Parameters and, beside them on the same layers, MACs; the first layer on top."""
    rows = [row for row in summary.rows if row.params]
    count = current().count
    return by_layer(
        rows,
        [
            (t("Parameters"), [row.params for row in rows], "%{x:,d} " + t("Parameters")),
            (count, [COUNTS[count] * row.macs for row in rows], "%{x:,d} " + count),
        ],
    )


def by_layer(rows: Sequence[Row], measures: Sequence[tuple[str, Sequence[float], str]]) -> Figure:
    """A bar for each of `rows`, the first on top, in every measure: its label, its values, its hover text."""
    width = (1 - _GAP * (len(measures) - 1)) / len(measures)
    layout: Figure = {
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "ticksuffix": " "},
        "height": 110 + 26 * len(rows),
        "showlegend": False,
        "dragmode": False,
        "bargap": 0.25,
        "margin": {"l": 10, "r": 10, "t": 50, "b": 10},
    }
    data, narrow = [], {}
    for place, (label, values, hover) in enumerate(measures):
        number = str(place + 1) if place else ""
        start = place * (width + _GAP)
        layout[f"xaxis{number}"] = {
            "domain": [start, start + width],
            "title": {"text": label},
            "nticks": 12 // len(measures),
            "gridcolor": "$grid",
            "zeroline": False,
            "rangemode": "tozero",
            "side": "top",
            "exponentformat": "SI",
        }
        narrow[f"xaxis{number}"] = layout[f"xaxis{number}"] | {"nticks": 3, "tickangle": 0}
        data.append(_bars(label, rows, values, f"x{number}", f"%{{y}}: {hover}<extra></extra>"))
    return {"data": data, "layout": layout, "narrow": narrow}


def _bars(name: str, rows: Sequence[Row], values: Sequence[float], axis: str, hover: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": list(values),
        "y": [row_label(row) for row in rows],
        "customdata": [row.name for row in rows],
        "xaxis": axis,
        "yaxis": "y",
        "marker": {
            "color": [COLORS[row.part] for row in rows],
            "pattern": {**OVERLAY, "shape": [PATTERNS[row.part] for row in rows]},
        },
        "hovertemplate": hover,
    }


def row_label(row: Row) -> str:
    """A short axis label: the kind, its width, and the layer's name."""
    return f"{row.kind} {row.output_shape[0]} · {row.name}"


def conv_against_fc(summary: Summary) -> Figure:
    """Three bars of 100 %: how parameters, MACs and activations split into convolutions and the rest."""
    totals, count = summary.totals, current().count
    splits = {
        t("Parameters"): (totals.conv_params, totals.fc_params),
        count: (totals.conv_macs * COUNTS[count], totals.fc_macs * COUNTS[count]),
        t("Activations"): (totals.conv_activations, totals.fc_activations),
    }
    parts = (("conv", t("convolutions")), ("fc", t("fully connected")))
    return {
        "data": [_part(splits, index, part, name) for index, (part, name) in enumerate(parts)],
        "layout": {
            "barmode": "stack",
            "dragmode": False,
            "xaxis": {"range": [0, 100], "ticksuffix": " %", "gridcolor": "$grid", "zeroline": False},
            "yaxis": {"autorange": "reversed", "automargin": True, "ticksuffix": " "},
            "legend": {"orientation": "h", "y": 1.25, "x": 0, "traceorder": "normal"},
            "height": 230,
            "margin": {"l": 10, "r": 10, "t": 30, "b": 30},
        },
    }


def _part(splits: dict[str, tuple[int, int]], index: int, part: str, name: str) -> Figure:
    shares = [100 * split[index] / sum(split) for split in splits.values()]
    counts = [exact(split[index]) for split in splits.values()]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": shares,
        "y": list(splits),
        "text": [f"{share:.1f} %" for share in shares],
        "textposition": ["inside" if share > 6 else "none" for share in shares],
        "insidetextanchor": "middle",
        "insidetextfont": {"color": "white", "weight": 600},
        "hovertext": counts,
        "hovertemplate": "%{y}: %{hovertext} (%{text}) " + name + "<extra></extra>",
        "marker": {"color": COLORS[part], "pattern": {**OVERLAY, "shape": PATTERNS[part]}},
    }


def sentence(summary: Summary) -> str:
    """What the charts say, in words."""
    totals = summary.totals
    return t(
        "The fully connected part holds {params} of the parameters and does {macs} of the {count}; "
        "the convolutions hold {conv_params} and do {conv_macs}.",
        params=percent(totals.fc_params, totals.params),
        macs=percent(totals.fc_macs, totals.macs),
        count=current().count,
        conv_params=percent(totals.conv_params, totals.params),
        conv_macs=percent(totals.conv_macs, totals.macs),
    )
