"""Lessons of a teacher's own: a text of lines `word: text`, read into a `Task`. `docs/class.md` describes it.

Whatever the text is, it gives a task, or sentences that name its lines. Networks are written as in links, and answers
are formulas (`formula.py`).
"""

import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from keyword import iskeyword
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from vggexplorer.architectures import shown
from vggexplorer.catalogue import Verbatim
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.formatting import measured
from vggexplorer.layers import Shape, shape_text
from vggexplorer.lessons.asks import TOLERANCE, Ask, Choice, Number, Option, Task, Theme
from vggexplorer.lessons.formula import FUNCTIONS, Result, Value, evaluate
from vggexplorer.lessons.lines import Field, fields
from vggexplorer.paths import PACKAGE
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import known_network, parse_network

T = TypeVar("T")
OWN = "own"
"""The key of the task that a lesson's text gives."""
MOST_TEXT = 20_000
"""Characters of a lesson."""
MOST_QUESTIONS = 40
MOST_NETWORKS = 6
MOST_OPTIONS = 8
MOST_HINTS = 10
MOST_TITLE = 100
MOST_UNIT = 12
MOST_NAME = 20
MOST_TOLERANCE = 50
"""Per cent."""
MOST_MISTAKES = 20
"""Mistakes that are listed."""
_KEPT = 64
"""Lessons that are kept as they were read: a page asks for its own with each request."""
MINUTES = 2
"""What a question takes, about."""
ANSWER = "answer"
"""The name of the answer in the formulas of its reason."""
PARTS = {
    "editor": ("editor", "编辑器"),
    "totals": ("totals", "总量"),
    "drawing": ("drawing", "结构图", "图"),
    "layers": ("layers", "各层"),
    "charts": ("charts", "图表"),
    "compare": ("compare", "比较"),
    "stages": ("stages", "阶段"),
}
"""The parts of the workbench that a lesson may show, and how each may be written."""
DEFAULT_PARTS: tuple[str, ...] = ("editor", "totals", "drawing", "layers")
_SIDE_BY_SIDE = ("compare", "stages")
"""Parts that show all networks of the lesson, under one input."""
_BOOLEANS = {"yes": True, "是": True, "no": False, "否": False}
_WRITTEN = 10
"""Digits of an answer that is no whole number which somebody may be asked for."""
_EXACT = ("exact", "精确", "0")
_OF_LESSON = ("lesson", "about", "network", "hint")
_OF_NUMBER = ("answer", "unit", "tolerance")
_OF_CHOICE = ("right", "wrong")
_OF_QUESTION = (*_OF_NUMBER, *_OF_CHOICE, "guess first", "reason")
_ONCE = ("lesson", "about", "show", "answer", "unit", "tolerance", "guess first", "reason", "right")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class MistakesError(InputError):
    """What is wrong in a lesson, line by line."""

    def __init__(self, mistakes: Sequence[InputError]) -> None:
        super().__init__("{reason}", reason=mistakes[0])
        self.mistakes = tuple(mistakes)


class Own(NamedTuple):
    """A network of the lesson: its texts by key, and its costs."""

    texts: dict[str, str]
    costs: Summary


class Section(NamedTuple):
    """The words of the lesson itself, or those of one question."""

    fields: Sequence[Field]

    def all(self, *words: str) -> list[Field]:
        """The fields with one of these words, in their order."""
        return [field for field in self.fields if field.word in words]

    def first(self, word: str) -> Field | None:
        """The field with this word, if there is one."""
        return next(iter(self.all(word)), None)


def example(language: str) -> str:
    """A lesson to begin with, in a language of the pages."""
    return (PACKAGE / "assets" / f"lesson.{language}.txt").read_text(encoding="utf-8")


