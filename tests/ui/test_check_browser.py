"""The tab Check: in a real browser with the real tools, and by AppTest with figures that were tampered with."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live
import pytest
from conftest import ROOT, wait_until
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest
from test_browser import Explore
from test_i18n import english_in, has_chinese, seen

from vggexplorer.architectures import Network
from vggexplorer.formatting import exact
from vggexplorer.peers import PEERS, Measured, terms
from vggexplorer.runs import crosscheck
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network
from vggexplorer.ui import i18n, jobs

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SMALL = {"arch": "1x8,2x16", "input": "1x17x12", "head": "adaptive:2", "hidden": "9", "bn": "1"}
BUTTON = "Check with PyTorch, torchinfo and fvcore"
EXPLAINED = "✓ explained to the digit"


# --- in the browser ------------------------------------------------------------------------------------


def at_check(explore: Explore, **params: str) -> Explore:
    explore.open(**params)
    explore.click(explore.page.get_by_role("tab", name="Check"))
    return explore


def tool(explore: Explore, name: str) -> "Locator":
    return explore.page.locator(f".st-key-check-{name}")


def wait_for_all(explore: Explore) -> None:
    """All tools have answered and the page has stopped asking."""
    wait_until(lambda: explore.page.get_by_text(EXPLAINED).count() == 3 or explore.page.wait_for_timeout(50), 90)
    wait_until(lambda: explore.button(BUTTON).is_enabled() or explore.page.wait_for_timeout(50), 20)
    explore.page.locator("[data-testid=stProgress]").wait_for(state="detached")


@pytest.mark.torch
def test_three_tools_are_explained_to_the_digit(explore: Explore) -> None:
    at_check(explore, **SMALL)
    explore.button(BUTTON).click()
    explore.page.get_by_text(re.compile("of 3 tools have answered")).wait_for()
    assert explore.button(BUTTON).is_disabled()
    wait_for_all(explore)
    summary = summarize(*parse_network(SMALL))
    for name in PEERS:
        found = terms(summary, name)
        text = tool(explore, name).inner_text()
        expected = [term.value for term in found] + [summary.totals.macs + sum(term.value for term in found)]
        assert [figure for figure in map(exact, expected) if figure not in text] == []
        assert text.count(exact(summary.totals.params)) == 2
        assert "✗" not in text
    assert "batch normalisation: 2 for each output element" in tool(explore, "fvcore").inner_text()


@pytest.mark.torch
def test_the_page_works_while_the_tools_do_and_the_figures_keep_their_network(explore: Explore) -> None:
    at_check(explore, **SMALL)
    explore.button(BUTTON).click()
    explore.fill("Channels, block 1", "12")
    earlier = explore.page.locator("[data-testid=stAlert]")
    earlier.get_by_text("of an earlier network: 1x8,2x16, head adaptive:2").wait_for()
    wait_for_all(explore)
    old, new = (summarize(*parse_network(SMALL | {"arch": arch})) for arch in ("1x8,2x16", "1x12,2x16"))
    assert exact(old.totals.macs) in tool(explore, "torchinfo").inner_text()
    explore.shows(new)
    explore.click(explore.button(BUTTON))
    explore.until(lambda: explore.page.locator("[data-testid=stAlert]").count() == 0)
    wait_for_all(explore)
    assert exact(new.totals.macs) in tool(explore, "torchinfo").inner_text()
    explore.click(explore.button("Undo"))
    earlier.get_by_text("of an earlier network: 1x12,2x16").wait_for()


@pytest.mark.torch
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_the_server_maps_no_libtorch_and_keeps_no_process(explore: Explore) -> None:
    at_check(explore, **SMALL)
    explore.button(BUTTON).click()
    wait_for_all(explore)
    process = Path(f"/proc/{explore.server.process.pid}")
    assert "python" in (maps := (process / "maps").read_text())
    assert "torch" not in maps
    children = [path.read_text().split() for path in process.glob("task/*/children")]
    assert [child for some in children for child in some] == []


@pytest.mark.torch
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_a_second_run_ends_the_first(explore: Explore) -> None:
    """Of two networks checked one right after the other only the second one's process is left."""
    at_check(explore, arch="vgg16", input="1x224x224")
    process = Path(f"/proc/{explore.server.process.pid}")

    def children() -> set[str]:
        return {child for path in process.glob("task/*/children") for child in path.read_text().split()}

    explore.button(BUTTON).click()
    (first,) = wait_until(children, 10)
    explore.fill("Classes", "7")
    explore.click(explore.button(BUTTON))
    wait_until(lambda: first not in children(), 10)
    assert len(children()) <= 1
    wait_for_all(explore)
    assert children() == set()


# --- with figures that were tampered with ----------------------------------------------------------------


def right_figures() -> dict[str, Measured]:
    summary = summarize(*parse_network(SMALL))
    totals = summary.totals
    return {
        name: Measured(name, "1.0", totals.params, totals.macs + sum(term.value for term in terms(summary, name)), 0.1)
        for name in PEERS
    }


