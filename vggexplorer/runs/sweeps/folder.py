"""The folder of a sweep, `<runs>/sweeps/<id>`: what was asked, and what its runs do."""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from vggexplorer.errors import InputError
from vggexplorer.paths import RUN_ID
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import held, move, write_json
from vggexplorer.runs.folder.run import Run, clean_name
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.places import Place

VERSION = 1
"""Of sweep.json."""
PLANNED = "not started yet"
"""What is said of a run that is not made yet; the others have a status."""


class Member(NamedTuple):
    """A run of a sweep; without a status it is not started yet."""

    run: Run
    name: str
    config: Config
    status: Status | None

    @property
    def word(self) -> Word | None:
        """What it does; None if it is not started yet."""
        return self.status.word if self.status else None

    @property
    def rest(self) -> bool:
        """Whether there is something left to do, and nobody is at it."""
        return self.status is None or self.run.resumable(self.status)

    @property
    def made(self) -> bool:
        """Whether there is such a run: it was started, and not deleted since."""
        return self.word not in (None, Word.DELETED)

    @property
    def active(self) -> bool:
        """Whether a trainer is at it, or about to be."""
        return self.status is not None and self.status.active

    def look(self) -> "Member":
        """The same run as it is now."""
        return self._replace(status=_status(self.run, Run.status) if self.run.path.exists() else Status(Word.DELETED))


def _status(run: Run, look: Callable[[Run], Status]) -> Status | None:
    """The status of a run that is there, as `look` gives it; None if it is just being made."""
    status = look(run)
    if status.word == Word.INTERRUPTED:
        started = (run.path / layout.STARTED).exists()
        return look(run) if started else None  # again: its trainer may have come just after we looked for it
    return status


def count_finished(members: Iterable[Member]) -> int:
    """How many runs have finished."""
    return sum(member.word == Word.FINISHED for member in members)


class Asked(NamedTuple):
    """What a sweep was asked for: runs by their ids, in the order in which they are started."""

    name: str
    owner: str
    created: datetime
    configs: Mapping[str, Config]
    names: Mapping[str, str]
    place: Place


class Sweep:
    """One sweep's folder. It is written once; what is wanted of its keeper stands in a file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The folder's name, which never changes."""
        return self.path.name

    @property
    def runs(self) -> Runs:
        """The folder of all runs."""
        return Runs(self.path.parent.parent)

    def asked(self) -> Asked:
        """What was asked; `InputError` if the file is missing, damaged or of another version."""
        path = self.path / layout.SWEEP
        try:
            about = path.stat()
        except OSError as error:
            raise InputError("The file of the sweep cannot be read.") from error
        return _read(path, about.st_mtime_ns, about.st_size)

    def members(self, look: Callable[[Run], Status] = Run.status, there: Collection[str] | None = None) -> list[Member]:
        """Its runs with what they do, as `look` says, in the order in which they are started.

        Only those are looked at that are `there`, names of `Runs.folders`. `InputError` as in `asked`.
        """
        asked, path = self.asked(), self.runs.path
        there = self.runs.folders() if there is None else there
        made = self._made() if any(run_id not in there for run_id in asked.configs) else set()

        def status(run: Run) -> Status | None:
            if run.id in there:
                return _status(run, look)
            return Status(Word.DELETED) if run.id in made and not run.path.exists() else None

        runs = (Run(path / run_id) for run_id in asked.configs)
        return [Member(run, asked.names[run.id], asked.configs[run.id], status(run)) for run in runs]

    def _made(self) -> set[str]:
        """The ids of the runs that were made: those of them that are not there were deleted."""
        with suppress(OSError):
            return set((self.path / layout.MADE).read_text("utf-8").splitlines())
        return set()

    def note(self, run_id: str) -> None:
        """Remember that a run was made: if it is not there later, it was deleted."""
        with suppress(OSError), (self.path / layout.MADE).open("a", encoding="utf-8") as file:
            file.write(f"{run_id}\n")

    def kept(self) -> bool:
        """Whether its keeper lives: what is not started yet will be."""
        return held(self.path / layout.KEEPER_LOCK)

    def stopping(self) -> bool:
        """Whether its keeper is not to start anything more."""
        try:
            return bool(json.loads((self.path / layout.CONTROL).read_bytes())["stop"])
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def want(self, *, stop: bool) -> None:
        """Have its keeper start nothing more, or go on; `InputError` if it cannot be told."""
        with writing():
            write_json(self.path / layout.CONTROL, {"stop": stop})

    def status(self, members: Collection[Member]) -> Word:
        """What all of it does; `members` are its runs."""
        words = {member.word for member in members} - {Word.DELETED}
        if any(member.active for member in members) or (words - {Word.FINISHED} and self.kept()):
            return Word.RUNNING
        if words <= {Word.FINISHED}:
            return Word.FINISHED
        if self.stopping():
            return Word.STOPPED
        return Word.FAILED if words <= {Word.FINISHED, Word.FAILED, Word.DAMAGED} else Word.INTERRUPTED

    def end_of_log(self) -> str:
        """The last that its keeper wrote: why it could not start a run, if that was so."""
        return Run(self.path).end_of_log(1000)

    def delete(self) -> None:
        """Remove the group, not its runs; `InputError` while it is under way."""
        if self.kept():
            raise InputError("The sweep is under way; stop it first.")
        with writing():
            away = self.path.with_name(f".deleted-{secrets.token_hex(4)}")
            move(self.path, away)
            shutil.rmtree(away)


@contextmanager
def writing() -> Iterator[None]:
    """Around changes that a person asks for; `InputError` if they cannot be made."""
    try:
        yield
    except OSError as error:
        raise InputError("The sweep could not be changed: {reason}", reason=error.strerror or str(error)) from error


@lru_cache(maxsize=128)  # more than the list of runs shows
def _read(path: Path, _changed: int, _size: int) -> Asked:
    """What is in sweep.json; a thousand configs take a fifth of a second."""
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != VERSION:
            raise InputError("The file of the sweep cannot be read.")
        items = data["runs"]
        if not all(RUN_ID.fullmatch(each["id"]) for each in items):
            raise InputError("The file of the sweep cannot be read.")
        return Asked(
            clean_name(data["name"]),
            str(data["owner"]),
            datetime.fromisoformat(data["created"]).astimezone(),
            {each["id"]: Config.from_json(each["config"]) for each in items},
            {each["id"]: clean_name(each["name"]) for each in items},
            Place(**data["place"]),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError("The file of the sweep cannot be read.") from error


def all_sweeps(runs: Runs) -> list[Sweep]:
    """All sweeps, the newest first."""
    try:
        names = [entry.name for entry in os.scandir(runs.path / "sweeps") if entry.is_dir()]
    except OSError:
        return []
    return [Sweep(runs.path / "sweeps" / name) for name in sorted(names, reverse=True) if RUN_ID.fullmatch(name)]


def find_sweep(runs: Runs, sweep_id: str) -> Sweep | None:
    """The sweep called `sweep_id`, if there is one."""
    path = runs.path / "sweeps" / sweep_id
    return Sweep(path) if RUN_ID.fullmatch(sweep_id) and (path / layout.SWEEP).exists() else None
