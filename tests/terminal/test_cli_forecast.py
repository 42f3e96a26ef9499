"""`vggexplorer forecast`: what a training will take, and what would fit; nothing is measured here, nothing started."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_calibration import StandIn
from test_forecast import PLAIN

from vggexplorer import cli
from vggexplorer.architectures import NETWORKS
from vggexplorer.formatting import size
from vggexplorer.runs import calibration, devices, launch, probes
from vggexplorer.runs.calibration import Measurements, keep
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import Forecast, forecast, of_run
from vggexplorer.terminal.forecast import print_forecast
from vggexplorer.terminal.tables import plain

CPU = devices.Device("cpu", "CPU", 2**33, 1.0)
BOOK = ("vgg11-slim", "--recipe", "d2l-vgg", "--dataset", "sample")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs in which the processor is known, and measured."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    write_json(tmp_path / "devices.json", {"machine": devices.machine(), "devices": [CPU._asdict()]})
    keep(tmp_path, "cpu", Measurements([], PLAIN, PLAIN.start, PLAIN.context))
    return tmp_path


def expected() -> Forecast:
    return forecast(Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"]), CPU, PLAIN)


def test_the_forecast_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["forecast", *BOOK, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert Forecast.from_json(found) == expected()
    assert found["memory"]["total"] == expected().memory.total
    assert (found["fits"], found["proposals"]) == (True, [])
    assert err == ""


def test_files_of_a_folder_that_cannot_be_used_are_said(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path / "mine" / name / f"{number}.png" for name in "ab" for number in range(2)):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    asked = ["forecast", "vgg11-slim", "--recipe", "d2l-vgg", "--dataset", f"folder:{tmp_path / 'mine'}"]
    assert cli.main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_odd"], found["odd"], found["kinds_not_read"]) == (0, [], {})
    (tmp_path / "mine" / "b" / "2.heic").touch()
    (tmp_path / "mine" / "a" / "gone.png").symlink_to("nowhere")
    assert cli.main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_odd"], found["odd"]) == (1, ["“a/gone.png”: not a file"])
    assert found["kinds_not_read"] == {".heic": 1}
    assert cli.main(asked) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        *("1 file has a name of a kind that is not read: .heic (1).", "1 file could not be used:"),
        "- “a/gone.png”: not a file",
    ]


def test_the_forecast_as_a_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["forecast", *BOOK]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "VGG-11 slim, batch 128, float32 on cpu"
    words = [line.split("  ")[0] for line in lines]
    for word in (
        "weights",
        "gradients",
        "activations kept for the backward pass",
        "total",
        "a step",
        "an epoch",
        "all",
    ):
        assert word in words
    assert not any("does not fit" in line for line in lines)


def test_options_count(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def found(*options: str) -> dict[str, Any]:
        cli.main(["forecast", *BOOK, "--json", *options])
        return dict(json.loads(capsys.readouterr().out))

    whole, half = found(), found("--batch-size", "64")
    assert half["memory"]["activations"] < 0.6 * whole["memory"]["activations"]
    momentum, adam = (found(*words)["memory"] for words in (("--momentum", "0.9"), ("--optimizer", "adam")))
    assert adam["optimizer"] == 2 * momentum["optimizer"] > 0
    assert found("--epochs", "1")["time"]["total"] < whole["time"]["total"]


def test_what_does_not_fit_is_said_with_what_would(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["forecast", *BOOK, "--memory", "1.5", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["fits"]
    assert found["proposals"]
    assert all(each["memory"] <= 1.5 * 2**30 and each["saved_memory"] > 0 for each in found["proposals"])
    assert cli.main(["forecast", *BOOK, "--within", "100"]) == 1
    out = capsys.readouterr().out
    assert "This does not fit in 1:40." in out
    assert "→" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--memory", "much"], "The memory must be a number such as 0.05 or 1e-3, not “much”."),
        (["--memory", "1e308"], "The memory must be above 0 and at most 10,000,000, not 1e+308."),
        (["--memory", "0"], "The memory must be above 0 and at most 10,000,000, not 0.0."),
        (["--within", ""], "The time must be a number such as 0.05 or 1e-3, not “”."),
        (["--device", "tpu"], "The device must be auto, cpu, mps, cuda or cuda and a number, as in cuda:0, not “tpu”."),
        (["--batch-size", "0"], "The batch size must be from 1 to 65,536, not 0."),
    ],
)
def test_bad_input_is_a_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert cli.main(["forecast", *BOOK, *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == sentence


def test_a_device_that_nobody_measured_is_measured_first(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs / "calibration-cpu.json").unlink()
    StandIn(monkeypatch)
    assert cli.main(["forecast", *BOOK, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["measured"], found["partial"]) == (True, True)  # the first rates are enough
    assert re.search(r"measuring the device: 0%, about (\d+ s|\d+:\d\d) left", err)
    assert "measuring the device: 100%" in err
    assert calibration.known_calibration(runs, "cpu") is not None


def test_a_device_that_was_measured_in_part_is_used_and_measuring_goes_on(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs / "calibration-cpu.json").unlink()
    stand_in = StandIn(monkeypatch)
    stand_in.most, stand_in.error = 3, KeyboardInterrupt()
    assert cli.main(["forecast", *BOOK]) == 130
    assert "What was measured is kept; `vggexplorer forecast` with --measure goes on." in capsys.readouterr().err
    stand_in.most, stand_in.error = 48, None
    assert cli.main(["forecast", *BOOK]) == 0
    assert [len(each["looks"]) for each in stand_in.asked] == [probes.FIRST, probes.FIRST - 3]
    capsys.readouterr()
    assert cli.main(["forecast", *BOOK]) == 0
    out, err = capsys.readouterr()
    assert "measured on this device in part, or with another PyTorch, so less certain (--measure goes on)" in " ".join(
        out.split()
    )
    assert (len(stand_in.asked), err) == (2, "")
    partly = json.loads(_printed(capsys, "--json"))
    assert (partly["measured"], partly["partial"]) == (True, True)
    found = json.loads(_printed(capsys, "--json", "--measure"))
    assert [each["partial"] for each in (partly, found)] == [True, False]
    assert partly["time"]["high"] / partly["time"]["low"] > found["time"]["high"] / found["time"]["low"]


def test_another_precision_than_was_measured_is_measured_first(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = StandIn(monkeypatch)
    assert cli.main(["forecast", *BOOK, "--json"]) == 0
    assert stand_in.asked == []
    assert cli.main(["forecast", *BOOK, "--json", "--precision", "bfloat16"]) == 0
    assert len(stand_in.asked) == 1


def _printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert cli.main(["forecast", *BOOK, *options]) == 0
    return capsys.readouterr().out


# --- with the run -------------------------------------------------------------------------------------------


def test_a_run_keeps_what_was_forecast(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(launch, "_spawn", lambda _, run, *__: started.append((run.path / "forecast.json").exists()))
    config = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"], device="cpu")
    run = launch.start(Runs(runs), config)
    assert started == [True]  # before the trainer begins
    assert Forecast.from_json(run.json("forecast.json")) == expected()
    assert of_run(run) == {}
    figures = {"epoch": 1.0, "batch_loss": 1.0, "train_loss": 1.0, "train_acc": 0.5, "lr": 0.05, "seconds": 9.0}
    figures |= {"step": 9, "examples": 1152, "examples_per_sec": 64.0, "examples_per_sec_wall": 60.0, "memory": 2**31}
    (run.path / "metrics.jsonl").write_text(json.dumps(figures) + "\n")
    compared = of_run(run)
    assert compared.keys() == {"memory", "step"}
    assert compared["step"].measured == 2.0
    (run.path / "environment.json").write_text(json.dumps({"kind": "fast"}))
    assert of_run(run) == {}  # PyTorch's own step was forecast


def test_that_a_fused_step_may_shorten_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    training = replace(RECIPES["d2l-vgg"], precision="bfloat16")
    for device, said in (("cuda:0", True), ("cpu", False)):
        config = Config(network=NETWORKS["VGG-11 slim"], training=training, device=device)
        found = forecast(config, devices.Device(device, "a device", 2**36, 3.0, pace=1e-12), None)
        print_forecast(config, found, [], None, None)
        assert ("a fused step is tried on the GPU" in " ".join(capsys.readouterr().out.split())) is said


def test_without_a_known_device_a_run_starts_without_a_forecast(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs / "devices.json").unlink()
    monkeypatch.setattr(devices, "by_its_kind", lambda: None)
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    run = launch.start(Runs(runs), Config(network=NETWORKS["LeNet"], training=RECIPES["d2l-vgg"]))
    assert not (run.path / "forecast.json").exists()


def test_the_memory_of_a_gpu_that_was_not_measured_is_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    gpu = devices.Device("cuda:0", "NVIDIA L4", 24 * 2**30, 2.0)
    config = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"])
    found = forecast(config, gpu, None)
    print_forecast(config, found, [], None, None)
    assert f"up to {plain(size(found.most))} in training: not measured here" in " ".join(
        capsys.readouterr().out.split()
    )
