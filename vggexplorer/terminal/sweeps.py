"""`vggexplorer sweep`: many runs are started, go on, and are followed; are stopped; are listed."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rich.text import Text

from vggexplorer.architectures import shown
from vggexplorer.catalogue import fill
from vggexplorer.errors import InputError
from vggexplorer.formatting import duration
from vggexplorer.processes import need_torch
from vggexplorer.runs import launch
from vggexplorer.runs.calibration import known_calibration
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import resolve
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import STATUSES, Word
from vggexplorer.runs.forecasts import suffices
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps, count_finished, find_sweep
from vggexplorer.runs.sweeps.grid import Plan, Total, forecast_total, run_names
from vggexplorer.runs.sweeps.start import resume_sweep, start_sweep, stop_sweep
from vggexplorer.terminal.asked import place_of
from vggexplorer.terminal.measuring import measure
from vggexplorer.terminal.plans import plan_of
from vggexplorer.terminal.progress import Interrupts
from vggexplorer.terminal.sweep_progress import Followed, follow
from vggexplorer.terminal.tables import grid, print_table, terminal


def start(options: argparse.Namespace) -> int:
    """Say what a sweep will take, start it, and follow it to its end."""
    if not options.dry_run:
        need_torch()
    runs = Runs.at(options.runs)
    plan, place = plan_of(options, runs), place_of(options, Place())
    total = forecast(runs, plan.configs, place)
    if options.dry_run and options.json:
        print(json.dumps(planned(plan, total), indent=2))
    else:
        print(*lines_before(plan, total), sep="\n", file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.dry_run:
        return 0
    with Interrupts() as interrupts:
        followed = Followed(start_sweep(runs, plan.configs, options.name, place=place))
        return follow(followed, options.json, interrupts, options.runs)


def resume(options: argparse.Namespace) -> int:
    """Go on with what is left of a sweep, unless it is under way, and follow it to its end."""
    followed = Followed(find(Runs.at(options.runs), options.sweep))
    with Interrupts() as interrupts:
        followed.look()  # what had ended before is no news
        if followed.sweep.status(followed.members) != Word.RUNNING:
            resume_sweep(followed.sweep)
        return follow(followed, options.json, interrupts, options.runs)


def stop(options: argparse.Namespace) -> int:
    """Stop all of a sweep, and say so."""
    sweep = find(Runs.at(options.runs), options.sweep)
    stop_sweep(sweep)
    print(f"Stopping the sweep; `vggexplorer sweep resume {sweep.id}` goes on with it.")
    return 0


def list_sweeps(options: argparse.Namespace) -> int:
    """Print a row for each sweep, the newest first."""
    runs = Runs.at(options.runs)
    found = rows(runs)
    if options.json:
        print(json.dumps({"sweeps": found}, indent=2))
    else:
        _print_rows(found, runs)
    return 0


def find(runs: Runs, sweep_id: str) -> Sweep:
    """The sweep called `sweep_id`; `InputError` if there is none."""
    if sweep := find_sweep(runs, sweep_id):
        return sweep
    raise InputError(
        "There is no sweep {id} in {path}; `vggexplorer sweep list` lists those there are.",
        id=shown(sweep_id),
        path=shown(str(runs.path), 200),
    )


# --- before ----------------------------------------------------------------------------------------------------


def forecast(runs: Runs, configs: Sequence[Config], place: Place) -> Total:
    """What the runs will take together; the devices are measured the first time.

    It is known of one process on this machine: of a cluster, or of several processes, nothing is.
    """
    if place != launch.HERE:
        return Total(0, 0, 0, len(configs), 0)
    for config in {(each.device, each.training.precision): each for each in configs}.values():
        device = resolve(config.device, runs.path)
        if not suffices(known_calibration(runs.path, device.name), config, device):
            measure(runs.path, device, config)
    return forecast_total(runs, configs)


def planned(plan: Plan, total: Total) -> dict[str, Any]:
    """What would be started, ready for JSON."""
    return {
        "runs": [
            {"name": name, "config": config.to_json()}
            for name, config in zip(run_names(plan.configs), plan.configs, strict=True)
        ],
        "left_out": [{"network": each.network, "reason": str(each.reason)} for each in plan.left_out],
        "forecast": total._asdict(),
    }


def lines_before(plan: Plan, total: Total) -> list[str]:
    """The number of runs, how long they will take one after the other, and what does not go."""
    count = len(plan.configs)
    known = count - total.unknown
    lines = [f"left out: {each.network}: {each.reason}" for each in plan.left_out]
    text = fill("{count:,} {count:run|runs}", count=count)
    if known:
        text += f", one after the other {duration(total.seconds)}"
        text += f" ({duration(total.low)} to {duration(total.high)})"
    if total.unknown:
        text += f"; the time of {total.unknown:,} is not known"
    lines.append(text)
    if total.too_large:
        lines.append(fill("{n:,} of them {n:needs|need} more memory than the device has.", n=total.too_large))
    return lines


# --- the list --------------------------------------------------------------------------------------------------


def rows(runs: Runs) -> list[dict[str, Any]]:
    """All sweeps, the newest first, ready for JSON; a damaged one has no figures."""
    found, there = [], runs.folders()
    for sweep in all_sweeps(runs):
        about: dict[str, Any] = {"id": sweep.id, "path": str(sweep.path), "name": None, "status": Word.DAMAGED}
        about |= {"runs": None, "finished": None}
        with suppress(InputError):
            members = sweep.members(there=there)
            done = count_finished(members)
            about |= {"name": sweep.asked().name, "status": sweep.status(members), "runs": len(members)}
            about["finished"] = done
        found.append(about)
    return found


def _print_rows(found: Sequence[dict[str, Any]], runs: Runs) -> None:
    if not found:
        print(f"There are no sweeps in {runs.path} yet; `vggexplorer sweep start lenet --seed 0,1` starts one.")
        return
    table = grid(["id", "name", "status", "finished"])
    for row in found:
        done = "–" if row["runs"] is None else f"{row['finished']} of {row['runs']}"
        table.add_row(row["id"], Text(row["name"] or "–"), STATUSES[row["status"]], done)
    print_table(terminal(), table)
