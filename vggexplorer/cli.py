"""The command line: `vggexplorer` starts the dashboard, `profile` prints what a network costs, `train` trains it.

Bad input ends with status 2 and a sentence as the last line of standard error. The commands import
what they need themselves: `profile --json` answers before Rich or Streamlit could be loaded.
"""

import argparse
import codecs
import io
import json
import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from vggexplorer.architectures import NETWORKS, Network, shown
from vggexplorer.comparison import compare
from vggexplorer.errors import InputError
from vggexplorer.export import checked_by, comparison, profile
from vggexplorer.runs.options import ABOUT, INITS, OPTIONS, QUICK, Number, Switch, Training
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import KEYS, checked, parse_network, parse_ratio, parse_whole, slug

if TYPE_CHECKING:
    from fractions import Fraction

    from vggexplorer.runs.config import Config
    from vggexplorer.runs.datasets import Dataset
    from vggexplorer.runs.folder.run import Run
    from vggexplorer.runs.folder.runs import Runs
    from vggexplorer.runs.places import Place
    from vggexplorer.runs.sweeps.grid import Plan

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
  vggexplorer forecast vgg11 --recipe d2l-vgg --dataset full
  vggexplorer train vgg11 --width 1/4
  vggexplorer sweep vgg11-slim lenet --seed 0,1,2
  vggexplorer runs
"""
TRAIN_EXAMPLES = """\
The run goes on by itself if this terminal is closed; `vggexplorer runs` and the dashboard show it. Ctrl-C stops it.

examples:
  vggexplorer train vgg11 --width 1/4
  vggexplorer train vgg11 --width 1/4 --recipe d2l-vgg --input-size 56 --dataset full --epochs 2 --json
  vggexplorer train lenet --recipe d2l-vgg --input-size 28 --lr 0.5
  vggexplorer train vgg11 --width 1/8 --head gap --dataset folder:pictures --classes 3
  vggexplorer train --resume 20260131-093000-vgg-11-a1b2
"""
SWEEP_EXAMPLES = """\
The runs go on by themselves if this terminal is closed; `vggexplorer sweep` and the dashboard show them. Ctrl-C stops
them all.

examples:
  vggexplorer sweep vgg11 alexnet --width 1/8,1/4 --input 65,96 --seed 0,1,2 --epochs 3
  vggexplorer sweep vgg11-slim lenet --recipe quick-demo --dry-run
  vggexplorer sweep --list runs.txt      (a line: vgg11 --width 1/4 --lr 0.05 --seed 1)
  vggexplorer sweep --resume 20260131-093000-lenet-a1b2c3d4
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
    if options.command is None:
        return _dashboard(options)
    for key in _OF_THE_DASHBOARD:
        if getattr(options, key) not in (None, False):
            option = key.replace("_", "-")
            raise InputError("--{option} does not go with {command}.", option=option, command=options.command)
    return _COMMANDS[options.command](options)


def _dashboard(options: argparse.Namespace) -> int:
    from vggexplorer.runs.limits import Limits, whole
    from vggexplorer.server.dashboard import ADDRESS, start

    Limits(**{name: whole(getattr(options, f"max_{name}"), name) for name in _LIMITS}).tell()
    start(_port(options.port), not options.no_browser, options.address or ADDRESS, options.url)
    return 0


_LIMITS = ("minutes", "params", "macs", "runs")
_OF_THE_DASHBOARD = ("port", "no_browser", "address", "url", *(f"max_{name}" for name in _LIMITS))


def _profile(options: argparse.Namespace) -> int:
    summary = summarize(*_network(options, options.arch))
    if options.check:
        return _checked(summary, options.json)
    if options.json:
        print(json.dumps(profile(summary), indent=2))
    else:
        from vggexplorer.terminal.console import print_summary

        print_summary(summary)
    return 0


def _checked(summary: Summary, as_json: bool) -> int:
    """The profile with what other tools count; 1 unless every figure of theirs is explained, and there is one."""
    from vggexplorer.peers import reconcile
    from vggexplorer.runs.crosscheck import crosscheck

    network = Network(summary.architecture, summary.input_shape)
    measured = {found.tool: found for found in crosscheck(network)}
    checks = reconcile(summary, measured)
    if as_json:
        print(json.dumps(profile(summary) | {"check": checked_by(measured, checks)}, indent=2))
    else:
        from vggexplorer.terminal.console import print_checks, print_summary

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
        from vggexplorer.terminal.console import print_comparison

        print_comparison(entries)
    return 0


