"""What the processor is, as far as the system says without PyTorch: cores, clock, vector instructions.

Linux has it all in files, macOS is asked by `sysctl`, Windows has it in the registry and in kernel32.
"""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import NamedTuple

from vggexplorer.paths import WINDOWS
from vggexplorer.processes import processors


class Processor(NamedTuple):
    """The cores that a process may use, a part of one where there is a quota; hertz; instructions, as Linux names them.

    None or nothing where that is not known.
    """

    cores: float | None
    clock: float | None
    flags: frozenset[str]


_HELD = {"SSE41": "avx", "AVX": "avx2", "AVX2": "avx512", "AVX512_CORE": "avx512_bf16", "AVX512_CORE_BF16": "amx"}
"""By a value of ONEDNN_MAX_CPU_ISA, the first instructions that oneDNN does not use then."""
_ORDER = ("avx", "avx2", "avx512", "avx512_bf16", "amx")


def processor(environment: Mapping[str, str] = os.environ) -> Processor:
    """This machine's, held to what `environment` asks of PyTorch: fewer threads, older instructions."""
    found = _on_windows() if WINDOWS else _on_macos() if sys.platform == "darwin" else _on_linux()
    return held(found, environment)


def held(found: Processor, environment: Mapping[str, str]) -> Processor:
    """What of a processor is used where OMP_NUM_THREADS or ONEDNN_MAX_CPU_ISA are set."""
    with suppress(KeyError, ValueError):
        if (threads := int(environment["OMP_NUM_THREADS"])) > 0:
            found = found._replace(cores=min(threads, found.cores or threads))
    if first := _HELD.get(environment.get("ONEDNN_MAX_CPU_ISA", "").upper()):
        above = _ORDER[_ORDER.index(first) :]
        kept = (each for each in found.flags if not _among(each, above))
        found = found._replace(flags=frozenset(kept))
    return found


def _among(flag: str, sets: Iterable[str]) -> bool:
    """Whether an instruction belongs to one of these: `avx512f` and the like to avx512."""
    families = (each for each in ("avx512_bf16", "avx512", "amx") if flag.startswith(each))
    return next(families, flag) in sets


def may_have_gpu() -> bool:
    """Whether PyTorch may find a better device than the processor: an NVIDIA driver is there, or it is Apple's."""
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return apple or which("nvidia-smi") is not None or Path("/dev/kfd").exists()


# --- Linux -------------------------------------------------------------------------------------------------


def _on_linux() -> Processor:
    text = _text("/proc/cpuinfo")
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    found = of_cpuinfo(text, allowed)
    clock = _number(_text("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"))
    cores = min(found.cores or processors(), _quota() or float("inf"))
    return found._replace(cores=cores, clock=1000 * clock if clock else found.clock)


def of_cpuinfo(text: str, allowed: Iterable[int] | None = None) -> Processor:
    """What /proc/cpuinfo says: two threads of one core count once, the clock in its name before that of now."""
    cpus = [dict(_pairs(part)) for part in text.split("\n\n") if part.strip()]
    usable = None if allowed is None else {str(number) for number in allowed}
    cpus = [cpu for cpu in cpus if "processor" in cpu and (usable is None or cpu["processor"] in usable)]
    cores = {(cpu.get("physical id"), cpu.get("core id", cpu["processor"])) for cpu in cpus}
    first = cpus[0] if cpus else {}
    flags = first.get("flags") or first.get("Features") or ""
    return Processor(float(len(cores)) or None, _clock(first), frozenset(flags.lower().split()))


def _pairs(part: str) -> Iterable[tuple[str, str]]:
    for line in part.splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _clock(cpu: Mapping[str, str]) -> float | None:
    if found := re.search(r"@ *([\d.]+) *GHz", cpu.get("model name", "")):
        return 1e9 * (_number(found[1]) or 0) or None
    now = _number(cpu.get("cpu MHz", ""))
    return 1e6 * now if now else None


def _quota() -> float | None:
    """The processors that a container may use at most; None without a limit."""
    quota, _, period = _text("/sys/fs/cgroup/cpu.max").partition(" ")
    if not quota:
        quota, period = (_text(f"/sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
    found, of = _number(quota), _number(period)
    return found / of if found and of and found > 0 else None


def _text(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    return ""


def _number(text: str) -> float | None:
    with suppress(ValueError):
        return float(text)
    return None


# --- macOS and Windows ---------------------------------------------------------------------------------------


def _on_macos() -> Processor:
    fast, all_, clock, *features = map(_sysctl, _OF_MACOS)
    flags = {"asimd", "asimddp"} if platform.machine() == "arm64" else set(" ".join(features).lower().split())
    return Processor(_number(fast) or _number(all_), _number(clock), frozenset(flags))


_OF_MACOS = (
    *("hw.perflevel0.physicalcpu", "hw.physicalcpu", "hw.cpufrequency_max"),
    *("machdep.cpu.features", "machdep.cpu.leaf7_features"),
)


def _sysctl(name: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        command = ["/usr/sbin/sysctl", "-n", name]
        return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=2).stdout.strip()  # noqa: S603
    return ""


_FEATURES = {19: "asimd", 37: "sse4_1", 39: "avx", 40: "avx2", 41: "avx512f", 43: "asimddp"}
"""PF_..._AVAILABLE of winnt.h."""


def _on_windows() -> Processor:
    if sys.platform != "win32":
        return Processor(None, None, frozenset())
    import ctypes  # noqa: PLC0415 (not the same on all systems)
    import winreg  # noqa: PLC0415 (only there)

    flags = {name for number, name in _FEATURES.items() if ctypes.windll.kernel32.IsProcessorFeaturePresent(number)}
    clock = None
    with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _KEY) as key:
        clock = 1e6 * float(winreg.QueryValueEx(key, "~MHz")[0])
    threads = 1 if "asimd" in flags else 2  # of a core: most have two
    return Processor(max(1.0, processors() / threads), clock, frozenset(flags))


_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
