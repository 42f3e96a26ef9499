"""A model as PyTorch prints it is that model: with published figures, and for any network that can be built."""

import pytest
import torch
import torchvision
from hypothesis import assume, given
from samples import examples
from strategies import networks
from torch import nn

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.layers import AvgPool2d, Conv2d, Flatten, Layer, Linear, ReLU
from vggexplorer.pytorch.modules import build, sequential
from vggexplorer.reading import printed
from vggexplorer.reading.chain import PUT_IN
from vggexplorer.reading.values import TokenError
from vggexplorer.summary import summarize


def read(text: str) -> tuple[Network, list[str]]:
    reading = printed.read(text)
    assert reading
    (network,) = reading.networks.values()
    return network, [str(remark) for remark in reading.left_out]


def chain(architecture: Architecture) -> list[Layer]:
    return [place.layer for place in architecture.places()]


PUBLISHED = {"alexnet": 61_100_840, "vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544,
             "vgg19": 143_667_240, "vgg11_bn": 132_868_840}  # fmt: skip
"""The parameters in torchvision's tables of its weights."""
TAKEN = "The text does not say its input; this was taken: {}."


@pytest.mark.parametrize(("name", "params"), PUBLISHED.items(), ids=PUBLISHED)
def test_what_torchvision_prints(name: str, params: int) -> None:
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    network, said = read(str(model))
    assert summarize(*network).totals.params == params
    assert network.input_shape == (3, 224, 224)
    assert said == [str(PUT_IN), TAKEN.format("3×224×224")]
    assert all(isinstance(item, Block) for item in network.architecture.items)
    assert isinstance(network.architecture.head, Head)


def test_torchvisions_vgg_and_alexnet_are_the_named_ones() -> None:
    with torch.device("meta"):
        vgg, alexnet = torchvision.models.vgg16(), torchvision.models.alexnet()
    assert read(str(alexnet))[0] == NETWORKS["AlexNet (torchvision)"]
    architecture = read(str(vgg))[0].architecture
    assert architecture == Architecture(NETWORKS["VGG-16"].architecture.items, Head("adaptive"), 1000)


@pytest.mark.parametrize("title", NETWORKS)
def test_the_named_networks_printed_as_the_book_does(title: str) -> None:
    named = NETWORKS[title]
    with torch.device("meta"):
        text = str(sequential(*named))
    assert read(text) == (named, [TAKEN.format("×".join(map(str, named.input_shape)))])


def says_all(layer: Layer) -> bool:
    return not isinstance(layer, AvgPool2d) or (not layer.ceil_mode and layer.count_include_pad)


@examples(100)
@given(networks())
def test_any_network_is_printed_and_read(original: Network) -> None:
    architecture, (channels, *sides) = original
    assume(all(map(says_all, chain(architecture))))
    assume(any(isinstance(layer, Conv2d) for layer in chain(architecture)))  # which says the channels of the input
    side = min(sides)
    with torch.device("meta"):
        text = str(build(architecture, (channels, side, side)))
    network, _ = read(text)
    assert chain(network.architecture) == chain(architecture)
    assert network.input_shape[0] == channels
    params = summarize(architecture, (channels, side, side)).totals.params
    assert summarize(*network).totals.params == params


VGG = """
VGG(
  (features): Sequential(
    (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (1): ReLU(inplace=True)
    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (avgpool): AdaptiveAvgPool2d(output_size=(7, 7))
  (classifier): Sequential(
    (0): Dropout(p=0.5, inplace=False)
    (1): Linear(in_features=392, out_features=10, bias=True)
  )
)"""


def test_the_flatten_of_a_class_is_put_in_before_its_classifier() -> None:
    network, said = read(VGG)
    assert [layer.kind for layer in chain(network.architecture)][3:] == [
        *("AdaptiveAvgPool2d", "Flatten", "Dropout", "Linear"),
    ]
    assert str(PUT_IN) in said
    for other in ("(module): VGG", "(0): VGG"):
        inner = VGG.strip().replace("VGG", other, 1).replace("\n", "\n  ")
        assert read(f"DataParallel(\n  {inner}\n)")[0] == network


def test_a_sequential_has_its_flatten_or_fails() -> None:
    with pytest.raises(TokenError, match="Linear needs a flat vector, but there is no Flatten before it"):
        read(VGG.replace("VGG", "Sequential"))


def test_what_stands_around_it_is_counted() -> None:
    network, said = read(f">>> net = make()\n>>> print(net){VGG.replace(chr(10), chr(13) + chr(10))}\n\n>>> net.eval()")
    assert network == read(VGG)[0]
    assert said[0] == "3 other lines were not read."
    assert read(f"Out[3]: {VGG.strip()}")[0] == network


def test_parts_that_are_there_several_times() -> None:
    layers = nn.ModuleList([nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()])
    pairs = nn.ModuleList([nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()) for _ in range(3)])
    network, _ = read(str(nn.Sequential(layers, pairs, nn.AdaptiveAvgPool2d(1), nn.Flatten())))
    assert "(0-2): 3 x Sequential(" in str(pairs)
    assert network.architecture.items[0] == Block(5, 1, pool=None)


