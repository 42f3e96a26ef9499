"""The remote end of a run on a cluster: a copy of its folder on a node, with an ordinary trainer at it.

`cluster` holds the run's own folder and asks for what is new in the copy. Nothing here knows of Ray: `Node` is a class
whose instance lives in a process of the node.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from filelock import FileLock

from vggexplorer.errors import InputError
from vggexplorer.processes import child_environment, end_with_parent, module_command
from vggexplorer.runs import devices, launch
from vggexplorer.runs.folder import layout, snapshots
from vggexplorer.runs.folder.files import held, write_file
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Phase

PIECE = 8 * 2**20
"""The most bytes that are sent at once: an object store may be small, and so may memory."""
UPDATE_WAIT = 0.5
"""Seconds that the other side waits for an update; what is wanted of the trainer is told as often."""
LOOK = 0.05
"""Seconds between two looks at the copy."""


class Offset(NamedTuple):
    """How much of a file the other side has: of one that is replaced, of which version."""

    size: int = 0
    version: tuple[int, ...] = ()


class Piece(NamedTuple):
    """Bytes of a file from byte `start` on; `whole` is the size of this `version` of it, 0 of one that grows."""

    name: str
    start: int
    content: bytes
    version: tuple[int, ...] = ()
    whole: int = 0


class Update(NamedTuple):
    """What has happened in the copy: what the trainer said last, and new pieces; `ended` if that was all."""

    phase: Phase
    step: int
    pieces: list[Piece]
    ended: bool


class Node:
    """A place on a node for one run. All methods can be called again with the same arguments: the answer may get lost.

    A node that dies is replaced by another, which knows nothing: `update` is None until `begin` was called.
    """

    def __init__(self) -> None:
        home = Runs.at().path / "copies"
        with Runs.at().lock("copies"):
            home.mkdir(exist_ok=True)
            _clear(home)
            self._folder = Path(tempfile.mkdtemp(dir=home))
            self._lock = FileLock(self._folder / "copy.lock")
            self._lock.acquire()
        self._run = Run(self._folder / "run")
        self._run.path.mkdir()
        self._trainer: subprocess.Popen[bytes] | None = None
        self._given: dict[str, tuple[int, ...]] = {}
        self._open: dict[str, BinaryIO] = {}

    def put(self, name: str, start: int, content: bytes) -> None:
        """Take a piece of a file of the run."""
        path = self._run.path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("r+b" if path.exists() else "wb") as file:
            file.seek(start)
            file.write(content)

    def begin(self, sizes: Mapping[str, int]) -> bool:
        """Start the trainer; False if not all of the files have been put here."""
        if self._trainer:
            return True
        if any(self._size(name) != size for name, size in sizes.items()):
            return False
        self._given = {name: _version((self._run.path / name).stat()) for name in sizes}
        with suppress(InputError):  # the trainer would look as well, and forget; it says what is wrong, too
            devices.look(Runs.at().path)
            write_file(self._folder / "devices.json", (Runs.at().path / "devices.json").read_bytes())
        with (self._run.path / layout.LOG).open("ab") as log:
            self._trainer = subprocess.Popen(  # noqa: S603 (our own module, with a path of our own)
                module_command("vggexplorer.runs.cluster.node", str(self._run.path), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment() | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            )
        return True

    def _size(self, name: str) -> int:
        with suppress(OSError):
            return (self._run.path / name).stat().st_size
        return -1

    def update(self, offsets: Mapping[str, Offset], control: bytes) -> Update | None:
        """What is new for somebody who has as much as `offsets` say; waits a moment for it.

        `control` is what control.json says.
        """
        if not self._trainer:
            return None
        path = self._run.path / layout.CONTROL
        if not path.exists() or path.read_bytes() != control:
            write_file(path, control)
        deadline = time.monotonic() + UPDATE_WAIT
        while True:
            ended = self._trainer.poll() is not None  # asked first: what is read after its end is all
            pieces = list(self._pieces(offsets))
            if pieces or ended or time.monotonic() > deadline:
                beat = self._run.heartbeat()
                return Update(
                    Phase(beat.get("phase", Phase.LOADING)), beat.get("step", 0), pieces, ended and not pieces
                )
            time.sleep(LOOK)

    def _pieces(self, offsets: Mapping[str, Offset]) -> Iterator[Piece]:
        """The next pieces of all files, not more than `PIECE` bytes.

        A checkpoint must not come before the records that led to it: it is opened before they are read, and sent after
        all of them. The other side asks for the records by name once it has the environment, which says from where on
        they are new.
        """
        names = self._names() if layout.METRICS in offsets else [layout.ENVIRONMENT]
        replaced = [
            (name, file, offsets.get(name, Offset())) for name in names if (file := self._unlike(name, offsets))
        ]
        room = PIECE
        for name in layout.GROWING:
            if name in offsets and (content := self._read(name, offsets[name].size, room)):
                room -= len(content)
                yield Piece(name, offsets[name].size, content)
        for name, file, known in replaced:
            if room:
                version = _version(os.fstat(file.fileno()))
                start = known.size if known.version == version else 0
                file.seek(start)
                content = file.read(room)
                room -= len(content)
                yield Piece(name, start, content, version, version[-1])

    def _names(self) -> Iterator[str]:
        """The files that are replaced, snapshots among them; the outcome is the last."""
        for path in snapshots.files(self._run.path):
            yield f"{layout.SNAPSHOTS}/{path.name}"
        yield from layout.REPLACED

    def _read(self, name: str, start: int, most: int) -> bytes:
        with suppress(FileNotFoundError), (self._run.path / name).open("rb") as file:
            file.seek(start)
            return file.read(most)
        return b""

    def _unlike(self, name: str, offsets: Mapping[str, Offset]) -> BinaryIO | None:
        """The file, if the other side does not have all of it; one that is half sent stays open when it is replaced."""
        known = offsets.get(name, Offset())
        file = self._open.get(name)
        if file and known.version == _version(os.fstat(file.fileno())) and known.size < known.version[-1]:
            return file
        if file:
            self._open.pop(name).close()
        path = self._run.path / name
        with suppress(OSError):
            if _version(path.stat()) not in (known.version, self._given.get(name)):
                file = self._open[name] = path.open("rb")
                return file
        return None

    def leave(self) -> None:
        """End the trainer, if there is one, and remove the copy."""
        if self._trainer:
            self._trainer.kill()
            self._trainer.wait()
        self._lock.release()
        shutil.rmtree(self._folder, ignore_errors=True)


def _version(status: os.stat_result) -> tuple[int, ...]:
    """Tells one version of a file from the next; its size is the last part."""
    return status.st_mtime_ns, status.st_ino, status.st_size


def _clear(home: Path) -> None:
    """Remove the copies that nobody holds: their nodes were killed."""
    for folder in home.iterdir():
        if not held(folder / "copy.lock"):
            shutil.rmtree(folder, ignore_errors=True)


def main(argv: list[str]) -> None:
    """Become the trainer of the run `argv[1]`, which ends when its parent, the process `argv[2]`, does.

    On Windows it would be a new process, whose end `Node` does not see: a node is a machine with Linux or macOS.
    """
    end_with_parent(int(argv[2]))
    command = launch.command(Run(Path(argv[1])))
    os.execv(command[0], command)  # noqa: S606 (our own module, with a path of our own)


if __name__ == "__main__":
    main(sys.argv)
