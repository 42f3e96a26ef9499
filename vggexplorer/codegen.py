"""A network as PyTorch source that runs as it stands, in plain ASCII.

What the chapter's `vgg_block` and `vgg` can write is written in their form; everything else as one
flat `nn.Sequential`. Either way each layer has the arguments that `torch_arguments` gives it.
"""

from collections.abc import Iterable
from textwrap import fill as wrapped
from textwrap import indent

from vggexplorer.architectures import Architecture, Head, Network
from vggexplorer.catalogue import fill
from vggexplorer.layers import Kind, Layer, Shape
from vggexplorer.summary import Row, Summary, summarize
from vggexplorer.text import title

_WIDTH = 88
_POSITIONAL = ("in_channels", "out_channels", "in_features", "out_features", "num_features")
_UNSAID = {
    *(("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1), ("bias", True)),
    *(("ceil_mode", False), ("count_include_pad", True), ("approximate", "none")),
}
"""What PyTorch assumes and nobody writes."""
_SAID = {("stride", Kind.MAX_POOL2D), ("stride", Kind.AVG_POOL2D)}
"""The stride of a pool is its window's size unless it is said."""

_FRAME = '''"""{about}"""

import torch
from torch import nn

{network}

X = torch.rand(size=(1, {shape}))
{eval}with torch.no_grad():
    for layer in net:
        X = layer(X)
        print(layer.__class__.__name__, "output shape:", tuple(X.shape))

# Expected: {params} parameters = {conv} in the convolutional part + {fc} in the fully connected part.
print("parameters:", sum(parameter.numel() for parameter in net.parameters()))
'''
_VGG = '''
def vgg_block(num_convs, in_channels, out_channels):
    """3x3 convolutions that keep height and width, then pooling that halves them."""
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def vgg(conv_arch):
    """A block for each (num_convs, out_channels) pair, then the fully connected part."""
    blocks = []
    in_channels = {channels}
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(
        *blocks,
{head}
    )


{conv_arch}
net = vgg(conv_arch)'''
_EVAL = "net.eval()  # in training mode, batch normalisation may need more than one example\n"


def source(architecture: Architecture, input_shape: Shape) -> str:
    """PyTorch source that builds the network, prints its output shapes and its number of parameters.

    `ShapeError` if an input of `input_shape` = (channels, height, width) is too small.
    """
    summary = summarize(architecture, input_shape)
    totals = summary.totals
    return _FRAME.format(
        about=_about(summary),
        network=_chapter(summary) if is_chapter(architecture) else _flat(summary),
        shape=", ".join(map(str, input_shape)),
        eval=_EVAL if architecture.normalizes else "",
        params=totals.params,
        conv=totals.conv_params,
        fc=totals.fc_params,
    )


def is_chapter(architecture: Architecture) -> bool:
    """Whether the chapter's `vgg_block` and `vgg` can write the network."""
    head = architecture.head
    return architecture.is_vgg and isinstance(head, Head) and head.pooling == "flatten"


def _about(summary: Summary) -> str:
    name = title(Network(summary.architecture, summary.input_shape))
    shape, classes = "x".join(map(str, summary.input_shape)), summary.architecture.num_classes
    blocks = ", ".join(part.strip() for part in name.split(","))
    text = "{blocks}: input {shape}, {classes} {classes:class|classes}. Written by vggexplorer."
    return wrapped(fill(text, blocks=blocks, shape=shape, classes=classes), _WIDTH - 3)


def _chapter(summary: Summary) -> str:
    pairs = [f"({block.num_convs}, {block.out_channels})" for block in summary.architecture.blocks]
    head = [row for row in summary.rows if row.part == "fc"]
    height, width = head[0].input_shape[1:]
    lines = [_call(head[0]), _call(head[1], f"in_channels * {height} * {width}"), *map(_call, head[2:])]
    return _VGG.format(
        channels=summary.input_shape[0],
        head=indent(",\n".join(lines) + ",", " " * 8),
        conv_arch=_table(pairs),
    )


def _table(pairs: list[str]) -> str:
    """The chapter's table on one line, or on as many as it needs."""
    line = f"conv_arch = ({', '.join(pairs)}{',' if len(pairs) == 1 else ''})"
    if len(line) <= _WIDTH:
        return line
    # A pair is kept whole: it has no space for `wrapped` to break at.
    joined = wrapped(", ".join(pair.replace(", ", "~") for pair in pairs), _WIDTH - 8).replace("~", ", ")
    return f"conv_arch = (\n{indent(joined, ' ' * 4)},\n)"


def _flat(summary: Summary) -> str:
    return "\n".join(["net = nn.Sequential(", *(f"    {_call(row)},{_becomes(row)}" for row in summary.rows), ")"])


def _becomes(row: Row) -> str:
    """A comment with the output shape, where it is a new one."""
    return "" if row.output_shape == row.input_shape else f"  # {'x'.join(map(str, row.output_shape))}"


def _call(row: Row, first: str = "") -> str:
    """The constructor of a layer; `first` stands in for its first argument."""
    arguments = list(_arguments(row.layer, row.input_shape))
    return f"nn.{row.kind}({', '.join([first, *arguments[1:]] if first else arguments)})"


def _arguments(layer: Layer, shape: Shape) -> Iterable[str]:
    for name, value in layer.torch_arguments(shape).items():
        if name in _POSITIONAL:
            yield repr(value)
        elif (name, value) not in _UNSAID or (name, layer.kind) in _SAID:
            yield f"{name}={value!r}"
