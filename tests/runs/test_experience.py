"""What runs have shown of a device is kept, whatever becomes of PyTorch, and corrects forecasts and the demo's row."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from vggexplorer.architectures import NETWORKS
from vggexplorer.forecast.correction import Likeness, Steps
from vggexplorer.forecast.speed import By
from vggexplorer.runs import devices, experience, forecasts
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.demo import ROWS, pick
from vggexplorer.runs.devices import Device
from vggexplorer.runs.experience import MOST_KEPT, kept_speed, note, past, steps_of
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.forecasts import Forecast, forecast

SLIM = NETWORKS["VGG-11 slim"]
CPU = Device("cpu", "CPU", 2**34, 0.0, pace=2e-10)
CONFIG = Config(network=SLIM, training=recipe("quick-demo", SLIM), device="cpu")
OTHER = Config(network=NETWORKS["VGG-11"], training=replace(CONFIG.training, epochs=2), device="cpu")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs on a machine whose processor was looked at while it was busy."""
    write_json(tmp_path / "devices.json", {"machine": devices.machine(), "devices": [CPU._asdict()]})
    return tmp_path


def of(config: Config, runs: Path) -> Forecast:
    found = forecasts.known(runs, "cpu")
    assert found
    return forecast(config, *found)


def test_what_was_noted_is_read_again_the_newest_last(runs: Path) -> None:
    assert past(runs, "cpu") == []
    for seconds in range(1, MOST_KEPT + 3):
        note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=seconds / 10))
    found = past(runs, "cpu")
    assert len(found) == MOST_KEPT
    assert found[-1] == steps_of(CONFIG, "float32")._replace(seconds=(MOST_KEPT + 2) / 10)
    assert past(runs, "cuda:0") == []


def test_the_same_once_more_takes_what_it_took_and_others_are_nearer(runs: Path) -> None:
    before = of(CONFIG, runs), of(OTHER, runs)
    assert all(each.time and each.rough and each.by_runs is None for each in before)
    took = before[0].time.step / 4  # type: ignore[union-attr]
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=took))
    same, other = of(CONFIG, runs), of(OTHER, runs)
    assert same.time
    assert same.time.step == pytest.approx(took)
    assert (same.by_runs, same.rough) == (Likeness.STEPS, False)
    assert same.time.high == pytest.approx(1.25 * same.time.total)
    assert other.time
    assert other.time.step == pytest.approx(before[1].time.step / 4)  # type: ignore[union-attr]
    assert (other.by_runs, other.rough) == (Likeness.DEVICE, True)
    assert other.time.total < other.time.high < 2 * other.time.total
    again = replace(CONFIG, training=replace(CONFIG.training, batch_size=32))
    assert of(again, runs).by_runs is Likeness.NETWORK
    assert Forecast.from_json(json.loads(json.dumps(same.to_json()))) == same


def test_the_precision_is_the_one_that_the_trainer_chose_before(runs: Path) -> None:
    assert of(CONFIG, runs).precision == "float32"
    note(runs, "cpu", steps_of(CONFIG, "bfloat16")._replace(seconds=0.1))
    assert of(CONFIG, runs).precision == "bfloat16"
    assert of(OTHER, runs).precision == "float32"
    asked = replace(CONFIG, training=replace(CONFIG.training, precision="float32"))
    assert of(asked, runs).precision == "float32"


def test_a_look_at_a_busy_machine_is_corrected_by_a_run_and_the_row_grows(runs: Path) -> None:
    speed = kept_speed(runs, "auto")
    assert speed
    assert pick(SLIM, speed).row == ROWS[0]
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.05))
    quick = kept_speed(runs, "auto")
    assert quick
    assert quick.by is By.RUNS
    assert quick.step(CONFIG.trained, 64) == pytest.approx(0.05, rel=0.05)
    found = pick(SLIM, quick)
    assert ROWS.index(found.row) >= 3
    assert "as earlier runs went here" in str(next(found.said()))


def test_a_run_beside_others_says_how_long_it_takes_so_and_not_that_the_device_is_slow(runs: Path) -> None:
    steps = steps_of(CONFIG, "float32")
    note(runs, "cpu", steps._replace(seconds=1.0, share=0.05))
    found, speed = of(CONFIG, runs).time, kept_speed(runs, "cpu")
    assert found
    assert found.step == pytest.approx(1.0)
    assert found.low < found.total / 10
    assert speed
    assert speed.step(CONFIG.trained, 64) == pytest.approx(0.05, rel=0.05)


def test_steps_that_hardly_compute_say_nothing_of_the_speed(runs: Path) -> None:
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.005))
    assert kept_speed(runs, "cpu") == CPU.speed("float32")


def test_another_pytorch_keeps_what_was_noted_until_it_has_its_own_and_another_machine_does_not(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.05))
    here = devices.machine()
    monkeypatch.setattr(experience, "machine", lambda: here | {"torch": "99"})
    assert [each.seconds for each in past(runs, "cpu")] == [0.05]
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.07))
    assert [each.seconds for each in past(runs, "cpu")] == [0.07]
    monkeypatch.setattr(experience, "machine", lambda: here | {"host": "elsewhere"})
    assert past(runs, "cpu") == []
    monkeypatch.setattr(experience, "machine", lambda: here)
    assert [each.seconds for each in past(runs, "cpu")] == [0.05]


GOOD = experience.Noted(devices.machine(), "cpu", Steps(SLIM, 64, 1, "float32", 0.1, 0.9)).to_json()


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "null", "{}", '{"runs": 5}', '{"runs": [1, null, "x", [], {}]}', "[" * 100_000),
        *(json.dumps({"runs": [GOOD | {"steps": GOOD["steps"] | change}]}) for change in (
            {"seconds": -1}, {"seconds": "nan"}, {"share": 0}, {"share": "nan"}, {"seconds": None},
            {"batch": 0}, {"batch": 1e999}, {"network": 5},
            {"network": {"arch": "9x9x9"}}, {"network": {"arch": "vgg11", "input": "2"}}, {"precision": "float8"},
        )),
        json.dumps({"runs": [GOOD | {"machine": []}]}),
    ],
)  # fmt: skip
def test_a_damaged_file_is_as_if_nothing_had_been_noted_and_is_written_anew(runs: Path, content: str) -> None:
    (runs / "experience.json").write_text(content, encoding="utf-8")
    assert past(runs, "cpu") == []
    assert of(CONFIG, runs).by_runs is None
    note(runs, "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.05))
    assert [each.seconds for each in past(runs, "cpu")] == [0.05]


def test_what_is_damaged_takes_nothing_else_with_it(runs: Path) -> None:
    (runs / "experience.json").write_text(json.dumps({"runs": [5, GOOD, {}]}), encoding="utf-8")
    assert [each.seconds for each in past(runs, "cpu")] == [0.1]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    note(tmp_path / "runs", "cpu", steps_of(CONFIG, "float32")._replace(seconds=0.05))
    assert past(tmp_path / "runs", "cpu") == []
