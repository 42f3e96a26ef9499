"""A cell or a file of Python: which network it makes. The one that is built last wins."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vggexplorer.architectures import Network, check_shape, shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.reading import chain, keras, lists, names
from vggexplorer.reading.python.follower import Follower
from vggexplorer.reading.python.objects import Class, Function, Instance, Unknown, has_weights, is_container, is_module
from vggexplorer.reading.python.source import Source
from vggexplorer.reading.values import Call, Reading, Says, Token, TokenError, refused

NOT_READ = Remark("Not read: {n:line|lines} {lines}.")
_MADE_WITH_A_SHAPE = ("randn", "rand", "zeros", "ones", "empty", "normal", "uniform")
_SUMMARIES = ("summary", "layer_summary")
_MOST_INPUTS = 8
"""Inputs of a text that are tried, the last ones."""
_LEAST, _MOST = 3, 4
"""The numbers of a shape, without and with the batch."""


def read(text: str) -> Reading | None:
    """The network that Python source makes, or the table that it holds; None if there is nothing in it of the kind.

    `TokenError` if what is built last cannot be read.
    """
    source = Source(text)
    follower = Follower(source)
    follower.follow()
    found = next(filter(None, _found(follower)), None)
    if found is None:
        mistakes = [*_unknown(follower), *(error for _, error in follower.unread), *filter(_is_code, source.faults)]
        if mistakes:
            raise mistakes[0]
        return None
    return found._replace(left_out=(*found.left_out, *_left_out(follower)))


def _found(follower: Follower) -> Iterator[Reading | None]:
    """What a text may mean, the likeliest first: what its lines build, what its definitions would, its tables."""
    inputs = list(dict.fromkeys(_inputs(follower)))[-_MOST_INPUTS:]
    for name, value, token in (*reversed(follower.made), *reversed(follower.within)):
        built = _built(follower, value, token, inputs)
        if built or lists.is_table(value) or lists.is_list(value):
            follower.known(value)
            follower.known(follower.scope.names.get(name))
        yield built
    tables = [value for _, value, _ in reversed(follower.made) if lists.is_table(value) or lists.is_list(value)]
    mistake: TokenError | None = None
    for value, token in _definitions(follower, tables[:1]):
        if isinstance(value, Unknown):
            mistake = mistake or value.error
        else:
            yield _built(follower, value, token, inputs)
    for _, value, token in reversed(follower.made):
        if made := lists.networks(value, token, follower.tokens(value)):
            follower.known(value)
            networks = {name: _with_input(network, inputs) for name, network in made.items()}
            yield Reading(networks, tuple(_unmade(follower)), Says.ITEMS)
    if mistake:
        raise mistake


def _unmade(follower: Follower) -> Iterator[Remark]:
    """The networks that a text defines and does not make, where a table of it was taken in their place."""
    for name, value in follower.scope.names.items():
        if isinstance(value, Class) and is_module(value):
            yield Remark("{name} is not made in this text: a table was taken, without its head.", {"name": name})


def _built(follower: Follower, value: Any, token: Token, inputs: Sequence[Shape]) -> Reading | None:
    """The network that a value is; None if it is none."""
    if isinstance(value, Unknown):
        raise value.error
    if isinstance(value, Call) and not is_container(value):
        named = names.network(value)
        return named and Reading({"": _with_input(named, inputs)})
    if isinstance(value, Call) or (isinstance(value, Instance) and follower.is_network(value)):
        layers = follower.chain(value, token)
        _check_shared(layers)
        read = keras.network if keras.is_meant(layers) else chain.network
        found = _fitting(read, layers, inputs)
        return found._replace(left_out=(*found.left_out, *_unused(follower.weights(value), layers)))
    return None


def _unused(weights: Mapping[str, Call], layers: Sequence[Call]) -> Iterator[Remark]:
    """The layers with weights that a network has but does not use."""
    used = {id(call) for call in layers}
    if names := [name for name, call in weights.items() if id(call) not in used]:
        yield Remark(
            "The network has what it does not use; that was left out of all counts: {names}.",
            {"names": ", ".join(names)},
        )


def _check_shared(layers: Sequence[Call]) -> None:
    """`TokenError` if a layer with weights stands twice in a network: it has them once."""
    seen: set[int] = set()
    for call in layers:
        if id(call) in seen and has_weights(call):
            raise refused(call.token, "this layer is used twice; layers that share their weights cannot be said here.")
        seen.add(id(call))


def _unknown(follower: Follower) -> Iterator[TokenError]:
    """What a text seems to build its network with, but does not hold."""
    for name, value, token in reversed(follower.made):
        if name and isinstance(value, Call):
            yield refused(token, "{name} is neither in this text nor known here.", name=shown(value.name))


def _is_code(fault: TokenError) -> bool:
    return any(sign in fault.token.text for sign in ("=", "(", "nn."))


def _fitting(read: Any, layers: Sequence[Call], inputs: Sequence[Shape]) -> Reading:
    """The network with the last input of the text that it can take, or else with the usual one."""
    mistakes: list[TokenError] = []
    for shape in (*reversed(inputs), None):
        try:
            network, remarks = read(layers, shape)
        except TokenError as error:
            mistakes.append(error)
        else:
            return Reading({"": network}, remarks)
    raise mistakes[0]


def _with_input(network: Network, inputs: Sequence[Shape]) -> Network:
    """The network with the last input of the text that has the channels of its own."""
    fitting = [shape for shape in inputs if shape[0] == network.input_shape[0]]
    return network._replace(input_shape=fitting[-1]) if fitting else network


def _definitions(follower: Follower, table: Sequence[Any]) -> Iterator[tuple[Any, Token]]:
    """What the functions and classes of the text make, without arguments or from its table; the last first."""
    for value in reversed(list(follower.scope.names.values())):
        if isinstance(value, Class) and not is_module(value):
            continue
        if not isinstance(value, Function | Class):
            continue
        token = follower.source.token(value.node)
        before = len(follower.within)
        try:
            made = follower.call(value, [*table][: follower.lacks(value)], {}, token)
        except TokenError as error:
            made = Unknown(error)
        yield made, token
        if made is None:
            yield from ((follower.known(inner), at) for _, inner, at in reversed(follower.within[before:]))


def _inputs(follower: Follower) -> Iterator[Shape]:
    """The inputs that a text makes or names, in their order."""
    for call in follower.calls:
        name = call.name.rpartition(".")[2]
        if name in _MADE_WITH_A_SHAPE:
            asked = call.kwargs.get("size", call.kwargs.get("shape", call.args))
            asked = _channels_first(asked) if call.name.startswith("tensorflow.") else asked
        elif name in _SUMMARIES:
            asked = call.kwargs.get("input_size", call.args[1:])
        elif name == "build":  # of Keras
            asked = _channels_first(call.kwargs.get("input_shape", call.args[1:]))
        elif type(side := call.kwargs.get("resize")) is int:  # of the book's load_data_fashion_mnist
            asked = (1, side, side)
        else:
            continue
        if shape := _shape(asked):
            yield shape


def _channels_first(asked: Any) -> Any:
    """The shape of a batch of Keras, which has its channels last."""
    asked = asked[0] if isinstance(asked, list) and asked else asked
    return (asked[3], asked[1], asked[2]) if isinstance(asked, tuple) and len(asked) == _MOST else ()


def _shape(asked: Any) -> Shape | None:
    """Channels, height and width of what is asked for; None if it is no such shape."""
    for _ in range(2):  # `torch.randn((1, 3, 224, 224))`, `summary(net, (3, 224, 224))`
        if isinstance(asked, list | tuple) and asked and isinstance(asked[0], list | tuple):
            asked = asked[0]
    if not isinstance(asked, list | tuple) or not _LEAST <= len(asked) <= _MOST:
        return None
    shape = tuple(asked[-3:])
    try:
        check_shape(shape)
    except InputError:
        return None
    return shape


def _left_out(follower: Follower) -> Iterator[Remark]:
    for name in dict.fromkeys(follower.assumed):
        yield Remark("{name} is not in this text: the book's own was taken.", {"name": name})
    unread = [token for token, _ in follower.unread] + [fault.token for fault in follower.source.faults]
    places = sorted({token.line for token in unread})
    if places:
        yield NOT_READ._replace(values={"n": len(places), "lines": _ranges(places)})


def _ranges(lines: Sequence[int], most: int = 8) -> str:
    """Lines as people write them: 1, 3–5."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1][1:] = [line]
        else:
            runs.append([line])
    shown = ["–".join(map(str, run)) for run in runs]
    return ", ".join([*shown[:most], *(["…"] if len(shown) > most else [])])
