"""What a run will take before it starts, what would make it fit, and how good the forecast was."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from math import ceil, prod
from pathlib import Path
from typing import Any, NamedTuple

from vggexplorer.architectures import Head
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.forecast.correction import Correction, Likeness, Steps, correction
from vggexplorer.forecast.devices import preset
from vggexplorer.forecast.memory import (
    AT_MOST,
    NOTHING_ADDED,
    Memory,
    inference_memory,
    tested_at_once,
    training_memory,
)
from vggexplorer.forecast.precision import BOTH, decide
from vggexplorer.forecast.time import Calibration, Time, estimated_from, training_time
from vggexplorer.runs import devices, experience
from vggexplorer.runs.calibration import known_calibration
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device
from vggexplorer.runs.exactness import FAST
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folders import lately
from vggexplorer.runs.probes import LOADING, step_seconds
from vggexplorer.runs.steps import Place, pays, ruled_out
from vggexplorer.summary import summarize

CONTEXT = 600 * 2**20
"""Bytes that PyTorch takes before there is a network, as long as nobody has measured it: 577 MiB seen on a CPU."""
USABLE = 0.9
"""The share of a device's memory that a run may take: others need some, too."""
LABEL = 8
"""Bytes of a label."""
ROUGH = 2
"""How many times as long, or as short, a rough forecast of time may be."""
FORWARD = 1 / 3
"""The part of a step's work that a test does."""
MOST_COMBINED = 3
"""The most pairs of changes that are proposed."""
FINE = 20
"""The number of epochs is lowered in steps of a twentieth."""


class Images(NamedTuple):
    """How many images a run trains on and tests on, and how many bytes they take on the device."""

    examples: int
    tests: int
    bytes: int


def images_of(config: Config) -> Images:
    """What the config takes of its data set; `InputError` if it is a folder that cannot be read."""
    if known := config.dataset.known:
        examples, tests = known.sizes
        shape = known.shape
    else:
        counts = lately(config.dataset.path).counts.values()
        examples, tests = (sum(each) for each in zip(*counts, strict=True))
        shape = config.trained.input_shape
    examples = config.training.num_images(examples)
    return Images(examples, tests, (examples + tests) * (prod(shape) + LABEL))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Memory in training and in inference, and time where something is known of the device.

    On a GPU that was not measured `memory` is what the tensors take.
    """

    device: str
    precision: str
    memory: Memory
    inference: Memory
    time: Time | None
    measured: bool
    """Whether the device was measured; else its figures are from a data sheet, or `rough`, or there are none."""
    allocated: int
    """The part of `memory` that a record's memory shows: on a GPU, what PyTorch has allocated."""
    most: int
    """The bytes that `memory` may be at most: more than its total on a GPU where it was not measured what the
    libraries take."""
    partial: bool = False
    """Whether the device was measured in part only: the time is less certain."""
    rough: bool = False
    """Whether all that is known of the device is the short measurement by which it was found, or less."""
    estimated: bool = False
    """Whether it is less: what the processor is."""
    by_runs: Likeness | None = None
    """How much alike the runs are that ended here and by which the time was corrected; None if there were none."""

    def to_json(self) -> dict[str, Any]:
        """What forecast.json holds."""
        return {
            "device": self.device,
            "precision": self.precision,
            "memory": self.memory._asdict() | {"total": self.memory.total},
            "inference": self.inference._asdict() | {"total": self.inference.total},
            "time": self.time and self.time._asdict(),
            "measured": self.measured,
            "allocated": self.allocated,
            "most": self.most,
            "partial": self.partial,
            "rough": self.rough,
            "estimated": self.estimated,
            "by_runs": self.by_runs,
        }

    @staticmethod
    def from_json(data: Any) -> "Forecast | None":
        """The forecast that `to_json` wrote; None if there is none, or it is damaged."""
        try:
            memory, inference = (Memory(*(int(data[key][name]) for name in Memory._fields)) for key in _MEMORIES)
            seconds = data["time"]
            return Forecast(
                str(data["device"]),
                str(data["precision"]),
                memory,
                inference,
                seconds and Time(*(float(seconds[name]) for name in Time._fields)),
                bool(data["measured"]),
                int(data["allocated"]),
                int(data.get("most", memory.total)),
                bool(data.get("partial")),
                bool(data.get("rough")),
                bool(data.get("estimated")),
                Likeness(data["by_runs"]) if data.get("by_runs") else None,
            )
        except (TypeError, KeyError, ValueError):
            return None

    def fits(self, memory: int | None, seconds: float | None) -> bool:
        """Whether it keeps within `USABLE` of `memory` bytes and within `seconds`; None is no limit."""
        if not enough(memory, self.most):
            return False
        return not (seconds and self.time and self.time.total > seconds)


