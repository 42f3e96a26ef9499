"""How fast the pages answer, in a real Chromium, beside plain Streamlit scripts, in turns.

    python benchmarks/pages.py [--edits 15] [--rounds 3] [--sessions 10] [--seconds 60] [--json | --markdown]

Measured: from starting the server to its first answer; first paint in an empty browser; from the key press of an edit
to two frames after the totals, and after the charts, have changed; the change to another page; bytes over the wire of
the first visit and of one edit, with the layers and with the charts open; the memory of the server after all of it.
The floor has two modes: its charts are drawn either before the second frame after an edit or later; both are shown, how
many edits were of each and their medians. An edit of a network of 400 layers is set beside that of one of 30. Then
several browser sessions edit at once for a while: the 95th percentile beside that of one session alone.
`floor.py` is a plain script with some widgets
and two charts; `bare.py` has as many widgets as Explore's editor and five totals, and nothing that they stand for: the
limit for an edit. All servers have the same settings.
Chromium is found as in the tests (`VGGEXPLORER_CHROMIUM` names another one).
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import table
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && document.querySelectorAll('[data-testid=stMetricValue], .totals .value').length >= 4
    && !document.querySelector('[data-stale=true]')"""
WATCH = """(selector) => {
    const numbers = (node) => node.data ? JSON.stringify(node.data.map((trace) => trace.y ?? trace.x)) : ''
    const look = () => [...document.querySelectorAll(selector)].map((node) => node.textContent + numbers(node)).join()
    window.painted = new Promise((resolve) => {
        let began
        const before = look()
        const press = (event) => { if (event.key === 'Enter') began = performance.now() }
        const charts = () => [...document.querySelectorAll('.js-plotly-plot')].map(numbers).join()
        const drawn = charts()
        const twoFrames = (done) => requestAnimationFrame(() => requestAnimationFrame(done))
        const frame = () => {
            if (began && look() !== before) twoFrames(() => resolve([performance.now() - began, charts() === drawn]))
            else requestAnimationFrame(frame)
        }
        document.addEventListener('keydown', press, {capture: true, once: true})
        frame()
    })
}"""
TOTALS = "[data-testid=stMetricValue], .totals .exact"
CHARTS = ".js-plotly-plot"


class Place(NamedTuple):
    """A dashboard: the command that starts it on a port, where the edits are made, and which field they change."""

    name: str
    command: list[str]
    path: str
    field: str


FLOOR = Place(
    "floor", ["-m", "streamlit", "run", str(ROOT / "benchmarks" / "floor.py"), "--server.port"], "/", "number 0"
)
BARE = FLOOR._replace(name="bare", command=[part.replace("floor.py", "bare.py") for part in FLOOR.command])
OURS = Place("vggexplorer", ["-m", "vggexplorer", "--no-browser", "--port"], "/", "Channels, block 1")
SAME = {
    "STREAMLIT_SERVER_HEADLESS": "true",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
    "STREAMLIT_RUNNER_POST_SCRIPT_GC": "false",
}


class Server(NamedTuple):
    """A server that answers."""

    url: str
    process: "subprocess.Popen[bytes]"
    seconds: float

    def memory(self) -> int:
        """Bytes that are in memory; 0 where the system does not tell."""
        path = Path(f"/proc/{self.process.pid}/statm")
        return int(path.read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0

    def work(self) -> float:
        """Seconds of a processor that it has used; 0 where the system does not tell."""
        path = Path(f"/proc/{self.process.pid}/stat")
        if not path.exists():
            return 0
        fields = path.read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(place: Place, runs: Path | None = None) -> Iterator[Server]:
    """A server of its own, from an empty home; its runs are there or in `runs`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        environment = os.environ | SAME | {"HOME": home, "VGGEXPLORER_RUNS": str(runs or f"{home}/runs")}
        process = subprocess.Popen(
            [sys.executable, *place.command, str(port)], cwd=home, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while not answers(url):
                time.sleep(0.01)
            yield Server(url, process, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(20)


def answers(url: str) -> bool:
    """Whether the server is ready."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/_stcore/health", timeout=2).close()
    except (OSError, urllib.error.URLError):
        return False
    return True


# --- one visit -----------------------------------------------------------------------------------------------------


