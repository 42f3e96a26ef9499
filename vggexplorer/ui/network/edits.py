"""An edit in the table of blocks: a value that travels as JSON, and what it makes of a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, cast

from vggexplorer.architectures import Block, Item, Network
from vggexplorer.errors import InputError
from vggexplorer.text import checked, parse_items

POOLS: dict[str, dict[str, Any]] = {
    "none": {"pool": None},
    "max 2/2": {"pool": (2, 2), "pool_type": "max"},
    "max 3/2": {"pool": (3, 2), "pool_type": "max"},
    "avg 2/2": {"pool": (2, 2), "pool_type": "avg"},
    "avg 3/2": {"pool": (3, 2), "pool_type": "avg"},
}
WIDTHS = ("1/4", "1/2", "2")
NUMBERS = ("num_convs", "out_channels", "kernel_size", "stride", "padding")
ACTIONS = {
    "add": "Add a block below",
    "duplicate": "Duplicate",
    "up": "Move up",
    "down": "Move down",
    "delete": "Delete",
}


class Edit(NamedTuple):
    """What is done (`set`, `text`, `width` or one of `ACTIONS`), to which item, and for `set` to which field.

    `width` multiplies all channels by `value`, one of `WIDTHS`; `text` puts the layers of the text `value[1]` in the
    place of `value[0]` items.
    """

    do: str
    row: int
    field: str = ""
    value: Any = None

    @staticmethod
    def parse(found: Any) -> "Edit":
        """The edit that a browser sent; `InputError` if it is none."""
        if isinstance(found, Mapping):
            do, row, field = found.get("do"), found.get("row"), found.get("field", "")
            if isinstance(do, str) and type(row) is int and row >= 0 and isinstance(field, str):
                return Edit(do, row, field, found.get("value"))
        raise InputError("This edit cannot be understood.")

    def of(self, network: Network) -> Network:
        """The network after it; the same one if the item is already gone (a second click on Delete)."""
        if self.do == "width" and self.value in WIDTHS:
            return checked(network._replace(architecture=network.architecture.scaled(Fraction(self.value))))
        items = list(network.architecture.items)
        if self.row >= len(items):
            return network
        after = tuple(self._change()(items))
        return checked(network._replace(architecture=replace(network.architecture, items=after)))

    def _change(self) -> Callable[[list[Item]], Sequence[Item]]:
        row = self.row
        if self.do == "text":
            return self._with_text
        if self.do == "set" and self.field in (*NUMBERS, "pool", "lrn"):
            return lambda items: [*items[:row], self._with_field(items[row]), *items[row + 1 :]]
        changes: dict[str, Callable[[list[Item]], Sequence[Item]]] = {
            "add": lambda items: [*items[: row + 1], Block(1, cast(Block, items[row]).out_channels), *items[row + 1 :]],
            "duplicate": lambda items: [*items[: row + 1], *items[row:]],
            "up": lambda items: [*items[: row - 1], items[row], items[row - 1], *items[row + 1 :]] if row else items,
            "down": lambda items: [*items[:row], *items[row + 1 : row + 2], items[row], *items[row + 2 :]],
            "delete": lambda items: [*items[:row], *items[row + 1 :]],
        }
        if self.do not in changes:
            raise InputError("This edit cannot be understood.")
        return lambda items: changes[self.do](items) if isinstance(items[row], Block) else items

    def _with_field(self, item: Item) -> Item:
        """The block with another value; padding that keeps the size follows the kernel."""
        if not isinstance(item, Block):
            return item
        kinds = {"pool": str, "lrn": bool}
        if self.field in kinds and not isinstance(self.value, kinds[self.field]):
            raise InputError("This edit cannot be understood.")
        if self.field == "pool":
            return replace(item, **POOLS.get(self.value, {}))
        if self.field == "kernel_size" and item.padding == item.kernel_size // 2 and isinstance(self.value, int):
            return replace(item, kernel_size=self.value, padding=self.value // 2)
        return replace(item, **{self.field: self.value})

    def _with_text(self, items: list[Item]) -> Sequence[Item]:
        count, text = self.value if isinstance(self.value, list) and len(self.value) == 2 else (None, None)
        if type(count) is not int or count < 0 or not isinstance(text, str):
            raise InputError("This edit cannot be understood.")
        return [*items[: self.row], *(parse_items(text) if text.strip() else ()), *items[self.row + count :]]


def pool_name(block: Block) -> str:
    """How the pool at the end of a block is called in a menu."""
    return f"{block.pool_type} {block.pool[0]}/{block.pool[1]}" if block.pool else "none"
