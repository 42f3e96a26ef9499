"""A run followed in a terminal, by what its trainer writes into its folder."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from vggexplorer.errors import InputError
from vggexplorer.processes import shell_line, stop_signals
from vggexplorer.runs import launch, verdict
from vggexplorer.runs.exactness import notice
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import MANY, START_TIMEOUT, Run, Watch
from vggexplorer.runs.folder.safetensors import metadata
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.folders import data_json
from vggexplorer.terminal.views import View

POLL = 0.1
"""Seconds between looks at the folder."""
HANGING = 30.0
"""Seconds without a heartbeat after which a person is told, and a stop is not waited for any more."""
DYING = 5.0
"""Seconds within which a trainer that was killed must be gone."""
STOPPED = 130
"""The exit status after Ctrl-C, as shells have it."""


# --- Ctrl-C --------------------------------------------------------------------------------------------


class Interrupts:
    """Remembers Ctrl-C and SIGTERM, while it is entered, in place of an end at once.

    `stop` after the first, `kill` after a Ctrl-C that is not the first. Signals that whoever started this process
    chose to ignore stay ignored.
    """

    def __init__(self) -> None:
        self.stop = self.kill = False
        self._heard = ExitStack()

    def __enter__(self) -> Self:
        self._heard.enter_context(stop_signals(self._note, though_ignored=False))
        return self

    def __exit__(self, *_: object) -> None:
        self._heard.close()

    def _note(self, ctrl_c: bool) -> None:
        self.kill = self.kill or (self.stop and ctrl_c)
        self.stop = True


# --- following -----------------------------------------------------------------------------------------


class Before(NamedTuple):
    """What was in a run's folder before it was started: the last step that stays, and two files of the last start."""

    step: int = 0
    environment: tuple[int, int] | None = None
    outcome: tuple[int, int] | None = None

    @staticmethod
    def of(run: Run) -> "Before":
        """As it is now. A trainer that goes on drops all records after its checkpoint's step."""
        step = 0
        with suppress(OSError, ValueError, LookupError, TypeError):
            step = int(metadata(run.path / layout.CHECKPOINT)["step"])
        return Before(step, _version(run.path / layout.ENVIRONMENT), _version(run.path / layout.OUTCOME))


