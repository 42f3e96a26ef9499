"""Blocks and layers as short texts, both ways: `1x96:k11:s4:pool3s2`, `conv256:k5:p2`, `pool3s2`, `drop0.5`.

A block is convolutions x channels, a layer is a word for its class in `torch.nn` with its numbers; further options
follow colons. What is not said has the default: of a block that is its own, of a layer that is PyTorch's (a
convolution is 3x3, its stride 1, its padding 0).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from vggexplorer import layers
from vggexplorer.architectures import Architecture, Block, Head, Item, check_layer, shown
from vggexplorer.errors import InputError
from vggexplorer.layers import Kind, Layer

_WHOLE = "[0-9]{1,9}"
_NUMBER = r"[0-9]{0,3}\.?[0-9]{1,20}(?:e-[0-9]{1,3})?"


@dataclass(frozen=True)
class _Word:
    """How a kind of layer is written.

    `needed` numbers follow the word, each after its letters, and `further` ones if they are not the default;
    `options` are those that follow colons. `flags` are whole options: which field each sets, and to what.
    """

    text: str
    kind: Kind
    needed: Mapping[str, str] = field(default_factory=dict)
    further: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, Any]] = field(default_factory=dict)

    @property
    def layer(self) -> type[Layer]:
        """The class of the layer."""
        found: type[Layer] = getattr(layers, self.kind)
        return found

    @cached_property
    def _types(self) -> dict[str, Any]:
        return {field.name: field.type for field in fields(self.layer)}  # type: ignore[arg-type]

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {field.name: field.default for field in fields(self.layer)}  # type: ignore[arg-type]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the text before the first colon is like."""
        needed = "".join(self._group(letters, name) for letters, name in self.needed.items())
        further = "".join(f"(?:{self._group(letters, name)})?" for letters, name in self.further.items())
        return re.compile(self.text + needed + further)

    def _group(self, letters: str, name: str) -> str:
        return f"{letters}(?P<{name}>{_NUMBER if self._types[name] is float else _WHOLE})"

    def parse(self, found: re.Match[str], options: Iterable[str]) -> Layer:
        """The layer of a text that has the pattern, with its options."""
        values = {name: self._types[name](text) for name, text in found.groupdict().items() if text is not None}
        for option in options:
            name, value = self._option(option)
            if name in values:
                raise _contradiction(option)
            values[name] = value
        layer = self.layer(**values)
        check_layer(layer)
        return layer

    def _option(self, option: str) -> tuple[str, Any]:
        if option in self.flags:
            return self.flags[option]
        for letters, name in self.options.items():
            if found := re.fullmatch(self._group(letters, name), option):
                return name, self._types[name](found[name])
        names = ", ".join([*self.options, *self.flags])
        if not names:
            raise InputError("{word} has no options; {option} cannot be one.", word=self.text, option=shown(option))
        raise InputError(
            "{option} is not an option of {word}; there are {names}.",
            option=shown(option),
            word=self.text,
            names=names,
        )

    def format(self, layer: Layer) -> str:
        """The shortest text of a layer of this kind."""
        text = self.text + "".join(letters + _number(getattr(layer, name)) for letters, name in self.needed.items())
        text += "".join(self._said(layer, self.further))
        options = [*self._said(layer, self.options)]
        options += [flag for flag, (name, value) in self.flags.items() if getattr(layer, name) == value]
        return ":".join([text, *options])

    def _said(self, layer: Layer, names: Mapping[str, str]) -> list[str]:
        values = {letters: getattr(layer, name) for letters, name in names.items()}
        return [
            letters + _number(value) for letters, value in values.items() if value != self._defaults[names[letters]]
        ]


