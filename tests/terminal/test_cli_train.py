"""`vggexplorer train` and `vggexplorer runs` from outside. Where PyTorch does not matter, a quick stand-in trains."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from real_runs import check_steps

from vggexplorer.forecast.precision import decide
from vggexplorer.runs import devices
from vggexplorer.runs.folder.records import parse_line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.steps import Choice, Why
from vggexplorer.terminal.progress import Before, Follower, Interrupts
from vggexplorer.terminal.views import PlainLines, View

VGGEXPLORER = (sys.executable, "-m", "vggexplorer")
TINY = ("1x4,1x8", "--hidden", "none", "--input-size", "28", "--epochs", "1", "--device", "cpu")
OUTCOME = {
    *("status", "loss", "train_acc", "test_acc", "best_test_acc", "examples_per_sec", "examples_per_sec_wall"),
    *("device", "seconds", "step", "run", "reason", "data", "num_odd", "odd", "parts"),
    *("balanced_acc", "recalls", "remarks"),
}
ROW = {
    *("id", "name", "status", "step", "ahead", "network", "architecture", "recipe", "dataset", "device", "created"),
    *("loss", "train_acc", "test_acc", "best_test_acc", "seconds", "params", "macs", "path", "recorded"),
    "balanced_acc",
}

posix = pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")

STAND_IN = """
import os, sys, time, types
from vggexplorer.errors import InputError
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.trainer import worker
from vggexplorer.runs.trainer.session import Command

def fit(config, session):
    what = os.environ.get("STAND_IN", "")
    steps, epochs = 4, config.training.epochs
    about = {"odd": ["“a/x.txt”: not\x1b a picture"], "num_odd": 7} if what == "odd" else {}
    session.begin({"device": "cpu", "num_steps": steps * epochs, "steps_per_epoch": steps} | about)
    for step in range(1, steps * epochs + 1):
        while what == "deaf" and step == 3:
            time.sleep(0.05)
        while what == "waits" and step == 3 and session.command(step) is not Command.STOP:
            time.sleep(0.05)
        if session.command(step) is Command.STOP:
            return
        if what == "fails" and step == 3:
            raise InputError("The loss is not a number any more (step {step}).", step=step)
        tested = {"test_loss": 0.5, "test_acc": step / 100} if step % steps == 0 else {}
        yield Record(step=step, epoch=step / steps, examples=8 * step, batch_loss=1.0, train_loss=1.0, train_acc=0.25,
                     lr=0.1, examples_per_sec=800.0, examples_per_sec_wall=400.0, seconds=step / 10, **tested)
    session.finish(lambda path: path.write_bytes(b""), {})

if os.environ.get("STAND_IN") == "breaks":
    sys.exit("no such thing")
