"""The bar of all pages in a real browser: it stays in its place, it shares, and it shows the run that trains."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import OpenTab, Server, wait_until
from filelock import FileLock
from test_browser import Explore
from test_runs_page import make

from vggexplorer.paths import PAGES
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.server.style import PROJECTED, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LINKS = "[data-testid=stTopNavLink]"
PLACES = f"() => [...document.querySelectorAll('{LINKS}')].map(link => link.getBoundingClientRect().x)"
ROOT_SIZE = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"


@pytest.fixture
def bar(tab: OpenTab, dashboard: Server) -> Iterator[Explore]:
    page = Explore(tab(), dashboard)
    yield page
    assert page.complaints == []


def drawn(bar: Explore) -> Explore:
    """The page, once its bar is there."""
    bar.page.locator(".st-key-share button").wait_for()
    bar.page.locator("[data-testid=stSegmentedControl], .st-key-language").first.wait_for()
    return bar


def test_the_pages_links_never_move_and_load_nothing_anew(bar: Explore) -> None:
    bar.page.goto(bar.server.url)
    drawn(bar).page.evaluate("window.loaded = 1")
    before = bar.page.evaluate(PLACES)
    assert len(before) == len(PAGES)
    for place in (1, 2, 3, 4, 0):
        bar.page.locator(LINKS).nth(place).click()
        bar.page.wait_for_function(f"() => document.querySelectorAll('{LINKS}')[{place}].ariaCurrent === 'page'")
        drawn(bar)
        assert bar.page.evaluate(PLACES) == before
    assert bar.page.evaluate("window.loaded") == 1
    bar.page.locator("[data-testid=stSidebarCollapseButton] button").click()
    bar.page.locator("[data-testid=stExpandSidebarButton]").wait_for()
    assert bar.page.evaluate(PLACES) == before


def test_a_projector_gets_larger_type_and_no_editor(bar: Explore) -> None:
    bar.open(arch="vgg13")
    editor = bar.page.locator("[data-testid=stSidebarUserContent]")
    assert editor.is_visible()
    assert bar.page.evaluate(ROOT_SIZE) == ROOT
    bar.click(bar.button("Projector view"))
    bar.page.reload()
    bar.settle()
    assert bar.params() == {"arch": "vgg13", "view": "projector"}
    assert bar.page.evaluate(ROOT_SIZE) == pytest.approx(ROOT * PROJECTED)
    assert not editor.is_visible()
    bar.click(bar.button("Normal view"))
    assert editor.is_visible()


def test_a_shared_link_opens_exactly_this(bar: Explore) -> None:
    bar.open(arch="vgg11")
    bar.fill("Height", "96")
    totals = bar.totals()
    bar.button("Share").click()
    code = bar.page.locator(".st-key-share-panel code")
    code.wait_for()
    link = code.inner_text().strip()
    assert link.startswith(bar.server.url)
    bar.page.get_by_text("nobody else can open it").wait_for()
    other = bar.page.context.new_page()
    other.goto(link)
    assert Explore(other, bar.server).settle().totals() == totals
    other.close()


def test_the_live_run_is_in_the_bar_until_its_end_was_seen(bar: Explore, runs_of_the_tests: Path) -> None:
    run = make(runs_of_the_tests, "alive", status="interrupted", day=28)
    ring = bar.page.get_by_role("button", name="Show the run: alive")
    try:
        with FileLock(run.path / layout.LOCK):
            bar.page.goto(f"{bar.server.url}/learn")
            says(ring, "alive: running")
            ring.click()
            bar.page.wait_for_url(lambda url: f"/train?run={run.id}" in url)
        write_json(run.path / layout.OUTCOME, Outcome(status="finished", step=100, test_acc=0.8564).to_json())
        says(ring, "alive: finished, 85.6")
        drawn(bar)
        ring.click()
        wait_until(lambda: not ring.is_visible(), 10, "a bar without the run")
    finally:
        shutil.rmtree(run.path)


def says(ring: "Locator", text: str) -> None:
    def said() -> bool:
        ring.page.wait_for_timeout(50)
        return ring.is_visible() and text in (ring.get_attribute("aria-label") or "")

    wait_until(said, 20, text)
