"""Eight lines, eleven layers: what the book's listing shows of VGG-11."""

from collections.abc import Sequence

from vggexplorer.comparison import Remark
from vggexplorer.layers import Kind
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.lessons.common import count_of, named, quotient
from vggexplorer.summary import Summary


def lines_with_weights(summary: Summary) -> int:
    """The lines of the book's listing that have weights: blocks, and the linear layers of the head."""
    return sum(group.totals.params > 0 for group in summary.groups())


def _deeper() -> Sequence[Remark]:
    return (
        quotient(named("VGG-16").totals.macs, named("VGG-11").totals.macs),
        Remark("A block is one line, however many convolutions it holds: a listing of blocks does not show the work."),
    )


def _sum_of_blocks() -> Sequence[Remark]:
    blocks = [block.num_convs for block in named("VGG-11").architecture.blocks]
    return (Remark("{terms} = {convs} convolutions.", {"terms": " + ".join(map(str, blocks)), "convs": sum(blocks)}),)


def _hidden() -> Sequence[Remark]:
    return [
        Remark(
            "Block {block} holds {convs} convolutions and is one line: {hidden} of them {hidden:is|are} not seen.",
            {"block": place, "convs": block.num_convs, "hidden": block.num_convs - 1},
        )
        for place, block in enumerate(named("VGG-11").architecture.blocks, 1)
        if block.num_convs > 1
    ]


def _lines(name: str) -> Remark:
    summary = named(name)
    lines, layers = lines_with_weights(summary), count_of(summary, Kind.CONV2D, Kind.LINEAR)
    values = {"name": name, "lines": lines, "hidden": layers - lines, "layers": layers}
    return Remark("{name}: {lines} lines + {hidden} hidden = {layers} layers with weights.", values)


LISTING = Task(
    key="listing",
    title=Remark("Eight lines, eleven layers"),
    theme=Theme.STRUCTURE,
    minutes=5,
    question=Remark(
        "The book prints one line for each block and one for each layer of the head. Eight of its lines have "
        "weights; yet the network is called VGG-11 for its eleven layers with weights. Where are the other three?"
    ),
    start={"arch": "vgg11"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            key="deeper",
            text=Remark(
                "The listing of VGG-16 is just as long: five blocks and three linear layers. How many times VGG-11's "
                "MACs does VGG-16 do?"
            ),
            answer=lambda: named("VGG-16").totals.macs / named("VGG-11").totals.macs,
            reason=_deeper,
            unit="×",
            predict=True,
            bench=("compare",),
        ),
        Number(
            key="convolutions",
            text=Remark("How many convolutions do the five blocks hold together?"),
            answer=lambda: count_of(named("VGG-11"), Kind.CONV2D),
            reason=_sum_of_blocks,
        ),
        Choice(
            key="where",
            text=Remark("Where are the three layers that the listing does not show?"),
            options=(
                Option(
                    Remark("Between the blocks: they are poolings."),
                    Remark("A pooling layer has no weights: nothing in it is learned."),
                ),
                Option(
                    Remark("Inside the blocks that hold two convolutions each."),
                    Remark("A block's line stands for all of its convolutions."),
                ),
                Option(
                    Remark("In the head: ReLU, Dropout and Flatten."),
                    Remark("ReLU, Dropout and Flatten have no weights."),
                ),
                Option(
                    Remark("In the first linear layer, which stands for four."),
                    Remark("A linear layer is one layer with weights, however large it is."),
                ),
            ),
            answer=lambda: 1,
            figures=lambda: [*_hidden(), _lines("VGG-11")],
        ),
        Number(
            key="vgg16",
            text=Remark("How many lines with weights has the same listing of VGG-16?"),
            answer=lambda: lines_with_weights(named("VGG-16")),
            reason=lambda: [_lines("VGG-16")],
            bench=("editor", "drawing", "layers"),
        ),
    ),
    hints=(
        Remark("Open a block in the table: what does it hold?"),
        Remark("Pooling, ReLU, Dropout and Flatten have no weights: count Conv2d and Linear."),
        Remark("Where there is an editor, choose VGG-16: does it have more blocks, or larger ones?"),
    ),
    beside=({"arch": "vgg16"},),
    terms=("block", "convolution", "linear"),
)
