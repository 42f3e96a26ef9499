"""Data sets as tensors: the whole set in memory as unsigned bytes, resized, scaled and changed in batches.

There are no loader processes: a batch is indexed out of the set on its device, then `to_batch` makes it
what `Resize` and `ToTensor` of torchvision would have made of each image.
"""

import math
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vggexplorer.architectures import check_shape, shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.pictures import levels, reason
from vggexplorer.runs.datasets import Dataset, official, read
from vggexplorer.runs.folders import TEST_EVERY, Found, Odd, find
from vggexplorer.runs.formats import Idx

MAX_BYTES = 8 * 2**30
"""The most memory that the pictures of a folder may take."""
GREY = (0.299, 0.587, 0.114)
"""The parts of red, green and blue in a grey level, by ITU-R BT.601, as Pillow mixes them."""


class Data(NamedTuple):
    """A data set on the CPU: images (n, c, h, w) in uint8, labels (n,) in int64, the names of the classes.

    `odd` lists files of a folder that could not be used, each with a reason, at most `MAX_ODD` of them; `num_odd` is
    how many there are; `said` is what a person should know of the folder.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    odd: tuple[str, ...] = ()
    num_odd: int = 0
    said: tuple[Remark, ...] = ()

    @property
    def counts(self) -> list[list[int]]:
        """How many pictures of each class there are to train and to test on."""
        both = (
            labels.bincount(minlength=len(self.classes)).tolist() for labels in (self.train_labels, self.test_labels)
        )
        return list(map(list, zip(*both, strict=True)))


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
    """Reads the pictures that `find` finds below `path`."""

    def __init__(self, path: Path, input_shape: Shape) -> None:
        self.path = path
        channels, *self.size = input_shape
        if channels not in (1, 3):
            raise InputError("Pictures have 1 or 3 channels; this network takes {channels}.", channels=f"{channels:,}")
        self.mode = "L" if channels == 1 else "RGB"
        self.shape = (channels, *self.size)

    def load(self) -> Data:
        """The data set; `InputError` if there are too few classes or pictures, or too many pictures."""
        found = find(self.path)
        self._check_memory(sum(map(len, (*found.train, *found.test))))
        piles = self._read(found)
        self._check_classes(found.classes, piles)
        said = (*found.said, *_changes(self.path, found))
        return Data(
            *piles[0].tensors(), *piles[1].tensors(), found.classes, tuple(found.odd.listed), found.odd.count, said
        )

    def _read(self, found: Found) -> tuple[_Pile, _Pile]:
        """The training and the test pictures."""
        test = sum(count for _, count in found.counts.values())
        piles = _Pile(sum(map(len, found.train)), self.shape), _Pile(test, self.shape)
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

    def _check_classes(self, names: Sequence[str], piles: tuple[_Pile, _Pile]) -> None:
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
