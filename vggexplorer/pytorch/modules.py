"""Architectures as PyTorch modules: with torchvision's names, or nested as the chapter prints them."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

from vggexplorer.architectures import Architecture, Block, Head, blocks
from vggexplorer.layers import Layer, ReLU, Shape
from vggexplorer.summary import summarize


def build(architecture: Architecture, input_shape: Shape) -> nn.Sequential:
    """The network for inputs of `input_shape` = (channels, height, width), its `state_dict` keyed as in torchvision.

    The parts are `features`, `avgpool` (if the head pools), `flatten` and `classifier`. `ShapeError`
    if the input is too small.
    """
    parts: dict[str, nn.Module] = {}
    for row in summarize(architecture, input_shape).rows:
        part, _, index = row.name.partition(".")
        module = _module(row.layer, row.input_shape)
        if index:
            parts.setdefault(part, nn.Sequential()).add_module(index, module)
        else:
            parts[part] = module
    return nn.Sequential(OrderedDict(parts))


def sequential(architecture: Architecture, input_shape: Shape) -> nn.Sequential:
    """The network as the book writes it: one `nn.Sequential` per block of a VGG, a flat list for AlexNet.

    Going through it with `for layer in net` prints the book's listings. `ShapeError` if an input of
    `input_shape` = (channels, height, width) is too small.
    """
    net = nn.Sequential()
    for block, rows in summarize(architecture, input_shape).groups():
        modules = [_module(row.layer, row.input_shape) for row in rows]
        net.extend([nn.Sequential(*modules)] if block is not None and architecture.is_vgg else modules)
    return net


def vgg_block(num_convs: int, in_channels: int, out_channels: int) -> nn.Sequential:
    """The chapter's block: (in_channels, height, width) -> (out_channels, height // 2, width // 2)."""
    layers = Block(num_convs, out_channels).layers(ReLU(), batch_norm=False)
    return nn.Sequential(*_modules(layers, (in_channels, 2, 2)))  # of the shape, only the channels matter


def vgg(
    conv_arch: Iterable[Any],
    *,
    input_shape: Shape = (1, 224, 224),
    hidden: tuple[int, ...] = (4096, 4096),
    dropout: float = 0.5,
    num_classes: int = 10,
) -> nn.Sequential:
    """The chapter's network from its table of (num_convs, out_channels) pairs; images in, class scores out.

    `InputError` says what is wrong with the table, `ShapeError` that the input is too small for it.
    """
    head = Head(hidden=hidden, dropout=dropout)
    return sequential(Architecture(blocks(conv_arch), head, num_classes), input_shape)


def _module(layer: Layer, shape: Shape) -> nn.Module:
    module: nn.Module = getattr(nn, layer.kind)(**layer.torch_arguments(shape))
    return module


def _modules(layers: Iterable[Layer], shape: Shape) -> Iterator[nn.Module]:
    for layer in layers:
        yield _module(layer, shape)
        shape = layer.output_shape(shape)
