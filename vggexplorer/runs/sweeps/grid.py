"""What a sweep is asked for: all combinations of networks, widths, inputs, recipes and seeds, with their names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import Any, NamedTuple

from vggexplorer.architectures import NETWORKS, Architecture, Network, shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.forecast.speed import Speed
from vggexplorer.layers import shape_text
from vggexplorer.runs import forecasts
from vggexplorer.runs.config import Config, check_seed, picked, recipe
from vggexplorer.runs.datasets import DEFAULT, Dataset
from vggexplorer.runs.demo import heaviest
from vggexplorer.runs.folder.run import MAX_NAME
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import QUICK, Training
from vggexplorer.text import title

MAX_RUNS = 1000
"""The most runs of a sweep: more of them nobody looks at in one chart."""
MOST_PARTS = 64
"""The largest denominator of a ratio of widths that is a name."""


class LeftOut(NamedTuple):
    """A network that cannot be trained so, and why."""

    network: str
    reason: InputError


class Plan(NamedTuple):
    """The configs of a sweep in the order in which they are started, and what was left out of the grid."""

    configs: tuple[Config, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Lists of which every combination is trained; `sizes` are in pixels (None: the recipe's), `widths` are ratios.

    `changes` are fields of `Training` that differ from the recipe's. With the quick demo all have one row, that of the
    heaviest network on a device of that `speed`.
    """

    networks: Sequence[Network]
    widths: Sequence[Fraction] = (Fraction(1),)
    sizes: Sequence[int | None] = (None,)
    recipes: Sequence[str] = (QUICK,)
    seeds: Sequence[int] = (0,)
    changes: Mapping[str, Any] = field(default_factory=dict)
    dataset: Dataset = DEFAULT
    device: str = "auto"
    speed: Speed | None = None

    def plan(self) -> Plan:
        """All combinations, each once; the seeds change last, so that there is something of every network soon.

        A network that a width leaves no channels, or that cannot take an input, is left out; `InputError` if nothing
        stays, or too much.
        """
        axes = (self.seeds, self.networks, self.widths, self.sizes, self.recipes)
        check_count(prod(map(len, axes)))
        configs: dict[Config, None] = {}
        left_out: dict[tuple[str, str], LeftOut] = {}
        beside = self.heaviest()
        for seed, network, width, size, name in product(*axes):
            check_seed(seed)
            words = network_name(network)
            try:
                if width != 1:
                    words = f"{words} × {width}"
                    network = network._replace(architecture=network.architecture.scaled(width))  # may leave no channels
                    words = network_name(network)
            except InputError as error:
                left_out[words, str(error)] = LeftOut(words, error)
                continue
            try:
                configs[self._config(network, size, name, seed, beside)] = None
            except ShapeError as error:
                words += f", {size}×{size}" if size else ""
                left_out[words, str(error)] = LeftOut(words, error)
        if not configs and left_out:
            raise next(iter(left_out.values())).reason
        return Plan(tuple(configs), tuple(left_out.values()))

    def heaviest(self) -> Network | None:
        """The network, with its width, that takes longest in the quick demo; None if the speed is not known."""
        wide = []
        for network, width in product(self.networks, self.widths):
            with suppress(InputError):  # which may leave no channels
                wide.append(network._replace(architecture=network.architecture.scaled(width)))
        return heaviest(wide, self.speed)

    def said(self) -> list[Remark]:
        """Which row of the quick demo all have, and why; nothing of other recipes, or where there is no choice."""
        if QUICK not in self.recipes or not self.networks or self.speed is None:
            return []
        return list(
            picked(self.networks[0], self.speed, self._changes(self.sizes[0]), self.heaviest()).said(self.changes)
        )

    def _changes(self, size: int | None) -> dict[str, Any]:
        return {**self.changes} if size is None else {**self.changes, "input_size": size}

    def _config(self, network: Network, size: int | None, name: str, seed: int, beside: Network | None) -> Config:
        training = recipe(name, network, self.speed, self._changes(size), beside)
        return Config(network=network, training=training, dataset=self.dataset, device=self.device, seed=seed)


def check_count(count: int) -> None:
    """`InputError` unless a sweep may have `count` runs."""
    if not 1 <= count <= MAX_RUNS:
        raise InputError(
            "A sweep has from 1 to {most} runs, not {count}.", most=f"{MAX_RUNS:,}", count=shown(f"{count:,}")
        )


