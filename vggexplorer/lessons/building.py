"""Tasks 7 to 11: networks that are built, and what is built into them."""

from collections.abc import Sequence
from dataclasses import replace
from math import log2

from vggexplorer.architectures import CONV_ARCHS, NETWORKS, Architecture, Block, Network, blocks
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent
from vggexplorer.layers import Kind, Shape, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Finished, Number, Task, Trial
from vggexplorer.lessons.common import (
    BOOK,
    GAP,
    POOLINGS,
    SMALL,
    accuracies,
    convolutions,
    features,
    last_side,
    named,
    other_input,
    pairs,
    weights_of,
)
from vggexplorer.lessons.paper import distance
from vggexplorer.notation import format_arch, format_items
from vggexplorer.runs.config import PUBLISHED
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network, title

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


# --- 8: 56 or 84 pixels ------------------------------------------------------------------------------------------

SIDES = (56, 84)
_LEAST_SIDE = 3
_LEAST_ACCURACY = 0.8


def _convolutions(architecture: Architecture) -> int:
    return len(convolutions(architecture))


_BOOKS_CONVS = _convolutions(NETWORKS["VGG-11"].architecture)


def _fits_small_pictures(network: Network) -> list[Remark]:
    remarks = []
    if network.input_shape[1:] not in [(side, side) for side in SIDES]:
        sides = {"own": shape_text(network.input_shape), "one": SIDES[0], "other": SIDES[1]}
        remarks.append(Remark("The input is {own}; a side of {one} or {other} is asked for.", sides))
    if (convs := _convolutions(network.architecture)) < _BOOKS_CONVS:
        remarks.append(_too_few(convs, _BOOKS_CONVS))
    if (last := last_side(summarize(*network))) < _LEAST_SIDE:
        values = {"own": shape_text((last, last)), "least": shape_text((_LEAST_SIDE,) * 2)}
        remarks.append(Remark("The last feature maps are {own}; at least {least} is asked for.", values))
    return remarks


def _too_few(convolutions: int, least: int) -> Remark:
    values = {"own": convolutions, "least": least}
    return Remark("There {own:is|are} {own} {own:convolution|convolutions}; at least {least} are asked for.", values)


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
    sides = [shape[1], *(row.output_shape[1] for row in rows if row.kind == Kind.MAX_POOL2D)]
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
                "blocks": format_arch(own.architecture).replace(",", " "),
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


# --- 9: two 3x3 see what one 5x5 sees ---------------------------------------------------------------------------

_CHANNELS = 64
_FIELD_SHAPE: Shape = (_CHANNELS, 32, 32)


def column(count: int, kernel: int) -> Summary:
    """`count` convolutions with the same number of channels before and after, and no pooling."""
    block = Block(count, _CHANNELS, kernel_size=kernel, pool=None)
    return summarize(Architecture((block,), GAP), _FIELD_SHAPE)


def field_of(summary: Summary) -> int:
    """The side of what a unit of the last convolution sees, in pixels."""
    return max(row.receptive_field or 0 for row in summary.rows if row.kind == Kind.CONV2D)


def weights_per_square(summary: Summary) -> int:
    """The weights of the convolutions, biases not counted, in units of channels²."""
    return weights_of(summary, Kind.CONV2D) // _CHANNELS**2


def _sees_as_much(network: Network) -> list[Remark]:
    own, wanted = field_of(summarize(*network)), field_of(column(1, 7))
    remarks = []
    found = convolutions(network.architecture)
    if any(layer.kernel_size != 3 for layer in found):
        remarks.append(Remark("There are kernels that are not 3×3."))
    if any(layer.out_channels != _CHANNELS for layer in found):
        remarks.append(Remark("There are blocks without {channels} channels.", {"channels": _CHANNELS}))
    pooled = any(layer.kind in POOLINGS for layer in features(network.architecture))
    if pooled or any(layer.stride != 1 for layer in found):
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
    return max((layer.out_channels for layer in convolutions(architecture)), default=0)


def _equal_cost(own: int, other: int) -> bool:
    return abs(own - other) <= _EQUAL * other


def _deep_and_narrow(network: Network) -> list[Remark]:
    wide = parse_network(DEEP_START)
    own, other = summarize(*network).totals.macs, summarize(*wide).totals.macs
    remarks = other_input(network, wide.input_shape)
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
            return [accuracies(deep, wide)]
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
    most, remarks = most_convolutions(BOOK[1]), other_input(network, BOOK)
    if not all(isinstance(item, Block) and item == Block(1, item.out_channels) for item in network.architecture.items):
        remarks.append(Remark("There are blocks that are not one 3×3 convolution and one 2×2 pool."))
    if (own := _convolutions(network.architecture)) < most:
        values = {"own": own, "most": most}
        remarks.append(
            Remark("The network has {own} such {own:convolution|convolutions}; {most} are possible.", values)
        )
    return remarks


def _pools() -> list[Remark]:
    remarks = []
    for side in (BOOK[1], SMALL[1], 28):
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
