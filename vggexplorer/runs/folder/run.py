"""One run: a folder on the disk, whoever writes or reads it. `layout` says what is in it."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.comparison import Remark, remark_from_json
from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import files_below, held, move, read_json, remove, write_file, write_json
from vggexplorer.runs.folder.records import Outcome, Record, parse_line
from vggexplorer.runs.folder.safetensors import metadata
from vggexplorer.runs.folder.status import OF_PHASE, RESUMABLE, Phase, Status, Word
from vggexplorer.runs.folder.tail import Tail, all_lines, some_lines

MAX_NAME = 80
"""Characters of a display name."""
HEARTBEAT_TIMEOUT = 3.0
"""Seconds without a heartbeat after which a trainer counts as not responding."""
START_TIMEOUT = 20.0
"""Seconds within which a trainer that was started must have taken its lock."""
STOP_TIMEOUT = 10.0
"""Seconds after which a run that was asked to stop and has not can be ended."""
LOG_BYTES = 4000
"""How much of the end of a trainer's output is shown."""
MANY = 20_000
"""Records that are read in a fifth of a second; of more, a page needs only some."""
SLOW_START = 20.0
"""How many times as long a trainer may be silent before it trains: loading PyTorch can keep all its threads waiting."""


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def clean_name(name: str) -> str:
    """A display name in one line of printable characters; `InputError` if nothing is left, or too much."""
    text = " ".join(_printable(name).split())
    if not text or len(text) > MAX_NAME:
        raise InputError("A name has from 1 to {most} characters, not {value}.", most=MAX_NAME, value=shown(name))
    return text


class Progress(NamedTuple):
    """How far a run is: its last record, and the step that it is at, of how many."""

    last: Record
    step: int
    steps: int

    @property
    def left(self) -> float | None:
        """Seconds that it will take still, at its speed so far; None once its last step is done."""
        return (self.steps - self.step) * self.last.seconds / self.last.step if self.step < self.steps else None


class BestWeights(NamedTuple):
    """The weights with the best test accuracy: their file, after how many steps they were so, that accuracy."""

    path: Path
    step: int
    test_acc: float


