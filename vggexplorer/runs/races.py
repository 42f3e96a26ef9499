"""A race: two or three networks that train side by side on one device.

There is no folder of a race. Each member is an ordinary run, with its own process, folder, pause and exact resume; the
`Place` that is kept of it has the ids of all, in the order of their seats. They come into the line together, and who is
behind waits for all of them. On a processor the cores are shared out: a member has as many threads when it starts as
when it goes on, and ends with the bits of a run of its own that has as many.

A race has no clock either: `seconds` of a member's records are its own, from its first step on, without its pauses and
what it did not train. They tell of the race as long as nobody pauses a member or goes on with it later.
"""

from collections.abc import Sequence
from typing import NamedTuple

from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.runs import devices, forecasts, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.line import SEATS
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import Forecast
from vggexplorer.runs.places import Place

MOST = SEATS
"""The most members of a race."""
SHARED = Remark("A member alone would be faster: they share the device.")
"""What is to be said of every race."""


# --- before the start ----------------------------------------------------------------------------------------


class Together(NamedTuple):
    """What the members of a race take on `device`: `alone` is what each would take by itself."""

    device: Device
    alone: tuple[Forecast, ...]

    @property
    def memory(self) -> int:
        """The bytes of all members: each is a process of its own, and shares nothing with the others."""
        return sum(each.memory.total for each in self.alone)

    @property
    def most(self) -> int:
        """The bytes that `memory` may be at most."""
        return sum(each.most for each in self.alone)

    @property
    def fits(self) -> bool:
        """Whether all members fit into the device's memory at once."""
        return forecasts.enough(self.device.memory, self.most)

    @property
    def seconds(self) -> float | None:
        """About how long the race takes: as long as its members in turn. None if the time of one is not known."""
        times = [each.time.total for each in self.alone if each.time]
        return sum(times) if len(times) == len(self.alone) else None


def forecast_race(runs: Runs, configs: Sequence[Config]) -> Together | None:
    """What a race will take on the first one's device; None if nobody has looked at the devices yet.

    `InputError` if a folder of pictures cannot be read.
    """
    found = forecasts.known(runs.path, configs[0].device)
    return Together(found[0], tuple(forecasts.forecast(config, *found) for config in configs)) if found else None


def check(runs: Runs, configs: Sequence[Config]) -> None:
    """`InputError` unless these can race each other: two or three, on one device."""
    if not 2 <= len(configs) <= MOST:
        raise InputError("A race is between 2 and {most} networks, not {count}.", most=MOST, count=len(configs))
    names = {devices.resolve(config.device, runs.path).name for config in configs}
    if len(names) > 1:
        raise InputError("The members of a race share one device, not {names}.", names=", ".join(sorted(names)))


def start_race(
    runs: Runs, configs: Sequence[Config], owner: str = "", names: Sequence[str | None] | None = None
) -> list[Run]:
    """Start a race of `owner`, all members or none, in the order of their seats; `InputError` if that cannot be.

    No two have the same name: where networks are alike, names have numbers.
    """
    check(runs, configs)
    return launch.start_together(runs, configs, names or [None] * len(configs), owner)


# --- afterwards ----------------------------------------------------------------------------------------------


def race_of(run: Run) -> tuple[str, ...]:
    """The ids of all members of the race that `run` is in, in the order of their seats; empty if it is in none."""
    return Place.of(run).race


def members(runs: Runs, run: Run) -> list[Run]:
    """The members of the race of `run` that are still there, in the order of their seats; empty if it is in none."""
    return [found for found in map(runs.get, race_of(run)) if found]
