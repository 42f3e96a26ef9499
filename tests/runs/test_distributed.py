"""One run in several processes: the network that one makes, no example twice, and nobody is left when one dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import wait_until
from real_runs import end_all, folder_of_runs
from safetensors.torch import load_file

from vggexplorer import cli
from vggexplorer.errors import InputError
from vggexplorer.processes import process_began
from vggexplorer.pytorch import distributed, weights
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.runs import launch, places
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import ranks
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.ranks import Rank
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.runs.places import Place
from vggexplorer.runs.trainer import worker
from vggexplorer.runs.trainer.session import Session
from vggexplorer.text import parse_network

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
BATCH = 1999
"""Of 6,000 examples three such batches leave three: two processes cannot share any batch evenly."""
NETWORK = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "none"})
TRAINING = Training(
    **{"input_size": 28, "epochs": 3, "batch_size": BATCH, "lr": 0.01, "schedule": "linear", "momentum": 0.5},
    precision="float32",
    checkpoint_every=1.0,
)
CONFIG = Config(network=NETWORK, training=TRAINING, device="cpu")
TWO = Place(nproc=2)
CLOSE = 1e-5


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other are slow where tests run side by side."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """A folder of runs where the devices are known; what still trains in the end is killed."""
    monkeypatch.setattr(places, "processors", lambda: 2)
    runs = folder_of_runs(tmp_path / "runs")
    yield runs
    end_all(runs)


class Keeper(Session):
    """Keeps the trained weights."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def finish(self, write: Callable[[Path], None], *_: object) -> None:
        write(self.path)


