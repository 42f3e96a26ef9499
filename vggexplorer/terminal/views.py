"""How a run's news is shown in a terminal: a bar, plain lines or JSON."""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vggexplorer.catalogue import fill
from vggexplorer.comparison import Remark
from vggexplorer.forecast.precision import Decision
from vggexplorer.formatting import loss
from vggexplorer.runs import steps
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.status import STATUSES, Status, Word
from vggexplorer.runs.trainer.worker import closing_lines
from vggexplorer.terminal.tables import terminal

MOST_RECALLS = 20
"""The most classes whose recall is printed."""


def odd_lines(count: int, listed: Sequence[str]) -> list[str]:
    """What is said of the files that cannot be used, of which the first are listed; nothing if there are none."""
    if not count:
        return []
    more = [f"and {count - len(listed)} more"] if count > len(listed) else []
    head = fill("{count} {count:file|files} could not be used:", count=count)
    return [head, *(f"- {each}" for each in [*listed, *more])]


class View:
    """Shows a run's news; this one shows only what a person must know, on standard error.

    Where several are shown, each line begins with the `name` of the run.
    """

    def __init__(self, name: str = "") -> None:
        self._before = f"{name}: " if name else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def say(self, text: str) -> None:
        """Tell the person something in a line."""
        print(f"{self._before}{text}", file=sys.stderr, flush=True)

    def status(self, status: Status) -> None:
        """Told whenever the status has changed."""
        if status.word in (Word.WAITING, Word.PAUSED):
            self.say(described(status))

    def begin(self, environment: Mapping[str, Any]) -> None:
        """Told once, when training begins."""

    def odd(self, count: int, listed: Sequence[str]) -> None:
        """Told when training begins how many files could not be used, with reasons for the first of them."""
        for line in odd_lines(count, listed):
            self.say(line)

    def said(self, remarks: Sequence[Remark]) -> None:
        """Told when training begins what a person should know of the data."""
        for remark in remarks:
            self.say(str(remark))

    def record(self, record: Record) -> None:
        """Told each record of this start."""

    def refresh(self) -> None:
        """Told after some records: there are no more for the moment."""

    def end(self, run: Run, outcome: Mapping[str, Any]) -> None:
        """Told how it ended."""


class JsonLines(View):
    """A record a line, and the outcome as the last one; nothing else on standard output."""

    def record(self, record: Record) -> None:
        """The record as it is in metrics.jsonl."""
        print(json.dumps(record.to_json()), flush=True)

    def end(self, run: Run, outcome: Mapping[str, Any]) -> None:
        """The outcome with the run's id."""
        print(json.dumps(outcome), flush=True)