def parse_list(text: str, what: str) -> list[str]:
    """The items of a text such as '0, 1, 2'; `InputError` if there is none: `what` names it."""
    items = [item for item in re.split(r"[\s,，、;；]+", text[:20_000]) if item]
    if not items:
        raise InputError("{what} must not be empty.", what=what)
    return items


class Total(NamedTuple):
    """Seconds of all runs, one after the other; `low` to `high` is where `seconds` may well be.

    Of `unknown` runs the time is not known, `too_large` ones need more memory than the device has.
    """

    seconds: float
    low: float
    high: float
    unknown: int
    too_large: int


def forecast_total(runs: Runs, configs: Iterable[Config]) -> Total:
    """What the runs will take together on the devices that are known here; the ranges add up, too.

    `InputError` if a folder of pictures cannot be read.
    """
    known: dict[str, Any] = {}
    seen: dict[tuple[Any, ...], tuple[forecasts.Forecast, int] | None] = {}
    seconds = low = high = 0.0
    unknown = too_large = 0
    for config in configs:
        alike = but_for_the_seed(config)
        if config.device not in known:
            known[config.device] = forecasts.known(runs.path, config.device)
        if alike not in seen:
            found = known[config.device]
            seen[alike] = (forecasts.forecast(config, *found), found[0].memory) if found else None
        expected = seen[alike]
        too_large += expected is not None and not expected[0].fits(expected[1] or None, None)
        time_ = expected[0].time if expected else None
        unknown += time_ is None
        if time_:
            seconds, low, high = seconds + time_.total, low + time_.low, high + time_.high
    return Total(seconds, low, high, unknown, too_large)


def but_for_the_seed(config: Config) -> tuple[Any, ...]:
    """The same for runs that differ in their seed only."""
    return config.network, config.training, config.dataset, config.device


@lru_cache(maxsize=4 * MAX_RUNS)
def network_name(network: Network) -> str:
    """What `network` is called: its title, or that of a named network and a ratio of the widths: 'VGG-11 × 1/8'."""
    words, own = title(network), network.architecture
    if words.partition(", ")[0] in NETWORKS:
        return words
    found = []
    for name, (named, _) in NETWORKS.items():
        wide = replace(own, items=named.items)
        if len(own.items) == len(named.items) and (ratio := _ratio(own, named)) and wide.scaled(ratio) == own:
            called = title(network._replace(architecture=wide))
            found += [f"{called} × {ratio}"] if called.partition(", ")[0] == name else []
    return min(found, key=lambda each: each.count(", "), default=words)


def _ratio(own: Architecture, named: Architecture) -> Fraction | None:
    """The simplest ratio by which the channels of `named`, rounded down, are those of `own`; None if there is none."""
    if not (pairs := list(zip(own.channels.values(), named.channels.values(), strict=False))):
        return None
    low = max(Fraction(one, other) for one, other in pairs)
    high = min(Fraction(one + 1, other) for one, other in pairs)
    for parts in range(1, MOST_PARTS + 1):
        if (ratio := Fraction(ceil(low * parts), parts)) < high:
            return ratio
    return None


def labels(configs: Sequence[Config]) -> list[str]:
    """A name for each config: its network, and what else is not the same for all, but for the seed."""
    shapes = {config.trained.input_shape for config in configs}
    colours = len({shape[0] for shape in shapes}) > 1
    recipes = {config.training.recipe for config in configs}
    datasets, devices = {config.dataset for config in configs}, {config.device for config in configs}
    others = [
        each.name
        for each in fields(Training)
        if each.name not in ("recipe", "input_size")
        and any(
            len({getattr(one.training, each.name) for one in configs if one.training.recipe == of}) > 1
            for of in recipes
        )
    ]
    names = []
    for config in configs:
        parts = [network_name(config.network)]
        parts += [shape_text(config.trained.input_shape[0 if colours else 1 :])] if len(shapes) > 1 else []
        parts += [config.training.recipe] if len(recipes) > 1 else []
        parts += [f"{name} {getattr(config.training, name)}" for name in others]
        parts += [str(config.dataset)] if len(datasets) > 1 else []
        parts += [config.device] if len(devices) > 1 else []
        names.append(", ".join(parts))
    return names


def run_names(configs: Sequence[Config]) -> list[str]:
    """A name for each run: the config's, and the seed if there is more than one."""
    seeds = len({config.seed for config in configs}) > 1
    ends = [f", seed {config.seed}" if seeds else "" for config in configs]
    return [label[: MAX_NAME - 8 - len(end)] + end for label, end in zip(labels(configs), ends, strict=True)]
