"""Why files of a folder cannot be used, read out of the lines that a run keeps."""

import ast
from pathlib import Path

import pytest
from conftest import ROOT

from vggexplorer.comparison import Remark
from vggexplorer.runs.folders import Odd
from vggexplorer.runs.reasons import REASONS, kinds_not_read, reason_of, said_of_kinds


def written(path: str, function: str, place: int) -> set[str]:
    """The texts that a function gets in a module as its argument at a place."""
    calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))) if isinstance(node, ast.Call)]
    given = [call.args[place] for call in calls if ast.unparse(call.func) == function and len(call.args) > place]
    return {each.value for each in given if isinstance(each, ast.Constant)}


def test_all_reasons_are_known() -> None:
    known = {reason.template for reason in REASONS}
    folders = written("vggexplorer/runs/folders.py", "odd.note", 1)
    assert folders
    assert known == written("vggexplorer/pytorch/pictures.py", "InputError", 0) | folders


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.template)
@pytest.mark.parametrize("name", ["a/b.png", "not a file”: too deep", "a\nb.png", "ü“x”.png"])
def test_a_reason_is_read_as_it_was_written(reason: Remark, name: str) -> None:
    values = {key: "x: y" for key in ("format", "most", "reason") if f"{{{key}}}" in reason.template}
    said = Remark(reason.template, values)
    odd = Odd(Path("/x"))
    odd.note(Path("/x") / name, str(said))
    before, found = reason_of(odd.listed[0])
    assert (before + str(found), found) == (odd.listed[0], said)


@pytest.mark.parametrize("line", ["", "hello", "“a.png”: Permission denied", "not a file"])
def test_what_the_system_says_is_kept(line: str) -> None:
    assert reason_of(line) == (line, None)


def test_names_of_kinds_that_are_not_read_are_counted() -> None:
    names = ("a.heic", "b.HEIC", "c.txt", "d.png", "e", ".txt", "f.png.txt", "txt")
    kinds = kinds_not_read(Path("x.txt", name) for name in names)
    assert kinds == {".heic": 2, ".txt": 2}
    assert str(*said_of_kinds(kinds)) == "4 files have names of a kind that is not read: .heic (2), .txt (2)."
    assert said_of_kinds({}) == []
