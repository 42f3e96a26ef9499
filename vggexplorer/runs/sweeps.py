"""A sweep: a named group of ordinary runs. What was asked is written once; the rest is derived from the runs' folders.

`<runs>/sweeps/<id>/sweep.json` holds the configs and the ids that their runs have, or will have once they are made: so
no run is made twice, whoever dies when. A process of its own, the keeper (`keeper.py`), starts them one by one.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, prod
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from vggexplorer.architectures import NETWORKS, Architecture, Network, shown
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.layers import shape_text
from vggexplorer.paths import RUN_ID, child_environment
from vggexplorer.processes import detached, module_command
from vggexplorer.runs import forecasts, launch, layout
from vggexplorer.runs.config import Config, check_seed, recipe
from vggexplorer.runs.datasets import DEFAULT, Dataset
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.options import QUICK, Training
from vggexplorer.runs.places import Place
from vggexplorer.runs.status import Status, Word
from vggexplorer.runs.store import MAX_NAME, Run, Runs, clean_name, held, new_id, write_json
from vggexplorer.summary import summarize
from vggexplorer.text import title

MAX_RUNS = 1000
"""The most runs of a sweep: more of them nobody looks at in one chart."""
START_PATIENCE = 10.0
"""Seconds for which `start` and `resume_rest` wait until the keeper is there."""
KEEPER = "vggexplorer.runs.keeper"
VERSION = 1
"""Of sweep.json."""
MOST_PARTS = 64
"""The largest denominator of a ratio of widths that is a name."""
PLANNED = "not started yet"
"""What is said of a run that is not made yet; the others have a status."""


# --- what is asked -------------------------------------------------------------------------------------------


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

    `changes` are fields of `Training` that differ from the recipe's.
    """

    networks: Sequence[Network]
    widths: Sequence[Fraction] = (Fraction(1),)
    sizes: Sequence[int | None] = (None,)
    recipes: Sequence[str] = (QUICK,)
    seeds: Sequence[int] = (0,)
    changes: Mapping[str, Any] = field(default_factory=dict)
    dataset: Dataset = DEFAULT
    device: str = "auto"

    def plan(self) -> Plan:
        """All combinations, each once; the seeds change last, so that there is something of every network soon.

        A network that a width leaves no channels, or that cannot take an input, is left out; `InputError` if nothing
        stays, or too much.
        """
        axes = (self.seeds, self.networks, self.widths, self.sizes, self.recipes)
        check_count(prod(map(len, axes)))
        configs: dict[Config, None] = {}
        left_out: dict[tuple[str, str], LeftOut] = {}
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
                configs[self._config(network, size, name, seed)] = None
            except ShapeError as error:
                words += f", {size}×{size}" if size else ""
                left_out[words, str(error)] = LeftOut(words, error)
        if not configs and left_out:
            raise next(iter(left_out.values())).reason
        return Plan(tuple(configs), tuple(left_out.values()))

    def _config(self, network: Network, size: int | None, name: str, seed: int) -> Config:
        training = replace(recipe(name, network), **self.changes)
        if size is not None:
            training = replace(training, input_size=size)
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


def forecast(runs: Runs, configs: Iterable[Config]) -> Total:
    """What the runs will take together on the devices that are known here; the ranges add up, too.

    `InputError` if a folder of pictures cannot be read.
    """
    known: dict[str, Any] = {}
    seen: dict[tuple[Any, ...], tuple[forecasts.Forecast, int] | None] = {}
    seconds = low = high = 0.0
    unknown = too_large = 0
    for config in configs:
        alike = _but_for_the_seed(config)
        if config.device not in known:
            known[config.device] = forecasts.known(runs.path, config.device)
        if alike not in seen:
            found = known[config.device]
            seen[alike] = (forecasts.forecast(config, *found), found[0].memory) if found else None
        ahead = seen[alike]
        too_large += ahead is not None and not ahead[0].fits(ahead[1] or None, None)
        time_ = ahead[0].time if ahead else None
        unknown += time_ is None
        if time_:
            seconds, low, high = seconds + time_.total, low + time_.low, high + time_.high
    return Total(seconds, low, high, unknown, too_large)


