"""Sweeps: what a grid holds, the Pareto front, what is left to do; trainers as processes, one of them killed."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from conftest import wait_until
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from real_runs import check_records, end_all
from samples import examples
from test_forecast import PLAIN
from test_runs_page import config

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.runs import devices, limits
from vggexplorer.runs.calibration import Measurements, keep
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import forecast
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.options import RECIPE_NAMES
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps import keeper, start
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps, find_sweep
from vggexplorer.runs.sweeps.grid import Grid, forecast_total, network_name, run_names
from vggexplorer.runs.sweeps.pareto import Point, Result, pareto_front, points_of
from vggexplorer.text import parse_network

NETS = [parse_network({"arch": arch, "input": "1x32x32", "hidden": "none"}) for arch in ("1x4", "1x8,1x4", "2x2")]
TINY = [config(network) for network in NETS]
UNLIMITED = Limits()


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """A folder of runs where the processor is known, and measured."""
    about = {"machine": devices.machine()}
    cpu = devices.Device("cpu", "CPU", 2**33, 1.0)
    write_json(tmp_path / "devices.json", about | {"devices": [cpu._asdict()]})
    keep(tmp_path, "cpu", Measurements([], PLAIN, PLAIN.start, PLAIN.context))
    return Runs(tmp_path)


@pytest.fixture
def unkept(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keeper is started."""
    monkeypatch.setattr(start, "_keep", lambda *_: None)


# --- what is asked -------------------------------------------------------------------------------------------

grids = st.builds(
    Grid,
    networks=st.lists(st.sampled_from(NETS), min_size=1, max_size=3, unique=True),
    widths=st.lists(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(2)]), min_size=1, max_size=3, unique=True),
    sizes=st.lists(st.sampled_from([None, 28, 40]), min_size=1, max_size=3, unique=True),
    recipes=st.lists(st.sampled_from(RECIPE_NAMES), min_size=1, max_size=2, unique=True),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
    changes=st.sampled_from([{}, {"epochs": 7}, {"lr": 0.3, "momentum": 0.1}]),
)


@examples(100)
@given(grids)
def test_a_grid_is_every_combination_once_in_one_order(grid: Grid) -> None:
    expected = [
        Config(
            network=network._replace(architecture=network.architecture.scaled(width)),
            training=replace(recipe(name, network), **grid.changes, **({} if size is None else {"input_size": size})),
            seed=seed,
        )
        for seed in grid.seeds
        for network in grid.networks
        for width in grid.widths
        for size in grid.sizes
        for name in grid.recipes
    ]
    plan = grid.plan()
    assert plan == grid.plan()
    assert list(plan.configs) == list(dict.fromkeys(expected))
    assert plan.left_out == ()


@examples(100)
@given(grids)
def test_runs_that_differ_only_in_their_seed_are_one_point_with_a_name_of_its_own(grid: Grid) -> None:
    configs = grid.plan().configs
    found = points_of([Result(each, None, None) for each in configs])
    assert sum(point.runs for point in found) == len(configs)
    assert {point.runs for point in found} == {len(grid.seeds)}
    assert len({point.label for point in found}) == len(found)
    assert len(set(run_names(configs))) == len(configs)


def test_what_cannot_take_the_input_is_left_out_with_its_reason() -> None:
    plan = Grid(networks=[NETWORKS["AlexNet"], NETWORKS["VGG-11"]], sizes=[28, 64, 65], seeds=[0, 1]).plan()
    assert [each.network for each in plan.left_out] == ["AlexNet, 28×28", "AlexNet, 64×64", "VGG-11, 28×28"]
    assert "65×65" in str(plan.left_out[0].reason)
    assert len(plan.configs) == 2 * (1 + 2)
    plan = Grid(networks=[NETWORKS["LeNet"], NETWORKS["VGG-11"]], widths=[Fraction(1, 8)], sizes=[32]).plan()
    assert [each.network for each in plan.left_out] == ["LeNet × 1/8"]
    assert len(plan.configs) == 1


