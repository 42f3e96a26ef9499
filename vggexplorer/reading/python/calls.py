"""What calls give: of what the text defines what that makes, of others a `Call`; and what data goes through."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vggexplorer.reading import names
from vggexplorer.reading.python.arithmetic import BOUNDED, BUILTINS, CHANGES, METHODS, MISTAKES, filled, is_plain
from vggexplorer.reading.python.members import Members
from vggexplorer.reading.python.objects import (
    Class,
    Data,
    Function,
    Instance,
    Method,
    Scope,
    Super,
    Unknown,
    has_weights,
    is_container,
    is_module,
    listed,
    longest,
    named,
    parts,
)
from vggexplorer.reading.python.state import EndlessError, RaisedError, Returned
from vggexplorer.reading.python.syntax import ITSELF, WRAPPERS
from vggexplorer.reading.values import Call, Name, Token, TokenError, refused

MOST_DEPTH = 40
"""Calls inside calls that are followed."""
FORWARD = ("forward", "call", "__call__")
"""What the method that data goes through is called: in PyTorch, in Keras, and in Python."""
SIDES = ([2, 3], [-1, -2], [-2, -1], [3, 2])
"""How height and width are named."""
_ASKING = (isinstance, BUILTINS["type"], bool)


class Calls(Members):
    """Follows calls."""

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super(node, scope)
        function = self.value(node.func, scope)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            self.note("", getattr(function, "of", None), node.func.value, scope)
        args: list[Any] = []
        tokens: dict[int | str, Token] = {}
        for part in node.args:
            starred = isinstance(part, ast.Starred)
            value = self._argument(part.value if isinstance(part, ast.Starred) else part, function, scope)
            for item in self._items(value, part) if starred else [value]:
                tokens[len(args)] = self.source.token(part)
                args.append(item)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            if keyword.arg is None:
                self._plainly(node, kwargs.update, value)
            else:
                kwargs[keyword.arg] = value
                tokens[keyword.arg] = self.source.token(keyword.value)
        return self.call(function, args, kwargs, self.source.token(node), tokens, scope)

    def _argument(self, node: ast.expr, function: Any, scope: Scope) -> Any:
        """An argument; the sizes of a `view` need not be known."""
        try:
            return self.value(node, scope)
        except EndlessError:
            raise
        except TokenError:
            if isinstance(function, Method) and isinstance(function.of, Data):
                return Name("", self.source.token(node))
            raise

    def _super(self, node: ast.Call, scope: Scope) -> Any:
        owner, instance = scope.find("__class__"), scope.find("__self__")
        if not (isinstance(owner, Class) and isinstance(instance, Instance)):
            raise refused(self.source.token(node), "super() can only be read in a method.")
        return Super(instance, owner)

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
        self._depth += 1
        try:
            if self._depth > MOST_DEPTH:
                raise refused(token, "calls are nested too deeply here.")
            if isinstance(function, Function):
                return self._enter(function, args, kwargs, token)
            if isinstance(function, Class):
                return self._make(function, args, kwargs, token)
            if isinstance(function, Method):
                return self._method(function, args, kwargs, token, scope)
            if isinstance(function, Call | Instance):
                return self._through(function, args, token)
            if isinstance(function, Name):
                return self._noted(Call(function.name, args, kwargs, token, tokens or {}))
            if any(function is known for known in BUILTINS.values()):
                opened = function not in _ASKING
                args = [parts(arg) if opened and isinstance(arg, Call) and is_container(arg) else arg for arg in args]
                return self._builtin(function, args, kwargs, token)
            raise refused(token, "this cannot be called.")
        finally:
            self._depth -= 1

    def _builtin(self, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], token: Token) -> Any:
        if function in _ASKING and any(not is_plain(arg) for arg in args):
            raise refused(token, "it is not known whether this holds.")
        if function is int and any(isinstance(arg, Name | Call | Method) for arg in args):
            return Name("", token)
        self._spend(*args)
        try:
            return BOUNDED.get(function, function)(*args, **kwargs)
        except MISTAKES:
            raise refused(token, "this cannot be worked out.") from None

    def _attributed(self, call: Call) -> Any:
        """What `getattr` gives; `setattr` and `delattr` change what they are called with."""
        of, name, *rest = call.args
        if call.name != "getattr":
            self.set_member(of, name, rest[0] if rest else Unknown(self.foreign(call.token)), call.token)
            return None
        if not isinstance(name, str):
            raise self.foreign(call.token)
        found = self.member(of, name, call.token)
        return rest[0] if rest and isinstance(of, Instance) and isinstance(found, Method) else found

    def _noted(self, call: Call) -> Any:
        """A call of something from elsewhere."""
        if call.name in ("getattr", "setattr", "delattr") and 2 <= len(call.args) <= 3:
            return self._attributed(call)
        last = call.name.rpartition(".")[2]
        if last == "cast" and len(call.args) == 2:
            return call.args[1]
        if last in WRAPPERS and call.args and isinstance(call.args[0], Call | Instance):
            return call.args[0]
        if call.args and isinstance(call.args[0], Data):
            return Data((*call.args[0].calls, call))
        if any(isinstance(part, Data) for arg in call.args if isinstance(arg, list | tuple) for part in arg):
            raise refused(call.token, "two ways through the network meet here; only a chain of layers can be read.")
        if is_container(call):
            call.args, call.kwargs = [named(call)], {}
        self.calls.append(call)
        return call

    def _through(self, module: Any, args: list[Any], token: Token) -> Any:
        """Data that goes through a module; of other things nothing is known."""
        if not (args and isinstance(args[0], Data)):
            return Name("", token)
        if isinstance(module, Call):
            return Data((*args[0].calls, module))
        if forward := self._forward(module):
            return self._enter(replace(forward, of=module), args, {}, token)
        chain = self.inner(module)
        if chain is None:
            raise refused(token, "{name} has no forward that could be followed.", name=module.made.name)
        return Data((*args[0].calls, chain))

    def chain(self, value: Any, token: Token, depth: int = 0) -> list[Call]:
        """The calls of layers that a network is a chain of."""
        if depth > MOST_DEPTH:
            raise refused(token, "this is nested too deeply.")
        self._count(token)
        self.known(value)
        if isinstance(value, Instance):
            gone = self._through(value, [Data()], value.token)
            if not isinstance(gone := longest(gone), Data):
                raise refused(token, "the forward of {name} could not be followed.", name=value.made.name)
            return [call for part in gone.calls for call in self.chain(part, part.token, depth + 1)]
        if isinstance(value, Call):
            self.open(value)
        if isinstance(value, Call) and is_container(value):
            return [call for part in parts(value) for call in self.chain(part, value.token, depth + 1)]
        if isinstance(value, Call):
            return [value]
        raise refused(value.token if isinstance(value, Name) else token, "this is not a layer that can be read.")

    def is_network(self, module: Instance) -> bool:
        """Whether an object is a module that takes one thing: no loss, which takes two."""
        forward = self._forward(module)
        return is_module(module.made) and not (forward and self.lacks(forward) > 2)

    def _forward(self, module: Instance) -> Function | None:
        """The method of the text that says how data goes through an object."""
        found = next(filter(None, (self.known(module.made.find(name)) for name in FORWARD)), None)
        return found if isinstance(found, Function) else None

    def weights(self, value: Any, name: str = "", depth: int = 0) -> dict[str, Call]:
        """The layers with weights that a module holds, by their names."""
        if isinstance(value, Call) and not is_container(value):
            return {name: value} if has_weights(value) else {}
        held = value.attributes if isinstance(value, Instance) else named(value) if isinstance(value, Call) else {}
        found: dict[str, Call] = {}
        for key, part in held.items() if depth < MOST_DEPTH else ():
            self._count(value.token)
            found |= self.weights(part, f"{name}.{key}".strip("."), depth + 1)
        return found

    def inner(self, module: Instance) -> Call | None:
        """The network of an object whose class does not say how data goes through it: the book's `net`, or its base."""
        found = self.known(module.row() or module.attributes.get("net", module.attributes.get("model")))
        return found if isinstance(found, Call) else None

    def _make(self, made: Class, args: list[Any], kwargs: dict[str, Any], token: Token) -> Instance:
        instance = Instance(made, token)
        begin = self.known(made.find("__init__"))
        if isinstance(begin, Function):
            self._enter(replace(begin, of=instance), args, kwargs, token)
        elif args or kwargs:
            raise refused(token, "no arguments are taken by {name}.", name=made.name)
        return instance

    def _enter(self, function: Function, args: list[Any], kwargs: dict[str, Any], token: Token) -> Any:
        """Follow a function of the text."""
        own = [function.of] if function.of else []
        scope = Scope(self._bound(function, [*own, *args], kwargs, token), function.scope)
        if function.of:
            scope.names |= {"__self__": function.of, "__class__": function.owner}
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body, scope)
        try:
            self.block(function.node.body, scope)
        except Returned as returned:
            return returned.value
        except RaisedError as error:
            raise TokenError(error.token, error.reason) from None
        return None

    def defaults(self, spec: ast.arguments, scope: Scope) -> dict[str, Any]:
        """The defaults of a function's arguments; an unknown one is of no interest before it is needed."""
        names = [part.arg for part in (*spec.posonlyargs, *spec.args)]
        nodes = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
        nodes |= {part.arg: node for part, node in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if node}
        found: dict[str, Any] = {}
        for name, node in nodes.items():
            try:
                found[name] = self.value(node, scope)
            except EndlessError:
                raise
            except TokenError as error:
                found[name] = Unknown(error)
        return found

    def _bound(self, function: Function, args: list[Any], kwargs: dict[str, Any], token: Token) -> dict[str, Any]:
        """The names of a function's arguments with their values."""
        spec = function.node.args
        names = [part.arg for part in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
        positional = len(spec.posonlyargs) + len(spec.args)
        bound = dict(zip(names[:positional], args, strict=False))
        more = args[positional:]
        others = {name: value for name, value in kwargs.items() if name not in names}
        doubled = bound.keys() & kwargs.keys()
        if (more and not spec.vararg) or (others and not spec.kwarg) or doubled:
            raise refused(token, "this call does not fit the function that the text defines.")
        bound |= {name: value for name, value in kwargs.items() if name in names}
        for name in names:
            if name not in bound:
                if name not in function.defaults:
                    raise refused(token, "this call lacks the argument {name}.", name=name)
                bound[name] = function.defaults[name]
        if spec.vararg:
            bound[spec.vararg.arg] = tuple(more)
        if spec.kwarg:
            bound[spec.kwarg.arg] = others
        return bound

    def _method(
        self, method: Method, args: list[Any], kwargs: dict[str, Any], where: Any, scope: Scope | None = None
    ) -> Any:
        token = where if isinstance(where, Token) else self.source.token(where)
        of, name = method.of, method.name
        if isinstance(of, Super):
            return self._of_parent(of, name, args, kwargs, token)
        if isinstance(of, Data):
            return self._of_data(of, name, args, kwargs, token)
        if isinstance(of, Call | Instance):
            return self._of_module(of, name, args, kwargs, token, scope)
        if isinstance(of, str) and name == "format" and not kwargs:
            return self._builtin(filled, [of, r"\{\}", args], {}, token)
        if name in METHODS.get(type(of), ()):
            result = self._builtin(getattr(of, name), args, kwargs, token)
            self._bounded(of, token)
            return list(result) if isinstance(of, dict) and name in ("items", "keys", "values") else result
        raise refused(token, "this cannot be followed.")

    def _of_parent(self, of: Super, name: str, args: list[Any], kwargs: dict[str, Any], token: Token) -> None:
        """`super().__init__(…)` of a class from elsewhere."""
        if name == "__init__" and (row := of.instance.row()):
            row.args = [named(row) | named(Call("", args, kwargs, token))]

    def _of_module(
        self, of: Call | Instance, name: str, args: list[Any], kwargs: dict[str, Any], token: Token, scope: Scope | None
    ) -> Any:
        """A method of a module: it gives it back, adds to it, or is of no interest."""
        if name in ITSELF:
            return of
        row = of.row() if isinstance(of, Instance) else of
        if name in ("add_module", "register_module") and len(args) == 2:
            self.set_member(of, args[0], args[1], token)
            return Name("", token)
        if row and is_container(row) and self._changed(row, name, args, token):
            return of
        if name == "children" and isinstance(of, Call) and is_container(of) and of.name != names.OPENED:
            return parts(of)
        if isinstance(of, Instance):
            if name == "save_hyperparameters" and scope:  # of the book: the arguments become attributes
                of.attributes |= {key: value for key, value in scope.names.items() if not key.startswith("__")}
            elif name == "forward":
                return self._through(of, args, token)
            elif any(isinstance(arg, Data) for arg in args):
                raise refused(token, "{name} is not in this text.", name=name)
            elif name in CHANGES:
                raise self.foreign(token)
        elif name in CHANGES:
            raise self.foreign(token)
        self.calls.append(Call(name, [of, *args], kwargs, token))
        return Name("", token)

    def _changed(self, row: Call, name: str, args: list[Any], token: Token) -> bool:
        """Whether a method has added to a container what it is given."""
        if name not in ("append", "add", "extend"):
            return False
        for module in self._items(args[0] if args else (), token) if name == "extend" else args:
            modules = named(row)
            row.args = [modules | {str(len(modules)): module}]
        return True

    def _of_data(self, data: Data, name: str, args: list[Any], kwargs: dict[str, Any], token: Token) -> Any:
        """A method of what goes through a network: a flattening, an activation, or a question."""
        if name in ("size", "dim", "numel"):
            return Name("", token)
        if name in ("view", "reshape"):
            sizes = listed(args)
            if len(sizes) != 2:
                raise refused(token, "only a flattening to one row for each image can be read.")
            return Data((*data.calls, Call("torch.Tensor.view", [data, *sizes], {}, token)))
        if name == "mean":
            return self._averaged(data, args, kwargs, token)
        if name in ("contiguous", "clone", *ITSELF):
            return data
        return Data((*data.calls, Call(f"torch.{name}", [data, *args], kwargs, token)))

    def _averaged(self, data: Data, args: list[Any], kwargs: dict[str, Any], token: Token) -> Data:
        """The mean over height and width."""
        sides = kwargs.get("dim", listed(args[:2]) if args else None)
        keepdim = kwargs.get("keepdim", False)
        if not isinstance(sides, list | tuple) or [*sides] not in SIDES or type(keepdim) is not bool:
            raise refused(token, "only a mean over height and width can be read.")
        pool = Call("torch.nn.AdaptiveAvgPool2d", [1], {}, token)
        return Data((*data.calls, pool, *([] if keepdim else [Call("torch.flatten", [data, 1], {}, token)])))