def enough(memory: int | None, most: int) -> bool:
    """Whether `most` bytes keep within `USABLE` of `memory`; None, or 0, is no limit."""
    return not memory or most <= USABLE * memory


_MEMORIES = ("memory", "inference")


def forecast(config: Config, device: Device, calibration: Calibration | None, past: Sequence[Steps] = ()) -> Forecast:
    """What `config` will take on `device`; without a calibration, by its data sheet, or by what else is known of it.

    `past` runs there (`experience.past`) correct the time.
    """
    config = _settled(config, device, calibration, past)
    training, precision = config.training, config.training.precision
    known = next((each for each in _known(device, calibration) if precision in each.rates), None)
    summary = summarize(*config.trained)
    images = images_of(config)
    gpu, cuda = device.name != "cpu", device.name.startswith("cuda")
    context = calibration.context if calibration else known.context if known else CONTEXT
    added = calibration.added.get(precision) if calibration else None
    in_training = partial(
        training_memory,
        *(summary, training.batch_size, precision),
        kept=training.kept,
        gpu=gpu,
        data=images.bytes,
        context=context,
    )
    memory = in_training(added=added or NOTHING_ADDED)
    most = in_training(added=AT_MOST) if cuda and not added else memory
    inference = inference_memory(
        summary,
        tested_at_once(training.batch_size),
        precision,
        gpu=gpu,
        context=context,
        added=added or NOTHING_ADDED,
    )
    time = _time(config, known, precision, images) if known else _rough_time(config, device, precision, images)
    found = time and _correction(config, device, known, past)
    if time and found:
        time = _corrected(time, found, training.epochs)
    if time and training.time_budget is not None:
        time = Time(time.step, time.epoch, *(min(each, training.time_budget) for each in time[2:]))
    allocated = memory.total - (memory.context if cuda else 0)
    measured, in_part = (known.measured, known.partial(precision)) if known else (False, False)
    rough = known is None and time is not None and (found is None or found.likeness is Likeness.DEVICE)
    kinds = in_part, rough, rough and device.estimated, found.likeness if found else None
    return Forecast(device.name, precision, memory, inference, time, measured, allocated, most.total, *kinds)


def _time(config: Config, known: Calibration, precision: str, images: Images) -> Time:
    """How long `config` takes in a precision that is known of its device, if nothing but its last step ends it.

    The update of Adam counts for what it reads and writes; how fast that goes was measured of gradient descent.
    """
    training, trained = config.training, config.trained
    estimated = estimated_from(images.examples) if trained.architecture.normalizes else 0
    return training_time(
        summarize(*trained),
        training.batch_size,
        precision,
        known,
        epochs=training.epochs,
        examples=images.examples,
        tests=images.tests + estimated,
        kept=training.kept,
    )


