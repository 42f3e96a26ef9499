"""Compare: the page in Streamlit's AppTest and in a real browser."""

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, OpenTab, Server, StartServer
from streamlit.testing.v1 import AppTest
from test_browser import Explore
from test_pages import plain

from vggexplorer.comparison import compare, why
from vggexplorer.formatting import exact, short
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch
from vggexplorer.ui.link import Pin
from vggexplorer.ui.run import timing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
FOUR = ["vgg11", "alexnet", "vgg16;head=gap", "lenet"]
NAMES = ["VGG-11", "AlexNet", "VGG-16, head gap", "LeNet"]
TOTALS = [summarize(Pin.parse(text).network(parse_arch("vgg11")).architecture, (1, 224, 224)).totals for text in FOUR]


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
        self.test.session_state["comparison tab"] = name
        return self.run()

    def chart(self, key: str) -> Any:
        """The figure that is drawn under `key`."""
        (component,) = (each for each in self.test.get("bidi_component") if each.proto.id.endswith(f"-{key}"))
        return json.loads(component.proto.json)["figure"]

    @property
    def table(self) -> dict[str, list[str]]:
        """The cells of the last table, by the name at the begin of its row."""
        tables = [plain(item.value) for item in self.test.markdown if item.value.startswith("|")]
        lines = [line.strip("| ").split(" | ") for line in tables[-1].splitlines()[2:]]
        return {name.strip("*").replace("\N{NON-BREAKING HYPHEN}", "-"): cells for name, *cells in lines}

    @property
    def text(self) -> str:
        return " ".join(plain(item.value) for item in self.test.markdown).replace("\N{NON-BREAKING HYPHEN}", "-")

    @property
    def archs(self) -> Any:
        return self.test.query_params.get("arch")


def totals(*names: str, shape: tuple[int, int, int] = (1, 224, 224), classes: int = 10) -> list[str]:
    entries = compare([parse_arch(name).architecture for name in names], shape, classes)
    return [exact(entry.summary.totals.macs) for entry in entries if entry.summary]


def test_at_first_it_compares_vgg11_with_alexnet() -> None:
    page = Compare()
    assert page.archs is None
    assert all(number in page.text for number in totals("vgg11", "alexnet"))
    pair = compare([parse_arch(name).architecture for name in ("vgg11", "alexnet")], (1, 224, 224), 10)
    assert all(str(remark) in page.text for remark in why(*pair))


def test_put_first_add_and_remove() -> None:
    page = Compare().click("first 1")
    assert page.archs == ["alexnet", "vgg11"]
    page.test.selectbox(key="add preset").select("VGG-16").run()
    page.test.text_area(key="add text").set_value("((1, 8), (2, 16))").run()
    assert page.archs == ["alexnet", "vgg11", "vgg16", "1x8,2x16"]
    page.click("remove 1")
    assert page.archs == ["alexnet", "vgg16", "1x8,2x16"]
    assert page.test.session_state["past"]


def test_two_networks_are_the_least() -> None:
    assert Compare().test.button(key="remove 1").disabled


def test_what_cannot_be_added_gets_a_sentence() -> None:
    page = Compare()
    page.test.text_area(key="add text").set_value("**x**").run()
    assert "**x**" in plain(page.test.error[0].value)
    assert page.archs is None


def test_the_same_input_and_classes_for_all() -> None:
    page = Compare(arch=["vgg11", "lenet", "alexnet-tv"], input="3x64x96", classes="7")
    assert all(number in page.text for number in totals("vgg11", "lenet", shape=(3, 64, 96), classes=7))


def test_an_impossible_input_is_flagged_and_the_rest_is_shown() -> None:
    page = Compare(input="1x56x56")
    assert "AlexNet" in page.test.warning[0].value
    assert "65×65" in plain(page.test.warning[0].value)
    assert totals("vgg11", shape=(1, 56, 56))[0] in page.text


def test_nothing_can_take_it() -> None:
    page = Compare(input="1x8x8")
    assert len(page.test.warning) == 2


@pytest.fixture(scope="module")
def four() -> Compare:
    return Compare(arch=FOUR, count="FLOPs", batch="64")


def test_parts_are_stacked_to_the_totals(four: Compare) -> None:
    shown = four.tab("Parts").chart("parts")["data"]
    assert [bars["y"] for bars in shown] == [NAMES] * 6
    pairs = zip(shown[::2], shown[1::2], strict=True)
    assert [[a + b for a, b in zip(conv["x"], fc["x"], strict=True)] for conv, fc in pairs] == [
        [each.params for each in TOTALS],
        [2 * each.macs for each in TOTALS],
        [each.activations for each in TOTALS],
    ]


def test_each_network_is_a_point_before_the_named_ones(four: Compare) -> None:
    behind, *own = four.tab("Parameters against FLOPs").chart("scatter")["data"]
    assert [(point["text"], point["x"], point["y"]) for point in own] == [
        ([name], [each.params], [2 * each.macs]) for name, each in zip(NAMES, TOTALS, strict=True)
    ]
    assert {"VGG-19", "AlexNet (torchvision)"} <= set(behind["text"])


