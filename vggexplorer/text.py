"""Text <-> value: what a person types, pastes, links or passes on the command line, both ways.

A network is written as a few short texts by key, the same in the URL, on the command line and in a
pinned baseline: `arch` (a name, the book's tuple, or block text such as `1x64,1x128,2x256`),
`input=1x224x224`, `classes`, `head`, `hidden`, `dropout`, `bn`, `act`. A key left out means the named
network's own value, or the book's. Everything is parsed strictly; `InputError` says what is wrong.
"""

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from vggexplorer.architectures import (
    MAX_CHANNELS,
    MAX_SIDE,
    NETWORKS,
    Architecture,
    Block,
    Head,
    Network,
    blocks,
    check_int,
    check_shape,
    shown,
)
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape

MAX_BLOCKS = 64
"""The most blocks that a person's input may have."""
MOST_ITEMS = 10 * MAX_BLOCKS
"""Pairs in a text from which on they are not read one by one: a notebook may have several tables."""
MAX_LAYERS = 400
"""The most layers that a person's input may have."""
MAX_TEXT = 20_000
"""The most characters that are read at all."""

_BLOCK = re.compile(r"([0-9]{1,9})[x*×]([0-9]{1,9})((?::[a-z0-9]+)*)")
_OPTION = re.compile(
    r"(?P<key>k|s|p)(?P<value>[0-9]{1,9})|(?P<kind>pool|avgpool)(?P<k>[0-9]{1,9})s(?P<s>[0-9]{1,9})|nopool|lrn"
)
_FIELDS_OF = {"k": "kernel_size", "s": "stride", "p": "padding"}


def slug(title: str) -> str:
    """The name of a named network as it is typed: 'VGG-11-LRN' -> 'vgg11-lrn'."""
    name = title.lower().replace("vgg-", "vgg").replace("(torchvision)", "tv")
    return name.strip().replace(" ", "-")


_TITLES = {re.sub("[-_ ]", "", name): title for title in NETWORKS for name in (slug(title), title.lower())}


def _plain(text: str) -> str:
    """The text with full-width characters (１，（ of a Chinese keyboard) made plain; refused if it is endless."""
    plain = unicodedata.normalize("NFKC", text[: MAX_TEXT + 1])  # one character may become eighteen
    length = max(len(text), len(plain))
    if length > MAX_TEXT:
        raise InputError("The text is too long: {n} characters, at most {most} are read.", n=length, most=MAX_TEXT)
    return plain.replace("、", ",").strip()


# --- blocks ------------------------------------------------------------------------------------------


def format_blocks(items: Iterable[Block]) -> str:
    """Blocks as text: '1x96:k11:s4:p1:pool3s2,2x384:nopool'."""
    return ",".join(map(_format_block, items))


def _format_block(block: Block) -> str:
    options = [f"{block.num_convs}x{block.out_channels}"]
    if block.kernel_size != 3:
        options.append(f"k{block.kernel_size}")
    if block.stride != 1:
        options.append(f"s{block.stride}")
    if block.padding != block.kernel_size // 2:
        options.append(f"p{block.padding}")
    if block.pool is None:
        options.append("nopool")
    elif (block.pool, block.pool_type) != ((2, 2), "max"):
        prefix = "pool" if block.pool_type == "max" else "avgpool"
        options.append(f"{prefix}{block.pool[0]}s{block.pool[1]}")
    if block.lrn:
        options.append("lrn")
    return ":".join(options)


def _parse_block(text: str) -> Block:
    match = _BLOCK.fullmatch(text)
    if not match:
        raise InputError(
            "{text} is not a block; write convolutions x channels, as in 2x256 or 1x96:k11:s4:p1:pool3s2.",
            text=shown(text),
        )
    values: dict[str, Any] = {"num_convs": int(match[1]), "out_channels": int(match[2])}
    for option in filter(None, match[3].split(":")):
        found = _OPTION.fullmatch(option)
        if not found:
            raise InputError(
                "{option} is not an option of a block; there are k3, s1, p1, pool2s2, avgpool2s2, nopool and lrn.",
                option=shown(option),
            )
        if found["key"]:
            new: dict[str, Any] = {_FIELDS_OF[found["key"]]: int(found["value"])}
        elif found["kind"]:
            new = {"pool": (int(found["k"]), int(found["s"])), "pool_type": "max" if found["kind"] == "pool" else "avg"}
        else:
            new = {"lrn": True} if option == "lrn" else {"pool": None}
        if values.keys() & new.keys():
            raise InputError("{option} contradicts an earlier option of the same block.", option=shown(option))
        values |= new
    return Block(**values)


