"""Layers in a row become the network that they are: its blocks and head, its input, the place of what does not fit."""

from typing import Any

import pytest
from hypothesis import given
from samples import examples
from strategies import networks, plain
from written import calls

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Shape,
    Sigmoid,
    Tanh,
    shape_text,
)
from vggexplorer.reading.chain import folded, network
from vggexplorer.reading.values import Call, Token, TokenError
from vggexplorer.summary import UnfitError, summarize
from vggexplorer.text import parse_arch


def written(network: Network) -> list[Call]:
    """The layers of a network as calls of PyTorch."""
    rows = summarize(*network).rows
    return [
        Call(f"torch.nn.{row.kind}", [], row.layer.torch_arguments(row.input_shape), Token(1, 1, row.name))
        for row in rows
    ]


def chain(architecture: Architecture) -> list[Layer]:
    return [place.layer for place in architecture.places()]


def read(text: str, shape: Shape | None = None) -> Network:
    return network(calls(text), shape)[0]


def said(text: str, shape: Shape | None = None) -> list[str]:
    return [str(remark) for remark in network(calls(text), shape)[1]]


# --- blocks and a head ---------------------------------------------------------------------------------


@pytest.mark.parametrize("title", NETWORKS)
def test_the_named_networks_come_back_with_their_inputs(title: str) -> None:
    named = NETWORKS[title]
    assert network(written(named), named.input_shape) == (named, ())
    found, (remark,) = network(written(named), None)
    assert found == named
    assert str(remark) == f"The text does not say its input; this was taken: {shape_text(named.input_shape)}."


@examples(200)
@given(networks())
def test_the_layers_are_those_that_were_read(original: Network) -> None:
    found, remarks = network(written(original), original.input_shape)
    assert chain(found.architecture) == chain(original.architecture)
    assert found.input_shape == original.input_shape
    assert not remarks
    assert summarize(*found).totals == summarize(*original).totals


@examples(200)
@given(plain)
def test_blocks_and_heads_come_back_as_such(architecture: Architecture) -> None:
    found = folded(chain(architecture))
    assert all(isinstance(item, Block) for item in found.items[: len(architecture.items)])
    assert len(found.items) <= len(architecture.items)
    assert isinstance(found.head, Head)
    assert folded(chain(found)) == found


ONE = (AdaptiveAvgPool2d(1), Flatten())
FOLDED = [
    ([Conv2d(8, 3, 1, 1), ReLU(), MaxPool2d(2, 2), *ONE], (Block(1, 8), *ONE)),
    ([Conv2d(8, 3, 1, 1), ReLU(), Conv2d(8, 3, 1, 1), ReLU(), *ONE], (Block(2, 8, pool=None), *ONE)),
    ([Conv2d(8, 5, 1, 2), ReLU(), AvgPool2d(3, 2), *ONE], (Block(1, 8, 5, pool=(3, 2), pool_type="avg"), *ONE)),
    ([Conv2d(8, 3, 1, 1), ReLU(), LocalResponseNorm(), *ONE], (Block(1, 8, pool=None, lrn=True), *ONE)),
    (
        [Conv2d(8, 3, 1, 1), ReLU(), LocalResponseNorm(k=1.0), MaxPool2d(2, 2), *ONE],
        (Block(1, 8, pool=None), LocalResponseNorm(k=1.0), MaxPool2d(2, 2), *ONE),
    ),
    ([Conv2d(8, 3, 1, 1), ReLU(), MaxPool2d(3, 2, 1), *ONE], (Block(1, 8, pool=None), MaxPool2d(3, 2, 1), *ONE)),
    ([Conv2d(8, 3, 1, 1, bias=False), ReLU(), *ONE], (Conv2d(8, 3, 1, 1, bias=False), ReLU(), *ONE)),
    ([Conv2d(8, 3, 1, 2, dilation=2), ReLU(), *ONE], (Conv2d(8, 3, 1, 2, dilation=2), ReLU(), *ONE)),
    ([Conv2d(8), Conv2d(8), *ONE], (Conv2d(8), Conv2d(8), *ONE)),
    (
        [Conv2d(8), Tanh(), Conv2d(9), Tanh(), Conv2d(7), ReLU(), *ONE],
        (Block(1, 8, padding=0, pool=None), Block(1, 9, padding=0, pool=None), Conv2d(7), ReLU(), *ONE),
    ),
    ([Conv2d(8), BatchNorm2d(), ReLU(), Conv2d(9), *ONE], (Block(1, 8, padding=0, pool=None), Conv2d(9), *ONE)),
]


