"""What a device can do, measured in seconds: `python -m vggexplorer.pytorch.calibrate DEVICE`.

Steps of a few small networks are taken apart, and for each kind of work the seconds for each MAC, byte and layer are
found that explain the times best. A process of its own prints a line of JSON for each network, `{"done": 1, "of": 26}`
(the first one, with 0, once PyTorch is there; the last ones, for a second look at all), and at the end
`{"calibration": {...}}`, as `Calibration.to_json` writes it.
"""

import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations, count, product
from typing import NamedTuple

import numpy as np
import torch

from vggexplorer.forecast import (
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
    training_memory,
    updating,
    works,
)
from vggexplorer.processes import peak_memory, tell
from vggexplorer.pytorch.devices import processor
from vggexplorer.pytorch.layer_times import Steps
from vggexplorer.runs.probes import BUDGET, FEWEST, MOST, PROBES, Probe
from vggexplorer.summary import summarize

SMALL_TIMES = 1e-4
"""Seconds below which an error counts by its size, above by its share."""
COLUMNS = len(Rate._fields)
LEAST_SPREAD = 0.15
"""Networks that were not measured differ more than those that were."""


class Sample(NamedTuple):
    """Work that was measured, and its seconds."""

    work: Work
    seconds: float


Samples = dict[str, tuple[list[Sample], list[Sample]]]
"""By kind of work, forward and backward."""


class Whole(NamedTuple):
    """The steps of a probe, and the shortest of them so far."""

    probe: Probe
    steps: Steps
    seconds: float

    def again(self) -> "Whole":
        """The same after some more steps: the machine may have been busy, or slower for a while, at the first ones."""
        return self._replace(seconds=min(self.seconds, *(self.steps.whole() for _ in range(FEWEST + 1))))


def calibrate(device: str) -> Iterator[dict[str, object]]:
    """Lines to print, the last one with the calibration."""
    precisions = ("float32", "bfloat16") if device != "mps" else ("float32",)
    looks = len(precisions) * (len(PROBES) + 1)
    context, rates, errors = 0, {}, []
    samples: dict[str, Samples] = {precision: defaultdict(lambda: ([], [])) for precision in precisions}
    wholes: dict[str, list[Whole]] = {precision: [] for precision in precisions}
    done = count()
    yield {"done": next(done), "of": looks}
    for precision, probe in product(precisions, PROBES):
        steps = Steps(*probe, device, precision)
        wholes[precision].append(_measure(steps, probe, precision, samples[precision]))
        if not context:
            context = _context(device, probe, precision)
        yield {"done": next(done), "of": looks}
    for precision in precisions:
        fitted = {kind: (fit(forward), fit(backward)) for kind, (forward, backward) in samples[precision].items()}
        again = [whole.again() for whole in wholes[precision]]
        rates[precision], wrong = _whole_steps(fitted, again, precision, device)
        errors += wrong
        yield {"done": next(done), "of": looks}
    spread = max(LEAST_SPREAD, float(np.quantile(errors, 0.9)))
    gpu = device.startswith("cuda")
    title = torch.cuda.get_device_name(device) if gpu else processor() if device == "cpu" else "Apple GPU"
    yield {"calibration": Calibration(title, gpu, rates, context, 0.0, spread).to_json()}


def _measure(steps: Steps, probe: Probe, precision: str, samples: Samples) -> Whole:
    """Add what one network tells; its shortest whole step."""
    summary = steps.summary
    rounds = max(FEWEST, min(int(BUDGET / steps.warm_up(BUDGET)), MOST))
    *_, parts = steps.best(rounds)
    gpu = steps.trainer.device.type == "cuda"
    for row, both, times in zip(
        summary.rows, works(summary, probe.batch, precision, gpu=gpu), parts.layers, strict=True
    ):
        for direction, (work, seconds) in enumerate(zip(both, times, strict=True)):
            samples[kind_of_work(row)][direction].append(Sample(work, seconds))
            samples[ANY][direction].append(Sample(work, seconds))
    samples[RESIZE][0].append(Sample(resizing(summary, probe.batch), parts.resize))
    samples[UPDATE][0].append(Sample(updating(summary, momentum=False), parts.update))
    return Whole(probe, steps, min(steps.whole() for _ in range(rounds)))


def _context(device: str, probe: Probe, precision: str) -> int:
    """Bytes that are in use without the network, after its first steps."""
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        return max(0, total - free - torch.cuda.memory_reserved(device))
    own = training_memory(summarize(*probe.network), probe.batch, precision).total
    return max(0, (peak_memory() or 0) - own)


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


def _whole_steps(
    rates: Mapping[str, tuple[Rate, Rate]], wholes: list[Whole], precision: str, device: str
) -> tuple[dict[str, tuple[Rate, Rate]], list[float]]:
    """The rates with what a whole step takes beside its parts; how far the forecasts of the wholes are off."""
    known = Calibration("", device.startswith("cuda"), {precision: rates}, 0, 0, 0)
    parts = []
    for probe, _, _ in wholes:
        summary = summarize(*probe.network)
        resize, update = resizing(summary, probe.batch), updating(summary, momentum=False)
        times = layer_times(summary, probe.batch, precision, known)
        extra = rates[RESIZE][0].seconds(resize) + rates[UPDATE][0].seconds(update)
        parts.append(sum(map(sum, times)) + extra)
    scale = statistics.median(whole.seconds / part for whole, part in zip(wholes[1:], parts[1:], strict=True))
    step = max(0.0, wholes[0].seconds - scale * parts[0])
    scaled = {kind: _times(forward, backward, scale) for kind, (forward, backward) in rates.items()}
    scaled[STEP] = (NOTHING._replace(overhead=step), NOTHING)
    wrong = [
        abs(scale * part + step - whole.seconds) / whole.seconds for whole, part in zip(wholes, parts, strict=True)
    ]
    return scaled, wrong


def _times(forward: Rate, backward: Rate, scale: float) -> tuple[Rate, Rate]:
    return Rate(*(scale * number for number in forward)), Rate(*(scale * number for number in backward))


def main(argv: list[str]) -> int:
    """Measure the device `argv[1]`."""
    if len(argv) != 2:
        print("usage: python -m vggexplorer.pytorch.calibrate DEVICE", file=sys.stderr)
        return 2
    return tell(calibrate(argv[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
