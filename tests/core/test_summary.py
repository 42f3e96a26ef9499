"""Every figure of a summary against PyTorch, torchvision, torchinfo, fvcore and published counts."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import pytest
import torch
import torchinfo
import torchvision
from fvcore.nn import FlopCountAnalysis
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import blocks, modest, networks
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vggexplorer.architectures import MAX_SIDE, NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.layers import Shape
from vggexplorer.pytorch.modules import build
from vggexplorer.summary import Row, Summary, Totals, add_up, summarize

AS_TORCHVISION = {"head": Head("adaptive"), "num_classes": 1000}


def named(title: str, **changes: Any) -> Architecture:
    return replace(NETWORKS[title].architecture, **changes)


# --- published and recomputed counts -----------------------------------------------------------------


class Oracle(NamedTuple):
    title: str
    side: int
    conv_params: int
    fc_params: int
    conv_macs: int
    fc_macs: int


# The book's networks (1 channel, 10 classes, flatten), recomputed with PyTorch.
BOOK = [
    Oracle("AlexNet", 224, 3_723_968, 43_040_778, 895_113_600, 43_032_576),
    Oracle("AlexNet", 96, 3_723_968, 17_874_954, 116_607_360, 17_866_752),
    Oracle("VGG-11", 224, 9_219_328, 119_586_826, 7_427_653_632, 119_578_624),
    Oracle("VGG-11", 96, 9_219_328, 35_700_746, 1_364_262_912, 35_692_544),
    Oracle("VGG-16", 224, 14_713_536, 119_586_826, 15_288_827_904, 119_578_624),
    Oracle("VGG-11 slim", 224, 576_832, 42_516_490, 469_647_360, 42_508_288),
]


@pytest.mark.parametrize("oracle", BOOK, ids=lambda oracle: f"{oracle.title} at {oracle.side}")
def test_the_books_networks(oracle: Oracle) -> None:
    totals = summarize(named(oracle.title), (1, oracle.side, oracle.side)).totals
    assert (totals.conv_params, totals.fc_params, totals.conv_macs, totals.fc_macs) == oracle[2:]
    assert totals.params == oracle.conv_params + oracle.fc_params
    assert totals.macs == oracle.conv_macs + oracle.fc_macs
    assert totals.flops == 2 * totals.macs


# Output elements of all modules but Flatten, recomputed with PyTorch.
@pytest.mark.parametrize(
    ("title", "activations"), [("AlexNet", 1_333_642), ("VGG-11", 16_407_050), ("VGG-11 slim", 4_120_202)]
)
def test_the_books_activations(title: str, activations: int) -> None:
    assert summarize(named(title), (1, 224, 224)).totals.activations == activations


@pytest.mark.parametrize(("title", "features"), [("VGG-11-160", 12_800), ("VGG-11-160 slim", 3_200)])
def test_the_notes_160_pixel_variant(title: str, features: int) -> None:
    """One of the notes prints Linear layers of 1024, 128 and 10 units after Flatten's 12,800 (slim: 3,200)."""
    architecture = named("VGG-11-160")
    if title.endswith("slim"):
        architecture = replace(architecture, items=NETWORKS["VGG-11 slim"].architecture.items)
    rows = summarize(architecture, (1, 160, 160)).rows
    shapes = [row.output_shape for row in rows if row.kind in ("Flatten", "Linear")]
    assert shapes == [(features,), (1024,), (128,), (10,)]


# Table 2 of Simonyan and Zisserman (2014), in millions; 3x224x224, 1000 classes.
@pytest.mark.parametrize(
    ("title", "millions"),
    [("VGG-11", 133), ("VGG-11-LRN", 133), ("VGG-13", 133), ("VGG-16-C", 134), ("VGG-16", 138), ("VGG-19", 144)],
)
def test_the_vgg_papers_table_2(title: str, millions: int) -> None:
    totals = summarize(named(title, num_classes=1000), (3, 224, 224)).totals
    assert round(totals.params / 1e6) == millions


