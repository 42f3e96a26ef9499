"""PyTorch's layers as they are written: a call of `torch.nn` is a layer, or nothing, or cannot be said here."""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

from vggexplorer.architectures import MAX_NUMBER, shown
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
    Shape,
    Sigmoid,
    SiLU,
    Tanh,
)
from vggexplorer.reading.arguments import Arguments, Signature, signature
from vggexplorer.reading.values import Call, Name, Token, refused


@dataclass(frozen=True)
class Softmax(Layer):
    """What a text may end in, though it is not a layer of a network here: it costs nothing that is counted."""


@dataclass(frozen=True)
class ZeroPad2d(Layer):
    """Zeros around the maps, which a convolution that follows has as its own padding."""

    takes: ClassVar[str] = "maps"
    padding: int

    def output_shape(self, shape: Shape) -> Shape:
        """The shape with the padding on all sides."""
        return shape[:1] + tuple(side + 2 * self.padding for side in shape[1:])


class Step(NamedTuple):
    """A layer as it is written at `token`.

    `width` are the channels or features that the text says reach it, at the token `said`; None if it does not.
    """

    layer: Layer
    token: Token
    width: int | None = None
    said: Token | None = None


_WIDTHS = ("in_channels", "in_features", "num_features")
"""The arguments that say what reaches a layer, which follows from the layers before it."""
_UNHEARD = ("input", "inplace", "device", "dtype")
"""Those that change nothing of what is computed. The first one of a function is what it works on."""
_ONLY = {"start_dim": 1}
"""What an argument must be where that is not its default."""
_SQUARES = ("kernel_size", "stride", "padding", "dilation", "output_size")
"""Those that may be written as a pair."""


@dataclass(frozen=True)
class Form:
    """How PyTorch calls a layer. What is no field of it must have the value that the layer has here."""

    layer: type[Layer]
    signature: Signature

    def read(self, call: Call) -> list[Step]:
        """The layer of a call; `TokenError` at what cannot be said."""
        arguments = Arguments.bind(call, self.signature)
        types = {field.name: field.type for field in fields(self.layer)}  # type: ignore[arg-type]
        for name, default in self.signature.items():
            if name not in (*types, *_WIDTHS, *_UNHEARD) and not _is_mode(arguments, name):
                arguments.only(name, _ONLY.get(name, default))
        layer = _layer(arguments, self.layer, {name: _value(arguments, name, types[name]) for name in types})
        said = next((name for name in _WIDTHS if name in self.signature), None)
        if not said or (said == "in_features" and isinstance(arguments.values[said], Name | Call)):  # which follows
            return [Step(layer, call.token)]
        return [Step(layer, call.token, arguments.width(said), arguments.at(said))]


def _is_mode(arguments: Arguments, name: str) -> bool:
    """Whether it is the mode of training or not, handed on to a dropout."""
    return name == "training" and not isinstance(arguments.values[name], bool)


def _value(arguments: Arguments, name: str, type_: Any) -> Any:
    if type_ is bool:
        return arguments.flag(name)
    value = arguments.square(name) if name in _SQUARES else arguments.value(name)
    return float(value) if type_ is float and type(value) is int and abs(value) < MAX_NUMBER else value


def _layer(arguments: Arguments, made: type[Layer], values: dict[str, Any]) -> Layer:
    if "stride" in values and values["stride"] is None:
        values["stride"] = values["kernel_size"]
    if made is not Conv2d or not isinstance(values["padding"], str):
        return arguments.layer(made, values)
    arguments.only("padding", "same", "valid")
    convolution = arguments.layer(Conv2d, values | {"padding": 0})
    return _with_same(arguments, convolution) if values["padding"] == "same" else convolution