def parse_blocks(text: str) -> tuple[Block, ...]:
    """Blocks from block text, or from the book's tuple as it is pasted from a notebook.

    Reads `((1, 64), (1, 128))` with lists for tuples, line breaks, comments, `conv_arch =` before it,
    and pairs or block text as items.
    """
    text = _plain(text)
    if not text:
        raise InputError("An architecture needs at least one block of convolutions.")
    if re.search(r"[(\[=]", text):
        if (most := text.count(",") // 2) > MOST_ITEMS:  # a pair has a comma, and one before the next
            raise _too_many_blocks(most)
        return _person_sized(blocks(_pairs(text)))
    items = []
    for row, part in enumerate(filter(None, re.split(r"[,\s]+", text.lower())), 1):
        if row > MAX_BLOCKS:
            raise _too_many_blocks(row)
        try:
            items.append(_parse_block(part))
        except InputError as error:
            raise InputError("Block {row}: {reason}", row=row, reason=error) from error
    return tuple(items)


def _pairs(text: str) -> list[Any]:
    """The items of the book's tuple: (num_convs, out_channels) pairs."""
    try:
        with warnings.catch_warnings(action="ignore"):
            statements = ast.parse(re.sub(r"(?m)^(>>>|\.\.\.) ?", "", text)).body
        tables = [value for value in map(_literal, statements) if isinstance(value, list | tuple)]
        value = tables[-1] if tables else ast.literal_eval(statements[-1].value)  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, TypeError, AttributeError, IndexError, RecursionError, MemoryError):
        raise InputError(
            "{text} is not a table like ((1, 64), (1, 128), (2, 256)).", text=shown(" ".join(text.split()))
        ) from None
    if (
        isinstance(value, list | tuple)
        and len(value) == 2
        and not any(isinstance(item, list | tuple) for item in value)
    ):
        value = [value]
    if not isinstance(value, list | tuple):
        raise InputError("{text} is not a table like ((1, 64), (1, 128), (2, 256)).", text=shown(value))
    for row, pair in enumerate(value, 1):
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise InputError(
                "Block {row}: {text} is not a pair (number of convolutions, output channels).",
                row=row,
                text=shown(pair),
            )
    return list(value)


def _literal(statement: ast.stmt) -> Any:
    """What a statement of a notebook's cell holds or assigns, if it is written out; else None."""
    try:
        return ast.literal_eval(statement.value)  # type: ignore[attr-defined]
    except (ValueError, TypeError, AttributeError):
        return None


def _too_many_blocks(count: int) -> InputError:
    return InputError("There are {count} or more blocks; at most {most} are allowed.", count=count, most=MAX_BLOCKS)


def _person_sized(items: tuple[Block, ...]) -> tuple[Block, ...]:
    if len(items) > MAX_BLOCKS:
        raise _too_many_blocks(len(items))
    if not items:
        raise InputError("An architecture needs at least one block of convolutions.")
    return items


def checked(network: Network) -> Network:
    """The network itself, if it is within the bounds for a person's input; else `InputError`."""
    architecture = network.architecture
    _person_sized(architecture.blocks)
    if architecture.num_layers > MAX_LAYERS:
        raise InputError(
            "This architecture has {layers} layers; at most {most} are allowed.",
            layers=shown(architecture.num_layers),
            most=MAX_LAYERS,
        )
    check_shape(network.input_shape)
    return network


