"""Downloads Fashion-MNIST to the user's cache folder: `python -m vggexplorer.pytorch.download`.

torchvision downloads it, into a folder beside; the files move to their place when their checksums agree. What
has arrived can be watched by `downloaded_bytes`. Exits with 1 and a sentence on stderr if it fails.
"""

import shutil
import socket
import sys
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

from vggexplorer.errors import InputError
from vggexplorer.runs.datasets import cache_folder, download_folder, fashion_mnist

TIMEOUT = 30
"""The seconds of silence after which a server is given up."""


def download() -> Path:
    """The folder in the cache that holds Fashion-MNIST's files, checked; they are downloaded if they are not there.

    `InputError` if they cannot be had, or another process is downloading them.
    """
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_folder() / "download.lock", timeout=0):
            return _checked_or_downloaded()
    except Timeout as error:
        raise InputError("Fashion-MNIST is being downloaded already.") from error
    except InputError:
        raise
    except Exception as error:  # torchvision's own, urllib's, the file system's
        raise InputError("Fashion-MNIST could not be downloaded: {reason}", reason=_reason(error)) from error


def _checked_or_downloaded() -> Path:
    target = cache_folder() / "FashionMNIST" / "raw"
    try:
        fashion_mnist(target, full=True)
    except InputError:
        _download(target)
    return target


def _download(target: Path) -> None:
    """By torchvision, from an empty folder: it takes half a file that was left behind for a whole one."""
    shutil.rmtree(download_folder(), ignore_errors=True)
    try:
        import_module("torchvision.datasets").FashionMNIST(root=download_folder(), download=True)
        fresh = download_folder() / "FashionMNIST" / "raw"
        fashion_mnist(fresh, full=True)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(target)
    finally:
        shutil.rmtree(download_folder(), ignore_errors=True)


def _reason(error: Exception) -> str:
    """The last line of an error, which says what happened; torchvision's first ones say what it was doing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]


def main() -> None:
    """The process: prints the folder."""
    socket.setdefaulttimeout(TIMEOUT)
    try:
        print(download())
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
