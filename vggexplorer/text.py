"""Text <-> value: what a person types, pastes, links or passes on the command line, both ways.

A network is written as a few short texts by key, the same in the URL, on the command line and in a
pinned baseline: `arch` (a name, the book's tuple, or block text such as `1x64,1x128,2x256`),
`input=1x224x224`, `classes`, `head`, `hidden`, `dropout`, `bn`, `act`. A key left out means the named
network's own value, or the book's. Everything is parsed strictly; `InputError` says what is wrong.
"""

import ast
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import attrgetter
from typing import Any, NamedTuple

from vggexplorer.architectures import (
    ACTIVATIONS,
    MAX_CHANNELS,
    MAX_SIDE,
    NETWORKS,
    Architecture,
    Block,
    Head,
    Item,
    Network,
    blocks,
    check_int,
    check_shape,
    shown,
)
from vggexplorer.errors import InputError
from vggexplorer.layers import Flatten, Shape
from vggexplorer.notation import format_arch, is_layer, parse_item

MAX_BLOCKS = 64
"""The most blocks that a person's input may have."""
MOST_ITEMS = 10 * MAX_BLOCKS
"""Pairs in a text from which on they are not read one by one: a notebook may have several tables."""
MAX_LAYERS = 400
"""The most layers that a person's input may have."""
MAX_TEXT = 20_000
"""The most characters that are read at all."""
MAX_PARTS = 20
"""The most parts `;key=text` after an architecture; a network has fewer."""


def slug(title: str) -> str:
    """The name of a named network as it is typed: 'VGG-11-LRN' -> 'vgg11-lrn'."""
    name = title.lower().replace("vgg-", "vgg").replace("torchvision", "tv")
    return re.sub("[()]", "", name).strip().replace(" ", "-")


_COLUMNS = {
    "A": "VGG-11",
    "A-LRN": "VGG-11-LRN",
    "B": "VGG-13",
    "C": "VGG-16-C",
    "D": "VGG-16",
    "E": "VGG-19",
}
"""The columns of Table 1 of Simonyan and Zisserman (2014)."""
_SPELLINGS = {name: title for title in NETWORKS for name in (slug(title), title.lower())} | {
    f"vgg{column.lower()}": title for column, title in _COLUMNS.items()
}
_TITLES = {re.sub("[-_ ]", "", name): title for name, title in _SPELLINGS.items()}
_NORMALIZED = re.compile("(vgg[0-9]+)bn")
"""How the VGGs with batch normalisation are called: vgg16-bn."""


def _plain(text: str) -> str:
    """The text with full-width characters (１，（ of a Chinese keyboard) made plain; refused if it is endless."""
    plain = unicodedata.normalize("NFKC", text[: MAX_TEXT + 1])  # one character may become eighteen
    length = max(len(text), len(plain))
    if length > MAX_TEXT:
        raise InputError("The text is too long: {n} characters, at most {most} are read.", n=length, most=MAX_TEXT)
    return plain.replace("、", ",").strip()


# --- items ------------------------------------------------------------------------------------------


def parse_items(text: str) -> tuple[Item, ...]:
    """Blocks and layers from their text, or blocks from the book's tuple, `((1, 64), (1, 128))`."""
    text = _plain(text)
    if not text:
        raise InputError("An architecture needs at least one block of convolutions.")
    if text[0] in "([":
        return _person_sized(blocks(_pairs(text)))
    parts = _parts(text)
    if (count := sum(part[0].isdigit() for part in parts)) > MAX_BLOCKS:
        raise _too_many_blocks(count)
    if len(parts) > MAX_LAYERS:
        raise _too_many_layers(len(parts))
    items = []
    for row, part in enumerate(parts, 1):
        try:
            items.append(parse_item(part))
        except InputError as error:
            raise _at(row, part, error) from error
    return _person_sized(items)


def _at(row: int, part: str, reason: InputError) -> InputError:
    """The reason with where it is: a layer by its text, anything else by its number."""
    if is_layer(part):
        return InputError("{name}: {reason}", name=shown(part), reason=reason)
    return InputError("Block {row}: {reason}", row=row, reason=reason)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text.lower()) if part]


