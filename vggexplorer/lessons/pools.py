"""A pool after each convolution."""

from collections.abc import Sequence
from math import log2

from vggexplorer.architectures import NETWORKS, Architecture, Block, Network
from vggexplorer.comparison import Remark
from vggexplorer.lessons.asks import Choice, Edit, Number, Option, Task, Theme
from vggexplorer.lessons.common import (
    BOOK,
    GAP,
    SMALL,
    halvings,
    last_side,
    named,
    num_convolutions,
    other_input,
    share,
)


def most_convolutions(side: int) -> int:
    """How many convolutions there can be at most for a square input, if each is followed by a 2×2 pool."""
    count = 0
    while Architecture((Block(1, 1),) * (count + 1), GAP).min_side() <= side:
        count += 1
    return count


def _pool_after_each(network: Network) -> list[Remark]:
    most, remarks = most_convolutions(BOOK[1]), other_input(network, BOOK)
    if not all(isinstance(item, Block) and item == Block(1, item.out_channels) for item in network.architecture.items):
        remarks.append(Remark("There are blocks that are not one 3×3 convolution and one 2×2 pool."))
    if (own := num_convolutions(network.architecture)) < most:
        values = {"own": own, "most": most}
        remarks.append(
            Remark("The network has {own} such {own:convolution|convolutions}; {most} are possible.", values)
        )
    return remarks


def _positions_left() -> Sequence[Remark]:
    side, last = BOOK[1], last_side(named("VGG-11"))
    return (
        share(last**2, side**2),
        Remark(
            "{sides}: each pool keeps a quarter of the positions.",
            {"sides": halvings(NETWORKS["VGG-11"].architecture, BOOK)},
        ),
    )


def _halvings_of(side: int) -> Sequence[Remark]:
    most = most_convolutions(side)
    values = {
        "side": side,
        "sides": halvings(Architecture((Block(1, 1),) * most, GAP), (1, side, side)),
        "log": f"{log2(side):.2f}",
        "most": most,
    }
    return (Remark("{side} pixels: {sides}. log₂ {side} = {log}, rounded down {most}.", values),)


POOLS = Task(
    key="pools",
    title=Remark("A pool after each convolution"),
    theme=Theme.STRUCTURE,
    minutes=5,
    question=Remark(
        "Suppose that each convolution is followed by a 2×2 pool with stride 2. How many convolutions can a network "
        "for pictures of d×d pixels have at most?"
    ),
    start={"arch": "1x64,1x128,1x256", "input": "1x224x224"},
    bench=("editor", "drawing"),
    asks=(
        Number(
            key="left",
            text=Remark(
                "VGG-11 has five pools. What share of the 224×224 positions is left after the last one, in per cent?"
            ),
            answer=lambda: 100 * last_side(named("VGG-11")) ** 2 / BOOK[1] ** 2,
            reason=_positions_left,
            unit="%",
            predict=True,
            bench=("drawing", "layers"),
        ),
        Number(
            key="large",
            text=Remark("At most how many, for 224 pixels?"),
            answer=lambda: most_convolutions(BOOK[1]),
            reason=lambda: _halvings_of(BOOK[1]),
        ),
        Number(
            key="small",
            text=Remark("And for Fashion-MNIST's own 28 pixels?"),
            answer=lambda: most_convolutions(28),
            reason=lambda: _halvings_of(28),
        ),
        Choice(
            key="formula",
            text=Remark("And for d pixels?"),
            options=(
                Option(Remark("d / 2"), Remark("That is the side after the first pool.")),
                Option(Remark("√d, rounded down"), Remark("Right for 16 pixels, but too many for 224.")),
                Option(Remark("log₂ d, rounded down"), Remark("It says how often d can be halved until 1 is left.")),
                Option(Remark("d − 2"), Remark("A pool halves the side, it does not take two pixels off.")),
            ),
            answer=lambda: 2,
            figures=lambda: [*_halvings_of(BOOK[1]), *_halvings_of(SMALL[1])],
        ),
        Edit(
            key="edit",
            text=Remark("Build it for 224 pixels, with as many convolutions as possible."),
            missing=_pool_after_each,
            solution={"arch": "1x16,1x16,1x32,1x32,1x64,1x64,1x128"},
            reason=lambda network: [Remark("{sides}: nothing is left to be halved.", {"sides": halvings(*network)})],
        ),
    ),
    hints=(
        Remark("Each pool halves the side and rounds down; the last one must find 2 pixels."),
        Remark("Add blocks in the editor until the page says that the input is too small."),
    ),
    terms=("pooling", "feature map"),
)
