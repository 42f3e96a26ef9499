"""The workflows and other settings in YAML can be read, and run what the README and `.ci/run` say."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

FILES = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
WORKFLOWS = [path for path in FILES if path.parent.name == "workflows"]
CHECKS = ROOT / ".github" / "workflows" / "checks.yml"
CI = (ROOT / ".ci" / "run").read_text("utf-8")
TEST_COMMAND = re.compile(r"<!-- test-command -->\s*^```\w*\n(.*?)\n^```$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = read(CHECKS)["jobs"]
    return found


def commands() -> list[str]:
    """Every command of the checks, once for each value of what stands in it."""
    found = []
    for job in jobs().values():
        matrix = job.get("strategy", {}).get("matrix", {})
        for run in (step["run"] for step in job["steps"] if "run" in step):
            name = re.search(r"\$\{\{ matrix\.(\w+) \}\}", run)
            found += [run.replace(name[0], value) for value in matrix[name[1]]] if name else [run]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_can_be_read(path: Path) -> None:
    assert read(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_write_only_what_it_says_and_takes_github_s_own_steps(path: Path) -> None:
    assert read(path)["permissions"]["contents"] == "read"
    used = re.findall(r"uses: (\S+)", path.read_text("utf-8"))
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", each) for each in used)


def test_the_readme_s_test_command_runs_on_three_systems_and_three_pythons_with_and_without_pytorch() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        command = TEST_COMMAND.search((ROOT / name).read_text("utf-8"))
        assert command
        assert command[1] in commands()
    matrix = jobs()["tests"]["strategy"]["matrix"]
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert len(matrix["python"]) == 3
    assert project["requires-python"] == f">={matrix['python'][0]}"
    extras = {extra: " ".join(project["optional-dependencies"][extra]) for extra in matrix["extra"]}
    assert ["[train]" in needs for needs in extras.values()] == [True, False]


@pytest.mark.parametrize(
    "part", re.findall(r"(pytest tests/\w+(?!\w|/)|ruff check|ruff format --check|lint-imports|mypy)(?= |\n)", CI)
)
def test_every_part_of_ci_is_there(part: str) -> None:
    assert part in commands()
