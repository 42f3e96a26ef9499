"""A folder of pictures as tensors: the files that `find` finds, each read as one picture of the network's size."""

import math
import stat
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from vggexplorer.architectures import shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.copies import copied, digest
from vggexplorer.pytorch.pictures import levels, reason
from vggexplorer.runs.folders import Files, Found, Odd, find, for_testing, in_words

MAX_BYTES = 8 * 2**30
"""The most memory that the pictures of a folder may take."""
TRIES = 3
"""For each picture that is wanted by chance so many files are tried."""


class Pile:
    """Pictures of one shape that come in one by one, up to `most`, each with its label and its file."""

    def __init__(self, most: int, shape: tuple[int, ...]) -> None:
        self._images = torch.empty((most, *shape), dtype=torch.uint8)  # takes up memory only as it is filled
        self.labels: list[int] = []
        self.files: list[Path] = []
        self.digests: list[bytes] = []

    def add(self, image: Tensor, label: int, file: Path) -> None:
        """Take in one more."""
        self._add(image, label, file, digest(image))

    def _add(self, image: Tensor, label: int, file: Path, its_digest: bytes) -> None:
        self._images[len(self.labels)] = image
        self.labels.append(label)
        self.files.append(file)
        self.digests.append(its_digest)

    def take_out(self, places: Collection[int]) -> "Pile":
        """A pile of the pictures at these places, which are not in this one any more."""
        out = Pile(len(places), tuple(self._images.shape[1:]))
        before = zip(self.images, self.labels, self.files, self.digests, strict=True)
        self.labels, self.files, self.digests = [], [], []
        for place, picture in enumerate(before):
            (out if place in places else self)._add(*picture)
        return out

    @property
    def images(self) -> Tensor:
        """The pictures (n, c, h, w)."""
        return self._images[: len(self.labels)]

    def tensors(self) -> tuple[Tensor, Tensor]:
        """The pictures, and the labels (n,) in int64."""
        return self.images, torch.tensor(self.labels, dtype=torch.int64)


class Read(NamedTuple):
    """What was read of a folder to train and to test on, the names of the classes, and what a person should know."""

    train: Pile
    test: Pile
    classes: tuple[str, ...]
    odd: Odd
    said: tuple[Remark, ...]


def read(path: Path, shape: Shape) -> Read:
    """The pictures below `path`, each of the size of `shape` = (channels, height, width).

    `InputError` if there are too few classes or pictures, or too many pictures.
    """
    return _Reader(path, shape).read()


def some(path: Path, shape: Shape, count: int, chance: Random) -> tuple[Tensor, list[str]]:
    """Up to so many pictures, drawn by chance from those to train on, and the names of their classes.

    `InputError` as in `read`, or if none of those that were tried can be used.
    """
    reader, found = _Reader(path, shape), find(path)
    files = [(file, name) for name, its_files in zip(found.classes, found.train, strict=True) for file in its_files]
    pile, names = Pile(count, reader.shape), list[str]()
    for file, name in chance.sample(files, min(len(files), TRIES * count)):
        if len(names) < count and (image := reader.picture(file, found.odd)) is not None:
            pile.add(image, 0, file)
            names.append(name)
    if not names:
        raise InputError("None of the files that were tried is a picture that can be used.")
    return pile.images, names


