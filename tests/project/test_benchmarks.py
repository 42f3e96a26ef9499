"""The benchmark programs run and print what they should; no time is asserted, for a machine may be busy."""

import json
import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT

from vggexplorer.architectures import NETWORKS
from vggexplorer.summary import summarize

FOLDER = ROOT / "benchmarks"
QUICK = ("--networks", "lenet", "--side", "28", "--rounds", "1", "--layers", "10,20")
LENET = summarize(*NETWORKS["LeNet"]).totals


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import calibration

    return calibration


def test_forecasts_are_compared_with_the_runs_that_follow(calibration: ModuleType) -> None:
    rows = [calibration.row("a guess", "LeNet", 0.3, 0.1)]
    rows += [calibration.row("a run", "LeNet", forecast, 0.1) for forecast in (0.1, 0.12, 0.08, 0.05)]
    found = {"state": "busy", "at once": 0.01, "look": 5.0, "first measured": 4.0, "rows": rows}
    assert [line[-1] for line in calibration.lines([found])[1:]] == ["+200%", "+0%", "+20%", "-20%", "-50%"]
    assert [each[1:] for each in calibration.bars_of(found)] == [
        ["10", "", ""],
        ["4.0", "10", "yes"],
        ["200%", "half or twice", ""],
        ["3 of 4", "all", "no"],
    ]
    for network in {network for _, network in calibration.FORECASTS}:
        asked = calibration.config(network)
        assert asked.training.images == 2000


def printed(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "analysis.py"), *QUICK, *arguments],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def analysis(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import analysis

    return analysis


@pytest.mark.torch
@pytest.mark.long
def test_the_analysis_is_reported_as_json() -> None:
    report = json.loads(printed("--json"))
    assert report["machine"].keys() >= {"processor", "system", "Python", "torch", "vggexplorer"}
    network = report["networks"]["lenet"]
    assert (network["params"], network["macs"], network["activations"]) == (
        LENET.params,
        LENET.macs,
        LENET.activations,
    )
    others = {tool for tool in ("thop", "ptflops") if find_spec(tool)}
    titles = {tool["tool"] for tool in network["tools"]}
    assert titles == {"FlopCounterMode, meta device", "torchinfo, meta device", "torchinfo", "fvcore"} | others
    assert set(report["not_installed"]) == {"thop", "ptflops"} - others
    for tool in network["tools"]:
        assert tool["agrees"]
        assert tool["params"] == LENET.params
        assert 0 < tool["seconds"] < tool["seconds_with_building"]
        assert 0 < tool["ratio"] < tool["ratio_with_building"]
    assert report["growth"].keys() == {"10", "20"}
    assert report["bar"]["agree"]


@pytest.mark.torch
@pytest.mark.long
@pytest.mark.long
def test_the_analysis_is_reported_as_a_table_of_ratios() -> None:
    lines = printed("--markdown").splitlines()
    assert "torch " in lines[0]  # the machine and the versions
    assert lines[2:4] == ["|  | lenet |", "|---|---:|"]
    assert lines[4].startswith("| this project | ")
    assert any(line.startswith("| torchinfo, meta device ✓ | ") and line.endswith("× |") for line in lines)
    assert "| layers | 10 | 20 |" in lines
    assert lines[-1].startswith(("The bar is met: at least ", "The bar is missed: at least "))


@pytest.mark.torch
def test_the_growth_of_a_sweep_is_a_table_of_ratios() -> None:
    command = [sys.executable, str(FOLDER / "growth.py"), "--runs", "3", "--rounds", "1", "--markdown"]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.splitlines()
    assert lines[2] == "|  | 3 runs | 6 runs | ratio | bar | met |"
    assert [line.count("x | 2.5x | ") for line in lines[4:]] == [1] * 9


def tool(ratio: float, agrees: bool = True) -> dict[str, Any]:
    return {"tool": f"tool {ratio}", "ratio": ratio, "agrees": agrees}


@pytest.mark.parametrize(
    ("ratios", "agrees", "growth", "met"),
    [
        ((90, 300), True, 1.2, True),
        ((79, 300), True, 1.2, False),
        ((90, 300), False, 1.2, False),
        ((90, 300), True, 1.6, False),
    ],
)
def test_the_bar(analysis: ModuleType, ratios: tuple[int, int], agrees: bool, growth: float, met: bool) -> None:
    results = {"one": {"tools": [tool(ratios[0], agrees)]}, "two": {"tools": [tool(ratios[1])]}}
    verdict = analysis.verdict(results, growth)
    assert verdict["met"] is met
    assert verdict["agree"] is agrees
    assert verdict["lowest_ratio"] == ratios[0]
    assert ("other figures: tool 90 of one" in verdict["line"]) is not agrees


def test_figures_that_disagree_are_marked_and_end_with_status_1(
    analysis: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = analysis.Tool("torchinfo", "torchinfo", "meta", lambda net, image: (1, 2))
    monkeypatch.setattr(analysis, "TOOLS", (wrong,))
    monkeypatch.setattr(sys, "argv", ["analysis.py", *QUICK])
    assert analysis.main() == 1
    out = capsys.readouterr().out
    assert "torchinfo, meta device ✗" in out
    assert "other figures: torchinfo, meta device of lenet" in out


def test_a_tool_that_is_not_installed_is_named(
    analysis: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = analysis.TOOLS[0]._replace(name="other", module="a_module_that_nobody_has")
    monkeypatch.setattr(analysis, "TOOLS", (analysis.TOOLS[0], absent))
    monkeypatch.setattr(sys, "argv", ["analysis.py", *QUICK])
    assert analysis.main() == 0
    assert "a_module_that_nobody_has is not installed and is left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.3e-5, "43 µs"), (0.0082, "8.2 ms"), (0.0149, "15 ms"), (0.74, "740 ms"), (3.14, "3.1 s"), (12.6, "13 s")],
)
def test_times_are_written_for_people(analysis: ModuleType, seconds: float, text: str) -> None:
    assert analysis.time_text(seconds) == text
