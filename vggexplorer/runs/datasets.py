"""The data sets that a training can name, where their files are, and what they hold.

A data set is named by a text: `sample` (ships with the package), `full` (Fashion-MNIST, wherever it is
found), `full:PATH` (Fashion-MNIST in that folder), `folder:PATH` (pictures in folders of their classes).
`Dataset` is that text taken apart; `KNOWN` has a row for each that is not a folder of pictures.
"""

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.paths import DEBIAN, PACKAGE
from vggexplorer.runs import folders

Idx = tuple[tuple[int, ...], bytes]
"""The shape of an array of unsigned bytes, and its values in C order."""

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""Fashion-MNIST's classes, in the order of its labels 0 to 9."""
SAMPLE = PACKAGE / "assets" / "fashion-mnist-sample"
"""The part of Fashion-MNIST that ships with the package."""
OF_EACH = PACKAGE / "assets" / "fashion-mnist-of-each-ubyte.gz"
"""The first test picture of each class in that part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Pictures that are known beforehand, published as IDX files: images (n, height, width) and labels (n,), twice.

    `label` is what lists call them, `title` what the whole set is called, of which they may be a part. `shape` is
    that of a picture (channels, height, width), `sizes` the number of training and of test pictures, `on_black` whether
    each shows one light thing on black. `files` are the names of the four files in the order of `Arrays`, each with the
    SHA-256 of its content, header included, when it is not compressed. torchvision's class `torchvision` downloads
    `download_bytes` in compressed files to the folder `raw`; Debian's package is dataset-`debian`. `ships` is the
    package's folder with the files, if they come with it; `of_each` its IDX file with a test picture of each class.
    """

    label: str
    title: str
    classes: tuple[str, ...]
    shape: Shape
    sizes: tuple[int, int]
    on_black: bool
    files: Mapping[str, str]
    torchvision: str
    raw: str
    download_bytes: int
    debian: str
    ships: Path | None = None
    of_each: Path | None = None


