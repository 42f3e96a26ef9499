"""Many people at once: ten sessions edit and two watch a run, for a while; and sessions that come and go.

`VGGEXPLORER_LOAD_SECONDS` is how long the first takes; docs/load.md has what it printed after five minutes. Memory,
threads and open files of the server are read from /proc, so these tests need Linux. `pytest -s` shows what they print.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from conftest import Server, StartServer, wait_until
from real_runs import check_records
from samples import either
from test_browser import Explore
from test_runs_page import config
from test_train_browser import POINTS, stop_all

from vggexplorer.runs import launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Response

SECONDS = float(os.environ.get("VGGEXPLORER_LOAD_SECONDS", either("60", "10")))
EDITORS = 10
WATCHERS = 2
PATIENCE = 120_000
"""Milliseconds that a page may take while all others are used on as many processors as there are."""
GROWTH = 0.05
"""By how much the server's memory may grow after the warm-up, which is the first minute of five."""
VISITS = either(24, 9)
"""How many sessions come and go in the soak, each with some edits and changes of the page."""
FORGET = 2
"""Seconds for which the soak's server keeps the session of a closed tab; Streamlit's own are 120."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process is looked at in /proc")


class Use(NamedTuple):
    """What a process has in use: bytes of memory, threads, open files."""

    memory: int
    threads: int
    files: int

    @staticmethod
    def of(server: Server) -> "Use":
        place = Path(f"/proc/{server.process.pid}")
        lines = (line.split(":", 1) for line in (place / "status").read_text().splitlines())
        status = {name: text.split()[0] for name, text in lines if text.split()}
        return Use(1024 * int(status["VmRSS"]), int(status["Threads"]), len(os.listdir(place / "fd")))

    def __str__(self) -> str:
        return f"{self.memory / 2**20:.1f} MiB, {self.threads} threads, {self.files} files"


def new_context(browser: "Browser") -> "BrowserContext":
    """A browser of somebody's own."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENCE)
    return context


class Editor:
    """A person who changes the channels of the first block, moves between pages, and looks at the totals."""

    def __init__(self, browser: "Browser", server: Server, number: int) -> None:
        self.context = new_context(browser)
        self.explore = Explore(self.context.new_page(), server)
        self.explore.open("/", arch="1x8,1x16,1x32", input="1x32x32")
        self.channels = 8 + number
        self.edits = 0
        self.slowest = 0.0

    def edit(self) -> None:
        """One edit; the totals must be those of the network with it."""
        start = time.monotonic()
        self.channels = self.channels % 500 + 7
        self.explore.fill("Channels, block 1", str(self.channels))
        self.explore.shows(summarize(*parse_network({"arch": f"1x{self.channels},1x16,1x32", "input": "1x32x32"})))
        self.edits += 1
        self.slowest = max(self.slowest, time.monotonic() - start)

    def turn(self) -> None:
        """To Compare and back; the network is still the same one."""
        for name, heading in (("Compare", "compare"), ("Explore", "")):
            self.explore.page.get_by_role("link", name=name, exact=True).first.click()
            self.explore.page.wait_for_url(f"**/{heading}*")
            self.explore.settle()

    def close(self) -> None:
        self.context.close()
        assert not self.explore.complaints


class Watcher:
    """A person who looks at the curves of a run."""

    def __init__(self, browser: "Browser", server: Server, run: Run) -> None:
        self.context = new_context(browser)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._heard)
        self.page.goto(f"{server.url}/train?run={run.id}")
        self.page.wait_for_selector(".plot")

    def _heard(self, response: "Response") -> None:
        if response.status >= 400 and "/_stcore/" not in response.url:  # Streamlit looks for its own root
            self.errors.append(f"{response.status} {response.url}")

    def points(self) -> int:
        return int(self.page.evaluate(POINTS))

    def steps(self) -> list[float]:
        """The epochs of the points that stand in the plot's first line."""
        found: list[float] = self.page.evaluate("() => document.querySelector('.plot').data[0].x.map(Number)")
        return found

    def close(self) -> None:
        assert self.page.locator("[data-testid=stException]").count() == 0
        self.context.close()
        assert not self.errors


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"
    stop_all(tmp_path / "runs")


def long_run() -> Config:
    """A training that outlasts the test, with some records a second."""
    network = parse_network({"arch": "1x16,1x32", "hidden": "none", "input": "1x28x28"})
    return config(network, epochs=10_000, batch_size=500)


def test_ten_sessions_edit_and_two_watch(
    browser: "Browser", server: StartServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    dashboard = server(env={"VGGEXPLORER_RUNS": str(folder)})
    run = launch.start(Runs(folder), long_run())
    wait_until(lambda: len(run.records()) > 3, what="the first records")
    editors = [Editor(browser, dashboard, number) for number in range(EDITORS)]
    watchers = [Watcher(browser, dashboard, run) for _ in range(WATCHERS)]
    begin, warm = time.monotonic(), min(60.0, SECONDS / 2)
    before: Use | None = None
    rounds = 0
    while time.monotonic() - begin < SECONDS or before is None:
        for editor in editors:
            editor.edit()
        editors[rounds % EDITORS].turn()
        rounds += 1
        if before is None and time.monotonic() - begin > warm:
            before = Use.of(dashboard)
    after, took = Use.of(dashboard), time.monotonic() - begin
    launch.stop(run)
    wait_until(lambda: not run.status().active, what="the end of the run")
    records = run.records()
    check_records(run)
    for watcher in watchers:
        wait_until(lambda watcher=watcher: watcher.points() == len(records) or watcher.page.wait_for_timeout(50), 20)
        assert watcher.steps() == pytest.approx([record.epoch for record in records])
    print(f"\n{EDITORS} sessions made {sum(editor.edits for editor in editors)} edits in {took:.0f} s, ")
    print(f"the slowest took {max(editor.slowest for editor in editors):.2f} s;")
    print(f"{WATCHERS} watchers drew all {len(records)} points.")
    print(f"server after {warm:.0f} s: {before}")
    print(f"server after {took:.0f} s: {after}")
    print(f"memory grew by {100 * (after.memory / before.memory - 1):.2f} %")
    for visitor in (*editors, *watchers):
        visitor.close()
    assert after.memory < (1 + GROWTH) * before.memory
    assert after.threads <= before.threads + 5  # those that happen to run a page right now
    assert after.files <= before.files + 5


def test_sessions_that_come_and_go_leave_nothing(browser: "Browser", server: StartServer) -> None:
    """Memory, threads and files after a third of the visits are those after all of them."""
    dashboard = server(env={"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(FORGET)})

    def visit(number: int) -> None:
        editor = Editor(browser, dashboard, number)
        for _ in range(4):
            editor.edit()
        editor.turn()
        editor.close()

    def settled(after: Callable[[], Use]) -> Use:
        time.sleep(2 * FORGET)
        visit(0)  # the store of closed sessions is tidied up when it is used
        time.sleep(1)
        return after()

    for number in range(VISITS // 3):
        visit(number)
    before = settled(lambda: Use.of(dashboard))
    for number in range(VISITS // 3, VISITS):
        visit(number)
    after = settled(lambda: Use.of(dashboard))
    print(f"\nafter {VISITS // 3} visits: {before}")
    print(f"after {VISITS} visits: {after}")
    assert after.memory < (1 + GROWTH) * before.memory
    assert after.threads <= before.threads + 5  # those that answered a moment ago; one for each visit would be more
    assert after.files <= before.files + 2
