"""The data sets that a training can name, where Fashion-MNIST's files are, and what they hold.

A data set is named by a text: `sample` (ships with the package), `full` (Fashion-MNIST, wherever it is
found), `full:PATH` (Fashion-MNIST in that folder), `folder:PATH` (pictures, one subfolder for each class).
"""

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.paths import PACKAGE

Idx = tuple[tuple[int, ...], bytes]
"""The shape of an array of unsigned bytes, and its values in C order."""

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""Fashion-MNIST's classes, in the order of its labels 0 to 9."""
SAMPLE = PACKAGE / "assets" / "fashion-mnist-sample"
"""The part of Fashion-MNIST that ships with the package."""
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the files."""
SIZES = {"sample": (6_000, 1_000), "full": (60_000, 10_000)}
"""The number of training and of test images, by name of the data set."""
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""Fashion-MNIST's files, and the SHA-256 of each whole file, header included, when it is not compressed."""
SIDE = 28
"""The height and width of Fashion-MNIST's images, in pixels."""
LARGEST = 16 + SIZES["full"][0] * SIDE * SIDE
"""The bytes of the largest of the files, not compressed; no more is read of any."""
DOWNLOAD_BYTES = 26_421_880 + 29_515 + 4_422_102 + 5_148
"""The bytes that a download of Fashion-MNIST takes: four compressed files."""


class Arrays(NamedTuple):
    """Fashion-MNIST: images (n, 28, 28) with 0 for the background, and labels (n,) from 0 to 9."""

    train_images: Idx
    train_labels: Idx
    test_images: Idx
    test_labels: Idx


# --- names -------------------------------------------------------------------------------------------


def check_dataset(text: str) -> None:
    """Raise `InputError` unless `text` is of a form that names a data set; whether it is there, is not looked at."""
    kind, colon, path = text.partition(":")
    if text not in SIZES and not (kind in ("full", "folder") and colon and path.strip() and "\0" not in path):
        raise InputError(
            "{text} is not a data set; there are sample, full, full:FOLDER and folder:FOLDER.", text=shown(text)
        )


def folder_of(dataset: str) -> Path:
    """The folder in `full:PATH` or `folder:PATH`, with ~ written out."""
    return _at_home(dataset.partition(":")[2].strip())


def _at_home(path: str) -> Path:
    """The path with ~ written out; what cannot be a user's name stays as it is."""
    with suppress(ValueError):
        return Path(os.path.expanduser(path))
    return Path(path)


def check_present(dataset: str) -> None:
    """Raise `InputError` if `dataset` plainly cannot be trained on: files or classes are missing."""
    if dataset.startswith("folder:"):
        survey(str(folder_of(dataset)))
    elif dataset != "sample":
        official(dataset)


def survey(folder: str) -> dict[str, int]:
    """How many files each class of a folder of images has; they are not opened.

    `InputError` if the folder cannot be read, has fewer than two classes, or one without files.
    """
    path = _at_home(folder)
    try:
        split = all((path / part).is_dir() for part in ("train", "test"))
        root = path / "train" if split else path
        counts = {name: len(_visible(root / name)) for name in _visible(root) if (root / name).is_dir()}
    except (OSError, ValueError) as error:
        raise InputError(
            "The folder {folder} cannot be read: {reason}.",
            folder=shown(str(path), 200),
            reason=getattr(error, "strerror", None) or str(error),
        ) from error
    if len(counts) < 2:
        raise InputError(
            "{folder} must hold at least 2 folders, one for the pictures of each class; there {count:is|are} {count}.",
            folder=shown(str(path), 200),
            count=len(counts),
        )
    if empty := [name for name, count in counts.items() if not count]:
        raise InputError(
            "The class {name} in {folder} has no files.", name=shown(empty[0]), folder=shown(str(path), 200)
        )
    return counts


def _visible(path: Path) -> list[str]:
    return sorted(name for name in os.listdir(path) if not name.startswith("."))


# --- places ------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """The user's folder for what can be had again; a download ends up in its FashionMNIST/raw."""
    try:
        return Path(import_module("platformdirs").user_cache_dir("vggexplorer", appauthor=False))
    except ModuleNotFoundError:  # it comes with the dashboard; trainers do without
        return Path(os.path.expanduser("~/.cache/vggexplorer"))


def download_folder() -> Path:
    """Where a download is put together until its files are checked and moved to the cache."""
    return cache_folder() / "download"


