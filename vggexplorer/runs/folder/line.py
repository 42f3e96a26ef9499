"""The line of the runs that wait for a device: `<runs>/line/<number>-<run id>`, a ticket for each run that was started.

The content of a ticket is the device, once that is known.
"""

from pathlib import Path

from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs


class Line:
    """The line in the folder of all runs."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def _tickets(self) -> list[tuple[int, str, Path]]:
        try:
            paths = list((self._runs.path / "line").iterdir())
        except OSError:
            return []
        parts = ((path.name.partition("-"), path) for path in paths)
        return sorted((int(number), run_id, path) for (number, _, run_id), path in parts if number.isdecimal())

    def queue(self, run: Run) -> None:
        """Put a run at the end of the line."""
        with self._runs.lock("line"):
            self.leave(run)
            (self._runs.path / "line").mkdir(exist_ok=True)
            last = max((number for number, _, _ in self._tickets()), default=0)
            (self._runs.path / "line" / f"{last + 1:08d}-{run.id}").write_bytes(b"")

    def leave(self, run: Run) -> None:
        """Take a run out of the line."""
        for _, run_id, path in self._tickets():
            if run_id == run.id:
                path.unlink(missing_ok=True)

    def ahead(self, run: Run, device: str) -> int:
        """How many living runs wait for `device`, or have it, before `run`; tickets of the dead are removed.

        A run that is not in the line gets in at its end.
        """
        count = 0
        for _, run_id, path in self._tickets():
            if run_id == run.id:
                if _device_on(path) != device:
                    path.write_text(device, "utf-8")
                return count
            other = Run(self._runs.path / run_id)
            if other.locked() or other.just_started():
                count += _device_on(path) in ("", device)
            else:
                path.unlink(missing_ok=True)
        self.queue(run)
        return count


def _device_on(ticket: Path) -> str | None:
    """The device that the owner of a ticket waits for; empty if that is not known yet, None if the ticket is gone."""
    try:
        return ticket.read_text("utf-8")
    except OSError:
        return None
