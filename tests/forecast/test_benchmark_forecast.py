"""The benchmark of the forecasts draws networks that can be trained, and counts its errors right."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT

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
