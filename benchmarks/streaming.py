"""What it costs to watch a run, and how long runs can be: the trainer, the dashboard and Chromium, really running.

    python benchmarks/streaming.py [--rounds 3] [--seconds 20] [--json | --markdown]

Watching: examples per second of one training, in turns alone; watched by three tabs of one window, of which one is
looked at; by three windows that are all looked at; and by three readers that ask as the tabs do but draw nothing,
which shows what the dashboard itself takes and what the browser. Beside each, the part of the processors' time that
server and browser take. The steps are those of the slim VGG-11 at 96 pixels on the sample. Size of an answer: what a
browser gets for five new points of a short and of a long run, and of how each run is now. A long run: from the call
of the page to the drawn curve, the longest frame while it goes on, and whether the best epoch is among what is drawn.
Many runs: the rows that one sees of 500 and of 5,000, right after the server's start and later.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import table
from filelock import FileLock
from playwright.sync_api import Page

from pages import OURS, Server, playing, serving
from vggexplorer.architectures import NETWORKS
from vggexplorer.runs import devices, launch
from vggexplorer.runs.config import QUICK, Config, recipe
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs, new_id

TABS = 3
SETTLED = 8000
"""Milliseconds after which tabs that were opened watch, and do nothing else."""
WARM_UP = 4
"""Steps before those that count."""
LONG = 10**6
MANY = {1: None, 500: 0.5, 5_000: 2.0}
"""Runs, and the seconds within which their list stands there; one shows what any page takes."""
BEST = 0.987654
"""The test accuracy of one epoch in the middle of the long run; no other is as high."""
WATCHED, LENGTHS, OPENED, FRAME = 0.97, 1.25, 1.0, 0.1
"""The bars: the share of the speed that is left, how much larger an answer may be (larger numbers have more digits),
seconds to open, seconds of a frame."""
DRAWN = "() => Number(document.querySelector('.plot')?.dataset.points ?? 0) > 0 && document.querySelector('.plot .xy')"
UNSEEN = "Object.defineProperty(document, 'hidden', { get: () => true })"
GAPS = """(milliseconds) => new Promise((resolve) => {
    let longest = 0, before = performance.now()
    const until = before + milliseconds
    const frame = (now) => {
        longest = Math.max(longest, now - before)
        before = now
        now < until ? requestAnimationFrame(frame) : resolve(longest)
    }
    requestAnimationFrame(frame)
})"""


# --- watching ------------------------------------------------------------------------------------------------------


class Watched(NamedTuple):
    """A training while it is watched: its examples per second, and the part of the processors that watching takes."""

    rate: float
    part: float


def spent(trainer: int) -> float:
    """The processor seconds of all processes that this one has started and that live, but for the trainer; on Linux."""
    parents, seconds = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (place / "stat").read_text("utf-8").rpartition(")")[2].split()
            parents[int(place.name)] = int(fields[1])
            seconds[int(place.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    own, more = {os.getpid()}, {os.getpid()}
    while more:
        more = {process for process, parent in parents.items() if parent in more and process != trainer}
        own |= more
    return sum(seconds.get(process, 0.0) for process in own - {os.getpid()})


def trained(runs: Runs, seconds: float, watch: Callable[[Run], Any]) -> Watched:
    """A training that is watched."""
    network = NETWORKS["VGG-11 slim"]
    training = replace(recipe(QUICK, network), epochs=1000, input_size=96, time_budget=seconds + 300.0)
    run = launch.start(runs, Config(network=network, training=training, device="cpu"))
    with ExitStack() as stack:
        until(lambda: run.last_record())
        stack.enter_context(watch(run))
        first = until(lambda: (record := run.last_record()) and record.step >= WARM_UP and record)
        before = spent(run.heartbeat()["pid"])
        time.sleep(seconds)
        last, part = until(run.last_record), (spent(run.heartbeat()["pid"]) - before) / seconds / (os.cpu_count() or 1)
    launch.kill(run)
    until(lambda: not run.locked())
    return Watched((last.examples - first.examples) / (last.seconds - first.seconds), part)


def until(condition: Callable[[], Any], timeout: float = 120) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            sys.exit("Waited in vain.")
        time.sleep(0.05)
    return found


@contextmanager
def nobody(_run: Run) -> Iterator[None]:
    """The training alone."""
    yield


def tabs(server: Server, seen: int) -> Callable[[Run], Any]:
    """Three tabs that show the run; so many of them are looked at, the others are told that nobody sees them."""

    @contextmanager
    def watching(run: Run) -> Iterator[None]:
        with playing() as browser:
            context = browser.new_context(locale="en-US")
            pages = [context.new_page() for _ in range(TABS)]
            for page in pages[seen:]:
                page.add_init_script(UNSEEN)
            for page in pages:
                page.goto(f"{server.url}/train?run={run.id}")
            for page in pages[:seen]:
                page.wait_for_function(DRAWN, timeout=120_000)
            pages[-1].wait_for_timeout(SETTLED)
            yield

    return watching


def readers(server: Server) -> Callable[[Run], Any]:
    """Three threads that ask for new points twice a second, as the tabs do."""

    @contextmanager
    def watching(run: Run) -> Iterator[None]:
        over = threading.Event()

        def read() -> None:
            offset, start = 0, ""
            while not over.wait(0.5):
                answer = json.loads(get(server, run, offset, start))
                offset, start = answer["offset"], answer["start"]

        threads = [threading.Thread(target=read) for _ in range(TABS)]
        for thread in threads:
            thread.start()
        yield
        over.set()
        for thread in threads:
            thread.join()

    return watching


def get(server: Server, run: Run, offset: int, start: str) -> bytes:
    """What the server answers to a browser that has the points up to `offset`."""
    return asked(server, f"records/{run.id}?from={offset}&start={start}")


def asked(server: Server, path: str) -> bytes:
    """What the server answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{server.url}/{path}", timeout=60) as answer:
        return bytes(answer.read())


