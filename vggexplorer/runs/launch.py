"""Starting trainers and telling them what to do. A trainer is a process of its own that outlives whoever started it."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from vggexplorer.errors import InputError
from vggexplorer.paths import child_environment
from vggexplorer.runs.config import Config
from vggexplorer.runs.store import Run, Runs

TRAINER = "vggexplorer.pytorch.train"


def start(runs: Runs, config: Config, name: str | None = None) -> Run:
    """Create a run and start its trainer; `InputError` if that cannot be."""
    _need_torch()
    run = runs.create(config, name)
    _spawn(runs, run)
    return run


def resume(runs: Runs, run: Run) -> None:
    """Start a trainer that goes on where the run's last one was; `InputError` if it cannot go on."""
    _need_torch()
    run.config()
    if not run.resumable(run.status()):
        raise InputError("This run cannot be resumed: it is not stopped, failed or interrupted.")
    run.want()
    (run.path / "heartbeat").unlink(missing_ok=True)
    _spawn(runs, run)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and run.outcome():
        time.sleep(0.02)


def stop(run: Run) -> None:
    """Ask a run to stop; it can be resumed later."""
    run.want(stop=True)


def kill(run: Run) -> None:
    """End a trainer that does not do what it is asked; the last checkpoint stays.

    Its process id is believed only while its lock is held: an id may come to belong to somebody else.
    """
    pid = run.heartbeat().get("pid")
    if isinstance(pid, int) and run.locked():
        with suppress(OSError):
            if os.name == "posix":
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGTERM)


def _need_torch() -> None:
    if find_spec("torch") is None:
        raise InputError("Training needs PyTorch, which is not installed here; pip install torch torchvision helps.")


def command(run: Run) -> list[str]:
    """What starts the trainer of a run; it works by hand too."""
    return [sys.executable, "-P", "-m", TRAINER, str(run.path)]


def _spawn(runs: Runs, run: Run) -> None:
    """Start the trainer, detached from this process and its terminal."""
    try:
        runs.queue(run)
        (run.path / "started").write_bytes(b"")
        with (run.path / "output.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own module, with a path of our own)
                command(run),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment() | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                **_DETACHED,
            )
    except OSError as error:
        raise InputError("The trainer could not be started: {reason}", reason=error.strerror or str(error)) from error
    threading.Thread(target=process.wait, daemon=True).start()  # a child that nobody waits for stays a zombie


_DETACHED: dict[str, Any] = (
    {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x00000008 | 0x00000200}
)
"""On Windows: DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP."""