TORCHVISION = [
    ("VGG-11", 132_863_336, torchvision.models.VGG11_Weights),
    ("VGG-13", 133_047_848, torchvision.models.VGG13_Weights),
    ("VGG-16", 138_357_544, torchvision.models.VGG16_Weights),
    ("VGG-19", 143_667_240, torchvision.models.VGG19_Weights),
    ("AlexNet (torchvision)", 61_100_840, torchvision.models.AlexNet_Weights),
]


@pytest.mark.parametrize(("title", "params", "weights"), TORCHVISION, ids=[case[0] for case in TORCHVISION])
def test_torchvisions_published_counts(title: str, params: int, weights: Any) -> None:
    changes = {} if title.startswith("AlexNet") else AS_TORCHVISION
    architecture = named(title, **changes)
    totals = summarize(architecture, (3, 224, 224)).totals
    published = weights.IMAGENET1K_V1.meta
    assert totals.params == params == published["num_params"]
    assert round(totals.macs / 1e9, 3) == published["_ops"]
    assert architecture.min_side() == published["min_size"][0]


# --- layer by layer against PyTorch ------------------------------------------------------------------


class Leaf(NamedTuple):
    """What PyTorch says of one leaf module, for a batch of one."""

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    activations: int


def on(device: str, architecture: Architecture, input_shape: Shape) -> tuple[nn.Module, torch.Tensor]:
    """The network in evaluation mode, without initialising it, and an input of zeros."""
    with torch.device("meta"):
        net = build(architecture, input_shape).eval()
    return net.to_empty(device=device), torch.zeros(1, *input_shape, device=device)


def leaves_by_pytorch(net: nn.Module, image: torch.Tensor) -> list[Leaf]:
    """Shapes by forward hooks, parameters by counting elements, MACs by torch's own counter."""
    seen: dict[str, tuple[Shape, Shape]] = {}
    modules = {name: module for name, module in net.named_modules() if not list(module.children())}

    def watch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor], torch.Tensor], None]:
        return lambda _, inputs, output: seen.update({name: (tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))})

    for name, module in modules.items():
        module.register_forward_hook(watch(name))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image)
    flops = {name.partition(".")[2]: sum(by.values()) for name, by in counter.get_flop_counts().items()}
    return [
        Leaf(
            name,
            kind := type(modules[name]).__name__,
            *shapes,
            params=sum(parameter.numel() for parameter in modules[name].parameters()),
            macs=flops.get(name, 0) // 2,
            activations=0 if kind == "Flatten" else prod(shapes[1]),
        )
        for name, shapes in seen.items()
    ]


def leaf(row: Row) -> Leaf:
    return Leaf(row.name, row.kind, row.input_shape, row.output_shape, row.params, row.macs, row.activations)


def check_against_pytorch(architecture: Architecture, input_shape: Shape, device: str = "meta") -> None:
    summary = summarize(architecture, input_shape)
    net, image = on(device, architecture, input_shape)
    assert [leaf(row) for row in summary.rows] == leaves_by_pytorch(net, image)
    assert summary.totals.params == sum(parameter.numel() for parameter in net.parameters())
    check_sums(summary)


def check_sums(summary: Summary) -> None:
    rows, totals = summary.rows, summary.totals
    for field in ("params", "macs", "activations"):
        assert getattr(totals, field) == sum(getattr(row, field) for row in rows)
        for part in ("conv", "fc"):
            assert getattr(totals, f"{part}_{field}") == sum(getattr(row, field) for row in rows if row.part == part)
    groups = list(summary.groups())
    assert tuple(row for group in groups for row in group.rows) == rows
    assert Totals(*map(sum, zip(*(group.totals for group in groups), strict=True))) == totals
    for row in rows:
        assert (row.part == "conv") == (row.name.startswith("features") or row.name == "avgpool")
        assert all(type(count) is int for count in (row.params, row.macs, row.activations))
    for before, after in pairwise(rows):
        assert before.output_shape == after.input_shape