class Whole:
    """What one process makes of `CONFIG`."""

    def __init__(self, path: Path) -> None:
        before = torch.get_num_threads()
        self.records = list(fit(CONFIG, Keeper(path)))
        torch.set_num_threads(before)
        self.weights = weights.load(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole") / "model")


def check_same(run: Run, whole: Whole) -> None:
    """The records and the weights of `run` are those of one process that was not interrupted."""
    records = run.records()
    assert [place(each) for each in records] == [place(each) for each in whole.records]
    for one, other in zip(records, whole.records, strict=True):
        assert one.batch_loss == pytest.approx(other.batch_loss, abs=CLOSE)
        assert one.train_loss == pytest.approx(other.train_loss, abs=CLOSE)
        assert one.train_acc == pytest.approx(other.train_acc, abs=2 / 6000)
        assert (one.test_acc is None) == (other.test_acc is None)
        assert one.test_loss == pytest.approx(other.test_loss, abs=CLOSE)
        assert one.test_acc == pytest.approx(other.test_acc, abs=2 / 1000)
    trained = load_file(run.path / "model.safetensors")
    assert trained.keys() == whole.weights.keys()
    for name, value in trained.items():
        torch.testing.assert_close(value, whole.weights[name], rtol=0, atol=CLOSE)
    matrix = run.json("result.json")["confusion"]
    assert sum(map(sum, matrix)) == 1000


def place(record: Record) -> tuple[int, float, int]:
    return record.step, record.epoch, record.examples


def log(run: Run) -> str:
    return (run.path / "output.log").read_text()


def ended(run: Run) -> Outcome | None:
    try:
        wait_until(lambda: not run.status().active, 90)
    except AssertionError as error:
        raise AssertionError(log(run)) from error
    return run.outcome()


def paused(run: Run, step: int) -> list[int]:
    """Wait for the pause after `step` steps; the processes of the run: torchrun, the first one, the second one."""
    run.want(until=step)
    try:
        wait_until(lambda: run.status().word == "paused", 90)
    except AssertionError as error:
        raise AssertionError(log(run)) from error
    assert run.status().step == step
    first = run.heartbeat()["pid"]
    (second,) = ranks.living(run)
    parent = int(Path(f"/proc/{first}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    return [parent, first, second]


def all_gone(pids: list[int]) -> None:
    wait_until(lambda: not any(map(process_began, pids)), 20, "the end of all processes")


# --- real processes --------------------------------------------------------------------------------------


@pytest.mark.long
def test_two_processes_make_the_network_of_one(runs: Runs, whole: Whole) -> None:
    options = f"--hidden none --input 1x28x28 --device cpu --nproc 2 --json --runs {runs.path}".split()
    asked = f"--recipe d2l-vgg --input-size 28 --epochs 3 --batch-size {BATCH} --lr 0.01 --momentum 0.5".split()
    asked += ["--schedule", "linear", "--precision", "float32"]
    done = subprocess.run(
        [sys.executable, "-m", "vggexplorer", "train", "1x4,1x8", *options, *asked],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (run,) = runs.all(recorded=False)
    assert done.returncode == 0, done.stderr + log(run)
    assert replace(run.config().training, checkpoint_every=1.0) == TRAINING
    check_same(run, whole)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert (outcome["status"], outcome["step"]) == ("finished", len(whole.records))
    assert run.environment()["processes"] == 2
    assert not (run.path / "forecast.json").exists()
    assert not (run.path / "ranks").exists()
    assert not list(run.path.glob(".*"))


@pytest.mark.long
def test_batch_norm_takes_in_tests_what_one_process_would_estimate(runs: Runs) -> None:
    training = replace(TRAINING, batch_norm=True, epochs=1, images=500, batch_size=99)
    run = launch.start(runs, replace(CONFIG, training=training), place=TWO)
    outcome = ended(run)
    assert outcome is not None
    assert outcome.status == "finished", log(run)
    trained = load_file(run.path / "model.safetensors")
    trainer = Trainer(run.config(), Session())
    parameters = {name for name, _ in trainer.net.named_parameters()}
    trainer.net.load_state_dict({name: trained[name] for name in parameters}, strict=False)
    loss, accuracy, _ = trainer.test()
    for name, value in trainer.net.state_dict().items():
        torch.testing.assert_close(value, trained[name], rtol=0, atol=CLOSE)
    result = run.json("result.json")
    assert (result["test_loss"], result["test_acc"]) == (pytest.approx(loss, abs=CLOSE), accuracy)


@pytest.mark.long
@posix
def test_nobody_is_left_when_one_dies_and_the_run_goes_on_with_another_number(runs: Runs, whole: Whole) -> None:
    run = launch.start(runs, CONFIG, place=TWO)
    processes = paused(run, 2)
    os.kill(processes[2], signal.SIGSTOP)  # one that hangs would not end because the first one is gone
    launch.kill(run)
    all_gone(processes)
    assert run.status().word == "interrupted"

    launch.resume(runs, run)  # with as many processes
    processes = paused(run, 5)
    assert run.environment()["processes"] == 2
    os.kill(processes[0], signal.SIGTERM)
    stopped = ended(run)
    assert stopped is not None
    assert (stopped.status, stopped.step) == ("stopped", 5), log(run)
    all_gone(processes)

    launch.resume(runs, run)
    processes = paused(run, 7)
    os.kill(processes[2], signal.SIGKILL)
    failed = ended(run)
    assert failed is not None
    assert failed.status == "failed", log(run)
    assert "A process of the run died" in str(failed.reason)
    all_gone(processes)

    launch.resume(runs, run, Place())
    finished = ended(run)
    assert finished is not None
    assert finished.status == "finished", log(run)
    assert run.environment()["processes"] == 1
    check_same(run, whole)


# --- shares ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", [2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 4, 5, 7, 1999])
def test_a_batch_is_shared_without_overlap_and_each_example_counts_alike(count: int, world: int) -> None:
    rows = torch.randperm(count)
    shares = [distributed.shared(rows, number, world) for number in range(world)]
    assert torch.cat([share.rows[: share.own] for share in shares]).equal(rows)
    assert all(len(share.rows) for share in shares)  # even one with nothing of its own has to take part
    losses = torch.rand(count, dtype=torch.float64)
    weighted = torch.stack([losses[share.rows].mean() * share.weight for share in shares])
    torch.testing.assert_close(weighted.mean(), losses.mean())


# --- what cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nproc", "config", "sentence"),
    [
        (3, CONFIG, "There are 2 processors here; a run of 3 processes needs as many."),
        (
            2,
            replace(CONFIG, training=replace(TRAINING, batch_size=1)),
            "A batch of 1 example is too small for 2 processes: each needs an example.",
        ),
        (2, replace(CONFIG, device="mps"), "There is no device mps here; there are cpu."),
    ],
)
def test_too_many_processes_are_refused(runs: Runs, nproc: int, config: Config, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        launch.start(runs, config, place=Place(nproc=nproc))
    assert str(error.value) == sentence
    assert runs.all(recorded=False) == []


@pytest.mark.parametrize("nproc", [0, -1, 5000, 1.5, True, "2"])
def test_a_number_of_processes_that_is_none_is_refused(nproc: Any) -> None:
    with pytest.raises(InputError, match="the number of processes must be"):
        Place(nproc=nproc)


def test_each_process_has_a_gpu_of_its_own() -> None:
    assert places.several("cuda:1", 3) == ["cuda:1", "cuda:2", "cuda:3"]
    assert places.several("cpu", 3) == ["cpu"]
    with pytest.raises(InputError, match="one process"):
        places.several("mps", 2)


@pytest.mark.parametrize("content", ["", "[]", '{"nproc": 0}', '{"nproc": 2, "planet": "mars"}'])
def test_a_damaged_place_is_this_machine(runs: Runs, content: str) -> None:
    run = runs.create(CONFIG)
    (run.path / "place.json").write_text(content)
    assert Place.of(run) == Place()


def test_a_start_knows_its_place_without_the_file(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(Place, "of", lambda _: pytest.fail("It was read."))
    monkeypatch.setattr(launch, "detached", lambda command, _, environment: asked.append((command, environment)))
    launch.start(runs, CONFIG)
    launch.start(runs, CONFIG, place=TWO)
    (one, _), (two, environment) = asked
    assert "torch.distributed.run" not in one
    assert two[two.index("--nproc-per-node") + 1] == "2"
    assert "OMP_NUM_THREADS" in environment


def test_a_place_is_kept_beside_what_was_asked(runs: Runs) -> None:
    run = runs.create(CONFIG)
    asked = (run.path / "config.json").read_bytes()
    assert Place.of(run) == Place()
    for place in (Place(nproc=2), Place(cluster="10.0.0.1:6379", cores=3)):
        place.keep(run)
        assert Place.of(run) == place
    assert (run.path / "config.json").read_bytes() == asked


def test_the_command_line_says_what_is_wrong_with_a_number_of_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, sentence in {
        "two": "The number of processes must be a whole number, not “two”.",
        "0": "The number of processes must be from 1 to 1,024, not 0.",
    }.items():
        assert cli.main(["train", "lenet", "--nproc", text, "--runs", str(tmp_path)]) == 2
        assert capsys.readouterr().err.splitlines()[-1] == sentence
    assert not list(tmp_path.iterdir())


# --- what the processes leave for each other -------------------------------------------------------------


SECOND = Rank(1, 2, 1, 2, "job")


def test_a_process_that_fails_says_why(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "LAST_WORDS", 0.2)
    run = runs.create(CONFIG)
    ranks.note(run, SECOND)
    assert ranks.living(run) == [os.getpid()]
    session = worker.FolderSession(run, worker.Heartbeat(run))

    def lose(_: worker.FolderSession) -> Outcome:
        raise ranks.ProcessLostError("It is gone.")

    assert str(worker._guarded(session, lose).reason) == "It is gone."
    ranks.note(run, SECOND, InputError("The memory of {device} is not enough.", device="cuda:1"))
    outcome = worker._guarded(session, lose)
    assert (outcome.status, str(outcome.reason)) == ("failed", "The memory of cuda:1 is not enough.")
    ranks.forget(run)
    assert ranks.living(run) == []


def test_only_a_process_of_ours_that_lives_is_ended(runs: Runs) -> None:
    run = runs.create(CONFIG)
    ranks.note(run, SECOND)
    file = run.path / "ranks" / "1.json"
    own = json.loads(file.read_text())
    for wrong in ({"began": 1}, {"host": "elsewhere"}, {"pid": 1}, {"pid": "7"}):
        write_json(file, own | wrong)
        assert ranks.living(run) == []


def test_the_second_process_waits_for_the_first_one_of_its_own_start(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "START_TIMEOUT", 0.3)
    run = runs.create(CONFIG)
    told = {"phase": "loading", "device": "cpu", "precision": "float32"}
    write_json(run.path / "heartbeat", {"beat": 7, "job": "job", **told})
    assert worker._turn_of_first(run, SECOND) is None  # left by a first process that is gone

    def beats(*heartbeats: dict[str, Any]) -> Any:
        left = iter(heartbeats)
        monkeypatch.setattr(worker.time, "sleep", lambda _: write_json(run.path / "heartbeat", next(left)))
        return worker._turn_of_first(run, SECOND)

    waiting = {"beat": 1, "phase": "waiting", "job": "job"}
    assert beats(waiting, {"beat": 2, "job": "job", **told}) == {"beat": 2, "job": "job", **told}
    assert beats({"beat": 1, "phase": "starting", "job": "another"}) is None
    write_json(run.path / "outcome.json", Outcome(status="stopped").to_json())
    assert beats({**waiting, "beat": 3}) is None  # stopped in the line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[/src/gloo/pair.cc:534] Connection closed by peer [127.0.0.1]:11500", "Connection closed by peer"),
        (
            "[1] [x] Read error: Connection reset by peer. This is typical.\nMore",
            "Read error: Connection reset by peer",
        ),
        ("mat1 and mat2 shapes cannot be multiplied", None),
    ],
)
def test_an_error_that_another_process_is_the_reason_of(text: str, reason: str | None) -> None:
    lost = distributed.lost(RuntimeError(text))
    assert (lost and reason and f"({reason}" in str(lost)) if reason else lost is None
