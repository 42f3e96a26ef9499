"""Formulas of a lesson that a teacher writes: numbers, arithmetic, and figures of the lesson's networks.

Python's parser reads them; what is not known here is refused, and nothing of them is ever run.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any, NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.formatting import measured
from vggexplorer.layers import Kind
from vggexplorer.lessons.common import SINGLE, count_of
from vggexplorer.summary import Row, Summary

MOST_TEXT = 200
"""Characters of a formula."""
MOST_DEPTH = 30
"""How deeply a formula may be nested."""
LARGEST = 1e30
"""The largest number that a formula may come to on its way."""
MOST_POWER = 64
MOST_NAMES = 24
"""Names that are listed where one is wrong."""
Value = int | float

_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans(
    {"\u3000": " ", "×": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "²": "**2", "³": "**3"}
    | dict.fromkeys("“”„‘’'", '"')
)
"""What stands for the signs of a formula on other keyboards, and in print."""
_QUOTED = re.compile(r'"[^"]*"')
_ODD = re.compile(r"[^\w\s.+\-*/(),\[\]\"]|(?<![\w.])(?![0-9.]+e[+-]?[0-9])[0-9][0-9.]*[^\W\d]")
"""A sign that no formula has, or the beginning of a number that is none: 0x10, 2j, 1_000."""


class Result(NamedTuple):
    """What a formula comes to, and the formula with the figures put in."""

    value: Value
    filled: str


def evaluate(text: str, networks: Mapping[str, Summary], known: Mapping[str, Value] | None = None) -> Result:
    """Work out a formula; `known` are values by name. `InputError` says what cannot stand in it."""
    if len(text) > MOST_TEXT:
        raise InputError("A formula has at most {most} characters, not {n}.", most=MOST_TEXT, n=len(text))
    plain = text.translate(_PLAIN).strip()
    reading = _Reading(plain, networks, known or {})
    value = reading.value(_parsed(plain), 0)
    return Result(value, _filled(plain, reading.figures))


def _parsed(plain: str) -> ast.expr:
    if not plain:
        raise InputError("There is no formula.")
    if odd := _ODD.search(_QUOTED.sub('""', plain)):
        raise _unknown(shown(odd[0]))
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError("{text} is not a formula such as “A.macs / B.macs”.", text=shown(plain)) from None


def _filled(plain: str, figures: Mapping[tuple[int, int], Value]) -> str:
    """A formula with its figures in the places where they were asked for; places count bytes, as Python's do."""
    octets = plain.encode()
    grouping = "" if "," in plain else ","
    for (start, end), value in sorted(figures.items(), reverse=True):
        octets = octets[:start] + measured(value).replace(",", grouping).encode() + octets[end:]
    return octets.decode().replace("**", "^").replace("*", "×").replace("-", "−")


def _round(value: Value, digits: Value = 0) -> Value:
    if not isinstance(digits, int) or abs(digits) > 15:
        raise InputError("round(…, digits) has a whole number of digits up to 15.")
    return round(value, digits)


def _power(base: Value, exponent: Value) -> Value:
    if abs(exponent) > MOST_POWER:
        raise InputError("A power has an exponent up to {most}, not {exponent}.", most=MOST_POWER, exponent=exponent)
    result: Value = base**exponent
    return result


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: _power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Value], Value]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
FUNCTIONS: dict[str, tuple[Callable[..., Any], range]] = {
    "min": (min, range(2, MOST_TEXT)),
    "max": (max, range(2, MOST_TEXT)),
    "round": (_round, range(1, 3)),
}
"""What can be called, and with how many numbers."""


