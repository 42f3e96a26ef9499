"""What a device is doing: an NVIDIA GPU through NVML, a processor by what the operating system says of processes.

It is asked by the thread of the heartbeat, once a second, never by a step. NVML asks the driver and waits for no work
of the device; each sample says how long it took.
"""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from vggexplorer.processes import busy_seconds, processors, resident_memory


class Sampler:
    """Samples the device of one trainer. On a GPU without the package nvidia-ml-py the samples are empty.

    `others` are the processes that train with this one: a processor's samples are of all of them.
    """

    def __init__(self, device: str, uuid: str | None = None, others: Callable[[], Sequence[int]] = tuple) -> None:
        self._began = time.monotonic()
        self._nvml: Any = None
        self._handle: Any = None
        self._cpu = device == "cpu"
        self._others = others
        self._last = (self._began, self._busy())
        if device.startswith("cuda"):
            with suppress(Exception):
                self._open(uuid)

    def _open(self, uuid: str | None) -> None:
        import pynvml  # noqa: PLC0415 (a training server may lack it)

        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByUUID(uuid.encode()) if uuid else pynvml.nvmlDeviceGetHandleByIndex(0)
        self._nvml = pynvml

    def sample(self) -> dict[str, float | int]:
        """Utilisation (%), memory in use and in all (bytes), temperature (degrees C), power and its limit (W).

        As far as known. A processor's utilisation is the share that the run's processes have of those for it.
        """
        found: dict[str, float | int] = {}
        if self._cpu:
            now, used = time.monotonic(), self._busy()
            elapsed = max(1e-6, now - self._last[0])
            found["utilization"] = round(max(0.0, 100 * (used - self._last[1]) / elapsed / processors()), 1)
            self._last = (now, used)
            if memory := sum(resident_memory(pid) or 0 for pid in self._processes()):
                found["memory"] = memory
        elif self._nvml:
            nvml, handle = self._nvml, self._handle
            with suppress(Exception):
                found["utilization"] = nvml.nvmlDeviceGetUtilizationRates(handle).gpu
            with suppress(Exception):
                info = nvml.nvmlDeviceGetMemoryInfo(handle)
                found |= {"memory": info.used, "memory_total": info.total}
            with suppress(Exception):
                found["temperature"] = nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
            with suppress(Exception):
                found["power"] = round(nvml.nvmlDeviceGetPowerUsage(handle) / 1000, 1)
            with suppress(Exception):
                found["power_limit"] = round(nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000, 1)
        return found

    def line(self) -> bytes:
        """One line of telemetry.jsonl: the sample, when it was taken, and the milliseconds that it took."""
        began = time.monotonic()
        sample = self.sample()
        took = round(1000 * (time.monotonic() - began), 2)
        return json.dumps({"seconds": round(began - self._began, 1), **sample, "took": took}).encode() + b"\n"

    def _busy(self) -> float:
        return sum(map(busy_seconds, self._processes()))

    def _processes(self) -> list[int | str]:
        return ["self", *self._others()]