# --- long runs, many runs --------------------------------------------------------------------------------------------


def made(runs: Runs, length: int, name: str) -> Run:
    """A finished run of `length` steps in 100 epochs, its figures made up."""
    network = NETWORKS["VGG-11 slim"]
    run = runs.create(Config(network=network, training=recipe(QUICK, network)), name)
    each = max(1, length // 100)
    with (run.path / "metrics.jsonl").open("wb") as file:
        for step in range(1, length + 1):
            file.write(record(step, each).line())
    (run.path / "outcome.json").write_text(
        json.dumps(Outcome(status="finished", test_acc=0.9, best_test_acc=BEST, seconds=1.0, step=length).to_json()),
        "utf-8",
    )
    return run


def record(step: int, each: int) -> Record:
    """A point of a run with `each` steps an epoch."""
    tested = step % each == 0
    figures = {"batch_loss": 2 / (1 + step / each), "train_loss": 2 / (1 + step / each), "train_acc": 0.5, "lr": 0.1}
    speed = {"examples_per_sec": 100.0, "examples_per_sec_wall": 90.0, "seconds": float(step)}
    best = BEST if step == 37 * each else 0.5 + 0.001 * (step // each % 100)
    return Record(
        step=step,
        epoch=step / each,
        examples=step * 128,
        test_acc=best if tested else None,
        test_loss=0.5 if tested else None,
        **figures,
        **speed,
    )


def append(run: Run, places: range) -> int:
    """Add points to a run's figures; the offset where they begin."""
    path = run.path / "metrics.jsonl"
    before = path.stat().st_size
    with path.open("ab") as file:
        for step in places:
            file.write(record(step, 10**9).line())
    return before


@contextmanager
def going_on(run: Run) -> Iterator[None]:
    """As if a trainer were at the run: its lock, its heartbeat, ten points a second."""
    (run.path / "outcome.json").unlink()
    over = threading.Event()

    def train() -> None:
        with FileLock(run.path / "run.lock"):
            for beat in count(1):
                write_json(run.path / "heartbeat", {"beat": beat, "phase": "training", "step": LONG}, durable=False)
                append(run, range(LONG + 10 * beat, LONG + 10 * beat + 1))
                if over.wait(0.1):
                    return

    trainer = threading.Thread(target=train)
    trainer.start()
    yield
    over.set()
    trainer.join()


def answers(server: Server, short: Run, long: Run) -> dict[str, dict[str, int]]:
    """Bytes that come for five new points, and for how the run is now."""
    found = {}
    for run, length in ((short, 100), (long, LONG)):
        offset = append(run, range(length + 1, length + 6))
        points, now = get(server, run, offset, ""), asked(server, f"watch/{run.id}")
        found[f"{length:,} records"] = {"points": len(points), "now": len(now)}
    return found


def opened(page: Page, server: Server, run: Run) -> dict[str, float | bool]:
    """Seconds from the call of the page to the drawn curve; the longest frame while points come; is the best there."""
    with going_on(run):
        began = time.perf_counter()
        page.goto(f"{server.url}/runs?run={run.id}")
        page.wait_for_function(DRAWN, polling="raf")
        seconds = time.perf_counter() - began
        page.wait_for_timeout(3000)
        longest = page.evaluate(GAPS, 5000) / 1000
    highest = page.evaluate(
        "() => Math.max(...document.querySelector('.plot').data.filter((line) => line.yaxis === 'y2')"
        ".flatMap((line) => [...line.y]))"
    )
    return {"opened": seconds, "longest frame": longest, "best": highest == BEST}


def listed(page: Page, server: Server, count: int) -> float:
    """Seconds from the call of the page to the rows that one sees, the newest; then all are waited for."""
    began = time.perf_counter()
    page.goto(f"{server.url}/runs")
    page.locator("table.runs tbody tr").nth(min(count, 20)).wait_for()
    seconds = time.perf_counter() - began
    page.locator("table.runs[data-complete=true]").wait_for(timeout=120_000)
    return seconds


# --- the table -------------------------------------------------------------------------------------------------------


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder) / "runs")
        devices.look(runs.path)
        rates: dict[str, list[Watched]] = {"alone": [], "readers": [], "tabs": [], "windows": []}
        for _ in range(rounds):
            rates["alone"].append(trained(runs, seconds, nobody))
            with serving(OURS, runs.path) as server:
                rates["readers"].append(trained(runs, seconds, readers(server)))
                rates["tabs"].append(trained(runs, seconds, tabs(server, seen=1)))
                rates["windows"].append(trained(runs, seconds, tabs(server, seen=TABS)))
        many = {count: crowd(Path(folder) / f"{count}", count) for count in MANY}
        long = made(runs, LONG, "long")
        with serving(OURS, runs.path) as server, playing() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 1200})
            page.goto(f"{server.url}/runs")
            page.wait_for_timeout(3000)  # the browser has the script and Plotly
            short = made(runs, 100, "short")
            bytes_of_answers = answers(server, short, long)
            short_run, long_run = opened(page, server, short), opened(page, server, long)
    return {"rates": rates, "answers": bytes_of_answers, "short run": short_run, "long run": long_run, "lists": many}