def _rough_time(config: Config, device: Device, precision: str, images: Images) -> Time | None:
    """How long `config` takes, from half to twice of it; None if not even an estimate can be made."""
    if not device.pace:
        return None
    training = config.training
    step = step_seconds(device, config.trained, training.batch_size, precision)
    epoch = ceil(images.examples / training.batch_size) * step + FORWARD * images.tests / training.batch_size * step
    total = LOADING + training.epochs * epoch
    return Time(step, epoch, total, total / ROUGH, ROUGH * total)


def _correction(config: Config, device: Device, known: Calibration | None, past: Sequence[Steps]) -> Correction | None:
    """What past runs say of a forecast by what is `known`, or by the short measurement."""
    precision = config.training.precision

    def seconds(steps: Steps) -> float:
        if known is None:
            return device.speed(precision).step(steps.network, steps.batch)
        own = (summarize(*steps.network), steps.batch, precision, known)
        return training_time(*own, epochs=1, examples=1, tests=1, kept=steps.kept).step

    return correction(past, experience.steps_of(config, precision), seconds)


def _corrected(time: Time, found: Correction, epochs: int) -> Time:
    """`time` as past runs have it; what it takes to begin is what it was."""
    own = time.high / time.total - 1
    spread = min(own, found.spread) if found.likeness is Likeness.DEVICE else found.spread
    total = time.total + (found.factor - 1) * epochs * time.epoch
    return Time(found.factor * time.step, found.factor * time.epoch, total, total / (1 + spread), total * (1 + spread))


def _known(device: Device, calibration: Calibration | None) -> Iterator[Calibration]:
    """What is known of `device`, the best first: measurements, its data sheet."""
    yield from filter(None, (calibration, preset(device.title)))


def _settled(config: Config, device: Device, calibration: Calibration | None, past: Sequence[Steps] = ()) -> Config:
    """`config` on `device`, in the precision that its trainer will choose if it is left open.

    The trainer times a step in both; it did so for the same steps before, else here they are forecast, or it is what
    was faster in the short measurement.
    """
    if config.training.precision == "auto":
        wanted = experience.steps_of(config, "")
        if before := next((each.precision for each in reversed(past) if each.alike(wanted)), None):
            return config.on(device.name, before)
    for known in _known(device, calibration):
        if config.training.precision == "auto" and device.speedup > 0 and known.rates.keys() >= set(BOTH):
            single, half = (_time(config, known, precision, Images(1, 1, 0)).step for precision in BOTH)
            return config.on(device.name, decide(True, single, half).precision)
    return config.on(device.name, device.precision)


def precision_of(config: Config, device: Device, calibration: Calibration | None, past: Sequence[Steps] = ()) -> str:
    """The precision that the trainer of `config` will choose there, as far as one can know."""
    return _settled(config, device, calibration, past).training.precision


def suffices(calibration: Calibration | None, config: Config, device: Device) -> bool:
    """Whether what was measured of `device`, all or in part, tells the time of `config`."""
    return calibration is not None and precision_of(config, device, calibration) in calibration.rates


def keep(run: Run, *, timed: bool = True) -> None:
    """Write down what `run` will take, before it starts, if something is known of its device; it never fails.

    Without its time unless `timed`.
    """
    with suppress(OSError, InputError):
        config = run.config()
        found = known(run.path.parent, config.device)
        if found:
            expected = forecast(config, *found)
            write_json(run.path / layout.FORECAST, (expected if timed else replace(expected, time=None)).to_json())


def known(runs: Path, device: str) -> tuple[Device, Calibration | None, list[Steps]] | None:
    """The device that `device` means, and what was measured of it and by runs on it, without asking PyTorch.

    None if it is not known.
    """
    found = devices.expected(runs, device)
    return (found, known_calibration(runs, found.name), experience.past(runs, found.name)) if found else None


# --- how good it was ----------------------------------------------------------------------------------------


class Compared(NamedTuple):
    """A figure as it was forecast and as it was measured."""

    forecast: float
    measured: float

    @property
    def error(self) -> float:
        """The relative error: 0.1 if the forecast was a tenth too high."""
        return self.forecast / self.measured - 1


