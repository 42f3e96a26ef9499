"""Compare in a real browser: what people do with chips, baseline and tabs, on large and small screens."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from conftest import OpenTab, Server, StartServer
from test_browser import Explore
from test_compare_page import FOUR, NAMES, TOTALS

from vggexplorer.comparison import compare, why
from vggexplorer.formatting import NO_BREAK, exact, factor
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

OUTSIDE = """() => [...document.querySelectorAll('[data-testid=stMain] *')].flatMap((host) =>
    host.shadowRoot ? [host, ...host.shadowRoot.querySelectorAll('*')] : [host]
  ).filter((node) => {
    const box = node.getBoundingClientRect()
    const free = (each) => /auto|scroll/.test(getComputedStyle(each).overflowX)
    const scrolls = (each) => each && (free(each) || scrolls(each.parentElement))
    return box.width && box.right > innerWidth + 1 && !scrolls(node.parentElement)
  }).map((node) => node.tagName + '.' + node.className)"""
"""What on the page is cut at the right edge, and not in a box that scrolls."""


class Comparison(Explore):
    """The page as a person uses it."""

    def open_all(self, *archs: str, **params: str) -> "Comparison":
        query = urlencode({"arch": archs, **params}, doseq=True)
        self.page.goto(f"{self.server.url}/compare?{query}")
        return self.settle()

    def settle(self) -> "Comparison":
        self.page.locator(".st-key-totals-of-all tbody tr").first.wait_for()
        self.page.wait_for_function(
            """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
                && !document.querySelector('[data-stale=true]')"""
        )
        return self

    def chip(self, name: str) -> "Locator":
        return self.page.locator(".chips li").filter(has=self.page.locator(".more", has_text=re.compile(f"{name} ▾$")))

    def ask(self, name: str, words: str) -> None:
        """Choose what the chip's menu has."""
        self.chip(name).locator(".more").click()
        self.page.get_by_role("menuitem", name=words).click()

    def names(self) -> list[str]:
        return self.page.locator(".chips .more span").all_inner_texts()

    def ratios(self, column: int = 0) -> list[str]:
        cells = self.page.locator(f".st-key-totals-of-all tbody tr td:nth-of-type({column + 1}) small")
        return [text.replace(NO_BREAK, " ") for text in cells.all_inner_texts()]

    def lists(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.page.url).query)


@pytest.fixture
def comparison(tab: OpenTab, dashboard: Server) -> Iterator[Comparison]:
    page = Comparison(tab(), dashboard)
    yield page
    assert not page.complaints


def expected(base: int) -> list[str]:
    """The ratios of the parameters to those of the network at `base`."""
    counts = [each.params for each in TOTALS]
    return [
        "" if place == base else factor(count, counts[base]).replace(NO_BREAK, " ")
        for place, count in enumerate(counts)
    ]


def test_four_networks_from_a_deep_link_on_a_fresh_server(browser: "Browser", server: StartServer) -> None:
    """On a projector's first screen are chips, totals, the answer, the tabs and the begin of what they hold."""
    started = server()
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-US")
    comparison = Comparison(context.new_page(), started).open_all(*FOUR)
    page = comparison.page
    assert comparison.names() == NAMES
    table = page.locator(".st-key-totals-of-all .part").inner_text()
    assert all(exact(each.macs) in table for each in TOTALS)
    names = ("Stages", "Parameters × MACs", "Input size", "FLOPs ≠ time", "Train them", "Take away")
    assert page.get_by_role("tab").all_inner_texts() == list(names)
    begins = page.locator(".st-key-stages tbody tr").first.bounding_box()
    assert begins
    assert begins["y"] + begins["height"] < 720
    for name in names[1:4]:
        page.get_by_role("tab", name=name).click()
        page.locator("[role=tabpanel]:visible").locator("table, .js-plotly-plot .main-svg").first.wait_for()
    comparison.until(lambda: comparison.lists()["tab"] == ["time"])
    page.get_by_role("button", name=re.compile("Input 1×224×224")).click()
    comparison.fill("Height", "56")
    assert "AlexNet" in comparison.alert()
    assert "65×65" in comparison.alert()
    page.get_by_text("中", exact=True).click()
    page.get_by_role("tab", name="阶段").wait_for()
    if Path("/proc").exists():
        assert not re.search("torch", Path(f"/proc/{started.process.pid}/maps").read_text(encoding="utf-8"))
    assert not comparison.complaints
    context.close()


def test_the_ratios_follow_the_baseline_and_so_does_the_address(comparison: Comparison) -> None:
    page = comparison.open_all(*FOUR).page
    assert comparison.ratios() == expected(0)
    comparison.ask("AlexNet", "Make it the baseline")
    comparison.until(lambda: comparison.ratios() == expected(1))
    comparison.until(lambda: comparison.lists().get("baseline") == ["2"])
    page.get_by_role("combobox", name="Baseline").click()
    page.get_by_role("option", name="Baseline: LeNet").click()
    comparison.until(lambda: comparison.ratios() == expected(3))
    page.go_back()
    comparison.until(lambda: comparison.ratios() == expected(1))
    page.reload()
    comparison.settle()
    assert comparison.ratios() == expected(1)


