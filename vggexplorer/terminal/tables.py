"""Tables in a terminal, with Rich: texts as they are, and numbers that are never cut off."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from vggexplorer.formatting import NO_BREAK

_ANY_WIDTH = 10_000


def terminal() -> Console:
    """Standard output; nothing in a text is markup or colour."""
    return Console(highlight=False, markup=False, emoji=False)


def grid(texts: Iterable[str], numbers: Iterable[str] = (), more: Iterable[str] = (), gap: int = 2) -> Table:
    """An empty table by the headings of its columns: texts, numbers (to the right), and texts again."""
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    for headings, right in ((texts, False), (numbers, True), (more, False)):
        for heading in headings:
            table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    return table


def natural_width(console: Console, table: Table) -> int:
    """The characters that the widest line of `table` takes."""
    return console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum


def print_table(console: Console, table: Table) -> None:
    """Print `table`; one that is wider than the terminal as it is."""
    console.width = max(console.width, natural_width(console, table))
    console.print(table)


def plain(text: str) -> str:
    """`text` with ordinary spaces for those that do not break."""
    return text.replace(NO_BREAK, " ")
