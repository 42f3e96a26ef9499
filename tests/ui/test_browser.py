"""The dashboard in a real browser: what a person does on Explore, and what they then see."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from conftest import OpenTab, Server, StartServer, wait_until
from test_pages import expected as written

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.palette import HEAT
from vggexplorer.receptive import fields
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network
from vggexplorer.ui.link import State, read, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

GROUPS = {"Height": "input", "Width": "input", "Classes": "head", "Hidden layers": "head"}
BOOK = "conv_arch = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))  # 这里(2,256)2指重复两次"


class Explore:
    """The page as a person uses it: every action waits until the page has settled."""

    def __init__(self, page: "Page", server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))

    def open(self, path: str = "/", **params: str) -> "Explore":
        self.page.goto(f"{self.server.url}{path}" + (f"?{urlencode(params)}" if params else ""))
        return self.settle()

    def settle(self) -> "Explore":
        """Wait until the script has run to its end and nothing on the page is stale."""
        self.page.wait_for_selector(".totals .value, [data-testid=stMetricValue], [data-testid=stAlert]")
        self.page.wait_for_function(
            """() => {
                const app = document.querySelector('[data-testid=stApp]')
                return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')
            }"""
        )
        return self

    def unfold(self, *groups: str) -> "Explore":
        """Open the input or the head of the editor."""
        for group in groups:
            if not self.page.locator(f".st-key-group-{group} [data-testid=stNumberInput]").first.is_visible():
                self.page.locator(f".st-key-group-{group} summary").click()
            self.page.locator(f".st-key-group-{group} [data-testid=stNumberInput]").first.wait_for()
        return self

    def fill(self, label: str, text: str) -> None:
        if label in GROUPS and self.page.locator(f".st-key-group-{GROUPS[label]}").count():
            self.unfold(GROUPS[label])
        box = self.page.get_by_label(label, exact=True)
        box.fill(text)
        box.press("Enter")
        self.page.wait_for_timeout(80)
        self.settle()

    def click(self, locator: "Locator") -> None:
        locator.click()
        self.page.wait_for_timeout(80)
        self.settle()

    def button(self, name: str) -> "Locator":
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, block: int, action: str) -> None:
        """Choose an action from the menu of a block (from 1)."""
        self.page.get_by_role("button", name=f"What to do with block {block}").click()
        self.click(self.page.get_by_role("menuitem", name=action, exact=True))

    def select(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label).click()
        self.click(self.page.get_by_role("option", name=option, exact=True))

    def paste(self, text: str) -> None:
        self.settle()  # while the page runs, its field may be drawn anew, and what is typed is lost
        box = self.page.locator(".st-key-paste-box textarea")
        box.fill(text)
        box.press("Control+Enter")
        self.page.wait_for_timeout(80)
        self.settle()

    def text(self) -> str:
        return self.value(self.page.locator(".st-key-paste-box textarea"))

    def value(self, box: "Locator") -> str:
        """What stands in a field; where the page has just changed it, once the old one is gone."""
        self.until(lambda: box.count() == 1, "one field")
        return box.input_value()

    def totals(self) -> list[str]:
        return self.page.locator(".totals .exact > span:first-child, .totals .shares > span").all_inner_texts()

    def shows(self, summary: Summary) -> None:
        """Wait until the totals are those of `summary` at batch 1 in float32."""
        expected = written(summary)
        self.until(lambda: self.totals() == expected, f"{expected}, not {self.totals()}")

    def until(self, condition: Callable[[], bool], what: str = "the page") -> None:
        wait_until(lambda: condition() or self.page.wait_for_timeout(20), 15, what)

    def params(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}

    def alert(self) -> str:
        return self.page.locator("[data-testid=stAlert]").first.inner_text()


def summary(**params: str) -> Summary:
    return summarize(*parse_network({"arch": "vgg11"} | params))


def test_edit_a_block_and_the_input(explore: Explore) -> None:
    explore.open()
    explore.shows(summary())
    explore.fill("Convolutions, block 3", "3")
    explore.fill("Channels, block 3", "320")
    explore.fill("Height", "96")
    explore.shows(summary(arch="1x64,1x128,3x320,2x512,2x512", input="1x96x96"))
    assert explore.params() == {"arch": "1x64,1x128,3x320,2x512,2x512", "input": "1x96x96"}


@pytest.mark.sample(2)
@pytest.mark.parametrize("slowdown", [1, 4])
@pytest.mark.parametrize("pause_ms", [0, 30, 120])
def test_edits_that_do_not_wait_for_the_page_are_all_kept(explore: Explore, pause_ms: int, slowdown: int) -> None:
    """The preset, the text and the drawing change while the next value is already being typed, on a slow laptop too."""
    session = explore.page.context.new_cdp_session(explore.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    explore.open().unfold("input", "head")
    for label, text in {
        "Channels, block 1": "32",
        "Channels, block 2": "48",
        "Height": "96",
        "Convolutions, block 3": "3",
        "Classes": "100",
    }.items():
        box = explore.page.get_by_label(label, exact=True)
        box.fill(text)
        box.press("Tab")
        explore.page.wait_for_timeout(pause_ms)
    explore.shows(summary(arch="1x32,1x48,3x256,2x512,2x512", input="1x96x96", classes="100"))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})


def test_add_move_duplicate_and_delete_blocks(explore: Explore) -> None:
    explore.open()
    explore.choose(1, "Add a block below")
    explore.shows(summary(arch="1x64,1x64,1x128,2x256,2x512,2x512"))
    explore.choose(3, "Move up")
    explore.shows(summary(arch="1x64,1x128,1x64,2x256,2x512,2x512"))
    explore.choose(2, "Move down")
    explore.choose(4, "Duplicate")
    explore.choose(1, "Delete")
    explore.shows(summary(arch="1x64,1x128,2x256,2x256,2x512,2x512"))
    for _ in range(5):
        explore.click(explore.button("Undo"))
    explore.shows(summary())
    explore.click(explore.button("Redo"))
    explore.shows(summary(arch="1x64,1x64,1x128,2x256,2x512,2x512"))


def test_alexnet_is_edited_like_any_other(explore: Explore) -> None:
    explore.open()
    explore.select("Network", "AlexNet · Dive into Deep Learning")
    explore.shows(summary(arch="alexnet"))
    explore.click(explore.button("More columns"))
    explore.fill("Kernel, block 1", "7")
    explore.shows(summary(arch="1x96:k7:s4:p1:pool3s2,1x256:k5:pool3s2,2x384:nopool,1x256:pool3s2"))


def test_paste_the_books_tuple_and_scale_it(explore: Explore) -> None:
    explore.open(arch="lenet", input="1x224x224")
    explore.paste(BOOK)
    explore.until(lambda: explore.text() == "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))")
    explore.select("Network", "VGG-11 · Dive into Deep Learning")
    explore.click(explore.button("× ¼"))
    explore.shows(summary(arch="vgg11-slim"))
    assert explore.params() == {"arch": "vgg11-slim"}


@pytest.mark.parametrize("nonsense", ["abc", "((1, 64), (1, 1000000000))", "1x64,<img src=x onerror=alert(1)>"])
def test_nonsense_gets_a_sentence_and_loses_nothing(explore: Explore, nonsense: str) -> None:
    explore.open(arch="1x8,1x16")
    explore.paste(nonsense)
    assert len(explore.alert().split()) > 5
    assert "Traceback" not in explore.page.content()
    assert explore.text() == nonsense
    explore.shows(summary(arch="1x8,1x16"))
    explore.fill("Channels, block 2", "24")
    explore.shows(summary(arch="1x8,1x24"))
    wait_until(lambda: explore.text() == "((1, 8), (1, 24))" or explore.page.wait_for_timeout(50), what="the text")


def test_an_emptied_field_of_hidden_layers_means_none(explore: Explore) -> None:
    explore.open()
    explore.fill("Hidden layers", "")
    explore.shows(summary(hidden="none"))
    assert explore.params() == {"hidden": "none"}
    assert explore.value(explore.page.get_by_label("Hidden layers", exact=True)) == "none"


def test_another_baseline_is_offered_where_the_pinned_one_cannot_take_the_input(explore: Explore) -> None:
    explore.open(input="1x32x32")
    assert explore.page.locator(".totals .ratio").count() == 0
    explore.select("Compare with another network", "VGG-16")
    explore.page.locator(".totals .ratio").nth(3).wait_for()
    assert explore.params() == {"input": "1x32x32", "pin": "vgg16"}


def test_an_input_that_is_too_small_is_explained(explore: Explore) -> None:
    explore.open(arch="alexnet")
    explore.fill("Height", "64")
    assert "65×65" in explore.alert()
    assert "MaxPool2d of block 4" in explore.alert()
    explore.fill("Height", "65")
    explore.shows(summary(arch="alexnet", input="1x65x65"))


def test_reload_and_back_give_exactly_the_state(explore: Explore) -> None:
    explore.open()
    explore.fill("Channels, block 2", "100")
    explore.fill("Width", "160")
    explore.page.reload()
    explore.settle().shows(summary(arch="1x64,1x100,2x256,2x512,2x512", input="1x224x160"))
    explore.unfold("input")
    explore.page.go_back()
    explore.settle().shows(summary(arch="1x64,1x100,2x256,2x512,2x512"))
    assert explore.value(explore.page.get_by_label("Width", exact=True)) == ""
    explore.page.go_back()
    explore.settle().shows(summary())
    explore.page.go_forward()
    explore.settle().shows(summary(arch="1x64,1x100,2x256,2x512,2x512"))


def test_chinese_by_switch_and_by_browser(explore: Explore, tab: OpenTab, dashboard: Server) -> None:
    explore.open(arch="vgg16")
    explore.click(explore.page.get_by_text("中", exact=True))
    explore.until(lambda: explore.page.get_by_text("参数量").first.is_visible())
    assert explore.params() == {"arch": "vgg16", "lang": "zh"}
    theirs = Explore(tab("zh-CN"), dashboard).open()
    theirs.until(lambda: theirs.page.get_by_text("参数量").first.is_visible())
    assert theirs.params() == {}


def test_a_layer_is_selected_from_drawing_table_and_chart(explore: Explore) -> None:
    explore.open()
    panel = explore.page.locator(".st-key-panel .layer")
    assert "classifier.0" in panel.inner_text()
    explore.page.locator("[data-layer='features.3'][role=button]").click(position={"x": 5, "y": 80})
    explore.until(lambda: "features.3" in panel.inner_text())
    assert "128 × 64 × 3 × 3 + 128" in panel.inner_text()
    explore.page.get_by_role("button", name="open all 29 layers").click()
    explore.page.locator("table.layers").get_by_role("button", name="MaxPool2d features.20").click()
    explore.until(lambda: "features.20" in panel.inner_text())
    assert "134 + (2 − 1) × 16" in panel.inner_text()
    explore.click(explore.page.get_by_role("tab", name="Charts"))
    bars = explore.page.locator(".st-key-costs .bars path")
    explore.until(lambda: bars.count() > 0, "the chart")
    bars.nth(3).hover(force=True)
    bars.nth(3).click(force=True)
    explore.until(lambda: "features.8" in panel.inner_text())


def test_the_receptive_field_of_a_position(explore: Explore) -> None:
    explore.open(input="1x96x96")
    explore.click(explore.page.get_by_role("tab", name="Receptive field"))
    seen = explore.page.locator(".inspector [role=status]")
    explore.until(lambda: "All outputs together: sees the whole picture." in seen.inner_text())
    explore.click(explore.page.get_by_role("tab", name="Layers"))
    explore.page.get_by_role("button", name="open all 29 layers").click()
    explore.click(explore.page.locator("table.layers").get_by_role("button", name="MaxPool2d features.20"))
    explore.click(explore.page.get_by_role("tab", name="Receptive field"))
    middle = "Row 2 of 3, column 2 of 3: sees the whole picture."
    explore.until(lambda: seen.inner_text() == middle)
    assert explore.page.get_by_text("receptive field 150×150 pixels, stride 32").is_visible()
    places = explore.page.locator(".inspector .map")
    places.focus()
    explore.page.keyboard.press("ArrowUp")
    explore.page.keyboard.press("Shift+ArrowLeft")
    summary = summarize(NETWORKS["VGG-11"].architecture, (1, 96, 96))
    row = summary.row("features.20")
    assert row
    first, last = fields(summary, row).rows[0] or (0, 0)
    pixels = f"{first + 1} to {last + 1}"
    sees = f"sees the rows {pixels} and the columns {pixels}: {last + 1}×{last + 1} pixels."
    assert seen.inner_text() == f"Row 1 of 3, column 1 of 3: {sees}"
    box = places.bounding_box()
    assert box
    explore.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert seen.inner_text() == middle


def test_the_table_has_the_books_lines_and_opens_to_all_layers(explore: Explore) -> None:
    explore.open()
    lines = explore.page.locator("table.layers tbody tr")
    explore.until(lambda: lines.count() == 13)
    assert "64×112×112" in lines.nth(0).inner_text()
    explore.page.get_by_role("button", name="open all 29 layers").click()
    explore.until(lambda: lines.count() == 5 + 29)


def test_pinned_network_is_the_baseline(explore: Explore) -> None:
    explore.open(arch="vgg16")
    explore.click(explore.button("Compared with"))
    explore.click(explore.button("Pin this network"))
    explore.page.keyboard.press("Escape")
    assert explore.params()["pin"] == "vgg16;input=1x224x224;classes=10"
    explore.fill("Classes", "1000")
    difference = summary(arch="vgg16", classes="1000").totals.params - summary(arch="vgg16").totals.params
    assert difference == 4096 * 990 + 990
    assert "4.06" in explore.page.locator(".totals .difference").first.inner_text()
    explore.click(explore.button("Compared with"))
    explore.click(explore.button("Pin AlexNet again"))
    assert "pin" not in explore.params()


def test_a_deep_link_on_a_fresh_server(browser: "Browser", server: StartServer) -> None:
    state, errors = read({"arch": "1x8,2x16:nopool", "input": "3x64x48", "classes": "7", "head": "gap", "bn": "1"})
    assert not errors
    context = browser.new_context(locale="en-US")
    explore = Explore(context.new_page(), server()).open("/explore", **write(state))
    explore.shows(summarize(*state.network))
    assert urlsplit(explore.page.url).path == "/"
    assert explore.params() == write(state)
    explore.unfold("input")
    assert explore.value(explore.page.get_by_label("Width", exact=True)) == "48"
    context.close()


def test_a_broken_link_says_so_and_opens_the_rest(explore: Explore) -> None:
    explore.open(arch="vgg13", input="banana", colour="red")
    explore.shows(summary(arch="vgg13"))
    alerts = " ".join(explore.page.locator("[data-testid=stAlert]").all_inner_texts())
    assert "banana" in alerts
    assert "colour" in alerts
    assert explore.params() == {"arch": "vgg13"}


def test_the_page_is_calm_and_fits(explore: Explore) -> None:
    """On a screen of 1440 x 900 the tabs begin in the upper half, and nothing overflows a phone sideways."""
    explore.open()
    tabs = explore.page.get_by_role("tablist").bounding_box()
    assert tabs
    assert tabs["y"] < 450, "the tabs begin in the upper half"
    explore.page.set_viewport_size({"width": 390, "height": 844})
    explore.page.wait_for_timeout(500)
    width = explore.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see what a process has mapped")
def test_the_server_maps_no_libtorch(explore: Explore) -> None:
    explore.open()
    explore.click(explore.page.get_by_role("tab", name="Charts"))
    maps = Path(f"/proc/{explore.server.process.pid}/maps").read_text(encoding="utf-8")
    assert "streamlit" in maps or "python" in maps
    assert not re.search("torch", maps)


def test_the_keyboard_reaches_drawing_and_table(explore: Explore) -> None:
    explore.open()
    panel = explore.page.locator(".st-key-panel .layer")
    explore.page.locator("[data-layer='features.0'][role=button]").focus()
    explore.page.keyboard.press("ArrowRight")
    explore.page.keyboard.press("Enter")
    explore.until(lambda: "features.2" in panel.inner_text())
    explore.page.get_by_role("button", name="Block 2 ·").focus()
    explore.page.keyboard.press("Enter")
    explore.page.keyboard.press("ArrowDown")
    explore.page.keyboard.press("Enter")
    explore.until(lambda: "features.3" in panel.inner_text())


def test_state_defaults_are_left_out_of_links() -> None:
    assert write(State()) == {}
    assert isinstance(State().network, Network)


def test_a_number_out_of_bounds_gets_a_sentence_and_the_field_its_value_back(explore: Explore) -> None:
    explore.open()
    explore.fill("Channels, block 2", "0")
    explore.page.get_by_text("The number of output channels must be from 1 to 65,536, not 0.").wait_for()
    assert explore.value(explore.page.get_by_label("Channels, block 2", exact=True)) == "128"
    explore.shows(summary())


def test_after_a_switch_of_language_everything_can_still_be_edited(explore: Explore) -> None:
    explore.open(arch="1x8,1x16:nopool", head="gap")
    explore.unfold("head")
    explore.click(explore.page.get_by_text("中", exact=True))
    everything = "row => row.innerText + [...row.querySelectorAll('input')].map((input) => input.value)"
    head = explore.page.locator(".st-key-head-row")
    explore.until(lambda: "gap：全局平均汇聚" in head.evaluate(everything), "the head in Chinese")
    explore.fill("通道数，块 1", "10")
    explore.shows(summary(arch="1x10,1x16:nopool", head="gap"))
    assert explore.page.locator("[data-testid=stAlert]").count() == 0


def test_the_focus_stays_in_the_drawing_and_rows_stay_open(explore: Explore) -> None:
    explore.open()
    explore.page.locator("[data-layer='features.0'][role=button]").focus()
    explore.page.keyboard.press("Enter")
    explore.until(lambda: "features.0" in explore.page.locator(".st-key-panel .layer").inner_text())
    explore.page.keyboard.press("ArrowRight")
    explore.page.keyboard.press("Enter")
    explore.until(lambda: "features.2" in explore.page.locator(".st-key-panel .layer").inner_text())
    explore.page.get_by_role("button", name="open all 29 layers").click()
    explore.click(explore.page.get_by_role("tab", name="Charts"))
    explore.click(explore.page.get_by_role("tab", name="Layers"))
    lines = explore.page.locator("table.layers tbody tr")
    explore.until(lambda: lines.count() == 5 + 29)


def test_why_vgg16_costs_more_than_alexnet_takes_three_clicks_from_the_first_page(explore: Explore) -> None:
    page = explore.page
    explore.open()
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="VGG-16 · Simonyan and Zisserman, 2014", exact=True).click()
    page.get_by_role("heading", name="VGG-16").wait_for()
    page.get_by_role("link", name="Compare").click()
    page.get_by_text("VGG-16 does 16.4× the MACs of AlexNet", exact=False).wait_for()


def test_the_layer_that_costs_most_is_seen_without_a_click_and_by_colour_with_one(explore: Explore) -> None:
    page = explore.page
    explore.open()
    page.locator(".st-key-panel .layer").get_by_text("classifier.0").wait_for()
    explore.button("MACs").click()
    heaviest = max(summary().rows, key=lambda row: row.macs)
    darkest = page.locator(f".drawing [data-layer]:has([fill='{HEAT[1]}'])")
    explore.until(lambda: darkest.count() > 0, "the colours")
    assert heaviest.name in [each.get_attribute("data-layer") for each in darkest.all()]
