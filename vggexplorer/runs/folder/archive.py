"""The archive of a run: the documented files of its folder as a zip file, to hand on, and back from one.

In it are the files of `layout.ARCHIVED` and the snapshots, stored as they are, and `MANIFEST`: the run's id, and the
size and SHA-256 digest of each file. The same run has the same bytes on every machine. What only a trainer or one
machine needs stays behind: locks, the heartbeat, commands, places, the log (which names paths), and the checkpoint
unless it is asked for; so does the owner. An archive that comes from somewhere is checked as a whole before it is a
run: its names, its size while it is unpacked, its digests, its config, its weights. Nothing is ever unpickled.
"""

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.paths import RUN_ID
from vggexplorer.runs.folder import layout, safetensors, snapshots
from vggexplorer.runs.folder.files import json_bytes, move, read_json, replace_by, unwritable, write_json
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

MANIFEST = "manifest.json"
VERSION = 1
"""Of the manifest."""
MOST_BYTES = 2 * 10**9
"""What an archive has at most, packed or unpacked: no zip file needs its extension for large ones below that."""
MOST_RATIO = 100
"""How many times as large an archive may become; text becomes ten times as large if somebody packed it tighter."""
_MOST_DIRECTORY = 2**16
"""Bytes of a zip file's list of its files, and of the manifest: ours have some thousands."""
_CHUNK = 2**20
_LONGEST_ID = 80
"""Characters of an id that has more added to it."""
_SNAPSHOT = re.compile(rf"{layout.SNAPSHOTS}/[0-9]{{9}}\.safetensors")
_DATE = (1980, 1, 1, 0, 0, 0)
_END, _END_OF_LARGE = b"PK\x05\x06", b"PK\x06\x07"
_ODD = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    IndexError,
)
"""What `zipfile` raises for bytes that are no zip file, or are one no more."""
Digests = dict[str, dict[str, Any]]


class Brought(NamedTuple):
    """A run that an archive was of, and whether it was there before."""

    run: Run
    known: bool


# --- out ------------------------------------------------------------------------------------------------


def pack(run: Run, path: Path, *, checkpoint: bool = False) -> None:
    """Write the archive of `run` to `path`, all of it or nothing; `InputError` if it is not over, or damaged."""
    _check_over(run)
    try:
        names = _names_of(run.path, checkpoint)
        _check_content(run.path, names)
        if sum((run.path / name).stat().st_size for name in names) > MOST_BYTES - 2 * _MOST_DIRECTORY:
            raise InputError("The run is too large for an archive, which has {most} bytes at most.", most=MOST_BYTES)
        replace_by(path, lambda beside: _write(run, names, beside))
    except OSError as error:
        raise InputError(
            "The file {path} could not be written: {reason}",
            path=shown(str(path), 200),
            reason=error.strerror or str(error),
        ) from error


def _check_over(run: Run) -> None:
    if run.status().active or run.locked():
        raise InputError("The run is not over; stop it first.")


def _names_of(folder: Path, checkpoint: bool) -> list[str]:
    """The files of a run that its archive has, sorted."""
    kept = [*layout.ARCHIVED, *([layout.CHECKPOINT] if checkpoint else [])]
    taken = [f"{layout.SNAPSHOTS}/{path.name}" for path in snapshots.files(folder)]
    return sorted(name for name in (*kept, *filter(_SNAPSHOT.fullmatch, taken)) if (folder / name).is_file())


def _write(run: Run, names: Iterable[str], path: Path) -> None:
    files: Digests = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            with _content(run, name) as source, archive.open(_entry(name), "w") as out:
                files[name] = _copy(source, out)
        archive.writestr(_entry(MANIFEST), json_bytes({"version": VERSION, "run": run.id, "files": files}))
    _check_over(run)  # a trainer may have begun while its files were read


def _entry(name: str) -> zipfile.ZipInfo:
    """A file of an archive, the same on every system and at any time."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    return entry


def _content(run: Run, name: str) -> BinaryIO:
    """What an archive has as the file `name` of a run: of when it was made only the time, and always a name."""
    if name == layout.CREATED:
        time = run.json(name).get("time")
        return io.BytesIO(json_bytes({"time": time} if isinstance(time, str) else {}))
    if name == layout.NAME:
        return io.BytesIO(run.name().encode())
    return (run.path / name).open("rb")


def _copy(source: Any, out: Any) -> dict[str, Any]:
    """The size and the digest of what was copied."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        out.write(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


