"""Nearly a gigabyte."""

from collections.abc import Sequence
from math import log2

from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, exact, percent
from vggexplorer.layers import Kind
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.lessons.common import (
    SINGLE,
    named,
)


def hidden_weights() -> int:
    """The weights of AlexNet's two hidden layers, biases not counted."""
    rows = [row for row in named("AlexNet").rows if row.kind == Kind.LINEAR][:2]
    return sum(row.weights for row in rows)


def _weights() -> Sequence[Remark]:
    rows = [row for row in named("AlexNet").rows if row.kind == Kind.LINEAR][:2]
    terms = [row.layer.param_terms(row.input_shape)[0] for row in rows]
    return (
        Remark(
            "{first} + {second} = {weights} weights.",
            {
                "first": " × ".join(map(str, terms[0])),
                "second": " × ".join(map(str, terms[1])),
                "weights": exact(hidden_weights()),
            },
        ),
    )


def _size() -> Sequence[Remark]:
    size = SINGLE * hidden_weights()
    return (
        Remark(
            "With {bytes} bytes a weight they take {size}: {share} of a gigabyte.",
            {"bytes": SINGLE, "size": decimal_size(size), "share": percent(size, 1e9)},
        ),
    )


def _in_training() -> Sequence[Remark]:
    values = {"size": decimal_size(3 * SINGLE * hidden_weights())}
    return (Remark("Even with a gradient and a momentum for each weight it is {size}.", values),)


GIGABYTE = Task(
    key="gigabyte",
    title=Remark("“Nearly 1 GB of parameters”"),
    theme=Theme.COST,
    minutes=5,
    question=Remark(
        "A text says: “The two hidden layers of AlexNet hold nearly 1 GB of parameters.” Check it for the book's "
        "AlexNet with an input of 1×224×224, in float32 (4 bytes a number)."
    ),
    start={"arch": "alexnet"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            key="size",
            text=Remark("How many MB (10⁶ bytes) do the weights of the two hidden layers take?"),
            answer=lambda: SINGLE * hidden_weights() / 1e6,
            reason=_size,
            unit="MB",
            predict=True,
        ),
        Number(
            key="weights",
            text=Remark("How many weights do the two hidden layers have (with or without biases)?"),
            answer=hidden_weights,
            reason=_weights,
        ),
        Choice(
            key="verdict",
            text=Remark("What do you say about the text?"),
            options=(
                Option(Remark("It is right."), Remark("Multiply the weights by four bytes each.")),
                Option(Remark("It is wrong: it is about a sixth of that."), Remark("The text is off by that much.")),
                Option(
                    Remark("It is wrong: it is about ten times that."),
                    Remark("It is less than the text says, not more."),
                ),
            ),
            answer=lambda: min(
                range(3), key=lambda place: abs(log2(SINGLE * hidden_weights() / (1e9, 1e9 / 6, 1e10)[place]))
            ),
            figures=lambda: [*_size(), *_in_training()],
        ),
    ),
    hints=(
        Remark("Choose a linear layer in the drawing: the panel shows the product."),
        Remark("The hidden layers are the first two of the three linear layers."),
    ),
    terms=("parameter", "linear", "byte"),
)
