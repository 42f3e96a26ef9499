"""What a release says of itself is the same everywhere: its version, its date, its authors, its licence."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSION = PROJECT["version"]
CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))
LANGUAGES = re.compile("[A-Za-z].* · .*[\u4e00-\u9fff]|[A-Za-z].*[\u4e00-\u9fff]", re.DOTALL)
"""English, then Chinese."""
IN_BOTH = {"Version", "vggexplorer", "streamlit run app.py", "vggexplorer --version"}
"""What is said alike in both."""


def headings() -> list[tuple[str, str]]:
    """The versions of the changelog with their dates, the newest first."""
    return re.findall(r"^## (\d+\.\d+\.\d+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_the_changelog_begins_with_this_version() -> None:
    versions = [version for version, _ in headings()]
    assert versions[0] == VERSION
    assert versions == sorted(
        set(versions), key=lambda version: [int(part) for part in version.split(".")], reverse=True
    )


def test_every_file_that_names_a_version_names_this_one() -> None:
    assert CITATION["version"] == VERSION
    for name in ("README.md", "README.zh-CN.md"):
        assert set(re.findall(r"vggexplorer-(\d[\d.]*)-py3", (ROOT / name).read_text("utf-8"))) == {VERSION}
    placeholders = "\n".join(path.read_text("utf-8") for path in FORMS)
    assert set(re.findall(r"vggexplorer (\d[\d.]*)", placeholders)) == {VERSION}


def test_the_citation_has_the_changelog_s_date_and_what_the_licence_says() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["date-released"] == headings()[0][1]
    assert CITATION["license"] == PROJECT["license"]
    holder = re.search(r"Copyright \(c\) \d+ (.+)", (ROOT / "LICENSE").read_text("utf-8"))
    assert holder
    assert [author["name"] for author in CITATION["authors"]] == [holder[1]]
    assert {"title", "message", "type", "abstract"} <= CITATION.keys()


def test_the_security_policy_leads_to_the_page_on_security() -> None:
    assert "](docs/security.md)" in (ROOT / "SECURITY.md").read_text("utf-8")


def test_there_are_three_forms() -> None:
    assert [path.stem.partition("-")[2] for path in FORMS] == ["number", "page", "training"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_in_both_languages(path: Any) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in fields}) == len(fields)
    said = [form["name"], form["description"]]
    for each in fields:
        about = each["attributes"]
        said += [about["label"], about.get("description", "Version"), *about.get("options", ())]
    assert [text for text in said if text not in IN_BOTH and not LANGUAGES.search(text)] == []


def test_the_hooks_are_the_checks_that_ci_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    entries = {hook["entry"].partition(" --")[0] for repo in hooks for hook in repo["hooks"]}
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert entries == {"ruff check", "ruff format", "lint-imports", "mypy"}
    assert all(entry in ci for entry in entries)


def test_the_moving_picture_is_short_small_and_in_both_readmes() -> None:
    image = pytest.importorskip("PIL.Image")
    path = ROOT / "docs" / "pictures" / "tour.webp"
    assert path.stat().st_size < 1_500_000
    with image.open(path) as picture:
        assert picture.is_animated
        assert max(picture.size) <= 1280
        shown = []
        for number in range(picture.n_frames):
            picture.seek(number)
            picture.load()
            shown.append(picture.info["duration"])
    assert 8_000 <= sum(shown) <= 13_000
    for name in ("README.md", "README.zh-CN.md"):
        first = re.search(r"!\[(.+)\]\((.+)\)", (ROOT / name).read_text("utf-8"))
        assert first
        assert first[2] == "docs/pictures/tour.webp"
