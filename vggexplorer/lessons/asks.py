"""What a task asks for, and how an answer is judged: a number, a choice, an order, an edit, a finished run.

Texts are `Remark`s: an English template and its values, so that a page can show them in another language.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isclose
from typing import Literal, NamedTuple, TypeGuard

from vggexplorer.architectures import Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import measured, ratio
from vggexplorer.runs.config import Config

Reason = Callable[[], Sequence[Remark]]
"""Computes why the answer is what it is: its value, and how that comes about."""


class Finished(NamedTuple):
    """A training run that has ended well: what was asked, and the share of test images it gets right."""

    name: str
    config: Config
    test_acc: float


class Verdict(NamedTuple):
    """Whether an answer is right, close or wrong, and what there is to say about it: the reason, if it is right."""

    word: Literal["right", "close", "wrong"]
    remarks: tuple[Remark, ...] = ()


TOLERANCE = 0.02
"""How far off a number may be, as a share of it, if the question does not say another share."""
CLOSE = 0.05
"""An answer that is off by at most this share, but by more than its tolerance, is close."""
NEAR = 0.25
"""A guess that is off by at most this share is close."""
_SLIP = 0.001
"""How near a number is to that of a known mistake, as a share, if it is taken for it."""
LARGEST = 1e30
"""The largest number that is read."""
MOST_DIGITS = 40
"""Characters of a number that are read."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_SCALES = (10**3, 10**6, 10**9)
_AFTER = re.compile(r"(?<=[0-9.])\s*(百万|[千万亿]|[a-zA-Z%×倍]{1,8})?个?$")
_WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "千": 10**3, "万": 10**4, "百万": 10**6, "亿": 10**8}
_LETTERS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}


def parse_number(text: str, unit: str = "") -> float | None:
    """The number in `text`: 172, 172.0, 42,991,616, 4.5e-5, full-width digits, and a sign such as % after it.

    "43 million" and "4300万" are read, too; "43 M" is as many in what has no `unit`, else the M is part of the unit.
    """
    plain = unicodedata.normalize("NFKC", text[:MOST_DIGITS]).replace("、", ",").replace("−", "-")
    plain = re.sub(r"(?<=[0-9])[\s_'](?=[0-9])", ",", plain.strip())
    scale = 1
    if found := _AFTER.search(plain):
        plain, word = plain[: found.start()], found[1] or ""
        scale = _WORDS.get(word.lower()) or (1 if unit else _LETTERS.get(word, 1))
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    number = scale * float(plain) if _NUMBER.fullmatch(plain) else None
    return None if number is None or abs(number) > LARGEST else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all questions have.

    `bench` are the parts of the workbench that are needed for it, those of the task if it names none.
    """

    key: str
    text: Remark
    bench: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessable(Question):
    """One that may be asked before its workbench is seen, to `predict` the answer: any guess is locked, and counts."""

    predict: bool = False


def nothing() -> Sequence[Remark]:
    """No reason is given."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Guessable):
    """A number in `unit`, right within `tolerance` (a share of it; 0 is exact); `slips` are known mistakes."""

    answer: Callable[[], float]
    reason: Reason = nothing
    unit: str = ""
    tolerance: float = TOLERANCE
    slips: Callable[[], Sequence[tuple[float, Remark]]] = tuple

    def check(self, given: str) -> Verdict:
        """Whether the number in `given` is the answer."""
        number = parse_number(given, self.unit)
        if number is None:
            return Verdict("wrong", (Remark("Write a number, as in 1,234,567 or 8.5."),))
        answer = self.answer()
        for value, remark in self.slips():
            if isclose(number, value, rel_tol=_SLIP):
                return Verdict("close", (remark,))
        if isclose(number, answer, rel_tol=self.tolerance, abs_tol=1e-12):
            return Verdict("right", tuple(self.reason()))
        if isclose(number, answer, rel_tol=CLOSE):
            return Verdict("close", (Remark("Almost: count or round more exactly."),))
        near = max(self.tolerance, _SLIP)
        if any(isclose(number * scale, answer, rel_tol=near) for each in _SCALES for scale in (each, 1 / each)):
            return Verdict("close", (Remark("The digits are right, the unit is not."),))
        return Verdict("wrong", (Remark("It is less."),) if number > answer else (Remark("It is more."),))

    def guessed(self, given: str) -> Verdict:
        """What a guess is worth: how many times the answer it is, and the reason."""
        number, answer = parse_number(given, self.unit), self.answer()
        if number is None:
            return self.check(given)
        if isclose(number, answer, rel_tol=self.tolerance, abs_tol=1e-12):
            return Verdict("right", tuple(self.reason()))
        if number * answer <= 0:
            return Verdict("wrong", tuple(self.reason()))
        off = {"off": ratio(max(number, answer), min(number, answer))}
        too_large = Remark("Your guess is {off} the answer.", off)
        too_small = Remark("The answer is {off} your guess.", off)
        how = too_large if number > answer else too_small
        near = isclose(number, answer, rel_tol=NEAR)
        return Verdict("close" if near else "wrong", (how, *self.reason()))

    def is_exact(self) -> bool:
        """Whether the answer alone is right: no tolerance, or a count so small that the next one is outside of it."""
        answer = self.answer()
        return not self.tolerance or (answer == int(answer) and abs(answer) * self.tolerance < 1)

    def truth(self) -> Remark:
        """The answer as it is written."""
        return Remark("{value}", {"value": measured(self.answer(), self.unit)})