# --- runs --------------------------------------------------------------------------------------------


def _train(options: argparse.Namespace) -> int:
    """Start a run, or a stopped one again, and follow it to its end."""
    from vggexplorer.runs import launch
    from vggexplorer.runs.folder.run import clean_name
    from vggexplorer.runs.folder.runs import Runs
    from vggexplorer.runs.places import Place
    from vggexplorer.terminal.progress import Before, Interrupts, follow, view_for

    runs = Runs.at(options.runs)
    if options.arch is None and options.resume is None and options.on not in (None, "here"):
        return _show_cluster(_place(options, Place()).cluster)
    with Interrupts() as interrupts:
        if options.resume is None:
            name = None if options.name is None else clean_name(options.name)
            place = _place(options, Place())
            before, run = Before(), launch.start(runs, _config(options, runs), name, place=place)
        else:
            run = _run_to_resume(options, runs)
            before = Before.of(run)
            launch.resume(runs, run, _place(options, Place.of(run)))
        return follow(run, view_for(options.json), interrupts, before, options.runs)


def _sweep(options: argparse.Namespace) -> int:
    """Start a sweep, or what is left of one, and follow it to its end; stop one; list them."""
    from vggexplorer.runs.folder.runs import Runs
    from vggexplorer.runs.places import Place
    from vggexplorer.runs.sweeps import start as sweeps_start
    from vggexplorer.terminal import sweeps as sweeping
    from vggexplorer.terminal.progress import Interrupts

    runs = Runs.at(options.runs)
    if options.stop is not None:
        _check_alone(options, "stop")
        sweeping.stop(sweeping.find(runs, options.stop))
        return 0
    if options.resume is not None:
        _check_alone(options, "resume")
        sweep = sweeping.find(runs, options.resume)
        with Interrupts() as interrupts:
            return sweeping.follow(sweeping.resume(sweep), options.json, interrupts, options.runs)
    if not options.archs and options.list is None:
        _check_alone(options, "")
        return sweeping.show_all(runs, options.json)
    plan, place = _plan(options, runs), _place(options, Place())
    total = sweeping.forecast(runs, plan.configs, place, _say_progress)
    if options.dry_run and options.json:
        print(json.dumps(sweeping.planned(plan, total), indent=2))
    else:
        print(
            *sweeping.lines_before(plan, total), sep="\n", file=sys.stderr if options.json else sys.stdout, flush=True
        )
    if options.dry_run:
        return 0
    with Interrupts() as interrupts:
        followed = sweeping.Followed(sweeps_start.start(runs, plan.configs, options.name, place=place))
        return sweeping.follow(followed, options.json, interrupts, options.runs)


def _plan(options: argparse.Namespace, runs: "Runs") -> "Plan":
    """What the options ask for: every combination of their lists, or a run for each line of a file."""
    from vggexplorer.runs.sweeps.grid import Grid, Plan, check_count, parse_list

    if options.list is not None:
        if options.archs:
            raise InputError("Name networks or a file with a run in each line, not both.")
        lines = _lines_of(options.list)
        check_count(len(lines))
        return Plan(tuple(dict.fromkeys(_config_of_line(number, words, options, runs) for number, words in lines)))
    lists: dict[str, list[str]] = {}
    for key, (_, what) in _AXES.items():
        if (text := getattr(options, key)) is not None:
            lists[key] = parse_list(text, what)
    single = argparse.Namespace(**vars(options) | dict.fromkeys(("width", "input_size", "seed", "recipe")))
    if options.input is not None and re.fullmatch(r"[0-9,\s]+", options.input):  # sides of the pictures, as 28,56
        single.input = None
        lists["input_size"] = parse_list(options.input, "the input size")
    networks = [_network(single, arch) for arch in options.archs]
    changes = _changes(single, networks[0])
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
        dataset=_dataset(options),
        device=options.device or "auto",
    )
    return grid.plan()


def _lines_of(file: str) -> list[tuple[int, list[str]]]:
    """The lines of a file that say something, with their numbers, as the shell would split them."""
    import shlex
    from pathlib import Path

    try:
        lines = Path(file).read_text("utf-8-sig").splitlines()
        split = [(number, shlex.split(line, comments=True)) for number, line in enumerate(lines, 1)]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError("The list {file} cannot be read: {reason}", file=shown(file, 200), reason=reason) from error
    return [(number, words) for number, words in split if words]