def crowd(folder: Path, count: int) -> dict[str, float]:
    """Seconds to list so many runs, first and again."""
    runs = Runs(folder)
    first = made(runs, 3, "run 1")
    for number in range(2, count + 1):  # copied: what is made by name looks at all names
        shutil.copytree(first.path, first.path.with_name(new_id(f"run {number}")))
    with serving(OURS, runs.path) as server, playing() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1200})
        page.goto(f"{server.url}/")
        page.wait_for_timeout(3000)
        seconds = [listed(page, server, count) for _ in range(3)]
    return {"first": seconds[0], "again": statistics.median(seconds[1:])}


def _part(what: str, watched: Sequence[Watched]) -> list[str]:
    """A row about the processors, beside a speed that a busy machine blurs."""
    part = statistics.median(each.part for each in watched)
    return table.bar(what, f"{100 * part:.1f} %", f"{100 * (1 - WATCHED):.0f} %", part <= 1 - WATCHED)


def size(what: str, long: int, short: int) -> list[str]:
    """A row about the bytes of an answer."""
    return table.bar(f"{what} of 10⁶ records beside of 100", f"{long} B, {short} B", LENGTHS, long <= LENGTHS * short)


def rows(found: dict[str, Any]) -> list[list[str]]:
    """The table, its head first."""
    rates = found["rates"]
    short, long = found["answers"].values()
    one = found["long run"]
    lines = [["", "measured", "bar", "met"]]
    shares = {
        kind: statistics.median(mine.rate / alone.rate for mine, alone in zip(rates[kind], rates["alone"], strict=True))
        for kind in ("readers", "tabs", "windows")
    }
    lines += [
        table.bar("speed watched by three readers", f"{shares['readers']:.3f}x", WATCHED, shares["readers"] >= WATCHED),
        table.bar("speed watched by three tabs", f"{shares['tabs']:.3f}x", WATCHED, shares["tabs"] >= WATCHED),
        table.bar("speed watched by three windows", f"{shares['windows']:.3f}x"),
        *(_part(f"the processors' time that three {kind} take", rates[kind]) for kind in ("tabs", "windows")),
        *(size(what, long[key], short[key]) for key, what in (("points", "five points"), ("now", "how a run is now,"))),
        table.bar("100 records, opened", f"{found['short run']['opened']:.2f} s"),
        table.bar("10⁶ records, opened", f"{one['opened']:.2f} s", OPENED, one["opened"] <= OPENED),
        table.bar("its longest frame", f"{one['longest frame']:.3f} s", FRAME, one["longest frame"] <= FRAME),
        table.bar("its best epoch is drawn", "yes" if one["best"] else "no", "yes", one["best"]),
    ]
    for number, most in MANY.items():
        for when, seconds in found["lists"][number].items():
            measured, met = f"{seconds:.2f} s", most and seconds <= most
            lines.append(table.bar(f"{number:,} {'runs' if most else 'run'}, listed {when}", measured, most or "", met))
    return lines


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=3)
    parser.add_argument("--seconds", type=float, default=20, help="of each training that counts")
    options = parser.parse_args()
    os.environ.pop("VGGEXPLORER_RUNS", None)
    found = measure(options.rounds, options.seconds)
    table.report(options, table.machine(["torch", "streamlit", "plotly", "playwright"]), found, rows(found))


if __name__ == "__main__":
    main()