# --- in -------------------------------------------------------------------------------------------------


def bring(runs: Runs, path: Path, owner: str = "") -> Brought:
    """The run that the archive `path` is of, as one of `owner`; `InputError` unless all of it is as it should be.

    Until then nothing of it is in the list, and nothing stays behind.
    """
    try:
        with path.open("rb") as file:
            return bring_file(runs, file, owner)
    except OSError as error:
        raise InputError(
            "The file {path} could not be read: {reason}",
            path=shown(str(path), 200),
            reason=error.strerror or str(error),
        ) from error


def bring_file(runs: Runs, file: BinaryIO, owner: str = "") -> Brought:
    """`bring` of an open file."""
    size = _size_of_zip(file)
    with _as_zip(), zipfile.ZipFile(file) as archive:
        entries = _checked(archive.infolist(), size)
        manifest = _manifest(archive, entries.pop(MANIFEST, None))
        files = _digests(manifest, entries)
        new = runs.path / f".new-{secrets.token_hex(8)}"
        try:
            new.mkdir(parents=True)
            _unpack(archive, entries, files, new, size)
            _check_content(new, files)
            return _placed(runs, new, str(manifest["run"]), files, owner)
        except OSError as error:
            raise unwritable(runs.path, error) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextmanager
def _as_zip() -> Iterator[None]:
    """Around whatever `zipfile` reads."""
    try:
        yield
    except InputError:
        raise
    except _ODD as error:
        raise _damaged() from error


def _damaged() -> InputError:
    return InputError("The archive is damaged: not all of it can be read.")


def _size_of_zip(file: BinaryIO) -> int:
    """The bytes of a file that ends as our archives do, with a list of its files that is read in a moment."""
    size = file.seek(0, io.SEEK_END)
    if size > MOST_BYTES:
        raise InputError("The archive is too large: it has more than {most} bytes.", most=MOST_BYTES)
    file.seek(max(0, size - 42))
    end = file.read().rjust(42, b"\0")
    if end[20:24] != _END:
        raise InputError("This is no archive of a run: it is no zip file, or its end is missing.")
    if end[:4] == _END_OF_LARGE or int.from_bytes(end[32:36], "little") > _MOST_DIRECTORY:
        raise InputError("The archive has more files than any run.")
    return size


