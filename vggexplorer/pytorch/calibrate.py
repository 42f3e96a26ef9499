"""What a device can do, measured in seconds: `python -m vggexplorer.pytorch.calibrate`, a process of its own.

Steps of a few small networks are taken apart, and for each kind of work the seconds for each MAC, byte and layer are
found that explain the times best. The process reads a JSON object from standard input: `device`, the `looks` to be made
in their order, what was `seen` by earlier ones, the `context` that was found by them (else 0), and `seconds`, after
which no look is begun; and `own`, null or the steps of a run that is to be forecast. It prints `{"looks": 48}` once
PyTorch is there, `{"own": 0.1, "share": 0.9}` with the seconds of such a step (null if it fails) and the share of the
processors that it got, and after each look a line
`{"seen": [...], "context": 6e8, "calibration": {...}}`: what this look has seen, and what follows from all of them
(`Calibration.to_json`), or null as long as they are too few.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any, NamedTuple

import numpy as np
import torch

from vggexplorer.forecast.memory import Added, training_memory
from vggexplorer.forecast.time import (
    ANY,
    NOTHING,
    RESIZE,
    STEP,
    UPDATE,
    Calibration,
    Rate,
    Work,
    kind_of_work,
    layer_times,
    resizing,
    updating,
    works,
)
from vggexplorer.processes import Share, peak_memory, processor_name, tell
from vggexplorer.pytorch import device_memory
from vggexplorer.pytorch.device_memory import Bytes
from vggexplorer.pytorch.layer_times import Steps
from vggexplorer.runs.probes import AGAIN, BUDGET, FIRST, PROBES, Look, Probe, Seen, rounds
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

SMALL_TIMES = 1e-4
"""Seconds below which an error counts by its size, above by its share."""
COLUMNS = len(Rate._fields)
COPIES = [number / 4 for number in range(17)]
"""How many times over a convolution may be copied: what is tried."""
OWN = 1.0
"""Seconds for which the steps of a run that is to be forecast are made."""
LEAST_SPREAD = 0.15
"""Networks that were not measured differ more than those that were."""


class Sample(NamedTuple):
    """Work that was measured, and its seconds."""

    work: Work
    seconds: float


Samples = dict[str, tuple[list[Sample], list[Sample]]]
"""By kind of work, forward and backward."""
Rates = dict[str, tuple[Rate, Rate]]
"""The same, fitted."""


# --- looking -----------------------------------------------------------------------------------------------


def calibrate(asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Lines to print."""
    device, context = asked["device"], asked["context"]
    looks = [Look(*each) for each in asked["looks"]]
    seen = [Seen.from_json(each) for each in asked["seen"]]
    ended = time.monotonic() + asked["seconds"]
    standing: dict[tuple[str, int], Steps] = {}  # from a first look to the second
    fitted = Fitted(device, seen)
    yield {"looks": len(looks)}
    if own := asked.get("own"):
        share = Share()
        seconds = _own(device, **own)
        yield {"own": seconds, "share": share.of(torch.get_num_threads()) if device == "cpu" else 1.0}
    for look in looks:
        if time.monotonic() > ended:
            return
        seen.append(_look(look, device, standing))
        context = context or _context(device, PROBES[look.probe], look.precision)
        fitted.update(look.precision, seen)
        found = fitted.calibration(context)
        yield {"seen": seen[-1], "context": context, "calibration": found and found.to_json()}


def _own(device: str, network: Mapping[str, str], batch: int, kept: int, precision: str) -> float | None:
    """Seconds of a step of a run, as it will be made; None if it fails, which the run will say."""
    try:
        steps = Steps(parse_network(network), batch, device, precision, momentum=0.9 if kept else 0.0)
        steps.warm_up(OWN)
        seconds, ended = [steps.whole(), steps.whole()], time.monotonic() + OWN
        while time.monotonic() < ended:
            seconds.append(steps.whole())
    except (RuntimeError, TypeError, MemoryError):
        return None
    return statistics.median(seconds)


