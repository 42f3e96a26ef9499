"""Keras's layers as they are written, where they compute the same as those of PyTorch.

In Keras a shape is height, width and channels, a layer may bring its activation, and what the padding "same" adds
depends on the size that reaches the layer.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from vggexplorer.architectures import Network, check_shape, shown
from vggexplorer.comparison import Remark
from vggexplorer.layers import (
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
    Sigmoid,
    SiLU,
    Tanh,
    shape_text,
)
from vggexplorer.reading import chain, layers
from vggexplorer.reading.arguments import Arguments, kind, placed, signature
from vggexplorer.reading.layers import Softmax, Step, ZeroPad2d
from vggexplorer.reading.values import Call, Name, refused

_USUAL = (1, 224, 224)
"""The input of a text that does not say it."""
_ACTIVATIONS: dict[str | None, list[Layer]] = {
    None: [],
    "linear": [],
    "relu": [ReLU()],
    "leaky_relu": [LeakyReLU(0.2)],
    "sigmoid": [Sigmoid()],
    "tanh": [Tanh()],
    "gelu": [GELU()],
    "silu": [SiLU()],
    "swish": [SiLU()],
    "softmax": [Softmax()],
    "log_softmax": [Softmax()],
}
"""By their names in Keras, as of version 3."""
_ACTIVATION_LAYERS = ("ReLU", "LeakyReLU", "Softmax")
"""Layers that may be an argument of others."""
_UNKEPT = ("initializer", "regularizer", "constraint")
"""Arguments that end so say how a layer begins or learns, not what it is."""
_BATCH_NORM = Remark(
    "Keras counts the running means and variances of batch normalisation as parameters, too: they are not trained, and "
    "not counted here. Momentum and epsilon are PyTorch's."
)

Window = Conv2d | MaxPool2d | AvgPool2d
Maker = Callable[[Arguments, Shape], list[Layer]]
"""The layers that a call makes for the shape that reaches it."""


def is_meant(calls: Iterable[Call]) -> bool:
    """Whether layers are those of Keras: some have names that PyTorch has not."""
    return any(kind(call) in _FORMS and f"torch.nn.{kind(call)}" not in layers.FORMS for call in calls)


def network(calls: Sequence[Call], input_shape: Shape | None) -> tuple[Network, tuple[Remark, ...]]:
    """The network of Keras's layers in a row, which may be nested in `Sequential`s; and what is to be said of it.

    `input_shape` is (channels, height, width); what the layers say of it comes first. `TokenError` at what cannot be.
    """
    bound = [(call, *_bound(call)) for call in chain.flat(calls)]
    said = [shape for _, _, arguments in bound if (shape := _input(arguments))]
    shape = said[0] if said else input_shape or _USUAL
    found = chain.assembled(list(_steps(bound, shape)), shape)
    remarks = [*_remarks([arguments for _, _, arguments in bound]), *found[1]]
    return found[0], (*remarks, *([] if said or input_shape else [chain.taken(shape)]))


def _bound(call: Call) -> tuple[Maker, Arguments]:
    """What makes the layers of a call, and its arguments by name."""
    if kind(call) not in _FORMS:
        raise refused(
            call.token,
            "{name} is not one of the layers that can be said here: {names}.",
            name=shown(call.name),
            names=", ".join(_FORMS),
        )
    text, maker = _FORMS[kind(call)]
    unkept = {name: None for name in call.kwargs if name.endswith(_UNKEPT)}
    return maker, Arguments.bind(call, {**signature(text), **_COMMON, **unkept})


def _input(arguments: Arguments) -> Shape | None:
    """The shape that a layer says of its input, which in Keras is height, width and channels."""
    name = next((name for name in ("shape", "input_shape") if arguments.values.get(name) is not None), None)
    if name is None:
        return None
    shape = arguments.value(name)
    if not isinstance(shape, list | tuple) or len(shape) != 3:
        raise refused(
            arguments.at(name),
            "an input has height, width and channels in Keras, as in (224, 224, 3); {value} has not.",
            value=shown(shape),
        )
    height, width, channels = shape
    with placed(arguments.at(name)):
        check_shape((channels, height, width))
    return channels, height, width


def _steps(bound: Iterable[tuple[Call, Maker, Arguments]], shape: Shape) -> Iterator[Step]:
    for call, maker, arguments in bound:
        for layer in maker(arguments, shape):
            yield Step(layer, call.token)
            with placed(call.token):
                shape = layer.output_shape(shape)


def _remarks(every: Sequence[Arguments]) -> Iterator[Remark]:
    names = dict.fromkeys(name for arguments in every for name in arguments.values if name.endswith(_UNKEPT))
    if names:
        yield Remark("How layers begin and are regularised was left out: {names}.", {"names": ", ".join(names)})
    if any(kind(arguments.call) == "BatchNormalization" for arguments in every):
        yield _BATCH_NORM
    if any(kind(arguments.call) == "Rescaling" for arguments in every):
        yield Remark("Rescaling prepares the pictures for the network: it was left out.")


# --- what each call makes ------------------------------------------------------------------------------


def _convolution(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("data_format", None, "channels_last")
    names = {
        **{"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides"},
        **{"dilation": "dilation_rate", "groups": "groups"},
    }
    values = {field: arguments.square(name) for field, name in names.items()}
    layer = arguments.layer(Conv2d, values | {"bias": arguments.flag("use_bias")}, names)
    return [_padded(arguments, layer, shape), *_activation(arguments)]


def _pool(made: type[MaxPool2d] | type[AvgPool2d]) -> Maker:
    def make(arguments: Arguments, shape: Shape) -> list[Layer]:
        arguments.only("data_format", None, "channels_last")
        size, stride = arguments.square("pool_size"), arguments.square("strides")
        values = {"kernel_size": size, "stride": size if stride is None else stride}
        layer: Window = arguments.layer(made, values, {"kernel_size": "pool_size", "stride": "strides"})
        padded = _padded(arguments, layer, shape)
        return [replace(padded, count_include_pad=not padded.padding) if isinstance(padded, AvgPool2d) else padded]

    return make


def _padded(arguments: Arguments, layer: Window, shape: Shape) -> Window:
    """The layer with its padding: "same" gives a pixel for each step of the stride, the windows in the middle.

    `TokenError` unless as many pixels are added on all four sides, as here.
    """
    arguments.only("padding", "valid", "same")
    if arguments.value("padding") == "valid":
        return layer
    sides = shape[1:] or (1,)
    added = {max(0, (-(-side // layer.stride) - 1) * layer.stride + layer.span - side) for side in sides}
    total = added.pop()
    if added or total % 2:
        raise refused(
            arguments.at("padding"),
            "for {shape} the padding “same” is not as wide on all sides, as it has to be here.",
            shape=shape_text(shape),
        )
    return replace(layer, padding=total // 2)


def _activation(arguments: Arguments, name: str = "activation") -> list[Layer]:
    """The layers of an activation, which may be a name, a function or a layer of its own."""
    value = arguments.values[name]
    if isinstance(value, Call) and kind(value) in _ACTIVATION_LAYERS:
        maker, own = _bound(value)
        return maker(own, ())
    word = value.name.rpartition(".")[2] if isinstance(value, Name) else value
    if not isinstance(word, str | None) or word not in _ACTIVATIONS:
        raise refused(
            arguments.at(name),
            "{value} is not one of the activations that can be said here: {names}.",
            value=shown(word) if isinstance(word, str) else "…",
            names=", ".join(filter(None, _ACTIVATIONS)),
        )
    return _ACTIVATIONS[word]


def _dense(arguments: Arguments, shape: Shape) -> list[Layer]:
    values = {"out_features": arguments.value("units"), "bias": arguments.flag("use_bias")}
    return [arguments.layer(Linear, values, {"out_features": "units"}), *_activation(arguments)]


def _norm(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("axis", -1, len(shape))
    for name in ("center", "scale"):
        arguments.only(name, True)
    return [BatchNorm2d() if len(shape) == 3 else BatchNorm1d()]


def _dropout(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("noise_shape", None)
    return [arguments.layer(Dropout, {"p": arguments.value("rate")}, {"p": "rate"})]


def _relu(arguments: Arguments, shape: Shape) -> list[Layer]:
    for name, value in (("max_value", None), ("negative_slope", 0), ("threshold", 0)):
        arguments.only(name, value)
    return [ReLU()]


def _leaky_relu(arguments: Arguments, shape: Shape) -> list[Layer]:
    name = "negative_slope" if arguments.values["alpha"] is None else "alpha"
    return [arguments.layer(LeakyReLU, {"negative_slope": arguments.value(name)}, {"negative_slope": name})]


def _average(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("data_format", None, "channels_last")
    return [AdaptiveAvgPool2d(1)] if arguments.flag("keepdims") else [AdaptiveAvgPool2d(1), Flatten()]


def _zeros(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("data_format", None, "channels_last")
    return [arguments.layer(ZeroPad2d, {"padding": arguments.square("padding")})]


def _flatten(arguments: Arguments, shape: Shape) -> list[Layer]:
    arguments.only("data_format", None, "channels_last")
    return [Flatten()]


_COMMON = dict.fromkeys(("name", "dtype", "input_shape"))
"""What every layer of Keras takes; nothing of it but the shape is of interest."""
_POOL = "pool_size=(2,2) strides=None padding='valid' data_format=None"
_AVERAGE = "data_format=None keepdims=False"

_FORMS: dict[str, tuple[str, Maker]] = {
    "Conv2D": (
        "filters kernel_size strides=(1,1) padding='valid' data_format=None dilation_rate=(1,1) groups=1 "
        "activation=None use_bias=True",
        _convolution,
    ),
    "MaxPooling2D": (_POOL, _pool(MaxPool2d)),
    "MaxPool2D": (_POOL, _pool(MaxPool2d)),
    "AveragePooling2D": (_POOL, _pool(AvgPool2d)),
    "AvgPool2D": (_POOL, _pool(AvgPool2d)),
    "GlobalAveragePooling2D": (_AVERAGE, _average),
    "GlobalAvgPool2D": (_AVERAGE, _average),
    "BatchNormalization": ("axis=-1 momentum=.99 epsilon=.001 center=True scale=True", _norm),
    "Flatten": ("data_format=None", _flatten),
    "Dense": ("units activation=None use_bias=True", _dense),
    "Dropout": ("rate noise_shape=None seed=None", _dropout),
    "Activation": ("activation", lambda arguments, _: _activation(arguments)),
    "ReLU": ("max_value=None negative_slope=0. threshold=0.", _relu),
    "LeakyReLU": ("negative_slope=.3 alpha=None", _leaky_relu),
    "Softmax": ("axis=-1", lambda *_: [Softmax()]),
    "ZeroPadding2D": ("padding=(1,1) data_format=None", _zeros),
    "Rescaling": ("scale offset=0.", lambda *_: []),
    "Input": ("shape=None batch_size=None", lambda *_: []),
    "InputLayer": ("shape=None batch_size=None", lambda *_: []),
}
"""The signature of each layer up to what is of interest, and what makes it."""
