"""Parameters."""

from collections.abc import Sequence

from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.lessons.asks import Choice, Number, Task
from vggexplorer.lessons.common import (
    named,
    times_alexnet,
)
from vggexplorer.summary import Summary

_HOLDERS = {
    "features.18": Remark("the last convolution"),
    "classifier.0": Remark("the first linear layer"),
    "classifier.3": Remark("the second linear layer"),
    "classifier.6": Remark("the output layer"),
}


def largest(summary: Summary, names: Sequence[str]) -> int:
    """The place of the layer with the most parameters."""
    params = {row.name: row.params for row in summary.rows}
    return max(range(len(names)), key=lambda place: params[names[place]])


def _parameters() -> list[Remark]:
    remarks = []
    for name in ("AlexNet", "VGG-11"):
        summary = named(name)
        totals, top = summary.totals, max(summary.rows, key=lambda row: row.params)
        values = {
            "name": name,
            "params": exact(totals.params),
            "conv": exact(totals.conv_params),
            "fc": exact(totals.fc_params),
            "share": percent(totals.fc_params, totals.params),
            "inputs": exact(top.input_shape[0]),
            "most": exact(top.params),
        }
        remarks.append(Remark("{name}: {conv} + {fc} = {params} parameters; {share} are fully connected.", values))
        remarks.append(Remark("{name}: its first linear layer has {inputs} inputs and {most} parameters.", values))
    return remarks


PARAMETERS = Task(
    key="parameters",
    title=Remark("Where the parameters sit"),
    question=Remark("Count the parameters of AlexNet and VGG-11, and find the layers that hold them."),
    start={"arch": "vgg11"},
    beside=({"arch": "alexnet"},),
    bench=("compare", "layers", "charts"),
    asks=(
        Number(
            "ratio",
            Remark("How many times as many parameters does VGG-11 have as AlexNet?"),
            lambda: times_alexnet("params"),
            unit="×",
            tolerance=0.01,
        ),
        Choice(
            "layer",
            Remark("Which single layer of VGG-11 holds the most of them?"),
            tuple(_HOLDERS.values()),
            lambda: largest(named("VGG-11"), tuple(_HOLDERS)),
        ),
        Number(
            "share",
            Remark("What share of VGG-11's parameters is in the fully connected part, in per cent?"),
            lambda: 100 * named("VGG-11").totals.fc_params / named("VGG-11").totals.params,
            unit="%",
            tolerance=0.005,
        ),
        Number(
            "convolutions",
            Remark("How many parameters do AlexNet's convolutions have?"),
            lambda: named("AlexNet").totals.conv_params,
            tolerance=0.01,
        ),
    ),
    hints=(
        Remark("The layer table has a column of shares; the longest bar is the answer."),
        Remark("A linear layer has inputs × outputs weights. How many inputs does Flatten make?"),
    ),
    working=_parameters,
    terms=("parameter", "linear", "flatten"),
)
