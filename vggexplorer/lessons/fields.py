"""Two 3x3 see what one 5x5 sees."""

from vggexplorer.architectures import Architecture, Block, Network
from vggexplorer.comparison import Remark
from vggexplorer.layers import Kind, Shape
from vggexplorer.lessons.asks import Choice, Edit, Number, Option, Task, Theme
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


def _sees(count: int, kernel: int) -> Remark:
    own = column(count, kernel)
    values = {"count": count, "kernel": kernel, "field": field_of(own), "weights": weights_per_square(own)}
    return Remark("{count} × {kernel}×{kernel} sees {field}×{field} with {weights} C² weights.", values)


FIELDS = Task(
    key="fields",
    title=Remark("Small kernels that see as much as large ones"),
    theme=Theme.STRUCTURE,
    minutes=6,
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
    bench=("editor", "inspector"),
    asks=(
        Number(
            key="share",
            text=Remark(
                "Three 3×3 convolutions after one another see as much as one of 7×7. What share of its weights do they "
                "have, in per cent?"
            ),
            answer=lambda: 100 * weights_per_square(column(3, 3)) / weights_per_square(column(1, 7)),
            reason=lambda: [_sees(3, 3), _sees(1, 7)],
            unit="%",
            predict=True,
            bench=("drawing", "layers"),
        ),
        Number(
            key="two",
            text=Remark("Which side has the field of two 3×3 convolutions after one another, in pixels?"),
            answer=lambda: field_of(column(2, 3)),
            reason=lambda: [_sees(2, 3), _sees(1, 5)],
        ),
        Number(
            key="small",
            text=Remark("How many weights (no biases) have three 3×3 convolutions, in units of C²?"),
            answer=lambda: weights_per_square(column(3, 3)),
            reason=lambda: [_sees(3, 3)],
            unit="C²",
            bench=("editor", "layers"),
        ),
        Number(
            key="large",
            text=Remark("And one 7×7 convolution, in units of C²?"),
            answer=lambda: weights_per_square(column(1, 7)),
            reason=lambda: [_sees(1, 7)],
            unit="C²",
            bench=("editor", "layers"),
        ),
        Edit(
            key="edit",
            text=Remark("Put 3×3 convolutions in the place of the 7×7 one that see as much; leave the channels."),
            missing=_sees_as_much,
            solution={"arch": "3x64:nopool", "input": "64x32x32", "head": "gap", "hidden": "none"},
            reason=lambda _: [_sees(3, 3), _sees(1, 7)],
        ),
        Choice(
            key="more",
            text=Remark("What else do three small ones have that one large one does not?"),
            options=(
                Option(Remark("Fewer activations to keep."), Remark("More: each of the three keeps its own maps.")),
                Option(
                    Remark("Three nonlinearities instead of one."),
                    Remark("There is a ReLU behind each of them: what they can compute is richer."),
                ),
                Option(Remark("A larger field."), Remark("The field is the same: that was the point.")),
                Option(Remark("A higher resolution."), Remark("With stride 1 and padding both keep the resolution.")),
            ),
            answer=lambda: 1,
        ),
    ),
    hints=(
        Remark("The layer table has a column for the receptive field; turn on More columns to change the kernel."),
        Remark("Each further 3×3 convolution with stride 1 adds 2 pixels to the side of the field."),
        Remark("A k×k convolution from C to C channels has k² C² weights."),
    ),
    terms=("receptive field", "kernel", "stride"),
)
