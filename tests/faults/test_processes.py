"""Trainers that hang, meet each other, lose their device or their clock: nobody waits for ever, nobody else is hurt."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from filelock import FileLock
from test_runs_page import Page
from test_train_page import Train

from faults.conftest import CONFIG, TRAINING, Nursery, Whole, check_the_end, steps
from vggexplorer.errors import InputError
from vggexplorer.processes import process_began
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.launch import kill, resume, start, stop
from vggexplorer.text import parse_network

LONG = replace(CONFIG, training=replace(TRAINING, epochs=1_000))
ADVICE = "a smaller batch, a smaller input or a smaller width helps."


def log(run: Run) -> str:
    return (run.path / "output.log").read_text()


def reason(run: Run) -> str:
    outcome = run.outcome()
    assert outcome is not None, log(run)
    assert outcome.status == "failed"
    return str(outcome.reason)


def lives(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes(text: str) -> list[int]:
    """All processes whose command line, environment or working folder has `text` in it; not this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            words += os.readlink(path / "cwd").encode()
        except OSError:
            continue
        if text.encode() in words and int(path.name) != os.getpid():
            found.append(int(path.name))
    return found


def children(pid: int) -> list[tuple[int, str]]:
    """The children of a process, each with its state; Z is a zombie."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid:
            found.append((int(path.parent.name), state))
    return found


# --- hanging -------------------------------------------------------------------------------------------------


def buttons(page: Page | Train) -> set[str]:
    return {button.label for button in page.test.button}


def test_a_trainer_that_ignores_stop_can_be_ended(
    nursery: Nursery, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeat goes on, so it is not unresponsive; after a while each page offers to end it, which ends it."""
    monkeypatch.setattr("vggexplorer.runs.folder.run.STOP_TIMEOUT", 0.5)
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(runs.path))
    run = runs.create(LONG)
    pid = nursery.start(run, "deaf")
    wait_until(lambda: steps(run))
    page, train = Page(run.id), Train(run=run.id)
    assert "End its process" not in buttons(page) | buttons(train)
    stop(run)
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.6)
    at = len(steps(run))
    wait_until(lambda: len(steps(run)) > at)
    assert "End its process" in buttons(page.run())
    train.run()
    assert "End its process" in buttons(train)
    assert "Stop" not in buttons(train)
    os.kill(pid, signal.SIGSTOP)  # frozen as well: one button that ends it, not two
    monkeypatch.setattr(Watch, "lives", lambda *_: False)
    train.run()
    assert not train.test.exception
    assert [button.label for button in train.test.button].count("End its process") == 1
    kill(run)
    wait_until(lambda: run.status().word == "interrupted")  # a lock is free when the last thread is gone
    assert not lives(pid)
    assert run.resumable(run.status())


def test_stopped_while_it_was_frozen_it_stops_when_it_thaws(nursery: Nursery, whole: Whole, runs: Runs) -> None:
    run = runs.create(CONFIG)
    pid = nursery.start(run, "slow", 0.1)
    wait_until(lambda: steps(run))
    watch = Watch(timeout=1.5)
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: run.status(watch).word == "unresponsive", 10)
    stop(run)
    time.sleep(0.3)
    assert run.status(watch).word == "unresponsive"
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not lives(pid), 10)
    outcome = run.outcome()
    assert outcome is not None
    assert outcome.status == "stopped"
    assert nursery.train(run) == 0
    check_the_end(run, whole.run)


# --- whose process is it? --------------------------------------------------------------------------------


@pytest.fixture
def stranger() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that belongs to somebody else."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()


