"""Deep and narrow, or shallow and wide."""

from collections.abc import Sequence
from dataclasses import replace

from vggexplorer.architectures import Architecture, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.lessons.asks import Choice, Edit, Finished, Number, Option, Task, Theme, Trial
from vggexplorer.lessons.common import (
    accuracies,
    convolutions,
    num_convolutions,
    other_input,
    pairs,
    share,
    too_few,
)
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network, title

DEEP_START = {"arch": "1x64,1x128,1x256", "input": "1x56x56", "head": "gap", "hidden": "none"}
DEEP_SOLUTION = DEEP_START | {"arch": "2x32,2x64,2x128"}
_EQUAL = 0.05
_DEEPER = 2


def _widest(architecture: Architecture) -> int:
    return max((layer.out_channels for layer in convolutions(architecture)), default=0)


def _equal_cost(own: int, other: int) -> bool:
    return abs(own - other) <= _EQUAL * other


def _deep_and_narrow(network: Network) -> list[Remark]:
    wide = parse_network(DEEP_START)
    own, other = summarize(*network).totals.macs, summarize(*wide).totals.macs
    remarks = other_input(network, wide.input_shape)
    least = num_convolutions(wide.architecture) + _DEEPER
    if (convs := num_convolutions(network.architecture)) < least:
        remarks.append(too_few(convs, least))
    if _widest(network.architecture) >= _widest(wide.architecture):
        most = {"most": _widest(wide.architecture)}
        remarks.append(Remark("It is not narrower: no block may have {most} channels or more.", most))
    if not _equal_cost(own, other):
        values = {"own": exact(own), "other": exact(other), "share": percent(own, other)}
        remarks.append(Remark("It does {own} MACs, {share} of {other}; from 95 % to 105 % count as equal.", values))
    return remarks


def _deep_against_wide(finished: Sequence[Finished]) -> list[Remark]:
    for pair in pairs(finished):
        wide, deep = sorted(pair, key=lambda run: num_convolutions(run.config.network.architecture))
        (one, shape), (other, others) = wide.config.trained, deep.config.trained
        costs = [summarize(*run.config.trained).totals.macs for run in (deep, wide)]
        deeper = num_convolutions(other) >= num_convolutions(one) + _DEEPER and _widest(other) < _widest(one)
        if deeper and shape == others and _equal_cost(*costs):
            return [accuracies(deep, wide)]
    return []


def halved() -> tuple[Summary, Summary]:
    """The network that the task begins with, and the same with blocks half as wide."""
    wide = parse_network(DEEP_START)
    narrow = tuple(replace(block, out_channels=block.out_channels // 2) for block in wide.architecture.blocks)
    return summarize(*wide), summarize(replace(wide.architecture, items=narrow), wide.input_shape)


def _quarter() -> Sequence[Remark]:
    wide, narrow = halved()
    return (
        share(narrow.totals.macs, wide.totals.macs),
        Remark(
            "A layer's MACs grow with the product of its input and output channels: half as wide, it costs a quarter. "
            "Only the first convolution keeps its input, and half of its MACs."
        ),
    )


def _counted(network: Network) -> Remark:
    totals = summarize(*network).totals
    values = {
        "name": title(network).partition(", head")[0].replace(",", " "),
        "convs": num_convolutions(network.architecture),
        "macs": exact(totals.macs),
        "params": exact(totals.params),
        "activations": exact(totals.activations),
    }
    return Remark("{name}: {convs} convolutions, {macs} MACs, {params} parameters, {activations} activations.", values)


DEEP = Task(
    key="deep",
    title=Remark("Deep and narrow, or shallow and wide"),
    theme=Theme.TRAINING,
    minutes=10,
    question=Remark(
        "The workbench has a shallow, wide network. Build a deep and narrow one that costs as much, train both, and "
        "see which one learns better."
    ),
    start=DEEP_START,
    beside=(DEEP_START,),
    bench=("editor", "compare", "drawing"),
    asks=(
        Number(
            key="half",
            text=Remark("All blocks half as wide: what share of the network's MACs is left, in per cent?"),
            answer=lambda: 100 * halved()[1].totals.macs / halved()[0].totals.macs,
            reason=_quarter,
            unit="%",
            predict=True,
        ),
        Edit(
            key="edit",
            text=Remark(
                "Build a network with at least two convolutions more, narrower blocks, and as many MACs (within 5 %)."
            ),
            missing=_deep_and_narrow,
            solution=DEEP_SOLUTION,
            reason=lambda network: [_counted(parse_network(DEEP_START)), _counted(network)],
        ),
        Trial(
            key="runs",
            text=Remark("Train both, the shallow and the deep one, in the same way."),
            found=_deep_against_wide,
            bench=("editor", "train"),
        ),
        Choice(
            key="paper",
            text=Remark("The VGG paper put one 5×5 convolution in the place of each pair of 3×3. What did it find?"),
            options=(
                Option(
                    Remark("The shallow network was better."),
                    Remark("Its error was higher, although its kernels see as much."),
                ),
                Option(Remark("Both were equally good."), Remark("There was a clear difference.")),
                # Simonyan and Zisserman (2014), section 4.1: the shallow net's top-1 error was 7 % higher than B's.
                Option(
                    Remark("The deep network with small kernels was better."),
                    Remark("The shallow one's top-1 error was {more} higher (section 4.1).", {"more": "7 %"}),
                ),
            ),
            answer=lambda: 2,
            bench=("drawing",),
        ),
    ),
    hints=(
        Remark("Halve the width of all blocks first: what happens to the MACs?"),
        Remark("What was saved pays for more convolutions in each block."),
        Remark("Start trains the network of the editor; Undo and Redo bring the other one back."),
    ),
    terms=("mac", "width", "depth"),
)
