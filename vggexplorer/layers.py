"""Layers as values that know their own arithmetic, in PyTorch's words.

A shape is a tuple without the batch: `(channels, height, width)` for images and feature maps,
`(features,)` from Flatten on. Like PyTorch's lazy modules, a layer takes its input channels or
features from the shape that reaches it.

Counting convention, everywhere in this project: a MAC is one multiply-accumulate with a weight of a
convolution or a linear layer, forward, for one example; biases, activations, normalisation and
pooling are not counted. FLOPs are 2 x MACs.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import prod
from typing import Any, ClassVar, NamedTuple

from vggexplorer.errors import InputError, ShapeError

Shape = tuple[int, ...]
Terms = tuple[tuple[int, ...], ...]
"""A count as a sum of products: ((64, 1, 3, 3), (64,)) is 64 x 1 x 3 x 3 + 64."""
NEVER = 10**12
"""A side that no layers before it make small enough to be possible."""
Costs = tuple[Shape, int, int]
"""What comes out of a layer, its learnable parameters, and its MACs for one example."""


class Kind(StrEnum):
    """The kinds of layers, by the names of their classes here and in `torch.nn`."""

    CONV2D = "Conv2d"
    MAX_POOL2D = "MaxPool2d"
    AVG_POOL2D = "AvgPool2d"
    ADAPTIVE_AVG_POOL2D = "AdaptiveAvgPool2d"
    BATCH_NORM2D = "BatchNorm2d"
    BATCH_NORM1D = "BatchNorm1d"
    LOCAL_RESPONSE_NORM = "LocalResponseNorm"
    RELU = "ReLU"
    LEAKY_RELU = "LeakyReLU"
    GELU = "GELU"
    SILU = "SiLU"
    SIGMOID = "Sigmoid"
    TANH = "Tanh"
    DROPOUT = "Dropout"
    FLATTEN = "Flatten"
    LINEAR = "Linear"


BATCH_NORMS = (Kind.BATCH_NORM2D, Kind.BATCH_NORM1D)
POOLS = (Kind.MAX_POOL2D, Kind.AVG_POOL2D, Kind.ADAPTIVE_AVG_POOL2D)


class Saved(NamedTuple):
    """What autograd saves of a layer for the backward pass, beside parameters.

    `input` and `output`: whether it saves what comes in and what goes out; what two layers save is there once, and
    where the output is a `view` it is the input. Further, for each example, `elements` in the input's precision and
    `extra` bytes, and `once` bytes for the whole batch. `temporary` bytes for each example come and go in the backward
    pass, beside the gradients of input and output.
    """

    input: bool = False
    output: bool = False
    view: bool = False
    elements: int = 0
    extra: int = 0
    once: int = 0
    temporary: int = 0


class Layer:
    """What every layer answers; the defaults are those of an element-wise layer without weights."""

    __slots__ = ()
    autocast: ClassVar[str] = "any"
    """What PyTorch's autocast does with it: computes in bfloat16 ("lower"), gives "float32", or takes "any"."""
    takes: ClassVar[str] = "any"
    """What it may stand behind: "maps" of channels × height × width, a "vector", or "any" of them."""

    @property
    def kind(self) -> Kind:
        """Which kind of layer it is."""
        return Kind(type(self).__name__)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape that leaves the layer; `ShapeError` if the layer cannot take `shape`."""
        return shape

    def costs(self, shape: Shape) -> Costs:
        """The output's shape, the parameters and the MACs at once; raises what `output_shape` raises."""
        return self.output_shape(shape), 0, 0

    def num_params(self, shape: Shape) -> int:
        """The number of learnable parameters (weights and biases)."""
        return self.costs(shape)[1]

    def macs(self, shape: Shape) -> int:
        """The multiply-accumulates for one example."""
        return self.costs(shape)[2]

    def param_terms(self, shape: Shape) -> Terms:
        """How `num_params` comes about, as a sum of products."""
        return ()

    def mac_terms(self, shape: Shape) -> Terms:
        """How `macs` comes about, as a sum of products."""
        return ()

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        """What autograd saves of it, as `torch.autograd.graph.saved_tensors_hooks` shows, on a GPU or on a CPU."""
        return Saved()

    def field(self, shape: Shape) -> tuple[int, int | None]:
        """How many input pixels one output pixel sees along a side, and how far apart two neighbours' are.

        The second is None where it differs from place to place.
        """
        return 1, 1

    def reach(self, place: int, side: int) -> range:
        """The input pixels, of `side` along one side, that the output pixel `place` sees; none where all is padding."""
        return range(place, place + 1)

    def min_side(self, output_side: int) -> int:
        """The smallest input height (or width) from which `output_side` or more comes out, in pixels.

        `NEVER` where none is large enough.
        """
        return output_side

    def side_formula(self, side: int) -> str | None:
        """How one side of the output follows from `side`, figures put in; None if it is unchanged."""
        return None

    def torch_arguments(self, shape: Shape) -> dict[str, Any]:
        """The keyword arguments of the `torch.nn` class of the same name."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def check(self) -> None:
        """Raise `InputError` if its numbers, each within its bounds, do not go together."""


def _spatial(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ShapeError(
            "{kind} needs channels × height × width, but {shape} reaches it.",
            kind=layer.kind,
            shape=shape_text(shape),
        )
    return shape


def _flat(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 1:
        raise ShapeError(
            "{kind} needs a flat vector, but {shape} reaches it.", kind=layer.kind, shape=shape_text(shape)
        )
    return shape


def shape_text(shape: Shape) -> str:
    """A shape as people write it: (64, 112, 112) -> '64×112×112'."""
    return "×".join(map(str, shape))


class _Window(Layer):
    """A layer whose square window slides over height and width.

    Its places are `dilation` pixels apart, so that it is dilation x (kernel_size - 1) + 1 pixels wide; each side n
    becomes floor((n + 2 padding - that) / stride) + 1. With `ceil_mode` it is rounded up, but the last window must
    begin in the input or in the padding before it; as in PyTorch.
    """

    __slots__ = ()
    takes: ClassVar[str] = "maps"
    kernel_size: int
    stride: int
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def span(self) -> int:
        """How wide the window is, in pixels."""
        return self.dilation * (self.kernel_size - 1) + 1

    def _side(self, side: int) -> int:
        if self.ceil_mode:
            count = self._rounded_up(side)
            return count - self._is_late(count, side)
        return (side + 2 * self.padding - self.span) // self.stride + 1

    def _rounded_up(self, side: int) -> int:
        return -(-(side + 2 * self.padding - self.span) // self.stride) + 1

    def _is_late(self, count: int, side: int) -> bool:
        """Whether the last of `count` windows would begin behind the input."""
        return (count - 1) * self.stride >= side + self.padding

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = _spatial(self, shape)
        square = height == width
        height = self._side(height)
        width = height if square else self._side(width)
        if height < 1 or width < 1:
            raise ShapeError(
                "its {kernel}×{kernel} window (padding {padding}) is larger than the {height}×{width} that reaches it",
                kernel=self.span,
                padding=self.padding,
                height=shape[1],
                width=shape[2],
            )
        return channels, height, width

    def field(self, shape: Shape) -> tuple[int, int | None]:
        return self.span, self.stride

    def reach(self, place: int, side: int) -> range:
        first = place * self.stride - self.padding
        before = -(min(first, 0) // self.dilation)  # places of the window that lie in the padding
        return range(first + before * self.dilation, min(first + self.span, side), self.dilation)

    def min_side(self, output_side: int) -> int:
        steps = (output_side - 1) * self.stride
        if self.ceil_mode:
            return max(1, steps - self.stride + 1 + self.span - 2 * self.padding, steps - self.padding + 1)
        return max(1, steps + self.span - 2 * self.padding)

    def side_formula(self, side: int) -> str:
        padding = f" + 2 × {self.padding}" if self.padding else ""
        window = f"{self.kernel_size}" if self.dilation == 1 else f"{self.dilation} × ({self.kernel_size} − 1) − 1"
        fraction = f"({side}{padding} − {window}) / {self.stride}"
        if not self.ceil_mode:
            return f"⌊{fraction}⌋ + 1 = {self._side(side)}"
        late = " − 1" if self._is_late(self._rounded_up(side), side) else ""
        return f"⌈{fraction}⌉ + 1{late} = {self._side(side)}"


class _Pool(_Window):
    """Pooling: its padding holds nothing, so that a window must not lie in it for more than a half."""

    __slots__ = ()

    def check(self) -> None:
        if 2 * self.padding > self.kernel_size:
            raise InputError(
                "the padding of a pool may be half of its window at most: {padding} is too much for {kernel}.",
                padding=self.padding,
                kernel=self.kernel_size,
            )


@dataclass(frozen=True, slots=True)
class Conv2d(_Window):
    """A square 2-d convolution: out_channels x (in_channels / groups x k x k) weights, and a bias for each channel.

    Each weight is used once per output position, hence the MACs. Padding is in pixels on every side. With `groups`
    the channels are taken apart: each group of outputs sees its group of inputs (depthwise, if there are as many
    groups as input channels).
    """

    autocast: ClassVar[str] = "lower"
    out_channels: int
    kernel_size: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = True

    def check(self) -> None:
        if self.out_channels % self.groups:
            raise InputError(
                "{channels} output {channels:channel|channels} cannot be shared by {groups} groups.",
                channels=self.out_channels,
                groups=self.groups,
            )

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = _Window.output_shape(self, shape)
        if self.groups != 1 and channels % self.groups:
            raise ShapeError(
                "its {groups} groups cannot share {channels} {channels:channel|channels}",
                groups=self.groups,
                channels=channels,
            )
        return self.out_channels, height, width

    def costs(self, shape: Shape) -> Costs:
        output = self.output_shape(shape)
        channels, height, width = output
        weights = channels * (shape[0] // self.groups) * self.kernel_size * self.kernel_size
        return output, weights + channels if self.bias else weights, weights * height * width

    def param_terms(self, shape: Shape) -> Terms:
        weights = (self.out_channels, shape[0] // self.groups, self.kernel_size, self.kernel_size)
        return (weights, (self.out_channels,)) if self.bias else (weights,)

    def mac_terms(self, shape: Shape) -> Terms:
        _, height, width = self.output_shape(shape)
        return ((height, width, *self.param_terms(shape)[0]),)

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)

    def torch_arguments(self, shape: Shape) -> dict[str, Any]:
        return {"in_channels": shape[0], **asdict(self)}


@dataclass(frozen=True, slots=True)
class MaxPool2d(_Pool):
    """Max pooling; a remainder at the edge is dropped unless with `ceil_mode`, as in PyTorch."""

    kernel_size: int
    stride: int
    padding: int = 0
    ceil_mode: bool = False

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True, extra=8 * prod(self.output_shape(shape)))  # where each maximum was, in 64 bits


@dataclass(frozen=True, slots=True)
class AvgPool2d(_Pool):
    """Average pooling; a remainder at the edge is dropped unless with `ceil_mode`, as in PyTorch.

    With `count_include_pad` the zeros of the padding are part of the average.
    """

    kernel_size: int
    stride: int
    padding: int = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)


@dataclass(frozen=True, slots=True)
class AdaptiveAvgPool2d(Layer):
    """Average pooling to output_size x output_size, whatever comes in.

    Bin i covers the rows floor(i n / m) to ceil((i + 1) n / m), as in PyTorch; bins may differ in size
    and may overlap. Its `field` is that of the largest bin.
    """

    takes: ClassVar[str] = "maps"
    output_size: int

    def output_shape(self, shape: Shape) -> Shape:
        return _spatial(self, shape)[0], self.output_size, self.output_size

    def field(self, shape: Shape) -> tuple[int, int | None]:
        size = self.output_size
        bins = {-(-(i + 1) * side // size) - i * side // size for side in set(shape[1:]) for i in range(size)}
        steps = {None if side % size else side // size for side in shape[1:]}
        return max(bins), steps.pop() if len(steps) == 1 else None

    def reach(self, place: int, side: int) -> range:
        return range(place * side // self.output_size, -(-(place + 1) * side // self.output_size))

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=self.output_size > 1)  # to 1 x 1 it is a mean, whose gradient needs no values

    def min_side(self, output_side: int) -> int:
        return 1 if output_side <= self.output_size else NEVER

    def side_formula(self, side: int) -> str:
        return f"{self.output_size}"


class _BatchNorm(Layer):
    """Batch normalisation: one scale and one shift per channel (running statistics are not parameters)."""

    __slots__ = ()

    def costs(self, shape: Shape) -> Costs:
        return self.output_shape(shape), 2 * shape[0], 0

    def param_terms(self, shape: Shape) -> Terms:
        return ((2, shape[0]),)

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True, once=2 * 4 * shape[0])  # the batch's mean and deviation of each channel

    def torch_arguments(self, shape: Shape) -> dict[str, Any]:
        return {"num_features": shape[0]}


@dataclass(frozen=True, slots=True)
class BatchNorm2d(_BatchNorm):
    """Batch normalisation of maps, over all positions of a channel."""

    takes: ClassVar[str] = "maps"

    def output_shape(self, shape: Shape) -> Shape:
        return _spatial(self, shape)


@dataclass(frozen=True, slots=True)
class BatchNorm1d(_BatchNorm):
    """Batch normalisation of a vector, each feature over the batch."""

    takes: ClassVar[str] = "vector"

    def output_shape(self, shape: Shape) -> Shape:
        return _flat(self, shape)


@dataclass(frozen=True, slots=True)
class LocalResponseNorm(Layer):
    """Local response normalisation across channels, with the constants of the AlexNet paper (n=5, k=2).

    The paper's alpha is 1e-4 for the sum over the neighbours; PyTorch divides its alpha by `size`, so
    the same arithmetic is 5e-4 here.
    """

    autocast: ClassVar[str] = "float32"
    takes: ClassVar[str] = "maps"
    size: int = 5
    alpha: float = 5e-4
    beta: float = 0.75
    k: float = 2.0

    def output_shape(self, shape: Shape) -> Shape:
        return _spatial(self, shape)

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        """The padded squares, whose mean is taken (on a CPU in float32), that mean before and after the power."""
        padded = (shape[0] + self.size - 1) * shape[1] * shape[2]
        single = 4 * prod(shape)
        if gpu:
            return Saved(True, elements=padded, extra=2 * single, temporary=3 * single)
        return Saved(True, extra=4 * padded + 2 * single, temporary=3 * single)


@dataclass(frozen=True, slots=True)
class ReLU(Layer):
    """max(x, 0), element by element; not in place."""

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(output=True)


@dataclass(frozen=True, slots=True)
class LeakyReLU(Layer):
    """x, or negative_slope * x where that is below 0, element by element."""

    negative_slope: float = 0.01

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)


@dataclass(frozen=True, slots=True)
class GELU(Layer):
    """x times the normal distribution function of x, or its approximation by a "tanh"; element by element."""

    approximate: str = "none"

    def check(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise InputError("GELU can be approximated by tanh, or not at all (none).")

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)


@dataclass(frozen=True, slots=True)
class SiLU(Layer):
    """x / (1 + exp(-x)), element by element; also called swish."""

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)


@dataclass(frozen=True, slots=True)
class Sigmoid(Layer):
    """1 / (1 + exp(-x)), element by element."""

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(output=True)


@dataclass(frozen=True, slots=True)
class Tanh(Layer):
    """The hyperbolic tangent, element by element."""

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(output=True)


@dataclass(frozen=True, slots=True)
class Dropout(Layer):
    """Zeroes each element with probability p in training; the identity otherwise."""

    p: float = 0.5

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        if not self.p:
            return Saved(view=True)  # it hands on what comes in
        return Saved(extra=prod(shape)) if gpu else Saved(elements=prod(shape))  # a mask of bytes, or of factors


@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    """(channels, height, width) -> (channels x height x width,); a view, no work and no memory."""

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def reach(self, place: int, side: int) -> range:
        return range(side)

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        """In the trainer's memory format, channels last, it is a copy unless there is one channel or one pixel."""
        return Saved(view=shape[0] == 1 or prod(shape[1:]) == 1)

    def min_side(self, output_side: int) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Linear(Layer):
    """A fully connected layer: out_features x in_features weights, and a bias for each output."""

    autocast: ClassVar[str] = "lower"
    takes: ClassVar[str] = "vector"
    out_features: int
    bias: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        _flat(self, shape)
        return (self.out_features,)

    def costs(self, shape: Shape) -> Costs:
        weights = self.out_features * shape[0]
        return self.output_shape(shape), weights + self.out_features if self.bias else weights, weights

    def param_terms(self, shape: Shape) -> Terms:
        weights = (self.out_features, shape[0])
        return (weights, (self.out_features,)) if self.bias else (weights,)

    def mac_terms(self, shape: Shape) -> Terms:
        return ((self.out_features, shape[0]),)

    def saved_for_backward(self, shape: Shape, gpu: bool) -> Saved:
        return Saved(input=True)

    def min_side(self, output_side: int) -> int:
        return 1

    def torch_arguments(self, shape: Shape) -> dict[str, Any]:
        return {"in_features": shape[0], **asdict(self)}