def downloaded_bytes() -> int:
    """How many of the `DOWNLOAD_BYTES` a running download has already."""
    folder = download_folder() / "FashionMNIST" / "raw"
    return sum(_size(folder / f"{name}.gz") for name in SHA256)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def find_fashion_mnist(dataset: str = "full") -> Path | None:
    """The first folder that holds the four files, compressed or not; None if there is none.

    For `full` these are looked through: `$VGGEXPLORER_DATA`, the book's ./data and ../data, the cache, Debian's
    package. Nothing is read: the files may turn out to be broken.
    """
    found = next(filter(_is_complete, _candidates(dataset)), None)
    return found and found.absolute()


def official(dataset: str) -> Path:
    """The folder of the four files; `InputError` that says how to get them if they are nowhere."""
    if folder := find_fashion_mnist(dataset):
        return folder
    if dataset == "full":
        raise InputError(
            "Fashion-MNIST is not on this machine. Download it with `python -m vggexplorer.pytorch.download`, install "
            "Debian's package dataset-fashion-mnist, or name the folder of its four files: full:FOLDER."
        )
    raise InputError(
        "{folder} does not hold the four files of Fashion-MNIST (train-images-idx3-ubyte and so on, also as .gz).",
        folder=shown(str(folder_of(dataset)), 200),
    )


def _candidates(dataset: str) -> Iterator[Path]:
    if dataset != "full":
        yield from _forms(folder_of(dataset))
        return
    if named := os.environ.get("VGGEXPLORER_DATA"):
        yield from _forms(Path(os.path.expanduser(named)))
    for root in (Path("data"), Path("..", "data"), cache_folder()):
        yield root / "FashionMNIST" / "raw"
    yield DEBIAN


def _forms(folder: Path) -> tuple[Path, ...]:
    """Where the files may be when a person names `folder`: there, or where torchvision puts them below it."""
    return folder, folder / "raw", folder / "FashionMNIST" / "raw"


def _is_complete(folder: Path) -> bool:
    return all(_file(folder, name) for name in SHA256)


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / name, folder / f"{name}.gz")
    return next((path for path in paths if os.path.isfile(path)), None)  # unlike Path.is_file, it never raises


# --- files -------------------------------------------------------------------------------------------


def read_idx(path: Path) -> Idx:
    """Shape and values of the unsigned bytes in an IDX file, compressed by gzip or not.

    `InputError` if it is cut short, damaged or something else. The format is described on MNIST's page,
    http://yann.lecun.com/exdb/mnist/.
    """
    return _parsed(_content(path), path)


def fashion_mnist(folder: Path, full: bool) -> Arrays:
    """The four arrays in `folder`; `InputError` names the file that is missing, broken or not Fashion-MNIST's.

    With `full` they must be the published files to the bit, compressed in whatever way.
    """
    arrays = Arrays(*(_checked(folder, name, full) for name in SHA256))
    for images, labels in (arrays[:2], arrays[2:]):
        if images[0] != (len(labels[1]), SIDE, SIDE) or not labels[1] or max(labels[1]) >= len(CLASSES):
            raise InputError("The files in {folder} are not Fashion-MNIST's.", folder=_quoted(folder))
    return arrays


def _checked(folder: Path, name: str, full: bool) -> Idx:
    path = _file(folder, name)
    if path is None:
        raise InputError("The file {name} is missing in {folder}.", name=name, folder=_quoted(folder))
    content = _content(path)
    if full and hashlib.sha256(content).hexdigest() != SHA256[name]:
        _parsed(content, path)  # what is cut short has a sentence of its own
        raise InputError(
            "{file} is not Fashion-MNIST's: its content differs from what was published (SHA-256). "
            "Delete it and get it again, or name another folder.",
            file=_quoted(path),
        )
    return _parsed(content, path)


def _content(path: Path) -> bytes:
    """What the file holds, not compressed; one byte too many if it is larger than any of Fashion-MNIST's."""
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return (gzip.GzipFile(fileobj=file) if compressed else file).read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            "{file} is damaged or incomplete. Delete it and get it again, or name another folder.", file=_quoted(path)
        ) from error
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}.", file=_quoted(path), reason=error.strerror or str(error)
        ) from error


def _parsed(content: bytes, path: Path) -> Idx:
    """The header: two zero bytes, 8 for unsigned bytes, the number of dimensions, each as a big-endian integer."""
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if not 1 <= dimensions <= 3 or len(content) > LARGEST:
        raise InputError("{file} is not a file of Fashion-MNIST's format (IDX, unsigned bytes).", file=_quoted(path))
    shape = struct.unpack(f">{dimensions}I", content[4:start].ljust(4 * dimensions, b"\0"))
    if len(content) != start + math.prod(shape):
        raise InputError(
            "{file} is damaged or incomplete. Delete it and get it again, or name another folder.", file=_quoted(path)
        )
    return shape, content[start:]


def _quoted(path: Path) -> str:
    return shown(str(path), 200)
