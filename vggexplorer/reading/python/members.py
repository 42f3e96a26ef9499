"""Attributes, parts and items: how they are found and how they are set."""

import ast
from dataclasses import replace
from typing import Any

from vggexplorer.reading import layers, names
from vggexplorer.reading.python.arithmetic import item_of, put
from vggexplorer.reading.python.objects import Class, Function, Instance, Method, Scope, Super, is_container, named
from vggexplorer.reading.python.state import State
from vggexplorer.reading.values import Call, Name, Token, TokenError, refused


class Members(State):
    """Finds and sets what belongs to something."""

    def member(self, of: Any, name: str, token: Token) -> Any:
        """An attribute of an object or a class of the text, a part of a container, or a method of something else."""
        found = None
        if isinstance(of, Name):
            return Name(f"{of.name}.{name}" if of.name else "", token)
        if isinstance(of, Instance) and name in of.attributes:
            return self.known(of.attributes[name])
        if isinstance(of, Instance | Class):
            found = self.known((of.made if isinstance(of, Instance) else of).find(name))
        elif isinstance(of, Super):
            found = self.known(of.instance.made.find(name, of.owner))
        elif isinstance(of, Call):
            if name in names.PARTS:
                self.open(of)
            found = named(of).get(name) if is_container(of) else layers.attribute(of, name)
        if found is None:
            return Method(of, name)
        if isinstance(found, Function):
            return self._method_of(of.instance if isinstance(of, Super) else of, found, token)
        return found

    def open(self, call: Call) -> None:
        """Let a network that is only named be the container of its parts."""
        if call.name != names.OPENED and (made := names.parts(call)):
            call.name, call.args, call.kwargs = names.OPENED, [made], {}

    def _method_of(self, of: Any, function: Function, token: Token) -> Any:
        """A function of a class, bound to what it is looked up at; what a property gives."""
        made = of.made if isinstance(of, Instance) else of
        if function.role == "classmethod":
            return replace(function, of=made)
        if function.role == "staticmethod" or not isinstance(of, Instance):
            return function
        bound = replace(function, of=of)
        return self.call(bound, [], {}, token) if function.role == "property" else bound

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give a target of an assignment its value."""
        if isinstance(target, ast.Name):
            scope.put(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, Name | Call | Method):
            for part in target.elts:
                self.assign(part, Name("", self.source.token(part)), scope)
        elif isinstance(target, ast.Tuple | ast.List):
            values = self._items(value, target)
            stars = [place for place, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
            if stars and len(values) >= len(target.elts) - 1:
                first, after = stars[0], len(values) - len(target.elts) + stars[0] + 1
                values = [*values[:first], list(values[first:after]), *values[after:]]
            if len(values) != len(target.elts):
                raise refused(self.source.token(target), "this does not take what it is given.")
            for part, item in zip(target.elts, values, strict=True):
                self.assign(part.value if isinstance(part, ast.Starred) else part, item, scope)
        elif isinstance(target, ast.Attribute):
            self.set_member(self.value(target.value, scope), target.attr, value, self.source.token(target))
        elif isinstance(target, ast.Subscript):
            of, key = self.value(target.value, scope), self.value(target.slice, scope)
            if isinstance(of, Call) and is_container(of):
                key = self._plainly(target, item_of, list(named(of)), key) if type(key) is int else key
                self.set_member(of, key, value, self.source.token(target))
            elif isinstance(of, list | dict):
                self._plainly(target, put, of, key, value)
            else:
                raise self.foreign(self.source.token(target))
        else:
            raise self.foreign(self.source.token(target))

    def set_member(self, of: Any, name: Any, value: Any, token: Token) -> None:
        """Set an attribute of an object of the text, or a module of a container."""
        if not isinstance(name, str):
            raise self.foreign(token)
        if isinstance(of, Instance):
            of.attributes[name] = value
            if (row := of.row()) and isinstance(value, Call | Instance):
                self.set_member(row, name, value, token)
            return
        if isinstance(of, Call):
            self.open(of)
        if isinstance(of, Call) and is_container(of) and isinstance(value, Call | Instance):
            of.args = [named(of) | {name: value}]
        else:
            raise self.foreign(token)

    def foreign(self, token: Token) -> TokenError:
        """The error of a change that cannot be followed."""
        return refused(token, "this change of something from elsewhere cannot be followed.")
