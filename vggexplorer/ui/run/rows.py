"""Runs as rows: what the pages show of each, read from the disk as seldom as possible."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from vggexplorer.errors import InputError
from vggexplorer.runs import forecasts
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Outcome, Record, best, tested
from vggexplorer.runs.folder.run import Progress, Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.forecasts import Compared
from vggexplorer.runs.races import race_of
from vggexplorer.ui.run.words import called, number

T = TypeVar("T")
IDLE = 5.0
"""Seconds between two looks of a page where nothing goes on: others may have started something."""
EYE = Watch()
"""The server's eye on heartbeats: pages and routes agree on who responds."""
SCAN = 1.0
"""Seconds for which the list of folders is believed."""
SETTLED = 2.0
"""Seconds after a change of a folder within which another one may leave its time as it is: some clocks are coarse."""
POINTS = 12
"""About how many points each of the two lines of a small curve has."""


class Spark(NamedTuple):
    """A run's accuracies as a small curve: points (part of all epochs, accuracy)."""

    test: Sequence[tuple[float, float]] = ()
    train: Sequence[tuple[float, float]] = ()


class Row(NamedTuple):
    """A run as the table shows it. `error` says why it cannot be read; only one that is active has a `progress`.

    `race` are the ids of the runs that it races against, and its own.
    """

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
    spark: Spark = Spark()
    progress: Progress | None = None
    race: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name, as a page shows it."""
        return called(self.run) if self.run.recorded else self.name

    @property
    def forecast(self) -> Mapping[str, Compared]:
        """How good its forecast was, once it is over."""
        return forecasts.of_run(self.run) if self.config and not self.status.active else {}


# --- reading, with what cannot change kept ----------------------------------------------------------------

_scanned: dict[Path, tuple[float, tuple[int, int], list[Run]]] = {}
_forgotten = [0.0]
_ended: dict[Path, tuple[Any, Row]] = {}
_followed: dict[Path, tuple[int, list[Record]]] = {}


def forget() -> None:
    """Look at the disk again: a run was made or deleted here."""
    _scanned.clear()
    _forgotten[0] = time.monotonic()


def forgotten() -> float:
    """When the disk was last to be looked at again, on this process' own clock."""
    return _forgotten[0]


def scan(runs: Runs) -> list[Run]:
    """All runs, the newest first, those of the package last; at most one look at the folder a second."""
    when, stamp, found = _scanned.get(runs.path, (0.0, (0, 0), []))
    if not found or time.monotonic() - when > SCAN:
        now = _stamp(runs.path)
        if not found or now != stamp or time.time() - now[0] / 1e9 < SETTLED:
            found = runs.all()
        _scanned[runs.path] = (time.monotonic(), now, found)
    return found


def kept_row(run: Run) -> Row | None:
    """The row of a run that has ended, if it was read already and nothing came into its folder since."""
    stamp, row = _ended.get(run.path, (None, None))
    return row if stamp and stamp[0] == _stamp(run.path) else None


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
        records = _follow(run)
        last, best, seconds = map(number, _figures(records, outcome))
        row = row._replace(created=run.created(), last=last, best=best, seconds=seconds)
        row = row._replace(spark=_spark(records, config.training.epochs), race=race_of(run))
        if row.status.active:
            row = row._replace(progress=run.progress(row.status))
        return row
    except InputError as error:
        return Row(run, run.name(), Status(Word.DAMAGED), error=error, size=run.size(), created=run.created())
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = InputError("A file of the run is damaged: {reason}", reason=type(error).__name__)
        return Row(run, run.name(), Status(Word.DAMAGED), error=reason)


def _figures(records: Sequence[Record], outcome: Outcome) -> tuple[float | None, float | None, float | None]:
    """The last and the best test accuracy, and the seconds."""
    if outcome.status == Word.FINISHED:
        return outcome.test_acc, outcome.best_test_acc, outcome.seconds
    return next(reversed(tested(records)), None), best(records), records[-1].seconds if records else None


def _spark(records: Sequence[Record], epochs: int) -> Spark:
    """The small curve of some records."""
    test = [(record.epoch / epochs, record.test_acc) for record in records if record.test_acc is not None]
    train = [(record.epoch / epochs, record.train_acc) for record in records]
    return Spark(_some(test, POINTS), _some(train, POINTS))


def _some(points: Sequence[T], most: int) -> Sequence[T]:
    """At most `most` of the points, spread over all of them, with the first and the last."""
    if len(points) <= most:
        return points
    return [points[round(place * (len(points) - 1) / (most - 1))] for place in range(most)]


def _follow(run: Run) -> list[Record]:
    """The last record, those with test figures and some of the others; only what is new is read."""
    offset, kept = _followed.get(run.path, (0, []))
    if _stamp(run.path / layout.METRICS)[1] < offset:  # it was cut back
        offset, kept = 0, []
    new, offset, _ = run.read(offset, POINTS // 2)
    if new:
        *others, last = [*kept, *new]
        plain = [record.step for record in others if record.test_acc is None]
        steps = set(_some(plain, 2 * POINTS))
        kept = [record for record in others if record.test_acc is not None or record.step in steps] + [last]
        _followed[run.path] = (offset, kept)
    return kept


def all_rows() -> list[Row]:
    """All runs."""
    return [read_row(run, EYE) for run in scan(Runs.at())]
