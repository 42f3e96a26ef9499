"""Python source as statements, whatever else stands in the text: magics, prompts, prose that was copied with it."""

import ast
import re
import warnings
from collections.abc import Iterator
from textwrap import dedent

from vggexplorer.errors import InputError
from vggexplorer.reading.values import Token, TokenError, refused

_PROMPT = re.compile(r"(?m)^(?:>>>|\.\.\.|In \[\d*\]:) ?")
_MAGIC = re.compile(r"(?m)^[ \t]*(?:[%!?].*|[\w.]+\?+[ \t]*)$")
_GOES_ON = re.compile(r"\s|[)\]}]|(?:else|elif|except|finally)\b")
"""How a line begins that does not begin a statement."""
MOST_PARSED = 600_000
"""Characters that are parsed at all, all attempts together."""
_MOST_JOINED = 60
"""Parts that one statement may be made of."""
_INCOMPLETE = re.compile("never closed|EOF|unterminated triple")


class Source:
    """The statements of a text in their order; `faults` are the errors of what is no Python."""

    def __init__(self, text: str) -> None:
        text = dedent(_MAGIC.sub("", _PROMPT.sub("", text.replace("\0", " ").replace("\r\n", "\n").expandtabs())))
        self._lines = text.split("\n")
        self._octets = [line.encode() for line in self._lines]
        self._left = MOST_PARSED
        self.faults: list[TokenError] = []
        found = self._parsed(0, len(self._lines))
        self.statements = list(self._in_parts()) if isinstance(found, TokenError) else found

    def token(self, node: ast.AST) -> Token:
        """Where a node is written."""
        first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
        start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        before = self._octets[first][:start].decode(errors="replace")
        if first == last:
            text = self._octets[first][start:end].decode(errors="replace")
        else:
            text = self._octets[first][start:].decode(errors="replace") + " …"
        return Token(first + 1, len(before) + 1, text)

    def _parsed(self, first: int, after: int) -> list[ast.stmt] | TokenError:
        """The statements of some lines, or why there are none."""
        text = "\n".join(self._lines[first:after])
        self._left -= len(text)
        if self._left < 0:
            raise InputError("There is too much in this text that is not Python; paste the cell alone.")
        try:
            with warnings.catch_warnings(action="ignore"):
                body = ast.parse(text).body
        except SyntaxError as error:
            return self._fault(first, error)
        except (ValueError, RecursionError, MemoryError):
            return refused(Token(first + 1, 1, self._lines[first]), "this is nested too deeply.")
        if first:
            for statement in body:
                ast.increment_lineno(statement, first)
        return body

    def _fault(self, first: int, error: SyntaxError) -> TokenError:
        line = min(first + (error.lineno or 1), len(self._lines))
        token = Token(line, error.offset or 1, self._lines[line - 1].strip())
        return refused(token, "this is not Python: {reason}.", reason=error.msg)

    def _in_parts(self) -> Iterator[ast.stmt]:
        """The statements of the parts that are Python; a part begins where a line may begin a statement."""
        lines = self._lines
        starts = [place for place, line in enumerate(lines) if line.strip() and not _GOES_ON.match(line)]
        bounds = [*starts, len(lines)]
        part = 0
        while part < len(starts):
            used, body = self._part(bounds, part)
            yield from body
            part += used

    def _part(self, bounds: list[int], part: int) -> tuple[int, list[ast.stmt]]:
        """How many parts make the statement that begins at `part`, and its body; one that is nothing is a fault."""
        first: TokenError | None = None
        for last in range(part + 1, min(part + _MOST_JOINED, len(bounds))):
            found = self._parsed(bounds[part], bounds[last])
            if not isinstance(found, TokenError):
                return last - part, found
            first = first or found
            if not _INCOMPLETE.search(str(found.reason)):
                break
        if first:
            self.faults.append(first)
        return 1, []
