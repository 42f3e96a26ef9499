"""Tasks 1 to 6: what networks cost, and where."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from vggexplorer.architectures import NETWORKS, Head, Network
from vggexplorer.comparison import Remark, why
from vggexplorer.formatting import decimal_size, exact, percent, ratio, short
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Finished, Number, Order, Task, Trial
from vggexplorer.lessons.common import (
    GAP,
    SINGLE,
    SMALL,
    accuracies,
    count_of,
    entry,
    last_side,
    named,
    other_input,
    pairs,
)
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import Summary, summarize

# --- 1: eight lines, eleven layers -----------------------------------------------------------------------


def lines_with_weights(summary: Summary) -> int:
    """The lines of the book's listing that have weights: blocks, and the linear layers of the head."""
    return sum(group.totals.params > 0 for group in summary.groups())


def _listing() -> list[Remark]:
    book = named("VGG-11")
    remarks = [
        Remark(
            "Block {block} holds {convs} convolutions and is one line: {hidden} of them {hidden:is|are} not seen.",
            {"block": place, "convs": block.num_convs, "hidden": block.num_convs - 1},
        )
        for place, block in enumerate(book.architecture.blocks, 1)
        if block.num_convs > 1
    ]
    for name in ("VGG-11", "VGG-16"):
        summary = named(name)
        lines, layers = lines_with_weights(summary), count_of(summary, Kind.CONV2D, Kind.LINEAR)
        values = {"name": name, "lines": lines, "hidden": layers - lines, "layers": layers}
        remarks.append(Remark("{name}: {lines} lines + {hidden} hidden = {layers} layers with weights.", values))
    return remarks


LISTING = Task(
    key="listing",
    title=Remark("Eight lines, eleven layers"),
    question=Remark(
        "The book prints one line for each block and one for each layer of the head. Eight of its lines have "
        "weights; yet the network is called VGG-11 for its eleven layers with weights. Where are the other three?"
    ),
    start={"arch": "vgg11"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            "convolutions",
            Remark("How many convolutions do the five blocks hold together?"),
            lambda: count_of(named("VGG-11"), Kind.CONV2D),
        ),
        Choice(
            "where",
            Remark("Where are the three layers that the listing does not show?"),
            (
                Remark("Between the blocks: they are poolings."),
                Remark("Inside the blocks that hold two convolutions each."),
                Remark("In the head: ReLU, Dropout and Flatten."),
                Remark("In the first linear layer, which stands for four."),
            ),
            lambda: 1,
        ),
        Number(
            "vgg16",
            Remark("How many lines with weights has the same listing of VGG-16?"),
            lambda: lines_with_weights(named("VGG-16")),
        ),
    ),
    hints=(
        Remark("Open a block in the table: what does it hold?"),
        Remark("Pooling, ReLU, Dropout and Flatten have no weights: count Conv2d and Linear."),
        Remark("Choose VGG-16 in the sidebar: does it have more blocks, or larger ones?"),
    ),
    working=_listing,
    terms=("block", "convolution", "linear"),
)


# --- 2: why VGG is slower and needs more memory ------------------------------------------------------------

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


def _times_alexnet(field: str) -> float:
    return float(getattr(named("VGG-11").totals, field) / getattr(named("AlexNet").totals, field))


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
            lambda: _times_alexnet("macs"),
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
            lambda: _times_alexnet("activations"),
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


# --- 3: parameters -------------------------------------------------------------------------------------------

_HOLDERS = {
    "features.18": Remark("the last convolution"),
    "classifier.0": Remark("the first linear layer"),
    "classifier.3": Remark("the second linear layer"),
    "classifier.6": Remark("the output layer"),
}


def largest(summary: Summary, names: Sequence[str]) -> int:
    """The place of the layer with the most parameters."""
    params = {row.name: row.params for row in summary.rows}
    return max(range(len(names)), key=lambda place: params[names[place]])


def _parameters() -> list[Remark]:
    remarks = []
    for name in ("AlexNet", "VGG-11"):
        summary = named(name)
        totals, top = summary.totals, max(summary.rows, key=lambda row: row.params)
        values = {
            "name": name,
            "params": exact(totals.params),
            "conv": exact(totals.conv_params),
            "fc": exact(totals.fc_params),
            "share": percent(totals.fc_params, totals.params),
            "inputs": exact(top.input_shape[0]),
            "most": exact(top.params),
        }
        remarks.append(Remark("{name}: {conv} + {fc} = {params} parameters; {share} are fully connected.", values))
        remarks.append(Remark("{name}: its first linear layer has {inputs} inputs and {most} parameters.", values))
    return remarks


