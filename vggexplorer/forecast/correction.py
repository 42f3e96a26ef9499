"""What runs that have ended say of a forecast: by how much the time of their steps was another one."""

import statistics
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from vggexplorer.architectures import Network

RECENT = 3
"""So many of the newest runs count; the median of them, since one may be an odd one."""
SHARED = 0.6
"""The share of the processors below which a run had much beside it: alone, it has 0.8 and more."""


class Steps(NamedTuple):
    """Steps of a training on some device: the network as it is trained, its batch, and how many numbers the optimizer
    keeps for each weight; the precision; the mean `seconds` that one took, with what `share` of the processors."""

    network: Network
    batch: int
    kept: int
    precision: str
    seconds: float = 0.0
    share: float = 1.0

    @property
    def alone(self) -> float:
        """About the seconds that it takes with nothing beside it."""
        return self.seconds * self.share if self.share < SHARED else self.seconds

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

    Those of its precision that are most alike count; where the newest had much beside it, only others that had, else
    only others that had not: a machine is as busy as it was. `forecast` says what such steps would have been forecast.
    """
    past = [each for each in past if each.precision == wanted.precision]
    alike = {
        Likeness.STEPS: [each for each in past if each.alike(wanted)],
        Likeness.NETWORK: [each for each in past if each.network == wanted.network],
        Likeness.DEVICE: past,
    }
    for likeness, found in alike.items():
        pairs = [(each, forecast(each)) for each in _newest(found)]
        if ratios := [each.seconds / expected for each, expected in pairs if expected > 0]:
            factor = statistics.median(ratios)
            apart = max(max(each / factor, factor / each) for each in ratios)
            busy = max(each.seconds / each.alone for each, _ in pairs)
            return Correction(factor, likeness, max(SPREAD[likeness], apart - 1, busy - 1))
    return None


def _newest(past: Sequence[Steps]) -> list[Steps]:
    """The newest, as far as they had as much beside them as the last of them."""
    return [each for each in past if (each.share < SHARED) == (past[-1].share < SHARED)][-RECENT:]


def factor(past: Sequence[Steps], forecast: Callable[[Steps], float]) -> float | None:
    """How many times as long as forecast the newest of `past` runs would take alone; None if there are none."""
    ratios = [each.alone / expected for each in past[-RECENT:] if (expected := forecast(each)) > 0]
    return statistics.median(ratios) if ratios else None
