"""What holds on a GPU, checked and timed in one run of under eight minutes, on a bare machine with PyTorch.

    python benchmarks/gpu.py --data FOLDER [--json | --markdown] [--device cuda:0] [--parts start,speed,alexnet,…]

FOLDER holds the four IDX files of Fashion-MNIST; without it, the sample that comes with this project is used. No
internet and no Streamlit are needed, nothing has to be installed; without torchvision the book's loop is left out. With
`--device cpu` the same is done in small on the processor, to see that it runs.

start: the quick demo from the start of its process to the end, and where its seconds go. speed: examples per second of
all in `contestants.py`, in turns; by them, whether a run that leaves its precision open takes the faster one, what an
exact step costs, and how far the fused step gets. alexnet: the fused step beside PyTorch's own once more. kernels:
where the time of a fused step goes, and what ours would take if they moved their bytes as fast as a copy. whole: ten
epochs by the book's recipe, from the start of the process to the end, first with nothing compiled, then with other
seeds. bits: whether exact runs of two processes, and one that was stopped and resumed, have equal bits. memory: the
forecast beside the most that was allocated, on named networks and on ten random ones, once the GPU was calibrated. What
fails or would take too long is said, and the rest goes on.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import checkout  # noqa: F401
import table
import torch
from contestants import CONTESTANTS, LeftOutError, Running, Work, card
from forecast import cases, peaks

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import BOTH, WORTHWHILE, Decision
from vggexplorer.forecast.time import Calibration
from vggexplorer.processes import StoppedError, child_environment
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.trial import fused as make_fused
from vggexplorer.runs import launch
from vggexplorer.runs.calibration import calibrate, known_calibration, known_price
from vggexplorer.runs.config import RECIPES, Config, recipe
from vggexplorer.runs.datasets import Dataset, check_present
from vggexplorer.runs.devices import resolve
from vggexplorer.runs.exactness import FAST
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.runs.steps import Choice
from vggexplorer.runs.trainer.session import Command, Session
from vggexplorer.text import title

LIMIT, START_BAR, MEMORY_BAR = 480, 8, 0.1
"""The bars: seconds of all, seconds of the quick demo, relative error of a forecast of memory."""
FUSED_BAR, FUSED_AIM, BOOK_AIM, ALEXNET_BAR = 36_000, 45_000, 10, 1.5
"""Examples per second of the fused step on an H100 with the slim VGG-11 at 224 pixels, batch 128: what must be, what is
aimed at, how many times the book's loop that is to be; and of AlexNet, how many times PyTorch's own step."""
ALEXNET_SIDE = 65
"""The smallest that it takes."""
WHOLE_BAR, ACCURACY = 20, (0.900, 0.930)
"""Of ten epochs by the book's recipe on all of Fashion-MNIST, with compiled kernels: seconds, and test accuracies."""
READY, PATIENCE = 90.0, 30.0
"""Seconds within which a contestant must be ready (torch.compile takes half a minute), and be loaded or have trained
longer than it should."""
CALIBRATION = 90.0
"""Seconds after which no more is measured for the forecasts of memory."""
CHILD = 120.0
"""Seconds within which a part that has a process of its own must be done."""
STEPS, STOP = 20, 25
"""Of the two epochs whose bits are compared: the steps of each, and after which the run is stopped."""
SEEDS = 3
"""Whole runs; nothing is compiled before the first one."""
MOST_KERNELS, PROFILED = 20, 10
"""How many kernels are named, and from how many steps."""
RANDOM = 10
"""How many random networks have their memory measured."""
NAMED = (
    (NETWORKS["VGG-11 slim"], 128),
    (Network(NETWORKS["VGG-11 slim"].architecture, (1, 64, 64)), 32),
    (Network(NETWORKS["AlexNet"].architecture, (1, 96, 96)), 32),
    (NETWORKS["LeNet"], 256),
)
"""And which others, with their batches."""


class Check(NamedTuple):
    """A row of the table: what was checked, what was found, what was asked, and whether that is met."""

    name: str
    found: str
    asked: str = ""
    met: bool | None = None


