"""`vggexplorer runs`: all runs as a table in a terminal, and as JSON."""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vggexplorer.export import profile
from vggexplorer.formatting import exact
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import best, tested
from vggexplorer.runs.folder.run import HEARTBEAT_TIMEOUT, MANY, Run, Watch
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import STATUSES, Status, Word
from vggexplorer.runs.verdict import figures, matrix
from vggexplorer.summary import summarize
from vggexplorer.terminal.tables import grid, print_table, terminal
from vggexplorer.text import title

POLL = 0.1
"""Seconds between looks at the heartbeats."""
_FIGURES = ("loss", "train_acc", "test_acc", "best_test_acc", "seconds")


def list_runs(options: argparse.Namespace) -> int:
    """Print all runs, the newest first."""
    runs = Runs.at(options.runs)
    found = rows(runs.all())
    if options.json:
        print(json.dumps({"runs": found}, indent=2))
    else:
        print_runs(found, runs)
    return 0


def statuses(runs: Sequence[Run]) -> dict[str, Status]:
    """What each run does, by its id. Takes a moment if trainers are at work: do their hearts beat?"""
    watch = Watch()
    found = {run.id: run.status(watch) for run in runs}
    first = {run.id: run.heartbeat().get("beat") for run in runs if found[run.id].active}
    waiting = [run for run in runs if first.get(run.id) is not None]
    deadline = time.monotonic() + HEARTBEAT_TIMEOUT + 0.5
    while waiting and time.monotonic() < deadline:
        time.sleep(POLL)
        found |= {run.id: run.status(watch) for run in waiting}
        waiting = [run for run in waiting if _unsure(run, found[run.id], first[run.id])]
    return found


def _unsure(run: Run, status: Status, first: int | None) -> bool:
    """Whether the run may be at work, and its heartbeat has not changed since `first`."""
    return status.active and status.word != Word.UNRESPONSIVE and run.heartbeat().get("beat") == first


def rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What is known of each run, ready for JSON; a damaged run has no figures."""
    found = statuses(runs)
    return [_row(run, found[run.id]) for run in runs]


def _row(run: Run, status: Status) -> dict[str, Any]:
    created = run.created()
    about = {"id": run.id, "name": run.name(), "path": str(run.path), "recorded": run.recorded}
    about |= {"created": created and created.isoformat(timespec="seconds")}
    try:
        return about | _asked(run.config()) | _reached(run, status)
    except (ValueError, LookupError, TypeError, AttributeError):  # somebody else wrote into the folder
        unknown = (
            "network",
            "architecture",
            "recipe",
            "dataset",
            "device",
            *_FIGURES,
            "balanced_acc",
            "params",
            "macs",
        )
        return about | {"status": Word.DAMAGED, "step": 0, "ahead": 0} | dict.fromkeys(unknown)


def _asked(config: Config) -> dict[str, Any]:
    """What was asked for; the network is the one that is trained, at the training's input size."""
    exported = profile(summarize(*config.trained))
    return {
        "network": title(config.trained),
        "architecture": exported["architecture"],
        "recipe": config.training.recipe,
        "dataset": str(config.dataset),
        "device": config.device,
        "params": exported["totals"]["params"],
        "macs": exported["totals"]["macs"],
    }


def _reached(run: Run, status: Status) -> dict[str, Any]:
    """How far it is: status and last figures; `test_acc` is of the last test, `balanced_acc` of the one at the end."""
    records = run.read(most=MANY).records
    tests = tested(records)
    last = records[-1] if records else None
    values = (
        (last.train_loss, last.train_acc, tests[-1] if tests else None, best(records), last.seconds) if last else ()
    )
    device = run.environment().get("device")
    return (
        {"status": status.word, "step": int(status.step), "ahead": int(status.ahead)}
        | dict.fromkeys(_FIGURES)
        | dict(zip(_FIGURES, values, strict=False))
        | {"balanced_acc": figures(cells).balanced if (cells := matrix(run.json(layout.RESULT))) else None}
        | ({"device": device} if device else {})
    )


# --- the table -----------------------------------------------------------------------------------------


def print_runs(found: Sequence[Mapping[str, Any]], folder: Runs) -> None:
    """Print a row for each run. A table that is wider than the terminal is printed as it is: an id is never cut off."""
    console = terminal()
    if not any(not row["recorded"] for row in found):
        console.print(
            f"There are no runs in {folder.path} yet; `vggexplorer train vgg11 --width 1/4` starts one.", soft_wrap=True
        )
    if found:
        print_table(console, _table(found))


def _table(found: Sequence[Mapping[str, Any]]) -> Table:
    table = grid(["id", "name", "status", "network", "recipe", "data"], ["test acc", "best", "time"], ["device"])
    for row in found:
        texts = (row["id"], row["name"], _status(row), row["network"], row["recipe"], row["dataset"])
        table.add_row(*map(_text, texts), *_cells(row), _text(row["device"]), style="dim" if row["recorded"] else "")
    return table


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    accuracies = (f"{row[key]:.3f}" if row[key] is not None else "–" for key in ("test_acc", "best_test_acc"))
    return *accuracies, f"{row['seconds']:,.1f} s" if row["seconds"] is not None else "–"


def _text(value: str | None) -> str:
    """A text without line breaks and control characters."""
    return "".join(char if char.isprintable() else " " for char in value or "–")


def _status(row: Mapping[str, Any]) -> str:
    words = STATUSES[row["status"]]
    if row["recorded"]:
        return f"{words} (recorded)"
    if row["status"] == Word.WAITING and row["ahead"]:
        return f"{words}, {exact(row['ahead'])} ahead"
    without_step = row["status"] in (Word.FINISHED, Word.DAMAGED, Word.STARTING, Word.WAITING)
    return words if without_step else f"{words}, step {exact(row['step'])}"