class Visit:
    """A browser of its own at one of the servers."""

    def __init__(self, browser: Browser, place: Place, server: Server) -> None:
        self.place = place
        self.context = browser.new_context(viewport={"width": 1440, "height": 1200}, locale="en-US")
        self.page: Page = self.context.new_page()
        self.bytes = 0
        client = self.context.new_cdp_session(self.page)
        client.send("Network.enable")
        client.on("Network.loadingFinished", lambda event: self._count(event["encodedDataLength"]))
        client.on("Network.webSocketFrameReceived", lambda event: self._count(len(event["response"]["payloadData"])))
        began = time.perf_counter()
        self.page.goto(server.url + place.path)
        self.page.wait_for_function(SETTLED, polling="raf")
        self.first_paint = time.perf_counter() - began
        self.first_bytes = self.bytes
        self.number = 0

    def _count(self, more: float) -> None:
        self.bytes += int(more)

    def edit(self, watched: str) -> float:
        """Milliseconds from the key press to two frames after what is watched has changed."""
        box = self.page.get_by_label(self.place.field, exact=True)
        self.number = (self.number + 1) % 50
        box.fill(str(64 + self.number))
        self.page.evaluate(WATCH, watched)
        box.press("Enter")
        painted, self.late = self.page.evaluate("() => window.painted")
        self.page.wait_for_function(SETTLED, polling=20)
        return float(painted)

    def edits(self, watched: str, count: int) -> tuple[list[float], list[bool], float]:
        """The times of some edits, whether the charts were drawn later than that, and the bytes of one."""
        before, times, late = self.bytes, [], []
        for _ in range(count):
            times.append(self.edit(watched))
            late.append(self.late)
        return times, late, (self.bytes - before) / count

    def open_charts(self) -> None:
        """Have the charts in view; the floor always has."""
        if self.place is OURS:
            self.page.get_by_role("tab", name="Charts").click()
        self.page.wait_for_function(f"() => document.querySelectorAll('{CHARTS}').length >= 2")
        self.page.wait_for_timeout(500)

    def switch(self) -> float | None:
        """Milliseconds from the click on another page to its title; the floor has one page only."""
        if self.place is not OURS:
            return None
        began = time.perf_counter()
        self.page.get_by_role("link", name="Compare").click()
        self.page.get_by_role("heading", name="Compare").wait_for()
        return 1000 * (time.perf_counter() - began)


def visit(browser: Browser, place: Place, edits: int) -> dict[str, Any]:
    """Everything that is measured of one server, started anew."""
    with serving(place) as server:
        one = Visit(browser, place, server)
        if place is FLOOR:
            one.open_charts()  # its plotly.js comes late: it is nothing of an edit
        one.edit(TOTALS)
        totals, late, edit_bytes = one.edits(TOTALS, edits)
        charts, chart_bytes = [], None
        if place is not BARE:
            one.open_charts()
            one.edit(CHARTS)
            charts, _, chart_bytes = one.edits(CHARTS, edits)
        switched = one.switch()
        if place is OURS:
            for name in ("Train", "Runs", "Explore"):
                one.page.get_by_role("link", name=name).click()
                one.page.wait_for_timeout(1500)
        one.context.close()
        return {
            "server start": 1000 * server.seconds,
            "first paint": 1000 * one.first_paint,
            "edit to totals": statistics.median(totals),
            "floor's edits": list(zip(totals, late, strict=True)),
            "edit to charts": statistics.median(charts) if charts else None,
            "page switch": switched,
            "first visit, bytes": one.first_bytes,
            "one edit, bytes": edit_bytes,
            "one edit with charts, bytes": chart_bytes,
            "server memory": server.memory(),
        }


def crowd(sessions: int, seconds: float) -> dict[str, Any]:
    """The 95th percentile of edits of several browsers at once, beside one alone; each browser is a process.

    `server` is how much of one processor the server has used.
    """
    found = {}
    for count in (1, sessions):
        with serving(OURS) as server:
            command = [sys.executable, __file__, "--editor", server.url, str(seconds)]
            editors = []
            for _ in range(count):  # one after the other: ten first paints at once are another question
                editors.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                editors[-1].stdout.readline()  # type: ignore[union-attr]
            worked = server.work()
            for each in editors:
                each.stdin.write(b"\n")  # type: ignore[union-attr]
                each.stdin.flush()  # type: ignore[union-attr]
            times = sorted(value for each in editors for value in json.loads(each.communicate()[0]))
            if any(each.returncode for each in editors):
                sys.exit("A browser session failed.")
            share = (server.work() - worked) / seconds
            found[count] = {"edits": len(times), "p95": times[int(0.95 * len(times))], "server": share}
    return {"sessions": sessions, "alone": found[1], "together": found[sessions]}


def editor(url: str, seconds: float) -> list[float]:
    """Open the page, say so, and edit for a while once a line comes; milliseconds of each edit."""
    with playing() as browser:
        one = Visit(browser, OURS, Server(url, None, 0.0))  # type: ignore[arg-type]
        one.edit(TOTALS)
        print("ready", flush=True)
        sys.stdin.readline()
        until, times = time.monotonic() + seconds, []
        while time.monotonic() < until:
            times.append(one.edit(TOTALS))
            one.page.wait_for_timeout(300)  # nobody types faster for long
        return times


