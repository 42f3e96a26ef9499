"""What the tests share: a browser, and dashboards running as processes of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeVar

import pytest

from vggexplorer.paths import prefix
from vggexplorer.server import keys
from vggexplorer.server.dashboard import BASE_PATH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from test_browser import Explore

pytest_plugins = ("samples", "without_torch")

for _name, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if (number := getattr(signal, _name, None)) and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, _handler)  # what is started in a shell's background, or by nohup, does not hear it

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"} | os.environ
"""Several processes train and count at once: threads of theirs that wait for each other would take all the time."""
T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs without any proxy that the environment names."""


def wait_until(condition: Callable[[], T], seconds: float = 60, what: str = "the condition") -> T:
    """The first true value of `condition()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session", autouse=True)
def runs_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for runs, so that no test sees or touches a person's own."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VGGEXPLORER_RUNS", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def somebody_at_the_pages() -> Iterator[None]:
    """In Streamlit's AppTest no gate stands before the pages: the person at the machine sits there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "ungated", keys.HERE)
        yield


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(url: str) -> int | None:
    """The HTTP status of `url`; None if nobody answers."""
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


class Server(NamedTuple):
    """A running dashboard."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", errors="replace")

    def stop(self) -> None:
        """End it; fails if it wrote a traceback while it ran."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert "Traceback" not in self.text(), self.text()


StartServer = Callable[..., Server]
OpenTab = Callable[..., "Page"]


def start_server(folder: Path, *command: str, env: dict[str, str] | None = None) -> Server:
    """A dashboard started from the empty `folder` with an empty home, ready to answer."""
    port = free_port()
    home = folder / "home"
    home.mkdir(parents=True)
    log = folder / "log.txt"
    surroundings = os.environ | {"HOME": str(home), "USERPROFILE": str(home)} | (env or {})
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--no-browser", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=surroundings,
        )
    base = prefix(surroundings.get(BASE_PATH, ""))
    server = Server(f"http://127.0.0.1:{port}{base}", process, log)

    def ready() -> bool:
        assert process.poll() is None, server.text()
        return status_of(f"{server.url}/_stcore/health") == 200

    try:
        wait_until(ready, what="the dashboard")
    except BaseException:
        process.kill()
        raise
    return server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts dashboards: `server(env={...})` is a `Server`, stopped and checked at the end of the session."""
    with ExitStack() as stack:

        def start(*command: str, env: dict[str, str] | None = None) -> Server:
            folder = tmp_path_factory.mktemp("dashboard")
            started = start_server(folder, *(command or (sys.executable, "-m", "vggexplorer")), env=env)
            stack.callback(started.stop)
            return started

        yield start


@pytest.fixture(scope="session")
def dashboard(server: StartServer) -> Server:
    """The dashboard of all tests that neither change it nor its runs."""
    return server()


def _chromium() -> str | None:
    return os.environ.get("VGGEXPLORER_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def no_browser(reason: str) -> NoReturn:
    """Skip a test that has no browser, or nothing to open in it; fail where browser tests are asked for."""
    if os.environ.get("VGGEXPLORER_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium; tests that need it are skipped where there is none, unless VGGEXPLORER_REQUIRE_BROWSER is set."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        no_browser("Playwright is not installed")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=_chromium(), args=list(CHROMIUM_FLAGS))
        except Error as error:
            no_browser(f"no Chromium could be started: {error.message.splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _tabs(browser: "Browser") -> "Iterator[dict[str, Page]]":
    """Tabs by the language of their browser."""
    tabs: dict[str, Page] = {}
    yield tabs
    for page in tabs.values():
        page.context.close()


@pytest.fixture
def tab(browser: "Browser", _tabs: "dict[str, Page]") -> "Iterator[OpenTab]":
    """Opens a tab that remembers nothing but the scripts of the dashboard, which take longest to load."""
    lent = []

    def open_tab(locale: str = "en-US", height: int = 900) -> "Page":
        if locale not in _tabs:
            _tabs[locale] = browser.new_context(locale=locale).new_page()
        page = _tabs[locale]
        page.set_viewport_size({"width": 1440, "height": height})
        lent.append(page)
        return page

    yield open_tab
    for page in lent:
        page.goto("about:blank")
        everything = {"origin": "*", "storageTypes": "all"}
        page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", everything)


@pytest.fixture
def explore(tab: "OpenTab", dashboard: Server) -> "Iterator[Explore]":
    """A new visitor of the dashboard; in the end the browser must not have complained."""
    from test_browser import Explore

    explore = Explore(tab(), dashboard)
    yield explore
    assert not explore.complaints