def _but_for_the_seed(config: Config) -> tuple[Any, ...]:
    """The same for runs that differ in their seed only."""
    return config.network, config.training, config.dataset, config.device


# --- what it is called -----------------------------------------------------------------------------------------


@lru_cache(maxsize=4 * MAX_RUNS)
def network_name(network: Network) -> str:
    """What `network` is called: its title, or that of a named network and a ratio of the widths: 'VGG-11 × 1/8'."""
    words, own = title(network), network.architecture
    if words.partition(", ")[0] in NETWORKS:
        return words
    found = []
    for name, (named, _) in NETWORKS.items():
        wide = replace(own, blocks=named.blocks)
        if len(own.blocks) == len(named.blocks) and (ratio := _ratio(own, named)) and wide.scaled(ratio) == own:
            called = title(network._replace(architecture=wide))
            found += [f"{called} × {ratio}"] if called.partition(", ")[0] == name else []
    return min(found, key=lambda each: each.count(", "), default=words)


def _ratio(own: Architecture, named: Architecture) -> Fraction | None:
    """The simplest ratio by which the channels of `named`, rounded down, are those of `own`; None if there is none."""
    pairs = [(one.out_channels, other.out_channels) for one, other in zip(own.blocks, named.blocks, strict=True)]
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


# --- what came of it -------------------------------------------------------------------------------------------

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


def points(results: Sequence[Result]) -> list[Point]:
    """A point for each group of runs that differ in their seed only, in the order of the first of each."""
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        groups.setdefault(_but_for_the_seed(result.config), []).append(result)
    configs = [group[0].config for group in groups.values()]
    found = []
    for config, group, label in zip(configs, groups.values(), labels(configs), strict=True):
        best = [each.best for each in group if each.best is not None]
        seconds = [each.seconds for each in group if each.seconds is not None and each.best is not None]
        totals = summarize(*config.trained).totals
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


def front(found: Iterable[Point], cost: str) -> list[Point]:
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


# --- the folder ------------------------------------------------------------------------------------------------


class Member(NamedTuple):
    """A run of a sweep; without a status it is not started yet."""

    run: Run
    name: str
    config: Config
    status: Status | None

    @property
    def word(self) -> Word | None:
        """What it does; None if it is not started yet."""
        return self.status.word if self.status else None

    @property
    def rest(self) -> bool:
        """Whether there is something left to do, and nobody is at it."""
        return self.status is None or self.run.resumable(self.status)

    @property
    def made(self) -> bool:
        """Whether there is such a run: it was started, and not deleted since."""
        return self.word not in (None, Word.DELETED)

    @property
    def active(self) -> bool:
        """Whether a trainer is at it, or about to be."""
        return self.status is not None and self.status.active

    def look(self) -> "Member":
        """The same run as it is now."""
        return self._replace(status=_status(self.run, Run.status, made=True))


def _status(run: Run, look: Callable[[Run], Status], made: bool) -> Status | None:
    """The status of `run` as `look` gives it; None if it is just being made, or was never started.

    One that is not there was deleted if it was `made` before, else it is not made yet.
    """
    if not run.path.exists():
        return Status(Word.DELETED) if made else None
    started = (run.path / layout.STARTED).exists()  # before the look: a moment later its trainer may be started
    status = look(run)
    if status.word == Word.INTERRUPTED:
        return look(run) if started else None  # again: its trainer may have come just after we looked for it
    return status


def finished(members: Iterable[Member]) -> int:
    """How many runs have finished."""
    return sum(member.word == Word.FINISHED for member in members)


class Asked(NamedTuple):
    """What a sweep was asked for: runs by their ids, in the order in which they are started."""

    name: str
    owner: str
    created: datetime
    configs: Mapping[str, Config]
    names: Mapping[str, str]
    place: Place