@pytest.mark.parametrize(("layers", "parts"), FOLDED)
def test_what_is_a_block_becomes_one(layers: list[Layer], parts: tuple[Any, ...]) -> None:
    architecture = folded(layers)
    assert (*architecture.items, *architecture.head) == parts  # type: ignore[misc]
    assert chain(architecture) == layers


HEADS: list[tuple[list[Layer], Any]] = [
    ([Flatten(), Linear(10)], Head(hidden=())),
    ([Flatten(), Linear(9), ReLU(), Dropout(0.1), Linear(10)], Head(hidden=(9,), dropout=0.1)),
    ([Flatten(), Linear(9), ReLU(), Linear(8), ReLU(), Linear(10)], Head(hidden=(9, 8), dropout=0.0)),
    ([Flatten(), Dropout(0.1), Linear(9), ReLU(), Linear(10)], Head(hidden=(9,), dropout=0.1, dropout_first=True)),
    ([AdaptiveAvgPool2d(6), Flatten(), Linear(10)], Head("adaptive", (), size=6)),
    ([AdaptiveAvgPool2d(1), Flatten(), Linear(10)], Head("gap", ())),
]
WRITTEN_OUT: list[list[Layer]] = [
    [Flatten(), Linear(9), Sigmoid(), Linear(10)],
    [Flatten(), Linear(9), Linear(10)],
    [Flatten(), Linear(9, False), ReLU(), Linear(10)],
    [Flatten(), Linear(10, False)],
    [Flatten(), Linear(10), ReLU()],
    [Flatten(), Dropout(0.5), Linear(10)],
    [Flatten(), Linear(9), ReLU(), Dropout(0.1), Linear(8), ReLU(), Dropout(0.2), Linear(10)],
    [Flatten(), Linear(9), ReLU(), Dropout(0.0), Linear(10)],
]


@pytest.mark.parametrize(("layers", "head"), HEADS)
def test_what_is_a_head_becomes_one(layers: list[Layer], head: Head) -> None:
    architecture = folded([Conv2d(8), ReLU(), *layers])
    assert (architecture.head, architecture.num_classes) == (head, 10)
    assert architecture.items == (Block(1, 8, padding=0, pool=None),)


@pytest.mark.parametrize("layers", WRITTEN_OUT)
def test_other_heads_are_written_out(layers: list[Layer]) -> None:
    assert folded([Conv2d(8), ReLU(), *layers]).head == tuple(layers)


# --- containers ----------------------------------------------------------------------------------------

SMALL = "nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)"
SCORES = "nn.AdaptiveAvgPool2d(1), nn.Flatten()"


@pytest.mark.parametrize(
    "text",
    [
        f"nn.Sequential({SMALL}, {SCORES})",
        f"nn.Sequential(nn.Sequential({SMALL}), nn.Sequential({SCORES}))",
        f"nn.Sequential({{'a': nn.Sequential({SMALL}), 'b': nn.Sequential({SCORES})}})",
        f"nn.ModuleList([{SMALL}]), nn.Identity(), {SCORES}",
        f"{SMALL}, {SCORES}, torch.flatten(x, 1)",
        f"{SMALL}, nn.AdaptiveAvgPool2d(1)",
    ],
)
def test_sequentials_are_taken_apart(text: str) -> None:
    assert read(text) == Network(Architecture((Block(1, 8), AdaptiveAvgPool2d(1)), (Flatten(),)))


