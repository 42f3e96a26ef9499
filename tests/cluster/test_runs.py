"""Runs on a real cluster of two nodes: their curves are those of this machine, whoever dies."""

import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from real_runs import CONFIG, LONG, TRAINING, check_same_records, folder_of_runs

from cluster.conftest import Cluster, descendants, program
from vggexplorer.errors import InputError
from vggexplorer.runs.cluster.holder import Free, ask
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status
from vggexplorer.runs.launch import kill, resume, start, stop
from vggexplorer.runs.places import Place


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the nodes: a run of one processor has one thread."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def log(run: Run) -> str:
    return (run.path / "output.log").read_text()


def ended(run: Run) -> Outcome:
    try:
        wait_until(lambda: not run.status().active, 120)
    except AssertionError as error:
        raise AssertionError(f"{run.status()} {log(run)}") from error
    outcome = run.outcome()
    assert outcome, f"{run.status()} {log(run)}"
    return outcome


def reached(run: Run, step: int) -> None:
    wait_until(lambda: (last := run.last_record()) and last.step >= step, 120, f"step {step} of {log(run)}")


def paused(run: Run, step: int) -> None:
    """Have it train up to `step`, which is saved there, and wait."""
    run.want(until=step)
    wait_until(lambda: run.status() == Status("paused", step), 120, f"the pause of {log(run)}")
    wait_until(lambda: run.saved_step() == step)


