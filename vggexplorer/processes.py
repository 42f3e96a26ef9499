"""Processes: how ours are started, asked and ended, and what the system knows of them and of the machine.

PyTorch, and whatever else is large, is loaded by a process of its own: `ask` starts a module, and in that process
`tell` prints what it has to say. What Linux, macOS and Windows do differently with processes is here and nowhere else.
"""

import json
import math
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from vggexplorer import exhibit
from vggexplorer.errors import InputError, reason_from_json, reason_to_json
from vggexplorer.paths import PACKAGE, WINDOWS

LOOK = 0.1
"""Seconds within which a process is ended that takes too long, or whose answer is not wanted any more."""
_LAST_BYTES = 10_000
"""How much of a log is read for its last words."""
FOR_TORCH = {
    # Threads that wait sleep: with threads that spin, two programs on two cores were seven times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    # The C library keeps blocks below 1 GiB for the next step, where Linux takes them back and clears them. All on
    # large pages, if it can: at 224 pixels, a quarter of a step's time went into page faults with large pages alone.
    "GLIBC_TUNABLES": f"glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold={2**30}:glibc.malloc.trim_threshold={2**40}",
}
"""Environment variables for every process of ours that computes on a CPU: PyTorch and the C library read them as they
are loaded. What a C library does not know, it passes over."""


class NoAnswerError(InputError):
    """A process was asked and did not answer: the sentence, a clause to be put into another, says why."""


class StoppedError(InputError):
    """The answer was not wanted any more."""


def module_command(module: str, *arguments: str) -> list[str]:
    """What starts a module with this Python; it works by hand too. Files in the current folder are not imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


INSTALL = 'pip install "vggexplorer[train]"'
"""What adds PyTorch, and all that goes with it, to an installed vggexplorer."""


def need_torch(*beside: str) -> None:
    """`InputError` unless PyTorch and the modules `beside` it are installed and may be used; nothing is started."""
    exhibit.check()
    for module in ("torch", *beside):
        if find_spec(module) is None:
            name = "PyTorch" if module == "torch" else module
            raise InputError(
                "This needs {package}, which is not installed here; {command} helps.", package=name, command=INSTALL
            )


# --- asking ------------------------------------------------------------------------------------------------


def ask(
    module: str, *arguments: str, given: bytes = b"", timeout: float = math.inf, stop: threading.Event | None = None
) -> Iterator[dict[str, Any]]:
    """The objects that a process of this module tells, as they come; `given` is its standard input.

    It is ended when nobody wants more of them, when `stop` is set (`StoppedError`) and after `timeout` seconds. An
    `InputError` of its own is raised here; `NoAnswerError` if it is late, fails, says nothing or cannot be started.
    """
    exhibit.check()
    if module.startswith("vggexplorer.pytorch."):
        need_torch()
    stop, count = stop or threading.Event(), 0
    try:
        with TemporaryFile() as asked, TemporaryFile() as log:
            asked.write(given)
            asked.seek(0)
            with subprocess.Popen(  # noqa: S603 (our own modules)
                module_command(module, *arguments),
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=log,
                env=child_environment() | {"PYTHONIOENCODING": "utf-8"},
            ) as process:
                deadline = time.monotonic() + timeout
                threading.Thread(target=_guard, args=(process, deadline, stop), daemon=True).start()
                try:
                    for found in filter(None, map(_object, process.stdout or ())):
                        if found.keys() == {"error"}:
                            raise reason_from_json(found["error"])
                        count += 1
                        yield found
                    status = process.wait()
                finally:
                    process.kill()
            if count and not status:
                return
            if stop.is_set():
                raise StoppedError("It was stopped.")
            if time.monotonic() >= deadline:
                raise NoAnswerError("no answer within {seconds} s", seconds=f"{timeout:g}")
            raise NoAnswerError("{reason}", reason=_last_line(log) or f"status {status}")
    except OSError as error:
        raise NoAnswerError("{reason}", reason=error.strerror or str(error)) from error


def answer(
    module: str, *arguments: str, given: bytes = b"", timeout: float = math.inf, stop: threading.Event | None = None
) -> dict[str, Any]:
    """The last object that a process of this module tells; all else as in `ask`."""
    *_, last = ask(module, *arguments, given=given, timeout=timeout, stop=stop)
    return last


def _guard(process: "subprocess.Popen[bytes]", deadline: float, stop: threading.Event) -> None:
    while process.poll() is None and time.monotonic() < deadline and not stop.wait(LOOK):
        pass
    process.kill()


def _object(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None if it is what others print, such as somebody's sitecustomize."""
    with suppress(ValueError):
        found = json.loads(line)
        return found if isinstance(found, dict) else None
    return None


