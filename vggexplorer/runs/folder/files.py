"""Files that are replaced as a whole or not at all, JSON in them, and locks that tell whether a process lives."""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.paths import WINDOWS

T = TypeVar("T")
PROBE = 0.01
"""Seconds for which a lock must stay taken to count as a trainer's: another reader's probe is over much sooner."""
WINDOWS_TRIES = 50
"""How often is tried, 10 ms apart, what cannot be done to a file while another process has it open."""


def unwritable(runs: Path, error: OSError) -> InputError:
    """What is said if a run cannot be put into the folder of runs."""
    return InputError(
        "The run's folder in {path} could not be written: {reason}",
        path=shown(str(runs), 200),
        reason=error.strerror or str(error),
    )


def write_file(path: Path, content: bytes) -> None:
    """Replace `path` by one that holds `content`, all of it or nothing."""
    replace_by(path, lambda beside: beside.write_bytes(content))


def replace_by(path: Path, write: Callable[[Path], object], *, durable: bool = True, alone: bool = False) -> None:
    """Replace `path` by the file that `write` makes, all of it or nothing.

    `durable` outlasts a power cut. The only writer of a file says that it is `alone`: what it leaves behind if it is
    killed has one name, and is written over the next time.
    """
    beside = path.with_name(f".{path.name}" if alone else f".{path.name}.{secrets.token_hex(4)}")
    try:
        write(beside)
        if durable:
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
        move(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def move(source: Path, target: Path) -> Path:
    """Move a file over another, or a folder to a name that is free, where it is then."""
    return despite_readers(lambda: source.replace(target))


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    despite_readers(lambda: path.unlink(missing_ok=True))


def despite_readers(work: Callable[[], T]) -> T:
    """What `work` does to a file or a folder that others look at.

    On Windows nothing can be moved, replaced or removed while it is open, nor opened while it is replaced: there it is
    tried again for half a second, which no look of ours takes.
    """
    for _ in range(WINDOWS_TRIES if WINDOWS else 0):
        try:
            return work()
        except PermissionError:
            time.sleep(0.01)
    return work()


def write_json(path: Path, data: Any, *, durable: bool = True, alone: bool = False) -> None:
    """Replace `path` by `data` as JSON, all of it or nothing; `durable` and `alone` as in `replace_by`."""
    content = json_bytes(data)
    replace_by(path, lambda beside: beside.write_bytes(content), durable=durable, alone=alone)


def json_bytes(data: Any) -> bytes:
    """`data` as the JSON files of a run have it."""
    return json.dumps(data, indent=1, allow_nan=False).encode()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if it is missing or damaged."""
    try:
        data = json.loads(despite_readers(path.read_bytes))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def files_below(path: Path) -> Iterator[tuple[int, Path]]:
    """The size in bytes and the path of each file in a folder and its subfolders."""
    folders = [str(path)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif not entry.is_dir():
                    with suppress(OSError):
                        yield entry.stat().st_size, Path(entry.path)


def held(path: Path) -> bool:
    """Whether a process holds the lock file `path`, for longer than another reader does who looks at it as this one.

    Threads of this process never see each other: each has the file for itself while it looks.
    """
    deadline = time.monotonic() + PROBE
    while _taken(path):
        if time.monotonic() > deadline:
            return True
        time.sleep(PROBE / 5)
    return False


_one_reader = threading.Lock()


def _taken(path: Path) -> bool:
    with _one_reader, suppress(OSError):
        if path.exists():
            try:
                with FileLock(path).acquire(timeout=0):
                    return False
            except Timeout:
                return True
    return False