_POOL = {"": "kernel_size", "s": "stride"}
_PADDED = {"p": "padding"}
_CEIL = {"ceil": ("ceil_mode", True)}
WORDS: dict[Kind, _Word] = {
    word.kind: word
    for word in (
        _Word(
            "conv",
            Kind.CONV2D,
            {"": "out_channels"},
            options={"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"},
            flags={"nobias": ("bias", False)},
        ),
        _Word("pool", Kind.MAX_POOL2D, _POOL, _PADDED, flags=_CEIL),
        _Word("avgpool", Kind.AVG_POOL2D, _POOL, _PADDED, flags=_CEIL | {"nopad": ("count_include_pad", False)}),
        _Word("adaptive", Kind.ADAPTIVE_AVG_POOL2D, {"": "output_size"}),
        _Word("bn", Kind.BATCH_NORM2D),
        _Word("bn1d", Kind.BATCH_NORM1D),
        _Word("lrn", Kind.LOCAL_RESPONSE_NORM, options={"n": "size", "a": "alpha", "b": "beta", "k": "k"}),
        _Word("relu", Kind.RELU),
        _Word("leakyrelu", Kind.LEAKY_RELU, further={"": "negative_slope"}),
        _Word("gelu", Kind.GELU, flags={"tanh": ("approximate", "tanh")}),
        _Word("silu", Kind.SILU),
        _Word("sigmoid", Kind.SIGMOID),
        _Word("tanh", Kind.TANH),
        _Word("drop", Kind.DROPOUT, {"": "p"}),
        _Word("flatten", Kind.FLATTEN),
        _Word("linear", Kind.LINEAR, {"": "out_features"}, flags={"nobias": ("bias", False)}),
    )
}
"""How each kind of layer is written."""
_ALIASES = {"adaptive1": "gap"}
"""Texts of layers that have another name, by which people know them."""

_BLOCK = re.compile(rf"({_WHOLE})[x*×]({_WHOLE})((?::[a-z0-9]+)*)")
_OPTION = re.compile(
    rf"(?P<key>k|s|p)(?P<value>{_WHOLE})|(?P<kind>pool|avgpool)(?P<k>{_WHOLE})s(?P<s>{_WHOLE})|nopool|lrn"
)
_FIELDS_OF = {"k": "kernel_size", "s": "stride", "p": "padding"}


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _contradiction(option: str) -> InputError:
    return InputError("{option} contradicts an earlier option.", option=shown(option))


def format_items(items: Iterable[Item]) -> str:
    """Blocks and layers as text: '1x96:k11:s4:p1:pool3s2,bn,drop0.5'."""
    return ",".join(_format_block(item) if isinstance(item, Block) else _format_layer(item) for item in items)


def format_arch(architecture: Architecture) -> str:
    """The items as text, and the head too if it is a sequence of layers."""
    head = () if isinstance(architecture.head, Head) else architecture.head
    return format_items((*architecture.items, *head))


def _format_layer(layer: Layer) -> str:
    text = WORDS[layer.kind].format(layer)
    return _ALIASES.get(text, text)


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


def parse_item(text: str) -> Item:
    """The block or the layer that `text` is; `InputError` if it is neither."""
    if match := _BLOCK.fullmatch(text):
        return _parse_block(match)
    if found := _find_layer(text):
        word, match, options = found
        return word.parse(match, options)
    raise InputError(
        "{text} is neither a block, as in 2x256 or 1x96:k11:s4:p1:pool3s2, nor a layer, as in conv64:p1 or pool2s2.",
        text=shown(text),
    )


def is_layer(text: str) -> bool:
    """Whether `text` begins as a layer does."""
    return _find_layer(text) is not None


def _find_layer(text: str) -> tuple[_Word, re.Match[str], list[str]] | None:
    first, *options = text.split(":")
    whole = next((text for text, alias in _ALIASES.items() if alias == first), first)
    matches = ((word, word.pattern.fullmatch(whole)) for word in WORDS.values())
    return next(((word, match, options) for word, match in matches if match), None)


def _parse_block(match: re.Match[str]) -> Block:
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
            raise _contradiction(option)
        values |= new
    return Block(**values)