def _config_of_line(number: int, words: list[str], options: argparse.Namespace, runs: "Runs") -> "Config":
    """The run of a line, which is what one would write after `vggexplorer train`."""
    parser = _Parser(add_help=False, parents=[_network_options(), _training_options()])
    parser.add_argument("arch")
    parser.error = _refuse  # type: ignore[method-assign]
    given = {key: value for key, value in vars(options).items() if value not in (None, False)}
    try:
        asked = vars(parser.parse_args(words))
        return _config(argparse.Namespace(**asked | {key: given[key] for key in given if not asked.get(key)}), runs)
    except InputError as error:
        raise InputError("Line {number} of the list: {reason}", number=number, reason=error) from error


def _refuse(message: str) -> NoReturn:
    raise InputError("{message}", message=message)


def _place(options: argparse.Namespace, usual: "Place") -> "Place":
    """Where the trainer is started: `usual`, with what the options change."""
    from dataclasses import replace

    if options.nproc is not None:
        usual = replace(usual, nproc=parse_whole(options.nproc, "the number of processes"))
    if options.cores is not None:
        usual = replace(usual, cores=parse_whole(options.cores, "the number of processors"))
    return usual if options.on is None else replace(usual, cluster="" if options.on == "here" else options.on)


def _show_cluster(address: str) -> int:
    """Print what a cluster has, and what of it is free."""
    from vggexplorer.runs.cluster.holder import ask

    free = ask(address)
    print(f"nodes       {free.nodes}")
    print(f"processors  {free.processors}, {free.free_processors} free")
    print(f"GPUs        {free.gpus}, {free.free_gpus} free")
    return 0


def _forecast(options: argparse.Namespace) -> int:
    """Say what a run will take; 1 if it does not fit."""
    from vggexplorer.runs.calibration import calibrate, known
    from vggexplorer.runs.devices import resolve
    from vggexplorer.runs.folder.runs import Runs
    from vggexplorer.runs.forecasts import fit, forecast, suffices
    from vggexplorer.terminal.forecast import print_forecast, to_json

    runs = Runs.at(options.runs)
    memory, seconds = _most(options.memory, "memory"), _most(options.within, "time")
    config = _config(options, runs)
    device = resolve(config.device, runs.path)
    calibration = known(runs.path, device.name)
    if options.measure or not suffices(calibration, config, device):
        try:
            calibration = calibrate(runs.path, device, _say_progress)
        except KeyboardInterrupt:
            print("\nWhat was measured is kept; `vggexplorer forecast` with --measure goes on.", file=sys.stderr)
            raise
    found = forecast(config, device, calibration)
    limit = device.memory if memory is None else round(memory * 2**30)
    proposals = fit(config, device, calibration, memory=limit, seconds=seconds)
    fits = found.fits(limit, seconds)
    if options.json:
        print(json.dumps(to_json(found, proposals, fits), indent=2))
    else:
        print_forecast(config, found, proposals, limit, seconds)
    return 0 if fits else 1


def _most(text: str | None, label: str) -> float | None:
    """A limit that a run is to keep; None without one."""
    if text is None:
        return None
    option = Number(label=label, high=10**7, above=True)
    option.check(value := option.parse(text))
    return value


def _say_progress(share: float, left: float | None) -> None:
    from vggexplorer.formatting import about
    from vggexplorer.terminal.tables import plain

    time = f", about {plain(about(left))} left" if left else ""
    text = f"measuring the device, once: {share:.0%}{time}"
    print(f"{text:<70}", end="\n" if share == 1 else "\r", file=sys.stderr, flush=True)


def _other_option(options: argparse.Namespace, *kept: str) -> str | None:
    """An option that was given besides those `kept`, as it is typed."""
    known = {"command", "port", "no_browser", "runs", "json", *kept}
    other = (key for key, value in vars(options).items() if key not in known and value not in (None, False, []))
    return next(({"bn": "batch-norm", "act": "activation"}.get(key, key.replace("_", "-")) for key in other), None)


