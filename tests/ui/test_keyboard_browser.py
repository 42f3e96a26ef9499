"""The pages by keyboard alone, in a real browser: whatever has the focus can be seen to have it."""

import re
from typing import TYPE_CHECKING

from conftest import OpenTab, Server, wait_until
from test_browser import Explore, summary
from test_edits_browser import field, type_in
from test_learn_browser import Learn

from vggexplorer.ui.widgets import SHORTCUTS

if TYPE_CHECKING:
    from playwright.sync_api import JSHandle, Page

FOCUSED = """() => {
    let node = document.activeElement
    while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
    return node
}"""
NAME = "node => node.ariaLabel || node.labels?.[0]?.innerText || node.innerText?.slice(0, 80) || ''"
LOOK = """node => {
    const looks = []
    for (let at = node; at && looks.length < 4; at = at.parentElement ?? at.getRootNode().host) {
        const { outline, outlineStyle, boxShadow, border } = getComputedStyle(at)
        looks.push([outlineStyle === 'none' ? '' : outline, boxShadow, border])
    }
    return JSON.stringify(looks)
}"""
"""What shows the focus: outline, shadow and border of what has it, and of what is around it."""


class Hands:
    """A person who has no pointer."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.left: tuple[JSHandle, str, str] | None = None

    def press(self, *keys: str) -> str:
        """Press keys one after the other; the name of what has the focus then."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(60)
        return str(self.page.evaluate_handle(FOCUSED).evaluate(NAME))

    def shortcut(self, name: str) -> None:
        """Press the keys of a shortcut."""
        self.press(SHORTCUTS[name].replace("Ctrl", "Control"))

    def to(self, name: str, key: str = "Tab", most: int = 90) -> None:
        """Press a key until what is called so has the focus; what had it on the way looked otherwise with it."""
        passed = []
        for _ in range(most):
            passed.append(self.press(key))
            node = self.page.evaluate_handle(FOCUSED)
            if self.left:
                self._was_seen(*self.left)
            focused = node.evaluate("node => node !== document.body")  # what had it may have gone
            self.left = (node, str(node.evaluate(LOOK)), passed[-1]) if focused else None
            if re.match(name, passed[-1], re.DOTALL):
                return
        raise AssertionError(f"{name} is not among {passed}")

    def _was_seen(self, node: "JSHandle", look: str, name: str) -> None:
        changed = f"([node, look]) => !node.isConnected || ({LOOK})(node) !== look"  # perhaps it fades out
        wait_until(lambda: bool(self.page.evaluate(changed, [node, look])), 5, f"another look of {name} without focus")


def test_a_block_is_edited_and_a_layer_chosen(tab: OpenTab, dashboard: Server) -> None:
    explore = Explore(tab(), dashboard).open(arch="1x8,1x16")
    hands, panel = Hands(explore.page), explore.page.locator(".st-key-panel .layer")
    hands.to("What to do with block 1")
    assert hands.press("Enter", "ArrowDown") == "Duplicate"
    assert hands.press("Escape") == "What to do with block 1"
    hands.to("Channels, block 2")
    hands.press("Control+a", "2", "4", "Enter")
    explore.shows(summary(arch="1x8,1x24"))
    hands.shortcut("undo")
    explore.shows(summary(arch="1x8,1x16"))
    hands.to("Parameters: ")
    tip = explore.page.locator(".totals .tip").first
    assert tip.is_visible()
    hands.press("Escape")
    assert not tip.is_visible()
    hands.to("Linear classifier")
    hands.press("Home", "ArrowRight", "Enter")
    explore.until(lambda: "features.0" in panel.inner_text())
    hands.to("Layers")
    hands.to(".*Block 1")
    hands.press("End", "ArrowUp", "Enter")
    explore.until(lambda: "classifier" in panel.inner_text())


def test_a_network_is_moved(tab: OpenTab, dashboard: Server) -> None:
    page = Learn(tab(), dashboard).open("/compare").page
    first = page.locator(".chips .more").first
    first.wait_for()
    hands = Hands(page)
    hands.to("VGG-11")
    assert hands.press("Enter", "ArrowUp") == "Move right"
    hands.press("Enter")
    page.wait_for_url("**/compare?arch=alexnet&arch=vgg11*")
    first.get_by_text("AlexNet").wait_for()
    assert hands.press("Shift").startswith("VGG-11")
    hands.to("Stages")
    hands.press("ArrowRight")
    page.wait_for_url("**tab=points*")
    page.locator(".chart[aria-label]").first.wait_for()
    assert hands.press("Shift") == "Parameters × MACs", "the focus stays"


def test_a_run_is_set_up(tab: OpenTab, dashboard: Server) -> None:
    page = Learn(tab(), dashboard).open("/train").page
    page.locator(".st-key-start-line").wait_for()
    hands = Hands(page)
    hands.to(".*More settings")
    hands.press("Enter")
    hands.to("Number of epochs")
    hands.press("Control+a", "4", "Enter")
    page.get_by_text(re.compile(r"\b4 × \d")).first.wait_for()
    hands.to("Logarithmic loss")
    hands.press("Space")
    page.get_by_role("button", name="Logarithmic loss", pressed=True).wait_for()


def test_keys_undo_and_redo_what_was_sent_and_leave_what_is_typed(tab: OpenTab, dashboard: Server) -> None:
    explore = Explore(tab(), dashboard).open(arch="1x8,1x16")
    hands = Hands(explore.page)
    type_in(explore, "Channels, block 2", "24")
    explore.settle().shows(summary(arch="1x8,1x24"))
    hands.shortcut("undo")
    explore.shows(summary(arch="1x8,1x16"))
    hands.shortcut("redo")
    explore.shows(summary(arch="1x8,1x24"))
    for label in ("Channels, block 1", "As text: copy it, or paste a network"):
        before = field(explore, label)
        explore.page.get_by_label(label, exact=True).focus()
        explore.page.keyboard.type("7")
        assert field(explore, label) != before
        hands.shortcut("undo")
        assert field(explore, label) == before
    explore.shows(summary(arch="1x8,1x24"))
