"""Without PyTorch tests are skipped that need it, and no other one."""

import tomllib

import pytest
import without_torch
from conftest import ROOT
from packaging.requirements import Requirement
from without_torch import MODULES, lacking, lacking_at_import

from vggexplorer.errors import InputError
from vggexplorer.processes import INSTALL

SENTENCE = "This needs {package}, which is not installed here; {command} helps."


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(without_torch, "LACKING", ["torch", "numpy"])


def test_what_is_lacking_is_named() -> None:
    assert lacking(ModuleNotFoundError("No module named 'torch'", name="torch")) == "torch"
    assert lacking(ModuleNotFoundError("No module named 'torch'", name="torch.nn")) == "torch"
    assert lacking(InputError(SENTENCE, package="PyTorch", command=INSTALL)) == "PyTorch"
    assert lacking_at_import("E   ModuleNotFoundError: No module named 'numpy.linalg'") == "numpy"


def test_another_error_is_one() -> None:
    assert lacking(ModuleNotFoundError("No module named 'tortch'", name="tortch")) == ""
    assert lacking(AssertionError("This needs PyTorch, which is not installed here")) == ""
    assert lacking(InputError("1 is not a number.")) == ""
    assert lacking_at_import("ImportError: cannot import name 'move'") == ""
    assert lacking_at_import("ModuleNotFoundError: No module named 'tortch'") == ""


def test_with_pytorch_nothing_is_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(without_torch, "LACKING", [])
    assert lacking(ModuleNotFoundError("No module named 'torch'", name="torch")) == ""
    assert lacking(InputError(SENTENCE, package="PyTorch", command=INSTALL)) == ""


def test_the_modules_are_of_no_ordinary_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {Requirement(line).name for line in (*extras["train"], *extras["test"])} - {"vggexplorer"}
    assert set(MODULES) - {"PIL"} <= names
    ordinary = {Requirement(line).name for line in (*project["dependencies"], *extras["tools"])}
    assert not set(MODULES) & ordinary
