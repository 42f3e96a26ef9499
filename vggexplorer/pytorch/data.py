"""Data sets as tensors: the whole set in memory as unsigned bytes, resized, scaled and changed in batches.

There are no loader processes: a batch is indexed out of the set on its device, then `to_batch` makes it
what `Resize` and `ToTensor` of torchvision would have made of each image.
"""

import math
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vggexplorer.architectures import check_shape, shown
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.pictures import levels, reason
from vggexplorer.runs.datasets import (
    Dataset,
    Idx,
    official,
    read,
)

TEST_EVERY = 7
"""Where a folder has no test pictures of its own, the first of every so many of a class becomes one."""
MAX_BYTES = 8 * 2**30
"""The most memory that the pictures of a folder may take."""
MAX_ODD = 100
"""The most files that are listed because they could not be used."""
GREY = (0.299, 0.587, 0.114)
"""The parts of red, green and blue in a grey level, by ITU-R BT.601, as Pillow mixes them."""


class Data(NamedTuple):
    """A data set on the CPU: images (n, c, h, w) in uint8, labels (n,) in int64, the names of the classes.

    `odd` lists files of a folder that could not be used, each with a reason, at most `MAX_ODD` of them; `num_odd` is
    how many there are.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    odd: tuple[str, ...] = ()
    num_odd: int = 0


def load(dataset: Dataset, input_shape: Shape) -> Data:
    """The data set on the CPU; `InputError` if it is not there or cannot be used.

    Pictures of a folder get the size of `input_shape` = (channels, height, width) and one channel if it
    has one, else three. Those of a known data set keep their shape.
    """
    check_shape(input_shape)
    known = dataset.known
    if known is None:
        return _Folder(dataset.path, input_shape).load()
    train_images, train_labels, test_images, test_labels = map(_tensor, read(known, official(dataset)))
    train_images, test_images = (images.view(-1, *known.shape) for images in (train_images, test_images))
    return Data(train_images, train_labels.long(), test_images, test_labels.long(), known.classes)


def limited(data: Data, images: int | None) -> Data:
    """The data with so many training images at most, evenly out of each class, in the order that they have."""
    count = len(data.train_labels)
    if images is None or images >= count:
        return data
    by_class = data.train_labels.argsort(stable=True)
    places = by_class[torch.arange(images) * count // images].sort().values
    return data._replace(train_images=data.train_images[places], train_labels=data.train_labels[places])


def to_batch(images: Tensor, input_shape: Shape) -> Tensor:
    """Images (n, c, h, w) in uint8 as float32 from 0 to 1 with `input_shape` = (channels, height, width) each.

    They stay on their device. Bilinear, with antialiasing where it shrinks; grey images repeat their channel,
    coloured ones become grey for a network with one. Equal to torchvision's `Resize` and `ToTensor` but for
    Pillow's rounding to grey levels.
    """
    channels, *size = input_shape
    batch = images.to(torch.float32) / 255
    if channels == 1 and batch.shape[1] == 3:
        batch = sum(part * batch[:, index : index + 1] for index, part in enumerate(GREY))  # type: ignore[assignment]
    if list(batch.shape[2:]) != size:
        shrinks = size[0] < batch.shape[2] or size[1] < batch.shape[3]
        batch = functional.interpolate(batch, size, mode="bilinear", antialias=shrinks)
    return batch if batch.shape[1] == channels else batch.expand(-1, channels, -1, -1)


def augment(batch: Tensor, flip: bool, crop: int, brightness: float) -> Tensor:
    """The batch (n, c, h, w) of values from 0 to 1, each image changed at random; the shape stays.

    With `flip` every other image on average is mirrored left to right; `crop` pads so many black pixels on
    each side and cuts the size out again; `brightness` b multiplies by a factor from 1 - b to 1 + b. Random
    numbers come from the default generator of the batch's device, none for what is switched off.
    """
    if flip:
        batch = torch.where(torch.rand_like(_one_each(batch)) < 0.5, batch.flip(3), batch)
    if crop:
        batch = _cropped(batch, crop)
    if brightness:
        factor = 1 + brightness * (2 * torch.rand_like(_one_each(batch)) - 1)
        batch = (batch * factor).clamp(0, 1)
    return batch


def _one_each(batch: Tensor) -> Tensor:
    return batch[:, :1, :1, :1]


def _cropped(batch: Tensor, crop: int) -> Tensor:
    count, _, height, width = batch.shape
    padded = functional.pad(batch, (crop,) * 4)
    top, left = torch.randint(2 * crop + 1, (2, count, 1), device=batch.device)
    rows = top + torch.arange(height, device=batch.device)
    columns = left + torch.arange(width, device=batch.device)
    image = torch.arange(count, device=batch.device)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


# --- known data sets ---------------------------------------------------------------------------------


def _tensor(array: Idx) -> Tensor:
    shape, content = array
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(shape)


# --- a folder of pictures ----------------------------------------------------------------------------


class _Pile:
    """Pictures of one shape that come in one by one, up to `most`, with their labels."""

    def __init__(self, most: int, shape: tuple[int, ...]) -> None:
        self.images = torch.empty((most, *shape), dtype=torch.uint8)  # takes up memory only as it is filled
        self.labels: list[int] = []

    def add(self, image: Tensor, label: int) -> None:
        self.images[len(self.labels)] = image
        self.labels.append(label)

    def tensors(self) -> tuple[Tensor, Tensor]:
        return self.images[: len(self.labels)], torch.tensor(self.labels, dtype=torch.int64)


class _Folder:
    """Reads the pictures below `path`: train/CLASS/ and test/CLASS/, or CLASS/ alone."""

    def __init__(self, path: Path, input_shape: Shape) -> None:
        self.path = path
        channels, *self.size = input_shape
        if channels not in (1, 3):
            raise InputError("Pictures have 1 or 3 channels; this network takes {channels}.", channels=f"{channels:,}")
        self.mode = "L" if channels == 1 else "RGB"
        self.shape = (channels, *self.size)
        self.odd: list[str] = []
        self.num_odd = 0

    def load(self) -> Data:
        """The data set; `InputError` if there are too few classes or pictures, or too many pictures."""
        parts = {"train", "test"}
        split = parts <= {folder.name for folder in self._folders(self.path)}
        classes = self._folders(self.path / "train" if split else self.path)
        if len(classes) < 2:
            raise InputError(
                "{folder} must hold at least 2 folders, one for the pictures of each class; there {count:is|are} "
                "{count}.",
                folder=shown(str(classes[0].parent if classes else self.path), 200),
                count=len(classes),
            )
        train = [self._files(folder) for folder in classes]
        test = [self._files(self.path / "test" / folder.name) for folder in classes] if split else []
        if split:
            self._note_strangers({folder.name for folder in classes})
        self._check_memory(sum(map(len, train + test)))
        names = tuple(folder.name.encode("utf-8", "replace").decode() for folder in classes)
        piles = self._read(train, test)
        self._check_classes(names, piles, split)
        return Data(*piles[0].tensors(), *piles[1].tensors(), names, tuple(self.odd), self.num_odd)

    def _read(self, train: list[list[Path]], test: list[list[Path]]) -> tuple[_Pile, _Pile]:
        """The training and the test pictures."""
        for_test = sum(map(len, test)) if test else sum(math.ceil(len(files) / TEST_EVERY) for files in train)
        piles = _Pile(sum(map(len, train)), self.shape), _Pile(for_test, self.shape)
        for label, files in enumerate(train):
            for place, image in enumerate(self._pictures(files)):
                piles[not test and place % TEST_EVERY == 0].add(image, label)
        for label, files in enumerate(test):
            for image in self._pictures(files):
                piles[1].add(image, label)
        return piles

    def _pictures(self, files: Iterable[Path]) -> Iterator[Tensor]:
        for file in files:
            try:
                yield self._picture(file)
            except Exception as error:  # Pillow's plugins raise all sorts on broken files
                self._note(file, str(reason(error)))

    def _picture(self, file: Path) -> Tensor:
        pixels = torch.from_numpy(levels(file, self.mode, *self.size))
        return pixels.view(*self.size, -1).permute(2, 0, 1)

    def _folders(self, path: Path) -> list[Path]:
        return [entry for entry in self._entries(path) if entry.is_dir()]

    def _files(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return []
        files = []
        for entry in self._entries(path):
            if _is_file(entry):
                files.append(entry)
            else:
                self._note(entry, "not a file")
        return files

    def _entries(self, path: Path) -> list[Path]:
        """What is in the folder, hidden files left out, sorted by name."""
        try:
            names = sorted(name for name in os.listdir(path) if not name.startswith("."))
        except (OSError, ValueError) as error:
            raise InputError(
                "The folder {folder} cannot be read: {reason}.",
                folder=shown(str(path), 200),
                reason=getattr(error, "strerror", None) or str(error),
            ) from error
        return [path / name for name in names]

    def _note(self, path: Path, reason: str) -> None:
        self.num_odd += 1
        if len(self.odd) < MAX_ODD:
            self.odd.append(f"{shown(str(path.relative_to(self.path)), 100)}: {reason}")

    def _note_strangers(self, names: set[str]) -> None:
        for folder in self._folders(self.path / "test"):
            if folder.name not in names:
                self._note(folder, "no such class in train")

    def _check_memory(self, count: int) -> None:
        need = count * math.prod(self.shape)
        if need > MAX_BYTES:
            raise InputError(
                "{count} pictures of {height}×{width} take {need} GB of memory; at most {most} GB are allowed. "
                "Choose a smaller input or fewer pictures.",
                count=f"{count:,}",
                height=self.size[0],
                width=self.size[1],
                need=f"{need / 1e9:,.1f}",
                most=f"{MAX_BYTES / 1e9:.1f}",
            )

    def _check_classes(self, names: tuple[str, ...], piles: tuple[_Pile, _Pile], split: bool) -> None:
        for label, name in enumerate(names):
            train, test = (pile.labels.count(label) for pile in piles)
            if split and not (train and test):
                raise InputError(
                    "The class {name} has no picture that can be used in {part}.",
                    name=shown(name),
                    part="test" if train else "train",
                )
            if train + test < 2:
                raise InputError(
                    "The class {name} has {count} {count:picture|pictures} that can be used; at least 2 are "
                    "needed, one for the test.",
                    name=shown(name),
                    count=train + test,
                )


def _is_file(path: Path) -> bool:
    """Whether it is an ordinary file, which cannot keep a reader waiting."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
