"""Architectures of blocks and single layers: what they mean, how they are written, what they refuse."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from samples import examples
from strategies import layered

from vggexplorer.architectures import Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.layers import (
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Kind,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    SiLU,
    Tanh,
)
from vggexplorer.notation import WORDS, format_arch, format_items, parse_item
from vggexplorer.summary import UnfitError, summarize
from vggexplorer.text import format_network, parse_arch, parse_network, title

SCORES = Conv2d(10, 1)
AVERAGE = (AdaptiveAvgPool2d(1), Flatten())


def names(architecture: Architecture) -> list[str]:
    return [place.name for place in architecture.places()]


# --- what they mean ------------------------------------------------------------------------------------


def test_layers_stand_among_blocks_as_they_are() -> None:
    architecture = Architecture((Block(1, 8), BatchNorm2d(), Conv2d(9), ReLU()), batch_norm=True, activation="sigmoid")
    kinds = [place.layer.kind for place in architecture.places()]
    assert kinds[:8] == ["Conv2d", "BatchNorm2d", "Sigmoid", "MaxPool2d", "BatchNorm2d", "Conv2d", "ReLU", "Flatten"]
    assert [place.block for place in architecture.places()][:8] == [0, 0, 0, 0, None, None, None, None]
    assert names(architecture)[:8] == [f"features.{index}" for index in range(7)] + ["flatten"]
    assert not architecture.is_vgg


def test_a_head_of_layers_begins_with_its_flatten() -> None:
    head = (AdaptiveAvgPool2d(2), Flatten(), Linear(9), ReLU(), Linear(5))
    architecture = Architecture((Block(1, 8),), head)
    assert architecture == Architecture((Block(1, 8), AdaptiveAvgPool2d(2)), head[1:])
    assert architecture.num_classes == 5
    assert names(architecture)[3:] == ["features.3", "flatten", "classifier.0", "classifier.1", "classifier.2"]


def test_the_classes_are_what_the_last_weights_give() -> None:
    items = (Block(1, 8), SCORES, ReLU())
    architecture = Architecture(items, AVERAGE)
    assert architecture.num_classes == 10
    more = replace(architecture, num_classes=1000)
    assert more.items[1] == Conv2d(1000, 1)
    assert summarize(more, (1, 8, 8)).rows[-1].output_shape == (1000,)
    linear = replace(Architecture(items, (Flatten(), Linear(7), Dropout(0.1))), num_classes=3)
    assert linear.head == (Flatten(), Linear(3), Dropout(0.1))
    assert linear.items == items


def test_width_leaves_alone_what_gives_the_scores() -> None:
    architecture = Architecture((Block(1, 8), Conv2d(6), SCORES), AVERAGE)
    assert architecture.scaled(Fraction(1, 2)).items[:3] == (Block(1, 4), Conv2d(3), SCORES)
    assert Architecture((Conv2d(6), SCORES)).scaled(Fraction(1, 2)).items == (Conv2d(3), Conv2d(5, 1))


def test_width_leaves_a_depthwise_convolution_depthwise() -> None:
    architecture = Architecture((Block(1, 32), Conv2d(32, groups=32), Conv2d(64, groups=2), SCORES), AVERAGE)
    assert architecture.scaled(Fraction(1, 4)).items[1:3] == (Conv2d(8, groups=8), Conv2d(16, groups=2))


def test_the_dropout_of_a_head_of_layers() -> None:
    architecture = Architecture(
        (Block(1, 8), Dropout(0.9)), (Flatten(), Dropout(0.3), Linear(9), Dropout(0.5), Linear(2))
    )
    assert architecture.dropout == 0.5
    assert architecture.with_dropout(0.1).head == (Flatten(), Dropout(0.1), Linear(9), Dropout(0.1), Linear(2))
    assert Architecture((Block(1, 8),), Head(hidden=())).dropout == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Architecture((SCORES,), AVERAGE, batch_norm=True), Architecture((SCORES,), AVERAGE)),
        (Architecture((SCORES,), AVERAGE, activation="sigmoid"), Architecture((SCORES,), AVERAGE)),
        (Architecture([SCORES], list(AVERAGE)), Architecture((SCORES, AVERAGE[0]), AVERAGE[1:])),
    ],
    ids=["norm", "activation", "lists"],
)
def test_what_means_the_same_is_the_same(one: Architecture, other: Architecture) -> None:
    assert one == other
    assert hash(one) == hash(other)


# --- text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("conv64", Conv2d(64, 3, 1, 0)),
        ("conv256:k5:p2", Conv2d(256, 5, 1, 2)),
        ("conv8:p1:s2:k4", Conv2d(8, 4, 2, 1)),
        ("conv32:p1:g32:nobias", Conv2d(32, 3, 1, 1, groups=32, bias=False)),
        ("conv32:p2:d2", Conv2d(32, 3, 1, 2, dilation=2)),
        ("pool3s2", MaxPool2d(3, 2)),
        ("pool3s2p1", MaxPool2d(3, 2, 1)),
        ("pool3s2:ceil", MaxPool2d(3, 2, ceil_mode=True)),
        ("avgpool2s2", AvgPool2d(2, 2)),
        ("avgpool3s2p1:ceil:nopad", AvgPool2d(3, 2, 1, True, False)),
        ("bn1d", BatchNorm1d()),
        ("leakyrelu", LeakyReLU()),
        ("leakyrelu0.2", LeakyReLU(0.2)),
        ("gelu", GELU()),
        ("gelu:tanh", GELU("tanh")),
        ("silu", SiLU()),
        ("tanh", Tanh()),
        ("linear9:nobias", Linear(9, False)),
        ("adaptive7", AdaptiveAvgPool2d(7)),
        ("gap", AdaptiveAvgPool2d(1)),
        ("bn", BatchNorm2d()),
        ("lrn", LocalResponseNorm()),
        ("lrn:n3:a0.0001:k1", LocalResponseNorm(3, 1e-4, 0.75, 1.0)),
        ("relu", ReLU()),
        ("drop0.5", Dropout(0.5)),
        ("drop.5", Dropout(0.5)),
        ("flatten", Flatten()),
        ("linear4096", Linear(4096)),
    ],
)
def test_layers_in_text(text: str, layer: Layer) -> None:
    assert parse_item(text) == layer
    assert parse_item(format_items([layer])) == layer


def test_every_kind_of_layer_has_a_word() -> None:
    assert set(WORDS) == set(Kind)


def test_a_network_is_one_text_up_to_its_scores() -> None:
    network = parse_network({"arch": "2x64, conv10:k1 relu\ngap,flatten", "input": "3x32x32"})
    assert network == Network(Architecture((Block(2, 64), SCORES, ReLU()), AVERAGE), (3, 32, 32))
    assert format_network(network) == {"arch": "2x64,conv10:k1,relu,gap,flatten", "input": "3x32x32"}
    assert title(network) == "2x64,conv10:k1,relu,gap,flatten"
    assert parse_arch("flatten linear10") == Network(Architecture((), (Flatten(), Linear(10))))


@examples(200)
@given(layered())
def test_text_and_back(architecture: Architecture) -> None:
    network = Network(architecture, (1, 9, 9))
    assert parse_network(format_network(network)) == network
    again = parse_arch(format_arch(architecture)).architecture
    assert again.items == architecture.items
    if not isinstance(architecture.head, Head):
        assert (again.head, again.num_classes) == (architecture.head, architecture.num_classes)


def test_a_head_of_layers_gives_way_to_a_head() -> None:
    arch = "1x8,gap,flatten,linear7"
    network = parse_network({"arch": arch, "head": "adaptive:3", "hidden": "20", "classes": "4"})
    assert network.architecture == Architecture((Block(1, 8), AdaptiveAvgPool2d(1)), Head("adaptive", (20,), size=3), 4)
    for key, text in (("hidden", "20"), ("dropout", "0.1")):
        with pytest.raises(InputError, match=f"written out layer by layer; {key} can be given with a head of"):
            parse_network({"arch": arch, key: text})


@pytest.mark.parametrize(("key", "text"), [("bn", "1"), ("act", "gelu")])
def test_what_belongs_to_blocks_is_refused_without_one(key: str, text: str) -> None:
    with pytest.raises(InputError, match="are those of blocks; this network has no block"):
        parse_network({"arch": "conv8,gap,flatten", key: text})
    assert parse_network({"arch": "1x8,conv8,gap,flatten", key: text}) != parse_arch("1x8,conv8,gap,flatten")


# --- refusals ------------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Architecture((Flatten(), SCORES)), "Flatten can only stand once, where the maps end and the head begins."),
    (lambda: Architecture((SCORES,), (Flatten(), Flatten())), "Flatten can only stand once, where the maps end"),
    (lambda: Architecture((Linear(9),)), "Linear works on a vector: it can only stand after Flatten."),
    (
        lambda: Architecture((SCORES,), (Flatten(), BatchNorm2d())),
        "BatchNorm2d works on maps of a picture: it can only stand before Flatten.",
    ),
    (
        lambda: Architecture((SCORES,), (Flatten(), Block(1, 8))),
        "A block of convolutions can only stand before Flatten.",
    ),
    (lambda: Architecture((SCORES,), ()), "The layers do not end in scores: there is no Flatten among them."),
    (
        lambda: Architecture((ReLU(),), (Flatten(),)),
        "The layers do not end in scores: none of them is a convolution or a linear layer.",
    ),
    (lambda: Architecture((Conv2d(0),)), "the number of output channels must be from 1 to 65,536, not 0."),
    (lambda: Architecture((Conv2d(1, padding=-1),)), "the padding must be from 0 to 8,192, not -1."),
    (lambda: Architecture((MaxPool2d(0, 1),)), "the kernel size must be from 1 to 8,192, not 0."),
    (lambda: Architecture((Conv2d(9, dilation=0),)), "the dilation must be from 1 to 8,192, not 0."),
    (lambda: Architecture((Conv2d(9, groups=0),)), "the number of groups must be from 1 to 65,536, not 0."),
    (lambda: Architecture((Conv2d(9, groups=2),)), "9 output channels cannot be shared by 2 groups."),
    (
        lambda: Architecture((MaxPool2d(3, 2, 2),)),
        "the padding of a pool may be half of its window at most: 2 is too much for 3.",
    ),
    (lambda: Architecture((GELU("erf"),)), "GELU can be approximated by tanh, or not at all (none)."),
    (lambda: Architecture((SCORES,), (Flatten(), BatchNorm2d())), "BatchNorm2d works on maps of a picture"),
    (lambda: Architecture((BatchNorm1d(),)), "BatchNorm1d works on a vector: it can only stand after Flatten."),
    (lambda: Architecture((Dropout(1.0),)), "dropout must be a probability from 0 to below 1, not 1.0."),
    (
        lambda: Architecture((LocalResponseNorm(beta=float("nan")),)),
        "beta must be a number from 0 to below 1000, not nan.",
    ),
    (lambda: Architecture((LeakyReLU(-0.1),)), "negative_slope must be a number from 0 to below 1000, not -0.1."),
    (lambda: parse_arch("1x8,conv9:q3"), "“conv9:q3”: “q3” is not an option of conv; there are k, s, p, d, g, nobias."),
    (lambda: parse_arch("relu:k3,1x8"), "“relu:k3”: relu has no options; “k3” cannot be one."),
    (lambda: parse_arch("1x8,conv9:k3:k5"), "“conv9:k3:k5”: “k5” contradicts an earlier option."),
    (lambda: parse_arch("1x8,drop1.5"), "“drop1.5”: dropout must be a probability from 0 to below 1, not 1.5."),
    (lambda: parse_arch("1x8,relu7"), "Block 2: “relu7” is neither a block, as in 2x256"),
    (lambda: parse_arch(",".join(["relu"] * 402)), "This architecture has 402 layers; at most 400 are allowed."),
    (lambda: parse_arch("relu," + "1x8," * 65), "There are 65 or more blocks; at most 64 are allowed."),
    (
        lambda: parse_network({"arch": ",".join(["relu"] * 399) + ",flatten,linear1"}),
        "This architecture has 401 layers; at most 400 are allowed.",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_cannot_be_is_refused_with_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("arch", "side", "sentence", "smallest", "layers"),
    [
        (
            "1x8,conv9:k5,gap,flatten",
            8,
            "Conv2d (features.3) cannot take 8×4×4: its 5×5 window (padding 0) is larger than the 4×4 that reaches it. "
            "The smallest input for this network is 10×10.",
            10,
            3,
        ),
        ("conv9,gap,conv9,gap,flatten", 8, "Conv2d (features.2) cannot take 9×1×1: its 3×3 window", None, 2),
        ("1x8,conv9:g3,1x8,1x8,gap,flatten", 8, "Conv2d (features.3) cannot take 8×4×4: its 3 groups", None, 3),
        ("conv9,flatten", 8, "324 scores for 9 classes: before Flatten the maps must be of one pixel", None, 1),
    ],
)
def test_a_network_that_does_not_fit_says_how_far_it_comes(
    arch: str, side: int, sentence: str, smallest: int | None, layers: int
) -> None:
    with pytest.raises(UnfitError) as caught:
        summarize(parse_arch(arch).architecture, (1, side, side))
    assert str(caught.value).startswith(sentence)
    assert caught.value.smallest == smallest
    assert len(caught.value.so_far.rows) == layers
    if smallest:
        assert summarize(parse_arch(arch).architecture, (1, smallest, smallest))
