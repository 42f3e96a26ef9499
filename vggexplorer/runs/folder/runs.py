"""The folder of all runs: making, finding and listing them."""

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count, islice
from pathlib import Path

from filelock import FileLock

from vggexplorer import exhibit
from vggexplorer.paths import RUN_ID
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import move, unwritable, write_file, write_json
from vggexplorer.runs.folder.run import MAX_NAME, Run, clean_name
from vggexplorer.text import title

MOST_ACTIVE = 50
"""How many of the newest runs are looked at for active ones."""
KEEP_WEIGHTS = 20
"""How many of the newest ended runs keep their weights."""


def new_id(words: str) -> str:
    """A name for a folder that no other has: the time, so that the newest is the last, and something of `words`."""
    slug = re.sub("[^a-z0-9]+", "-", words.lower()).strip("-")[:40].strip("-")
    return f"{datetime.now():%Y%m%d-%H%M%S-%f}-{slug}-{secrets.token_hex(4)}"


class Runs:
    """The folder that holds all runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def at(text: str | None = None) -> "Runs":
        """The folder `text`, else that of VGGEXPLORER_RUNS, else the user's data folder; none where all only look."""
        if not text and exhibit.on():
            return Runs(exhibit.NOWHERE)
        named = text or os.environ.get("VGGEXPLORER_RUNS")
        if named:
            path = Path(named)
            with suppress(RuntimeError):  # ~ somebody who is not a user here
                path = path.expanduser()
            return Runs(path.absolute())
        from platformdirs import user_data_path  # noqa: PLC0415 (a training server may lack it)

        return Runs(user_data_path("vggexplorer", appauthor=False) / "runs")

    def create(self, config: Config, name: str | None = None, owner: str = "", run_id: str | None = None) -> Run:
        """A new run of `owner`, not started; `InputError` if the name cannot be, or its folder cannot be written.

        A name that another run has gets a number. `run_id` was made by `new_id`, if it had to be known before; then the
        name was settled before, too, by `unused`.
        """
        words = title(config.network)
        display = clean_name(name) if name else words
        if run_id is None:
            run_id, (display,) = new_id(words), self.unused([display])
        new = self.path / f".new-{run_id}"
        try:
            new.mkdir(parents=True)
            write_json(new / layout.CONFIG, config.to_json())
            created = {"time": datetime.now().astimezone().isoformat(timespec="seconds")}
            write_json(new / layout.CREATED, created | ({"owner": owner} if owner else {}))
            write_file(new / layout.NAME, display.encode())
            return Run(move(new, self.path / run_id))
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise unwritable(self.path, error) from error

    def unused(self, names: Iterable[str]) -> list[str]:
        """Each of the names, with a number if a run, or one before it, has it already; the runs are read once."""
        taken = {run.name() for run in self._in(self.path)}
        found = []
        for name in (name[: MAX_NAME - 8] for name in names):
            if name in taken:
                base = re.sub(r" \(\d{1,3}\)$", "", name)  # a year is part of the name
                numbered = (f"{base} ({number})" for number in count(2))
                name = next(other for other in numbered if other not in taken)
            taken.add(name)
            found.append(name)
        return found

    def all(self, recorded: bool = True) -> list[Run]:
        """All runs, the newest first; those that ship with the package at the end."""
        return [*self._in(self.path), *(sorted(self._in(layout.RECORDED), key=lambda run: run.id) if recorded else [])]

    def active(self) -> list[Run]:
        """The runs that are active now, the newest first; old ones are not looked at."""
        return [run for run in islice(self._in(self.path), MOST_ACTIVE) if run.status().active]

    def folders(self) -> set[str]:
        """The names of all that is in the folder, in one look: the ids of runs among them."""
        with suppress(OSError):
            return set(os.listdir(self.path))
        return set()

    @staticmethod
    def _in(path: Path) -> Iterator[Run]:
        """The runs in a folder, the newest first."""
        with suppress(OSError):
            for run_id in sorted(filter(RUN_ID.fullmatch, os.listdir(path)), reverse=True):
                if os.path.exists(os.path.join(path, run_id, layout.CONFIG)):
                    yield Run(path / run_id)

    def get(self, run_id: str) -> Run | None:
        """The run called `run_id`, if there is one."""
        if not RUN_ID.fullmatch(run_id):
            return None
        runs = (Run(folder / run_id) for folder in (self.path, layout.RECORDED))
        return next((run for run in runs if (run.path / layout.CONFIG).exists()), None)

    def keep_weights_of_the_newest(self, most: int = KEEP_WEIGHTS) -> None:
        """Remove the weights of all but the `most` newest runs that have ended."""
        kept = [run for run in self.all(recorded=False) if run.weights() and not run.status().active]
        for run in kept[most:]:
            run.drop_weights()

    def lock(self, name: str) -> FileLock:
        """A lock that everybody who uses this folder shares."""
        self.path.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path / f"{name}.lock")