PARAMETERS = Task(
    key="parameters",
    title=Remark("Where the parameters sit"),
    question=Remark("Count the parameters of AlexNet and VGG-11, and find the layers that hold them."),
    start={"arch": "vgg11"},
    beside=({"arch": "alexnet"},),
    bench=("compare", "layers", "charts"),
    asks=(
        Number(
            "ratio",
            Remark("How many times as many parameters does VGG-11 have as AlexNet?"),
            lambda: _times_alexnet("params"),
            unit="×",
            tolerance=0.01,
        ),
        Choice(
            "layer",
            Remark("Which single layer of VGG-11 holds the most of them?"),
            tuple(_HOLDERS.values()),
            lambda: largest(named("VGG-11"), tuple(_HOLDERS)),
        ),
        Number(
            "share",
            Remark("What share of VGG-11's parameters is in the fully connected part, in per cent?"),
            lambda: 100 * named("VGG-11").totals.fc_params / named("VGG-11").totals.params,
            unit="%",
            tolerance=0.005,
        ),
        Number(
            "convolutions",
            Remark("How many parameters do AlexNet's convolutions have?"),
            lambda: named("AlexNet").totals.conv_params,
            tolerance=0.01,
        ),
    ),
    hints=(
        Remark("The layer table has a column of shares; the longest bar is the answer."),
        Remark("A linear layer has inputs × outputs weights. How many inputs does Flatten make?"),
    ),
    working=_parameters,
    terms=("parameter", "linear", "flatten"),
)


# --- 4: operations -------------------------------------------------------------------------------------------


def _giga_flops(part: str) -> float:
    return 2 * float(getattr(named("VGG-11").totals, f"{part}_macs")) / 1e9


def _macs_for_flops(part: str) -> Callable[[], list[tuple[float, Remark]]]:
    return lambda: [(_giga_flops(part) / 2, Remark("These are MACs; one MAC is two FLOPs."))]


def positions(summary: Summary) -> int:
    """How often the first convolution uses each of its weights for one example."""
    return prod(summary.rows[0].output_shape[1:])


def _flops() -> list[Remark]:
    book = named("VGG-11")
    totals = book.totals
    return [
        Remark(
            "Convolutions: 2 × {macs} = {flops} FLOPs, {share} of all.",
            {
                "macs": exact(totals.conv_macs),
                "flops": exact(2 * totals.conv_macs),
                "share": percent(totals.conv_macs, totals.macs),
            },
        ),
        Remark(
            "Fully connected: 2 × {macs} = {flops} FLOPs, {share} of all.",
            {
                "macs": exact(totals.fc_macs),
                "flops": exact(2 * totals.fc_macs),
                "share": percent(totals.fc_macs, totals.macs),
            },
        ),
        Remark(
            "A weight of the first convolution is used at {side} = {positions} positions, one of a linear layer once.",
            {"side": shape_text(book.rows[0].output_shape[1:]), "positions": exact(positions(book))},
        ),
    ]


FLOPS = Task(
    key="flops",
    title=Remark("Where the arithmetic is done"),
    question=Remark("How many floating point operations are in VGG-11's convolutions, how many in its linear layers?"),
    start={"arch": "vgg11"},
    bench=("totals", "layers", "charts"),
    asks=(
        Number(
            "conv",
            Remark("FLOPs of all convolutions for one example, in units of 10⁹:"),
            lambda: _giga_flops("conv"),
            unit="GFLOPs",
            tolerance=0.01,
            slips=_macs_for_flops("conv"),
        ),
        Number(
            "fc",
            Remark("FLOPs of the fully connected part for one example, in units of 10⁹:"),
            lambda: _giga_flops("fc"),
            unit="GFLOPs",
            tolerance=0.01,
            slips=_macs_for_flops("fc"),
        ),
        Choice(
            "why",
            Remark("Few of the weights do nearly all of the arithmetic. Why?"),
            (
                Remark("A convolution uses each weight at every position, a linear layer only once."),
                Remark("The weights of convolutions are larger numbers."),
                Remark("ReLU stands behind each convolution."),
                Remark("The convolutions have more weights."),
            ),
            lambda: 0,
        ),
        Number(
            "uses",
            Remark("How often is each weight of the first convolution used for one example?"),
            lambda: positions(named("VGG-11")),
        ),
    ),
    hints=(
        Remark("Switch the count beside the totals from MACs to FLOPs."),
        Remark("Let the pointer rest on the total: it shows both parts."),
        Remark("Choose the first convolution in the table: its formula for MACs begins with the positions."),
    ),
    working=_flops,
    terms=("mac", "flop"),
)


