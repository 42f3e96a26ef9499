"""Files that are half written, flipped, empty, of another version: what is whole is shown, other runs are untouched."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from test_pages import plain
from test_runs_page import Page, make, record
from test_runs_page import folder as _folder
from test_train_page import Train

from faults.conftest import CONFIG, SAVE_EVERY, Nursery, Whole, check_the_end, steps, timeless
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server.metrics import COLUMNS, answer

folder = _folder
FILES = (
    *("config.json", "created.json", "name.txt", "environment.json", "heartbeat", "metrics.jsonl", "outcome.json"),
    *(
        "result.json",
        "control.json",
        "telemetry.jsonl",
        "forecast.json",
        "place.json",
        "model.safetensors",
        "output.log",
        "step.json",
    ),
)
DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "flipped": lambda path: flip(path),
    "garbage": lambda path: path.write_bytes(random.Random(1).randbytes(5_000)),
    "a list": lambda path: path.write_text("[" * 30_000),
    "another kind": lambda path: path.write_text('{"beat": "x", "version": "y", "status": [], "step": {}, "rows": 1}'),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "gone": lambda path: path.unlink(),
}


def flip(path: Path, place: int | None = None) -> None:
    """Change one bit of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 0x10
    path.write_bytes(content)


def whole_one(folder: Path, day: int, name: str) -> Run:
    """A run with all the files that there can be."""
    run = make(folder, name, day=day)
    for each in FILES:
        if not (run.path / each).exists():
            write_json(run.path / each, {"beat": 5, "step": 3, "until": None, "stop": False})
    return run


def check_pages(run: Run, other: Run) -> None:
    """Every page that shows the run lives; the other run's line in the table is whole."""
    table = Page()
    assert not table.test.exception
    single = Page(run.id)
    assert not single.test.exception
    train = Train(run=run.id)
    assert not train.test.exception
    assert other.status().word == "finished"
    assert other.outcome() is not None
    assert len(other.records()) == 2


@pytest.mark.sample(6)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_a_page_outlives_every_damaged_file(folder: Path, file: str, damage: str) -> None:
    run, other = whole_one(folder, 1, "damaged"), whole_one(folder, 2, "whole")
    DAMAGES[damage](run.path / file)
    check_pages(run, other)


def test_a_half_written_last_line_and_a_flipped_byte(folder: Path) -> None:
    """The prefix is shown; of the two only the flipped byte is worth a warning."""
    run, other = make(folder, "damaged", "interrupted", day=1), make(folder, "whole", day=2)
    path = run.path / "metrics.jsonl"
    path.write_bytes(b"".join(record(step).line() for step in range(1, 41)))
    with path.open("ab") as file:
        file.write(record(41).line()[:100])
    found = answer(run, 0, "")
    assert [row[COLUMNS.index("step")] for row in found["rows"]] == list(range(1, 41))
    assert not found["damaged"]
    flip(path, path.read_bytes().index(b'"step": 21') + 1)
    found = answer(run, 0, "")
    assert [row[COLUMNS.index("step")] for row in found["rows"]] == list(range(1, 21))
    assert found["damaged"]
    check_pages(run, other)


def test_a_config_from_the_future(folder: Path) -> None:
    run, other = make(folder, "from the future", day=1), make(folder, "whole", day=2)
    data = json.loads((run.path / "config.json").read_text())
    write_json(run.path / "config.json", data | {"version": 99, "warp": True})
    page = Page(run.id)
    sentence = "The run was written by another version of this program (99)."
    assert any(plain(error.value).startswith(sentence) for error in page.test.error)
    check_pages(run, other)


# --- what a resume makes of it -------------------------------------------------------------------------------


@pytest.fixture
def broken_off(nursery: Nursery, whole: Whole, runs: Runs) -> Run:
    """A run killed in its second epoch, some steps after its second checkpoint."""
    run = runs.create(CONFIG)
    step_11 = [number for number, name in enumerate(whole.calls, 1) if name == "write RUN/metrics.jsonl"][10]
    nursery.train(run, "killed", step_11, True)
    assert (run.saved_step(), len(steps(run))) == (2 * SAVE_EVERY, 10)
    return run


def places_in_the_checkpoint(run: Run) -> list[int]:
    """Bytes of the header's length, of the header, of the tensors; the last one."""
    size = (run.path / "checkpoint" / "state.safetensors").stat().st_size
    return [0, 40, 300, size // 2, size - 300, size - 1]


@pytest.mark.sample(2)
@pytest.mark.parametrize("place", range(6))
def test_a_flipped_bit_in_the_checkpoint_is_noticed(nursery: Nursery, broken_off: Run, place: int) -> None:
    """Nothing is trained with wrong weights, and the records stay as they were."""
    before = (broken_off.path / "metrics.jsonl").read_bytes()
    flip(broken_off.path / "checkpoint" / "state.safetensors", places_in_the_checkpoint(broken_off)[place])
    assert nursery.train(broken_off) == 1
    outcome = broken_off.outcome()
    assert outcome is not None
    assert str(outcome.reason).startswith("The checkpoint cannot be used: ")
    assert str(outcome.reason).endswith(". Start a new run with the same settings.")
    assert (broken_off.path / "metrics.jsonl").read_bytes() == before


def test_a_checkpoint_that_is_gone_means_to_begin_anew(nursery: Nursery, whole: Whole, broken_off: Run) -> None:
    shutil.rmtree(broken_off.path / "checkpoint")
    assert nursery.train(broken_off) == 0
    check_the_end(broken_off, whole.run)


def test_a_flipped_byte_in_the_records_is_cut_out_by_the_resume(
    nursery: Nursery, whole: Whole, broken_off: Run
) -> None:
    """After the checkpoint the lost records are made again; before it they are lost, and the rest goes on."""
    path = broken_off.path / "metrics.jsonl"
    flip(path, path.read_bytes().index(b'"step": 10') + 1)
    assert nursery.train(broken_off) == 0
    check_the_end(broken_off, whole.run)


def test_a_flipped_byte_in_old_records_costs_only_records(nursery: Nursery, whole: Whole, broken_off: Run) -> None:
    path = broken_off.path / "metrics.jsonl"
    flip(path, path.read_bytes().index(b'"step": 5') + 1)
    assert nursery.train(broken_off) == 0
    assert timeless(broken_off) == [each for each in timeless(whole.run) if not 5 <= each["step"] <= 2 * SAVE_EVERY]
    assert Outcome(status="finished").status == broken_off.status().word
