"""Nearly a gigabyte."""

from math import log2

from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, exact, percent
from vggexplorer.layers import Kind
from vggexplorer.lessons.asks import Choice, Number, Task
from vggexplorer.lessons.common import (
    SINGLE,
    named,
)


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
