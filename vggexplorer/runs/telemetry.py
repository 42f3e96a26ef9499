"""What a device is doing: an NVIDIA GPU through NVML, a processor by what the operating system says of this process."""

import json
import os
import sys
import time
from contextlib import suppress
from typing import Any


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


def process_began(pid: int) -> int | None:
    """When a process began, in the system's ticks; None where the system does not say, or there is no such process."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])  # field 22 of proc(5); a name may hold anything
    return None


def resident_memory() -> int | None:
    """The bytes of this process that are in memory; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak_memory()


def peak_memory() -> int | None:
    """The most bytes of this process that were in memory at once; None where the system does not say."""
    with suppress(OSError, ValueError, StopIteration), open("/proc/self/status", "rb") as file:
        # Linux hands ru_maxrss on to a child that is started: that of a large parent would hide our own.
        return 1024 * int(next(line for line in file if line.startswith(b"VmHWM:")).split()[1])
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
