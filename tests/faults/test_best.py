"""The trainer dies by SIGKILL around the writing of the best weights; they never contradict the records."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from samples import Sample

from faults.conftest import CONFIG, STEPS, Nursery, Whole, boundaries, timeless
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.safetensors import metadata

KEEPING = replace(CONFIG, training=replace(CONFIG.training, keep_best=True, lr=0.1))


@pytest.fixture
def whole(nursery: Nursery, runs: Runs, tmp_path: Path) -> Whole:
    """A run that keeps the best weights, undisturbed."""
    run = runs.create(KEEPING)
    assert nursery.train(run, "listed", str(tmp_path / "calls.json")) == 0
    return Whole(run, 0.0, json.loads((tmp_path / "calls.json").read_text()))


def check_best(run: Run) -> None:
    """The weights are those of the best test that was recorded, by their step and accuracy."""
    best = run.best_weights()
    tested = [(record.test_acc, -record.step) for record in run.records() if record.test_acc is not None]
    assert (best is None) is (not tested)
    assert best is None or (best.test_acc, -best.step) == max(tested)


def check_what_is_left(run: Run) -> None:
    """The weights are those of the best test up to the checkpoint, or the checkpoint has those itself."""
    best, saved = run.best_weights(), run.path / layout.CHECKPOINT
    about = metadata(saved) if saved.exists() else {}
    assert best is None or about.get("best_step") in (str(best.step), about["step"])


def test_killed_while_the_best_weights_are_written(nursery: Nursery, whole: Whole, runs: Runs, sample: Sample) -> None:
    calls = whole.calls
    assert calls.count("replace RUN/.best.safetensors") >= 2
    check_best(whole.run)
    at_best = {number for number, call in enumerate(calls, 1) if "best" in call or "checkpoint" in call}
    places = [place for place in boundaries(calls) if place[0] in at_best]
    moves = [number for number in at_best if calls[number - 1].startswith("replace")]
    places += [(number + 1, False) for number in moves]  # after each of them is in its place
    for number, half in sample(places, 6):
        run = runs.create(KEEPING)
        assert nursery.train(run, "killed", number, half) in (-signal.SIGKILL, 0)
        if run.outcome() is None:
            check_what_is_left(run)
            assert nursery.train(run) == 0
        assert run.status() == ("finished", STEPS, 0)
        assert timeless(run) == timeless(whole.run)
        check_best(run)
        assert (run.path / "best.safetensors").read_bytes() == (whole.run.path / "best.safetensors").read_bytes()
        assert not (run.path / ".best.safetensors").exists()
        run.delete()