def variants() -> list[Any]:
    """All named networks x heads x batch norm x inputs: their own, the smallest, and one that is not square."""
    variants = []
    for title, (architecture, own) in NETWORKS.items():
        smallest = architecture.min_side()
        for head in (architecture.head, Head("adaptive", size=3), Head("gap", hidden=())):
            for batch_norm in (False, True):
                variant = replace(architecture, head=head, batch_norm=batch_norm)
                for shape in (own, (3, smallest, smallest), (2, smallest + 61, smallest + 2)):
                    kind = f"{head.pooling} {head.size}" if isinstance(head, Head) else "layers"
                    name = f"{title}, {kind}{', bn' * batch_norm}, {shape}"
                    variants.append(pytest.param(variant, shape, id=name))
    return variants


@pytest.mark.parametrize(("architecture", "input_shape"), variants())
def test_every_layer_of_the_named_networks_is_pytorchs(architecture: Architecture, input_shape: Shape) -> None:
    check_against_pytorch(architecture, input_shape)


@examples(300)
@given(networks())
def test_every_layer_of_random_networks_is_pytorchs(network: Network) -> None:
    check_against_pytorch(*network)


@pytest.mark.parametrize("title", ["LeNet", "AlexNet", "VGG-11-LRN"])
def test_real_tensors_have_the_same_figures(title: str) -> None:
    side = named(title).min_side()
    check_against_pytorch(named(title, head=Head("adaptive", hidden=(9,))), (1, side, side + 3), "cpu")


# --- the peers, by the terms in which they differ ----------------------------------------------------

# A term is a function of a row, by kind; a kind that is not named adds nothing (pooling, LRN, activations, dropout).
TORCHINFO_TERMS: dict[str, Callable[[Row], int]] = {
    "Conv2d": lambda row: row.layer.bias * prod(row.output_shape),  # a bias for each output channel, at each position
    "Linear": lambda row: row.layer.bias * prod(row.output_shape),
    "BatchNorm2d": lambda row: 2 * row.output_shape[0],  # its parameters, once, whatever the size
    "BatchNorm1d": lambda row: 2 * row.output_shape[0],
}
FVCORE_TERMS: dict[str, Callable[[Row], int]] = {
    "AdaptiveAvgPool2d": lambda row: prod(row.input_shape),
    "BatchNorm2d": lambda row: 2 * prod(row.output_shape),
    "BatchNorm1d": lambda row: 2 * prod(row.output_shape),
}


def with_terms(summary: Summary, terms: dict[str, Callable[[Row], int]]) -> int:
    return summary.totals.macs + sum(terms[row.kind](row) for row in summary.rows if row.kind in terms)


def check_against_torchinfo(architecture: Architecture, input_shape: Shape) -> None:
    summary = summarize(architecture, input_shape)
    net, image = on("meta", architecture, input_shape)
    info = torchinfo.summary(net, input_data=image, device="meta", mode="eval", verbose=0)
    assert info.total_mult_adds == with_terms(summary, TORCHINFO_TERMS)
    assert info.total_params == summary.totals.params


