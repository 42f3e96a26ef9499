"""Python source followed without running it, as far as networks are written in it.

Assignments, loops over what is known, `if` whose condition is known, and the functions and classes of the text itself
are followed on values: numbers, texts, lists. What the text does not define is only noted: calling it gives a `Call`.
So `vgg(conv_arch)` of a cell gives the layers that this very cell's `vgg` makes. A module that is called with `Data`,
as in a `forward`, is appended to what the data went through.

A statement that cannot be followed makes unknown what it sets or changes; the reason is told where that is needed."""

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from vggexplorer.errors import InputError
from vggexplorer.reading.python.arithmetic import BUILTINS, CHANGES
from vggexplorer.reading.python.expressions import Expressions
from vggexplorer.reading.python.objects import (
    CONTAINERS,
    Class,
    Function,
    Instance,
    Method,
    Scope,
    Unknown,
    is_container,
    is_module,
    numbered,
    parts,
)
from vggexplorer.reading.python.state import Broken, Continued, EndlessError, RaisedError, Returned
from vggexplorer.reading.python.syntax import dotted, is_of_weights, leaves_loop, own_parts
from vggexplorer.reading.values import Call, Name, TokenError, refused

COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
"""Statements with others in them, which were perhaps not followed."""
HARMLESS = ("requires_grad", "data", "grad", "trainable", "training", "inplace")
"""Attributes that change nothing of what is counted."""
ROLES = ("property", "staticmethod", "classmethod")
"""The decorators that say what a method is."""


