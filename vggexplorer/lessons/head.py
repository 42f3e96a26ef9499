"""A cheaper head."""

from collections.abc import Sequence
from dataclasses import replace

from vggexplorer.architectures import NETWORKS, Head, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, exact, percent
from vggexplorer.lessons.asks import Edit, Finished, Number, Task, Theme, Trial
from vggexplorer.lessons.common import (
    GAP,
    SINGLE,
    accuracies,
    pairs,
)
from vggexplorer.summary import Summary, Totals, summarize

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


def _fc(totals: Totals) -> dict[str, str]:
    return {"fc": exact(totals.fc_params), "macs": exact(totals.fc_macs)}


def _saved_macs() -> Sequence[Remark]:
    before, after = summarize(*_SLIM).totals, with_head(_SLIM, GAP).totals
    return (
        Remark("The book's head: {fc} parameters, {macs} MACs.", _fc(before)),
        Remark("Global average pooling, no hidden layer: {fc} parameters, {macs} MACs.", _fc(after)),
        Remark(
            "The MACs fall by {share}, the weights in float32 by {saved}: the head is memory, not time.",
            {"share": percent(before.macs - after.macs, before.macs), "saved": decimal_size(_saved_bytes())},
        ),
    )


def _cheaper(network: Network) -> Sequence[Remark]:
    own, book = summarize(*network).totals, summarize(*_SLIM).totals
    values = {
        "own": exact(own.fc_params),
        "book": exact(book.fc_params),
        "share": percent(own.fc_params, book.fc_params),
    }
    return (Remark("{own} parameters instead of {book}: {share}.", values),)


def _one_for_each_channel() -> Sequence[Remark]:
    channels, classes = _SLIM.architecture.blocks[-1].out_channels, _SLIM.architecture.num_classes
    values = {"channels": channels, "classes": classes, "fc": exact(with_head(_SLIM, GAP).totals.fc_params)}
    return (Remark("{channels} × {classes} + {classes} = {fc}: one number for each channel goes in.", values),)


def _saved_memory() -> Sequence[Remark]:
    before, after = summarize(*_SLIM).totals.params, with_head(_SLIM, GAP).totals.params
    values = {
        "before": exact(before),
        "after": exact(after),
        "bytes": SINGLE,
        "saved": decimal_size(_saved_bytes()),
    }
    return (Remark("({before} − {after}) × {bytes} bytes = {saved}.", values),)


HEAD = Task(
    key="head",
    title=Remark("A cheaper head"),
    theme=Theme.TRAINING,
    minutes=8,
    question=Remark(
        "Nearly all parameters of the slim VGG-11 are in its head. Cut its cost with narrower hidden layers or with "
        "global average pooling, and find out what that costs in accuracy."
    ),
    start={"arch": "vgg11-slim"},
    bench=("editor", "totals", "drawing"),
    asks=(
        Number(
            key="macs",
            text=Remark(
                "Take global average pooling and no hidden layer in place of the head. By how many per cent do the "
                "MACs of the whole network fall?"
            ),
            answer=_fall_of_macs,
            reason=_saved_macs,
            unit="%",
            predict=True,
        ),
        Edit(
            key="edit",
            text=Remark("Edit the head until the fully connected part has less than a tenth of its parameters."),
            missing=_cheaper_head,
            solution={"arch": "vgg11-slim", "head": "gap", "hidden": "none"},
            reason=_cheaper,
        ),
        Number(
            key="gap",
            text=Remark(
                "With global average pooling and no hidden layer: how many parameters has the fully connected part?"
            ),
            answer=lambda: with_head(_SLIM, GAP).totals.fc_params,
            reason=_one_for_each_channel,
            slips=lambda: [
                (with_head(_SLIM, GAP).totals.fc_macs, Remark("These are the weights; the biases count, too."))
            ],
            bench=("editor", "totals", "layers"),
        ),
        Number(
            key="memory",
            text=Remark("How many MB (10⁶ bytes) of weights in float32 does that save?"),
            answer=lambda: _saved_bytes() / 1e6,
            reason=_saved_memory,
            unit="MB",
            slips=lambda: [(_saved_bytes() / 2**20, Remark("That is in MiB, of 1,048,576 bytes."))],
        ),
        Trial(
            key="runs",
            text=Remark("Train two networks that differ in nothing but the head: what is the price in accuracy?"),
            found=_differ_in_head,
            bench=("editor", "train"),
        ),
    ),
    hints=(
        Remark(
            "The head is at the end of the editor: its kind, and the widths of its hidden layers (none is possible)."
        ),
        Remark("Parameters are weights and biases: inputs × classes + classes."),
        Remark("Start trains the network of the editor. Start once, change the head, start again; leave the rest."),
    ),
    terms=("head", "gap", "parameter"),
)
