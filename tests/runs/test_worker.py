"""Trainers as processes: to the end, killed, stopped, frozen, waiting in line; nobody is harmed and nothing is lost."""

import errno
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, wait_until
from real_runs import CONFIG, LONG, check_same_records, end_all, folder_of_runs
from safetensors.torch import load_file
from torch import equal

from vggexplorer import processes
from vggexplorer.errors import InputError
from vggexplorer.processes import process_began
from vggexplorer.runs import experience, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder import ranks
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.safetensors import metadata
from vggexplorer.runs.folder.status import Status
from vggexplorer.runs.launch import kill, resume, start, stop
from vggexplorer.runs.races import start_race
from vggexplorer.runs.trainer import worker
from vggexplorer.runs.trainer.session import PARTS

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other are slow where tests run side by side."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """A folder of runs where the devices are known; what still trains in the end is killed."""
    runs = folder_of_runs(tmp_path / "runs")
    yield runs
    end_all(runs)


def word(run: Run) -> str:
    return run.status().word


def ended(run: Run) -> Outcome:
    """How it ended, waited for; fails with its log if it takes too long."""
    try:
        wait_until(lambda: not run.status().active, 90)
    except AssertionError as error:
        raise AssertionError(log(run)) from error
    outcome = run.outcome()
    assert outcome, f"{run.status()} {log(run)}"
    return outcome


def log(run: Run) -> str:
    return (run.path / "output.log").read_text()


def reached(run: Run, step: int) -> None:
    wait_until(lambda: (last := run.last_record()) and last.step >= step, 90, f"step {step} of {log(run)}")


def killed(run: Run) -> None:
    kill(run)
    wait_until(lambda: not run.locked())


def by_hand(run: Run) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(launch.command(run), capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)


def tickets(runs: Runs) -> list[str]:
    return [path.name for path in (runs.path / "line").iterdir()]


# --- to the end, and killed on the way -------------------------------------------------------------------


def check_the_end(runs: Runs, run: Run, outcome: Outcome) -> None:
    assert (outcome.status, outcome.step, outcome.device) == ("finished", 600, "cpu")
    last = run.last_record()
    assert last is not None
    assert (outcome.loss, outcome.test_acc) == (last.train_loss, last.test_acc)
    assert outcome.best_test_acc == max(each.test_acc or 0 for each in run.records())
    assert set(load_file(run.path / "model.safetensors")) >= {"features.0.weight", "features.0.bias"}
    wait_until(lambda: not (run.path / "checkpoint").exists(), 20, "the checkpoint to go, after the outcome is written")
    assert tickets(runs) == []
    assert not list(run.path.glob(".*"))
    lines = log(run).splitlines()
    assert lines[0] == "training on cpu"
    assert re.fullmatch(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", lines[-3])
    assert re.fullmatch(r"\d+\.\d examples/sec on cpu", lines[-2])
    assert re.fullmatch(r"\d+\.\d seconds", lines[-1])
    assert run.environment()["threads"] == 1
    assert outcome.parts.keys() <= PARTS.keys()
    assert {"python", "line", "import", "device", "data", "first step", "steps", "tests", "end"} <= outcome.parts.keys()
    assert min(outcome.parts.values()) >= 0


def test_a_run_that_was_stopped_and_killed_in_its_second_epoch_ends_as_one_that_was_not(runs: Runs) -> None:
    whole = start(runs, CONFIG, "whole")
    outcome = ended(whole)
    check_the_end(runs, whole, outcome)
    assert whole.last_record().seconds < sum(outcome.parts.values()) + 0.1  # type: ignore[union-attr]
    with pytest.raises(InputError, match="cannot be resumed"):
        resume(runs, whole)

    broken = start(runs, CONFIG, "broken")
    broken.want(until=350)
    wait_until(lambda: broken.status() == Status("paused", 350), 90)
    stop(broken)
    outcome = ended(broken)
    assert (outcome.status, outcome.step) == ("stopped", 350)

    resume(runs, broken)
    assert broken.status().active
    with pytest.raises(InputError, match="cannot be resumed"):
        resume(runs, broken)
    reached(broken, 360)
    killed(broken)
    assert word(broken) == "interrupted"
    assert int(metadata(broken.path / "checkpoint" / "state.safetensors")["step"]) >= 350
    with (broken.path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 9')  # half a line

    resume(runs, broken)
    check_the_end(runs, broken, ended(broken))
    check_same_records(broken, whole)
    first, second = (load_file(run.path / "model.safetensors") for run in (whole, broken))
    assert all(equal(first[name], second[name]) for name in first)


# --- what a person may ask for ---------------------------------------------------------------------------


@pytest.mark.long
@posix
def test_a_life_with_signals(runs: Runs) -> None:
    """Frozen and thawed; paused, stepped and let go; ended by SIGTERM; resumed by hand; killed."""
    run = start(runs, LONG)
    reached(run, 1)
    watch = Watch(timeout=2)
    pid = run.heartbeat()["pid"]
    assert run.status(watch).word in ("running", "evaluating", "saving")
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: run.status(watch).word == "unresponsive")
    assert run.locked()
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: run.status(watch).word == "running")

    run.want(until=0)
    wait_until(lambda: word(run) == "paused")
    step = run.status().step
    last = run.last_record()
    assert last is not None
    assert last.step == step
    run.want(until=step + 1)
    wait_until(lambda: run.json("step.json"))
    assert run.json("step.json")["step"] == step + 1
    wait_until(lambda: run.status() == Status("paused", step + 1))
    run.want()
    reached(run, step + 2)

    os.kill(pid, signal.SIGTERM)
    outcome = ended(run)
    assert (outcome.status, outcome.reason) == ("stopped", None)
    assert outcome.step == run.last_record().step  # type: ignore[union-attr]
    assert run.resumable(run.status())

    resume(runs, run)
    reached(run, outcome.step + 1)
    second = by_hand(run)
    assert (second.returncode, second.stderr) == (3, "Another trainer is at this run.\n")
    reached(run, run.last_record().step + 1)  # type: ignore[union-attr]
    assert run.outcome() is None
    os.kill(run.heartbeat()["pid"], signal.SIGSTOP)
    killed(run)  # even while it is frozen
    assert word(run) == "interrupted"


@pytest.mark.long
def test_the_second_run_waits_for_the_first(runs: Runs) -> None:
    first = start(runs, LONG)
    reached(first, 1)
    second = start(runs, CONFIG)
    third = start(runs, CONFIG)
    wait_until(lambda: word(second) == word(third) == "waiting")
    assert (second.status().ahead, third.status().ahead) == (1, 2)
    maps = Path("/proc", str(third.heartbeat()["pid"]), "maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text(encoding="utf-8")
    stop(third)
    outcome = ended(third)
    assert (outcome.status, outcome.step) == ("stopped", 0)
    assert word(second) == "waiting"
    assert second.last_record() is None
    stop(first)
    assert ended(first).status == "stopped"
    assert ended(second).status == "finished"
    assert tickets(runs) == []
    if os.path.exists("/proc/self/stat"):
        wait_until(lambda: not zombies(), what="no zombies")


def zombies() -> list[str]:
    """The children of this process that ended and that nobody has waited for."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == os.getpid():
            found.append(path.parent.name)
    return found


