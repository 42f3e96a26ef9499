"""The trainer's process around the training loop: its turn in the line, its run folder, its end.

`python -m vggexplorer.pytorch.train RUN_DIR` comes here first: a trainer that waits for a device has not
imported PyTorch yet.
"""

import errno
import os
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import Decision
from vggexplorer.formatting import loss
from vggexplorer.processes import FOR_TORCH, Share, age, ignore_stop_signals, need_torch, process_began, stop_signals
from vggexplorer.runs import devices, experience, verdict
from vggexplorer.runs.calibration import known_price
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import PLAIN
from vggexplorer.runs.folder import layout, ranks, snapshots
from vggexplorer.runs.folder.files import json_bytes, move, remove, replace_by, write_json
from vggexplorer.runs.folder.line import SEATS, Line
from vggexplorer.runs.folder.ranks import ProcessLostError, Rank
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import MANY, START_TIMEOUT, Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.safetensors import metadata
from vggexplorer.runs.folder.status import Phase, Word
from vggexplorer.runs.places import Place, check_batch, several
from vggexplorer.runs.trainer.session import Command, Parts, Session
from vggexplorer.runs.trainer.telemetry import Sampler

BEAT = 1.0
"""Seconds between heartbeats."""
LOOK = 0.25
"""Seconds between two looks at the line of a trainer that waits in it."""
ROOM = 4096
"""Bytes on the disk that are kept for the outcome: a block of most file systems."""
MOST_ON_CHECKPOINTS = 0.05
"""The share of the time that writing checkpoints may take."""
ANSWERS_APART = 1.0
"""Seconds between two looks at what the network takes some test pictures for, while somebody watches."""
MOST_ON_ANSWERS = 0.01
"""The share of the time that those may take."""


def main(argv: list[str], train: "Callable[[FolderSession], Outcome] | None" = None) -> int:
    """Train the run in the folder `argv[1]` to its end; 0 unless it failed or another trainer is at it.

    `train` does it in another way than in this process.
    """
    if len(argv) != 2 or not (Path(argv[1]) / layout.CONFIG).is_file():
        print("usage: python -m vggexplorer.pytorch.train RUN_DIR (a folder with a config.json)", file=sys.stderr)
        return 2
    os.environ.update(FOR_TORCH | os.environ)
    run = Run(Path(argv[1]).absolute())
    if (rank := Rank.here()).number:
        return _assist(run, rank)
    try:
        # A reader may hold the lock for a moment, to see whether anybody does.
        with FileLock(run.path / layout.LOCK).acquire(timeout=2):
            outcome = _alone(run, train or _train)
    except Timeout:
        print("Another trainer is at this run.", file=sys.stderr)
        return 3
    except OSError as error:
        _print(str(_of_system(error, run)))
        return 1
    if outcome.status == Word.FINISHED:
        with suppress(OSError, InputError):
            Runs(run.path.parent).keep_weights_of_the_newest()
    return int(outcome.status == Word.FAILED)


def _alone(run: Run, train: "Callable[[FolderSession], Outcome]") -> Outcome:
    """Train while no other trainer is at the run, and write down how it ended."""
    outcome = None
    try:
        remove(run.path / layout.OUTCOME)
        last_words = run.path / f".{layout.OUTCOME}"
        last_words.write_bytes(b" " * ROOM)  # so that there is room to say that the disk is full
        with Heartbeat(run) as heartbeat, (session := FolderSession(run, heartbeat)).signals():
            outcome = _guarded(session, train)
            ranks.forget(run)
            with suppress(OSError):
                Line(Runs(run.path.parent)).leave(run)
            with suppress(OSError, InputError):
                run.want()  # a command to stop is obeyed; the next trainer does not know it any more
            _write_over(last_words, json_bytes(outcome.to_json()))
            move(last_words, run.path / layout.OUTCOME)
    except OSError as error:
        if outcome is None or outcome.status != Word.FAILED:  # else what came first is told
            outcome = Outcome(status=Word.FAILED, reason=_of_system(error, run))
            _print(str(outcome.reason))
    if outcome.status == Word.FINISHED:
        run.drop_checkpoint()  # not earlier: without an outcome the run would begin anew
    return outcome


