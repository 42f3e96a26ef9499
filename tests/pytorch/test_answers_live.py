"""What a network takes a dozen test pictures for while it trains: for who watches, and without a trace in the run."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch

from vggexplorer.pytorch import look
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import TIMING, Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.trainer import worker
from vggexplorer.runs.trainer.worker import FolderSession, Heartbeat
from vggexplorer.text import parse_network

NETWORK = parse_network({"arch": "1x4", "hidden": "16", "dropout": "0.5", "bn": "1", "input": "1x28x28"})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    training = replace(recipe("quick-demo", NETWORK), precision="float32")
    return Runs(tmp_path).create(Config(network=NETWORK, training=training, device="cpu"))


def trained(run: Run) -> tuple[list[dict[str, object]], bytes]:
    """The figures of the run and its weights."""
    with Heartbeat(run) as heartbeat:
        FolderSession(run, heartbeat).train(run.config())
    records = list(_figures(run.records()))
    return records, (run.path / layout.WEIGHTS).read_bytes()


def _figures(records: Iterable[Record]) -> Iterator[dict[str, object]]:
    for record in records:
        if record.test_acc is not None:  # the others depend on the time
            yield {name: value for name, value in record.to_json().items() if name not in TIMING}


def test_the_run_is_the_same_whoever_watches(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = trained(run)
    assert not (run.path / layout.ANSWERS).exists()
    monkeypatch.setattr(worker, "ANSWERS_APART", 0.0)
    monkeypatch.setattr(worker, "MOST_ON_ANSWERS", 1e9)
    watched = Runs(tmp_path / "other").create(run.config())
    asks = count()
    monkeypatch.setattr(Run, "watched", lambda _: next(asks))
    assert trained(watched) == alone
    found = watched.json(layout.ANSWERS)
    assert found["step"] == 3 * 47  # after each step
    assert [each["label"] for each in found["answers"]] == [*range(10), 0, 1]
    assert all(0 <= each["chance"] <= 1 and 0 <= each["guess"] < 10 for each in found["answers"])


def test_at_most_once_a_second_for_a_hundredth_of_the_time_and_for_who_watches(run: Run) -> None:
    with Heartbeat(run) as heartbeat:
        session = FolderSession(run, heartbeat)
        assert not session.wants_answers()
        session._answers_due = 0.0
        run.watch()
        assert session.wants_answers()
        session._answers_due = 0.0
        assert not session.wants_answers(), "nobody has asked again"

        def slow() -> list[dict[str, object]]:
            time.sleep(0.1)
            return []

        before = time.monotonic()
        session.answer(1, slow)
        assert session._answers_due >= before + 0.1 / worker.MOST_ON_ANSWERS


def test_of_each_class_one_then_of_each_a_second() -> None:
    labels = torch.tensor([1, 1, 1, 0, 2, 0, 2, 1])
    assert look.some(labels).tolist() == [3, 0, 4, 5, 1, 6, 2, 7]


def test_large_pictures_are_shown_smaller() -> None:
    images = torch.zeros(1, 3, 224, 100, dtype=torch.uint8)
    (found,) = look.answers(images, torch.tensor([0]), torch.zeros(1, 3))
    assert (found["picture"]["width"], found["picture"]["height"]) == (15, 32)
