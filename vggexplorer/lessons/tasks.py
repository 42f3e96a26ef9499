"""The chapter's exercises as tasks, in our own words. Every figure in them is computed when it is asked for."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from math import exp, log2, prod

from vggexplorer.architectures import CONV_ARCHS, NETWORKS, Architecture, Block, Head, Network, blocks
from vggexplorer.comparison import Entry, Remark, why
from vggexplorer.formatting import decimal_size, exact, percent, ratio, short
from vggexplorer.layers import Shape, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Finished, Number, Order, Task, Trial
from vggexplorer.lessons.paper import distance
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import DTYPES, Summary, summarize
from vggexplorer.text import format_blocks, parse_network, title

SINGLE = DTYPES["float32"]
BOOK: Shape = (1, 224, 224)
"""The input of the book's networks."""


def named(name: str, shape: Shape = BOOK) -> Summary:
    """The costs of a named network, with the input `shape`."""
    return summarize(NETWORKS[name].architecture, shape)


def _entry(name: str, shape: Shape = BOOK) -> Entry:
    return Entry(name, NETWORKS[name]._replace(input_shape=shape), named(name, shape), None)


def _count(summary: Summary, *kinds: str) -> int:
    return sum(row.kind in kinds for row in summary.rows)


def _weights(summary: Summary, *kinds: str) -> int:
    """The weights of the layers of some kinds, biases not counted."""
    return sum(prod(row.layer.param_terms(row.input_shape)[0]) for row in summary.rows if row.kind in kinds)


def _last_side(summary: Summary) -> int:
    """The height of the last feature maps."""
    return next(row.input_shape[1] for row in summary.rows if row.kind in ("Flatten", "AdaptiveAvgPool2d"))


def _other_input(network: Network, wanted: Shape) -> list[Remark]:
    """What there is to say if the network's input is not the one that is asked for."""
    if network.input_shape == wanted:
        return []
    values = {"own": shape_text(network.input_shape), "wanted": shape_text(wanted)}
    return [Remark("The input is {own}; {wanted} is asked for.", values)]


# --- 1: eight lines, eleven layers -----------------------------------------------------------------------


def lines_with_weights(summary: Summary) -> int:
    """The lines of the book's listing that have weights: blocks, and the linear layers of the head."""
    return sum(group.totals.params > 0 for group in summary.groups())