class Follower(Expressions):
    """Follows a source from top to bottom."""

    def follow(self) -> None:
        """Follow the whole source."""
        for statement in self.source.statements:
            try:
                self._statement(statement, self.scope)
            except (Returned, Broken, Continued):
                error = refused(self.source.token(statement), "this cannot stand here.")
                self.unread.append((self.source.token(statement), error))
            except RaisedError as error:
                self._give_up(statement, self.scope, error)

    def block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Follow some statements."""
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        self._step(node)
        handler = _STATEMENTS.get(type(node))
        try:
            if handler is None:
                raise refused(self.source.token(node), "this statement cannot be followed.")
            handler(self, node, scope)
        except (EndlessError, RaisedError):
            raise
        except TokenError as error:
            self._give_up(node, scope, error)
        except RecursionError:
            self._give_up(node, scope, refused(self.source.token(node), "this is nested too deeply."))

    def _give_up(self, node: ast.stmt, scope: Scope, error: TokenError) -> None:
        """Make unknown what a statement would have set or changed."""
        if scope is self.scope:
            self.unread.append((self.source.token(node), error))
        if not isinstance(node, ast.Expr) and self._builds(node):
            (self.made if scope is self.scope else self.within).append(("", Unknown(error), self.source.token(node)))
        self._forget([node], scope, error, set() if isinstance(node, COMPOUND) else None)
        if any(isinstance(part, ast.Return) for part in own_parts(node)) or leaves_loop(node):
            raise error

    def _forget(self, nodes: Sequence[ast.stmt], scope: Scope, error: TokenError, entered: set[ast.AST] | None) -> None:
        """Make unknown what statements set or change, also by the text's own functions, each `entered` once."""
        for part in (part for node in nodes for part in self._looked(node)):
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                scope.put(part.id, Unknown(error))
            elif isinstance(part, ast.FunctionDef | ast.ClassDef):
                scope.put(part.name, Unknown(error))
            elif isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
                self._spoil(part, scope, error)
            elif isinstance(part, ast.Call):
                self._forget_call(part, scope, error, entered)

    def _forget_call(self, node: ast.Call, scope: Scope, error: TokenError, entered: set[ast.AST] | None) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            self._spoil_object(node.func.value, scope, error)
        if isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr") and node.args:
            self._spoil_object(node.args[0], scope, error)
        function = self._object(node.func, scope)
        if entered is None or not isinstance(function, Function) or function.node in entered:
            return
        if isinstance(function.node, ast.FunctionDef):
            entered.add(function.node)
            names = [part.arg for part in (*function.node.args.posonlyargs, *function.node.args.args)]
            args = [*([function.of] if function.of else []), *(self._object(arg, scope) for arg in node.args)]
            inner = Scope(dict.fromkeys(names) | dict(zip(names, args, strict=False)), function.scope)
            self._forget(function.node.body, inner, error, entered)

    def _object(self, node: ast.expr, scope: Scope) -> Any:
        """What an expression names, or what that is a part of; None if that is not known."""
        path: list[ast.Attribute | ast.Subscript] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            path.append(node)
            node = node.value
        found = scope.find(node.id) if isinstance(node, ast.Name) else None
        for part in reversed(path):
            if isinstance(of := found, Instance) and isinstance(part, ast.Attribute):
                found = of.attributes.get(part.attr, of.made.find(part.attr))
                found = replace(found, of=of) if isinstance(found, Function) else found
        return found

    def _spoil(self, node: ast.Attribute | ast.Subscript, scope: Scope, error: TokenError) -> None:
        """Make unknown what an assignment changes: an attribute of an object of the text, or all of what is changed."""
        of = self._object(node.value, scope)
        if isinstance(node, ast.Attribute) and isinstance(of, Instance):
            of.attributes[node.attr] = Unknown(error)
        elif not (isinstance(node, ast.Attribute) and node.attr in HARMLESS) and not is_of_weights(node.value):
            self._spoil_object(node.value, scope, error)

    def _spoil_object(self, node: ast.expr, scope: Scope, error: TokenError) -> None:
        """Make a list or an object unknown, under all its names."""
        of = self._object(node, scope)
        if isinstance(of, list | dict | Call | Instance):
            self._spoiled[id(of)] = (of, error)
        elif isinstance(node, ast.Name):
            scope.put(node.id, Unknown(error))

    def _looked(self, node: ast.AST) -> Iterator[ast.AST]:
        """The `own_parts` of a statement; to look through many counts as steps."""
        for count, part in enumerate(own_parts(node)):
            if count % 4 == 0:
                self._count(self.source.token(node))
            yield part

    def _builds(self, node: ast.AST) -> bool:
        """Whether it makes a network: by a class of the text, or a function of it that makes one."""
        rest, entered = [node], set[str]()
        while rest:
            for part in self._looked(rest.pop()):
                if not isinstance(part, ast.Call):
                    continue
                name = (dotted(part.func) or [""])[0]
                made = self.scope.find(name) if isinstance(part.func, ast.Name) else None
                if name in CONTAINERS or (isinstance(made, Class) and is_module(made)):
                    return True
                if isinstance(made, Function) and name not in entered:
                    entered.add(name)
                    body = made.node.body
                    rest += body if isinstance(body, list) else [body]
        return False

    def _expression(self, node: ast.Expr, scope: Scope) -> None:
        value = self.value(node.value, scope)
        self.note("", value, node.value, scope)

    def _assign(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        if node.value is None:
            return
        value = self.value(node.value, scope)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self.assign(target, value, scope)
            self._note_target(target, value, node.value, scope)

    def _note_target(self, target: ast.expr, value: Any, node: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self.note(target.id, value, node, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._note_target(part, scope.find(part.id) if isinstance(part, ast.Name) else None, part, scope)

    def _augment(self, node: ast.AugAssign, scope: Scope) -> None:
        old, more = self.value(node.target, scope), self.value(node.value, scope)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            self._method(Method(old, "extend"), [more], {}, node)
        else:
            value = self._worked_out(node, node.op, old, more)
            self.assign(node.target, value, scope)
            self.note("", value, node.target, scope)

    def _for(self, node: ast.For, scope: Scope) -> None:
        for item in self._items(self.value(node.iter, scope), node.iter):
            self.assign(node.target, item, scope)
            try:
                self.block(node.body, scope)
            except Broken:
                break
            except Continued:
                continue
        else:
            self.block(node.orelse, scope)

    def _if(self, node: ast.If, scope: Scope) -> None:
        if self._truth(node.test, scope):
            self.block(node.body, scope)
        else:
            self.block(node.orelse, scope)

    def _with(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            if item.optional_vars:
                self.assign(item.optional_vars, Name("", self.source.token(item.context_expr)), scope)
        self.block(node.body, scope)

    def _try(self, node: ast.Try, scope: Scope) -> None:
        try:
            self.block((*node.body, *node.orelse), scope)
        except RaisedError as error:
            if not node.handlers:
                raise
            raise refused(error.token, "what follows an error cannot be followed.") from None
        finally:
            self.block(node.finalbody, scope)

    def _function(self, node: ast.FunctionDef, scope: Scope) -> None:
        made: Any = Function(node, scope, self.defaults(node.args, scope))
        for part in reversed(node.decorator_list):
            decorator = self.value(part, scope)
            if isinstance(decorator, Name) and decorator.name in ROLES:
                made = replace(made, role=decorator.name)
            elif isinstance(decorator, Function | Class):
                made = self.call(decorator, [made], {}, self.source.token(part))
        scope.put(node.name, made)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        made = Class(node, [self.value(base, scope) for base in node.bases], Scope(outer=scope))
        self.block(node.body, made.scope)
        for value in made.scope.names.values():
            if isinstance(value, Function):
                value.scope, value.owner = scope, made
        scope.put(node.name, made)

    def _return(self, node: ast.Return, scope: Scope) -> None:
        raise Returned(self.value(node.value, scope) if node.value else None)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        token = self.source.token(node)
        start = f"{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            if alias.name == "*":
                self._stars.append(start)
            elif start == "collections." and alias.name in BUILTINS:
                scope.names[alias.asname or alias.name] = BUILTINS[alias.name]
            elif start or alias.asname:
                scope.names[alias.asname or alias.name] = Name(start + alias.name, token)
            else:
                root = alias.name.partition(".")[0]
                scope.names[root] = Name(root, token)

    def _elsewhere(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        for name in node.names:
            scope.elsewhere[name] = self.scope if isinstance(node, ast.Global) else scope.outer_with(name)

    def _delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in scope.names:
                del scope.names[target.id]
            elif isinstance(target, ast.Subscript):
                self._delete_item(target, self.value(target.value, scope), self.value(target.slice, scope))
            else:
                raise self.foreign(self.source.token(target))

    def _delete_item(self, node: ast.Subscript, of: Any, key: Any) -> None:
        if isinstance(of, Call) and is_container(of):
            modules = parts(of)
            self._plainly(node, operator.delitem, modules, key)
            of.args = [numbered(modules)]
        elif isinstance(of, list | dict):
            self._plainly(node, operator.delitem, of, key)
        else:
            raise self.foreign(self.source.token(node))

    def _raise(self, node: ast.Raise, scope: Scope) -> None:
        raise RaisedError(self.source.token(node), InputError("the text raises an error here."))

    def _nothing(self, node: ast.stmt, scope: Scope) -> None:
        pass

    def _break(self, node: ast.stmt, scope: Scope) -> None:
        raise Broken if isinstance(node, ast.Break) else Continued


_STATEMENTS: dict[type[ast.stmt], Callable[[Follower, Any, Scope], None]] = {
    ast.Expr: Follower._expression,
    ast.Assign: Follower._assign,
    ast.AnnAssign: Follower._assign,
    ast.AugAssign: Follower._augment,
    ast.For: Follower._for,
    ast.If: Follower._if,
    ast.With: Follower._with,
    ast.Try: Follower._try,
    ast.FunctionDef: Follower._function,
    ast.ClassDef: Follower._class,
    ast.Return: Follower._return,
    ast.Import: Follower._import,
    ast.ImportFrom: Follower._import,
    ast.Break: Follower._break,
    ast.Continue: Follower._break,
    ast.Pass: Follower._nothing,
    ast.Assert: Follower._nothing,
    ast.Global: Follower._elsewhere,
    ast.Nonlocal: Follower._elsewhere,
    ast.Delete: Follower._delete,
    ast.Raise: Follower._raise,
}
