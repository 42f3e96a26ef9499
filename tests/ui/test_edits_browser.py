"""An edit's way in a real browser: drawn at once, told to the session, nothing lost and nothing overwritten."""

import gzip
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from conftest import DIRECT, Server
from test_browser import Explore, summary

if TYPE_CHECKING:
    from playwright.sync_api import Route


def field(explore: Explore, label: str) -> str:
    return explore.page.get_by_label(label, exact=True).input_value()


def type_in(explore: Explore, label: str, text: str) -> None:
    """As a machine types: nothing is waited for."""
    box = explore.page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")


def test_edits_as_fast_as_a_machine_types(explore: Explore) -> None:
    explore.open()
    for number in range(65, 89):
        type_in(explore, f"Channels, block {1 + number % 5}", str(number))
    explore.shows(summary(arch="1x85,1x86,2x87,2x88,2x84"))
    explore.until(lambda: explore.params().get("arch") == "1x85,1x86,2x87,2x88,2x84", "the address")
    for _ in range(24):
        explore.click(explore.button("Undo"))
    explore.shows(summary())


def test_an_edit_and_undo_at_once(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    type_in(explore, "Channels, block 2", "24")
    explore.settle().shows(summary(arch="1x8,1x24"))
    type_in(explore, "Channels, block 1", "12")
    explore.button("Undo").click()
    explore.shows(summary(arch="1x8,1x24"))
    explore.until(lambda: explore.params() == {"arch": "1x8,1x24"}, "the address")
    explore.until(lambda: field(explore, "Channels, block 1") == "8", "the field")


def test_a_refused_value_says_so_and_the_next_one_is_taken(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    type_in(explore, "Convolutions, block 1", "401")
    type_in(explore, "Channels, block 2", "24")
    explore.shows(summary(arch="1x8,1x24"))
    explore.until(lambda: field(explore, "Convolutions, block 1") == "1", "the field")
    type_in(explore, "Channels, block 2", "0")
    explore.page.get_by_text("The number of output channels must be from 1 to 65,536, not 0.").wait_for()
    assert explore.params() == {"arch": "1x8,1x24"}


def test_back_after_an_edit(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    explore.fill("Channels, block 2", "24")
    explore.until(lambda: explore.params() == {"arch": "1x8,1x24"}, "the address")
    explore.page.go_back()
    explore.shows(summary(arch="1x8,1x16"))
    explore.until(lambda: field(explore, "Channels, block 2") == "16", "the field")


def test_an_edit_and_another_page_at_once(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    type_in(explore, "Channels, block 2", "24")
    explore.page.get_by_role("link", name="Compare").click()
    explore.page.get_by_role("heading", name="Compare").wait_for()
    explore.page.get_by_role("link", name="Explore").click()
    explore.page.locator(".totals .value").first.wait_for()
    explore.shows(summary(arch="1x8,1x24"))


def test_two_tabs_do_not_know_of_each_other(explore: Explore, dashboard: Server) -> None:
    other = Explore(explore.page.context.new_page(), dashboard)
    explore.open(arch="1x8,1x16")
    other.open(arch="1x8,1x16")
    type_in(explore, "Channels, block 1", "9")
    type_in(other, "Channels, block 2", "17")
    explore.shows(summary(arch="1x9,1x16"))
    other.shows(summary(arch="1x8,1x17"))
    other.page.close()


def test_where_nothing_answers_the_message_of_the_script_brings_the_figures(explore: Explore) -> None:
    """As on the static site; and when the connection was lost for a moment."""
    explore.page.route("**/answer?*", lambda route: route.abort())
    explore.open(arch="1x8,1x16")
    type_in(explore, "Channels, block 2", "24")
    type_in(explore, "Channels, block 1", "9")
    explore.shows(summary(arch="1x9,1x24"))
    explore.until(lambda: explore.params() == {"arch": "1x9,1x24"}, "the address")
    explore.page.unroute("**/answer?*")
    explore.complaints[:] = [text for text in explore.complaints if "Failed to load resource" not in text]


def test_a_lost_connection_loses_no_edit(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    explore.page.context.set_offline(True)
    type_in(explore, "Channels, block 2", "24")
    explore.page.wait_for_timeout(500)
    explore.page.context.set_offline(False)
    explore.until(lambda: explore.params() == {"arch": "1x8,1x24"}, "the address")
    explore.shows(summary(arch="1x8,1x24"))
    explore.complaints.clear()


def test_who_types_while_an_answer_arrives_keeps_what_was_typed(explore: Explore) -> None:
    explore.open(arch="1x8,1x16")
    held: list[Route] = []
    explore.page.route("**/answer?*", lambda route: route.continue_() if held else held.append(route))
    type_in(explore, "Channels, block 1", "9")
    box = explore.page.get_by_label("Channels, block 2", exact=True)
    box.fill("3")
    explore.until(lambda: bool(held), "the request")
    held[0].continue_()
    explore.shows(summary(arch="1x9,1x16"))
    explore.page.wait_for_timeout(300)
    assert box.input_value() == "3"
    box.press_sequentially("2")
    box.press("Enter")
    explore.shows(summary(arch="1x9,1x32"))


@pytest.mark.parametrize("shown", ["layers", "charts"])
def test_the_figures_come_without_a_run_of_the_page(explore: Explore, shown: str) -> None:
    """One request for the figures, and the session's part of the page alone runs again."""
    explore.open(arch="1x8,1x16", tab=shown)
    asked = []
    explore.page.on("response", lambda response: asked.append(response) if "/answer?" in response.url else None)
    explore.fill("Channels, block 2", "24")
    explore.shows(summary(arch="1x8,1x24"))
    (answer,) = asked
    assert set(answer.json()["figures"]) == {"title", "blocks", "totals", "drawing", "inspector", shown}
    heading = explore.page.get_by_role("heading", level=1)
    explore.until(lambda: heading.inner_text() == "Own network", "the heading")


def test_the_layer_under_the_pointer_is_marked_everywhere(explore: Explore) -> None:
    explore.open()
    explore.page.get_by_role("button", name="open all 29 layers").click()
    explore.page.locator("table.layers tr[data-layer='features.8']").hover()
    assert explore.page.locator(".drawing .pointed").get_attribute("data-layer") == "features.8"
    explore.page.locator(".drawing [data-layer='features.3']").hover(position={"x": 4, "y": 60})
    assert explore.page.locator("table.layers tr.pointed").get_attribute("data-layer") == "features.3"


def test_the_colours_show_shares(explore: Explore) -> None:
    explore.open()
    explore.click(explore.button("Parameters"))
    explore.until(lambda: explore.params() == {"shade": "params"}, "the address")
    drawing = explore.page.locator(".drawing svg")
    assert "79.8\u00a0%" in drawing.text_content().replace(" ", "\u00a0")
    explore.click(explore.button("Kinds"))
    explore.until(lambda: explore.params() == {}, "the address")


# --- the route ------------------------------------------------------------------------------------------------


def ask(server: Server, **params: str) -> dict[str, object]:
    with DIRECT.open(f"{server.url}/answer?{urlencode(params)}", timeout=10) as found:
        return dict(json.loads(gzip.decompress(found.read())))


def test_the_route_answers_nonsense_with_a_sentence(dashboard: Server) -> None:
    for act in ("{", "[]", "5", '{"do": "set"}', '{"do": "set", "row": 0, "field": "out_channels", "value": "x"}'):
        assert "refused" in ask(dashboard, arch="1x8", edit=act)
    assert "figures" in ask(dashboard, arch="nonsense", parts="totals,nonsense")
