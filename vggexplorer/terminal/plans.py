"""What the options of a sweep ask for: a grid of runs, or a list of them."""

import argparse
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.processes import shell_words
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import QUICK
from vggexplorer.runs.sweeps.grid import Grid, Plan, check_count, parse_list
from vggexplorer.terminal.arguments import Parser, network_of, network_options
from vggexplorer.terminal.asked import changes_of, config_of, dataset_of, speed_of, training_options
from vggexplorer.text import parse_ratio, parse_whole


def plan_of(options: argparse.Namespace, runs: Runs) -> Plan:
    """What the options ask for: every combination of their lists, or a run for each line of a file.

    Which row of the quick demo all have is said on standard error.
    """
    if options.list is not None:
        if options.archs:
            raise InputError("Name networks or a file with a run in each line, not both.")
        lines = _lines_of(options.list)
        check_count(len(lines))
        return Plan(tuple(dict.fromkeys(_config_of_line(number, words, options, runs) for number, words in lines)))
    if not options.archs:
        raise InputError("Name networks, or a file with a run in each line: --list FILE.")
    lists: dict[str, list[str]] = {}
    for key, (_, what) in _AXES.items():
        if (text := getattr(options, key)) is not None:
            lists[key] = parse_list(text, what)
    single = argparse.Namespace(**vars(options) | dict.fromkeys(("width", "input_size", "seed", "recipe")))
    if options.input is not None and re.fullmatch(r"[0-9,\s]+", options.input):  # sides of the pictures, as 28,56
        single.input = None
        lists["input_size"] = parse_list(options.input, "the input size")
    networks = [network_of(single, arch) for arch in options.archs]
    changes = changes_of(single, networks[0])
    if "input_size" in changes and not lists.get("input_size"):
        lists["input_size"] = [str(changes["input_size"])]
    changes.pop("input_size", None)
    axes = {key: [parse(text, what) for text in lists[key]] for key, (parse, what) in _AXES.items() if key in lists}
    grid = Grid(
        networks=networks,
        widths=axes.get("width") or (parse_ratio("1"),),
        sizes=axes.get("input_size") or (None,),
        recipes=axes.get("recipe") or (QUICK,),
        seeds=axes.get("seed") or (0,),
        changes=changes,
        dataset=dataset_of(options),
        device=options.device or "auto",
        speed=speed_of(options, runs),
    )
    plan = grid.plan()
    for remark in grid.said():
        print(remark, file=sys.stderr)
    return plan


def _lines_of(file: str) -> list[tuple[int, list[str]]]:
    """The lines of a file that say something, with their numbers, as the shell would split them."""
    try:
        lines = Path(file).read_text("utf-8-sig").splitlines()
        split = [(number, shell_words(line)) for number, line in enumerate(lines, 1)]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError("The list {file} cannot be read: {reason}", file=shown(file, 200), reason=reason) from error
    return [(number, words) for number, words in split if words]


def _config_of_line(number: int, words: list[str], options: argparse.Namespace, runs: Runs) -> Config:
    """The run of a line, which is what one would write after `vggexplorer train`."""
    parser = Parser(usage=argparse.SUPPRESS, add_help=False)
    parser.add_argument("arch")
    network_options(parser)
    training_options(parser)
    given = {key: value for key, value in vars(options).items() if value not in (None, False)}
    try:
        asked = vars(parser.parse_args(words))
        return config_of(argparse.Namespace(**asked | {key: given[key] for key in given if not asked.get(key)}), runs)
    except InputError as error:
        raise InputError("Line {number} of the list: {reason}", number=number, reason=error) from error


def _ratio(text: str, _: str) -> Fraction:
    return parse_ratio(text)


def _as_it_is(text: str, _: str) -> str:
    return text


_AXES: dict[str, tuple[Callable[[str, str], Any], str]] = {
    "width": (_ratio, "the width"),
    "input_size": (parse_whole, "the input size"),
    "recipe": (_as_it_is, "the recipe"),
    "seed": (parse_whole, "the seed"),
}
"""The options of which a sweep takes lists."""
