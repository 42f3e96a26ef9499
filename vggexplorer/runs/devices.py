"""Which devices there are. PyTorch knows: `python -m vggexplorer.pytorch.devices` is asked once, its answer is kept."""

import json
import os
import platform
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import Decision, decide
from vggexplorer.forecast.processor import estimate
from vggexplorer.forecast.speed import By, Speed
from vggexplorer.processes import NoAnswerError, answer, machine_memory, processor_name
from vggexplorer.processor import may_have_gpu, processor
from vggexplorer.runs.folder.files import write_json

DEVICES_TIMEOUT = 120
"""Seconds that PyTorch may take to answer."""
SLOWEST = 1 / 8
"""How many times as fast bfloat16 is as float32 where it was not tried, as the processor lacks it."""


class Device(NamedTuple):
    """A device that can train: its name in PyTorch, its maker's name, its memory in bytes.

    In a short measurement, bfloat16 was `speedup` times as fast as float32, in which a training step took `pace`
    seconds for each MAC; 0 if the device does not compute in bfloat16, or if it failed. Of a device that was not looked
    at, both are `estimated`.
    """

    name: str
    title: str
    memory: int
    speedup: float
    uuid: str | None = None
    pace: float = 0.0
    estimated: bool = False

    @property
    def precision(self) -> str:
        """The precision that was the faster one in the short measurement."""
        return decide(self.speedup > 0, 1.0, 1 / self.speedup if self.speedup > 0 else None).precision

    def speed(self, precision: str) -> Speed:
        """How fast it trains, by that measurement or estimate."""
        speedup = (self.speedup or SLOWEST) if precision == "bfloat16" else 1
        by = By.PROCESSOR if self.estimated else By.LOOK
        return Speed.measured(self.pace, speedup, gpu=self.name != "cpu", by=by)


def known(runs: Path) -> list[Device] | None:
    """The devices as they were found on this machine with this PyTorch, the best first; None if nobody has looked."""
    try:
        data = json.loads((runs / "devices.json").read_bytes())
        if data["machine"] != machine():
            return None
        return [Device(**device) for device in data["devices"]]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def expected(runs: Path, name: str) -> Device | None:
    """The device that `name` means, without asking PyTorch: as it was found, else as it may be; None if nobody can say.

    `InputError` if there is none of this name.
    """
    if found := known(runs):
        return pick(name, found)
    return by_its_kind() if name == "cpu" or (name == "auto" and not may_have_gpu()) else None


@lru_cache(maxsize=1)
def by_its_kind() -> Device | None:
    """The processor by what it is, with an estimate of what would be measured of it; None if too little is known."""
    if found := estimate(processor()):
        about = processor_name(), machine_memory()
        return Device("cpu", *about, found.speedup, pace=found.pace, estimated=True)
    return None


MOST_DECISIONS = 1000
"""The newest are kept."""


def known_decision(runs: Path, steps: str) -> Decision | None:
    """How the precision of such steps was chosen on this machine with this PyTorch; None if it was not."""
    return Decision.from_json(_decisions(runs).get(steps))


def keep_decision(runs: Path, steps: str, decision: Decision) -> None:
    """Write it down: the next run of such steps has the same precision, and equal bits with the same seed."""
    with suppress(OSError), FileLock(runs / "precisions.lock"):
        kept = [*_decisions(runs).items(), (steps, decision.to_json())][-MOST_DECISIONS:]
        write_json(runs / "precisions.json", {"machine": machine(), "decisions": dict(kept)})


def _decisions(runs: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, TypeError, KeyError):
        data = json.loads((runs / "precisions.json").read_bytes())
        if data["machine"] == machine() and isinstance(data["decisions"], dict):
            return dict(data["decisions"])
    return {}


def begin_trial(runs: Path, device: str) -> bool:
    """Note that the fused step is tried on a device; False if the note of the last trial is still there.

    A kernel may take the whole process with it: then no other run on this machine tries it, until PyTorch is another.
    """
    begun = _trials(runs)
    if device in begun:
        return False
    _keep_trials(runs, [*begun, device])
    return True


def end_trial(runs: Path, device: str) -> None:
    """Take the note away."""
    if device in (begun := _trials(runs)):
        _keep_trials(runs, [each for each in begun if each != device])


def _trials(runs: Path) -> list[Any]:
    with suppress(OSError, ValueError, TypeError, KeyError):
        data = json.loads((runs / "trials.json").read_bytes())
        if data["machine"] == machine() and isinstance(data["begun"], list):
            return list(data["begun"])
    return []


def _keep_trials(runs: Path, begun: list[Any]) -> None:
    with suppress(OSError):
        write_json(runs / "trials.json", {"machine": machine(), "begun": begun})


def machine() -> dict[str, Any]:
    """What the answer depends on."""
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return {"host": platform.node(), "torch": torch, "cpus": os.cpu_count(), "visible": visible}


def look(runs: Path, stop: threading.Event | None = None) -> list[Device]:
    """Ask PyTorch now (a few seconds), unless it has been asked; `stop` and `InputError` as in `processes.ask`."""
    if devices := known(runs):
        return devices
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with FileLock(runs / "devices.lock"):
            if devices := known(runs):
                return devices
            devices = _ask(stop)
            write_json(runs / "devices.json", {"machine": machine(), "devices": [each._asdict() for each in devices]})
            return devices
    except OSError as error:
        raise InputError(
            "The run's files could not be written: {reason}", reason=error.strerror or str(error)
        ) from error


def _ask(stop: threading.Event | None) -> list[Device]:
    try:
        found = answer("vggexplorer.pytorch.devices", timeout=DEVICES_TIMEOUT, stop=stop)
        return [Device(**device) for device in found["devices"]]
    except NoAnswerError as error:
        raise InputError("PyTorch could not be asked for its devices: {reason}", reason=error) from error


def resolve(name: str, runs: Path) -> Device:
    """The device that `name` means here, by `pick`; PyTorch is asked if it was not."""
    return pick(name, look(runs))


def pick(name: str, devices: Sequence[Device]) -> Device:
    """The device that `name` means (auto: the best one, cuda: the first GPU); `InputError` if there is none."""
    wanted = {"auto": devices[0].name, "cuda": "cuda:0"}.get(name, name)
    for device in devices:
        if device.name == wanted:
            return device
    names = ", ".join(device.name for device in devices)
    raise InputError("There is no device {name} here; there are {names}.", name=wanted, names=names)