def _checked(entries: Iterable[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive of `size` bytes by their names; `InputError` unless a run has them all."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.orig_filename  # as it stands there; `filename` is what Python would make of it
        _check_name(name, found)
        if entry.flag_bits & 0x1:
            raise InputError("The archive is encrypted; bring one that is not.")
        if entry.is_dir() or stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InputError("In the archive {name} is a link or something else that is no file.", name=shown(name))
        if not (name in (*layout.ARCHIVED, layout.CHECKPOINT, MANIFEST) or _SNAPSHOT.fullmatch(name)):
            raise InputError("The archive has a file that no run has: {name}.", name=shown(name))
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError("The archive is packed in a way that is not read here.")
        if not 0 <= entry.header_offset < size:
            raise _damaged()
        found[name] = entry
    return found


def _check_name(name: str, found: Mapping[str, Any]) -> None:
    """`InputError` for a name that could lead out of a folder on some system, or to a file that was there before."""
    if any(char in name for char in "\\:") or not name.isprintable():
        raise InputError("The archive has a name with characters that lead elsewhere: {name}.", name=shown(name))
    if name.startswith("/") or ".." in name.split("/"):
        raise InputError("The archive has a name that leads out of the run's folder: {name}.", name=shown(name))
    if name in found:
        raise InputError("The archive has {name} twice.", name=shown(name))
    if other := next((other for other in found if other.casefold() == name.casefold()), None):
        raise InputError(
            "The archive has names that differ in nothing but large and small letters: {name}, {other}.",
            name=shown(other),
            other=shown(name),
        )


def _manifest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None) -> dict[str, Any]:
    """What an archive says of itself; `InputError` unless this program knows what that means."""
    if entry is None:
        raise InputError("This is no archive of a run: it has no {name}.", name=MANIFEST)
    with archive.open(entry) as source:
        content = source.read(_MOST_DIRECTORY + 1)
    damaged = InputError("The archive's {name} is damaged.", name=MANIFEST)
    try:
        manifest = json.loads(content) if len(content) <= _MOST_DIRECTORY else None
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(manifest, dict) or type(manifest.get("version")) is not int:
        raise damaged
    if manifest["version"] != VERSION:
        raise InputError(
            "The archive was written by another version of this program ({version}).",
            version=shown(manifest["version"]),
        )
    if not isinstance(manifest.get("files"), dict) or not RUN_ID.fullmatch(str(manifest.get("run"))):
        raise damaged
    return manifest


def _digests(manifest: Mapping[str, Any], entries: Mapping[str, Any]) -> Digests:
    """The sizes and digests of just the files that are there; `InputError` if one is missing, on either side."""
    files: Digests = manifest["files"]
    if lost := next((name for name in files if name not in entries), None):
        raise InputError("The archive lacks a file of the run: {name}.", name=shown(lost))
    if unknown := next((name for name in entries if name not in files), None):
        raise InputError("The archive's {manifest} has no digest of {name}.", manifest=MANIFEST, name=unknown)
    return files


class _Bounded:
    """What is unpacked, counted: `InputError` once it is more than an archive may become, whatever it says."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.out: BinaryIO = io.BytesIO()

    def write(self, chunk: bytes) -> None:
        self.left -= len(chunk)
        if self.left < 0:
            raise InputError("The archive becomes far larger than a run when it is unpacked.")
        self.out.write(chunk)


def _unpack(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], files: Digests, folder: Path, size: int
) -> None:
    """Write the files of an archive of `size` bytes into a folder; `InputError` unless they have their digests."""
    bounded = _Bounded(min(MOST_BYTES, MOST_RATIO * size))
    for name, entry in entries.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as bounded.out:
            found = _copy(source, bounded)
            bounded.out.flush()
            os.fsync(bounded.out.fileno())
        if found != files[name]:
            raise InputError("In the archive {name} is not what its digest was made of.", name=name)


def _placed(runs: Runs, new: Path, run_id: str, files: Digests, owner: str) -> Brought:
    """The folder `new` as a run under its id, or another one if a different run has that."""
    content = {name: about for name, about in files.items() if name != layout.NAME}
    edition = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    other = f"{run_id[:_LONGEST_ID]}-{edition}"
    for taken in filter(None, map(runs.get, (run_id, other))):
        if _digests_of(taken, layout.CHECKPOINT in files) == content:
            return Brought(taken, True)
    free = next(each for each in (run_id, other, f"{other}-{secrets.token_hex(4)}") if _is_free(runs, each))
    time = {"time": read_json(new / layout.CREATED).get("time")}
    write_json(new / layout.CREATED, time | {"brought": True} | ({"owner": owner} if owner else {}))
    return Brought(Run(move(new, runs.path / free)), False)


def _is_free(runs: Runs, run_id: str) -> bool:
    return runs.get(run_id) is None and not (runs.path / run_id).exists()


def _digests_of(run: Run, checkpoint: bool) -> Digests:
    """The sizes and digests of what an archive of `run` would have, but for the display name, which may be changed."""
    found: Digests = {}
    with Path(os.devnull).open("wb") as nowhere:
        for name in _names_of(run.path, checkpoint):
            if name != layout.NAME:
                with _content(run, name) as source:
                    found[name] = _copy(source, nowhere)
    return found


# --- what is checked of both ------------------------------------------------------------------------------


def _check_content(folder: Path, names: Iterable[str]) -> None:
    """`InputError` unless this program can read the config, and all files of tensors are whole."""
    Run(folder).config()
    for name in names:
        if name.endswith(".safetensors") and not _whole(folder / name):
            raise InputError("The file {name} of the run is damaged.", name=name)


def _whole(path: Path) -> bool:
    """Whether a file of tensors is one, and has the checksum that was written with it."""
    import mmap  # noqa: PLC0415 (a browser's Python may lack it)

    try:
        safetensors.read_layout(path)
        with path.open("rb") as file:
            safetensors.check(path.name, memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    except ValueError:
        return False
    return True
