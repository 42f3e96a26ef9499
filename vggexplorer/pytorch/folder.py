"""A folder of pictures as tensors: the files that `find` finds, each read as one picture of the network's size."""

import math
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vggexplorer.architectures import shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.pictures import levels, reason
from vggexplorer.runs.folders import TEST_EVERY, Found, Odd, find

MAX_BYTES = 8 * 2**30
"""The most memory that the pictures of a folder may take."""


class Pile:
    """Pictures of one shape that come in one by one, up to `most`, with their labels."""

    def __init__(self, most: int, shape: tuple[int, ...]) -> None:
        self.images = torch.empty((most, *shape), dtype=torch.uint8)  # takes up memory only as it is filled
        self.labels: list[int] = []

    def add(self, image: Tensor, label: int) -> None:
        """Take in one more."""
        self.images[len(self.labels)] = image
        self.labels.append(label)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """The pictures (n, c, h, w) and the labels (n,) in int64."""
        return self.images[: len(self.labels)], torch.tensor(self.labels, dtype=torch.int64)


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
    channels, *size = shape
    if channels not in (1, 3):
        raise InputError("Pictures have 1 or 3 channels; this network takes {channels}.", channels=f"{channels:,}")
    return _Reader(path, shape, size).read()


class _Reader:
    """Reads the pictures that `find` finds below `path`."""

    def __init__(self, path: Path, shape: Shape, size: Sequence[int]) -> None:
        self.path = path
        self.shape = shape
        self.size = size
        self.mode = "L" if shape[0] == 1 else "RGB"

    def read(self) -> Read:
        found = find(self.path)
        self._check_memory(sum(map(len, (*found.train, *found.test))))
        piles = self._piles(found)
        self._check_classes(found.classes, piles)
        said = (*found.said, *_changes(self.path, found))
        return Read(*piles, found.classes, found.odd, said)

    def _piles(self, found: Found) -> tuple[Pile, Pile]:
        """The training and the test pictures."""
        test = sum(count for _, count in found.counts.values())
        piles = Pile(sum(map(len, found.train)), self.shape), Pile(test, self.shape)
        for label, files in enumerate(found.train):
            for place, image in enumerate(self._pictures(files, found.odd)):
                piles[not found.test and place % TEST_EVERY == 0].add(image, label)
        for label, files in enumerate(found.test):
            for image in self._pictures(files, found.odd):
                piles[1].add(image, label)
        return piles

    def _pictures(self, files: Iterable[Path], odd: Odd) -> Iterator[Tensor]:
        for file in files:
            try:
                yield self._picture(file)
            except Exception as error:  # Pillow's plugins raise all sorts on broken files
                odd.note(file, str(reason(error)))

    def _picture(self, file: Path) -> Tensor:
        if not stat.S_ISREG(file.stat().st_mode):  # since it was found; a pipe would keep us waiting
            raise InputError("not a file")
        pixels = torch.from_numpy(levels(file, self.mode, *self.size))
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

    def _check_classes(self, names: Sequence[str], piles: tuple[Pile, Pile]) -> None:
        for label, name in enumerate(names):
            train, test = (pile.labels.count(label) for pile in piles)
            if not train:
                raise InputError(
                    "The class {name} has {count} {count:picture|pictures} that can be used; at least 2 are "
                    "needed, one for the test.",
                    name=shown(name),
                    count=test,
                )
        if not piles[1].labels:
            raise InputError("None of the pictures for testing can be used.")


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
