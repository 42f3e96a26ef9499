"""The arguments of a call by the signature of what is called, each with its place."""

from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from vggexplorer.architectures import check_field, check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.layers import NEVER, Layer
from vggexplorer.reading.values import Call, Token, TokenError, refused

_SCALAR = bool | int | float | str | None
_MOST_ITEMS = 4
"""The most items of a value: height, width, channels and one for the batch."""
L = TypeVar("L", bound=Layer)
Signature = Mapping[str, Any]
"""The arguments of something that is called, in order, each with its default."""
NEEDED = object()
"""In place of the default of an argument that has to be given."""


@cache
def signature(text: str) -> Signature:
    """A signature from its text, the arguments apart by blanks: 'kernel_size stride=None padding=0'."""
    parts = [word.partition("=") for word in text.split()]
    return {name: literal_eval(default) if equals else NEEDED for name, equals, default in parts}


def kind(call: Call) -> str:
    """What is called, without the modules that it lies in."""
    return call.name.rpartition(".")[2]


@contextmanager
def placed(token: Token) -> Iterator[None]:
    """Let what is refused inside be refused at this token."""
    try:
        yield
    except TokenError:
        raise
    except InputError as error:
        raise TokenError(token, error) from error


@dataclass(frozen=True)
class Arguments:
    """What a call is given, with its defaults, and where that is written."""

    call: Call
    values: Mapping[str, Any]
    tokens: Mapping[str, Token]

    @classmethod
    def bind(cls, call: Call, signature: Signature) -> "Arguments":
        """The arguments of a call by name; `TokenError` if they do not go with the signature."""
        names = list(signature)
        if len(call.args) > len(names):
            raise refused(
                call.at(len(names)),
                "at most {most} {most:argument|arguments} can be given to {kind}.",
                kind=shown(kind(call)),
                most=len(names),
            )
        places: dict[str, int | str] = dict(zip(names, range(len(call.args)), strict=False))
        for name in call.kwargs:
            _check_name(call, name, signature, places)
            places[name] = name
        given = {name: call.kwargs[name] if place == name else call.args[place] for name, place in places.items()}  # type: ignore[index]
        for name, default in signature.items():
            if default is NEEDED and name not in given:
                raise refused(call.token, "{kind} needs {name}.", kind=shown(kind(call)), name=name)
        return cls(call, {**signature, **given}, {name: call.at(place) for name, place in places.items()})

    def at(self, name: str) -> Token:
        """Where an argument is written; the whole call if it is not."""
        return self.tokens.get(name, self.call.token)

    def value(self, name: str) -> Any:
        """An argument's value; `TokenError` if the text does not say it."""
        value = self.values[name]
        if not _is_known(value):
            raise refused(self.at(name), "it is not known from the text which value {name} has.", name=name)
        return value

    def square(self, name: str) -> Any:
        """One value for height and width, which may be written as a pair."""
        value = self.value(name)
        if not isinstance(value, list | tuple):
            return value
        if len(value) in (1, 2) and isinstance(value[0], int) and value[0] == value[-1]:
            return value[0]
        raise refused(
            self.at(name),
            "{name} must be the same for height and width, not {value}.",
            name=name,
            value=shown(value),
        )

    def width(self, name: str) -> int:
        """A number of channels or features that reach a layer."""
        value = self.value(name)
        with placed(self.at(name)):
            check_int(value, name, 1, NEVER)
        return int(value)

    def flag(self, name: str) -> bool:
        """True or False."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise refused(self.at(name), "{name} must be True or False, not {value}.", name=name, value=shown(value))
        return value

    def only(self, name: str, *allowed: Any) -> None:
        """Raise `TokenError` unless the argument is one of these values, or a pair of the first."""
        value = self.value(name)
        if value not in (*allowed, (allowed[0],) * 2, [allowed[0]] * 2):
            raise refused(
                self.at(name),
                "{name} can only be {allowed} here, not {value}.",
                name=name,
                allowed=", ".join(map(shown, allowed)),
                value=shown(value),
            )

    def layer(self, made: type[L], values: Mapping[str, Any], names: Mapping[str, str] = MappingProxyType({})) -> L:
        """The layer with these values of its fields; `TokenError` at a wrong one.

        `names` are the arguments of the fields that are called otherwise in the text.
        """
        for field in fields(made):  # type: ignore[arg-type]
            if field.name in values:
                with placed(self.at(names.get(field.name, field.name))):
                    check_field(field, values[field.name])
        layer = made(**values)
        with placed(self.call.token):
            layer.check()
        return layer


def _check_name(call: Call, name: str, signature: Signature, places: Mapping[str, int | str]) -> None:
    if name not in signature:
        raise refused(
            call.at(name),
            "{kind} has no argument {name}; there are {names}.",
            kind=shown(kind(call)),
            name=shown(name),
            names=", ".join(signature),
        )
    if name in places:
        raise refused(call.at(name), "{name} is given twice.", name=name)


def _is_known(value: Any) -> bool:
    """Whether a value is a number, a text or a short list of them, which is quick to show and to compare."""
    if isinstance(value, list | tuple):
        return len(value) <= _MOST_ITEMS and all(isinstance(each, _SCALAR) for each in value)
    return isinstance(value, _SCALAR)
