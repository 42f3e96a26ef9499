"""What the docs say to teachers is true: links open what they name, in both languages alike."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT

from vggexplorer.paths import PAGES
from vggexplorer.ui.link import read

TEXTS = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("class.md", "class.zh.md")}
_LINK = re.compile(r"`(/[a-z]+(?:\?[^`…]*)?)`")
_COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
_TARGET = re.compile(r"\]\(([^)]+)\)")


def links(text: str) -> list[str]:
    return [link for link in _LINK.findall(text) if link.partition("?")[0][1:] in PAGES]


@pytest.mark.parametrize("name", TEXTS)
def test_the_links_to_pages_open_what_they_name(name: str) -> None:
    assert len(links(TEXTS[name])) > 5
    for link in links(TEXTS[name]):
        _, errors = read(parse_qs(urlsplit(link).query))
        assert errors == [], link


def test_both_languages_have_the_same_links_commands_figures_and_chapters() -> None:
    english, chinese = TEXTS.values()
    for found in (links, _COMMAND.findall):
        assert found(english) == found(chinese)
    others = {"class.md", "class.zh.md"}
    assert set(_TARGET.findall(english)) - others == set(_TARGET.findall(chinese)) - others
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("\n|") == chinese.count("\n|")
    figures = re.compile(r"[0-9][0-9.]*(?= (?:MB|GB|MiB|%|s\b|秒))")
    assert sorted(figures.findall(english)) == sorted(figures.findall(chinese))


def test_each_leads_to_the_other_and_the_readme_to_both() -> None:
    assert "(class.zh.md)" in TEXTS["class.md"]
    assert "(class.md)" in TEXTS["class.zh.md"]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "(docs/class.md)" in readme
    assert "(docs/class.zh.md)" in readme
