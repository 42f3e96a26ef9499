"""The run that the bar of all pages shows: which of several it is, and what is said of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock
from starlette.applications import Starlette
from starlette.testclient import TestClient
from test_records_route import FIRST, NETWORK, records

from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import live
from vggexplorer.server.files import routes

CONFIG = Config(network=NETWORK, training=recipe("quick-demo", NETWORK))
Make = Callable[..., Run]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(live, "BELIEVED", -1.0)
    return Runs(tmp_path)


@pytest.fixture
def training(runs: Runs) -> Iterator[Make]:
    """Makes runs whose trainers seem to live."""
    with ExitStack() as locks:

        def make(name: str, owner: str = "", phase: str = "training") -> Run:
            run = runs.create(CONFIG, name, owner)
            locks.enter_context(FileLock(run.path / layout.LOCK))
            write_json(run.path / layout.HEARTBEAT, {"beat": 1, "phase": phase, "step": 5, "ahead": 0})
            return run

        yield make


def test_ones_own_run_comes_first_then_one_that_trains(runs: Runs, training: Make) -> None:
    assert live.of(runs, "ada", "") is None
    training("old")
    assert live.of(runs, "ada", "").name() == "old"
    mine = training("mine", "ada")
    training("newer")
    training("in line", phase="waiting")
    assert live.of(runs, "ada", "").id == mine.id
    assert live.of(runs, "bob", "").name() == "newer"


def test_it_says_how_far_a_run_is_and_how_long_it_takes_still(training: Make) -> None:
    run = training("mine")
    assert live.answer(run) == {"id": run.id, "name": "mine", "word": "running", "active": True, "trains_here": False}
    (run.path / layout.METRICS).write_bytes(b"".join(each.line() for each in records(5)))
    write_json(run.path / layout.ENVIRONMENT, {"num_steps": 20})
    found = live.answer(run)
    assert found["part"] == 5 / 20
    assert found["left"] == "0:03"  # 15 steps more, at a second for the five so far
    assert FIRST.seconds == 1.0


def test_of_a_run_that_is_over_it_says_the_test_accuracy(runs: Runs) -> None:
    run = runs.create(CONFIG, "over")
    write_json(run.path / layout.OUTCOME, Outcome(status="finished", step=9, test_acc=0.8564).to_json())
    assert live.of(runs, "", run.id).id == run.id
    assert live.answer(run) == {
        "id": run.id,
        "name": "over",
        "word": "finished",
        "active": False,
        "trains_here": False,
        "accuracy": "85.6\N{NO-BREAK SPACE}%",
    }


def test_the_route_answers_whatever_is_asked(runs: Runs) -> None:
    client = TestClient(Starlette(routes=routes("/below")))
    for query in ("", "?owner=x&run=../../etc", "?run=none"):
        answer = client.get(f"/below/live{query}")
        assert (answer.status_code, answer.json()) == (200, {})
        assert answer.headers["cache-control"] == "no-store"
    run = runs.create(CONFIG, "over")
    (run.path / layout.OUTCOME).write_text(json.dumps(Outcome(status="failed").to_json()), "utf-8")
    assert client.get(f"/below/live?run={run.id}").json()["word"] == "failed"