def _look(look: Look, device: str, standing: dict[tuple[str, int], Steps]) -> Seen:
    """Make a look; the network of a first one is put to those that are `standing`, that of a second one taken away."""
    began, key = time.monotonic(), (look.precision, look.probe)
    steps, peak = standing.pop(key, None), Bytes()
    if steps is None:
        before = device_memory.in_use(device)
        steps = Steps(*PROBES[look.probe], device, look.precision)
        count = rounds(steps.warm_up(BUDGET))
        peak = device_memory.most(steps, before)
    if look.again:
        return Seen(look, statistics.median(steps.whole() for _ in range(AGAIN)), time.monotonic() - began)
    *_, parts = steps.best(count)
    whole = statistics.median(steps.whole() for _ in range(count))
    standing[key] = steps
    took = time.monotonic() - began
    return Seen(look, whole, took, parts.resize, parts.update, tuple(parts.layers), *peak)


def _context(device: str, probe: Probe, precision: str) -> int:
    """Bytes that are in use without the network, after its first steps."""
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        return max(0, total - free - torch.cuda.memory_reserved(device))
    own = training_memory(summarize(*probe.network), probe.batch, precision).total
    return max(0, (peak_memory() or 0) - own)


# --- what follows from it ----------------------------------------------------------------------------------


class Fitted:
    """The rates of a device by precision, and how far the forecasts of the probes' steps are off with them."""

    def __init__(self, device: str, seen: Sequence[Seen]) -> None:
        self.device = device
        self.gpu = device.startswith("cuda")
        self.rates: dict[str, Rates] = {}
        self.errors: dict[str, list[float]] = {}
        self.added: dict[str, Added] = {}
        for precision in {each.look.precision for each in seen}:
            self.update(precision, seen)

    def update(self, precision: str, seen: Iterable[Seen]) -> None:
        """Fit the rates of a precision to what was seen, if that is enough."""
        seen = [each for each in seen if each.look.precision == precision]
        first = sorted((each for each in seen if not each.look.again), key=lambda each: each.look.probe)
        if len(first) < FIRST or first[0].look.probe:
            return
        wholes = {
            each.look.probe: min(other.whole for other in seen if other.look.probe == each.look.probe) for each in first
        }
        rates = {kind: (fit(forward), fit(backward)) for kind, (forward, backward) in _samples(first, self.gpu).items()}
        self.rates[precision], self.errors[precision] = _whole_steps(rates, wholes, precision, self.gpu)
        if added := fit_memory(first, precision):
            self.added[precision] = added

    def calibration(self, context: int) -> Calibration | None:
        """All that is known; None if that is too little."""
        if not self.rates:
            return None
        title = (
            torch.cuda.get_device_name(self.device)
            if self.gpu
            else processor_name()
            if self.device == "cpu"
            else "Apple GPU"
        )
        spread = max(LEAST_SPREAD, float(np.quantile([*chain(*self.errors.values())], 0.9)))
        return Calibration(title, self.gpu, self.rates, context, 0.0, spread, added=self.added)


def _samples(seen: Iterable[Seen], gpu: bool) -> Samples:
    """What first looks tell of each kind of work."""
    samples: Samples = defaultdict(lambda: ([], []))
    for each in seen:
        network, batch = PROBES[each.look.probe]
        summary = summarize(*network)
        both = works(summary, batch, each.look.precision, gpu=gpu)
        for row, done, times in zip(summary.rows, both, each.layers, strict=True):
            for direction, (work, seconds) in enumerate(zip(done, times, strict=True)):
                samples[kind_of_work(row)][direction].append(Sample(work, seconds))
                samples[ANY][direction].append(Sample(work, seconds))
        samples[RESIZE][0].append(Sample(resizing(summary, batch), each.resize))
        samples[UPDATE][0].append(Sample(updating(summary), each.update))
    return samples


