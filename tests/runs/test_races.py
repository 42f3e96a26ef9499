"""Races: who comes in together, who waits for whom, what is kept of it; the trainers are those of `tests/faults`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from real_runs import CONFIG, folder_of_runs

from vggexplorer.errors import InputError
from vggexplorer.runs import devices, launch, limits, races
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import Forecast
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.places import Place
from vggexplorer.runs.trainer import worker
from vggexplorer.text import parse_network

LENET = replace(CONFIG, network=parse_network({"arch": "lenet"}))


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return folder_of_runs(tmp_path / "runs")


class Process:
    """Stands for a trainer that was started."""

    def kill(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def poll(self) -> int:
        return 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments of the trainers that are started; none is."""
    environments: list[dict[str, str]] = []

    def note(_: object, __: object, environment: dict[str, str]) -> Process:
        environments.append(environment)
        return Process()

    monkeypatch.setattr(launch, "detached", note)
    return environments


def race(runs: Runs, count: int = 2) -> list[Run]:
    """Runs that race each other, and were just started."""
    made = [runs.create(CONFIG) for _ in range(count)]
    place = Place(race=tuple(run.id for run in made))
    for run in made:
        place.keep(run)
        begin(runs, run)
    return made


def begin(runs: Runs, run: Run) -> None:
    run.mark_started()
    Line(runs).queue(run, races.race_of(run))


def alone(runs: Runs) -> Run:
    run = runs.create(CONFIG)
    begin(runs, run)
    return run


def ahead(runs: Runs, run: Run) -> int:
    return Line(runs).ahead(run, "cpu", races.race_of(run))


@contextmanager
def living(*runs: Run) -> Iterator[None]:
    """Trainers are at these runs."""
    with ExitStack() as locks:
        for run in runs:
            locks.enter_context(FileLock(run.path / layout.LOCK))
        yield


def dies(run: Run) -> None:
    run.unmark_started()


# --- the line --------------------------------------------------------------------------------------------------


def test_the_members_of_a_race_come_in_together_and_others_wait_for_all_of_them(runs: Runs) -> None:
    before, first, second = alone(runs), *race(runs)
    behind, others = alone(runs), race(runs, 3)
    assert [ahead(runs, run) for run in (before, first, second, behind, *others)] == [0, 1, 1, 3, 4, 4, 4]
    dies(before)
    assert [ahead(runs, run) for run in (first, second, behind, *others)] == [0, 0, 2, 3, 3, 3]
    dies(first)
    assert [ahead(runs, run) for run in (second, behind, *others)] == [0, 1, 2, 2, 2]
    dies(second)
    dies(behind)
    assert [ahead(runs, run) for run in others] == [0, 0, 0]


def test_a_member_that_goes_on_stands_where_its_race_does(runs: Runs) -> None:
    (first, second), behind, others = race(runs), alone(runs), race(runs)
    dies(first)
    assert ahead(runs, behind) == 1
    with living(second):
        begin(runs, first)
        assert [ahead(runs, run) for run in (first, second, behind, *others)] == [0, 0, 2, 3, 3]
    dies(second)
    assert [ahead(runs, run) for run in (first, behind, *others)] == [0, 1, 2, 2]
    dies(first)
    begin(runs, second)  # nobody of its race is there any more
    assert [ahead(runs, run) for run in (behind, *others, second)] == [0, 1, 1, 3]
    begin(runs, first)
    assert ahead(runs, first) == 3


def test_a_member_that_lost_its_ticket_gets_in_beside_its_race(runs: Runs) -> None:
    (first, second), behind = race(runs), alone(runs)
    Line(runs).leave(first)
    assert [ahead(runs, run) for run in (first, second, behind)] == [0, 0, 2]


def test_the_ticket_of_who_has_just_come_back_is_not_taken_for_an_old_one(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, second), behind = race(runs), alone(runs)
    dies(first)
    remove = Line._remove

    def late(line: Line, run_id: str, ticket: Path) -> None:
        begin(runs, first)
        remove(line, run_id, ticket)

    with living(second), monkeypatch.context() as patch:
        patch.setattr(Line, "_remove", late)
        assert ahead(runs, behind) == 1
    dies(second)
    assert ahead(runs, behind) == 1


# --- the seats ---------------------------------------------------------------------------------------------------


def enters(runs: Runs, run: Run, seats: ExitStack) -> bool:
    """Whether a trainer of `run` would take its seat now, as `worker` does."""
    numbers = races.race_of(run)
    names = [worker._seat("cpu", number) for number in ([numbers.index(run.id)] if numbers else range(races.MOST))]
    return Line(runs).comes_in(run, "cpu", partial(worker._taken, list(map(runs.lock, names)), seats), numbers)


