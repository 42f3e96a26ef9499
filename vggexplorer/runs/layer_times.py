"""How long each layer of a network takes on a device: `python -m vggexplorer.pytorch.layer_times` is asked."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.forecast import LayerTime
from vggexplorer.paths import child_environment
from vggexplorer.text import format_network

ROUNDS = 5
PATIENCE = 300.0
"""Seconds after which a measurement is ended."""


class Measured(NamedTuple):
    """Seconds of a whole training step, and of each layer in it by name, for a batch."""

    step: float
    layers: dict[str, LayerTime]

    @property
    def forward(self) -> float:
        """Seconds of all layers, forward."""
        return sum(each.forward for each in self.layers.values())

    @property
    def backward(self) -> float:
        """Seconds of all layers, backward."""
        return sum(each.backward for each in self.layers.values())


def measure(
    network: Network, batch: int, device: str, precision: str, progress: Callable[[float], None] = lambda share: None
) -> Measured:
    """Time the layers of `network` in training steps with `batch` images; `progress` is told the share that is done.

    `InputError` if it cannot be measured, say because the memory is not enough.
    """
    if find_spec("torch") is None:
        raise InputError("Measuring needs PyTorch, which is not installed here; pip install torch torchvision helps.")
    asked = {"network": format_network(network), "batch": batch, "device": device, "precision": precision}
    found: dict[str, Any] = {}
    words = ""
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "vggexplorer.pytorch.layer_times"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment(),
        ) as process:
            timer = threading.Timer(PATIENCE, process.kill)
            timer.start()
            try:
                if process.stdin:
                    process.stdin.write(json.dumps(asked | {"rounds": ROUNDS}).encode())
                    process.stdin.close()
                for line in process.stdout or ():
                    if line.startswith(b'{"round"'):  # others may print, too
                        progress(json.loads(line)["round"] / ROUNDS)
                    elif line.startswith(b'{"step"'):
                        found = json.loads(line)
                    elif line.strip():
                        words = line.decode(errors="replace").strip()[:300]
            except BaseException:
                process.kill()
                raise
            finally:
                timer.cancel()
        layers = {each["name"]: LayerTime(each["forward"], each["backward"]) for each in found["layers"]}
        return Measured(found["step"], layers)
    except OSError as error:
        raise InputError("The layers could not be timed: {reason}", reason=error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError) as error:
        reason = words or f"status {process.returncode}"
        raise InputError("The layers could not be timed: {reason}", reason=reason) from error