def decoded(octets: bytes) -> str:
    """The text of a lesson's file, as editors write it: UTF-8, UTF-16 with its mark, or the Chinese GB 18030."""
    if len(octets) > 4 * MOST_TEXT:
        raise _too_long()
    codecs = ("utf-16",) if octets[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else ("utf-8-sig", "gb18030")
    for codec in codecs:
        try:
            return octets.decode(codec)
        except UnicodeDecodeError:
            continue
    raise InputError("The file is not text.")


@lru_cache(_KEPT)
def read(text: str) -> Task:
    """The task that a lesson's text describes; `MistakesError` names the lines where it does not."""
    reading = _Reading()
    if len(text) > MOST_TEXT:
        raise MistakesError([_too_long()])
    task = reading.task(fields(text, reading.wrong))
    if reading.mistakes:
        ordered = sorted(reading.mistakes, key=itemgetter(0))[:MOST_MISTAKES]
        raise MistakesError([InputError("Line {line}: {reason}", line=line, reason=reason) for line, reason in ordered])
    return task


def _too_long() -> InputError:
    return InputError("A lesson has at most {most} characters.", most=f"{MOST_TEXT:,}")


def verbatim(text: str) -> Remark:
    """A text of a person's own as a remark: the same in every language."""
    return Remark("{text}", {"text": Verbatim(text)})


class _Reading:
    """A lesson that is being read: its networks, and what is wrong, by line."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[int, InputError]] = []
        self._networks: dict[str, Own] = {}
        self._keys: Counter[str] = Counter()

    def wrong(self, line: int, reason: InputError) -> None:
        """Note what is wrong in a line."""
        self.mistakes.append((line, reason))

    def _tried(self, line: int, otherwise: T, work: Callable[..., T], *args: object) -> T:
        """What `work` gives; what is wrong there is noted with its line."""
        try:
            return work(*args)
        except InputError as reason:
            self.wrong(line, reason)
            return otherwise

    def _of(self, section: Section, word: str, otherwise: T, work: Callable[[str], T]) -> T:
        """What `work` makes of a word's text; `otherwise` if the word is not there."""
        field = section.first(word)
        return self._tried(field.number, otherwise, work, field.text) if field else otherwise

    def task(self, found: list[Field]) -> Task:
        """The task that the words give; it means nothing if something is wrong."""
        lesson, *questions = _sections(found)
        for field in lesson.all("network"):
            self._tried(field.number, None, self._network, field.text)
        self._look(lesson, questions)
        self._of(lesson, "lesson", "", partial(_short, most=MOST_TITLE))
        bench = self._of(lesson, "show", DEFAULT_PARTS, self._bench)
        asks = [self._ask(section) for section in questions[:MOST_QUESTIONS]]
        own = [network.texts for network in self._networks.values()] or [{}]
        return Task(
            key=OWN,
            title=self._text(lesson.first("lesson")),
            theme=Theme.COST,
            minutes=MINUTES * len(asks),
            question=self._text(lesson.first("about")),
            start=own[0],
            bench=bench,
            asks=tuple(asks),
            hints=tuple(self._text(field) for field in lesson.all("hint")),
            beside=tuple(own[1:]),
        )

    # --- what is missing, or in the wrong place ---

    def _look(self, lesson: Section, questions: list[Section]) -> None:
        examples = {"lesson": "“lesson: …”", "network": "“network: A = vgg11”"}
        missing = [example for word, example in examples.items() if not lesson.first(word)]
        for example in missing if questions else [*missing, "“question: …”"]:
            self.wrong(1, InputError("The lesson has no line {example}.", example=example))
        for field in lesson.all(*_OF_QUESTION):
            self.wrong(field.number, InputError("{word} belongs below a question.", word=_quoted(field)))
        for field in lesson.all("hint")[MOST_HINTS:]:
            self.wrong(field.number, InputError("A lesson has at most {most} hints.", most=MOST_HINTS))
        for section in questions[MOST_QUESTIONS:]:
            number = section.fields[0].number
            self.wrong(number, InputError("A lesson has at most {most} questions.", most=MOST_QUESTIONS))
        for section in (lesson, *questions):
            self._look_twice(section)

    def _look_twice(self, section: Section) -> None:
        seen: set[str] = set()
        for field in section.fields:
            if not field.text:
                self.wrong(field.number, InputError("Nothing stands behind {word}.", word=_quoted(field)))
            if field.word in seen.intersection(_ONCE):
                self.wrong(field.number, InputError("{word} is there a second time.", word=_quoted(field)))
            seen.add(field.word)

    # --- the lesson ---

    def _network(self, text: str) -> None:
        if len(self._networks) == MOST_NETWORKS:
            raise InputError("A lesson has at most {most} networks.", most=MOST_NETWORKS)
        name, written = _name_and_network(text, chr(ord("A") + len(self._networks)))
        if name in self._networks:
            raise InputError("There are two networks called {name}.", name=name)
        texts = known_network(written)
        self._networks[name] = Own(texts, summarize(*parse_network(texts)))

    def _bench(self, text: str) -> tuple[str, ...]:
        """The parts of the workbench that are named."""
        names = {spelling: part for part, spellings in PARTS.items() for spelling in spellings}
        found = []
        for each in re.split(r"[,，、\s]+", text.strip(",，、 ").lower()):
            if each not in names:
                there = ", ".join(PARTS)
                raise InputError("The workbench has no {part}; it has: “{names}”.", part=shown(each), names=there)
            found.append(names[each])
        if together := [part for part in found if part in _SIDE_BY_SIDE]:
            self._check_inputs(together[0])
        return tuple(dict.fromkeys(found))

    def _check_inputs(self, part: str) -> None:
        """`InputError` if the networks cannot be shown side by side with the very figures that the formulas have."""
        names = list(self._networks)
        if len(names) < 2:
            raise InputError("{part} needs two networks or more.", part=part)
        first, *others = (
            (each.costs.input_shape, each.costs.architecture.num_classes) for each in self._networks.values()
        )
        for name, (shape, classes) in zip(names[1:], others, strict=True):
            if (shape, classes) != first:
                raise InputError(
                    "{part} shows all networks with one input and one number of classes; {name} has {own}, {first} has "
                    "{shape}.",
                    part=part,
                    name=name,
                    own=_taken(shape, classes),
                    first=names[0],
                    shape=_taken(*first),
                )

    # --- texts ---

    def _text(self, field: Field | None, known: Mapping[str, Value] | None = None) -> Remark:
        """A text with the results of its formulas put in; empty if there is none."""
        return verbatim("" if field is None else self._filled(field, known or {}))

    def _filled(self, field: Field, known: Mapping[str, Value]) -> str:
        texts = [self._tried(line.number, "", self._filled_line, line.text, known) for line in field.lines]
        return "\n".join(texts).strip()

    def _filled_line(self, text: str, known: Mapping[str, Value]) -> str:
        def put(match: re.Match[str]) -> str:
            if match[0] in ("{{", "}}"):
                return match[0][0]
            if match[1] is None:
                raise InputError("A brace is alone; for one that is meant to be seen write {two}.", two=2 * match[0])
            return measured(self._result(match[1], known).value)

        return _BRACES.sub(put, text)

    def _result(self, text: str, known: Mapping[str, Value]) -> Result:
        return evaluate(text, {name: network.costs for name, network in self._networks.items()}, known)

    # --- questions ---

    def _ask(self, section: Section) -> Ask:
        numbers, options = section.all(*_OF_NUMBER), section.all(*_OF_CHOICE)
        if numbers and options:
            both = InputError("A question is answered by a number, or by sentences that are right and wrong.")
            self.wrong(max(numbers[0].number, options[0].number), both)
        question = section.fields[0]
        bench: tuple[str, ...] = self._of(section, "show", (), self._bench)
        common = {
            "key": self._key(field.text for field in (question, *options)),
            "text": verbatim(_one_line(self._filled(question, {}))),
            "bench": bench,
            "predict": self._of(section, "guess first", False, _yes_or_no),
        }
        return self._choice(section, options, common) if options else self._number(section, common)

    def _key(self, texts: Iterable[str]) -> str:
        """What is done of a question stays known while others are changed: its key depends on its own texts alone."""
        digest = sha256("\n".join(texts).encode()).hexdigest()[:8]
        self._keys[digest] += 1
        return f"{digest}{self._keys[digest]}"

    def _number(self, section: Section, common: dict[str, Any]) -> Number:
        answer, reason = section.first("answer"), section.first("reason")
        if not answer:
            missing = InputError(
                "The question has no answer: {number} with a formula, or {right} and {wrong}.", **_WAYS
            )
            self.wrong(section.fields[0].number, missing)
        unit = self._of(section, "unit", "", partial(_short, most=MOST_UNIT))
        result = self._of(section, "answer", Result(0, ""), lambda text: self._result(text, {}))
        if reason:
            why = self._text(reason, {ANSWER: result.value})
        else:
            steps = (answer.text if answer else "", result.filled, measured(result.value, unit))
            why = verbatim(" = ".join(dict.fromkeys(steps)))
        tolerance = self._of(section, "tolerance", TOLERANCE, lambda text: _share_for(text, result.value))
        return Number(answer=lambda: result.value, reason=lambda: [why], unit=unit, tolerance=tolerance, **common)

    def _choice(self, section: Section, fields: list[Field], common: dict[str, Any]) -> Choice:
        if len(fields) > MOST_OPTIONS:
            self.wrong(
                fields[MOST_OPTIONS].number,
                InputError("A question has at most {most} sentences to choose from.", most=MOST_OPTIONS),
            )
        if {field.word for field in fields} != set(_OF_CHOICE):
            missing = InputError("Of the sentences to choose from one is right, and others are wrong.")
            self.wrong(fields[0].number, missing)
        reason = self._text(section.first("reason"))
        options = [self._option(field, reason if field.word == "right" else verbatim("")) for field in fields]
        place = next((place for place, field in enumerate(fields) if field.word == "right"), 0)
        return Choice(options=tuple(options), answer=lambda: place, **common)

    def _option(self, field: Field, otherwise: Remark) -> Option:
        """A sentence, and behind a bar what there is to say to who chose it."""
        text, _, reason = (part.strip() for part in self._filled(field, {}).replace("｜", "|").partition("|"))
        text = _one_line(text)
        if not text:
            self.wrong(field.number, InputError("Nothing stands behind {word}.", word=_quoted(field)))
        return Option(verbatim(text), verbatim(reason) if reason else otherwise)


_WAYS = {"number": "“answer:”", "right": "“right:”", "wrong": "“wrong:”"}
"""How a question is answered."""


def _sections(found: list[Field]) -> list[Section]:
    """What belongs to the lesson, wherever it stands, and then each question."""
    sections: list[list[Field]] = [[]]
    for field in found:
        if field.word == "question":
            sections.append([])
        sections[0 if field.word in _OF_LESSON else -1].append(field)
    return [Section(tuple(fields)) for fields in sections]


def _one_line(text: str) -> str:
    """A text of several lines in one; between Chinese characters without a space."""
    return re.sub(r"\n+", " ", re.sub(r"(?<=[^\x00-\x7f])\n+(?=[^\x00-\x7f])", "", text))


def _quoted(field: Field) -> str:
    return shown(f"{field.spelled}:")


def _taken(shape: Shape, classes: int) -> InputError:
    return InputError("{shape}, {classes} {classes:class|classes}", shape=shape_text(shape), classes=classes)


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise InputError("{text} is too long: at most {most} characters.", text=shown(text), most=most)
    return text


def _name_and_network(text: str, otherwise: str) -> tuple[str, str]:
    """The name of a network, and the network as links write it, from `A = vgg11;input=1x96x96`."""
    plain = re.sub(r"\s*([;=])\s*", r"\1", unicodedata.normalize("NFKC", text))
    name, equals, written = plain.partition("=")
    if not equals or ";" in name:
        return otherwise, plain
    if not name.isidentifier() or iskeyword(name) or name in (*FUNCTIONS, ANSWER) or len(name) > MOST_NAME:
        raise InputError("{name} cannot be the name of a network; a letter such as A can.", name=shown(name))
    return name, written


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise InputError("{text} is neither {yes} nor {no}.", text=shown(text), yes="“yes”", no="“no”")
    return _BOOLEANS[text.lower()]


def _share_for(text: str, value: Value) -> float:
    """A tolerance that an answer can have; `InputError` for an exact answer that nobody can write."""
    share = _share(text)
    if not share and value != int(value) and value != float(f"{value:.{_WRITTEN}g}"):
        raise InputError(
            "The answer {value} has no end: it needs a tolerance such as {example}.",
            value=f"{value:.{_WRITTEN}g}…",
            example="“2 %”",
        )
    return share


def _share(text: str) -> float:
    """A tolerance: '2 %' -> 0.02."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.lower() in _EXACT:
        return 0.0
    number = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,6})?) *%", plain)
    if not number or float(number[1]) > MOST_TOLERANCE:
        raise InputError(
            "{text} is no tolerance such as {example}, at most {most} %.",
            text=shown(text),
            example="“2 %”",
            most=MOST_TOLERANCE,
        )
    return float(number[1]) / 100
