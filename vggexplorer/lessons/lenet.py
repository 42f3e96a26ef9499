"""From LeNet to AlexNet."""

from math import exp

from vggexplorer.architectures import NETWORKS, Architecture, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Edit, Number, Task
from vggexplorer.lessons.common import (
    convolutions,
    count_of,
    named,
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


def _lenet() -> list[Remark]:
    remarks = []
    for name in ("LeNet", "AlexNet"):
        network = NETWORKS[name]
        summary = summarize(*network)
        values = {
            "name": name,
            "shape": shape_text(network.input_shape),
            "layers": count_of(summary, Kind.CONV2D, Kind.LINEAR),
            "params": exact(summary.totals.params),
            "macs": exact(summary.totals.macs),
        }
        remarks.append(
            Remark("{name}, input {shape}: {layers} layers with weights, {params} parameters, {macs} MACs.", values)
        )
    return [
        *remarks,
        Remark(
            "The sigmoid's slope is s (1 − s): {top} at 0, {far} at 10. Through {count} sigmoids at most {all} of a "
            "gradient is left; ReLU has slope 1 wherever it is active.",
            {
                "top": sigmoid_slope(0),
                "far": f"{sigmoid_slope(10):.2e}",
                "count": _sigmoids(),
                "all": f"{sigmoid_slope(0) ** _sigmoids():.4f}",
            },
        ),
    ]


LENET = Task(
    key="lenet",
    title=Remark("From LeNet to AlexNet"),
    question=Remark(
        "Fourteen years lie between them. What has grown, what has changed, and why did the sigmoid have to go? Try "
        "how steep it is far from zero."
    ),
    start={"arch": "lenet"},
    bench=("sigmoid", "drawing", "layers"),
    asks=(
        Number(
            "params",
            Remark("How many times as many parameters does AlexNet (224×224 input) have as LeNet (28×28 input)?"),
            lambda: named("AlexNet").totals.params / summarize(*_LENET).totals.params,
            unit="×",
            tolerance=0.01,
        ),
        Number(
            "layers",
            Remark("How many more layers with weights has AlexNet?"),
            lambda: (
                count_of(named("AlexNet"), Kind.CONV2D, Kind.LINEAR)
                - count_of(summarize(*_LENET), Kind.CONV2D, Kind.LINEAR)
            ),
        ),
        Number(
            "slope",
            Remark("What is the slope of the sigmoid at x = 10?"),
            lambda: sigmoid_slope(10),
            tolerance=0.02,
            slips=lambda: [(sigmoid(10), Remark("That is the sigmoid's value; its slope is asked for."))],
        ),
        Number(
            "four",
            Remark("At best, which share of a gradient passes all the sigmoids of LeNet, in per cent?"),
            lambda: 100 * sigmoid_slope(0) ** _sigmoids(),
            unit="%",
            tolerance=0.03,
        ),
        Edit(
            "edit",
            Remark("Give LeNet what AlexNet brought: ReLU, max pooling, dropout."),
            _modern,
            {"arch": "1x6:k5,1x16:k5:p0", "input": "1x28x28", "hidden": "120,84", "dropout": "0.5"},
        ),
    ),
    hints=(
        Remark("Choose AlexNet in the sidebar to read off its figures, then Undo."),
        Remark("Where is the sigmoid steepest? Each layer multiplies the gradient by its slope."),
        Remark("The activation is at the end of the sidebar; pooling is among More columns."),
    ),
    working=_lenet,
    terms=("sigmoid", "relu", "gradient", "dropout"),
)
