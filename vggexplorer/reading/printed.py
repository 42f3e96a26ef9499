"""A model as PyTorch prints it: `Sequential(` with a line for each layer, parts in parts, up to its `)`."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from vggexplorer.architectures import ACTIVATIONS, Network
from vggexplorer.comparison import Remark
from vggexplorer.layers import AvgPool2d, Conv2d, Flatten, Layer, Linear
from vggexplorer.reading import chain
from vggexplorer.reading.layers import FORMS
from vggexplorer.reading.values import Call, Reading, Token, TokenError, refused
from vggexplorer.summary import summarize
from vggexplorer.text import MAX_LAYERS

_LINE = re.compile(
    r"\s*(?:Out ?\[[0-9]*\]: ?)?(?:\((?P<key>[^()\s]{1,200})\): )?(?:(?P<times>[0-9]{1,9}) x )?"
    r"(?P<name>[A-Za-z_]\w*)\((?P<rest>.*)"
)
"""A line that is a layer, or opens a part; `2 x` stands before a part that is there twice."""
_MOST_DEPTH = 50
"""Parts inside parts."""
_MOST_PARTS = 4 * MAX_LAYERS
"""Layers and parts, with those that are said to be there several times."""
_MOST_CHARACTERS = 1_000
"""The longest line."""
_ROWS = ("Sequential", "ModuleList")
"""The classes whose printed order is that of their layers."""
_PARTS = {"features", "avgpool", "flatten", "classifier"}
"""The parts of torchvision's chains, which stand in the order in which they are called."""
_BRANCHES = re.compile(r"(?:downsample|shortcut|skip|residual|branch)\w*")
"""The names of parts that do not come one after another."""
_COMPOSITES = re.compile(
    r"\w*(?:Residual|ResBlock|ResNetBlock|BasicBlock|Bottleneck|Inception[A-E]?\b|Fire\b|Dense(?:Block|Layer)|MBConv"
    r"|Excitation|SELayer|Attention|CNBlock|ConvNe[xX]tBlock)\w*"
)
"""The names of classes of which it is known that they do not."""
_ACTIVATIONS = {type(layer) for layer in ACTIVATIONS.values()}


