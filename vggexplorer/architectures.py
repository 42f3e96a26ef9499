"""An architecture is a value: blocks of convolutions, and a head. VGG, AlexNet and LeNet are all such values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

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
)

MAX_CHANNELS = 65_536
"""The most channels or units of one layer."""
MAX_SIDE = 8_192
"""The largest height, width, kernel, stride or padding, in pixels."""
MAX_LAYERS = 20_000
"""The most layers of an architecture, whoever makes it."""


def check_int(value: Any, what: str, low: int, high: int) -> None:
    """Raise `InputError` unless `value` is a whole number from `low` to `high`; `what` names it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError("{what} must be a whole number, not {value}.", what=what, value=shown(value))
    if not low <= value <= high:
        raise InputError(
            "{what} must be from {low} to {high}, not {value}.",
            what=what,
            low=low,
            high=f"{high:,}",
            value=shown(value),
        )


def check_choice(value: Any, what: str, names: tuple[str, ...]) -> None:
    """Raise `InputError` unless `value` is one of `names`; `what` names it."""
    if value not in names:
        raise InputError(
            "{what} must be one of {names}, not {value}.", what=what, names=", ".join(names), value=shown(value)
        )


def check_shape(shape: Shape) -> None:
    """Raise `InputError` unless `shape` is channels, height and width within the bounds."""
    if len(shape) != 3:
        raise InputError("The input {text} is not of the form CxHxW, as in 1x224x224.", text=shown(shape))
    check_int(shape[0], "the number of input channels", 1, MAX_CHANNELS)
    check_int(shape[1], "the input height", 1, MAX_SIDE)
    check_int(shape[2], "the input width", 1, MAX_SIDE)


def shown(value: Any, most: int = 40) -> str:
    """What a person typed, as it may stand in a sentence: quoted if it is text, printable and not too long."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"≈{'−' if value < 0 else ''}10^{value.bit_length() * 30103 // 100000}"
    try:
        text = f"“{value}”" if isinstance(value, str) else str(value)
    except ValueError:  # an integer of thousands of digits inside
        return "…"
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Block:
    """`num_convs` equal convolutions, each with its activation, then optionally LRN and pooling.

    `Block(2, 256)` is the chapter's `vgg_block(2, in_channels, 256)`. Kernel, stride and padding (in
    pixels; kernel_size // 2 if left out) hold for every convolution of the block; `pool` is
    (kernel_size, stride) or None, `pool_type` its kind; with `lrn`, local response normalisation
    follows the last activation.
    """

    num_convs: int
    out_channels: int
    kernel_size: int = 3
    stride: int = 1
    padding: int = None  # type: ignore[assignment]  # kernel_size // 2
    pool: tuple[int, int] | None = (2, 2)
    pool_type: Literal["max", "avg"] = "max"
    lrn: bool = False

    def __post_init__(self) -> None:
        check_int(self.num_convs, "the number of convolutions", 1, MAX_LAYERS)
        check_int(self.out_channels, "the number of output channels", 1, MAX_CHANNELS)
        check_int(self.kernel_size, "the kernel size", 1, MAX_SIDE)
        check_int(self.stride, "the stride", 1, MAX_SIDE)
        if self.padding is None:
            object.__setattr__(self, "padding", self.kernel_size // 2)
        check_int(self.padding, "the padding", 0, MAX_SIDE)
        if self.pool is None:
            object.__setattr__(self, "pool_type", "max")
        else:
            window, stride = self.pool
            check_int(window, "the pooling window", 1, MAX_SIDE)
            check_int(stride, "the pooling stride", 1, MAX_SIDE)
            object.__setattr__(self, "pool", (window, stride))
        check_choice(self.pool_type, "the kind of pooling", ("max", "avg"))

    @property
    def is_vgg(self) -> bool:
        """Whether the chapter's `vgg_block` can write it."""
        return self == Block(self.num_convs, self.out_channels)

    def layers(self, activation: Layer, batch_norm: bool) -> list[Layer]:
        """The layers of the block, in order."""
        convolution = Conv2d(self.out_channels, self.kernel_size, self.stride, self.padding)
        unit = [convolution, BatchNorm2d(), activation] if batch_norm else [convolution, activation]
        layers = unit * self.num_convs
        if self.lrn:
            layers.append(LocalResponseNorm())
        if self.pool:
            layers.append((MaxPool2d if self.pool_type == "max" else AvgPool2d)(*self.pool))
        return layers


