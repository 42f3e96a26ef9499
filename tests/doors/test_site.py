"""The static site: built, served below a path as a plain host does, and used in a browser that sees no other host."""

import csv
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest
import serve_site
from conftest import ROOT, no_browser
from test_browser import Explore, summary
from test_reader import CASES

from vggexplorer.catalogue import catalogue
from vggexplorer.export import rows_csv
from vggexplorer.formatting import exact
from vggexplorer.lessons.packed import pack
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.written import OWN, example, read
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

PREFIX = "/classes/cnn/"
PATIENCE = 120_000
"""Milliseconds for Python to be loaded into the browser of a busy machine."""


class Site(NamedTuple):
    """The address of the built site."""

    url: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not shutil.which("npm"):
        no_browser("the site is built with npm, which is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "scripts" / "build_site.py"), str(folder)]
    subprocess.run(command, check=True, timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT)})
    with serve_site.server(folder, path=PREFIX) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield Site(f"http://127.0.0.1:{host.server_port}{PREFIX.rstrip('/')}")
        host.shutdown()


class Visitor(Explore):
    """Somebody on any page of the site, who waits for Python too."""

    def back_to(self, name: str) -> None:
        """Press Back until a page is there: Streamlit may keep the address of one twice, with and without its query."""
        for _ in range(2):
            if urlsplit(self.page.url).path != f"{PREFIX}{name}":
                self.page.go_back()

    def settle(self) -> "Visitor":
        self.page.wait_for_selector("[data-testid=stMain] h1")
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        return self


@pytest.fixture
def visitor(browser: "Browser", site: Site, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody who comes for the first time; their browser reaches nothing but the site, and complains of nothing."""
    elsewhere: list[str] = []

    def only_here(route: "Route") -> None:
        if route.request.url.startswith(site.url):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    context = browser.new_context(viewport={"width": 1440, "height": 1200}, locale=getattr(request, "param", "en-US"))
    context.route("http*://**", only_here)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page(), site)
    yield visitor
    context.close()
    assert (elsewhere, visitor.complaints) == ([], [])


def tab(visitor: Visitor, name: str) -> None:
    visitor.click(visitor.page.get_by_role("tab", name=name))


def test_explore_stands_there_at_once_and_comes_alive(visitor: Visitor, site: Site) -> None:
    page, before = visitor.page, visitor.page.locator("#before section:visible")
    page.goto(f"{site.url}/", wait_until="commit")
    before.locator("svg.vgg-drawing").wait_for()
    assert exact(summary().totals.params) in before.inner_text()
    visitor.settle().shows(summary())
    assert page.locator("#before").count() == 0
    visitor.paste(CASES["LeNet"].text)
    visitor.shows(summary(arch="lenet"))
    visitor.paste("vgg11")
    visitor.fill("Channels, block 3", "320")
    visitor.shows(summary(arch="1x64,1x128,2x320,2x512,2x512"))
    assert visitor.params() == {"arch": "1x64,1x128,2x320,2x512,2x512"}
    tab(visitor, "Charts")
    page.locator(".main-svg").first.wait_for()
    tab(visitor, "Receptive field")
    page.locator(".inspector canvas").first.wait_for()
    tab(visitor, "Check")
    visitor.click(page.locator(".st-key-check button"))
    assert "PyTorch" in visitor.alert()
    tab(visitor, "Take away")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV", exact=True).click()
    expected = rows_csv(summary(arch="1x64,1x128,2x320,2x512,2x512"))
    assert waiting.value.path().read_text("utf-8") == expected
    visitor.click(page.get_by_text("中", exact=True))
    page.get_by_text(catalogue()["Compare"], exact=True).first.wait_for()
    assert visitor.params()["lang"] == "zh"


@pytest.mark.parametrize("visitor", ["zh-CN"], indirect=True)
def test_a_deep_link_in_chinese_and_the_other_pages_from_it(visitor: Visitor, site: Site) -> None:
    visitor.open("/compare", arch="vgg19")
    page = visitor.page
    page.get_by_role("heading", name=catalogue()["Compare"]).wait_for()
    page.get_by_text(exact(summary(arch="vgg19").totals.params)).wait_for()
    page.get_by_role("link", name=catalogue()["Learn"]).click()
    page.get_by_role("heading", name=catalogue()["Learn"]).wait_for()
    assert urlsplit(page.url).path == f"{PREFIX}learn"
    visitor.settle().back_to("compare")
    page.get_by_role("heading", name=catalogue()["Compare"]).wait_for()


def test_a_task_is_opened_by_its_link(visitor: Visitor) -> None:
    visitor.open("/learn", task="table1")
    visitor.page.get_by_role("heading", name=str(TASKS["table1"].title)).wait_for()


def test_a_teachers_lesson_is_opened_by_its_link_and_written(visitor: Visitor) -> None:
    page, text = visitor.page, example("en")
    visitor.open("/learn", task=OWN, lesson=pack(text))
    page.get_by_role("heading", name=str(read(text).title)).wait_for()
    page.locator(".st-key-question input").fill("4")
    visitor.click(page.get_by_text("Lock my guess"))
    page.get_by_text("Right.").wait_for()
    visitor.click(page.get_by_text("All tasks"))
    visitor.click(page.get_by_text("A lesson of your own: write it"))
    page.locator(".st-key-write-a-lesson textarea").fill(text.replace("unit:", "units:"))
    visitor.click(page.get_by_role("button", name="Try it"))
    page.get_by_text("Line 13: There is no word “units”").wait_for()


def test_a_recorded_run_has_its_curves_and_training_is_elsewhere(visitor: Visitor, site: Site) -> None:
    run = Runs(layout.RECORDED).all(recorded=False)[0]
    page = visitor.page
    visitor.open("/runs")
    page.locator(f"[data-run='{run.id}'] th.name .open").click()
    page.locator(".plot:not([data-points='0']) .main-svg").first.wait_for()
    page.locator("h1", has_text=run.name()).wait_for()
    tab(visitor, "Files")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Records (CSV)").click()
    rows = list(csv.DictReader(waiting.value.path().read_text("utf-8").splitlines()))
    assert len(rows) == len(run.records())
    page.get_by_role("link", name=re.compile(r"\bTrain$")).click()
    assert "pip install" in visitor.alert()
