"""What a teacher allows a run: how long, how large, how many at once for a person.

The limits come with the options of `vggexplorer`; the dashboard reads them from its environment. The command line
and the person's own Python are not limited: who has an account on the machine can do there what they like.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.runs import launch, races
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.files import unwritable
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import MAX_TIME
from vggexplorer.runs.places import Place
from vggexplorer.summary import summarize

_LARGEST = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most minutes, parameters and MACs of a run, and of active runs for each person; None is no limit."""

    minutes: int | None = None
    params: int | None = None
    macs: int | None = None
    runs: int | None = None

    @staticmethod
    def read() -> "Limits":
        """What the environment says; `InputError` if that is no positive whole number."""
        return Limits(**{name: whole(os.environ.get(_variable(name)), name) for name in _NAMES})

    def tell(self) -> None:
        """Have `read` find these limits in this process and those that it starts."""
        for name in _NAMES:
            os.environ.pop(_variable(name), None)
        os.environ.update(self.told({}))

    def told(self, environment: Mapping[str, str]) -> dict[str, str]:
        """`environment` for a process in which `read` finds these limits, and no others."""
        own = {_variable(name): str(value) for name in _NAMES if (value := getattr(self, name)) is not None}
        return {key: text for key, text in environment.items() if key not in map(_variable, _NAMES)} | own

    def held(self, config: Config) -> Config:
        """`config`, which is over after the allowed minutes; `InputError` if it asks for more than is allowed."""
        totals = summarize(*config.trained).totals
        if self.params is not None and totals.params > self.params:
            raise InputError(
                "The teacher allows {most} {most:parameter|parameters} here, this network has {count}.",
                most=f"{self.params:,}",
                count=f"{totals.params:,}",
            )
        if self.macs is not None and totals.macs > self.macs:
            raise InputError(
                "The teacher allows {most} {most:MAC|MACs} here, this network has {count}; a smaller input has fewer.",
                most=f"{self.macs:,}",
                count=f"{totals.macs:,}",
            )
        if self.minutes is None:
            return config
        asked, allowed = config.training.time_budget, min(60.0 * self.minutes, MAX_TIME)
        if asked is not None and asked > allowed:
            raise InputError(
                "The teacher allows a run {most} s here; this one has a time budget of {asked} s.",
                most=f"{allowed:g}",
                asked=f"{asked:g}",
            )
        return replace(config, training=replace(config.training, time_budget=asked or allowed))

    def check_room(self, runs: Runs, owner: str, more: int = 1) -> None:
        """`InputError` if `owner` would have more active runs than are allowed with so many `more`."""
        if self.runs is None or (active := active_runs(runs, owner)) + more <= self.runs:
            return
        if more == 1:
            raise InputError(
                "The teacher allows {most} active {most:run|runs} for each person here, and you have {count}; "
                "stop one, or wait.",
                most=self.runs,
                count=active,
            )
        raise InputError(
            "A race of {more} is {more} runs; the teacher allows {most} active {most:run|runs} for each person here, "
            "and you have {count}.",
            more=more,
            most=self.runs,
            count=active,
        )


_NAMES = tuple(field.name for field in fields(Limits))


def _variable(name: str) -> str:
    return f"VGGEXPLORER_MAX_{name.upper()}"


def active_runs(runs: Runs, owner: str) -> int:
    """How many runs of `owner` a trainer is at, or about to be."""
    return sum(run.owner() == owner for run in Line(runs).living())


def whole(text: str | None, name: str) -> int | None:
    """The limit `name` from its text; None without one."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and 1 <= int(text) <= _LARGEST):
        raise InputError(
            "The limit max-{name} must be a whole number from 1 on, not {value}.", name=name, value=shown(text)
        )
    return int(text)


def start(
    runs: Runs,
    config: Config,
    name: str | None,
    owner: str,
    limits: Limits,
    run_id: str | None = None,
    place: Place = launch.HERE,
) -> Run:
    """Start a run for `owner` within `limits`; `InputError` if that cannot be. `run_id` as in `Runs.create`."""
    config = limits.held(config)
    with _room(runs, owner, limits):
        return launch.start(runs, config, name, owner, run_id=run_id, place=place)


def start_race(
    runs: Runs, configs: Sequence[Config], owner: str, limits: Limits, names: Sequence[str | None] | None = None
) -> list[Run]:
    """Start a race for `owner` within `limits`, in which each member counts as a run; `InputError` if it cannot be."""
    held = [limits.held(config) for config in configs]
    with _room(runs, owner, limits, len(held)):
        return races.start_race(runs, held, owner, names)


def resume(runs: Runs, run: Run, limits: Limits) -> None:
    """Go on with a run within `limits`, which may have been set after its start; `InputError` if that cannot be.

    How long it may take was settled at its start: what a run was asked never changes.
    """
    replace(limits, minutes=None).held(run.config())
    with _room(runs, run.owner(), limits):
        launch.resume(runs, run)


@contextmanager
def _room(runs: Runs, owner: str, limits: Limits, more: int = 1) -> Iterator[None]:
    """Around the start of so many `more`: of two tabs that start at once, the second one counts the first one's run."""
    if limits.runs is None:
        yield
        return
    try:
        lock = runs.lock("start")
        lock.acquire()
    except OSError as error:
        raise unwritable(runs.path, error) from error
    try:
        limits.check_room(runs, owner, more)
        yield
    finally:
        lock.release()
