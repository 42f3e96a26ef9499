"""Runs as rows: what the pages show of each, read from the disk as seldom as possible."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from vggexplorer.errors import InputError
from vggexplorer.runs import forecasts
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Outcome, Record, best, tested
from vggexplorer.runs.folder.run import Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.forecasts import Compared
from vggexplorer.ui.run.words import called, number
from vggexplorer.ui.session import session

IDLE = 5.0
"""Seconds between two looks of a page where nothing goes on: others may have started something."""
SCAN = 1.0
"""Seconds for which the list of folders is believed."""


class Row(NamedTuple):
    """A run as the table shows it. `error` says why it cannot be read, `forecast` how good its forecast was."""

    run: Run
    name: str
    status: Status
    config: Config | None = None
    error: InputError | None = None
    last: float | None = None
    best: float | None = None
    seconds: float | None = None
    device: str = "–"
    size: int = 0
    created: datetime | None = None
    forecast: Mapping[str, Compared] = MappingProxyType({})

    @property
    def title(self) -> str:
        """Its name, as a page shows it."""
        return called(self.run) if self.run.recorded else self.name


# --- reading, with what cannot change kept ----------------------------------------------------------------

_scanned: dict[Path, tuple[float, list[Run]]] = {}
_ended: dict[Path, tuple[Any, Row]] = {}
_followed: dict[Path, tuple[int, list[Record]]] = {}


def forget() -> None:
    """Look at the disk again: a run was made or deleted here."""
    _scanned.clear()


def scan(runs: Runs) -> list[Run]:
    """All runs, the newest first, those of the package last; at most one look at the folder a second."""
    when, found = _scanned.get(runs.path, (0.0, []))
    if not found or time.monotonic() - when > SCAN:
        found = runs.all()
        _scanned[runs.path] = (time.monotonic(), found)
    return found


def read_row(run: Run, watch: Watch | None = None) -> Row:
    """The run as a row; one that has ended is read once."""
    stamp = [_stamp(run.path / name) for name in (".", layout.CONFIG, layout.OUTCOME, layout.NAME)]
    before, row = _ended.get(run.path, (None, None))
    if row and before == stamp:
        return row
    row = _read(run, watch)
    if row.status.word in (Word.FINISHED, Word.STOPPED, Word.FAILED):
        _ended[run.path] = (stamp, row)
        _followed.pop(run.path, None)
    else:
        _ended.pop(run.path, None)
    return row


def _stamp(path: Path) -> tuple[int, int]:
    with suppress(OSError):
        about = path.stat()
        return about.st_mtime_ns, about.st_size
    return 0, 0


def _read(run: Run, watch: Watch | None) -> Row:
    try:
        config = run.config()
        outcome = run.outcome() or Outcome(status=Word.INTERRUPTED)
        device = outcome.device or run.environment().get("device") or config.device
        row = Row(run, run.name(), run.status(watch), config, device=str(device), size=run.size())
        last, best, seconds = map(number, _figures(run, outcome))
        compared = {} if row.status.active else forecasts.of_run(run)
        return row._replace(created=run.created(), last=last, best=best, seconds=seconds, forecast=compared)
    except InputError as error:
        return Row(run, run.name(), Status(Word.DAMAGED), error=error, size=run.size(), created=run.created())
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = InputError("A file of the run is damaged: {reason}", reason=type(error).__name__)
        return Row(run, run.name(), Status(Word.DAMAGED), error=reason)


def _figures(run: Run, outcome: Outcome) -> tuple[float | None, float | None, float | None]:
    """The last and the best test accuracy, and the seconds."""
    if outcome.status == Word.FINISHED:
        return outcome.test_acc, outcome.best_test_acc, outcome.seconds
    records = _follow(run)
    return next(reversed(tested(records)), None), best(records), records[-1].seconds if records else None


def _follow(run: Run) -> list[Record]:
    """The last record and those with test figures; only what is new is read."""
    offset, kept = _followed.get(run.path, (0, []))
    if _stamp(run.path / layout.METRICS)[1] < offset:  # it was cut back
        offset, kept = 0, []
    new, offset, _ = run.read(offset, 1)
    if new:
        kept = [record for record in (*kept, *new[:-1]) if record.test_acc is not None] + new[-1:]
        _followed[run.path] = (offset, kept)
    return kept


def watch() -> Watch:
    """The session's eye on heartbeats."""
    eye: Watch = session.setdefault("watch", Watch())
    return eye


def all_rows() -> list[Row]:
    """All runs."""
    return [read_row(run, watch()) for run in scan(Runs.at())]