class Report:
    """What was found so far."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.about: dict[str, str] = {}
        self.speed: dict[str, dict[str, Any]] = {}
        self.memory: list[dict[str, Any]] = []
        self.kernels: list[tuple[str, float, int, float | None]] = []
        self.checks: list[Check] = []
        self.left_out: list[str] = []

    def part(self, name: str, do: Callable[["Report", argparse.Namespace], None], options: argparse.Namespace) -> None:
        """Do a part; if it fails, the others go on."""
        began = time.monotonic()
        try:
            do(self, options)
        except (InputError, OSError, LeftOutError, subprocess.SubprocessError) as error:
            self.checks.append(Check(name, f"failed: {error}", met=False))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


# --- the start ---------------------------------------------------------------------------------------------


def start(report: Report, options: argparse.Namespace) -> None:
    """The quick demo as a first start: nobody has looked at the devices yet."""
    network = report.work.config().network
    with tempfile.TemporaryDirectory() as folder:
        config = Config(network=network, training=recipe("quick-demo", network), device=report.work.device)
        took, run = started(config, Path(folder), {})
        outcome = run.outcome()
        report.about |= {"card": run.environment().get("title", report.work.device)}
    largest = sorted(outcome.parts.items(), key=lambda part: -part[1])[:4]
    words = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in largest)
    about = f"the quick demo with {title(network)}, from start to end"
    asked = (f"{START_BAR} s", took <= START_BAR) if report.work.on_gpu else ()
    report.checks.append(Check(about, f"{took:.1f} s ({words})", *asked))


# --- speed -------------------------------------------------------------------------------------------------


def speed(report: Report, options: argparse.Namespace) -> None:
    """All contestants in turns, and what follows from their rates."""
    report.speed = raced(report, report.work, options.names, options)
    report.checks += filter(None, (faster(report.speed), price(report.speed)))
    report.checks += fused(report.speed, report.work)


def alexnet(report: Report, options: argparse.Namespace) -> None:
    """PyTorch's own step and the fused one, in turns."""
    work = report.work._replace(network="alexnet", side=max(report.work.side, ALEXNET_SIDE))
    found = raced(report, work, names := ("bfloat16", "fused"), options)
    if found.keys() != set(names):
        raise LeftOutError("one of both did not train")
    own, ours = (found[name]["rate"] for name in names)
    words = f"{ours:,.0f}/s, {ours / own:.2f}x PyTorch's own step; {_step(found['fused'])}"
    bar = (f"{ALEXNET_BAR}x", ours >= ALEXNET_BAR * own) if report.work.on_gpu else ()
    report.checks.append(Check("AlexNet", words, *bar))


def raced(report: Report, work: Work, names: Iterable[str], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What each says of itself, and its examples per second: the median of its turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        running = {name: ends.enter_context(closing(Running(name, work, Path(folder, name)))) for name in names}
        found = race(running, options.rounds, options.seconds, report.left_out)
    for about, _ in found.values():
        report.about |= {key: about[key] for key in ("card", "CUDA") if key in about}
    return {
        name: about | {"rate": work.batch * statistics.median(rates), "rounds": len(rates)}
        for name, (about, rates) in found.items()
    }


def race(
    running: Mapping[str, Running], rounds: int, seconds: float, left_out: list[str]
) -> dict[str, tuple[dict[str, Any], list[float]]]:
    """What each says of itself, and its steps a second in each round; who fails is left out from then on.

    All load at once; then they get ready one after the other, in a turn that does not count.
    """
    about: dict[str, dict[str, Any]] = {}
    rates: dict[str, list[float]] = {name: [] for name in running}

    def each(do: Callable[[str], object]) -> None:
        for name in list(rates):
            try:
                do(name)
            except LeftOutError as error:
                left_out.append(f"{CONTESTANTS[name].words}: {error}")
                running[name].close()
                del rates[name]

    def turn(name: str) -> None:
        about[name] = done = running[name].turn(seconds, PATIENCE)
        rates[name].append(done["steps"] / done["seconds"])

    each(lambda name: running[name].answer(PATIENCE))
    each(lambda name: running[name].turn(0, READY))
    for _ in range(rounds):
        each(turn)
    return {name: (about[name], found) for name, found in rates.items()}


def faster(found: Mapping[str, Mapping[str, Any]]) -> Check | None:
    """Whether the precision that was left open is the faster one, as the turns tell it."""
    if not {"auto", *BOTH} <= found.keys():
        return None
    about = found["auto"]
    decided = Decision.from_json(about["decided"])
    rates = {name: found[name]["rate"] for name in BOTH}
    words = str(decided.remark) if decided else about["precision"]
    turns = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items())
    met = about["rate"] * WORTHWHILE >= max(rates.values())
    return Check("precision left open", f"{words}; in turns {turns}", "the faster one", met)


