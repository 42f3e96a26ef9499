"""Where the parameters sit."""

from collections.abc import Sequence

from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.lessons.common import named, quotient, times_alexnet
from vggexplorer.summary import Summary

_HOLDERS = {
    "features.18": Option(
        Remark("the last convolution"),
        Remark("Its kernels are used at every position of the picture: it needs few weights."),
    ),
    "classifier.0": Option(
        Remark("the first linear layer"),
        Remark("Flatten makes an input of each position of each channel, and each has a weight to each output."),
    ),
    "classifier.3": Option(
        Remark("the second linear layer"), Remark("It has as many outputs as the first one, but far fewer inputs.")
    ),
    "classifier.6": Option(Remark("the output layer"), Remark("It has only ten outputs.")),
}


def largest(summary: Summary, names: Sequence[str]) -> int:
    """The place of the layer with the most parameters."""
    params = {row.name: row.params for row in summary.rows}
    return max(range(len(names)), key=lambda place: params[names[place]])


def _parts(name: str) -> Remark:
    totals = named(name).totals
    values = {
        "name": name,
        "params": exact(totals.params),
        "conv": exact(totals.conv_params),
        "fc": exact(totals.fc_params),
        "share": percent(totals.fc_params, totals.params),
    }
    return Remark("{name}: {conv} + {fc} = {params} parameters; {share} are fully connected.", values)


def _top(name: str) -> Remark:
    top = max(named(name).rows, key=lambda row: row.params)
    values = {"name": name, "inputs": exact(top.input_shape[0]), "most": exact(top.params)}
    return Remark("{name}: its first linear layer has {inputs} inputs and {most} parameters.", values)


PARAMETERS = Task(
    key="parameters",
    title=Remark("Where the parameters sit"),
    theme=Theme.COST,
    minutes=6,
    question=Remark("Count the parameters of AlexNet and VGG-11, and find the layers that hold them."),
    start={"arch": "vgg11"},
    beside=({"arch": "alexnet"},),
    bench=("compare",),
    asks=(
        Number(
            key="share",
            text=Remark("What share of VGG-11's parameters is in the fully connected part, in per cent?"),
            answer=lambda: 100 * named("VGG-11").totals.fc_params / named("VGG-11").totals.params,
            reason=lambda: [_parts("VGG-11")],
            unit="%",
            predict=True,
            bench=("totals", "charts"),
        ),
        Number(
            key="ratio",
            text=Remark("How many times as many parameters does VGG-11 have as AlexNet?"),
            answer=lambda: times_alexnet("params"),
            reason=lambda: [quotient(named("VGG-11").totals.params, named("AlexNet").totals.params)],
            unit="×",
        ),
        Choice(
            key="layer",
            text=Remark("Which single layer of VGG-11 holds the most of them?"),
            options=tuple(_HOLDERS.values()),
            answer=lambda: largest(named("VGG-11"), tuple(_HOLDERS)),
            figures=lambda: [_top("VGG-11")],
            bench=("layers",),
        ),
        Number(
            key="convolutions",
            text=Remark("How many parameters do AlexNet's convolutions have?"),
            answer=lambda: named("AlexNet").totals.conv_params,
            reason=lambda: [_parts("AlexNet"), _top("AlexNet")],
        ),
    ),
    hints=(
        Remark("The layer table has a column of shares; the longest bar is the answer."),
        Remark("A linear layer has inputs × outputs weights. How many inputs does Flatten make?"),
    ),
    terms=("parameter", "linear", "flatten"),
)
