"""What is measured on a GPU in one run: here it goes as far as a processor does, with a GPU's figures put in."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import ROOT
from test_forecast import PLAIN

from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import decide
from vggexplorer.processes import StoppedError
from vggexplorer.pytorch import deterministic, machine
from vggexplorer.runs.steps import Choice, Why
from vggexplorer.summary import summarize

FOLDER = ROOT / "benchmarks"
NOT_ON_A_BARE_MACHINE = ("streamlit", "plotly", "rich", "platformdirs", "pandas", "pytest", "pynvml", "torchinfo")
NOT_ON_A_BARE_MACHINE += ("fvcore", "onnx", "PIL", "torchvision")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import gpu

    return gpu


@pytest.fixture
def contestants(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    import contestants

    threads = torch.get_num_threads()
    monkeypatch.setattr(machine, "threads", lambda *_: 1)
    yield contestants
    torch.set_num_threads(threads)
    deterministic.switch(False)
    torch.backends.cudnn.benchmark = False


@pytest.fixture
def report(gpu: ModuleType, contestants: ModuleType) -> Any:
    found = gpu.Report(contestants.Work("lenet", 28, 16, "sample", "cpu"))
    found.about["card"] = "NVIDIA H100"
    return found


OPTIONS = argparse.Namespace(names=["auto", "book"], rounds=2, seconds=0.0, json=False, markdown=True)


# --- speed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["auto", "float32", "fused", "exact", "plain"])
def test_a_contestant_trains_for_a_while_again_and_again(contestants: ModuleType, report: Any, name: str) -> None:
    ready = contestants.CONTESTANTS[name].prepare(report.work)
    turns = [ready.turn(0), ready.turn(0.01)]
    assert all(steps > 0 and seconds > 0 for steps, seconds in turns)
    assert ready.about["precision"] in ("float32", "bfloat16")


def test_what_another_one_prints_is_no_answer(
    contestants: ModuleType, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    lines = ["print('a warning')", 'print(\'{"steps": 3, "seconds": 0.5}\', flush=True)', "input()"]
    script.write_text("\n".join([*lines, "raise SystemExit('out of memory')"]), "utf-8")
    monkeypatch.setattr(contestants, "__file__", str(script))
    running = contestants.Running("auto", report.work, tmp_path / "log")
    assert running.answer(60) == {"steps": 3, "seconds": 0.5}
    with pytest.raises(contestants.LeftOutError, match=r"^no answer within 0 s"):
        running.answer(0.2)
    running.close()
    running = contestants.Running("auto", report.work, tmp_path / "log")
    running.answer(60)
    with pytest.raises(contestants.LeftOutError, match="out of memory"):
        running.turn(1, 60)
    running.close()


class Fake:
    """Takes `seconds` for ten steps; fails at its turn number `fails`, or does not even load (0)."""

    def __init__(self, error: type[Exception], seconds: float, fails: int | None = None) -> None:
        self.error, self.seconds, self.fails, self.turns = error, seconds, fails, 0

    def answer(self, _: float) -> dict[str, Any]:
        if self.fails == 0:
            raise self.error("no compiler")
        return {}

    def turn(self, *_: float) -> dict[str, Any]:
        self.turns += 1
        if self.turns == self.fails:
            raise self.error("out of memory")
        return {"steps": 10, "seconds": self.seconds, "card": "NVIDIA H100"}

    def close(self) -> None:
        """Nothing to end."""


def test_who_fails_is_left_out_with_a_sentence_and_the_others_go_on(gpu: ModuleType) -> None:
    fakes = {"plain": Fake(gpu.LeftOutError, 0.1), "compile": Fake(gpu.LeftOutError, 1, 0)}
    fakes["book"] = Fake(gpu.LeftOutError, 1, 3)
    left_out: list[str] = []
    found = gpu.race(fakes, 3, 1.0, left_out)
    about = {"steps": 10, "seconds": 0.1, "card": "NVIDIA H100"}
    assert found == {"plain": (about, [pytest.approx(100.0)] * 3)}  # the turn to get ready does not count
    assert fakes["plain"].turns == 4
    assert left_out == [
        "the same with torch.compile: no compiler",
        "the book's loop, 4 loader processes: out of memory",
    ]


H100 = {"float32": 10_146.0, "bfloat16": 11_692.0}
"""Examples per second of the slim VGG-11 in both precisions, as they were measured on one."""


@pytest.mark.parametrize(
    ("rates", "chosen", "met"),
    [
        (H100, "bfloat16", True),
        (H100, "float32", False),
        ({"float32": 900.0, "bfloat16": 200.0}, "float32", True),
        ({"float32": 1000.0, "bfloat16": 1050.0}, "float32", True),
    ],
)
def test_the_precision_is_held_against_the_turns(
    gpu: ModuleType, rates: dict[str, float], chosen: str, met: bool
) -> None:
    decided = decide(True, 128 / rates["float32"], 128 / rates["bfloat16"], 128)
    speed = {name: {"rate": rate, "precision": name, "decided": None} for name, rate in rates.items()}
    speed["auto"] = {"rate": rates[chosen], "precision": chosen, "decided": decided.to_json()}
    check = gpu.faster(speed)
    assert check.met is met
    assert check.found.startswith(f"{decided.remark}; in turns float32 ")
    assert gpu.faster({"auto": speed["auto"]}) is None


def test_the_price_of_an_exact_step(gpu: ModuleType) -> None:
    speed = {"bfloat16": {"rate": 120.0}, "exact": {"rate": 80.0, "precision": "bfloat16"}}
    assert gpu.price(speed).found == "1.50x as long, in bfloat16"
    assert gpu.price({"bfloat16": {"rate": 120.0}}) is None


CHOICE = Choice(Why.FASTER, 128 / 11_692, 128 / 36_489, 128)


def test_the_fused_step_is_held_against_its_bars_and_the_others(gpu: ModuleType, report: Any) -> None:
    speed = {name: {"rate": rate} for name, rate in {"book": 4_524.0, "bfloat16": 11_692.0, "fused": 36_489.0}.items()}
    speed["fused"]["step"] = CHOICE.to_json()
    checks = list(gpu.fused(speed, report.work._replace(device="cuda:0")))
    assert [(check.asked, check.met) for check in checks] == [
        ("36,000/s", True),
        ("45,000/s", False),
        ("10x", False),
        ("", None),
    ]
    assert checks[0].found == f"36,489/s; {CHOICE.remark}"
    assert [check.found for check in checks[2:]] == ["8.07x as fast", "3.12x as fast"]
    assert [check.met for check in gpu.fused(speed, report.work)] == [None] * 3  # a processor has no bars
    assert list(gpu.fused({"book": speed["book"]}, report.work)) == []


def test_alexnet_is_raced_by_itself(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report.work = report.work._replace(device="cuda:0")
    rates = {"bfloat16": {"rate": 18_000.0}, "fused": {"rate": 28_000.0, "step": CHOICE.to_json()}}
    asked: list[Any] = []
    monkeypatch.setattr(gpu, "raced", lambda _, work, names, __: (asked.append((work, names)), rates)[1])
    gpu.alexnet(report, OPTIONS)
    work, names = asked[0]
    assert (work.network, work.side, names) == ("alexnet", 65, ("bfloat16", "fused"))
    assert report.checks[0].found.startswith("28,000/s, 1.56x PyTorch's own step; fused, since ")
    assert report.checks[0].met is True
    del rates["fused"]
    with pytest.raises(gpu.LeftOutError):
        gpu.alexnet(report, OPTIONS)


def test_whole_runs_begin_with_nothing_compiled(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    took, seen = iter([25.0, 18.5, 21.0]), []

    def started(config: Any, folder: Path, env: dict[str, str]) -> tuple[float, Any]:
        seen.append((config.seed, config.training.epochs, *os.listdir(env["TRITON_CACHE_DIR"])))
        Path(env["TRITON_CACHE_DIR"], f"kernel {config.seed}").touch()
        facts = {"title": "NVIDIA H100", "step": CHOICE.to_json()}
        outcome = argparse.Namespace(test_acc=0.924, loss=0.17)
        return next(took), argparse.Namespace(outcome=lambda: outcome, environment=lambda: facts)

    monkeypatch.setattr(gpu, "started", started)
    report.work = report.work._replace(device="cuda:0", data="full")
    gpu.whole(report, OPTIONS)
    assert [len(each) for each in seen] == [2, 3, 4]
    assert [each[:2] for each in seen] == [(0, 10), (1, 10), (2, 10)]
    assert [check.met for check in report.checks] == [True, True, False]
    assert report.checks[1].found.startswith("18.5 s, test accuracy 0.924, loss 0.170; fused, since ")
    assert [check.name.partition(", ")[2] for check in report.checks[:2]] == [
        "seed 0, nothing compiled before",
        "seed 1, kernels from the cache",
    ]


def test_kernels_are_named_with_their_times(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu.kernels(report, OPTIONS)
    assert report.left_out == ["the kernels of a GPU: there is none here"]
    report.work = report.work._replace(device="cuda:0")
    found = {"about": {}, "kernels": [["all of them", 3.45, 600, None], ["_first_forward", 0.66, 10, 0.061]]}
    monkeypatch.setattr(gpu, "child", lambda *_: found)
    gpu.kernels(report, OPTIONS)
    assert list(gpu.tables(report))[-1][1:] == [
        ["all of them", "3.450", "", "60.0", "NVIDIA H100"],
        ["_first_forward", "0.660", "0.061", "1.0", "NVIDIA H100"],
    ]


# --- bits and memory ---------------------------------------------------------------------------------------


def test_bits_are_compared_across_two_processes(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "BOTH", ("float32",))
    monkeypatch.setattr(gpu, "STEPS", 3)
    monkeypatch.setattr(gpu, "STOP", 4)
    monkeypatch.setattr(gpu, "child", lambda name, report, asked: gpu.CHILDREN[name](report.work, asked))
    gpu.bits(report, OPTIONS)
    assert [check.met for check in report.checks] == [True, True, None]
    assert {check.found for check in report.checks} == {"equal bits"}


def test_other_bits_are_seen(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the three processes, each has bits of its own."""
    answers = iter("abc")

    def child(*_: Any) -> dict[str, Any]:
        digest = next(answers)
        return {"about": {}} | {each: {"whole": digest, "resumed": digest, "again": "d"} for each in gpu.BOTH}

    monkeypatch.setattr(gpu, "child", child)
    gpu.bits(report, OPTIONS)
    assert [check.met for check in report.checks] == [False, False, None] * 2
    assert {check.found for check in report.checks} == {"other bits"}