@dataclass
class _Part:
    """A layer with the text of its arguments, or a part with its own `parts`; `key` is its name in what it is in."""

    name: str
    key: str
    token: Token
    arguments: str = ""
    times: int = 1
    parts: "list[_Part]" = field(default_factory=list)

    @property
    def is_row(self) -> bool:
        """Whether its parts are known to be called one after another."""
        keys = [part.key for part in self.parts]
        return self.name in _ROWS or not keys or keys == ["module"] or _PARTS.issuperset(keys)

    def walk(self) -> "Iterator[_Part]":
        """It and all parts in it, each once, in their order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def made(self) -> type[Layer]:
        """The class of the layer, if it is one that is known."""
        form = FORMS.get(f"torch.nn.{self.name}")
        return form.layer if form else Layer


def read(text: str) -> Reading | None:
    """The network of a printed model; None if the text has none, `TokenError` if it cannot be said here."""
    lines = text.replace("\r\n", "\n").expandtabs().split("\n")
    start = _start(lines)
    if start is None:
        return None
    model, end = _tree(lines, start)
    others = sum(1 for line in (*lines[:start], *lines[end:]) if line.strip())
    remarks = [*_left_out(others), *_order(model), *_flatten(model)]
    network, more = chain.network([_call(model)], None)
    return Reading({model.name: network}, (*remarks, *more, *_unprinted(network)))


def _start(lines: Sequence[str]) -> int | None:
    """The line that opens the model: one that opens something, before one that names a part of it."""
    for place, (line, following) in enumerate(pairwise(lines)):
        found, part = _LINE.fullmatch(line), _LINE.fullmatch(following)
        if found and part and part["key"] and not (found["key"] or found["rest"].strip()):
            return place
    return None


def _tree(lines: Sequence[str], start: int) -> tuple[_Part, int]:
    """The model that begins in a line, and the line after its last one."""
    model = _part(lines, start)
    open_parts = [model]
    count = 0
    for place in range(start + 1, len(lines)):
        if lines[place].strip() == ")":
            open_parts.pop()
            if not open_parts:
                return model, place + 1
        elif lines[place].strip():
            part = _part(lines, place)
            open_parts[-1].parts.append(part)
            if not part.arguments:
                open_parts.append(part)
            if len(open_parts) > _MOST_DEPTH:
                raise refused(part.token, "this is nested too deeply.")
            count += part.times
            if count > _MOST_PARTS:
                raise chain.too_many(part.token)
    raise refused(model.token, "the text ends before this does.")


def _part(lines: Sequence[str], place: int) -> _Part:
    """What a line says: a layer, its arguments up to the last bracket, or the opening of a part."""
    line = lines[place].rstrip()
    found = _LINE.fullmatch(line) if len(line) <= _MOST_CHARACTERS else None
    if not found or (found["rest"] and not found["rest"].endswith(")")):
        column = len(line) - len(line.lstrip()) + 1
        raise _no_line(Token(place + 1, column, line.strip()))
    token = Token(place + 1, found.start("name") + 1, line[found.start("name") :])
    if _COMPOSITES.fullmatch(found["name"]) or _BRANCHES.fullmatch(found["key"] or ""):
        raise refused(token, "the printed form does not say how the layers in this come together.")
    return _Part(found["name"], found["key"] or "", token, found["rest"], int(found["times"] or 1))


# --- what the printed form does not say ------------------------------------------------------------------


def _left_out(others: int) -> Iterator[Remark]:
    if others:
        yield Remark("{count} other {count:line was|lines were} not read.", {"count": others})


def _order(model: _Part) -> Iterator[Remark]:
    """That the printed order was taken; `TokenError` where it lacks what is called."""
    rows = [part for part in model.walk() if not part.is_row and (part is not model or len(part.parts) > 1)]
    kinds = {part.made for part in model.walk() if part.arguments}
    if rows and {Conv2d, Linear} <= kinds and not kinds & {Layer, *_ACTIVATIONS}:
        raise refused(rows[0].token, "the printed form has no activations: its forward calls what is not printed.")
    for name in dict.fromkeys(part.name for part in rows):
        yield Remark(
            "The printed form of {name} does not say how its parts are called; they were taken in their order.",
            {"name": name},
        )


def _flatten(model: _Part) -> Iterator[Remark]:
    """Put in the Flatten that a class calls before its first linear layer, which is not printed."""
    if not any(part.made is Flatten for part in model.walk()) and _put_in(model):
        yield chain.PUT_IN


def _put_in(model: _Part) -> bool:
    """Put Flatten before the part with the first layer of vectors, or into it; whether there is a place for it."""
    takes = [[part.made.takes for part in each.walk() if part.made.takes != "any"] for each in model.parts]
    place = next((place for place, kinds in enumerate(takes) if "vector" in kinds), None)
    if place is None:
        return False
    part = model.parts[place]
    if takes[place][0] == "maps":
        return _put_in(part)
    if model.name in _ROWS or not any(takes[:place]):
        return False
    model.parts.insert(place, _Part("Flatten", "", part.token, ")"))
    return True


def _unprinted(network: Network) -> Iterator[Remark]:
    """That an average pool may be another than PyTorch's usual one."""
    for row in summarize(*network).rows:
        layer = row.layer
        if isinstance(layer, AvgPool2d) and (
            layer.padding or replace(layer, ceil_mode=True).output_shape(row.input_shape) != row.output_shape
        ):
            yield Remark(
                "The printed form does not say the ceil_mode and count_include_pad of average pools; False and True "
                "were taken."
            )
            return


# --- calls -------------------------------------------------------------------------------------------------


def _call(part: _Part) -> Call:
    """A layer as its call, a part as a `Sequential` of its layers."""
    if part.arguments:
        return _layer(part)
    calls = [call for each in part.parts for call in [_call(each)] * each.times]
    return Call("torch.nn.Sequential", calls, {}, part.token)


def _layer(part: _Part) -> Call:
    """The call that a line is; a word that PyTorch prints without quotes is a text."""
    node = _parsed(part)
    args = [_value(each) for each in node.args]
    kwargs = {each.arg: _value(each.value) for each in node.keywords if each.arg}
    tokens: dict[int | str, Token] = {place: _token(part.token, each) for place, each in enumerate(node.args)}
    tokens |= {each.arg: _token(part.token, each.value) for each in node.keywords if each.arg}
    if part.name.startswith("Lazy"):  # which prints a 0 for what it does not know
        kwargs.pop("in_features", None)
        args, tokens = args[1:], {place - 1 if isinstance(place, int) else place: at for place, at in tokens.items()}
    return Call(f"torch.nn.{part.name}", args, kwargs, part.token, tokens)


def _parsed(part: _Part) -> ast.Call:
    try:
        with warnings.catch_warnings(action="ignore"):
            node = ast.parse(f"{part.name}({part.arguments}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _no_line(part.token) from None
    if not isinstance(node, ast.Call):
        raise _no_line(part.token)
    return node


def _no_line(token: Token) -> TokenError:
    return refused(token, "this is no line of a model as PyTorch prints it.")


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return node.id
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return node


def _token(line: Token, node: ast.expr) -> Token:
    """Where a part of a line is."""
    octets = line.text.encode()
    before, text = octets[: node.col_offset], octets[node.col_offset : node.end_col_offset]
    return Token(line.line, line.column + len(before.decode()), text.decode())