class Run:
    """One run's folder. Reading is for everybody; each file has one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The folder's name, which never changes."""
        return self.path.name

    @property
    def recorded(self) -> bool:
        """Whether it ships with the package: nobody changes it."""
        return self.path.parent == layout.RECORDED

    def config(self) -> Config:
        """What was asked; `InputError` if the file is missing, damaged or of another version."""
        return Config.from_json(self.json(layout.CONFIG))

    def name(self) -> str:
        """The display name."""
        try:
            return (self.path / layout.NAME).read_text("utf-8").strip()[:MAX_NAME] or self.id
        except (OSError, ValueError):
            return self.id

    def created(self) -> datetime | None:
        """When it was created, in local time."""
        try:
            return datetime.fromisoformat(self.json(layout.CREATED)["time"]).astimezone()
        except (TypeError, KeyError, ValueError, OverflowError):
            return None

    def owner(self) -> str:
        """The id of the person who started it in a shared dashboard; empty if that was the person at the machine."""
        return str(self.json(layout.CREATED).get("owner", ""))

    def brought(self) -> bool:
        """Whether it came here as an archive: nobody here has asked for what its config says."""
        return self.json(layout.CREATED).get("brought") is True

    def rename(self, name: str) -> None:
        """Give it another display name; `InputError` if there is nothing to read in it, or it cannot be written."""
        text = clean_name(name)
        with self._writing():
            write_file(self.path / layout.NAME, text.encode())

    def environment(self) -> dict[str, Any]:
        """What the trainer said at its last start: device, precision, threads, data; empty before."""
        return self.json(layout.ENVIRONMENT)

    def odd_files(self) -> tuple[int, list[str]]:
        """How many files of the folder of pictures could not be used, and a reason for each of the first of them."""
        about = self.environment()
        odd, count = about.get("odd"), about.get("num_odd")
        listed = [_printable(str(each)) for each in odd] if isinstance(odd, list) else []
        return (max(count, len(listed)) if isinstance(count, int) else len(listed)), listed

    def said_of_data(self) -> list[Remark]:
        """What a person should know of the folder of pictures, as the trainer found it."""
        found = self.environment().get("said")
        said = []
        for each in found if isinstance(found, list) else []:
            with suppress(ValueError):
                remark = remark_from_json(each)
                values = {name: _printable(str(value)) for name, value in remark.values.items()}
                said.append(remark._replace(template=_printable(remark.template), values=values))
        return said

    def class_counts(self) -> dict[str, tuple[int, int]]:
        """How many pictures of each class the trainer found to train and to test on; empty before."""
        about = self.environment()
        try:
            both = zip(map(str, about["classes"]), about["counts"], strict=True)
            return {name: (int(train), int(test)) for name, (train, test) in both}
        except (KeyError, TypeError, ValueError):
            return {}

    def outcome(self) -> Outcome | None:
        """How it ended, if it has."""
        with suppress(ValueError, TypeError):
            return Outcome.from_json(self.json(layout.OUTCOME))
        return None

    def read(self, offset: int = 0, most: int | None = None) -> Tail:
        """The records from byte `offset` of the metrics on; an unfinished last line is left for the next read.

        Of many more than `most`, about so many are read, the last one, and all that have test figures.
        """
        try:
            with (self.path / layout.METRICS).open("rb") as file:
                size = file.seek(0, os.SEEK_END) - offset
                file.seek(offset)
                lines = size / max(1, len(file.readline()))
                file.seek(offset)
                if most is None or lines < 1.5 * most:
                    return all_lines(file, offset)
                return some_lines(file, offset, size // most)
        except OSError:
            return Tail([], offset, False)

    def records(self) -> list[Record]:
        """All records up to the first damaged line."""
        return self.read().records

    def cut_back(self, step: int) -> Record | None:
        """Remove all records after `step` from the metrics, and what is damaged; the last that stays."""
        path = self.path / layout.METRICS
        with path.open("ab+") as file:
            file.seek(0)
            last, end = None, 0
            for line in file:
                record = parse_line(line) if line.endswith(b"\n") else None
                if record is None or record.step > step:
                    break
                last = record
                end += len(line)
            file.truncate(end)
        return last

    def last_record(self) -> Record | None:
        """The last whole record, without reading all of them."""
        try:
            with (self.path / layout.METRICS).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
                lines = file.read().split(b"\n")[:-1]
        except OSError:
            return None
        return next(filter(None, map(parse_line, reversed(lines))), None)

    def progress(self, status: Status) -> Progress | None:
        """How far it is; None before its first record."""
        last, steps = self.last_record(), self.environment().get("num_steps")
        if not last or last.step < 1 or type(steps) is not int or steps < 1:
            return None
        return Progress(last, max(last.step, status.step), steps)

    def telemetry(self) -> dict[str, Any]:
        """The last sample of the device; empty if there is none."""
        try:
            with (self.path / layout.TELEMETRY).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1024))
                lines = file.read().split(b"\n")[:-1]
            return dict(json.loads(lines[-1]))
        except (OSError, ValueError, IndexError, TypeError):
            return {}

    def end_of_log(self, most: int = LOG_BYTES) -> str:
        """The last `most` bytes of what the trainer wrote, as text; empty if there is nothing."""
        try:
            with (self.path / layout.LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - most))
                return file.read().decode(errors="replace").strip("\0 \n")
        except OSError:
            return ""

    def json(self, name: str) -> dict[str, Any]:
        """One of the trainer's other files (result.json, step.json); empty if it is missing or damaged."""
        return read_json(self.path / name)

    def heartbeat(self) -> dict[str, Any]:
        """What the trainer said last: its beat, its phase, its step; empty if that is damaged."""
        data = self.json(layout.HEARTBEAT)
        numbers = all(type(data.get(name, 0)) is int for name in ("beat", "step", "ahead"))
        return data if "beat" in data and numbers and data.get("phase", Phase.TRAINING) in list(Phase) else {}

    def changed(self) -> int:
        """A number that is another one whenever a file came into its folder, or went; 0 if it is gone."""
        with suppress(OSError):
            return self.path.stat().st_mtime_ns
        return 0

    def locked(self) -> bool:
        """Whether a trainer lives: the operating system frees its lock at any death."""
        return held(self.path / layout.LOCK)

    def control(self) -> dict[str, Any]:
        """What is wanted: `until` (a step to pause at, or None) and `stop`."""
        return {"until": None, "stop": False} | self.json(layout.CONTROL)

    def want(self, *, until: int | None = None, stop: bool = False) -> None:
        """Ask the trainer to run on, to pause at step `until`, or to stop; `InputError` if it cannot be told."""
        with self._writing():
            write_json(self.path / layout.CONTROL, {"until": until, "stop": stop})

    def ignores_stop(self, status: Status) -> bool:
        """Whether a trainer that was asked to stop has not done so for a while; it can be ended then."""
        with suppress(OSError):
            age = time.time() - (self.path / layout.CONTROL).stat().st_mtime
            return status.active and bool(self.control()["stop"]) and abs(age) > STOP_TIMEOUT
        return False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Around changes that a person asks for; `InputError` if they cannot be made."""
        if self.recorded:
            raise InputError("A run that ships with the package cannot be changed.")
        try:
            yield
        except OSError as error:
            raise InputError("The run could not be changed: {reason}", reason=error.strerror or str(error)) from error

    def status(self, watch: "Watch | None" = None) -> Status:
        """What it does, derived from its files; `watch` tells a trainer that hangs from one that lives."""
        if not (self.path / layout.CONFIG).exists():
            return Status(Word.DAMAGED)
        if outcome := self.outcome():
            return Status(outcome.status, outcome.step)
        beat = self.heartbeat()
        step = beat.get("step", 0)
        if not self.locked():
            if outcome := self.outcome():  # written since we looked, just before the lock was given back
                return Status(outcome.status, outcome.step)
            return Status(Word.STARTING if self.just_started() else Word.INTERRUPTED, step)
        phase = Phase(beat.get("phase", Phase.STARTING))
        slow = SLOW_START if phase in (Phase.STARTING, Phase.LOADING) else 1
        if watch and not watch.lives(self.id, beat.get("beat", 0), slow):
            return Status(Word.UNRESPONSIVE, step)
        return Status(OF_PHASE[phase], step, beat.get("ahead", 0))

    def mark_started(self, slow: int = 1) -> None:
        """Note that a trainer is about to be started: until its first heartbeat the run counts as starting.

        That lasts `slow` times START_TIMEOUT at most.
        """
        remove(self.path / layout.HEARTBEAT)
        (self.path / layout.STARTED).write_text(str(slow), "utf-8")

    def just_started(self) -> bool:
        """Whether a trainer was started that may not have taken its lock yet."""
        with suppress(OSError, ValueError):
            path = self.path / layout.STARTED
            age, slow = time.time() - path.stat().st_mtime, int(path.read_text("utf-8") or 1)
            return not (self.path / layout.HEARTBEAT).exists() and abs(age) < START_TIMEOUT * slow
        return False

    def unmark_started(self) -> None:
        """Note that no trainer could be started."""
        remove(self.path / layout.STARTED)

    def resumable(self, status: Status) -> bool:
        """Whether it can go on from where it is."""
        return status.word in RESUMABLE and not self.recorded

    def watch(self) -> None:
        """Tell the trainer that somebody watches."""
        with suppress(OSError):
            (self.path / layout.WATCHED).touch()

    def watched(self) -> int:
        """A number that is another one whenever somebody has asked about the run."""
        with suppress(OSError):
            return (self.path / layout.WATCHED).stat().st_mtime_ns
        return 0

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(size for size, _ in files_below(self.path))

    def weights(self) -> Path | None:
        """The trained weights, if they are kept."""
        path = self.path / layout.WEIGHTS
        return path if path.exists() else None

    def best_weights(self) -> "BestWeights | None":
        """The weights with the best test accuracy, if they are kept."""
        path = self.path / layout.BEST
        try:
            about = metadata(path)
            return BestWeights(path, int(about["step"]), float(about["test_acc"]))
        except (OSError, ValueError, KeyError):
            return None

    def check_best_weights(self) -> None:
        """Remove the best weights if they are not those of the best test up to the checkpoint: it comes again."""
        best = self.best_weights()
        if best and best.step != self._saved("best_step"):
            remove(best.path)

    def drop_weights(self) -> None:
        """Remove the trained weights, the snapshots and the checkpoint of a run that has ended."""
        with self._writing():
            for name in (layout.WEIGHTS, layout.BEST):
                remove(self.path / name)
            shutil.rmtree(self.path / layout.SNAPSHOTS, ignore_errors=True)
            self.drop_checkpoint()

    def saved_step(self) -> int:
        """The step of the last checkpoint; 0 if there is none."""
        return self._saved("step")

    def _saved(self, name: str) -> int:
        """A number of the last checkpoint; 0 if it has none of that name."""
        try:
            return int(metadata(self.path / layout.CHECKPOINT)[name])
        except (OSError, ValueError, KeyError):
            return 0

    def drop_checkpoint(self) -> None:
        """Remove the checkpoint: a finished run does not need it."""
        shutil.rmtree((self.path / layout.CHECKPOINT).parent, ignore_errors=True)

    def delete(self) -> None:
        """Remove the folder; `InputError` while a trainer is at it, or if it cannot be removed."""
        if self.recorded:
            raise InputError("A run that ships with the package cannot be deleted.")
        if self.locked() or self.just_started():
            raise InputError("The run is not over; stop it first.")
        try:
            away = self.path.with_name(f".deleted-{secrets.token_hex(4)}")
            move(self.path, away)
            shutil.rmtree(away)
        except OSError as error:
            raise InputError("The run could not be deleted: {reason}", reason=error.strerror or str(error)) from error


class Watch:
    """Sees heartbeats change, on the reader's own clock."""

    def __init__(self, timeout: float = HEARTBEAT_TIMEOUT) -> None:
        self.timeout = timeout
        self._seen: dict[str, tuple[int, float]] = {}

    def lives(self, run_id: str, beat: int, slow: float = 1) -> bool:
        """Whether the heartbeat of a run has changed within the last `slow` times `timeout` seconds."""
        now = time.monotonic()
        before, since = self._seen.get(run_id, (None, now))
        if before != beat:
            since = now
        self._seen[run_id] = (beat, since)
        return now - since < self.timeout * slow