def peaks(*errors: float) -> list[dict[str, Any]]:
    figures = [{"forecast": 1e8 * (1 + error), "measured": 1e8, "error": error} for error in errors]
    about = {"network": {"arch": "1x8"}, "batch": 8, "precision": "float32"}
    return [{"kind": "random" if place else "named", **about, "memory": each} for place, each in enumerate(figures)]


def test_memory_is_measured_after_a_calibration(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report.work = report.work._replace(device="cuda:0")
    monkeypatch.setattr(gpu, "calibrated", lambda *_: PLAIN)
    monkeypatch.setattr(gpu, "known_price", lambda *_: 1.4)
    monkeypatch.setattr(gpu, "child", lambda *_: {"about": {"CUDA": "13.0"}, "peaks": peaks(0.02, -0.3, 0.05)})
    gpu.memory(report, OPTIONS)
    named, drawn, price = report.checks
    assert (named.found, named.met) == ("at most 2% off, 1 of 1 within the bar", True)
    assert (drawn.found, drawn.met) == ("at most 30% off, 1 of 2 within the bar", False)
    assert price.found == "1.40x as long"
    assert all(row[-1] == "NVIDIA H100" for rows in gpu.tables(report) for row in rows[1:])
    monkeypatch.setattr(gpu, "child", lambda *_: {"about": {}, "peaks": []})
    with pytest.raises(gpu.LeftOutError, match="beside tensors"):
        gpu.memory(report, OPTIONS)


def test_the_peaks_of_all_networks_are_asked_for(gpu: ModuleType, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(gpu, "peaks", lambda some, *about: (asked.append((len(some), about[1:])), [{"memory": 1}])[1])
    calibration = PLAIN.to_json() | {"added": {"float32": [1, 0.5, 2, 0.0]}}
    found = gpu.peaks_of(report.work, {"calibration": calibration})
    assert [each["kind"] for each in found["peaks"]] == ["named", "random"]
    assert asked == [(len(gpu.NAMED), ("cpu", "float32")), (gpu.RANDOM, ("cpu", "float32"))]
    assert all(summarize(*network).totals.params for network, _ in gpu.NAMED)


def test_a_calibration_that_takes_too_long_counts_as_far_as_it_came(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: Any, stop: Any) -> None:
        assert stop.wait(60)
        raise StoppedError("It was stopped.")

    monkeypatch.setattr(gpu, "CALIBRATION", 0.01)
    monkeypatch.setattr(gpu, "calibrate", late)
    monkeypatch.setattr(gpu, "resolve", lambda *_: None)
    monkeypatch.setattr(gpu, "known_calibration", lambda *_: PLAIN)
    assert gpu.calibrated(tmp_path, "cuda:0") == PLAIN
    monkeypatch.setattr(gpu, "known_calibration", lambda *_: None)
    with pytest.raises(StoppedError):
        gpu.calibrated(tmp_path, "cuda:0")


# --- the whole ---------------------------------------------------------------------------------------------


def test_a_part_that_fails_is_said_and_the_rest_goes_on(gpu: ModuleType, report: Any) -> None:
    def fails(*_: Any) -> None:
        raise InputError("It cannot be done.")

    report.part("bits", fails, OPTIONS)
    assert report.checks == [gpu.Check("bits", "failed: It cannot be done.", met=False)]


def main(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
    return int(gpu.main())


def test_without_a_gpu_or_the_data_it_says_so(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(gpu, monkeypatch) == 2
    assert capsys.readouterr().err.startswith("There is no GPU here that PyTorch can use; --device cpu ")
    assert main(gpu, monkeypatch, "--device", "cpu", "--data", "/nowhere") == 2
    assert "does not hold the 4 files" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(gpu, monkeypatch, "--parts", "all")


def test_the_tables_are_those_of_the_results_page(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def speed(report: Any, _: Any) -> None:
        rates = {"book": 4524.0, "auto": 11692.0}
        report.speed = {name: {"rate": rate, "precision": "bfloat16"} for name, rate in rates.items()}
        report.about["card"] = "NVIDIA H100"

    monkeypatch.setitem(gpu.PARTS, "speed", speed)
    assert main(gpu, monkeypatch, "--device", "cpu", "--parts", "speed,memory", "--markdown") == 0
    out = capsys.readouterr().out
    assert "| this project, precision left open | bfloat16 | 11,692 | 5.47 | 2.58x | NVIDIA H100 |" in out
    assert "| all of this | " in out
    assert out.endswith("left out: the memory of a GPU: there is none here\n")


def bare(folder: Path) -> dict[str, str]:
    """An environment in which only PyTorch can be imported, and nothing is installed of this project."""
    message = "No module named '{}'"
    for name in NOT_ON_A_BARE_MACHINE:
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError({message.format(name)!r})", "utf-8")
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.mark.long
@pytest.mark.long
def test_all_of_it_runs_on_a_bare_machine(tmp_path: Path) -> None:
    small = ("--network", "lenet", "--side", "28", "--batch", "16", "--seconds", "0.1", "--rounds", "1")
    done = subprocess.run(
        [sys.executable, str(FOLDER / "gpu.py"), "--device", "cpu", "--names", "auto,book", "--json", *small],
        cwd=tmp_path,
        env=bare(tmp_path),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["speed"].keys() == {"auto"}
    assert found["speed"]["auto"]["rate"] > 0
    book, kernels, memory = found["left_out"]
    assert kernels == "the kernels of a GPU: there is none here"
    assert book.endswith(("No module named 'torchvision'", "No module named 'PIL'"))
    assert memory == "the memory of a GPU: there is none here"
    names = [check["name"] for check in found["checks"]]
    assert names[0] == "the quick demo with LeNet, from start to end"
    assert [check["met"] for check in found["checks"] if "exact run" in check["name"]] == [True] * 4


@pytest.mark.long
def test_the_books_loop_trains_epoch_after_epoch(contestants: ModuleType, report: Any, tmp_path: Path) -> None:
    """In a process of its own, from one epoch of the sample into the next: its loaders live on."""
    work = report.work._replace(batch=600)
    running = contestants.Running("book", work, tmp_path / "log")
    running.answer(120)
    done = running.turn(0, 120)
    assert (done["steps"], done["precision"]) == (contestants.TOGETHER, "float32")
    running.close()


# --- pytest -m gpu -----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.long
def test_tests_of_a_gpu_say_in_one_sentence_why_they_do_not_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", "tests/pytorch/test_exact_gpu.py"],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert done.returncode == 0, done.stdout
    assert len(skipped) == 1
    assert skipped[0].endswith(": needs an NVIDIA GPU, and there is none here")
