"""Starting, resuming and stopping a sweep. Its keeper, a process of its own, starts the runs."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from vggexplorer.errors import InputError
from vggexplorer.processes import child_environment, detached, module_command, need_torch
from vggexplorer.runs import launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import move, write_json
from vggexplorer.runs.folder.run import MAX_NAME, clean_name
from vggexplorer.runs.folder.runs import Runs, new_id
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps.folder import VERSION, Sweep, all_sweeps, writing
from vggexplorer.runs.sweeps.grid import check_count, network_name, run_names

KEEPER_TIMEOUT = 10.0
"""Seconds for which `start_sweep` and `resume_sweep` wait until the keeper is there."""
KEEPER = "vggexplorer.runs.sweeps.keeper"


def start_sweep(
    runs: Runs,
    configs: Sequence[Config],
    name: str | None = None,
    owner: str = "",
    limits: Limits | None = None,
    place: Place = launch.HERE,
) -> Sweep:
    """Write down a sweep of `owner` within `limits` and start its keeper; `InputError` if that cannot be."""
    limits = limits or Limits()
    check_count(len(configs))
    configs = [limits.held(launch.absolute(config)) for config in dict.fromkeys(configs)]
    for config in configs:
        place.check(config, runs)
    for config in {config.dataset: config for config in configs}.values():
        launch.check_able(config)
    named = clean_name(name) if name else _name(configs)
    if limits.runs is not None and any(_owned_and_kept(sweep, owner) for sweep in all_sweeps(runs)):
        raise InputError("You have a sweep under way; where the teacher limits runs, it is one at a time.")
    sweep = _create(runs, configs, named, owner, place)
    _keep(sweep, limits)
    return sweep


def _name(configs: Sequence[Config]) -> str:
    networks = ", ".join(dict.fromkeys(network_name(config.network) for config in configs))
    return clean_name(networks if len(networks) <= MAX_NAME else f"{networks[: MAX_NAME - 2]} …")


def _owned_and_kept(sweep: Sweep, owner: str) -> bool:
    try:
        return sweep.kept() and sweep.asked().owner == owner
    except InputError:
        return False


def _create(runs: Runs, configs: Sequence[Config], name: str, owner: str, place: Place) -> Sweep:
    names = runs.unused(run_names(configs))
    items = [
        {"id": new_id(f"{number:03d} {words}"), "name": words, "config": config.to_json()}
        for number, (config, words) in enumerate(zip(configs, names, strict=True), 1)
    ]
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    sweep_id = new_id(name)
    new = runs.path / "sweeps" / f".new-{sweep_id}"
    with writing():
        new.mkdir(parents=True)
        about = {"version": VERSION, "name": name, "owner": owner, "created": created, "place": asdict(place)}
        write_json(new / layout.SWEEP, about | {"runs": items})
        return Sweep(move(new, new.with_name(sweep_id)))


def resume_sweep(sweep: Sweep, limits: Limits | None = None) -> None:
    """Start what is not made yet, and go on with what was stopped, interrupted or failed; `InputError` if it cannot be.

    What has finished, or is active, is left alone.
    """
    need_torch()
    limits = limits or Limits()
    with sweep.runs.lock("sweep"):  # of two pages that resume at once, the second one finds it under way
        if sweep.kept():
            raise InputError("The sweep is under way; what was interrupted can be resumed when all is started.")
        rest = [member for member in sweep.members() if member.rest]
        if not rest:
            raise InputError("In this sweep nothing is left to do.")
        for member in rest:
            replace(limits, minutes=None).held(member.config)
        sweep.want(stop=False)
        _keep(sweep, limits)


def stop_sweep(sweep: Sweep) -> None:
    """Have the keeper start nothing more, and all active runs stop; they can be resumed. `InputError` as in `asked`."""
    sweep.want(stop=True)  # before the runs are looked at: what the keeper starts after it, it stops itself
    for member in sweep.members():
        if member.active:
            launch.stop(member.run)


def command(sweep: Sweep) -> list[str]:
    """What starts the keeper of a sweep; it works by hand too."""
    return module_command(KEEPER, str(sweep.path))


def _keep(sweep: Sweep, limits: Limits) -> None:
    """Start the keeper and wait until it is there."""
    try:
        process: subprocess.Popen[bytes] = detached(
            command(sweep), sweep.path / layout.LOG, limits.told(child_environment())
        )
    except OSError as error:
        raise InputError("The sweep could not be started: {reason}", reason=error.strerror or str(error)) from error
    deadline = time.monotonic() + KEEPER_TIMEOUT
    while not sweep.kept() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
