"""Starting trainers and telling them what to do. A trainer is a process of its own that outlives whoever started it."""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.processes import child_environment, detached, end, module_command, need_torch, processors, still_runs
from vggexplorer.runs import forecasts
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import check_present
from vggexplorer.runs.folder import layout, ranks
from vggexplorer.runs.folder.files import remove
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run, clean_name
from vggexplorer.runs.folder.runs import Runs, new_id
from vggexplorer.runs.places import Place
from vggexplorer.text import title

TRAINER = "vggexplorer.pytorch.train"
HOLDER = "vggexplorer.runs.cluster"
HERE = Place()
SLOW = 3
"""How many times as long one may take to begin that torchrun starts, which loads PyTorch itself."""
RESUME_TIMEOUT = 10.0
"""Seconds for which `resume` waits until the old outcome is gone and the run counts as active."""


def start(
    runs: Runs,
    config: Config,
    name: str | None = None,
    owner: str = "",
    run_id: str | None = None,
    place: Place = HERE,
) -> Run:
    """Create a run of `owner` and start its trainer; `InputError` if that cannot be. `run_id` as in `Runs.create`."""
    run = _prepare(runs, config, name, owner, run_id, place)
    _spawn(runs, run, place)
    return run


def start_together(runs: Runs, configs: Sequence[Config], names: Sequence[str | None], owner: str = "") -> list[Run]:
    """Create the runs of a race and start their trainers, all or none; `InputError` as in `start`.

    No two have the same name: those of a race are settled at once.
    """
    called = [clean_name(name) if name else title(config.network) for config, name in zip(configs, names, strict=True)]
    place = Place(race=tuple(new_id(title(config.network)) for config in configs))
    started: list[subprocess.Popen[bytes]] = []
    try:
        asked = zip(configs, runs.unused(called), place.race, strict=True)
        made = [_prepare(runs, config, name, owner, run_id, place) for config, name, run_id in asked]
        for run in made:
            started.append(_spawn(runs, run, place))
    except InputError:
        _undo(runs, place.race, started)
        raise
    return made


def _undo(runs: Runs, ids: Sequence[str], started: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Remove runs that were just made, whose trainers have hardly begun."""
    for process in started:
        process.kill()
        process.wait()
    for run in filter(None, map(runs.get, ids)):
        with suppress(OSError, InputError):
            run.unmark_started()
            Line(runs).leave(run)
            run.delete()


def _prepare(runs: Runs, config: Config, name: str | None, owner: str, run_id: str | None, place: Place) -> Run:
    """Create a run as `start` does, which is not started yet; `InputError` if that cannot be."""
    check_able(config)
    place.check(config, runs)
    run = runs.create(absolute(config), name, owner, run_id)
    _settle(run, place)
    return run


def _settle(run: Run, place: Place) -> None:
    """Keep where the trainer of `run` is started, and what it will take: that is known of one process here.

    How long the member of a race takes depends on the others: its memory alone is kept.
    """
    place.keep(run)
    if not place.cluster and place.nproc == 1:
        forecasts.keep(run, timed=not place.race)
    else:
        with suppress(OSError):
            remove(run.path / layout.FORECAST)


def check_able(config: Config) -> None:
    """`InputError` unless there are PyTorch and the data to train on."""
    need_torch()
    check_present(config.dataset)


def absolute(config: Config) -> Config:
    """`config` with its data set by a name that means the same when the run is resumed from another folder."""
    return replace(config, dataset=config.dataset.absolute())


def resume(runs: Runs, run: Run, place: Place | None = None) -> None:
    """Start a trainer that goes on where the run's last one was, or at another place; `InputError` if it cannot."""
    need_torch()
    before = Place.of(run)
    place = place or before
    place.check(run.config(), runs)
    with runs.lock("resume"):  # of two pages that resume at once, the second one finds it running
        if not run.resumable(run.status()):
            raise InputError("This run cannot be resumed: it is not stopped, failed or interrupted.")
        run.want()
        if place != before:
            _settle(run, place)
        process = _spawn(runs, run, place)
        deadline = time.monotonic() + RESUME_TIMEOUT
        while not run.heartbeat() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)


def stop(run: Run) -> None:
    """Ask a run to stop; it can be resumed later."""
    run.want(stop=True)


def kill(run: Run) -> None:
    """End a trainer that does not do what it is asked; the last checkpoint stays.

    Its process id is believed only while its lock is held, and if it began when the trainer did: an id may come to
    belong to somebody else. `InputError` where the system does not say when (on Windows).
    """
    beat = run.heartbeat()
    if not run.locked():
        return
    if "began" in beat and beat["began"] is None:
        raise InputError(
            "This system does not say when a process began, so that none is ended by its number; end the trainer "
            "by hand, it is process {pid}.",
            pid=shown(str(beat.get("pid"))),
        )
    if not still_runs(beat.get("pid"), beat.get("began")):
        return
    for each in (beat["pid"], *ranks.living(run)):
        with suppress(OSError):
            end(each)


def command(run: Run, place: Place = HERE) -> list[str]:
    """What starts the trainer of a run at `place`, several processes by PyTorch's torchrun; it works by hand too.

    Of a run on a cluster it starts what holds the run's folder here.
    """
    trainer = module_command(HOLDER if place.cluster else TRAINER, str(run.path))
    if place.nproc == 1 or place.cluster:
        return trainer
    torchrun = module_command("torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1")
    return [*torchrun, "--nproc-per-node", str(place.nproc), "--max-restarts", "0", "--no-python", *trainer]


def _threads(processes: int) -> int:
    """The threads of each of several processes: its share of the processors, or fewer if the environment says so."""
    share = max(1, processors() // processes)
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(told)) if told.isdecimal() and int(told) else share


def _environment(place: Place) -> dict[str, str]:
    """What the trainer finds in its environment: several processes share the processors, and talk on this machine."""
    if place.nproc == 1 and not place.race:
        return child_environment()
    shared = child_environment() | {"OMP_NUM_THREADS": str(_threads(max(place.nproc, len(place.race))))}
    if place.race:
        return shared
    # The interface of this machine alone: lo on Linux, lo0 on macOS; on Windows the libraries find one by themselves.
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    return {f"{library}_SOCKET_IFNAME": name for name in loopback for library in ("GLOO", "NCCL")} | shared


def _spawn(runs: Runs, run: Run, place: Place) -> "subprocess.Popen[bytes]":
    """Start the trainer, detached from this process and its terminal."""
    try:
        slow = 1 if place.nproc == 1 else SLOW
        run.mark_started(slow)  # before it gets a ticket: the tickets of the dead are removed
        Line(runs).queue(run, place.race)
        return detached(command(run, place), run.path / layout.LOG, _environment(place))
    except OSError as error:
        with suppress(OSError):
            run.unmark_started()
            Line(runs).leave(run)
        raise InputError("The trainer could not be started: {reason}", reason=error.strerror or str(error)) from error
