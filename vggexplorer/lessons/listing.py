"""Eight lines, eleven layers."""

from vggexplorer.comparison import Remark
from vggexplorer.layers import Kind
from vggexplorer.lessons.asks import Choice, Number, Task
from vggexplorer.lessons.common import (
    count_of,
    named,
)
from vggexplorer.summary import Summary


def lines_with_weights(summary: Summary) -> int:
    """The lines of the book's listing that have weights: blocks, and the linear layers of the head."""
    return sum(group.totals.params > 0 for group in summary.groups())


def _listing() -> list[Remark]:
    book = named("VGG-11")
    remarks = [
        Remark(
            "Block {block} holds {convs} convolutions and is one line: {hidden} of them {hidden:is|are} not seen.",
            {"block": place, "convs": block.num_convs, "hidden": block.num_convs - 1},
        )
        for place, block in enumerate(book.architecture.blocks, 1)
        if block.num_convs > 1
    ]
    for name in ("VGG-11", "VGG-16"):
        summary = named(name)
        lines, layers = lines_with_weights(summary), count_of(summary, Kind.CONV2D, Kind.LINEAR)
        values = {"name": name, "lines": lines, "hidden": layers - lines, "layers": layers}
        remarks.append(Remark("{name}: {lines} lines + {hidden} hidden = {layers} layers with weights.", values))
    return remarks


LISTING = Task(
    key="listing",
    title=Remark("Eight lines, eleven layers"),
    question=Remark(
        "The book prints one line for each block and one for each layer of the head. Eight of its lines have "
        "weights; yet the network is called VGG-11 for its eleven layers with weights. Where are the other three?"
    ),
    start={"arch": "vgg11"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            "convolutions",
            Remark("How many convolutions do the five blocks hold together?"),
            lambda: count_of(named("VGG-11"), Kind.CONV2D),
        ),
        Choice(
            "where",
            Remark("Where are the three layers that the listing does not show?"),
            (
                Remark("Between the blocks: they are poolings."),
                Remark("Inside the blocks that hold two convolutions each."),
                Remark("In the head: ReLU, Dropout and Flatten."),
                Remark("In the first linear layer, which stands for four."),
            ),
            lambda: 1,
        ),
        Number(
            "vgg16",
            Remark("How many lines with weights has the same listing of VGG-16?"),
            lambda: lines_with_weights(named("VGG-16")),
        ),
    ),
    hints=(
        Remark("Open a block in the table: what does it hold?"),
        Remark("Pooling, ReLU, Dropout and Flatten have no weights: count Conv2d and Linear."),
        Remark("Choose VGG-16 in the sidebar: does it have more blocks, or larger ones?"),
    ),
    working=_listing,
    terms=("block", "convolution", "linear"),
)
