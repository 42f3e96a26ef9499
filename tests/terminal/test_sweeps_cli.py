"""`vggexplorer sweep` from outside; a quick stand-in trains."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from test_calibration import StandIn
from test_cli_train import STAND_IN, Place, end, posix
from test_forecast import PLAIN

from vggexplorer import cli
from vggexplorer.runs import probes
from vggexplorer.runs.calibration import Measurements, keep
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps

GRID = ("1x4,1x8", "1x8", "--hidden", "none", "--input", "28", "--seed", "0,1", "--epochs", "2", "--device", "cpu")
KEEPER = """
import sys
from vggexplorer.runs import launch
from vggexplorer.runs.sweeps import keeper
launch.command = lambda run, *_: [sys.executable, sys.argv[2], str(run.path)]
keeper.LOOK = 0.05
sys.exit(keeper.main(sys.argv[:2]))
"""
WITH_STAND_IN = """
import sys
from vggexplorer import cli
from vggexplorer.runs.folder import run
from vggexplorer.runs.sweeps import start
stand_in, keeper, *arguments = sys.argv[1:]
start.command = lambda sweep: [sys.executable, keeper, str(sweep.path), stand_in]
run.START_TIMEOUT = 3
sys.exit(cli.main(arguments))
"""


class SweepPlace(Place):
    """A folder of runs of its own, in which a stand-in trains what a keeper starts."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        keep(self.runs, "cpu", Measurements([], PLAIN, PLAIN.start, PLAIN.context))
        (path / "keeper.py").write_text(KEEPER)
        (path / "stand_in.py").write_text(STAND_IN)
        self.command = [sys.executable, "-c", WITH_STAND_IN, str(path / "stand_in.py"), str(path / "keeper.py")]

    def sweep(self, *arguments: str, what: str = "") -> "subprocess.CompletedProcess[str]":
        return self.answer("sweep", *arguments, what=what)

    def only(self) -> Sweep:
        (found,) = all_sweeps(Runs(self.runs))
        return found

    def at_work(self) -> None:
        """Wait until the first run has a record."""
        wait_until(lambda: any(run.last_record() for run in Runs(self.runs).all(recorded=False)), 30)

    def clear(self) -> None:
        for sweep in all_sweeps(Runs(self.runs)):
            start.stop_sweep(sweep)
            wait_until(lambda sweep=sweep: not sweep.kept(), 20)  # type: ignore[misc]
        super().clear()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SweepPlace]:
    place = SweepPlace(tmp_path)
    yield place
    place.clear()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_grid_is_trained_to_its_end_and_listed(place: SweepPlace) -> None:
    done = place.sweep("start", *GRID, "--name", "small", "--json")
    assert done.returncode == 0, done.stderr
    *runs, last = lines(done.stdout)
    assert sorted(each["seed"] for each in runs) == [0, 0, 1, 1]
    assert {each["status"] for each in runs} == {"finished"}
    assert {each["best_test_acc"] for each in runs} == {0.08}  # the stand-in's last step, of eight
    assert (last["status"], last["runs"], last["finished"]) == ("finished", 4, 4)
    assert [(point["runs"], point["tested"], point["best"]) for point in last["points"]] == [(2, 2, 0.08)] * 2
    for cost in ("params", "macs"):  # as accurate as each other: the cheaper one is on the front
        (best,) = [point for point in last["points"] if cost in point["front"]]
        assert best[cost] == min(point[cost] for point in last["points"])
    assert "4 runs, one after the other" in done.stderr
    assert f"sweep {place.only().id}" in done.stderr
    listed = place.sweep("list", "--json")
    row = {"id": place.only().id, "path": str(place.only().path), "name": "small"}
    assert json.loads(listed.stdout) == {"sweeps": [row | {"status": "finished", "runs": 4, "finished": 4}]}
    assert "4 of 4" in place.sweep("list").stdout
    again = place.sweep("resume", place.only().id)
    assert (again.returncode, again.stderr.strip()) == (2, "In this sweep nothing is left to do.")


def test_a_line_for_each_run_and_a_table_at_the_end(place: SweepPlace) -> None:
    done = place.sweep("start", *GRID)
    assert done.returncode == 0, done.stderr
    output = done.stdout.splitlines()
    assert output[0].startswith("4 runs, one after the other ")
    assert output[1] == "4 of them need more memory than the device has."  # it has a byte
    assert sum("best test acc 0.080" in line for line in output[2:6]) == 4
    assert output[6].split()[:4] == ["network", "runs", "best", "test"]
    assert sum("2/2" in line for line in output[7:9]) == 2
    assert done.stderr.splitlines()[-1] == "4 of 4 finished"


@posix
def test_ctrl_c_stops_all_and_the_rest_is_resumed(place: SweepPlace) -> None:
    process = place.start("sweep", "start", *GRID, what="waits")
    place.at_work()
    process.send_signal(signal.SIGINT)
    status, _, errors = end(process)
    sweep = place.only()
    assert status == 130
    assert errors.splitlines()[-1] == f"To go on: vggexplorer sweep resume {sweep.id}"
    assert not sweep.kept()
    assert sweep.status(sweep.members()) == "stopped"
    made = {run.id for run in Runs(place.runs).all(recorded=False)}
    assert len(made) < 4
    done = place.sweep("resume", sweep.id, "--json")
    assert done.returncode == 0, done.stderr
    assert len(lines(done.stdout)) == 5
    assert made < {run.id for run in Runs(place.runs).all(recorded=False)} == set(sweep.asked().configs)


