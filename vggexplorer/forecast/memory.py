"""The memory that a training takes at its peak, by component, from the shapes alone."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from vggexplorer.layers import Kind, Saved
from vggexplorer.summary import DTYPES, Row, Summary

SINGLE = DTYPES["float32"]
"""Bytes of a number in float32: weights, gradients and images always are."""
TEST_BATCHES = (32, 500)
"""The fewest and the most images that are tested at once."""
HEAP_SHARE, HEAP_MOST = 0.75, 2**30
"""What the heap of a process on a CPU keeps in holes, as a share of what is in use, and at most. Blocks below 1 GiB
stay in the heap for the next step (`processes.FOR_TORCH`); freed in another order than they were taken, they leave
holes that the next block does not fit into. Of 16 networks holes took 0.1 to 1.2 times what was in use, median 0.7."""
VECTOR = 8
"""Channels are filled up to a multiple of it when cuDNN copies them for the matrix units of a GPU."""


class Added(NamedTuple):
    """What a GPU takes beside the tensors of a network, in a precision.

    `libraries` bytes are there once; while a convolution is computed, cuDNN copies its input, output and weights
    `copies` times over; the allocator keeps `cached` bytes that nobody uses. With these, the peaks of the networks that
    were measured are forecast within the relative error `spread`.
    """

    libraries: int = 0
    copies: float = 0.0
    cached: int = 0
    spread: float = 0.0


NOTHING_ADDED = Added()
AT_MOST = Added(libraries=4 * 32 * 2**20, copies=2.25)
"""Of a GPU that was not measured. PyTorch gives cuBLAS and cuBLASLt 32 MiB each at most, in the thread of the forward
and in that of the backward pass (ATen/cuda/CublasHandlePool.cpp). Of the ways in which cuDNN computes a convolution,
the Winograd transform of 4 x 4 pixels has the largest copies of maps: 36 numbers for 16."""


class Memory(NamedTuple):
    """Bytes by component at the moment when most is in use; they add up to `total`.

    `weights` has the copies in bfloat16, where that is the precision. `activations` is what autograd keeps for the
    backward pass; in inference, the largest input and output of a layer. `workspace` is what passes: gradients of
    activations, copies in another precision; and the heap's holes. `data` are the images on the device, `context`
    what the process (on a CPU) or the libraries (on a GPU) take before there is a network.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    data: int
    workspace: int
    context: int

    @property
    def total(self) -> int:
        """The sum of the components."""
        return sum(self)


COMPONENTS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "what the optimizer keeps",
    "activations": "activations kept for the backward pass",
    "data": "images on the device",
    "workspace": "workspace",
    "context": "PyTorch itself",
}
"""The components of memory, as people read them."""


class _Pass(NamedTuple):
    """One layer for a batch, in bytes.

    `saved` is what autograd saves from this layer on, until its backward pass is done; `entering` and `leaving` are
    what comes in and goes out, `loose` the part of both that nobody saves, `temporary` what comes and goes in the
    backward pass; `copies` its weights in bfloat16; `whole` the input, output and weights of a convolution, with its
    channels filled up.
    """

    saved: int
    entering: int
    leaving: int
    loose: int
    temporary: int
    params: int
    copies: int
    whole: int