def test_a_run_of_its_own_takes_all_seats_and_a_member_its_own(runs: Runs) -> None:
    (first, second), single = race(runs), alone(runs)
    with ExitStack() as seats:
        assert enters(runs, first, seats)
        assert enters(runs, second, seats)
        dies(first)
        dies(second)  # from the line: their seats alone keep the next one out
        with ExitStack() as others:
            assert ahead(runs, single) == 0
            assert not enters(runs, single, others)
        for number in range(races.MOST):
            free = number >= 2
            with ExitStack() as tried:
                assert worker._taken([runs.lock(worker._seat("cpu", number))], tried) is free
    with ExitStack() as seats:
        assert enters(runs, single, seats)
        dies(single)
        for run in race(runs, 3):
            assert not enters(runs, run, seats)


def test_a_second_race_has_no_seat_beside_the_first(runs: Runs) -> None:
    first, second = race(runs), race(runs, 3)
    with ExitStack() as seats:
        assert all(enters(runs, run, seats) for run in first)
        assert not any(enters(runs, run, seats) for run in second)
        dies(first[0])
        assert not any(enters(runs, run, seats) for run in second)
        dies(first[1])
        assert enters(runs, second[2], seats)
        begin(runs, first[0])
        assert ahead(runs, first[0]) == 3


def test_the_seat_of_a_device_has_a_name_of_its_own() -> None:
    assert [worker._seat("cuda:1", number) for number in range(3)] == [
        *("device-cuda-1", "device-cuda-1.1", "device-cuda-1.2")
    ]


# --- what is kept -----------------------------------------------------------------------------------------------


def test_each_member_knows_all_and_is_a_run_of_its_own(runs: Runs, started: list[dict[str, str]]) -> None:
    single = runs.create(CONFIG)
    made = races.start_race(runs, [CONFIG, LENET, CONFIG], owner="ada")
    ids = tuple(run.id for run in made)
    assert [races.race_of(run) for run in made] == [ids] * 3
    assert [run.id for run in races.members(runs, made[1])] == [*ids]
    assert (races.race_of(single), races.members(runs, single)) == ((), [])
    assert [run.config() for run in made] == [CONFIG, LENET, CONFIG]
    assert {run.owner() for run in made} == {"ada"}
    assert len({run.name() for run in made}) == 3
    assert len(started) == 3
    made[1].unmark_started()
    made[1].delete()
    assert [run.id for run in races.members(runs, made[0])] == [ids[0], ids[2]]
    assert races.race_of(made[0]) == ids


def test_names_are_given(runs: Runs, started: list[dict[str, str]]) -> None:
    made = races.start_race(runs, [CONFIG, LENET], names=["wide", None])
    assert [run.name() for run in made] == ["wide", "LeNet"]


@pytest.mark.parametrize(
    "kept",
    [
        *("a-run", ["a-run"], ["a-run", "a-run"], ["a-run", 3], ["a-run", "../b"], ["a-run", "B"]),
        *(["b", "c"], ["a-run", "b", "c", "d"], {"a-run": 1, "b": 2}, None, 7),
    ],
    ids=str,
)
def test_a_damaged_race_is_none(runs: Runs, kept: Any) -> None:
    run = Run(runs.create(CONFIG).path.rename(runs.path / "a-run"))
    write_json(run.path / layout.PLACE, {"race": kept})
    assert Place.of(run) == Place()
    assert races.members(runs, run) == []


def test_an_older_place_is_read(runs: Runs) -> None:
    run = runs.create(CONFIG)
    write_json(run.path / layout.PLACE, {"nproc": 2, "cluster": "", "cores": 1})
    assert Place.of(run) == Place(nproc=2)


@pytest.mark.parametrize("other", [{"nproc": 2}, {"cluster": "auto"}], ids=str)
def test_a_race_is_of_single_processes_here(other: Any) -> None:
    with pytest.raises(InputError, match="The members of a race are single processes on this machine"):
        Place(race=("a", "b"), **other)