def price(found: Mapping[str, Mapping[str, Any]]) -> Check | None:
    """How many times as long an exact step takes as one in the same precision."""
    exact = found.get("exact")
    if exact is None or exact["precision"] not in found:
        return None
    times = found[exact["precision"]]["rate"] / exact["rate"]
    return Check("an exact step", f"{times:.2f}x as long, in {exact['precision']}")


def fused(found: Mapping[str, Mapping[str, Any]], work: Work) -> Iterator[Check]:
    """The fused step beside what it must reach, and beside the others."""
    if "fused" not in found:
        return
    rate = found["fused"]["rate"]
    bars = [(f"{bar:,}/s", rate >= bar) for bar in (FUSED_BAR, FUSED_AIM)] if work.on_gpu else [()]
    for name, bar in zip(("the fused step", "the same, as it is meant to be"), bars, strict=False):
        yield Check(name, f"{rate:,.0f}/s; {_step(found['fused'])}", *bar)
    for other in ("book", "bfloat16", "plain", "compile"):
        if other in found:
            times = rate / found[other]["rate"]
            bar = (f"{BOOK_AIM}x", times >= BOOK_AIM) if work.on_gpu and other == "book" else ()
            yield Check(f"beside it: {CONTESTANTS[other].words}", f"{times:.2f}x as fast", *bar)


def _step(about: Mapping[str, Any]) -> str:
    """Which step was taken, and why."""
    choice = Choice.from_json(about.get("step"))
    return str(choice.remark) if choice else "no step was chosen"


def kernels(report: Report, options: argparse.Namespace) -> None:
    """Where the time of a fused step goes."""
    if not report.work.on_gpu:
        report.left_out.append("the kernels of a GPU: there is none here")
        return
    found = child("kernels", report, {})
    report.about |= found["about"]
    report.kernels = found["kernels"]


