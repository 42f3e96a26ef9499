"""Python source followed without running it, as far as networks are written in it.

Assignments, loops over what is known, `if` whose condition is known, and the functions and classes of the text itself
are followed on values: numbers, texts, lists. What the text does not define is only noted: calling it gives a `Call`.
So `vgg(conv_arch)` of a cell gives the layers that this very cell's `vgg` makes. A module that is called with `Data`,
as in a `forward`, is appended to what the data went through.

A statement that cannot be followed makes unknown what it sets or changes; the reason is told where that is needed.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vggexplorer.architectures import CONV_ARCHS
from vggexplorer.errors import InputError
from vggexplorer.reading import layers, names
from vggexplorer.reading.arithmetic import (
    BINARY,
    BOUNDED,
    BUILTINS,
    CHANGES,
    LARGEST,
    METHODS,
    MISTAKES,
    MOST_ITEMS,
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
from vggexplorer.reading.objects import (
    CONTAINERS,
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
    is_told,
    listed,
    longest,
    named,
    numbered,
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


FORWARD = ("forward", "call", "__call__")
"""What the method that data goes through is called: in PyTorch, in Keras, and in Python."""
LONGEST = 200
"""Characters of a text that is filled in."""
SIDES = ([2, 3], [-1, -2], [-2, -1], [3, 2])
"""How height and width are named."""
COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
"""Statements with others in them, which were perhaps not followed."""
WEIGHTS = ("weight", "bias", "data", "grad")
"""Attributes of a module that are weights: their values are of no interest."""
HARMLESS = ("requires_grad", "data", "grad", "trainable", "training", "inplace")
"""Attributes that change nothing of what is counted."""
ROLES = ("property", "staticmethod", "classmethod")
"""The decorators that say what a method is."""
_ASKING = (isinstance, BUILTINS["type"], bool)
_MISSING = object()


class _Return(Exception):  # noqa: N818  # no error
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


class _RaisedError(TokenError):
    """The text's own error: what comes after it is not reached."""


class _EndlessError(TokenError):
    """The text is not followed any further."""


