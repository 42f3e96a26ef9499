"""What runs that have ended say of a forecast: by how much the time of their steps was another one."""

import statistics
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from vggexplorer.architectures import Network

RECENT = 5
"""So many of the newest runs count; the median of them, since one may have had others beside it."""


class Steps(NamedTuple):
    """Steps of a training on some device: the network as it is trained, its batch, and how many numbers the optimizer
    keeps for each weight; the precision; the mean `seconds` that one took."""

    network: Network
    batch: int
    kept: int
    precision: str
    seconds: float = 0.0

    def alike(self, other: "Steps") -> bool:
        """Whether the same is trained, in whatever precision."""
        return self[:3] == other[:3]


class Likeness(StrEnum):
    """How much alike the runs are that tell of another one: the same steps, the same network, the same device."""

    STEPS = "steps"
    NETWORK = "network"
    DEVICE = "device"


SPREAD = {Likeness.STEPS: 0.25, Likeness.NETWORK: 0.35, Likeness.DEVICE: 0.6}
"""The relative error that a corrected forecast may well have, at least."""


class Correction(NamedTuple):
    """How many times as long as forecast a step takes, by runs that are so much alike; how far these are apart."""

    factor: float
    likeness: Likeness
    spread: float


def correction(past: Sequence[Steps], wanted: Steps, forecast: Callable[[Steps], float]) -> Correction | None:
    """What `past` runs, the newest last, say of the `wanted` steps; None if there are none.

    Those of its precision that are most alike count. `forecast` says what such steps would have been forecast.
    """
    past = [each for each in past if each.precision == wanted.precision]
    alike = {
        Likeness.STEPS: [each for each in past if each.alike(wanted)],
        Likeness.NETWORK: [each for each in past if each.network == wanted.network],
        Likeness.DEVICE: past,
    }
    for likeness, found in alike.items():
        if ratios := _ratios(found, forecast):
            factor = statistics.median(ratios)
            apart = max(max(each / factor, factor / each) for each in ratios) - 1
            return Correction(factor, likeness, max(SPREAD[likeness], apart))
    return None


def factor(past: Sequence[Steps], forecast: Callable[[Steps], float]) -> float | None:
    """How many times as long as forecast the newest of `past` runs took; None if there are none."""
    return statistics.median(ratios) if (ratios := _ratios(past, forecast)) else None


def _ratios(past: Sequence[Steps], forecast: Callable[[Steps], float]) -> list[float]:
    pairs = ((each.seconds, forecast(each)) for each in past[-RECENT:])
    return [seconds / expected for seconds, expected in pairs if expected > 0]
