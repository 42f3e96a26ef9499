"""What well-known networks reach on ImageNet, as published, beside what they cost."""

from dataclasses import replace
from typing import NamedTuple

from vggexplorer.architectures import NETWORKS, Architecture
from vggexplorer.layers import Shape


class Published(NamedTuple):
    """A network's parameters, its MACs in 10^9, and the share of right first answers in per cent."""

    name: str
    params: int
    giga_macs: float
    top1: float


SOURCE = "torchvision 0.29, IMAGENET1K_V1"
"""The `meta` of the weights: num_params, _ops, and acc@1 with one crop of 224 pixels."""
INPUT_SHAPE: Shape = (3, 224, 224)
CLASSES = 1000
PUBLISHED = (
    Published("AlexNet (torchvision)", 61_100_840, 0.714, 56.522),
    Published("VGG-11", 132_863_336, 7.609, 69.020),
    Published("VGG-11, bn", 132_868_840, 7.609, 70.370),
    Published("VGG-13", 133_047_848, 11.308, 69.928),
    Published("VGG-13, bn", 133_053_736, 11.308, 71.586),
    Published("VGG-16", 138_357_544, 15.470, 71.592),
    Published("VGG-16, bn", 138_365_992, 15.470, 73.360),
    Published("VGG-19", 143_667_240, 19.632, 72.376),
    Published("VGG-19, bn", 143_678_248, 19.632, 74.218),
    Published("SqueezeNet 1.1", 1_235_496, 0.349, 58.178),
    Published("MobileNetV2", 3_504_872, 0.301, 71.878),
    Published("GoogLeNet", 6_624_904, 1.498, 69.778),
    Published("ResNet-18", 11_689_512, 1.814, 69.758),
    Published("ResNet-50", 25_557_032, 4.089, 76.130),
)
"""Those that can be built here are called as they are here."""


def named(name: str) -> Published:
    """The one called so."""
    return next(each for each in PUBLISHED if each.name == name)


def architecture(name: str) -> Architecture | None:
    """The architecture of one of `PUBLISHED` as it is here; None if it has none."""
    known, _, norm = name.partition(", ")
    network = NETWORKS.get(known)
    return network and replace(network.architecture, batch_norm=bool(norm), num_classes=CLASSES)


_KNOWN = {architecture(each.name): each for each in PUBLISHED}


def find(own: Architecture) -> Published | None:
    """What was published of this architecture, whatever its number of classes is."""
    return _KNOWN.get(replace(own, num_classes=CLASSES))