def opened(monkeypatch: pytest.MonkeyPatch, lang: str = "en", **figures: Measured) -> AppTest:
    """The tab after a click on the button, with some figures replaced."""
    said = (right_figures() | figures).values()
    monkeypatch.setattr("vggexplorer.ui.explore.check.crosscheck", lambda network, stop: iter(said))
    inside = i18n.language  # AppTest formats options outside of the session, where its language is not known
    monkeypatch.setattr(i18n, "language", lambda: inside() if get_script_run_ctx(suppress_warning=True) else lang)
    page = AppTest.from_file(ROOT / "vggexplorer" / "ui" / "main.py", default_timeout=30)
    for key, text in (SMALL | {"lang": lang}).items():
        page.query_params[key] = text
    page.run()
    page.session_state["state"] = replace(page.session_state["state"], tab="check")
    page.run()
    checked(page)
    assert not page.exception
    return page


def texts(page: AppTest, tool: str) -> str:
    return "\n".join(block.value for block in page.get_by_key(f"check-{tool}").markdown)


@pytest.mark.torch
def test_a_corrupted_count_gets_a_red_mark_with_what_is_unexplained(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = right_figures()
    wrong = Measured("torchinfo", "1.0", figures["torchinfo"].params + 2, figures["torchinfo"].count - 1_234, 0.1)
    page = opened(monkeypatch, torchinfo=wrong)
    assert ":red[✗ unexplained: −1,234, +2 parameters]" in texts(page, "torchinfo")
    assert ":red[**unexplained**]" in texts(page, "torchinfo")
    for name in ("FlopCounterMode", "fvcore"):
        assert f":green[{EXPLAINED}]" in texts(page, name)
        assert "✗" not in texts(page, name)


@pytest.mark.torch
def test_a_corrupted_count_of_ours_turns_all_red(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch)
    right = summarize

    def wrong(*network: Any) -> Any:
        summary = right(*network)
        object.__setattr__(summary, "totals", summary.totals._replace(macs=summary.totals.macs + 1))
        return summary

    monkeypatch.setattr("vggexplorer.ui.explore.check.summarize", wrong)
    page.run()
    assert [":red[✗ unexplained: −1]" in texts(page, name) for name in PEERS] == [True] * 3


@pytest.mark.torch
def test_a_tool_that_fails_says_why_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch, fvcore=Measured("fvcore", error=crosscheck.failure("fvcore", "rain")))
    assert [box.value for box in page.warning] == ["No figures from fvcore\\: rain"]
    assert EXPLAINED in texts(page, "torchinfo")


def at_the_tab() -> AppTest:
    page = AppTest.from_file(ROOT / "vggexplorer" / "ui" / "main.py", default_timeout=30).run()
    page.session_state["state"] = replace(page.session_state["state"], tab="check")
    return page.run()


def checked(page: AppTest) -> AppTest:
    """After a click on the button, and when all is said."""
    page.button(key="check").click().run()
    page.session_state["crosscheck"].wait()
    return page.run()


def test_without_pytorch_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vggexplorer.processes.find_spec", lambda name: None)
    (box,) = checked(at_the_tab()).error
    assert "needs PyTorch" in box.value


def test_starting_again_stops_what_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch)
    first = page.session_state["crosscheck"]
    checked(page)
    assert first.stopped.is_set()
    assert page.session_state["crosscheck"] is not first


@pytest.mark.torch
def test_a_class_that_checks_at_once_waits_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many click, not more processes are started than the machine can bear; one that waits can be stopped."""
    go, started = threading.Event(), []

    def slow(network: Network, stop: threading.Event) -> Iterator[Measured]:
        started.append(network)
        go.wait(30)
        yield from right_figures().values()

    monkeypatch.setattr("vggexplorer.ui.explore.check.crosscheck", slow)
    pages = [at_the_tab() for _ in range(jobs.AT_ONCE + 2)]
    for count, page in enumerate(pages):
        page.button(key="check").click().run()
        wait_until(lambda count=count: len(jobs._line) > count, 10)
    *_, third, last = (page.run() for page in pages)
    assert len(started) == jobs.AT_ONCE
    assert "In line until 1 other ends …" in [text.value for text in third.markdown]
    assert "In line until 2 others end …" in [text.value for text in last.markdown]
    last.button(key="stop check").click().run()
    last.session_state["crosscheck"].wait(5)
    assert [box.value for box in last.run().error] == ["It was stopped\\."]
    go.set()
    third.session_state["crosscheck"].wait(5)
    assert len(started) == jobs.AT_ONCE + 1
    assert "torchinfo" in texts(third.run(), "torchinfo")


@pytest.mark.torch
@pytest.mark.parametrize("changed", ["", "wrong", "failed", "edited"])
def test_it_is_chinese(monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    figures = {
        "wrong": {"fvcore": Measured("fvcore", "1.0", 1, 2, 0.1)},
        "failed": {"fvcore": Measured("fvcore", error=crosscheck.failure("fvcore", "4"))},
    }
    page = opened(monkeypatch, "zh", **figures.get(changed, {}))
    if changed == "edited":
        live.perform(page, {"do": "width", "row": 0, "value": "2"})
        assert len(page.info) == 1
    shown = [text for text in seen(page._tree) if text]
    assert has_chinese(shown)
    assert [(text, words) for text in shown if (words := english_in(text))] == []