def test_after_a_reboot_stale_files_stop_nothing_and_hurt_nobody(
    nursery: Nursery, whole: Whole, runs: Runs, stranger: "subprocess.Popen[bytes]"
) -> None:
    """All died at once; the process ids belong to somebody else now, the lock files are there but free."""
    first, second, other = (runs.create(CONFIG) for _ in range(3))
    pids = [nursery.start(first, "slow", 0.2)]
    wait_until(lambda: steps(first))
    pids.append(nursery.start(second, "slow", 0.2))
    wait_until(lambda: second.status().word == "waiting")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(lives, pids)))
    assert {path.name for path in runs.path.glob("*.lock")} >= {"device-cpu.lock", "line.lock"}
    assert len(list((runs.path / "line").iterdir())) == 2
    for run in (first, second):
        assert (run.path / "run.lock").exists()
        write_json(run.path / "heartbeat", run.heartbeat() | {"pid": stranger.pid})
        wait_until(lambda run=run: run.status().word == "interrupted")
        kill(run)
        stop(run)
    assert stranger.poll() is None
    for run in (other, second, first):
        run.want()
        assert nursery.train(run) == 0
        check_the_end(run, whole.run)
    assert stranger.poll() is None


def test_a_process_id_is_not_believed_while_another_trainer_holds_the_lock(
    runs: Runs, stranger: "subprocess.Popen[bytes]"
) -> None:
    """The old heartbeat is still there, the new trainer has written none; even the time of its start may be known."""
    run = runs.create(CONFIG)
    with FileLock(run.path / "run.lock", thread_local=False):
        for began in (0, (process_began(stranger.pid) or 0) - 1):
            write_json(run.path / "heartbeat", {"beat": 1, "pid": stranger.pid, "began": began})
            assert run.locked()
            kill(run)
        write_json(run.path / "heartbeat", {"beat": 1, "pid": stranger.pid, "began": None})
        with pytest.raises(InputError, match="by hand"):
            kill(run)
    time.sleep(0.1)
    assert stranger.poll() is None


def test_two_trainers_on_one_run(nursery: Nursery, whole: Whole, runs: Runs) -> None:
    """The second one goes away; what the first one writes is not disturbed."""
    run = runs.create(CONFIG)
    pid = nursery.start(run, "slow", 0.15)
    wait_until(lambda: steps(run))
    assert nursery.train(run) == 3
    assert "Another trainer is at this run." in log(run)
    wait_until(lambda: not lives(pid))
    check_the_end(run, whole.run)


# --- no memory, no device, no number, no clock ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "message", "sentence"),
    [
        ("memory", "CUDA out of memory. Tried to allocate 2.00 GiB.", f"The memory of cpu is not enough; {ADVICE}"),
        ("device", "MPS backend out of memory (8 GB)", f"The memory of cpu is not enough; {ADVICE}"),
        (
            "device",
            "CUDA error: unspecified launch failure\nmore",
            "The device cpu does not answer any more: CUDA error:",
        ),
        (
            "device",
            "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
            "The device cpu does not answer any more: cuDNN error",
        ),
        ("device", "weights are odd", "Training ended with an error: RuntimeError: weights are odd"),
    ],
)
def test_a_device_that_fails_is_explained_and_the_run_goes_on(
    nursery: Nursery, whole: Whole, runs: Runs, kind: str, message: str, sentence: str
) -> None:
    run = runs.create(CONFIG)
    assert nursery.train(run, "fails", 9, kind, message) == 1
    assert reason(run).startswith(sentence)
    assert steps(run) == list(range(1, 10))
    assert nursery.train(run) == 0
    check_the_end(run, whole.run)


def test_memory_that_is_really_not_enough(nursery: Nursery, runs: Runs) -> None:
    """By a limit of the system: the first linear layer alone would take two gigabytes."""
    network = parse_network({"arch": "1x64", "input": "1x64x64", "hidden": "8192"})
    run = runs.create(replace(CONFIG, network=network))
    assert nursery.train(run, "small_memory", 2**29) == 1
    assert reason(run) == f"The memory of cpu is not enough; {ADVICE}"
    assert "Traceback" not in log(run)


def test_a_loss_that_is_not_a_number(nursery: Nursery, runs: Runs) -> None:
    network = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "none"})
    training = replace(TRAINING, lr=1000.0, momentum=0.0, weight_decay=1.0, epochs=100, batch_norm=False)
    run = runs.create(replace(CONFIG, network=network, training=training))
    assert nursery.train(run) == 1
    assert reason(run).startswith("The loss is not a number any more (step ")
    assert reason(run).endswith("A smaller learning rate, or Xavier initialisation, helps.")
    assert "NaN" not in (run.path / "metrics.jsonl").read_text()


