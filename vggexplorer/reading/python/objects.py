"""The values of a text that is followed: functions, classes and their objects, and what goes through a network."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vggexplorer.reading.values import Call, Name, Token, TokenError

_WITH_WEIGHTS = ("Conv", "Linear", "Dense", "LazyConv", "LazyLinear", "Batch", "LazyBatch", "Parameter")
"""How the names of layers with weights begin."""
CONTAINERS = ("Sequential", "ModuleList")
"""The classes of lists of modules."""


@dataclass(eq=False)
class Unknown:
    """A value that could not be followed, and why."""

    error: TokenError


@dataclass(eq=False)
class Function:
    """A function of the text, with the names that it sees; `of` is what a method belongs to.

    `defaults` are those of its arguments, which are worked out where it is defined; `role` is "property",
    "staticmethod" or "classmethod", if it is one.
    """

    node: ast.FunctionDef | ast.Lambda
    scope: "Scope"
    defaults: Mapping[str, Any]
    of: "Instance | Class | None" = None
    owner: "Class | None" = None
    role: str = ""


@dataclass(eq=False)
class Class:
    """A class of the text."""

    node: ast.ClassDef
    bases: list[Any]
    scope: "Scope"

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @cached_property
    def order(self) -> "list[Class]":
        """It and its bases in the text, in the order in which an attribute is looked for."""
        every = [self, *(each for base in self.bases if isinstance(base, Class) for each in base.order)]
        return [each for place, each in enumerate(every) if each not in every[place + 1 :]]

    def find(self, name: str, after: "Class | None" = None) -> Any:
        """An attribute of the class or of a base in the text, or of those after one; None if there is none."""
        order = self.order
        start = order.index(after) + 1 if after in order else 0
        return next((each.scope.names[name] for each in order[start:] if name in each.scope.names), None)

    def foreign(self) -> list[str]:
        """The names of the bases that are not of this text."""
        return [base.name for each in self.order for base in each.bases if isinstance(base, Name)]


@dataclass(eq=False)
class Instance:
    """An object of a class of the text; `parent` are its modules if its class is a `Sequential`."""

    made: Class
    token: Token
    attributes: dict[str, Any] = field(default_factory=dict)
    parent: Call | None = None

    def row(self) -> Call | None:
        """The container that it is; None if it is none."""
        foreign = next((name for name in self.made.foreign() if name.rpartition(".")[2] in CONTAINERS), None)
        if foreign and not self.parent:
            self.parent = Call(foreign, [{}], {}, self.token)
        return self.parent


@dataclass(frozen=True)
class Super:
    """What `super()` is in a method."""

    instance: Instance
    owner: Class


@dataclass(frozen=True)
class Method:
    """A method of something that is not an object of the text."""

    of: Any
    name: str


@dataclass(frozen=True)
class Data:
    """What goes through a network: the calls that it went through."""

    calls: tuple[Call, ...] = ()


def longest(gone: Any) -> Any:
    """What has gone all the way, of a network that also gives what it has on the way; else what it is."""
    if not (isinstance(gone, list | tuple) and gone and all(isinstance(part, Data) for part in gone)):
        return gone
    last = max(gone, key=lambda part: len(part.calls))
    on_the_way = all(last.calls[: len(part.calls)] == part.calls for part in gone)
    return last if on_the_way else gone


@dataclass
class Scope:
    """Names and their values, and the scope around."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: "Scope | None" = None
    elsewhere: dict[str, "Scope"] = field(default_factory=dict)
    """The scopes of names that are said to be global or nonlocal."""

    def put(self, name: str, value: Any) -> None:
        """Give a name its value."""
        self.elsewhere.get(name, self).names[name] = value

    def outer_with(self, name: str) -> "Scope":
        """The nearest scope around that has a name; this one if there is none."""
        scope = self.outer
        while scope and name not in scope.names:
            scope = scope.outer
        return scope or self

    def find(self, name: str, otherwise: Any = None) -> Any:
        """The value of a name."""
        scope: Scope | None = self
        while scope:
            place = scope.elsewhere.get(name, scope)
            if name in place.names:
                return place.names[name]
            scope = scope.outer
        return otherwise


def listed(args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, where one list may hold them all."""
    return args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args


def is_container(call: Call) -> bool:
    """Whether a call makes a list of modules."""
    return call.name.rpartition(".")[2] in CONTAINERS


def named(call: Call) -> dict[str, Any]:
    """The modules of a container by their names, which are numbers where the text gives none."""
    only = listed([*call.args, *listed([call.kwargs.get("layers", ())])])
    if len(only) == 1 and isinstance(only[0], dict):
        return {str(name): value for name, value in only[0].items()}
    return numbered(only)


def numbered(modules: Iterable[Any]) -> dict[str, Any]:
    """Modules by their places."""
    return {str(place): module for place, module in enumerate(modules)}


def parts(call: Call) -> list[Any]:
    """The modules of a container."""
    return list(named(call).values())


def has_weights(call: Call) -> bool:
    """Whether a call makes something that is trained."""
    return call.name.rpartition(".")[2].startswith(_WITH_WEIGHTS)


def is_told(value: Any) -> bool:
    """Whether something is known to be there: neither None nor false."""
    if isinstance(value, Name | Call) and value.name.startswith("torch.nn."):
        return not (isinstance(value, Call) and is_container(value))
    return isinstance(value, Function | Class | Instance)


def is_module(made: Class) -> bool:
    """Whether objects of a class of the text are networks, by its bases or its methods."""
    bases = [name.rpartition(".")[2] for name in made.foreign()]
    known = ("Module", "Sequential", "Classifier", "LightningModule", "Model")
    return any(name in known for name in bases) or made.find("forward") is not None