class Sweep:
    """One sweep's folder. It is written once; what is wanted of its keeper stands in a file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The folder's name, which never changes."""
        return self.path.name

    @property
    def runs(self) -> Runs:
        """The folder of all runs."""
        return Runs(self.path.parent.parent)

    def asked(self) -> Asked:
        """What was asked; `InputError` if the file is missing, damaged or of another version."""
        path = self.path / layout.SWEEP
        try:
            about = path.stat()
        except OSError as error:
            raise InputError("The file of the sweep cannot be read.") from error
        return _read(path, about.st_mtime_ns, about.st_size)

    def members(self, look: Callable[[Run], Status] = Run.status) -> list[Member]:
        """Its runs with what they do, as `look` says, in the order in which they are started.

        `InputError` as in `asked`.
        """
        asked, made = self.asked(), self._made()
        runs = [Run(self.runs.path / run_id) for run_id in asked.configs]
        return [
            Member(run, asked.names[run.id], asked.configs[run.id], _status(run, look, run.id in made)) for run in runs
        ]

    def _made(self) -> set[str]:
        with suppress(OSError):
            return set((self.path / layout.MADE).read_text("utf-8").splitlines())
        return set()

    def note(self, run_id: str) -> None:
        """Remember that a run was made: if it is not there later, it was deleted."""
        with suppress(OSError), (self.path / layout.MADE).open("a", encoding="utf-8") as file:
            file.write(f"{run_id}\n")

    def kept(self) -> bool:
        """Whether its keeper lives: what is not started yet will be."""
        return held(self.path / layout.KEEPER_LOCK)

    def stopping(self) -> bool:
        """Whether its keeper is not to start anything more."""
        try:
            return bool(json.loads((self.path / layout.CONTROL).read_bytes())["stop"])
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def want(self, *, stop: bool) -> None:
        """Have its keeper start nothing more, or go on; `InputError` if it cannot be told."""
        with _writing():
            write_json(self.path / layout.CONTROL, {"stop": stop})

    def status(self, members: Collection[Member]) -> Word:
        """What all of it does; `members` are its runs."""
        words = {member.word for member in members} - {Word.DELETED}
        if any(member.active for member in members) or (words - {Word.FINISHED} and self.kept()):
            return Word.RUNNING
        if words <= {Word.FINISHED}:
            return Word.FINISHED
        if self.stopping():
            return Word.STOPPED
        return Word.FAILED if words <= {Word.FINISHED, Word.FAILED, Word.DAMAGED} else Word.INTERRUPTED

    def end_of_log(self) -> str:
        """The last that its keeper wrote: why it could not start a run, if that was so."""
        return Run(self.path).end_of_log(1000)

    def delete(self) -> None:
        """Remove the group, not its runs; `InputError` while it is under way."""
        if self.kept():
            raise InputError("The sweep is under way; stop it first.")
        with _writing():
            away = self.path.with_name(f".deleted-{secrets.token_hex(4)}")
            self.path.rename(away)
            shutil.rmtree(away)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError("The sweep could not be changed: {reason}", reason=error.strerror or str(error)) from error


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> Asked:
    """What is in sweep.json; a thousand configs take a fifth of a second."""
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != VERSION:
            raise InputError("The file of the sweep cannot be read.")
        items = data["runs"]
        if not all(RUN_ID.fullmatch(each["id"]) for each in items):
            raise InputError("The file of the sweep cannot be read.")
        return Asked(
            clean_name(data["name"]),
            str(data["owner"]),
            datetime.fromisoformat(data["created"]).astimezone(),
            {each["id"]: Config.from_json(each["config"]) for each in items},
            {each["id"]: clean_name(each["name"]) for each in items},
            Place(**data["place"]),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError("The file of the sweep cannot be read.") from error


def every(runs: Runs) -> list[Sweep]:
    """All sweeps, the newest first."""
    try:
        names = [entry.name for entry in os.scandir(runs.path / "sweeps") if entry.is_dir()]
    except OSError:
        return []
    return [Sweep(runs.path / "sweeps" / name) for name in sorted(names, reverse=True) if RUN_ID.fullmatch(name)]


def get(runs: Runs, sweep_id: str) -> Sweep | None:
    """The sweep called `sweep_id`, if there is one."""
    path = runs.path / "sweeps" / sweep_id
    return Sweep(path) if RUN_ID.fullmatch(sweep_id) and (path / layout.SWEEP).exists() else None


# --- doing it --------------------------------------------------------------------------------------------------


def start(
    runs: Runs,
    configs: Sequence[Config],
    name: str | None = None,
    owner: str = "",
    limits: Limits | None = None,
    place: Place = launch.HERE,
) -> Sweep:
    """Write down a sweep of `owner` within `limits` and start its keeper; `InputError` if that cannot be."""
    limits = limits or Limits()
    check_count(len(configs))
    configs = [limits.held(launch.absolute(config)) for config in dict.fromkeys(configs)]
    for config in configs:
        place.check(config, runs)
    for config in {config.dataset: config for config in configs}.values():
        launch.check_able(config)
    named = clean_name(name) if name else _name(configs)
    if limits.runs is not None and any(_owned_and_kept(sweep, owner) for sweep in every(runs)):
        raise InputError("You have a sweep under way; where the teacher limits runs, it is one at a time.")
    sweep = _create(runs, configs, named, owner, place)
    _keep(sweep, limits)
    return sweep


def _name(configs: Sequence[Config]) -> str:
    networks = ", ".join(dict.fromkeys(network_name(config.network) for config in configs))
    return clean_name(networks if len(networks) <= MAX_NAME else f"{networks[: MAX_NAME - 2]} …")


def _owned_and_kept(sweep: Sweep, owner: str) -> bool:
    try:
        return sweep.asked().owner == owner and sweep.kept()
    except InputError:
        return False


def _create(runs: Runs, configs: Sequence[Config], name: str, owner: str, place: Place) -> Sweep:
    names = run_names(configs)
    items = [
        {"id": new_id(f"{number:03d} {words}"), "name": words, "config": config.to_json()}
        for number, (config, words) in enumerate(zip(configs, names, strict=True), 1)
    ]
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    sweep_id = new_id(name)
    new = runs.path / "sweeps" / f".new-{sweep_id}"
    with _writing():
        new.mkdir(parents=True)
        about = {"version": VERSION, "name": name, "owner": owner, "created": created, "place": asdict(place)}
        write_json(new / layout.SWEEP, about | {"runs": items})
        return Sweep(new.rename(new.with_name(sweep_id)))


def resume_rest(sweep: Sweep, limits: Limits | None = None) -> None:
    """Start what is not made yet, and go on with what was stopped, interrupted or failed; `InputError` if it cannot be.

    What has finished, or is active, is left alone.
    """
    limits = limits or Limits()
    with sweep.runs.lock("sweep"):  # of two pages that resume at once, the second one finds it under way
        if sweep.kept():
            raise InputError("The sweep is under way; what was interrupted can be resumed when all is started.")
        rest = [member for member in sweep.members() if member.rest]
        if not rest:
            raise InputError("In this sweep nothing is left to do.")
        for member in rest:
            replace(limits, minutes=None).held(member.config)
        sweep.want(stop=False)
        _keep(sweep, limits)


def stop_all(sweep: Sweep) -> None:
    """Have the keeper start nothing more, and all active runs stop; they can be resumed. `InputError` as in `asked`."""
    sweep.want(stop=True)  # before the runs are looked at: what the keeper starts after it, it stops itself
    for member in sweep.members():
        if member.active:
            launch.stop(member.run)


def command(sweep: Sweep) -> list[str]:
    """What starts the keeper of a sweep; it works by hand too."""
    return module_command(KEEPER, str(sweep.path))


def _keep(sweep: Sweep, limits: Limits) -> None:
    """Start the keeper and wait until it is there."""
    try:
        process: subprocess.Popen[bytes] = detached(
            command(sweep), sweep.path / layout.LOG, limits.told(child_environment())
        )
    except OSError as error:
        raise InputError("The sweep could not be started: {reason}", reason=error.strerror or str(error)) from error
    deadline = time.monotonic() + START_PATIENCE
    while not sweep.kept() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
