"""A sweep followed in a terminal: what its runs do, and what came of them."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vggexplorer.errors import InputError
from vggexplorer.formatting import short
from vggexplorer.processes import shell_line
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import best
from vggexplorer.runs.folder.run import MANY, Run, Watch
from vggexplorer.runs.folder.status import OUTCOMES, STATUSES, Status, Word
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import PLANNED, Member, Sweep, count_finished
from vggexplorer.runs.sweeps.pareto import COSTS, Point, Result, pareto_front, points_of
from vggexplorer.terminal.progress import Interrupts, exit_status, unread
from vggexplorer.terminal.tables import grid, plain, print_table, terminal
from vggexplorer.terminal.views import View, described, draws

MOST_SHOWN = 12
"""How many of the runs that are under way have a line of their own."""
LOOK = 0.5
"""Seconds between two looks at the runs."""


class Followed:
    """A sweep's runs as they were last seen; one that has ended is read once."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.members: list[Member] = []
        self.results: dict[str, Result] = {}
        self._watch = Watch()
        self._over: dict[str, tuple[int, Status]] = {}
        self._ended: dict[str, tuple[str, int]] = {}

    def look(self) -> list[Member]:
        """Look at all runs; those that have ended since the last look."""
        self.members = self.sweep.members(self._status)
        fresh = []
        for member in self.members:
            if member.active:
                self._ended.pop(member.run.id, None)
            elif member.status and member.made:
                end = member.status.word, _written(member)
                if self._ended.get(member.run.id) != end:
                    self._ended[member.run.id] = end
                    self.results[member.run.id] = result(member)
                    fresh.append(member)
        return fresh

    def _status(self, run: Run) -> Status:
        """What it does; one that has ended is read again only once something came into its folder."""
        changed = run.changed()
        before, status = self._over.get(run.id, (None, None))
        if status is None or before != changed:
            status = run.status(self._watch)
            if status.word in OUTCOMES:
                self._over[run.id] = changed, status
        return status

    def points(self) -> list[Point]:
        """What came of it so far."""
        found = (self.results.get(each.run.id) or Result(each.config, None, None) for each in self.members)
        return points_of(list(found))

    def counts(self) -> str:
        """How many runs do what: '3 of 12 finished, 1 running, 8 not started yet'."""
        words = [STATUSES[member.word] if member.word else PLANNED for member in self.members]
        done = words.count(STATUSES[Word.FINISHED])
        others = [word for word in dict.fromkeys(words) if word != STATUSES[Word.FINISHED]]
        return ", ".join([f"{done} of {len(words)} finished", *(f"{words.count(word)} {word}" for word in others)])


def _written(member: Member) -> int:
    """Tells one end of a run from the next."""
    with suppress(OSError):
        return (member.run.path / layout.OUTCOME).stat().st_mtime_ns
    return 0


def result(member: Member) -> Result:
    """What a run has reached so far."""
    records = member.run.read(most=MANY).records
    return Result(member.config, best(records), records[-1].seconds if records else None)


class _Screen:
    """The runs under way, drawn again and again, in a terminal; else nothing."""

    def __init__(self, followed: Followed, live: bool) -> None:
        self._followed = followed
        self._live = Live(console=terminal(), get_renderable=self._drawn, auto_refresh=False, transient=True)
        self._on = live

    def __enter__(self) -> "_Screen":
        if self._on:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def draw(self) -> None:
        """Show what is known now."""
        if self._on:
            self._live.refresh()

    def _drawn(self) -> Group:
        picture = Table.grid(padding=(0, 2, 0, 0))
        active = [member for member in self._followed.members if member.active]
        for member in active[:MOST_SHOWN]:
            steps = member.run.environment().get("num_steps")
            step = f"step {member.status.step:,}" if member.status and member.status.step else ""
            step += f"/{steps:,}" if step and isinstance(steps, int) else ""
            words = described(member.status) if member.status else ""
            picture.add_row(Text(member.name, overflow="ellipsis", no_wrap=True), words, step)
        return Group(picture, Text(self._followed.counts()))


