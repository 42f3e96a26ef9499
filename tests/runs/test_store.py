"""The folder of a run and the folder of all runs: a status that is derived, files that are damaged, the line."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, wait_until
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from test_records import LINE

from vggexplorer.errors import InputError
from vggexplorer.forecast.time import Time
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder import layout, safetensors
from vggexplorer.runs.folder.files import write_file, write_json
from vggexplorer.runs.folder.line import CLUSTER, Line
from vggexplorer.runs.folder.records import Outcome, Record, parse_line
from vggexplorer.runs.folder.run import MAX_NAME, Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import OF_PHASE, OUTCOMES, RESUMABLE, STATUSES, Phase, Status, Word
from vggexplorer.runs.forecasts import forecast, wait
from vggexplorer.runs.options import Training
from vggexplorer.text import parse_network

CONFIG = Config(network=parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "none"}), training=Training())


def record(step: int) -> Record:
    first = parse_line(LINE)
    assert first is not None
    return Record(**(first.to_json() | {"step": step}))


def lines(*steps: int) -> bytes:
    return b"".join(record(step).line() for step in steps)


@examples(100)
@given(st.data())
def test_of_many_records_those_that_count_are_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The last and all with test figures are among some, before the first line that is damaged; the end is the same."""
    count = data.draw(st.integers(30, 200))
    tested = data.draw(st.sets(st.integers(1, count)))
    untested = {name: value for name, value in record(1).to_json().items() if name not in ("test_loss", "test_acc")}
    content = b"".join(
        Record(**(untested | {"step": step} | ({"test_acc": 0.5} if step in tested else {}))).line()
        for step in range(1, count + 1)
    )
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    if data.draw(st.booleans()):
        start = content.rfind(b"\n", 0, data.draw(st.integers(0, len(content)))) + 1
        content = content[:start] + b"x" + content[start + 1 :]
    run = Run(tmp_path_factory.mktemp("run"))
    (run.path / "metrics.jsonl").write_bytes(content)
    whole = run.read()
    block = data.draw(st.integers(1, 2 * len(content)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vggexplorer.runs.folder.tail.BLOCK", block)
        some = run.read(most=data.draw(st.integers(1, 20)))
    assert (some.offset, some.damaged) == (whole.offset, whole.damaged)
    found = steps(some.records)
    assert found == sorted(set(found))
    assert set(found) <= set(steps(whole.records))
    assert {each.step for each in whole.records if each.test_acc is not None} <= set(found)
    assert some.damaged or steps(whole.records)[-1:] == found[-1:]


def steps(records: list[Record]) -> list[int]:
    return [each.step for each in records]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


@pytest.fixture
def run(runs: Runs) -> Run:
    return runs.create(CONFIG)


@contextmanager
def held(run: Run) -> Iterator[None]:
    """As a trainer holds the lock while it lives; by another thread, as it is another process."""
    with FileLock(run.path / "run.lock", thread_local=False):
        yield


def beat(run: Run, number: int, **state: Any) -> None:
    write_json(run.path / "heartbeat", {"beat": number, "phase": "training", "step": 7, "ahead": 0, **state})


# --- the files of a run ------------------------------------------------------------------------------------


def test_only_the_layout_names_the_files_of_a_run() -> None:
    names = {name: value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str)}
    assert layout.__doc__
    assert [name for name in names if f"`{name}`" not in layout.__doc__] == []
    telling = [name for name in names.values() if name not in ("started", "snapshots", "ranks")]
    literals = [f"{quote}{name}{quote}" for name in telling for quote in "\"'"]
    sources = [path for path in (ROOT / "vggexplorer").rglob("*.py") if path != Path(layout.__file__)]
    found = [(path.name, name) for path in sources for name in literals if name in path.read_text("utf-8")]
    assert found == []


# --- creating, finding, names ----------------------------------------------------------------------------


def test_a_new_run(runs: Runs) -> None:
    run = runs.create(CONFIG)
    assert run.config() == CONFIG
    assert run.name()
    assert run.created() is not None
    assert [each.path for each in runs.all(recorded=False)] == [run.path]
    found = runs.get(run.id)
    assert found is not None
    assert found.path == run.path
    assert not list(runs.path.glob(".*"))


def test_runs_of_one_second_are_listed_in_the_order_in_which_they_were_created(runs: Runs) -> None:
    created = [runs.create(CONFIG, name) for name in ("c", "a", "b", "d", "0")]
    assert [run.id for run in runs.all(recorded=False)] == [run.id for run in reversed(created)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written"):
        Runs(tmp_path / "file").create(CONFIG)


@pytest.mark.parametrize("name", ["", "  ", "\n\t", "\0\x07", "x" * (MAX_NAME + 1), "\ud800"], ids=repr)
def test_a_name_that_cannot_be_read_is_refused(run: Run, runs: Runs, name: str) -> None:
    before = run.name()
    with pytest.raises(InputError, match="A name has from 1 to 80 characters"):
        run.rename(name)
    assert run.name() == before
    if name:
        with pytest.raises(InputError, match="A name has from 1 to 80 characters"):
            runs.create(CONFIG, name)
    assert len(runs.all(recorded=False)) == 1


def test_a_name_is_one_line(run: Run, runs: Runs) -> None:
    run.rename("  窄 \n VGG\x1b[31m ")
    assert run.name() == "窄 VGG [31m"
    assert runs.create(CONFIG, "a\tb").name() == "a b"


def test_a_name_that_is_taken_gets_a_number(runs: Runs) -> None:
    given = ("AlexNet (2012)", "a", "a", "a (2)", "AlexNet (2012)", "x" * MAX_NAME, "x" * MAX_NAME)
    names = [runs.create(CONFIG, name).name() for name in given]
    assert names[:5] == ["AlexNet (2012)", "a", "a (2)", "a (3)", "AlexNet (2012) (2)"]
    assert names[5:] == ["x" * (MAX_NAME - 8), "x" * (MAX_NAME - 8) + " (2)"]
    assert runs.unused(["a", "b", "b"]) == ["a (4)", "b", "b (2)"]
    assert runs.create(CONFIG, "b", run_id="settled-before").name() == "b"


def test_a_name_that_is_damaged_or_gone_is_the_id(run: Run) -> None:
    for content in (b"\xff\xfe", b"", b"  "):
        (run.path / "name.txt").write_bytes(content)
        assert run.name() == run.id
    (run.path / "name.txt").unlink()
    assert run.name() == run.id


@pytest.mark.parametrize(
    "run_id", ["..", ".", "", "../outside", "a/../../outside", "/etc", "a\\b", "x\0", ".new-x", "A", "a" * 101, "a\n"]
)
def test_an_id_with_a_trick_finds_nothing(runs: Runs, tmp_path: Path, run_id: str) -> None:
    for folder in (tmp_path, tmp_path / "outside", runs.path, runs.path / ".new-x"):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
    assert runs.get(run_id) is None


def test_what_is_no_run_is_not_listed(runs: Runs, run: Run) -> None:
    (runs.path / "line").mkdir(exist_ok=True)
    (runs.path / "file").write_text("")
    (runs.path / ".deleted-ab").mkdir()
    assert [each.id for each in runs.all(recorded=False)] == [run.id]
    assert Runs(runs.path / "nowhere").all(recorded=False) == []


# --- status ----------------------------------------------------------------------------------------------


def test_the_status_follows_from_the_files(run: Run) -> None:
    assert run.status() == Status("interrupted")
    run.mark_started()
    assert run.status() == Status("starting")
    with held(run):
        assert run.status() == Status("starting")
        for phase in ("starting", "loading", "evaluating", "saving", "paused"):
            beat(run, 1, phase=phase)
            assert run.status() == Status(phase, 7)
        beat(run, 2, phase="waiting", ahead=3)
        assert run.status() == Status("waiting", 7, 3)
        beat(run, 3)
        assert run.status() == Status("running", 7)
        assert run.status(Watch()).active
        assert run.status(Watch(timeout=0)) == Status("unresponsive", 7)
    assert run.status() == Status("interrupted", 7)
    for word in ("finished", "stopped", "failed"):
        write_json(run.path / "outcome.json", Outcome(status=word, step=9).to_json())
        assert run.status() == Status(word, 9)
        assert not run.status().active
    (run.path / "config.json").unlink()
    assert run.status() == Status("damaged")


def test_every_word_has_its_place_in_every_table(run: Run) -> None:
    """The words stand in files, too: they stay."""
    trained = {"starting", "waiting", "loading", "evaluating", "saving", "paused"}
    assert set(Phase) == set(OF_PHASE) == trained | {"training"}
    assert set(OF_PHASE.values()) == {word for word in Word if Status(word).active} - {"unresponsive"}
    assert (
        set(Word) == set(STATUSES) == trained | {"running", "unresponsive", *OUTCOMES, *RESUMABLE, "damaged", "deleted"}
    )
    assert {word for word in Word if not Status(word).active} == {*OUTCOMES, *RESUMABLE, "damaged", "deleted"}
    assert {word for word in Word if run.resumable(Status(word))} == {"interrupted", "stopped", "failed"}


def test_a_trainer_that_never_comes_is_not_awaited_for_ever(run: Run) -> None:
    run.mark_started()
    for age in (3600, -3600):  # long ago; or the clock was set back since
        os.utime(run.path / "started", (time.time() - age,) * 2)
        assert run.status() == Status("interrupted")


def test_an_outcome_written_while_one_looks_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    beat(run, 1)

    def locked() -> bool:
        write_json(run.path / "outcome.json", Outcome(status="finished", step=9).to_json())
        return False

    monkeypatch.setattr(run, "locked", locked)
    assert run.status() == Status("finished", 9)


def test_readers_who_look_at_once_do_not_see_each_other(run: Run) -> None:
    with held(run):
        assert run.locked()
    stop, seen = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            seen.append(Run(run.path).locked())

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(seen) > 300)
    stop.set()
    for thread in threads:
        thread.join()
    assert not any(seen)


@pytest.mark.parametrize("content", ["", "[1]", "{", "\udcff", "5", '{"beat": "x"}', "[" * 50_000], ids=range(7))
def test_damaged_files_are_as_if_they_were_not_there(run: Run, content: str) -> None:
    names = ("heartbeat", "control.json", "outcome.json", "environment.json", "created.json", "result.json")
    for name in names:
        (run.path / name).write_bytes(content.encode(errors="surrogateescape"))
    assert run.status() == Status("interrupted")
    assert run.heartbeat() == {}
    assert {"until": None, "stop": False}.items() <= run.control().items()
    assert run.outcome() is None
    assert run.created() is None
    assert isinstance(run.environment(), dict)
    assert isinstance(run.json("result.json"), dict)


def test_a_watch_sees_beats_change(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch(timeout=3)
    assert watch.lives("a", 1)
    now += 2.9
    assert watch.lives("a", 1)
    now += 0.2
    assert not watch.lives("a", 1)
    assert watch.lives("a", 1, slow=2)
    assert watch.lives("b", 1)
    assert watch.lives("a", 2)


# --- metrics ---------------------------------------------------------------------------------------------


def test_a_half_written_last_line_is_left_for_later(run: Run) -> None:
    path = run.path / "metrics.jsonl"
    assert run.read() == ([], 0, False)
    path.write_bytes(lines(1, 2) + lines(3)[:50])
    tail = run.read()
    assert (steps(tail.records), tail.offset, tail.damaged) == ([1, 2], len(lines(1, 2)), False)
    path.write_bytes(lines(1, 2, 3, 4))
    later = run.read(tail.offset)
    assert (steps(later.records), later.damaged) == ([3, 4], False)
    assert run.read(later.offset) == ([], later.offset, False)


def test_a_flipped_byte_ends_what_can_be_read(run: Run) -> None:
    content = bytearray(lines(1, 2, 3))
    content[len(lines(1)) + 5] ^= 0x80
    (run.path / "metrics.jsonl").write_bytes(content)
    tail = run.read()
    assert (steps(tail.records), tail.offset, tail.damaged) == ([1], len(lines(1)), True)
    assert steps(run.records()) == [1]
    last = run.last_record()
    assert last is not None
    assert last.step == 3


def test_the_last_record(run: Run) -> None:
    assert run.last_record() is None
    path = run.path / "metrics.jsonl"
    path.write_bytes(lines(*range(500)) + b'{"step')
    last = run.last_record()
    assert last is not None
    assert last.step == 499
    path.write_bytes(b"\n" * 5000)
    assert run.last_record() is None


@pytest.mark.parametrize(
    ("content", "step", "kept"),
    [
        (lines(1, 2, 3, 4), 2, [1, 2]),
        (lines(1, 2, 3, 4), 9, [1, 2, 3, 4]),
        (lines(1, 2), 0, []),
        (lines(1, 2) + lines(3)[:-1], 3, [1, 2]),
        (lines(1) + b"\xff\n" + lines(2), 2, [1]),
        (b"", 5, []),
    ],
)
def test_cutting_back(run: Run, content: bytes, step: int, kept: list[int]) -> None:
    path = run.path / "metrics.jsonl"
    path.write_bytes(content)
    last = run.cut_back(step)
    assert (last and last.step) == (kept[-1] if kept else None)
    assert path.read_bytes() == lines(*kept)
    with path.open("ab") as file:
        file.write(lines(99))
    assert steps(run.records()) == [*kept, 99]


def test_telemetry_is_the_last_whole_sample(run: Run) -> None:
    assert run.telemetry() == {}
    (run.path / "telemetry.jsonl").write_bytes(b'{"seconds": 1.0}\n{"seconds": 2.0}\n{"sec')
    assert run.telemetry() == {"seconds": 2.0}
    (run.path / "telemetry.jsonl").write_bytes(b"[1, 2]\n")
    assert run.telemetry() == {}


# --- files -----------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="float"):
        write_json(path, {"loss": float("nan")})
    assert path.read_bytes() == b"old"


# --- deleting, weights, recorded runs --------------------------------------------------------------------


def test_deleting_waits_for_the_trainer(run: Run, runs: Runs) -> None:
    with held(run), pytest.raises(InputError, match="The run is not over"):
        run.delete()
    run.mark_started()
    with pytest.raises(InputError, match="The run is not over"):
        run.delete()
    run.unmark_started()
    assert run.path.exists()
    run.delete()
    assert not list(runs.path.iterdir())
    with pytest.raises(InputError, match="could not be deleted: No such file"):
        run.delete()


def test_a_change_of_a_run_that_is_gone_is_explained(run: Run) -> None:
    run.delete()
    with pytest.raises(InputError, match="The run could not be changed: No such file"):
        run.want(stop=True)
    with pytest.raises(InputError, match="The run could not be changed"):
        run.rename("name")


def test_what_ships_with_the_package_is_never_changed(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = runs.create(CONFIG, "a shipped run")
    write_json(shipped.path / "outcome.json", Outcome(status="stopped").to_json())
    monkeypatch.setattr(layout, "RECORDED", runs.path)
    other = Runs(runs.path.parent / "own")
    assert [run.id for run in other.all()] == [shipped.id]
    assert other.all(recorded=False) == []
    run = other.get(shipped.id)
    assert run is not None
    assert run.recorded
    assert not run.resumable(run.status())
    before = sorted((path, path.stat().st_mtime_ns) for path in run.path.iterdir())
    for change in (run.delete, run.want, run.drop_weights, lambda: run.rename("mine")):
        with pytest.raises(InputError, match="A run that ships with the package cannot be"):
            change()
    assert sorted((path, path.stat().st_mtime_ns) for path in run.path.iterdir()) == before


def test_the_best_weights_are_those_of_the_best_test_up_to_the_checkpoint(run: Run) -> None:
    """A copy from a node may have got newer ones before the node was lost."""
    best, checkpoint = run.path / layout.BEST, run.path / layout.CHECKPOINT
    checkpoint.parent.mkdir()
    assert run.best_weights() is None
    run.check_best_weights()
    safetensors.write(best, [], {"step": "8", "test_acc": "0.75"})
    assert run.best_weights() == (best, 8, 0.75)
    for about, stays in (({"best_step": "8"}, True), ({"best_step": "4"}, False), ({}, False)):
        safetensors.write(best, [], {"step": "8", "test_acc": "0.75"})
        safetensors.write(checkpoint, [], {"step": "8"} | about)
        run.check_best_weights()
        assert best.exists() is stays
    safetensors.write(best, [], {"step": "8", "test_acc": "0.75"})
    run.drop_weights()
    assert not best.exists()
    best.write_bytes(b"damaged")
    assert run.best_weights() is None


def test_only_the_newest_keep_their_weights(runs: Runs) -> None:
    ended = []
    for number in range(5):
        run = runs.create(CONFIG)
        named = run.path.rename(runs.path / f"2026-{number}")
        (named / "model.safetensors").write_bytes(b"weights")
        ended.append(Run(named))
        if number != 1:
            write_json(named / "outcome.json", Outcome(status="finished").to_json())
    with held(ended[1]):
        runs.keep_weights_of_the_newest(2)
        assert [bool(run.weights()) for run in ended] == [False, True, False, True, True]
    assert all((run.path / "outcome.json").exists() for run in ended if run is not ended[1])


# --- the line --------------------------------------------------------------------------------------------


def tickets(runs: Runs) -> list[str]:
    return sorted(path.name for path in (runs.path / "line").iterdir())


def test_the_line_goes_by_numbers(runs: Runs) -> None:
    first, second, third = (runs.create(CONFIG) for _ in range(3))
    for run in (first, second, third):
        run.mark_started()
        Line(runs).queue(run)
    assert [Line(runs).ahead(run, "cpu") for run in (first, second, third)] == [0, 1, 2]
    assert Line(runs).ahead(third, "cuda:0") == 0
    assert Line(runs).ahead(second, "cpu") == 1
    Line(runs).leave(first)
    assert Line(runs).ahead(second, "cpu") == 0
    Line(runs).queue(second)  # again: at the end
    assert tickets(runs) == [f"00000003-{third.id}", f"00000004-{second.id}"]
    assert Line(runs).ahead(second, "cpu") == 0
    assert Line(runs).ahead(third, "cpu") == 0
    assert Line(runs).ahead(second, "cpu") == 1


def test_who_is_before_a_run_is_seen_without_a_change(runs: Runs) -> None:
    first, second, third, other = (runs.create(CONFIG) for _ in range(4))
    for run in (first, second, other, third):
        run.mark_started()
        Line(runs).queue(run)
    assert [run.id for run in Line(runs).before(third)] == [first.id, second.id, other.id]
    Line(runs).ahead(third, "cpu")
    Line(runs).ahead(other, "cuda:0")
    second.unmark_started()
    assert [run.id for run in Line(runs).before(third)] == [first.id]
    assert len(tickets(runs)) == 4
    assert Line(runs).before(runs.create(CONFIG)) == []


def test_who_is_on_a_cluster_waits_for_nobody_here_and_lives_until_it_is_over(runs: Runs) -> None:
    here, there, last = (runs.create(CONFIG) for _ in range(3))
    for run in (here, there, last):
        run.mark_started()
        Line(runs).queue(run)
    Line(runs).ahead(there, CLUSTER)
    Line(runs).ahead(last, "cpu")
    assert Line(runs).before(there) == []
    assert [run.id for run in Line(runs).before(last)] == [here.id]
    assert [run.id for run in Line(runs).living()] == [here.id, there.id, last.id]
    here.unmark_started()
    Line(runs).leave(there)
    assert [run.id for run in Line(runs).living()] == [last.id]


def test_the_time_until_it_is_a_runs_turn(runs: Runs) -> None:
    """By hand: 47 steps took 10 s, 94 are left; then comes one that is forecast to take 30 s."""
    trains, next_one, last = (runs.create(CONFIG) for _ in range(3))
    for run in (trains, next_one, last):
        run.mark_started()
        Line(runs).queue(run)
    assert wait(last) is None
    write_json(trains.path / layout.ENVIRONMENT, {"num_steps": 141})
    record = Record(
        step=47,
        epoch=1.0,
        examples=9,
        batch_loss=1.0,
        train_loss=1.0,
        train_acc=0.5,
        lr=0.1,
        examples_per_sec=9.0,
        examples_per_sec_wall=9.0,
        seconds=10.0,
    )
    (trains.path / layout.METRICS).write_bytes(record.line())
    assert wait(next_one) == pytest.approx(20)
    assert wait(last) is None
    found = forecast(CONFIG, Device("cpu", "CPU", 2**33, 1.0, pace=1e-9), None)
    kept = replace(found, time=Time(step=1.0, epoch=10.0, total=30.0, low=15.0, high=60.0))
    write_json(next_one.path / layout.FORECAST, kept.to_json())
    assert wait(last) == pytest.approx(50)
    assert wait(trains) is None


def test_a_device_that_is_not_known_yet_may_be_the_same(runs: Runs) -> None:
    first, second = runs.create(CONFIG), runs.create(CONFIG)
    for run in (first, second):
        run.mark_started()
        Line(runs).queue(run)
    assert Line(runs).ahead(second, "cpu") == 1
    Line(runs).ahead(first, "cuda:0")
    assert Line(runs).ahead(second, "cpu") == 0


def test_the_tickets_of_the_dead_are_skipped_and_removed(runs: Runs) -> None:
    dead, gone, living, last = (runs.create(CONFIG) for _ in range(4))
    for run in (dead, gone, living, last):
        Line(runs).queue(run)
    gone.delete()
    (runs.path / "line" / "notes").write_text("")
    (runs.path / "line" / "00000000-..").write_text("")
    with held(living):
        assert Line(runs).ahead(last, "cpu") == 1
        assert tickets(runs) == [f"00000003-{living.id}", f"00000004-{last.id}", "notes"]
    assert Line(runs).ahead(last, "cpu") == 0


def test_who_lost_the_ticket_gets_in_at_the_end(runs: Runs) -> None:
    first, second = runs.create(CONFIG), runs.create(CONFIG)
    first.mark_started()
    Line(runs).queue(first)
    assert Line(runs).ahead(second, "cpu") == 1
    assert tickets(runs) == [f"00000001-{first.id}", f"00000002-{second.id}"]


def test_control_says_what_is_wanted_last(run: Run) -> None:
    assert run.control() == {"until": None, "stop": False}
    run.want(until=5)
    assert run.control() == {"until": 5, "stop": False}
    run.want(stop=True)
    assert run.control() == {"until": None, "stop": True}
    assert json.loads((run.path / "control.json").read_text()) == run.control()