def test_the_cores_are_shared_out(runs: Runs, started: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "processors", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = races.start_race(runs, [CONFIG, LENET, CONFIG])
    made[0].unmark_started()
    launch.resume(runs, made[0])
    for told in ("1", "20", "2,1", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        launch.start_together(runs, [CONFIG, LENET], [None, None])
    threads = [each["OMP_NUM_THREADS"] for each in started]
    assert threads == ["2"] * 4 + ["1", "1"] + ["4"] * 6
    monkeypatch.setattr(launch, "processors", lambda: 1)
    races.start_race(runs, [CONFIG, LENET, CONFIG])
    assert started[-1]["OMP_NUM_THREADS"] == "1"
    launch.start(runs, CONFIG)
    assert started[-1].get("OMP_NUM_THREADS") == os.environ["OMP_NUM_THREADS"]


# --- all or none ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_race_is_of_two_or_three(runs: Runs, count: int) -> None:
    with pytest.raises(InputError, match=f"between 2 and 3 networks, not {count}"):
        races.start_race(runs, [CONFIG] * count)


def test_a_race_is_on_one_device(runs: Runs, started: list[dict[str, str]]) -> None:
    listed = [devices.Device(name, name, 2**33, 1.0)._asdict() for name in ("cuda:0", "cpu")]
    write_json(runs.path / "devices.json", {"machine": devices.machine(), "devices": listed})
    with pytest.raises(InputError, match="share one device, not cpu, cuda:0"):
        races.start_race(runs, [CONFIG, replace(CONFIG, device="auto")])
    assert runs.all(recorded=False) == []
    auto, first = (replace(CONFIG, device=device) for device in ("auto", "cuda"))
    assert len(races.start_race(runs, [auto, first])) == 2


@pytest.mark.torch
@pytest.mark.parametrize("which", [1, 2])
def test_if_one_cannot_be_made_there_is_none(
    runs: Runs, started: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    create, count = Runs.create, [0]

    def failing(*arguments: Any) -> Run:
        count[0] += 1
        if count[0] == which:
            raise InputError("The run's folder could not be written.")
        return create(*arguments)

    monkeypatch.setattr(Runs, "create", failing)
    with pytest.raises(InputError, match="could not be written"):
        races.start_race(runs, [CONFIG, LENET])
    assert (runs.all(recorded=False), started) == ([], [])


@pytest.mark.torch
@pytest.mark.parametrize("which", [1, 2])
def test_if_one_cannot_be_started_there_is_none(runs: Runs, monkeypatch: pytest.MonkeyPatch, which: int) -> None:
    ended: list[str] = []

    class Ending(Process):
        def kill(self) -> None:
            ended.append("killed")

    count = [0]

    def failing(*_: object) -> Process:
        count[0] += 1
        if count[0] == which:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return Ending()

    monkeypatch.setattr(launch, "detached", failing)
    with pytest.raises(InputError, match="could not be started: Resource temporarily unavailable"):
        races.start_race(runs, [CONFIG, LENET])
    assert runs.all(recorded=False) == []
    assert len(ended) == which - 1
    assert list((runs.path / "line").iterdir()) == []


# --- what it takes ---------------------------------------------------------------------------------------------


def test_the_memory_of_all_members_is_added_up(runs: Runs) -> None:
    found = races.forecast_race(runs, [CONFIG, LENET])
    assert found
    assert (
        found.memory == sum(each.memory.total for each in found.alone) > max(each.memory.total for each in found.alone)
    )
    assert found.most == found.memory
    assert found.fits
    assert found.seconds is None  # nobody measured this device
    least = max(each.most for each in found.alone)
    small = found._replace(device=found.device._replace(memory=round(1.2 * least)))
    assert all(each.fits(small.device.memory, None) for each in small.alone)
    assert not small.fits
    assert found._replace(device=found.device._replace(memory=0)).fits


def test_the_times_of_all_members_are_added_up(runs: Runs, timed: Config) -> None:
    found = races.forecast_race(runs, [timed, timed])
    assert found
    assert found.seconds == sum(each.time.total for each in found.alone if each.time) > 0


@pytest.fixture
def timed(runs: Runs) -> Config:
    """A config on a device whose data sheet is known."""
    listed = [devices.Device("cuda:0", "NVIDIA A100-SXM4-40GB", 40 * 2**30, 2.0)._asdict()]
    write_json(runs.path / "devices.json", {"machine": devices.machine(), "devices": listed})
    return replace(CONFIG, device="cuda:0")


def test_a_member_keeps_a_forecast_of_its_memory_alone(
    runs: Runs, timed: Config, started: list[dict[str, str]]
) -> None:
    single, (member, _) = launch.start(runs, timed), races.start_race(runs, [timed, timed])
    kept, shared = (Forecast.from_json(run.json(layout.FORECAST)) for run in (single, member))
    assert kept
    assert kept.time
    assert shared == replace(kept, time=None)


def test_nothing_is_known_before_the_devices_were_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "by_its_kind", lambda: None)
    assert races.forecast_race(Runs(tmp_path), [CONFIG, LENET]) is None


# --- limits -----------------------------------------------------------------------------------------------------


def test_a_race_counts_as_many_runs_as_it_has_members(runs: Runs, started: list[dict[str, str]]) -> None:
    allowed = Limits(runs=3, minutes=1)
    made = limits.start_race(runs, [CONFIG, LENET], "ada", allowed)
    assert {run.config().training.time_budget for run in made} == {60.0}
    sentence = "A race of 2 is 2 runs; the teacher allows 3 active runs for each person here, and you have 2."
    with pytest.raises(InputError) as error:
        limits.start_race(runs, [CONFIG, LENET], "ada", allowed)
    assert str(error.value) == sentence
    assert len(limits.start_race(runs, [CONFIG, LENET], "bob", allowed)) == 2
    limits.start(runs, CONFIG, None, "ada", allowed)
    with pytest.raises(InputError, match="3 active runs for each person here, and you have 3; stop one, or wait"):
        limits.start(runs, CONFIG, None, "ada", allowed)


def test_a_race_is_within_the_limits_of_its_largest_member(runs: Runs, started: list[dict[str, str]]) -> None:
    with pytest.raises(InputError, match="The teacher allows 1,000 parameters here"):
        limits.start_race(runs, [CONFIG, LENET], "", Limits(params=1000))
    assert (runs.all(recorded=False), started) == ([], [])