def test_stage_by_stage_every_convolution_is_in_one_cell(four: Compare) -> None:
    table = four.tab("Stage by stage").table
    assert list(table) == NAMES
    in_cells = [sum(map(int, re.findall(r"(\d+) × conv", " ".join(cells)))) for cells in table.values()]
    assert in_cells == [8, 5, 13, 2]
    assert "FLOPs" in table["VGG-11"][0]


def test_lines_over_input_sizes_begin_where_a_network_works(four: Compare) -> None:
    shown = four.tab("Input sizes").chart("sizes")["data"]
    assert [line["name"] for line in shown] == [name for name in NAMES for _ in range(2)]
    assert [line["y"][line["x"].index(224)] for line in shown[::2]] == [each.params for each in TOTALS]
    assert [line["y"][line["x"].index(224)] for line in shown[1::2]] == [2 * each.macs for each in TOTALS]
    begins = [next(side for side, value in zip(line["x"], line["y"], strict=True) if value) for line in shown[::2]]
    assert begins == [32, 68, 32, 28]  # sizes go by 4 from 28 on
    assert "AlexNet needs at least 65×65." in [caption.value for caption in four.test.caption]


def test_time_shows_the_work_before_anything_is_measured(four: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_measured", {})
    table = four.tab("Time").table
    assert list(table) == NAMES
    assert [cells[0].split(" (")[0] for cells in table.values()] == [short(16 * each.macs) for each in TOTALS]
    assert all(cells[3:] == ["–"] * 3 for cells in table.values())


def test_the_link_to_take_away_has_all_four(four: Compare) -> None:
    assert four.tab("Take away").test.code[-1].value == "?" + "&".join(f"arch={arch}" for arch in FOUR) + (
        "&batch=64&count=FLOPs"
    )


# --- in the browser ------------------------------------------------------------------------------------------


def test_four_networks_from_a_deep_link_on_a_fresh_server(browser: "Browser", server: StartServer) -> None:
    started = server()
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{started.url}/compare?" + "&".join(f"arch={arch}" for arch in FOUR))
    table = page.locator("table").first
    table.wait_for()
    text = table.inner_text().replace("\N{NON-BREAKING HYPHEN}", "-")
    for number in totals("vgg11", "alexnet", "lenet"):
        assert number in text
    assert "VGG-16, head gap" in text
    assert page.get_by_role("link", name="Explore").is_visible()
    for name in ("Parameters against MACs", "Stage by stage", "Input sizes", "Parts"):
        page.get_by_role("tab", name=name).click()
        page.locator("[role=tabpanel]:visible").locator("table, .js-plotly-plot .main-svg").first.wait_for()
    page.get_by_label("input height", exact=True).fill("56")
    page.get_by_label("input height", exact=True).press("Enter")
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    assert "AlexNet" in alert.inner_text()
    assert "65×65" in alert.inner_text()
    page.get_by_text("中", exact=True).click()
    page.get_by_text("的激活值个数", exact=False).or_(page.get_by_text("激活值个数是", exact=False)).first.wait_for()
    if Path("/proc").exists():
        assert not re.search("torch", Path(f"/proc/{started.process.pid}/maps").read_text())
    assert not errors
    context.close()


def test_from_compare_to_explore_and_back_the_networks_stay(tab: OpenTab, dashboard: Server) -> None:
    explore = Explore(tab(), dashboard)
    explore.open(arch="vgg13")
    page = explore.page
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("button", name="first", exact=True).click()
    explore.until(lambda: "arch=alexnet&arch=vgg13" in page.url)
    page.get_by_role("link", name="Explore").click()
    explore.settle().shows(summarize(*parse_arch("alexnet")))
    page.get_by_role("link", name="Compare").click()
    explore.until(lambda: "arch=alexnet&arch=vgg13" in page.url)


def test_a_comparison_is_taken_away(tab: OpenTab, dashboard: Server, tmp_path: Path) -> None:
    page = tab()
    page.goto(f"{dashboard.url}/compare?arch=vgg11&arch=alexnet&input=1x96x96")
    page.get_by_role("tab", name="Take away").click()
    texts = {}
    for ending in ("csv", "json"):
        with page.expect_download() as download:
            page.get_by_role("button", name=ending.upper(), exact=True).click()
        assert download.value.suggested_filename == f"comparison-2-networks-96x96.{ending}"
        texts[ending] = Path(download.value.path()).read_text("utf-8")
    rows = list(csv.DictReader(texts["csv"].splitlines()))
    assert [(row["network"], int(row["params"])) for row in rows] == [("VGG-11", 44_920_074), ("AlexNet", 21_598_922)]
    data = json.loads(texts["json"])
    assert [item["totals"]["macs"] for item in data["architectures"]] == [1_399_955_456, 134_474_112]
    with page.expect_download() as download:
        page.get_by_role("button", name="Parts (PNG)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert "/compare?input=1x96x96" in page.locator("[data-testid=stCode]").last.inner_text()
