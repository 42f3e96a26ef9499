"""Where the named networks come from, and what one should know of them."""

from vggexplorer.architectures import NETWORKS
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact
from vggexplorer.layers import Kind
from vggexplorer.summary import summarize

BOOK = "Dive into Deep Learning"
VGG_PAPER = "Simonyan and Zisserman, 2014"

ORIGINS = {
    "LeNet": BOOK,
    "AlexNet": BOOK,
    "VGG-11": BOOK,
    "VGG-11 slim": BOOK,
    "VGG-11-160": BOOK,
    "NiN": BOOK,
    "VGG-11-LRN": VGG_PAPER,
    "VGG-13": VGG_PAPER,
    "VGG-16-C": VGG_PAPER,
    "VGG-16": VGG_PAPER,
    "VGG-19": VGG_PAPER,
    "AlexNet (2012)": "Krizhevsky et al., 2012",
    "ZFNet": "Zeiler and Fergus, 2013",
    "AlexNet (torchvision)": "torchvision",
    "VGG-16 (CIFAR)": "CIFAR-10",
    "VGG-19 (CIFAR)": "CIFAR-10",
}
"""The source of each named network; those of one source stand together, in the order in which a menu has them."""

_PAPER = {"C3": 1_516, "S2": 12, "S4": 32}
"""Trained parameters of layers of LeNet-5 in LeCun et al. (1998), section II.B: C3 is connected in part, a pool has a
coefficient and a bias for each map. The output layer has none that are trained: its distances are to fixed codes."""
_PAPERS_TOTAL = 60_000
"""The same section; what it says of the layers adds up to it: 156 + 12 + 1,516 + 32 + 48,120 + 10,164."""


def note(title: str) -> Remark | None:
    """What a person who knows a named network may wonder about."""
    if title != "LeNet":
        return None
    summary = summarize(*NETWORKS[title])
    convolutions = [row for row in summary.rows if row.kind == Kind.CONV2D]
    return Remark(
        "LeNet-5 of 1998 had {paper} trained parameters, the book's has {book}. The paper's second convolution sees a "
        "part of the maps only ({c3} parameters, here {own_c3}), its pools have a coefficient and a bias for each map "
        "({s2} + {s4}, here none), and its output layer has fixed weights (here there are {output} to train).",
        {
            "paper": exact(_PAPERS_TOTAL),
            "book": exact(summary.totals.params),
            "c3": exact(_PAPER["C3"]),
            "own_c3": exact(convolutions[1].params),
            "s2": exact(_PAPER["S2"]),
            "s4": exact(_PAPER["S4"]),
            "output": exact(summary.rows[-1].params),
        },
    )
