"""One task: its questions one at a time, beside the parts of the workbench that the question needs."""

from dataclasses import replace

import streamlit as st

from vggexplorer.catalogue import catalogue
from vggexplorer.lessons.asks import Ask, Task, Trial, to_predict
from vggexplorer.lessons.glossary import GLOSSARY, Term
from vggexplorer.text import parse_network
from vggexplorer.ui.components import script
from vggexplorer.ui.i18n import language, say, t
from vggexplorer.ui.learn import answer, bench, lesson, progress
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import shortcut

STYLE = """<style>
[class*=st-key-task-body] { align-items: flex-start; flex-wrap: nowrap; }
[class*=st-key-task-body] > div:has(> .st-key-bench) {
  position: sticky; top: calc(var(--vgg-bar) + 0.5rem); max-height: calc(100vh - var(--vgg-bar) - 1.5rem);
  overflow-y: auto;
}
.st-key-steps { flex-wrap: wrap; }
.st-key-steps button { min-width: 2.6rem; }
.st-key-question h1 { font-size: var(--type-section, 1.33rem); line-height: 1.3; padding: 0 0 0.4rem; }
[class*=st-key-ask-] { scroll-margin: calc(var(--vgg-bar) + 0.5rem) 0 5rem; }
.st-key-help { flex-wrap: wrap; }
.st-key-beside-the-truth h3 { font-size: var(--type-title, 1.6rem); padding: 0; font-variant-numeric: tabular-nums; }
.st-key-beside-the-truth { margin-bottom: 0.6rem; }
.st-key-covered { min-height: min(24rem, 50vh); justify-content: center; }
.st-key-covered :is(h2, p) { text-align: center; }
.st-key-covered { background: repeating-linear-gradient(135deg, transparent 0 14px, rgb(128 128 128 / 9%) 14px 28px); }
@media (max-width: 1000px) {
  [class*=st-key-task-body] { flex-direction: column; }
  [class*=st-key-task-body] > div { width: 100% !important; position: static !important; max-height: none !important; }
  [class*=st-key-task-body] > div { flex: none; overflow: visible !important; }
}
</style>"""
_arrive = st.components.v2.component("vgg_arrive", html="<div></div>", js=script("arrive", "learn.js"))
_SIDE = 400
"""The width of the question, in pixels."""


def show(task: Task) -> None:
    """The question that is asked, and its workbench."""
    st.html(STYLE)
    ask = asked(task)
    with st.container(horizontal=True, gap="medium", key=f"task body {task.key}"):
        with st.container(width=_SIDE, key="question"):
            _head(task)
            _question(task, ask)
        with st.container(width="stretch", key="bench"):
            if is_covered(task, ask):
                _cover()
            else:
                bench.show(task, ask)


def arrive(task: Task | None) -> None:
    """Have the browser show the question that was gone to, or the tasks, from the top."""
    data = {"task": task.key, "ask": asked(task).key, "chosen": progress.is_chosen(task)} if task else {"task": ""}
    _arrive(key="arrive", data=data)


# --- which question ------------------------------------------------------------------------------------------


def asked(task: Task) -> Ask:
    """The question that is asked now."""
    return task.asks[progress.place(task)]


def is_covered(task: Task, ask: Ask) -> bool:
    """Whether the workbench of a question waits for a guess."""
    return to_predict(ask) and not progress.is_done(task, ask)


def open_task(task: Task | None) -> None:
    """Put a task on the workbench; Undo brings back the network that was there."""
    if task:
        session["own network"] = True
        session["at"] = {}
        edit(lambda state: replace(state, task=task.key, network=parse_network(task.start)))
    else:
        edit(lambda state: replace(state, task=None))


def _begin_again(task: Task) -> None:
    progress.forget(task)
    open_task(task)


# --- the task's head ------------------------------------------------------------------------------------------


def _head(task: Task) -> None:
    tasks = lesson.tasks()
    place = tasks.index(task) if task in tasks else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="task line"):
        st.button(
            t("All tasks"), icon=":material/list:", key="all tasks", type="tertiary", on_click=open_task, args=(None,)
        )
        st.button(
            t("Begin again"),
            icon=":material/restart_alt:",
            key="begin again",
            type="tertiary",
            on_click=_begin_again,
            args=(task,),
        )
        if place is not None:
            st.caption(t("Task {place} of {count}", place=place + 1, count=len(tasks)), width="content")
    st.markdown(f"# {say(task.title)}")
    st.markdown(say(task.question))
    if task.terms:
        _terms(task)
    _steps(task)


