"""Python source followed without running it, as far as networks are written in it.

Assignments, loops over what is known, `if` whose condition is known, and the functions and classes of the text itself
are followed on values: numbers, texts, lists. What the text does not define is only noted: calling it gives a `Call`.
So `vgg(conv_arch)` of a cell gives the layers that this very cell's `vgg` makes. A module that is called with `Data`,
as in a `forward`, is appended to what the data went through.

A statement that cannot be followed makes unknown what it sets or changes; the reason is told where that is needed.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vggexplorer.architectures import CONV_ARCHS
from vggexplorer.errors import InputError
from vggexplorer.reading.arithmetic import (
    BINARY,
    BUILTINS,
    CHANGES,
    LARGEST,
    METHODS,
    MISTAKES,
    MOST_ITEMS,
    PLAIN,
    UNARY,
    holds,
    is_format,
    is_small,
    item_of,
    put,
)
from vggexplorer.reading.objects import (
    Class,
    Data,
    Function,
    Instance,
    Method,
    Scope,
    Super,
    Unknown,
    is_container,
    is_module,
    listed,
    parts,
)
from vggexplorer.reading.source import Source
from vggexplorer.reading.values import Call, Name, Token, TokenError, refused

MOST_STEPS = 20_000
"""Statements and expressions that are followed in one text."""
MOST_DEPTH = 40
"""Calls inside calls that are followed."""

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
ITSELF = ("to", "cuda", "cpu", "eval", "train", "apply", "half", "float", "double", "requires_grad_")
"""Methods of a module that give it back."""
WRAPPERS = ("DataParallel", "DistributedDataParallel", "compile")
"""What gives back the network that it is called with."""


_MISSING = object()


class _Return(Exception):  # noqa: N818  # no error
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


class _EndlessError(TokenError):
    """The text is not followed any further."""


class Follower:
    """Follows a source from top to bottom; `made` are the values that its own lines make, in their order."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.made: list[tuple[str, Any, Token]] = []
        self.calls: list[Call] = []
        self.unread: list[tuple[Token, TokenError]] = []
        """The statements that could not be followed, and why."""
        self.scope = Scope()
        self.lists: dict[int, tuple[Any, list[Token]]] = {}
        """The tokens of the items of each list that is written out, by its identity."""
        self.assumed: list[str] = []
        self._stars: list[str] = []
        self._steps = 0
        self._depth = 0

    def follow(self) -> None:
        """Follow the whole source."""
        for statement in self.source.statements:
            try:
                self._statement(statement, self.scope)
            except (_Return, _Break, _Continue):
                error = refused(self.source.token(statement), "this cannot stand here.")
                self.unread.append((self.source.token(statement), error))

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

    # --- statements ---------------------------------------------------------------------------------------

    def _block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        self._step(node)
        handler = _STATEMENTS.get(type(node))
        try:
            if handler is None:
                raise refused(self.source.token(node), "this statement cannot be followed.")
            handler(self, node, scope)
        except _EndlessError:
            raise
        except TokenError as error:
            self._give_up(node, scope, error)
        except RecursionError:
            self._give_up(node, scope, refused(self.source.token(node), "this is nested too deeply."))

    def _give_up(self, node: ast.stmt, scope: Scope, error: TokenError) -> None:
        """Make unknown what a statement would have set or changed."""
        if scope is self.scope:
            self.unread.append((self.source.token(node), error))
            if self._builds(node):
                self.made.append(("", Unknown(error), self.source.token(node)))
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                scope.names[part.id] = Unknown(error)
            elif isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
                self._spoil(part.value if isinstance(part, ast.Subscript) else part, scope, error)
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in CHANGES:
                self._spoil(part.func.value, scope, error)
            elif isinstance(part, ast.FunctionDef | ast.ClassDef):
                scope.names[part.name] = Unknown(error)
            elif isinstance(part, ast.Return):
                raise error

    def _builds(self, node: ast.stmt) -> bool:
        """Whether a statement would have made a network: by a class or function of the text that is given none."""
        if not (isinstance(node, ast.Assign) and isinstance(call := node.value, ast.Call)):
            return False
        made = self.scope.find(call.func.id) if isinstance(call.func, ast.Name) else None
        if isinstance(made, Class):
            return is_module(made)
        given = [self.scope.find(part.id) for part in ast.walk(call) if isinstance(part, ast.Name)]
        return isinstance(made, Function) and not any(isinstance(value, Call | Instance) for value in given)

    def _spoil(self, node: ast.expr, scope: Scope, error: TokenError) -> None:
        """Make unknown what an expression names: an attribute of an object of the text, or the variable."""
        while isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of = scope.find(node.value.id)
            if isinstance(of, Instance):
                of.attributes[node.attr] = Unknown(error)
                return
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name):
            scope.names[node.id] = Unknown(error)

    def _expression(self, node: ast.Expr, scope: Scope) -> None:
        value = self.value(node.value, scope)
        self._note("", value, node.value, scope)

    def _assign(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        if node.value is None:
            return
        value = self.value(node.value, scope)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self._set(target, value, scope)
            self._note(target.id if isinstance(target, ast.Name) else "", value, node.value, scope)

    def _note(self, name: str, value: Any, node: ast.expr, scope: Scope) -> None:
        if scope is self.scope and isinstance(value, Call | Instance | list | tuple | dict):
            self.made.append((name, value, self.source.token(node)))

    def _set(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, Name | Call | Method):
            for part in target.elts:
                self._set(part, Name("", self.source.token(part)), scope)
        elif isinstance(target, ast.Tuple | ast.List):
            values = self._items(value, target)
            if len(values) != len(target.elts) or any(isinstance(part, ast.Starred) for part in target.elts):
                raise refused(self.source.token(target), "this does not take what it is given.")
            for part, item in zip(target.elts, values, strict=True):
                self._set(part, item, scope)
        elif isinstance(target, ast.Attribute) and isinstance(of := self.value(target.value, scope), Instance):
            of.attributes[target.attr] = value
        elif isinstance(target, ast.Subscript) and isinstance(of := self.value(target.value, scope), list | dict):
            key = self.value(target.slice, scope)
            self._plainly(target, put, of, key, value)
        else:
            raise refused(self.source.token(target), "this change of something from elsewhere cannot be followed.")

    def _augment(self, node: ast.AugAssign, scope: Scope) -> None:
        old, more = self.value(node.target, scope), self.value(node.value, scope)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            self._method(Method(old, "extend"), [more], {}, node)
        else:
            value = self._worked_out(node, node.op, old, more)
            self._set(node.target, value, scope)
            self._note("", value, node.target, scope)

    def _for(self, node: ast.For, scope: Scope) -> None:
        for item in list(self._items(self.value(node.iter, scope), node.iter)):
            self._set(node.target, item, scope)
            try:
                self._block(node.body, scope)
            except _Break:
                break
            except _Continue:
                continue

    def _if(self, node: ast.If, scope: Scope) -> None:
        if self._truth(node.test, scope):
            self._block(node.body, scope)
        else:
            self._block(node.orelse, scope)

    def _with(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            if item.optional_vars:
                self._set(item.optional_vars, Name("", self.source.token(item.context_expr)), scope)
        self._block(node.body, scope)

    def _try(self, node: ast.Try, scope: Scope) -> None:
        self._block((*node.body, *node.orelse, *node.finalbody), scope)

    def _function(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.names[node.name] = Function(node, scope)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        made = Class(node, [self.value(base, scope) for base in node.bases], Scope(outer=scope))
        self._block(node.body, made.scope)
        for value in made.scope.names.values():
            if isinstance(value, Function):
                value.scope, value.owner = scope, made
        scope.names[node.name] = made

    def _return(self, node: ast.Return, scope: Scope) -> None:
        raise _Return(self.value(node.value, scope) if node.value else None)

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

    def _nothing(self, node: ast.stmt, scope: Scope) -> None:
        pass

    def _break(self, node: ast.stmt, scope: Scope) -> None:
        raise _Break if isinstance(node, ast.Break) else _Continue

    # --- expressions --------------------------------------------------------------------------------------

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """The value of an expression; `TokenError` if it cannot be followed."""
        self._step(node)
        handler = _EXPRESSIONS.get(type(node))
        if handler is None:
            raise refused(self.source.token(node), "this expression cannot be followed.")
        return handler(self, node, scope)

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
        return node.value

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        value = scope.find(node.id, _MISSING)
        if isinstance(value, Unknown):
            raise value.error
        if value is not _MISSING:
            return value
        if node.id in BUILTINS:
            return BUILTINS[node.id]
        if node.id in ASSUMED:
            self.assumed.append(node.id)
            return ASSUMED[node.id]
        start = self._stars[-1] if self._stars else ""
        return Name(USUAL.get(node.id, start + node.id), self.source.token(node))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        of = self.value(node.value, scope)
        if isinstance(of, Name):
            return Name(f"{of.name}.{node.attr}" if of.name else "", self.source.token(node))
        if isinstance(of, Instance):
            return self._of_instance(of, node)
        if isinstance(of, Super):
            return self._of_super(of, node)
        return Method(of, node.attr)

    def _of_instance(self, of: Instance, node: ast.Attribute) -> Any:
        if node.attr in of.attributes:
            value = of.attributes[node.attr]
            if isinstance(value, Unknown):
                raise value.error
            return value
        found = of.made.find(node.attr)
        if isinstance(found, Function):
            return Function(found.node, found.scope, of, found.owner)
        return Method(of, node.attr) if found is None else found

    def _of_super(self, of: Super, node: ast.Attribute) -> Any:
        for base in of.owner.bases:
            if isinstance(base, Class) and isinstance(found := base.find(node.attr), Function):
                return Function(found.node, found.scope, of.instance, found.owner)
        return Method(of, node.attr)

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
            self._set(first.target, item, scope)
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
        plain = isinstance(left, PLAIN) and isinstance(right, PLAIN) and not is_format(op, left)
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
        if any(isinstance(value, Name | Method | Data) for value in values):
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
        if isinstance(value, Name | Call | Method | Data):
            raise refused(self.source.token(node), "it is not known whether this holds.")
        return bool(value)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        of = self.value(node.value, scope)
        if isinstance(of, Call) and is_container(of):
            of = parts(of)
        if isinstance(of, Name | Method | Call | Data):
            return Name("", self.source.token(node))
        key = self.value(node.slice, scope)
        return self._plainly(node, item_of, of, key)

    def _slice(self, node: ast.Slice, scope: Scope) -> slice:
        return slice(*(part and self.value(part, scope) for part in (node.lower, node.upper, node.step)))

    def _text(self, node: ast.JoinedStr, scope: Scope) -> str:
        parts = (
            part.value if isinstance(part, ast.Constant) else self.value(part.value, scope)  # type: ignore[attr-defined]
            for part in node.values
        )
        return "".join(str(part) if isinstance(part, str | int | float) else "…" for part in parts)[:200]

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Function:
        return Function(node, scope)

    # --- calls --------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super(node, scope)
        function = self.value(node.func, scope)
        args: list[Any] = []
        tokens: dict[int | str, Token] = {}
        for part in node.args:
            starred = isinstance(part, ast.Starred)
            value = self.value(part.value if isinstance(part, ast.Starred) else part, scope)
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
                return self._builtin(function, args, kwargs, token)
            raise refused(token, "this cannot be called.")
        finally:
            self._depth -= 1

    def _builtin(self, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], token: Token) -> Any:
        if function is isinstance and any(isinstance(arg, Name) for arg in args[1:]):
            raise refused(token, "it is not known whether this holds.")
        self._spend(*args)
        try:
            return function(*args, **kwargs)
        except MISTAKES:
            raise refused(token, "this cannot be worked out.") from None

    def _noted(self, call: Call) -> Any:
        """A call of something from elsewhere."""
        last = call.name.rpartition(".")[2]
        if last in WRAPPERS and call.args and isinstance(call.args[0], Call | Instance):
            return call.args[0]
        if call.args and isinstance(call.args[0], Data):
            return Data((*call.args[0].calls, call))
        if any(isinstance(part, Data) for arg in call.args if isinstance(arg, list | tuple) for part in arg):
            raise refused(call.token, "two ways through the network meet here; only a chain of layers can be read.")
        self.calls.append(call)
        return call

    def _through(self, module: Any, args: list[Any], token: Token) -> Any:
        """Data that goes through a module; of other things nothing is known."""
        if not (args and isinstance(args[0], Data)):
            return Name("", token)
        if isinstance(module, Call):
            return Data((*args[0].calls, module))
        forward = module.made.find("forward")
        if isinstance(forward, Function):
            return self._enter(Function(forward.node, forward.scope, module, forward.owner), args, {}, token)
        chain = self.inner(module)
        if chain is None:
            raise refused(token, "{name} has no forward that could be followed.", name=module.made.name)
        return Data((*args[0].calls, chain))

    def chain(self, value: Any, token: Token, depth: int = 0) -> list[Call]:
        """The calls of layers that a network is a chain of."""
        if depth > MOST_DEPTH:
            raise refused(token, "this is nested too deeply.")
        if isinstance(value, Instance):
            gone = self._through(value, [Data()], value.token)
            if not isinstance(gone, Data):
                raise refused(token, "the forward of {name} could not be followed.", name=value.made.name)
            return [call for part in gone.calls for call in self.chain(part, part.token, depth + 1)]
        if isinstance(value, Call) and is_container(value):
            return [call for part in parts(value) for call in self.chain(part, value.token, depth + 1)]
        if isinstance(value, Call):
            return [value]
        raise refused(value.token if isinstance(value, Name) else token, "this is not a layer that can be read.")

    def inner(self, module: Instance) -> Call | None:
        """The network of an object whose class does not say how data goes through it: the book's `net`, or its base."""
        for name in ("net", "model"):
            if isinstance(found := module.attributes.get(name), Call):
                return found
            if isinstance(found, Unknown):
                raise found.error
        return module.parent

    def _make(self, made: Class, args: list[Any], kwargs: dict[str, Any], token: Token) -> Instance:
        instance = Instance(made, token)
        begin = made.find("__init__")
        if isinstance(begin, Function):
            self._enter(Function(begin.node, begin.scope, instance, begin.owner), args, kwargs, token)
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
            self._block(function.node.body, scope)
        except _Return as returned:
            return returned.value
        return None

    def _bound(self, function: Function, args: list[Any], kwargs: dict[str, Any], token: Token) -> dict[str, Any]:
        """The names of a function's arguments with their values."""
        spec = function.node.args
        names = [part.arg for part in (*spec.posonlyargs, *spec.args)]
        defaults = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
        defaults |= {part.arg: value for part, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value}
        names += [part.arg for part in spec.kwonlyargs]
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
                if name not in defaults:
                    raise refused(token, "this call lacks the argument {name}.", name=name)
                bound[name] = self.value(defaults[name], function.scope)
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
            return self._of_data(of, name, args, token)
        if isinstance(of, Call | Instance):
            return self._of_module(of, name, args, kwargs, token, scope)
        if name in METHODS.get(type(of), ()):
            result = self._builtin(getattr(of, name), args, kwargs, token)
            self._bounded(of, token)
            return list(result) if isinstance(of, dict) and name in ("items", "keys", "values") else result
        raise refused(token, "this cannot be followed.")

    def _of_parent(self, of: Super, name: str, args: list[Any], kwargs: dict[str, Any], token: Token) -> None:
        """`super().__init__(…)` of a class from elsewhere."""
        foreign = of.owner.foreign()
        if name == "__init__" and foreign and args and not isinstance(args[0], Instance):
            of.instance.parent = Call(foreign[0], args, kwargs, token)

    def _of_module(
        self, of: Call | Instance, name: str, args: list[Any], kwargs: dict[str, Any], token: Token, scope: Scope | None
    ) -> Any:
        """A method of a module: it gives it back, adds to it, or is of no interest."""
        if name in ITSELF:
            return of
        if all(of is not value for _, value, _ in self.made):
            self.made.append(("", of, token))
        if isinstance(of, Instance):
            if name in ("add_module", "register_module") and len(args) == 2:
                of.attributes[args[0]] = args[1]
            elif name == "save_hyperparameters" and scope:  # of the book: the arguments become attributes
                of.attributes |= {key: value for key, value in scope.names.items() if not key.startswith("__")}
            elif name == "forward":
                return self._through(of, args, token)
            elif any(isinstance(arg, Data) for arg in args):
                raise refused(token, "{name} is not in this text.", name=name)
            else:
                self.calls.append(Call(name, [of, *args], kwargs, token))
            return Name("", token)
        if is_container(of):
            if name in ("append", "add", "add_module", "register_module"):
                of.args = [*parts(of), *(args[1:] if "module" in name else args)]
                return of
            if name == "extend":
                of.args = [*parts(of), *self._items(args[0] if args else (), token)]
                return of
            if name == "children":
                return parts(of)
        if name in CHANGES:
            raise refused(token, "this change of something from elsewhere cannot be followed.")
        self.calls.append(Call(name, [of, *args], kwargs, token))
        return Name("", token)

    def _of_data(self, data: Data, name: str, args: list[Any], token: Token) -> Any:
        """A method of what goes through a network: a flattening, an activation, or a question."""
        if name in ("size", "dim", "numel"):
            return Name("", token)
        if name in ("view", "reshape"):
            sizes = list(args[0]) if len(args) == 1 and isinstance(args[0], list | tuple) else args
            if len(sizes) != 2:
                raise refused(token, "only a flattening to one row for each image can be read.")
            return Data((*data.calls, Call("torch.flatten", [data, 1], {}, token)))
        if name == "mean" and args and list(listed(args)) in ([2, 3], [-1, -2], [-2, -1], [3, 2]):
            pool = Call("torch.nn.AdaptiveAvgPool2d", [1], {}, token)
            return Data((*data.calls, pool, Call("torch.flatten", [data, 1], {}, token)))
        if name in ("contiguous", "clone", *ITSELF):
            return data
        return Data((*data.calls, Call(f"torch.{name}", [data, *args], {}, token)))

    # --- bounds -------------------------------------------------------------------------------------------

    def _step(self, node: ast.AST) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            reason = InputError("this text takes too many steps to follow.")
            raise _EndlessError(self.source.token(node), reason)

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
    ast.Global: Follower._nothing,
    ast.Nonlocal: Follower._nothing,
    ast.Delete: Follower._nothing,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[[Follower, Any, Scope], Any]] = {
    ast.Constant: Follower._constant,
    ast.Name: Follower._name,
    ast.Attribute: Follower._attribute,
    ast.List: Follower._display,
    ast.Tuple: Follower._display,
    ast.Dict: Follower._dict,
    ast.ListComp: Follower._comprehension,
    ast.GeneratorExp: Follower._comprehension,
    ast.DictComp: Follower._dict_comprehension,
    ast.BinOp: Follower._binary,
    ast.UnaryOp: Follower._unary,
    ast.Compare: Follower._compare,
    ast.BoolOp: Follower._both,
    ast.IfExp: Follower._choice,
    ast.Subscript: Follower._subscript,
    ast.Slice: Follower._slice,
    ast.JoinedStr: Follower._text,
    ast.Lambda: Follower._lambda,
    ast.Call: Follower._call,
}
