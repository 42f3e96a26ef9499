"""`vggexplorer race`: two or three networks are trained side by side, and all of them are followed to their ends."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from rich.table import Table
from rich.text import Text

from vggexplorer.errors import InputError
from vggexplorer.formatting import duration, size
from vggexplorer.runs import launch, races
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.run import MAX_NAME, Run, clean_name
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status
from vggexplorer.runs.forecasts import USABLE
from vggexplorer.runs.places import Place
from vggexplorer.runs.races import SHARED, Together
from vggexplorer.terminal.asked import configs_of, lines_of_row, place_of
from vggexplorer.terminal.progress import (
    POLL,
    Before,
    Follower,
    Interrupts,
    ending,
    exit_status,
    last_words,
    resumed_by,
    unread,
)
from vggexplorer.terminal.tables import plain, terminal
from vggexplorer.terminal.views import JsonLines, PlainLines, Progress, View, draws, live
from vggexplorer.text import title

NAME = 18
"""Characters of a member's name where it is drawn."""


def race(options: argparse.Namespace) -> int:
    """Say what a race takes, start it, and follow its members to their ends."""
    if place_of(options, Place()) != Place():
        raise InputError("A race goes with neither --nproc nor --on: its members are single processes on this machine.")
    runs = Runs.at(options.runs)
    configs = configs_of([argparse.Namespace(**vars(options), arch=arch) for arch in options.archs], runs)
    races.check(runs, configs)
    lines = lines_of_row(options, configs, runs)
    if together := races.forecast_race(runs, configs):
        lines += lines_before(configs, together)
    if lines:
        print(*lines, sep="\n", file=sys.stderr if options.json else sys.stdout, flush=True)
    with Interrupts() as interrupts:
        members = races.start_race(runs, configs, names=_names(options.name, configs))
        return follow(members, options.json, interrupts, options.runs)


def _names(name: str | None, configs: Sequence[Config]) -> list[str | None]:
    """What the members are called: by their networks, after `name` if there is one."""
    before = clean_name(name) if name is not None else None
    return [before and f"{before}: {title(config.network)}"[:MAX_NAME] for config in configs]


def lines_before(configs: Sequence[Config], together: Together) -> list[str]:
    """The memory of all members and of each, how long they take if that is known, and what is true of every race."""
    parts = zip(configs, together.alone, strict=True)
    each = ", ".join(f"{title(config.network)} {plain(size(forecast.memory.total))}" for config, forecast in parts)
    most = f", at most {plain(size(together.most))}" if together.most > together.memory else ""
    lines = [f"{plain(size(together.memory))} of memory together{most}, on {together.device.name} ({each})"]
    if not together.fits:
        lines.append(f"This does not fit in {USABLE:.0%} of {plain(size(together.device.memory))}.")
    if together.seconds is not None:
        lines.append(f"about {duration(together.seconds)} in all, as one after the other")
    return [*lines, str(SHARED)]


# --- following -------------------------------------------------------------------------------------------------


class _Json(JsonLines):
    """A record of a member a line, with the id of its run."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.name())
        self._run = run.id

    def record(self, record: Record) -> None:
        print(json.dumps(record.to_json() | {"run": self._run}), flush=True)


class _Screen:
    """The members of a race, each with a row that is drawn again and again in a terminal; else with lines alone."""

    def __init__(self, members: Sequence[Run], as_json: bool) -> None:
        self._rows: dict[str, Progress] = {}
        console = terminal()
        self._live = live(console, self._drawn)
        self._on = draws(console) and not as_json
        self.views = [self._view(run, as_json) for run in members]

    def _view(self, run: Run, as_json: bool) -> View:
        if as_json:
            return _Json(run)
        if not self._on:
            return PlainLines(run.name())
        self._rows[run.name()] = Progress(self._live.refresh, run.name())
        return self._rows[run.name()]

    def __enter__(self) -> Self:
        if self._on:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _drawn(self) -> Table:
        picture = Table.grid(padding=(0, 2, 0, 0))
        for name, row in self._rows.items():
            tested = f"test acc {row.test_acc:.3f}" if row.test_acc is not None else ""
            picture.add_row(_short(name), *row.bar(short=True), tested)
        return picture


def _short(name: str) -> Text:
    """A name that is cut off where it would take the room of what is beside it."""
    text = Text(name, no_wrap=True)
    text.truncate(NAME, overflow="ellipsis")
    return text


def follow(members: Sequence[Run], as_json: bool, interrupts: Interrupts, folder: str | None) -> int:
    """Show the members of a race that was just started until all of them end; the exit status.

    Ctrl-C stops all of them. `folder` is what the person typed for the folder of runs.
    """
    screen = _Screen(members, as_json)
    followed = [_Followed(run, view, interrupts) for run, view in zip(members, screen.views, strict=True)]
    for each in followed:
        each.view.say(f"run {each.run.id}")
    try:
        with screen:
            while False in [each.look() for each in followed]:
                time.sleep(POLL)
        outcomes = [each.end() for each in followed]
    except BrokenPipeError:
        for each in followed:
            unread(f"the run {each.run.id}", interrupts, partial(launch.stop, each.run))
        raise
    for each, outcome in zip(followed, outcomes, strict=True):
        for line in last_words(outcome, resumed_by(each.run, folder)):
            each.view.say(line)
    return max(exit_status(outcome["status"], interrupts) for outcome in outcomes)


class _Followed:
    """A member that is followed to its end; and again, if somebody goes on with it while others train."""

    def __init__(self, run: Run, view: View, interrupts: Interrupts) -> None:
        self.run = run
        self.view = view
        self._interrupts = interrupts
        self._before = Before()
        self._follower = Follower(run, view, interrupts, self._before)
        self._last: Status | None = None

    def look(self) -> bool:
        """Show the news; whether it is over, or not worth waiting for."""
        if self._last and not self._last.active and not self._interrupts.stop and self.run.status().active:
            self._follower, self._last = Follower(self.run, self.view, self._interrupts, self._before), None
        if self._last is None and (last := self._follower.look()):
            self._last, self._before = last, Before.of(self.run)
            self.view.status(last)
        return self._last is not None

    def end(self) -> dict[str, Any]:
        """Show how it ended; that, ready for JSON."""
        outcome = ending(self.run, self._last or self.run.status())
        self.view.end(self.run, outcome)
        return outcome
