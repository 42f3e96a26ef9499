"""A class at one machine: all open a lesson within a minute, edit networks, and start a demo each.

    python benchmarks/classroom.py [--people 30] [--minutes 5] [--json | --markdown]

All but one speak Streamlit's protocol (`visitors.py`); one is a real browser, in which the time of an edit is taken as
in `pages.py`, from the key press to two frames after the totals have changed. In the first fifth of the time everybody
opens a link to a lesson. Then each edits a network on Explore every ten seconds or so, and at some moment of the last
two fifths starts the quick demo on Train: the runs wait in one line, of which the first train beside all the rest. In
the end the line must be in the order of the starts, each run must know how many are before it, and no page may have
shown an error.
Chromium is found as in the tests (`VGGEXPLORER_CHROMIUM` names another one).
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import table
from playwright.sync_api import sync_playwright
from visitors import Visitor, percentile

import pages
from vggexplorer.runs import launch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word

PEOPLE, MINUTES = 30, 5.0
PAUSE = 10.0
"""Seconds between two edits of one person, about."""
SLOWEST_EDIT, MOST_MEMORY = 1.5, 2**30
"""The bars: seconds of the 95th percentile of edits, bytes of the server."""
LESSON = {"tasks": "slower,fields"}


@dataclass
class Seen:
    """What was seen by all together, in seconds; `memory` is the most bytes of the server."""

    opened: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    real: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: int = 0


async def student(url: str, number: int, seconds: float, seen: Seen) -> None:
    """One person's lesson."""
    chance = random.Random(number)  # noqa: S311 (whose lesson is which is no secret)
    began = time.monotonic()
    starts = began + seconds * chance.uniform(0.6, 0.95)
    await asyncio.sleep(chance.uniform(0, 0.2) * seconds)
    async with Visitor(url, number) as visitor:
        try:
            seen.opened.append(await visitor.open("learn", **LESSON))
            await visitor.open("", arch="1x8,1x16,2x32", input="1x64x64")
            while time.monotonic() < began + seconds:
                await asyncio.sleep(PAUSE * chance.uniform(0.5, 1.5) * seconds / (60 * MINUTES))
                if starts and time.monotonic() > starts:
                    starts = 0.0
                    await visitor.open("train")
                    seen.started.append(await visitor.press("start"))
                    await visitor.open("", arch="1x8,1x16,2x32", input="1x64x64")
                drawn, known = await visitor.edit(chance.randrange(3), "out_channels", chance.randrange(8, 99))
                seen.drawn.append(drawn)
                seen.known.append(known)
        except Exception as error:
            seen.errors.append(f"{visitor.name}: {type(error).__name__}: {error}")
        seen.errors += visitor.errors


async def lesson(url: str, people: int, seconds: float, seen: Seen) -> None:
    """All people's lessons at once."""
    await asyncio.gather(*(student(url, number, seconds, seen) for number in range(people)))


def play(people: int, minutes: float) -> dict[str, Any]:
    """The whole lesson: what was seen, and how the line of runs was in the end."""
    seen = Seen()
    seconds = 60 * minutes
    with tempfile.TemporaryDirectory() as home:
        runs = Runs(Path(home) / "runs")
        try:
            with pages.serving(pages.OURS, runs.path) as server:
                others = threading.Thread(target=lambda: asyncio.run(lesson(server.url, people - 1, seconds, seen)))
                others.start()
                _edit_in_a_browser(server, others, seen)
                line = _line(runs)
        finally:
            _stop(runs)
    return {
        "people": people,
        "minutes": minutes,
        "opened": _most(seen.opened),
        "edits": len(seen.drawn),
        "drawn": _most(seen.drawn),
        "known": _most(seen.known),
        "real edits": len(seen.real),
        "real": _most(seen.real),
        "started": _most(seen.started),
        "memory": seen.memory,
        "errors": seen.errors,
        **line,
    }


def _most(values: list[float]) -> dict[str, float]:
    return {name: percentile(values, share) for name, share in (("median", 0.5), ("p95", 0.95), ("slowest", 1.0))}


def _edit_in_a_browser(server: pages.Server, others: threading.Thread, seen: Seen) -> None:
    """Somebody edits in a real browser as long as the others are there."""
    chromium = os.environ.get("VGGEXPLORER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=pages.FLAGS)
        visit = pages.Visit(browser, pages.OURS, server)
        visit.page.set_default_timeout(120_000)
        while others.is_alive():
            seen.real.append(visit.edit(pages.TOTALS) / 1000)
            seen.memory = max(seen.memory, server.memory())
            others.join(PAUSE / 5)
        browser.close()


def _line(runs: Runs) -> dict[str, Any]:
    """How many runs there are, how far, and whether those that wait do so in the order of their starts."""
    found = sorted(runs.all(recorded=False), key=lambda run: run.id)
    waiting = [run.status().ahead for run in found if run.status().word is Word.WAITING]
    words = [run.status().word for run in found]
    return {
        "runs": len(found),
        "finished": words.count(Word.FINISHED),
        "failed": words.count(Word.FAILED),
        "waiting": len(waiting),
        "in order": waiting == sorted(waiting) and len(set(waiting)) == len(waiting),
    }


def _stop(runs: Runs) -> None:
    """End all trainers."""
    for run in runs.all(recorded=False):
        run.want(stop=True)
        launch.kill(run)
    while any(run.locked() for run in runs.all(recorded=False)):
        time.sleep(0.1)


def bars(found: dict[str, Any]) -> list[list[str]]:
    """The table: what was measured, what was asked, whether that is met."""

    def times(name: str) -> str:
        return f"{found[name]['median']:.2f} / {found[name]['p95']:.2f} / {found[name]['slowest']:.2f} s"

    one_each, clean = found["people"] - 1, not found["errors"] and not found["failed"]
    most, in_order = f"95 %: {SLOWEST_EDIT} s", found["in order"]
    memory, limit = (f"{size / 2**20:.0f} MiB" for size in (found["memory"], MOST_MEMORY))
    real = f"{found['real edits']} edits in a real browser, drawn"
    return [
        ["median / 95 % / slowest", "measured", "bar", "met"],
        table.bar("a lesson's link is opened", times("opened")),
        table.bar(f"{found['edits']} edits, figures there", times("drawn"), most, _fast(found, "drawn")),
        table.bar("… the session knows of it", times("known")),
        table.bar(real, times("real"), most, _fast(found, "real")),
        table.bar("a demo is started", times("started")),
        table.bar("demos started", f"{found['runs']}", one_each, found["runs"] == one_each),
        table.bar("… finished, waiting", f"{found['finished']}, {found['waiting']}"),
        table.bar("those that wait are in the order of their starts", "yes" if in_order else "no", "yes", in_order),
        table.bar("errors on pages, failed runs", f"{len(found['errors'])}, {found['failed']}", "0, 0", clean),
        table.bar("server's memory", memory, limit, 0 < found["memory"] < MOST_MEMORY),
    ]


def _fast(found: dict[str, Any], name: str) -> bool:
    return bool(found[name]["p95"] < SLOWEST_EDIT)


def main() -> None:
    """Print the table, or all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found = play(options.people, options.minutes)
    about = table.machine(("torch", "streamlit"))
    if options.json:
        print(json.dumps({"machine": about, **found}, indent=2))
        return
    print(f"{table.sentence(about)}; {found['people']} people, {found['minutes']:g} minutes\n")
    print((table.markdown if options.markdown else table.text)(bars(found)))
    for error in found["errors"][:10]:
        print(error)


if __name__ == "__main__":
    main()
