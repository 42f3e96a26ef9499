"""What the benchmarks share: options, tables for the terminal or as Markdown, and the machine that they ran on."""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vggexplorer.processes import processor_name


def processor() -> str:
    """The processor's name as the system gives it, with the number of cores."""
    return f"{processor_name()}, {os.cpu_count()} cores"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed version of each package, as its metadata says; packages that are not installed are left out."""
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine(packages: Iterable[str]) -> dict[str, str]:
    """The processor, the system, and the versions of Python and of `packages`."""
    return {"processor": processor(), "system": platform.platform(terse=True), **versions(packages)}


def sentence(about: dict[str, str]) -> str:
    """`machine` as one line."""
    about = dict(about)
    return f"{about.pop('processor')}; {about.pop('system')}; {', '.join(f'{k} {v}' for k, v in about.items())}"


def text(rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal; the first row is its head, the first column is aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The same table in Markdown."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|---|{'---:|' * (len(rows[0]) - 1)}", *body])


def bar(name: str, measured: str, asked: object = "", met: bool | None = None) -> list[str]:
    """A row of a table of bars: what was measured, what was asked, and whether that is met."""
    return [name, measured, str(asked), "" if met is None else "yes" if met else "no"]


def parser(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that the benchmarks have in common."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--rounds", type=int, default=rounds)
    found.add_argument("--json", action="store_true")
    found.add_argument("--markdown", action="store_true")
    return found


def report(
    options: argparse.Namespace, about: dict[str, str], found: dict[str, Any], rows: Sequence[Sequence[str]]
) -> None:
    """Print the machine, and what was found on it: as JSON, or as the table of `rows`."""
    if options.json:
        print(json.dumps({"machine": about, **found}, indent=1))
    else:
        print(sentence(about), end="\n\n")
        print((markdown if options.markdown else text)(rows))
