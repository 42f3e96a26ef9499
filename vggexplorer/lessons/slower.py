"""Why VGG is slower and needs more memory."""

import re
from collections.abc import Sequence

from vggexplorer.comparison import Remark, why
from vggexplorer.formatting import ratio
from vggexplorer.lessons.asks import Choice, Number, Order, Task
from vggexplorer.lessons.common import (
    entry,
    named,
    times_alexnet,
)
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import Summary

_LAYERS = ("features.0", "features.3", "features.8", "classifier.0")


def by_macs(summary: Summary, names: Sequence[str]) -> tuple[int, ...]:
    """The places of the layers called `names`, the one with the most MACs first."""
    macs = {row.name: row.macs for row in summary.rows}
    return tuple(sorted(range(len(names)), key=lambda place: -macs[names[place]]))


def published_speed(recipe: str) -> float:
    """The examples a second that the book printed for its own run with `recipe`."""
    found = re.search(r"([0-9.]+) examples/sec", PUBLISHED[recipe].runs[0][1])
    return float(found[1]) if found else 0.0


def _slower() -> list[Remark]:
    slim, alexnet = named("VGG-11 slim").totals, named("AlexNet").totals
    return [
        *why(entry("AlexNet"), entry("VGG-11")),
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
    ]


SLOWER = Task(
    key="slower",
    title=Remark("Why VGG is slower and larger than AlexNet"),
    question=Remark(
        "Trained in the same way, VGG-11 takes more time and more memory than AlexNet. Take the two apart: by part, "
        "by layer, and by the time that was measured."
    ),
    start={"arch": "vgg11"},
    beside=({"arch": "alexnet"},),
    bench=("compare", "stages", "time", "layers"),
    asks=(
        Number(
            "macs",
            Remark("How many times as many MACs does VGG-11 need as AlexNet?"),
            lambda: times_alexnet("macs"),
            unit="×",
            tolerance=0.01,
        ),
        Order(
            "layers",
            Remark("Put these layers of VGG-11 in order, the one with the most MACs first."),
            tuple(Remark("{name}", {"name": name}) for name in _LAYERS),
            lambda: by_macs(named("VGG-11"), _LAYERS),
        ),
        Number(
            "memory",
            Remark("Training keeps the activations. How many times as many does VGG-11 have as AlexNet?"),
            lambda: times_alexnet("activations"),
            unit="×",
            tolerance=0.01,
        ),
        Choice(
            "time",
            Remark(
                "The slim VGG-11 does about half of AlexNet's MACs, but the book's run of it made fewer examples a "
                "second. Which figure goes with the time?"
            ),
            (
                Remark("It has more parameters to update."),
                Remark("Its fully connected part does more MACs."),
                Remark("It has more activations to write and to read."),
                Remark("It has more classes."),
            ),
            lambda: 2,
        ),
    ),
    hints=(
        Remark("The table of totals has the ratios; look at the stages for where the difference comes from."),
        Remark("Look at the stride of each network's first convolution: how many positions does it leave?"),
        Remark("Choose VGG-11 slim in the sidebar, and compare each of its totals with AlexNet's."),
    ),
    working=_slower,
    terms=("mac", "activation", "stride"),
)
