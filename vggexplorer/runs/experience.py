"""What runs on this machine have shown of its devices: each that ends notes how long its steps took.

So does a calibration, of the steps for which it was asked. `experience.json`, beside the runs, holds the newest; a
forecast is corrected by it, and so is the speed by which the quick demo's row is picked. What another PyTorch took is
kept, and counts until there is something of this one.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from vggexplorer.architectures import check_choice
from vggexplorer.errors import InputError
from vggexplorer.forecast.correction import Steps, factor
from vggexplorer.forecast.precision import BOTH
from vggexplorer.forecast.speed import By, Speed
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device, expected, machine
from vggexplorer.runs.folder.files import write_json
from vggexplorer.summary import summarize
from vggexplorer.text import format_network, parse_network

MOST_KEPT = 60
"""The newest are kept."""
FEWEST = 10
"""Steps that a run must have made, beside its first, to tell how long one takes."""
LONG = 0.02
"""Seconds of a step from which on computing is most of it: shorter ones say little of how fast a device does that."""


class Noted(NamedTuple):
    """Steps, and where they were made: on a machine (`devices.machine`) and a device; by a run that has `ended`, or to
    see how long they take."""

    machine: dict[str, Any]
    device: str
    steps: Steps
    ended: bool = True

    def to_json(self) -> dict[str, Any]:
        """What the file holds of it."""
        steps = self.steps._asdict() | {"network": format_network(self.steps.network)}
        return self._asdict() | {"steps": steps}

    @staticmethod
    def from_json(data: Any) -> "Noted | None":
        """What `to_json` wrote; None if it is damaged."""
        try:
            steps = data["steps"]
            network = parse_network(steps["network"])
            whole = int(steps["batch"]), int(steps["kept"])
            found = Steps(network, *whole, str(steps["precision"]), float(steps["seconds"]), float(steps["share"]))
            check_choice(found.precision, "the precision", BOTH)
            summarize(*network)
            noted = Noted(dict(data["machine"]), str(data["device"]), found, bool(data["ended"]))
        except (InputError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return None
        good = isfinite(found.seconds) and found.seconds > 0 and 0 < found.share <= 1 and 0 < found.batch < 2**31
        return noted if good else None


def note(runs: Path, device: str, steps: Steps, ended: bool = True) -> None:
    """Write down what a step took; what was only seen of such steps does not count any more."""
    noted = Noted(machine(), device, steps, ended)
    with suppress(OSError), FileLock(runs / "experience.lock"):
        before = (each for each in _all(runs) if each.ended or not each.steps.alike(steps))
        kept = [*before, noted][-MOST_KEPT:]
        write_json(_file(runs), {"runs": [each.to_json() for each in kept]})


def steps_of(config: Config, precision: str) -> Steps:
    """The steps that `config` asks for, in that precision."""
    return Steps(config.trained, config.training.batch_size, config.training.kept, precision)


def past(runs: Path, device: str) -> list[Steps]:
    """What was noted on this machine of a device, the newest last."""
    here = machine()
    found = [each for each in _all(runs) if each.device == device]
    found = [each for each in found if each.machine | {"torch": ""} == here | {"torch": ""}]
    same = [each for each in found if each.machine == here]
    return [each.steps for each in same or found]


def _file(runs: Path) -> Path:
    return runs / "experience.json"


def _all(runs: Path) -> tuple[Noted, ...]:
    with suppress(OSError):
        return _parsed(_file(runs).read_bytes())
    return ()


@lru_cache(maxsize=8)
def _parsed(content: bytes) -> tuple[Noted, ...]:
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        return tuple(filter(None, map(Noted.from_json, json.loads(content)["runs"])))
    return ()


def kept_speed(runs: Path, name: str) -> Speed | None:
    """How fast the device that `name` means trains, without asking PyTorch; None if that is not known.

    Best of all by what runs on it took; else by a short measurement, or by what the processor is.
    """
    with suppress(InputError):
        device = expected(runs, name)
        if device and (device.pace or device.name != "cpu"):
            return shown(device, past(runs, device.name)) or device.speed(device.precision)
    return None


def shown(device: Device, past: Sequence[Steps]) -> Speed | None:
    """How fast `past` runs have shown a device to be, in the precision of the newest; None if they tell nothing."""
    long = [each for each in past if each.seconds >= LONG]
    if not long:
        return None
    speed = device.speed(precision := long[-1].precision)
    same = [each for each in long if each.precision == precision]
    found = factor(same, lambda each: speed.step(each.network, each.batch))
    return speed.times(found, By.RUNS) if found else None
