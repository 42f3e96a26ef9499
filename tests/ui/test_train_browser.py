"""Training in a real browser, with real trainers: start, watch, leave, come back, kill, resume."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Server, StartServer, start_server, wait_until
from real_runs import check_records
from test_browser import Explore

from vggexplorer.runs import launch
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SMALL = {"arch": "1x4,1x8", "hidden": "none", "input": "1x28x28"}
"""A network that needs milliseconds a step."""
PLOT = "document.querySelector('.st-key-curves .plot')"
ZOOM = f"() => JSON.stringify({PLOT}.layout.xaxis.range)"
POINTS = f"() => Number({PLOT}?.dataset.points ?? 0)"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the trainers are killed by POSIX signals")


class Train(Explore):
    """The page as a person uses it."""

    def settle(self) -> "Train":
        """A page that looks at a run every second never stays idle for long; its Start button is enough."""
        self.page.wait_for_selector(".st-key-start-line, .totals .value, [data-testid=stAlert]")
        return self

    def status(self, *words: str, seconds: float = 60) -> None:
        """Wait until the badge says one of `words`."""
        wait_until(lambda: self.word() in words or self.wait(50), seconds, f"{words}, not {self.word()}")

    def word(self) -> str:
        """The status: the badge's text without its sign."""
        badge = self.page.locator(".st-key-watched .badge")
        return badge.first.inner_text().partition(" ")[2] if badge.count() else ""

    def wait(self, milliseconds: int) -> bool:
        self.page.wait_for_timeout(milliseconds)
        return False

    def points(self, more_than: int = 0, seconds: float = 60) -> int:
        """Wait until the curves have more points than that."""
        wait_until(lambda: self.page.evaluate(POINTS) > more_than or self.wait(50), seconds, f"{more_than} points")
        return int(self.page.evaluate(POINTS))

    def button(self, name: str) -> "Locator":
        """One on the page itself: while devices are looked for, the sidebar has a Stop, too."""
        return self.page.get_by_test_id("stMainBlockContainer").get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self.button(name).click()

    def epochs(self, count: int) -> None:
        """Have it train so many epochs."""
        self.page.get_by_text("More settings").click()
        self.fill("Number of epochs", str(count))
        self.page.get_by_text(re.compile(rf"\b{count} × \d")).first.wait_for()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def serve(tmp_path: Path, folder: Path) -> Iterator[Callable[[], Server]]:
    """Starts dashboards that share one folder of runs; at the end all trainers are stopped too."""
    servers: list[Server] = []

    def start() -> Server:
        place = tmp_path / f"server {len(servers)}"
        environment = {"VGGEXPLORER_RUNS": str(folder)}
        servers.append(start_server(place, sys.executable, "-m", "vggexplorer", env=environment))
        return servers[-1]

    yield start
    stop_all(folder)
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[[Server], Train]]:
    """Opens browsers of their own."""
    contexts = []

    def open_browser(server: Server) -> Train:
        context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000})
        contexts.append(context)
        page: Page = context.new_page()
        return Train(page, server)

    yield open_browser
    for context in contexts:
        context.close()


def stop_all(folder: Path) -> None:
    """End all trainers, those that hang too."""
    for run in Runs(folder).all(recorded=False):
        run.want(stop=True)
        launch.kill(run)
    wait_until(lambda: not any(run.locked() for run in Runs(folder).all(recorded=False)), what="the trainers' end")


def newest(folder: Path) -> Run:
    return Runs(folder).all(recorded=False)[0]


def only_run(folder: Path) -> Run:
    runs = Runs(folder).all(recorded=False)
    assert len(runs) == 1
    return runs[0]


def pid_of(run: Run) -> int:
    return int(run.heartbeat()["pid"])


