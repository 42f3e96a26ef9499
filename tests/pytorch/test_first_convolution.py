"""The convolution that Learn follows pixel by pixel: PyTorch makes the same maps of the recorded pictures."""

import json

import torch
from torch.nn import functional

from vggexplorer.lessons.window import RECORDED, learned, value
from vggexplorer.pytorch.data import to_batch
from vggexplorer.runs import datasets


def test_pytorch_gives_the_same_maps() -> None:
    found = learned()
    pictures = torch.tensor([picture.pixels for picture in found.pictures])[:, None]
    kernels = torch.tensor([kernel.weights for kernel in found.kernels]).reshape(-1, 1, 3, 3)
    maps = functional.conv2d(pictures, kernels, torch.tensor([kernel.bias for kernel in found.kernels]), padding=1)
    own = [
        [
            [[value(picture.pixels, kernel, row, column) for column in range(32)] for row in range(32)]
            for kernel in found.kernels
        ]
        for picture in found.pictures
    ]
    torch.testing.assert_close(torch.tensor(own), maps, rtol=1e-4, atol=1e-5)


def test_the_pictures_are_as_the_network_gets_them() -> None:
    known = datasets.KNOWN["sample"]
    labels = [each["label"] for each in json.loads(RECORDED.read_text("utf-8"))["pictures"]]
    raw = [datasets.of_each_class(known)[known.classes.index(label)] for label in labels]
    images = torch.stack([torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(1, 28, 28) for pixels in raw])
    shown = torch.tensor([picture.pixels for picture in learned().pictures])[:, None]
    torch.testing.assert_close(shown, to_batch(images, (1, 32, 32)), rtol=0, atol=1e-4)
