"""Compare: what the page shows of the networks and does with them, in Streamlit's AppTest."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from conftest import ROOT
from streamlit.testing.v1 import AppTest
from test_pages import plain

from vggexplorer.comparison import compare, stages, why
from vggexplorer.formatting import exact, factor, percent, short, size
from vggexplorer.published import PUBLISHED
from vggexplorer.runs.layer_times import recorded
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch
from vggexplorer.ui.compare import chips
from vggexplorer.ui.link import Pin, State, read, write
from vggexplorer.ui.run import timing

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
FOUR = ["vgg11", "alexnet", "vgg16;head=gap", "lenet"]
NAMES = ["VGG-11", "AlexNet", "VGG-16 · edited", "LeNet"]
SUMMARIES = [summarize(Pin.parse(text).network(parse_arch("vgg11")).architecture, (1, 224, 224)) for text in FOUR]
TOTALS = [summary.totals for summary in SUMMARIES]


class Compare:
    """The page in a session of its own."""

    def __init__(self, **params: Any) -> None:
        self.test = AppTest.from_file(MAIN, default_timeout=30)
        self.test.context = {"locale": "en-US"}
        self.test.run()
        self.test = self.test.switch_page(str(ROOT / "pages" / "compare.py"))
        for key, value in params.items():
            self.test.query_params[key] = value
        del self.test.session_state["state"]
        self.run()

    def run(self) -> "Compare":
        self.test.run()
        assert not self.test.exception
        return self

    def click(self, key: str) -> "Compare":
        self.test.button(key=key).click()
        return self.run()

    def tab(self, name: str) -> "Compare":
        self.state = replace(self.state, tab=name)
        return self.run()

    @property
    def state(self) -> State:
        found: State = self.test.session_state["state"]
        return found

    @state.setter
    def state(self, state: State) -> None:
        self.test.session_state["state"] = state

    def part(self, key: str) -> Any:
        """What the part of the page under `key` is told to draw."""
        (component,) = (each for each in self.test.get("bidi_component") if each.proto.id.endswith(f"-{key}"))
        return json.loads(component.proto.json)

    def chart(self, key: str) -> Any:
        """The figure that is drawn under `key`."""
        return self.part(key)["figure"]

    def table(self, key: str = "totals of all") -> dict[str, list[Any]]:
        """The cells of a table, by the name of the network."""
        return {row["name"]: row["cells"] for row in self.part(key)["rows"]}

    def figures(self, key: str = "totals of all") -> list[list[str]]:
        return [[cell["figure"] for cell in cells] for cells in self.table(key).values()]

    def column(self, number: int, what: str = "ratio") -> list[str]:
        return [cells[number][what] for cells in self.table().values()]

    @property
    def text(self) -> str:
        return " ".join(plain(item.value) for item in self.test.markdown)

    @property
    def archs(self) -> Any:
        return self.test.query_params.get("arch")


# --- the networks ------------------------------------------------------------------------------------------


def test_at_first_it_compares_vgg11_with_alexnet() -> None:
    page = Compare()
    assert page.archs is None
    vgg11, alexnet = TOTALS[:2]
    assert [cells[:3] for cells in page.figures()] == [
        [exact(each.params), exact(each.macs), size(4 * each.activations)] for each in (vgg11, alexnet)
    ]
    pair = compare([parse_arch(name).architecture for name in ("vgg11", "alexnet")], (1, 224, 224), 10)
    assert all(str(remark) in page.text for remark in why(*pair))


def test_chips_have_the_colours_of_the_rows_and_names_for_people() -> None:
    page = Compare(arch=FOUR)
    shown, rows = page.part("chips")["chips"], page.part("totals of all")["rows"]
    assert [chip["name"] for chip in shown] == [row["name"] for row in rows] == NAMES
    assert [chip["color"] for chip in shown] == [row["color"] for row in rows]
    assert len({chip["color"] for chip in shown}) == 4
    assert [chip["notation"] for chip in shown] == ["", "", "VGG-16, head gap", ""]
    assert [chip["baseline"] for chip in shown] == [True, False, False, False]


def test_equal_names_are_told_apart() -> None:
    page = Compare(arch=["vgg11;head=gap", "vgg11;head=adaptive:3", "vgg11"])
    assert list(page.table()) == ["VGG-11 · edited (1)", "VGG-11 · edited (2)", "VGG-11"]


def test_more_networks_by_name_and_by_text() -> None:
    page = Compare()
    page.test.selectbox(key="add preset").select("VGG-16").run()
    page.test.text_area(key="add text").set_value("((1, 8), (2, 16))").run()
    assert page.archs == ["vgg11", "alexnet", "vgg16", "1x8,2x16"]
    assert page.test.session_state["past"]


THREE = read({"arch": ["vgg11", "alexnet", "lenet"], "baseline": "3"})[0]


@pytest.mark.parametrize(
    ("order", "archs", "baseline"),
    [
        ([1, 0, 2], ["alexnet", "vgg11", "lenet"], "3"),
        ([2, 0, 1], ["lenet", "vgg11", "alexnet"], None),
        ([0, 2, 1], ["vgg11", "lenet", "alexnet"], "2"),
        ([1, 2], ["alexnet", "lenet"], "2"),
        ([0, 1], None, None),
    ],
    ids=["first", "last to front", "move", "remove the first", "remove the baseline"],
)
def test_the_baseline_goes_where_its_network_goes(order: list[int], archs: Any, baseline: str | None) -> None:
    state = chips.ordered(THREE, order)
    params = write(state, "compare")
    assert (params.get("arch"), params.get("baseline")) == (archs, baseline)
    assert state.network.input_shape == THREE.network.input_shape


@pytest.mark.parametrize(
    ("what", "place", "to", "order"),
    [
        ("edit", 2, 0, [2, 0, 1]),
        ("move", 0, 1, [1, 0, 2]),
        ("move", 2, 1, [0, 2, 1]),
        ("move", 0, 2, [1, 2, 0]),
        ("remove", 1, 0, [0, 2]),
    ],
)
def test_what_a_chip_is_asked_for(what: str, place: int, to: int, order: list[int]) -> None:
    assert chips._order(3, what, place, to) == order


def test_two_networks_are_the_least() -> None:
    assert chips._order(2, "remove", 1, 0) == [0, 1]
    assert not Compare().part("chips")["removable"]


def test_what_cannot_be_added_gets_a_sentence() -> None:
    page = Compare()
    page.test.text_area(key="add text").set_value("**x**").run()
    assert "**x**" in plain(page.test.error[0].value)
    assert page.archs is None


# --- what is the same for all, and the baseline --------------------------------------------------------------


def test_the_same_input_and_classes_for_all() -> None:
    page = Compare(arch=["vgg11", "lenet", "alexnet-tv"], input="3x64x96", classes="7")
    expected = [
        exact(summarize(replace(parse_arch(name).architecture, num_classes=7), (3, 64, 96)).totals.macs)
        for name in ("vgg11", "lenet")
    ]
    assert [cells[1] for cells in page.figures()[:2]] == expected


def test_an_impossible_input_is_flagged_and_the_rest_is_shown() -> None:
    page = Compare(input="1x56x56")
    assert "AlexNet" in page.test.warning[0].value
    assert "65×65" in plain(page.test.warning[0].value)
    own = summarize(parse_arch("vgg11").architecture, (1, 56, 56)).totals
    assert page.figures() == [[exact(own.params), exact(own.macs), size(4 * own.activations), "–"], ["–"] * 4]
    assert "cannot take this input" in page.text


def test_a_baseline_that_cannot_take_the_input_leaves_the_figures_without_ratios() -> None:
    page = Compare(arch=["vgg11", "alexnet", "vgg16"], input="1x56x56", baseline="2")
    assert page.column(0) == ["", "", ""]


def test_nothing_can_take_it() -> None:
    page = Compare(input="1x8x8")
    assert len(page.test.warning) == 2


@pytest.fixture(scope="module")
def four() -> Compare:
    return Compare(arch=FOUR, count="FLOPs", batch="64")


@pytest.mark.parametrize("base", range(4))
def test_ratios_are_to_the_baseline_and_nowhere_in_brackets(four: Compare, base: int) -> None:
    four.test.selectbox(key=chips_key(four)).select(base).run()
    for number, field in enumerate(("params", "macs", "activations")):
        counts = [getattr(each, field) for each in TOTALS]
        expected = ["" if place == base else factor(count, counts[base]) for place, count in enumerate(counts)]
        assert four.column(number) == expected
    assert four.test.query_params.get("baseline") == (str(base + 1) if base else None)
    assert [chip["baseline"] for chip in four.part("chips")["chips"]].index(True) == base


def chips_key(page: Compare) -> str:
    """The key of the select that chooses the baseline: it has another one whenever the page has changed it."""
    (key,) = (box.key for box in page.test.selectbox if box.label == "Baseline")
    return str(key)


def test_the_bars_of_a_cell_are_its_two_parts(four: Compare) -> None:
    for number, field in enumerate(("params", "macs", "activations")):
        most = max(getattr(each, field) for each in TOTALS)
        for each, cells in zip(TOTALS, four.table().values(), strict=True):
            conv, fc = getattr(each, f"conv_{field}"), getattr(each, f"fc_{field}")
            shown = [(piece["hatched"], piece["share"]) for piece in cells[number]["bar"]]
            assert shown == [(hatched, part / most) for hatched, part in ((False, conv), (True, fc)) if part]


def test_why_is_answered_for_any_pair(four: Compare) -> None:
    entries = compare([each.architecture for each in SUMMARIES], (1, 224, 224), 10)
    boxes = [box for box in four.test.selectbox if box.label in ("This network", "Against that network")]
    boxes[0].select(3)
    boxes[1].select(2)
    four.run()
    remarks = why(entries[3], entries[2]._replace(name=NAMES[2]))
    shown = [plain(item.value) for item in four.test.markdown]
    assert str(remarks[0]) in shown, "the answer in short stands alone"
    assert all(str(remark) in four.text for remark in remarks)


# --- the tabs ------------------------------------------------------------------------------------------------


def test_each_network_is_a_named_point_before_the_named_ones(four: Compare) -> None:
    figure = four.tab("points").chart("scatter")
    behind, *own = figure["data"]
    assert [(point["text"], point["x"], point["y"]) for point in own] == [
        ([name], [each.params], [2 * each.macs]) for name, each in zip(NAMES, TOTALS, strict=True)
    ]
    assert {"VGG-19", "AlexNet (torchvision)"} <= set(behind["text"])
    assert not {"VGG-11", "AlexNet", "LeNet"} & set(behind["text"])
    names = [note["text"] for note in figure["layout"]["annotations"]]
    assert sorted(names) == sorted([*NAMES, *behind["text"]])


def test_published_accuracy_stands_beside_what_it_costs(four: Compare) -> None:
    points = four.tab("points").chart("accuracy")["data"]
    shown = {name: (x, y) for each in points for name, x, y in zip(each["text"], each["x"], each["y"], strict=True)}
    assert shown == {each.name: (2e9 * each.giga_macs, each.top1) for each in PUBLISHED}
    assert [each["text"] for each in points[1:]] == [["VGG-11"]], "those that are compared are not grey"
    vgg, res = ({each.name: each for each in PUBLISHED}[name] for name in ("VGG-16", "ResNet-50"))
    said = " ".join(caption.value for caption in four.test.caption)
    assert f"{percent(res.top1, 100)} of the time and VGG-16 {percent(vgg.top1, 100)}" in said
    assert "3×224×224 and 1,000 classes" in said


def test_every_convolution_is_in_one_block_as_wide_as_its_macs(four: Compare) -> None:
    data = four.tab("stages").part("stages")
    assert [row["name"] for row in data["rows"]] == NAMES
    in_cells = [sum(map(int, re.findall(r"(\d+) × conv,", str(row["cells"])))) for row in data["rows"]]
    assert in_cells == [8, 5, 13, 2]
    found = [stages(summary) for summary in SUMMARIES]
    most = max(stage.totals.macs for item in found for stage in item.values())
    for row, item in zip(data["rows"], found, strict=True):
        cells = [cell for cell in row["cells"] if cell]
        assert [cell["bar"]["share"] for cell in cells] == [
            stage.totals.macs / most for _, stage in sorted(item.items(), key=lambda each: (each[0] is None, each[0]))
        ]
    assert "FLOPs" in data["rows"][0]["cells"][0]["lines"][0]


def test_lines_over_input_sizes_begin_where_a_network_works(four: Compare) -> None:
    shown = four.tab("sizes").chart("sizes")["data"]
    assert [line["name"] for line in shown] == [name for name in NAMES for _ in range(2)]
    assert [line["y"][line["x"].index(224)] for line in shown[::2]] == [each.params for each in TOTALS]
    assert [line["y"][line["x"].index(224)] for line in shown[1::2]] == [2 * each.macs for each in TOTALS]
    begins = [next(side for side, value in zip(line["x"], line["y"], strict=True) if value) for line in shown[::2]]
    assert begins == [32, 68, 32, 28]  # sizes go by 4 from 28 on
    assert any("AlexNet needs at least 65×65." in caption.value for caption in four.test.caption)


def test_before_anything_is_measured_there_is_an_example(four: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_measured", {})
    four.tab("time")
    assert list(four.table("work and time")) == NAMES
    figures = four.figures("work and time")
    assert [cells[0] for cells in figures] == [short(16 * each.macs) for each in TOTALS]
    assert all(cells[3:] == ["–"] * 3 for cells in figures)
    assert "Not measured yet: VGG-16 · edited, LeNet." in [plain(caption.value) for caption in four.test.caption]
    vgg11, alexnet = four.part("butterfly")["networks"]
    assert (vgg11["name"], alexnet["name"]) == ("VGG-11", "AlexNet")
    assert "an example" in vgg11["source"]
    assert recorded().machine.processor in vgg11["source"]


def test_shares_of_macs_and_of_time_are_those_of_the_layers(four: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_measured", {})
    shown = four.tab("time").part("butterfly")["networks"][0]["layers"]
    case, found = next(iter(recorded().times.items()))
    summary = summarize(*case.network)
    whole = sum(each.forward for each in found.layers.values())
    gaps = []
    for layer in shown:
        row = summary.row(layer["label"].split(" · ")[1])
        assert row
        own, time = row.macs / summary.totals.macs, found.layers[row.name].forward / whole
        assert (layer["macs"]["text"], layer["time"]["text"]) == (percent(own, 1), percent(time, 1))
        gaps.append(abs(own - time))
    assert gaps == sorted(gaps, reverse=True), "the largest gap is first"


def test_the_link_to_take_away_has_all_four_and_the_tab(four: Compare) -> None:
    four.state = replace(four.state, baseline=0)
    assert four.tab("files").test.code[-1].value == "?" + "&".join(f"arch={arch}" for arch in FOUR) + (
        "&tab=files&batch=64&count=FLOPs"
    )


def test_another_tab_is_nothing_that_undo_takes_back() -> None:
    page = Compare()
    page.test.selectbox(key=chips_key(page)).select(1).run()
    page.tab("sizes")
    assert page.test.query_params["tab"] == "sizes"
    page.test = page.test.switch_page(str(ROOT / "pages" / "explore.py"))
    page.run().click("undo")
    assert (page.state.baseline, page.state.tab) == (0, "sizes")
