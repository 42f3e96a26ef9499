"""`vggexplorer train`: a run is started, or a stopped one again, and followed to its end."""

import argparse

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.runs import launch
from vggexplorer.runs.cluster.holder import ask
from vggexplorer.runs.folder.run import Run, clean_name
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.places import Place
from vggexplorer.terminal.asked import config_of, other_option, place_of
from vggexplorer.terminal.progress import Before, Interrupts, follow
from vggexplorer.terminal.views import view_for


def train(options: argparse.Namespace) -> int:
    """Start a run, or a stopped one again, and follow it to its end."""
    runs = Runs.at(options.runs)
    if options.arch is None and options.resume is None and options.on not in (None, "here"):
        return _show_cluster(place_of(options, Place()).cluster)
    with Interrupts() as interrupts:
        if options.resume is None:
            name = None if options.name is None else clean_name(options.name)
            place = place_of(options, Place())
            before, run = Before(), launch.start(runs, config_of(options, runs), name, place=place)
        else:
            run = _run_to_resume(options, runs)
            before = Before.of(run)
            launch.resume(runs, run, place_of(options, Place.of(run)))
        return follow(run, view_for(options.json), interrupts, before, options.runs)


def _run_to_resume(options: argparse.Namespace, runs: Runs) -> Run:
    other = other_option(options, "resume", "nproc", "on", "cores")
    if other == "arch":
        raise InputError("--resume goes on with a run as it was asked for; leave the network out.")
    if other:
        raise InputError("--resume goes on with a run as it was asked for; leave --{option} out.", option=other)
    run = runs.get(options.resume)
    if run is None:
        raise InputError(
            "There is no run {id} in {path}; `vggexplorer runs` lists those there are.",
            id=shown(options.resume),
            path=shown(str(runs.path), 200),
        )
    return run


def _show_cluster(address: str) -> int:
    """Print what a cluster has, and what of it is free."""
    free = ask(address)
    print(f"nodes       {free.nodes}")
    print(f"processors  {free.processors}, {free.free_processors} free")
    print(f"GPUs        {free.gpus}, {free.free_gpus} free")
    return 0
