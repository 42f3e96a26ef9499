"""What came of a sweep: a point for all runs that differ in their seed only, and the Pareto front."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any, NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.runs.config import Config
from vggexplorer.runs.sweeps.grid import MAX_RUNS, but_for_the_seed, labels
from vggexplorer.summary import Totals, summarize

COSTS = ("params", "macs", "seconds")
"""What the accuracy can be set against."""


class Result(NamedTuple):
    """What a run has reached: the best test accuracy so far, and the seconds that it took."""

    config: Config
    best: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """Runs that differ in their seed only: the median of their best test accuracies, and the range of these."""

    label: str
    config: Config
    runs: int
    tested: int
    best: float | None
    low: float | None
    high: float | None
    params: int
    macs: int
    seconds: float | None


def points_of(results: Sequence[Result]) -> list[Point]:
    """A point for each group of runs that differ in their seed only, in the order of the first of each."""
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        groups.setdefault(but_for_the_seed(result.config), []).append(result)
    configs = [group[0].config for group in groups.values()]
    found = []
    for config, group, label in zip(configs, groups.values(), labels(configs), strict=True):
        best = [each.best for each in group if each.best is not None]
        seconds = [each.seconds for each in group if each.seconds is not None and each.best is not None]
        totals = _totals(config.trained)
        found.append(
            Point(
                label,
                config,
                len(group),
                len(best),
                median(best) if best else None,
                min(best, default=None),
                max(best, default=None),
                totals.params,
                totals.macs,
                median(seconds) if seconds else None,
            )
        )
    return found


@lru_cache(maxsize=4 * MAX_RUNS)
def _totals(network: Network) -> Totals:
    """What a network costs; whoever watches a sweep asks again and again."""
    return summarize(*network).totals


def pareto_front(found: Iterable[Point], cost: str) -> list[Point]:
    """The Pareto front: points than which no other is as accurate at the same or a lower cost; the cheapest first.

    `cost` is one of `COSTS`. Of equal points the first stays; a point without an accuracy or a cost has no place.
    """
    able = [(getattr(point, cost), point.best, point) for point in found]
    kept: list[Point] = []
    most = float("-inf")
    known = [(price, best, point) for price, best, point in able if price is not None and best is not None]
    for _, best, point in sorted(known, key=lambda each: (each[0], -each[1])):
        if best > most:
            kept.append(point)
            most = best
    return kept
