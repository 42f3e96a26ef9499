"""Blocks, heads and architectures: what they mean, what they refuse, the named table."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from samples import examples
from strategies import architectures

from vggexplorer.architectures import (
    CONV_ARCHS,
    MAX_LAYERS,
    NETWORKS,
    Architecture,
    Block,
    Head,
    blocks,
    shown,
)
from vggexplorer.errors import InputError
from vggexplorer.layers import MaxPool2d

VGG11 = NETWORKS["VGG-11"].architecture


def kinds(architecture: Architecture) -> list[str]:
    return [place.layer.kind for place in architecture.places()]


def test_a_block_is_the_chapters_vgg_block() -> None:
    block = Block(2, 256)
    assert (block.kernel_size, block.stride, block.padding, block.pool) == (3, 1, 1, (2, 2))
    assert kinds(Architecture((block,)))[:5] == ["Conv2d", "ReLU", "Conv2d", "ReLU", "MaxPool2d"]
    assert block.is_vgg


@pytest.mark.parametrize(("kernel_size", "padding"), [(1, 0), (2, 1), (3, 1), (5, 2), (11, 5)])
def test_padding_left_out_is_half_the_kernel(kernel_size: int, padding: int) -> None:
    assert Block(1, 8, kernel_size=kernel_size).padding == padding
    assert Block(1, 8, kernel_size=kernel_size, padding=0).padding == 0


@pytest.mark.parametrize(
    "block",
    [
        Block(1, 8, kernel_size=5),
        Block(1, 8, stride=2),
        Block(1, 8, padding=0),
        Block(1, 8, pool=None),
        Block(1, 8, pool=(3, 2)),
        Block(1, 8, pool_type="avg"),
        Block(1, 8, lrn=True),
    ],
)
def test_a_block_with_anything_of_its_own_is_not_vgg(block: Block) -> None:
    assert not block.is_vgg
    assert not Architecture((Block(1, 8), block)).is_vgg


def test_an_architecture_is_vgg_by_its_blocks_activation_and_norm() -> None:
    assert Architecture((Block(1, 8),), Head("gap")).is_vgg
    assert not Architecture((Block(1, 8),), batch_norm=True).is_vgg
    assert not Architecture((Block(1, 8),), activation="sigmoid").is_vgg


def test_the_order_of_layers_in_a_block() -> None:
    architecture = Architecture((Block(2, 8, lrn=True), Block(1, 4, pool=None)), Head(hidden=()), batch_norm=True)
    unit = ["Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds(architecture) == [*unit, *unit, "LocalResponseNorm", "MaxPool2d", *unit, "Flatten", "Linear"]
    assert [place.block for place in architecture.places()] == [0] * 8 + [1] * 3 + [None] * 2


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (Head(), "Flatten Linear ReLU Dropout Linear ReLU Dropout Linear"),
        (Head("gap", hidden=()), "AdaptiveAvgPool2d Flatten Linear"),
        (Head("adaptive", hidden=(9,), dropout=0), "AdaptiveAvgPool2d Flatten Linear ReLU Linear"),
        (Head(hidden=(9, 9), dropout_first=True), "Flatten Dropout Linear ReLU Dropout Linear ReLU Linear"),
    ],
    ids=str,
)
def test_the_order_of_layers_in_a_head(head: Head, expected: str) -> None:
    assert kinds(Architecture((Block(1, 8),), head)) == ["Conv2d", "ReLU", "MaxPool2d", *expected.split()]


def test_layers_are_named_as_in_torchvision() -> None:
    architecture = Architecture((Block(1, 8),), Head("adaptive", hidden=(9,)))
    names = [place.name for place in architecture.places()]
    classifier = [f"classifier.{index}" for index in range(4)]
    assert names == ["features.0", "features.1", "features.2", "avgpool", "flatten", *classifier]


@examples(100)
@given(architectures)
def test_the_number_of_layers_is_that_of_the_places(architecture: Architecture) -> None:
    places = list(architecture.places())
    assert architecture.num_layers == len(places)
    assert len({place.name for place in places}) == len(places)


# --- values that mean the same are the same ----------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Block(1, 8, pool=[2, 2]), Block(1, 8)),
        (Block(1, 8, pool=None, pool_type="avg"), Block(1, 8, pool=None)),
        (Block(1, 8, kernel_size=5, padding=2), Block(1, 8, kernel_size=5)),
        (Head(hidden=[9, 9]), Head(hidden=(9, 9))),
        (Head("gap", size=3), Head("gap")),
        (Head(dropout=0, dropout_first=True), Head(dropout=0.0)),
        (Head(dropout=-0.0), Head(dropout=0.0)),
        (Head(hidden=(), dropout_first=True), Head(hidden=())),
        (Architecture([Block(1, 8)]), Architecture((Block(1, 8),))),
    ],
    ids=repr,
)
def test_equal_values(one: object, other: object) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)


# --- the table ---------------------------------------------------------------------------------------


def test_vgg_11_is_written_as_in_the_book() -> None:
    assert CONV_ARCHS["VGG-11"] == ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
    slim = [(block.num_convs, block.out_channels) for block in NETWORKS["VGG-11 slim"].architecture.blocks]
    assert slim == [(pair[0], pair[1] // 4) for pair in CONV_ARCHS["VGG-11"]]  # the book's small_conv_arch


# "The number in the name": convolutions + fully connected layers (Simonyan and Zisserman 2014, Table 1).
@pytest.mark.parametrize(
    ("title", "depth"),
    [
        ("VGG-11", 11),
        ("VGG-11-LRN", 11),
        ("VGG-11 slim", 11),
        ("VGG-11-160", 11),
        ("VGG-13", 13),
        ("VGG-16-C", 16),
        ("VGG-16", 16),
        ("VGG-19", 19),
        ("AlexNet", 8),
        ("AlexNet (torchvision)", 8),
        ("LeNet", 5),
        ("NiN", 12),
        ("AlexNet (2012)", 8),
        ("ZFNet", 8),
        ("VGG-16 (CIFAR)", 14),
        ("VGG-19 (CIFAR)", 17),
    ],
)
def test_the_number_of_layers_with_weights(title: str, depth: int) -> None:
    names = kinds(NETWORKS[title].architecture)
    assert names.count("Conv2d") + names.count("Linear") == depth


def test_the_papers_columns_differ_where_its_table_1_says() -> None:
    assert kinds(NETWORKS["VGG-11-LRN"].architecture).count("LocalResponseNorm") == 1
    convolutions = [
        (place.layer.out_channels, place.layer.kernel_size)
        for place in NETWORKS["VGG-16-C"].architecture.places()
        if place.layer.kind == "Conv2d"
    ]
    a, b, c = [(256, 3), (256, 3), (256, 1)], [(512, 3), (512, 3), (512, 1)], [(512, 3), (512, 3), (512, 1)]
    assert convolutions == [(64, 3)] * 2 + [(128, 3)] * 2 + a + b + c
    assert sum(place.layer == MaxPool2d(2, 2) for place in NETWORKS["VGG-16-C"].architecture.places()) == 5


# --- width -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "channels"),
    [
        (Fraction(1, 4), [16, 32, 64, 128, 128]),
        (Fraction(1, 3), [21, 42, 85, 170, 170]),
        (Fraction(1, 64), [1, 2, 4, 8, 8]),
        (Fraction(3, 2), [96, 192, 384, 768, 768]),
        (Fraction(128), [8192, 16384, 32768, 65536, 65536]),
    ],
    ids=str,
)
def test_width_scales_the_channels_rounds_down_and_leaves_the_head(ratio: Fraction, channels: list[int]) -> None:
    scaled = VGG11.scaled(ratio)
    assert [block.out_channels for block in scaled.blocks] == channels
    assert [block.num_convs for block in scaled.blocks] == [1, 1, 2, 2, 2]
    assert scaled.head == VGG11.head


def test_width_without_channels_left_is_refused_by_block() -> None:
    with pytest.raises(InputError) as caught:
        VGG11.scaled(Fraction(1, 100))
    message = str(caught.value)
    assert "1/100" in message
    assert "block 1" in message
    assert "64" in message
    with pytest.raises(InputError, match="block 4"):
        VGG11.scaled(Fraction(129))
    with pytest.raises(InputError, match="block 1"):
        VGG11.scaled(Fraction(10**6000))


# --- the smallest input ------------------------------------------------------------------------------


# 65 and 32: computed with PyTorch; 63 is torchvision's published min_size of AlexNet. LeNet: 12 -> 12 -> 6 -> 2 -> 1.
@pytest.mark.parametrize(
    ("title", "side"),
    [("AlexNet", 65), ("VGG-11", 32), ("VGG-16-C", 32), ("VGG-19", 32), ("AlexNet (torchvision)", 63), ("LeNet", 12)],
)
def test_the_smallest_input(title: str, side: int) -> None:
    assert NETWORKS[title].architecture.min_side() == side


# --- refusals ----------------------------------------------------------------------------------------

BLOCK = Block(1, 8)
NAN = float("nan")
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Block(0, 8), "the number of convolutions must be from 1 to 20,000, not 0."),
    (lambda: Block(-1, 8), "the number of convolutions must be from 1 to 20,000, not -1."),
    (lambda: Block(True, 8), "the number of convolutions must be a whole number, not True."),
    (lambda: Block(1.0, 8), "the number of convolutions must be a whole number, not 1.0."),
    (lambda: Block("1", 8), "the number of convolutions must be a whole number, not “1”."),
    (lambda: Block(1, NAN), "the number of output channels must be a whole number, not nan."),
    (lambda: Block(1, None), "the number of output channels must be a whole number, not None."),
    (lambda: Block(1, 65_537), "the number of output channels must be from 1 to 65,536, not 65537."),
    (lambda: Block(1, 10**5000), "the number of output channels must be from 1 to 65,536, not ≈10^5000."),
    (lambda: Block(1, -(10**15)), "the number of output channels must be from 1 to 65,536, not ≈−10^15."),
    (lambda: Block(1, 8, kernel_size=0), "the kernel size must be from 1 to 8,192, not 0."),
    (lambda: Block(1, 8, stride=0), "the stride must be from 1 to 8,192, not 0."),
    (lambda: Block(1, 8, padding=-2), "the padding must be from 0 to 8,192, not -2."),
    (lambda: Block(1, 8, pool=(0, 1)), "the pooling window must be from 1 to 8,192, not 0."),
    (lambda: Block(1, 8, pool=(2, 9_000)), "the pooling stride must be from 1 to 8,192, not 9000."),
    (lambda: Block(1, 8, pool_type="min"), "the kind of pooling must be one of max, avg, not “min”."),
    (lambda: Head("none"), "the head must be one of flatten, adaptive, gap, not “none”."),
    (lambda: Head(hidden=(0,)), "the width of a hidden layer must be from 1 to 65,536, not 0."),
    (lambda: Head(hidden=(9, True)), "the width of a hidden layer must be a whole number, not True."),
    (lambda: Head(dropout=1), "dropout must be a probability from 0 to below 1, not 1."),
    (lambda: Head(dropout=-0.1), "dropout must be a probability from 0 to below 1, not -0.1."),
    (lambda: Head(dropout=NAN), "dropout must be a probability from 0 to below 1, not nan."),
    (lambda: Head(dropout="0.5"), "dropout must be a probability from 0 to below 1, not “0.5”."),
    (lambda: Head("adaptive", size=0), "the size of the adaptive pool must be from 1 to 8,192, not 0."),
    (lambda: Architecture(()), "An architecture needs at least one block of convolutions."),
    (lambda: Architecture((BLOCK,), num_classes=0), "the number of classes must be from 1 to 65,536, not 0."),
    (
        lambda: Architecture((BLOCK,), activation="step"),
        "the activation must be one of relu, sigmoid, tanh, leakyrelu, gelu, silu, not “step”.",
    ),
    (lambda: Architecture((Block(20_000, 8),)), "This architecture has 40009 layers; at most 20,000 are allowed."),
    (lambda: blocks(((1, 64), (1, 0))), "Block 2: the number of output channels must be from 1 to 65,536, not 0."),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_cannot_be_is_refused_with_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == sentence


def test_the_library_takes_as_many_layers_as_it_says() -> None:
    most = Architecture((Block(MAX_LAYERS // 2 - 1, 1, pool=None),), Head(hidden=()))
    assert most.num_layers == MAX_LAYERS
    with pytest.raises(InputError):
        Architecture((Block(MAX_LAYERS // 2, 1, pool=None),), Head(hidden=()))


def test_what_was_typed_is_shown_short_and_printable() -> None:
    assert shown("abc") == "“abc”"
    assert len(shown("a" * 100_000)) == 40
    assert shown("\ud800\x00\n") == "“\ufffd\ufffd\ufffd”"
    assert shown((1, 0x10**4000)) == "…"
    assert shown(10**15) == "≈10^15"


def test_a_negative_padding_is_refused_and_not_taken_for_the_default() -> None:
    with pytest.raises(InputError, match="the padding must be from 0"):
        Block(1, 8, padding=-1)
    assert Block(1, 8, kernel_size=5).padding == 2
