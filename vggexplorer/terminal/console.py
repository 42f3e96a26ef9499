"""A network's costs as tables in a terminal, with Rich."""

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from vggexplorer.architectures import Network
from vggexplorer.catalogue import fill
from vggexplorer.comparison import Entry, why
from vggexplorer.formatting import exact, percent, ratio, signed
from vggexplorer.layers import Kind, shape_text
from vggexplorer.peers import Check, Measured
from vggexplorer.summary import Row, Summary
from vggexplorer.terminal.tables import grid, natural_width, plain, print_table, terminal
from vggexplorer.text import title

CONVENTION = "MACs: weights of convolutions and linear layers only, batch 1; FLOPs = 2 × MACs."
"""How this project counts, in a line."""
_LAYOUTS = ((2, False), (1, False), (1, True))
"""Spaces between columns, and whether long layer kinds are broken; the first that fits is taken."""


def print_summary(summary: Summary) -> None:
    """Print what the network is, a row for every layer, and the totals by part.

    A table that is wider than the terminal is printed as it is: a number is never cut off.
    """
    console = terminal()
    console.print(_heading(summary), style="bold", soft_wrap=True)
    _print(console, _best_layout(console, summary))
    _print(console, _totals_table(summary))
    console.print()
    console.print(CONVENTION, style="dim", soft_wrap=True)


def print_comparison(entries: Sequence[Entry]) -> None:
    """Print the totals of several networks and, for each after the first, why it differs from the first.

    All networks must take the input.
    """
    console = terminal()
    summaries = [entry.summary for entry in entries if entry.summary]
    console.print(_input(summaries[0]), style="bold", soft_wrap=True)
    _print(console, _comparison_table(entries))
    for entry in entries[1:]:
        console.print(f"\n{entry.name} and {entries[0].name}", style="bold", soft_wrap=True)
        for remark in why(entries[0], entry):
            console.print(f"- {remark}")
    console.print()
    console.print(CONVENTION, style="dim", soft_wrap=True)


def print_checks(measured: Mapping[str, Measured], checks: Sequence[Check]) -> None:
    """Print what other tools count, and the terms that lead from our MACs to their figures."""
    console = terminal()
    if checks:
        _print(console, _check_table(checks))
    for found in measured.values():
        if found.error:
            console.print(f"\n{found.error}", soft_wrap=True)


def _check_table(checks: Sequence[Check]) -> Table:
    table = grid(["check"], ["parameters", "count"], [""])
    for number, check in enumerate(checks):
        if number:
            table.add_row()
        style = "" if check.agrees else "bold red"
        name = f"{check.tool} {check.version}"
        table.add_row(name, exact(check.their_params), exact(check.theirs), _verdict(check), style=style)
        table.add_row("  our figures", exact(check.our_params), exact(check.ours), "MACs", style="dim")
        for term in check.terms:
            table.add_row("", "", f"+ {exact(term.value)}", term.name, style="dim")
    return table


def _verdict(check: Check) -> str:
    if check.agrees:
        return "✓ explained to the digit"
    amounts = {"": check.unexplained, " parameters": check.unexplained_params}
    texts = (f"{signed(exact(abs(amount)), amount)}{what}" for what, amount in amounts.items() if amount)
    return f"✗ unexplained: {', '.join(texts)}"


def _comparison_table(entries: Sequence[Entry]) -> Table:
    table = grid(["network"], ["parameters", "", "MACs", "", "activations", "", "FC params", "conv MACs"])
    base = entries[0].summary.totals if entries[0].summary else None
    for entry in entries:
        if entry.summary and base:
            own = entry.summary.totals
            counts = [
                text
                for count, reference in (
                    (own.params, base.params),
                    (own.macs, base.macs),
                    (own.activations, base.activations),
                )
                for text in (exact(count), ratio(count, reference))
            ]
            table.add_row(entry.name, *counts, _share(own.fc_params, own.params), _share(own.conv_macs, own.macs))
    return table


def _heading(summary: Summary) -> str:
    return f"{title(Network(summary.architecture, summary.input_shape))}, {_input(summary)}"


def _input(summary: Summary) -> str:
    shape, classes = shape_text(summary.input_shape), summary.architecture.num_classes
    return fill("input {shape}, {classes:,} {classes:class|classes}", shape=shape, classes=classes)


def _print(console: Console, table: Table) -> None:
    console.print()
    print_table(console, table)


def _best_layout(console: Console, summary: Summary) -> Table:
    tables = [_layer_table(summary, gap, broken) for gap, broken in _LAYOUTS]
    return next((table for table in tables if natural_width(console, table) <= console.width), tables[-1])


def _layer_table(summary: Summary, gap: int, broken: bool) -> Table:
    table = grid(["layer", "kind", "output"], ["parameters", "MACs", "activations", "field"], gap=gap)
    in_block = True
    for group in summary.groups():
        if in_block or group.block is not None or group.rows[0].name in ("avgpool", "flatten"):
            table.add_row()
        in_block = group.block is not None
        for row in group.rows:
            table.add_row(*_cells(row, broken), style="" if row.params else "dim")
    return table


def _cells(row: Row, broken: bool) -> tuple[str, ...]:
    kind: str = row.kind
    if broken and len(kind) > len(Kind.BATCH_NORM2D):
        kind = re.sub("(?<=[a-z])(?=[A-Z])(?!Pool)", "\n", kind)
    field = "–" if row.receptive_field is None else exact(row.receptive_field)
    counts = map(exact, (row.params, row.macs, row.activations))
    return row.name, kind, shape_text(row.output_shape), *counts, field


def _totals_table(summary: Summary) -> Table:
    totals = summary.totals
    table = grid(["total"], ["", "convolutional", "", "fully connected", ""])
    for name, whole, conv, fc in (
        ("parameters", totals.params, totals.conv_params, totals.fc_params),
        ("MACs", totals.macs, totals.conv_macs, totals.fc_macs),
        ("FLOPs", totals.flops, 2 * totals.conv_macs, 2 * totals.fc_macs),
        ("activations", totals.activations, totals.conv_activations, totals.fc_activations),
    ):
        table.add_row(name, exact(whole), exact(conv), _share(conv, whole), exact(fc), _share(fc, whole))
    return table


def _share(part: int, whole: int) -> str:
    return plain(percent(part, whole))
