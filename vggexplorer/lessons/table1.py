"""The paper's table 1."""

from collections.abc import Sequence
from dataclasses import replace

from vggexplorer.architectures import CONV_ARCHS, NETWORKS, blocks
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact
from vggexplorer.layers import Shape
from vggexplorer.lessons.asks import Edit, Number, Task, Theme
from vggexplorer.lessons.common import named, quotient
from vggexplorer.lessons.paper import distance
from vggexplorer.notation import format_arch, format_items
from vggexplorer.summary import summarize

COLUMNS = {"D": "VGG-16", "E": "VGG-19", "B": "VGG-13", "C": "VGG-16-C"}
"""The columns of Table 1 that are to be built, with our names of them."""
IMAGENET: Shape = (3, 224, 224)
_THOUSAND = 1000


def millions(name: str) -> int:
    """Parameters as Table 2 of the paper gives them: with ImageNet's input and classes, in millions, rounded."""
    architecture = replace(NETWORKS[name].architecture, num_classes=_THOUSAND)
    return round(summarize(architecture, IMAGENET).totals.params / 1e6)


def _column(column: str, name: str) -> Remark:
    return Remark(
        "Column {column}, {name}: {blocks}; {millions} million parameters with the paper's input and classes.",
        {
            "column": column,
            "name": name,
            "blocks": format_items(blocks(CONV_ARCHS[name])).replace(",", " "),
            "millions": millions(name),
        },
    )


def _more_params() -> Sequence[Remark]:
    own, base = named("VGG-19").totals, named("VGG-11").totals
    return (
        quotient(own.params, base.params),
        Remark(
            "The convolutions have {own} parameters instead of {base}; the head has {fc}, and stays as it is.",
            {"own": exact(own.conv_params), "base": exact(base.conv_params), "fc": exact(own.fc_params)},
        ),
    )


def _in_paper(column: str, name: str) -> Edit:
    architecture = NETWORKS[name].architecture
    return Edit(
        key=column,
        text=Remark("Build column {column}, {name}.", {"column": column, "name": name}),
        missing=lambda network: distance(network, name),
        solution={"arch": format_arch(architecture)},
        reason=lambda _: [_column(column, name)],
    )


TABLE1 = Task(
    key="table1",
    title=Remark("The other networks of the paper's Table 1"),
    theme=Theme.STRUCTURE,
    minutes=8,
    question=Remark(
        "VGG-11 is column A of Table 1 in Simonyan and Zisserman's paper. Build the others from it, block by block: "
        "each check says how far you are from the paper."
    ),
    start={"arch": "vgg11"},
    bench=("editor", "drawing", "totals"),
    asks=(
        Number(
            key="more",
            text=Remark(
                "VGG-19, column E, has eight convolutions more than VGG-11. How many per cent more parameters does it "
                "have?"
            ),
            answer=lambda: 100 * (named("VGG-19").totals.params / named("VGG-11").totals.params - 1),
            reason=_more_params,
            unit="%",
            predict=True,
            bench=("compare",),
        ),
        *(_in_paper(column, name) for column, name in COLUMNS.items()),
    ),
    hints=(
        Remark("All columns have five blocks with the same channels; they differ in the number of convolutions."),
        Remark(
            "Column D has {convs} convolutions in its blocks.",
            {"convs": ", ".join(str(count) for count, _ in CONV_ARCHS["VGG-16"])},
        ),
        Remark(
            "In C, the last convolution of a block of three is 1×1. Turn on More columns; a row without pooling and "
            "the row below it are one block."
        ),
    ),
    beside=({"arch": "vgg19"},),
    terms=("block", "convolution", "pooling"),
)