@contextmanager
def quiet() -> Iterator[None]:
    """Without fvcore's warnings about the operators that it does not count."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def check_against_fvcore(architecture: Architecture, input_shape: Shape) -> None:
    """On real tensors: tracing, which fvcore does, fails on the meta device with torch 2.15."""
    summary = summarize(architecture, input_shape)
    net, image = on("cpu", architecture, input_shape)
    with quiet(), torch.no_grad():
        analysis = FlopCountAnalysis(net, image)
        assert analysis.total() == with_terms(summary, FVCORE_TERMS)
        by_module = analysis.by_module()
    for row in summary.rows:
        assert by_module[row.name] == row.macs + FVCORE_TERMS.get(row.kind, lambda _: 0)(row)


@pytest.mark.parametrize(("architecture", "input_shape"), variants())
def test_torchinfo_differs_from_the_named_networks_by_its_terms(architecture: Architecture, input_shape: Shape) -> None:
    check_against_torchinfo(architecture, input_shape)


@examples(100)
@given(networks())
def test_torchinfo_differs_from_random_networks_by_its_terms(network: Network) -> None:
    check_against_torchinfo(*network)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "bn"])
@pytest.mark.parametrize("head", [None, Head("adaptive", hidden=(9,)), Head("gap", hidden=())], ids=str)
@pytest.mark.parametrize("title", NETWORKS)
def test_fvcore_differs_from_the_named_networks_by_its_terms(title: str, head: Head | None, batch_norm: bool) -> None:
    architecture = named(title, head=head or NETWORKS[title].architecture.head, batch_norm=batch_norm)
    side = architecture.min_side()
    check_against_fvcore(architecture, (1, side, side + 1))


@examples(60)
@given(networks())
def test_fvcore_differs_from_random_networks_by_its_terms(network: Network) -> None:
    check_against_fvcore(*network)


# --- the smallest input ------------------------------------------------------------------------------


@examples(100)
@given(modest)
def test_the_smallest_input_is_legal_and_one_pixel_less_is_not(architecture: Architecture) -> None:
    side = architecture.min_side()
    summarize(architecture, (1, side, side))
    net, _ = on("meta", architecture, (1, side, side))
    for height, width in ((side - 1, side), (side, side - 1), (side - 1, side - 1)):
        if side > 1:
            with pytest.raises(ShapeError, match=rf"The smallest input for this network is {side}×{side}\.$"):
                summarize(architecture, (1, height, width))
            with pytest.raises(RuntimeError):  # PyTorch refuses it as well
                net.get_submodule("features")(torch.zeros(1, 1, height, width, device="meta"))


@pytest.mark.parametrize(
    ("title", "shape", "sentence"),
    [
        (
            "AlexNet",
            (1, 64, 64),
            "MaxPool2d of block 4 cannot take 256×2×2: its 3×3 window (padding 0) is larger than the 2×2 that reaches"
            " it. The smallest input for this network is 65×65.",
        ),
        (
            "VGG-11",
            (1, 224, 31),
            "MaxPool2d of block 5 cannot take 512×14×1: its 2×2 window (padding 0) is larger than the 14×1 that reaches"
            " it. The smallest input for this network is 32×32.",
        ),
        (
            "AlexNet",
            (1, 1, 1),
            "Conv2d of block 1 cannot take 1×1×1: its 11×11 window (padding 1) is larger than the 1×1 that reaches"
            " it. The smallest input for this network is 65×65.",
        ),
    ],
)
def test_an_input_that_is_too_small_is_refused_with_a_sentence(title: str, shape: Shape, sentence: str) -> None:
    with pytest.raises(ShapeError) as caught:
        summarize(named(title), shape)
    assert str(caught.value) == sentence


def test_a_network_that_no_input_is_large_enough_for_says_so() -> None:
    architecture = Architecture((Block(1, 1),) * 14)  # 2^14 = 16,384 pixels
    with pytest.raises(ShapeError) as caught:
        summarize(architecture, (1, MAX_SIDE, MAX_SIDE))
    assert f"No input up to {MAX_SIDE}×{MAX_SIDE} is large enough" in str(caught.value)


@pytest.mark.parametrize(
    "shape",
    [
        *[(), (224,), (1, 224), (1, 1, 224, 224), "abc", ("1", "9", "9")],
        *[(0, 9, 9), (1, 0, 9), (1, 9, -9), (1, 9.0, 9), (True, 9, 9), (1, float("nan"), 9)],
        *[(65_537, 9, 9), (1, 8_193, 9), (1, 9, 10**30)],
    ],
    ids=str,
)
def test_what_is_not_the_shape_of_an_image_is_refused(shape: Any) -> None:
    with pytest.raises(InputError, match=r"^(The input|the input|the number of input channels)"):
        summarize(Architecture((Block(1, 8),)), shape)


# --- receptive fields --------------------------------------------------------------------------------

small_blocks = st.lists(blocks, min_size=1, max_size=3).map(
    lambda drawn: tuple(replace(block, out_channels=1, pool_type="avg", lrn=False) for block in drawn)
)


def reached(gradient: torch.Tensor) -> tuple[int, int]:
    """First and last input row on which an output depends."""
    rows = gradient[0, 0].sum(1).nonzero()
    return int(rows[0]), int(rows[-1])


@examples(60)
@given(small_blocks.filter(lambda blocks: field_and_stride(blocks)[0] <= 120))
def test_receptive_field_and_stride_are_those_of_the_gradient(small: tuple[Block, ...]) -> None:
    """With weights of 1 on an image of ones no gradient cancels; average pooling sees what max pooling may see."""
    field, stride = field_and_stride(small)
    side = field + 3 * stride  # the unit in the middle and its neighbour see no padding
    summary = summarize(architecture := Architecture(small, Head("gap", hidden=())), (1, side, side))
    features = build(architecture, (1, side, side)).double().get_submodule("features")
    for parameter in features.parameters():
        nn.init.ones_(parameter)
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    output = image
    for layer, row in zip(features.children(), summary.rows, strict=False):
        output = layer(output)
        middle = output.shape[-1] // 2
        units = output[0, 0, :, middle] / output.detach().max()
        first, last = reached(torch.autograd.grad(units[middle], image, retain_graph=True)[0])
        assert last - first + 1 == row.receptive_field
        if middle > 0:
            assert reached(torch.autograd.grad(units[middle - 1], image, retain_graph=True)[0])[0] == first - row.stride


def field_and_stride(drawn: tuple[Block, ...]) -> tuple[int, int]:
    """Of the last layer of the blocks, by the rows of an input that is surely large enough."""
    architecture = Architecture(drawn, Head("gap", hidden=()))
    side = architecture.min_side()
    row = summarize(architecture, (1, side, side)).rows[-4]
    assert row.receptive_field is not None
    assert row.stride is not None
    return row.receptive_field, row.stride


def test_the_receptive_field_of_vgg_11_by_hand() -> None:
    """Each 3x3 convolution adds 2 strides, each 2x2 pool one stride, and the pool doubles the stride."""
    rows = summarize(named("VGG-11"), (1, 224, 224)).rows
    fields = [(row.receptive_field, row.stride) for row in rows if row.kind in ("Conv2d", "MaxPool2d")]
    assert fields == [
        *[(3, 1), (4, 2)],
        *[(8, 2), (10, 4)],
        *[(18, 4), (26, 4), (30, 8)],
        *[(46, 8), (62, 8), (70, 16)],
        *[(102, 16), (134, 16), (150, 32)],
    ]
    assert {(row.receptive_field, row.stride) for row in rows if row.part == "fc"} == {(None, None)}


# --- the rest ----------------------------------------------------------------------------------------


def test_groups_are_the_lines_of_the_books_listing() -> None:
    groups = list(summarize(named("VGG-11"), (1, 224, 224)).groups())
    assert len(groups) == 13
    assert [group.block for group in groups] == [0, 1, 2, 3, 4] + [None] * 8
    assert groups[2].totals == add_up(groups[2].rows)


def test_a_row_is_found_by_its_name() -> None:
    summary = summarize(named("VGG-11"), (1, 224, 224))
    found = summary.row("classifier.0")
    assert found is not None
    assert found.input_shape == (25_088,)
    assert summary.row("classifier.99") is None


def test_ten_thousand_layers() -> None:
    architecture = Architecture((Block(1, 2, pool=None),) * 5_000, Head(hidden=()))
    summary = summarize(architecture, (1, 4, 4))
    assert len(summary.rows) == 10_002
    assert summary.totals.params == (9 * 2 + 2) + 4_999 * (9 * 4 + 2) + (32 * 10 + 10)
    assert architecture.min_side() == 1
    assert summary.rows[9_999].receptive_field == 1 + 2 * 5_000


def test_the_way_of_a_picture_has_each_convolution_with_its_activation_and_each_pool() -> None:
    way = summarize(NETWORKS["VGG-11"].architecture, (1, 224, 224)).pipeline()
    kinds = [str(row.kind) for row in way]
    assert kinds == ["ReLU", "MaxPool2d"] * 2 + ["ReLU", "ReLU", "MaxPool2d"] * 3
    assert [row.output_shape[0] for row in way[:4]] == [64, 64, 128, 128]
    assert way[-1].output_shape == (512, 7, 7)
