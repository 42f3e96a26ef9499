"""An architecture is a value: blocks of convolutions, and a head. VGG, AlexNet and LeNet are all such values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from vggexplorer.errors import InputError
from vggexplorer.layers import (
    BATCH_NORMS,
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Shape,
    Sigmoid,
    SiLU,
    Tanh,
)

MAX_CHANNELS = 65_536
"""The most channels or units of one layer."""
MAX_SIDE = 8_192
"""The largest height, width, kernel, stride or padding, in pixels."""
MAX_NUMBER = 1_000
"""What the slope of LeakyReLU and the constants of a normalisation are below."""
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


class ChannelsLastError(InputError):
    """An input of height x width x channels; `shape` is what was probably meant."""

    def __init__(self, template: str, /, *, shape: Shape, **values: Any) -> None:
        super().__init__(template, **values)
        self.shape = shape


MOST_COLOURS, LEAST_SIDE = 4, 16
"""An input that is at most so wide, with at least so many channels and rows, has its channels at the end."""


def check_shape(shape: Shape) -> None:
    """Raise `InputError` unless `shape` is channels, height and width within the bounds, in this order."""
    if len(shape) != 3:
        raise InputError("The input {text} is not of the form CxHxW, as in 1x224x224.", text=shown(shape))
    check_int(shape[0], "the number of input channels", 1, MAX_CHANNELS)
    check_int(shape[1], "the input height", 1, MAX_SIDE)
    check_int(shape[2], "the input width", 1, MAX_SIDE)
    if min(shape[:2]) >= LEAST_SIDE and shape[2] <= MOST_COLOURS:
        meant = (shape[2], *shape[:2])
        raise ChannelsLastError(
            "The input {text} looks like height × width × channels. It is written channels first: {meant}.",
            text="x".join(map(str, shape)),
            meant="x".join(map(str, meant)),
            shape=meant,
        )


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

    def num_layers(self, batch_norm: bool) -> int:
        """The number of layers of the block."""
        return self.num_convs * (3 if batch_norm else 2) + self.lrn + (self.pool is not None)

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
        _check_probability(self.dropout)
        object.__setattr__(self, "dropout", abs(float(self.dropout)))
        check_int(self.size, "the size of the adaptive pool", 1, MAX_SIDE)
        if self.pooling != "adaptive":
            object.__setattr__(self, "size", 7)
        if not self.dropout or not self.hidden:
            object.__setattr__(self, "dropout_first", False)

    @property
    def num_layers(self) -> int:
        """The number of layers, Flatten included."""
        return (self.pooling != "flatten") + 1 + (3 if self.dropout else 2) * len(self.hidden) + 1

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


def _width(item: Any) -> str:
    """The field that says how many channels or features come out of a block or layer with weights; else ''."""
    return next((name for name in ("out_channels", "out_features") if hasattr(item, name)), "")


class _Bound(NamedTuple):
    """What a number of a layer is, and from which to which it may be."""

    what: str
    low: int
    high: int


_BOUNDS = {
    "out_channels": _Bound("the number of output channels", 1, MAX_CHANNELS),
    "kernel_size": _Bound("the kernel size", 1, MAX_SIDE),
    "stride": _Bound("the stride", 1, MAX_SIDE),
    "padding": _Bound("the padding", 0, MAX_SIDE),
    "dilation": _Bound("the dilation", 1, MAX_SIDE),
    "groups": _Bound("the number of groups", 1, MAX_CHANNELS),
    "output_size": _Bound("the size of the adaptive pool", 1, MAX_SIDE),
    "size": _Bound("the number of channels that are normalised together", 1, MAX_CHANNELS),
    "out_features": _Bound("the number of output features", 1, MAX_CHANNELS),
}
"""The bounds of the whole numbers of layers, by their names in torch."""


def _with_width(item: Any, width: int) -> Any:
    """The block or layer with another number of channels or features that come out."""
    return replace(item, **{_width(item): width})


def _with_channels(item: Any, channels: int) -> Any:
    """The block or convolution with other channels, and as many groups if each channel was a group (depthwise)."""
    depthwise = 1 < getattr(item, "groups", 1) == item.out_channels
    return replace(item, out_channels=channels, **{"groups": channels} if depthwise else {})


def check_layer(layer: Layer) -> None:
    """Raise `InputError` unless a layer that a person wrote is within the bounds, and one that can be."""
    for field in fields(layer):  # type: ignore[arg-type]
        check_field(field, getattr(layer, field.name))
    layer.check()


def check_field(field: Field[Any], value: Any) -> None:
    """Raise `InputError` unless a layer's field may have the value."""
    if field.name in _BOUNDS:
        what, low, high = _BOUNDS[field.name]
        check_int(value, what, low, high)
    elif field.type is float:
        _check_number(value, field.name)