@dataclass(frozen=True, slots=True)
class Head:
    """What turns feature maps into class scores: optional pooling, Flatten, hidden linear layers, dropout.

    `pooling` is "flatten" (none: the first linear layer follows the input size, as in the book),
    "adaptive" (average pooling to `size` x `size`, as torchvision does) or "gap" (global average
    pooling). Dropout follows each hidden layer, or precedes it with `dropout_first` (torchvision's
    AlexNet); with 0 there are no dropout layers.
    """

    pooling: Literal["flatten", "adaptive", "gap"] = "flatten"
    hidden: tuple[int, ...] = (4096, 4096)
    dropout: float = 0.5
    size: int = 7
    dropout_first: bool = False

    def __post_init__(self) -> None:
        check_choice(self.pooling, "the head", ("flatten", "adaptive", "gap"))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for units in self.hidden:
            check_int(units, "the width of a hidden layer", 1, MAX_CHANNELS)
        if not (isinstance(self.dropout, float | int) and 0 <= self.dropout < 1):
            raise InputError("dropout must be a probability from 0 to below 1, not {value}.", value=shown(self.dropout))
        object.__setattr__(self, "dropout", abs(float(self.dropout)))
        check_int(self.size, "the size of the adaptive pool", 1, MAX_SIDE)
        if self.pooling != "adaptive":
            object.__setattr__(self, "size", 7)
        if not self.dropout or not self.hidden:
            object.__setattr__(self, "dropout_first", False)

    def pooling_layer(self) -> Layer | None:
        """The pooling before Flatten, if any."""
        if self.pooling == "flatten":
            return None
        return AdaptiveAvgPool2d(self.size if self.pooling == "adaptive" else 1)

    def classifier(self, activation: Layer, num_classes: int) -> list[Layer]:
        """The layers after Flatten, in order."""
        drop: list[Layer] = [Dropout(self.dropout)] if self.dropout else []
        layers: list[Layer] = []
        for units in self.hidden:
            dense: list[Layer] = [Linear(units), activation]
            layers += drop + dense if self.dropout_first else dense + drop
        return [*layers, Linear(num_classes)]


class Place(NamedTuple):
    """A layer with its name in the network and the number of its block (from 0), if it is in one."""

    name: str
    block: int | None
    layer: Layer


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network but for its input: blocks, head, number of classes, activation, batch normalisation.

    With `batch_norm` every convolution (which keeps its bias) is followed by batch normalisation.
    """

    blocks: tuple[Block, ...]
    head: Head = Head()
    num_classes: int = 10
    batch_norm: bool = False
    activation: Literal["relu", "sigmoid"] = "relu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if not self.blocks:
            raise InputError("An architecture needs at least one block of convolutions.")
        check_int(self.num_classes, "the number of classes", 1, MAX_CHANNELS)
        check_choice(self.activation, "the activation", ("relu", "sigmoid"))
        if self.num_layers > MAX_LAYERS:
            raise InputError(
                "This architecture has {layers} layers; at most {most} are allowed.",
                layers=shown(self.num_layers),
                most=f"{MAX_LAYERS:,}",
            )

    @property
    def num_layers(self) -> int:
        """The number of layers, ReLU, pooling, dropout and Flatten included."""
        convolutions = sum(block.num_convs for block in self.blocks)
        extras = sum(block.lrn + (block.pool is not None) for block in self.blocks)
        in_hidden = 3 if self.head.dropout else 2
        head = (self.head.pooling != "flatten") + 1 + in_hidden * len(self.head.hidden) + 1
        return convolutions * (3 if self.batch_norm else 2) + extras + head

    @property
    def is_vgg(self) -> bool:
        """Whether the chapter's `vgg(conv_arch)` can write its convolutional part."""
        return self.activation == "relu" and not self.batch_norm and all(block.is_vgg for block in self.blocks)

    def places(self) -> Iterator[Place]:
        """All layers in order, named as in torchvision: features.0, ..., avgpool, flatten, classifier.0, ..."""
        return map(Place._make, self.named_layers())

    def named_layers(self) -> Iterator[tuple[str, int | None, Layer]]:
        """The `places` as plain tuples, in less time."""
        activation = ReLU() if self.activation == "relu" else Sigmoid()
        index = 0
        for number, block in enumerate(self.blocks):
            for layer in block.layers(activation, self.batch_norm):
                yield f"features.{index}", number, layer
                index += 1
        if pooling := self.head.pooling_layer():
            yield "avgpool", None, pooling
        yield "flatten", None, Flatten()
        for index, layer in enumerate(self.head.classifier(activation, self.num_classes)):
            yield f"classifier.{index}", None, layer

    def scaled(self, ratio: Fraction) -> "Architecture":
        """The same network with every block's channels times `ratio`, rounded down; the head is left alone.

        `scaled(Fraction(1, 4))` is the chapter's `small_conv_arch`. `InputError` if a block would be
        left without channels or with too many.
        """
        blocks = []
        for number, block in enumerate(self.blocks, 1):
            channels = int(block.out_channels * ratio)
            try:
                blocks.append(replace(block, out_channels=channels))
            except InputError as error:
                raise InputError(
                    "Width × {ratio} gives block {row} {after} channels instead of {before}; "
                    "from 1 to {most} are allowed.",
                    ratio=shown(ratio),
                    before=block.out_channels,
                    row=number,
                    after=shown(channels),
                    most=f"{MAX_CHANNELS:,}",
                ) from error
        return replace(self, blocks=tuple(blocks))

    def min_side(self) -> int:
        """The smallest height and width of an input that every layer can take, in pixels.

        Counted backwards from one output pixel: each window of size k, stride s and padding p needs
        (n - 1) s + k - 2 p pixels to give n.
        """
        side = 1
        for _, _, layer in reversed(list(self.places())):
            side = max(1, layer.min_side(side))
        return side