@posix
def test_the_runs_go_on_without_the_terminal_and_can_be_looked_at_and_stopped(place: SweepPlace) -> None:
    process = place.start("sweep", "start", *GRID, what="waits")
    place.at_work()
    process.kill()
    process.wait()
    sweep = place.only()
    assert sweep.kept()
    onlooker = place.start("sweep", "resume", sweep.id)
    time.sleep(0.5)
    assert onlooker.poll() is None
    stopped = place.sweep("stop", sweep.id)
    assert stopped.returncode == 0, stopped.stderr
    assert end(onlooker)[0] == 1
    assert sweep.status(sweep.members()) == "stopped"


# --- in this process -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path / "runs"))
    SweepPlace(tmp_path)
    return tmp_path


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert cli.main(["sweep", "start", *arguments, "--dry-run", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return dict(json.loads(out))


def test_a_dry_run_starts_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, "vgg11", "alexnet", "--width", "1/8,1/4", "--input", "56,65", "--seed", "0, 1", "--lr", "1")
    assert len(found["runs"]) == 2 * (2 * 2 + 2 * 1)
    assert {each["config"]["training"]["lr"] for each in found["runs"]} == {1.0}
    assert [each["network"] for each in found["left_out"]] == ["AlexNet × 1/8, 56×56", "AlexNet × 1/4, 56×56"]
    assert found["forecast"]["low"] < found["forecast"]["seconds"] < found["forecast"]["high"]
    assert all_sweeps(Runs(folder / "runs")) == []
    assert cli.main(["sweep", "start", "lenet", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("1 run, one after the other ")


def test_ctrl_c_during_measuring_says_what_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "runs" / "calibration-cpu.json").unlink()
    stand_in = StandIn(monkeypatch)
    stand_in.most, stand_in.error = 3, KeyboardInterrupt()
    assert cli.main(["sweep", "start", "lenet", "--device", "cpu", "--dry-run"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "What was measured is kept; `vggexplorer forecast` with --measure goes on."
    stand_in.most, stand_in.error = 48, None
    for _ in range(2):
        assert cli.main(["sweep", "start", "lenet", "--device", "cpu", "--dry-run"]) == 0
    assert [len(each["looks"]) for each in stand_in.asked] == [probes.FIRST, probes.FIRST - 3]


def test_an_input_with_channels_is_the_networks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = planned(capsys, "vgg11-slim", "--input", "3x64x64", "--recipe", "d2l-vgg")["runs"]
    assert run["config"]["network"]["input"] == "3x64x64"
    assert run["config"]["training"]["input_size"] == 64


def test_a_list_has_a_run_in_each_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "runs.txt"
    file.write_text(
        '# mine\nvgg11 --width 1/8 --seed 1\n\n"((1, 8), (1, 16))" --input-size 32  # small\nlenet --lr 3\n'
    )
    configs = [each["config"] for each in planned(capsys, "--list", str(file), "--lr", "0.5")["runs"]]
    assert [each["seed"] for each in configs] == [1, 0, 0]
    assert [each["training"]["lr"] for each in configs] == [0.5, 0.5, 3.0]
    assert [each["network"]["arch"] for each in configs][1:] == ["1x8,1x16", "lenet"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["start", "lenet", "--seed", "0,x"], "The seed must be a whole number, not “x”."),
        (["start", "lenet", "--seed", ","], "The seed must not be empty."),
        (["start", "lenet", "--width", "1,-1"], "not a positive ratio"),
        (["start", "lenet", "--recipe", "quick-demo,nothing"], "The recipe must be"),
        (["start", "lenet", "--seed", ",".join(map(str, range(1001)))], "from 1 to 1,000 runs"),
        (["start", "nothing"], "nothing"),
        (["start", "alexnet", "--input", "28"], "65×65"),
        (["start", "--list", "nowhere"], "The list “nowhere” cannot be read"),
        (["start", "--list", "nowhere", "lenet"], "not both"),
        (["start", "--lr", "1"], "Name networks, or a file with a run in each line: --list FILE."),
        (["resume", "nothing"], "There is no sweep “nothing”"),
        (["stop", "../x"], "There is no sweep “../x”"),
        (["resume", "x", "--lr", "1"], "Unrecognized arguments: --lr 1."),
        (["stop"], "The following arguments are required: SWEEP."),
        ([], "The following arguments are required: start|resume|stop|list."),
        (["lenet"], "'lenet'"),
    ],
)
def test_what_cannot_be_gets_a_sentence(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sweep", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err.splitlines()[-1]


@pytest.mark.parametrize(("line", "words"), [("lenet --bogus", "--bogus"), ("--lr 1", "arch"), ("'", "quotation")])
def test_a_bad_line_of_a_list_is_named(folder: Path, line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "runs.txt").write_text(f"lenet\n{line}\n")
    assert cli.main(["sweep", "start", "--list", str(folder / "runs.txt")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert words in error
    assert os.linesep not in error
