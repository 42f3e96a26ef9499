"""Two 3x3 see what one 5x5 sees."""

from vggexplorer.architectures import Architecture, Block, Network
from vggexplorer.comparison import Remark
from vggexplorer.layers import Kind, Shape
from vggexplorer.lessons.asks import Choice, Edit, Number, Task
from vggexplorer.lessons.common import (
    GAP,
    POOLINGS,
    convolutions,
    features,
    weights_of,
)
from vggexplorer.summary import Summary, summarize

_CHANNELS = 64
_FIELD_SHAPE: Shape = (_CHANNELS, 32, 32)


def column(count: int, kernel: int) -> Summary:
    """`count` convolutions with the same number of channels before and after, and no pooling."""
    block = Block(count, _CHANNELS, kernel_size=kernel, pool=None)
    return summarize(Architecture((block,), GAP), _FIELD_SHAPE)


def field_of(summary: Summary) -> int:
    """The side of what a unit of the last convolution sees, in pixels."""
    return max(row.receptive_field or 0 for row in summary.rows if row.kind == Kind.CONV2D)


def weights_per_square(summary: Summary) -> int:
    """The weights of the convolutions, biases not counted, in units of channels²."""
    return weights_of(summary, Kind.CONV2D) // _CHANNELS**2


def _sees_as_much(network: Network) -> list[Remark]:
    own, wanted = field_of(summarize(*network)), field_of(column(1, 7))
    remarks = []
    found = convolutions(network.architecture)
    if any(layer.kernel_size != 3 for layer in found):
        remarks.append(Remark("There are kernels that are not 3×3."))
    if any(layer.out_channels != _CHANNELS for layer in found):
        remarks.append(Remark("There are blocks without {channels} channels.", {"channels": _CHANNELS}))
    pooled = any(layer.kind in POOLINGS for layer in features(network.architecture))
    if pooled or any(layer.stride != 1 for layer in found):
        remarks.append(Remark("There are strides or poolings; without them the field grows as you need it."))
    if own != wanted:
        values = {"own": own, "wanted": wanted}
        remarks.append(Remark("The last convolution sees {own}×{own}; {wanted}×{wanted} is asked for.", values))
    return remarks


def _fields() -> list[Remark]:
    return [
        Remark(
            "{count} × {kernel}×{kernel} sees {field}×{field} with {weights} C² weights.",
            {
                "count": count,
                "kernel": kernel,
                "field": field_of(column(count, kernel)),
                "weights": weights_per_square(column(count, kernel)),
            },
        )
        for count, kernel in ((2, 3), (1, 5), (3, 3), (1, 7))
    ]


FIELDS = Task(
    key="fields",
    title=Remark("Small kernels that see as much as large ones"),
    question=Remark(
        "VGG uses 3×3 kernels only. What do two of them after one another see, and what do three, and how many weights "
        "does a single kernel with the same field need? All layers here have C channels before and after."
    ),
    start={
        "arch": f"1x{_CHANNELS}:k7:nopool",
        "input": "x".join(map(str, _FIELD_SHAPE)),
        "head": "gap",
        "hidden": "none",
    },
    bench=("drawing", "inspector", "layers"),
    asks=(
        Number(
            "two",
            Remark("Which side has the field of two 3×3 convolutions after one another, in pixels?"),
            lambda: field_of(column(2, 3)),
        ),
        Number(
            "small",
            Remark("How many weights (no biases) have three 3×3 convolutions, in units of C²?"),
            lambda: weights_per_square(column(3, 3)),
            unit="C²",
        ),
        Number(
            "large",
            Remark("And one 7×7 convolution, in units of C²?"),
            lambda: weights_per_square(column(1, 7)),
            unit="C²",
        ),
        Edit(
            "edit",
            Remark("Put 3×3 convolutions in the place of the 7×7 one that see as much; leave the channels."),
            _sees_as_much,
            {"arch": "3x64:nopool", "input": "64x32x32", "head": "gap", "hidden": "none"},
        ),
        Choice(
            "more",
            Remark("What else do three small ones have that one large one does not?"),
            (
                Remark("Fewer activations to keep."),
                Remark("Three nonlinearities instead of one."),
                Remark("A larger field."),
                Remark("A higher resolution."),
            ),
            lambda: 1,
        ),
    ),
    hints=(
        Remark("The table has a column for the receptive field; turn on More columns to change the kernel."),
        Remark("Each further 3×3 convolution with stride 1 adds 2 pixels to the side of the field."),
        Remark("A k×k convolution from C to C channels has k² C² weights."),
    ),
    working=_fields,
    terms=("receptive field", "kernel", "stride"),
)
