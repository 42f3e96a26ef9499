"""What is known while a source is followed, and the bounds of it."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vggexplorer.errors import InputError
from vggexplorer.reading.python.arithmetic import MISTAKES, MOST_ITEMS
from vggexplorer.reading.python.objects import Class, Function, Instance, Scope, Unknown, is_container, parts
from vggexplorer.reading.python.source import Source
from vggexplorer.reading.values import Call, Token, TokenError, refused

MOST_STEPS = 20_000
"""Statements and expressions that are followed in one text."""


class Returned(Exception):  # noqa: N818  # no error
    """A function of the text ends with a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Broken(Exception):  # noqa: N818
    """A loop ends."""


class Continued(Exception):  # noqa: N818
    """A loop goes on with its next item."""


class RaisedError(TokenError):
    """The text's own error: what comes after it is not reached."""


class EndlessError(TokenError):
    """The text is not followed any further."""


class State:
    """The values of a source so far; `made` are those that its own lines make, in their order."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.made: list[tuple[str, Any, Token]] = []
        self.within: list[tuple[str, Any, Token]] = []
        """The networks and parts of them that its functions make, in their order."""
        self.calls: list[Call] = []
        self.unread: list[tuple[Token, TokenError]] = []
        """The statements that could not be followed, and why."""
        self.scope = Scope()
        self.lists: dict[int, tuple[Any, list[Token]]] = {}
        """The tokens of the items of each list that is written out, by its identity."""
        self.assumed: list[str] = []
        self._stars: list[str] = []
        self._spoiled: dict[int, tuple[Any, TokenError]] = {}
        self._steps = 0
        self._depth = 0

    def tokens(self, items: Any) -> list[Token]:
        """Where the items of a list are written; empty if the text does not write it out."""
        return self.lists.get(id(items), (None, []))[1]

    def lacks(self, function: Function | Class) -> int:
        """How many arguments a function or class of the text must be given."""
        begin = function.find("__init__") if isinstance(function, Class) else function
        if not isinstance(begin, Function):
            return 0
        spec = begin.node.args
        return len(spec.posonlyargs) + len(spec.args) - len(spec.defaults) - (begin is not function)

    def known(self, value: Any) -> Any:
        """A value; `TokenError` if it is not known."""
        if isinstance(value, Unknown):
            raise value.error
        if id(value) in self._spoiled:
            raise self._spoiled[id(value)][1]
        return value

    def note(self, name: str, value: Any, node: ast.expr, scope: Scope) -> None:
        """Remember what a line of the text makes, or one of its functions."""
        if scope is self.scope and isinstance(value, Call | Instance | list | tuple | dict):
            self.made.append((name, value, self.source.token(node)))
        elif name and isinstance(value, Call | Instance):
            self.within.append((name, value, self.source.token(node)))

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """The value of an expression; `TokenError` if it cannot be followed."""
        raise NotImplementedError

    def call(
        self,
        function: Any,
        args: list[Any],
        kwargs: dict[str, Any],
        token: Token,
        tokens: Mapping[int | str, Token] | None = None,
        scope: Scope | None = None,
    ) -> Any:
        """What a call gives: of the text's own functions and classes what they make, of others a `Call`."""
        raise NotImplementedError

    def block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Follow some statements."""
        raise NotImplementedError

    # --- bounds -------------------------------------------------------------------------------------------

    def _step(self, node: ast.AST) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            self._count(self.source.token(node))

    def _count(self, token: Token) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise EndlessError(token, InputError("this text takes too many steps to follow."))

    def _spend(self, *values: Any) -> None:
        """What goes over long lists counts for many steps."""
        self._steps += sum(len(value) // 16 for value in values if isinstance(value, list | tuple | str | dict))

    def _items(self, value: Any, where: Any) -> Sequence[Any]:
        """What a loop goes over."""
        if isinstance(value, Call) and is_container(value):
            return parts(value)
        if isinstance(value, list | tuple | str):
            return value
        if isinstance(value, dict):
            return list(value)
        token = where if isinstance(where, Token) else self.source.token(where)
        raise refused(token, "it is not known what is in this.")

    def _bounded(self, value: Any, where: Any) -> Any:
        if isinstance(value, list | tuple | str | dict) and len(value) > MOST_ITEMS:
            token = where if isinstance(where, Token) else self.source.token(where)
            raise refused(token, "this has too many items.")
        return value

    def _plainly(self, node: ast.AST, work: Callable[..., Any], *args: Any) -> Any:
        """The result of work on plain values of the text."""
        try:
            return work(*args)
        except MISTAKES:
            raise refused(self.source.token(node), "this cannot be worked out.") from None