def _whole(row: Row, batch: int, width: int) -> int:
    """The bytes of a convolution's input, output and weights, with its channels filled up; 0 of another layer."""
    if row.kind != Kind.CONV2D:
        return 0
    maps = sum(prod(shape[1:]) * -(-shape[0] // VECTOR) * VECTOR for shape in (row.input_shape, row.output_shape))
    return width * (batch * maps + row.params)


def _passes(rows: Sequence[Row], batch: int, precision: str, gpu: bool, *, late: bool = False) -> list[_Pass]:
    """All layers in order. What two layers keep is counted with the first: it is the last to release it.

    With `late`, max pools do the ReLU before them, as they do in the trainer on a processor (`pytorch/late_relu.py`).
    """
    low = DTYPES[precision]
    width = SINGLE  # bytes of an element of what reaches the layer
    held = False  # whether that is saved already
    learns = False  # whether there are weights so far: before them, there are no gradients and nothing is saved
    passes = []
    for number, row in enumerate(rows):
        saves = row.layer.saved_for_backward(row.input_shape, gpu)
        if late and _waits(rows, number):
            saves = Saved(view=True)
        elif late and number and _waits(rows, number - 1):
            saves = Saved(output=True, extra=saves.extra, temporary=width * prod(row.output_shape))
        learns = learns or row.params > 0
        if not learns:
            saves = Saved(view=saves.view)
        if row.layer.autocast == "lower" and width != low:
            width, held = low, False
        entering = batch * prod(row.input_shape) * width
        saved = batch * (saves.elements * width + saves.extra) + saves.once
        loose = 0
        if saves.input and not held:
            saved += entering
        elif not held:
            loose += entering
        if row.layer.autocast == "float32":
            width = SINGLE
        leaving = batch * prod(row.output_shape) * width
        if saves.view:
            leaving, held = 0, held or saves.input
        else:
            held = saves.output
            saved += leaving * held
            loose += leaving * (not held)
        copies = row.params * low if row.layer.autocast == "lower" and low != SINGLE else 0
        temporary, whole = batch * saves.temporary, _whole(row, batch, width)
        passes.append(_Pass(saved, entering, leaving, loose, temporary, row.params, copies, whole))
    return passes


def _waits(rows: Sequence[Row], number: int) -> bool:
    """Whether that layer is a ReLU which the max pool after it does."""
    return [row.kind for row in rows[number : number + 2]] == [Kind.RELU, Kind.MAX_POOL2D]


def activations(summary: Summary, batch: int, precision: str, *, gpu: bool = False) -> int:
    """Bytes that autograd keeps for the backward pass of a batch: every storage once, the network's parameters and
    their running statistics not counted, the input and (in bfloat16) its copy counted where a layer keeps them.

    It is what `torch.autograd.graph.saved_tensors_hooks` shows of the forward pass, without the loss.
    """
    return sum(each.saved for each in _passes(summary.rows, batch, precision, gpu))


def training_memory(
    summary: Summary,
    batch: int,
    precision: str,
    *,
    kept: int = 0,
    gpu: bool = False,
    data: int = 0,
    context: int = 0,
    added: Added = NOTHING_ADDED,
) -> Memory:
    """Memory of the trainer at its peak: a walk through a step, forward and backward, layer by layer.

    The backward pass frees what autograd kept, layer by layer, and makes the gradients; these stay until the next step
    begins, and the network is tested beside them. The optimizer has `kept` numbers for each weight, and changes them in
    place. `data` and `context` are bytes; `added` is what a GPU takes besides.
    """
    passes = _passes(summary.rows, batch, precision, gpu, late=not gpu)
    params = SINGLE * summary.totals.params
    optimizer = kept * params
    testing = _Moment(0, params, 0, _testing(summary, batch, precision, gpu, added))
    most = max((*_training(passes, added.copies), testing), key=sum)
    pictures = 0 if precision == "float32" else SINGLE * batch * prod(summary.input_shape)  # else autograd keeps them
    holes = 0 if gpu else min(HEAP_MOST, int(HEAP_SHARE * (params + optimizer + sum(most) + pictures)))
    return Memory(
        weights=params + most.copies,
        gradients=most.gradients,
        optimizer=optimizer,
        activations=most.saved,
        data=data,
        workspace=most.temporary + pictures + holes + added.libraries,
        context=context + added.cached,
    )


class _Moment(NamedTuple):
    """What is there at one moment of a step beside the weights, in bytes."""

    copies: int
    gradients: int
    saved: int
    temporary: int


def _training(passes: Sequence[_Pass], copied: float) -> Iterator[_Moment]:
    """The moments of a step at which it may have the most; convolutions are copied so many times over."""
    copies = saved = made = 0
    for each in passes:
        saved += each.saved
        copies += each.copies
        yield _Moment(copies, 0, saved, each.loose + int(copied * each.whole))
    first = next(number for number, each in enumerate(passes) if each.params)  # nothing before it has gradients
    for number in range(len(passes) - 1, first - 1, -1):
        each = passes[number]
        entering = each.entering if number > first else 0
        temporary = each.leaving + entering + each.temporary + int(copied * each.whole)
        if each.copies:  # the gradient comes in bfloat16; it is made float32 when its layer has let go of the rest
            yield _Moment(copies, made, saved, temporary + each.copies)
            made += SINGLE * each.params
            yield _Moment(copies, made, saved - each.saved, entering)
        else:
            made += SINGLE * each.params
            yield _Moment(copies, made, saved, temporary)
        saved -= each.saved
        copies -= each.copies


def _testing(summary: Summary, batch: int, precision: str, gpu: bool, added: Added) -> int:
    """What a forward pass on test images takes beside the weights and the libraries."""
    alone = added._replace(libraries=0, cached=0)
    tested = inference_memory(summary, tested_at_once(batch), precision, gpu=gpu, added=alone)
    return tested.total - SINGLE * summary.totals.params


def tested_at_once(batch: int) -> int:
    """How many images are tested at once: as many as trained on, whose memory is known to do, within bounds."""
    fewest, most = TEST_BATCHES
    return max(fewest, min(batch, most))


def inference_memory(
    summary: Summary,
    batch: int,
    precision: str,
    *,
    gpu: bool = False,
    data: int = 0,
    context: int = 0,
    added: Added = NOTHING_ADDED,
) -> Memory:
    """Memory of a forward pass without gradients: only one layer's input and output are there at once."""
    passes = _passes(summary.rows, batch, precision, gpu)
    copies = sum(each.copies for each in passes)
    images = SINGLE * batch * prod(summary.input_shape)
    most = max(passes, key=lambda each: each.entering + each.leaving + added.copies * each.whole)
    workspace = images + added.libraries + int(added.copies * most.whole)
    largest = most.entering + most.leaving
    return Memory(SINGLE * summary.totals.params + copies, 0, 0, largest, data, workspace, context + added.cached)
