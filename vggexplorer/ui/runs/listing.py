"""The list of runs as the browser gets it: `/listed?lang=LANG&start=TEXT&since=NUMBER`. No page runs for it.

An answer holds what is new since the answer that the browser names by its number. What there is to read is read in
pieces: a first look at very many runs brings the newest at once, and says that there is `more`.
"""

import gzip
import json
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.formatting import size
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import KEEP_WEIGHTS, Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps, count_finished
from vggexplorer.ui.i18n import sentence, t
from vggexplorer.ui.link import LANGUAGES
from vggexplorer.ui.run.rows import EYE, Row, Spark, forgotten, kept_row, read_row, scan
from vggexplorer.ui.run.words import accuracy, data_text, duration, moment, network, sign, status
from vggexplorer.ui.session import instead

ADDRESS = "listed"
"""Where a page asks: an address relative to the page's."""
BELIEVED = 1.0
"""Seconds for which the list is believed: however many browsers ask, the runs are looked at once in them."""
PIECE = 0.25
"""Seconds after which an answer goes out with what was read so far."""
MOST_SWEEPS = 100
"""How many of the newest sweeps are groups of the list."""
COLUMNS = {
    "accuracy": True,
    "spark": False,
    "progress": False,
    "network": False,
    "recipe": False,
    "data": False,
    "time": True,
    "best": True,
    "device": False,
    "size": True,
    "started": True,
}
"""The columns after the name, in their order, and whether they hold numbers."""


def labels() -> dict[str, str]:
    """What the columns are called."""
    return {
        "accuracy": t("Last test accuracy"),
        "spark": t("Curve"),
        "progress": t("Progress"),
        "network": t("Network"),
        "recipe": t("Recipe"),
        "data": t("Data"),
        "time": t("Time"),
        "best": t("Best test accuracy"),
        "device": t("Device"),
        "size": t("Size"),
        "started": t("Started"),
    }


# --- one run, one group -----------------------------------------------------------------------------------


def line(row: Row) -> dict[str, Any]:
    """A run for the list: texts, and what they are sorted by where that is not the text."""
    config, word = row.config, row.status.word
    return {
        "id": row.run.id,
        "name": row.title,
        "status": word,
        "active": row.status.active,
        "sign": sign(word),
        "word": status(word),
        "reason": sentence(row.error) if row.error else None,
        "recorded": row.run.recorded,
        "cells": {
            "accuracy": _cell(accuracy(row.last), row.last),
            "spark": {"text": "", "value": None, **_drawn(row.spark)},
            "progress": _progress(row),
            "network": {"text": network(config)},
            "recipe": {"text": config.training.recipe if config else "–"},
            "data": {"text": data_text(config.dataset) if config else "–"},
            "time": _cell(duration(row.seconds), row.seconds),
            "best": _cell(accuracy(row.best), row.best),
            "device": {"text": row.device},
            "size": _cell(size(row.size), row.size),
            "started": _cell(moment(row.created), row.created.timestamp() if row.created else None),
        },
    }


def _cell(text: str, value: float | None) -> dict[str, Any]:
    return {"text": text, "value": value}


def _drawn(spark: Spark) -> dict[str, list[list[float]]]:
    lines = {"test": spark.test, "train": spark.train}
    return {name: [[round(x, 3), round(y, 3)] for x, y in points] for name, points in lines.items()}


def _progress(row: Row) -> dict[str, Any]:
    """How far a run is that trains, and the time left."""
    found = row.progress
    if found is None:
        return _cell("", None)
    share = min(1.0, found.step / found.steps)
    left = t("{time} left", time=duration(found.left)) if found.left else ""
    return _cell(left, round(share, 3))