def _listing() -> list[Remark]:
    book = named("VGG-11")
    remarks = [
        Remark(
            "Block {block} holds {convs} convolutions and is one line: {hidden} of them is not seen.",
            {"block": place, "convs": block.num_convs, "hidden": block.num_convs - 1},
        )
        for place, block in enumerate(book.architecture.blocks, 1)
        if block.num_convs > 1
    ]
    for name in ("VGG-11", "VGG-16"):
        summary = named(name)
        lines, layers = lines_with_weights(summary), _count(summary, "Conv2d", "Linear")
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
            lambda: _count(named("VGG-11"), "Conv2d"),
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
        *why(_entry("AlexNet"), _entry("VGG-11")),
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
    bench=("compare", "parts", "stages", "time", "layers"),
    asks=(
        Number(
            "macs",
            Remark("How many times AlexNet's MACs does VGG-11 do?"),
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
            Remark("Training keeps the activations. How many times AlexNet's activations has VGG-11?"),
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
            Remark("How many times AlexNet's parameters has VGG-11?"),
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


GAP = Head("gap", hidden=())


def _cheaper_head(network: Network) -> list[Remark]:
    own, book = summarize(*network).totals, summarize(*_SLIM).totals
    remarks = []
    if network.architecture.blocks != _SLIM.architecture.blocks:
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


def pairs(finished: Sequence[Finished]) -> Iterator[tuple[Finished, Finished]]:
    """The pairs of runs with the same training, data and seed."""
    for first, second in combinations(finished, 2):
        a, b = first.config, second.config
        if (a.training, a.dataset, a.seed) == (b.training, b.dataset, b.seed):
            yield first, second


def _accuracies(first: Finished, second: Finished) -> Remark:
    return Remark(
        "{first}: test accuracy {own}. {second}: {other}.",
        {
            "first": first.name,
            "own": percent(first.test_acc, 1),
            "second": second.name,
            "other": percent(second.test_acc, 1),
        },
    )


def _differ_in_head(finished: Sequence[Finished]) -> list[Remark]:
    for first, second in pairs(finished):
        (own, shape), (other, others) = first.config.trained, second.config.trained
        if own != other and shape == others and own == replace(other, head=own.head):
            return [_accuracies(first, second)]
    return []


def _head() -> list[Remark]:
    before, after = summarize(*_SLIM).totals, with_head(_SLIM, GAP).totals
    narrow = with_head(_SLIM, replace(_SLIM.architecture.head, hidden=(256, 256))).totals
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

_SMALL: Shape = (1, 96, 96)


def _input_is_small(network: Network) -> list[Remark]:
    remarks = _other_input(network, _SMALL)
    if network.architecture != NETWORKS["VGG-11"].architecture:
        remarks.append(Remark("The network is not VGG-11 any more."))
    return remarks


def _flat(summary: Summary) -> int:
    return next(row.output_shape[0] for row in summary.rows if row.kind == "Flatten")


def _input() -> list[Remark]:
    before, after = named("VGG-11"), named("VGG-11", _SMALL)
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
                "before": shape_text((_last_side(before),) * 2),
                "after": shape_text((_last_side(after),) * 2),
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
            lambda: _flat(named("VGG-11", _SMALL)),
        ),
        Number(
            "macs",
            Remark("How many times more MACs does the network do at 224 than at 96?"),
            lambda: named("VGG-11").totals.macs / named("VGG-11", _SMALL).totals.macs,
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


# --- 7: the paper's table 1 ------------------------------------------------------------------------------------

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
                "blocks": format_blocks(blocks(CONV_ARCHS[name])).replace(",", " "),
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
        {"arch": format_blocks(architecture.blocks)},
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


# --- 8: 56 or 84 pixels ------------------------------------------------------------------------------------------

SIDES = (56, 84)
_LEAST_SIDE = 3
_LEAST_ACCURACY = 0.8


def _convolutions(architecture: Architecture) -> int:
    return sum(block.num_convs for block in architecture.blocks)


_BOOKS_CONVS = _convolutions(NETWORKS["VGG-11"].architecture)


def _fits_small_pictures(network: Network) -> list[Remark]:
    remarks = []
    if network.input_shape[1:] not in [(side, side) for side in SIDES]:
        sides = {"own": shape_text(network.input_shape), "one": SIDES[0], "other": SIDES[1]}
        remarks.append(Remark("The input is {own}; a side of {one} or {other} is asked for.", sides))
    if (convs := _convolutions(network.architecture)) < _BOOKS_CONVS:
        remarks.append(_too_few(convs, _BOOKS_CONVS))
    if (last := _last_side(summarize(*network))) < _LEAST_SIDE:
        values = {"own": shape_text((last, last)), "least": shape_text((_LEAST_SIDE,) * 2)}
        remarks.append(Remark("The last feature maps are {own}; at least {least} is asked for.", values))
    return remarks


def _too_few(convolutions: int, least: int) -> Remark:
    values = {"own": convolutions, "least": least}
    return Remark("There are {own} convolutions; at least {least} are asked for.", values)


def _trained_small(finished: Sequence[Finished]) -> list[Remark]:
    low, high = PUBLISHED["d2l-vgg"].test_acc
    for run in finished:
        network = run.config.trained
        if (
            network.input_shape[1] in SIDES
            and _convolutions(network.architecture) >= _BOOKS_CONVS
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


def halvings(architecture: Architecture, shape: Shape) -> str:
    """The sides of the feature maps from pooling to pooling: '56 → 28 → 14'."""
    rows = summarize(architecture, shape).rows
    sides = [shape[1], *(row.output_shape[1] for row in rows if row.kind == "MaxPool2d")]
    return " → ".join(map(str, sides))


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
                "blocks": format_blocks(own.architecture.blocks).replace(",", " "),
                "convs": _convolutions(own.architecture),
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
    bench=("drawing", "totals", "layers", "train"),
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
            lambda: _last_side(named("VGG-11", (1, SIDES[0], SIDES[0]))),
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


# --- 9: two 3x3 see what one 5x5 sees ---------------------------------------------------------------------------

_CHANNELS = 64
_FIELD_SHAPE: Shape = (_CHANNELS, 32, 32)


def column(count: int, kernel: int) -> Summary:
    """`count` convolutions with the same number of channels before and after, and no pooling."""
    block = Block(count, _CHANNELS, kernel_size=kernel, pool=None)
    return summarize(Architecture((block,), GAP), _FIELD_SHAPE)


def field_of(summary: Summary) -> int:
    """The side of what a unit of the last convolution sees, in pixels."""
    return max(row.receptive_field or 0 for row in summary.rows if row.kind == "Conv2d")


def weights_per_square(summary: Summary) -> int:
    """The weights of the convolutions, biases not counted, in units of channels²."""
    return _weights(summary, "Conv2d") // _CHANNELS**2


def _sees_as_much(network: Network) -> list[Remark]:
    own, wanted = field_of(summarize(*network)), field_of(column(1, 7))
    remarks = []
    if any(block.kernel_size != 3 for block in network.architecture.blocks):
        remarks.append(Remark("There are kernels that are not 3×3."))
    if any(block.out_channels != _CHANNELS for block in network.architecture.blocks):
        remarks.append(Remark("There are blocks without {channels} channels.", {"channels": _CHANNELS}))
    if any(block.stride != 1 or block.pool for block in network.architecture.blocks):
        remarks.append(Remark("There are strides or poolings; without them the field grows as you need it."))
    if own != wanted:
        values = {"own": own, "wanted": wanted}
        remarks.append(Remark("The last convolution sees {own}×{own}; {wanted}×{wanted} is asked for.", values))
    return remarks


def _fields() -> list[Remark]:
    return [
        Remark(
            "{count} × {kernel}×{kernel} sees {field}×{field} with {weights} C² weights.",
            {
                "count": count,
                "kernel": kernel,
                "field": field_of(column(count, kernel)),
                "weights": weights_per_square(column(count, kernel)),
            },
        )
        for count, kernel in ((2, 3), (1, 5), (3, 3), (1, 7))
    ]


FIELDS = Task(
    key="fields",
    title=Remark("Small kernels that see as much as large ones"),
    question=Remark(
        "VGG uses 3×3 kernels only. What do two of them after one another see, and what do three, and how many weights "
        "does a single kernel with the same field need? All layers here have C channels before and after."
    ),
    start={
        "arch": f"1x{_CHANNELS}:k7:nopool",
        "input": "x".join(map(str, _FIELD_SHAPE)),
        "head": "gap",
        "hidden": "none",
    },
    bench=("drawing", "inspector", "layers"),
    asks=(
        Number(
            "two",
            Remark("Which side has the field of two 3×3 convolutions after one another, in pixels?"),
            lambda: field_of(column(2, 3)),
        ),
        Number(
            "small",
            Remark("How many weights (no biases) have three 3×3 convolutions, in units of C²?"),
            lambda: weights_per_square(column(3, 3)),
            unit="C²",
        ),
        Number(
            "large",
            Remark("And one 7×7 convolution, in units of C²?"),
            lambda: weights_per_square(column(1, 7)),
            unit="C²",
        ),
        Edit(
            "edit",
            Remark("Put 3×3 convolutions in the place of the 7×7 one that see as much; leave the channels."),
            _sees_as_much,
            {"arch": "3x64:nopool", "input": "64x32x32", "head": "gap", "hidden": "none"},
        ),
        Choice(
            "more",
            Remark("What else do three small ones have that one large one does not?"),
            (
                Remark("Fewer activations to keep."),
                Remark("Three nonlinearities instead of one."),
                Remark("A larger field."),
                Remark("A higher resolution."),
            ),
            lambda: 1,
        ),
    ),
    hints=(
        Remark("The table has a column for the receptive field; turn on More columns to change the kernel."),
        Remark("Each further 3×3 convolution with stride 1 adds 2 pixels to the side of the field."),
        Remark("A k×k convolution from C to C channels has k² C² weights."),
    ),
    working=_fields,
    terms=("receptive field", "kernel", "stride"),
)


# --- 10: deep and narrow, or shallow and wide --------------------------------------------------------------------

DEEP_START = {"arch": "1x64,1x128,1x256", "input": "1x56x56", "head": "gap", "hidden": "none"}
DEEP_SOLUTION = DEEP_START | {"arch": "2x32,2x64,2x128"}
_EQUAL = 0.05
_DEEPER = 2


def _widest(architecture: Architecture) -> int:
    return max(block.out_channels for block in architecture.blocks)


def _equal_cost(own: int, other: int) -> bool:
    return abs(own - other) <= _EQUAL * other


def _deep_and_narrow(network: Network) -> list[Remark]:
    wide = parse_network(DEEP_START)
    own, other = summarize(*network).totals.macs, summarize(*wide).totals.macs
    remarks = _other_input(network, wide.input_shape)
    least = _convolutions(wide.architecture) + _DEEPER
    if (convs := _convolutions(network.architecture)) < least:
        remarks.append(_too_few(convs, least))
    if _widest(network.architecture) >= _widest(wide.architecture):
        most = {"most": _widest(wide.architecture)}
        remarks.append(Remark("It is not narrower: no block may have {most} channels or more.", most))
    if not _equal_cost(own, other):
        values = {"own": exact(own), "other": exact(other), "share": percent(own, other)}
        remarks.append(Remark("It does {own} MACs, {share} of {other}; from 95 % to 105 % count as equal.", values))
    return remarks


def _deep_against_wide(finished: Sequence[Finished]) -> list[Remark]:
    for pair in pairs(finished):
        wide, deep = sorted(pair, key=lambda run: _convolutions(run.config.network.architecture))
        (one, shape), (other, others) = wide.config.trained, deep.config.trained
        costs = [summarize(*run.config.trained).totals.macs for run in (deep, wide)]
        deeper = _convolutions(other) >= _convolutions(one) + _DEEPER and _widest(other) < _widest(one)
        if deeper and shape == others and _equal_cost(*costs):
            return [_accuracies(deep, wide)]
    return []


def _deep() -> list[Remark]:
    remarks = []
    for params in (DEEP_START, DEEP_SOLUTION):
        network = parse_network(params)
        totals = summarize(*network).totals
        values = {
            "name": title(network).partition(", head")[0].replace(",", " "),
            "convs": _convolutions(network.architecture),
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


# --- 11: a pool after each convolution -----------------------------------------------------------------------------


def most_convolutions(side: int) -> int:
    """How many convolutions there can be at most for a square input, if each is followed by a 2×2 pool."""
    count = 0
    while Architecture((Block(1, 1),) * (count + 1), GAP).min_side() <= side:
        count += 1
    return count


def _pool_after_each(network: Network) -> list[Remark]:
    most, remarks = most_convolutions(BOOK[1]), _other_input(network, BOOK)
    if not all(block == Block(1, block.out_channels) for block in network.architecture.blocks):
        remarks.append(Remark("There are blocks that are not one 3×3 convolution and one 2×2 pool."))
    if (own := _convolutions(network.architecture)) < most:
        values = {"own": own, "most": most}
        remarks.append(Remark("The network has {own} such convolutions; {most} are possible.", values))
    return remarks


def _pools() -> list[Remark]:
    remarks = []
    for side in (BOOK[1], _SMALL[1], 28):
        most = most_convolutions(side)
        values = {
            "side": side,
            "sides": halvings(Architecture((Block(1, 1),) * most, GAP), (1, side, side)),
            "log": f"{log2(side):.2f}",
            "most": most,
        }
        remarks.append(Remark("{side} pixels: {sides}. log₂ {side} = {log}, rounded down {most}.", values))
    return remarks


POOLS = Task(
    key="pools",
    title=Remark("A pool after each convolution"),
    question=Remark(
        "Suppose that each convolution is followed by a 2×2 pool with stride 2. How many convolutions can a network "
        "for pictures of d×d pixels have at most?"
    ),
    start={"arch": "1x64,1x128,1x256", "input": "1x224x224"},
    bench=("drawing", "layers"),
    asks=(
        Number("large", Remark("At most how many, for 224 pixels?"), lambda: most_convolutions(BOOK[1])),
        Number("small", Remark("And for Fashion-MNIST's own 28 pixels?"), lambda: most_convolutions(28)),
        Choice(
            "formula",
            Remark("And for d pixels?"),
            (Remark("d / 2"), Remark("√d, rounded down"), Remark("log₂ d, rounded down"), Remark("d − 2")),
            lambda: 2,
        ),
        Edit(
            "edit",
            Remark("Build it for 224 pixels, with as many convolutions as possible."),
            _pool_after_each,
            {"arch": "1x16,1x16,1x32,1x32,1x64,1x64,1x128"},
        ),
    ),
    hints=(
        Remark("Each pool halves the side and rounds down; the last one must find 2 pixels."),
        Remark("Add blocks in the sidebar until the page says that the input is too small."),
    ),
    working=_pools,
    terms=("pooling", "feature map"),
)


# --- 12: nearly a gigabyte ------------------------------------------------------------------------------------------


def hidden_weights() -> int:
    """The weights of AlexNet's two hidden layers, biases not counted."""
    rows = [row for row in named("AlexNet").rows if row.kind == "Linear"][:2]
    return sum(prod(row.layer.param_terms(row.input_shape)[0]) for row in rows)


def _gigabyte() -> list[Remark]:
    rows = [row for row in named("AlexNet").rows if row.kind == "Linear"][:2]
    terms = [row.layer.param_terms(row.input_shape)[0] for row in rows]
    size = SINGLE * hidden_weights()
    return [
        Remark(
            "{first} + {second} = {weights} weights.",
            {
                "first": " × ".join(map(str, terms[0])),
                "second": " × ".join(map(str, terms[1])),
                "weights": exact(hidden_weights()),
            },
        ),
        Remark(
            "{weights} × {bytes} bytes = {size} in float32: {share} of a gigabyte.",
            {
                "weights": exact(hidden_weights()),
                "bytes": SINGLE,
                "size": decimal_size(size),
                "share": percent(size, 1e9),
            },
        ),
        Remark("Even with a gradient and a momentum for each weight it is {size}.", {"size": decimal_size(3 * size)}),
    ]


GIGABYTE = Task(
    key="gigabyte",
    title=Remark("“Nearly 1 GB of parameters”"),
    question=Remark(
        "A text says: “The two hidden layers of AlexNet hold nearly 1 GB of parameters.” Check it for the book's "
        "AlexNet with an input of 1×224×224, in float32 (4 bytes a number)."
    ),
    start={"arch": "alexnet"},
    bench=("drawing", "layers"),
    asks=(
        Number(
            "weights",
            Remark("How many weights do the two hidden layers have (with or without biases)?"),
            hidden_weights,
            tolerance=0.0005,
        ),
        Number(
            "size",
            Remark("How many MB (10⁶ bytes) is that in float32?"),
            lambda: SINGLE * hidden_weights() / 1e6,
            unit="MB",
            tolerance=0.002,
            slips=lambda: [(SINGLE * hidden_weights() / 2**20, Remark("That is in MiB, of 1,048,576 bytes."))],
        ),
        Choice(
            "verdict",
            Remark("What do you say about the text?"),
            (
                Remark("It is right."),
                Remark("It is wrong: it is about a sixth of that."),
                Remark("It is wrong: it is about ten times that."),
            ),
            lambda: min(range(3), key=lambda place: abs(log2(SINGLE * hidden_weights() / (1e9, 1e9 / 6, 1e10)[place]))),
        ),
    ),
    hints=(
        Remark("Choose a linear layer in the drawing: the panel shows the product."),
        Remark("The hidden layers are the first two of the three linear layers."),
    ),
    working=_gigabyte,
    terms=("parameter", "linear", "byte"),
)


# --- 13: from LeNet to AlexNet ------------------------------------------------------------------------------------


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def sigmoid_slope(x: float) -> float:
    """The derivative of the sigmoid at x: s(x) (1 - s(x)) = s(x) s(-x), which loses no digits."""
    return sigmoid(x) * sigmoid(-x)


_LENET = NETWORKS["LeNet"]


def _sigmoids() -> int:
    return _count(summarize(*_LENET), "Sigmoid")


def _sizes(architecture: Architecture) -> list[tuple[int, int]]:
    return [(block.num_convs, block.out_channels) for block in architecture.blocks]


def _modern(network: Network) -> list[Remark]:
    architecture, remarks = network.architecture, []
    if _sizes(architecture) != _sizes(_LENET.architecture):
        remarks.append(Remark("The numbers of convolutions and channels are not LeNet's any more."))
    if architecture.activation != "relu":
        remarks.append(Remark("The activation is still the sigmoid."))
    if any(block.pool is None or block.pool_type != "max" for block in architecture.blocks):
        remarks.append(Remark("Not every block ends with max pooling."))
    if not (architecture.head.dropout and architecture.head.hidden):
        remarks.append(Remark("The head has no dropout."))
    return remarks


def _lenet() -> list[Remark]:
    remarks = []
    for name in ("LeNet", "AlexNet"):
        network = NETWORKS[name]
        summary = summarize(*network)
        values = {
            "name": name,
            "shape": shape_text(network.input_shape),
            "layers": _count(summary, "Conv2d", "Linear"),
            "params": exact(summary.totals.params),
            "macs": exact(summary.totals.macs),
        }
        remarks.append(
            Remark("{name}, input {shape}: {layers} layers with weights, {params} parameters, {macs} MACs.", values)
        )
    return [
        *remarks,
        Remark(
            "The sigmoid's slope is s (1 − s): {top} at 0, {far} at 10. Through {count} sigmoids at most {all} of a "
            "gradient is left; ReLU has slope 1 wherever it is active.",
            {
                "top": sigmoid_slope(0),
                "far": f"{sigmoid_slope(10):.2e}",
                "count": _sigmoids(),
                "all": f"{sigmoid_slope(0) ** _sigmoids():.4f}",
            },
        ),
    ]


LENET = Task(
    key="lenet",
    title=Remark("From LeNet to AlexNet"),
    question=Remark(
        "Fourteen years lie between them. What has grown, what has changed, and why did the sigmoid have to go? Try "
        "how steep it is far from zero."
    ),
    start={"arch": "lenet"},
    bench=("sigmoid", "drawing", "layers"),
    asks=(
        Number(
            "params",
            Remark("How many times LeNet's parameters (28×28 input) has AlexNet (224×224 input)?"),
            lambda: named("AlexNet").totals.params / summarize(*_LENET).totals.params,
            unit="×",
            tolerance=0.01,
        ),
        Number(
            "layers",
            Remark("How many more layers with weights has AlexNet?"),
            lambda: _count(named("AlexNet"), "Conv2d", "Linear") - _count(summarize(*_LENET), "Conv2d", "Linear"),
        ),
        Number(
            "slope",
            Remark("What is the slope of the sigmoid at x = 10?"),
            lambda: sigmoid_slope(10),
            tolerance=0.02,
            slips=lambda: [(sigmoid(10), Remark("That is the sigmoid's value; its slope is asked for."))],
        ),
        Number(
            "four",
            Remark("At best, which share of a gradient passes all the sigmoids of LeNet, in per cent?"),
            lambda: 100 * sigmoid_slope(0) ** _sigmoids(),
            unit="%",
            tolerance=0.03,
        ),
        Edit(
            "edit",
            Remark("Give LeNet what AlexNet brought: ReLU, max pooling, dropout."),
            _modern,
            {"arch": "1x6:k5,1x16:k5:p0", "input": "1x28x28", "hidden": "120,84", "dropout": "0.5"},
        ),
    ),
    hints=(
        Remark("Choose AlexNet in the sidebar to read off its figures, then Undo."),
        Remark("Where is the sigmoid steepest? Each layer multiplies the gradient by its slope."),
        Remark("The activation is at the end of the sidebar; pooling is among More columns."),
    ),
    working=_lenet,
    terms=("sigmoid", "relu", "gradient", "dropout"),
)

TASKS: dict[str, Task] = {
    task.key: task
    for task in (
        *(LISTING, SLOWER, PARAMETERS, FLOPS, HEAD, INPUT, TABLE1),
        *(PIXELS, FIELDS, DEEP, POOLS, GIGABYTE, LENET),
    )
}
"""The tasks by key, in the order in which they are listed."""
