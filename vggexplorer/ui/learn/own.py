"""A lesson of a teacher's own: the field in which it is written, what is wrong in it, and how it is handed on."""

from dataclasses import replace

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.lessons import written
from vggexplorer.lessons.asks import Task
from vggexplorer.lessons.packed import pack
from vggexplorer.lessons.written import MOST_TEXT, OWN, MistakesError
from vggexplorer.paths import LEARN
from vggexplorer.text import parse_network
from vggexplorer.ui import components, share
from vggexplorer.ui.i18n import language, literal, say, sentence, t
from vggexplorer.ui.learn import progress
from vggexplorer.ui.learn.task import open_task
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, look_at_lesson
from vggexplorer.ui.widgets import keeps, shows

_HEIGHT = 420
"""Of the field, in pixels: the example's first question is seen in it."""


def card() -> None:
    """The lesson that was opened from a link or a file, or written here; an empty place if there is none."""
    with st.container(key="own lesson place"):
        if task := current().own_task():
            with st.container(border=True, gap="small", key="own lesson"):
                _card(task)


def _card(task: Task) -> None:
    count, done = len(task.asks), progress.count(task)
    st.markdown(f"**{say(task.title)}**")
    st.markdown(say(task.question))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="own lesson line"):
        _open_button(task, "open own")
        state = t("✓ done") if done == count else t("{done} of {count}", done=done, count=count)
        st.caption(f"{'●' * done}{'○' * (count - done)} {state}", width="content")
        st.button(t("Close the lesson"), key="close own", type="tertiary", on_click=look_at_lesson, args=("",))


def _open_button(task: Task, key: str) -> None:
    st.button(t("Open the lesson"), key=key, type="primary", on_click=open_task, args=(task,))


def show() -> None:
    """A folded part: the text of a lesson, and once it was tried, its file and its link."""
    label = t("A lesson of your own: write it, or open its file")
    with st.expander(label, icon=":material/edit_note:", key="write a lesson", on_change="rerun") as panel:
        if panel.open:
            _write()


def _write() -> None:
    st.caption(
        t(
            "Questions of your own: the answer is a formula of the networks' figures, or a sentence to choose. "
            "docs/class.md describes the words; the example has them all."
        )
    )
    draft = _draft()
    st.text_area(
        t("The text of the lesson"), draft, height=_HEIGHT, max_chars=MOST_TEXT, **shows("lesson text", draft, _type)
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="lesson buttons"):
        st.button(t("Try it"), key="try lesson", type="primary", on_click=_try)
        st.button(t("Back to the example"), key="lesson example", type="tertiary", on_click=_begin)
    _tell_mistakes()
    if (task := current().own_task()) and _may_be_read() and not session.get("lesson mistakes"):
        _hand_on(task)
    st.file_uploader(
        t("Or open a lesson file"), type=["txt", "md"], max_upload_size=1, **keeps("lesson file", _read_file)
    )


def _may_be_read() -> bool:
    """Whether the text of the lesson may be shown: it has the answers."""
    return "working" not in current().hide


def _draft() -> str:
    """What stands in the field: what was typed, else the lesson that is open, else the example."""
    typed: str | None = session.get("draft")
    if typed is not None:
        return typed
    return (_may_be_read() and current().lesson) or written.example(language())


def _type(key: str) -> None:
    session.update({"draft": session[key], "lesson mistakes": ()})


def _begin() -> None:
    session.update({"draft": None, "lesson mistakes": ()})
    look_at_lesson("")


def _try() -> None:
    _take(_draft())


def _read_file(key: str) -> None:
    if file := session[key]:
        try:
            text = written.decoded(file.getvalue())
        except InputError as error:
            session["lesson mistakes"] = (error,)
            return
        session["draft"] = text
        _take(text)


def _take(text: str) -> None:
    """Have a lesson in view, or say what is wrong in it."""
    try:
        written.read(text)
        pack(text)
    except InputError as error:
        session["lesson mistakes"] = error.mistakes if isinstance(error, MistakesError) else (error,)
        return
    session["lesson mistakes"] = ()
    look_at_lesson(text)


def _tell_mistakes() -> None:
    mistakes: tuple[InputError, ...] = session.get("lesson mistakes", ())
    if mistakes:
        st.error("\n".join(f"- {literal(sentence(each))}" for each in mistakes), icon=":material/error:")


def _hand_on(task: Task) -> None:
    """The lesson that was tried as a file, and the link that opens it."""
    count = len(task.asks)
    st.success(t("The lesson has {count} {count:question|questions}.", count=count), icon=":material/check_circle:")
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="lesson hand on"):
        _open_button(task, "open what was tried")
        file = {"label": t("Download the lesson"), "name": "lesson.txt", "text": current().lesson}
        components.downloads([file], "", key="lesson download")
    state = replace(current(), task=OWN, tasks=(), network=parse_network(task.start))
    share.link(LEARN, state, t("This link opens the lesson."))
