"""Every page on a phone: nothing beside the screen, the pages in a bar at the bottom, the editor as a sheet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from conftest import OpenTab, Server, wait_until
from test_browser import Explore

from vggexplorer.paths import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Locator

PHONE = {"width": 390, "height": 844}
LINKS = ".st-key-pages a"
EDIT = {"en-US": "Edit the network", "zh-CN": "编辑网络"}
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
        """With the sheet open."""
        self.page.get_by_role("button", name=name, exact=True).click()
        self.until(lambda: self.box(self.sheet)["y"] < PHONE["height"] * 0.6, "an open sheet")
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
