"""Texts as people of this field have them at hand, and the published figures of the networks that they mean.

The figures are those of the sources that tests/core/test_origins.py and tests/core/test_summary.py name, and of
torchvision's weights.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from vggexplorer.architectures import NETWORKS, Block, Network, blocks
from vggexplorer.errors import InputError
from vggexplorer.reading.reader import MAX_CHARACTERS, picked, read, read_file
from vggexplorer.reading.values import Says, TokenError
from vggexplorer.summary import summarize

VGG_11, VGG_11_SLIM, VGG_16 = 128_806_154, 576_832 + 42_516_490, 134_300_362
"""VGG-11 and VGG-16 of the book (1 channel, 10 classes)."""
ALEXNET, NIN, LENET = 46_764_746, 1_992_166, 61_706
TV_ALEXNET, TV_VGG_11, TV_VGG_16, TV_VGG_16_BN, TV_VGG_19 = (
    61_100_840,
    132_863_336,
    138_357_544,
    138_365_992,
    143_667_240,
)
CIFAR_VGG_16 = 14_728_266

BLOCK = """
def vgg_block(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)
"""
VGG = """
def vgg(conv_arch):
    blks, in_channels = [], 1
    for num_convs, out_channels in conv_arch:  # 卷积层部分
        blks.append(vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(
        *blks, nn.Flatten(),
        nn.Linear(out_channels * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 10))
"""
START = """%matplotlib inline
!pip install d2l
import torch
from torch import nn
from d2l import torch as d2l
"""
TABLE = "conv_arch = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))\n"
SHAPES = """X = torch.randn(size=(1, 1, 224, 224))
for blk in net:
    X = blk(X)
    print(blk.__class__.__name__, 'output shape:\\t', X.shape)
"""
RECIPE = """lr, num_epochs, batch_size = 0.05, 10, 128
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size, resize=224)
d2l.train_ch6(net, train_iter, test_iter, num_epochs, lr, d2l.try_gpu())
"""
SMALL = """ratio = 4
small_conv_arch = [(pair[0], pair[1] // ratio) for pair in conv_arch]
net = vgg(small_conv_arch)
"""
WHOLE = START + BLOCK + TABLE + VGG + "net = vgg(conv_arch)\n" + SHAPES
SMALLER_HEAD = """
def vgg(conv_arch):
    blks, in_channels = [], 1
    for num_convs, out_channels in conv_arch:
        blks.append(vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(
        *blks, nn.Flatten(),
        nn.Linear(out_channels * 5 * 5, 1024), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(1024, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10))
"""
LAZY = """
def vgg_block(num_convs, out_channels):
    layers = []
    for _ in range(num_convs):
        layers += [nn.LazyConv2d(out_channels, kernel_size=3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(kernel_size=2, stride=2))

class VGG(d2l.Classifier):
    def __init__(self, arch, lr=0.1, num_classes=10):
        super().__init__()
        self.save_hyperparameters()
        conv_blks = [vgg_block(count, channels) for count, channels in arch]
        self.net = nn.Sequential(
            *conv_blks, nn.Flatten(),
            nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(0.5),
            nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(0.5),
            nn.LazyLinear(num_classes))
        self.net.apply(d2l.init_cnn)
"""
SUMMARY = "VGG(arch=((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))).layer_summary((1, 1, 224, 224))\n"
ALEXNET_CELL = """
net = nn.Sequential(
    nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(),
    nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(),
    nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Flatten(),
    nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(p=0.5),
    nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(p=0.5),
    nn.Linear(4096, 10))
X = torch.randn(1, 1, 224, 224)
"""
NIN_CELL = """
def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, strides, padding), nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1), nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1), nn.ReLU())