def _with_same(arguments: Arguments, layer: Conv2d) -> Conv2d:
    """The convolution with the padding that keeps height and width."""
    if layer.stride != 1 or layer.span % 2 == 0:
        raise refused(
            arguments.at("padding"), "the padding “same” can only be said for a stride of 1 and a window of odd size."
        )
    return replace(layer, padding=layer.span // 2)


_CONV = (
    "out_channels kernel_size stride=1 padding=0 dilation=1 groups=1 bias=True padding_mode='zeros' "
    "device=None dtype=None"
)
_NORM = "eps=1e-05 momentum=0.1 affine=True track_running_stats=True device=None dtype=None bias=True"
_LINEAR = "out_features bias=True device=None dtype=None"
_AVERAGE = "kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True divisor_override=None"
_RESPONSE = "size alpha=1e-4 beta=.75 k=1."

FORMS = {
    f"torch.{name}": Form(layer, signature(text))
    for layer, texts in {
        Conv2d: {"nn.Conv2d": f"in_channels {_CONV}", "nn.LazyConv2d": _CONV},
        BatchNorm2d: {"nn.BatchNorm2d": f"num_features {_NORM}", "nn.LazyBatchNorm2d": _NORM},
        BatchNorm1d: {"nn.BatchNorm1d": f"num_features {_NORM}", "nn.LazyBatchNorm1d": _NORM},
        Linear: {"nn.Linear": f"in_features {_LINEAR}", "nn.LazyLinear": _LINEAR},
        MaxPool2d: {
            "nn.MaxPool2d": "kernel_size stride=None padding=0 dilation=1 return_indices=False ceil_mode=False",
            "nn.functional.max_pool2d": "input kernel_size stride=None padding=0 dilation=1 ceil_mode=False "
            "return_indices=False",
        },
        AvgPool2d: {"nn.AvgPool2d": _AVERAGE, "nn.functional.avg_pool2d": f"input {_AVERAGE}"},
        AdaptiveAvgPool2d: {
            "nn.AdaptiveAvgPool2d": "output_size",
            "nn.functional.adaptive_avg_pool2d": "input output_size",
        },
        LocalResponseNorm: {
            "nn.LocalResponseNorm": _RESPONSE,
            "nn.functional.local_response_norm": f"input {_RESPONSE}",
        },
        Dropout: {
            "nn.Dropout": "p=.5 inplace=False",
            "nn.functional.dropout": "input p=.5 training=True inplace=False",
        },
        ZeroPad2d: {"nn.ZeroPad2d": "padding"},
        Flatten: {"nn.Flatten": "start_dim=1 end_dim=-1", "flatten": "input start_dim=0 end_dim=-1"},
        ReLU: {
            "nn.ReLU": "inplace=False",
            "nn.functional.relu": "input inplace=False",
            "relu": "input",
        },
        LeakyReLU: {
            "nn.LeakyReLU": "negative_slope=.01 inplace=False",
            "nn.functional.leaky_relu": "input negative_slope=.01 inplace=False",
        },
        GELU: {"nn.GELU": "approximate='none'", "nn.functional.gelu": "input approximate='none'"},
        SiLU: {"nn.SiLU": "inplace=False", "nn.functional.silu": "input inplace=False"},
        Sigmoid: {"nn.Sigmoid": "", "nn.functional.sigmoid": "input", "sigmoid": "input"},
        Tanh: {"nn.Tanh": "", "nn.functional.tanh": "input", "tanh": "input"},
    }.items()
    for name, text in texts.items()
}
"""How each layer is called, by its name in PyTorch."""
_NOTHING = {"torch.nn.Identity"}
_SOFTMAX = {
    *("torch.nn.Softmax", "torch.nn.LogSoftmax", "torch.softmax", "torch.log_softmax"),
    *("torch.nn.functional.softmax", "torch.nn.functional.log_softmax"),
}
KNOWN = FORMS.keys() | _NOTHING | _SOFTMAX
"""What can be read, by its name in PyTorch."""


def attribute(call: Call, name: str) -> int | None:
    """The channels or features that a layer has as an attribute; None if the text does not say them."""
    if call.name not in FORMS or name not in (*_WIDTHS, "out_channels", "out_features"):
        return None
    given = dict(zip(FORMS[call.name].signature, call.args, strict=False)) | call.kwargs
    return value if type(value := given.get(name)) is int else None


def read(call: Call) -> list[Step]:
    """The layer that a call of PyTorch makes, or none; `TokenError` at what cannot be said here."""
    if call.name in _NOTHING:
        return []
    if call.name in _SOFTMAX:
        return [Step(Softmax(), call.token)]
    if call.name == "torch.Tensor.view":
        features = call.args[2]
        return [Step(Flatten(), call.token, features if type(features) is int and features > 0 else None)]
    if call.name not in FORMS:
        raise refused(
            call.token,
            "{name} is not one of the layers that can be said here: {names}.",
            name=shown(call.name),
            names=", ".join(Kind),
        )
    return FORMS[call.name].read(call)