def finished(run: Run) -> None:
    outcome = ended(run)
    assert (outcome.status, outcome.step, outcome.device) == ("finished", 600, "cpu"), log(run)
    assert run.weights()
    assert run.json("result.json")
    assert list((run.path / "snapshots").glob("*.safetensors"))
    wait_until(lambda: not run.locked(), what="the holder of the run to be gone")
    assert not (run.path / "checkpoint").exists()
    assert not list(run.path.glob("**/.*"))
    assert len(re.findall(r"^[0-9.]+ seconds$", log(run), re.MULTILINE)) == 1, log(run)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run as it is on this machine, without a cluster."""
    runs = folder_of_runs(tmp_path_factory.mktemp("here") / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        run = start(runs, CONFIG)
        finished(run)
    return run


def same(one: Run, other: Run) -> None:
    """The same curve, and the same network to the bit."""
    check_same_records(one, other)
    first, second = one.weights(), other.weights()
    assert first
    assert second
    assert first.read_bytes() == second.read_bytes()


def trainer_of(member: Any) -> int:
    """The id of the process that trains on a node."""
    found = [pid for pid in descendants(member.process.pid) if b"pytorch.train" in _command(pid)]
    return found[0] if found else 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def gone(pid: int) -> bool:
    return program(pid) == ""


# --- what a run does ---------------------------------------------------------------------------------------


def test_a_run_that_is_paused_stopped_and_resumed_there_ends_as_one_here(
    cluster: Cluster, runs: Runs, whole: Run
) -> None:
    run = start(runs, CONFIG, place=Place(cluster=cluster.address))
    paused(run, 100)
    run.want(until=101)
    wait_until(lambda: run.status() == Status("paused", 101))
    assert run.json("step.json")["step"] == 101
    run.want()
    reached(run, 200)
    assert [pid for member in cluster.members.values() if (pid := trainer_of(member))]
    stop(run)
    outcome = ended(run)
    assert outcome.status == "stopped"
    assert run.saved_step() == outcome.step == run.records()[-1].step

    resume(runs, run)
    finished(run)
    same(run, whole)
    assert not list((runs.path / "line").iterdir())
    wait_until(lambda: not list((cluster.runs / "copies").iterdir()), what="the copies to be removed")


@pytest.mark.long
def test_of_two_nodes_one_dies_and_the_run_goes_on_at_the_other(cluster: Cluster, runs: Runs, whole: Run) -> None:
    place = Place(cluster=cluster.address)
    first = start(runs, LONG, "long", place=place)
    reached(first, 1)
    run = start(runs, CONFIG, "short", place=place)
    paused(run, 200)
    third = start(runs, CONFIG, "third", place=place)
    second = cluster.members["second"]
    trainer = trainer_of(second)
    assert trainer
    wait_until(lambda: third.status().word == "waiting")
    assert third.status().ahead == 0

    run.want(until=500)
    reached(run, 210)
    second.die()
    wait_until(lambda: gone(trainer), what="the trainer to be gone")
    stop(third)
    assert ended(third).status == "stopped"
    assert third.records() == []
    wait_until(lambda: run.status().word == "waiting", 60)
    assert 200 <= run.saved_step() <= 500
    run.want()
    stop(first)  # now there is room on the head
    assert ended(first).status == "stopped"
    finished(run)
    same(run, whole)


def test_who_holds_the_run_is_killed_and_the_node_is_free_again(cluster: Cluster, runs: Runs, whole: Run) -> None:
    run = start(runs, CONFIG, place=Place(cluster=cluster.address))
    paused(run, 200)
    trainers = [pid for member in cluster.members.values() if (pid := trainer_of(member))]
    assert len(trainers) == 1
    kill(run)
    wait_until(lambda: not run.locked())
    assert run.status().word == "interrupted"
    wait_until(lambda: gone(trainers[0]), what="the trainer to be gone")

    run.want()
    resume(runs, run)
    finished(run)
    same(run, whole)


def test_of_a_trainer_that_is_killed_on_its_node_a_sentence_is_left(cluster: Cluster, runs: Runs, whole: Run) -> None:
    run = start(runs, CONFIG, place=Place(cluster=cluster.address))
    paused(run, 200)
    (trainer,) = [pid for member in cluster.members.values() if (pid := trainer_of(member))]
    os.kill(trainer, signal.SIGKILL)
    outcome = ended(run)
    assert (outcome.status, outcome.step) == ("failed", run.records()[-1].step)
    assert log(run).endswith("The trainer on the node ended without a word; the run can be resumed.\n")

    run.want()
    resume(runs, run)
    finished(run)
    same(run, whole)


@pytest.mark.long
def test_many_runs_at_once_take_turns(cluster: Cluster, runs: Runs, whole: Run) -> None:
    many = [start(runs, CONFIG, place=Place(cluster=cluster.address)) for _ in range(4)]
    for run in many:
        finished(run)
        same(run, whole)


# --- what cannot be -------------------------------------------------------------------------------------------


def test_what_the_trainer_refuses_there_is_said_here(cluster: Cluster, runs: Runs) -> None:
    config = replace(CONFIG, training=replace(TRAINING, lr=1000.0, epochs=100, batch_size=100, weight_decay=1.0))
    run = start(runs, config, place=Place(cluster=cluster.address))
    outcome = ended(run)
    assert outcome.status == "failed"
    assert "not a number any more" in str(outcome.reason)
    assert log(run).count(str(outcome.reason)) == 1


@pytest.mark.parametrize(
    ("config", "cores", "words"),
    [
        (CONFIG, 64, "No node of the cluster has 64 processors; the one with the most has 1."),
        (replace(CONFIG, device="cuda"), 1, "No node of the cluster has a GPU."),
    ],
)
def test_what_no_node_has_is_said_at_once(cluster: Cluster, runs: Runs, config: Config, cores: int, words: str) -> None:
    outcome = ended(start(runs, config, place=Place(cluster=cluster.address, cores=cores)))
    assert (outcome.status, str(outcome.reason)) == ("failed", words)


def test_where_there_is_no_cluster_a_sentence_says_so(runs: Runs) -> None:
    outcome = ended(start(runs, CONFIG, place=Place(cluster="127.0.0.1:1")))
    assert outcome.status == "failed"
    assert str(outcome.reason).startswith("There is no cluster at 127.0.0.1:1, or this machine is no node of it")


# --- what there is --------------------------------------------------------------------------------------------


def test_a_process_of_its_own_says_what_is_free(cluster: Cluster, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    wait_until(lambda: ask("auto") == Free(2, 2, 2, 0, 0))
    run = start(runs, LONG, place=Place(cluster="auto"))
    reached(run, 1)
    wait_until(lambda: ask(cluster.address) == Free(2, 2, 1, 0, 0))
    stop(run)
    ended(run)


def test_who_does_not_have_the_token_stays_outside(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    with pytest.raises(InputError):
        ask(cluster.address)


def test_nobody_elsewhere_can_reach_the_cluster(cluster: Cluster) -> None:
    """All that listens does so on an address of this machine that nobody else can reach."""
    ours = [
        os.readlink(path)
        for member in cluster.members.values()
        for pid in descendants(member.process.pid)
        for path in Path(f"/proc/{pid}/fd").iterdir()
        if path.is_symlink()
    ]
    listening = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in ours:
                listening.append(fields[1])
    assert listening
    assert [each for each in listening if not is_loopback(each.partition(":")[0])] == []


def is_loopback(address: str) -> bool:
    """Whether an address, as /proc/net/tcp has it, is 127.x.x.x, ::1 or ::ffff:127.x.x.x."""
    if address == "00000000000000000000000001000000":
        return True
    return address.endswith("7F") and (len(address) == 8 or address.startswith("0000000000000000FFFF0000"))
