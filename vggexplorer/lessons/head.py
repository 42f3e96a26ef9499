"""A cheaper head."""

from collections.abc import Sequence
from dataclasses import replace

from vggexplorer.architectures import NETWORKS, Head, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, exact, percent
from vggexplorer.lessons.asks import Edit, Finished, Number, Task, Trial
from vggexplorer.lessons.common import (
    GAP,
    SINGLE,
    accuracies,
    pairs,
)
from vggexplorer.summary import Summary, summarize

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
