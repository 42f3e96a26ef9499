"""The pages by keyboard alone, in a real browser."""

from typing import TYPE_CHECKING

from conftest import OpenTab, Server
from test_browser import Explore, summary
from test_edits_browser import field, type_in

from vggexplorer.ui.widgets import SHORTCUTS

if TYPE_CHECKING:
    from playwright.sync_api import Page


def pressed(page: "Page", name: str) -> None:
    """Press the keys of a shortcut."""
    page.keyboard.press(SHORTCUTS[name].replace("Ctrl", "Control"))


def test_keys_undo_and_redo_what_was_sent_and_leave_what_is_typed(tab: OpenTab, dashboard: Server) -> None:
    explore = Explore(tab(), dashboard).open(arch="1x8,1x16")
    type_in(explore, "Channels, block 2", "24")
    explore.settle().shows(summary(arch="1x8,1x24"))
    pressed(explore.page, "undo")
    explore.shows(summary(arch="1x8,1x16"))
    pressed(explore.page, "redo")
    explore.shows(summary(arch="1x8,1x24"))
    for label in ("Channels, block 1", "As text: copy it, or paste a network"):
        before = field(explore, label)
        explore.page.get_by_label(label, exact=True).focus()
        explore.page.keyboard.type("7")
        assert field(explore, label) != before
        pressed(explore.page, "undo")
        assert field(explore, label) == before
    explore.shows(summary(arch="1x8,1x24"))