def _last_line(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - _LAST_BYTES))
    return log.read().decode(errors="replace").strip().rpartition("\n")[2].strip()[:300]


def tell(objects: Iterable[Mapping[str, Any]]) -> int:
    """What a process that was asked does: print the objects as they come; its status, 1 if there is an `InputError`.

    The sentence of an error goes to standard error too, and so does whatever else is printed.
    """
    out = sys.stdout
    with redirect_stdout(sys.stderr):
        try:
            for each in objects:
                print(json.dumps(each), file=out, flush=True)
        except InputError as error:
            print(json.dumps({"error": reason_to_json(error)}), file=out, flush=True)
            print(error, file=sys.stderr)
            return 1
    return 0


# --- starting ----------------------------------------------------------------------------------------------


def child_environment() -> dict[str, str]:
    """This process's environment for a child, in which this very package can be imported."""
    environment = FOR_TORCH | os.environ
    if PACKAGE.parent.name.endswith("-packages"):
        return environment
    paths = [path for path in (os.environ.get("PYTHONPATH"), str(PACKAGE.parent)) if path]
    return environment | {"PYTHONPATH": os.pathsep.join(paths)}


def detached(command: list[str], log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A process of its own, detached from this one and its terminal; what it prints is added to `log`."""
    exhibit.check()
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


_DETACHED: dict[str, Any] = {"creationflags": 0x08000000 | 0x00000200} if WINDOWS else {"start_new_session": True}
"""On Windows: CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP.

With DETACHED_PROCESS it would have no console: the Python of a virtual environment there is a program that starts
another one, which would open a window of its own.
"""


# --- command lines -----------------------------------------------------------------------------------------


def shell_line(words: Iterable[str]) -> str:
    """Words as one types them into a shell of this system: those of Windows have double quotes in common."""
    return " ".join(map(_quoted_for_windows, words)) if WINDOWS else shlex.join(words)


def shell_words(line: str) -> list[str]:
    """The words of a line, split as by a shell; `ValueError` if a quote is left open.

    On Windows a backslash is part of a path.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    if WINDOWS:
        lexer.escape = ""
    return list(lexer)


def _quoted_for_windows(word: str) -> str:
    quoted = subprocess.list2cmdline([word])
    return quoted if quoted.startswith('"') or _PLAIN_ON_WINDOWS.fullmatch(word) else f'"{quoted}"'


_PLAIN_ON_WINDOWS = re.compile(r"[\w.:/=+-]+")
"""What neither cmd nor PowerShell takes for anything else."""


# --- ending ------------------------------------------------------------------------------------------------


def end(pid: int) -> None:
    """End a process at once, even one that is stopped; `OSError` if there is none or it is somebody else's.

    SIGKILL; Windows has no signals and ends it for any number but two.
    """
    os.kill(pid, signal.SIGTERM if WINDOWS else signal.SIGKILL)


def end_with_parent(parent: int) -> None:
    """Let this process end when its parent, the process `parent`, does, however that ends; at once if it is gone.

    Linux sends SIGKILL then. macOS and Windows know nothing of the kind: a child whose parent is killed lives on.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 (for this alone)

        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent is gone.")


_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_STOPS = signal.SIGTERM, signal.SIGINT


@contextmanager
def stop_signals(heard: Callable[[bool], object], *, though_ignored: bool = True) -> Iterator[None]:
    """Have `heard` called at Ctrl-C (True) and SIGTERM (False) in place of an end at once.

    Signals that whoever started this process chose to ignore are heard too, unless told otherwise. On Windows nobody
    can send SIGTERM, and a detached process gets no Ctrl-C.
    """

    def note(number: int, _: object) -> None:
        heard(number == signal.SIGINT)

    before = {
        number: signal.signal(number, note)
        for number in _STOPS
        if though_ignored or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """Let Ctrl-C and SIGTERM do nothing from now on."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)


def end_quietly_at_ctrl_c() -> None:
    """Let Ctrl-C end this process as if it had come to its end, from now on."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Around work that gets a `TimeoutError` after so many seconds of the processor's time.

    Windows has no such timer: whoever asked the process ends it after a while.
    """

    def late(*_: object) -> None:
        raise TimeoutError

    if WINDOWS:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)  # once more, if somebody caught it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


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
        done = subprocess.run(command, capture_output=True, encoding="ascii", timeout=5, env=os.environ | plain)  # noqa: S603
        return timegm(time.strptime(done.stdout.strip()))
    return None


