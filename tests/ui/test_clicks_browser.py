"""How far it is: from the page that one comes to, at most four clicks to each of the best things."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Server, wait_until
from test_train_browser import Train, folder, serve, visit  # noqa: F401 (fixtures)

from vggexplorer.runs import launch
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.text import parse_network

if TYPE_CHECKING:
    from playwright.sync_api import Locator

MOST = 4
NETWORK = parse_network({"arch": "1x4,1x8", "hidden": "none", "input": "1x28x28"})
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the trainers are ended by POSIX signals")


def clicked(page: Train, *steps: Callable[[], "Locator"]) -> None:
    """From the start page on, click what each step finds."""
    assert len(steps) <= MOST
    page.open("/")
    for find in steps:
        find().click()


def test_four_clicks_lead_to_a_race_the_matrix_and_the_answer_to_ones_own_picture(
    serve: Callable[[], Server],  # noqa: F811
    visit: Callable[[Server], Train],  # noqa: F811
    folder: Path,  # noqa: F811
) -> None:
    training = replace(recipe("quick-demo", NETWORK), epochs=1, images=500)
    run = launch.start(Runs(folder), Config(network=NETWORK, training=training, device="cpu"), "mine")
    wait_until(lambda: not run.status().active, 60, run.end_of_log())
    page = visit(serve())
    link = page.page.get_by_role

    clicked(
        page,
        lambda: link("link", name="Runs"),
        lambda: link("button", name="mine"),
        lambda: link("tab", name="Mistakes"),
    )
    page.page.locator("[class*=st-key-confusion] button").first.wait_for()

    picture = page.page.locator(".st-key-test-pictures button")
    clicked(
        page,
        lambda: link("link", name="Runs"),
        lambda: link("button", name="mine"),
        lambda: link("tab", name="Try a picture"),
        lambda: picture.first,
    )
    page.page.get_by_text("Taken for").wait_for(timeout=60_000)

    clicked(page, lambda: link("link", name="Train"), lambda: link("button", name="Race against"))
    for member in (1, 2):
        badge = page.page.locator(f".st-key-watched-{member} .badge")
        wait_until(lambda badge=badge: "running" in badge.inner_text() or page.wait(50), 90, "both are running")
