"""The run that the bar of all pages shows: `/live?owner=ID&run=ID`. No page runs for it.

`owner` is the person who asks, whose own runs come first; `run` is the run that the browser shows now: if nothing is
active, it is told how that one ended.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vggexplorer.formatting import duration, percent
from vggexplorer.runs.folder.run import Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word

ADDRESS = "live"
"""Where a page asks: an address relative to the page's."""
BELIEVED = 1.0
"""Seconds for which the list of active runs is believed: however many browsers ask, the folder is read once in them."""
_IDLE = (Word.STARTING, Word.WAITING)
_eye = Watch()


class _Active(NamedTuple):
    run: Run
    owner: str
    idle: bool


_found: dict[Path, tuple[float, list[_Active]]] = {}


def _active(runs: Runs) -> list[_Active]:
    when, found = _found.get(runs.path, (float("-inf"), []))
    if time.monotonic() - when > BELIEVED:
        found = [_Active(run, run.owner(), run.status().word in _IDLE) for run in runs.active()]
        _found[runs.path] = time.monotonic(), found
    return found


def active(runs: Runs) -> list[str]:
    """The ids of the runs that are active now, the newest first."""
    return [each.run.id for each in _active(runs)]


def of(runs: Runs, owner: str, shown: str) -> Run | None:
    """The run to show: one that is active, first of `owner`, first one that trains; else the one that is `shown`."""
    found = sorted(_active(runs), key=lambda each: (each.owner != owner, each.idle))
    return found[0].run if found else runs.get(shown)


def answer(run: Run) -> dict[str, Any]:
    """What the bar says of a run: its name and status, how far it is, and the test accuracy that it ended with."""
    status = run.status(_eye)
    about: dict[str, Any] = {"id": run.id, "name": run.name(), "word": status.word, "active": status.active}
    about["trains_here"] = run.environment().get("device") == "cpu"
    progress, outcome = run.progress(status), run.outcome()
    if status.active and progress:
        left = progress.left
        about |= {"part": min(1.0, progress.step / progress.steps), "left": duration(left) if left else None}
    elif outcome and isinstance(outcome.test_acc, float):
        about["accuracy"] = percent(outcome.test_acc, 1)
    return about


async def serve(request: Request) -> Response:
    """`/live?owner=ID&run=ID` as JSON; an empty object if there is no run to show."""

    def look() -> dict[str, Any]:
        run = of(Runs.at(), request.query_params.get("owner", ""), request.query_params.get("run", ""))
        return answer(run) if run else {}

    return JSONResponse(await run_in_threadpool(look), headers={"Cache-Control": "no-store"})
