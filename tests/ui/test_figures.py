"""The charts: valid Plotly figures whose bars are the core's own numbers, told apart without colour."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head
from vggexplorer.palette import COLORS
from vggexplorer.published import PUBLISHED
from vggexplorer.summary import Row, Summary, summarize
from vggexplorer.ui import figures, i18n
from vggexplorer.ui.link import State
from vggexplorer.ui.network import compared_figures, labels

VGG11 = NETWORKS["VGG-11"].architecture
SUMMARIES = {title: summarize(*network) for title, network in NETWORKS.items()} | {
    "batch norm, gap": summarize(replace(VGG11, batch_norm=True, head=Head("gap", hidden=())), (3, 224, 224)),
    "smallest": summarize(Architecture((Block(1, 1, pool=None),), Head(hidden=()), num_classes=1), (1, 1, 1)),
    "huge": summarize(replace(VGG11, head=Head(hidden=(65_536, 65_536))), (3, 8192, 8192)),
}


@pytest.fixture(params=SUMMARIES)
def summary(request: pytest.FixtureRequest) -> Summary:
    return SUMMARIES[request.param]


@pytest.fixture(params=["MACs", "FLOPs"], autouse=True)
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is counted, in a session in English."""
    for module in (figures, compared_figures):
        monkeypatch.setattr(module, "current", lambda: State(count=request.param))
    monkeypatch.setattr(i18n, "language", lambda: "en")
    return str(request.param)


def times(count: str) -> int:
    return 2 if count == "FLOPs" else 1


def with_cost(summary: Summary) -> list[Row]:
    return [row for row in summary.rows if row.params]


def check_valid(figure: dict[str, Any]) -> None:
    """Plotly knows every property, once the page has put its colours in; and the figure travels as JSON."""
    text = json.dumps(figure, allow_nan=False).replace('"$text"', '"#123456"').replace('"$grid"', '"#abcdef"')
    assert "$" not in text
    go.Figure(json.loads(text))


def test_cost_by_layer_is_a_figure(summary: Summary) -> None:
    check_valid(figures.cost_by_layer(summary))


def test_the_split_is_a_figure(summary: Summary) -> None:
    check_valid(figures.conv_against_fc(summary))


def test_a_property_that_plotly_does_not_know_is_noticed(summary: Summary) -> None:
    figure = figures.cost_by_layer(summary)
    with pytest.raises(ValueError, match="barmodus"):
        check_valid(figure | {"layout": figure["layout"] | {"barmodus": "stack"}})


def test_the_bars_are_the_costs_of_the_layers(summary: Summary, count: str) -> None:
    params, macs = figures.cost_by_layer(summary)["data"]
    rows = with_cost(summary)
    assert params["x"] == [row.params for row in rows]
    assert macs["x"] == [row.macs * times(count) for row in rows]
    assert params["customdata"] == macs["customdata"] == [row.name for row in rows]
    assert (params["name"], macs["name"]) == ("Parameters", count)


def test_no_cost_is_left_out(summary: Summary, count: str) -> None:
    params, macs = figures.cost_by_layer(summary)["data"]
    assert sum(params["x"]) == summary.totals.params
    assert sum(macs["x"]) == summary.totals.macs * times(count)


def test_every_layer_has_a_bar_of_its_own_on_both_sides(summary: Summary) -> None:
    params, macs = figures.cost_by_layer(summary)["data"]
    assert params["y"] == macs["y"]
    assert len(set(params["y"])) == len(params["y"]) == len(with_cost(summary))
    assert {params["xaxis"], macs["xaxis"]} == {"x", "x2"}


def test_parts_differ_in_pattern_and_in_colour(summary: Summary) -> None:
    rows = with_cost(summary)
    for bars in figures.cost_by_layer(summary)["data"]:
        colors, shapes = bars["marker"]["color"], bars["marker"]["pattern"]["shape"]
        looks = {(row.part, color, shape) for row, color, shape in zip(rows, colors, shapes, strict=True)}
        assert {(part, color) for part, color, _ in looks} == {(row.part, COLORS[row.part]) for row in rows}
        assert len({shape for *_, shape in looks}) == len(looks) == len({row.part for row in rows})
    conv, fc = (bars["marker"] for bars in figures.conv_against_fc(summary)["data"])
    assert conv["color"] != fc["color"]
    assert conv["pattern"]["shape"] != fc["pattern"]["shape"]