def _terms(task: Task) -> None:
    """The words of the task as buttons that open what they mean."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="terms"):
        st.caption(t("Words:"), width="content")
        for key in task.terms:
            with st.popover(say(GLOSSARY[key].name), key=f"term {key}", type="tertiary"):
                st.markdown(explained(GLOSSARY[key]))


def explained(term: Term) -> str:
    """A term with its meaning; readers of Chinese also get the English word, which stands in code and papers."""
    name = f"**{say(term.name)}**"
    if language() == "zh" and catalogue().get(term.name.template) != term.name.template:
        name += f"（“{term.name.template}”）"
    return t("{name}: {value}", name=name, value=say(term.meaning))


def _steps(task: Task) -> None:
    """The questions as numbers, what is done with a tick; one that a guess stands before cannot be gone to."""
    covered = progress.covered_by(task)
    here = progress.place(task)
    with st.container(horizontal=True, gap="xsmall", key="steps"):
        for place, ask in enumerate(task.asks):
            st.button(
                f"{place + 1} ✓" if progress.is_done(task, ask) else f"{place + 1}",
                key=f"step {place + 1}",
                type="secondary" if place == here else "tertiary",
                disabled=covered is not None and place > covered,
                on_click=progress.go,
                args=(task, place),
            )


# --- the question ----------------------------------------------------------------------------------------------


def _question(task: Task, ask: Ask) -> None:
    with st.container(border=True, key=f"ask {ask.key}"):
        place, count = task.asks.index(ask) + 1, len(task.asks)
        st.caption(t("Question {place} of {count}", place=place, count=count))
        st.markdown(f"**{say(ask.text)}**")
        if is_covered(task, ask):
            st.caption(t("Guess first: any number will do. Then the workbench opens and shows what is true."))
        answer.show(task, ask)
        _next(task, ask)
    if not is_covered(task, ask):
        _help(task, ask)


def _next(task: Task, ask: Ask) -> None:
    """The way on: to the next question, or from the last one to the next task."""
    place, done = task.asks.index(ask), progress.is_done(task, ask)
    if is_covered(task, ask):
        return
    if (open_ := progress.first_open(task)) is None:
        _after_all(task)
    elif done or place + 1 < len(task.asks):
        further = place + 1 if place + 1 < len(task.asks) else open_
        label = t("Next question") if done else t("Skip it")
        st.button(
            label,
            key="next question",
            type="primary" if done else "tertiary",
            on_click=progress.go,
            args=(task, further),
            **shortcut("next"),
        )


def _after_all(task: Task) -> None:
    following = lesson.after(task)
    place = task.asks.index(asked(task))
    if place + 1 < len(task.asks):
        st.button(
            t("Next question"), key="next question", on_click=progress.go, args=(task, place + 1), **shortcut("next")
        )
    is_last = following is None and task in lesson.tasks()
    st.markdown(t("**This task is done, and with it all of them.**") if is_last else t("**This task is done.**"))
    if following:
        label = t("Next: {title}", title=say(following.title))
        st.button(
            label,
            key="next task",
            type="primary",
            on_click=open_task,
            args=(following,),
            **(shortcut("next") if place + 1 == len(task.asks) else {}),
        )


def _help(task: Task, ask: Ask) -> None:
    """Hints, one more with each click, and the working."""
    hidden = current().hide
    name = progress.name_of(task, ask)
    has_working = "working" not in hidden and not isinstance(ask, Trial) and not answer.is_reasoned(task, ask)
    told = name in session.setdefault("told", [])
    if "hints" not in hidden:
        _hints(task)
    with st.container(horizontal=True, gap="medium", key="help"):
        if "hints" not in hidden:
            _next_hint(task)
        if has_working and not told:
            label = t("Show the working")
            icon = ":material/visibility:"
            st.button(label, key="show working", type="tertiary", icon=icon, on_click=_tell, args=(name,))
    if has_working and told:
        with st.container(border=True, key="working"):
            answer.give_reason(ask)


def _tell(name: str) -> None:
    session["told"] = [*session["told"], name]


def _hints(task: Task) -> None:
    for place, hint in enumerate(task.hints[: session.setdefault("hints", {}).get(task.key, 0)], 1):
        name = t("Hint {number}", number=place)
        st.info(t("{name}: {value}", name=name, value=say(hint)), icon=":material/lightbulb:")


def _next_hint(task: Task) -> None:
    count = session["hints"].get(task.key, 0)
    if count < len(task.hints):
        label = t("A hint ({number} of {count})", number=count + 1, count=len(task.hints))
        st.button(label, key="hint", icon=":material/lightbulb:", type="tertiary", on_click=_hint, args=(task,))


def _hint(task: Task) -> None:
    shown = session["hints"]
    session["hints"] = shown | {task.key: shown.get(task.key, 0) + 1}


# --- the cover -------------------------------------------------------------------------------------------------


def _cover() -> None:
    with st.container(border=True, key="covered"):
        st.markdown(f"## :material/lock: {t('The workbench is covered')}")
        st.caption(t("It opens when your guess is locked."))
