"""What Linux, macOS and Windows do differently is in two modules; a text file is opened with its encoding."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

WHERE_SYSTEMS_DIFFER = {"processes.py", "paths.py"}
PACKAGE = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "vggexplorer").rglob("*.py")]
BESIDE = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
"""Benchmarks may look into /proc: they measure on Linux."""

OF_SYSTEMS = {"ctypes", "fcntl", "grp", "msvcrt", "pwd", "resource", "signal", "termios", "winreg"}
"""Modules that not all systems have, or that do not do the same on all."""
OF_OS = {"fork", "getppid", "getuid", "kill", "killpg", "name", "pathsep", "sched_getaffinity", "sep", "sysconf"}
PATH_OF_A_SYSTEM = re.compile(r"/(proc|dev|sys|tmp|etc|usr|var|home)\b|[A-Za-z]:\\")


def of_a_system(tree: ast.AST) -> Iterator[str]:
    """What a module has that belongs to a system."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from OF_SYSTEMS & {name.name for name in names}
            case ast.ImportFrom(module=module) if module in OF_SYSTEMS:
                yield str(module)
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in OF_OS:
                yield f"os.{attr}"
            case ast.Attribute(value=ast.Name(id="sys"), attr="platform"):
                yield "sys.platform"
            case ast.Constant(value=str(text)) if PATH_OF_A_SYSTEM.match(text):
                yield text


def without_encoding(tree: ast.AST) -> Iterator[str]:
    """The calls that open a text file, or a process's output as text, and do not say in which encoding."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not any(keyword.arg == "encoding" for keyword in node.keywords):
            match node:
                case ast.Call(func=ast.Attribute(attr="read_text"), args=[]):
                    yield ast.unparse(node)
                case ast.Call(func=ast.Attribute(attr="write_text"), args=[_]):
                    yield ast.unparse(node)
                case ast.Call(func=ast.Name(id="open"), args=[_, *mode]) if not _binary(mode):
                    yield ast.unparse(node)
                case ast.Call(func=ast.Attribute(attr="open"), args=mode) if not _binary(mode) and _may_be_text(mode):
                    yield ast.unparse(node)
                case ast.Call(keywords=keywords) if {"text", "universal_newlines"} & {each.arg for each in keywords}:
                    if isinstance(node.func, ast.Attribute) and node.func.attr in ("run", "Popen", "check_output"):
                        yield ast.unparse(node)


def _binary(mode: list[ast.expr]) -> bool:
    return any("b" in text for text in map(ast.unparse, mode[:1]))


def _may_be_text(mode: list[ast.expr]) -> bool:
    """Whether these are the arguments of a path's `open`, not of that of a browser or of a picture."""
    return not mode or (isinstance(mode[0], ast.Constant) and bool(re.fullmatch(r"[rwxa]\+?t?", str(mode[0].value))))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import signal", "signal"),
        ("from ctypes import CDLL", "ctypes"),
        ("os.killpg(1, 9)", "os.killpg"),
        ("sys.platform == 'linux'", "sys.platform"),
        ("open('/proc/self/statm', 'rb')", "/proc/self/statm"),
        ("f'/proc/{pid}'", "/proc/"),
    ],
)
def test_the_check_of_systems_finds_a_culprit(code: str, found: str) -> None:
    assert list(of_a_system(ast.parse(code))) == [found]


def test_systems_differ_in_two_modules_only() -> None:
    found = {name(path): sorted(set(of_a_system(ast.parse(path.read_bytes())))) for path in PACKAGE}
    assert {Path(path).name for path, names in found.items() if names} == WHERE_SYSTEMS_DIFFER, found


@pytest.mark.parametrize(
    "code",
    ["open(path)", "path.read_text()", "path.write_text(text)", "path.open()", "path.open('w')", "run(x, text=True)"],
)
def test_the_check_of_encodings_finds_a_culprit(code: str) -> None:
    assert list(without_encoding(ast.parse(f"subprocess.{code}" if code.startswith("run") else code)))


def test_a_text_file_is_opened_with_its_encoding() -> None:
    found = {name(path): list(without_encoding(ast.parse(path.read_bytes()))) for path in (*PACKAGE, *BESIDE)}
    assert {path: calls for path, calls in found.items() if calls} == {}