class PlainLines(View):
    """A line for each epoch, and the last lines of the log."""

    environment: Mapping[str, Any] = {}

    def _print(self, *lines: str) -> None:
        print(*(f"{self._before}{line}" for line in lines), sep="\n", flush=True)

    def begin(self, environment: Mapping[str, Any]) -> None:
        """The device, the precision if it was left open, and the kind of step where there are two."""
        self.environment = environment
        decided, step = Decision.from_json(environment.get("decided")), steps.told(environment)
        about = [*([f"in {decided.remark}"] if decided else []), *([f"the step: {step}"] if step else [])]
        self._print(f"training on {environment.get('device')}", *about)

    def record(self, record: Record) -> None:
        """A line if the epoch is over."""
        if record.test_acc is not None:
            self._print(f"epoch {record.epoch:.4g} of {self.epochs}: {figures(record)}")

    @property
    def epochs(self) -> int:
        """How many there will be."""
        return int(self.environment.get("num_steps", 0) // max(1, self.environment.get("steps_per_epoch", 1)))

    def end(self, run: Run, outcome: Mapping[str, Any]) -> None:
        """The last lines of the log."""
        last = run.last_record()
        if last and outcome["status"] == Word.FINISHED:
            self._print(*recalls(outcome), *closing_lines(last, str(outcome["device"])))


class Progress(PlainLines):
    """What is drawn of a run again and again, by whoever is asked to `redraw`: how far it is, and its last figures."""

    def __init__(self, redraw: Callable[[], None], name: str = "") -> None:
        super().__init__(name)
        self._redraw = redraw
        self._words = ""
        self._last: Record | None = None
        self.test_acc: float | None = None

    def status(self, status: Status) -> None:
        """What it does, unless it trains."""
        self._words = "" if status.word in (Word.RUNNING, Word.EVALUATING) else described(status)
        self._redraw()

    def begin(self, environment: Mapping[str, Any]) -> None:
        """From now on there is a bar."""
        self._words = ""
        super().begin(environment)

    def record(self, record: Record) -> None:
        """Move the bar at the next `refresh`."""
        self._last = record
        self.test_acc = self.test_acc if record.test_acc is None else record.test_acc
        super().record(record)

    def refresh(self) -> None:
        """Draw the bar again."""
        self._redraw()

    def bar(self, *, short: bool = False) -> list[RenderableType]:
        """The epoch, the bar, the step, and the time left or what it does; before the first step that alone.

        If it is to be `short`, without the step.
        """
        total, step = self.environment.get("num_steps", 0), self._last.step if self._last else 0
        if not total:
            return [Text(self._words)]
        epoch = min(self.epochs, step // max(1, self.environment["steps_per_epoch"]) + 1)
        bar = ProgressBar(total=total, completed=step, width=16 if short else 24)
        steps = [] if short else [f"step {step:,}/{total:,}"]
        return [f"epoch {epoch}/{self.epochs}", bar, *steps, self._words or self._left(total)]

    def figures(self, *, long: bool) -> Text:
        """The last figures; nothing before there are any."""
        text = figures(self._last, self.test_acc, long) if self._last else ""
        return Text(text, overflow="ellipsis", no_wrap=True)

    def _left(self, total: int) -> str:
        if not self._last:
            return ""
        needed = self._last.seconds / self._last.step * (total - self._last.step)
        allowed = (self.environment.get("time_budget") or math.inf) - self._last.seconds
        seconds = round(max(0, min(needed, allowed)))
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left"


class Bar(Progress):
    """Two lines below those of the epochs: how far a run is, and its last figures."""

    def __init__(self, console: Console) -> None:
        super().__init__(lambda: self._live.refresh())
        self._live = live(console, self._drawn)  # which draws at once

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def end(self, run: Run, outcome: Mapping[str, Any]) -> None:
        """Put the bar away before the last lines."""
        self._live.stop()
        super().end(run, outcome)

    def _drawn(self) -> Table:
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(*self.bar())
        picture = Table.grid()
        picture.add_row(line)
        if self._last:
            picture.add_row(self.figures(long=True))
        return picture


def live(console: Console, drawn: Callable[[], RenderableType]) -> Live:
    """What draws `drawn()` below what is printed, whenever it is told to, and leaves nothing of it."""
    return Live(console=console, get_renderable=drawn, auto_refresh=False, transient=True, vertical_overflow="visible")


def draws(console: Console) -> bool:
    """Whether lines can be drawn over again there: in a terminal, which FORCE_COLOR is not."""
    return sys.stdout.isatty() and console.is_terminal and not console.is_dumb_terminal


def figures(record: Record, test_acc: float | None = None, long: bool = False) -> str:
    """The figures of a record in a line, as the book names them."""
    test_acc = test_acc if record.test_acc is None else record.test_acc
    parts = [f"loss {loss(record.train_loss)}", f"train acc {record.train_acc:.3f}"]
    parts += [f"test acc {test_acc:.3f}"] if test_acc is not None else []
    parts += [f"{record.examples_per_sec:.1f} examples/sec"] if long else []
    return ", ".join(parts)


def recalls(outcome: Mapping[str, Any]) -> list[str]:
    """The balanced accuracy, and the recall of each class; of many classes of those that are recognised worst."""
    if outcome["balanced_acc"] is None:
        return []
    known = {name: recall for name, recall in outcome["recalls"].items() if recall is not None}
    worst = sorted(known, key=lambda name: known[name])[:MOST_RECALLS] if len(known) > MOST_RECALLS else list(known)
    which = "lowest recalls" if len(worst) < len(known) else "recall"
    each = ", ".join(f"{name} {known[name]:.3f}" for name in worst)
    return [f"balanced acc {outcome['balanced_acc']:.3f}, {which}: {each}"]


def described(status: Status) -> str:
    """A status in words: 'waiting in line: 2 runs ahead', 'paused at step 7'."""
    words = STATUSES[status.word]
    if status.word == Word.WAITING and status.ahead:  # not on a cluster: what is before it, the cluster knows
        return fill("{words}: {count} {count:run|runs} ahead", words=words, count=status.ahead)
    return f"{words} at step {status.step:,}" if status.word in (Word.PAUSED, Word.UNRESPONSIVE) else words


def view_for(as_json: bool) -> View:
    """JSON if it is wanted, a bar in a terminal, else plain lines."""
    if as_json:
        return JsonLines()
    console = terminal()
    return Bar(console) if draws(console) else PlainLines()