_FASHION_MNIST = Known(
    label="Fashion-MNIST, all of it",
    title="Fashion-MNIST",
    classes=CLASSES,
    shape=(1, 28, 28),
    sizes=(60_000, 10_000),
    on_black=True,
    files={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    torchvision="FashionMNIST",
    raw="FashionMNIST/raw",
    download_bytes=26_421_880 + 29_515 + 4_422_102 + 5_148,
    debian="fashion-mnist",
    of_each=OF_EACH,
)
KNOWN = {
    "sample": replace(_FASHION_MNIST, label="Fashion-MNIST, a sample", sizes=(6_000, 1_000), ships=SAMPLE),
    "full": _FASHION_MNIST,
}
"""The data sets that are no folder of pictures, by the word that names them."""
FOLDER = "folder"
"""The word before the path of a folder of pictures."""
LABELS = {kind: known.label for kind, known in KNOWN.items()} | {FOLDER: "my own images"}
"""What lists call the data sets, by the word that names them."""


LARGEST = 16 + max(max(known.sizes) * math.prod(known.shape) for known in KNOWN.values())
"""The bytes of the largest of all files, not compressed; no more is read of any."""


class Arrays(NamedTuple):
    """Images (n, height, width) with 0 for the background, and labels (n,), twice."""

    train_images: Idx
    train_labels: Idx
    test_images: Idx
    test_labels: Idx


# --- names -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a text such as `full:PATH` names; `InputError` if it is nothing. Whether it is there, is not looked at."""

    kind: str
    folder: str = ""

    def __post_init__(self) -> None:
        nameable = self.kind == FOLDER or (self.kind in KNOWN and not KNOWN[self.kind].ships)
        named = nameable and bool(self.folder.strip()) and "\0" not in self.folder
        if not (named if self.folder else self.kind in KNOWN):
            raise _no_data_set(str(self))

    @staticmethod
    def parse(text: str) -> "Dataset":
        """The data set of a text."""
        kind, colon, folder = text.partition(":")
        if colon and not folder:
            raise _no_data_set(text)
        return Dataset(kind, folder)

    def __str__(self) -> str:
        return f"{self.kind}:{self.folder}" if self.folder else self.kind

    @property
    def known(self) -> Known | None:
        """What is known of it beforehand; None for a folder of pictures."""
        return KNOWN.get(self.kind)

    @property
    def path(self) -> Path:
        """The folder that it names, with ~ written out."""
        return _at_home(self.folder.strip())

    def absolute(self) -> "Dataset":
        """The same data set by a name that means the same in another working folder."""
        return replace(self, folder=str(self.path.absolute())) if self.folder else self


DEFAULT = Dataset("sample")
"""What is trained on if nothing is said."""


def forms() -> dict[str, str]:
    """How the text of a data set can look, and what lists call each."""
    named = {f"{kind}:FOLDER": label for kind, label in LABELS.items() if kind not in KNOWN or not KNOWN[kind].ships}
    return {kind: known.label for kind, known in KNOWN.items()} | named


def _no_data_set(text: str) -> InputError:
    *first, last = forms()
    return InputError(
        "{text} is not a data set; there are {forms} and {last}.", text=shown(text), forms=", ".join(first), last=last
    )


def _at_home(path: str) -> Path:
    """The path with ~ written out; what cannot be a user's name stays as it is."""
    with suppress(ValueError):
        return Path(os.path.expanduser(path))
    return Path(path)


# --- places ------------------------------------------------------------------------------------------


def check_present(dataset: Dataset) -> None:
    """Raise `InputError` if `dataset` plainly cannot be trained on: files or classes are missing."""
    if dataset.known:
        official(dataset)
    else:
        folders.find(dataset.path)


def cache_folder() -> Path:
    """The user's folder for what can be had again; a download ends up in its FashionMNIST/raw."""
    try:
        return Path(import_module("platformdirs").user_cache_dir("vggexplorer", appauthor=False))
    except ModuleNotFoundError:  # it comes with the dashboard; trainers do without
        return Path(os.path.expanduser("~/.cache/vggexplorer"))


def download_folder() -> Path:
    """Where a download is put together until its files are checked and moved to the cache."""
    return cache_folder() / "download"


def downloaded_bytes(known: Known) -> int:
    """How many of its `download_bytes` a running download has already."""
    return sum(_size(download_folder() / known.raw / f"{name}.gz") for name in known.files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def find(dataset: Dataset) -> Path | None:
    """The first folder that holds the four files of a known data set, compressed or not; None if there is none.

    If none is named, these are looked through: `$VGGEXPLORER_DATA`, the book's ./data and ../data, the cache, that of
    Debian's package. Nothing is read: the files may turn out to be broken.
    """
    known = dataset.known
    if known is None:
        return None
    if known.ships:
        return known.ships
    complete = (folder for folder in _candidates(dataset, known) if all(_file(folder, name) for name in known.files))
    found = next(complete, None)
    return found and found.absolute()


def official(dataset: Dataset) -> Path:
    """The folder of pictures or of the four files; `InputError` that says how to get them if they are nowhere."""
    known = dataset.known
    if known is None:
        return dataset.path
    if folder := find(dataset):
        return folder
    if not dataset.folder:
        raise InputError(
            "{data} is not on this machine. Download it with `{command}`, install Debian's package {package}, or name "
            "the folder of its four files: {form}.",
            data=known.title,
            command=f"python -m vggexplorer.pytorch.download {dataset.kind}",
            package=f"dataset-{known.debian}",
            form=f"{dataset.kind}:FOLDER",
        )
    raise InputError(
        "{folder} does not hold the four files of {data} ({name} and so on, also as .gz).",
        folder=shown(str(dataset.path), 200),
        data=known.title,
        name=next(iter(known.files)),
    )


def _candidates(dataset: Dataset, known: Known) -> Iterator[Path]:
    if dataset.folder:
        yield from _forms(dataset.path, known)
        return
    if named := os.environ.get("VGGEXPLORER_DATA"):
        yield from _forms(Path(os.path.expanduser(named)), known)
    for root in (Path("data"), Path("..", "data"), cache_folder()):
        yield root / known.raw
    yield DEBIAN / known.debian


def _forms(folder: Path, known: Known) -> tuple[Path, ...]:
    """Where the files may be when a person names `folder`: there, or where torchvision puts them below it."""
    return folder, folder / Path(known.raw).name, folder / known.raw


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


def read(known: Known, folder: Path) -> Arrays:
    """The four arrays in `folder`; `InputError` names the file that is missing, broken or not the data set's.

    They must be the published files to the bit, compressed in whatever way, unless they ship with the package.
    """
    arrays = Arrays(*(_checked(known, folder, name) for name in known.files))
    for images, labels in (arrays[:2], arrays[2:]):
        if images[0] != (len(labels[1]), *known.shape[1:]) or not labels[1] or max(labels[1]) >= len(known.classes):
            raise InputError("The files in {folder} are not those of {data}.", folder=_quoted(folder), data=known.title)
    return arrays


def of_each_class(known: Known) -> list[bytes]:
    """The pixels of a test picture of each class; none if the package has none of them."""
    if known.of_each is None:
        return []
    size, pixels = math.prod(known.shape), read_idx(known.of_each)[1]
    return [pixels[place : place + size] for place in range(0, len(pixels), size)]


def _checked(known: Known, folder: Path, name: str) -> Idx:
    path = _file(folder, name)
    if path is None:
        raise InputError("The file {name} is missing in {folder}.", name=name, folder=_quoted(folder))
    content = _content(path)
    if not known.ships and hashlib.sha256(content).hexdigest() != known.files[name]:
        _parsed(content, path)  # what is cut short has a sentence of its own
        raise InputError(
            "{file} is not that of {data}: its content differs from what was published (SHA-256). "
            "Delete it and get it again, or name another folder.",
            file=_quoted(path),
            data=known.title,
        )
    return _parsed(content, path)


def _content(path: Path) -> bytes:
    """What the file holds, not compressed; one byte too many if it is larger than any file of the known data sets."""
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
        raise InputError("{file} is not a file of MNIST's format (IDX, unsigned bytes).", file=_quoted(path))
    shape = struct.unpack(f">{dimensions}I", content[4:start].ljust(4 * dimensions, b"\0"))
    if len(content) != start + math.prod(shape):
        raise InputError(
            "{file} is damaged or incomplete. Delete it and get it again, or name another folder.", file=_quoted(path)
        )
    return shape, content[start:]


def _quoted(path: Path) -> str:
    return shown(str(path), 200)