def _write_over(path: Path, content: bytes) -> None:
    """Put `content` where the file's old content is on the disk."""
    with path.open("rb+") as file:
        file.write(content)
        file.truncate()
        os.fsync(file.fileno())


def _print(*lines: str) -> None:
    """Write into the log, if there is room on the disk."""
    with suppress(OSError):
        for line in lines:
            print(line, flush=True)


def _guarded(session: "FolderSession", train: "Callable[[FolderSession], Outcome]") -> Outcome:
    """What `train` says of the end; if it raises, the reason in a sentence, here and in the log."""
    try:
        return train(session)
    except ProcessLostError as error:
        reason = ranks.last_words(session.run) or error
    except Exception as error:
        reason = _in_a_sentence(error, session.run)
    _print(str(reason))
    return session.outcome(reason)


def _in_a_sentence(error: Exception, run: Run) -> InputError:
    """What to say of `error`; if it is none that was thought of, the log says more."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, OSError) and error.errno:
        return _of_system(error, run)
    with suppress(OSError):
        traceback.print_exc()
    words = f"{type(error).__name__}: {error}".partition("\n")[0][:300]
    return InputError("Training ended with an error: {reason}", reason=words)


def _train(session: "FolderSession") -> Outcome:
    """Wait for the device, train, and say how it ended."""
    run = session.run
    config = run.config()
    check_batch(config, session.rank.world)
    found = devices.known(run.path.parent) or _devices(session)
    config = replace(config, device=devices.pick(config.device, found).name)
    with ExitStack() as turns:
        for name in several(config.device, session.rank.local_world):
            turns.enter_context(_turn(run, devices.pick(name, found).name, session))
        session.parts.over("line")
        if session.command(0) is not Command.STOP:
            session.train(config)
    return session.outcome()


def _devices(session: "FolderSession") -> list[devices.Device]:
    """The devices, where nobody has looked at them: PyTorch is loaded here, before the run's turn has come.

    It will be needed anyway, while asking a process of its own would load it twice. Nothing is measured.
    """
    need_torch()
    found = import_module("vggexplorer.pytorch.devices").here()
    session.parts.over("import")
    return [devices.Device(**each, speedup=0.0) for each in found]


def _of_system(error: OSError, run: Run) -> InputError:
    if not run.path.is_dir():
        return InputError("The run's folder is gone.")
    if error.errno == errno.ENOSPC:
        return InputError("The disk is full; free some space, then resume the run.")
    return InputError("The run's files could not be written: {reason}", reason=error.strerror or str(error))


@contextmanager
def _turn(run: Run, device: str, session: "FolderSession") -> Iterator[None]:
    """Wait in the line for `device`, and hold it: all its seats, or that of `run` in its race."""
    runs, race = Runs(run.path.parent), Place.of(run).race
    numbers = (race.index(run.id),) if race else range(SEATS)
    line, locks = Line(runs), [runs.lock(_seat(device, number)) for number in numbers]
    with ExitStack() as seats:
        while session.command(0) is not Command.STOP:
            ahead = line.ahead(run, device, race)
            if ahead == 0 and line.comes_in(run, device, partial(_taken, locks, seats), race):
                break
            session.wait_in_line(max(1, ahead))
        yield


def _seat(device: str, number: int) -> str:
    """The name of the lock of a device's seat."""
    return f"device-{device.replace(':', '-')}" + (f".{number}" if number else "")


def _taken(locks: Sequence[FileLock], seats: ExitStack) -> bool:
    """Whether all `locks` were free; they are held then, and given back when `seats` is left."""
    with ExitStack() as taken:
        try:
            for lock in locks:
                lock.acquire(timeout=0)
                taken.callback(lock.release)
        except Timeout:
            return False
        seats.push(taken.pop_all())
        return True