def _check_number(value: Any, name: str) -> None:
    if name == "p":
        _check_probability(value)
    elif not (isinstance(value, float | int) and 0 <= value < MAX_NUMBER):
        raise InputError(
            "{name} must be a number from 0 to below {most}, not {value}.",
            name=name,
            most=MAX_NUMBER,
            value=shown(value),
        )


def _check_probability(value: Any) -> None:
    if not (isinstance(value, float | int) and 0 <= value < 1):
        raise InputError("dropout must be a probability from 0 to below 1, not {value}.", value=shown(value))


def _check_layers(layers: Iterable["Item"], takes: str) -> None:
    """Raise `InputError` unless all these layers may be, and stand where what `takes` maps, or a vector, may stand."""
    for layer in layers:
        if isinstance(layer, Block):
            raise InputError("A block of convolutions can only stand before Flatten.")
        if isinstance(layer, Flatten):
            raise InputError("Flatten can only stand once, where the maps end and the head begins.")
        if layer.takes == "vector" and takes != "vector":
            raise InputError("{kind} works on a vector: it can only stand after Flatten.", kind=layer.kind)
        if layer.takes == "maps" and takes != "maps":
            raise InputError("{kind} works on maps of a picture: it can only stand before Flatten.", kind=layer.kind)
        check_layer(layer)


def _last_width(part: Sequence[Any]) -> int | None:
    """The place of the last item with weights that give channels or features."""
    return next((place for place in reversed(range(len(part))) if _width(part[place])), None)


Item = Block | Layer
"""What an architecture is a sequence of: a row of the book's table, or one layer in torch's own words."""

