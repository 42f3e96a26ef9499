"""What Linux, macOS and Windows do differently is in three modules; a text file is opened with its encoding."""

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import serve_site
from conftest import ROOT

from vggexplorer import paths, processes

WHERE_SYSTEMS_DIFFER = {"processes.py", "paths.py", "processor.py"}
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


MOVERS = ROOT / "vggexplorer" / "runs" / "folder" / "files.py"
"""Where files of a run are moved and removed: on Windows that cannot be done at any moment."""


def moved_or_removed(tree: ast.AST) -> Iterator[str]:
    """The calls that move or remove a file by themselves."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="unlink" | "rename", value=ast.expr())):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="replace"), args=[_], keywords=[]):
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


def test_systems_differ_in_three_modules_only() -> None:
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


@pytest.mark.parametrize("code", ["path.unlink(missing_ok=True)", "(a / b).rename(c)", "path.replace(other)"])
def test_the_check_of_moves_finds_a_culprit(code: str) -> None:
    assert list(moved_or_removed(ast.parse(code)))
    assert not list(moved_or_removed(ast.parse("text.replace('a', 'b'); replace(config, seed=1); move(path, other)")))


def test_files_of_runs_are_moved_and_removed_in_one_module() -> None:
    paths = [path for path in (ROOT / "vggexplorer" / "runs").rglob("*.py") if path != MOVERS]
    found = {name(path): list(moved_or_removed(ast.parse(path.read_bytes()))) for path in paths}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_a_detached_process_has_a_console_without_a_window_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a Python in a virtual environment there starts, Windows would show the window."""
    monkeypatch.setattr(paths, "WINDOWS", True)
    flags = runpy.run_path(processes.__file__)["_DETACHED"]
    no_window, new_group, detached = 0x08000000, 0x200, 0x8
    assert flags == {"creationflags": no_window | new_group}
    assert not flags["creationflags"] & detached


LINES = (
    (["vggexplorer", "resume", "20261130-a", "--runs", "C:\\My runs"], '"C:\\My runs"'),
    (["--dataset", "folder:C:\\cats"], '"folder:C:\\cats"'),
    (["((1, 64), (2, 128))"], '"((1, 64), (2, 128))"'),
    (["1x64,2x128"], '"1x64,2x128"'),
    (["--lr", "0.05"], "--lr 0.05"),
)


@pytest.mark.parametrize(("words", "end"), LINES)
def test_a_line_for_the_shell_of_windows_has_double_quotes(
    words: list[str], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "WINDOWS", True)
    assert processes.shell_line(words).endswith(end)
    assert processes.shell_words(processes.shell_line(words)) == words


@pytest.mark.parametrize("words", [words for words, _ in LINES])
def test_elsewhere_it_is_as_the_shell_splits_it(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WINDOWS", False)
    assert processes.shell_line(words) == shlex.join(words)
    line = f"{shlex.join(words)} a\\ b # said beside"
    assert processes.shell_words(line) == shlex.split(line, comments=True) == [*words, "a b"]


def test_a_quote_that_is_left_open_is_an_error() -> None:
    with pytest.raises(ValueError, match="quot"):
        processes.shell_words('vgg11 "')


def test_nobody_else_writes_lines_for_a_shell() -> None:
    users = {name(path) for path in PACKAGE if "shlex" in path.read_text("utf-8")}
    assert users == {"vggexplorer/processes.py"}


@pytest.mark.parametrize(
    ("name", "kind"), [("a.js", "text/javascript"), ("a.mjs", "text/javascript"), ("a.wasm", "application/wasm")]
)
def test_a_script_of_the_site_is_one_whatever_a_registry_says(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that is said to be text, a browser runs nothing."""
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    host = serve_site.Host.__new__(serve_site.Host)
    assert host.guess_type(name) == kind