def test_a_device_that_is_not_there(nursery: Nursery, runs: Runs) -> None:
    run = runs.create(replace(CONFIG, device="cuda:3"))
    assert nursery.train(run) == 1
    assert reason(run) == "There is no device cuda:3 here; there are cpu."


def test_a_clock_that_jumps_changes_no_duration(nursery: Nursery, whole: Whole, runs: Runs) -> None:
    """A day forth and a day back at each look at the wall clock."""
    run = runs.create(CONFIG)
    began = time.monotonic()
    assert nursery.train(run, "clock", 86_400.0) == 0
    took = time.monotonic() - began
    seconds = [record.seconds for record in run.records()]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] < took
    assert all(record.examples_per_sec >= record.examples_per_sec_wall > 0 for record in run.records())
    check_the_end(run, whole.run)


def test_a_clock_that_jumps_does_not_make_the_living_dead(
    nursery: Nursery, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(LONG)
    nursery.start(run, "slow", 0.05)
    wait_until(lambda: steps(run))
    watch, now = Watch(), time.time()
    for jump in (-(10**8), 10**8, 0):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert run.status(watch).word in ("running", "evaluating", "saving")
    kill(run)
    wait_until(lambda: not run.locked())
    for jump in (-(10**8), 10**8):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert run.status().word == "interrupted"


# --- what is left of it in the list of processes -------------------------------------------------------------


@pytest.mark.long
def test_nothing_is_left_after_stop(runs: Runs) -> None:
    """A real trainer, started as the page starts it: no child, no helper, no zombie."""
    run = start(runs, LONG)
    wait_until(lambda: steps(run), what=log(run))
    pid = run.heartbeat()["pid"]
    assert processes(str(run.path)) == [pid]
    assert children(pid) == []
    stop(run)
    wait_until(lambda: run.outcome())
    wait_until(lambda: not processes(str(run.path)))
    wait_until(lambda: pid not in dict(children(os.getpid())), what="no zombie")
    resume(runs, run)
    wait_until(lambda: run.status().word in ("running", "evaluating"))
    again = run.heartbeat()["pid"]
    kill(run)
    wait_until(lambda: again not in dict(children(os.getpid())), what="no zombie")
    assert not processes(str(run.path))


LAUNCHER = """
import json, sys, time
from pathlib import Path
from vggexplorer.runs.config import Config
from vggexplorer.runs.launch import start
from vggexplorer.runs.folder.runs import Runs
print(start(Runs(Path(sys.argv[1])), Config.from_json(json.loads(sys.argv[2]))).id, flush=True)
time.sleep(600)
"""


def test_launcher_and_trainer_are_both_killed(nursery: Nursery, whole: Whole, runs: Runs) -> None:
    """The server and its trainer die together, as when the power goes; the next server finds the run and resumes it."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(runs.path), json.dumps(CONFIG.to_json())],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert launcher.stdout is not None
    run = runs.get(launcher.stdout.readline().strip())
    assert run is not None
    wait_until(lambda: run.heartbeat().get("pid"))
    wait_until(lambda: run.status().word != "starting")
    for pid in (launcher.pid, run.heartbeat()["pid"]):
        os.kill(pid, signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    wait_until(lambda: run.status().word == "interrupted")
    assert run.resumable(run.status())
    assert nursery.train(run) == 0
    check_the_end(run, whole.run)


def test_a_waiting_trainer_takes_next_to_no_time(nursery: Nursery, runs: Runs) -> None:
    """It looks at the line four times a second."""
    first, second = runs.create(LONG), runs.create(LONG)
    nursery.start(first, "slow", 0.1)
    wait_until(lambda: steps(first))
    pid = nursery.start(second)
    wait_until(lambda: second.status().word == "waiting")

    def used() -> float:
        user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(4)
    assert used() - before <= 0.1 * 4, "it waits busily; a slow machine takes 0.02 of a processor"