def nested(call: Call, times: int, depth: int) -> Call:
    for _ in range(depth):
        call = Call("torch.nn.Sequential", [call] * times, {}, call.token)
    return call


def test_a_text_that_grows_without_end_is_refused() -> None:
    (empty,) = calls("nn.Sequential()")
    (relu,) = calls("nn.ReLU()")
    for endless in (nested(empty, 2, 64), nested(relu, 2, 64), nested(relu, 4_000, 900), nested(relu, 401, 1)):
        with pytest.raises(TokenError, match="these are too many layers; at most 400 are allowed"):
            network([endless], None)
    assert network([*calls("nn.Conv2d(1, 10, 1)"), nested(relu, 1, 900), *calls(SCORES)], None)


# --- the input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (f"nn.Conv2d(3, 8, 3), {SCORES}", (3, 224, 224)),
        (f"nn.LazyConv2d(8, 3), {SCORES}", (1, 224, 224)),
        (f"nn.BatchNorm2d(3), nn.LazyConv2d(8, 3), {SCORES}", (3, 224, 224)),
        (f"nn.LazyConv2d(8, 3), nn.BatchNorm2d(8), {SCORES}", (1, 224, 224)),
        ("nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.AvgPool2d(2), nn.Flatten(), "
         "nn.Linear(400, 10)", (1, 28, 28)),
        ("nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 10)",
         (3, 32, 32)),
        ("nn.Conv2d(1, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 50 * 50, 10)".replace("8 * 50 * 50", "20000"),
         (1, 50, 50)),
        ("nn.Flatten(), nn.Linear(784, 10)", (1, 28, 28)),
        ("nn.Flatten(), nn.Linear(3072, 10)", (3, 32, 32)),
        ("nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)", (1, 28, 28)),
        ("nn.Conv2d(3, 10, 8), nn.Flatten()", (3, 8, 8)),
    ],
)  # fmt: skip
def test_the_input_is_one_that_all_numbers_agree_with(text: str, shape: Shape) -> None:
    found = read(text)
    assert found.input_shape == shape
    assert summarize(*found).rows[-1].output_shape == (found.architecture.num_classes,)


def test_an_input_that_is_said_is_taken() -> None:
    assert read(f"nn.Conv2d(3, 8, 3), {SCORES}", (3, 40, 50)).input_shape == (3, 40, 50)
    assert said(f"nn.Conv2d(3, 8, 3), {SCORES}", (3, 40, 50)) == []


def test_an_input_that_is_too_small_is_left_to_the_drawing() -> None:
    found = read("nn.Conv2d(1, 8, 9), nn.ReLU(), nn.Flatten(), nn.Linear(72, 10)", (1, 8, 8))
    with pytest.raises(UnfitError, match="9×9 window"):
        summarize(*found)


# --- what is said, and what is refused -----------------------------------------------------------------


def test_what_was_put_in_and_left_out_is_said() -> None:
    softmax = "The softmax at the end has no parameters and no MACs: it was left out."
    flatten = "The text has no Flatten: it was put in where the maps become a vector."
    assert said(f"{SMALL}, {SCORES}, nn.Softmax(dim=1)", (1, 8, 8)) == [softmax]
    assert said(f"{SMALL}, nn.AdaptiveAvgPool2d(1), F.log_softmax(x, dim=1)", (1, 8, 8)) == [softmax, flatten]
    assert said("nn.Linear(64, 10)", (1, 8, 8)) == [flatten]


