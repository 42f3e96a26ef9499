"""Data sets as tensors: the whole set in memory as unsigned bytes, resized, scaled and changed in batches.

There are no loader processes: a batch is indexed out of the set on its device, then `to_batch` makes it
what `Resize` and `ToTensor` of torchvision would have made of each image.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vggexplorer.architectures import check_shape
from vggexplorer.comparison import Remark
from vggexplorer.layers import Shape
from vggexplorer.pytorch import folder
from vggexplorer.runs.datasets import Dataset, official, read
from vggexplorer.runs.formats import Idx

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
        return of_folder(folder.read(dataset.path, input_shape))
    train_images, train_labels, test_images, test_labels = map(_tensor, read(known, official(dataset)))
    train_images, test_images = (images.view(-1, *known.shape) for images in (train_images, test_images))
    return Data(train_images, train_labels.long(), test_images, test_labels.long(), known.classes)


def of_folder(read: folder.Read) -> Data:
    """The pictures of a folder as a data set."""
    tensors = (*read.train.tensors(), *read.test.tensors())
    return Data(*tensors, read.classes, tuple(read.odd.listed), read.odd.count, read.said)


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
