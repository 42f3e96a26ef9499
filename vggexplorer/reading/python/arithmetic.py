"""What a text may work out of numbers, texts and lists: the operations that are known, each within bounds."""

import ast
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from vggexplorer.reading.python.objects import listed

MOST_ITEMS = 4_000
"""Items of a list that a text makes."""
LARGEST = 10**15
"""The largest number that a text may work out."""


def _range(*args: int) -> list[int]:
    if len(range(*args)) > MOST_ITEMS:
        raise ValueError
    return list(range(*args))


def scalar(value: Any) -> Any:
    """A value that is quick to compare, to show and to find, as one with lists in lists is not."""
    if not isinstance(value, bool | int | float | str | type | None):
        raise TypeError
    return value


def _dict(items: Any = (), **others: Any) -> dict[Any, Any]:
    return {scalar(key): value for key, value in (items.items() if isinstance(items, dict) else items)} | others


BUILTINS: dict[str, Any] = {
    "range": _range,
    "len": len,
    "int": int,
    "float": float,
    "str": str,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "OrderedDict": _dict,
    "enumerate": lambda items, start=0: list(enumerate(items, start)),
    "zip": lambda *parts, strict=False: list(zip(*parts, strict=strict)),
    "reversed": lambda items: list(reversed(items)),
    "sum": lambda items: sum(items),
    "min": lambda *items: min(map(scalar, listed(items))),
    "max": lambda *items: max(map(scalar, listed(items))),
    "round": lambda value: round(value),
    "isinstance": isinstance,
    "type": lambda value: type(value),
    "bool": bool,
    "__name__": "__main__",
}
BOUNDED: dict[Any, Callable[..., Any]] = {str: lambda value: str(scalar(value)), dict: _dict}
"""What is called in place of a type, so that nothing is too long or too deep."""
PLAIN = (bool, int, float, str, list, tuple, dict, type(None), type)
"""The values that are worked with as they are."""
METHODS: dict[type, tuple[str, ...]] = {
    list: ("append", "extend", "insert", "pop", "copy", "reverse", "clear"),
    dict: ("items", "keys", "values", "get", "copy", "pop", "update", "clear"),
    str: ("lower", "upper", "startswith", "endswith", "strip"),
}
CHANGES = (
    *("append", "extend", "insert", "pop", "reverse", "sort", "clear", "remove", "update", "setdefault", "popitem"),
    *("add", "add_module", "register_module", "move_to_end"),
)
"""Methods that change what they are called on."""

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
MISTAKES = (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError)
"""What goes wrong when a text's own arithmetic is done on its values."""


def is_plain(value: Any) -> bool:
    """Whether a value is known and worked with as it is."""
    return isinstance(value, (*PLAIN, slice))


def put(items: Any, key: Any, value: Any) -> None:
    """Set an item of a list or a dictionary."""
    items[scalar(key)] = value


def item_of(items: Any, key: Any) -> Any:
    """An item of a list, a text or a dictionary, or a part of it."""
    return items[key if isinstance(key, slice) else scalar(key)]


def is_format(op: ast.operator, left: Any) -> bool:
    """Whether a text would be filled in, whose length nobody knows before."""
    return isinstance(op, ast.Mod) and isinstance(left, str)


def holds(op: ast.cmpop, left: Any, right: Any) -> bool:
    """Whether a comparison holds; lists are compared if there are no lists in them."""
    for side in (left, right):
        if isinstance(side, list | tuple | dict):
            list(map(scalar, [*side, *(side.values() if isinstance(side, dict) else ())]))
    return _COMPARED[type(op)](left, right)


def filled(text: str, place: str, values: Sequence[Any]) -> str:
    """A text with values at its places; `ValueError` if it has others than those."""
    parts = re.split(place, text)
    if len(parts) != len(values) + 1 or any(sign in part for part in parts for sign in "%{}"):
        raise ValueError
    return "".join(part for pair in zip(parts, [*map(str, map(scalar, values)), ""], strict=True) for part in pair)


def is_small(op: ast.operator, left: Any, right: Any) -> bool:
    """Whether a product or a power is quick to work out."""
    if isinstance(op, ast.Pow):
        return isinstance(left, int | float) and isinstance(right, int | float) and max(abs(left), abs(right)) <= 1024
    sizes = [len(part) for part in (left, right) if isinstance(part, list | tuple | str)]
    times = [part for part in (left, right) if isinstance(part, int)]
    return not sizes or (len(sizes) == 1 and len(times) == 1 and sizes[0] * times[0] <= MOST_ITEMS)
