"""What devices can do, as it was measured on them: `python -m vggexplorer.pytorch.calibrate` is asked once each."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

from filelock import FileLock

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.forecast import Calibration, LayerTime
from vggexplorer.paths import child_environment
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


def calibrate(runs: Path, device: Device, progress: Callable[[float], None] = lambda share: None) -> Calibration:
    """Measure `device`, unless that has been done; `progress` is told how much is done, from 0 to 1.

    `InputError` if it cannot be measured.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with FileLock(_file(runs, device.name).with_suffix(".lock")):
        if found := known(runs, device.name):
            return found
        found = _measure(device.name, progress)
        write_json(_file(runs, device.name), {"machine": machine(), "calibration": found.to_json()})
        return found


def _measure(device: str, progress: Callable[[float], None]) -> Calibration:
    began = time.monotonic()
    start = 0.0  # seconds until the first line: until a trainer would begin
    with _explained():
        for news in _lines(command(device), b""):
            if "of" in news:
                start = start or time.monotonic() - began
                progress(news["done"] / news["of"])
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
) -> Timed:
    """Time the layers of a network on a device now, in a process of its own; `progress` as in `calibrate`.

    `InputError` if it cannot be done.
    """
    asked = {"batch": batch, "device": device, "precision": precision, "rounds": rounds}
    asked["network"] = format_network(network)
    with _explained():
        for news in _lines([*_PYTHON, "vggexplorer.pytorch.layer_times"], json.dumps(asked).encode()):
            if "round" in news:
                progress(news["round"] / news["rounds"])
        layers = {each["name"]: LayerTime(each["forward"], each["backward"]) for each in news["layers"]}
        return Timed(float(news["step"]), layers)


_PYTHON = (sys.executable, "-P", "-m")


def command(device: str) -> list[str]:
    """What measures `device`; it works by hand too."""
    return [*_PYTHON, "vggexplorer.pytorch.calibrate", device]


def _lines(command: list[str], asked: bytes) -> Iterator[dict[str, Any]]:
    """The objects that a process prints, as they come; at least one."""
    if find_spec("torch") is None:
        raise InputError("Measuring needs PyTorch, which is not installed here; pip install torch torchvision helps.")
    words, found = "", False
    with (
        tempfile.TemporaryFile() as standard_input,
        subprocess.Popen(  # noqa: S603 (our own module)
            command,
            stdin=_filled(standard_input, asked),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment(),
        ) as process,
    ):
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            for line in process.stdout or ():
                if line.startswith(b'{"'):  # others may print, too
                    found = True
                    yield json.loads(line)
                elif line.strip():
                    words = line.decode(errors="replace").strip()[:300]
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
    if process.returncode or not found:
        raise _failed(words or f"status {process.returncode}")


def _filled(file: IO[bytes], content: bytes) -> IO[bytes]:
    file.write(content)
    file.seek(0)
    return file


@contextmanager
def _explained() -> Iterator[None]:
    """Whatever goes wrong becomes a sentence."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise _failed(error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _failed(type(error).__name__) from error


def _failed(reason: str) -> InputError:
    return InputError("The device could not be measured: {reason}", reason=reason)
