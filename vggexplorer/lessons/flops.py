"""Operations."""

from collections.abc import Callable
from math import prod

from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.layers import shape_text
from vggexplorer.lessons.asks import Choice, Number, Task
from vggexplorer.lessons.common import (
    named,
)
from vggexplorer.summary import Summary


def _giga_flops(part: str) -> float:
    return 2 * float(getattr(named("VGG-11").totals, f"{part}_macs")) / 1e9


def _macs_for_flops(part: str) -> Callable[[], list[tuple[float, Remark]]]:
    return lambda: [(_giga_flops(part) / 2, Remark("These are MACs; one MAC is two FLOPs."))]


def positions(summary: Summary) -> int:
    """How often the first convolution uses each of its weights for one example."""
    return prod(summary.rows[0].output_shape[1:])


def _flops() -> list[Remark]:
    book = named("VGG-11")
    totals = book.totals
    return [
        Remark(
            "Convolutions: 2 × {macs} = {flops} FLOPs, {share} of all.",
            {
                "macs": exact(totals.conv_macs),
                "flops": exact(2 * totals.conv_macs),
                "share": percent(totals.conv_macs, totals.macs),
            },
        ),
        Remark(
            "Fully connected: 2 × {macs} = {flops} FLOPs, {share} of all.",
            {
                "macs": exact(totals.fc_macs),
                "flops": exact(2 * totals.fc_macs),
                "share": percent(totals.fc_macs, totals.macs),
            },
        ),
        Remark(
            "A weight of the first convolution is used at {side} = {positions} positions, one of a linear layer once.",
            {"side": shape_text(book.rows[0].output_shape[1:]), "positions": exact(positions(book))},
        ),
    ]


FLOPS = Task(
    key="flops",
    title=Remark("Where the arithmetic is done"),
    question=Remark("How many floating point operations are in VGG-11's convolutions, how many in its linear layers?"),
    start={"arch": "vgg11"},
    bench=("totals", "layers", "charts"),
    asks=(
        Number(
            "conv",
            Remark("FLOPs of all convolutions for one example, in units of 10⁹:"),
            lambda: _giga_flops("conv"),
            unit="GFLOPs",
            tolerance=0.01,
            slips=_macs_for_flops("conv"),
        ),
        Number(
            "fc",
            Remark("FLOPs of the fully connected part for one example, in units of 10⁹:"),
            lambda: _giga_flops("fc"),
            unit="GFLOPs",
            tolerance=0.01,
            slips=_macs_for_flops("fc"),
        ),
        Choice(
            "why",
            Remark("Few of the weights do nearly all of the arithmetic. Why?"),
            (
                Remark("A convolution uses each weight at every position, a linear layer only once."),
                Remark("The weights of convolutions are larger numbers."),
                Remark("ReLU stands behind each convolution."),
                Remark("The convolutions have more weights."),
            ),
            lambda: 0,
        ),
        Number(
            "uses",
            Remark("How often is each weight of the first convolution used for one example?"),
            lambda: positions(named("VGG-11")),
        ),
    ),
    hints=(
        Remark("Switch the count beside the totals from MACs to FLOPs."),
        Remark("Let the pointer rest on the total: it shows both parts."),
        Remark("Choose the first convolution in the table: its formula for MACs begins with the positions."),
    ),
    working=_flops,
    terms=("mac", "flop"),
)