net = nn.Sequential(
    nin_block(1, 96, 11, 4, 0), nn.MaxPool2d(3, stride=2),
    nin_block(96, 256, 5, 1, 2), nn.MaxPool2d(3, stride=2),
    nin_block(256, 384, 3, 1, 1), nn.MaxPool2d(3, stride=2), nn.Dropout(0.5),
    nin_block(384, 10, 3, 1, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
X = torch.rand(size=(1, 1, 224, 224))
"""
LENET_CELL = """
net = nn.Sequential(
    nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.Linear(16 * 5 * 5, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))
"""
REPOSITORY = """
import torch.nn as nn
import torch.nn.functional as F

cfg = {
    'VGG11': [64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
    'VGG16': [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M'],
}

class VGG(nn.Module):
    def __init__(self, name):
        super(VGG, self).__init__()
        self.features = self._features(cfg[name])
        self.classifier = nn.Linear(512, 10)

    def forward(self, x):
        out = self.features(x)
        out = out.view(out.size(0), -1)
        return self.classifier(out)

    def _features(self, cfg):
        layers, channels = [], 3
        for x in cfg:
            if x == 'M':
                layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
            else:
                layers += [nn.Conv2d(channels, x, kernel_size=3, padding=1), nn.BatchNorm2d(x), nn.ReLU(inplace=True)]
                channels = x
        layers += [nn.AvgPool2d(kernel_size=1, stride=1)]
        return nn.Sequential(*layers)
"""
FUNCTIONAL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), (2, 2))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc3(F.relu(self.fc2(x)))
"""
TORCHVISION_LIKE = """
class AlexNet(nn.Module):
    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
            nn.Dropout(p=dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)
"""
PRINTED = """AlexNet(
  (features): Sequential(
    (0): Conv2d(3, 64, kernel_size=(11, 11), stride=(4, 4), padding=(2, 2))
    (1): ReLU(inplace=True)
    (2): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
    (3): Conv2d(64, 192, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    (4): ReLU(inplace=True)
    (5): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
    (6): Conv2d(192, 384, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (7): ReLU(inplace=True)
    (8): Conv2d(384, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (9): ReLU(inplace=True)
    (10): Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (11): ReLU(inplace=True)
    (12): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (avgpool): AdaptiveAvgPool2d(output_size=(6, 6))
  (classifier): Sequential(
    (0): Dropout(p=0.5, inplace=False)
    (1): Linear(in_features=9216, out_features=4096, bias=True)
    (2): ReLU(inplace=True)
    (3): Dropout(p=0.5, inplace=False)
    (4): Linear(in_features=4096, out_features=4096, bias=True)
    (5): ReLU(inplace=True)
    (6): Linear(in_features=4096, out_features=1000, bias=True)
  )
)
"""
KERAS = """
from tensorflow.keras import layers, models
model = models.Sequential()
for filters, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
    for _ in range(count):
        model.add(layers.Conv2D(filters, (3, 3), padding='same', activation='relu'))
    model.add(layers.MaxPooling2D((2, 2), strides=(2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(4096, activation='relu'))
model.add(layers.Dense(4096, activation='relu'))
model.add(layers.Dense(1000, activation='softmax'))
model.build(input_shape=(None, 224, 224, 3))
"""
KERAS_LENET = """
model = Sequential([
    Conv2D(6, kernel_size=5, padding='same', activation='sigmoid', input_shape=(28, 28, 1)),
    AveragePooling2D(pool_size=2, strides=2),
    Conv2D(16, kernel_size=5, activation='sigmoid'),
    AveragePooling2D(pool_size=2, strides=2),
    Flatten(),
    Dense(120, activation='sigmoid'), Dense(84, activation='sigmoid'), Dense(10)])
"""


def notebook(*sources: str) -> str:
    """A notebook with these cells of code, and one of prose before each."""
    cells = []
    for source in sources:
        cells.append({"cell_type": "markdown", "metadata": {}, "source": ["# `net = vgg(conv_arch)` 是"]})
        lines = source.splitlines(keepends=True)
        cells.append({"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": lines})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False)


class Case(NamedTuple):
    """A text, and the parameters of the network that it means."""

    text: str
    params: int
    pick: str | None = None
    input_shape: tuple[int, int, int] = (1, 224, 224)


CASES = {
    # the book's cells
    "the table": Case(TABLE, VGG_11),
    "the table with full-width signs": Case(
        "（（1， 64）， （1， 128）， （2， 256）， （2， 512）， （2， 512））", VGG_11
    ),
    "the whole chapter so far": Case(WHOLE, VGG_11),
    "with the small one": Case(WHOLE + SMALL + RECIPE, VGG_11_SLIM),
    "the small one's cell alone": Case(SMALL, VGG_11_SLIM),
    "the small one and the recipe": Case(SMALL + RECIPE, VGG_11_SLIM),
    "a recipe beside a table": Case(TABLE + RECIPE, VGG_11),
    "the definition and the table": Case(BLOCK + VGG + TABLE, VGG_11),
    "a call of what the cell before has": Case("net = vgg(conv_arch)", VGG_11),
    "prompts": Case(
        ">>> conv_arch = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))\n>>> net = vgg(conv_arch)\n", VGG_16
    ),
    "prose between the cells": Case(
        f"## VGG网络\n\n与 AlexNet 一样, it's two parts:\n{BLOCK}\n{TABLE}\n下面的代码实现了 VGG-11。\n{VGG}\n"
        "net = vgg(conv_arch)\n",
        VGG_11,
    ),
    "160 pixels and a smaller head": Case(
        f"{BLOCK}{SMALLER_HEAD}{TABLE}net = vgg(conv_arch)\nX = torch.randn(size=(1, 1, 160, 160))\n",
        9_219_328 + (12_800 * 1024 + 1024) + (1024 * 128 + 128) + (128 * 10 + 10),
        None,
        (1, 160, 160),
    ),
    "the new edition": Case(START + LAZY + SUMMARY, VGG_11),
    "the new edition's call alone": Case(SUMMARY, VGG_11),
    "the new edition's small one": Case(
        LAZY + "model = VGG(arch=((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)), lr=0.01)\n", VGG_11_SLIM
    ),
    "AlexNet": Case(START + ALEXNET_CELL, ALEXNET),
    "NiN": Case(START + NIN_CELL, NIN),
    "LeNet": Case(LENET_CELL + "X = torch.rand(size=(1, 1, 28, 28), dtype=torch.float32)\n", LENET, None, (1, 28, 28)),
    "LeNet without an input": Case(LENET_CELL, LENET, None, (1, 28, 28)),
    # notebooks
    "a notebook": Case(notebook(START, BLOCK, TABLE + VGG + "net = vgg(conv_arch)\n", SHAPES), VGG_11),
    "a notebook to its end": Case(notebook(START, BLOCK, TABLE + VGG, SHAPES, SMALL, RECIPE), VGG_11_SLIM),
    "a notebook of AlexNet": Case(notebook(START, ALEXNET_CELL), ALEXNET),
    # lists
    "a list": Case("[64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M']", VGG_11),
    "a list with a name": Case(
        'cfg = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]', VGG_16
    ),
    "several lists": Case(
        "cfgs = {'A': [64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],\n"
        "'D': [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M']}",
        VGG_16,
        "D",
    ),
    # names
    "vgg16": Case("vgg16", VGG_16),
    "VGG16": Case("VGG16", VGG_16),
    "VGG-D": Case("VGG-D", VGG_16),
    "vgg-11": Case("vgg-11", VGG_11),
    "alexnet": Case("alexnet", ALEXNET),
    "torchvision.models.vgg16": Case("torchvision.models.vgg16(num_classes=10)", 134_301_514, None, (3, 224, 224)),
    "models.alexnet": Case("models.alexnet()", TV_ALEXNET, None, (3, 224, 224)),
    "vgg16 for ten classes": Case(
        "net = models.vgg16(pretrained=True)\nfor p in net.features.parameters():\n    p.requires_grad = False\n"
        "net.classifier[6] = nn.Linear(net.classifier[6].in_features, 10)\n"
        "optimizer = torch.optim.SGD(net.classifier.parameters(), lr=0.001)\n",
        134_301_514,
        None,
        (3, 224, 224),
    ),
    "vgg16 with its last layer taken off": Case(
        "net = models.vgg16()\nlayers = list(net.classifier.children())[:-1]\nlayers.extend([nn.Linear(4096, 10)])\n"
        "net.classifier = nn.Sequential(*layers)\n",
        134_301_514,
        None,
        (3, 224, 224),
    ),
    "vgg16 in a class": Case(
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.base = models.vgg16(num_classes=10)\n\n    def forward(self, x):\n        return self.base(x)\n",
        134_301_514,
        None,
        (3, 224, 224),
    ),
    "vgg16_bn with weights": Case(
        "from torchvision.models import vgg16_bn, VGG16_BN_Weights\n"
        "model = vgg16_bn(weights=VGG16_BN_Weights.DEFAULT).eval()",
        TV_VGG_16_BN,
        None,
        (3, 224, 224),
    ),
    "vgg11 on a device": Case(
        "import torchvision\nnet = torchvision.models.vgg11(pretrained=True).to('cuda')", TV_VGG_11, None, (3, 224, 224)
    ),
    "keras.applications": Case("tf.keras.applications.VGG19(weights=None)", TV_VGG_19, None, (3, 224, 224)),
    # Sequential, Module
    "a class of a repository": Case(REPOSITORY + "net = VGG('VGG16')\n", CIFAR_VGG_16, None, (3, 32, 32)),
    "a class of a repository with its test": Case(
        REPOSITORY + "def test():\n    net = VGG('VGG16')\n    return net\n", CIFAR_VGG_16, None, (3, 32, 32)
    ),
    "a class whose forward is functional": Case(FUNCTIONAL, LENET, None, (1, 28, 28)),
    "a class like torchvision's": Case(TORCHVISION_LIKE, TV_ALEXNET, None, (3, 224, 224)),
    "a class like torchvision's, made": Case(
        TORCHVISION_LIKE + "model = nn.DataParallel(AlexNet(num_classes=1000)).cuda()", TV_ALEXNET, None, (3, 224, 224)
    ),
    "an ordered dictionary": Case(
        "from collections import OrderedDict\nnet = nn.Sequential(OrderedDict([('conv', nn.Conv2d(1, 6, 5, padding=2)),"
        "('act', nn.Sigmoid()), ('pool', nn.AvgPool2d(2)), ('conv2', nn.Conv2d(6, 16, 5)), ('act2', nn.Sigmoid()),"
        "('pool2', nn.AvgPool2d(2)), ('flat', nn.Flatten()), ('fc', nn.Linear(400, 120)), ('a', nn.Sigmoid()),"
        "('fc2', nn.Linear(120, 84)), ('b', nn.Sigmoid()), ('fc3', nn.Linear(84, 10))]))",
        LENET,
        None,
        (1, 28, 28),
    ),
    "a printed model": Case(PRINTED, TV_ALEXNET, None, (3, 224, 224)),
    "a printed model after its prompt": Case(f">>> print(net)\n{PRINTED}", TV_ALEXNET, None, (3, 224, 224)),
    # Keras
    "Keras, added one by one": Case(KERAS, TV_VGG_16, None, (3, 224, 224)),
    "Keras, a list": Case(KERAS_LENET, LENET, None, (1, 28, 28)),
    "Keras, with an input as TensorFlow has it": Case(
        KERAS_LENET.replace(", input_shape=(28, 28, 1)", "") + "X = tf.random.uniform((1, 28, 28, 1))\n",
        LENET,
        None,
        (1, 28, 28),
    ),
    # blocks and layers
    "blocks": Case("1x64,1x128,2x256,2x512,2x512", VGG_11),
}


def params(network: Network) -> int:
    return summarize(*network).totals.params


@pytest.mark.parametrize("name", CASES)
def test_a_text_means_the_network_with_the_published_figure(name: str) -> None:
    text, expected, pick, input_shape = CASES[name]
    network = picked(read(text), pick)
    assert params(network) == expected
    assert network.input_shape == input_shape


def test_there_are_many_of_them() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    "name", ["with the small one", "the new edition", "a notebook", "a list", "Keras, added one by one"]
)
def test_what_is_blocks_comes_back_as_blocks(name: str) -> None:
    items = picked(read(CASES[name].text), None).architecture.items
    assert len(items) == 5
    assert all(isinstance(item, Block) for item in items)


@pytest.mark.parametrize(("name", "title"), [("AlexNet", "AlexNet"), ("NiN", "NiN"), ("LeNet", "LeNet")])
def test_a_cell_of_a_named_network_is_it(name: str, title: str) -> None:
    assert picked(read(CASES[name].text), None) == NETWORKS[title]


@pytest.mark.parametrize(
    "text",
    [
        "conv_arch = ((1, 64), (1, 128), (2, 256))",
        "conv_arch = ((1, 64), (1, 128), (2, 256)) #这里(2,256)2指重复两次",
        "conv_arch: tuple = ((1, 64), (1, 128), (2, 256))",
        "conv_arch = (\n    (1,64),\n    (1,128),\n    (2,256),\n)\n",
        "# vgg架构\nconv_arch = (\n    (1, 64),  # first\n    (1, 128),\n    (2, 256))",
        "# VGG\n((1, 64), (1, 128), (2, 256))",
        ">>> conv_arch = ((1, 64),\n...              (1, 128), (2, 256))",
        "  conv_arch = ((1, 64), (1, 128), (2, 256))\n  lr, num_epochs, batch_size = 0.05, 10, 128\n",
        "big = ((1, 640), (1, 1280), (2, 2560))\nratio = 10\nsmall = [(pair[0], pair[1] // ratio) for pair in big]",
        "conv_arch = [[1, 64], [1, 128]]\nconv_arch.append([2, 256])",
        "conv_arch = ((1, 64), (1, 128))\nconv_arch += ((2, 256),)",
        "conv_arch = tuple((1 + (i > 1), 64 * 2**i) for i in range(3))",
        "channels = [64, 128, 256]\nconv_arch = list(zip([1, 1, 2], channels))",
    ],
)
def test_spellings_of_a_table(text: str) -> None:
    reading = read(text)
    assert reading.says == Says.ITEMS
    assert picked(reading, None).architecture.items == blocks(((1, 64), (1, 128), (2, 256)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("conv_arch = 5", "There is no network in “conv_arch = 5” that could be read."),
        ("conv_arch = {1: 64}", "There is no network in “conv_arch = {1: 64}” that could be read."),
        (
            "conv_arch = ((1, 64), (0, 128))",
            "Line 1, column 13, “((1, 64), (0, 128))”: Block 2: the number of ",
        ),
        (
            "cfg = [64, 'M', 70000]",
            "Line 1, column 17, “70000”: the number of output channels must be from 1 ",
        ),
        ("cfg = [64, 'X', 'M']", "Line 1, column 12, “'X'”: a list of channels has numbers, 'M' for a max pool"),
        ("net = ResNet18()", "Line 1, column 7, “ResNet18()”: “ResNet18” is neither in this text nor known here."),
        ("net = vgg(other)", "Line 1, column 11, “other”: this is not a table like"),
        ("models.resnet18()", "Line 1, column 1, “models.resnet18()”: resnet18 is not a chain that is known here"),
        ("models.vgg16(num_classes=0)", "Line 1, column 26, “0”: the number of classes must be from 1"),
        ("net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(", "Line 1, column 51, “net = nn.Sequential("),
        ("net = nn.Sequential(*layers)", "Line 1, column 21, “*layers”: it is not known what is in this."),
        (f"{FUNCTIONAL}net = Net(7)", "Line 17, column 7, “Net(7)”: this call does not fit the function"),
        ("import os\nimport torch", "There is no network in “import os import torch” that could be read."),
        (notebook(START), "There is no network in this notebook that could be read."),
        (
            notebook(START, "\nnet = nn.Sequential(nn.Conv3d(1, 8, 3))"),
            "In cell 4: Line 2, column 21, “nn.Conv3d(",
        ),
        ("x" * (MAX_CHARACTERS + 1), "The text is too long: 200001 characters, at most 200000 are read."),
        (
            "net = models.resnet18()\nnet.fc = nn.Linear(512, 10)",
            "Line 1, column 7, “models.resnet18()”: resnet18 is not",
        ),
        (
            "vgg(((1, 64), (1, 128)), 100)",
            "Line 1, column 26, “100”: only arguments with their names can be read here.",
        ),
        ("tf.keras.applications.VGG16(False)", "Line 1, column 29, “False”: only arguments with their names"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_token(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value).startswith(sentence)


def test_layers_that_share_weights_are_refused() -> None:
    text = "fc = nn.Linear(64, 64)\nnet = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), fc, nn.ReLU(), fc)"
    with pytest.raises(TokenError, match="used twice"):
        read(text)


def test_what_was_left_out_is_said() -> None:
    reading = read("while True:\n    pass\nnet = vgg(conv_arch)\n\n下面的代码实现了 VGG-11。\n与 AlexNet 一样\n")
    assert [str(remark) for remark in reading.left_out] == [
        "conv_arch is not in this text: the book's own was taken.",
        "Not read: lines 1, 5–6.",
    ]


def test_of_several_one_is_picked() -> None:
    reading = read(CASES["several lists"].text)
    assert list(reading.networks) == ["A", "D"]
    with pytest.raises(InputError, match="several networks, A, D: pick one"):
        picked(reading, None)
    with pytest.raises(InputError, match="“X” is not one of A, D"):
        picked(reading, "X")


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(WHOLE, "utf-8")
    assert params(picked(read_file(file), None)) == VGG_11
    with pytest.raises(InputError, match="cannot be read"):
        read_file(tmp_path / "missing.py")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not text"):
        read_file(file)
    file.write_bytes(b"#" * (4 * MAX_CHARACTERS + 1))
    with pytest.raises(InputError, match="too large"):
        read_file(file)


def test_a_class_that_is_not_made_is_said_where_its_list_is_taken() -> None:
    text = """
cfgs = {"A": [64, "M", 128, "M"], "B": [64, 64, "M"]}

class VGG(nn.Module):
    def __init__(self, features, init_weights):
        super().__init__()
        self.features = features

    def forward(self, x):
        return self.features(x)
"""
    reading = read(text)
    assert list(reading.networks) == ["A", "B"]
    assert "VGG is not made in this text: a table was taken, without its head." in map(str, reading.left_out)


def test_what_was_left_out_of_a_notebook_is_counted() -> None:
    reading = read(notebook(START, "while True:\n    pass\n", "net = vgg(conv_arch)\n"))
    assert "Not read: 1 line of the code in the notebook." in map(str, reading.left_out)
