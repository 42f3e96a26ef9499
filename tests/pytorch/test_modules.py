"""The PyTorch networks against the book's own code and listings, and against torchvision's."""

from dataclasses import replace
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given
from samples import examples
from strategies import networks
from torch import nn

from vggexplorer.architectures import CONV_ARCHS, NETWORKS, Architecture, Head, Network, blocks
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.modules import build, sequential, vgg, vgg_block

CONV_ARCH = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
SMALL_CONV_ARCH = [(pair[0], pair[1] // 4) for pair in CONV_ARCH]


# --- the book's code, as it is printed in the notes --------------------------------------------------


def book_vgg_block(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def book_vgg(conv_arch):
    conv_blks = []
    in_channels = 1
    for num_convs, out_channels in conv_arch:
        conv_blks.append(book_vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    # fmt: off
    return nn.Sequential(
        *conv_blks, nn.Flatten(),
        nn.Linear(out_channels * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 10))
    # fmt: on


def notes_vgg_160(conv_arch):
    conv_blks = []
    in_channels = 1
    for num_convs, out_channels in conv_arch:
        conv_blks.append(book_vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    # fmt: off
    return nn.Sequential(
        *conv_blks, nn.Flatten(),
        nn.Linear(out_channels * 5 * 5, 1024), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(1024, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10))
    # fmt: on


def book_alexnet():
    # fmt: off
    return nn.Sequential(
        nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Flatten(),
        nn.Linear(6400, 4096), nn.ReLU(),
        nn.Dropout(p=0.5),
        nn.Linear(4096, 4096), nn.ReLU(),
        nn.Dropout(p=0.5),
        nn.Linear(4096, 10))
    # fmt: on


def book_lenet():
    """Section 7.6 of the English edition, with the input channels written out."""
    # fmt: off
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(),
        nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, 10))
    # fmt: on


def keys_and_shapes(net: nn.Module) -> list[tuple[str, Shape]]:
    return [(key, tuple(tensor.shape)) for key, tensor in net.state_dict().items()]


def ours(title: str) -> nn.Sequential:
    return sequential(*NETWORKS[title])


VGG_160 = {"input_shape": (1, 160, 160), "hidden": (1024, 128)}
BY_THE_BOOK = {
    "vgg": (lambda: vgg(CONV_ARCH), lambda: book_vgg(CONV_ARCH)),
    "vgg slim": (lambda: vgg(SMALL_CONV_ARCH), lambda: book_vgg(SMALL_CONV_ARCH)),
    "vgg 160": (lambda: vgg(CONV_ARCH, **VGG_160), lambda: notes_vgg_160(CONV_ARCH)),
    "vgg 160 slim": (lambda: vgg(SMALL_CONV_ARCH, **VGG_160), lambda: notes_vgg_160(SMALL_CONV_ARCH)),
    "VGG-11": (lambda: ours("VGG-11"), lambda: book_vgg(CONV_ARCH)),
    "VGG-11 slim": (lambda: ours("VGG-11 slim"), lambda: book_vgg(SMALL_CONV_ARCH)),
    "VGG-11-160": (lambda: ours("VGG-11-160"), lambda: notes_vgg_160(CONV_ARCH)),
    "AlexNet": (lambda: ours("AlexNet"), book_alexnet),
    "LeNet": (lambda: ours("LeNet"), book_lenet),
    "vgg_block": (lambda: vgg_block(3, 5, 7), lambda: book_vgg_block(3, 5, 7)),
}


@pytest.mark.parametrize("name", BY_THE_BOOK)
def test_the_modules_are_the_books(name: str) -> None:
    make, book = BY_THE_BOOK[name]
    with torch.device("meta"):
        net, expected = make(), book()
    assert str(net) == str(expected)  # classes, nesting and every argument
    assert keys_and_shapes(net) == keys_and_shapes(expected)


# --- the book's listings, character for character ----------------------------------------------------

VGG_11_LISTING = """\
Sequential output shape:	 torch.Size([1, 64, 112, 112])
Sequential output shape:	 torch.Size([1, 128, 56, 56])
Sequential output shape:	 torch.Size([1, 256, 28, 28])
Sequential output shape:	 torch.Size([1, 512, 14, 14])
Sequential output shape:	 torch.Size([1, 512, 7, 7])
Flatten output shape:	 torch.Size([1, 25088])
Linear output shape:	 torch.Size([1, 4096])
ReLU output shape:	 torch.Size([1, 4096])
Dropout output shape:	 torch.Size([1, 4096])
Linear output shape:	 torch.Size([1, 4096])
ReLU output shape:	 torch.Size([1, 4096])
Dropout output shape:	 torch.Size([1, 4096])
Linear output shape:	 torch.Size([1, 10])
"""
VGG_160_LISTING = """\
Sequential output shape:	 torch.Size([1, 64, 80, 80])
Sequential output shape:	 torch.Size([1, 128, 40, 40])
Sequential output shape:	 torch.Size([1, 256, 20, 20])
Sequential output shape:	 torch.Size([1, 512, 10, 10])
Sequential output shape:	 torch.Size([1, 512, 5, 5])
Flatten output shape:	 torch.Size([1, 12800])
Linear output shape:	 torch.Size([1, 1024])
ReLU output shape:	 torch.Size([1, 1024])
Dropout output shape:	 torch.Size([1, 1024])
Linear output shape:	 torch.Size([1, 128])
ReLU output shape:	 torch.Size([1, 128])
Dropout output shape:	 torch.Size([1, 128])
Linear output shape:	 torch.Size([1, 10])
"""
VGG_160_SLIM_LISTING = """\
Sequential output shape:	 torch.Size([1, 16, 80, 80])
Sequential output shape:	 torch.Size([1, 32, 40, 40])
Sequential output shape:	 torch.Size([1, 64, 20, 20])
Sequential output shape:	 torch.Size([1, 128, 10, 10])
Sequential output shape:	 torch.Size([1, 128, 5, 5])
Flatten output shape:	 torch.Size([1, 3200])
Linear output shape:	 torch.Size([1, 1024])
ReLU output shape:	 torch.Size([1, 1024])
Dropout output shape:	 torch.Size([1, 1024])
Linear output shape:	 torch.Size([1, 128])
ReLU output shape:	 torch.Size([1, 128])
Dropout output shape:	 torch.Size([1, 128])
Linear output shape:	 torch.Size([1, 10])
"""
# The note's web copy turned the tabs of this one into spaces.
ALEXNET_LISTING = """\
Conv2d output shape:	 torch.Size([1, 96, 54, 54])
ReLU output shape:	 torch.Size([1, 96, 54, 54])
MaxPool2d output shape:	 torch.Size([1, 96, 26, 26])
Conv2d output shape:	 torch.Size([1, 256, 26, 26])
ReLU output shape:	 torch.Size([1, 256, 26, 26])
MaxPool2d output shape:	 torch.Size([1, 256, 12, 12])
Conv2d output shape:	 torch.Size([1, 384, 12, 12])
ReLU output shape:	 torch.Size([1, 384, 12, 12])
Conv2d output shape:	 torch.Size([1, 384, 12, 12])
ReLU output shape:	 torch.Size([1, 384, 12, 12])
Conv2d output shape:	 torch.Size([1, 256, 12, 12])
ReLU output shape:	 torch.Size([1, 256, 12, 12])
MaxPool2d output shape:	 torch.Size([1, 256, 5, 5])
Flatten output shape:	 torch.Size([1, 6400])
Linear output shape:	 torch.Size([1, 4096])
ReLU output shape:	 torch.Size([1, 4096])
Dropout output shape:	 torch.Size([1, 4096])
Linear output shape:	 torch.Size([1, 4096])
ReLU output shape:	 torch.Size([1, 4096])
Dropout output shape:	 torch.Size([1, 4096])
Linear output shape:	 torch.Size([1, 10])
"""
SLIM_160 = Network(
    replace(NETWORKS["VGG-11-160"].architecture, items=NETWORKS["VGG-11 slim"].architecture.items), (1, 160, 160)
)


@pytest.mark.parametrize(
    ("network", "listing"),
    [
        (NETWORKS["VGG-11"], VGG_11_LISTING),
        (NETWORKS["VGG-11-160"], VGG_160_LISTING),
        (SLIM_160, VGG_160_SLIM_LISTING),
        (NETWORKS["AlexNet"], ALEXNET_LISTING),
    ],
    ids=["VGG-11", "VGG-11-160", "VGG-11-160 slim", "AlexNet"],
)
def test_the_books_loop_prints_the_books_listing(
    network: Network, listing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with torch.device("meta"):
        net = sequential(*network)
        X = torch.randn(size=(1, *network.input_shape))  # noqa: N806
    for blk in net:
        X = blk(X)  # noqa: N806
        print(blk.__class__.__name__, "output shape:\t", X.shape)
    assert capsys.readouterr().out == listing


def test_the_books_loop_on_real_tensors(capsys: pytest.CaptureFixture[str]) -> None:
    X = torch.randn(size=(1, 1, 160, 160))  # noqa: N806
    for blk in vgg(SMALL_CONV_ARCH, **VGG_160):
        X = blk(X)  # noqa: N806
        print(blk.__class__.__name__, "output shape:\t", X.shape)
    assert capsys.readouterr().out == VGG_160_SLIM_LISTING


def test_only_vgg_is_nested() -> None:
    with torch.device("meta"):
        for title, (architecture, input_shape) in NETWORKS.items():
            nested = [isinstance(layer, nn.Sequential) for layer in sequential(architecture, input_shape)]
            if title in ("VGG-11", "VGG-11 slim", "VGG-11-160", "VGG-13", "VGG-16", "VGG-19"):
                assert nested == [True] * 5 + [False] * 8
            else:
                assert not any(nested)


# --- torchvision -------------------------------------------------------------------------------------

TORCHVISION = {
    **{f"vgg{depth}": (f"VGG-{depth}", False) for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}_bn": (f"VGG-{depth}", True) for depth in (11, 13, 16, 19)},
    "alexnet": ("AlexNet (torchvision)", False),
}


def torchvision_architecture(name: str) -> Architecture:
    title, batch_norm = TORCHVISION[name]
    architecture = NETWORKS[title].architecture
    head = architecture.head if name == "alexnet" else Head("adaptive")
    return replace(architecture, head=head, num_classes=1000, batch_norm=batch_norm)


def settings_of(module: nn.Module) -> str:
    return f"{type(module).__name__}({module.extra_repr()})".replace("inplace=True", "")


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_state_dict_is_torchvisions(name: str) -> None:
    with torch.device("meta"):
        net = build(torchvision_architecture(name), (3, 224, 224))
        theirs = torchvision.models.get_model(name)
    assert keys_and_shapes(net) == keys_and_shapes(theirs)
    leaves = [settings_of(module) for module in net.modules() if not list(module.children())]
    expected = [settings_of(module) for module in theirs.modules() if not list(module.children())]
    without_flatten = [leaf for leaf in leaves if not leaf.startswith("Flatten")]  # theirs calls torch.flatten
    assert [leaf.replace("output_size=", "") for leaf in without_flatten] == [
        leaf.replace("output_size=(7, 7)", "7").replace("output_size=(6, 6)", "6") for leaf in expected
    ]


@pytest.mark.parametrize(("name", "pixels"), [("alexnet", 64), ("vgg11_bn", 40)])
def test_torchvisions_weights_give_torchvisions_scores(name: str, pixels: int) -> None:
    theirs = torchvision.models.get_model(name, num_classes=5).eval()
    architecture = replace(torchvision_architecture(name), num_classes=5)
    with torch.device("meta"):
        net = build(architecture, (3, pixels, pixels)).eval()
    net.load_state_dict(theirs.state_dict(), assign=True)
    images = torch.randn(2, 3, pixels, pixels)
    with torch.no_grad():
        assert torch.equal(net(images), theirs(images))


# --- both forms are one network ----------------------------------------------------------------------


@examples(60)
@given(networks())
def test_both_forms_compute_the_same(network: Network) -> None:
    net, nested = build(*network).eval(), sequential(*network).eval()
    tensors = net.state_dict().values()
    nested.load_state_dict(dict(zip(nested.state_dict(), tensors, strict=True)))
    images = torch.randn(2, *network.input_shape)
    with torch.no_grad():
        scores = net(images)
        assert scores.shape == (2, network.architecture.num_classes)
        assert torch.equal(scores, nested(images))


@examples(100)
@given(networks())
def test_a_state_dict_names_the_layers_of_the_summary(network: Network) -> None:
    with torch.device("meta"):
        net = build(*network)
    parts = [name for name, _ in net.named_children()]
    wanted = [place.name.partition(".")[0] for place in network.architecture.places()]
    assert parts == list(dict.fromkeys(wanted))
    names = [name for name, module in net.named_modules() if not list(module.children())]
    assert names == [place.name for place in network.architecture.places()]


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [build, sequential])
def test_an_input_that_is_too_small_is_refused(make: Any) -> None:
    with pytest.raises(ShapeError, match="The smallest input for this network is 65×65"):
        make(NETWORKS["AlexNet"].architecture, (1, 64, 64))


def test_vgg_refuses_what_the_core_refuses() -> None:
    with pytest.raises(InputError, match="Block 2: the number of convolutions"):
        vgg(((1, 64), (0, 128)))
    with pytest.raises(ShapeError, match="32×32"):
        vgg(CONV_ARCH, input_shape=(1, 31, 31))
    with pytest.raises(InputError, match="the number of convolutions"):
        vgg_block(0, 1, 64)


def test_vgg_takes_the_table_of_the_core() -> None:
    with torch.device("meta"):
        assert str(vgg(CONV_ARCHS["VGG-16"])) == str(vgg(blocks(CONV_ARCHS["VGG-16"])))


def test_vgg_takes_other_inputs_heads_and_classes() -> None:
    net = vgg(((1, 4), (1, 6)), input_shape=(3, 9, 13), hidden=(5,), dropout=0.25, num_classes=7)
    expected = nn.Sequential(
        *[book_vgg_block(1, 3, 4), book_vgg_block(1, 4, 6), nn.Flatten()],
        *[nn.Linear(6 * 2 * 3, 5), nn.ReLU(), nn.Dropout(0.25), nn.Linear(5, 7)],
    )
    assert str(net) == str(expected)
    assert net(torch.zeros(2, 3, 9, 13)).shape == (2, 7)
