"""`vggexplorer train` and `resume`: a run is started, or goes on, and is followed to its end."""

import argparse

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.runs import launch
from vggexplorer.runs.config import command
from vggexplorer.runs.folder.run import clean_name
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.places import Place
from vggexplorer.terminal.asked import config_of, lines_of_row, place_of
from vggexplorer.terminal.progress import Before, Interrupts, follow
from vggexplorer.terminal.views import view_for


def train(options: argparse.Namespace) -> int:
    """Start a run and follow it to its end."""
    runs = Runs.at(options.runs)
    with Interrupts() as interrupts:
        name = None if options.name is None else clean_name(options.name)
        place = place_of(options, Place())
        config, view = config_of(options, runs), view_for(options.json)
        lines = lines_of_row(options, [config], runs)
        before, run = Before(), launch.start(runs, config, name, place=place)
        for line in lines:
            view.say(line)
        if lines and (words := command(config)):
            view.say(f"The same on another machine: {words}")
        return follow(run, view, interrupts, before, options.runs)


def resume(options: argparse.Namespace) -> int:
    """Go on with a run and follow it to its end."""
    runs = Runs.at(options.runs)
    if (run := runs.get(options.run)) is None:
        raise InputError(
            "There is no run {id} in {path}; `vggexplorer runs` lists those there are.",
            id=shown(options.run),
            path=shown(str(runs.path), 200),
        )
    with Interrupts() as interrupts:
        before = Before.of(run)
        launch.resume(runs, run, place_of(options, Place.of(run)))
        return follow(run, view_for(options.json), interrupts, before, options.runs)
