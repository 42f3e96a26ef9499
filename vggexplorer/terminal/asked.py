"""Options of the commands that train, and what they ask for: a config, and a place where it is trained."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vggexplorer.architectures import Network
from vggexplorer.forecast.speed import Speed
from vggexplorer.runs.config import Config, picked, recipe
from vggexplorer.runs.datasets import DEFAULT, Dataset
from vggexplorer.runs.demo import heaviest
from vggexplorer.runs.devices import resolve
from vggexplorer.runs.experience import kept_speed
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import OPTIONS, QUICK, Switch
from vggexplorer.runs.places import Place
from vggexplorer.summary import summarize
from vggexplorer.terminal.arguments import Parser, network_of
from vggexplorer.text import parse_whole


def training_options(parser: Parser) -> None:
    """What changes a recipe, and where it runs; each option is stored under the name of its field in `Training`."""
    group = parser.add_argument_group("training (an option that is not given is the recipe's)")
    group.add_argument("--recipe", metavar="NAME", help="how to train (default: quick-demo; see below)")
    group.add_argument("--dataset", metavar="DATA", help="what to train on (default: sample; see below)")
    for name, option in OPTIONS.items():
        if option.help:
            flag = f"--{name.replace('_', '-')}"
            if isinstance(option, Switch):
                group.add_argument(flag, action="store_const", const=True, help=option.help)
            else:
                group.add_argument(flag, metavar=option.metavar, help=option.help)
    group.add_argument("--seed", metavar="N", help="what all chance depends on (default: 0)")
    place = parser.add_argument_group("run")
    place.add_argument("--device", metavar="NAME", help="auto (default), cpu, cuda:0 or mps")
    place.add_argument("--name", metavar="TEXT", help="what lists call the run")


def config_of(options: argparse.Namespace, runs: Runs) -> Config:
    """What the options ask for; `InputError` if it is seen at once that it cannot be trained."""
    return configs_of([options], runs)[0]


def configs_of(asked: Sequence[argparse.Namespace], runs: Runs) -> list[Config]:
    """The same of several that are compared: of the quick demo they have one row, that of the heaviest."""
    networks = [network_of(options, options.arch) for options in asked]
    pairs = list(zip(asked, networks, strict=True))
    speeds = {options.device: speed_of(options, runs) for options in asked}
    beside = heaviest(networks, speeds[asked[0].device]) if len(asked) > 1 else None
    return [_config(options, network, speeds[options.device], beside, runs) for options, network in pairs]


def speed_of(options: argparse.Namespace, runs: Runs) -> Speed | None:
    """How fast the device that the options name trains, if that was measured here."""
    return kept_speed(runs.path, options.device or "auto") if _here(options) else None


def _here(options: argparse.Namespace) -> bool:
    """Whether it is trained on this machine; what a cluster has, it says itself."""
    return vars(options).get("on") in (None, "here")


def _config(
    options: argparse.Namespace, network: Network, speed: Speed | None, beside: Network | None, runs: Runs
) -> Config:
    config = Config(
        network=network,
        training=recipe(options.recipe or QUICK, network, speed, changes_of(options, network), beside),
        dataset=dataset_of(options),
        device=options.device or "auto",
        seed=parse_whole(options.seed or "0", "the seed"),
    )
    summarize(*config.trained)
    if _here(options) and config.device not in ("auto", "cpu"):
        resolve(config.device, runs.path)
    return config


def lines_of_row(options: argparse.Namespace, configs: Sequence[Config], runs: Runs) -> list[str]:
    """Which row of the quick demo was picked for them, and why; nothing of another recipe."""
    speed, networks = speed_of(options, runs), [config.network for config in configs]
    if configs[0].training.recipe != QUICK or (len(configs) > 1 and speed is None):
        return []
    changes = changes_of(options, networks[0])
    found = picked(networks[0], speed, changes, heaviest(networks, speed))
    return [str(remark) for remark in found.said(changes)]


def dataset_of(options: argparse.Namespace) -> Dataset:
    """What to train on; the sample that ships if nothing is said."""
    return Dataset.parse(options.dataset) if options.dataset else DEFAULT


def changes_of(options: argparse.Namespace, network: Network) -> dict[str, Any]:
    """The fields of a recipe that the options change."""
    typed = {name: getattr(options, name) for name, option in OPTIONS.items() if option.help}
    new = {name: OPTIONS[name].parse(given) for name, given in typed.items() if given is not None}
    if options.input is not None and "input_size" not in new:
        _, height, width = network.input_shape
        new["input_size"] = height if height == width else None
    if options.dropout is not None:
        new["dropout"] = None
    if options.bn is not None:
        new["batch_norm"] = None
    return new


def place_options(parser: Parser) -> None:
    """Where a run is trained; each option is stored under the name of its field in `Place`, the cluster under `on`."""
    group = parser.add_argument_group("place")
    group.add_argument(
        "--nproc", metavar="N", help="train with N processes that share each batch (default: 1; see docs/cluster.md)"
    )
    group.add_argument(
        "--on",
        metavar="ADDRESS",
        help="train on the Ray cluster at ADDRESS, or auto, or here; `vggexplorer cluster` says what is free there",
    )
    group.add_argument(
        "--cores", metavar="N", help="on a cluster: ask for N processors where it is not a GPU (default: 1)"
    )


def place_of(options: argparse.Namespace, usual: Place) -> Place:
    """Where the trainer is started: `usual`, with what the options change."""
    if options.nproc is not None:
        usual = replace(usual, nproc=parse_whole(options.nproc, "the number of processes"))
    if options.cores is not None:
        usual = replace(usual, cores=parse_whole(options.cores, "the number of processors"))
    return usual if options.on is None else replace(usual, cluster="" if options.on == "here" else options.on)