def test_lazy_layers_print_a_zero_for_what_they_do_not_know() -> None:
    net = nn.Sequential(
        *(nn.LazyConv2d(6, 5, padding="same"), nn.LazyBatchNorm2d(), nn.Tanh(), nn.Flatten()),
        *(nn.LazyLinear(9), nn.LazyBatchNorm1d(), nn.GELU("tanh"), nn.LazyLinear(10, bias=False)),
    )
    network, _ = read(str(net))
    net(torch.zeros(2, *network.input_shape))
    assert summarize(*network).totals.params == sum(parameter.numel() for parameter in net.parameters())


def test_what_an_average_pool_does_not_print_is_said() -> None:
    said = (
        "The printed form does not say the ceil_mode and count_include_pad of average pools; False and True were taken."
    )
    for pool, doubtful in ((nn.AvgPool2d(2), False), (nn.AvgPool2d(3), True), (nn.AvgPool2d(2, padding=1), True)):
        text = str(nn.Sequential(nn.Conv2d(1, 10, 1), pool, nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        assert (said in read(text)[1]) == doubtful


class Net(nn.Module):
    """As people write it: its layers in `__init__`, some of what it does in `forward`."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)


CONV, RELU, LINEAR = nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Linear(2 * 28 * 28, 10)


def test_the_order_of_a_class_is_said_to_be_the_printed_one() -> None:
    network, said = read(str(Net(conv=CONV, relu=RELU, fc=LINEAR)))
    assert network == Network(Architecture((Block(1, 2, pool=None),), Head(hidden=())), (1, 28, 28))
    assert said[0] == "The printed form of Net does not say how its parts are called; they were taken in their order."
    assert chain(network.architecture) == [Conv2d(2, 3, 1, 1), ReLU(), Flatten(), Linear(10)]
    one = Net(net=nn.Sequential(CONV, RELU, nn.Flatten(), LINEAR))
    assert read(str(one)) == (network, [TAKEN.format("1×28×28")])


def of(name: str, **layers: nn.Module) -> str:
    return str(type(name, (Net,), {})(**layers))


REFUSED: list[tuple[str, tuple[int, int], str]] = [
    (of("Net", conv1=CONV, fc1=LINEAR), (1, 1), "the printed form has no activations"),
    (of("Net", a=RELU, b=Net(shortcut=CONV)), (4, 17), "the printed form does not say how the layers in this come"),
    (of("Net", conv=CONV, b=Net(downsample=nn.Sequential(CONV))), (4, 19), "the printed form does not say how"),
    (f"Net(\n  (block): {of('ResidualBlock', conv=CONV)}\n)", (2, 12), "the printed form does not say how"),
    (VGG.replace("padding=(1, 1)", "padding=(1, 2)"), (4, 66), "padding must be the same for height and width"),
    (VGG.replace("MaxPool2d", "LPPool2d"), (6, 10), "“torch.nn.LPPool2d” is not one of the layers that can be said"),
    (VGG.replace("392", "393"), (11, 29), "392 features reach this layer if the input is 1×224×224, not 393."),
    (VGG.replace("inplace=True)", "inplace=True"), (5, 5), "this is no line of a model as PyTorch prints it."),
    (VGG.replace("inplace=True", "inplace="), (5, 10), "this is no line of a model as PyTorch prints it."),
    (VGG.replace("inplace=True", "(" * 300), (5, 10), "this is no line of a model as PyTorch prints it."),
    (VGG.replace("(1): ReLU", "ReLU is here"), (5, 5), "this is no line of a model as PyTorch prints it."),
    (VGG.rstrip(")"), (2, 1), "the text ends before this does."),
    (VGG.replace("(1): ReLU", "(1-1999): 1999 x ReLU"), (5, 22), "these are too many layers; at most 400 are allowed."),
    ("Net(\n" + "(a): Net(\n" * 60, (51, 6), "this is nested too deeply."),
    (
        "Net(\n" + "(0-39): 40 x Sequential(\n" * 40 + "(0): ReLU()\n" + ")\n" * 41,
        (42, 6),
        "these are too many layers",
    ),
]


@pytest.mark.parametrize(("text", "place", "sentence"), REFUSED, ids=[sentence for *_, sentence in REFUSED])
def test_what_cannot_be_said_is_refused_where_it_is_written(text: str, place: tuple[int, int], sentence: str) -> None:
    with pytest.raises(TokenError) as caught:
        printed.read(text)
    token = caught.value.token
    assert (token.line, token.column) == place
    assert text.split("\n")[token.line - 1][token.column - 1 :].startswith(token.text)
    assert str(caught.value.values["reason"]).startswith(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "VGG16",
        "((1, 64), (1, 128))",
        "nn.Sequential(\n  nn.Conv2d(1, 8, 3),\n)",
        "Linear(in_features=1)",
        "Net(\n)",
        "Net(\n\n",
    ],
)
def test_other_texts_are_not_of_this_form(text: str) -> None:
    assert printed.read(text) is None
