"""Questions about the tree of a source."""

import ast
from collections.abc import Iterator

ITSELF = ("to", "cuda", "cpu", "eval", "train", "apply", "half", "float", "double", "requires_grad_")
"""Methods of a module that give it back."""
WRAPPERS = ("DataParallel", "DistributedDataParallel", "compile")
"""What gives back the network that it is called with."""
WEIGHTS = ("weight", "bias", "data", "grad")
"""Attributes of a module that are weights: their values are of no interest."""


def own_parts(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all in it but the bodies of functions and classes."""
    rest = [node]
    while rest:
        part = rest.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.Assign) or (
            isinstance(part, ast.Assign) and not gives_back(part)
        ):
            rest += ast.iter_child_nodes(part)


def dotted(node: ast.AST) -> list[str]:
    """The parts of a dotted name, the last first; empty if it is none."""
    found: list[str] = []
    while isinstance(node, ast.Attribute):
        found.append(node.attr)
        node = node.value
    return [*found, node.id] if isinstance(node, ast.Name) else []


def gives_back(node: ast.Assign) -> bool:
    """Whether a name is given what it had: `net = net.to(device)`, `net = nn.DataParallel(net)`."""
    value = node.value
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Attribute) and value.func.attr in ITSELF:
            value = value.func.value
        elif value.args and dotted(value.func)[:1] in [[name] for name in WRAPPERS]:
            value = value.args[0]
        else:
            return False
    return bool(dotted(value)) and [dotted(target) for target in node.targets] == [dotted(value)]


def is_of_weights(node: ast.expr) -> bool:
    """Whether an expression names the weights of a module, or a part of them."""
    return any(isinstance(part, ast.Attribute) and part.attr in WEIGHTS for part in ast.walk(node))


def leaves_loop(node: ast.AST) -> bool:
    """Whether a statement may leave or go on with a loop that it stands in."""
    rest = [node]
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Break | ast.Continue):
            return True
        inner = part.orelse if isinstance(part, ast.For | ast.AsyncFor | ast.While) else ast.iter_child_nodes(part)
        rest += [each for each in inner if isinstance(each, ast.stmt | ast.ExceptHandler | ast.match_case)]
    return False
