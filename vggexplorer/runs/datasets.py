"""The data sets that a training can name, where their files are, and what they hold.

A data set is named by a text: `sample` (ships with the package), `full` (Fashion-MNIST, wherever it is
found), `full:PATH` (Fashion-MNIST in that folder), the same with `mnist`, `kmnist` and `cifar10`, and `folder:PATH`
(pictures in folders of their classes).
`Dataset` is that text taken apart; `KNOWN` has a row for each that is not a folder of pictures.
"""

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.paths import DEBIAN, PACKAGE
from vggexplorer.runs import folders, formats
from vggexplorer.runs.formats import Idx, quoted

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""Fashion-MNIST's classes, in the order of its labels 0 to 9."""
SAMPLE = PACKAGE / "assets" / "fashion-mnist-sample"
"""The part of Fashion-MNIST that ships with the package."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""MNIST's classes."""
KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
"""KMNIST's classes: one syllable from each row of the Japanese hiragana."""
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""CIFAR-10's classes."""
OF_EACH = PACKAGE / "assets" / "fashion-mnist-of-each-ubyte.gz"
"""The first test picture of each class in that part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Pictures that are known beforehand, published as files that `parse` takes apart.

    `label` is what lists call them, `title` what the whole set is called, of which they may be a part. `shape` is
    that of a picture (channels, height, width), `sizes` the number of training and of test pictures, `on_black` whether
    each shows one light thing on black. `files` are the names of the files, each with what was published of it: the
    SHA-256, or the MD5, of its content when it is not compressed; of the compressed file, if its name ends so. One
    after the other, they hold images and labels in turn; the last two are for testing. torchvision's class
    `torchvision` downloads `download_bytes` in compressed files, or in one `archive`, so that the files end up in the
    folder `raw`; Debian's package, if there is one, is dataset-`debian`. `ships` is the package's folder with the
    files, if they come with it; `of_each` its IDX file with a test picture of each class.
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
    parse: Callable[[bytes, Path], tuple[Idx, ...]] = formats.idx
    archive: str = ""
    debian: str = ""
    ships: Path | None = None
    of_each: Path | None = None


_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_FASHION_MNIST = Known(
    label="Fashion-MNIST, all of it",
    title="Fashion-MNIST",
    classes=CLASSES,
    shape=(1, 28, 28),
    sizes=(60_000, 10_000),
    on_black=True,
    files=dict(
        zip(
            _IDX,
            (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
            strict=True,
        )
    ),
    torchvision="FashionMNIST",
    raw="FashionMNIST/raw",
    download_bytes=26_421_880 + 29_515 + 4_422_102 + 5_148,
    debian="fashion-mnist",
    of_each=OF_EACH,
)
# MNIST's and KMNIST's figures are published in many places, of MNIST's files the MD5 when they are not compressed, of
# KMNIST's the SHA-256 of the compressed ones alone; CIFAR-10's MD5 stand in torchvision. None of the three sets was at
# hand when this was written.
_MNIST = replace(
    _FASHION_MNIST,
    label="MNIST",
    title="MNIST",
    classes=DIGITS,
    files=dict(
        zip(
            _IDX,
            (
                "6bbc9ace898e44ae57da46a324031adb",
                "a25bea736e30d166cdddb491f175f624",
                "2646ac647ad5339dbf082846283269ea",
                "27ae3e4e09519cfbb04c329615203637",
            ),
            strict=True,
        )
    ),
    torchvision="MNIST",
    raw="MNIST/raw",
    download_bytes=9_912_422 + 28_881 + 1_648_877 + 4_542,
    debian="",
    of_each=None,
)
_KMNIST = replace(
    _MNIST,
    label="KMNIST (Kuzushiji)",
    title="KMNIST",
    classes=KANA,
    files=dict(
        zip(
            (f"{name}.gz" for name in _IDX),
            (
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
            strict=True,
        )
    ),
    torchvision="KMNIST",
    raw="KMNIST/raw",
    download_bytes=18_165_135 + 29_497 + 3_041_136 + 5_120,
)
_CIFAR_10 = Known(
    label="CIFAR-10",
    title="CIFAR-10",
    classes=THINGS,
    shape=(3, 32, 32),
    sizes=(50_000, 10_000),
    on_black=False,
    files={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    torchvision="CIFAR10",
    raw="cifar-10-batches-py",
    download_bytes=170_498_071,
    parse=formats.cifar_batch,
    archive="cifar-10-python.tar.gz",
)
KNOWN = {
    "sample": replace(_FASHION_MNIST, label="Fashion-MNIST, a sample", sizes=(6_000, 1_000), ships=SAMPLE),
    "full": _FASHION_MNIST,
    "mnist": _MNIST,
    "kmnist": _KMNIST,
    "cifar10": _CIFAR_10,
}
"""The data sets that are no folder of pictures, by the word that names them."""
FOLDER = "folder"
"""The word before the path of a folder of pictures."""
LABELS = {kind: known.label for kind, known in KNOWN.items()} | {FOLDER: "my own images"}
"""What lists call the data sets, by the word that names them."""


class Arrays(NamedTuple):
    """Images (n, height, width), or (n, channels, height, width) if they have colours, and labels (n,), twice."""

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
    """The user's folder for what can be had again; a download ends up in its FashionMNIST/raw, say."""
    try:
        return Path(import_module("platformdirs").user_cache_dir("vggexplorer", appauthor=False))
    except ModuleNotFoundError:  # it comes with the dashboard; trainers do without
        return Path(os.path.expanduser("~/.cache/vggexplorer"))


def download_folder() -> Path:
    """Where a download is put together until its files are checked and moved to the cache."""
    return cache_folder() / "download"


