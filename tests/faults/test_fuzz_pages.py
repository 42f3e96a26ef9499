"""What a person types into the pages, or follows as a link: each case gets a page without a traceback, in a second.

The pages run in Streamlit's AppTest, some hundred times; then a real server and a real browser get the worst of it.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from conftest import ROOT, Server, StartServer, wait_until
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from test_browser import Explore as InBrowser
from test_pages import Explore
from test_runs_page import make

from faults.test_fuzz import BYTES, ENDLESS, FOLDERS, PIECES, damaged, damaged_links, fuzz, links, texts
from vggexplorer.ui.link import LANGUAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 1.0
"""The most time of the processor that a case may take beside what an ordinary visit takes."""
LARGEST = ",".join(["2x65536:k1:nopool"] * 64)
"""As many blocks and channels as a person may have and, with batch norm, almost as many layers."""
TYPED_LIVE = (
    "nested square brackets",
    "a long sum",
    "a megabyte of emoji",
    "characters that become eighteen",
    "options",
)
"""What is typed into a real browser too."""


def can_be_sent(text: str) -> bool:
    """Whether a browser can send the text: protocol buffers have UTF-8 only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


typed = (texts | damaged(FOLDERS)).filter(can_be_sent)


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with one run, on a machine of which nothing is known, so that nothing is forecast."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [])
    monkeypatch.setattr("vggexplorer.runs.devices.by_its_kind", lambda: None)
    make(tmp_path, "one")


