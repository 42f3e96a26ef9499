"""96 pixels for 224."""

from collections.abc import Sequence

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, ratio
from vggexplorer.layers import Kind, shape_text
from vggexplorer.lessons.asks import Choice, Edit, Number, Option, Task, Theme
from vggexplorer.lessons.common import (
    SMALL,
    last_side,
    named,
    other_input,
    quotient,
    share,
)
from vggexplorer.summary import Summary, summarize


def _input_is_small(network: Network) -> list[Remark]:
    remarks = other_input(network, SMALL)
    if network.architecture != NETWORKS["VGG-11"].architecture:
        remarks.append(Remark("The network is not VGG-11 any more."))
    return remarks


def _flat(summary: Summary) -> int:
    return next(row.output_shape[0] for row in summary.rows if row.kind == Kind.FLATTEN)


def _same_kernels() -> Sequence[Remark]:
    before, after = named("VGG-11").totals, named("VGG-11", SMALL).totals
    return (
        Remark(
            "The convolutions have {before} parameters before and {after} after: a kernel does not know the "
            "input's size.",
            {"before": exact(before.conv_params), "after": exact(after.conv_params)},
        ),
    )


def _shorter() -> Sequence[Remark]:
    before, after = named("VGG-11"), named("VGG-11", SMALL)
    return (
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
    )


def _cheaper() -> Sequence[Remark]:
    before, after = named("VGG-11").totals, named("VGG-11", SMALL).totals
    return (
        quotient(before.macs, after.macs),
        Remark(
            "Activations: {activations}. An epoch is that much cheaper.",
            {"activations": ratio(before.activations, after.activations)},
        ),
    )


INPUT = Task(
    key="input",
    title=Remark("96 pixels instead of 224"),
    theme=Theme.COST,
    minutes=6,
    question=Remark(
        "Fashion-MNIST's pictures have 28×28 pixels; the book enlarges them to 224. Make the input 96×96: what "
        "changes, what does not, and what follows for training?"
    ),
    start={"arch": "vgg11"},
    bench=("editor", "totals", "layers"),
    asks=(
        Number(
            key="macs",
            text=Remark("How many times as many MACs does VGG-11 need at 224 pixels as at 96?"),
            answer=lambda: named("VGG-11").totals.macs / named("VGG-11", SMALL).totals.macs,
            reason=_cheaper,
            unit="×",
            predict=True,
        ),
        Edit(
            key="edit",
            text=Remark("Give VGG-11 an input of 96×96 pixels."),
            missing=_input_is_small,
            solution={"arch": "vgg11", "input": "1x96x96"},
            reason=lambda network: [share(summarize(*network).totals.macs, named("VGG-11").totals.macs)],
        ),
        Choice(
            key="convolutions",
            text=Remark("What happens to the parameters of the convolutions?"),
            options=(
                Option(
                    Remark("They become fewer."),
                    Remark("Fewer positions, but the same kernels are used at each of them."),
                ),
                Option(Remark("They stay as they are."), Remark("The kernels are the same.")),
                Option(Remark("They become more."), Remark("A smaller picture needs no larger kernels.")),
            ),
            answer=lambda: 1,
            figures=_same_kernels,
        ),
        Number(
            key="flat",
            text=Remark("How many inputs has the first linear layer now?"),
            answer=lambda: _flat(named("VGG-11", SMALL)),
            reason=_shorter,
        ),
        Choice(
            key="training",
            text=Remark("What follows for training?"),
            options=(
                Option(
                    Remark("Nothing: the number of pictures is the same."),
                    Remark("But each picture costs less: look at the MACs and the activations."),
                ),
                Option(
                    Remark(
                        "It takes less time and memory, and weights of the head that were trained at 224 do not fit."
                    ),
                    Remark("The first linear layer has fewer inputs, so its weights have another shape."),
                ),
                Option(
                    Remark("It takes less time and memory, and all weights that were trained at 224 can be loaded."),
                    Remark("Those of the convolutions can; the first linear layer has another number of inputs."),
                ),
                Option(
                    Remark("It takes as long, but needs less memory."),
                    Remark("The MACs of each picture fall, too, and with them the time."),
                ),
            ),
            answer=lambda: 1,
            figures=_shorter,
        ),
    ),
    hints=(
        Remark("The totals show the difference to a baseline: pin the network before you change its input."),
        Remark("Follow the sides in the table: each pooling halves them and rounds down."),
        Remark("Which layer's weights depend on the size of the last feature maps?"),
    ),
    terms=("convolution", "flatten", "feature map"),
)