def age() -> float:
    """For how many seconds this process has been there; 0 where the system does not say (macOS, Windows)."""
    if sys.platform == "linux" and (began := process_began(os.getpid())) is not None:
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK"))
    return 0.0


def still_runs(pid: Any, began: Any) -> bool:
    """Whether the process `pid` lives that began then; where that is not known it is not believed."""
    return isinstance(pid, int) and pid > 1 and began is not None and began == process_began(pid)


def processors() -> int:
    """How many processors there are for this process: on Linux those it may use, elsewhere all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_name() -> str:
    """The processor's name: on Linux that of its maker, on macOS and Windows what Python is told, such as `arm`."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"


def machine_memory() -> int:
    """The bytes of this machine's memory; 0 where the system does not say (Windows)."""
    with suppress(OSError, ValueError, AttributeError):
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return 0


def busy_seconds(pid: int | str = "self") -> float:
    """The processor time of a process so far; of another one than this only Linux says it, else it is 0."""
    if pid == "self":
        times = os.times()
        return times.user + times.system
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
        user, system = file.read().rpartition(b")")[2].split()[11:13]  # fields 14 and 15 of proc(5)
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


class Share:
    """How much of the processors this process gets, from now on."""

    def __init__(self) -> None:
        self._own, self._all, self._began = busy_seconds(), all_busy_seconds(), time.monotonic()

    def of(self, threads: int, idle: float = 0.0) -> float:
        """The share of so many processors, but for the seconds in which it was `idle`; at most 1, and more than 0.

        It may not have wanted all of them: of what they did, it had a share, too, and the larger one counts. Where the
        system does not say what they did (macOS, Windows), it is 1.
        """
        own, passed, now = busy_seconds() - self._own, time.monotonic() - self._began - idle, all_busy_seconds()
        if self._all is None or now is None or passed <= 0 or now <= self._all:
            return 1.0
        return max(0.01, min(1.0, max(own / (threads * passed), own / (now - self._all))))


def all_busy_seconds() -> float | None:
    """The time so far for which the processors that this process may use have worked for anybody; None if unknown."""
    with suppress(OSError, ValueError, IndexError), open("/proc/stat", "rb") as file:
        usable = {b"cpu%d" % number for number in os.sched_getaffinity(0)}
        lines = [line.split() for line in file if line.startswith(b"cpu")]
        ticks = sum(sum(map(int, words[1:4])) + sum(map(int, words[6:9])) for words in lines if words[0] in usable)
        return ticks / os.sysconf("SC_CLK_TCK")
    return None


def resident_memory(pid: int | str = "self") -> int | None:
    """The bytes of a process that are in memory; of this one on macOS the most there were. None if unknown."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak_memory() if pid == "self" else None


def peak_memory() -> int | None:
    """The most bytes of this process that were in memory at once; None on Windows."""
    with suppress(OSError, ValueError, StopIteration), open("/proc/self/status", "rb") as file:
        # Linux hands ru_maxrss on to a child that is started: that of a large parent would hide our own.
        return 1024 * int(next(line for line in file if line.startswith(b"VmHWM:")).split()[1])
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
