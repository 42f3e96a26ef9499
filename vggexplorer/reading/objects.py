"""The values of a text that is followed: functions, classes and their objects, and what goes through a network."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vggexplorer.reading.values import Call, Name, Token, TokenError


@dataclass(eq=False)
class Unknown:
    """A value that could not be followed, and why."""

    error: TokenError


@dataclass(eq=False)
class Function:
    """A function of the text, with the names that it sees; `of` is what a method belongs to."""

    node: ast.FunctionDef | ast.Lambda
    scope: "Scope"
    of: "Instance | None" = None
    owner: "Class | None" = None


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

    def find(self, name: str) -> Any:
        """An attribute of the class or of a base in the text; None if there is none."""
        if name in self.scope.names:
            return self.scope.names[name]
        return next((found for base in self.bases if isinstance(base, Class) and (found := base.find(name))), None)

    def foreign(self) -> list[str]:
        """The names of the bases that are not of this text."""
        names = [base.name for base in self.bases if isinstance(base, Name)]
        return names + [name for base in self.bases if isinstance(base, Class) for name in base.foreign()]


@dataclass(eq=False)
class Instance:
    """An object of a class of the text; `parent` is the call that made the part of it that a foreign class is."""

    made: Class
    token: Token
    attributes: dict[str, Any] = field(default_factory=dict)
    parent: Call | None = None


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


@dataclass
class Scope:
    """Names and their values, and the scope around."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: "Scope | None" = None

    def find(self, name: str, otherwise: Any = None) -> Any:
        """The value of a name."""
        scope: Scope | None = self
        while scope:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return otherwise


def listed(args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, where one list may hold them all."""
    return args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args


def is_container(call: Call) -> bool:
    """Whether a call makes a list of modules."""
    return call.name.rpartition(".")[2] in ("Sequential", "ModuleList")


def parts(call: Call) -> list[Any]:
    """The modules of a container."""
    only = listed(call.args)
    return list(only[0].values()) if len(only) == 1 and isinstance(only[0], dict) else list(only)


def is_module(made: Class) -> bool:
    """Whether objects of a class of the text are networks, by its bases or its methods."""
    bases = [name.rpartition(".")[2] for name in made.foreign()]
    known = ("Module", "Sequential", "Classifier", "LightningModule", "Model")
    return any(name in known for name in bases) or made.find("forward") is not None