def test_chips_are_moved_removed_and_dragged(comparison: Comparison) -> None:
    page = comparison.open_all("vgg11", "alexnet", "lenet", baseline="2").page
    comparison.ask("AlexNet", "Move right")
    comparison.until(lambda: comparison.names() == ["VGG-11", "LeNet", "AlexNet"])
    comparison.until(lambda: comparison.lists()["baseline"] == ["3"])
    comparison.chip("AlexNet").drag_to(comparison.chip("VGG-11"))
    comparison.until(lambda: comparison.names() == ["AlexNet", "VGG-11", "LeNet"])
    comparison.until(lambda: comparison.lists()["arch"] == ["alexnet", "vgg11", "lenet"])
    assert "baseline" not in comparison.lists()
    page.get_by_role("button", name="Remove VGG-11").click()
    comparison.until(lambda: comparison.names() == ["AlexNet", "LeNet"])
    assert page.get_by_role("button", name="Remove LeNet").is_disabled()


def test_a_second_click_on_remove_takes_no_other_network_away(comparison: Comparison) -> None:
    page = comparison.open_all(*FOUR).page
    page.locator(".chips .remove").nth(1).dblclick()
    comparison.until(lambda: "AlexNet" not in comparison.names())
    comparison.settle()
    assert len(comparison.names()) == 3


def test_the_menu_of_a_chip_is_used_with_the_keyboard(comparison: Comparison) -> None:
    page = comparison.open_all(*FOUR).page
    more = comparison.chip("LeNet").locator(".more")
    more.press("Enter")
    page.get_by_role("menuitem", name="Edit on Explore").press("Escape")
    assert page.get_by_role("menuitem").count() == 0
    assert more.evaluate("node => node.getRootNode().activeElement === node")
    more.press("Enter")
    page.get_by_role("menuitem", name="Edit on Explore").press("ArrowDown")
    page.keyboard.press("Enter")
    comparison.until(lambda: comparison.ratios() == expected(3))


def test_a_chip_leads_to_explore_and_the_networks_stay(comparison: Comparison, dashboard: Server) -> None:
    page = comparison.open_all("vgg13", "alexnet").page
    comparison.ask("AlexNet", "Edit on Explore")
    explore = Explore(page, dashboard).settle()
    explore.shows(summarize(*parse_arch("alexnet")))
    assert explore.params() == {"arch": "alexnet"}
    page.get_by_role("link", name="Compare").click()
    comparison.settle()
    assert comparison.lists()["arch"] == ["alexnet", "vgg13"]


def test_networks_are_added_by_name_and_by_text(comparison: Comparison) -> None:
    page = comparison.open_all("vgg11", "alexnet").page
    page.get_by_role("button", name="Add").click()
    box = page.get_by_role("textbox", name="or paste one")
    box.fill("[64, 'M', 128, 'M']")
    box.press("Control+Enter")
    comparison.until(lambda: len(comparison.names()) == 3)
    comparison.until(lambda: comparison.lists()["arch"] == ["vgg11", "alexnet", "1x64,1x128"])


def test_why_is_asked_of_any_two(comparison: Comparison) -> None:
    page = comparison.open_all(*FOUR).page
    comparison.select("This network", "LeNet")
    comparison.select("Against that network", "AlexNet")
    (first, *rest) = why(*compare([parse_arch(name).architecture for name in ("lenet", "alexnet")], (1, 224, 224), 10))
    page.locator(".st-key-why-answer").get_by_text(str(first)).wait_for()
    page.get_by_role("button", name=f"All {1 + len(rest)} reasons").click()
    page.get_by_role("listitem").filter(has_text=str(rest[-1])).wait_for()


def test_the_open_tab_is_in_the_address_and_comes_back(comparison: Comparison) -> None:
    page = comparison.open_all(*FOUR).page
    page.get_by_role("tab", name="Take away").click()
    comparison.until(lambda: comparison.lists().get("tab") == ["files"])
    page.get_by_role("tab", name="Input size").click()
    comparison.until(lambda: comparison.lists().get("tab") == ["sizes"])
    page.go_back()
    comparison.until(lambda: page.get_by_role("tab", selected=True).inner_text() == "Take away")
    page.reload()
    comparison.settle()
    assert page.get_by_role("tab", selected=True).inner_text() == "Take away"


@pytest.mark.parametrize("shown", ["stages", "points", "time", "train"])
def test_on_a_phone_nothing_is_cut(comparison: Comparison, shown: str) -> None:
    comparison.page.set_viewport_size({"width": 390, "height": 844})
    comparison.open_all(*FOUR, tab=shown)
    comparison.page.wait_for_timeout(500)
    assert comparison.page.evaluate(OUTSIDE) == []


def test_no_figure_or_ratio_breaks_into_two_lines_on_a_projector(comparison: Comparison) -> None:
    comparison.page.set_viewport_size({"width": 1280, "height": 720})
    comparison.open_all("vgg19", "alexnet", "lenet", batch="128", baseline="3")
    heights = comparison.page.locator(".st-key-totals-of-all .figure").evaluate_all(
        "nodes => nodes.map((node) => [node.scrollWidth - node.clientWidth, node.offsetHeight])"
    )
    assert len(heights) == 12
    assert all(over <= 0 and height < 30 for over, height in heights)


def test_a_comparison_is_taken_away(comparison: Comparison) -> None:
    page = comparison.open_all("vgg11", "alexnet", input="1x96x96", tab="files").page
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
    assert "/compare?input=1x96x96&tab=files" in page.locator("[data-testid=stCode]").last.inner_text()