def follow(followed: Followed, as_json: bool, interrupts: Interrupts, folder: str | None) -> int:
    """Show a sweep until nobody is at it; the exit status.

    Ctrl-C stops all of it; a second one leaves at once. `folder` is what the person typed for the folder of runs.
    """
    sweep = followed.sweep
    again = f"vggexplorer sweep resume {sweep.id}" + (f" --runs {shell_line([folder])}" if folder else "")
    say = View().say
    say(f"sweep {sweep.id}")
    try:
        with _Screen(followed, live=not as_json and draws(terminal())) as screen:
            _until_the_end(followed, screen, as_json, interrupts)
        status = sweep.status(followed.members)
        if as_json:
            print(json.dumps(ended(followed, status)), flush=True)
        else:
            print_points(followed.points())
    except BrokenPipeError:
        unread(f"the sweep {sweep.id}", interrupts, partial(start.stop_sweep, sweep))
        raise
    say(followed.counts())
    if status != Word.FINISHED:
        if reason := sweep.end_of_log():
            say(reason)
        say(f"To go on: {again}")
    return exit_status(status, interrupts)


def _until_the_end(followed: Followed, screen: _Screen, as_json: bool, interrupts: Interrupts) -> None:
    asked = False
    while not (interrupts.kill and asked):
        kept = followed.sweep.kept()  # before the runs: what it starts after this is seen
        for member in followed.look():
            print(json.dumps(line(member)) if as_json else words(member), flush=True)
        screen.draw()
        if interrupts.stop and not asked:
            asked = True
            View().say("Stopping the sweep; Ctrl-C once more leaves at once.")
            with suppress(InputError):
                start.stop_sweep(followed.sweep)
        if not kept and not any(member.active for member in followed.members):
            return
        time.sleep(LOOK)


def line(member: Member) -> dict[str, Any]:
    """A run that has ended, ready for JSON."""
    found = result(member)
    return {
        "run": member.run.id,
        "name": member.name,
        "seed": member.config.seed,
        "status": member.word or "planned",
        "best_test_acc": found.best,
        "seconds": found.seconds,
    }


def words(member: Member) -> str:
    """A run that has ended, in a line."""
    found = result(member)
    status = STATUSES[member.word] if member.word else PLANNED
    parts = [] if status == STATUSES[Word.FINISHED] else [status]
    parts += [f"best test acc {found.best:.3f}"] if found.best is not None else []
    parts += [f"{found.seconds:,.1f} s"] if found.seconds is not None else []
    outcome = member.run.outcome()
    parts += [str(outcome.reason)] if outcome and outcome.reason else []
    return f"{member.name}: {', '.join(parts)}"


# --- afterwards ------------------------------------------------------------------------------------------------


def ended(followed: Followed, status: str) -> dict[str, Any]:
    """The last line of JSON: how the sweep ended, and a point for each group of runs that differ in their seed only."""
    found = followed.points()
    fronts = {cost: pareto_front(found, cost) for cost in COSTS}
    fields = ("label", "runs", "tested", "best", "low", "high", "params", "macs", "seconds")
    return {
        "sweep": followed.sweep.id,
        "status": status,
        "runs": len(followed.members),
        "finished": count_finished(followed.members),
        "points": [
            {name: getattr(point, name) for name in fields}
            | {"front": [cost for cost, best_ones in fronts.items() if point in best_ones]}
            for point in found
        ],
    }


def print_points(found: Sequence[Point]) -> None:
    """A row for each group of runs that differ in their seed only: the median of the best test accuracies, its range.

    The columns that a point is on the Pareto front of are marked.
    """
    table = grid(["network"], ["runs", "best test acc", "range", "parameters", "MACs", "time"])
    fronts = {cost: pareto_front(found, cost) for cost in COSTS}
    for point in found:
        marks = {cost: " *" if point in fronts[cost] else "  " for cost in COSTS}
        table.add_row(
            Text(point.label),
            f"{point.tested}/{point.runs}",
            "–" if point.best is None else f"{point.best:.3f}",
            "–" if point.low is None else f"{point.low:.3f}–{point.high:.3f}",
            plain(short(point.params)) + marks["params"],
            plain(short(point.macs)) + marks["macs"],
            ("–" if point.seconds is None else f"{point.seconds:,.1f} s") + marks["seconds"],
        )
    console = terminal()
    print_table(console, table)
    console.print("* none is as accurate for as little (medians over the seeds)", style="dim")
