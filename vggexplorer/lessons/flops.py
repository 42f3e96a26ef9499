"""Where the arithmetic is done."""

from collections.abc import Callable, Sequence
from math import prod

from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.layers import shape_text
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.lessons.common import named
from vggexplorer.summary import Summary


def _giga_flops(part: str) -> float:
    return 2 * float(getattr(named("VGG-11").totals, f"{part}_macs")) / 1e9


def _macs_for_flops(part: str) -> Callable[[], list[tuple[float, Remark]]]:
    return lambda: [(_giga_flops(part) / 2, Remark("These are MACs; one MAC is two FLOPs."))]


def positions(summary: Summary) -> int:
    """How often the first convolution uses each of its weights for one example."""
    return prod(summary.rows[0].output_shape[1:])


def _of(part: str) -> dict[str, str]:
    totals = named("VGG-11").totals
    macs = getattr(totals, f"{part}_macs")
    return {"macs": exact(macs), "flops": exact(2 * macs), "share": percent(macs, totals.macs)}


def _conv() -> Sequence[Remark]:
    return (Remark("Convolutions: 2 × {macs} = {flops} FLOPs, {share} of all.", _of("conv")),)


def _fc() -> Sequence[Remark]:
    return (Remark("Fully connected: 2 × {macs} = {flops} FLOPs, {share} of all.", _of("fc")),)


def _uses() -> Sequence[Remark]:
    book = named("VGG-11")
    values = {"side": shape_text(book.rows[0].output_shape[1:]), "positions": exact(positions(book))}
    return (
        Remark(
            "A weight of the first convolution is used at {side} = {positions} positions, one of a linear layer once.",
            values,
        ),
    )


FLOPS = Task(
    key="flops",
    title=Remark("Where the arithmetic is done"),
    theme=Theme.COST,
    minutes=6,
    question=Remark("How many floating point operations are in VGG-11's convolutions, how many in its linear layers?"),
    start={"arch": "vgg11"},
    bench=("totals", "layers"),
    asks=(
        Number(
            key="share",
            text=Remark(
                "The fully connected part has nine tenths of VGG-11's parameters. What share of its arithmetic does it "
                "do, in per cent?"
            ),
            answer=lambda: 100 * named("VGG-11").totals.fc_macs / named("VGG-11").totals.macs,
            reason=_fc,
            unit="%",
            predict=True,
            bench=("totals", "charts"),
        ),
        Number(
            key="conv",
            text=Remark("FLOPs of all convolutions for one example, in units of 10⁹:"),
            answer=lambda: _giga_flops("conv"),
            reason=_conv,
            unit="GFLOPs",
            slips=_macs_for_flops("conv"),
        ),
        Number(
            key="fc",
            text=Remark("FLOPs of the fully connected part for one example, in units of 10⁹:"),
            answer=lambda: _giga_flops("fc"),
            reason=_fc,
            unit="GFLOPs",
            slips=_macs_for_flops("fc"),
        ),
        Choice(
            key="why",
            text=Remark("Few of the weights do nearly all of the arithmetic. Why?"),
            options=(
                Option(
                    Remark("A convolution uses each weight at every position, a linear layer only once."),
                    Remark("So the arithmetic of a convolution grows with the picture, its weights do not."),
                ),
                Option(
                    Remark("The weights of convolutions are larger numbers."),
                    Remark("A multiplication takes as long, whatever the numbers are."),
                ),
                Option(
                    Remark("ReLU stands behind each convolution."),
                    Remark("ReLU compares each value with zero: it multiplies nothing."),
                ),
                Option(Remark("The convolutions have more weights."), Remark("They have far fewer.")),
            ),
            answer=lambda: 0,
        ),
        Number(
            key="uses",
            text=Remark("How often is each weight of the first convolution used for one example?"),
            answer=lambda: positions(named("VGG-11")),
            reason=_uses,
            bench=("drawing",),
        ),
    ),
    hints=(
        Remark("Switch the count beside the totals from MACs to FLOPs."),
        Remark("Let the pointer rest on the total: it shows both parts."),
        Remark("Choose the first convolution: its formula for MACs begins with the positions."),
    ),
    terms=("mac", "flop"),
)