def head(sweep: Sweep, runs: Iterable[Run]) -> dict[str, Any] | None:
    """A sweep for the list as long as not all `runs` were read: its name, and which are its own; None if unreadable."""
    try:
        asked = sweep.asked()
    except InputError:
        return None
    ids = {run.id for run in runs}
    return {
        "id": sweep.id,
        "kind": "sweep",
        "name": asked.name,
        "runs": [run_id for run_id in asked.configs if run_id in ids],
        "reason": None,
        **{"status": "", "active": False, "sign": "", "word": "", "recorded": False},
        "cells": {"started": _cell(moment(asked.created), asked.created.timestamp())},
    }


def group(sweep: Sweep, rows: Mapping[str, Row], there: Collection[str]) -> dict[str, Any] | None:
    """A sweep for the list, with what its runs reached; None if it cannot be read and is gone.

    `there` are the names of what is in the folder of runs.
    """

    def look(run: Run) -> Status:
        return rows[run.id].status if run.id in rows else run.status(EYE)

    try:
        asked, members = sweep.asked(), sweep.members(look, there)
    except InputError as error:
        broken = {"name": sweep.id, "reason": sentence(error), "runs": [], **_said(Word.DAMAGED), "cells": {}}
        return {"id": sweep.id, "kind": "sweep", **broken} if sweep.path.exists() else None
    left = [member for member in members if member.word != Word.DELETED]
    reached = [rows[member.run.id] for member in members if member.run.id in rows]
    done = t("{done} of {all} {all:run|runs} finished", done=count_finished(left), all=len(left))
    return {
        "id": sweep.id,
        "kind": "sweep",
        "name": asked.name,
        "runs": [row.run.id for row in reached],
        "reason": done if left else t("All its runs were deleted."),
        **_said(sweep.status(members)),
        "cells": _of_all(reached)
        | {
            "progress": _cell("", round(count_finished(left) / len(left), 3) if left else None),
            "started": _cell(moment(asked.created), asked.created.timestamp()),
        },
    }


def race(rows: Sequence[Row]) -> dict[str, Any]:
    """A race for the list, by those of its members that are there, in the order of their seats."""
    words = [row.status.word for row in rows]
    others = [word for word in words if word != Word.FINISHED]
    active = next((word for word in words if Status(word).active), None)
    return {
        "id": f"race {rows[0].run.id}",
        "kind": "race",
        "name": t("{name}: {value}", name=t("Race"), value=" · ".join(network(row.config) for row in rows)),
        "runs": [row.run.id for row in rows],
        "reason": None,
        **_said(active or (others[0] if others else Word.FINISHED)),
        "cells": _of_all(rows) | {"started": line(rows[0])["cells"]["started"]},
    }


def _races(rows: Mapping[str, Row]) -> list[dict[str, Any]]:
    """All races of which two members are there at least."""
    races = {row.race: [rows[run_id] for run_id in row.race if run_id in rows] for row in rows.values() if row.race}
    return [race(members) for members in races.values() if len(members) > 1]


def _said(word: Word) -> dict[str, Any]:
    return {"status": word, "active": Status(word).active, "sign": sign(word), "word": status(word), "recorded": False}


def _of_all(rows: Sequence[Row]) -> dict[str, Any]:
    """The cells of a group: the best accuracies, all time, all bytes."""
    last, best = _most(row.last for row in rows), _most(row.best for row in rows)
    seconds = sum(row.seconds for row in rows if row.seconds is not None)
    used = sum(row.size for row in rows)
    return {
        "accuracy": _cell(accuracy(last), last),
        "time": _cell(duration(seconds), seconds),
        "best": _cell(accuracy(best), best),
        "size": _cell(size(used), used),
    }


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


# --- all of them --------------------------------------------------------------------------------------------


