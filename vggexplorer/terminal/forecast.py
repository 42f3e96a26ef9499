"""`vggexplorer forecast`: what a run will take, as tables in a terminal or as one JSON object."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from vggexplorer.architectures import shown
from vggexplorer.forecast.correction import Likeness
from vggexplorer.forecast.memory import COMPONENTS
from vggexplorer.formatting import duration, size
from vggexplorer.runs import experience, folders, forecasts
from vggexplorer.runs.calibration import known_calibration
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import resolve
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folders import Found
from vggexplorer.runs.forecasts import USABLE, Forecast, Proposal
from vggexplorer.runs.options import Number
from vggexplorer.runs.reasons import kinds_not_read, said_of_kinds
from vggexplorer.terminal.asked import config_of, lines_of_row
from vggexplorer.terminal.measuring import measure
from vggexplorer.terminal.tables import grid, plain, print_table, terminal
from vggexplorer.terminal.views import odd_lines
from vggexplorer.text import title


def forecast(options: argparse.Namespace) -> int:
    """Say what a run will take; 1 if it does not fit."""
    runs = Runs.at(options.runs)
    memory, seconds = _most(options.memory, "memory"), _most(options.within, "time")
    config = config_of(options, runs)
    device = resolve(config.device, runs.path)
    calibration = known_calibration(runs.path, device.name)
    if options.measure or not forecasts.suffices(calibration, config, device):
        calibration = measure(runs.path, device, config, whole=options.measure)
    past = experience.past(runs.path, device.name)
    found = forecasts.forecast(config, device, calibration, past)
    limit = device.memory if memory is None else round(memory * 2**30)
    proposals = forecasts.fit(config, device, calibration, past, memory=limit, seconds=seconds)
    fits = found.fits(limit, seconds)
    pictures = None if config.dataset.known else folders.find(config.dataset.path)
    if options.json:
        print(json.dumps(to_json(found, proposals, fits) | _about_data(pictures), indent=2))
    else:
        print_forecast(config, found, proposals, limit, seconds)
        for line in lines_of_row(options, [config], runs):
            print(f"\n{line}")
        if pictures:
            print_data(pictures)
    return 0 if fits else 1


def _most(text: str | None, label: str) -> float | None:
    """A limit that a run is to keep; None without one."""
    if text is None:
        return None
    option = Number(label=label, high=10**7, above=True)
    option.check(value := option.parse(text))
    return value


def to_json(forecast: Forecast, proposals: Sequence[Proposal], fits: bool) -> dict[str, Any]:
    """The forecast, whether it fits, and the proposals with what each changes and saves."""
    listed = [
        {
            "changes": [change._asdict() for change in each.changes],
            "saved_memory": each.saved_memory,
            "saved_seconds": each.saved_seconds,
            "memory": each.forecast.memory.total,
            "seconds": each.forecast.time and each.forecast.time.total,
        }
        for each in proposals
    ]
    return forecast.to_json() | {"fits": fits, "proposals": listed}


def print_forecast(
    config: Config, forecast: Forecast, proposals: Sequence[Proposal], memory: int | None, seconds: float | None
) -> None:
    """Print memory by component, the times with their range, and proposals if `memory` or `seconds` do not suffice."""
    console = terminal()
    batch = config.training.batch_size
    heading = f"{title(config.trained)}, batch {batch}, {forecast.precision} on {forecast.device}"
    console.print(heading, style="bold", soft_wrap=True)
    console.print()
    print_table(console, _memory_table(forecast))
    if forecast.most > forecast.memory.total:
        most = plain(size(forecast.most))
        console.print(
            f"With what the libraries of a GPU take, up to {most} in training: not measured here.", style="dim"
        )
    console.print()
    if forecast.time:
        print_table(console, _time_table(forecast))
        console.print(
            f"\nTimes: {_source(forecast)}. The most memory in a step; the parts are those of that moment.", style="dim"
        )
        if forecasts.may_be_fused(forecast, config):
            console.print(str(forecasts.MAY_BE_FUSED), style="dim")
    if not forecast.fits(memory, seconds):
        limits = [f"{duration(seconds)}"] if seconds and not forecast.fits(None, seconds) else []
        if memory and not forecast.fits(memory, None):
            limits.append(f"{USABLE:.0%} of {plain(size(memory))}")
        console.print(f"\nThis does not fit in {' and '.join(limits)}.", style="bold red")
        for each in proposals:
            console.print(f"- {_words(each)}")
        if not proposals:
            console.print("No change of width, input, batch, head or epochs would do.")


def _source(forecast: Forecast) -> str:
    if forecast.by_runs is Likeness.STEPS:
        return "by what the same steps took here before"
    if forecast.by_runs is Likeness.NETWORK:
        return "by what steps of this network took here before"
    corrected = ", corrected by what other runs took here" if forecast.by_runs else ""
    return _known_by(forecast) + corrected


def _known_by(forecast: Forecast) -> str:
    if forecast.estimated:
        return "by what this processor is, if nothing else computes; maybe half or twice as long"
    if forecast.rough:
        return "from a measurement of a second, maybe half or twice as long"
    if not forecast.measured:
        return "estimated from the data sheet"
    return "measured on this device" + (
        " in part, or with another PyTorch, so less certain (--measure goes on)" if forecast.partial else ""
    )


def _about_data(pictures: Found | None) -> dict[str, Any]:
    """What a folder of pictures holds, in the words in which the end of a run says it."""
    if not pictures:
        return {"data": None, "num_odd": 0, "odd": [], "kinds_not_read": {}}
    odd = {"num_odd": pictures.odd.count, "odd": pictures.odd.listed}
    return {"data": pictures.to_json(), **odd, "kinds_not_read": _kinds(pictures)}


def _kinds(pictures: Found) -> dict[str, int]:
    return kinds_not_read(file for files in (*pictures.train, *pictures.test) for file in files)


def print_data(found: Found) -> None:
    """Print how many files each class of a folder has, and what is said of the folder."""
    console = terminal()
    table = grid(["class"], ["to train", "to test"])
    for name, (train, test) in found.counts.items():
        table.add_row(plain(shown(name)), f"{train:,}", f"{test:,}")
    console.print()
    print_table(console, table)
    console.print()
    said = (*found.said, *said_of_kinds(_kinds(found)))
    for line in (*map(str, said), *odd_lines(found.odd.count, found.odd.listed)):
        console.print(plain(line), soft_wrap=True)


def _memory_table(forecast: Forecast) -> Table:
    table = grid(["memory"], ["training", "inference"])
    for name, words in COMPONENTS.items():
        both = (getattr(memory, name) for memory in (forecast.memory, forecast.inference))
        table.add_row(words, *(plain(size(each)) for each in both))
    totals = (plain(size(memory.total)) for memory in (forecast.memory, forecast.inference))
    table.add_row("total", *totals, style="bold")
    return table


def _time_table(forecast: Forecast) -> Table:
    table = grid(["time"], [""])
    if time := forecast.time:
        table.add_row("a step", f"{1000 * time.step:,.1f} ms")
        table.add_row("an epoch", duration(time.epoch))
        table.add_row("all", f"{duration(time.total)}  ({duration(time.low)} to {duration(time.high)})", style="bold")
    return table


def _words(proposal: Proposal) -> str:
    changes = ", ".join(f"{change.what} {change.before} → {change.after}" for change in proposal.changes)
    after = proposal.forecast
    needs = plain(size(after.memory.total)) + (f", {duration(after.time.total)}" if after.time else "")
    return f"{changes}: {needs}"
