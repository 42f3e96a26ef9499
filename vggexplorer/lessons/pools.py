"""A pool after each convolution."""

from math import log2

from vggexplorer.architectures import Architecture, Block, Network
from vggexplorer.comparison import Remark
from vggexplorer.lessons.asks import Choice, Edit, Number, Task
from vggexplorer.lessons.common import (
    BOOK,
    GAP,
    SMALL,
    halvings,
    num_convolutions,
    other_input,
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


def _pools() -> list[Remark]:
    remarks = []
    for side in (BOOK[1], SMALL[1], 28):
        most = most_convolutions(side)
        values = {
            "side": side,
            "sides": halvings(Architecture((Block(1, 1),) * most, GAP), (1, side, side)),
            "log": f"{log2(side):.2f}",
            "most": most,
        }
        remarks.append(Remark("{side} pixels: {sides}. log₂ {side} = {log}, rounded down {most}.", values))
    return remarks


POOLS = Task(
    key="pools",
    title=Remark("A pool after each convolution"),
    question=Remark(
        "Suppose that each convolution is followed by a 2×2 pool with stride 2. How many convolutions can a network "
        "for pictures of d×d pixels have at most?"
    ),
    start={"arch": "1x64,1x128,1x256", "input": "1x224x224"},
    bench=("drawing", "layers"),
    asks=(
        Number("large", Remark("At most how many, for 224 pixels?"), lambda: most_convolutions(BOOK[1])),
        Number("small", Remark("And for Fashion-MNIST's own 28 pixels?"), lambda: most_convolutions(28)),
        Choice(
            "formula",
            Remark("And for d pixels?"),
            (Remark("d / 2"), Remark("√d, rounded down"), Remark("log₂ d, rounded down"), Remark("d − 2")),
            lambda: 2,
        ),
        Edit(
            "edit",
            Remark("Build it for 224 pixels, with as many convolutions as possible."),
            _pool_after_each,
            {"arch": "1x16,1x16,1x32,1x32,1x64,1x64,1x128"},
        ),
    ),
    hints=(
        Remark("Each pool halves the side and rounds down; the last one must find 2 pixels."),
        Remark("Add blocks in the sidebar until the page says that the input is too small."),
    ),
    working=_pools,
    terms=("pooling", "feature map"),
)