class _Reading:
    """A formula that is worked out; `figures` are those of networks that it asks for, by their places."""

    def __init__(self, plain: str, networks: Mapping[str, Summary], known: Mapping[str, Value]) -> None:
        self._plain, self._networks, self._known = plain, networks, known
        self.figures: dict[tuple[int, int], Value] = {}

    def value(self, node: ast.expr, depth: int) -> Value:
        """The number that a part of the formula comes to."""
        if depth > MOST_DEPTH:
            raise InputError("The formula is nested too deeply.")
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _bounded(lambda: number)
            case ast.UnaryOp() if type(node.op) in _UNARY:
                inner = self.value(node.operand, depth + 1)
                return _UNARY[type(node.op)](inner)
            case ast.BinOp() if type(node.op) in _BINARY:
                left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
                return _bounded(lambda: _BINARY[type(node.op)](left, right))
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
                function, counts = FUNCTIONS[name]
                if len(node.args) not in counts:
                    raise InputError("{name}(…) takes another count of numbers, not {n}.", name=name, n=len(node.args))
                values = [self.value(each, depth + 1) for each in node.args]
                return _bounded(lambda: function(*values))
            case ast.Attribute() | ast.Name():
                found = self._figure(node)
                self.figures[node.col_offset, node.end_col_offset or 0] = found
                return found
            case ast.Tuple():
                raise InputError(
                    "A number has no commas here, and a formula gives one number: {part}.", part=self._part(node)
                )
        raise _unknown(self._part(node))

    def _figure(self, node: ast.Attribute | ast.Name) -> Value:
        """A figure of a network or of one of its layers, or a value that has a name."""
        match node:
            case ast.Name(id=name) if name in self._known:
                return self._known[name]
            case ast.Name(id=name) if name in self._networks:
                raise InputError("Write which figure of {name}, as in “{name}.macs”.", name=name)
            case ast.Attribute(value=ast.Name(id=name)):
                return _named(node.attr, of_network(self._network(name)))
            case ast.Attribute(value=ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as layer))):
                return _named(node.attr, of_layer(_row(self._network(name), layer)))
            case ast.Name(id=name):
                self._network(name)
        raise _unknown(self._part(node))

    def _part(self, node: ast.expr) -> str:
        return shown(ast.get_source_segment(self._plain, node) or "")

    def _network(self, name: str) -> Summary:
        if name not in self._networks:
            raise InputError(
                "No network is called {name} here; there are: “{names}”.", name=name, names=_list(self._networks)
            )
        return self._networks[name]


def _bounded(work: Callable[[], Any]) -> Value:
    """What comes out, if it is a number of ordinary size."""
    try:
        value = work()
    except ZeroDivisionError:
        raise InputError("There is a division by zero.") from None
    except OverflowError:
        value = LARGEST * 2
    if isinstance(value, complex):
        raise InputError("A negative number has no such power.")
    if not abs(value) <= LARGEST:  # nor is it NaN
        raise InputError("The numbers become larger than {most}.", most="10³⁰")
    found: Value = value
    return found


def _unknown(part: str) -> InputError:
    return InputError(
        "{part} cannot stand in a formula; it has numbers, “{signs}” and figures such as “{example}”.",
        part=part,
        signs="+ - * / // ** ( ), " + ", ".join(FUNCTIONS),
        example="A.macs",
    )


def _list(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join([*found[:MOST_NAMES], "…"] if len(found) > MOST_NAMES else found) or "–"


def _named(name: str, figures: Mapping[str, Value]) -> Value:
    if name not in figures:
        raise InputError("There is no figure {name}; there are: “{names}”.", name=shown(name), names=_list(figures))
    return figures[name]


def _row(summary: Summary, name: str) -> Row:
    row = summary.row(name)
    if not row:
        names = _list(each.name for each in summary.rows if each.params)
        raise InputError(
            "There is no layer {name}; those with parameters are: “{names}”.", name=shown(name), names=names
        )
    return row


def of_network(summary: Summary) -> dict[str, Value]:
    """The figures of a network by the names that they have in formulas: of all, of convolutions, of the linear part."""
    totals = summary.totals._asdict()
    found: dict[str, Value] = {}
    kinds = {"": (Kind.CONV2D, Kind.LINEAR), "conv_": (Kind.CONV2D,), "fc_": (Kind.LINEAR,)}
    for part, counted in kinds.items():
        params, macs = totals[f"{part}params"], totals[f"{part}macs"]
        found |= {
            f"{part}params": params,
            f"{part}macs": macs,
            f"{part}flops": 2 * macs,
            f"{part}activations": totals[f"{part}activations"],
            f"{part}bytes": SINGLE * params,
            f"{part}layers": count_of(summary, *counted),
        }
    return found


def of_layer(row: Row) -> dict[str, Value]:
    """The figures of a layer by the names that they have in formulas; of its output's shape, what it has."""
    found: dict[str, Value] = {
        "params": row.params,
        "weights": row.weights if row.kind in (Kind.CONV2D, Kind.LINEAR) else 0,
        "macs": row.macs,
        "flops": 2 * row.macs,
        "activations": row.activations,
        "bytes": SINGLE * row.params,
        "inputs": prod(row.input_shape),
        "outputs": prod(row.output_shape),
    }
    found |= dict(zip(("channels", "height", "width"), row.output_shape, strict=False))
    perhaps = {"receptive_field": row.receptive_field, "stride": row.stride}
    return found | {name: value for name, value in perhaps.items() if value is not None}