def format_tuple(items: Iterable[Block]) -> str | None:
    """The book's tuple, `((1, 64), (1, 128))`; None if a block is not of VGG's form."""
    items = tuple(items)
    if not all(block.is_vgg for block in items):
        return None
    return str(tuple((block.num_convs, block.out_channels) for block in items))


# --- one text for each part of a network -------------------------------------------------------------


def parse_whole(text: str, what: str) -> int:
    """The whole number in `text`; `what` names it in the `InputError` if there is none."""
    if not re.fullmatch("[+-]?[0-9]{1,15}", text.strip()):
        raise InputError("{what} must be a whole number, not {value}.", what=what, value=shown(text))
    return int(text)


def _integer(text: str, what: str, low: int, high: int) -> int:
    number = parse_whole(_plain(text), what)
    check_int(number, what, low, high)
    return number


def _parse_input(text: str) -> Shape:
    parts = re.split("[x×*]", _plain(text).lower())
    if len(parts) != 3:
        raise InputError("The input {text} is not of the form CxHxW, as in 1x224x224.", text=shown(text))
    whats = ("the number of input channels", "the input height", "the input width")
    bounds = (MAX_CHANNELS, MAX_SIDE, MAX_SIDE)
    channels, height, width = (
        _integer(part, what, 1, bound) for part, what, bound in zip(parts, whats, bounds, strict=True)
    )
    return channels, height, width


def _parse_head(text: str) -> dict[str, Any]:
    match = re.fullmatch(r"(flatten|gap|adaptive)(?:(?<=adaptive):([0-9]{1,9}))?", _plain(text).lower())
    if not match:
        raise InputError("The head {text} is not one of flatten, adaptive, adaptive:6 and gap.", text=shown(text))
    return {"pooling": match[1], "size": int(match[2] or 7)}


def _format_head(head: Head) -> str:
    return f"adaptive:{head.size}" if head.pooling == "adaptive" and head.size != 7 else head.pooling


def _parse_hidden(text: str) -> tuple[int, ...]:
    text = _plain(text).lower().strip("()[]")
    if text in ("none", ""):
        return ()
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    if not parts or len(parts) > MAX_LAYERS:
        raise InputError("The hidden layers {text} are not of the form 4096,4096 or none.", text=shown(text))
    return tuple(_integer(part, "the width of a hidden layer", 1, MAX_CHANNELS) for part in parts)


def _parse_dropout(text: str) -> dict[str, Any]:
    match = re.fullmatch(r"([0-9]{0,3}\.?[0-9]{1,20}(?:e-[0-9]{1,3})?)(:first)?", _plain(text).lower())
    if not match:
        raise InputError("dropout must be a probability from 0 to below 1, not {value}.", value=shown(text))
    return {"dropout": float(match[1]), "dropout_first": bool(match[2])}


def _format_dropout(head: Head) -> str:
    return repr(head.dropout).removesuffix(".0") + ":first" * head.dropout_first


def _parse_flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise InputError("Batch normalisation (bn) must be 0 or 1, not {value}.", value=shown(text))
    return text == "1"


def _parse_activation(text: str) -> str:
    if text not in ("relu", "sigmoid"):
        raise InputError("The activation {value} is not one of relu and sigmoid.", value=shown(text))
    return text


def parse_ratio(text: str) -> Fraction:
    """A width ratio such as '0.25' or '1/4', exactly."""
    text = _plain(text)
    if not re.fullmatch(r"[0-9]{1,6}/[0-9]{1,6}|[0-9]{0,6}\.?[0-9]{1,6}", text) or re.fullmatch(r"[0-9]+/0+", text):
        raise InputError("The width {value} is not a positive ratio such as 0.25 or 1/4.", value=shown(text))
    ratio = Fraction(text)
    if not ratio:
        raise InputError("The width {value} is not a positive ratio such as 0.25 or 1/4.", value=shown(text))
    return ratio


def _with_input(shape: Shape) -> Callable[[Network], Network]:
    return lambda network: network._replace(input_shape=shape)


def _in_architecture(**new: Any) -> Callable[[Network], Network]:
    return lambda network: network._replace(architecture=replace(network.architecture, **new))


