"""Calls from Python expressions, for tests of what is made of them."""

import ast
from typing import Any

from vggexplorer.reading.values import Call, Name, Token

MODULES = {"nn": "torch.nn", "F": "torch.nn.functional"}


def calls(text: str) -> list[Call]:
    """The calls in a text, one a line or apart by commas."""
    tree = ast.parse(f"[{text}\n]", mode="eval").body
    assert isinstance(tree, ast.List)
    return [_value(text, node) for node in tree.elts]


def _value(text: str, node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        first, dot, rest = name.partition(".")
        tokens: dict[int | str, Token] = {place: _token(text, each) for place, each in enumerate(node.args)}
        tokens |= {each.arg: _token(text, each.value) for each in node.keywords if each.arg}
        return Call(
            MODULES.get(first, first) + dot + rest,
            [_value(text, each) for each in node.args],
            {each.arg: _value(text, each.value) for each in node.keywords if each.arg},
            _token(text, node),
            tokens,
        )
    if isinstance(node, ast.Name | ast.Attribute):
        return Name(ast.unparse(node), _token(text, node))
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(text, each) for each in node.elts]
    if isinstance(node, ast.Dict):
        return {
            ast.literal_eval(key): _value(text, each) for key, each in zip(node.keys, node.values, strict=True) if key
        }
    return ast.literal_eval(node)


def _token(text: str, node: ast.expr) -> Token:
    column = node.col_offset + (node.lineno > 1)  # the bracket before the first line
    return Token(node.lineno, column, ast.get_source_segment(f"[{text}\n]", node) or "")