def _pairs(text: str) -> list[Any]:
    """The items of the book's tuple: (num_convs, out_channels) pairs."""
    if (most := text.count(",") // 2) > MOST_ITEMS:  # a pair has a comma, and one before the next
        raise _too_many_blocks(most)
    no_table = InputError("{text} is not a table like ((1, 64), (1, 128), (2, 256)).", text=shown(text))
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise no_table from None
    if not isinstance(value, list | tuple):
        raise no_table
    if len(value) == 2 and not any(isinstance(item, list | tuple) for item in value):
        value = [value]
    for row, pair in enumerate(value, 1):
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise InputError(
                "Block {row}: {text} is not a pair (number of convolutions, output channels).",
                row=row,
                text=shown(pair),
            )
    return list(value)


def _too_many_blocks(count: int) -> InputError:
    return InputError("There are {count} or more blocks; at most {most} are allowed.", count=count, most=MAX_BLOCKS)


def _too_many_layers(count: int) -> InputError:
    return InputError(
        "This architecture has {layers} layers; at most {most} are allowed.", layers=shown(count), most=MAX_LAYERS
    )


def _person_sized(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, if their blocks are not too many for a person's input; else `InputError`."""
    if (count := sum(isinstance(item, Block) for item in items)) > MAX_BLOCKS:
        raise _too_many_blocks(count)
    if not items:
        raise InputError("An architecture needs at least one block of convolutions.")
    return tuple(items)


def checked(network: Network) -> Network:
    """The network itself, if it is within the bounds for a person's input; else `InputError`."""
    architecture = network.architecture
    if len(architecture.blocks) > MAX_BLOCKS:
        raise _too_many_blocks(len(architecture.blocks))
    if architecture.num_layers > MAX_LAYERS:
        raise _too_many_layers(architecture.num_layers)
    check_shape(network.input_shape)
    return network


def format_tuple(architecture: Architecture) -> str | None:
    """The book's tuple, `((1, 64), (1, 128))`; None if an item is not of VGG's form."""
    items = architecture.items
    if not all(isinstance(item, Block) and item.is_vgg for item in items) or not isinstance(architecture.head, Head):
        return None
    return str(tuple((block.num_convs, block.out_channels) for block in architecture.blocks))


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
    check_shape((channels, height, width))
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
    if text not in ACTIVATIONS:
        raise InputError(
            "The activation {value} is not one of {names}.", value=shown(text), names=", ".join(ACTIVATIONS)
        )
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


def _in_blocks(name: str, value: Any) -> Callable[[Network], Network]:
    """Set what the blocks are made with; `InputError` if there is nothing that could be."""

    def change(network: Network) -> Network:
        changed = _in_architecture(**{name: value})(network)
        if getattr(changed.architecture, name) != value:
            raise InputError(
                "Batch normalisation and the activation (bn and act) are those of blocks; this network has no block."
            )
        return changed

    return change


def _in_head(what: str, **new: Any) -> Callable[[Network], Network]:
    def change(network: Network) -> Network:
        head = network.architecture.head
        if isinstance(head, Head):
            return _in_architecture(head=replace(head, **new))(network)
        if what == "head":
            return _in_architecture(head=Head(**new))(network)
        raise InputError(
            "The head of this network is written out layer by layer; {what} can be given with a head of flatten, "
            "adaptive or gap only.",
            what=what,
        )

    return change


def _of_head(form: Callable[[Head], str]) -> Callable[[Network], str]:
    """How a part of a `Head` is written; a head of layers has none."""

    def write(network: Network) -> str:
        head = network.architecture.head
        return form(head) if isinstance(head, Head) else ""

    return write


class Key(NamedTuple):
    """How one key of a network's text is read and written; nothing is written where the network has no such part."""

    parse: Callable[[str], Callable[[Network], Network]]
    format: Callable[[Network], str]


KEYS: dict[str, Key] = {
    "input": Key(
        lambda text: _with_input(_parse_input(text)),
        lambda network: "x".join(map(str, network.input_shape)),
    ),
    "head": Key(
        lambda text: _in_head("head", **_parse_head(text)),
        _of_head(_format_head),
    ),
    "classes": Key(
        lambda text: _in_architecture(num_classes=_integer(text, "the number of classes", 1, MAX_CHANNELS)),
        lambda network: str(network.architecture.num_classes),
    ),
    "hidden": Key(
        lambda text: _in_head("hidden", hidden=_parse_hidden(text)),
        _of_head(lambda head: ",".join(map(str, head.hidden)) or "none"),
    ),
    "dropout": Key(
        lambda text: _in_head("dropout", **_parse_dropout(text)),
        _of_head(_format_dropout),
    ),
    "bn": Key(
        lambda text: _in_blocks("batch_norm", _parse_flag(text)),
        lambda network: str(int(network.architecture.batch_norm)),
    ),
    "act": Key(
        lambda text: _in_blocks("activation", _parse_activation(text)),
        lambda network: network.architecture.activation,
    ),
}
"""Every key of a network's text but `arch`, in the order in which they are read: the classes are those of the head."""


# --- networks ----------------------------------------------------------------------------------------


def find_named(text: str) -> Network | None:
    """The named network that `text` names, in any usual spelling ('vgg11', 'VGG-11', 'vgg11_bn'), or None."""
    name = re.sub("[-_ ]", "", _plain(text).lower())
    if (found := _NORMALIZED.fullmatch(name)) and found[1] in _TITLES:
        return _in_architecture(batch_norm=True)(NETWORKS[_TITLES[found[1]]])
    return NETWORKS[_TITLES[name]] if name in _TITLES else None


def parse_arch(text: str) -> Network:
    """ARCH alone: a named network with its own head and input, or items with the book's."""
    if named := find_named(text):
        return named
    plain = _plain(text)
    if re.fullmatch(r"[A-Za-z][\w\- ]*", plain) and not any(map(is_layer, _parts(plain))):
        raise InputError(
            "There is no network {text}; there are {names}.", text=shown(text), names=", ".join(map(slug, NETWORKS))
        )
    items = parse_items(text)
    flat = next((place for place, item in enumerate(items) if isinstance(item, Flatten)), None)
    if flat is None:
        return Network(Architecture(items))
    return Network(Architecture(items[:flat], items[flat:]))  # type: ignore[arg-type]  # a block there is refused


def parse_network(params: Mapping[str, str], own: Network | None = None) -> Network:
    """The network that `params` (texts by key) name; a key left out keeps the value of `arch`.

    `own` gives the network if `arch` is left out. Keys that are not a network's are ignored.
    """
    network = parse_arch(params["arch"]) if "arch" in params or own is None else own
    for key, (parse, _) in KEYS.items():
        if key in params:
            network = parse(params[key])(network)
    return checked(network)


def split_network(text: str) -> dict[str, str]:
    """The texts by key of a network that is written in one, `arch;key=text;...`."""
    arch, *rest = text.split(";", MAX_PARTS)  # what is beyond stays in the last one, and is complained about there
    return {"arch": arch} | dict(part.partition("=")[::2] for part in rest)


def known_network(text: str) -> dict[str, str]:
    """The same; `InputError` if there is a key that no network has."""
    texts = split_network(text)
    if unknown := sorted(texts.keys() - KEYS.keys() - {"arch"}):
        raise InputError("A network has no {key}; it has: “{names}”.", key=shown(unknown[0]), names=", ".join(KEYS))
    return texts


def format_network(network: Network) -> dict[str, str]:
    """The shortest texts by key that `parse_network` reads back as this very network."""
    return min((_differences(network, name) for name in _names(network)), key=len)


def _names(network: Network) -> list[str]:
    """The texts of `arch` that give the items of this network."""
    own = network.architecture
    named = [slug(title) for title, (architecture, _) in NETWORKS.items() if is_spelling(architecture, own)]
    return named or [format_arch(own)]


def is_spelling(named: Architecture, own: Architecture) -> bool:
    """Whether the keys are enough to make `own` of a named network."""
    if isinstance(named.head, Head) or isinstance(own.head, Head):
        return named.items == own.items and isinstance(own.head, Head)
    return (own.items, own.head) == attrgetter("items", "head")(replace(named, num_classes=own.num_classes))


def _differences(network: Network, arch: str) -> dict[str, str]:
    own = parse_arch(arch)
    texts = {key: (form(network), form(own)) for key, (_, form) in KEYS.items()}
    params = {key: text for key, (text, default) in texts.items() if text and text != default}
    return {"arch": arch} | params


def title(network: Network) -> str:
    """A short name for people: 'VGG-11', 'VGG-11 slim', '1x8,1x16'; input and classes are not in it."""
    params = format_network(network)
    name = next((title for title in NETWORKS if slug(title) == params["arch"]), params["arch"])
    extras = [f"{key} {params[key]}" for key in ("head", "hidden", "dropout", "act") if key in params]
    extras += {"1": ["bn"], "0": ["bn 0"]}.get(params.get("bn", ""), [])
    return ", ".join([name, *extras])
