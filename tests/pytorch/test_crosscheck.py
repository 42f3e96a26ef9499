"""The process that asks the other tools: what it says, how it ends, and what the command line makes of it."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from vggexplorer import cli
from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError, reason_to_json
from vggexplorer.layers import Conv2d, Costs, Shape
from vggexplorer.peers import PEERS, Measured, reconcile
from vggexplorer.processes import StoppedError
from vggexplorer.pytorch import crosscheck as inside
from vggexplorer.runs import crosscheck
from vggexplorer.summary import summarize
from vggexplorer.text import format_network

SMALL = Network(Architecture((Block(1, 8), Block(2, 16)), Head("adaptive", (9,), size=2), batch_norm=True), (1, 17, 12))
LARGE = Network(NETWORKS["VGG-16"].architecture, (3, 512, 512))
SMALL_ARGUMENTS = ("profile", "1x8", "--input", "1x8x8", "--hidden", "none", "--check")


def asked(network: Network) -> dict[str, Measured]:
    return {found.tool: found for found in crosscheck.crosscheck(network)}


# --- the process ---------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("network", [SMALL, NETWORKS["LeNet"], NETWORKS["VGG-11-LRN"]], ids=["bn", "LeNet", "LRN"])
def test_every_tool_is_explained_to_the_digit(network: Network) -> None:
    measured = asked(network)
    assert [found.error for found in measured.values()] == [None] * 3
    checks = reconcile(summarize(*network), measured)
    assert [(check.tool, check.unexplained, check.unexplained_params) for check in checks] == [
        (tool, 0, 0) for tool in PEERS
    ]
    assert all(found.version and found.seconds > 0 for found in measured.values())


@pytest.mark.long
def test_a_network_too_large_for_real_tensors_is_counted_by_the_others() -> None:
    measured = asked(LARGE)
    checks = reconcile(summarize(*LARGE), measured)
    assert [(check.tool, check.agrees) for check in checks] == [("FlopCounterMode", True), ("torchinfo", True)]
    assert str(measured["fvcore"].error).startswith("No figures from fvcore: it computes with real numbers")


@pytest.mark.long
def test_a_wrong_count_of_ours_turns_red_against_the_real_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = asked(SMALL)
    right = Conv2d.costs

    def one_too_many(self: Conv2d, shape: Shape) -> Costs:
        output, params, macs = right(self, shape)
        return output, params, macs + 1

    monkeypatch.setattr(Conv2d, "costs", one_too_many)
    checks = reconcile(summarize(*SMALL), measured)
    assert {check.tool: check.unexplained for check in checks} == dict.fromkeys(PEERS, -3)


@pytest.mark.long
def test_it_prints_a_json_line_for_each_tool_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vggexplorer.pytorch.crosscheck"],
        input=json.dumps(format_network(SMALL)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(line) for line in lines] == [{"tool", "version", "params", "count", "seconds"}] * 3
    assert [line["tool"] for line in lines] == list(PEERS) == list(inside.TOOLS)


def test_a_tool_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Network) -> tuple[int, int]:
        raise RuntimeError("no such operator\nand much more")

    monkeypatch.setitem(inside.TOOLS, "fvcore", ("fvcore", broken))
    answer = inside.measure("fvcore", SMALL)
    assert answer["error"]["text"] == "No figures from fvcore: RuntimeError: no such operator"
    assert str(crosscheck._parse(answer).error) == answer["error"]["text"]


def test_a_tool_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    said = 'This needs torchinfo, which is not installed here; pip install "vggexplorer[train]" helps.'
    assert inside.measure("torchinfo", SMALL)["error"]["text"] == said


# --- how it ends ---------------------------------------------------------------------------------------


def test_it_is_ended_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "CROSSCHECK_TIMEOUT", 0.1)
    start = time.monotonic()
    assert {str(found.error) for found in asked(SMALL).values()} == {
        f"No figures from {tool}: no answer within 0.1 s" for tool in PEERS
    }
    assert time.monotonic() - start < 10


@pytest.mark.long
def test_it_is_stopped_between_two_tools() -> None:
    stop = threading.Event()
    found = crosscheck.crosscheck(LARGE, stop)
    assert next(found).tool in PEERS
    stop.set()
    with pytest.raises(StoppedError):
        list(found)


def test_the_last_words_of_a_process_that_breaks_down_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch is damaged')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    measured = asked(SMALL)
    assert str(measured["torchinfo"].error) == "No figures from torchinfo: ImportError: libtorch is damaged"
    assert measured.keys() == PEERS.keys()


# --- the command line ----------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def lie(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """fvcore's figures, or whatever else `changes` names, are changed on their way."""
    parse = crosscheck._parse

    def wrong(found: dict[str, Any]) -> Measured:
        return parse(found | changes.get(found["tool"], {}))

    monkeypatch.setattr(crosscheck, "_parse", wrong)


@pytest.mark.long
def test_check_prints_a_table_and_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, *SMALL_ARGUMENTS)
    assert status == 0
    assert out.count("✓ explained to the digit") == 3
    assert "biases: one for each output element of Conv2d and Linear" in out
    assert "+ 522" in out  # 8 x 8 x 8 + 10
    assert "✗" not in out


@pytest.mark.long
def test_check_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, *SMALL_ARGUMENTS, "--json")
    data = json.loads(out)
    assert status == 0
    assert list(data) == ["architecture", "input_shape", "totals", "layers", "check"]
    assert [(entry["tool"], entry["unexplained"], entry["unexplained_params"]) for entry in data["check"]] == [
        (tool, 0, 0) for tool in PEERS
    ]
    (term,) = data["check"][1]["terms"]
    assert (term["value"], term["formula"]) == (522, "8 × 8 × 8 + 10")


@pytest.mark.long
def test_a_corrupted_count_is_marked_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lie(monkeypatch, fvcore={"count": 1}, torchinfo={"params": 0})
    status, out, _ = said(capsys, *SMALL_ARGUMENTS)
    assert status == 1
    assert out.count("✓") == 1
    assert "✗ unexplained: −5,887" in out  # 8 x 8 x 8 x 9 + 10 x 128 = 5,888
    assert "✗ unexplained: −1,370 parameters" in out
    status, out, _ = said(capsys, *SMALL_ARGUMENTS, "--json")
    assert (status, json.loads(out)["check"][2]["unexplained"]) == (1, -5_887)


@pytest.mark.long
def test_a_tool_that_fails_is_named_and_no_figures_at_all_end_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"error": reason_to_json(InputError("No figures from {tool}: {reason}", tool="it", reason="rain"))}
    lie(monkeypatch, fvcore=error)
    status, out, _ = said(capsys, *SMALL_ARGUMENTS)
    assert (status, out.count("✓")) == (0, 2)
    assert "No figures from it: rain" in out
    lie(monkeypatch, fvcore=error, torchinfo=error, FlopCounterMode=error)
    status, out, _ = said(capsys, *SMALL_ARGUMENTS, "--json")
    assert status == 1
    assert json.loads(out)["check"][0]["error"] == "No figures from it: rain"


def test_bad_input_and_a_missing_pytorch_end_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, "profile", "alexnet", "--input", "1x64x64", "--check")
    assert (status, out) == (2, "")
    assert "65×65" in err
    monkeypatch.setattr("vggexplorer.processes.find_spec", lambda name: None)
    status, out, err = said(capsys, *SMALL_ARGUMENTS)
    assert (status, out) == (2, "")
    assert err.startswith("This needs PyTorch")
    assert len(err.splitlines()) == 1