def test_the_name_of_a_narrower_network_says_how_many_times_as_wide_it_is() -> None:
    for name, network in NETWORKS.items():
        for ratio in (Fraction(1, 4), Fraction(1, 3), Fraction(5, 8), Fraction(2)):
            if (name, ratio) == ("AlexNet (2012)", Fraction(1, 3)):
                continue  # its two towers cannot share 85 channels
            scaled = network._replace(architecture=network.architecture.scaled(ratio))
            words = network_name(scaled)
            base, _, times = words.partition(" × ")
            assert not times or NETWORKS[base].architecture.scaled(Fraction(times)) == scaled.architecture
            assert times or base.partition(", ")[0] in NETWORKS
    wide = parse_network({"arch": "vgg16", "head": "gap"})
    assert network_name(wide).startswith("VGG-16, head gap")
    assert network_name(parse_network({"arch": "1x4"})) == "1x4"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"networks": []}, "from 1 to 1,000 runs, not “0”"),
        ({"networks": NETS, "seeds": range(10**6)}, "not “3,000,000”"),
        ({"networks": NETS, "seeds": [-1]}, "the seed must be"),
        ({"networks": NETS, "recipes": ["none"]}, "the recipe must be"),
        ({"networks": NETS, "sizes": [0]}, "."),
        ({"networks": NETS, "sizes": [10**9]}, "."),
        ({"networks": NETS, "widths": [Fraction(1, 100)]}, "gives block 1 0 channels"),
        ({"networks": NETS, "changes": {"epochs": 0}}, "the number of epochs must be"),
        ({"networks": [NETWORKS["AlexNet"]], "sizes": [28]}, "65×65"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as raised:
        Grid(**asked).plan()
    assert words in str(raised.value)


def test_the_forecast_is_the_sum_of_the_runs(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    configs = Grid(networks=NETS, seeds=[0, 1, 2]).plan().configs
    found = forecast_total(runs, configs)
    cpu = devices.Device("cpu", "CPU", 2**33, 1.0)
    times = [time for each in configs if (time := forecast(each, cpu, PLAIN).time)]
    assert found[:3] == pytest.approx([sum(time[place] for time in times) for place in (2, 3, 4)])
    assert found.low < found.seconds < found.high
    assert (found.unknown, found.too_large) == (0, 0)
    (runs.path / "calibration-cpu.json").unlink()
    assert forecast_total(runs, configs) == (0, 0, 0, 9, 0)
    (runs.path / "devices.json").unlink()
    for guessed, unknown in ((cpu._replace(pace=1e-10, estimated=True), 0), (None, 9)):
        monkeypatch.setattr(devices, "by_its_kind", lambda guessed=guessed: guessed)
        monkeypatch.setattr(devices, "may_have_gpu", lambda: False)
        assert forecast_total(runs, configs).unknown == unknown


# --- what came of it -----------------------------------------------------------------------------------------


def point(params: int, best: float | None) -> Point:
    return Point("", TINY[0], 1, 1, best, best, best, params, 1, None)


@examples(100)
@given(st.lists(st.tuples(st.integers(1, 6), st.none() | st.integers(0, 5).map(float)), max_size=12))
def test_on_the_front_is_what_nothing_beats(pairs: list[tuple[int, float | None]]) -> None:
    found = [point(*pair) for pair in pairs]
    front = pareto_front(found, "params")
    able = [(each.params, each.best) for each in found if each.best is not None]

    def beaten(cost: int, best: float) -> bool:
        return any((c <= cost and b >= best and (c, b) != (cost, best)) for c, b in able)

    assert {(each.params, each.best) for each in front} == {each for each in able if not beaten(*each)}
    assert len(front) == len({(each.params, each.best) for each in front})
    assert [each.params for each in front] == sorted(each.params for each in front)
    assert pareto_front(found, "seconds") == []


def test_a_point_is_the_median_over_its_seeds_with_their_range() -> None:
    reached = [(0.7, 10.0), (0.9, 30.0), (0.75, 12.0), (None, 5.0)]
    results = [Result(replace(TINY[0], seed=seed), *each) for seed, each in enumerate(reached)]
    (found,) = points_of(results)
    assert (found.runs, found.tested) == (4, 3)
    assert found.best == median([0.7, 0.9, 0.75])
    assert (found.low, found.high, found.seconds) == (0.7, 0.9, 12.0)


# --- the folder ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unkept")
def test_a_sweep_is_written_once_and_read_back(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "check", lambda *_: None)  # whether there is a cluster
    place = Place(cluster="127.0.0.1:6379", cores=2)
    sweep = start.start_sweep(runs, TINY, " my  sweep ", "somebody", place=place)
    asked = sweep.asked()
    assert (asked.name, asked.owner, asked.place) == ("my sweep", "somebody", place)
    assert list(asked.configs.values()) == TINY
    assert list(asked.configs) == sorted(asked.configs)
    assert runs.all(recorded=False) == []
    members = sweep.members()
    assert [member.status for member in members] == [None] * 3
    assert all(member.rest and not member.active for member in members)
    assert sweep.status(members) == "interrupted"
    assert [each.id for each in all_sweeps(runs)] == [sweep.id]
    assert find_sweep(runs, sweep.id)
    for name in ("..", "../x", "", "nothing", ".new-x"):
        assert find_sweep(runs, name) is None


@pytest.mark.usefixtures("unkept")
def test_the_runs_of_the_same_sweep_once_more_have_names_of_their_own(runs: Runs) -> None:
    first = start.start_sweep(runs, TINY)
    kept_by_hand(first)
    again = start.start_sweep(runs, TINY)
    kept_by_hand(again)
    names = [member.name for member in again.members()]
    assert names == [f"{member.name} (2)" for member in first.members()]
    assert names == [member.run.name() for member in again.members()]


@pytest.mark.usefixtures("unkept")
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version": 2}', '{"version": 1, "runs": [{"id": "../x"}]}']
)
def test_a_damaged_file_gets_a_sentence(runs: Runs, text: str) -> None:
    sweep = start.start_sweep(runs, TINY)
    (sweep.path / "sweep.json").write_text(text)
    for action in (sweep.asked, sweep.members, lambda: start.resume_sweep(sweep)):
        with pytest.raises(InputError, match="The file of the sweep cannot be read"):
            action()
    sweep.delete()
    assert all_sweeps(runs) == []


def kept_by_hand(sweep: Sweep, allowed: Limits = UNLIMITED) -> list[str]:
    """What a keeper starts, in its order, if trainers end at once; nothing is trained."""
    started: list[str] = []

    def start(runs: Runs, config: Config, name: str, owner: str, allowed: Limits, run_id: str, place: Place) -> Run:
        started.append(run_id)
        run = runs.create(config, name, owner, run_id)
        write_json(run.path / "outcome.json", {"status": "finished", "reason": None, "step": 1})
        return run

    def resume(runs: Runs, run: Run, allowed: Limits) -> None:
        started.append(run.id)
        write_json(run.path / "outcome.json", {"status": "finished", "reason": None, "step": 1})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "start", start)
        patch.setattr(limits, "resume", resume)
        patch.setattr(keeper, "LOOK", 0.01)
        keeper.keep(sweep, allowed)
    return started


