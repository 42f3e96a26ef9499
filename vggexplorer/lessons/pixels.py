"""56 or 84 pixels."""

from collections.abc import Sequence

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import percent
from vggexplorer.layers import shape_text
from vggexplorer.lessons.asks import Edit, Finished, Number, Task, Theme, Trial
from vggexplorer.lessons.common import (
    BOOK,
    halvings,
    last_side,
    named,
    num_convolutions,
    share,
    too_few,
)
from vggexplorer.notation import format_arch
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import summarize

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


_SLIM = NETWORKS["VGG-11 slim"]
PIXELS_SOLUTION = {"arch": "1x16,1x32,2x64,2x128:nopool,2x128", "input": "1x56x56"}


def _left() -> Sequence[Remark]:
    before, after = (summarize(_SLIM.architecture, (1, side, side)).totals for side in (BOOK[1], SIDES[0]))
    return (
        share(after.macs, before.macs),
        Remark(
            "The convolutions keep {conv}, as there are so many fewer positions; the fully connected part keeps {fc}: "
            "its second layer does not depend on the picture.",
            {
                "conv": percent(after.conv_macs, before.conv_macs),
                "fc": percent(after.fc_macs, before.fc_macs),
            },
        ),
    )


def _least(name: str) -> Sequence[Remark]:
    values = {"name": name, "side": NETWORKS[name].architecture.min_side()}
    return (Remark("{name} needs at least {side}×{side}.", values),)


def _halved(side: int) -> Remark:
    values = {"side": side, "sides": halvings(NETWORKS["VGG-11"].architecture, (1, side, side))}
    return Remark("VGG-11 at {side}: {sides}, each pooling keeps a quarter of the positions.", values)


def _kept(network: Network) -> Sequence[Remark]:
    values = {
        "blocks": format_arch(network.architecture).replace(",", " "),
        "convs": num_convolutions(network.architecture),
        "sides": halvings(*network),
    }
    return (Remark("{blocks} has {convs} convolutions and keeps {sides}.", values),)


PIXELS = Task(
    key="pixels",
    title=Remark("56 or 84 pixels, with the same accuracy?"),
    theme=Theme.TRAINING,
    minutes=10,
    question=Remark(
        "Eight times enlarged, a 28×28 picture shows nothing new. Use 56 or 84 pixels: which networks can take them, "
        "what does each pooling cost, and how can there be more convolutions before one? Then train it."
    ),
    start={"arch": "vgg11-slim", "input": "1x56x56"},
    bench=("editor", "drawing", "layers"),
    asks=(
        Number(
            key="left",
            text=Remark("The slim VGG-11 at 56 pixels instead of 224: what share of its MACs is left, in per cent?"),
            answer=lambda: (
                100 * named("VGG-11 slim", (1, SIDES[0], SIDES[0])).totals.macs / named("VGG-11 slim").totals.macs
            ),
            reason=_left,
            unit="%",
            predict=True,
            bench=("totals", "drawing"),
        ),
        Number(
            key="vgg",
            text=Remark("How many pixels must a side have at least for VGG-11?"),
            answer=lambda: NETWORKS["VGG-11"].architecture.min_side(),
            reason=lambda: _least("VGG-11"),
        ),
        Number(
            key="alexnet",
            text=Remark("And for the book's AlexNet?"),
            answer=lambda: NETWORKS["AlexNet"].architecture.min_side(),
            reason=lambda: _least("AlexNet"),
        ),
        Number(
            key="last",
            text=Remark("At 56 pixels: which side have the last feature maps of VGG-11?"),
            answer=lambda: last_side(named("VGG-11", (1, SIDES[0], SIDES[0]))),
            reason=lambda: list(map(_halved, SIDES)),
        ),
        Edit(
            key="edit",
            text=Remark(
                "Edit the network for 56 or 84 pixels: at least eight convolutions, and last feature maps of 3×3 "
                "or more."
            ),
            missing=_fits_small_pictures,
            solution=PIXELS_SOLUTION,
            reason=_kept,
        ),
        Trial(
            key="run",
            text=Remark(
                "Train such a network at 56 or 84 pixels until its test accuracy is 80 % or more. How far is it from "
                "the book's?"
            ),
            found=_trained_small,
            bench=("editor", "train as it is"),
        ),
    ),
    hints=(
        Remark("Make the input smaller until the page says what the network needs."),
        Remark("Turn on More columns: a block's pooling can be none."),
        Remark("A block without pooling leaves the resolution to the next one: more nonlinearities before the pool."),
    ),
    terms=("pooling", "feature map", "convolution"),
)