def test_a_quick_demo_survives_the_browser_and_the_server(
    serve: Callable[[], Server], visit: Callable[[Server], Train], folder: Path
) -> None:
    """Two clicks from / to a running demo; the browser is closed, the server killed; it ends above 0.75."""
    first = serve()
    page = visit(first)
    page.open("/")
    page.page.get_by_role("link", name="Train").click()
    page.page.get_by_role("button", name="Start", exact=True).click()
    page.points(more_than=10)
    run = only_run(folder)
    page.page.context.close()

    again = visit(first).open("/train")
    seen = again.points(more_than=10)
    first.process.kill()
    first.process.wait()
    again.page.get_by_text("The dashboard does not answer").wait_for()
    assert run.status().active

    second = serve()
    later = visit(second).open("/train")
    later.points(more_than=seen)
    later.status("finished", seconds=240)
    outcome = run.outcome()
    assert outcome is not None
    assert outcome.test_acc is not None
    assert outcome.test_acc > 0.75
    assert f"{outcome.test_acc:.3f}" in later.page.locator(".st-key-watched .figures").inner_text()
    count = len(run.records())
    assert later.points(more_than=count - 1) == count


def test_after_the_server_is_killed_stop_and_resume_work(
    serve: Callable[[], Server], visit: Callable[[Server], Train], folder: Path
) -> None:
    first = serve()
    page = visit(first).open("/train", **SMALL)
    page.epochs(500)
    page.press("Start")
    page.points()
    first.process.kill()
    first.process.wait()
    page = visit(serve()).open("/train")
    page.status("running")
    page.press("Stop")
    page.status("stopped")
    run = only_run(folder)
    seen = page.points()
    page.press("Resume")
    page.status("running")
    page.points(more_than=seen)
    page.press("Stop")
    page.status("stopped")
    check_records(run)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "runs"


@pytest.fixture(scope="module")
def dashboard(server: StartServer, place: Path) -> Server:
    """One server for the tests that leave it alive."""
    return server(env={"VGGEXPLORER_RUNS": str(place)})


@pytest.fixture
def page(dashboard: Server, visit: Callable[[Server], Train], place: Path) -> Iterator[Train]:
    """Train, set up for a long run of a small network; what was started is stopped in the end."""
    page = visit(dashboard).open("/train", **SMALL)
    page.epochs(500)
    yield page
    stop_all(place)


def test_the_pictures_are_seen_as_the_network_gets_them_and_the_dice_draws_others(
    dashboard: Server, visit: Callable[[Server], Train]
) -> None:
    page = visit(dashboard).open("/train", **SMALL)
    page.page.get_by_text("by a short measurement").wait_for(timeout=60_000)  # it may ask for larger pictures
    page.page.get_by_text("The data, as the network gets it").click()
    page.press("Read all pictures")
    shown = page.page.locator(".st-key-drawn canvas")
    shown.nth(11).wait_for()
    first = shown.evaluate_all(PIXELS)
    assert len(first) == len(set(first)) == 12
    page.press("Draw others")
    wait_until(lambda: set(shown.evaluate_all(PIXELS)).isdisjoint(first) or page.wait(50), what="others")
    page.page.get_by_text("of them like one in the other part").wait_for()
    assert page.page.locator(".st-key-nearest canvas").count() >= 2
    assert page.page.get_by_test_id("stException").count() == 0


PIXELS = "all => all.map(each => each.toDataURL())"


def test_a_double_click_makes_one_run_and_zoom_survives_what_comes_in(page: Train, place: Path) -> None:
    page.page.get_by_role("button", name="Start", exact=True).dblclick(delay=30)
    page.points(more_than=60)
    assert len([run for run in Runs(place).all(recorded=False) if run.status().active]) == 1
    page.page.evaluate(f"{PLOT}.dataset.mount = 'first'")
    page.page.locator(".st-key-watched").scroll_into_view_if_needed()
    plot = page.page.locator(".st-key-curves .plot .nsewdrag").first.bounding_box()
    assert plot is not None
    page.page.mouse.move(plot["x"] + 60, plot["y"] + 40)
    page.page.mouse.down()
    page.page.mouse.move(plot["x"] + 200, plot["y"] + 160, steps=5)
    page.page.mouse.up()
    page.page.wait_for_function(f"() => {PLOT}.layout.xaxis.autorange === false")
    zoom = page.page.evaluate(ZOOM)
    ticks, seen = 0, page.points()
    while ticks < 3:
        seen, ticks = page.points(more_than=seen), ticks + 1
        page.wait(300)
    assert page.page.evaluate(ZOOM) == zoom
    assert page.page.evaluate(f"{PLOT}.dataset.mount") == "first"
    page.press("Reset the zoom")
    page.page.wait_for_function(f"zoom => ({ZOOM})() !== zoom", arg=zoom)
    page.page.reload()
    page.settle()
    page.points(more_than=seen)
    assert len([run for run in Runs(place).all(recorded=False) if run.status().active]) == 1


