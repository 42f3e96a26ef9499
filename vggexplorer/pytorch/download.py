"""Downloads Fashion-MNIST, or another known data set that is named, to the user's cache folder.

`python -m vggexplorer.pytorch.download [full|mnist|kmnist|cifar10]`

torchvision downloads it, into a folder beside; the files move to their place when their checksums agree. What
has arrived can be watched by `downloaded_bytes`. Prints a line of JSON, `{"folder": "..."}`.
"""

import shutil
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

from vggexplorer.errors import InputError
from vggexplorer.processes import tell
from vggexplorer.runs.datasets import KNOWN, Known, cache_folder, download_folder, read
from vggexplorer.runs.folder.files import move

TIMEOUT = 30
"""The seconds of silence after which a server is given up."""


def download(known: Known) -> Path:
    """The folder in the cache that holds the data set's files, checked; they are downloaded if they are not there.

    `InputError` if they cannot be had, or another process is downloading them.
    """
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_folder() / "download.lock", timeout=0):
            return _checked_or_downloaded(known)
    except Timeout as error:
        raise InputError("{data} is being downloaded already.", data=known.title) from error
    except InputError:
        raise
    except Exception as error:  # torchvision's own, urllib's, the file system's
        raise InputError("{data} could not be downloaded: {reason}", data=known.title, reason=_reason(error)) from error


def _checked_or_downloaded(known: Known) -> Path:
    target = cache_folder() / known.raw
    try:
        read(known, target)
    except InputError:
        _download(known, target)
    return target


def _download(known: Known, target: Path) -> None:
    """By torchvision, from an empty folder: it takes half a file that was left behind for a whole one."""
    shutil.rmtree(download_folder(), ignore_errors=True)
    try:
        getattr(import_module("torchvision.datasets"), known.torchvision)(root=download_folder(), download=True)
        fresh = download_folder() / known.raw
        read(known, fresh)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        move(fresh, target)
    finally:
        shutil.rmtree(download_folder(), ignore_errors=True)


def _reason(error: Exception) -> str:
    """The last line of an error, which says what happened; torchvision's first ones say what it was doing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]


def answer(kind: str = "full") -> Iterator[dict[str, str]]:
    """The line to print about the data set `kind`."""
    socket.setdefaulttimeout(TIMEOUT)
    yield {"folder": str(download(KNOWN[kind]))}


if __name__ == "__main__":
    sys.exit(tell(answer(*sys.argv[1:])))