def test_shares_are_those_of_the_core_and_sum_to_100(summary: Summary, count: str) -> None:
    conv, fc = figures.conv_against_fc(summary)["data"]
    totals = summary.totals
    assert conv["y"] == fc["y"]
    assert len(set(conv["y"])) == 3
    assert conv["y"][1] == count
    assert [a + b for a, b in zip(conv["x"], fc["x"], strict=True)] == pytest.approx([100] * 3)
    assert conv["x"] == pytest.approx(
        [
            100 * totals.conv_params / totals.params,
            100 * totals.conv_macs / totals.macs,
            100 * totals.conv_activations / totals.activations,
        ]
    )
    for part in (conv, fc):
        assert part["text"] == [f"{share:.1f} %" for share in part["x"]]


def test_the_counts_under_the_pointer(summary: Summary, count: str) -> None:
    conv, fc = (
        [int(text.replace(",", "")) for text in bars["hovertext"]] for bars in figures.conv_against_fc(summary)["data"]
    )
    totals = summary.totals
    assert [a + b for a, b in zip(conv, fc, strict=True)] == [
        totals.params,
        totals.macs * times(count),
        totals.activations,
    ]


def test_the_sentence_says_what_the_charts_show(count: str) -> None:
    """92.8 % of VGG-11's parameters but 1.6 % of its MACs are fully connected."""
    text = figures.sentence(SUMMARIES["VGG-11"]).replace("\N{NO-BREAK SPACE}", " ")
    assert "92.8 % of the parameters" in text
    assert f"1.6 % of the {count}" in text
    assert "7.2 %" in text
    assert "98.4 %" in text


# --- several networks ----------------------------------------------------------------------------------------

SOME = [(place, title, summary) for place, (title, summary) in enumerate(SUMMARIES.items())]


@pytest.mark.parametrize(
    "figure",
    [
        lambda: compared_figures.parts(SOME),
        lambda: compared_figures.scatter(SOME[:3], [(-1, *each[1:]) for each in SOME[3:]]),
        lambda: compared_figures.accuracy({PUBLISHED[1]: 0, PUBLISHED[5]: 2}),
        lambda: compared_figures.sizes([(title, summary.architecture) for _, title, summary in SOME[:3]], 1),
    ],
    ids=["parts", "scatter", "accuracy", "sizes"],
)
def test_the_charts_of_several_networks_are_figures(figure: Callable[[], dict[str, Any]]) -> None:
    check_valid(figure())


def test_parts_are_stacked_to_the_totals(count: str) -> None:
    shown = compared_figures.parts(SOME)["data"]
    sums = [
        [a + b for a, b in zip(conv["x"], fc["x"], strict=True)]
        for conv, fc in zip(shown[::2], shown[1::2], strict=True)
    ]
    totals = [summary.totals for *_, summary in SOME]
    assert sums == [
        [each.params for each in totals],
        [each.macs * times(count) for each in totals],
        [each.activations for each in totals],
    ]


PAGE = labels.Box(0, 0, 480, 350)


def test_a_name_stands_beside_its_point_where_there_is_room() -> None:
    spots = labels.place([(100, 100), (300, 300)], ["one", "two"], PAGE)
    assert [(spot.right, spot.line) for spot in spots] == [(0, False), (0, False)]
    assert all(spot.up > 0 for spot in spots)


def test_a_name_is_not_put_beyond_the_edge() -> None:
    (spot,) = labels.place([(475, 345)], ["at the corner"], PAGE)
    assert spot.right < 0
    assert spot.up <= 0


def test_names_of_points_that_are_close_do_not_cover_each_other() -> None:
    points = [(240.0 + 9 * number, 170.0 + 5 * number) for number in range(8)]
    spots = labels.place(points, ["VGG-16 · edited"] * 8, PAGE)
    boxes = [
        labels.Box(x + spot.right - 50, y + spot.up - 7, x + spot.right + 50, y + spot.up + 7)
        for (x, y), spot in zip(points, spots, strict=True)
    ]
    assert all(one.shared(other) < 1 for place, one in enumerate(boxes) for other in boxes[:place])
