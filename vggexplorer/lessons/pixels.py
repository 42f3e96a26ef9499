"""56 or 84 pixels."""

from collections.abc import Sequence

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import percent
from vggexplorer.layers import shape_text
from vggexplorer.lessons.asks import Edit, Finished, Number, Task, Trial
from vggexplorer.lessons.common import (
    halvings,
    last_side,
    named,
    num_convolutions,
    too_few,
)
from vggexplorer.notation import format_arch
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

SIDES = (56, 84)
_LEAST_SIDE = 3
_LEAST_ACCURACY = 0.8


_BOOKS_CONVS = num_convolutions(NETWORKS["VGG-11"].architecture)


def _fits_small_pictures(network: Network) -> list[Remark]:
    remarks = []
    if network.input_shape[1:] not in [(side, side) for side in SIDES]:
        sides = {"own": shape_text(network.input_shape), "one": SIDES[0], "other": SIDES[1]}
        remarks.append(Remark("The input is {own}; a side of {one} or {other} is asked for.", sides))
    if (convs := num_convolutions(network.architecture)) < _BOOKS_CONVS:
        remarks.append(too_few(convs, _BOOKS_CONVS))
    if (last := last_side(summarize(*network))) < _LEAST_SIDE:
        values = {"own": shape_text((last, last)), "least": shape_text((_LEAST_SIDE,) * 2)}
        remarks.append(Remark("The last feature maps are {own}; at least {least} is asked for.", values))
    return remarks


def _trained_small(finished: Sequence[Finished]) -> list[Remark]:
    low, high = PUBLISHED["d2l-vgg"].test_acc
    for run in finished:
        network = run.config.trained
        if (
            network.input_shape[1] in SIDES
            and num_convolutions(network.architecture) >= _BOOKS_CONVS
            and run.test_acc >= _LEAST_ACCURACY
        ):
            values = {
                "name": run.name,
                "side": network.input_shape[1],
                "own": percent(run.test_acc, 1),
                "low": percent(low, 1),
                "high": percent(high, 1),
            }
            return [
                Remark("{name} at {side} pixels: test accuracy {own}. The book's runs at 224: {low} to {high}.", values)
            ]
    return []


def _pixels() -> list[Remark]:
    book = NETWORKS["VGG-11"].architecture
    own = parse_network(PIXELS_SOLUTION)
    return [
        *(
            Remark(
                "{name} needs at least {side}×{side}.",
                {"name": name, "side": NETWORKS[name].architecture.min_side()},
            )
            for name in ("VGG-11", "AlexNet")
        ),
        *(
            Remark(
                "VGG-11 at {side}: {sides}, each pooling keeps a quarter of the positions.",
                {"side": side, "sides": halvings(book, (1, side, side))},
            )
            for side in SIDES
        ),
        Remark(
            "One way: {blocks} has {convs} convolutions and keeps {sides}.",
            {
                "blocks": format_arch(own.architecture).replace(",", " "),
                "convs": num_convolutions(own.architecture),
                "sides": halvings(*own),
            },
        ),
    ]


PIXELS_SOLUTION = {"arch": "1x16,1x32,2x64,2x128:nopool,2x128", "input": "1x56x56"}
PIXELS = Task(
    key="pixels",
    title=Remark("56 or 84 pixels, with the same accuracy?"),
    question=Remark(
        "Eight times enlarged, a 28×28 picture shows nothing new. Use 56 or 84 pixels: which networks can take them, "
        "what does each pooling cost, and how can there be more convolutions before one? Then train it."
    ),
    start={"arch": "vgg11-slim", "input": "1x56x56"},
    bench=("drawing", "totals", "layers", "train as it is"),
    asks=(
        Number(
            "vgg",
            Remark("How many pixels must a side have at least for VGG-11?"),
            lambda: NETWORKS["VGG-11"].architecture.min_side(),
        ),
        Number(
            "alexnet",
            Remark("And for the book's AlexNet?"),
            lambda: NETWORKS["AlexNet"].architecture.min_side(),
        ),
        Number(
            "last",
            Remark("At 56 pixels: which side have the last feature maps of VGG-11?"),
            lambda: last_side(named("VGG-11", (1, SIDES[0], SIDES[0]))),
        ),
        Edit(
            "edit",
            Remark(
                "Edit the network for 56 or 84 pixels: at least eight convolutions, and last feature maps of 3×3 "
                "or more."
            ),
            _fits_small_pictures,
            PIXELS_SOLUTION,
        ),
        Trial(
            "run",
            Remark(
                "Train such a network at 56 or 84 pixels until its test accuracy is 80 % or more. How far is it from "
                "the book's?"
            ),
            _trained_small,
        ),
    ),
    hints=(
        Remark("Make the input smaller until the page says what the network needs."),
        Remark("Turn on More columns: a block's pooling can be none."),
        Remark("A block without pooling leaves the resolution to the next one: more nonlinearities before the pool."),
    ),
    working=_pixels,
    terms=("pooling", "feature map", "convolution"),
)
