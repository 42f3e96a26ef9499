"""How far a network is from a column of Table 1 in Simonyan and Zisserman (2014)."""

from collections.abc import Sequence

from vggexplorer.architectures import NETWORKS, Architecture, Head, Network
from vggexplorer.comparison import Remark
from vggexplorer.layers import Conv2d
from vggexplorer.lessons.common import POOLINGS, features

MOST = 6
"""The most differences that are listed."""


def distance(network: Network, column: str) -> list[Remark]:
    """What must still change for the network to be the paper's `column`, such as "VGG-16"; empty if it is that.

    Blocks are told by their pooling, so that it does not matter how the editor's rows are cut. The input and the
    number of classes are free.
    """
    own, paper = network.architecture, NETWORKS[column].architecture
    hidden = Head().hidden
    parts, others = _parts(own), _parts(paper)
    if len(parts) != len(others):
        values = {"own": len(parts), "paper": len(others)}
        return [Remark("The network has {own} {own:pooling|poolings}, the paper {paper}.", values)]
    remarks = [remark for place in range(len(parts)) for remark in _block(place + 1, parts[place], others[place])]
    if not remarks and features(own) != features(paper):
        remarks.append(Remark("The convolutions are the paper's, but not all other layers between them."))
    if not isinstance(own.head, Head) or own.head.hidden != hidden or own.head.pooling == "gap":
        remarks.append(
            Remark(
                "The paper's head has hidden layers of {hidden} units, no global pool.",
                {"hidden": ", ".join(map(str, hidden))},
            )
        )
    return remarks[:MOST]


def _parts(architecture: Architecture) -> list[list[Conv2d]]:
    """The convolutions before each pooling layer."""
    parts: list[list[Conv2d]] = [[]]
    for layer in features(architecture):
        if isinstance(layer, Conv2d):
            parts[-1].append(layer)
        elif layer.kind in POOLINGS:
            parts.append([])
    return parts if parts[-1] else parts[:-1]


def _block(place: int, own: Sequence[Conv2d], paper: Sequence[Conv2d]) -> list[Remark]:
    if len(own) != len(paper):
        values = {"block": place, "own": len(own), "paper": len(paper)}
        return [Remark("Block {block}: convolutions {own}, in the paper {paper}.", values)]
    remarks = []
    for number, (mine, theirs) in enumerate(zip(own, paper, strict=True), 1):
        at = {"block": place, "number": number}
        if mine.out_channels != theirs.out_channels:
            values = at | {"own": mine.out_channels, "paper": theirs.out_channels}
            remarks.append(
                Remark(
                    "Block {block}, convolution {number}: {own} {own:channel|channels}, in the paper {paper}.", values
                )
            )
        if mine.kernel_size != theirs.kernel_size:
            values = at | {"own": mine.kernel_size, "paper": theirs.kernel_size}
            remarks.append(
                Remark("Block {block}, convolution {number}: kernel {own}×{own}, in the paper {paper}×{paper}.", values)
            )
    return remarks