def may_be_fused(forecast: Forecast, config: Config) -> bool:
    """Whether the run will try the fused step: its times are those of PyTorch's own, and it may be shorter."""
    time, gpu = forecast.time, Place(nvidia=forecast.device.startswith("cuda"), bfloat16=True, triton=True)
    if time is None or ruled_out(config.training, forecast.precision, gpu):
        return False
    return pays(time.step, int(min(config.training.epochs * time.epoch, time.total) / time.step))


MAY_BE_FUSED = Remark(
    "The times are those of PyTorch's own step. Before the first one, a fused step is tried on the GPU: if that is "
    "taken, the run is shorter."
)


def of_run(run: Run) -> dict[str, Compared]:
    """What `compare` says of a run; empty if nothing was forecast, or nothing is measured yet.

    So it is of a run with the fused step: PyTorch's own was forecast.
    """
    if run.environment().get("kind") == FAST:
        return {}
    kept, last = Forecast.from_json(run.json(layout.FORECAST)), run.last_record()
    return compare(kept, run.config(), last) if kept and last else {}


def compare(forecast: Forecast, config: Config, last: Record) -> dict[str, Compared]:
    """`memory` in bytes and `step` in seconds, forecast and measured, as far as both are known; no rough time.

    `last` is the run's last record.
    """
    compared = {}
    if last.memory:
        compared["memory"] = Compared(forecast.allocated, last.memory)
    if forecast.time and not forecast.rough and last.examples_per_sec > 0:
        batch = min(config.training.batch_size, last.examples)
        compared["step"] = Compared(forecast.time.step, batch / last.examples_per_sec)
    return compared


def wait(run: Run) -> float | None:
    """Seconds until it is the turn of a run in the line, about; None if that is not known of a run before it."""
    lefts = list(map(_left, Line(Runs(run.path.parent)).before(run)))
    return sum(filter(None, lefts)) if lefts and None not in lefts else None


def _left(run: Run) -> float | None:
    """Seconds that a run will take still: at its own speed, before its first record by its forecast."""
    if found := run.progress(run.status()):
        return found.left or 0.0
    kept = Forecast.from_json(run.json(layout.FORECAST))
    return kept.time.total if kept and kept.time else None


# --- make it fit --------------------------------------------------------------------------------------------


class Proposal(NamedTuple):
    """A changed config that fits: `changes` are the kinds of change (keys of `CHANGES`) from before to after."""

    changes: tuple["Change", ...]
    config: Config
    forecast: Forecast
    saved_memory: int
    saved_seconds: float


class Change(NamedTuple):
    """What is changed, and from what to what, as people write it."""

    what: str
    before: str
    after: str


CHANGES = ("width", "input", "batch", "head", "epochs")
"""What may be changed so that a run fits."""
WIDTHS = tuple(Fraction(text) for text in ("7/8", "3/4", "1/2", "3/8", "1/4", "3/16", "1/8", "1/16"))
SIDES = (192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28)


