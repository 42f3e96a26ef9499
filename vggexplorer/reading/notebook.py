"""A notebook of Jupyter (.ipynb): the code of its cells, one after the other."""

import json
from typing import Any

from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.reading import cell
from vggexplorer.reading.values import Reading, Token, TokenError


def read(text: str) -> Reading | None:
    """The network that a notebook builds last; None if the text is no notebook.

    `InputError` names the cell by its number, from 1, in the notebook.
    """
    if not text.lstrip().startswith("{") or (cells := _cells(text)) is None:
        return None
    sources = {number: _source(part) for number, part in enumerate(cells, 1) if _is_code(part)}
    try:
        found = cell.read("\n".join(sources.values()))
    except TokenError as error:
        raise _in_cell(sources, error) from error
    if found is None:
        raise InputError("There is no network in this notebook that could be read.")
    return found._replace(left_out=tuple(map(_without_lines, found.left_out)))


def _without_lines(remark: Remark) -> Remark:
    """What is said of a notebook: its lines have no numbers that people see."""
    if remark.template != cell.NOT_READ.template:
        return remark
    return Remark("Not read: {n} {n:line|lines} of the code in the notebook.", {"n": remark.values["n"]})


def _cells(text: str) -> list[Any] | None:
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return cells if isinstance(cells, list) else None


def _is_code(part: Any) -> bool:
    return isinstance(part, dict) and part.get("cell_type") == "code"


def _source(part: dict[str, Any]) -> str:
    lines = part.get("source", "")
    text = "".join(map(str, lines)) if isinstance(lines, list) else str(lines)
    return "" if text.startswith("%%") and not text.startswith("%%tab") else text


def _in_cell(sources: dict[int, str], error: TokenError) -> InputError:
    """The error with the cell where it is, and the line in that cell."""
    line = error.token.line
    for number, source in sources.items():
        lines = source.count("\n") + 1
        if line <= lines:
            there = TokenError(Token(line, error.token.column, error.token.text), error.reason)
            return InputError("In cell {cell}: {reason}", cell=number, reason=there)
        line -= lines
    return error
