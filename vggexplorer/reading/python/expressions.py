"""The values of expressions."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from vggexplorer.architectures import CONV_ARCHS
from vggexplorer.reading.python.arithmetic import (
    BINARY,
    BUILTINS,
    LARGEST,
    PLAIN,
    UNARY,
    filled,
    holds,
    is_format,
    is_plain,
    is_small,
    item_of,
    put,
)
from vggexplorer.reading.python.calls import Calls
from vggexplorer.reading.python.objects import (
    Data,
    Function,
    Method,
    Scope,
    is_container,
    is_told,
    named,
    numbered,
    parts,
)
from vggexplorer.reading.values import Call, Name, Token, refused

USUAL = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "models": "torchvision.models",
    "tf": "tensorflow",
    "layers": "keras.layers",
}
"""What a name usually stands for, in a text that does not import it."""
ASSUMED = {"conv_arch": CONV_ARCHS["VGG-11"]}
"""What the book's later cells use of its earlier ones."""
LONGEST = 200
"""Characters of a text that is filled in."""
_MISSING = object()


class Expressions(Calls):
    """Works out expressions."""

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """The value of an expression; `TokenError` if it cannot be followed."""
        self._step(node)
        handler = _EXPRESSIONS.get(type(node))
        if handler is None:
            raise refused(self.source.token(node), "this expression cannot be followed.")
        return self.known(handler(self, node, scope))

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
        if isinstance(node.value, int) and node.value > LARGEST:
            raise refused(self.source.token(node), "this is too large.")
        return node.value

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        value = scope.find(node.id, _MISSING)
        if value is not _MISSING:
            return self.known(value)
        if node.id in BUILTINS:
            return BUILTINS[node.id]
        if node.id in ASSUMED:
            self.assumed.append(node.id)
            return ASSUMED[node.id]
        start = self._stars[-1] if self._stars else ""
        return Name(USUAL.get(node.id, start + node.id), self.source.token(node))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        of = self.value(node.value, scope)
        return self.member(of, node.attr, self.source.token(node))

    def _display(self, node: ast.List | ast.Tuple, scope: Scope) -> Any:
        items: list[Any] = []
        tokens: list[Token] = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                values = self._items(self.value(part.value, scope), part)
            else:
                values = [self.value(part, scope)]
            items += values
            tokens += [self.source.token(part)] * len(values)
            self._bounded(items, part)
        made = items if isinstance(node, ast.List) else tuple(items)
        self.lists[id(made)] = (made, tokens)
        return made

    def _dict(self, node: ast.Dict, scope: Scope) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            found = self.value(value, scope)
            if key is None:
                self._plainly(node, made.update, found)
            else:
                name = self.value(key, scope)
                self._plainly(node, put, made, name, found)
        return made

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Any:
        found: list[Any] = []
        self._clauses(node.generators, Scope(outer=scope), lambda inner: found.append(self.value(node.elt, inner)))
        return self._bounded(found, node)

    def _dict_comprehension(self, node: ast.DictComp, scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}

        def add(inner: Scope) -> None:
            key, value = self.value(node.key, inner), self.value(node.value, inner)
            self._plainly(node, put, found, key, value)

        self._clauses(node.generators, Scope(outer=scope), add)
        return found

    def _clauses(self, clauses: Sequence[ast.comprehension], scope: Scope, each: Callable[[Scope], None]) -> None:
        if not clauses:
            each(scope)
            return
        first, *others = clauses
        for item in list(self._items(self.value(first.iter, scope), first.iter)):
            self.assign(first.target, item, scope)
            if all(self._truth(test, scope) for test in first.ifs):
                self._clauses(others, scope, each)

    def _binary(self, node: ast.BinOp, scope: Scope) -> Any:
        return self._worked_out(node, node.op, self.value(node.left, scope), self.value(node.right, scope))

    def _worked_out(self, node: ast.AST, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, Data) or isinstance(right, Data):
            raise refused(
                self.source.token(node), "two ways through the network meet here; only a chain of layers can be read."
            )
        self._spend(left, right)
        if is_format(op, left):
            return self._plainly(node, filled, left, r"%[ds]", right if isinstance(right, tuple) else (right,))
        plain = isinstance(left, PLAIN) and isinstance(right, PLAIN)
        if not plain or type(op) not in BINARY:
            raise refused(self.source.token(node), "this cannot be worked out.")
        if isinstance(op, ast.Mult | ast.Pow) and not is_small(op, left, right):
            raise refused(self.source.token(node), "this is too large.")
        result = self._plainly(node, BINARY[type(op)], left, right)
        if isinstance(result, int) and abs(result) > LARGEST:
            raise refused(self.source.token(node), "this is too large.")
        return self._bounded(result, node)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Any:
        if isinstance(node.op, ast.Not):
            return not self._truth(node.operand, scope)
        value = self.value(node.operand, scope)
        if not isinstance(value, int | float) or type(node.op) not in UNARY:
            raise refused(self.source.token(node), "this cannot be worked out.")
        return UNARY[type(node.op)](value)

    def _compare(self, node: ast.Compare, scope: Scope) -> bool:
        values = [self.value(part, scope) for part in (node.left, *node.comparators)]
        asks_for_none = all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops) and None in values
        if not all(is_plain(value) or (asks_for_none and is_told(value)) for value in values):
            raise refused(self.source.token(node), "it is not known whether this holds.")
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(self._plainly(node, holds, op, a, b) for op, a, b in pairs)

    def _both(self, node: ast.BoolOp, scope: Scope) -> Any:
        value = None
        for part in node.values:
            value = self.value(part, scope)
            if self._is_true(value, part) == isinstance(node.op, ast.Or):
                break
        return value

    def _choice(self, node: ast.IfExp, scope: Scope) -> Any:
        return self.value(node.body if self._truth(node.test, scope) else node.orelse, scope)

    def _truth(self, node: ast.expr, scope: Scope) -> bool:
        return self._is_true(self.value(node, scope), node)

    def _is_true(self, value: Any, node: ast.expr) -> bool:
        if isinstance(value, Call) and value.name == "tab.selected":  # of the book's own sources
            return "pytorch" in value.args
        if is_plain(value):
            return bool(value)
        if not is_told(value):
            raise refused(self.source.token(node), "it is not known whether this holds.")
        return True

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        of = self.value(node.value, scope)
        if isinstance(of, Name | Method | Data) or (isinstance(of, Call) and not is_container(of)):
            return Name("", self.source.token(node))
        key = self.value(node.slice, scope)
        if not isinstance(of, Call):
            return self._plainly(node, item_of, of, key)
        found = self._plainly(node, item_of, named(of) if isinstance(key, str) else parts(of), key)
        return Call(of.name, [numbered(found)], {}, self.source.token(node)) if isinstance(key, slice) else found

    def _slice(self, node: ast.Slice, scope: Scope) -> slice:
        return slice(*(part and self.value(part, scope) for part in (node.lower, node.upper, node.step)))

    def _text(self, node: ast.JoinedStr, scope: Scope) -> Any:
        parts = [self._written(part, scope) for part in node.values]
        text = "".join(part for part in parts if part is not None)
        return text if None not in parts and len(text) < LONGEST else Name("", self.source.token(node))

    def _written(self, node: ast.expr, scope: Scope) -> str | None:
        """A part of a text that is filled in; None if it is not known how it is written."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        if not isinstance(node, ast.FormattedValue) or node.format_spec or node.conversion != -1:
            return None
        value = self.value(node.value, scope)
        return str(value) if isinstance(value, str | int | float) else None

    def _walrus(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = self.value(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Function:
        return Function(node, scope, self.defaults(node.args, scope))


_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any, Scope], Any]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.List: Expressions._display,
    ast.Tuple: Expressions._display,
    ast.Dict: Expressions._dict,
    ast.ListComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._dict_comprehension,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._both,
    ast.IfExp: Expressions._choice,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.JoinedStr: Expressions._text,
    ast.Lambda: Expressions._lambda,
    ast.NamedExpr: Expressions._walrus,
    ast.Call: Expressions._call,
}