def fit(
    config: Config,
    device: Device,
    calibration: Calibration | None,
    past: Sequence[Steps] = (),
    *,
    memory: int | None,
    seconds: float | None,
) -> list[Proposal]:
    """The smallest change of each kind with which the run keeps within `memory` bytes and `seconds`.

    If no single change does, up to `MOST_COMBINED` pairs, else one that changes all; nothing if the run fits as it is,
    or if nothing helps.
    """
    now = forecast(config, device, calibration, past)
    if now.fits(memory, seconds):
        return []

    def tried(steps: tuple["_Step", ...]) -> Proposal | None:
        try:
            changed = config
            for step in steps:
                changed = step.apply(changed)
            after = forecast(changed, device, calibration, past)
        except InputError:  # too small an input, no channels left
            return None
        if not after.fits(memory, seconds):
            return None
        saved = now.time.total - after.time.total if now.time and after.time else 0.0
        changes = tuple(step.change for step in steps)
        return Proposal(changes, changed, after, now.memory.total - after.memory.total, saved)

    kinds = {what: list(steps(config)) for what, steps in _STEPS.items()}
    single = [next(filter(None, (tried((step,)) for step in steps)), None) for steps in kinds.values()]
    if found := [proposal for proposal in single if proposal]:
        return found
    pairs = []
    for first, second in combinations(kinds.values(), 2):
        both = sorted(product(range(len(first)), range(len(second))), key=sum)
        pairs.append(next(filter(None, (tried((first[i], second[j])) for i, j in both)), None))
    if found := [proposal for proposal in pairs if proposal]:
        return sorted(found, key=lambda each: -(each.forecast.time.total if each.forecast.time else 0))[:MOST_COMBINED]
    for left_out in ("batch", ""):  # a smaller batch saves memory, but takes longer
        several = [steps for what, steps in kinds.items() if steps and what != left_out]
        for number in range(max(map(len, several), default=0)):
            if proposal := tried(tuple(steps[min(number, len(steps) - 1)] for steps in several)):
                return [proposal]
    return []


class _Step(NamedTuple):
    change: Change
    apply: Callable[[Config], Config]


def _widths(config: Config) -> Iterator[_Step]:
    for ratio in WIDTHS:

        def apply(old: Config, ratio: Fraction = ratio) -> Config:
            architecture = old.network.architecture.scaled(ratio)
            return replace(old, network=old.network._replace(architecture=architecture))

        yield _Step(Change("width", "1", str(ratio)), apply)


def _sides(config: Config) -> Iterator[_Step]:
    _, height, width = config.trained.input_shape
    for side in SIDES:
        if config.trained.architecture.min_side() <= side < min(height, width):

            def apply(old: Config, side: int = side) -> Config:
                return replace(old, training=replace(old.training, input_size=side))

            yield _Step(Change("input", str(height), str(side)), apply)


def _batches(config: Config) -> Iterator[_Step]:
    batch = config.training.batch_size
    while (batch := batch // 2) >= (2 if config.trained.architecture.normalizes else 1):

        def apply(old: Config, batch: int = batch) -> Config:
            return replace(old, training=replace(old.training, batch_size=batch))

        yield _Step(Change("batch", str(config.training.batch_size), str(batch)), apply)


def _heads(config: Config) -> Iterator[_Step]:
    head = config.network.architecture.head
    if not isinstance(head, Head):
        return
    widths = [tuple(max(16, units // part) for units in head.hidden) for part in (2, 4, 8, 16)]
    heads = [replace(head, hidden=hidden) for hidden in dict.fromkeys(widths) if hidden != head.hidden]
    smallest = replace(head, pooling="gap", hidden=())
    for new in [*heads, *([smallest] if head != smallest else [])]:

        def apply(old: Config, new: Head = new) -> Config:
            changed = replace(old.network.architecture, head=new)
            return replace(old, network=old.network._replace(architecture=changed))

        yield _Step(Change("head", _head_text(head.pooling, head.hidden), _head_text(new.pooling, new.hidden)), apply)


def _head_text(pooling: str, hidden: tuple[int, ...]) -> str:
    return f"{pooling} {','.join(map(str, hidden)) or 'none'}"


def _epochs(config: Config) -> Iterator[_Step]:
    most = config.training.epochs
    for epochs in sorted({most * part // FINE for part in range(1, FINE)} - {0}, reverse=True):

        def apply(old: Config, epochs: int = epochs) -> Config:
            return replace(old, training=replace(old.training, epochs=epochs))

        yield _Step(Change("epochs", str(config.training.epochs), str(epochs)), apply)


_STEPS: dict[str, Callable[[Config], Iterator[_Step]]] = dict(
    zip(CHANGES, (_widths, _sides, _batches, _heads, _epochs), strict=True)
)