class Listed:
    """The list of one folder in one language, with the number of the look at which each line was last another."""

    def __init__(self, runs: Runs, lang: str) -> None:
        self.start = secrets.token_hex(4)
        self._runs, self._lang = runs, lang
        self._rows: dict[str, Row] = {}
        self._lines: dict[str, tuple[int, dict[str, Any] | None]] = {}
        self._number = 0
        self._looked = 0.0
        self._disk = ""
        self._more = True
        self._lock = threading.Lock()

    def answer(self, start: str, since: int) -> dict[str, Any]:
        """What is another than it was at the look number `since`; a line that is None is gone."""
        with self._lock:
            if self._more or self._looked < max(forgotten(), time.monotonic() - BELIEVED):
                with instead({"lang": self._lang}):
                    self._look()
            since = since if start == self.start else 0
            lines = {key: each for key, (number, each) in self._lines.items() if number > since}
            return {
                "start": self.start,
                "number": self._number,
                "lines": lines,
                "more": self._more,
                "active": any(row.status.active for row in self._rows.values()),
                "disk": self._disk,
            }

    def whole(self) -> dict[str, Any]:
        """All of it, for a page that has no server to ask."""
        while (found := self.answer("", 0))["more"]:
            pass
        return found

    def _look(self) -> None:
        """Look at all runs; after a while, at no more of those that were never seen."""
        goes_on, until = self._more, time.monotonic() + PIECE
        self._number += 1
        self._looked = time.monotonic()
        self._more = False
        found = scan(self._runs)
        for run in found:
            if run.id not in self._rows:
                self._see(read_row(run, EYE))
                if time.monotonic() > until:  # after one at least, however long the folder took
                    self._more = True
                    break
            elif not goes_on:
                self._see(kept_row(run) or read_row(run, EYE))
        for gone in self._rows.keys() - {run.id for run in found}:
            del self._rows[gone]
            self._put(gone, None)
        if self._more:
            self._heads(found)
        else:
            self._groups()
        if not exhibit.nothing_starts():
            self._disk = t(
                "Disk used by runs: {size}. The weights of the newest {most} are kept.",
                size=size(sum(row.size for row in self._rows.values() if not row.run.recorded)),
                most=KEEP_WEIGHTS,
            )

    def _see(self, row: Row) -> None:
        if self._rows.get(row.run.id) is not row:
            self._rows[row.run.id] = row
            self._put(row.run.id, line(row))

    def _heads(self, found: Sequence[Run]) -> None:
        """The sweeps that were never seen, so that their runs stand in them at once; what these reached comes last."""
        for sweep in all_sweeps(self._runs)[:MOST_SWEEPS]:
            if sweep.id not in self._lines:
                self._put(sweep.id, head(sweep, found))

    def _groups(self) -> None:
        there = self._runs.folders()
        seen = {sweep.id: group(sweep, self._rows, there) for sweep in all_sweeps(self._runs)[:MOST_SWEEPS]}
        seen |= {each["id"]: each for each in _races(self._rows)}
        for key, each in seen.items():
            self._put(key, each)
        for key, (_, each) in list(self._lines.items()):
            if each and "kind" in each and key not in seen:
                self._put(key, None)

    def _put(self, key: str, each: dict[str, Any] | None) -> None:
        if self._lines.get(key, (0, None))[1] != each:
            self._lines[key] = self._number, each


_lists: dict[tuple[Path, str], Listed] = {}


def listed(lang: str) -> Listed:
    """The list of the present folder of runs in a language."""
    runs = Runs.at()
    return _lists.setdefault((runs.path, lang), Listed(runs, lang))


async def serve(request: Request) -> Response:
    """The route."""
    lang, start = (request.query_params.get(name, "") for name in ("lang", "start"))
    since = request.query_params.get("since", "0")
    if lang not in LANGUAGES or not (since.isascii() and since.isdecimal() and len(since) < 16):
        return Response(status_code=404)
    body = await run_in_threadpool(lambda: _bytes(listed(lang).answer(start, int(since))))
    return Response(body, media_type="application/json", headers=_HEADERS)


def _bytes(answer: Mapping[str, Any]) -> bytes:
    return gzip.compress(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode(), 1)


_HEADERS = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
