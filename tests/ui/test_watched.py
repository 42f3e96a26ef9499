"""A run as a browser is told of it while it goes on: by a route, with no page run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from test_records_route import FIRST, NETWORK

from vggexplorer.runs import datasets
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.ui.run import watched

GREY = {"width": 1, "height": 1, "channels": 1, "bytes": "AA=="}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """One whose trainer seems to live."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    run = Runs(tmp_path).create(Config(network=NETWORK, training=recipe("quick-demo", NETWORK)))
    environment = {"classes": list(datasets.CLASSES), "num_steps": 141, "device": "cpu", "title": "a processor"}
    write_json(run.path / layout.ENVIRONMENT, environment)
    write_json(run.path / layout.HEARTBEAT, {"beat": 1, "phase": "training", "step": 47, "ahead": 0})
    with FileLock(run.path / layout.LOCK):
        yield run


def ask(run: Run, **query: str) -> dict[str, Any]:
    client = TestClient(Starlette(routes=[Route("/watch/{run}", watched.serve)]))
    return dict(client.get(f"/{watched.address(run)}", params=query).raise_for_status().json())


def answered(run: Run, **changes: Any) -> None:
    found = {"picture": GREY, "label": 9, "guess": 7, "chance": 0.625} | changes
    write_json(run.path / layout.ANSWERS, {"step": 47, "answers": [found]})


def test_it_says_how_far_the_run_is_in_the_language_that_is_asked_for(run: Run) -> None:
    (run.path / layout.METRICS).write_bytes(FIRST.line())
    told = ask(run)
    assert told["badge"]["text"] == "▶ running"
    assert told["progress"].startswith("Epoch 0.10 of 3")
    assert told["part"] == 47 / 141
    assert "a processor" in told["about"]
    assert ask(run, lang="zh")["progress"].startswith("第 0.10 轮")


@pytest.mark.parametrize(("seconds", "turn"), [(None, ""), (42.0, " Its turn is in about 45\xa0s.")])
def test_a_run_that_waits_says_for_how_many_and_how_long(
    run: Run, monkeypatch: pytest.MonkeyPatch, seconds: float | None, turn: str
) -> None:
    write_json(run.path / layout.HEARTBEAT, {"beat": 1, "phase": "waiting", "step": 0, "ahead": 2})
    monkeypatch.setattr(watched, "wait", lambda _: seconds)
    assert ask(run)["explained"] == f"2 runs are before this one in the line for the device.{turn}"


def test_a_run_that_starts_says_how_long_pytorch_took_to_load_the_last_time(run: Run) -> None:
    write_json(run.path / layout.HEARTBEAT, {"beat": 1, "phase": "starting", "step": 0, "ahead": 0})
    assert ask(run)["progress"] == "Epoch 0 of 3"
    before = Runs(run.path.parent).create(run.config())
    write_json(before.path / layout.OUTCOME, Outcome(status=Word.FINISHED, parts={"import": 2.471}).to_json())
    assert ask(run)["progress"] == "Epoch 0 of 3 · PyTorch is loaded, the last time that took 2.5 s"


def test_who_asks_is_watching(run: Run) -> None:
    assert not run.watched()
    ask(run)
    assert run.watched()


def test_the_pictures_come_once_and_the_answers_each_time(run: Run) -> None:
    answered(run)
    told = ask(run, pictures="1")
    assert told["answers"] == [{"caption": "sneaker 62.5\xa0%", "right": False, "picture": GREY}]
    assert "after step 47" in told["seen"]
    answered(run, guess=9)
    assert ask(run)["answers"] == [{"caption": "ankle boot 62.5\xa0%", "right": True}]
    assert len(json.dumps(ask(run))) < 1500


@pytest.mark.parametrize("changes", [{"guess": 10}, {"chance": None}, {"label": "x", "guess": "x"}])
def test_damaged_answers_are_as_none(run: Run, changes: dict[str, Any]) -> None:
    answered(run, **changes)
    told = ask(run)
    assert told["seen"] == "What it will see"
    assert [each["caption"] for each in told["answers"]] == list(datasets.CLASSES)


def test_the_page_runs_again_when_what_it_draws_besides_has_changed(run: Run) -> None:
    before = ask(run)["drawn"]
    (run.path / layout.METRICS).write_bytes(FIRST.line())
    assert ask(run)["drawn"] == before
    run.want(stop=True)
    assert ask(run)["drawn"] != before


def test_what_is_no_run_or_no_language_is_not_found(run: Run) -> None:
    client = TestClient(Starlette(routes=[Route("/watch/{run}", watched.serve)]))
    assert client.get("/watch/nothing").status_code == 404
    assert client.get(f"/{watched.address(run)}?lang=tlh").status_code == 404