class Heartbeat:
    """Writes the heartbeat each second, and at once when the phase changes; samples the device."""

    def __init__(self, run: Run) -> None:
        self._path = run.path / layout.HEARTBEAT
        self._telemetry = run.path / layout.TELEMETRY
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._beat = 0
        pid = os.getpid()
        self._state: dict[str, Any] = {
            "phase": Phase.STARTING,
            "step": 0,
            "ahead": 0,
            "pid": pid,
            "began": process_began(pid),
        }
        self.sampler: Sampler | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self.say()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(2)

    def say(self, **changes: Any) -> None:
        """Write the heartbeat with some changes in it."""
        with self._lock, suppress(OSError):
            self._beat += 1
            self._state |= changes
            write_json(self._path, {"beat": self._beat, **self._state}, durable=False, alone=True)

    def tell(self, phase: Phase, ahead: int = 0) -> None:
        """Write the heartbeat at once if this is a change."""
        if (self._state["phase"], self._state["ahead"]) != (phase, ahead):
            self.say(phase=phase, ahead=ahead)

    def at(self, step: int) -> None:
        """Remember the step for the next heartbeat."""
        self._state["step"] = step

    def _run(self) -> None:
        while not self._stopped.wait(BEAT):
            self.say()
            if self.sampler:
                with suppress(OSError), self._telemetry.open("ab") as file:
                    file.write(self.sampler.line())