def _in_head(**new: Any) -> Callable[[Network], Network]:
    return lambda network: _in_architecture(head=replace(network.architecture.head, **new))(network)


class Key(NamedTuple):
    """How one key of a network's text is read and written."""

    parse: Callable[[str], Callable[[Network], Network]]
    format: Callable[[Network], str]


KEYS: dict[str, Key] = {
    "input": Key(
        lambda text: _with_input(_parse_input(text)),
        lambda network: "x".join(map(str, network.input_shape)),
    ),
    "classes": Key(
        lambda text: _in_architecture(num_classes=_integer(text, "the number of classes", 1, MAX_CHANNELS)),
        lambda network: str(network.architecture.num_classes),
    ),
    "head": Key(
        lambda text: _in_head(**_parse_head(text)),
        lambda network: _format_head(network.architecture.head),
    ),
    "hidden": Key(
        lambda text: _in_head(hidden=_parse_hidden(text)),
        lambda network: ",".join(map(str, network.architecture.head.hidden)) or "none",
    ),
    "dropout": Key(
        lambda text: _in_head(**_parse_dropout(text)),
        lambda network: _format_dropout(network.architecture.head),
    ),
    "bn": Key(
        lambda text: _in_architecture(batch_norm=_parse_flag(text)),
        lambda network: str(int(network.architecture.batch_norm)),
    ),
    "act": Key(
        lambda text: _in_architecture(activation=_parse_activation(text)),
        lambda network: network.architecture.activation,
    ),
}
"""Every key of a network's text but `arch`."""


# --- networks ----------------------------------------------------------------------------------------


def find_named(text: str) -> Network | None:
    """The named network that `text` names, in any usual spelling ('vgg11', 'VGG-11'), or None."""
    name = _TITLES.get(re.sub("[-_ ]", "", _plain(text).lower()))
    return NETWORKS[name] if name else None


def parse_arch(text: str) -> Network:
    """ARCH alone: a named network with its own head and input, or blocks with the book's."""
    if named := find_named(text):
        return named
    if re.fullmatch(r"[A-Za-z][\w\- ]*", _plain(text)):
        raise InputError(
            "There is no network {text}; there are {names}.", text=shown(text), names=", ".join(map(slug, NETWORKS))
        )
    return Network(Architecture(parse_blocks(text)))


def parse_network(params: Mapping[str, str], own: Network | None = None) -> Network:
    """The network that `params` (texts by key) name; a key left out keeps the value of `arch`.

    `own` gives the network if `arch` is left out. Keys that are not a network's are ignored.
    """
    network = parse_arch(params["arch"]) if "arch" in params or own is None else own
    for key, (parse, _) in KEYS.items():
        if key in params:
            network = parse(params[key])(network)
    return checked(network)


def format_network(network: Network) -> dict[str, str]:
    """The shortest texts by key that `parse_network` reads back as this very network."""
    return min((_differences(network, name) for name in _names(network)), key=len)


def _names(network: Network) -> list[str]:
    """The texts of `arch` that give the blocks of this network."""
    items = network.architecture.blocks
    named = [slug(title) for title, (architecture, _) in NETWORKS.items() if architecture.blocks == items]
    return named or [format_blocks(items)]


def _differences(network: Network, arch: str) -> dict[str, str]:
    own = parse_arch(arch)
    texts = {key: (form(network), form(own)) for key, (_, form) in KEYS.items()}
    params = {key: text for key, (text, default) in texts.items() if text != default}
    return {"arch": arch} | params


def title(network: Network) -> str:
    """A short name for people: 'VGG-11', 'VGG-11 slim', '1x8,1x16'; input and classes are not in it."""
    params = format_network(network)
    name = next((title for title in NETWORKS if slug(title) == params["arch"]), params["arch"])
    extras = [f"{key} {params[key]}" for key in ("head", "hidden", "dropout", "act") if key in params]
    extras += ["bn"] if network.architecture.batch_norm else []
    return ", ".join([name, *extras])