class _Reader:
    """Reads the pictures that `find` finds below `path`."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self.path = path
        self.shape = shape
        channels, *self.size = shape
        if channels not in (1, 3):
            raise InputError("Pictures have 1 or 3 channels; this network takes {channels}.", channels=f"{channels:,}")
        self.mode = "L" if channels == 1 else "RGB"

    def read(self) -> Read:
        found = find(self.path)
        self._check_memory(sum(map(len, (*found.train, *found.test))))
        train, test = (self._pile(files, found.odd) for files in (found.train, found.test))
        if not found.test:
            test = train.take_out(_for_testing(train))
        self._check_classes(found.classes, train, test)
        said = (*found.said, *_said_of_copies(found, train, test), *_changes(self.path, found))
        return Read(train, test, found.classes, found.odd, said)

    def _pile(self, files: Files, odd: Odd) -> Pile:
        """The pictures of all classes, class after class."""
        pile = Pile(sum(map(len, files)), self.shape)
        for label, its_files in enumerate(files):
            for file in its_files:
                if (image := self.picture(file, odd)) is not None:
                    pile.add(image, label, file)
        return pile

    def picture(self, file: Path, odd: Odd) -> Tensor | None:
        """The picture in a file; None, with its reason in `odd`, if it cannot be used."""
        try:
            if not stat.S_ISREG(file.stat().st_mode):  # since it was found; a pipe would keep us waiting
                raise InputError("not a file")
            pixels = torch.from_numpy(levels(file, self.mode, *self.size))
        except Exception as error:  # Pillow's plugins raise all sorts on broken files
            odd.note(file, str(reason(error)))
            return None
        return pixels.view(*self.size, -1).permute(2, 0, 1)

    def _check_memory(self, count: int) -> None:
        need = count * math.prod(self.shape)
        if need > MAX_BYTES:
            raise InputError(
                "{count} pictures of {height}×{width} take {need} GB of memory; at most {most} GB are allowed. "
                "Choose a smaller input or fewer pictures.",
                count=f"{count}",
                height=self.size[0],
                width=self.size[1],
                need=f"{need / 1e9:,.1f}",
                most=f"{MAX_BYTES / 1e9:.1f}",
            )

    def _check_classes(self, names: Sequence[str], train: Pile, test: Pile) -> None:
        trained, tested = Counter(train.labels), Counter(test.labels)
        for label, name in enumerate(names):
            if not trained[label]:
                raise InputError(
                    "The class {name} has {count} {count:picture|pictures} that can be used; at least 2 are "
                    "needed, one for the test.",
                    name=shown(name),
                    count=tested[label],
                )
        if not tested:
            if all(copied(train.digests)):
                raise InputError(
                    "Each picture has a copy that is the same to the pixel, so that none is left to test on. Remove "
                    "the copies, or sort the pictures into folders {train} and {test} yourself.",
                    train="train",
                    test="test",
                )
            raise InputError("None of the pictures for testing can be used.")


def _for_testing(pile: Pile) -> set[int]:
    """The places of the pictures that are not trained on, where no folder says which."""
    is_copied, chosen = copied(pile.digests), set[int]()
    for _, group in groupby(range(len(pile.labels)), pile.labels.__getitem__):
        places = list(group)
        chosen.update(places[each] for each in for_testing([is_copied[place] for place in places]))
    return chosen


def _said_of_copies(found: Found, train: Pile, test: Pile) -> Iterator[Remark]:
    """What is said of pictures that are the same to the pixel."""
    if found.test:
        trained = set(train.digests)
        if both := sum(each in trained for each in test.digests):
            yield Remark(
                "{count} {count:picture|pictures} for testing {count:is|are} trained on, too, the same to the pixel: "
                "the test flatters the network.",
                {"count": f"{both:,}"},
            )
    elif count := sum(copied(train.digests)):
        yield Remark(
            "{count} pictures have copies that are the same to the pixel; all of these are trained on, and the test "
            "is of others.",
            {"count": f"{count:,}"},
        )
        tested = set(test.labels)
        if without := [name for label, name in enumerate(found.classes) if label not in tested]:
            yield Remark("Of {names} no picture is left to test on: each has a copy.", {"names": in_words(without)})
    labels: dict[bytes, set[int]] = defaultdict(set)
    for pile in (train, test):
        for label, its_digest in zip(pile.labels, pile.digests, strict=True):
            labels[its_digest].add(label)
    several = [each for each in labels.values() if len(each) > 1]
    if several:
        names = in_words([found.classes[label] for label in sorted(set().union(*several))])
        yield Remark(
            "{count} {count:picture is|pictures are} in more than one class, the same to the pixel: {names}.",
            {"count": f"{len(several):,}", "names": names},
        )


def _changes(path: Path, found: Found) -> tuple[Remark, ...]:
    """What is said if a folder holds other files than those that were found and read."""
    try:
        now = find(path)
    except InputError as error:
        return (Remark("The folder was changed while its pictures were read: {reason}", {"reason": error}),)
    before, after = ({file for files in (*each.train, *each.test) for file in files} for each in (found, now))
    if before == after:
        return ()
    counts = {"came": f"{len(after - before):,}", "gone": f"{len(before - after):,}"}
    return (
        Remark(
            "The folder was changed while its pictures were read: {came} {came:file|files} came and are not used, "
            "{gone} went.",
            counts,
        ),
    )
