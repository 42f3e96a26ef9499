"""The command line: `vggexplorer` starts the dashboard, `profile` prints what a network costs, `train` trains it.

Bad input ends with status 2 and a sentence as the last line of standard error. What a command does lies in `terminal/`
and is imported once it is asked for: `profile --json` answers before Rich or Streamlit could be loaded.
"""

import argparse
import codecs
import io
import os
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.terminal.arguments import LIMITS, Parser, json_option, network_options, runs_option
from vggexplorer.text import slug

_Command = tuple[str | None, str, Callable[[Parser], None]]

ARCH = "a name, a table, text of blocks and layers, source code, or a file with it (see below)"
SWEEP = "the id of a sweep; `vggexplorer sweep list` lists them"
NEW_LINE = "\n"
ARCH_HELP = f"""\
ARCH is one of
  a name         {textwrap.fill(", ".join(map(slug, NETWORKS)), 60).replace(NEW_LINE, NEW_LINE + 17 * " ")}
                 or a VGG's with batch norm, as in vgg16-bn
  a table        "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))", as in the book
  block text     1x64,1x128,2x256: convolutions x channels, then options after colons:
                 k11 kernel, s4 stride, p1 padding, pool3s2, avgpool2s2, nopool, lrn;
                 the padding is half the kernel, rounded down, unless it is given
  layers         among the blocks, or alone, as in PyTorch: conv256:k5:p2:g2 (stride s, dilation d,
                 groups g, nobias; kernel 3 and padding 0 unless given), pool3s2p1:ceil, avgpool2s2,
                 adaptive7, gap, bn, lrn, relu, leakyrelu0.2, gelu, silu, sigmoid, tanh, drop0.5; from
                 flatten on they are the head: flatten, linear4096, bn1d
  source         Python that makes a network: a cell of the book, nn.Sequential(...), a class, Keras'
                 Sequential([...]), torchvision.models.vgg16(); a list as [64, 'M', 128, 'M']; a
                 model as PyTorch prints it. It is read, never run
  a file         notebook.ipynb, model.py, model.txt with any of these

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
  vggexplorer profile 2x64,conv10:k1,relu,gap,flatten --input 3x32x32
  vggexplorer profile "torchvision.models.vgg16(num_classes=10)"
  vggexplorer forecast vgg11 --recipe d2l-vgg --dataset full
  vggexplorer train vgg11 --width 1/4
  vggexplorer race vgg11-slim alexnet
  vggexplorer sweep start vgg11-slim lenet --seed 0,1,2
  vggexplorer runs
  vggexplorer export RUN run.zip
  vggexplorer import run.zip
"""
TRAIN_EXAMPLES = """\
The run goes on by itself if this terminal is closed; `vggexplorer runs` and the dashboard show it. Ctrl-C stops it,
`vggexplorer resume` goes on with it.

examples:
  vggexplorer train vgg11 --width 1/4
  vggexplorer train vgg11 --width 1/4 --recipe d2l-vgg --input-size 56 --dataset full --epochs 2 --json
  vggexplorer train lenet --recipe d2l-vgg --input-size 28 --lr 0.5
  vggexplorer train vgg11 --width 1/8 --head gap --dataset folder:pictures --classes 3
"""
RACE_EXAMPLES = """\
Each member is a run of its own, which goes on if this terminal is closed; `vggexplorer runs` and the dashboard show it.
Ctrl-C stops all of them, `vggexplorer resume` goes on with one, in its place beside the others.

examples:
  vggexplorer race vgg11-slim alexnet
  vggexplorer race lenet vgg11-slim nin --epochs 5 --json
"""
SWEEP_EXAMPLES = """\
The runs go on by themselves if this terminal is closed; `vggexplorer sweep list` and the dashboard show them. Ctrl-C
stops them all, `vggexplorer sweep resume` goes on with them.

examples:
  vggexplorer sweep start vgg11 alexnet --width 1/8,1/4 --input 65,96 --seed 0,1,2 --epochs 3
  vggexplorer sweep start vgg11-slim lenet --recipe quick-demo --dry-run
  vggexplorer sweep start --list runs.txt      (a line: vgg11 --width 1/4 --lr 0.05 --seed 1)
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
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would flush once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command is not None:
        for key in _OF_THE_DASHBOARD:
            if getattr(options, key) not in (None, False):
                option = key.replace("_", "-")
                raise InputError("--{option} does not go with {command}.", option=option, command=options.command)
    module, _, command = options.does.partition(".")
    return int(getattr(import_module(f"vggexplorer.terminal.{module}"), command)(options))


# --- the parser --------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    """The parser of all commands; `does` is the function of `terminal/` that answers."""
    parser = Parser(
        prog="vggexplorer",
        description="Understand what a CNN costs by changing it. Without a command, the dashboard starts.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    _dashboard(parser)
    _add(parser.add_subparsers(dest="command", title="commands", metavar="COMMAND"), _COMMANDS)
    return parser


def _add(verbs: "argparse._SubParsersAction[Parser]", commands: Mapping[str, _Command]) -> None:
    for name, (does, text, fill) in commands.items():
        verb = verbs.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.", fill=fill)
        verb.set_defaults(does=does)


def _dashboard(parser: Parser) -> None:
    served = parser.add_argument_group("dashboard")
    served.add_argument("--port", metavar="N", help="port to serve on (default: the first free one from 8501 on)")
    served.add_argument("--no-browser", action="store_true", help="do not open the browser")
    served.add_argument(
        "--address",
        metavar="A",
        help="address to serve on (default: 127.0.0.1, this machine only); on any other one people come in by links "
        "that are printed, or by a login: see docs/security.md",
    )
    served.add_argument("--url", metavar="URL", help="what others open, if a proxy stands before the dashboard")
    served.add_argument(
        "--demo",
        action="store_true",
        help="only to look at, for everybody who reaches it: no training, no measuring, recorded runs alone, and "
        "nothing is written",
    )
    shared = parser.add_argument_group("limits of the runs that are started in the dashboard (a teacher has none)")
    for name, text in LIMITS.items():
        shared.add_argument(f"--max-{name}", metavar="N", help=text)
    parser.set_defaults(does="dashboard.serve")


_OF_THE_DASHBOARD = ("port", "no_browser", "address", "url", "demo", *(f"max_{name}" for name in LIMITS))


def _profile(parser: Parser) -> None:
    parser.epilog = f"{ARCH_HELP}\n{EXAMPLES}"
    parser.add_argument("arch", metavar="ARCH", help=ARCH)
    parser.add_argument(
        "--check",
        action="store_true",
        help="count with PyTorch, torchinfo and fvcore too and explain each difference; status 1 if one stays",
    )
    network_options(parser)
    json_option(parser, "print one JSON object in place of the table")


def _compare(parser: Parser) -> None:
    parser.description = (
        "Print the totals of several networks under the same input and number of classes, as multiples of the first "
        "one's, and why they differ."
    )
    parser.epilog = f"{ARCH_HELP}\n{EXAMPLES}"
    parser.add_argument("archs", metavar="ARCH", nargs="+", help="two or more networks (see below)")
    network_options(parser)
    json_option(parser, "print one JSON object in place of the table")


def _forecast(parser: Parser) -> None:
    parser.description = (
        "Say how much memory and time a training will take, without starting it, and what to change if it does not fit "
        "(status 1). The device is measured the first time, for some minutes at most; what is measured is kept, after "
        "Ctrl-C too."
    )
    parser.add_argument("arch", metavar="ARCH", help=ARCH)
    parser.add_argument("--memory", metavar="GIB", help="the memory that there is (default: the device's)")
    parser.add_argument("--within", metavar="S", help="the seconds that there are")
    parser.add_argument(
        "--measure", action="store_true", help="go on measuring the device, if that was stopped or its time was up"
    )
    _training(parser, f"{_initialisations()}\n{TRAIN_EXAMPLES}")
    runs_option(parser)
    json_option(parser, "print one JSON object in place of the table")


def _train(parser: Parser) -> None:
    parser.description = (
        "Train a network by a recipe. Options of the network and of the training change what they name."
    )
    parser.add_argument("arch", metavar="ARCH", help=ARCH)
    _training(parser, f"{_initialisations()}\n{TRAIN_EXAMPLES}")
    _place(parser)
    runs_option(parser)
    json_option(parser, "print each record as a line of JSON")


def _resume(parser: Parser) -> None:
    parser.description = (
        "Go on with a run that was stopped, interrupted or failed, as it was asked for, from its last checkpoint; here "
        "or elsewhere."
    )
    parser.add_argument("run", metavar="RUN", help="the id of a run; `vggexplorer runs` lists them")
    _place(parser)
    runs_option(parser)
    json_option(parser, "print each record as a line of JSON")


def _race(parser: Parser) -> None:
    from vggexplorer.runs.races import MOST

    parser.description = (
        f"Train from two to {MOST} networks side by side on one device, each with the same recipe and options. They "
        "share the device: each would be faster alone. Says first how much memory all of them take."
    )
    parser.add_argument("archs", metavar="ARCH", nargs="+", help="networks (see below)")
    _training(parser, f"{_initialisations()}\n{RACE_EXAMPLES}")
    for option in ("--nproc", "--on", "--cores"):  # of `train`, to be refused with a reason
        parser.add_argument(option, help=argparse.SUPPRESS)
    runs_option(parser)
    json_option(parser, "print each record as a line of JSON, with the id of its run")


def _sweep(parser: Parser) -> None:
    parser.description = "Train many runs as one."
    _add(parser.add_subparsers(title="what to do", metavar="|".join(_SWEEP), required=True), _SWEEP)


def _sweep_start(parser: Parser) -> None:
    parser.description = (
        "Train every combination of the networks with --width, --input (sides in pixels), --recipe and --seed, each of "
        "which may be a list as in 0,1,2. Says first how long it will take."
    )
    parser.add_argument("archs", metavar="ARCH", nargs="*", help="networks (see below)")
    parser.add_argument("--list", metavar="FILE", help="in place of ARCH: a run in each line, as after `train`")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be trained and how long")
    _training(parser, SWEEP_EXAMPLES)
    _place(parser)
    runs_option(parser)
    json_option(parser, "print each run that ends as a line of JSON")


def _sweep_resume(parser: Parser) -> None:
    parser.description = (
        "Go on with what was stopped, interrupted or failed of a sweep, and start what was not started; look on if it "
        "is under way."
    )
    parser.add_argument("sweep", metavar="SWEEP", help=SWEEP)
    runs_option(parser)
    json_option(parser, "print each run that ends as a line of JSON")


def _sweep_stop(parser: Parser) -> None:
    parser.add_argument("sweep", metavar="SWEEP", help=SWEEP)
    runs_option(parser)


def _sweep_list(parser: Parser) -> None:
    runs_option(parser)
    json_option(parser, "print one JSON object in place of the table")


def _cluster(parser: Parser) -> None:
    parser.description = "Say what a Ray cluster has, and what of it is free; see docs/cluster.md."
    parser.add_argument(
        "cluster",
        metavar="ADDRESS",
        nargs="?",
        default="auto",
        help="a host and a port (default: auto, this machine's)",
    )
    json_option(parser, "print one JSON object in place of the lines")


def _runs(parser: Parser) -> None:
    parser.description = "List the runs, the newest first; those that ship with the package are the last."
    runs_option(parser)
    json_option(parser, "print one JSON object in place of the table")


def _export(parser: Parser) -> None:
    parser.description = (
        "Write a run that is over as one file, to hand on: figures, result, weights, snapshots. The log, the owner and "
        "whatever belongs to this machine stay behind; the config names the folder of your own pictures, if it has one."
    )
    parser.add_argument("run", metavar="RUN", help="the id of a run; `vggexplorer runs` lists them")
    parser.add_argument("file", metavar="FILE", nargs="?", help="a new file (default: the id with .zip, here)")
    parser.add_argument("--checkpoint", action="store_true", help="with the checkpoint, so that a resume goes on")
    runs_option(parser)


def _import(parser: Parser) -> None:
    parser.description = (
        "Put the run of a file that `vggexplorer export` has written among the runs here. All of it is checked first; "
        "none of it is run."
    )
    parser.add_argument("file", metavar="FILE", help="the archive of a run")
    runs_option(parser)


_SWEEP: Mapping[str, _Command] = {
    "start": (
        "sweeps.start",
        "train every combination of networks, widths, inputs, recipes and seeds",
        _sweep_start,
    ),
    "resume": ("sweeps.resume", "go on with what is left of a sweep, or look on", _sweep_resume),
    "stop": ("sweeps.stop", "stop all runs of a sweep", _sweep_stop),
    "list": ("sweeps.list_sweeps", "list the sweeps, the newest first", _sweep_list),
}
_COMMANDS: Mapping[str, _Command] = {
    "profile": ("costs.profile", "print the parameters, MACs and activations of a network, layer by layer", _profile),
    "compare": (
        "costs.compare",
        "print the totals of several networks under the same input, and why they differ",
        _compare,
    ),
    "forecast": (
        "forecast.forecast",
        "say what a training will take: memory and time; and what would fit",
        _forecast,
    ),
    "train": ("training.train", "train a network on Fashion-MNIST or on pictures of yours", _train),
    "resume": ("training.resume", "go on with a run that was stopped", _resume),
    "race": ("race.race", "train two or three networks side by side on one device", _race),
    "sweep": (None, "train many runs: start, resume, stop, list", _sweep),
    "runs": ("runs.list_runs", "list the runs, the newest first", _runs),
    "export": ("archives.export_run", "write a run as one file, to hand on", _export),
    "import": ("archives.import_run", "put the run of such a file among the runs here", _import),
    "cluster": ("cluster.look", "say what a Ray cluster has, and what of it is free", _cluster),
}
"""What answers each command, what it does, and what gives it its options."""


def _training(parser: Parser, last_words: str) -> None:
    """The options of the network and the training of a run, and the end of the help."""
    from vggexplorer.runs.datasets import forms
    from vggexplorer.runs.options import ABOUT
    from vggexplorer.terminal.asked import training_options

    network_options(parser)
    training_options(parser)
    parser.epilog = f"{ARCH_HELP}\nrecipes:\n{_listed(ABOUT)}\ndata:\n{_listed(forms())}\n{last_words}"


def _place(parser: Parser) -> None:
    from vggexplorer.terminal.asked import place_options

    place_options(parser)


def _initialisations() -> str:
    from vggexplorer.runs.options import INITS

    return f"initialisations of weights:\n{_listed(INITS)}"


def _listed(words: Mapping[str, str]) -> str:
    return "".join(f"  {word:<14} {about}\n" for word, about in words.items())


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
