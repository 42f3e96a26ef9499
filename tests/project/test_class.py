"""What the docs say to teachers is true: links open what they name, in both languages alike."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT

from vggexplorer.lessons import written
from vggexplorer.lessons.asks import TOLERANCE
from vggexplorer.lessons.formula import FUNCTIONS, evaluate, of_layer, of_network
from vggexplorer.lessons.lines import WORDS
from vggexplorer.lessons.written import (
    MOST_HINTS,
    MOST_NETWORKS,
    MOST_OPTIONS,
    MOST_QUESTIONS,
    MOST_TEXT,
    MOST_TITLE,
    PARTS,
    example,
)
from vggexplorer.paths import PAGES
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch
from vggexplorer.ui.link import read
from vggexplorer.ui.share import MOST

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


def test_each_leads_to_the_other_and_the_readmes_to_both() -> None:
    assert "(class.zh.md)" in TEXTS["class.md"]
    assert "(class.md)" in TEXTS["class.zh.md"]
    for name in ("README.md", "README.zh-CN.md"):
        readme = (ROOT / name).read_text("utf-8")
        assert "(docs/class.md)" in readme
        assert "(docs/class.zh.md)" in readme


LANGUAGES = {"class.md": "en", "class.zh.md": "zh"}
_LESSON = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VGG11 = summarize(*parse_arch("vgg11"))


@pytest.mark.parametrize("name", TEXTS)
def test_the_example_in_the_docs_is_the_one_on_the_page_and_a_lesson(name: str) -> None:
    (text,) = _LESSON.findall(TEXTS[name])
    assert text == example(LANGUAGES[name])
    assert len(written.read(text).asks) == 3


@pytest.mark.parametrize("name", TEXTS)
def test_every_word_part_and_figure_is_described(name: str) -> None:
    chapter = TEXTS[name].rpartition("\n## ")[2]
    described = set(re.findall(r"`([^`\n]+)`", chapter))
    for spellings in (*WORDS.values(), *PARTS.values()):
        assert set(spellings[:2]) <= described
    figures = {each.rpartition(".")[2] for each in described}
    whole = {figure for figure in of_network(VGG11) if not figure.startswith(("conv_", "fc_"))}
    assert whole | of_layer(VGG11.rows[0]).keys() | FUNCTIONS.keys() <= figures
    for formula in re.findall(r"`(A[.\[][^`]+)`", chapter):
        assert evaluate(formula, {"A": VGG11}).value > 0


@pytest.mark.parametrize("name", TEXTS)
def test_the_bounds_of_a_lesson_are_those_of_the_code(name: str) -> None:
    chapter = TEXTS[name].rpartition("\n## ")[2]
    assert (MOST_NETWORKS, MOST_HINTS, MOST_OPTIONS) == (6, 10, 8), "written out in words"
    for bound in (MOST_TITLE, MOST_QUESTIONS, f"{MOST_TEXT:,}", f"{MOST:,}", f"{100 * TOLERANCE:g} %"):
        assert re.search(rf"(?<![0-9,]){bound}(?![0-9])", chapter), bound