def _version(path: Path) -> tuple[int, int] | None:
    """Tells one version of a file from the next; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


class Follower:
    """Follows a run from its start to its end."""

    def __init__(self, run: Run, view: View, interrupts: Interrupts, before: Before) -> None:
        self.run = run
        self.view = view
        self._interrupts = interrupts
        self._before = before
        self._watch = Watch()
        self._began = time.monotonic()
        self._training = False
        self._offset = 0
        self._shown: Status | None = None
        self._asked = False
        self._answered = self._began
        self._told = False

    def until_the_end(self) -> Status:
        """Show all news until the run is over, or not worth waiting for; its last status."""
        while (status := self.look()) is None:
            time.sleep(POLL)
        return status

    def look(self) -> Status | None:
        """Show the news since the last look; its status, if the run is over or not worth waiting for."""
        status = self._status()
        if status.active:
            self._show(status)
        self._read()
        return status if not status.active or self._leaves(status) else None

    def _status(self) -> Status:
        """The status; an outcome of an earlier start does not count while the trainer may be about to remove it."""
        status = self.run.status(self._watch)
        if status.word == Word.INTERRUPTED:
            status = self.run.status(self._watch)  # its outcome may have come just after we looked for one
        starting = time.monotonic() - self._began < START_TIMEOUT or self.run.just_started()
        if starting and self._before.outcome and _version(self.run.path / layout.OUTCOME) == self._before.outcome:
            return Status(Word.STARTING)
        return status

    def _read(self) -> None:
        """Show the records that have come since the last look; once training begins, for old ones are cut off first."""
        if not self._training:
            self._training = _version(self.run.path / layout.ENVIRONMENT) != self._before.environment
            if not self._training:
                return
            config, facts = self.run.config(), self.run.environment()
            self.view.begin(facts | {"time_budget": config.training.time_budget})
            if found := notice(config, facts):
                self.view.say(str(found))
            self.view.said(self.run.said_of_data())
            self.view.odd(*self.run.odd_files())
        tail = self.run.read(self._offset)
        self._offset = tail.offset
        for record in tail.records:
            if record.step > self._before.step:
                self.view.record(record)
        if tail.records:
            self.view.refresh()

    def _show(self, status: Status) -> None:
        """Tell the view what has changed; the step alone is no news."""
        if self._shown is None or (status.word, status.ahead) != (self._shown.word, self._shown.ahead):
            self._shown = status
            self.view.status(status)

    def _leaves(self, status: Status) -> bool:
        """Do what Ctrl-C asks for; whether the run is not to be followed any more."""
        if self._interrupts.stop and not self._asked:
            self._asked = True
            self._stop()
        if self._interrupts.kill:
            self._kill()
            return True
        if status.word != Word.UNRESPONSIVE:
            self._answered = time.monotonic()
        return self._hangs()

    def _stop(self) -> None:
        try:
            launch.stop(self.run)
            self.view.say("Stopping the run; Ctrl-C once more ends its trainer at once.")
        except InputError as error:
            self.view.say(f"{error} Ctrl-C once more ends the trainer.")

    def _hangs(self) -> bool:
        """Say that the trainer hangs; whether it does and was asked to stop."""
        hangs = time.monotonic() - self._answered > HANGING
        if hangs and not self._told:
            self._told = True
            self.view.say("The trainer does not respond; Ctrl-C twice ends it, and the run can be resumed.")
        return hangs and self._asked

    def _kill(self) -> None:
        launch.kill(self.run)
        deadline = time.monotonic() + DYING
        while self.run.locked() and time.monotonic() < deadline:
            time.sleep(POLL)


def follow(run: Run, view: View, interrupts: Interrupts, before: Before, folder: str | None) -> int:
    """Show a run that was just started until it ends; the exit status.

    `folder` is what the person typed for the folder of runs, for the command that resumes the run.
    """
    view.say(f"run {run.id}")
    try:
        with view:
            status = Follower(run, view, interrupts, before).until_the_end()
            outcome = ending(run, status)
            view.end(run, outcome)
    except BrokenPipeError:
        unread(f"the run {run.id}", interrupts, partial(launch.stop, run))
        raise
    for line in last_words(outcome, resumed_by(run, folder)):
        view.say(line)
    return exit_status(outcome["status"], interrupts)


def unread(what: str, interrupts: Interrupts, stop: Callable[[], object]) -> None:
    """Say what becomes of `what` once nobody reads the output: it goes on, unless Ctrl-C ended the reader.

    Ctrl-C reaches all commands of a pipe, so it was meant for the training, too.
    """
    if interrupts.stop:
        with suppress(InputError):
            stop()
    becomes = "is being stopped" if interrupts.stop else "goes on"
    View().say(f"Nobody reads the output any more; {what} {becomes}.")


def resumed_by(run: Run, folder: str | None) -> str:
    """The command that goes on with `run`; `folder` as in `follow`."""
    return f"vggexplorer resume {run.id}" + (f" --runs {shell_line([folder])}" if folder else "")


def exit_status(word: str, interrupts: Interrupts) -> int:
    """0 if it finished, 130 if it ended because of Ctrl-C, else 1."""
    if word == Word.FINISHED:
        return 0
    return STOPPED if interrupts.stop and word != Word.FAILED else 1


def ending(run: Run, status: Status) -> dict[str, Any]:
    """How the run ended, as the last line of JSON; a trainer that left no outcome is interrupted, or unresponsive."""
    outcome = None if status.active else run.outcome()
    data = (outcome or without_outcome(run, status)).to_json()
    reason = str(outcome.reason) if outcome and outcome.reason else None
    if outcome is None:
        words = "does not respond" if status.word == Word.UNRESPONSIVE else "ended unexpectedly"
        reason = f"The trainer {words}; {run.path / layout.LOG} may say why."
    count, listed = run.odd_files()
    about = data_json(run.class_counts(), run.said_of_data())
    known = verdict.of_run(run) if status.word == Word.FINISHED else None
    facts = {"run": run.id, "reason": reason, "data": about, "num_odd": count, "odd": listed}
    return data | facts | verdict.to_json(known)


def without_outcome(run: Run, status: Status) -> Outcome:
    """The last figures of a run whose trainer did not say how it ended."""
    records = run.read(most=MANY).records
    word = Word.UNRESPONSIVE if status.word == Word.UNRESPONSIVE else Word.INTERRUPTED
    device = run.environment().get("device")
    return Outcome.of(word, records[-1] if records else None, records, device=device)


def last_words(outcome: Mapping[str, Any], again: str) -> list[str]:
    """What a person must know at the end; the last line says why, if it failed."""
    reason = [*outcome["remarks"], *([outcome["reason"]] if outcome["reason"] else [])]
    if outcome["status"] == Word.STOPPED:
        return [*reason, f"Stopped after step {outcome['step']:,}. To go on: {again}"]
    if outcome["status"] in (Word.INTERRUPTED, Word.UNRESPONSIVE):
        return [f"To go on: {again}", *reason]
    return reason
