"""Tables and lists: the book's pairs, and the list that every repository has, [64, 'M', 128, 'M', …]."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vggexplorer.architectures import Architecture, Block, Item, Network, blocks
from vggexplorer.errors import InputError
from vggexplorer.layers import AvgPool2d, Layer, MaxPool2d
from vggexplorer.reading.values import Token, TokenError, refused

_POOLS: dict[str, Layer] = {"M": MaxPool2d(2, 2), "A": AvgPool2d(2, 2)}
_TYPES = {"M": "max", "A": "avg"}


def is_table(value: Any) -> bool:
    """Whether a value is the book's table: pairs of numbers of convolutions and of channels."""
    return isinstance(value, list | tuple) and bool(value) and all(_is_pair(item) for item in value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(part) is int for part in value)


def is_list(value: Any) -> bool:
    """Whether a value is a list of channels with letters for pools."""
    if not isinstance(value, list | tuple):
        return False
    return any(item in _POOLS for item in value if isinstance(item, str)) and any(type(item) is int for item in value)


def networks(value: Any, token: Token, tokens: Sequence[Token]) -> dict[str, Network] | None:
    """The network of a table or a list, or those of a dictionary of them; None if it is neither.

    `tokens` are those of the items, if they are written out. The head is the book's, as such a list has none.
    """
    if isinstance(value, dict):
        lists = {str(name): part for name, part in value.items() if is_table(part) or is_list(part)}
        several = {name: _one(part, token, ()) for name, part in lists.items()}
        return several or None
    return {"": _one(value, token, tokens)} if is_table(value) or is_list(value) else None


def _one(value: Any, token: Token, tokens: Sequence[Token]) -> Network:
    if is_table(value):
        return _network(token, lambda: blocks(value))
    items = _items(value, [*tokens] if len(tokens) == len(value) else [token] * len(value))
    return _network(token, lambda: tuple(items))


def _network(token: Token, items: Any) -> Network:
    try:
        return Network(Architecture(items()))
    except InputError as error:
        raise TokenError(token, error) from error


def _items(value: Sequence[Any], tokens: Sequence[Token]) -> list[Item]:
    """Blocks that end with their pools; channels without one after them make blocks without a pool."""
    items: list[Item] = []
    convolutions: list[int] = []
    for entry, token in zip(value, tokens, strict=True):
        if entry in _TYPES and isinstance(entry, str):
            items += [*_blocks(convolutions, entry)] if convolutions else [_POOLS[entry]]
            convolutions = []
        elif type(entry) is int:
            try:
                Block(1, entry)
            except InputError as error:
                raise TokenError(token, error) from error
            convolutions.append(entry)
        else:
            raise refused(token, "a list of channels has numbers, 'M' for a max pool and 'A' for an average pool.")
    return [*items, *_blocks(convolutions, None)]


def _blocks(convolutions: Sequence[int], pool: str | None) -> list[Block]:
    """Equal convolutions in a row are one block; the last block has the pool."""
    rows: list[list[int]] = []
    for channels in convolutions:
        if rows and rows[-1][1] == channels:
            rows[-1][0] += 1
        else:
            rows.append([1, channels])
    made = [Block(count, channels, pool=None) for count, channels in rows]
    if pool and made:
        made[-1] = replace(made[-1], pool=(2, 2), pool_type=_TYPES[pool])  # type: ignore[arg-type]
    return made
