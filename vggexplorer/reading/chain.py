"""From layers as they are written to a network: what reaches each, the input if it is not said, blocks and a head."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count as count_from
from math import isqrt, prod
from operator import attrgetter
from typing import Any, NamedTuple

from vggexplorer.architectures import ACTIVATIONS, Architecture, Block, Head, Item, Network, check_shape
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Shape,
    shape_text,
)
from vggexplorer.reading import layers
from vggexplorer.reading.arguments import kind, placed
from vggexplorer.reading.layers import Softmax, Step, ZeroPad2d
from vggexplorer.reading.values import Call, Name, Token, TokenError, refused
from vggexplorer.text import MAX_LAYERS, checked

_MOST_CALLS = 4 * MAX_LAYERS
"""Calls that are looked at, those of which no layer comes included."""
_CONTAINERS = ("Sequential", "ModuleList")
_SIDES = (224, 227, 32, 28, 299, 256, 160, 128, 112, 96, 64, 48)
"""The usual sides of an input, the most usual first: where one fits, 48 mostly does if 32 does."""
_LARGEST = 512
"""The largest side that is thought of if none of the usual ones fits."""
_COLOURS = (1, 3)
"""The channels of an input of which nothing is said."""
PUT_IN = Remark("The text has no Flatten: it was put in where the maps become a vector.")


def network(calls: Sequence[Call], input_shape: Shape | None) -> tuple[Network, tuple[Remark, ...]]:
    """The network of PyTorch's layers in a row, which may be nested in `Sequential`s; and what is to be said of it.

    `input_shape` is (channels, height, width), None if the text does not say it: then it is the usual one that the
    numbers in the text agree with. `TokenError` at what cannot be.
    """
    return assembled([step for call in flat(calls) for step in layers.read(call)], input_shape)


def flat(calls: Sequence[Call]) -> Iterator[Call]:
    """The calls of layers in order, `Sequential`s taken apart."""
    rest = list(reversed(calls))
    for _ in range(_MOST_CALLS):
        if not rest:
            return
        call = rest.pop()
        if kind(call) not in _CONTAINERS:
            yield call
            continue
        rest += reversed(list(_members(call)))
        if len(rest) > _MOST_CALLS:
            break
    if rest:
        raise too_many(rest[-1].token)


def _members(call: Call) -> Iterator[Call]:
    """What a container is made of: its arguments, or what one list or dictionary holds."""
    arguments: dict[int | str, Any] = dict(enumerate(call.args)) | {"layers": call.kwargs.get("layers", ())}
    for place, argument in arguments.items():
        values = list(argument.values()) if isinstance(argument, dict) else argument
        for value in values if isinstance(values, list | tuple) else [values]:
            if not isinstance(value, Call):
                token = value.token if isinstance(value, Name) else call.at(place)
                raise refused(token, "it is not known from the text which layer this is.")
            yield value


def too_many(token: Token) -> TokenError:
    """The error of a text that has more layers than are read."""
    return refused(token, "these are too many layers; at most {most} are allowed.", most=MAX_LAYERS)


def assembled(written: Sequence[Step], input_shape: Shape | None) -> tuple[Network, tuple[Remark, ...]]:
    """The network of layers as they are written, as in `network`."""
    if not written:
        raise InputError("An architecture needs at least one block of convolutions.")
    steps = _with_own_padding(written)
    if len(steps) > MAX_LAYERS:
        raise too_many(steps[MAX_LAYERS].token)
    remarks = [*_without_softmax(steps), *_with_flatten(steps)]
    if input_shape is None:
        input_shape = _likely_input(steps)
        remarks.append(taken(input_shape))
    else:
        check_shape(input_shape)
        _follow(steps, input_shape, strictly=False)
    return checked(Network(folded([step.layer for step in steps]), input_shape)), tuple(remarks)


def taken(shape: Shape) -> Remark:
    """That a text does not say its input, and which one it has here."""
    return Remark("The text does not say its input; this was taken: {shape}.", {"shape": shape_text(shape)})


def _with_own_padding(written: Sequence[Step]) -> list[Step]:
    """The steps, where zeros around the maps are the padding of the convolution that they stand before."""
    steps: list[Step] = []
    for step in written:
        before = steps[-1].layer if steps else None
        if isinstance(before, ZeroPad2d):
            if not isinstance(step.layer, Conv2d):
                break
            steps[-1] = step._replace(layer=replace(step.layer, padding=step.layer.padding + before.padding))
        else:
            steps.append(step)
    if isinstance(steps[-1].layer, ZeroPad2d):
        raise refused(steps[-1].token, "zeros around the maps can only be read right before a convolution.")
    return steps


def _without_softmax(steps: list[Step]) -> Iterator[Remark]:
    if steps and isinstance(steps[-1].layer, Softmax):
        steps.pop()
        yield Remark("The softmax at the end has no parameters and no MACs: it was left out.")
    for step in steps:
        if isinstance(step.layer, Softmax):
            raise refused(step.token, "a softmax can only be read at the very end.")


def _with_flatten(steps: list[Step]) -> Iterator[Remark]:
    """Let there be one Flatten: one of a vector changes nothing; one that nobody needs to write is put in."""
    flats = [place for place, step in enumerate(steps) if isinstance(step.layer, Flatten)]
    for place in reversed(flats[1:]):
        del steps[place]
    if flats or not steps:
        return
    vector = next((step for step in steps if step.layer.takes == "vector"), None)
    maps = [step.layer for step in steps if step.layer.takes == "maps"]
    if vector and maps:
        raise refused(
            vector.token, "{kind} needs a flat vector, but there is no Flatten before it.", kind=vector.layer.kind
        )
    if not vector and maps[-1:] != [AdaptiveAvgPool2d(1)]:
        raise refused(steps[-1].token, "the layers do not end in scores: there is no Flatten among them.")
    steps.insert(0 if vector else len(steps), Step(Flatten(), steps[0 if vector else -1].token))
    yield PUT_IN


# --- what reaches each layer ---------------------------------------------------------------------------


def _follow(steps: Sequence[Step], input_shape: Shape, strictly: bool = True) -> None:
    """Raise `TokenError` at the first layer that cannot take what reaches it, or that says that something else does.

    If not `strictly`, no further than the layer for which the input is too small.
    """
    shape = input_shape
    for step in steps:
        if not strictly and len(shape) == 3 and min(shape[1:]) < step.layer.min_side(1):
            return
        reaching = (prod(shape),) if isinstance(step.layer, Flatten) else shape
        if step.width not in (None, reaching[0]) and len(reaching) == (3 if step.layer.takes == "maps" else 1):
            raise _disagreement(step, reaching, input_shape)
        with placed(step.token):
            shape = step.layer.output_shape(shape)
    if strictly:
        _check_scores(steps, shape)


def _check_scores(steps: Sequence[Step], shape: Shape) -> None:
    classes = next((width for step in reversed(steps) if (width := _width(step.layer))), None)
    if classes and shape != (classes,):
        raise refused(
            steps[-1].token,
            "{scores} {scores:score|scores} for {classes} {classes:class|classes}: before Flatten the maps must be of "
            "one pixel, as behind a global average pool",
            scores=prod(shape),
            classes=classes,
        )


def _width(layer: Layer) -> int | None:
    """The channels or features that a layer with weights gives."""
    return getattr(layer, "out_channels", None) or getattr(layer, "out_features", None)


def _disagreement(step: Step, shape: Shape, input_shape: Shape) -> TokenError:
    values = {"count": f"{shape[0]:,}", "said": f"{step.width:,}"}
    token = step.said or step.token
    if len(shape) == 3:
        return refused(token, "{count} {count:channel reaches|channels reach} this layer, not {said}.", **values)
    return refused(
        token,
        "{count} {count:feature reaches|features reach} this layer if the input is {input}, not {said}.",
        input=shape_text(input_shape),
        **values,
    )


def _likely_input(steps: Sequence[Step]) -> Shape:
    """The input that all numbers in the text agree with; `TokenError` where the most usual one fails if none does."""
    failures: list[TokenError] = []
    for channels in _likely_channels(steps):
        for side in (*_SIDES, _smallest_side(steps, channels)):
            shape = (channels, side, side)
            try:
                _follow(steps, shape)
            except TokenError as error:
                failures.append(error)
            else:
                return shape
    raise failures[0]


def _likely_channels(steps: Sequence[Step]) -> tuple[int, ...]:
    """The channels of the input: those that the first layer which needs to know them says."""
    for step in steps:
        if step.width and step.layer.takes == "maps":
            return (step.width,)
        if _width(step.layer) or isinstance(step.layer, Flatten):
            break
    return _COLOURS


def _smallest_side(steps: Sequence[Step], channels: int) -> int:
    """The smallest side for which as many features come out of Flatten as the text says, or one pixel if it does not.

    That is, if any side is.
    """
    end = next(place for place, step in enumerate(steps) if isinstance(step.layer, Flatten))
    features = next((step.width for step in steps[end:] if step.width), None)
    maps = next((width for step in reversed(steps[:end]) if (width := _width(step.layer))), channels)
    side = max(1, isqrt(features // maps)) if features else 1
    for step in reversed(steps[:end]):
        side = max(1, step.layer.min_side(side))
    return min(side, _LARGEST)


# --- blocks and a head ---------------------------------------------------------------------------------


class _Parts(NamedTuple):
    """What an architecture is made of."""

    items: tuple[Item, ...]
    head: Head | tuple[Layer, ...]
    batch_norm: bool
    activation: str

    @property
    def size(self) -> tuple[int, int]:
        """In how many items it is told, and the parts of its head."""
        return len(self.items), 1 if isinstance(self.head, Head) else len(self.head)


def folded(chain: list[Layer]) -> Architecture:
    """The architecture of these layers, with as many of them as possible in blocks and a `Head`.

    `InputError` if they are none.
    """
    activations = [name for name, layer in ACTIVATIONS.items() if layer in chain] or ["relu"]
    norms = [False, True] if BatchNorm2d() in chain else [False]
    parts = [_parts(chain, name, batch_norm) for name in activations for batch_norm in norms]
    best = min(parts, key=attrgetter("size"))
    if isinstance(best.head, Head):
        return Architecture(best.items, best.head, _width(chain[-1]) or 0, best.batch_norm, best.activation)
    return Architecture(best.items, best.head, batch_norm=best.batch_norm, activation=best.activation)


def _parts(chain: list[Layer], activation: str, batch_norm: bool) -> _Parts:
    end = chain.index(Flatten())
    after = [BatchNorm2d(), ACTIVATIONS[activation]][not batch_norm :]
    head = _head(chain[:end], chain[end + 1 :], ACTIVATIONS[activation])
    if head is None:
        return _Parts(tuple(_items(chain[:end], after)), tuple(chain[end:]), batch_norm, activation)
    maps = chain[: end - (head.pooling != "flatten")]
    return _Parts(tuple(_items(maps, after)), head, batch_norm, activation)


def _head(maps: list[Layer], vector: list[Layer], activation: Layer) -> Head | None:
    """The `Head` that these layers are, if they are one and something stands before it."""
    widths = [layer.out_features for layer in vector if isinstance(layer, Linear)]
    last = maps[-1] if maps else None
    size = last.output_size if isinstance(last, AdaptiveAvgPool2d) else 0
    if not widths or len(maps) == bool(size):
        return None
    options: dict[str, Any] = {"pooling": {0: "flatten", 1: "gap"}.get(size, "adaptive")}
    if size > 1:
        options["size"] = size
    if hidden := tuple(widths[:-1]):
        options["dropout"] = next((layer.p for layer in vector if isinstance(layer, Dropout)), 0.0)
    head = Head(hidden=hidden, dropout_first=isinstance(vector[0], Dropout), **options)
    return head if head.classifier(activation, widths[-1]) == vector else None


def _items(maps: list[Layer], after: list[Layer]) -> Iterator[Item]:
    """Blocks, and layers that are not part of one; `after` follows each convolution of a block."""
    place = 0
    while place < len(maps):
        block = _block(maps[place:], after)
        yield block or maps[place]
        place += block.num_convs * (1 + len(after)) + block.lrn + (block.pool is not None) if block else 1


def _block(maps: list[Layer], after: list[Layer]) -> Block | None:
    """The block that these layers begin with, as long as it may be."""
    first, step = maps[0], 1 + len(after)
    if not isinstance(first, Conv2d) or replace(first, dilation=1, groups=1, bias=True) != first:
        return None
    unit = [first, *after]
    count = next(n for n in count_from(0) if maps[n * step : (n + 1) * step] != unit)
    if not count:
        return None
    rest = maps[count * step :]
    lrn = rest[:1] == [LocalResponseNorm()]
    pool = next(iter(rest[lrn : lrn + 1]), None)
    block = Block(count, first.out_channels, first.kernel_size, first.stride, first.padding, None, lrn=lrn)
    if not isinstance(pool, MaxPool2d | AvgPool2d) or pool != type(pool)(pool.kernel_size, pool.stride):
        return block
    return replace(
        block, pool=(pool.kernel_size, pool.stride), pool_type="max" if isinstance(pool, MaxPool2d) else "avg"
    )