REFUSED: list[tuple[str, Shape | None, str, str]] = [
    (f"nn.Conv2d(3, 8, 3), nn.Conv2d(9, 8, 3), {SCORES}", None, "9", "8 channels reach this layer, not 9."),
    (f"nn.Conv2d(3, 8, 3), nn.BatchNorm2d(16), {SCORES}", None, "16", "8 channels reach this layer, not 16."),
    (f"nn.Conv2d(in_channels=3, out_channels=8, kernel_size=3), {SCORES}", (1, 9, 9), "3",
     "1 channel reaches this layer, not 3."),
    (f"{SMALL}, nn.Flatten(), nn.Linear(777, 10)", None, "777",
     "100,352 features reach this layer if the input is 1×224×224, not 777."),
    (f"{SMALL}, nn.Flatten(), nn.Linear(777, 10)", (1, 8, 8), "777",
     "128 features reach this layer if the input is 1×8×8, not 777."),
    (f"{SMALL}, nn.Flatten(), nn.Linear(128, 9), nn.Linear(8, 7)", (1, 8, 8), "8",
     "9 features reach this layer if the input is 1×8×8, not 8."),
    (f"{SMALL}, nn.Linear(8, 10)", None, "nn.Linear(8, 10)", "Linear needs a flat vector, but there is no Flatten"),
    (f"{SMALL}, nn.Flatten(), nn.Conv2d(8, 8, 1)", None, "nn.Conv2d(8, 8, 1)",
     "Conv2d needs channels × height × width, but 100352 reaches it."),
    (f"nn.Linear(8, 10), {SMALL}, nn.Flatten()", (8, 1, 1), "nn.Linear(8, 10)", "Linear needs a flat vector, but 8×1"),
    (SMALL, None, "nn.MaxPool2d(2)", "the layers do not end in scores: there is no Flatten among them."),
    (f"{SMALL}, nn.ReLU(), nn.Sequential(nn.MaxPool2d(300)), {SCORES}", None, "nn.MaxPool2d(300)",
     "its 300×300 window (padding 0) is larger than the 112×112 that reaches it"),
    (f"nn.Conv2d(8, 9, 3, groups=3), {SCORES}", None, "nn.Conv2d(8, 9, 3, groups=3)", "its 3 groups cannot share 8"),
    (f"nn.ZeroPad2d(1), {SMALL.replace('nn.Conv2d', 'nn.ReLU(), nn.Conv2d')}, {SCORES}", None, "nn.ZeroPad2d(1)",
     "zeros around the maps can only be read right before a convolution."),
    (f"{SMALL}, {SCORES}, nn.ZeroPad2d(1)", None, "nn.ZeroPad2d(1)", "zeros around the maps can only be read"),
    (f"nn.Softmax(1), {SMALL}", None, "nn.Softmax(1)", "a softmax can only be read at the very end."),
    (f"nn.Sequential({SMALL}, head)", None, "head", "it is not known from the text which layer this is."),
    (f"nn.Sequential({SMALL}, 5)", None, "5", "it is not known from the text which layer this is."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shape", "token", "sentence"), REFUSED, ids=[text for text, *_ in REFUSED])
def test_what_cannot_be_is_refused_where_it_is_written(
    text: str, shape: Shape | None, token: str, sentence: str
) -> None:
    with pytest.raises(TokenError) as caught:
        read(text, shape)
    assert caught.value.token.text == token
    assert text[caught.value.token.column - 1 :].startswith(token)
    assert str(caught.value.values["reason"]).startswith(sentence)


def test_what_is_no_network_at_all_is_refused() -> None:
    for text, sentence in (("nn.Identity()", "needs at least one block"), ("nn.Flatten()", "do not end in scores")):
        with pytest.raises(InputError, match=sentence):
            read(text)
    with pytest.raises(InputError, match="3x224x224"):
        read(f"nn.LazyConv2d(8, 3), {SCORES}", (224, 224, 3))


def test_zeros_before_a_convolution_are_its_padding() -> None:
    text = SMALL.replace("nn.Conv2d(1, 8, 3, padding=1)", "nn.ZeroPad2d((1, 1)), nn.Conv2d(1, 8, 3)")
    assert read(f"{text}, {SCORES}") == read(f"{SMALL}, {SCORES}")


def test_a_thin_vgg_is_read_as_it_is_typed() -> None:
    assert read(f"{SMALL}, {SCORES}").architecture == parse_arch("1x8,gap,flatten").architecture