sys.modules["vggexplorer.pytorch.loop"] = types.ModuleType("loop")
sys.modules["vggexplorer.pytorch.loop"].fit = fit
sys.exit(worker.main(sys.argv))
"""
WITH_STAND_IN = """
import sys
from vggexplorer import cli
from vggexplorer.runs import launch
from vggexplorer.runs.folder import run
from vggexplorer.terminal import progress
launch.command = lambda run, *_: [sys.executable, sys.argv[1], str(run.path)]
progress.HANGING = 0.5
run.START_TIMEOUT = 3
sys.exit(cli.main(sys.argv[2:]))
"""


class Place:
    """A folder of runs of its own, in which a stand-in trains."""

    def __init__(self, path: Path) -> None:
        self.runs = path / "runs"
        self.runs.mkdir()
        answer = {"machine": devices.machine(), "devices": [devices.Device("cpu", "CPU", 1, 1.0)._asdict()]}
        (self.runs / "devices.json").write_text(json.dumps(answer))
        (path / "stand_in.py").write_text(STAND_IN)
        self.command = [sys.executable, "-c", WITH_STAND_IN, str(path / "stand_in.py")]
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, what: str = "", **settings: Any) -> "subprocess.Popen[str]":
        surroundings = os.environ | {"VGGEXPLORER_RUNS": str(self.runs), "STAND_IN": what, "COLUMNS": "80"}
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"} | settings
        process = subprocess.Popen(
            [*self.command, *arguments], stdin=settings.pop("stdin", subprocess.DEVNULL), env=surroundings, **settings
        )
        self.started.append(process)
        return process

    def answer(self, *arguments: str, what: str = "") -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, what=what)
        status, output, errors = end(process)
        return subprocess.CompletedProcess(process.args, status, output, errors)

    def train(self, *arguments: str, what: str = "") -> "subprocess.CompletedProcess[str]":
        return self.answer("train", *(arguments or TINY), what=what)

    def listed(self) -> list[dict[str, Any]]:
        process = self.start("runs", "--json")
        status, output, errors = end(process)
        assert (status, errors) == (0, "")
        rows = json.loads(output)["runs"]
        assert all(row.keys() == ROW for row in rows)
        return [row for row in rows if not row["recorded"]]

    def run_at(self, step: int) -> Run:
        """The newest run, once it has come to `step`."""

        def there() -> Run | None:
            runs = Runs(self.runs).all(recorded=False)
            last = runs[0].last_record() if runs else None
            return runs[0] if last and last.step >= step else None

        run = wait_until(there, what=f"step {step}")
        assert run
        return run

    def clear(self) -> None:
        for run in Runs(self.runs).all(recorded=False):
            if run.locked():
                with suppress(OSError):
                    os.kill(run.heartbeat()["pid"], signal.SIGKILL)
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in filter(None, (process.stdout, process.stderr)):
                pipe.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.clear()


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """The exit status, the rest of standard output, the rest of standard error; fails after a minute."""
    timer = threading.Timer(60, process.kill)
    timer.start()
    # Not `communicate`, which loses what a `readline` before it has read too much.
    output = process.stdout.read() if process.stdout and not process.stdout.closed else ""
    errors = process.stderr.read() if process.stderr else ""
    timer.cancel()
    return process.wait(60), output, errors


def last_line(text: str) -> str:
    assert "Traceback" not in text
    return text.splitlines()[-1]


# --- with PyTorch ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real") / "runs"


def really_train(runs: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return really(runs, "train", *arguments)


def really(runs: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [*VGGEXPLORER, *arguments, "--runs", str(runs)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=300)


SLOWLY = (*TINY, "--batch-size", "16", "--seed", "3", "--recipe", "d2l-vgg", "--momentum", "0.9", "--lr", "1e-3")


@pytest.fixture(scope="module")
def uninterrupted(real: Path) -> "subprocess.CompletedProcess[str]":
    return really_train(real, *SLOWLY, "--json")


@pytest.mark.torch
def test_json_is_a_record_a_line_and_the_outcome(uninterrupted: "subprocess.CompletedProcess[str]", real: Path) -> None:
    assert uninterrupted.returncode == 0, uninterrupted.stderr
    *records, outcome = map(json.loads, uninterrupted.stdout.splitlines())
    check_steps([record["step"] for record in records], 375)
    assert all(parse_line(json.dumps(record).encode()) for record in records)
    assert {type(record[key]) for record in records for key in ("step", "examples", "memory")} == {int}
    assert outcome.keys() == OUTCOME
    assert (outcome["status"], outcome["device"], outcome["reason"], outcome["step"]) == ("finished", "cpu", None, 375)
    assert type(outcome["step"]) is int
    last = records[-1]
    assert (outcome["loss"], outcome["train_acc"]) == (last["train_loss"], last["train_acc"])
    for key in ("test_acc", "examples_per_sec", "examples_per_sec_wall", "seconds"):
        assert outcome[key] == last[key] > 0
    assert uninterrupted.stderr == f"run {outcome['run']}\n"
    assert Runs(real).get(outcome["run"])


@pytest.mark.torch
@pytest.mark.long
@posix
def test_ctrl_c_stops_and_resume_comes_to_the_same_end(
    uninterrupted: "subprocess.CompletedProcess[str]", real: Path
) -> None:
    process = subprocess.Popen(
        [*VGGEXPLORER, "train", *SLOWLY, "--runs", str(real), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    status, output, errors = end(process)
    *records, outcome = map(json.loads, (first + output).splitlines())
    assert (status, outcome["status"]) == (130, "stopped"), errors
    assert records[-1]["step"] == outcome["step"] < 375
    assert f"vggexplorer resume {outcome['run']} --runs {real}" in last_line(errors)

    resumed = really(real, "resume", outcome["run"], "--json")
    assert resumed.returncode == 0, resumed.stderr
    *rest, resumed_outcome = map(json.loads, resumed.stdout.splitlines())
    assert outcome["step"] < rest[0]["step"]
    check_steps([record["step"] for record in rest], 375, after=outcome["step"])
    expected = json.loads(last_line(uninterrupted.stdout))
    for key in ("status", "loss", "train_acc", "test_acc", "best_test_acc", "step", "device"):
        assert resumed_outcome[key] == expected[key], key


# --- files that could not be used --------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.long
def test_files_of_a_folder_that_could_not_be_used_are_said(real: Path, tmp_path: Path) -> None:
    for level, place in enumerate(tmp_path / name / f"{number}.pgm" for name in "ab" for number in range(8)):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"P5 4 4 255\n" + bytes([level] * 16))
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "b" / "empty.png").touch()
    done = really_train(real, *TINY, "--classes", "2", "--dataset", f"folder:{tmp_path}", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(last_line(done.stdout))
    assert outcome["num_odd"] == 2
    assert outcome["odd"] == ["“a/notes.txt”: not a picture", "“b/empty.png”: the file is empty"]
    said = ["The first of every 7 pictures of a class is for testing."]
    assert outcome["data"] == {"classes": {"a": {"train": 6, "test": 2}, "b": {"train": 6, "test": 2}}, "said": said}
    said += ["2 files could not be used:", *(f"- {each}" for each in outcome["odd"])]
    _, _, after = done.stderr.partition(f"run {outcome['run']}\n")
    assert after.splitlines()[:4] == said


@pytest.mark.torch
def test_of_many_files_that_could_not_be_used_some_are_said(place: Place) -> None:
    done = place.train(what="odd")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-3:] == [
        *("7 files could not be used:", "- “a/x.txt”: not  a picture", "- and 6 more")
    ]
    (run,) = Runs(place.runs).all(recorded=False)
    assert run.odd_files() == (7, ["“a/x.txt”: not  a picture"])


@pytest.mark.torch
def test_what_is_promised_of_a_runs_bits_is_said(place: Place) -> None:
    done = place.train(*TINY, "--exact")
    assert done.returncode == 0
    said = done.stderr.splitlines()
    assert said[-1].startswith("Two runs of one seed have equal bits")
    assert said[-1].endswith("which costs nothing there.")
    (run,) = Runs(place.runs).all(recorded=False)
    assert run.config().training.exact


# --- bad input ---------------------------------------------------------------------------------------

BAD = {
    "no network": ((), "The following arguments are required: ARCH."),
    "unknown network": (("vgg12",), "There is no network “vgg12”"),
    "unknown recipe": (("vgg11", "--recipe", "soup"), "must be one of quick-demo, d2l-vgg"),
    "no epochs": (("vgg11", "--epochs", "0"), "The number of epochs must be from 1 to 10,000, not 0."),
    "half an epoch": (("vgg11", "--epochs", "0.5"), "must be a whole number, not “0.5”."),
    "learning rate is no number": (("vgg11", "--lr", "nan"), "must be a number such as 0.05 or 1e-3, not “nan”."),
    "learning rate of nought": (("vgg11", "--lr", "0"), "The learning rate must be above 0"),
    "endless learning rate": (("vgg11", "--lr", "1e999"), "must be a number such as 0.05 or 1e-3, not “1e999”."),
    "negative momentum": (("vgg11", "--momentum", "-0.5"), "The momentum must be at least 0 and below 1, not -0.5."),
    "unknown precision": (("vgg11", "--precision", "int8"), "must be one of auto, float32, bfloat16"),
    "unknown initialisation": (("vgg11", "--conv-init", "luck"), "must be one of pytorch, xavier"),
    "negative seed": (("vgg11", "--seed", "-1"), "The seed must be from 0"),
    "unknown data": (("vgg11", "--dataset", "nosuch"), "“nosuch” is not a data set; there are sample, full"),
    "no such folder": (("vgg11", "--dataset", "folder:no/such/place"), "cannot be read: No such file or directory"),
    "empty folder": (("vgg11", "--dataset", "full:."), "does not hold the 4 files of Fashion-MNIST"),
    "input too small": (("vgg11", "--input-size", "16"), "The smallest input for this network is 32×32."),
    "input of --input too small": (("vgg11", "--input", "1x16x16"), "The smallest input for this network is 32×32."),
    "input too large": (("vgg11", "--input-size", "9000"), "from 1 to 8,192, not 9000"),
    "too few classes": (("vgg11", "--classes", "9"), "Fashion-MNIST has 10 classes, this network has 9."),
    "unknown device": (("vgg11", "--device", "abacus"), "The device must be auto, cpu"),
    "device that is not here": (("vgg11", "--device", "cuda:99"), "There is no device cuda:99 here; there are cpu"),
    "exact on several processes": (("vgg11", "--exact", "--nproc", "2"), "An exact run is one process"),
    "name of nothing": (("vgg11", "--name", " \n"), "A name has from 1 to 80 characters"),
}


@pytest.mark.torch
@pytest.mark.sample(6)
@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD)
def test_bad_input_ends_with_a_sentence_and_starts_nothing(
    place: Place, arguments: tuple[str, ...], sentence: str
) -> None:
    status, output, errors = end(place.start("train", *arguments, cwd=place.runs))
    assert (status, output) == (2, "")
    assert sentence in last_line(errors)
    assert re.fullmatch(r"\S.*\.", last_line(errors))
    assert Runs(place.runs).all(recorded=False) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "The following arguments are required: RUN."),
        (("20260101-nothing",), "There is no run “20260101-nothing”"),
        (("../x",), "There is no run “../x”"),
        (("x", "vgg11"), "Unrecognized arguments: vgg11."),
        (("x", "--batch-norm"), "Unrecognized arguments: --batch-norm."),
    ],
    ids=str,
)
def test_what_cannot_be_resumed_gets_a_sentence(place: Place, arguments: tuple[str, ...], sentence: str) -> None:
    done = place.answer("resume", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in last_line(done.stderr)
    assert re.fullmatch(r"\S.*\.", last_line(done.stderr))


@pytest.mark.torch
def test_a_folder_that_cannot_be_written_gets_a_sentence(place: Place) -> None:
    done = place.train(*TINY, "--runs", str(place.runs / "devices.json"))
    assert done.returncode == 2
    assert "could not be written" in last_line(done.stderr)


# --- what is asked of the run --------------------------------------------------------------------------


def asked(place: Place, *arguments: str) -> dict[str, Any]:
    done = place.train(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    (run,) = Runs(place.runs).all(recorded=False)
    return json.loads((run.path / "config.json").read_text())  # type: ignore[no-any-return]


@pytest.mark.torch
def test_every_option_arrives(place: Place) -> None:
    config = asked(
        place,
        *("1x4,1x8", "--hidden", "none", "--recipe", "d2l-160", "--dataset", "sample", "--input-size", "32"),
        *("--epochs", "2", "--batch-size", "64", "--lr", "1e-3", "--momentum", ".5", "--weight-decay", "0.0001"),
        *("--precision", "float32", "--seed", "7", "--time-budget", "600", "--conv-init", "kaiming"),
        *("--linear-init", "normal", "--flip", "--crop", "2", "--brightness", "0.1", "--checkpoint-every", "5"),
        *("--images", "90", "--schedule", "linear", "--exact", "--device", "cpu", "--name", "my  first run"),
        *("--step-epochs", "2", "--step-factor", ".5", "--warmup", "1", "--optimizer", "adam"),
        *("--label-smoothing", ".1", "--patience", "3", "--keep-best", "--range-ratio", "50"),
    )
    assert (config["seed"], config["device"], config["dataset"]) == (7, "cpu", "sample")
    assert config["training"] == {
        **{"recipe": "d2l-160", "epochs": 2, "batch_size": 64, "lr": 0.001, "momentum": 0.5, "weight_decay": 0.0001},
        **{"input_size": 32, "dropout": None, "batch_norm": None, "conv_init": "kaiming", "linear_init": "normal"},
        **{"precision": "float32", "flip": True, "crop": 2, "brightness": 0.1, "time_budget": 600.0},
        **{"checkpoint_every": 5.0, "schedule": "linear", "images": 90, "exact": True},
        **{"step_epochs": 2, "step_factor": 0.5, "warmup": 1.0, "optimizer": "adam", "label_smoothing": 0.1},
        **{"patience": 3, "keep_best": True, "range_ratio": 50.0},
    }
    assert place.listed()[0]["name"] == "my first run"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("options", "trained", "own"),
    [
        ((), 32, "1x28x28"),
        (("--input", "3x64x64"), 64, "3x64x64"),
        (("--input", "1x64x48"), None, "1x64x48"),
        (("--input", "3x64x64", "--input-size", "32"), 32, "3x64x64"),
    ],
    ids=str,
)
def test_whose_input_size_wins(place: Place, options: tuple[str, ...], trained: int | None, own: str) -> None:
    config = asked(place, "lenet", *options)
    assert config["training"]["input_size"] == trained
    assert config["network"].get("input", "1x28x28") == own


@pytest.mark.torch
def test_a_folder_of_pictures_is_kept_as_an_absolute_path(place: Place) -> None:
    for name in ("cat", "dog"):
        (place.runs / name).mkdir(parents=True)
        for number in range(2):
            (place.runs / name / f"{number}.png").write_bytes(b"")
    process = place.start("train", *TINY, "--dataset", "folder:.", cwd=place.runs)
    status, _, errors = end(process)
    assert status == 0, errors
    assert place.listed()[0]["dataset"] == f"folder:{place.runs}"


def test_a_precision_that_was_left_open_is_said_with_the_times_that_decided(capsys: pytest.CaptureFixture[str]) -> None:
    decided = decide(True, 0.0126, 0.0109, 128)
    PlainLines().begin({"device": "cuda:0", "precision": "bfloat16", "decided": decided.to_json()})
    assert capsys.readouterr().out == f"training on cuda:0\nin {decided.remark}\n"


def test_the_kind_of_step_is_said_where_there_are_two(capsys: pytest.CaptureFixture[str]) -> None:
    for choice in (Choice(Why.FASTER, 0.0109, 0.0035, 128), Choice(Why.DEVICE)):
        PlainLines().begin({"device": "cuda:0", "step": choice.to_json()})
    assert capsys.readouterr().out.splitlines() == [
        "training on cuda:0",
        "the step: fused, since a step with 128 images takes 3.5 ms, PyTorch's own 10.9 ms",
        "training on cuda:0",
    ]


# --- plain lines, the line, the end --------------------------------------------------------------------


@pytest.mark.torch
def test_plain_lines_end_as_the_log_does(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = place.train(*TINY, "--epochs", "2")
    assert (done.returncode, done.stderr) == (0, f"run {place.listed()[0]['id']}\n")
    assert done.stdout.splitlines() == [
        "training on cpu",
        "epoch 1 of 2: loss 1.000, train acc 0.250, test acc 0.040",
        "epoch 2 of 2: loss 1.000, train acc 0.250, test acc 0.080",
        "loss 1.000, train acc 0.250, test acc 0.080",
        "800.0 examples/sec on cpu",
        "0.8 seconds",
    ]
    (run,) = Runs(place.runs).all(recorded=False)
    assert (run.path / "output.log").read_text().splitlines()[-3:] == done.stdout.splitlines()[-3:]


@pytest.mark.torch
def test_a_failure_ends_with_its_reason(place: Place) -> None:
    done = place.train(*TINY, "--json", what="fails")
    outcome = json.loads(last_line(done.stdout))
    assert (done.returncode, outcome["status"], outcome["step"]) == (1, "failed", 2)
    assert outcome["reason"] == last_line(done.stderr) == "The loss is not a number any more (step 3)."


@pytest.mark.torch
@posix
def test_a_trainer_that_is_killed_is_noticed(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="waits")
    run = place.run_at(2)
    os.kill(run.heartbeat()["pid"], signal.SIGKILL)
    status, output, errors = end(process)
    outcome = json.loads(last_line(output))
    assert (status, outcome["status"], outcome["step"], outcome.keys()) == (1, "interrupted", 2, OUTCOME)
    assert "ended unexpectedly" in last_line(errors)
    assert f"vggexplorer resume {run.id}" in errors
    resumed = place.answer("resume", run.id)
    assert resumed.returncode == 0, resumed.stderr


@pytest.mark.torch
@posix
def test_a_stopped_run_goes_on_with_new_records_only(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="waits")
    run = place.run_at(2)
    process.send_signal(signal.SIGTERM)
    status, output, errors = end(process)
    assert (status, json.loads(last_line(output))["status"]) == (130, "stopped")
    assert last_line(errors) == f"Stopped after step 2. To go on: vggexplorer resume {run.id}"
    resumed = place.answer("resume", run.id, "--json")  # no checkpoint: it begins anew
    *records, outcome = map(json.loads, resumed.stdout.splitlines())
    assert ([record["step"] for record in records], outcome["status"]) == ([1, 2, 3, 4], "finished")
    again = place.answer("resume", run.id)
    assert (again.returncode, again.stdout) == (2, "")
    assert "cannot be resumed" in last_line(again.stderr)


@pytest.mark.torch
@posix
def test_a_second_ctrl_c_ends_the_trainer(place: Place) -> None:
    process = place.start("train", *TINY, what="deaf")
    run = place.run_at(2)
    assert process.stderr
    process.send_signal(signal.SIGINT)
    while "once more" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    status, _, errors = end(process)
    assert (status, run.locked(), run.status().word) == (130, False, "interrupted")
    assert "Traceback" not in errors


@pytest.mark.torch
@pytest.mark.long
@posix
def test_a_trainer_that_hangs_is_told_of_and_not_waited_for(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="waits")
    run = place.run_at(2)
    os.kill(run.heartbeat()["pid"], signal.SIGSTOP)
    assert process.stderr
    while "does not respond" not in process.stderr.readline():
        assert process.poll() is None
    assert place.listed()[0]["status"] == "unresponsive"
    process.send_signal(signal.SIGINT)
    status, output, errors = end(process)
    outcome = json.loads(last_line(output))
    assert (status, outcome["status"], outcome.keys()) == (130, "unresponsive", OUTCOME)
    assert "does not respond" in last_line(errors)


@pytest.mark.torch
@posix
def test_runs_wait_in_line(place: Place) -> None:
    first = place.start("train", *TINY, what="waits")
    run = place.run_at(2)
    second = place.start("train", *TINY, "--name", "second")
    assert second.stdout
    assert second.stderr
    while not second.stderr.readline().startswith("run "):
        pass
    assert second.stderr.readline() == "waiting in line: 1 run ahead\n"
    rows = place.listed()
    assert {row["name"]: (row["status"], row["ahead"]) for row in rows}["second"] == ("waiting", 1)
    assert {row["id"]: row["status"] for row in rows}[run.id] == "running"
    third = place.start("train", *TINY)
    assert third.stderr
    while not third.stderr.readline().startswith("run "):
        pass
    assert third.stderr.readline() == "waiting in line: 2 runs ahead\n"
    third.send_signal(signal.SIGINT)
    status, output, errors = end(third)
    assert (status, output) == (130, "")
    assert "Stopped after step 0." in last_line(errors)
    first.send_signal(signal.SIGINT)
    assert end(first)[0] == 130
    status, output, errors = end(second)
    assert status == 0, errors
    assert output.splitlines()[0] == "training on cpu"


@pytest.mark.torch
def test_the_outcome_of_an_earlier_start_does_not_end_the_next_one(place: Place) -> None:
    place.train(what="fails")
    (run,) = Runs(place.runs).all(recorded=False)
    follower = Follower(run, View(), Interrupts(), Before.of(run))
    assert follower._status().word == "starting"
    follower._began -= 100  # nobody has removed it: there is no trainer
    assert follower._status().word == "failed"


@pytest.mark.torch
def test_a_trainer_that_cannot_even_start_is_noticed(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="breaks")
    status, output, errors = end(process)
    outcome = json.loads(last_line(output))
    assert (status, outcome["status"], outcome["step"]) == (1, "interrupted", 0)
    assert "output.log may say why." in last_line(errors)


@pytest.mark.torch
@posix
def test_a_reader_may_leave_and_the_run_goes_on(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="waits")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    run = place.run_at(2)
    run.want()  # nothing: it waits on
    assert run.locked()
    os.kill(run.heartbeat()["pid"], signal.SIGTERM)
    status, _, errors = end(process)
    assert status == 1
    assert last_line(errors) == f"Nobody reads the output any more; the run {run.id} goes on."


@pytest.mark.torch
@posix
def test_ctrl_c_that_ends_the_reader_of_a_pipe_stops_the_run(place: Place) -> None:
    process = place.start("train", *TINY, "--json", what="waits")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    run = place.run_at(2)
    process.send_signal(signal.SIGCONT)
    status, _, errors = end(process)
    assert status == 1
    assert last_line(errors) == f"Nobody reads the output any more; the run {run.id} is being stopped."
    assert run.control()["stop"]


# --- in a terminal -----------------------------------------------------------------------------------


class Terminal:
    """A command in a terminal of its own, 80 columns wide."""

    def __init__(self, place: Place, *arguments: str, what: str = "") -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

        def take_it() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        settings = {"stdin": slave, "stdout": slave, "stderr": slave, "preexec_fn": take_it}
        self.process = place.start(*arguments, what=what, **settings)
        os.close(slave)
        os.set_blocking(self.master, False)
        self.text = ""

    def shows(self, text: str) -> bool:
        with suppress(OSError):
            self.text += os.read(self.master, 65_536).decode(errors="replace")
        return text in self.text

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def status(self) -> int:
        wait_until(lambda: self.shows("\0") or self.process.poll() is not None, 30)
        self.shows("\0")
        os.close(self.master)
        return self.process.returncode


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ")
def test_a_terminal_shows_a_bar_and_ctrl_c_stops_the_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(place, "train", *TINY, "--epochs", "2", what="waits")
    wait_until(lambda: terminal.shows("step 2/8  0:00:01 left"), 30, "the bar")
    assert "epoch 1/2" in terminal.text
    assert "loss 1.000, train acc 0.250, 800.0 examples/sec" in terminal.text
    terminal.type(b"\x03")
    assert terminal.status() == 130
    assert "Traceback" not in terminal.text
    assert "vggexplorer resume" in terminal.text
    assert place.listed()[0]["status"] == "stopped"


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ")
def test_a_terminal_keeps_the_epochs_and_the_last_lines(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(place, "train", *TINY, "--epochs", "2")
    assert terminal.status() == 0
    for line in ("training on cpu", "epoch 2 of 2: loss 1.000", "800.0 examples/sec on cpu\r\n0.8 seconds\r\n"):
        assert line in terminal.text


# --- the list ----------------------------------------------------------------------------------------


def test_an_empty_folder_gets_a_friendly_sentence(place: Place) -> None:
    status, output, errors = end(place.start("runs"))
    assert (status, errors) == (0, "")
    assert output.startswith(f"There are no runs in {place.runs} yet;")
    assert place.listed() == []


@pytest.mark.torch
def test_runs_are_listed_the_newest_first_with_their_figures(place: Place) -> None:
    place.train(*TINY, "--epochs", "2")
    place.train(*TINY, "--name", "later\ttry", what="fails")
    later, row = place.listed()
    assert (later["name"], later["status"], later["step"], later["test_acc"]) == ("later try", "failed", 2, None)
    assert (row["status"], row["step"], row["recipe"], row["dataset"]) == ("finished", 8, "quick-demo", "sample")
    assert (row["loss"], row["train_acc"], row["test_acc"], row["best_test_acc"]) == (1.0, 0.25, 0.08, 0.08)
    assert (row["seconds"], row["device"], row["recorded"]) == (0.8, "cpu", False)
    assert (row["architecture"]["input"], row["architecture"]["bn"]) == ("1x28x28", "1")
    assert {type(row[key]) for key in ("step", "ahead", "params", "macs")} == {int}
    status, output, _ = end(place.start("runs"))
    lines = output.splitlines()
    assert status == 0
    assert lines[0].split() == "id name status network recipe data test acc best time device".split()  # noqa: SIM905
    assert [line.split()[0] for line in lines[1:3]] == [later["id"], row["id"]]
    assert "failed, step 2" in lines[1]


@pytest.mark.torch
@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "{"),
        ("config.json", "[]"),
        ("config.json", '{"version": 99}'),
        ("config.json", '{"version": 1, "network": {}, "training": {}, "dataset": "sample", "device": "", "seed": 0}'),
        ("environment.json", "[1]"),
        ("created.json", "[]"),
        ("heartbeat", "{}"),
        ("metrics.jsonl", '{"step": "x"}\n'),
        ("outcome.json", '{"status": "stopped", "loss": "much", "step": "far"}'),
    ],
)
def test_a_damaged_run_is_listed_and_stops_nothing(place: Place, name: str, content: str) -> None:
    place.train()
    (run,) = Runs(place.runs).all(recorded=False)
    (run.path / name).write_text(content)
    (row,) = place.listed()
    assert row["id"] == run.id
    assert row["status"] == "damaged" or name != "config.json"
    status, output, errors = end(place.start("runs"))
    assert (status, errors) == (0, "")
    assert run.id in output


def test_the_help_names_every_recipe_and_initialisation(place: Place) -> None:
    status, output, _ = end(place.start("train", "--help"))
    assert status == 0
    for word in ("quick-demo", "d2l-vgg", "d2l-alexnet", "d2l-160", "xavier", "uniform10", "vggexplorer resume"):
        assert word in output