PLACES = """() => ['.st-key-watched', '.st-key-curves', '.st-key-curves .plot'].map((part) => {
    const { top, height } = document.querySelector(part).getBoundingClientRect()
    return [part, Math.round(top), Math.round(height)]
})"""


def test_what_stands_there_before_the_start_stays_where_it_is(page: Train, place: Path) -> None:
    seen = page.page.locator(".st-key-watched .answers figure")
    seen.nth(9).wait_for()
    page.page.wait_for_function(f"() => {PLOT}?.querySelector('.main-svg')")
    page.page.get_by_text("Your curves will be here; in grey").wait_for()
    before = page.page.evaluate(PLACES)
    page.page.get_by_label("Name of the run").fill("my own")
    page.press("Start")
    for word in ("starting", "loading", "running"):
        page.status(word, "running", "testing")
        assert page.page.evaluate(PLACES) == before, word
    assert newest(place).name() == "my own"
    seen.nth(11).wait_for()
    page.page.locator(".st-key-watched .answers .right").first.wait_for()
    assert page.page.evaluate(PLACES) == before
    axis = page.page.evaluate(f"() => {PLOT}.layout.xaxis.range")
    assert axis == [0, 500]


def test_pause_step_hang_kill_and_resume(page: Train, place: Path) -> None:
    page.press("Start")
    page.points(more_than=20)
    run = newest(place)
    page.press("Pause")
    page.status("paused")
    at = run.heartbeat()["step"]
    page.press("One step")
    page.page.get_by_text(f"A close look at step {at + 1}").wait_for()
    page.page.locator(".st-key-close-look canvas").nth(31).wait_for()
    page.press("Continue")
    page.status("running", "testing")
    page.page.get_by_text(f"A close look at step {at + 1}").wait_for(state="hidden")

    os.kill(pid_of(run), signal.SIGSTOP)
    page.status("not responding", seconds=15)
    os.kill(pid_of(run), signal.SIGCONT)
    page.status("running", "testing")

    os.kill(pid_of(run), signal.SIGKILL)
    page.status("interrupted", seconds=10)
    page.page.locator(".st-key-watched .explained", has_text="interrupted at step").wait_for()
    page.press("Resume")
    page.status("running", "testing")
    os.kill(pid_of(run), signal.SIGSTOP)
    page.status("not responding", seconds=15)
    page.press("End its process")
    page.status("interrupted")

    page.press("Resume")
    page.status("running", "testing")
    page.press("Pause")
    page.status("paused")
    at = run.heartbeat()["step"]
    page.press("One step")
    page.page.get_by_text(f"A close look at step {at + 1}").wait_for()
    page.press("Stop")
    page.status("stopped")
    page.page.get_by_text(f"Stopped at step {at + 1}").wait_for()
    assert page.page.get_by_text(f"A close look at step {at + 1}").is_visible(), "it stays"


def test_two_tabs_make_two_runs_one_after_the_other(
    page: Train, dashboard: Server, visit: Callable[[Server], Train], place: Path
) -> None:
    tabs = [page, visit(dashboard).open("/train", **SMALL)]
    before = len(Runs(place).all(recorded=False))
    for tab in tabs:
        tab.press("Start")
    tabs[0].status("running", "testing")
    tabs[1].status("waiting in line")
    tabs[1].page.locator(".st-key-watched .explained", has_text="1 run is before this one").wait_for()
    if sys.platform == "linux":
        maps = Path(f"/proc/{dashboard.process.pid}/maps").read_text(encoding="utf-8")
        assert "python" in maps
        assert "libtorch" not in maps
    colour = "button => getComputedStyle(button).color"
    stop, pause, start = (tabs[0].button(name).evaluate(colour) for name in ("Stop", "Pause", "Start another"))
    assert stop not in (pause, start)
    tabs[0].press("Stop")
    tabs[0].status("stopped")
    tabs[1].status("running", "testing", "finished")
    assert len(Runs(place).all(recorded=False)) == before + 2