class Network(NamedTuple):
    """An architecture with the shape (channels, height, width) of its input: what a link or a command line names."""

    architecture: Architecture
    input_shape: Shape = (1, 224, 224)


def blocks(conv_arch: Iterable[Any]) -> tuple[Block, ...]:
    """The chapter's table of (num_convs, out_channels) pairs as blocks; a `Block` in it stays as it is.

    >>> blocks(((1, 64), (2, 128)))[1]
    Block(num_convs=2, out_channels=128, kernel_size=3, stride=1, padding=1, pool=(2, 2), pool_type='max', lrn=False)
    """
    result = []
    for row, item in enumerate(conv_arch, 1):
        try:
            result.append(item if isinstance(item, Block) else Block(*item))
        except InputError as error:
            raise InputError("Block {row}: {reason}", row=row, reason=error) from error
    return tuple(result)


CONV_ARCHS: dict[str, tuple[Any, ...]] = {
    # Table 1 of Simonyan and Zisserman (2014), columns A, A-LRN, B, C, D, E; A is written as in the book.
    "VGG-11": ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)),
    "VGG-11-LRN": (Block(1, 64, lrn=True), (1, 128), (2, 256), (2, 512), (2, 512)),
    "VGG-13": ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512)),
    "VGG-16-C": (
        *((2, 64), (2, 128)),
        *(Block(2, 256, pool=None), Block(1, 256, kernel_size=1)),
        *(Block(2, 512, pool=None), Block(1, 512, kernel_size=1)),
        *(Block(2, 512, pool=None), Block(1, 512, kernel_size=1)),
    ),
    "VGG-16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    "VGG-19": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
    # Krizhevsky et al. (2012) on one device, as in Dive into Deep Learning, section 8.1.
    "AlexNet": (
        Block(1, 96, kernel_size=11, stride=4, padding=1, pool=(3, 2)),
        Block(1, 256, kernel_size=5, pool=(3, 2)),
        Block(2, 384, pool=None),
        Block(1, 256, pool=(3, 2)),
    ),
    # torchvision.models.alexnet (Krizhevsky 2014).
    "AlexNet (torchvision)": (
        Block(1, 64, kernel_size=11, stride=4, padding=2, pool=(3, 2)),
        Block(1, 192, kernel_size=5, pool=(3, 2)),
        Block(1, 384, pool=None),
        Block(1, 256, pool=None),
        Block(1, 256, pool=(3, 2)),
    ),
    # LeCun et al. (1998) as in Dive into Deep Learning, section 7.6.
    "LeNet": (Block(1, 6, kernel_size=5, pool_type="avg"), Block(1, 16, kernel_size=5, padding=0, pool_type="avg")),
}


def _vgg(title: str) -> Network:
    return Network(Architecture(blocks(CONV_ARCHS[title])))


NETWORKS: dict[str, Network] = {
    "AlexNet": _vgg("AlexNet"),
    "VGG-11": _vgg("VGG-11"),
    "VGG-11 slim": Network(_vgg("VGG-11").architecture.scaled(Fraction(1, 4))),
    "VGG-11-160": Network(Architecture(blocks(CONV_ARCHS["VGG-11"]), Head(hidden=(1024, 128))), (1, 160, 160)),
    "VGG-11-LRN": _vgg("VGG-11-LRN"),
    "VGG-13": _vgg("VGG-13"),
    "VGG-16-C": _vgg("VGG-16-C"),
    "VGG-16": _vgg("VGG-16"),
    "VGG-19": _vgg("VGG-19"),
    "AlexNet (torchvision)": Network(
        Architecture(
            blocks(CONV_ARCHS["AlexNet (torchvision)"]),
            Head("adaptive", size=6, dropout_first=True),
            num_classes=1000,
        ),
        (3, 224, 224),
    ),
    "LeNet": Network(
        Architecture(blocks(CONV_ARCHS["LeNet"]), Head(hidden=(120, 84), dropout=0.0), activation="sigmoid"),
        (1, 28, 28),
    ),
}
"""The named networks with their own heads, classes and inputs, by title."""
