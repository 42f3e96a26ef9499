"""What devices can do, as it was measured on them: `python -m vggexplorer.pytorch.calibrate` is asked once each."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.forecast import Calibration, LayerTime
from vggexplorer.processes import NoAnswerError, ask
from vggexplorer.runs.devices import Device, machine
from vggexplorer.runs.store import write_json
from vggexplorer.text import format_network

PATIENCE = 300.0
"""Seconds after which a calibration is ended: it takes a few, or a minute on a busy machine."""


def known(runs: Path, device: str) -> Calibration | None:
    """What was measured of `device` (as PyTorch names it) on this machine with this PyTorch; None if nothing was."""
    try:
        data = json.loads(_file(runs, device).read_bytes())
        return Calibration.from_json(data["calibration"]) if data["machine"] == machine() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _file(runs: Path, device: str) -> Path:
    return runs / f"calibration-{device.replace(':', '-')}.json"


def calibrate(
    runs: Path,
    device: Device,
    progress: Callable[[float], None] = lambda share: None,
    stop: threading.Event | None = None,
) -> Calibration:
    """Measure `device`, unless that has been done; `progress` is told how much is done, from 0 to 1.

    `stop` as in `processes.ask`; `InputError` if it cannot be measured.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with FileLock(_file(runs, device.name).with_suffix(".lock")):
        if found := known(runs, device.name):
            return found
        found = _measure(device.name, progress, stop)
        write_json(_file(runs, device.name), {"machine": machine(), "calibration": found.to_json()})
        return found


def _measure(device: str, progress: Callable[[float], None], stop: threading.Event | None) -> Calibration:
    began = time.monotonic()
    start = 0.0  # seconds until the first line: until a trainer would begin
    try:
        for news in ask("vggexplorer.pytorch.calibrate", device, patience=PATIENCE, stop=stop):
            if "of" in news:
                start = start or time.monotonic() - began
                progress(news["done"] / news["of"])
    except NoAnswerError as error:
        raise _failed(error) from error
    return Calibration.from_json(news["calibration"] | {"start": start})


class Timed(NamedTuple):
    """Seconds of a whole step, and of each layer by name, forward and backward."""

    step: float
    layers: dict[str, LayerTime]


def time_layers(
    network: Network,
    batch: int,
    device: str,
    precision: str,
    progress: Callable[[float], None] = lambda share: None,
    rounds: int = 10,
    stop: threading.Event | None = None,
) -> Timed:
    """Time the layers of a network on a device now, in a process of its own; `progress` and `stop` as in `calibrate`.

    `InputError` if it cannot be done.
    """
    asked = {"batch": batch, "device": device, "precision": precision, "rounds": rounds}
    given = json.dumps(asked | {"network": format_network(network)}).encode()
    try:
        for news in ask("vggexplorer.pytorch.layer_times", given=given, patience=PATIENCE, stop=stop):
            if "round" in news:
                progress(news["round"] / news["rounds"])
    except NoAnswerError as error:
        raise _failed(error) from error
    layers = {each["name"]: LayerTime(each["forward"], each["backward"]) for each in news["layers"]}
    return Timed(float(news["step"]), layers)


def _failed(reason: InputError) -> InputError:
    return InputError("The device could not be measured: {reason}", reason=reason)
