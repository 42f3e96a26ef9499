"""The named networks beside the book's VGGs: their figures against what others published, menu and notes."""

import pytest
import torch
from torch import nn

from vggexplorer.architectures import NETWORKS, Architecture
from vggexplorer.layers import Shape
from vggexplorer.origins import ORIGINS, note
from vggexplorer.pytorch.modules import build
from vggexplorer.summary import summarize
from vggexplorer.text import find_named, format_network, parse_network, title


def test_every_named_network_has_an_origin_and_those_of_one_stand_together() -> None:
    assert set(ORIGINS) == set(NETWORKS)
    found = list(ORIGINS.values())
    assert found == sorted(found, key=found.index)


# --- Krizhevsky et al. (2012) --------------------------------------------------------------------------

# Netscope's table of its preset alexnet.prototxt (crop 227, batch 10): macc / 10 and parameters by layer, as printed
# there; the last three are the fully connected layers.
NETSCOPE = [
    ("105 M", "34.94 k"),
    ("224 M", "307.46 k"),
    ("150 M", "885.12 k"),
    ("112 M", "663.94 k"),
    ("74.76 M", "442.62 k"),
    ("37.749 M", "37.75 M"),
    ("16.777 M", "16.78 M"),
    ("4.096 M", "4.1 M"),
]


def rounded(count: int, like: str) -> str:
    number, unit = like.split()
    digits = len(number.partition(".")[2])
    return f"{count / {'k': 1e3, 'M': 1e6}[unit]:.{digits}f} {unit}"


def test_alexnet_in_two_towers_layer_by_layer() -> None:
    rows = [row for row in summarize(*NETWORKS["AlexNet (2012)"]).rows if row.macs]
    for row, (macs, params) in zip(rows, NETSCOPE, strict=True):
        assert (rounded(row.macs, macs), rounded(row.params, params)) == (macs, params)
    # By hand: 96x3x11x11 + 96, 256x48x5x5 + 256, 384x256x3x3 + 384, 384x192x3x3 + 384, 256x192x3x3 + 256, and
    # 9216x4096 + 4096, 4096x4096 + 4096, 4096x1000 + 1000; the convolutions' at 55², 27², 13², 13², 13² places.
    assert sum(row.params for row in rows) == 60_965_224
    assert sum(row.macs for row in rows) == 724_406_816


# --- PyTorch, written by hand --------------------------------------------------------------------------


def nin_block(out_channels: int, kernel_size: int, strides: int, padding: int) -> nn.Sequential:
    """Dive into Deep Learning, section 8.3."""
    return nn.Sequential(
        nn.LazyConv2d(out_channels, kernel_size, strides, padding),
        *(nn.ReLU(), nn.LazyConv2d(out_channels, kernel_size=1), nn.ReLU()),
        *(nn.LazyConv2d(out_channels, kernel_size=1), nn.ReLU()),
    )


def nin() -> nn.Sequential:
    return nn.Sequential(
        *(nin_block(96, 11, 4, 0), nn.MaxPool2d(3, stride=2)),
        *(nin_block(256, 5, 1, 2), nn.MaxPool2d(3, stride=2)),
        *(nin_block(384, 3, 1, 1), nn.MaxPool2d(3, stride=2), nn.Dropout(0.5)),
        *(nin_block(10, 3, 1, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()),
    )


def zfnet() -> nn.Sequential:
    """Zeiler and Fergus (2013), figure 3."""
    return nn.Sequential(
        *(nn.LazyConv2d(96, 7, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.LazyConv2d(256, 5, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.LazyConv2d(384, 3, 1, 1), nn.ReLU(), nn.LazyConv2d(384, 3, 1, 1), nn.ReLU()),
        *(nn.LazyConv2d(256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten()),
        *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(), nn.LazyLinear(4096), nn.ReLU(), nn.Dropout()),
        nn.LazyLinear(1000),
    )


def vgg_for_cifar(depth: int) -> nn.Sequential:
    """The list of the repositories that train VGG on CIFAR-10."""
    lists = {
        16: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
        19: [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
    }
    layers: list[nn.Module] = []
    for item in lists[depth]:
        if item == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.LazyConv2d(item, kernel_size=3, padding=1), nn.LazyBatchNorm2d(), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(10))


# Columns: parameters and MACs; those of VGG-16 for CIFAR-10 are the 14.7 M that its repositories print.
BY_HAND = {
    "NiN": (nin, 1_992_166, 762_297_352),
    "ZFNet": (zfnet, 62_357_608, 1_168_032_896),
    "VGG-16 (CIFAR)": (lambda: vgg_for_cifar(16), 14_728_266, 313_201_664),
    "VGG-19 (CIFAR)": (lambda: vgg_for_cifar(19), 20_040_522, 398_136_320),
}


def shapes(net: nn.Module, shape: Shape) -> list[tuple[int, ...]]:
    with torch.no_grad():
        net.eval()(torch.zeros(1, *shape, device="meta"))
    return [tuple(parameter.shape) for parameter in net.parameters()]


@pytest.mark.parametrize("name", BY_HAND)
def test_the_networks_of_others(name: str) -> None:
    make, params, macs = BY_HAND[name]
    architecture, shape = NETWORKS[name]
    totals = summarize(architecture, shape).totals
    assert (totals.params, totals.macs) == (params, macs)
    with torch.device("meta"):
        assert shapes(build(architecture, shape), shape) == shapes(make(), shape)


# --- with batch norm -----------------------------------------------------------------------------------


# torchvision's vgg11_bn to vgg19_bn at 3x224x224 with 1000 classes: num_params of their weights' meta.
@pytest.mark.parametrize(
    ("name", "params"),
    [("vgg11-bn", 132_868_840), ("VGG13_BN", 133_053_736), ("vgg16 bn", 138_365_992), ("vgg19bn", 143_678_248)],
)
def test_vgg_with_batch_norm_is_a_spelling(name: str, params: int) -> None:
    network = find_named(name)
    assert network is not None
    assert format_network(network).keys() == {"arch", "bn"}
    assert title(network).endswith(", bn")
    architecture = Architecture(network.architecture.items, num_classes=1000, batch_norm=True)
    assert summarize(architecture, (3, 224, 224)).totals.params == params


# Of a repository for CIFAR-10, without batch norm; and torchvision.models.vgg16(num_classes=10).
@pytest.mark.parametrize(
    ("texts", "params"),
    [
        ({"arch": "vgg16-cifar", "bn": "0", "hidden": "512,512"}, 15_245_130),
        ({"arch": "vgg16", "input": "3x224x224", "head": "adaptive"}, 134_301_514),
    ],
)
def test_variants_that_others_count(texts: dict[str, str], params: int) -> None:
    assert summarize(*parse_network(texts)).totals.params == params


def test_other_networks_with_bn_have_no_such_name() -> None:
    assert find_named("lenet-bn") is None
    assert find_named("vgg99-bn") is None


# --- notes ---------------------------------------------------------------------------------------------


def test_what_lenet_5_of_the_paper_has_more_and_less() -> None:
    """From the paper's 60,000 to the book's 61,706: what is more in C3 and the output, less the pools'."""
    found = note("LeNet")
    assert found is not None
    figures = {name: int(text.replace(",", "")) for name, text in found.values.items()}
    assert (figures["paper"], figures["book"]) == (60_000, 61_706)
    more = figures["own_c3"] - figures["c3"] + figures["output"]
    assert figures["paper"] + more - figures["s2"] - figures["s4"] == figures["book"]
    assert note("VGG-11") is None