def timed(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def visited(page: str, params: dict[str, str | list[str]]) -> AppTest:
    """A new session that follows a link to a page."""
    test = AppTest.from_file(ROOT / "vggexplorer" / "ui" / "main.py", default_timeout=30)
    test.context = {"locale": "en-US"}
    if page != "explore":
        test.run()
        test = test.switch_page(str(ROOT / "pages" / f"{page}.py"))
        for key in ("state", "own network"):
            del test.session_state[key]
    for key, value in params.items():
        test.query_params[key] = value
    return test.run()


# --- links -------------------------------------------------------------------------------------------------------


def sent(params: dict[str, Any]) -> bool:
    return all(map(can_be_sent, params)) and all(
        can_be_sent(text) for each in params.values() for text in ([each] if isinstance(each, str) else each)
    )


runs_of_links = st.lists(typed | st.just("20260101-120000-1"), max_size=4)
any_link = st.one_of(
    (links | damaged_links()).filter(sent),
    st.fixed_dictionaries({"run": runs_of_links, "lang": typed | st.sampled_from(list(LANGUAGES))}),
)


def check_link(case: tuple[str, dict[str, Any]], usual: float) -> None:
    page, params = case
    shown: list[AppTest] = []
    took = timed(lambda: shown.append(visited(page, params)))
    assert not shown[0].exception
    assert took < usual + SECONDS


def test_links() -> None:
    usual = max(timed(lambda page=page: visited(page, {})) for page in ("explore", "compare", "train", "runs"))
    pages = st.sampled_from(["explore", "compare", "train", "runs"])
    fuzz("links of pages", st.tuples(pages, any_link), check_link, 160, usual)


@pytest.mark.parametrize("page", ["explore", "compare", "train", "runs"])
def test_the_largest_network_and_too_many_of_everything(page: str) -> None:
    usual = timed(lambda: visited(page, {}))
    for params in (
        {"arch": [LARGEST] * 12, "bn": "1", "input": "65536x8192x8192", "classes": "65536"},
        {f"key{number}": "1" for number in range(1_000)},
        {"arch": ["x"] * 1_000, "run": ["y"] * 1_000, "hidden": "1," * 400},
    ):
        shown: list[AppTest] = []
        took = timed(lambda params=params, shown=shown: shown.append(visited(page, params)))
        print(f"{page}: {took:.2f} s beside {usual:.2f} s")
        assert not shown[0].exception
        assert len(shown[0].error) < 40
        assert took < usual + SECONDS


# --- fields --------------------------------------------------------------------------------------------------------


def check_field(text: str, page: Explore, name: str, usual: float) -> None:
    took = timed(lambda: page.set(name, text))
    assert took < usual + SECONDS
    assert not page.test.exception


@pytest.fixture
def explore() -> Explore:
    return Explore()


@pytest.mark.parametrize("name", ["paste", "hidden"])
def test_texts_on_explore(name: str, explore: Explore) -> None:
    usual = timed(explore.run)
    fuzz(name, typed, check_field, 120, explore, name, usual)
    explore.set("paste", "vgg11").set("hidden", "none")
    assert explore.errors == []


@pytest.fixture
def train() -> Explore:
    page = Explore.__new__(Explore)
    page.test = visited("train", {})
    return page


@pytest.mark.parametrize("kind", ["folder", "full"])
def test_data_folders_on_train(kind: str, train: Explore) -> None:
    train.set("dataset", kind)
    usual = timed(train.run)
    fuzz(kind, typed, check_field, 60, train, "data folder", usual)


@pytest.mark.parametrize("name", ["input_size", "dropout", "time_budget"])
def test_numbers_that_may_be_left_out_on_train(name: str, train: Explore) -> None:
    usual = timed(train.run)
    for text in [*filter(can_be_sent, PIECES), "9" * 400, "1e308", "-1e308", "0.1", "224"]:
        check_field(text, train, f"training {name}", usual)


# --- a real server ---------------------------------------------------------------------------------------------------


def resident(server: Server) -> int:
    text = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return 1024 * int(text.split("VmRSS:")[1].split()[0])


def seconds_of(server: Server) -> float:
    """The time of the processor that the server has used so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="a process is looked at in /proc")
def test_a_real_server_stays_small_and_quick(browser: "Browser", server: StartServer, tmp_path: Path) -> None:
    dashboard = server(env={"VGGEXPLORER_RUNS": str(tmp_path)})
    context = browser.new_context(locale="en-US")
    page = InBrowser(context.new_page(), dashboard).open("/")
    page.open("/")
    before = resident(dashboard)

    def answered(what: str, act: Callable[[], Any]) -> None:
        start = seconds_of(dashboard)
        act()
        wait_until(lambda: not page.settle() or True, 20, what)
        took = seconds_of(dashboard) - start
        assert page.page.locator("[data-testid=stException]").count() == 0
        assert took < 2 * SECONDS, f"{what}: {took:.2f} s"
        assert resident(dashboard) - before < BYTES

    def type_hidden(text: str) -> None:
        page.unfold("head").page.get_by_label("Hidden layers", exact=True).first.fill(text)
        page.page.keyboard.press("Enter")

    for name in TYPED_LIVE:
        text = ENDLESS[name][:100_000]
        answered(f"pasted {name}", lambda text=text: page.paste(text))
        answered(f"hidden {name}", lambda text=text: type_hidden(text))
        query = urlencode({"arch": text[:9_000], "hidden": text[:9_000], "pin": text[:500]})[:30_000]
        answered(f"linked {name}", lambda query=query: page.page.goto(f"{dashboard.url}/?{query}"))
    answered("a megabyte", lambda: page.paste(ENDLESS["a megabyte of blocks"]))
    for query in (
        "arch=%ff%fe&%00=1",
        "arch=" + "%F0%9F%98%80" * 900,
        "&".join(f"k{n}" for n in range(5_000)),
        "lang=xx",
    ):
        answered(query[:20], lambda query=query: page.page.goto(f"{dashboard.url}/?{query}"))
    for place in (
        "/runs?run=../../etc/passwd",
        "/train?run=%00",
        "/compare?" + "arch=x&" * 2_000,
        "/runs?run=" + "a" * 9_000,
    ):
        page.page.goto(f"{dashboard.url}{place}")
        page.page.wait_for_selector("[data-testid=stMain] h1")
        assert page.page.locator("[data-testid=stException]").count() == 0
    print(f"the server grew by {(resident(dashboard) - before) / 1e6:.0f} MB")
    context.close()
