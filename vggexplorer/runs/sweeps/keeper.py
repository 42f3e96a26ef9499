"""The keeper of a sweep: a process that starts its runs one by one, whoever closes the page or the terminal.

`python -m vggexplorer.runs.sweeps.keeper SWEEP_DIR` is all of it. It loads no PyTorch, and has no more than one of its
runs in the line for a device here: each that waits is a process, and looks at all before it four times a second. On a
cluster it is a few, for those that wait cost memory only, and many nodes may get free at once. If the keeper dies, the
runs that it started go on; the rest can be resumed.
"""

import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vggexplorer.errors import InputError
from vggexplorer.runs import launch, limits
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.sweeps.folder import Asked, Member, Sweep

QUEUED = (Word.STARTING, Word.WAITING)
"""The statuses of a run that is in a line, here or on a cluster, and not at work yet."""
IN_LINE_HERE, IN_LINE_THERE = 1, 8
"""How many runs of a sweep are in a line at most: for each device of this machine, and on a cluster."""
LOOK = 0.5
"""Seconds between two looks at the runs."""


def main(argv: list[str]) -> int:
    """Keep the sweep in the folder `argv[1]`; 0 unless another keeper is at it or it cannot be read."""
    if len(argv) != 2 or not (Path(argv[1]) / layout.SWEEP).is_file():
        print("usage: python -m vggexplorer.runs.sweeps.keeper SWEEP_DIR (a folder with a sweep.json)", file=sys.stderr)
        return 2
    sweep = Sweep(Path(argv[1]).absolute())
    try:
        # A reader may hold the lock for a moment, to see whether anybody does.
        with FileLock(sweep.path / layout.KEEPER_LOCK).acquire(timeout=2):
            keep(sweep, Limits.read())
    except Timeout:
        print("Another keeper is at this sweep.", file=sys.stderr)
        return 3
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def keep(sweep: Sweep, allowed: Limits) -> None:
    """Start what is left to do, each run once, until nothing is left or nothing more is wanted."""
    asked, members = sweep.asked(), sweep.members()
    rest = [member for member in members if member.rest]
    busy = [member for member in members if member.active]
    while not sweep.stopping():  # looked at after each start, too: see `stop_sweep`
        if not rest:
            return
        busy = [now for member in busy if (now := member.look()).active]
        most = IN_LINE_THERE if asked.place.cluster else IN_LINE_HERE
        ready = _ready(rest, busy, most)
        if ready is None or not _has_room(sweep.runs, asked.owner, allowed):
            time.sleep(LOOK)
            continue
        rest.remove(ready)
        busy.append(ready)
        try:
            _begin(sweep, asked, ready, allowed)
        except InputError as error:
            print(f"{ready.name}: {error}", flush=True)
    for member in busy:
        with suppress(InputError):
            launch.stop(member.run)


def _ready(rest: list[Member], busy: list[Member], most: int) -> Member | None:
    """The first run for whose device fewer than `most` are in line: one waits, so that the device is never idle."""
    queued = Counter(member.config.device for member in busy if member.word in QUEUED)
    return next((member for member in rest if queued[member.config.device] < most), None)


def _has_room(runs: Runs, owner: str, allowed: Limits) -> bool:
    return allowed.runs is None or limits.active_runs(runs, owner) < allowed.runs


def _begin(sweep: Sweep, asked: Asked, member: Member, allowed: Limits) -> None:
    """Make the run, or go on with it; its owner may have resumed it in the meantime."""
    runs, run = sweep.runs, member.run
    if not run.path.exists():
        limits.start(runs, member.config, member.name, asked.owner, allowed, run.id, asked.place)
        sweep.note(run.id)
    elif run.resumable(run.status()):
        limits.resume(runs, run, allowed)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