def kernels_of(work: Work, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Name, milliseconds a step and calls of what takes longest on the GPU; of ours, the milliseconds of a copy.

    That is what the bytes that it must move would take at the rate at which the GPU copies.
    """
    profiler = import_module("torch.profiler")
    trainer = Trainer(work.config(precision="bfloat16"), Session(), make_fused)
    rows = torch.arange(work.batch, device=work.device)
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(PROFILED):
            trainer.descent.learn(rows, trainer.training.lr)
        torch.cuda.synchronize(work.device)
    floors = import_module("moved").floors(trainer.task, rows) if trainer.descent.kind == FAST else {}
    seen = [
        (each.key, each.self_device_time_total / 1000 / PROFILED, each.count, floors.get(each.key))
        for each in profile.key_averages()
    ]
    longest = sorted((each for each in seen if each[1] > 0), key=lambda each: -each[1])
    total = ("all of them", sum(each[1] for each in longest), sum(each[2] for each in longest), None)
    return {"about": card(work.device), "kernels": [total, *longest[:MOST_KERNELS]]}


# --- whole runs --------------------------------------------------------------------------------------------


def whole(report: Report, options: argparse.Namespace) -> None:
    """The book's recipe from the start of the process to the end; the first run finds nothing compiled."""
    config = report.work.config(epochs=RECIPES["d2l-vgg"].epochs if report.work.on_gpu else 1)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        for seed in range(SEEDS):
            took, run = started(replace(config, seed=seed), Path(folder), {"TRITON_CACHE_DIR": cache})
            outcome, facts = run.outcome(), run.environment()
            report.about |= {"card": facts.get("title", report.work.device)}
            words = f"{took:.1f} s, test accuracy {outcome.test_acc:.3f}, loss {outcome.loss:.3f}; {_step(facts)}"
            low, high = ACCURACY
            fast = seed == 0 or took <= WHOLE_BAR
            known = report.work.on_gpu and config.dataset.kind == "full"
            asked = f"{low:.3f} to {high:.3f}" if seed == 0 else f"{WHOLE_BAR} s, {low:.3f} to {high:.3f}"
            bar = (asked, fast and low <= outcome.test_acc <= high) if known else ()
            about = "nothing compiled before" if seed == 0 else "kernels from the cache"
            report.checks.append(Check(f"a whole run, seed {seed}, {about}", words, *bar))


def started(config: Config, folder: Path, env: Mapping[str, str]) -> tuple[float, Run]:
    """The seconds of a run from the start of its process to the end; `LeftOutError` if it does not finish."""
    run = Runs(folder).create(config)
    began = time.monotonic()
    subprocess.run(
        launch.command(run), env=child_environment() | env, stdout=subprocess.DEVNULL, timeout=CHILD, check=False
    )
    took, outcome = time.monotonic() - began, run.outcome()
    if outcome is None or outcome.status != Word.FINISHED:
        raise LeftOutError(str(outcome and outcome.reason))
    return took, run


# --- bits --------------------------------------------------------------------------------------------------


def bits(report: Report, options: argparse.Namespace) -> None:
    """Two processes: a run of the first one is stopped, and the second one goes on with it."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            child("bits", report, {"runs": runs, "exact": True, "folder": folder})
            for runs in (("whole", "stopped"), ("whole", "resumed"))
        )
        loose = child("bits", report, {"runs": ("whole", "again"), "exact": False, "folder": folder})
    report.about |= first["about"]
    for precision in BOTH:
        whole, other = first[precision], second[precision]
        same, resumed = whole["whole"] == other["whole"], whole["whole"] == other["resumed"]
        report.checks += [
            Check(f"two exact runs, {precision}", _bits(same), _bits(True), same),
            Check(f"an exact run, stopped and resumed, {precision}", _bits(resumed), _bits(True), resumed),
            Check(f"two other runs, {precision}", _bits(loose[precision]["whole"] == loose[precision]["again"])),
        ]


def _bits(equal: bool) -> str:
    return "equal bits" if equal else "other bits"


class Stopping(Session):
    """Stops after so many steps, if it is told, and leaves a checkpoint; the trained weights give a digest."""

    def __init__(self, path: Path, stop: int | None) -> None:
        self.path, self.stop = path, stop
        self.digest = ""

    def command(self, step: int) -> Command:
        """Stop once it is time."""
        return Command.STOP if self.stop is not None and step >= self.stop else Command.GO

    def checkpoint(self) -> Path | None:
        """The one that was left."""
        return self.path if self.path.exists() else None

    def save(self, write: Callable[[Path], None]) -> None:
        """Leave it."""
        write(self.path)

    def finish(
        self, write: Callable[[Path], None], result: Mapping[str, Any], reason: InputError | None = None
    ) -> None:
        """The digest of the weights."""
        weights = self.path.with_suffix(".weights")
        write(weights)
        self.digest = hashlib.sha256(weights.read_bytes()).hexdigest()


def bits_of(work: Work, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The digests of the `runs` in each precision: two epochs, of which each run sees all."""
    found: dict[str, Any] = {"about": card(work.device)}
    for precision in BOTH:
        images = STEPS * work.batch - work.batch // 2  # the last batch is a smaller one
        config = work.config(epochs=2, images=images, precision=precision, exact=asked["exact"])
        digests = {}
        for name in asked["runs"]:
            place = "half" if name in ("stopped", "resumed") else f"{name} {len(digests)} {asked['exact']}"
            session = Stopping(Path(asked["folder"], f"{place} {precision}"), STOP if name == "stopped" else None)
            for _ in fit(config, session):
                pass
            digests[name] = session.digest
        found[precision] = digests
    return found


# --- memory ------------------------------------------------------------------------------------------------


def memory(report: Report, options: argparse.Namespace) -> None:
    """Forecasts beside what was allocated, after a calibration."""
    device = report.work.device
    if not report.work.on_gpu:
        report.left_out.append("the memory of a GPU: there is none here")
        return
    with tempfile.TemporaryDirectory() as folder:
        calibration = calibrated(Path(folder), device)
        said = known_price(Path(folder), device)
    found = child("memory", report, {"calibration": calibration.to_json()})
    report.about |= found["about"]
    report.memory = found["peaks"]
    if not report.memory:
        raise LeftOutError("the calibration has not seen what the GPU takes beside tensors")
    report.checks += memory_checks(report.memory)
    if said is not None:
        report.checks.append(Check("an exact step, as the page says it", f"{said:.2f}x as long"))


def calibrated(folder: Path, device: str) -> Calibration:
    """What can be measured of the device within the time."""
    stop = threading.Event()
    late = threading.Timer(CALIBRATION, stop.set)
    late.start()
    try:
        return calibrate(folder, resolve(device, folder), stop=stop)
    except StoppedError:
        if found := known_calibration(folder, device):
            return found
        raise
    finally:
        late.cancel()


def memory_checks(found: Iterable[Mapping[str, Any]]) -> Iterator[Check]:
    """The largest error among the named networks and among the random ones."""
    for kind in ("named", "random"):
        errors = [abs(each["memory"]["error"]) for each in found if each["kind"] == kind]
        if errors:
            within = sum(error <= MEMORY_BAR for error in errors)
            words = f"at most {max(errors):.0%} off, {within} of {len(errors)} within the bar"
            yield Check(f"memory of {kind} networks", words, f"{MEMORY_BAR:.0%}", within == len(errors))


def peaks_of(work: Work, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forecast and measured peaks, in both precisions as far as they were measured."""
    calibration = Calibration.from_json(asked["calibration"])
    networks = {"named": NAMED, "random": [(case.network, case.batch) for case in cases(RANDOM, 0)]}
    found = [
        {"kind": kind, **each}
        for precision in BOTH
        if precision in calibration.added
        for kind, some in networks.items()
        for each in peaks(some, calibration, work.device, precision)
    ]
    return {"about": card(work.device), "peaks": found}


# --- processes and tables ----------------------------------------------------------------------------------


CHILDREN = {"kernels": kernels_of, "bits": bits_of, "memory": peaks_of}


def child(name: str, report: Report, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a part answers that has a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--child", name, json.dumps(report.work), json.dumps(asked)]
    done = subprocess.run(command, env=child_environment(), capture_output=True, timeout=CHILD)
    if done.returncode:
        raise LeftOutError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def tables(report: Report) -> Iterator[list[list[str]]]:
    """What was found: the speed, the checks, the memory of each network. Each row names its card."""
    card = report.about.get("card", report.work.device)
    if report.speed:
        book = report.speed.get("book")
        yield [
            ["what trains", "precision", "examples/s", "ms a step", "times the book's loop", "on"],
            *(_speed_row(name, each, book, report.work.batch, card) for name, each in report.speed.items()),
        ]
    yield [
        ["check", "found", "bar", "met", "on"],
        *([*table.bar(*each), card] for each in report.checks),
    ]
    if report.kernels:
        yield [
            ["kernel of a fused step", "ms a step", "as a copy", "calls a step", "on"],
            *(
                [name[:80], f"{ms:.3f}", "" if floor is None else f"{floor:.3f}", f"{count / PROFILED:.1f}", card]
                for name, ms, count, floor in report.kernels
            ),
        ]
    if report.memory:
        yield [
            ["network", "batch", "precision", "forecast", "measured", "error", "on"],
            *([*_memory_row(each), card] for each in report.memory),
        ]


def _speed_row(name: str, each: Mapping[str, Any], book: Mapping[str, Any] | None, batch: int, card: str) -> list[str]:
    rate = each["rate"]
    ratio = f"{rate / book['rate']:.2f}x" if book else ""
    return [CONTESTANTS[name].words, each["precision"], f"{rate:,.0f}", f"{1000 * batch / rate:.2f}", ratio, card]


def _memory_row(each: Mapping[str, Any]) -> list[str]:
    figures = each["memory"]
    network = " ".join(f"{key}={value}" for key, value in each["network"].items())
    sizes = [f"{figures[name] / 1e6:,.0f} MB" for name in ("forecast", "measured")]
    return [network, str(each["batch"]), each["precision"], *sizes, f"{figures['error']:+.0%}"]


def show(report: Report, options: argparse.Namespace) -> None:
    """Print it all."""
    about = table.machine(["torch", "triton", "torchvision"]) | report.about
    if options.json:
        fields = {name: getattr(report, name) for name in ("work", "speed", "kernels", "memory", "left_out")}
        checks = [each._asdict() for each in report.checks]
        print(json.dumps({"machine": about, **fields, "work": report.work._asdict(), "checks": checks}, indent=1))
        return
    print(table.sentence(about))
    network, side, batch, data, _ = report.work
    kind = Dataset.parse(data).kind
    print(f"{network}, 1x{side}x{side}, batches of {batch}, {kind} data; medians of {options.rounds} turns")
    for rows in tables(report):
        print()
        print((table.markdown if options.markdown else table.text)(rows))
    for line in report.left_out:
        print(f"\nleft out: {line}")


PARTS = {
    "start": start,
    "speed": speed,
    "alexnet": alexnet,
    "kernels": kernels,
    "whole": whole,
    "bits": bits,
    "memory": memory,
}
SMALL = {"network": "lenet", "side": 28, "batch": 64, "seconds": 0.5, "rounds": 1}
"""What is done on a processor, unless something else is asked for."""
LARGE = {"network": "vgg11-slim", "side": 224, "batch": 128, "seconds": 1.5, "rounds": 3}


def asked() -> argparse.Namespace:
    """The options, and the defaults that go with the device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder of Fashion-MNIST's four IDX files")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--names", default=",".join(CONTESTANTS), help="of those whose speed is measured")
    parser.add_argument("--network", help="a name or block text")
    parser.add_argument("--side", type=int, help="pixels")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seconds", type=float, help="of a turn")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name, value in (LARGE if options.device.startswith("cuda") else SMALL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.names = _some(parser, options.names, CONTESTANTS)
    options.parts = _some(parser, options.parts, PARTS)
    return options


def _some(parser: argparse.ArgumentParser, text: str, known: Mapping[str, Any]) -> list[str]:
    """The names in `text`, all of which are known."""
    names = text.split(",")
    if unknown := [name for name in names if name not in known]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(known)}")
    return names


def work_of(options: argparse.Namespace) -> Work:
    """What is to be trained; `InputError` if the data or the device is not there."""
    data = Dataset("full", options.data).absolute() if options.data else Dataset("sample")
    check_present(data)
    work = Work(options.network, options.side, options.batch, str(data), options.device)
    if work.on_gpu and not torch.cuda.is_available():
        raise InputError("There is no GPU here that PyTorch can use; --device cpu does the same in small.")
    return work


def main() -> int:
    """Do all parts; the status is 1 if something failed or does not hold."""
    options = asked()
    if options.child:
        name, work, given = options.child
        print(json.dumps(CHILDREN[name](Work(*json.loads(work)), json.loads(given))))
        return 0
    began = time.monotonic()
    try:
        report = Report(work_of(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    for name in options.parts:
        report.part(name, PARTS[name], options)
    took = time.monotonic() - began
    report.checks.append(Check("all of this", f"{took:.0f} s", f"{LIMIT} s", took <= LIMIT))
    show(report, options)
    return 0 if all(each.met is not False for each in report.checks) else 1


if __name__ == "__main__":
    sys.exit(main())
