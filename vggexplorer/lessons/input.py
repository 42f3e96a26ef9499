"""96 pixels for 224."""

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, ratio, short
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Number, Task
from vggexplorer.lessons.common import (
    SMALL,
    last_side,
    named,
    other_input,
)
from vggexplorer.summary import Summary


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
