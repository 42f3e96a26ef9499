"""What is read from a text: calls that nobody makes, each with the place where it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from vggexplorer.architectures import Network, shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError


class Token(NamedTuple):
    """A place in a text: its line and column, from 1, and what stands there."""

    line: int
    column: int
    text: str


_WHERE = Remark("Line {line}, column {column}, {token}: {reason}")


class TokenError(InputError):
    """What could not be read, at its token: `reason` is a sentence, or what begins like one."""

    def __init__(self, token: Token, reason: InputError) -> None:
        super().__init__(
            _WHERE.template,
            line=token.line,
            column=token.column,
            token=shown(" ".join(token.text.split())),
            reason=reason,
        )
        self.token = token
        self.reason = reason


def refused(token: Token, template: str, /, **values: Any) -> TokenError:
    """The error of a token that cannot be read, with a sentence."""
    return TokenError(token, InputError(template, **values))


@dataclass(eq=False)
class Call:
    """A call as it is written: the dotted name of what is called, and its arguments, themselves values.

    A name is that of the module that it was imported from: 'torch.nn.Conv2d', 'keras.layers.Dense'. `token` is the
    whole call, `tokens` are its arguments, by their places and names.
    """

    name: str
    args: list[Any]
    kwargs: dict[str, Any]
    token: Token
    tokens: Mapping[int | str, Token] = field(default_factory=dict)

    def at(self, argument: int | str) -> Token:
        """Where an argument is written."""
        return self.tokens.get(argument, self.token)


@dataclass(frozen=True)
class Name:
    """A dotted name whose value is not known: 'torch.nn.ReLU'."""

    name: str
    token: Token


class Says(StrEnum):
    """How much a text says of its network: the items alone, its name, or all with input and head."""

    ITEMS = "items"
    NAME = "name"
    ALL = "all"


class Reading(NamedTuple):
    """What a text holds: a network, or several by their names for a person to pick one; and what was left out."""

    networks: Mapping[str, Network]
    left_out: tuple[Remark, ...] = ()
    says: Says = Says.ALL