def _check_alone(options: argparse.Namespace, key: str) -> None:
    """`InputError` if something was given besides the option `key` of a sweep."""
    if other := _other_option(options, key):
        name = "the networks" if other == "archs" else f"--{other}"
        if key:
            raise InputError("--{key} takes a sweep as it was asked for; leave {name} out.", key=key, name=name)
        raise InputError("Name networks for the sweep; {name} alone does not say what to train.", name=name)


def _run_to_resume(options: argparse.Namespace, runs: "Runs") -> "Run":
    other = _other_option(options, "resume", "nproc", "on", "cores")
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


def _config(options: argparse.Namespace, runs: "Runs") -> "Config":
    """What the options ask for; `InputError` if it is seen at once that it cannot be trained."""
    from vggexplorer.runs.config import Config
    from vggexplorer.runs.devices import resolve

    if options.arch is None:
        raise InputError("Name a network to train, or a run to go on with: --resume RUN_ID.")
    network = _network(options, options.arch)
    config = Config(
        network=network,
        training=_training(options, network),
        dataset=_dataset(options),
        device=options.device or "auto",
        seed=parse_whole(options.seed or "0", "the seed"),
    )
    summarize(*config.trained)
    here = vars(options).get("on") in (None, "here")  # what a cluster has, it says itself
    if here and config.device not in ("auto", "cpu"):
        resolve(config.device, runs.path)
    return config


def _dataset(options: argparse.Namespace) -> "Dataset":
    from vggexplorer.runs.datasets import DEFAULT, Dataset

    return Dataset.parse(options.dataset) if options.dataset else DEFAULT


def _training(options: argparse.Namespace, network: Network) -> "Training":
    """The recipe with what the options change."""
    from dataclasses import replace

    from vggexplorer.runs.config import recipe

    return replace(recipe(options.recipe or QUICK, network), **_changes(options, network))


def _changes(options: argparse.Namespace, network: Network) -> dict[str, Any]:
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


def _ratio(text: str, _: str) -> "Fraction":
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


def _runs(options: argparse.Namespace) -> int:
    from vggexplorer.runs.folder.runs import Runs
    from vggexplorer.terminal.runs import print_runs, rows

    runs = Runs.at(options.runs)
    found = rows(runs.all())
    if options.json:
        print(json.dumps({"runs": found}, indent=2))
    else:
        print_runs(found, runs)
    return 0


_COMMANDS = {
    "profile": _profile,
    "compare": _compare,
    "forecast": _forecast,
    "train": _train,
    "sweep": _sweep,
    "runs": _runs,
}


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
    """An argument parser that complains in a sentence, and knows no abbreviated options.

    `last_words` gives the end of the help, if it takes imports to know it.
    """

    last_words: Callable[[], str] | None = None

    def __init__(self, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,  # type: ignore[arg-type]
        )

    def format_help(self) -> str:
        if self.last_words:
            self.epilog = self.last_words()
        return super().format_help()

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
    served.add_argument(
        "--address",
        metavar="A",
        help="address to serve on (default: 127.0.0.1, this machine only); on any other one people come in by links "
        "that are printed, or by a login: see docs/security.md",
    )
    served.add_argument("--url", metavar="URL", help="what others open, if a proxy stands before the dashboard")
    shared = parser.add_argument_group("limits of the runs that are started in the dashboard (a teacher has none)")
    shared.add_argument("--max-minutes", metavar="N", help="a run is over after N minutes")
    shared.add_argument("--max-params", metavar="N", help="a network has N parameters at most")
    shared.add_argument("--max-macs", metavar="N", help="a network has N MACs for an example at most")
    shared.add_argument("--max-runs", metavar="N", help="a person has N active runs at most")
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
    forecast = commands.add_parser(
        "forecast",
        parents=[_network_options(), _training_options(), _run_options("print one JSON object in place of the table")],
        help="say what a training will take: memory and time; and what would fit",
        description="Say how much memory and time a training will take, without starting it, and what to change if it "
        "does not fit (status 1). The device is measured the first time, for some minutes at most; what is measured is "
        "kept, after Ctrl-C too.",
    )
    forecast.last_words = _end_of_train_help
    forecast.add_argument("arch", metavar="ARCH", help="a name, the book's table, or block text (see below)")
    forecast.add_argument("--memory", metavar="GIB", help="the memory that there is (default: the device's)")
    forecast.add_argument("--within", metavar="S", help="the seconds that there are")
    forecast.add_argument(
        "--measure", action="store_true", help="go on measuring the device, if that was stopped or its time was up"
    )
    trained = commands.add_parser(
        "train",
        parents=[
            *(_network_options(), _training_options(), _place_options()),
            _run_options("print each record as a line of JSON"),
        ],
        help="train a network on Fashion-MNIST or on pictures of yours",
        description="Train a network by a recipe. Options of the network and of the training change what they name.",
    )
    trained.last_words = _end_of_train_help
    trained.add_argument("arch", metavar="ARCH", nargs="?", help="a name, the book's table, or block text (see below)")
    trained.add_argument("--resume", metavar="RUN_ID", help="go on with a run that was stopped, in place of ARCH")
    swept = commands.add_parser(
        "sweep",
        parents=[
            *(_network_options(), _training_options(), _place_options()),
            _run_options("print each run that ends as a line of JSON"),
        ],
        help="train every combination of networks, widths, inputs, recipes and seeds",
        description="Train every combination of the networks with --width, --input (sides in pixels), --recipe and "
        "--seed, each of which may be a list as in 0,1,2. Says first how long it will take. Without a network, the "
        "sweeps are listed.",
    )
    swept.last_words = _end_of_sweep_help
    swept.add_argument("archs", metavar="ARCH", nargs="*", help="networks (see below)")
    swept.add_argument("--list", metavar="FILE", help="in place of ARCH: a run in each line, as after `train`")
    swept.add_argument("--dry-run", action="store_true", help="only say what would be trained and how long")
    swept.add_argument("--resume", metavar="ID", help="go on with what is left of a sweep, or look on")
    swept.add_argument("--stop", metavar="ID", help="stop all runs of a sweep")
    commands.add_parser(
        "runs",
        parents=[_run_options("print one JSON object in place of the table")],
        help="list the runs, the newest first",
        description="List the runs, the newest first; those that ship with the package are the last.",
    )
    return parser