ACTIVATIONS: dict[str, Layer] = {
    "relu": ReLU(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "leakyrelu": LeakyReLU(),
    "gelu": GELU(),
    "silu": SiLU(),
}
"""The activations of blocks and of a `Head`, by name."""


class Place(NamedTuple):
    """A layer with its name in the network and, if it is in a block, the place (from 0) of that among the items."""

    name: str
    block: int | None
    layer: Layer


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network but for its input: items, head, number of classes; and what its blocks and a `Head` are made with.

    With `batch_norm` every convolution of a block (which keeps its bias) is followed by batch normalisation;
    `activation` names what follows then, and each hidden layer of a `Head`. Other items are what they are.

    A head may be a sequence of layers instead: those that come before its Flatten count as items. The number of
    classes is then the number of channels or features that the last layer with weights gives: left out, it is
    that; given, that layer follows it. With a `Head` it is 10 if left out.
    """

    items: tuple[Item, ...]
    head: Head | tuple[Layer, ...] = Head()
    num_classes: int = None  # type: ignore[assignment]  # 10, or what the layers give
    batch_norm: bool = False
    activation: str = "relu"

    def __post_init__(self) -> None:
        self._set(items=tuple(self.items))
        if isinstance(self.head, Head):
            if not self.items:
                raise InputError("An architecture needs at least one block of convolutions.")
            if self.num_classes is None:
                self._set(num_classes=10)
        else:
            self._settle_layers(tuple(self.head))
        check_int(self.num_classes, "the number of classes", 1, MAX_CHANNELS)
        check_choice(self.activation, "the activation", tuple(ACTIVATIONS))
        if not self.blocks:
            self._set(batch_norm=False)
        if not self.activates:
            self._set(activation="relu")
        _check_layers([item for item in self.items if isinstance(item, Layer)], "maps")
        if self.num_layers > MAX_LAYERS:
            raise InputError(
                "This architecture has {layers} layers; at most {most} are allowed.",
                layers=shown(self.num_layers),
                most=f"{MAX_LAYERS:,}",
            )

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _settle_layers(self, head: tuple[Layer, ...]) -> None:
        """Let the head begin with its Flatten, and the layer that gives the scores agree with the number of classes."""
        flat = next((place for place, layer in enumerate(head) if isinstance(layer, Flatten)), None)
        if flat is None:
            raise InputError("The layers do not end in scores: there is no Flatten among them.")
        chain: list[Item] = [*self.items, *head[:flat]]
        vector: list[Item] = [*head[flat + 1 :]]
        _check_layers(vector, "vector")
        part = chain if _last_width(vector) is None else vector
        last = _last_width(part)
        if last is None:
            raise InputError("The layers do not end in scores: none of them is a convolution or a linear layer.")
        if self.num_classes is None:
            self._set(num_classes=getattr(part[last], _width(part[last])))
        check_int(self.num_classes, "the number of classes", 1, MAX_CHANNELS)
        part[last] = _with_width(part[last], self.num_classes)
        self._set(items=tuple(chain), head=(Flatten(), *vector))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks among the items."""
        return tuple(item for item in self.items if isinstance(item, Block))

    @property
    def activates(self) -> bool:
        """Whether anything is made with `activation`: a block, or a hidden layer of a `Head`."""
        return bool(self.blocks or (isinstance(self.head, Head) and self.head.hidden))

    @property
    def num_layers(self) -> int:
        """The number of layers, ReLU, pooling, dropout and Flatten included."""
        items = sum(item.num_layers(self.batch_norm) if isinstance(item, Block) else 1 for item in self.items)
        return items + (self.head.num_layers if isinstance(self.head, Head) else len(self.head))

    @property
    def dropout(self) -> float:
        """The largest probability of the head's dropout layers; 0 if there is none."""
        if isinstance(self.head, Head):
            return self.head.dropout if self.head.hidden else 0.0
        return max((layer.p for layer in self.head if isinstance(layer, Dropout)), default=0.0)

    def with_dropout(self, probability: float) -> "Architecture":
        """The same network with this probability in all of the head's dropout layers."""
        if isinstance(self.head, Head):
            return replace(self, head=replace(self.head, dropout=probability))
        dropout = Dropout(probability)
        return replace(self, head=tuple(dropout if isinstance(layer, Dropout) else layer for layer in self.head))

    @property
    def normalizes(self) -> bool:
        """Whether there is any batch normalisation, which cannot learn from a single example."""
        return self.batch_norm or any(layer.kind in BATCH_NORMS for _, _, layer in self.named_layers())

    @property
    def is_vgg(self) -> bool:
        """Whether the chapter's `vgg(conv_arch)` can write its convolutional part."""
        plain = self.activation == "relu" and not self.batch_norm
        return plain and all(isinstance(item, Block) and item.is_vgg for item in self.items)

    def places(self) -> Iterator[Place]:
        """All layers in order, named as in torchvision: features.0, ..., avgpool, flatten, classifier.0, ..."""
        return map(Place._make, self.named_layers())

    def named_layers(self) -> Iterator[tuple[str, int | None, Layer]]:
        """The `places` as plain tuples, in less time. Nothing else walks into items."""
        activation = ACTIVATIONS[self.activation]
        index = 0
        for number, item in enumerate(self.items):
            block, layers = (
                (number, item.layers(activation, self.batch_norm)) if isinstance(item, Block) else (None, (item,))
            )
            for layer in layers:
                yield f"features.{index}", block, layer
                index += 1
        head = self.head
        if isinstance(head, Head):
            if pooling := head.pooling_layer():
                yield "avgpool", None, pooling
            classifier = head.classifier(activation, self.num_classes)
        else:
            classifier = list(head[1:])
        yield "flatten", None, Flatten()
        for index, layer in enumerate(classifier):
            yield f"classifier.{index}", None, layer

    @property
    def scores(self) -> int | None:
        """The place of the item whose channels are the classes; None if a linear layer gives the scores."""
        plain = not isinstance(self.head, Head) and _last_width(self.head) is None
        return _last_width(self.items) if plain else None

    @property
    def channels(self) -> dict[int, int]:
        """How many channels each block and convolution has, by its place; but what gives the scores."""
        found = {place: getattr(item, "out_channels", None) for place, item in enumerate(self.items)}
        return {place: number for place, number in found.items() if number and place != self.scores}

    def scaled(self, ratio: Fraction) -> "Architecture":
        """The same network with the channels of every block and convolution times `ratio`, rounded down.

        What gives the scores, and the head, are left alone; a depthwise convolution stays one. `scaled(Fraction(1, 4))`
        is the chapter's `small_conv_arch`. `InputError` if an item would be left without channels or with too many.
        """
        items = list(self.items)
        for place, before in self.channels.items():
            channels = int(before * ratio)
            try:
                items[place] = _with_channels(items[place], channels)
                check_int(channels, "the number of output channels", 1, MAX_CHANNELS)
            except InputError as error:
                raise InputError(
                    "Width × {ratio} gives block {row} {after} channels instead of {before}; "
                    "from 1 to {most} are allowed.",
                    ratio=shown(ratio),
                    before=before,
                    row=place + 1,
                    after=shown(channels),
                    most=f"{MAX_CHANNELS:,}",
                ) from error
        return replace(self, items=tuple(items))

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


def blocks(conv_arch: Iterable[Any]) -> tuple[Item, ...]:
    """The chapter's table of (num_convs, out_channels) pairs as blocks; what is an item already stays as it is.

    >>> blocks(((1, 64), (2, 128)))[1]
    Block(num_convs=2, out_channels=128, kernel_size=3, stride=1, padding=1, pool=(2, 2), pool_type='max', lrn=False)
    """
    result = []
    for row, item in enumerate(conv_arch, 1):
        try:
            result.append(item if isinstance(item, Item) else Block(*item))
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
        Block(2, 256, pool=(3, 2)),
    ),
    # LeCun et al. (1998) as in Dive into Deep Learning, section 7.6.
    "LeNet": (Block(1, 6, kernel_size=5, pool_type="avg"), Block(1, 16, kernel_size=5, padding=0, pool_type="avg")),
    # Lin, Chen and Yan (2013), as in Dive into Deep Learning, section 8.3: 1x1 convolutions, and no linear layer.
    "NiN": (
        *(Block(1, 96, kernel_size=11, stride=4, padding=0, pool=None), Block(2, 96, kernel_size=1, pool=(3, 2))),
        *(Block(1, 256, kernel_size=5, pool=None), Block(2, 256, kernel_size=1, pool=(3, 2))),
        *(Block(1, 384, pool=None), Block(2, 384, kernel_size=1, pool=(3, 2)), Dropout(0.5)),
        *(Block(1, 10, pool=None), Block(2, 10, kernel_size=1, pool=None)),
    ),
    # Krizhevsky, Sutskever and Hinton (2012), section 3.5: two towers, which meet in the third convolution.
    "AlexNet (2012)": (
        Block(1, 96, kernel_size=11, stride=4, padding=0, pool=(3, 2), lrn=True),
        *(Conv2d(256, 5, 1, 2, groups=2), ReLU(), LocalResponseNorm(), MaxPool2d(3, 2)),
        Block(1, 384, pool=None),
        *(Conv2d(384, 3, 1, 1, groups=2), ReLU(), Conv2d(256, 3, 1, 1, groups=2), ReLU(), MaxPool2d(3, 2)),
    ),
    # Zeiler and Fergus (2013), figure 3, without its contrast normalisation; the first two pools are padded.
    "ZFNet": (
        *(Block(1, 96, kernel_size=7, stride=2, padding=1, pool=None), MaxPool2d(3, 2, 1)),
        *(Block(1, 256, kernel_size=5, stride=2, padding=0, pool=None), MaxPool2d(3, 2, 1)),
        *(Block(2, 384, pool=None), Block(1, 256, pool=(3, 2))),
    ),
}


def _vgg(title: str) -> Network:
    return Network(Architecture(blocks(CONV_ARCHS[title])))


def _cifar(title: str) -> Network:
    """As in the repositories that train it on CIFAR-10: with batch norm, and one linear layer behind 1x1 maps."""
    return Network(Architecture(blocks(CONV_ARCHS[title]), Head(hidden=()), batch_norm=True), (3, 32, 32))


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
    "NiN": Network(Architecture(blocks(CONV_ARCHS["NiN"]), (AdaptiveAvgPool2d(1), Flatten()))),
    "AlexNet (2012)": Network(Architecture(blocks(CONV_ARCHS["AlexNet (2012)"]), num_classes=1000), (3, 227, 227)),
    "ZFNet": Network(Architecture(blocks(CONV_ARCHS["ZFNet"]), num_classes=1000), (3, 224, 224)),
    "VGG-16 (CIFAR)": _cifar("VGG-16"),
    "VGG-19 (CIFAR)": _cifar("VGG-19"),
}
"""The named networks with their own heads, classes and inputs, by title."""
