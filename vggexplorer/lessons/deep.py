"""Deep and narrow, or shallow and wide."""

from collections.abc import Sequence

from vggexplorer.architectures import Architecture, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.lessons.asks import Choice, Edit, Finished, Task, Trial
from vggexplorer.lessons.common import (
    accuracies,
    convolutions,
    num_convolutions,
    other_input,
    pairs,
    too_few,
)
from vggexplorer.summary import summarize
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


def _deep() -> list[Remark]:
    remarks = []
    for params in (DEEP_START, DEEP_SOLUTION):
        network = parse_network(params)
        totals = summarize(*network).totals
        values = {
            "name": title(network).partition(", head")[0].replace(",", " "),
            "convs": num_convolutions(network.architecture),
            "macs": exact(totals.macs),
            "params": exact(totals.params),
            "activations": exact(totals.activations),
        }
        remarks.append(
            Remark("{name}: {convs} convolutions, {macs} MACs, {params} parameters, {activations} activations.", values)
        )
    return [*remarks, Remark("MACs grow with the square of the width: half as wide, a layer costs a quarter.")]


DEEP = Task(
    key="deep",
    title=Remark("Deep and narrow, or shallow and wide"),
    question=Remark(
        "The workbench has a shallow, wide network. Build a deep and narrow one that costs as much, train both, and "
        "see which one learns better."
    ),
    start=DEEP_START,
    beside=(DEEP_START,),
    bench=("compare", "drawing", "layers", "train"),
    asks=(
        Edit(
            "edit",
            Remark(
                "Build a network with at least two convolutions more, narrower blocks, and as many MACs (within 5 %)."
            ),
            _deep_and_narrow,
            DEEP_SOLUTION,
        ),
        Trial(
            "runs",
            Remark("Train both, the shallow and the deep one, in the same way."),
            _deep_against_wide,
        ),
        Choice(
            "paper",
            Remark("The VGG paper put one 5×5 convolution in the place of each pair of 3×3. What did it find?"),
            (
                Remark("The shallow network was better."),
                Remark("Both were equally good."),
                # Simonyan and Zisserman (2014), section 4.1: the shallow net's top-1 error was 7 % higher than B's.
                Remark("The deep network with small kernels was better."),
            ),
            lambda: 2,
        ),
    ),
    hints=(
        Remark("Halve the width of all blocks first: what happens to the MACs?"),
        Remark("What was saved pays for more convolutions in each block."),
        Remark("Start trains the network of the sidebar; Undo and Redo bring the other one back."),
    ),
    working=_deep,
    terms=("mac", "width", "depth"),
)
