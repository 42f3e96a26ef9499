"""The rows of the quick demo, and which of them a device gets, by what was measured of it and by the network."""

import shlex
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from vggexplorer.architectures import NETWORKS, Head
from vggexplorer.cli import main
from vggexplorer.forecast.speed import By, Speed
from vggexplorer.runs import devices
from vggexplorer.runs.config import Config, as_row, command, nearest, picked, recipe
from vggexplorer.runs.datasets import KNOWN
from vggexplorer.runs.demo import AIM, MOST, ROWS, USUAL, heaviest, pick, seconds
from vggexplorer.runs.devices import Device
from vggexplorer.runs.experience import kept_speed
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.forecasts import forecast
from vggexplorer.runs.sweeps.grid import Grid
from vggexplorer.terminal import sweeps
from vggexplorer.ui.run import choice, race

SLIM, VGG16, LENET = (NETWORKS[name] for name in ("VGG-11 slim", "VGG-16", "LeNet"))
SPEEDS = [Speed.measured(6 / (rate * 1e9), 1, gpu=False) for rate in (1, 5, 20, 40, 80, 120, 200, 400, 1000, 10_000)]
"""Of processors, the slowest first."""
GPU = Device("cuda:0", "NVIDIA H200", 139 * 2**30, 2.0, pace=3e-13)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_looks_like_a_training_and_there_are_enough_images(row: object) -> None:
    assert row in ROWS
    assert row.steps >= 90  # type: ignore[attr-defined]
    training = as_row(row, SLIM)  # type: ignore[arg-type]
    images = training.num_images(KNOWN["sample"].sizes[0])
    assert images == training.images
    assert training.epochs * -(-images // training.batch_size) == row.steps  # type: ignore[attr-defined]
    assert training.epochs >= 2


def test_sigmoid_gets_a_larger_rate_in_every_row_and_the_same_number_of_steps() -> None:
    gentle = LENET._replace(architecture=replace(LENET.architecture, activation="relu"))
    for row in ROWS:
        assert as_row(row, LENET) == replace(as_row(row, gentle), lr=0.3)
        assert as_row(row, gentle).lr == as_row(row, SLIM).lr == 0.02


@pytest.mark.parametrize("title", list(NETWORKS))
def test_a_slower_device_never_gets_a_larger_row(title: str) -> None:
    network = NETWORKS[title]
    found = [ROWS.index(pick(network, speed).row) for speed in SPEEDS]
    assert found == sorted(found)
    assert found[-1] == len(ROWS) - 1


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_heavier_network_never_gets_a_larger_row_and_none_takes_long_if_a_smaller_one_does_not(speed: Speed) -> None:
    rows = [ROWS.index(pick(network, speed).row) for network in (LENET, SLIM, VGG16)]
    assert rows == sorted(rows, reverse=True)
    for network in NETWORKS.values():
        found = pick(network, speed)
        assert found.row == ROWS[0] or (found.seconds is not None and found.seconds <= AIM)
        assert found.seconds == seconds(found.row, network, speed)


def test_a_gpu_gets_the_largest_row_and_a_device_that_nobody_measured_the_usual_one() -> None:
    for network in NETWORKS.values():
        assert pick(network, GPU.speed("bfloat16")).row == ROWS[-1]
        assert pick(network, None) == (USUAL, None, None)
    assert recipe("quick-demo", SLIM) == as_row(USUAL, SLIM)
    assert recipe("d2l-vgg", SLIM, SPEEDS[0]) == recipe("d2l-vgg", SLIM)


def test_a_processor_that_takes_long_is_told_so_with_what_helps() -> None:
    slow = pick(SLIM, SPEEDS[0])
    assert (slow.row, (slow.seconds or 0) > MOST) == (ROWS[0], True)
    assert "--time-budget 30" in " ".join(map(str, slow.said()))
    assert [len(list(pick(SLIM, speed).said())) for speed in (None, SPEEDS[-1])] == [1, 1]
    assert "not known yet" in str(next(pick(SLIM, None).said()))
    assert [len(list(slow.said(changes))) for changes in ({"epochs": 5}, {"momentum": 0.5, "input_size": 28})] == [0, 2]


def test_by_what_a_processor_is_no_row_is_larger_than_the_usual_one_and_that_it_may_be_wrong_is_said() -> None:
    for speed in SPEEDS:
        by_kind = pick(SLIM, speed._replace(by=By.PROCESSOR))
        measured = pick(SLIM, speed)
        assert ROWS.index(by_kind.row) == min(ROWS.index(measured.row), ROWS.index(USUAL))
        assert "half or twice" in str(next(by_kind.said()))
        assert "short measurement" not in str(next(by_kind.said()))
        assert by_kind.long == ((by_kind.seconds or 0) > 2 * MOST)
        assert measured.long == ((measured.seconds or 0) > MOST)


def test_a_first_run_has_a_row_by_what_the_processor_is(
    tmp_path: Path, started: list[Config], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Device("cpu", "CPU", 2**34, 0.0, pace=4e-10, estimated=True)
    monkeypatch.setattr(devices, "by_its_kind", lambda: slow)
    monkeypatch.setattr(devices, "may_have_gpu", lambda: False)
    assert main(["train", "vgg11-slim", "--runs", str(tmp_path)]) == 0
    assert started[0].training == as_row(ROWS[0], SLIM)
    assert "by what this processor is" in capsys.readouterr().err
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    assert kept_speed(tmp_path, "auto") is None
    assert kept_speed(tmp_path, "cpu") == slow.speed("float32")
    monkeypatch.setattr(devices, "by_its_kind", lambda: None)
    assert main(["train", "vgg11-slim", "--runs", str(tmp_path)]) == 0
    assert started[1].training == as_row(USUAL, SLIM)


def test_an_input_that_was_asked_for_counts_and_what_was_asked_for_stays() -> None:
    speed = SPEEDS[6]
    asked = recipe("quick-demo", SLIM, speed, {"input_size": 224, "epochs": 7})
    assert (asked.input_size, asked.epochs) == (224, 7)
    assert ROWS.index(picked(SLIM, speed, {"input_size": 224}).row) < ROWS.index(picked(SLIM, speed).row)
    assert picked(SLIM, speed, {"input_size": None}) == picked(SLIM, speed, {"input_size": SLIM.input_shape[1]})


def test_networks_that_are_compared_have_one_row() -> None:
    speed = SPEEDS[6]
    assert heaviest((LENET, VGG16, SLIM), speed) == VGG16
    assert heaviest((LENET, VGG16), None) is None
    plan = Grid(networks=(LENET, SLIM, VGG16), seeds=(0, 1), speed=speed).plan()
    assert {(each.training.images, each.training.epochs) for each in plan.configs} == {
        (pick(VGG16, speed).row.images, pick(VGG16, speed).row.epochs)
    }


def test_a_run_is_beside_the_row_that_it_is_most_alike() -> None:
    for row in ROWS:
        training = replace(as_row(row, SLIM), lr=0.5)
        assert nearest(training, SLIM) == as_row(row, SLIM)
    assert nearest(recipe("d2l-vgg", SLIM), SLIM) == recipe("d2l-vgg", SLIM)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs where a fast processor and a GPU were measured."""
    cpu = Device("cpu", "CPU", 2**34, 2.0, pace=3e-11)
    write_json(tmp_path / "devices.json", {"machine": devices.machine(), "devices": [GPU._asdict(), cpu._asdict()]})
    return tmp_path


def test_the_speed_is_that_of_the_device_that_is_asked_for(runs: Path, tmp_path: Path) -> None:
    assert kept_speed(runs, "auto") == GPU.speed("bfloat16")
    processor = kept_speed(runs, "cpu")
    assert processor
    assert processor.mac == pytest.approx(1.5e-11)
    assert kept_speed(runs, "cuda:7") is None
    assert kept_speed(tmp_path / "nowhere", "cuda") is None


def test_the_forecast_of_a_device_that_was_looked_at_and_the_row_have_one_step() -> None:
    cpu = Device("cpu", "CPU", 2**34, 2.0, pace=3e-11)
    found = pick(SLIM, cpu.speed("bfloat16"))
    time = forecast(Config(network=SLIM, training=as_row(found.row, SLIM), device="cpu"), cpu, None).time
    assert time
    assert found.seconds
    assert time.total - 5 == pytest.approx(found.seconds, rel=0.02)


@pytest.mark.parametrize("title", list(NETWORKS))
@pytest.mark.parametrize("changes", [{}, {"epochs": 2, "dropout": None, "flip": True}, {"lr": 0.1, "batch_norm": None}])
def test_the_command_trains_the_same_whatever_was_measured(
    title: str, changes: dict[str, object], runs: Path, started: list[Config]
) -> None:
    network = NETWORKS[title]
    config = Config(network=network, training=recipe("quick-demo", network, SPEEDS[4], changes), seed=3)
    if (words := command(config)) is None:
        assert not (config.trained.architecture.batch_norm and isinstance(network.architecture.head, Head))
        return
    assert main([*shlex.split(words)[1:], "--runs", str(runs)]) == 0
    again = started[0]
    assert (again.trained, again.seed, again.dataset) == (config.trained, config.seed, config.dataset)
    own = {"dropout", "batch_norm"}
    assert {name: value for name, value in asdict(again.training).items() if name not in own} == {
        name: value for name, value in asdict(config.training).items() if name not in own
    }


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """What `train` and `race` start; nothing is trained."""
    configs: list[Config] = []
    monkeypatch.setattr("vggexplorer.runs.launch.start", lambda _, config, *rest, **more: configs.append(config))
    monkeypatch.setattr("vggexplorer.terminal.training.follow", lambda *_: 0)
    monkeypatch.setattr("vggexplorer.runs.races.start_race", lambda _, asked, **more: configs.extend(asked))
    monkeypatch.setattr("vggexplorer.terminal.race.follow", lambda *_: 0)
    return configs


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    """A session in which the slim VGG-11 and the processor are chosen."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(runs))
    monkeypatch.setattr(choice, "session", {"choice": choice.Choice(device="cpu")})
    monkeypatch.setattr(choice, "subject", lambda: SLIM)


@pytest.mark.usefixtures("page")
def test_terminal_and_page_give_one_row_and_say_which(
    runs: Path, started: list[Config], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "suffices", lambda *_: True)  # nothing is measured
    speed = kept_speed(runs, "cpu")
    found = pick(SLIM, speed)
    assert main(["train", "vgg11-slim", "--device", "cpu"]) == 0
    assert str(next(found.said())) in capsys.readouterr().err
    assert started[0].training == as_row(found.row, SLIM)
    assert choice.config().training == started[0].training
    assert choice.row() == found
    assert main(["sweep", "start", "vgg11-slim", "--device", "cpu", "--dry-run"]) == 0
    assert str(next(found.said())) in capsys.readouterr().err


@pytest.mark.usefixtures("page")
def test_a_race_has_one_row_in_the_terminal_and_on_the_page(runs: Path, started: list[Config]) -> None:
    assert main(["race", "vgg16", "lenet", "--device", "cpu"]) == 0
    assert [each.training for each in race.configs((VGG16, LENET))] == [each.training for each in started]
    assert {each.training.images for each in started} == {pick(VGG16, kept_speed(runs, "cpu")).row.images}


def test_what_is_asked_for_stays_and_a_run_goes_on_as_it_was(runs: Path, started: list[Config]) -> None:
    assert main(["train", "vgg11-slim", "--images", "128", "--epochs", "1", "--seed", "5", "--runs", str(runs)]) == 0
    config = started[0]
    assert (config.training.images, config.training.epochs, config.seed) == (128, 1, 5)
    kept = Config.from_json(config.to_json())
    (runs / "devices.json").unlink()
    assert kept == config
