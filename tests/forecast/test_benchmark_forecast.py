"""The benchmark of the forecasts draws networks that can be trained, and counts its errors right."""

import importlib.util
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT
from test_forecast import LARGE, PLAIN

from vggexplorer.forecast.memory import Added, training_memory
from vggexplorer.forecast.precision import BOTH
from vggexplorer.runs.calibration import calibrate
from vggexplorer.runs.devices import resolve
from vggexplorer.runs.probes import PROBES
from vggexplorer.summary import summarize


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("forecast_benchmark", ROOT / "benchmarks" / "forecast.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_networks_are_new_and_the_same_each_time(benchmark: ModuleType) -> None:
    cases = benchmark.cases(20, 0)
    assert cases == benchmark.cases(20, 0)
    assert len({case.network for case in cases}) == 20
    assert not {case.network for case in cases} & {probe.network for probe in PROBES}
    for case in cases:
        totals = summarize(*case.network).totals
        assert benchmark.LEAST <= case.batch * totals.macs <= benchmark.MOST
        assert totals.params <= benchmark.MOST_PARAMS


def result(error: float) -> dict[str, Any]:
    figures = {"forecast": 1 + error, "measured": 1.0, "error": error}
    return {"network": {"arch": "1x8"}, "batch": 8, "precision": "float32", "seconds": figures, "memory": figures}


def test_errors_are_counted_by_their_size(benchmark: ModuleType) -> None:
    results = [result(error) for error in (-0.3, 0.1, 0.2)]
    found = benchmark.verdict(results, "seconds", 0.25)
    assert (found["median"], found["largest"], found["within"], found["of"]) == (0.2, 0.3, 2, 3)
    assert found["mean"] == pytest.approx(0.2)
    assert benchmark.rows(results)[1][5] == "-30%"


@pytest.mark.gpu
@pytest.mark.parametrize("precision", BOTH)
def test_the_most_that_a_step_takes_on_a_gpu(
    benchmark: ModuleType, precision: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Once the GPU is calibrated: networks of the tests, and ten that are drawn at random, the same each time."""
    folder = tmp_path_factory.getbasetemp() / "calibrated"
    calibration = calibrate(folder, resolve("cuda:0", folder))
    drawn = [(case.network, case.batch) for case in benchmark.cases(10, 0)]
    cases = [*((network, 32) for network in LARGE), *drawn]
    errors = [each["memory"]["error"] for each in benchmark.peaks(cases, calibration, "cuda:0", precision)]
    assert max(map(abs, errors)) <= benchmark.GPU_MEMORY_BAR, errors


def test_peaks_are_compared_with_what_the_gpu_adds(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Added(libraries=10**8, copies=1.0, cached=10**7)
    network = LARGE[0]
    bare = training_memory(summarize(*network), 32, "float32", gpu=True).total
    monkeypatch.setattr("vggexplorer.pytorch.device_memory.peak", lambda *_: bare + 10**8)
    known = replace(PLAIN, gpu=True, added={"float32": added})
    (found,) = benchmark.peaks([(network, 32)], known, "cuda:0", "float32")
    assert 0 < found["memory"]["error"] < 0.2
    assert found["memory"]["measured"] == bare + 10**8