# --- 5: a cheaper head ---------------------------------------------------------------------------------------

_SLIM = NETWORKS["VGG-11 slim"]
TENTH = 0.1
"""What a cheap head may keep of the book's parameters."""


def with_head(network: Network, head: Head) -> Summary:
    """The costs of the network with another head."""
    return summarize(replace(network.architecture, head=head), network.input_shape)


def _cheaper_head(network: Network) -> list[Remark]:
    own, book = summarize(*network).totals, summarize(*_SLIM).totals
    remarks = []
    if network.architecture.items != _SLIM.architecture.items:
        remarks.append(Remark("The blocks are not those of the slim VGG-11 any more."))
    if own.fc_params >= TENTH * book.fc_params:
        values = {"own": exact(own.fc_params), "most": exact(int(TENTH * book.fc_params))}
        remarks.append(Remark("The fully connected part has {own} parameters; less than {most} are asked for.", values))
    return remarks


def _saved_bytes() -> int:
    return SINGLE * (summarize(*_SLIM).totals.params - with_head(_SLIM, GAP).totals.params)


def _fall_of_macs() -> float:
    before = summarize(*_SLIM).totals.macs
    return 100 * (before - with_head(_SLIM, GAP).totals.macs) / before


def _differ_in_head(finished: Sequence[Finished]) -> list[Remark]:
    for first, second in pairs(finished):
        (own, shape), (other, others) = first.config.trained, second.config.trained
        if own != other and shape == others and own == replace(other, head=own.head):
            return [accuracies(first, second)]
    return []


def _head() -> list[Remark]:
    before, after = summarize(*_SLIM).totals, with_head(_SLIM, GAP).totals
    narrow = with_head(_SLIM, Head(hidden=(256, 256))).totals
    head = Remark(
        "The book's head: {fc} parameters, {macs} MACs.", {"fc": exact(before.fc_params), "macs": exact(before.fc_macs)}
    )
    values = {"widths": "256, 256", "fc": exact(narrow.fc_params), "macs": exact(narrow.fc_macs)}
    return [
        head,
        Remark("Hidden layers of {widths}: {fc} parameters, {macs} MACs.", values),
        Remark(
            "Global average pooling, no hidden layer: {channels} × {classes} + {classes} = {fc} parameters, "
            "{macs} MACs.",
            {
                "channels": _SLIM.architecture.blocks[-1].out_channels,
                "classes": _SLIM.architecture.num_classes,
                "fc": exact(after.fc_params),
                "macs": exact(after.fc_macs),
            },
        ),
        Remark(
            "The MACs fall by {share}, the weights in float32 by {saved}: the head is memory, not time.",
            {"share": percent(before.macs - after.macs, before.macs), "saved": decimal_size(_saved_bytes())},
        ),
    ]


HEAD = Task(
    key="head",
    title=Remark("A cheaper head"),
    question=Remark(
        "Nearly all parameters of the slim VGG-11 are in its head. Cut its cost with narrower hidden layers or with "
        "global average pooling, and find out what that costs in accuracy."
    ),
    start={"arch": "vgg11-slim"},
    bench=("totals", "drawing", "layers", "train"),
    asks=(
        Edit(
            "edit",
            Remark("Edit the head until the fully connected part has less than a tenth of its parameters."),
            _cheaper_head,
            {"arch": "vgg11-slim", "head": "gap", "hidden": "none"},
        ),
        Number(
            "gap",
            Remark(
                "With global average pooling and no hidden layer: how many parameters has the fully connected part?"
            ),
            lambda: with_head(_SLIM, GAP).totals.fc_params,
        ),
        Number(
            "macs",
            Remark("By how many per cent do the MACs of the whole network fall then?"),
            _fall_of_macs,
            unit="%",
            tolerance=0.02,
        ),
        Number(
            "memory",
            Remark("How many MB (10⁶ bytes) of weights in float32 does that save?"),
            lambda: _saved_bytes() / 1e6,
            unit="MB",
            tolerance=0.01,
            slips=lambda: [(_saved_bytes() / 2**20, Remark("That is in MiB, of 1,048,576 bytes."))],
        ),
        Trial(
            "runs",
            Remark("Train two networks that differ in nothing but the head: what is the price in accuracy?"),
            _differ_in_head,
        ),
    ),
    hints=(
        Remark(
            "The head is at the end of the sidebar: its kind, and the widths of its hidden layers (none is possible)."
        ),
        Remark("Parameters are weights and biases: inputs × classes + classes."),
        Remark("Start trains the network of the sidebar. Start once, change the head, start again; leave the rest."),
    ),
    working=_head,
    terms=("head", "gap", "parameter"),
)


