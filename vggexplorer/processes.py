"""Processes: how ours are started, and what the system knows of one."""

import os
import subprocess
import sys
import threading
import time
from calendar import timegm
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def module_command(module: str, *arguments: str) -> list[str]:
    """What starts a module with this Python; it works by hand too. Files in the current folder are not imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def detached(command: list[str], log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A process of its own, detached from this one and its terminal; what it prints is added to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (our own modules, with paths of our own)
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            **_DETACHED,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # a child that nobody waits for stays a zombie
    return process


_DETACHED: dict[str, Any] = (
    {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x00000008 | 0x00000200}
)
"""On Windows: DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP."""


# --- what the system knows ---------------------------------------------------------------------------------


def process_began(pid: int) -> int | None:
    """When a process began: ticks of Linux, seconds of macOS. None elsewhere, or if there is no such process."""
    if sys.platform == "darwin":
        return _began_by_ps(pid)
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])  # field 22 of proc(5); a name may hold anything
    return None


def _began_by_ps(pid: int) -> int | None:
    """When a process began, in seconds of the epoch, as `ps` says."""
    command, plain = ["ps", "-o", "lstart=", "-p", str(pid)], {"LC_ALL": "C", "TZ": "UTC"}
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, env=os.environ | plain)  # noqa: S603
        return timegm(time.strptime(done.stdout.strip()))
    return None


def still_runs(pid: Any, began: Any) -> bool:
    """Whether the process `pid` lives that began then; where that is not known it is not believed."""
    return isinstance(pid, int) and pid > 1 and began is not None and began == process_began(pid)


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
