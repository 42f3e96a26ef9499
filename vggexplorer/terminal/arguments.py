"""What commands take: the parser of each, options that several have, and the network that they ask for."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from vggexplorer.architectures import ACTIVATIONS, Network
from vggexplorer.errors import InputError
from vggexplorer.reading.reader import FILES, picked, read, read_file
from vggexplorer.text import KEYS, checked, parse_network, parse_ratio

LIMITS = {
    "minutes": "a run is over after N minutes",
    "params": "a network has N parameters at most",
    "macs": "a network has N MACs for an example at most",
    "runs": "a person has N active runs at most",
}
"""The limits of a class; each is the end of an option's name, with its help."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is an `InputError`, and which knows no abbreviated options.

    `fill` adds its arguments, once it is known that they are needed.
    """

    def __init__(self, fill: "Callable[[Parser], None] | None" = None, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self._fill = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options, and what is none of them."""
        if self._fill:
            self._fill(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print how it is used, and raise an `InputError` that says what is wrong."""
        self.print_usage(sys.stderr)
        raise InputError("{message}", message=message)


def network_options(parser: Parser) -> None:
    """What changes a network; each option is stored under its key in `parse_network`."""
    group = parser.add_argument_group("network")
    group.add_argument("--pick", metavar="NAME", help="which network of an ARCH that has several")
    group.add_argument("--input", metavar="CxHxW", help="channels, height and width of the input")
    group.add_argument("--classes", metavar="N", help="number of classes")
    group.add_argument("--head", metavar="HEAD", help="flatten, adaptive, adaptive:N (pooling to N x N) or gap")
    group.add_argument(
        "--hidden",
        metavar="N,N|none",
        help="widths of the hidden linear layers; none or '' for none",
    )
    group.add_argument("--dropout", metavar="P", help="dropout after each hidden layer, from 0 to below 1")
    group.add_argument("--width", metavar="R", help="multiply the channels of every block by R, such as 0.25 or 1/4")
    group.add_argument(
        "--batch-norm",
        dest="bn",
        action="store_const",
        const="1",
        help="batch normalisation after each convolution of a block",
    )
    group.add_argument(
        "--activation",
        dest="act",
        metavar="NAME",
        help="one of " + ", ".join(ACTIVATIONS),
    )


def network_of(options: argparse.Namespace, arch: str) -> Network:
    """The network that `arch` is, names, or whose file it names, with what the options change.

    What was left out of a text is said on standard error.
    """
    reading = read_file(Path(arch)) if arch.endswith(FILES) else read(arch)
    for remark in reading.left_out:
        print(remark, file=sys.stderr)
    texts = {key: getattr(options, key) for key in KEYS}
    own = picked(reading, options.pick)
    network = parse_network({key: text for key, text in texts.items() if text is not None}, own)
    if options.width is None:
        return network
    return checked(network._replace(architecture=network.architecture.scaled(parse_ratio(options.width))))


def runs_option(parser: Parser) -> None:
    """Which folder of runs is meant."""
    parser.add_argument(
        "--runs", metavar="DIR", help="folder of the runs (default: VGGEXPLORER_RUNS, or your data folder)"
    )


def json_option(parser: Parser, help: str) -> None:
    """Whether the answer is JSON."""
    parser.add_argument("--json", action="store_true", help=help)
