"""What a device is doing: an NVIDIA GPU through NVML, a processor by what the operating system says of this process."""

import json
import os
import time
from contextlib import suppress
from typing import Any

from vggexplorer.processes import resident_memory


class Sampler:
    """Samples the device of one trainer. On a GPU without the package nvidia-ml-py the samples are empty."""

    def __init__(self, device: str, uuid: str | None = None) -> None:
        self._began = time.monotonic()
        self._nvml: Any = None
        self._handle: Any = None
        self._cpu = device == "cpu"
        self._last = (self._began, _cpu_seconds())
        if device.startswith("cuda"):
            with suppress(Exception):
                self._open(uuid)

    def _open(self, uuid: str | None) -> None:
        import pynvml  # noqa: PLC0415 (a training server may lack it)

        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByUUID(uuid.encode()) if uuid else pynvml.nvmlDeviceGetHandleByIndex(0)
        self._nvml = pynvml

    def sample(self) -> dict[str, float | int]:
        """Utilisation (%), memory in use and in all (bytes), temperature (degrees C), power (W), as far as known."""
        found: dict[str, float | int] = {}
        if self._cpu:
            now, used = time.monotonic(), _cpu_seconds()
            elapsed = max(1e-6, now - self._last[0])
            found["utilization"] = round(100 * (used - self._last[1]) / elapsed / (os.cpu_count() or 1), 1)
            self._last = (now, used)
            if memory := resident_memory():
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
        return found

    def line(self) -> bytes:
        """One line of telemetry.jsonl."""
        seconds = round(time.monotonic() - self._began, 1)
        return json.dumps({"seconds": seconds, **self.sample()}).encode() + b"\n"


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system
