"""`vggexplorer race` from outside; a quick stand-in trains."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import wait_until
from real_runs import CONFIG
from test_cli_train import OUTCOME, Place, Terminal, end, last_line, posix

from vggexplorer.runs import races
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import forecast
from vggexplorer.terminal.race import lines_before

TWO = ("lenet", "1x4,1x8", "--hidden", "none", "--input-size", "28", "--epochs", "2", "--device", "cpu")
NAMES = ("LeNet, hidden none", "1x4,1x8, hidden none")
SHARED = "A member alone would be faster: they share the device."


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.clear()


def members(place: Place) -> list[Run]:
    """Those of the only race, in the order of their seats."""
    runs = Runs(place.runs)
    return races.members(runs, runs.all(recorded=False)[0])


def at(place: Place, step: int) -> list[Run]:
    """The members, once both have come to `step`."""

    def there() -> bool:
        found = Runs(place.runs).all(recorded=False)
        return len(found) == 2 and all((last := run.last_record()) and last.step >= step for run in found)

    wait_until(there, what=f"step {step}")
    return members(place)


# --- what cannot be raced --------------------------------------------------------------------------------------

PLACE = "A race goes with neither --nproc nor --on: its members are single processes on this machine."
BAD = {
    "no network": ((), "The following arguments are required: ARCH."),
    "one network": (("lenet",), "A race is between 2 and 3 networks, not 1."),
    "four networks": (("lenet",) * 4, "A race is between 2 and 3 networks, not 4."),
    "unknown network": (("lenet", "vgg12"), "There is no network “vgg12”"),
    "several processes": ((*TWO, "--nproc", "2"), PLACE),
    "no number of processes": ((*TWO, "--nproc", "two"), "The number of processes must be a whole number, not “two”."),
    "a cluster": ((*TWO, "--on", "auto"), PLACE),
    "a device that is not here": (("lenet", "vgg11", "--device", "cuda:9"), "There is no device cuda:9 here"),
    "an input that one cannot take": (("lenet", "vgg11", "--input-size", "28"), "smallest input for this network is"),
    "a name of nothing": ((*TWO, "--name", " "), "A name has from 1 to 80 characters"),
    "a run": (("20261129-153000-000000-lenet-00000000", "lenet"), "is neither a block"),
}


@pytest.mark.sample(5)
@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_raced_gets_a_sentence(place: Place, arguments: tuple[str, ...], sentence: str) -> None:
    done = place.answer("race", *arguments)
    assert done.returncode == 2
    assert sentence in last_line(done.stderr)
    assert re.fullmatch(r"\S.*\.", last_line(done.stderr))
    assert Runs(place.runs).all(recorded=False) == []


def test_what_a_gpu_by_its_data_sheet_takes_is_said_with_its_time() -> None:
    device = Device("cuda:0", "NVIDIA A100-SXM4-40GB", 40 * 2**30, 2.0)
    alone = forecast(replace(CONFIG, device="cuda:0"), device, None)
    memory, time, shared = lines_before([CONFIG, CONFIG], races.Together(device, (alone, alone)))
    assert re.fullmatch(r"[0-9.,]+ \S+ of memory together, at most [0-9.]+ \S+, on cuda:0 \(.*\)", memory)
    assert re.fullmatch(r"about [0-9:]+ in all, as one after the other", time)
    assert shared == SHARED


# --- both to their ends ----------------------------------------------------------------------------------------


@pytest.mark.torch
def test_json_is_a_record_of_either_a_line_and_an_outcome_of_each(place: Place) -> None:
    done = place.answer("race", *TWO, "--json")
    assert done.returncode == 0, done.stderr
    *records, first, second = map(json.loads, done.stdout.splitlines())
    both = [run.id for run in members(place)]
    assert [first["run"], second["run"]] == both
    assert first.keys() == second.keys() == OUTCOME
    assert {first["status"], second["status"]} == {"finished"}
    for run_id in both:
        assert [record["step"] for record in records if record["run"] == run_id] == list(range(1, 9))
    memory, shared, *said = done.stderr.splitlines()
    assert re.fullmatch(
        r"[0-9.]+ GiB of memory together, on cpu \(LeNet, hidden none [0-9.]+ MiB, 1x4,1x8, hidden none [0-9.]+ MiB\)",
        memory,
    )
    assert shared.startswith("This does not fit in 90% of 1 B.")  # which is what this device is said to have
    assert said == [SHARED, *(f"{name}: run {run_id}" for name, run_id in zip(NAMES, both, strict=True))]


@pytest.mark.torch
def test_plain_lines_say_whose_they_are(place: Place) -> None:
    done = place.answer("race", *TWO, "--name", "evening")
    assert done.returncode == 0, done.stderr
    names = [f"evening: {name}" for name in NAMES]
    assert [run.name() for run in members(place)] == names
    _, _, shared, *lines = done.stdout.splitlines()
    assert shared == SHARED
    for name in names:
        assert [line.removeprefix(f"{name}: ") for line in lines if line.startswith(name)] == [
            "training on cpu",
            "epoch 1 of 2: loss 1.000, train acc 0.250, test acc 0.040",
            "epoch 2 of 2: loss 1.000, train acc 0.250, test acc 0.080",
            "loss 1.000, train acc 0.250, test acc 0.080",
            "800.0 examples/sec on cpu",
            "0.8 seconds",
        ]
    assert len(lines) == 12


@pytest.mark.torch
@posix
def test_one_that_is_killed_does_not_end_the_other_and_is_followed_again_when_it_goes_on(place: Place) -> None:
    process = place.start("race", *TWO, "--json", what="waits")
    one, other = at(place, 2)
    os.kill(one.heartbeat()["pid"], signal.SIGKILL)
    wait_until(lambda: one.status().word == "interrupted")
    resumed = place.answer("resume", one.id, "--json")  # while the other waits at its step
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(last_line(resumed.stdout))["status"] == "finished"
    assert other.status().word == "running"
    refused = place.answer("resume", other.id, "--nproc", "2")
    assert refused.returncode == 2
    assert last_line(refused.stderr) == "The members of a race are single processes on this machine."
    os.kill(other.heartbeat()["pid"], signal.SIGTERM)
    status, output, errors = end(process)
    assert status == 1
    *records, first, second = map(json.loads, output.splitlines())
    assert [(each["run"], each["status"]) for each in (first, second)] == [
        *((one.id, "finished"), (other.id, "stopped")),
    ]
    assert [record["step"] for record in records if record["run"] == one.id] == [1, 2, *range(1, 9)]
    assert last_line(errors) == f"{NAMES[1]}: Stopped after step 2. To go on: vggexplorer resume {other.id}"


@pytest.mark.torch
@posix
def test_ctrl_c_stops_both(place: Place) -> None:
    process = place.start("race", *TWO, "--json", what="waits")
    both = at(place, 2)
    process.send_signal(signal.SIGINT)
    status, output, errors = end(process)
    assert status == 130
    outcomes = list(map(json.loads, output.splitlines()))[-2:]
    assert [(each["run"], each["status"]) for each in outcomes] == [(run.id, "stopped") for run in both]
    for name, run in zip(NAMES, both, strict=True):
        assert f"{name}: Stopped after step 2. To go on: vggexplorer resume {run.id}" in errors


@pytest.mark.torch
@posix
def test_a_second_ctrl_c_ends_their_trainers(place: Place) -> None:
    process = place.start("race", *TWO, "--json", what="deaf")
    both = at(place, 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    while "Ctrl-C once more" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    status, output, _ = end(process)
    assert status == 130
    assert [json.loads(line)["status"] for line in output.splitlines()[-2:]] == ["interrupted"] * 2
    assert not any(run.locked() for run in both)


@pytest.mark.torch
@posix
def test_a_run_waits_for_all_members(place: Place) -> None:
    process = place.start("race", *TWO, what="waits")
    one, _ = at(place, 2)
    single = place.start("train", "lenet", "--device", "cpu", "--epochs", "1")
    assert single.stderr
    while not single.stderr.readline().startswith("run "):
        pass
    assert single.stderr.readline() == "waiting in line: 2 runs ahead\n"
    os.kill(one.heartbeat()["pid"], signal.SIGTERM)
    assert single.stderr.readline() == "waiting in line: 1 run ahead\n"
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130
    assert end(single)[0] == 0


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ")
def test_a_terminal_draws_a_row_for_each(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(place, "race", *TWO, "--name", "a long name", what="waits")
    at(place, 2)
    wait_until(lambda: terminal.shows("left"), 30, "the bars")
    terminal.type(b"\x03")
    assert terminal.status() == 130
    assert re.search(
        r"a long name: LeNe…  epoch 1/2  \S+  0:00:01 left", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.text)
    )
    assert "Traceback" not in terminal.text


@pytest.mark.torch
@posix
def test_one_that_is_killed_and_left_alone_is_told_at_the_end(place: Place) -> None:
    process = place.start("race", *TWO, what="waits")
    one, other = at(place, 2)
    os.kill(one.heartbeat()["pid"], signal.SIGKILL)
    wait_until(lambda: one.status().word == "interrupted")
    other.want(stop=True)
    status, _, errors = end(process)
    assert status == 1
    assert f"{NAMES[0]}: To go on: vggexplorer resume {one.id}" in errors
    assert f"{NAMES[0]}: The trainer ended unexpectedly" in errors