LAUNCHER = """
import sys, time
from pathlib import Path
from vggexplorer.runs.config import Config
from vggexplorer.runs.launch import start
from vggexplorer.runs.folder.runs import Runs
import json
run = start(Runs(Path(sys.argv[1])), Config.from_json(json.loads(sys.argv[2])))
print(run.id, flush=True)
time.sleep(600)
"""


@posix
def test_a_trainer_outlives_its_launcher(runs: Runs) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(runs.path), json.dumps(LONG.to_json())],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    run = runs.get(process.stdout.readline().strip())
    assert run is not None
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches the whole group
    os.killpg(process.pid, signal.SIGHUP)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    reached(run, 5)
    stop(run)
    assert ended(run).status == "stopped"


# --- what goes wrong -------------------------------------------------------------------------------------


def nothing(run: Run) -> None:
    pass


def no_config(run: Run) -> None:
    (run.path / "config.json").write_text('{"version": 1, "network": ')


def future(run: Run) -> None:
    write_json(run.path / "config.json", {"version": 99})


def no_device(run: Run) -> None:
    write_json(run.path / "config.json", replace(CONFIG, device="cuda:7").to_json())


def damaged(run: Run) -> None:
    (run.path / "metrics.jsonl").write_bytes(b"precious\n")
    (run.path / "checkpoint").mkdir()
    (run.path / "checkpoint" / "state.safetensors").write_bytes(b"garbage" * 9)


