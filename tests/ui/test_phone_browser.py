"""Every page on a phone: nothing beside the screen, the pages in a bar at the bottom, the editor as a sheet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from conftest import OpenTab, Server, wait_until
from samples import Sample
from test_browser import Explore
from test_learn_browser import SETTLED, Learn

from vggexplorer.lessons.tasks import TASKS
from vggexplorer.paths import COMPARE, EXPLORE, PAGES, RUNS
from vggexplorer.runs.folder import layout
from vggexplorer.ui.link import TABS

if TYPE_CHECKING:
    from playwright.sync_api import Locator

PHONE = {"width": 390, "height": 844}
LINKS = ".st-key-pages a"
EDIT = {"en-US": "Edit the network", "zh-CN": "编辑网络"}
RECORDED = sorted(path.name for path in layout.RECORDED.iterdir())
PLACES = (
    *(f"?tab={tab}" for tab in TABS[EXPLORE]),
    "?arch=vgg19&shade=params",
    "?arch=1x8,1x16,1x32,1x64,1x64,1x64,1x64,1x64",
    *(f"compare?tab={tab}" for tab in TABS[COMPARE]),
    "compare?arch=vgg11&arch=alexnet&arch=nin&arch=vgg16",
    "train",
    f"train?run={RECORDED[0]}",
    "runs",
    "runs?" + "&".join(f"run={run}" for run in RECORDED),
    *(f"runs?run={RECORDED[0]}&tab={tab}" for tab in TABS[RUNS]),
    "learn",
    *(f"learn?task={task}" for task in TASKS),
)
"""What is looked at on a phone: each page, with each of its tabs and tasks."""
LOST = """() => {
    const found = { scrolls: [], clipped: [] }
    const own = (node) => [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim())
    const look = (root) => {
        for (const node of root.querySelectorAll('*')) {
            if (node.shadowRoot) look(node.shadowRoot)
            const style = getComputedStyle(node)
            const wider = node.clientWidth > 3 && node.scrollWidth > node.clientWidth + 1
            if (!wider || style.visibility === 'hidden') continue
            const what = `${node.tagName} ${node.className} ${node.textContent.slice(0, 60)}`
            const hint = `${style.backgroundImage} ${style.maskImage}`.includes('gradient')
            if (['auto', 'scroll'].includes(style.overflowX)) {
                if (!hint && node.role !== 'tablist') found.scrolls.push(what) // tabs have arrows of Streamlit's
            } else if (style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && own(node)) {
                found.clipped.push(what)
            }
        }
    }
    look(document)
    return found
}"""
BESIDE = """() => {
    const main = document.querySelector('[data-testid=stMain]')
    return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth]
}"""


class Phone(Explore):
    """A page on a phone."""

    @property
    def sheet(self) -> "Locator":
        return self.page.locator(".stSidebar")

    def here(self) -> list[str]:
        """What the bar at the bottom says the page is."""
        return self.page.locator(f"{LINKS}[aria-current=page]").all_inner_texts()

    def opened(self, name: str) -> "Phone":
        """With the sheet open and at rest."""
        self.page.get_by_role("button", name=name, exact=True).click()

        def at_rest() -> bool:
            before = self.box(self.sheet)["y"]
            self.page.wait_for_timeout(60)
            return before == self.box(self.sheet)["y"] < PHONE["height"] * 0.6

        self.until(at_rest, "an open sheet")
        return self

    def box(self, locator: "Locator") -> dict[str, float]:
        return dict(locator.bounding_box() or {"x": 0, "y": PHONE["height"], "width": 0, "height": 0})

    def totals_in_view(self) -> bool:
        """Whether the totals lie between the bar at the top and what covers the bottom."""
        found = self.box(self.page.locator(".totals"))
        lowest = min(self.box(self.page.locator(".st-key-pages"))["y"], self.box(self.sheet)["y"])
        return self.box(self.page.locator("[data-testid=stHeader]"))["height"] <= found["y"] and (
            found["y"] + found["height"] <= lowest
        )


@pytest.fixture(params=EDIT)
def phone(request: pytest.FixtureRequest, tab: OpenTab, dashboard: Server) -> Iterator[Phone]:
    page = tab(request.param)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    phone = Phone(page, dashboard)
    yield phone
    assert phone.complaints == []


def language(phone: Phone) -> str:
    return str(phone.page.evaluate("navigator.language"))


def test_the_bar_at_the_bottom_leads_to_each_page_and_marks_it(phone: Phone) -> None:
    phone.open()
    assert phone.page.locator("[data-testid=stTopNavLink]").count() == 0
    names = phone.page.locator(LINKS).all_inner_texts()
    assert len(set(names)) == len(PAGES)
    for place in (1, 2, 3, 4, 0):
        phone.page.locator(LINKS).nth(place).click()
        phone.page.wait_for_url(f"{phone.server.url}/{PAGES[place]}*")
        wait_until(lambda at=place: phone.here() == [names[at]], 20, "the page in the bar")
        assert phone.page.evaluate(BESIDE) == [0, 0]
    for link in phone.page.locator(LINKS).all():
        box = phone.box(link)
        assert box["height"] >= 40
        assert 0 <= box["x"] <= PHONE["width"] - box["width"]


def test_the_editor_is_a_sheet_below_the_totals_and_goes_with_the_page(phone: Phone) -> None:
    phone.open()
    name = EDIT[language(phone)]
    assert not phone.sheet.is_visible()
    phone.opened(name)
    assert 0.4 < phone.box(phone.sheet)["height"] / PHONE["height"] < 0.5
    before = phone.page.locator(".totals").inner_text()
    phone.page.locator('[data-focus="0 1"]').fill("32")
    phone.page.locator('[data-focus="0 1"]').press("Enter")
    phone.until(lambda: phone.page.locator(".totals").inner_text() != before, "other totals")
    assert phone.totals_in_view()
    phone.page.locator("[data-testid=stSidebarCollapseButton] button").click()
    phone.until(lambda: not phone.sheet.is_visible(), "a closed sheet")
    phone.opened(name).page.locator(LINKS).nth(2).click()
    phone.page.wait_for_url(f"{phone.server.url}/train*")
    phone.until(lambda: not phone.sheet.is_visible(), "a page without the sheet")


def test_the_totals_stay_while_one_scrolls(phone: Phone) -> None:
    phone.open()
    phone.page.locator(".totals .value").first.wait_for()
    phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 1e5)")
    phone.page.wait_for_timeout(200)
    assert phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") > 300
    assert phone.totals_in_view()


def test_nothing_is_beside_the_screen_or_cut_without_a_hint(phone: Phone, sample: Sample) -> None:
    """In Chinese on the narrowest of phones."""
    width = 360 if language(phone) == "zh-CN" else PHONE["width"]
    phone.page.set_viewport_size({"width": width, "height": PHONE["height"]})
    for place in sample(PLACES, 8):
        phone.page.goto(f"{phone.server.url}/{place}")
        phone.page.locator("h1").first.wait_for()
        phone.page.wait_for_function(SETTLED)
        phone.page.wait_for_timeout(300)
        assert phone.page.evaluate(BESIDE) == [0, 0], place
        assert phone.page.evaluate(LOST) == {"scrolls": [], "clipped": []}, place


def test_the_top_bar_has_share_and_language_within_a_thumb_s_reach_and_no_title_under_it(phone: Phone) -> None:
    phone.open(arch="nin")
    top = phone.box(phone.page.locator("[data-testid=stHeader]"))
    assert phone.box(phone.page.locator("h1").first)["y"] >= top["height"]
    buttons = phone.page.locator(".st-key-bar button")
    phone.until(lambda: buttons.count() >= 3, "the bar")
    for button in (each for each in buttons.all() if each.is_visible()):
        box = phone.box(button)
        assert box["height"] >= 40
        assert 0 <= box["x"] <= PHONE["width"] - box["width"]
        assert 0 <= box["y"] <= top["height"] - box["height"]


def test_the_layer_table_goes_on_behind_a_shade_and_its_layers_stay(phone: Phone) -> None:
    phone.open()
    table = phone.page.locator(".st-key-layers .part")
    name = table.locator("tbody th").first
    before = phone.box(name)["x"]
    room = table.evaluate("(node) => [node.clientWidth, node.scrollWidth, getComputedStyle(node).backgroundImage]")
    assert room[0] < room[1]
    assert "gradient" in room[2]
    table.evaluate("(node) => node.scrollTo(1e4, 0)")
    assert phone.box(name)["x"] == before


def test_a_row_of_the_editor_is_one_line_of_three_columns(phone: Phone) -> None:
    phone.open()
    phone.opened(EDIT[language(phone)])
    heads = [phone.box(head)["x"] for head in phone.page.locator(".blocks .heads > span").all()]
    for block in range(5):
        cells = [phone.box(cell) for cell in phone.page.locator(f'.blocks [data-row="{block}"] .line > *').all()]
        assert [cell["x"] for cell in cells] == pytest.approx(heads, abs=1)
        middles = [cell["y"] + cell["height"] / 2 for cell in cells]
        assert middles == pytest.approx([middles[0]] * 3, abs=2)
        assert all(cell["height"] >= 40 for cell in cells)
    phone.page.locator(".blocks .toggle").click()
    more = phone.page.locator(".blocks .more").first
    more.wait_for()
    inner = [phone.box(cell) for cell in more.locator("label").all()]
    assert len({cell["y"] for cell in inner}) == 1
    assert all(0 <= cell["x"] <= PHONE["width"] - cell["width"] for cell in inner)


def test_the_drawing_has_lines_with_letters_that_can_be_read(phone: Phone) -> None:
    phone.open()
    svg = phone.page.locator(".st-key-drawing .drawing svg")
    svg.wait_for()
    assert phone.box(svg)["width"] <= PHONE["width"]
    assert all(phone.box(text)["height"] >= 11 for text in svg.locator(".vgg-size").all())
    wide = phone.page.locator(".st-key-drawing .drawing")
    assert "narrow" in str(wide.get_attribute("class"))
    phone.page.set_viewport_size({"width": 1440, "height": 900})
    phone.until(lambda: "narrow" not in str(wide.get_attribute("class")), "the wide drawing")


def test_a_run_is_a_card_with_accuracy_curve_and_time(phone: Phone) -> None:
    phone.page.goto(f"{phone.server.url}/runs")
    cards = phone.page.locator(f'tr[data-run="{RECORDED[0]}"]')
    cards.wait_for()
    for part in (".open", ".sign", "[data-column=accuracy]", "[data-column=spark] svg", "[data-column=time]"):
        box = phone.box(cards.locator(part))
        assert box["width"] > 0, part
        assert 0 <= box["x"] <= PHONE["width"] - box["width"], part


def test_back_closes_the_sheet(phone: Phone) -> None:
    phone.open()
    phone.page.locator(LINKS).nth(2).click()
    phone.page.wait_for_url(f"{phone.server.url}/train*")
    wait_until(lambda: phone.here() == [phone.page.locator(LINKS).nth(2).inner_text()], 20, "Train")
    phone.page.wait_for_function(SETTLED)
    phone.page.locator(".st-key-sheet button").click()
    phone.until(phone.sheet.is_visible, "an open sheet")
    phone.page.go_back()
    phone.until(lambda: not phone.sheet.is_visible(), "a page without the sheet")
    phone.page.reload()
    phone.page.locator(".totals .value").first.wait_for()
    assert not phone.sheet.is_visible()


def test_the_workbench_of_a_task_is_whole_and_its_totals_stay(phone: Phone, sample: Sample) -> None:
    learn = Learn(phone.page, phone.server, "zh" if language(phone) == "zh-CN" else "en")
    for key in sample(list(TASKS), 2):
        learn.open(task=key).guess(TASKS[key])
        assert phone.page.evaluate(BESIDE) == [0, 0], key
        assert phone.page.evaluate(LOST) == {"scrolls": [], "clipped": []}, key
        bench = phone.page.locator("div:has(> .st-key-bench)").last
        assert bench.evaluate("(node) => getComputedStyle(node).overflowY") == "visible", key
        if phone.page.locator(".totals .value").count():
            phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 900)")
            phone.page.wait_for_timeout(200)
            assert phone.totals_in_view(), key
