"""Both READMEs say the same, by all of it that has no language, and Chinese documents are set as Chinese is."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

from vggexplorer.catalogue import catalogue

ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_PAGES = [*ROOT.glob("*.zh*.md"), *(ROOT / "docs").glob("*.zh*.md")]
_OWN = {
    "?",
    "后退",
    "VGG-11 · 已修改",
    "为什么 VGG-11 的代价比 AlexNet 高？",
    "词：文字",
}  # of no page, or with a value
_HAN = "[\\u4e00-\\u9fff]"


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def blocks(text: str) -> list[tuple[str, str]]:
    """The blocks of code with their languages, without comments."""
    return [(language, re.sub(r"(?m)(^|\s+)#.*$", "", code)) for language, code in _FENCE.findall(text)]


def headings(text: str) -> list[str]:
    return re.findall(r"^#+(?= )", prose(text), re.MULTILINE)


def links(text: str) -> list[tuple[str, str]]:
    """Where links and pictures lead, whatever the language of a document."""
    return sorted((kind, re.sub(r"\.zh(-CN)?(?=\.md)", "", to)) for kind, _, to in _LINK.findall(prose(text)))


def marks(text: str) -> list[str]:
    return re.findall(r"<!-- .*? -->", text)


def tables(text: str) -> list[list[list[str]]]:
    """The figures in each cell of each line of a table."""
    lines = [line.strip("|").split("|") for line in prose(text).splitlines() if line.startswith("|")]
    return [[figures(cell) for cell in line] for line in lines]


def figures(text: str) -> list[str]:
    return re.findall(r"[0-9](?:[0-9.,]*[0-9])?", text)


def chapters(text: str) -> list[str]:
    return re.split(r"^## ", prose(text), flags=re.MULTILINE)


def figures_of_chapters(text: str) -> list[set[str]]:
    return [set(figures(chapter)) for chapter in chapters(text)]


def code_of_chapters(text: str) -> list[set[str]]:
    """What stands between backquotes: names, commands, keys, addresses."""
    return [{" ".join(span.split()) for span in re.findall(r"`([^`]+)`", chapter)} for chapter in chapters(text)]


def parts_of_chapters(text: str) -> list[tuple[int, int]]:
    """How many items of lists each chapter has, and how many paragraphs, pictures, tables and lists."""
    return [
        (len(re.findall(r"^- ", chapter, re.MULTILINE)), len(re.findall(r"\S\n\n", re.sub(r"<a id=.*\n", "", chapter))))
        for chapter in chapters(text)
    ]


SAME: tuple[Callable[[str], list[object]], ...] = (
    headings,
    blocks,
    links,
    marks,
    tables,
    figures_of_chapters,
    code_of_chapters,
    parts_of_chapters,
)


@pytest.mark.parametrize("found", SAME, ids=lambda found: found.__name__)
def test_both_readmes_have_the_same(found: Callable[[str], list[object]]) -> None:
    assert len(found(ENGLISH)) > 3
    assert found(ENGLISH) == found(CHINESE)


def test_each_readme_begins_with_a_link_to_the_other() -> None:
    assert "[简体中文](README.zh-CN.md)" in ENGLISH.splitlines()[:4]
    assert "[English](README.md)" in CHINESE.splitlines()[:4]


def misprints(text: str) -> list[str]:
    """Where a Chinese text has signs or spaces as they are set in English; code counts as a Latin word."""
    words = re.sub(r"`[^`]+`", "x", _LINK.sub(r"\2", prose(text)))
    words = re.sub(r"(?<=[。？！])\*\* |\*\*", "", words)  # behind a stop Markdown ends bold before a space only
    wrong = (
        rf"{_HAN}[,;:!?()]|[,;:!?()]{_HAN}|{_HAN}\.(?!\w)",  # half-width signs
        r"[^\S\n]+[，。；：！？、）]|[，。；：！？、（][^\S\n]+(?!\|)",  # spaces beside full-width ones
        rf"{_HAN}[A-Za-z0-9]|[A-Za-z0-9]{_HAN}",  # no space between Chinese and Latin
        rf"{_HAN} +{_HAN}|{_HAN}\n *{_HAN}",  # a space within Chinese, as the end of a line is one
    )
    return [found[0] for pattern in wrong for found in re.finditer(f".{{0,9}}(?:{pattern}).{{0,9}}", words)]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_chinese_is_set_as_chinese(page: Path) -> None:
    assert misprints(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_what_is_quoted_is_called_so_on_the_pages(page: Path) -> None:
    quoted = set(re.findall("“([^”]+)”", prose(page.read_text("utf-8"))))
    assert quoted <= _OWN | set(catalogue().values())


def test_misprints_are_noticed() -> None:
    assert misprints("卷积层，用 GPU 训练（`k3`、3 层）。\n| 层。 |\n") == []
    for wrong in ("卷积层,汇聚层", "卷积层 。", "用GPU", "`k3`层", "卷积\n层", "卷积 层", "层(二", "层."):
        assert misprints(wrong), wrong
