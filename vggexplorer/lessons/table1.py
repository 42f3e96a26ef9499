"""The paper's table 1."""

from dataclasses import replace

from vggexplorer.architectures import CONV_ARCHS, NETWORKS, blocks
from vggexplorer.comparison import Remark
from vggexplorer.layers import Shape
from vggexplorer.lessons.asks import Edit, Task
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


def _table1() -> list[Remark]:
    return [
        Remark(
            "Column {column}, {name}: {blocks}; {millions} million parameters with the paper's input and classes.",
            {
                "column": column,
                "name": name,
                "blocks": format_items(blocks(CONV_ARCHS[name])).replace(",", " "),
                "millions": millions(name),
            },
        )
        for column, name in COLUMNS.items()
    ]


def _in_paper(column: str, name: str) -> Edit:
    architecture = NETWORKS[name].architecture
    return Edit(
        column,
        Remark("Build column {column}, {name}.", {"column": column, "name": name}),
        lambda network: distance(network, name),
        {"arch": format_arch(architecture)},
    )


TABLE1 = Task(
    key="table1",
    title=Remark("The other networks of the paper's Table 1"),
    question=Remark(
        "VGG-11 is column A of Table 1 in Simonyan and Zisserman's paper. Build the others from it, block by block: "
        "each check says how far you are from the paper."
    ),
    start={"arch": "vgg11"},
    bench=("drawing", "totals", "layers"),
    asks=tuple(_in_paper(column, name) for column, name in COLUMNS.items()),
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
    working=_table1,
    terms=("block", "convolution", "pooling"),
)
