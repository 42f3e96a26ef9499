"""What a visitor has done of the tasks: kept by the browser alone, with the guesses; the server stores none of it."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from vggexplorer.lessons.asks import MOST_DIGITS, Ask, Task, to_predict
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.written import OWN
from vggexplorer.ui.components import script
from vggexplorer.ui.session import session
from vggexplorer.ui.widgets import renew, translated

_KNOWN = {f"{task.key}.{ask.key}" for task in TASKS.values() for ask in task.asks}
_OWN = re.compile(rf"{OWN}\.[0-9a-f]{{8}}[0-9]{{1,2}}")
"""The names of the questions of lessons that teachers wrote."""
_progress = st.components.v2.component("vgg_progress", html="<div></div>", js=script("progress", "learn.js"))


def name_of(task: Task, ask: Ask) -> str:
    """What a question of a task is called among what is done."""
    return f"{task.key}.{ask.key}"


def done() -> Mapping[str, str]:
    """What is done by name, with the guess that was locked, or nothing."""
    found: dict[str, str] = session.setdefault("done", {})
    return found


def is_done(task: Task, ask: Ask) -> bool:
    """Whether a question was answered rightly, or a guess is locked."""
    return name_of(task, ask) in done()


def count(task: Task) -> int:
    """How many questions of a task are done."""
    return sum(is_done(task, ask) for ask in task.asks)


def first_open(task: Task) -> int | None:
    """The place of the first question that is not done; None if all are."""
    return next((place for place, ask in enumerate(task.asks) if not is_done(task, ask)), None)


def covered_by(task: Task) -> int | None:
    """The place of the first guess that is not locked yet: what comes after it would show its answer."""
    return next((place for place, ask in enumerate(task.asks) if to_predict(ask) and not is_done(task, ask)), None)


def place(task: Task) -> int:
    """The place of the question that is asked: the one that was gone to, else the first that is not done."""
    chosen: int | None = session.setdefault("at", {}).get(task.key)
    found = chosen if chosen is not None else first_open(task) or 0
    covered = covered_by(task)
    return min(found, len(task.asks) - 1 if covered is None else covered)


def is_chosen(task: Task) -> bool:
    """Whether the visitor went to the question that is asked; else what is done has led there."""
    return task.key in session.setdefault("at", {})


def go(task: Task, place: int) -> None:
    """Ask the question at a place of a task, until another one is gone to."""
    session["at"] = session.get("at", {}) | {task.key: place}


def add(items: Any) -> None:
    """Take what is done, from a check or from the browser; whatever else the browser may hold is left out."""
    known = {}
    if isinstance(items, dict):
        known = {
            name: guess
            for name, guess in items.items()
            if _is_known(name) and isinstance(guess, str) and len(guess) <= MOST_DIGITS
        }
    session["done"] = dict(done()) | {name: guess for name, guess in known.items() if name not in done()}


def _is_known(name: Any) -> bool:
    return isinstance(name, str) and (name in _KNOWN or _OWN.fullmatch(name) is not None)


def forget(task: Task | None = None) -> None:
    """Forget what is done of a task, or of all, with the answers that stand there and what was said to them."""

    def stays(name: str) -> bool:
        return task is not None and name.partition(".")[0] != task.key

    for name in _KNOWN.union(done()):
        if not stays(name):
            renew(answer_key(name))
    for kept in ("done", "checked", "hints", "at"):  # by the names of questions, or of tasks
        session[kept] = {name: value for name, value in session.get(kept, {}).items() if stays(name)}
    session.update({"told": list(filter(stays, session.get("told", []))), "forget": secrets.token_hex(4)})


def answer_key(name: str) -> str:
    """The name of the widget that holds the answer to a question."""
    return translated(f"answer {name}")


def keep() -> None:
    """Have the browser keep what is done, and say what it knows of an earlier visit."""

    def found() -> None:
        add(session["progress"].get("found"))

    data = {"done": dict(done()), "session": session["id"], "forget": session.get("forget", "")}
    _progress(key="progress", data=data, on_found_change=found)
