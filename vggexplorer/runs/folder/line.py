"""The line of the runs that wait for a device: `<runs>/line/<number>-<run id>`, a ticket for each run that was started.

The content of a ticket is the device, once that is known, or `CLUSTER`. The members of a race have one number: they
come in together, and whoever is behind waits for all of them.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from vggexplorer.runs.folder.files import remove
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

CLUSTER = "cluster"
"""Of a run that waits for no device of this machine."""
SEATS = 3
"""How many runs a device trains at once at most, if they race each other; a run of its own takes all its seats."""


class Line:
    """The line in the folder of all runs; `race` are the ids of those that a run comes in with, if there are any."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    @cached_property
    def _lock(self) -> FileLock:
        return self._runs.lock("line")

    def _tickets(self) -> list[tuple[int, str, Path]]:
        try:
            paths = list((self._runs.path / "line").iterdir())
        except OSError:
            return []
        parts = ((path.name.partition("-"), path) for path in paths)
        return sorted((int(number), run_id, path) for (number, _, run_id), path in parts if number.isdecimal())

    def queue(self, run: Run, race: Sequence[str] = ()) -> None:
        """Put a run at the end of the line, or beside those of its race that live."""
        with self._lock:
            self.leave(run)
            (self._runs.path / "line").mkdir(exist_ok=True)
            tickets = self._tickets()
            beside = (number for number, run_id, _ in tickets if run_id in race and self._lives(run_id))
            number = next(beside, max((number for number, _, _ in tickets), default=0) + 1)
            (self._runs.path / "line" / f"{number:08d}-{run.id}").write_bytes(b"")

    def leave(self, run: Run) -> None:
        """Take a run out of the line."""
        for _, run_id, path in self._tickets():
            if run_id == run.id:
                remove(path)

    def living(self) -> list[Run]:
        """The runs that a trainer is at, or about to be, here or on a cluster; nothing is changed by looking."""
        return [Run(self._runs.path / run_id) for _, run_id, _ in self._tickets() if self._lives(run_id)]

    def before(self, run: Run) -> list[Run]:
        """The living runs that `run` waits for, as far as is known by now; nothing is changed by looking."""
        tickets = self._tickets()
        own = next(((number, _device_on(path)) for number, run_id, path in tickets if run_id == run.id), None)
        if own is None or own[1] == CLUSTER:
            return []
        return [
            Run(self._runs.path / run_id)
            for number, run_id, path in tickets
            if number < own[0] and _device_on(path) in ("", own[1]) and self._lives(run_id)
        ]

    def ahead(self, run: Run, device: str, race: Sequence[str] = ()) -> int:
        """How many living runs wait for `device`, or have it, before `run`; tickets of the dead are removed.

        A run that is not in the line gets in as by `queue`.
        """
        tickets = self._tickets()
        own = next(((number, path) for number, run_id, path in tickets if run_id == run.id), None)
        if own is None:
            self.queue(run, race)
            return self.ahead(run, device, race)
        if _device_on(own[1]) != device:
            own[1].write_text(device, "utf-8")
        count = 0
        for _, run_id, path in (ticket for ticket in tickets if ticket[0] < own[0]):
            if self._lives(run_id):
                count += _device_on(path) in ("", device)
            else:
                self._remove(run_id, path)
        return count

    def _remove(self, run_id: str, ticket: Path) -> None:
        """Remove a ticket, unless its owner has come back in the meantime: beside its race, it has the old number."""
        with self._lock:
            if not self._lives(run_id):
                remove(ticket)

    def comes_in(self, run: Run, device: str, take: Callable[[], bool], race: Sequence[str] = ()) -> bool:
        """Whether nobody is before `run`, and it could `take` its seat; nobody gets in or out of turn meanwhile."""
        with self._lock:
            return self.ahead(run, device, race) == 0 and take()

    def _lives(self, run_id: str) -> bool:
        run = Run(self._runs.path / run_id)
        return run.locked() or run.just_started()


def _device_on(ticket: Path) -> str | None:
    """The device that the owner of a ticket waits for; empty if that is not known yet, None if the ticket is gone."""
    try:
        return ticket.read_text("utf-8")
    except OSError:
        return None
