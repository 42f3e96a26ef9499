"""From LeNet to AlexNet."""

from collections.abc import Sequence
from math import exp

from vggexplorer.architectures import NETWORKS, Architecture, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Edit, Number, Task, Theme
from vggexplorer.lessons.common import (
    convolutions,
    count_of,
    named,
    quotient,
)
from vggexplorer.summary import summarize


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def sigmoid_slope(x: float) -> float:
    """The derivative of the sigmoid at x: s(x) (1 - s(x)) = s(x) s(-x), which loses no digits."""
    return sigmoid(x) * sigmoid(-x)


_LENET = NETWORKS["LeNet"]


def _sigmoids() -> int:
    return count_of(summarize(*_LENET), Kind.SIGMOID)


def _sizes(architecture: Architecture) -> list[tuple[int, int]]:
    return [(layer.kernel_size, layer.out_channels) for layer in convolutions(architecture)]


def _modern(network: Network) -> list[Remark]:
    architecture, remarks = network.architecture, []
    if _sizes(architecture) != _sizes(_LENET.architecture):
        remarks.append(Remark("The numbers of convolutions and channels are not LeNet's any more."))
    kinds = [layer.kind for _, _, layer in architecture.named_layers()]
    if Kind.SIGMOID in kinds:
        remarks.append(Remark("The activation is still the sigmoid."))
    if kinds.count(Kind.MAX_POOL2D) != kinds.count(Kind.CONV2D):
        remarks.append(Remark("Not every block ends with max pooling."))
    if not architecture.dropout:
        remarks.append(Remark("The head has no dropout."))
    return remarks


def _counted(name: str) -> Remark:
    network = NETWORKS[name]
    summary = summarize(*network)
    values = {
        "name": name,
        "shape": shape_text(network.input_shape),
        "layers": count_of(summary, Kind.CONV2D, Kind.LINEAR),
        "params": exact(summary.totals.params),
        "macs": exact(summary.totals.macs),
    }
    return Remark("{name}, input {shape}: {layers} layers with weights, {params} parameters, {macs} MACs.", values)


def _both() -> Sequence[Remark]:
    return tuple(map(_counted, ("LeNet", "AlexNet")))


def _grown() -> Sequence[Remark]:
    return (quotient(named("AlexNet").totals.params, summarize(*_LENET).totals.params), *_both())


def _slope() -> Sequence[Remark]:
    values = {"top": sigmoid_slope(0), "far": f"{sigmoid_slope(10):.2e}"}
    return (Remark("The sigmoid's slope is s (1 − s): {top} at 0, {far} at 10.", values),)


def _through() -> Sequence[Remark]:
    values = {
        "top": sigmoid_slope(0),
        "count": _sigmoids(),
        "all": f"{sigmoid_slope(0) ** _sigmoids():.4f}",
    }
    return (
        Remark(
            "Through {count} sigmoids at most {top}, each time, of a gradient is left: {all} in the end; ReLU has "
            "slope 1 wherever it is active.",
            values,
        ),
    )


LENET = Task(
    key="lenet",
    title=Remark("From LeNet to AlexNet"),
    theme=Theme.STRUCTURE,
    minutes=8,
    question=Remark(
        "Fourteen years lie between them. What has grown, what has changed, and why did the sigmoid have to go? Try "
        "how steep it is far from zero."
    ),
    start={"arch": "lenet"},
    bench=("editor", "drawing", "layers"),
    asks=(
        Number(
            key="params",
            text=Remark("How many times as many parameters does AlexNet (224×224 input) have as LeNet (28×28 input)?"),
            answer=lambda: named("AlexNet").totals.params / summarize(*_LENET).totals.params,
            reason=_grown,
            unit="×",
            predict=True,
        ),
        Number(
            key="layers",
            text=Remark("How many more layers with weights has AlexNet?"),
            answer=lambda: (
                count_of(named("AlexNet"), Kind.CONV2D, Kind.LINEAR)
                - count_of(summarize(*_LENET), Kind.CONV2D, Kind.LINEAR)
            ),
            reason=_both,
        ),
        Number(
            key="slope",
            text=Remark("What is the slope of the sigmoid at x = 10?"),
            answer=lambda: sigmoid_slope(10),
            reason=_slope,
            slips=lambda: [(sigmoid(10), Remark("That is the sigmoid's value; its slope is asked for."))],
            bench=("sigmoid",),
        ),
        Number(
            key="four",
            text=Remark("At best, which share of a gradient passes all the sigmoids of LeNet, in per cent?"),
            answer=lambda: 100 * sigmoid_slope(0) ** _sigmoids(),
            reason=_through,
            unit="%",
            bench=("sigmoid", "layers"),
        ),
        Edit(
            key="edit",
            text=Remark("Give LeNet what AlexNet brought: ReLU, max pooling, dropout."),
            missing=_modern,
            solution={"arch": "1x6:k5,1x16:k5:p0", "input": "1x28x28", "hidden": "120,84", "dropout": "0.5"},
            reason=lambda network: [
                Remark(
                    "{params} parameters, as before: none of it costs any.",
                    {"params": exact(summarize(*network).totals.params)},
                )
            ],
        ),
    ),
    hints=(
        Remark("Choose AlexNet in the editor to read off its figures, then Undo."),
        Remark("Where is the sigmoid steepest? Each layer multiplies the gradient by its slope."),
        Remark("The activation is at the end of the editor; pooling is among More columns."),
    ),
    terms=("sigmoid", "relu", "gradient", "dropout"),
)
