"""The figures of runs for the curves: only what is new, everything after a new start, never too much."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server.metrics import COLUMNS, answer, serve, serve_table, thin
from vggexplorer.text import parse_network

FIRST = Record(
    **{"step": 1, "epoch": 0.1, "examples": 128, "batch_loss": 2.3, "train_loss": 2.3, "train_acc": 0.1, "lr": 0.05},
    **{"examples_per_sec": 100.0, "examples_per_sec_wall": 90.0, "seconds": 1.0},
)
NETWORK = parse_network({"arch": "1x4", "hidden": "none"})


def records(count: int, tested_every: int = 10) -> list[Record]:
    tested = {"test_loss": 1.0, "test_acc": 0.5}
    made = (replace(FIRST, step=step, epoch=step / tested_every) for step in range(1, count + 1))
    return [replace(record, **tested) if record.step % tested_every == 0 else record for record in made]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Runs(tmp_path).create(Config(network=NETWORK, training=recipe("quick-demo", NETWORK)))
    write(run, records(5))
    return run


def write(run: Run, items: list[Record], start: str = "one") -> None:
    (run.path / "metrics.jsonl").write_bytes(b"".join(item.line() for item in items))
    (run.path / "environment.json").write_text(json.dumps({"start": start}))


def steps(found: dict[str, object]) -> list[int]:
    rows = found["rows"]
    assert isinstance(rows, list)
    return [row[COLUMNS.index("step")] for row in rows]


def test_only_what_is_new_is_sent(run: Run) -> None:
    first = answer(run, 0, "")
    assert steps(first) == [1, 2, 3, 4, 5]
    assert steps(answer(run, first["offset"], "one")) == []
    write(run, records(7))
    assert steps(answer(run, first["offset"], "one")) == [6, 7]


def test_a_trainer_that_was_started_anew_is_read_from_the_beginning(run: Run) -> None:
    offset = answer(run, 0, "")["offset"]
    write(run, records(3), start="two")
    found = answer(run, offset, "one")
    assert (found["from"], found["start"]) == (0, "two")
    assert steps(found) == [1, 2, 3]


def test_an_unfinished_line_waits_for_its_end(run: Run) -> None:
    with (run.path / "metrics.jsonl").open("ab") as file:
        file.write(records(6)[5].line()[:20])
    assert steps(answer(run, 0, "")) == [1, 2, 3, 4, 5]


def test_many_points_are_thinned_but_no_test_is_lost() -> None:
    many = records(10_000, tested_every=1_000)
    kept = thin(many, 500)
    assert len(kept) <= 520
    assert kept[0] is many[0]
    assert kept[-1] is many[-1]
    assert [record for record in many if record.test_acc is not None] == [r for r in kept if r.test_acc is not None]
    assert thin(many, 10_000) == many


def get(run_id: str, query: str = "", route: Callable[[Request], Coroutine[Any, Any, Response]] = serve) -> Response:
    scope = {"type": "http", "path_params": {"run": run_id}, "query_string": query.encode(), "headers": []}
    with ThreadPoolExecutor(1) as pool:  # this thread may have Playwright's event loop
        return pool.submit(lambda: asyncio.run(route(Request(scope)))).result()


def test_what_the_route_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(run.path.parent))
    found = get(run.id, "from=0&start=one")
    assert steps(json.loads(bytes(found.body))) == [1, 2, 3, 4, 5]
    assert found.headers["cache-control"] == "no-store"
    assert json.loads(bytes(get(run.id, "from=999999&start=one").body))["rows"] == []
    for run_id, query in (
        ("nothing", ""),
        ("../etc", ""),
        (run.id, "from=-1"),
        (run.id, "from=x"),
        (run.id, "from=" + "9" * 20),
    ):
        assert get(run_id, query).status_code == 404


def test_all_records_are_a_table_with_the_names_of_the_fields(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(run.path.parent))
    head, *lines = bytes(get(run.id, route=serve_table).body).decode().splitlines()
    assert head.startswith("step,epoch,examples,batch_loss,train_loss,train_acc,lr")
    assert [line.partition(",")[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert get("nowhere", route=serve_table).status_code == 404
