"""What a task asks for, and how an answer is judged: a number, a choice, an order, an edit, a finished run.

Texts are `Remark`s: an English template and its values, so that a page can show them in another language.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Literal, NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.comparison import Remark
from vggexplorer.runs.config import Config


class Finished(NamedTuple):
    """A training run that has ended well: what was asked, and the share of test images it gets right."""

    name: str
    config: Config
    test_acc: float


class Verdict(NamedTuple):
    """Whether an answer is right, close or wrong, and what there is to say about it."""

    word: Literal["right", "close", "wrong"]
    remarks: tuple[Remark, ...] = ()


CLOSE = 0.05
"""An answer that is off by at most this share, but by more than its tolerance, is close."""
MOST_DIGITS = 40
"""Characters of a number that are read."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_SCALES = (10**3, 10**6, 10**9)


def parse_number(text: str) -> float | None:
    """The number in `text`: 172, 172.0, 42,991,616, 4.5e-5, full-width digits, and a sign such as % after it."""
    plain = unicodedata.normalize("NFKC", text[:MOST_DIGITS]).replace("、", ",").replace("−", "-")
    plain = re.sub(r"(?<=[0-9])[\s_'](?=[0-9])", ",", plain.strip())
    plain = re.sub(r"(?<=[0-9.])\s*[a-zA-Z%×倍]{1,8}$", "", plain)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    return float(plain) if _NUMBER.fullmatch(plain) else None


@dataclass(frozen=True, slots=True)
class Number:
    """A number in `unit`, right within `tolerance` (a share of it; 0 is exact); `slips` are known mistakes."""

    key: str
    text: Remark
    answer: Callable[[], float]
    unit: str = ""
    tolerance: float = 0.0
    slips: Callable[[], Sequence[tuple[float, Remark]]] = tuple

    def check(self, given: str) -> Verdict:
        """Whether the number in `given` is the answer."""
        number = parse_number(given)
        if number is None:
            return Verdict("wrong", (Remark("Write a number, as in 42,991,616 or 172.0."),))
        answer = self.answer()
        if isclose(number, answer, rel_tol=self.tolerance, abs_tol=1e-12):
            return Verdict("right")
        for value, remark in self.slips():
            if isclose(number, value, rel_tol=max(self.tolerance, 0.001)):
                return Verdict("close", (remark,))
        if isclose(number, answer, rel_tol=CLOSE):
            return Verdict("close", (Remark("Almost: count or round more exactly."),))
        near = max(self.tolerance, 0.001)
        if any(isclose(number * scale, answer, rel_tol=near) for each in _SCALES for scale in (each, 1 / each)):
            return Verdict("close", (Remark("The digits are right, the unit is not."),))
        return Verdict("wrong", (Remark("It is less."),) if number > answer else (Remark("It is more."),))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sentences; `answer` gives the place of the right one."""

    key: str
    text: Remark
    options: tuple[Remark, ...]
    answer: Callable[[], int]

    def check(self, given: int) -> Verdict:
        """Whether `given` is the place of the right option."""
        return Verdict("right" if given == self.answer() else "wrong")


@dataclass(frozen=True, slots=True)
class Order:
    """Several things to be put in order; `answer` gives their places, the first one first."""

    key: str
    text: Remark
    options: tuple[Remark, ...]
    answer: Callable[[], tuple[int, ...]]

    def check(self, given: Sequence[int]) -> Verdict:
        """Whether `given` are the places in the right order; close if one exchange of neighbours is missing."""
        given, answer = list(given), list(self.answer())
        if given == answer:
            return Verdict("right")
        if sorted(given) != sorted(answer):
            remark = Remark("Choose all {count}, one after the other.", {"count": len(answer)})
            return Verdict("wrong", (remark,))
        for at in range(len(given) - 1):
            if [*given[:at], given[at + 1], given[at], *given[at + 2 :]] == answer:
                return Verdict("close", (Remark("Two neighbours are in the wrong order."),))
        return Verdict("wrong")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the network on the workbench: `missing` says what is still to do.

    `solution` is one way to do it, as the texts of a network by key; nobody is shown it.
    """

    key: str
    text: Remark
    missing: Callable[[Network], list[Remark]]
    solution: dict[str, str]

    def check(self, given: Network) -> Verdict:
        """Whether the network is what is asked for; close if one thing is missing."""
        missing = tuple(self.missing(given))
        return Verdict("right" if not missing else "close" if len(missing) == 1 else "wrong", missing)


@dataclass(frozen=True, slots=True)
class Trial:
    """Finished runs that answer a question; `found` says what they tell, or is empty if there are none."""

    key: str
    text: Remark
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


@dataclass(frozen=True, slots=True)
class Task:
    """One exercise.

    `start` is the network on the workbench at the beginning, as texts by key; `beside` are those it is compared with;
    `bench` are the parts of the workbench. `terms` are keys of the glossary. `working` computes what "show the
    working" says.
    """

    key: str
    title: Remark
    question: Remark
    start: dict[str, str]
    bench: tuple[str, ...]
    asks: tuple[Ask, ...]
    hints: tuple[Remark, ...]
    working: Callable[[], list[Remark]]
    beside: tuple[dict[str, str], ...] = ()
    terms: tuple[str, ...] = ()
