"""What devices can do is measured once each, by a process of its own, and kept."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.forecast import ANY, NOTHING, STEP, Calibration, Rate, Work, layer_times
from vggexplorer.processes import NoAnswerError, module_command
from vggexplorer.pytorch import calibrate as measuring
from vggexplorer.runs import calibration
from vggexplorer.runs.calibration import calibrate, known, time_layers
from vggexplorer.runs.devices import Device
from vggexplorer.runs.probes import Probe
from vggexplorer.summary import summarize

CPU = Device("cpu", "CPU", 2**34, 1.0)
FOUND = Calibration(
    "CPU",
    False,
    {
        "float32": {
            ANY: (Rate(1e-9, 1e-10, 1e-10, 0, 1e-4), Rate(2e-9, 2e-10, 2e-10, 0, 1e-4)),
            STEP: (Rate(0, 0, 0, 0, 1e-3), NOTHING),
        }
    },
    context=2**29,
    start=0.0,
    spread=0.2,
)


def says(monkeypatch: pytest.MonkeyPatch, *objects: dict[str, Any], error: InputError | None = None) -> list[str]:
    """Have these objects told in place of a measurement; a list of the devices that were asked for."""
    asked = []

    def ask(module: str, device: str, **_: Any) -> Iterator[dict[str, Any]]:
        asked.append(device)
        yield from objects
        if error:
            raise error

    monkeypatch.setattr(calibration, "ask", ask)
    return asked


def test_a_device_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"calibration": FOUND.to_json()}
    asked = says(monkeypatch, {"done": 0, "of": 2}, {"done": 1, "of": 2}, answer)
    assert known(tmp_path, "cpu") is None
    shares: list[float] = []
    found = calibrate(tmp_path / "runs", CPU, shares.append)
    assert shares == [0, 0.5]
    assert found.rates == FOUND.rates
    assert 0 < found.start < 60  # until the first line
    assert calibrate(tmp_path / "runs", CPU) == known(tmp_path / "runs", "cpu") == found
    assert known(tmp_path / "runs", "cuda:0") is None
    assert asked == ["cpu"]


def test_another_machine_or_pytorch_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, {"done": 0, "of": 1}, {"calibration": FOUND.to_json()})
    calibrate(tmp_path, CPU)
    monkeypatch.setattr(calibration, "machine", lambda: {"host": "another"})
    assert known(tmp_path, "cpu") is None


@pytest.mark.parametrize("content", ["", "[]", "null", '{"machine": 1}', '{"machine": {}, "calibration": 5}'])
def test_a_damaged_file_is_as_if_nothing_was_measured(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration-cpu.json").write_text(content)
    assert known(tmp_path, "cpu") is None


def test_a_measurement_that_fails_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, {"done": 0, "of": 1}, error=NoAnswerError("{reason}", reason="too hot"))
    with pytest.raises(InputError, match="The device could not be measured: too hot"):
        calibrate(tmp_path, CPU)
    assert known(tmp_path, "cpu") is None


def test_a_measurement_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "PATIENCE", 0.2)
    with pytest.raises(InputError, match=r"The device could not be measured: no answer within 0\.2 s"):
        calibrate(tmp_path, CPU)


@pytest.mark.long
def test_the_process_says_that_a_device_is_not_there() -> None:
    done = subprocess.run(
        module_command("vggexplorer.pytorch.calibrate", "cuda:99"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "The device cuda:99 cannot be used" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- the measurement itself ------------------------------------------------------------------------------


def test_rates_are_found_that_explain_the_times() -> None:
    works = [
        Work(10**9, 10**6, 0, 0),
        Work(10**6, 10**8, 0, 10**8),
        Work(10**8, 10**7, 0, 0),
        Work(0, 100, 0, 0),
        Work(10**7, 10**9, 0, 0),
        Work(10**6, 10**6, 10**8, 0),
    ]
    true = Rate(2e-11, 1e-10, 3e-10, 2e-10, 1e-4)
    found = measuring.fit([measuring.Sample(work, true.seconds(work)) for work in works])
    assert found == pytest.approx(true, rel=1e-6)


def test_no_rate_is_below_zero() -> None:
    samples = [measuring.Sample(Work(0, size, 0, 0), seconds) for size, seconds in ((10, 3.0), (100, 2.0), (1000, 1.0))]
    found = measuring.fit(samples)
    assert min(found) >= 0
    assert measuring.fit([]) == NOTHING


SMALL = (
    Probe(Network(Architecture((Block(1, 8),), Head(hidden=(16,))), (1, 28, 28)), 8),
    Probe(Network(Architecture((Block(2, 16),), Head("gap", hidden=()), batch_norm=True), (1, 32, 32)), 8),
)


@pytest.mark.long
def test_pytorch_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks only: the figures are looked at by benchmarks/forecast.py, on a machine that does nothing else."""
    monkeypatch.setattr(measuring, "PROBES", SMALL)
    threads = torch.get_num_threads()
    try:
        *news, last = measuring.calibrate("cpu")
    finally:
        torch.set_num_threads(threads)
    assert news == [{"done": number, "of": 6} for number in range(7)]
    found = Calibration.from_json(json.loads(json.dumps(last["calibration"])))
    assert found.to_json() == last["calibration"]
    assert found.rates.keys() == {"float32", "bfloat16"}
    assert found.context > 0
    assert found.spread >= measuring.LEAST_SPREAD
    summary = summarize(*SMALL[1].network)
    for precision in found.rates:
        times = layer_times(summary, 8, precision, found)
        assert all(min(each) >= 0 for each in times)
        assert 0 < sum(map(sum, times)) < 10


@pytest.mark.long
def test_layers_are_timed_by_a_process_of_its_own() -> None:
    shares: list[float] = []
    found = time_layers(NETWORKS["LeNet"], 8, "cpu", "float32", shares.append, rounds=2)
    assert shares == [0.5, 1]
    assert list(found.layers) == [row.name for row in summarize(*NETWORKS["LeNet"]).rows]
    assert all(min(each) >= 0 for each in found.layers.values())
    assert found.step > 0


@pytest.mark.long
def test_what_cannot_be_timed_is_a_sentence() -> None:
    with pytest.raises(InputError, match="the batch size must be from 1"):
        time_layers(NETWORKS["LeNet"], 0, "cpu", "float32", rounds=2)