def own_parts(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all in it but the bodies of functions and classes."""
    rest = [node]
    while rest:
        part = rest.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.Assign) or (
            isinstance(part, ast.Assign) and not gives_back(part)
        ):
            rest += ast.iter_child_nodes(part)


def dotted(node: ast.AST) -> list[str]:
    """The parts of a dotted name, the last first; empty if it is none."""
    found: list[str] = []
    while isinstance(node, ast.Attribute):
        found.append(node.attr)
        node = node.value
    return [*found, node.id] if isinstance(node, ast.Name) else []


def gives_back(node: ast.Assign) -> bool:
    """Whether a name is given what it had: `net = net.to(device)`, `net = nn.DataParallel(net)`."""
    value = node.value
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Attribute) and value.func.attr in ITSELF:
            value = value.func.value
        elif value.args and dotted(value.func)[:1] in [[name] for name in WRAPPERS]:
            value = value.args[0]
        else:
            return False
    return bool(dotted(value)) and [dotted(target) for target in node.targets] == [dotted(value)]


def is_of_weights(node: ast.expr) -> bool:
    """Whether an expression names the weights of a module, or a part of them."""
    return any(isinstance(part, ast.Attribute) and part.attr in WEIGHTS for part in ast.walk(node))


def leaves_loop(node: ast.AST) -> bool:
    """Whether a statement may leave or go on with a loop that it stands in."""
    rest = [node]
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Break | ast.Continue):
            return True
        inner = part.orelse if isinstance(part, ast.For | ast.AsyncFor | ast.While) else ast.iter_child_nodes(part)
        rest += [each for each in inner if isinstance(each, ast.stmt | ast.ExceptHandler | ast.match_case)]
    return False


class Follower:
    """Follows a source from top to bottom; `made` are the values that its own lines make, in their order."""

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

    def follow(self) -> None:
        """Follow the whole source."""
        for statement in self.source.statements:
            try:
                self._statement(statement, self.scope)
            except (_Return, _Break, _Continue):
                error = refused(self.source.token(statement), "this cannot stand here.")
                self.unread.append((self.source.token(statement), error))
            except _RaisedError as error:
                self._give_up(statement, self.scope, error)

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
        except (_EndlessError, _RaisedError):
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
        for part in (part for node in nodes for part in own_parts(node)):
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

    def known(self, value: Any) -> Any:
        """A value; `TokenError` if it is not known."""
        if isinstance(value, Unknown):
            raise value.error
        if id(value) in self._spoiled:
            raise self._spoiled[id(value)][1]
        return value

    def _builds(self, node: ast.AST, entered: frozenset[str] = frozenset()) -> bool:
        """Whether it makes a network: by a class of the text, or a function of it that makes one."""
        return any(self._makes(part.func, entered) for part in own_parts(node) if isinstance(part, ast.Call))

    def _makes(self, node: ast.expr, entered: frozenset[str]) -> bool:
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        made = self.scope.find(name)
        if name in entered or not isinstance(node, ast.Name):
            return name in CONTAINERS
        if isinstance(made, Class):
            return is_module(made)
        body = made.node.body if isinstance(made, Function) else []
        inside: Sequence[ast.AST] = body if isinstance(body, list) else [body]
        return name in CONTAINERS or any(self._builds(part, entered | {name}) for part in inside)

    def _expression(self, node: ast.Expr, scope: Scope) -> None:
        value = self.value(node.value, scope)
        self._note("", value, node.value, scope)

    def _assign(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        if node.value is None:
            return
        value = self.value(node.value, scope)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self._set(target, value, scope)
            self._note_target(target, value, node.value, scope)

    def _note_target(self, target: ast.expr, value: Any, node: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self._note(target.id, value, node, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._note_target(part, scope.find(part.id) if isinstance(part, ast.Name) else None, part, scope)

    def _note(self, name: str, value: Any, node: ast.expr, scope: Scope) -> None:
        if scope is self.scope and isinstance(value, Call | Instance | list | tuple | dict):
            self.made.append((name, value, self.source.token(node)))
        elif name and isinstance(value, Call | Instance):
            self.within.append((name, value, self.source.token(node)))

    def _set(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.put(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, Name | Call | Method):
            for part in target.elts:
                self._set(part, Name("", self.source.token(part)), scope)
        elif isinstance(target, ast.Tuple | ast.List):
            values = self._items(value, target)
            stars = [place for place, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
            if stars and len(values) >= len(target.elts) - 1:
                first, after = stars[0], len(values) - len(target.elts) + stars[0] + 1
                values = [*values[:first], list(values[first:after]), *values[after:]]
            if len(values) != len(target.elts):
                raise refused(self.source.token(target), "this does not take what it is given.")
            for part, item in zip(target.elts, values, strict=True):
                self._set(part.value if isinstance(part, ast.Starred) else part, item, scope)
        elif isinstance(target, ast.Attribute):
            self._set_member(self.value(target.value, scope), target.attr, value, self.source.token(target))
        elif isinstance(target, ast.Subscript):
            of, key = self.value(target.value, scope), self.value(target.slice, scope)
            if isinstance(of, Call) and is_container(of):
                key = self._plainly(target, item_of, list(named(of)), key) if type(key) is int else key
                self._set_member(of, key, value, self.source.token(target))
            elif isinstance(of, list | dict):
                self._plainly(target, put, of, key, value)
            else:
                raise self._foreign(self.source.token(target))
        else:
            raise self._foreign(self.source.token(target))

    def _set_member(self, of: Any, name: Any, value: Any, token: Token) -> None:
        """Set an attribute of an object of the text, or a module of a container."""
        if not isinstance(name, str):
            raise self._foreign(token)
        if isinstance(of, Instance):
            of.attributes[name] = value
            if (row := of.row()) and isinstance(value, Call | Instance):
                self._set_member(row, name, value, token)
            return
        if isinstance(of, Call):
            self._open(of)
        if isinstance(of, Call) and is_container(of) and isinstance(value, Call | Instance):
            of.args = [named(of) | {name: value}]
        else:
            raise self._foreign(token)

    def _foreign(self, token: Token) -> TokenError:
        return refused(token, "this change of something from elsewhere cannot be followed.")

    def _augment(self, node: ast.AugAssign, scope: Scope) -> None:
        old, more = self.value(node.target, scope), self.value(node.value, scope)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            self._method(Method(old, "extend"), [more], {}, node)
        else:
            value = self._worked_out(node, node.op, old, more)
            self._set(node.target, value, scope)
            self._note("", value, node.target, scope)

    def _for(self, node: ast.For, scope: Scope) -> None:
        for item in self._items(self.value(node.iter, scope), node.iter):
            self._set(node.target, item, scope)
            try:
                self._block(node.body, scope)
            except _Break:
                break
            except _Continue:
                continue
        else:
            self._block(node.orelse, scope)

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
        try:
            self._block((*node.body, *node.orelse), scope)
        except _RaisedError as error:
            if not node.handlers:
                raise
            raise refused(error.token, "what follows an error cannot be followed.") from None
        finally:
            self._block(node.finalbody, scope)

    def _function(self, node: ast.FunctionDef, scope: Scope) -> None:
        made: Any = Function(node, scope, self._defaults(node.args, scope))
        for part in reversed(node.decorator_list):
            decorator = self.value(part, scope)
            if isinstance(decorator, Name) and decorator.name in ROLES:
                made = replace(made, role=decorator.name)
            elif isinstance(decorator, Function | Class):
                made = self.call(decorator, [made], {}, self.source.token(part))
        scope.put(node.name, made)

    def _defaults(self, spec: ast.arguments, scope: Scope) -> dict[str, Any]:
        """The defaults of a function's arguments; an unknown one is of no interest before it is needed."""
        names = [part.arg for part in (*spec.posonlyargs, *spec.args)]
        nodes = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
        nodes |= {part.arg: node for part, node in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if node}
        found: dict[str, Any] = {}
        for name, node in nodes.items():
            try:
                found[name] = self.value(node, scope)
            except _EndlessError:
                raise
            except TokenError as error:
                found[name] = Unknown(error)
        return found

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        made = Class(node, [self.value(base, scope) for base in node.bases], Scope(outer=scope))
        self._block(node.body, made.scope)
        for value in made.scope.names.values():
            if isinstance(value, Function):
                value.scope, value.owner = scope, made
        scope.put(node.name, made)

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
                raise self._foreign(self.source.token(target))

    def _delete_item(self, node: ast.Subscript, of: Any, key: Any) -> None:
        if isinstance(of, Call) and is_container(of):
            modules = parts(of)
            self._plainly(node, operator.delitem, modules, key)
            of.args = [numbered(modules)]
        elif isinstance(of, list | dict):
            self._plainly(node, operator.delitem, of, key)
        else:
            raise self._foreign(self.source.token(node))

    def _raise(self, node: ast.Raise, scope: Scope) -> None:
        raise _RaisedError(self.source.token(node), InputError("the text raises an error here."))

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
        return self.known(handler(self, node, scope))

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
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
        return self._member(of, node.attr, self.source.token(node))

    def _member(self, of: Any, name: str, token: Token) -> Any:
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
                self._open(of)
            found = named(of).get(name) if is_container(of) else layers.attribute(of, name)
        if found is None:
            return Method(of, name)
        if isinstance(found, Function):
            return self._method_of(of.instance if isinstance(of, Super) else of, found, token)
        return found

    def _open(self, call: Call) -> None:
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
        self._set(node.target, value, scope)
        return value

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Function:
        return Function(node, scope, self._defaults(node.args, scope))

    # --- calls --------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super(node, scope)
        function = self.value(node.func, scope)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            self._note("", getattr(function, "of", None), node.func.value, scope)
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
        except _EndlessError:
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
            self._set_member(of, name, rest[0] if rest else Unknown(self._foreign(call.token)), call.token)
            return None
        if not isinstance(name, str):
            raise self._foreign(call.token)
        found = self._member(of, name, call.token)
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
            self._open(value)
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
            self._block(function.node.body, scope)
        except _Return as returned:
            return returned.value
        except _RaisedError as error:
            raise TokenError(error.token, error.reason) from None
        return None

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
            self._set_member(of, args[0], args[1], token)
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
                raise self._foreign(token)
        elif name in CHANGES:
            raise self._foreign(token)
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

    # --- bounds -------------------------------------------------------------------------------------------

    def _step(self, node: ast.AST) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            self._count(self.source.token(node))

    def _count(self, token: Token) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _EndlessError(token, InputError("this text takes too many steps to follow."))

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
    ast.Global: Follower._elsewhere,
    ast.Nonlocal: Follower._elsewhere,
    ast.Delete: Follower._delete,
    ast.Raise: Follower._raise,
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
    ast.NamedExpr: Follower._walrus,
    ast.Call: Follower._call,
}
