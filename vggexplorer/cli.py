"""The command line: `vggexplorer` starts the dashboard, `vggexplorer profile vgg16` prints what a network costs.

Bad input ends with status 2 and a sentence as the last line of standard error. The commands import
what they need themselves: `profile --json` answers before Rich or Streamlit could be loaded.
"""

import argparse
import codecs
import io
import json
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import NoReturn

from vggexplorer.architectures import NETWORKS, Network, shown
from vggexplorer.comparison import compare
from vggexplorer.errors import InputError
from vggexplorer.export import checked_by, comparison, profile
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import KEYS, checked, parse_network, parse_ratio, slug

BOOK_CLASSES = NETWORKS["VGG-11"].architecture.num_classes
NEW_LINE = "\n"
ARCH_HELP = f"""\
ARCH is one of
  a name         {textwrap.fill(", ".join(map(slug, NETWORKS)), 60).replace(NEW_LINE, NEW_LINE + 17 * " ")}
  a table        "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))", as in the book
  block text     1x64,1x128,2x256: convolutions x channels, then options after colons:
                 k11 kernel, s4 stride, p1 padding, pool3s2, avgpool2s2, nopool, lrn

An option that is not given leaves a named network's own; other networks have the book's:
input 1x224x224, 10 classes, head flatten, hidden 4096,4096, dropout 0.5.
"""
EXAMPLES = """\
examples:
  vggexplorer
  vggexplorer profile vgg16 --input 3x224x224 --classes 1000 --head adaptive
  vggexplorer profile vgg11 --width 1/4
  vggexplorer compare alexnet vgg11 vgg16
  vggexplorer profile 1x96:k11:s4:p1:pool3s2,2x384:nopool --json
"""
_PLAIN = str.maketrans(
    {"×": "x", "≈": "~", "–": "-", "−": "-", "…": ".", "“": '"', "”": '"', "\xa0": " ", "✓": "+", "✗": "!"}
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default the process's own); the exit status."""
    _survive_any_encoding()
    try:
        try:
            return _run(_parser().parse_args(argv))
        finally:
            sys.stdout.flush()
    except InputError as error:
        return _complain(str(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would flush once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command is None:
        return _dashboard(options)
    if options.port is not None or options.no_browser:
        raise InputError("--port and --no-browser do not go with {command}.", command=options.command)
    return _COMMANDS[options.command](options)


def _dashboard(options: argparse.Namespace) -> int:
    from vggexplorer.dashboard import start

    start(_port(options.port), not options.no_browser)
    return 0


def _profile(options: argparse.Namespace) -> int:
    summary = summarize(*_network(options, options.arch))
    if options.check:
        return _checked(summary, options.json)
    if options.json:
        print(json.dumps(profile(summary), indent=2))
    else:
        from vggexplorer.console import print_summary

        print_summary(summary)
    return 0


def _checked(summary: Summary, as_json: bool) -> int:
    """The profile with what other tools count; 1 unless every figure of theirs is explained, and there is one."""
    from vggexplorer.crosscheck import Crosscheck
    from vggexplorer.peers import reconcile

    measured = Crosscheck(Network(summary.architecture, summary.input_shape)).wait()
    checks = reconcile(summary, measured)
    if as_json:
        print(json.dumps(profile(summary) | {"check": checked_by(measured, checks)}, indent=2))
    else:
        from vggexplorer.console import print_checks, print_summary

        print_summary(summary)
        print_checks(measured, checks)
    return 0 if checks and all(check.agrees for check in checks) else 1


def _compare(options: argparse.Namespace) -> int:
    """All networks get the same input and classes: those asked for, else the book's."""
    if len(options.archs) < 2:
        raise InputError("A comparison needs two or more networks.")
    networks = [_network(options, arch) for arch in options.archs]
    input_shape = Network._field_defaults["input_shape"] if options.input is None else networks[0].input_shape
    num_classes = BOOK_CLASSES if options.classes is None else networks[0].architecture.num_classes
    entries = compare((network.architecture for network in networks), input_shape, num_classes)
    exported = comparison(entries)
    if options.json:
        print(json.dumps(exported, indent=2))
    else:
        from vggexplorer.console import print_comparison

        print_comparison(entries)
    return 0


_COMMANDS = {"profile": _profile, "compare": _compare}


def _network(options: argparse.Namespace, arch: str) -> Network:
    texts = {"arch": arch} | {key: getattr(options, key) for key in KEYS}
    network = parse_network({key: text for key, text in texts.items() if text is not None})
    if options.width is None:
        return network
    return checked(network._replace(architecture=network.architecture.scaled(parse_ratio(options.width))))


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise InputError("The port must be a whole number from 1 to 65535, not {text}.", text=shown(text))
    return int(text)


# --- the parser --------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """An argument parser that complains in a sentence, and knows no abbreviated options."""

    def __init__(self, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.exit(_complain(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vggexplorer",
        description="Understand what a CNN costs by changing it. Without a command, the dashboard starts.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    served = parser.add_argument_group("dashboard")
    served.add_argument("--port", metavar="N", help="port to serve on (default: the first free one from 8501 on)")
    served.add_argument("--no-browser", action="store_true", help="do not open the browser")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    profiled = commands.add_parser(
        "profile",
        parents=[_network_options(), _output_options()],
        help="print the parameters, MACs and activations of a network, layer by layer",
        description="Print the parameters, MACs and activations of a network, layer by layer.",
        epilog=f"{ARCH_HELP}\n{EXAMPLES}",
    )
    profiled.add_argument("arch", metavar="ARCH", help="a name, the book's table, or block text (see below)")
    profiled.add_argument(
        "--check",
        action="store_true",
        help="count with PyTorch, torchinfo and fvcore too and explain each difference; status 1 if one stays",
    )
    compared = commands.add_parser(
        "compare",
        parents=[_network_options(), _output_options()],
        help="print the totals of several networks under the same input, and why they differ",
        description="Print the totals of several networks under the same input and number of classes, as multiples of "
        "the first one's, and why they differ.",
        epilog=f"{ARCH_HELP}\n{EXAMPLES}",
    )
    compared.add_argument("archs", metavar="ARCH", nargs="+", help="two or more networks (see below)")
    return parser


def _network_options() -> _Parser:
    """What changes a network; each option is stored under its key in `parse_network`."""
    options = _Parser(add_help=False)
    group = options.add_argument_group("network")
    group.add_argument("--input", metavar="CxHxW", help="channels, height and width of the input")
    group.add_argument("--classes", metavar="N", help="number of classes")
    group.add_argument("--head", metavar="HEAD", help="flatten, adaptive, adaptive:N (pooling to N x N) or gap")
    group.add_argument("--hidden", metavar="N,N|none", help="widths of the hidden linear layers")
    group.add_argument("--dropout", metavar="P", help="dropout after each hidden layer, from 0 to below 1")
    group.add_argument("--width", metavar="R", help="multiply the channels of every block by R, such as 0.25 or 1/4")
    group.add_argument(
        "--batch-norm",
        dest="bn",
        action="store_const",
        const="1",
        help="batch normalisation after each convolution",
    )
    group.add_argument("--activation", dest="act", metavar="NAME", help="relu or sigmoid")
    return options


def _output_options() -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument("--json", action="store_true", help="print one JSON object in place of the table")
    return options


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"vggexplorer {version('vggexplorer')}")
        sys.exit(0)


# --- standard output and standard error --------------------------------------------------------------


def _complain(message: str) -> int:
    """Print what is wrong as one line on standard error; the exit status for bad input."""
    sentence = " ".join(message.split())
    sentence = sentence[:1].upper() + sentence[1:]
    print(sentence if sentence.endswith(".") else f"{sentence}.", file=sys.stderr)
    return 2


def _survive_any_encoding() -> None:
    """Write × as x where the terminal's encoding does not have it, in place of a crash."""
    codecs.register_error("plain", _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "replace").decode(), error.end


if __name__ == "__main__":
    sys.exit(main())