@contextmanager
def playing() -> Iterator[Browser]:
    """Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("VGGEXPLORER_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


# --- the table -----------------------------------------------------------------------------------------------------

BARS = {"first paint": 1.2, "edit to totals": 0.75, "edit to charts": 1.1, "server memory": 1.5}
"""How many times the floor's at most."""
MOST_BYTES = 12 * 2**10
"""Of an edit, with the layers or the charts in view."""
GROWTH = 3
"""How many times as long as an edit of 30 layers one of 400 may take."""
DEEP = {30: "2x64,2x64,2x64,2x64,2x64", 400: ",".join(["7x8:nopool"] * 23 + ["32x8:nopool", "2x8"])}
"""Networks of about as many layers."""


def rows(found: dict[str, list[dict[str, Any]]]) -> list[list[str]]:
    """Medians over the rounds, and how many times the floor's they are."""
    lines = [["", "floor", "bare", "vggexplorer", "ratio", "bar", "met"]]
    for name in found["floor"][0]:
        if name == "floor's edits":
            continue
        floor, bare, ours = (_median(found[place], name) for place in ("floor", "bare", "vggexplorer"))
        numbers = [_written(name, value) for value in (floor, bare, ours)]
        ratio = f"{ours / floor:.2f}x" if floor and ours else ""
        verdict = ["", ""]
        if name in BARS:
            verdict = [f"{BARS[name]}x", _met(ours <= BARS[name] * floor)]
        elif name.startswith("one edit"):
            verdict = [_written(name, MOST_BYTES), _met(ours <= MOST_BYTES)]
        lines.append([name, *numbers, ratio, *verdict])
    return lines


def _met(met: bool) -> str:
    return "yes" if met else "no"


def modes(rounds: list[dict[str, Any]]) -> str:
    """How many of the floor's edits were of each mode, and how long they took."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for time_, late in (edit for each in rounds for edit in each["floor's edits"]):
        found[late].append(time_)
    parts = [
        f"{len(times)} with the charts {'after' if late else 'before'} the second frame, median "
        f"{statistics.median(times):.0f} ms"
        for late, times in found.items()
        if times
    ]
    return "The floor's edits: " + "; ".join(parts) + "."


def growth(browser: Browser, edits: int) -> str:
    """An edit of a network of 400 layers beside one of 30."""
    times = {}
    with serving(OURS) as server:
        for layers, arch in DEEP.items():
            one = Visit(browser, OURS._replace(path=f"/?arch={arch}&input=1x64x64"), server)
            one.edit(TOTALS)
            times[layers] = statistics.median(one.edits(TOTALS, edits)[0])
            one.context.close()
    (few, short), (many, long) = times.items()
    verdict = "met" if long <= GROWTH * short else "missed"
    return (
        f"An edit of {few} layers {short:.0f} ms, of {many} layers {long:.0f} ms: {long / short:.1f} times, "
        f"the bar of {GROWTH} is {verdict}."
    )


def _median(items: list[dict[str, Any]], name: str) -> float | None:
    values = [item[name] for item in items if item[name] is not None]
    return statistics.median(values) if values else None


def _written(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name.endswith(("bytes", "memory")):
        return f"{value / 2**20:.2f} MiB" if value > 2**18 else f"{value / 2**10:.1f} KiB"
    return f"{value:.0f} ms"


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=3)
    parser.add_argument("--edits", type=int, default=15)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--editor", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.editor:
        print(json.dumps(editor(options.editor[0], float(options.editor[1]))))
        return
    places = (FLOOR, BARE, OURS)
    found: dict[str, list[dict[str, Any]]] = {place.name: [] for place in places}
    with playing() as browser:
        for _ in range(options.rounds):
            for place in places:
                found[place.name].append(visit(browser, place, options.edits))
        grown = growth(browser, options.edits)
    together = crowd(options.sessions, options.seconds) if options.sessions else {}
    about = table.machine(["streamlit", "plotly", "playwright"])
    table.report(options, about, {"rounds": found, "sessions": together}, rows(found))
    if not options.json:
        print(f"\n{modes(found['floor'])}\n{grown}")
    if together and not options.json:
        alone, all_of_them = together["alone"], together["together"]
        times = all_of_them["p95"] / alone["p95"]
        print(
            f"\n{together['sessions']} sessions at once: {all_of_them['edits']} edits, p95 {all_of_them['p95']:.0f} ms;"
        )
        print(f"of one processor the server used {all_of_them['server']:.0%}, the rest is the browsers.")
        verdict = "met" if times <= 10 else "missed"
        print(f"One alone: p95 {alone['p95']:.0f} ms; {times:.1f} times: the bar of 10 is {verdict}.")


if __name__ == "__main__":
    main()
