"""constraints.txt: the versions of all that is named, such as pyproject.toml allows, written by its script."""

import re
from importlib.metadata import version

import pytest
import refresh_constraints as script
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LINES = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
PINNED = dict(line.split("==") for line in LINES if not line.startswith("#"))


def test_each_line_is_a_name_and_a_public_version() -> None:
    lines = [line for line in LINES if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines), lines
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    assert len(PINNED) == len(lines)


@pytest.mark.parametrize("need", {str(each): each for each in script.direct()}.values(), ids=str)
def test_what_pyproject_names_has_a_version_that_it_allows(need: Requirement) -> None:
    name = canonicalize_name(need.name)
    assert name in PINNED, f"{name} is missing: run scripts/refresh_constraints.py"
    assert need.specifier.contains(PINNED[name]), f"{name}=={PINNED[name]} is not within {need.specifier}"


def test_the_head_names_the_command_of_the_readme() -> None:
    (command,) = {line.strip("# ") for line in LINES if "pip install" in line}
    for name in ("README.md", "README.zh-CN.md"):
        assert command in (ROOT / name).read_text("utf-8")


PACKAGES = {
    "one": script.Installed("1.0+cpu", ("two>=1; python_version > '3'", "three; sys_platform == 'nowhere'")),
    "two": script.Installed("2.0.post1", ("One", "four; extra == 'more'", "gone")),
    "four": script.Installed("4", ()),
}


def test_what_is_needed_in_turn_is_found_without_what_is_for_others() -> None:
    assert script.needed([Requirement("One>=1")], PACKAGES.get) == {"one": "1.0", "two": "2.0.post1"}
    with_extra = [Requirement("one"), Requirement("two[more]")]
    assert script.needed(with_extra, PACKAGES.get) == {"four": "4", "one": "1.0", "two": "2.0.post1"}


def test_what_is_named_and_missing_is_told() -> None:
    with pytest.raises(LookupError, match="gone is not installed here"):
        script.needed([Requirement("gone")], PACKAGES.get)


def test_the_text_is_that_of_the_file_in_form() -> None:
    written = script.text(PINNED).splitlines()
    assert written[3:] == LINES[3:]
    assert written[1:3] == LINES[1:3]


def test_what_is_installed_here_is_found() -> None:
    found = script.installed("pytest")
    assert found is not None
    assert Version(found.version) == Version(version("pytest"))
    assert script.installed("no-such-package") is None