def _end_of_train_help() -> str:
    inits = "\n".join(f"  {name:<14} {about}" for name, about in INITS.items())
    return f"{_end_of_help()}\ninitialisations of weights:\n{inits}\n\n{TRAIN_EXAMPLES}"


def _end_of_sweep_help() -> str:
    return f"{_end_of_help()}\n{SWEEP_EXAMPLES}"


def _end_of_help() -> str:
    from vggexplorer.runs.datasets import forms

    recipes = "\n".join(f"  {name:<14} {about}" for name, about in ABOUT.items())
    data = "\n".join(f"  {form:<14} {about}" for form, about in forms().items())
    return f"{ARCH_HELP}\nrecipes:\n{recipes}\n\ndata:\n{data}\n"


def _network_options() -> _Parser:
    """What changes a network; each option is stored under its key in `parse_network`."""
    options = _Parser(add_help=False)
    group = options.add_argument_group("network")
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
        help="batch normalisation after each convolution",
    )
    group.add_argument("--activation", dest="act", metavar="NAME", help="relu or sigmoid")
    return options


def _training_options() -> _Parser:
    """What changes a recipe, and where it runs; each option is stored under the name of its field in `Training`."""
    options = _Parser(add_help=False)
    group = options.add_argument_group("training (an option that is not given is the recipe's)")
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
    place = options.add_argument_group("run")
    place.add_argument("--device", metavar="NAME", help="auto (default), cpu, cuda:0 or mps")
    place.add_argument("--name", metavar="TEXT", help="what lists call the run")
    return options


def _place_options() -> _Parser:
    """Where a run is trained; each option is stored under the name of its field in `Place`, the cluster under `on`."""
    options = _Parser(add_help=False)
    group = options.add_argument_group("place")
    group.add_argument(
        "--nproc", metavar="N", help="train with N processes that share each batch (default: 1; see docs/cluster.md)"
    )
    group.add_argument(
        "--on",
        metavar="ADDRESS",
        help="train on the Ray cluster at ADDRESS, or auto, or here; without ARCH, say what is free there (see "
        "docs/cluster.md)",
    )
    group.add_argument(
        "--cores", metavar="N", help="on a cluster: ask for N processors where it is not a GPU (default: 1)"
    )
    return options


def _run_options(json_help: str) -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument(
        "--runs", metavar="DIR", help="folder of the runs (default: VGGEXPLORER_RUNS, or your data folder)"
    )
    options.add_argument("--json", action="store_true", help=json_help)
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
