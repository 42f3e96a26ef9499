"""A process that has PyTorch loaded and forks trainers, each with a fault of its own: `python nursery.py RUN_DIR`.

The trainer is the real one, `worker.main` in a fresh fork: only what a test injects is changed, and the time for
loading PyTorch is saved. RUN_DIR is trained first, so that all that PyTorch loads late is there. Each line of
standard input is a JSON object: `run`, a folder, `fault`, a list with the name of one of `FAULTS` and its arguments,
and `after`, seconds until it is killed, or null; the answer is a line with the status as `os.waitpid` gives it.
With `wait` false the answer is the process id, at once.
"""

import builtins
import ctypes
import errno
import io
import json
import os
import re
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import torch

from vggexplorer.pytorch import loop
from vggexplorer.pytorch.step import Plain
from vggexplorer.runs.trainer import worker

SAVE_EVERY = 4
"""Steps between checkpoints: the product goes by the clock, which would make no two runs alike."""
GROWING = ("open", "write", "flush", "mkdir")
"""What needs room on the disk."""


class Boundaries:
    """Sees each call by which the trainer changes its folder, before it is made; `act` decides what becomes of it.

    `act(number, what, half)` gets the call's number (those of the heartbeat's own thread have the number -1), its name
    with the file's, and a function that does half of it. It may return, raise, or kill the process.
    """

    def __init__(self, folder: Path, act: Callable[[int, str, Callable[[], object]], object]) -> None:
        self.folder, self.run, self.act, self.count = f"{folder.parent}/", folder.name, act, 0
        self.open = io.open
        builtins.open = io.open = self.opened  # type: ignore[assignment]
        for name in ("replace", "unlink", "mkdir", "rmdir", "fsync"):
            setattr(os, name, self.watched(name, getattr(os, name)))

    def passes(self, call: str, path: Any, half: Callable[[], object] = lambda: None) -> None:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        name = os.fsdecode(path).removeprefix(self.folder).replace(self.run, "RUN")
        if not name.startswith("/"):  # in the folder of runs; rmtree names a file without its folder
            main = threading.current_thread() is threading.main_thread()
            self.count += main
            self.act(self.count if main else -1, f"{call} {re.sub('[0-9a-f]{8}$', '*', name)}", half)

    def watched(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def wrapper(path: Any, *args: Any, **kwargs: Any) -> object:
            self.passes(name, path)
            return call(path, *args, **kwargs)

        return wrapper

    def opened(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, int) or not set(mode) & set("wax+") or not os.fsdecode(file).startswith(self.folder):
            return self.open(file, mode, *args, **kwargs)
        kept = "r" in mode  # what is written over takes no more room
        self.passes("rewrite" if kept else "open", file)
        return File(self.open(file, mode, *args, **kwargs), self, "over" if kept else "")


class File:
    """A file that is written; each write and flush passes the boundaries."""

    def __init__(self, file: Any, boundaries: Boundaries, over: str) -> None:
        self.file, self.boundaries, self.over = file, boundaries, over

    def write(self, content: Any) -> int:
        def half() -> None:
            whole = content if isinstance(content, str) else memoryview(content).cast("B")
            self.file.write(whole[: len(whole) // 2])
            self.file.flush()

        self.boundaries.passes(f"{self.over}write", self.file.name, half)
        return int(self.file.write(content))

    def flush(self) -> None:
        self.boundaries.passes(f"{self.over}flush", self.file.name)
        self.file.flush()

    def truncate(self, size: int | None = None) -> None:
        self.boundaries.passes("truncate", self.file.name)
        self.file.truncate(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __iter__(self) -> Any:
        return iter(self.file)

    def __enter__(self) -> "File":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


# --- the faults ----------------------------------------------------------------------------------------------


def none(folder: Path) -> None:
    """Nothing at all."""


def listed(folder: Path, out: str) -> None:
    """Write the names of all calls into the file `out`, in their order."""
    names: list[str] = []

    def act(number: int, what: str, half: Callable[[], object]) -> None:
        if number > 0:
            names.append(what)

    def written() -> None:
        with boundaries.open(out, "w") as file:
            json.dump(names, file)

    boundaries = Boundaries(folder, act)
    AT_END.append(written)


def killed(folder: Path, number: int, half_done: bool) -> None:
    """Die before the call with that number, or in the middle of it."""

    def act(reached: int, _: str, half: Callable[[], object]) -> None:
        if reached == number:
            if half_done:
                half()
            die()

    Boundaries(folder, act)


def refused(folder: Path, number: int, code: int, lasting: bool) -> None:
    """From that call on, or just then, an error of the system; a full disk refuses only what needs room."""
    begun = False

    def act(reached: int, what: str, _: Callable[[], object]) -> None:
        nonlocal begun
        now = reached == number
        begun = begun or now
        if (begun if lasting else now) and (code != errno.ENOSPC or what.partition(" ")[0] in GROWING):
            raise OSError(code, os.strerror(code))

    Boundaries(folder, act)


def small_files(folder: Path, most: int) -> None:
    """No file may become larger than that, by a limit of the system itself."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def small_memory(folder: Path, more: int) -> None:
    """So many bytes more than it has now, by a limit of the system itself."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def plain_user(folder: Path) -> None:
    """Without root's right to write where the permissions say no."""
    version_3, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(version_3, nothing) == 0


def slow_plain_user(folder: Path, seconds: float) -> None:
    slow(folder, seconds)
    plain_user(folder)


def fails(folder: Path, step: int, kind: str, message: str) -> None:
    """The given step raises an error of PyTorch."""
    one_step = loop.Trainer._one_step
    error = {"memory": torch.OutOfMemoryError, "device": RuntimeError}[kind]

    def broken(self: loop.Trainer, *args: Any) -> Any:
        if self.step == step:
            raise error(message)
        return one_step(self, *args)

    loop.Trainer._one_step = broken  # type: ignore[method-assign]


def slow(folder: Path, seconds: float) -> None:
    """Each step takes so much longer."""
    learn = Plain.learn

    def slower(self: Plain, *args: Any) -> Any:
        time.sleep(seconds)
        return learn(self, *args)

    Plain.learn = slower  # type: ignore[method-assign]


def deaf(folder: Path) -> None:
    """It hears no command and no signal, but its heartbeat goes on."""
    worker.FolderSession.command = lambda self, step: (self.heartbeat.at(step), worker.Command.GO)[1]  # type: ignore[method-assign]
    worker.FolderSession._hear = lambda self, *_: None  # type: ignore[method-assign]
    slow(folder, 0.05)


def clock(folder: Path, jump: float) -> None:
    """The wall clock jumps at each look, to and fro; the monotonic one cannot."""
    real, looks = time.time, [0]

    def jumping() -> float:
        looks[0] += 1
        return real() + jump * (looks[0] % 3 - 1)

    time.time = jumping


KINDS = (
    none,
    listed,
    killed,
    refused,
    small_files,
    small_memory,
    plain_user,
    slow_plain_user,
    fails,
    slow,
    deaf,
    clock,
)
FAULTS = {each.__name__: each for each in KINDS}
AT_END: list[Callable[[], None]] = []


# --- the process ---------------------------------------------------------------------------------------------


def child(folder: Path, fault: list[Any]) -> NoReturn:
    os.setsid()
    log = os.open(folder / "output.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 70
    try:
        FAULTS[fault[0]](folder, *fault[1:])
        status = worker.main(["train", str(folder)])
        for call in AT_END:
            call()
    finally:
        sys.stdout.flush()
        os._exit(status)


def wants_checkpoint(self: worker.FolderSession) -> bool:
    return self.heartbeat._state["step"] % SAVE_EVERY == 0


def main() -> None:
    worker.FolderSession.wants_checkpoint = wants_checkpoint  # type: ignore[method-assign]
    worker.main(["train", sys.argv[1]])
    answers = os.fdopen(os.dup(1), "w")
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads cannot be forked safely"
    print("ready", file=answers, flush=True)
    background: set[int] = set()
    while True:
        while not select.select([0], [], [], 0.1)[0]:
            background -= {pid for pid in background if os.waitpid(pid, os.WNOHANG)[0]}
        if not (line := sys.stdin.readline()):
            break
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            child(Path(asked["run"]), asked["fault"])
        if not asked["wait"]:
            background.add(pid)
            print(pid, file=answers, flush=True)
            continue
        if asked["after"] is not None:
            time.sleep(asked["after"])
            os.kill(pid, signal.SIGKILL)
        print(os.waitpid(pid, 0)[1], file=answers, flush=True)


if __name__ == "__main__":
    main()