class Option(NamedTuple):
    """One of the sentences of a choice, and what there is to say to who chose it."""

    text: Remark
    reason: Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Guessable):
    """One of several sentences; `answer` gives the place of the right one, `figures` what is added to its reason."""

    options: tuple[Option, ...]
    answer: Callable[[], int]
    figures: Reason = nothing

    def check(self, given: int) -> Verdict:
        """Whether `given` is the place of the right option."""
        if given == self.answer():
            return Verdict("right", tuple(self.reason()))
        return Verdict("wrong", (self.options[given].reason,))

    def guessed(self, given: str) -> Verdict:
        """What the guess of the place `given` is worth, and why the right option is right."""
        verdict = self.check(int(given))
        return verdict if verdict.word == "right" else Verdict("wrong", (*verdict.remarks, *self.reason()))

    def truth(self) -> Remark:
        """The right option."""
        return self.options[self.answer()].text

    def reason(self) -> Sequence[Remark]:
        """Why the right option is right."""
        return (self.options[self.answer()].reason, *self.figures())


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Question):
    """Several things to be put in order; `answer` gives their places, the first one first."""

    options: tuple[Remark, ...]
    answer: Callable[[], tuple[int, ...]]
    reason: Reason

    def check(self, given: Sequence[int]) -> Verdict:
        """Whether `given` are the places in the right order; close if one exchange of neighbours is missing."""
        given, answer = list(given), list(self.answer())
        if given == answer:
            return Verdict("right", tuple(self.reason()))
        for at in range(len(given) - 1):
            if [*given[:at], given[at + 1], given[at], *given[at + 2 :]] == answer:
                return Verdict("close", (Remark("Two neighbours are in the wrong order."),))
        first = Remark("The first one is right.") if given[:1] == answer[:1] else Remark("The first one is another.")
        return Verdict("wrong", (first,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Question):
    """An edit of the network on the workbench: `missing` says what is still to do.

    `solution` is one way to do it, as the texts of a network by key; nobody is shown it.
    """

    missing: Callable[[Network], list[Remark]]
    solution: dict[str, str]
    reason: Callable[[Network], Sequence[Remark]]

    def check(self, given: Network) -> Verdict:
        """Whether the network is what is asked for; close if one thing is missing."""
        missing = tuple(self.missing(given))
        if not missing:
            return Verdict("right", tuple(self.reason(given)))
        return Verdict("close" if len(missing) == 1 else "wrong", missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Question):
    """Finished runs that answer a question; `found` says what they tell, or is empty if there are none."""

    found: Callable[[Sequence[Finished]], list[Remark]]

    def check(self, given: Sequence[Finished]) -> Verdict:
        """Whether such runs are among `given`."""
        remarks = tuple(self.found(given))
        if remarks:
            return Verdict("right", remarks)
        return Verdict(
            "wrong",
            (Remark("No such run has finished yet. Finished runs in your folder: {count}.", {"count": len(given)}),),
        )


Ask = Number | Choice | Order | Edit | Trial


def to_predict(ask: Ask) -> TypeGuard[Number | Choice]:
    """Whether a guess is asked for before the workbench is seen."""
    return isinstance(ask, Guessable) and ask.predict


class Theme(StrEnum):
    """What a task is about."""

    COST = "cost"
    STRUCTURE = "structure"
    TRAINING = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exercise.

    `start` is the network on the workbench at the beginning, as texts by key; `beside` are those it is compared with;
    `bench` are the parts of the workbench. `minutes` are those it takes about, trainings not counted. `terms` are keys
    of the glossary.
    """

    key: str
    title: Remark
    theme: Theme
    minutes: int
    question: Remark
    start: dict[str, str]
    bench: tuple[str, ...]
    asks: tuple[Ask, ...]
    hints: tuple[Remark, ...]
    beside: tuple[dict[str, str], ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether networks are trained in it."""
        return any(isinstance(ask, Trial) for ask in self.asks)

    def bench_of(self, ask: Ask) -> tuple[str, ...]:
        """The parts of the workbench for one of its questions."""
        return ask.bench or self.bench