def no_folder(run: Run) -> None:
    write_json(run.path / "config.json", replace(CONFIG, dataset=Dataset("folder", "/nowhere")).to_json())


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (no_config, "The file config.json does not describe a run."),
        (future, "The run was written by another version of this program (99)."),
        (no_device, "There is no device cuda:7 here; there are cpu."),
        (damaged, "The checkpoint cannot be used: state.safetensors is not a safetensors file. Start a new run"),
        (no_folder, "The folder “/nowhere” cannot be read: No such file or directory."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_done_is_said_in_a_sentence(runs: Runs, break_it: Callable[[Run], None], sentence: str) -> None:
    run = runs.create(CONFIG)
    break_it(run)
    done = by_hand(run)
    assert done.returncode == 1, done
    outcome = run.outcome()
    assert outcome is not None
    assert (outcome.status, str(outcome.reason).startswith(sentence)) == ("failed", True), outcome
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == str(outcome.reason)
    assert not (runs.path / "line").exists() or tickets(runs) == []
    if break_it is damaged:
        assert (run.path / "metrics.jsonl").read_bytes() == b"precious\n"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.main(["train", str(tmp_path)]) == 2
    assert worker.main(["train"]) == 2
    assert "usage: " in capsys.readouterr().err


# --- in process, with a loop that is not PyTorch's -------------------------------------------------------


def in_process(run: Run, monkeypatch: pytest.MonkeyPatch, fit: Callable[..., Any]) -> int:
    found = [{"name": "cpu", "title": "CPU", "memory": 2**33}]
    own = {"fit": staticmethod(fit), "here": staticmethod(lambda: found)}
    monkeypatch.setattr(worker, "import_module", lambda name: type("module", (), own))
    return worker.main(["train", str(run.path)])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full; free some space, then resume the run."),
        (OSError(errno.EACCES, "Permission denied"), "The run's files could not be written: Permission denied"),
        (OSError("libcudart.so.12: cannot open"), "Training ended with an error: OSError: libcudart.so.12"),
        (ZeroDivisionError("division\nby zero"), "Training ended with an error: ZeroDivisionError: division"),
        (MemoryError(), "Training ended with an error: MemoryError"),
        (InputError("The {what} is too small.", what="net"), "The net is too small."),
    ],
    ids=str,
)
def test_every_error_becomes_an_outcome(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fit(*_: object) -> None:
        raise error

    run = runs.create(CONFIG)
    assert in_process(run, monkeypatch, fit) == 1
    outcome = run.outcome()
    assert outcome is not None
    assert (outcome.status, str(outcome.reason)[: len(sentence)]) == ("failed", sentence)
    assert not run.locked()
    assert run.resumable(run.status())


def test_a_run_that_ends_tells_the_next_forecast_how_long_its_steps_took(runs: Runs) -> None:
    run = start(runs, CONFIG)
    outcome = ended(run)
    (found,) = experience.past(runs.path, "cpu")
    assert found[:4] == experience.steps_of(CONFIG, "float32")[:4]
    assert 0 < found.share <= 1
    rate = outcome.examples_per_sec
    assert rate
    assert 0.3 < found.seconds * rate / CONFIG.training.batch_size <= 1.01  # the first step does not count
    short = replace(CONFIG, training=replace(CONFIG.training, images=experience.FEWEST * 20, epochs=1))
    ended(start(runs, short))
    ended(members := start_race(runs, [CONFIG, CONFIG])[0])
    assert members.environment()
    assert experience.past(runs.path, "cpu") == [found]


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_devices_that_nobody_looked_at_are_no_reason_for_another_process(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """PyTorch, which the trainer loads anyway, is asked in its own process, and nothing is measured for that."""
    (runs.path / "devices.json").unlink()
    monkeypatch.setattr(processes, "ask", None)
    asked: list[Config] = []
    run = runs.create(replace(CONFIG, device=device))
    assert in_process(run, monkeypatch, lambda config, _: (asked.append(config), iter(()))[1]) == 0
    assert [config.device for config in asked] == ["cpu"]
    run = runs.create(replace(CONFIG, device="cuda:1"))
    assert in_process(run, monkeypatch, lambda *_: iter(())) == 1
    outcome = run.outcome()
    assert outcome is not None
    assert str(outcome.reason) == "There is no device cuda:1 here; there are cpu."


def test_on_a_full_disk_it_ends_with_a_line(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs.create(CONFIG)
    (run.path / "checkpoint").mkdir()
    shutil.copy(run.path / "config.json", run.path / "checkpoint" / "kept")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fit(*_: object) -> Iterator[None]:
        monkeypatch.setattr(worker, "write_json", full)
        full()
        yield

    assert in_process(run, monkeypatch, fit) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == ["training on cpu", "The disk is full; free some space, then resume the run."]
    assert output.err == ""
    outcome = run.outcome()  # there was room for it
    assert outcome is not None
    assert (outcome.status, str(outcome.reason)) == ("failed", output.out.splitlines()[-1])
    assert run.resumable(run.status())
    assert (run.path / "checkpoint" / "kept").exists()


def test_the_checkpoint_outlasts_a_crash_before_the_outcome(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.create(CONFIG)

    def fit(_: Config, session: worker.FolderSession) -> Iterator[None]:
        session.save(lambda path: path.write_bytes(b"state"))
        session.finish(lambda path: path.write_bytes(b"weights"), {})
        seen.append((run.path / "checkpoint" / "state.safetensors").exists())
        yield from ()

    seen: list[bool] = []
    assert in_process(run, monkeypatch, fit) == 0
    assert seen == [True]
    assert word(run) == "finished"
    assert not (run.path / "checkpoint").exists()


def test_a_stop_that_was_obeyed_does_not_concern_the_next_trainer(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.create(CONFIG)
    run.want(stop=True)
    assert in_process(run, monkeypatch, lambda *_: iter(())) == 0
    assert word(run) == "stopped"
    assert run.control() == {"until": None, "stop": False}


def test_checkpoints_take_a_twentieth_of_the_time_at_most(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.create(CONFIG)
    now = 1000.0
    monkeypatch.setattr(worker.time, "monotonic", lambda: now)
    session = worker.FolderSession(run, worker.Heartbeat(run))
    session._every = 60

    def write(path: Path) -> None:
        nonlocal now
        path.write_bytes(b"state")
        now += 10

    now += 59
    assert not session.wants_checkpoint()
    now += 2
    assert session.wants_checkpoint()
    session.save(write)
    now += 199
    assert not session.wants_checkpoint()
    now += 2
    assert session.wants_checkpoint()


# --- starting and killing without a trainer --------------------------------------------------------------


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the processes that were ended, instead of ending them."""
    sent: list[int] = []
    monkeypatch.setattr(launch, "end", sent.append)
    return sent


def test_nobody_is_killed_whose_lock_is_free(runs: Runs, signals: list[int]) -> None:
    run = runs.create(CONFIG)
    kill(run)
    pid = os.getpid()
    write_json(run.path / "heartbeat", {"beat": 1, "pid": pid, "began": process_began(pid)})
    kill(run)
    (run.path / "run.lock").touch()
    kill(run)
    assert signals == []


def test_only_the_process_that_wrote_the_heartbeat_is_killed(
    runs: Runs, signals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(CONFIG)
    pid = os.getpid()
    monkeypatch.setattr(run, "locked", lambda: True)
    for beat in ({"pid": 0}, {"pid": -1}, {"pid": 1}, {"pid": "1"}, {}):
        write_json(run.path / "heartbeat", {"beat": 1, **beat})
        kill(run)
    if process_began(pid) is not None:
        write_json(run.path / "heartbeat", {"beat": 1, "pid": pid, "began": 5})
        kill(run)
    assert signals == []
    write_json(run.path / "heartbeat", {"beat": 1, "pid": pid, "began": process_began(pid)})
    kill(run)
    assert signals == [pid]


def test_where_nobody_knows_when_a_process_began_its_id_is_not_believed(
    runs: Runs, signals: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(CONFIG)
    monkeypatch.setattr(run, "locked", lambda: True)
    monkeypatch.setattr(processes, "process_began", lambda _: None)
    write_json(run.path / "heartbeat", {"beat": 1, "pid": os.getpid(), "began": None})
    with pytest.raises(InputError, match=f"end the trainer by hand, it is process .{os.getpid()}"):
        kill(run)
    about = {"pid": os.getpid(), "began": None, "host": platform.node()}
    (run.path / "ranks").mkdir()
    write_json(run.path / "ranks" / "1.json", about)
    assert ranks.living(run) == []
    assert signals == []


def test_a_trainer_that_cannot_be_started_leaves_no_ticket(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(launch.subprocess, "Popen", fails)
    with pytest.raises(InputError, match="The trainer could not be started: Cannot allocate memory"):
        start(runs, CONFIG)
    assert tickets(runs) == []
    assert [word(run) for run in runs.all(recorded=False)] == ["interrupted"]


def test_without_pytorch_nothing_is_created(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vggexplorer.processes.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs PyTorch"):
        start(runs, CONFIG)
    assert runs.all(recorded=False) == []


def test_a_folder_of_pictures_is_the_same_from_everywhere(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    for name in ("black", "white"):
        (tmp_path / "my" / "cats" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "my" / "cats" / name / f"{number}.png").write_bytes(b"")
    cats = Dataset("folder", f"{tmp_path}/my/cats")
    assert start(runs, replace(CONFIG, dataset=Dataset("folder", "my/cats"))).config().dataset == cats
    assert start(runs, CONFIG).config().dataset == Dataset("sample")


def test_two_pages_that_resume_at_once_start_one_trainer(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    run = runs.create(CONFIG)
    write_json(run.path / "outcome.json", Outcome(status="stopped").to_json())
    monkeypatch.setattr(launch, "command", lambda run, *_: [sys.executable, "-c", TRAINER, str(run.path)])

    def attempt(_: int) -> str:
        try:
            resume(runs, Run(run.path))
        except InputError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(attempt, range(3)))
    (run.path / "over").touch()
    assert answers[0] == ""
    assert all(answer.startswith("This run cannot be resumed") for answer in answers[1:])
    assert log(run) == "started\n"
    wait_until(lambda: not run.locked())


TRAINER = """
import sys, time
from pathlib import Path
from filelock import FileLock
path = Path(sys.argv[1])
with FileLock(path / "run.lock"):
    print("started", flush=True)
    time.sleep(0.3)
    (path / "outcome.json").unlink()
    (path / "heartbeat").write_text('{"beat": 1}')
    for _ in range(500):
        if (path / "over").exists():
            break
        time.sleep(0.05)
"""
