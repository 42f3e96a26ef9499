"""The processes of a run that several train together: which one this is, and what the others left in the run's folder.

The first one (number 0) keeps the folder. Each other one has a file in it, ranks/<number>.json: who it is, so that it
can be ended, and why it failed, if it did.
"""

import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from vggexplorer.errors import InputError, reason_from_json, reason_to_json
from vggexplorer.processes import process_began, still_runs
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run

LAST_WORDS = 2.0
"""Seconds within which a process that fails has said why."""


class Rank(NamedTuple):
    """Which of how many processes this is, over all hosts and on this one; `job` tells one start from another."""

    number: int = 0
    world: int = 1
    local_number: int = 0
    local_world: int = 1
    job: str = ""

    @staticmethod
    def here() -> "Rank":
        """As torchrun has told this process; `Rank()` if it was not started by torchrun."""
        told = os.environ
        if "TORCHELASTIC_RUN_ID" not in told:
            return Rank()
        number, world, local_number, local_world = (int(told[name]) for name in _VARIABLES)
        return Rank(number, world, local_number, local_world, told["TORCHELASTIC_RUN_ID"])


_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


class ProcessLostError(InputError):
    """Another process of the run died or does not answer; it may have left a better reason."""


def note(run: Run, rank: Rank, reason: InputError | None = None) -> None:
    """Write down who this process is, and why it failed."""
    pid = os.getpid()
    about = {"pid": pid, "began": process_began(pid), "host": platform.node()}
    path = run.path / layout.RANKS / f"{rank.number}.json"
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        write_json(path, about | {"reason": reason and reason_to_json(reason)}, durable=False, alone=True)


def living(run: Run) -> list[int]:
    """The ids of the processes on this machine that train `run` beside the first one."""
    return [about["pid"] for about in _notes(run) if _lives(about)]


def _notes(run: Run) -> Iterator[dict[str, Any]]:
    for path in sorted((run.path / layout.RANKS).glob("*.json")):
        yield run.json(f"{layout.RANKS}/{path.name}")


def _lives(about: dict[str, Any]) -> bool:
    """Whether the process lives that wrote this; its id may have come to belong to somebody else."""
    return about.get("host") == platform.node() and still_runs(about.get("pid"), about.get("began"))


def forget(run: Run) -> None:
    """Remove what the processes have left: the run is over."""
    shutil.rmtree(run.path / layout.RANKS, ignore_errors=True)


def last_words(run: Run) -> InputError | None:
    """Why another process failed, waited for a moment; None if none of them said so."""
    deadline = time.monotonic() + LAST_WORDS
    while time.monotonic() < deadline:
        for about in _notes(run):
            with suppress(ValueError):
                if about.get("reason"):
                    return reason_from_json(about["reason"])
        time.sleep(0.1)
    return None
