"""Why VGG is slower and needs more memory."""

import re
from collections.abc import Sequence

from vggexplorer.comparison import Remark, why
from vggexplorer.formatting import exact, ratio
from vggexplorer.lessons.asks import Choice, Number, Option, Order, Task, Theme
from vggexplorer.lessons.common import entry, named, quotient, times_alexnet
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import Summary

_LAYERS = {
    "features.0": Remark("the convolution of block {block}", {"block": 1}),
    "features.3": Remark("the convolution of block {block}", {"block": 2}),
    "features.8": Remark("the second convolution of block {block}", {"block": 3}),
    "classifier.0": Remark("the first linear layer"),
}


def by_macs(summary: Summary, names: Sequence[str]) -> tuple[int, ...]:
    """The places of the layers called `names`, the one with the most MACs first."""
    macs = {row.name: row.macs for row in summary.rows}
    return tuple(sorted(range(len(names)), key=lambda place: -macs[names[place]]))


def published_speed(recipe: str) -> float:
    """The examples a second that the book printed for its own run with `recipe`."""
    found = re.search(r"([0-9.]+) examples/sec", PUBLISHED[recipe].runs[0][1])
    return float(found[1]) if found else 0.0


def _macs() -> Sequence[Remark]:
    counted = quotient(named("VGG-11").totals.macs, named("AlexNet").totals.macs)
    headline, *_ = why(entry("AlexNet"), entry("VGG-11"))  # what follows has the answer to a later question
    return (counted, headline)


def _products() -> Sequence[Remark]:
    rows = {row.name: row for row in named("VGG-11").rows}
    names = list(_LAYERS)
    found = [rows[names[place]] for place in by_macs(named("VGG-11"), names)]
    return [
        Remark(
            "{product} = {macs} MACs.",
            {
                "product": " + ".join(" × ".join(map(exact, term)) for term in row.layer.mac_terms(row.input_shape)),
                "macs": exact(row.macs),
            },
        )
        for row in found
    ]


def _activations() -> Sequence[Remark]:
    return (quotient(named("VGG-11").totals.activations, named("AlexNet").totals.activations),)


def _time() -> Sequence[Remark]:
    slim, alexnet = named("VGG-11 slim").totals, named("AlexNet").totals
    return (
        Remark(
            "The slim VGG-11 does {macs} AlexNet's MACs, but has {activations} its activations; the book's own runs "
            "made {own} and {base} examples a second.",
            {
                "macs": ratio(slim.macs, alexnet.macs),
                "activations": ratio(slim.activations, alexnet.activations),
                "own": published_speed("d2l-vgg"),
                "base": published_speed("d2l-alexnet"),
            },
        ),
    )


SLOWER = Task(
    key="slower",
    title=Remark("Why VGG is slower and larger than AlexNet"),
    theme=Theme.COST,
    minutes=8,
    question=Remark(
        "Trained in the same way, VGG-11 takes more time and more memory than AlexNet. Take the two apart: by part, "
        "by layer, and by the time that was measured."
    ),
    start={"arch": "vgg11"},
    beside=({"arch": "alexnet"},),
    bench=("compare", "stages"),
    asks=(
        Number(
            key="macs",
            text=Remark("How many times as many MACs does VGG-11 need as AlexNet?"),
            answer=lambda: times_alexnet("macs"),
            reason=_macs,
            unit="×",
            predict=True,
        ),
        Order(
            key="layers",
            text=Remark("Put these layers of VGG-11 in order, the one with the most MACs first."),
            options=tuple(_LAYERS.values()),
            answer=lambda: by_macs(named("VGG-11"), list(_LAYERS)),
            reason=_products,
            bench=("layers",),
        ),
        Number(
            key="memory",
            text=Remark("Training keeps the activations. How many times as many does VGG-11 have as AlexNet?"),
            answer=lambda: times_alexnet("activations"),
            reason=_activations,
            unit="×",
        ),
        Choice(
            key="time",
            text=Remark(
                "The slim VGG-11 does about half of AlexNet's MACs, but the book's run of it made fewer examples a "
                "second. Which figure goes with the time?"
            ),
            options=(
                Option(
                    Remark("It has more parameters to update."),
                    Remark("It has fewer than AlexNet; and parameters are updated once a step, not for each picture."),
                ),
                Option(
                    Remark("Its fully connected part does more MACs."),
                    Remark("It does fewer: AlexNet's first linear layer has more inputs."),
                ),
                Option(
                    Remark("It has more activations to write and to read."),
                    Remark("Each activation is written and read again, and that takes time, too."),
                ),
                Option(Remark("It has more classes."), Remark("Both have ten.")),
            ),
            answer=lambda: 2,
            figures=_time,
            bench=("editor", "compare", "time"),
        ),
    ),
    hints=(
        Remark("The table of totals has the ratios; look at the stages for where the difference comes from."),
        Remark("Look at the stride of each network's first convolution: how many positions does it leave?"),
        Remark("Where there is an editor, choose VGG-11 slim, and compare each of its totals with AlexNet's."),
    ),
    terms=("mac", "activation", "stride"),
)