# --- 6: 96 pixels for 224 ------------------------------------------------------------------------------------


def _input_is_small(network: Network) -> list[Remark]:
    remarks = other_input(network, SMALL)
    if network.architecture != NETWORKS["VGG-11"].architecture:
        remarks.append(Remark("The network is not VGG-11 any more."))
    return remarks


def _flat(summary: Summary) -> int:
    return next(row.output_shape[0] for row in summary.rows if row.kind == Kind.FLATTEN)


def _input() -> list[Remark]:
    before, after = named("VGG-11"), named("VGG-11", SMALL)
    return [
        Remark(
            "The convolutions have {before} parameters before and {after} after: a kernel does not know the "
            "input's size.",
            {"before": exact(before.totals.conv_params), "after": exact(after.totals.conv_params)},
        ),
        Remark(
            "The last feature maps shrink from {before} to {after}, so Flatten gives {flat} instead of {flat_before}, "
            "and the fully connected part has {fc} parameters instead of {fc_before}.",
            {
                "before": shape_text((last_side(before),) * 2),
                "after": shape_text((last_side(after),) * 2),
                "flat": exact(_flat(after)),
                "flat_before": exact(_flat(before)),
                "fc": exact(after.totals.fc_params),
                "fc_before": exact(before.totals.fc_params),
            },
        ),
        Remark(
            "MACs: {before} / {after} = {ratio}; activations: {activations}. An epoch is that much cheaper.",
            {
                "before": short(before.totals.macs),
                "after": short(after.totals.macs),
                "ratio": ratio(before.totals.macs, after.totals.macs),
                "activations": ratio(before.totals.activations, after.totals.activations),
            },
        ),
    ]


INPUT = Task(
    key="input",
    title=Remark("96 pixels instead of 224"),
    question=Remark(
        "Fashion-MNIST's pictures have 28×28 pixels; the book enlarges them to 224. Make the input 96×96: what "
        "changes, what does not, and what follows for training?"
    ),
    start={"arch": "vgg11"},
    bench=("totals", "drawing", "layers"),
    asks=(
        Edit(
            "edit",
            Remark("Give VGG-11 an input of 96×96 pixels."),
            _input_is_small,
            {"arch": "vgg11", "input": "1x96x96"},
        ),
        Choice(
            "convolutions",
            Remark("What happens to the parameters of the convolutions?"),
            (Remark("They become fewer."), Remark("They stay as they are."), Remark("They become more.")),
            lambda: 1,
        ),
        Number(
            "flat",
            Remark("How many inputs has the first linear layer now?"),
            lambda: _flat(named("VGG-11", SMALL)),
        ),
        Number(
            "macs",
            Remark("How many times as many MACs does the network need at 224 as at 96?"),
            lambda: named("VGG-11").totals.macs / named("VGG-11", SMALL).totals.macs,
            unit="×",
            tolerance=0.02,
        ),
        Choice(
            "training",
            Remark("What follows for training?"),
            (
                Remark("Nothing: the number of pictures is the same."),
                Remark("It takes less time and memory, and weights of the head that were trained at 224 do not fit."),
                Remark("It takes less time and memory, and all weights that were trained at 224 can be loaded."),
                Remark("It takes as long, but needs less memory."),
            ),
            lambda: 1,
        ),
    ),
    hints=(
        Remark("The totals show the difference to a baseline: pin the network before you change its input."),
        Remark("Follow the sides in the table: each pooling halves them and rounds down."),
        Remark("Which layer's weights depend on the size of the last feature maps?"),
    ),
    working=_input,
    terms=("convolution", "flatten", "feature map"),
)
