"""What the tasks share: the book's networks, and what is counted of them."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from vggexplorer.architectures import NETWORKS, Architecture, Head, Network
from vggexplorer.comparison import Entry, Remark
from vggexplorer.formatting import exact, percent, ratio
from vggexplorer.layers import Conv2d, Kind, Layer, Shape, shape_text
from vggexplorer.lessons.asks import Finished
from vggexplorer.summary import DTYPES, FEATURES, Summary, summarize

SINGLE = DTYPES["float32"]
BOOK: Shape = (1, 224, 224)
"""The input of the book's networks."""
SMALL: Shape = (1, 96, 96)
"""The input that an exercise of the chapter asks for."""
POOLINGS = (Kind.MAX_POOL2D, Kind.AVG_POOL2D, Kind.ADAPTIVE_AVG_POOL2D)
"""The kinds of pooling."""
GAP = Head("gap", hidden=())
"""The smallest head: one number for each channel."""


def features(architecture: Architecture) -> list[Layer]:
    """The layers before the head, in order."""
    return [layer for name, _, layer in architecture.named_layers() if name.startswith(FEATURES)]


def convolutions(architecture: Architecture) -> list[Conv2d]:
    """The convolutions, in order."""
    return [layer for layer in features(architecture) if isinstance(layer, Conv2d)]


def named(name: str, shape: Shape = BOOK) -> Summary:
    """The costs of a named network, with the input `shape`."""
    return summarize(NETWORKS[name].architecture, shape)


def entry(name: str, shape: Shape = BOOK) -> Entry:
    """A named network as Compare has it."""
    return Entry(name, NETWORKS[name]._replace(input_shape=shape), named(name, shape), None)


def count_of(summary: Summary, *kinds: Kind) -> int:
    """How many layers are of some kinds."""
    return sum(row.kind in kinds for row in summary.rows)


def weights_of(summary: Summary, *kinds: Kind) -> int:
    """The weights of the layers of some kinds, biases not counted."""
    return sum(row.weights for row in summary.rows if row.kind in kinds)


def last_side(summary: Summary) -> int:
    """The height of the last feature maps."""
    return next(row.input_shape[1] for row in summary.rows if row.kind in (Kind.FLATTEN, Kind.ADAPTIVE_AVG_POOL2D))


def other_input(network: Network, wanted: Shape) -> list[Remark]:
    """What there is to say if the network's input is not the one that is asked for."""
    if network.input_shape == wanted:
        return []
    values = {"own": shape_text(network.input_shape), "wanted": shape_text(wanted)}
    return [Remark("The input is {own}; {wanted} is asked for.", values)]


def pairs(finished: Sequence[Finished]) -> Iterator[tuple[Finished, Finished]]:
    """The pairs of runs with the same training, data and seed."""
    for first, second in combinations(finished, 2):
        a, b = first.config, second.config
        if (a.training, a.dataset, a.seed) == (b.training, b.dataset, b.seed):
            yield first, second


def accuracies(first: Finished, second: Finished) -> Remark:
    """Both runs with their test accuracies."""
    return Remark(
        "{first}: test accuracy {own}. {second}: {other}.",
        {
            "first": first.name,
            "own": percent(first.test_acc, 1),
            "second": second.name,
            "other": percent(second.test_acc, 1),
        },
    )


def num_convolutions(architecture: Architecture) -> int:
    """How many convolutions there are."""
    return len(convolutions(architecture))


def too_few(convolutions: int, least: int) -> Remark:
    """That there are fewer convolutions than are asked for."""
    values = {"own": convolutions, "least": least}
    return Remark("There {own:is|are} {own} {own:convolution|convolutions}; at least {least} are asked for.", values)


def halvings(architecture: Architecture, shape: Shape) -> str:
    """The sides of the feature maps from pooling to pooling: '56 → 28 → 14'."""
    rows = summarize(architecture, shape).rows
    sides = [shape[1], *(row.output_shape[1] for row in rows if row.kind == Kind.MAX_POOL2D)]
    return " → ".join(map(str, sides))


def times_alexnet(field: str) -> float:
    """How many times AlexNet's total of `field` VGG-11 has."""
    return float(getattr(named("VGG-11").totals, field) / getattr(named("AlexNet").totals, field))


def quotient(own: int, base: int) -> Remark:
    """A ratio of two counts with both of them."""
    return Remark("{own} / {base} = {ratio}.", {"own": exact(own), "base": exact(base), "ratio": ratio(own, base)})


def share(part: int, whole: int) -> Remark:
    """A part of a count with both of them."""
    return Remark(
        "{part} / {whole} = {share}.", {"part": exact(part), "whole": exact(whole), "share": percent(part, whole)}
    )