def fit(samples: list[Sample]) -> Rate:
    """The rates, none of them below zero, with the smallest sum of squares of relative errors."""
    if not samples:
        return NOTHING
    seconds = np.array([sample.seconds for sample in samples])
    features = np.array([[*sample.work, 1] for sample in samples], dtype=float)
    weights = 1 / (seconds + SMALL_TIMES)
    best, error = np.zeros(COLUMNS), float(np.inf)
    for size in range(1, COLUMNS + 1):
        for chosen in combinations(range(COLUMNS), size):
            scaled = features[:, chosen] * weights[:, None]
            unit = np.linalg.norm(scaled, axis=0)
            if not unit.all():
                continue
            found = np.linalg.lstsq(scaled / unit, seconds * weights)[0] / unit
            remainder = float(((scaled @ found - seconds * weights) ** 2).sum())
            if (found >= 0).all() and remainder < 0.999 * error:
                best, error = np.zeros(COLUMNS), remainder
                best[list(chosen)] = found
    return Rate(*map(float, best))


def fit_memory(seen: Iterable[Seen], precision: str) -> Added | None:
    """What a GPU takes beside tensors, from the peaks of first looks; None if too few have one.

    Of all numbers of copies it is the one with which the rest, the same for all networks, explains the peaks best.
    """
    known = [each for each in seen if each.allocated]
    if len(known) < FIRST:
        return None
    tried = [_added(known, precision, copies) for copies in COPIES]
    return min(tried, key=lambda found: found[1])[0]


def _added(seen: Sequence[Seen], precision: str, copies: float) -> tuple[Added, float]:
    """The rest that explains most peaks with so many copies; by how many bytes the forecasts are off with it."""
    peaks = [each.allocated for each in seen]
    tensors = [_tensors(each, precision, copies) for each in seen]
    libraries = max(0, round(statistics.median(peak - own for peak, own in zip(peaks, tensors, strict=True))))
    errors = [abs(own + libraries - peak) for peak, own in zip(peaks, tensors, strict=True)]
    cached = round(statistics.median(max(0, each.reserved - each.allocated) for each in seen))
    spread = max(error / peak for error, peak in zip(errors, peaks, strict=True))
    return Added(libraries, copies, cached, spread), sum(errors)


def _tensors(seen: Seen, precision: str, copies: float) -> int:
    network, batch = PROBES[seen.look.probe]
    return training_memory(summarize(*network), batch, precision, gpu=True, added=Added(copies=copies)).total


def _whole_steps(rates: Rates, wholes: Mapping[int, float], precision: str, gpu: bool) -> tuple[Rates, list[float]]:
    """The rates with what a whole step takes beside its parts; how far the forecasts of the wholes are off.

    `wholes` are the seconds of the steps of probes, by their places; the first probe, the smallest, is among them.
    """
    known = Calibration("", gpu, {precision: rates}, 0, 0, 0)
    parts = {}
    for place in wholes:
        network, batch = PROBES[place]
        summary = summarize(*network)
        resize, update = resizing(summary, batch), updating(summary)
        extra = rates[RESIZE][0].seconds(resize) + rates[UPDATE][0].seconds(update)
        parts[place] = sum(map(sum, layer_times(summary, batch, precision, known))) + extra
    scale = statistics.median(wholes[place] / parts[place] for place in wholes if place)
    step = max(0.0, wholes[0] - scale * parts[0])
    scaled = {kind: _times(forward, backward, scale) for kind, (forward, backward) in rates.items()}
    scaled[STEP] = (NOTHING._replace(overhead=step), NOTHING)
    return scaled, [abs(scale * parts[place] + step - whole) / whole for place, whole in wholes.items()]


def _times(forward: Rate, backward: Rate, scale: float) -> tuple[Rate, Rate]:
    return Rate(*(scale * number for number in forward)), Rate(*(scale * number for number in backward))


if __name__ == "__main__":
    sys.exit(tell(calibrate(json.load(sys.stdin))))