def downloaded_bytes(known: Known) -> int:
    """How many of its `download_bytes` a running download has already."""
    files = [f"{known.raw}/{name.removesuffix('.gz')}.gz" for name in known.files]
    return sum(_size(download_folder() / name) for name in ([known.archive] if known.archive else files))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def find(dataset: Dataset) -> Path | None:
    """The first folder that holds the files of a known data set, compressed or not; None if there is none.

    If none is named, these are looked through: `$VGGEXPLORER_DATA`, the book's ./data and ../data, the cache, that of
    Debian's package. The files may turn out to be broken; a folder with files of another data set, which are called
    the same, is passed over unless it is the one that was named.
    """
    known = dataset.known
    if known is None:
        return None
    if known.ships:
        return known.ships
    complete = (folder for folder in _candidates(dataset, known) if all(_file(folder, name) for name in known.files))
    found = next((folder for folder in complete if dataset.folder or not _of_another(known, folder)), None)
    return found and found.absolute()


def official(dataset: Dataset) -> Path:
    """The folder of pictures or of the files; `InputError` that says how to get them if they are nowhere."""
    known = dataset.known
    if known is None:
        return dataset.path
    if folder := find(dataset):
        return folder
    command = f"python -m vggexplorer.pytorch.download {dataset.kind}"
    form, count = f"{dataset.kind}:FOLDER", len(known.files)
    if not dataset.folder and known.debian:
        raise InputError(
            "{data} is not on this machine. Download it with `{command}`, install Debian's package {package}, or name "
            "the folder of its {count} files: {form}.",
            data=known.title,
            command=command,
            package=f"dataset-{known.debian}",
            count=count,
            form=form,
        )
    if not dataset.folder:
        raise InputError(
            "{data} is not on this machine. Download it with `{command}`, or name the folder of its {count} files: "
            "{form}.",
            data=known.title,
            command=command,
            count=count,
            form=form,
        )
    raise InputError(
        "{folder} does not hold the {count} files of {data} ({name} and so on).",
        folder=shown(str(dataset.path), 200),
        count=count,
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
    if known.debian:
        yield DEBIAN / known.debian


def _forms(folder: Path, known: Known) -> tuple[Path, ...]:
    """Where the files may be when a person names `folder`: there, or where torchvision puts them below it."""
    return folder, folder / Path(known.raw).name, folder / known.raw


def _of_another(known: Known, folder: Path) -> bool:
    """Whether the last file in `folder`, its test labels, is what another data set has published by the same name."""
    name = list(known.files)[-1]
    if known.archive or (path := _file(folder, name)) is None:
        return False
    for other in KNOWN.values():
        theirs, published = list(other.files.items())[-1]
        if other.files != known.files and theirs.removesuffix(".gz") == name.removesuffix(".gz"):
            with suppress(InputError):
                if _digest(formats.content(path, unpack=not theirs.endswith(".gz")), published) == published:
                    return True
    return False


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / name, folder / f"{name}.gz")
    return next((path for path in paths if os.path.isfile(path)), None)  # unlike Path.is_file, it never raises


# --- files -------------------------------------------------------------------------------------------


def read(known: Known, folder: Path) -> Arrays:
    """The four arrays in `folder`; `InputError` names the file that is missing, broken or not the data set's.

    They must be the published files to the bit, unless they ship with the package; compressed in whatever way, if of
    their content a checksum was published.
    """
    *train, test_images, test_labels = (array for name in known.files for array in _checked(known, folder, name))
    arrays = Arrays(_joined(train[::2]), _joined(train[1::2]), test_images, test_labels)
    size = known.shape if known.shape[0] > 1 else known.shape[1:]
    for images, labels in (arrays[:2], arrays[2:]):
        if images[0] != (len(labels[1]), *size) or not labels[1] or max(labels[1]) >= len(known.classes):
            raise InputError("The files in {folder} are not those of {data}.", folder=quoted(folder), data=known.title)
    return arrays


def of_each_class(known: Known) -> list[bytes]:
    """The pixels of a test picture of each class; none if the package has none of them."""
    if known.of_each is None:
        return []
    size, pixels = math.prod(known.shape), formats.read_idx(known.of_each)[1]
    return [pixels[place : place + size] for place in range(0, len(pixels), size)]


def _joined(arrays: Sequence[Idx]) -> Idx:
    """Arrays that are alike but for their first dimension, one after the other."""
    (shape, content), *others = arrays
    if not others:
        return shape, content
    return (sum(shape[0] for shape, _ in arrays), *shape[1:]), b"".join(content for _, content in arrays)


def _checked(known: Known, folder: Path, name: str) -> tuple[Idx, ...]:
    """What is in a file, if it is the published one, or need not be."""
    path = _file(folder, name)
    if path is None:
        raise InputError("The file {name} is missing in {folder}.", name=name, folder=quoted(folder))
    content = formats.content(path)
    arrays = known.parse(content, path)  # before the checksum: what is cut short has a sentence of its own
    published = formats.content(path, unpack=False) if name.endswith(".gz") else content
    if not known.ships and _digest(published, known.files[name]) != known.files[name]:
        raise InputError(
            "{file} is not that of {data}: its content differs from what was published ({sum}). "
            "Delete it and get it again, or name another folder.",
            file=quoted(path),
            data=known.title,
            sum=_sum(known.files[name]).upper().replace("SHA", "SHA-"),
        )
    return arrays


def _digest(content: bytes, published: str) -> str:
    """The checksum of the kind that was published."""
    return hashlib.new(_sum(published), content, usedforsecurity=False).hexdigest()


def _sum(published: str) -> str:
    return "sha256" if len(published) == 64 else "md5"