class FolderSession(Session):
    """The surroundings of a loop that trains into a run folder."""

    def __init__(self, run: Run, heartbeat: Heartbeat) -> None:
        self.run = run
        self.heartbeat = heartbeat
        self.rank = Rank.here()
        heartbeat.say(job=self.rank.job)
        self.last: Record | None = None
        self._metrics: BinaryIO | None = None
        self._device: str | None = None
        self._about: Mapping[str, Any] = {}
        self._began_at = 0
        self._share = Share()
        self._stop = False
        self._finished = False
        self._reason: InputError | None = None
        self._control = run.control()
        self._read_at = 0.0
        self._saved_at = time.monotonic()
        self._save_took = 0.0
        self._answers_due = 0.0
        self._asked = run.watched()
        self.parts.over("python")

    @cached_property
    def parts(self) -> Parts:
        """Told whenever a part of the work is over, from the start of the process on."""
        return Parts(age())

    # --- around the loop

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C stop the run as the Stop button does.

        When a process dies, torchrun sends SIGTERM to the others: it must not keep the first one from saying why.
        """
        with stop_signals(self._hear):
            yield

    def _hear(self, _: bool) -> None:
        self._stop = True

    def wait_in_line(self, ahead: int) -> None:
        """Say our place in the line, and wait a moment."""
        self.heartbeat.tell(Phase.WAITING, ahead)
        time.sleep(LOOK)

    def train(self, config: Config) -> None:
        """Run the loop of `vggexplorer.pytorch.loop`; its records go to metrics.jsonl."""
        self._every = config.training.checkpoint_every
        self.heartbeat.say(phase=Phase.LOADING, device=config.device)
        fit = import_module("vggexplorer.pytorch.loop").fit
        self.parts.over("import")
        _print(f"training on {config.device}")
        with (self.run.path / layout.METRICS).open("ab") as self._metrics:
            for record in fit(config, self):
                self._metrics.write(record.line())
                self._metrics.flush()  # unlike a write without a buffer, it writes all or raises
                self.last = record
        if self._finished and self.last:
            reason = [str(self._reason)] if self._reason else []
            known = verdict.of_run(self.run)
            told = [*verdict.by_class(known), *verdict.judge(known)] if known else []
            _print(*reason, *map(str, told), *closing_lines(self.last, config.device))

    def outcome(self, reason: InputError | None = None) -> Outcome:
        """How it ended, with the last figures."""
        status = Word.FAILED if reason else Word.FINISHED if self._finished else Word.STOPPED
        last = self.last or self.run.last_record()
        records = self.run.read(most=MANY).records
        self.parts.over("end")
        self._note_speed()
        reason, parts = reason or self._reason, self.parts.seconds
        return Outcome.of(status, last, records, reason=reason, device=self._device, parts=parts)

    def _note_speed(self) -> None:
        """Keep beside the runs how long a step took, for the next forecasts, if it was PyTorch's own and alone."""
        steps = self.last.step - self._began_at - 1 if self.last else 0
        alone = self.rank.world == 1 and not Place.of(self.run).race
        if not alone or steps < experience.FEWEST or self._about.get("kind") != PLAIN:
            return
        with suppress(InputError, OSError):
            config, device, seconds = self.run.config(), self._about["device"], self.parts.seconds.get("steps", 0.0)
            if not (config.training.exact and device.startswith("cuda")):
                own = experience.steps_of(config, self._about["precision"])
                share = self._share.of(self._about["threads"], self.parts.seconds.get("pauses", 0.0))
                own = own._replace(seconds=seconds / steps, share=share if device == "cpu" else 1.0)
                experience.note(self.run.path.parent, device, own)

    # --- what the loop asks

    def known_decision(self, steps: str) -> Decision | None:
        """How the precision of such `steps` was chosen for an earlier run of this folder of runs."""
        return devices.known_decision(self.run.path.parent, steps)

    def keep_decision(self, steps: str, decision: Decision) -> None:
        """Keep how it was chosen beside the runs."""
        devices.keep_decision(self.run.path.parent, steps, decision)

    def begin_trial(self, device: str) -> bool:
        """Note it beside the runs."""
        return devices.begin_trial(self.run.path.parent, device)

    def end_trial(self, device: str) -> None:
        """Take the note away."""
        devices.end_trial(self.run.path.parent, device)

    def begin(self, environment: Mapping[str, Any]) -> None:
        """Keep what the loop says of its surroundings; the checkpoint, if there is one, was found good."""
        checkpoint = self.checkpoint()
        step = int(metadata(checkpoint)["step"]) if checkpoint else 0
        self.last = self.run.cut_back(step)  # the steps after it will be done again
        self.run.check_best_weights()
        start = {"start": secrets.token_hex(8)}  # no clock can take two starts for one
        price = {"price": known_price(self.run.path.parent, environment["device"])}
        write_json(self.run.path / layout.ENVIRONMENT, {**environment, **price, **start}, alone=True)
        self._device, self._about, self._began_at = environment["device"], environment, step
        self._share = Share()
        others = partial(ranks.living, self.run) if self.rank.world > 1 else tuple
        self.heartbeat.sampler = Sampler(environment["device"], environment.get("uuid"), others)
        self._saved_at = time.monotonic()
        self.phase(Phase.TRAINING)

    def phase(self, phase: Phase) -> None:
        """Tell readers what the loop does."""
        self.heartbeat.tell(phase)

    def command(self, step: int) -> Command:
        """What control.json wants, read at most twenty times a second; `InputError` if the folder is gone."""
        self.heartbeat.at(step)
        now = time.monotonic()
        if now - self._read_at > 0.05:
            self._read_at = now
            self._control = self.run.control()
            if not (self.run.path / layout.CONFIG).exists():
                raise InputError("The run's folder is gone.")
        if self._stop or self._control.get("stop"):
            return Command.STOP
        until = self._control.get("until")
        return Command.PAUSE if isinstance(until, int) and step >= until else Command.GO

    def sleep(self) -> None:
        """Wait a moment; control.json is read again after it."""
        time.sleep(0.06)

    def wants_view(self, step: int) -> bool:
        """Whether the run is to pause right after this step."""
        return self._control.get("until") == step + 1

    def show(self, view: Mapping[str, Any]) -> None:
        """Keep what the step looked like."""
        write_json(self.run.path / layout.STEP, view, alone=True)

    def wants_answers(self) -> bool:
        """Whether a page has asked again: looked at once a second, and for a hundredth of the time."""
        now = time.monotonic()
        if now < self._answers_due:
            return False
        self._answers_due = now + ANSWERS_APART
        before, self._asked = self._asked, self.run.watched()
        return self._asked != before

    def answer(self, step: int, answers: Callable[[], list[dict[str, Any]]]) -> None:
        """Keep what the network takes some test pictures for."""
        began = time.monotonic()
        found = {"step": step, "answers": answers()}
        with suppress(OSError):
            write_json(self.run.path / layout.ANSWERS, found, durable=False, alone=True)
        now = time.monotonic()
        self._answers_due = now + max(ANSWERS_APART, (now - began) / MOST_ON_ANSWERS)

    def snapshot(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep the convolutions as they are after `step` steps."""
        path = snapshots.file(self.run.path, step)
        path.parent.mkdir(exist_ok=True)
        replace_by(path, write, durable=False, alone=True)

    def checkpoint(self) -> Path | None:
        """The checkpoint in the folder."""
        return _checkpoint(self.run)

    def wants_checkpoint(self) -> bool:
        """Whether it is time for one; writing them never takes more than a twentieth of the time."""
        due = max(self._every, self._save_took / MOST_ON_CHECKPOINTS)
        return time.monotonic() - self._saved_at > due

    def save(self, write: Callable[[Path], None]) -> None:
        """Write a checkpoint beside the old one and move it over it."""
        began = time.monotonic()
        if self._metrics:
            os.fsync(self._metrics.fileno())  # a checkpoint must not outlast the records before it
        path = self.run.path / layout.CHECKPOINT
        path.parent.mkdir(exist_ok=True)
        replace_by(path, write, alone=True)
        self._saved_at = time.monotonic()
        self._save_took = self._saved_at - began

    def keep_best(self, write: Callable[[Path], None]) -> None:
        """Write the best weights beside the checkpoint that has them too."""
        replace_by(self.run.path / layout.BEST, write, alone=True)

    def finish(
        self, write: Callable[[Path], None], result: Mapping[str, Any], reason: InputError | None = None
    ) -> None:
        """Keep the trained weights and what is known of them."""
        self.phase(Phase.SAVING)
        self._reason = reason
        replace_by(self.run.path / layout.WEIGHTS, write, alone=True)
        write_json(self.run.path / layout.RESULT, result, alone=True)
        self._finished = True

    def end(self, reason: InputError) -> None:
        """Keep the reason: the outcome has it."""
        self._reason = reason
        self._finished = True


def _checkpoint(run: Run) -> Path | None:
    path = run.path / layout.CHECKPOINT
    return path if path.exists() else None


# --- the other processes, if there are several -------------------------------------------------------------


def _assist(run: Run, rank: Rank) -> int:
    """Train with the first process, which alone keeps the run's folder, until it ends; 1 if that failed."""
    ranks.note(run, rank)
    try:
        if first := _turn_of_first(run, rank):
            ignore_stop_signals()  # the first process has them too, and ends the run in order
            config = run.config()
            places = several(first["device"], rank.local_world)
            config = replace(config, device=places[rank.local_number % len(places)])
            for _ in import_module("vggexplorer.pytorch.loop").fit(config, AssistantSession(run, rank)):
                pass
    except ProcessLostError:
        return 1
    except Exception as error:
        ranks.note(run, rank, _in_a_sentence(error, run))
        return 1
    return 0


def _turn_of_first(run: Run, rank: Rank) -> Mapping[str, Any] | None:
    """What the first process says once its turn has come; None if it ended before that."""
    before = run.heartbeat().get("beat")  # it may be that of an earlier start
    watch = Watch(START_TIMEOUT)
    while watch.lives(run.id, (said := run.heartbeat()).get("beat", 0)):
        if said.get("beat", before) != before:
            if said.get("job") == rank.job and "device" in said:
                return said
            if said.get("job", rank.job) != rank.job or run.outcome():
                return None
        time.sleep(LOOK)
    return None


class AssistantSession(Session):
    """The surroundings of a process that is not the first one: it begins at the same checkpoint, and keeps nothing."""

    def __init__(self, run: Run, rank: Rank) -> None:
        self.run = run
        self.rank = rank

    def checkpoint(self) -> Path | None:
        """The checkpoint in the folder."""
        return _checkpoint(self.run)


def closing_lines(record: Record, device: str) -> list[str]:
    """The last lines of the log: the book's two, and the total seconds."""
    test = f", test acc {record.test_acc:.3f}" if record.test_acc is not None else ""
    return [
        f"loss {loss(record.train_loss)}, train acc {record.train_acc:.3f}{test}",
        f"{record.examples_per_sec:.1f} examples/sec on {device}",
        f"{record.seconds:.1f} seconds",
    ]
