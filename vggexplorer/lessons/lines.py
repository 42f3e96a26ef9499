"""The lines of a lesson that a teacher writes: `word: text`, in English or Chinese, as they come from any editor."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError

WORDS = {
    "lesson": ("lesson", "课程", "课"),
    "about": ("about", "说明", "简介"),
    "network": ("network", "网络"),
    "show": ("show", "显示"),
    "hint": ("hint", "提示"),
    "question": ("question", "问题", "题目"),
    "answer": ("answer", "答案"),
    "unit": ("unit", "单位"),
    "tolerance": ("tolerance", "误差", "允许误差"),
    "guess first": ("guess first", "先猜", "guess"),
    "reason": ("reason", "原因", "理由"),
    "right": ("right", "对", "正确"),
    "wrong": ("wrong", "错", "错误"),
}
"""The words that a line may begin with, and how each may be written."""
_SPELLED = {spelling: word for word, spellings in WORDS.items() for spelling in spellings}
_GOES_ON = ("about", "question", "reason", "hint", "right", "wrong")
"""Words whose text may go on in the next lines."""
_BEGINNING = re.compile(r"(?P<space> *)(?P<word>[^:：]{1,30}?) *[0-9]* *(?P<colon>[:：])(?P<text>.*)")
_COMMENT = ("#", "＃")
_UNSEEN = re.compile("[\ufeff\u200b]")
_SPACES = dict.fromkeys(map(ord, "\t\v\f\u00a0\u3000\u2028\u2029"), " ")


class Line(NamedTuple):
    """A line with its number, counted from 1 as editors do."""

    number: int
    text: str


class Field(NamedTuple):
    """A word of a lesson, as it was `spelled`, with its text: that of its line, and of those in which it goes on."""

    word: str
    spelled: str
    lines: tuple[Line, ...]

    @property
    def number(self) -> int:
        """The line in which it begins."""
        return self.lines[0].number

    @property
    def text(self) -> str:
        """Its text in one."""
        return "\n".join(line.text for line in self.lines).strip()


def fields(text: str, wrong: Callable[[int, InputError], None]) -> list[Field]:
    """The words of a text with what they say; `wrong` is told of each line that says nothing."""
    found: list[Field] = []
    for line in _lines(text):
        try:
            if begins := _begun(line):
                found.append(begins)
            elif found and found[-1].word in _GOES_ON:
                found[-1] = found[-1]._replace(lines=(*found[-1].lines, Line(line.number, line.text.strip())))
            elif line.text:
                raise InputError("This line begins with no word of a lesson, such as {word}.", word="“question:”")
        except InputError as reason:
            wrong(line.number, reason)
    return found


def _lines(text: str) -> list[Line]:
    """The lines without comments and without marks that nobody sees; what else cannot be printed is seen."""
    plain = _UNSEEN.sub("", text).translate(_SPACES)
    plain = "".join(char if char.isprintable() or char in "\r\n" else "\N{REPLACEMENT CHARACTER}" for char in plain)
    found = enumerate(re.split(r"\r\n|\r|\n", plain), 1)
    return [Line(number, each.rstrip()) for number, each in found if not each.lstrip().startswith(_COMMENT)]


def _begun(line: Line) -> Field | None:
    """The word that a line begins with; None if it begins with none, `InputError` if that looks like a mistake."""
    begins = _BEGINNING.fullmatch(line.text)
    if not begins:
        return None
    spelled = begins["word"].strip()
    if word := _SPELLED.get(" ".join(spelled.lower().split())):
        return Field(word, spelled, (Line(line.number, begins["text"].strip()),))
    if not begins["space"] and _is_like_a_word(begins):
        raise _unknown(spelled)
    return None


def _is_like_a_word(begins: re.Match[str]) -> bool:
    """Whether what stands before the colon is short enough, and no part of an address or a time."""
    is_chinese = begins["colon"] == "：" or not begins["word"].isascii()
    return len(begins["word"].split()) <= 2 and (is_chinese or begins["text"][:1] in ("", " "))


def _unknown(spelled: str) -> InputError:
    if near := get_close_matches(spelled.lower(), _SPELLED, 1):
        return InputError("There is no word {word}; is {near} meant?", word=shown(spelled), near=shown(near[0]))
    return InputError(
        "There is no word {word}. A line that goes on with the text above begins with a space.", word=shown(spelled)
    )
