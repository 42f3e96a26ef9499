"""Tasks 12 and 13: what a text says of AlexNet, and what came before it."""

from math import exp, log2

from vggexplorer.architectures import NETWORKS, Architecture, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, exact, percent
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Number, Task
from vggexplorer.lessons.common import (
    SINGLE,
    convolutions,
    count_of,
    named,
)
from vggexplorer.summary import summarize

# --- 12: nearly a gigabyte ------------------------------------------------------------------------------------------


def hidden_weights() -> int:
    """The weights of AlexNet's two hidden layers, biases not counted."""
    rows = [row for row in named("AlexNet").rows if row.kind == Kind.LINEAR][:2]
    return sum(row.weights for row in rows)


def _gigabyte() -> list[Remark]:
    rows = [row for row in named("AlexNet").rows if row.kind == Kind.LINEAR][:2]
    terms = [row.layer.param_terms(row.input_shape)[0] for row in rows]
    size = SINGLE * hidden_weights()
    return [
        Remark(
            "{first} + {second} = {weights} weights.",
            {
                "first": " × ".join(map(str, terms[0])),
                "second": " × ".join(map(str, terms[1])),
                "weights": exact(hidden_weights()),
            },
        ),
        Remark(
            "{weights} × {bytes} bytes = {size} in float32: {share} of a gigabyte.",
            {
                "weights": exact(hidden_weights()),
                "bytes": SINGLE,
                "size": decimal_size(size),
                "share": percent(size, 1e9),
            },
        ),
        Remark("Even with a gradient and a momentum for each weight it is {size}.", {"size": decimal_size(3 * size)}),
    ]


GIGABYTE = Task(
    key="gigabyte",
    title=Remark("“Nearly 1 GB of parameters”"),
    question=Remark(
        "A text says: “The two hidden layers of AlexNet hold nearly 1 GB of parameters.” Check it for the book's "
        "AlexNet with an input of 1×224×224, in float32 (4 bytes a number)."
    ),
    start={"arch": "alexnet"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            "weights",
            Remark("How many weights do the two hidden layers have (with or without biases)?"),
            hidden_weights,
            tolerance=0.0005,
        ),
        Number(
            "size",
            Remark("How many MB (10⁶ bytes) is that in float32?"),
            lambda: SINGLE * hidden_weights() / 1e6,
            unit="MB",
            tolerance=0.002,
            slips=lambda: [(SINGLE * hidden_weights() / 2**20, Remark("That is in MiB, of 1,048,576 bytes."))],
        ),
        Choice(
            "verdict",
            Remark("What do you say about the text?"),
            (
                Remark("It is right."),
                Remark("It is wrong: it is about a sixth of that."),
                Remark("It is wrong: it is about ten times that."),
            ),
            lambda: min(range(3), key=lambda place: abs(log2(SINGLE * hidden_weights() / (1e9, 1e9 / 6, 1e10)[place]))),
        ),
    ),
    hints=(
        Remark("Choose a linear layer in the drawing: the panel shows the product."),
        Remark("The hidden layers are the first two of the three linear layers."),
    ),
    working=_gigabyte,
    terms=("parameter", "linear", "byte"),
)


# --- 13: from LeNet to AlexNet ------------------------------------------------------------------------------------


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
