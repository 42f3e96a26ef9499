"""The figures of runs for the curves in the browser: `/records/{run}?from=OFFSET&start=START`.

An answer holds only what is new since the byte that the browser names. No page runs for it. All records of a run are a
file to keep at `/tables/{run}.csv`.
"""

from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vggexplorer.runs.folder.records import Record, table
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

MOST = 2000
"""The most points of one answer; of more, every n-th is sent, and all that have test figures."""
COLUMNS = (
    "step",
    "epoch",
    "seconds",
    "examples",
    "batch_loss",
    "train_loss",
    "train_acc",
    "test_loss",
    "test_acc",
    "lr",
)
"""What a point consists of, in this order."""


def address(run: str) -> str:
    """Where a page gets the figures of the run with this id: an address relative to the page's."""
    return f"records/{run}"


def table_address(run: str) -> str:
    """Where a page gets the records of the run with this id as CSV: an address relative to the page's."""
    return f"tables/{run}.csv"


def thin(records: Sequence[Record], most: int = MOST) -> list[Record]:
    """At most about `most` of the records: every n-th, the first, the last, and all that have test figures."""
    every = -(-len(records) // most)
    if every <= 1:
        return list(records)
    last = len(records) - 1
    return [
        record
        for place, record in enumerate(records)
        if place % every == 0 or place == last or record.test_acc is not None
    ]


def answer(run: Run, offset: int, start: str) -> dict[str, Any]:
    """What is new of a run since byte `offset`; everything, if its trainer was started anew since `start`."""
    now = str(run.environment().get("start", ""))
    if start != now:
        offset = 0
    records, end, damaged = run.read(offset, MOST)
    return {
        "start": now,
        "from": offset,
        "offset": end,
        "damaged": damaged,
        "active": run.status().active,
        "rows": [[getattr(record, name) for name in COLUMNS] for record in thin(records)],
    }


async def serve(request: Request) -> Response:
    """`/records/{run}?from=OFFSET&start=START`: what the browser has not got yet, as JSON."""
    run = Runs.at().get(request.path_params["run"])
    offset = request.query_params.get("from", "0")
    if run is None or not (offset.isascii() and offset.isdecimal() and len(offset) < 16):
        return Response(status_code=404)
    found = await run_in_threadpool(answer, run, int(offset), request.query_params.get("start", ""))
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


async def serve_table(request: Request) -> Response:
    """`/tables/{run}.csv`: all records of a run."""
    run = Runs.at().get(request.path_params["run"])
    if run is None:
        return Response(status_code=404)
    text = await run_in_threadpool(lambda: table(run.records()))
    return Response(text, media_type="text/csv", headers={"Cache-Control": "no-store"})