@pytest.mark.usefixtures("unkept")
def test_what_is_left_is_done_in_order_and_nothing_twice(runs: Runs) -> None:
    sweep = start.start_sweep(runs, TINY, owner="me")
    ids = list(sweep.asked().configs)
    for run_id, status in zip(ids[:2], ("stopped", "finished"), strict=True):
        run = runs.create(sweep.asked().configs[run_id], "x", "me", run_id)
        write_json(run.path / "outcome.json", {"status": status, "reason": None, "step": 1})
    assert kept_by_hand(sweep) == [ids[0], ids[2]]
    assert kept_by_hand(sweep) == []
    assert sorted(run.id for run in runs.all(recorded=False)) == ids
    assert {run.owner() for run in runs.all(recorded=False)} == {"me"}
    assert sweep.status(sweep.members()) == "finished"
    with pytest.raises(InputError, match="nothing is left to do"):
        start.resume_sweep(sweep)
    runs.all(recorded=False)[0].delete()
    assert words(sweep) == ["finished", "finished", "deleted"]
    assert sweep.status(sweep.members()) == "finished"
    assert kept_by_hand(sweep) == []


@pytest.mark.usefixtures("unkept")
def test_one_that_cannot_be_started_does_not_hold_up_the_others(
    runs: Runs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = start.start_sweep(runs, TINY)
    create = Runs.create

    def refuses(self: Runs, config: Config, name: str, owner: str, run_id: str) -> Run:
        if config == TINY[1]:
            raise InputError("There is no room.")
        return create(self, config, name, owner, run_id)

    monkeypatch.setattr(Runs, "create", refuses)
    assert len(kept_by_hand(sweep)) == 3
    assert "There is no room." in capsys.readouterr().out
    assert sweep.status(sweep.members()) == "interrupted"


@pytest.mark.usefixtures("unkept")
def test_a_stopped_sweep_starts_nothing_and_can_be_removed_but_not_its_runs(runs: Runs) -> None:
    sweep = start.start_sweep(runs, TINY)
    busy = runs.create(TINY[0], "busy", run_id=next(iter(sweep.asked().configs)))
    with FileLock(busy.path / "run.lock"):
        assert sweep.status(sweep.members()) == "running"
        start.stop_sweep(sweep)
        assert busy.control()["stop"]
        assert kept_by_hand(sweep) == []
    assert sweep.status(sweep.members()) == "stopped"
    with FileLock(sweep.path / "keeper.lock"):
        for action in (sweep.delete, lambda: start.resume_sweep(sweep)):
            with pytest.raises(InputError, match="under way"):
                action()
    sweep.delete()
    assert all_sweeps(runs) == []
    assert busy.path.exists()


@pytest.mark.usefixtures("unkept")
def test_a_teachers_limits_hold(runs: Runs) -> None:
    with pytest.raises(InputError, match="allows 10 parameters"):
        start.start_sweep(runs, TINY, owner="pupil", limits=Limits(params=10))
    assert all_sweeps(runs) == []
    sweep = start.start_sweep(runs, TINY, owner="pupil", limits=Limits(minutes=2, runs=1))
    assert {each.training.time_budget for each in sweep.asked().configs.values()} == {120.0}
    with FileLock(sweep.path / "keeper.lock"):
        with pytest.raises(InputError, match="one at a time"):
            start.start_sweep(runs, TINY, owner="pupil", limits=Limits(runs=1))
        start.start_sweep(runs, TINY, owner="another", limits=Limits(runs=1))
    with pytest.raises(InputError, match="allows 10 parameters"):
        start.resume_sweep(sweep, Limits(params=10))


def test_where_runs_are_limited_the_keeper_waits_for_room(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    room = iter([1, 1, 0, 0, 0])
    monkeypatch.setattr(start, "_keep", lambda *_: None)
    monkeypatch.setattr(limits, "active_runs", lambda *_: next(room))
    assert len(kept_by_hand(start.start_sweep(runs, TINY), Limits(runs=1))) == 3
    assert list(room) == []


def test_limits_go_to_the_keeper_and_no_others() -> None:
    told = Limits(runs=3).told({"VGGEXPLORER_MAX_RUNS": "1", "VGGEXPLORER_MAX_MINUTES": "5", "PATH": "x"})
    assert told == {"VGGEXPLORER_MAX_RUNS": "3", "PATH": "x"}


# --- with processes ------------------------------------------------------------------------------------------


@pytest.fixture
def working(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """What still works in the end is killed."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield runs
    end_all(runs)


def words(sweep: Sweep) -> list[str]:
    return [member.status.word if member.status else "planned" for member in sweep.members()]


def over(sweep: Sweep) -> None:
    wait_until(lambda: sweep.status(sweep.members()) != "running", 120, f"the end of {words(sweep)}")


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_trainer_that_is_killed_does_not_hold_up_the_rest_and_is_resumed(working: Runs) -> None:
    """Two short ones, and a long one that is killed on its way; then only that one goes on."""
    short = [replace(each, training=replace(each.training, epochs=1)) for each in TINY]
    long = replace(short[0], training=replace(short[0].training, epochs=6, checkpoint_every=1.0))
    sweep = start.start_sweep(working, [long, *short[1:]], "three")
    killed = sweep.members()[0].run
    wait_until(lambda: killed.saved_step() > 0, 60, "its first checkpoint")
    assert words(sweep)[2] == "planned"  # one trains, one waits
    os.kill(killed.heartbeat()["pid"], signal.SIGKILL)
    over(sweep)
    assert words(sweep) == ["interrupted", "finished", "finished"]
    assert sweep.status(sweep.members()) == "interrupted"
    before = {run.id: (run.path / "outcome.json").stat().st_mtime_ns for run in working.all(recorded=False)[:2]}
    saved = killed.saved_step()
    start.resume_sweep(sweep)
    over(sweep)
    assert words(sweep) == ["finished"] * 3
    assert len(working.all(recorded=False)) == 3
    assert before == {run_id: (working.path / run_id / "outcome.json").stat().st_mtime_ns for run_id in before}
    check_records(killed)
    assert saved < killed.records()[-1].step


STAND_IN = """
import sys, time
from vggexplorer.runs import launch
from vggexplorer.runs.sweeps import keeper
launch.command = lambda run, *_: [sys.executable, "-c", TRAINER, str(run.path)]
keeper.LOOK = 0.05
TRAINER = '''
import sys, time
from pathlib import Path
from filelock import FileLock
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run
run = Run(Path(sys.argv[1]))
with FileLock(run.path / "run.lock"):
    write_json(run.path / "heartbeat", {"beat": 1, "phase": "waiting", "step": 1, "ahead": 1})
    while not run.control()["stop"]:
        time.sleep(0.02)
    write_json(run.path / "outcome.json", {"status": "stopped", "reason": None, "step": 1})
'''
sys.exit(keeper.main(sys.argv))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_keeper_that_is_killed_leaves_its_runs_alone_and_stop_all_reaches_them(
    working: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "command", lambda sweep: [sys.executable, "-c", STAND_IN, str(sweep.path)])
    sweep = start.start_sweep(working, TINY)
    wait_until(lambda: words(sweep) == ["waiting", "planned", "planned"], 30, "one that waits")
    assert sweep.kept()
    with pytest.raises(InputError, match="under way"):
        start.resume_sweep(sweep)
    processes = [int(path.name) for path in Path("/proc").glob("[0-9]*") if str(sweep.path) in _command_of(path)]
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not sweep.kept(), 10)
    assert words(sweep) == ["waiting", "planned", "planned"]
    assert sweep.status(sweep.members()) == "running"
    start.resume_sweep(sweep)  # a new keeper: nothing is made twice, and the second waits until the first trains
    assert sweep.kept()
    start.stop_sweep(sweep)
    wait_until(lambda: words(sweep) == ["stopped", "planned", "planned"], 20)
    wait_until(lambda: not sweep.kept(), 10)
    assert sweep.status(sweep.members()) == "stopped"
    assert len(working.all(recorded=False)) == 1


def _command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_the_keeper_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert keeper.main(["keeper"]) == 2
    assert keeper.main(["keeper", str(tmp_path)]) == 2
    assert "usage" in capsys.readouterr().err
    (tmp_path / "sweep.json").write_text("{")
    assert keeper.main(["keeper", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err
