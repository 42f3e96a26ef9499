"""Learn's first page: the tasks as cards by theme, where to go on, a teacher's choice of them, and the glossary."""

from collections.abc import Sequence
from dataclasses import replace
from math import log2, sqrt
from typing import Any, Literal

import streamlit as st

from vggexplorer.lessons.asks import Task, Theme
from vggexplorer.lessons.glossary import GLOSSARY
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.palette import COLORS
from vggexplorer.paths import LEARN
from vggexplorer.summary import Group, summarize
from vggexplorer.text import parse_network
from vggexplorer.ui import lesson_link, share
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import plain, say, t
from vggexplorer.ui.learn import lesson, own, progress
from vggexplorer.ui.learn.task import explained, open_task
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import translated

THEMES = {Theme.COST: "Cost", Theme.STRUCTURE: "Structure", Theme.TRAINING: "Training"}
"""What the themes are called."""

_cards = st.components.v2.component(
    "vgg_cards",
    html='<div class="cards part"></div>',
    css=STYLE
    + f"""
.conv {{ fill: {COLORS["conv"]}; }}
.fc {{ fill: {COLORS["fc"]}; }}
"""
    + """
h2 { font-size: var(--type-section, 1.33rem); font-weight: 650; margin: 1.2rem 0 0.6rem; }
section:first-child h2 { margin-top: 0.2rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; }
ul { grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); }
li { display: flex; }
.card { flex: 1; display: grid; grid-template-columns: 1fr auto; gap: 0.3rem 0.7rem; padding: 0.8rem 1rem; }
.card { border: 1px solid var(--st-border-color); border-radius: 0.5rem; grid-template-rows: auto 1fr auto; }
.card:hover { border-color: var(--st-primary-color); }
strong { font-size: var(--type-text, 1rem); line-height: 1.35; }
svg { width: 5.4rem; height: 2.6rem; grid-row: 1 / span 1; grid-column: 2; }
p { grid-column: 1 / -1; margin: 0; font-size: 0.87rem; line-height: 1.45; opacity: 0.85; }
.foot { grid-column: 1 / -1; display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 0.9rem; }
.foot { font-size: 0.82rem; }
.dots { letter-spacing: 0.15em; color: var(--st-primary-color); }
.state { font-weight: 600; }
""",
    js=script("cards", "learn.js"),
)


def show() -> None:
    """The tasks with what is done of each, and the glossary."""
    tasks = lesson.tasks()
    own.card()
    if current().tasks:
        _about_lesson()
    _progress(tasks)
    _show_cards(tasks)
    with st.expander(t("Make a lesson"), icon=":material/link:", key="make a lesson", on_change="rerun") as panel:
        if panel.open:
            _make_lesson()
    own.show()
    with st.expander(t("Glossary"), icon=":material/menu_book:", key="glossary"):
        st.markdown("\n".join(f"- {explained(term)}" for term in GLOSSARY.values()))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="kept"):
        st.caption(t("What is done is kept in this browser only."), width="content")
        if progress.done():
            st.button(
                t("Forget what is done"),
                key="forget",
                type="tertiary",
                on_click=progress.forget,
            )


def _about_lesson() -> None:
    """That a link has chosen some tasks, and the way to all of them."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="lesson line"):
        count = len(lesson.tasks())
        st.markdown(t("This lesson has {count} {count:task|tasks}.", count=count), width="content")
        st.button(t("Show all tasks"), key="all of them", type="tertiary", on_click=_leave_lesson)


def _leave_lesson() -> None:
    edit(lambda state: replace(state, tasks=(), hide=()))


def _progress(tasks: Sequence[Task]) -> None:
    solved = sum(progress.first_open(task) is None for task in tasks)
    with st.container(horizontal=True, gap="large", vertical_alignment="center", key="progress line"):
        words = t("{solved} of {all} tasks {solved:is|are} done.", solved=solved, all=len(tasks))
        st.progress(solved / len(tasks), words, width=420)
        if following := _to_go_on(tasks):
            begun = progress.count(following) > 0
            name = say(following.title)
            label = t("Continue: {title}", title=name) if begun else t("Begin: {title}", title=name)
            kind: Literal["primary", "secondary"] = "secondary" if current().lesson else "primary"  # one in a page
            st.button(label, key="go on", type=kind, on_click=open_task, args=(following,))


def _to_go_on(tasks: Sequence[Task]) -> Task | None:
    """The task that was begun, else the first that is not done."""
    open_ = [task for task in tasks if progress.first_open(task) is not None]
    return next((task for task in open_ if progress.count(task)), open_[0] if open_ else None)


# --- cards -----------------------------------------------------------------------------------------------------


def _show_cards(tasks: Sequence[Task]) -> None:
    def opened() -> None:
        open_task(TASKS.get(str(session["cards"].get("open"))))

    groups = [
        {"theme": t(THEMES[theme]), "cards": [_card(task) for task in tasks if task.theme == theme]} for theme in Theme
    ]
    _cards(key="cards", data={"groups": [group for group in groups if group["cards"]]}, on_open_change=opened)


def _card(task: Task) -> dict[str, Any]:
    done, count = progress.count(task), len(task.asks)
    return {
        "key": task.key,
        "title": _numbered(task),
        "question": plain(task.question),
        "minutes": t("{minutes} min", minutes=task.minutes),
        "trains": t("trains networks") if task.trains else "",
        "dots": "●" * done + "○" * (count - done),
        "state": t("✓ done") if done == count else t("{done} of {count}", done=done, count=count),
        "bars": _bars(task),
    }


def _numbered(task: Task) -> str:
    return f"{list(TASKS).index(task.key) + 1}. {plain(task.title)}"


def _bars(task: Task) -> list[dict[str, Any]]:
    """The network that a task begins with, in a few bars: a block as high as its maps, as wide as its channels."""
    summary = summarize(*parse_network(task.start))
    side = summary.input_shape[1]
    return [_bar(group, side) for group in summary.groups() if group.totals.params]


def _bar(group: Group, side: int) -> dict[str, Any]:
    shape = group.rows[0].output_shape
    if len(shape) == 1:
        return {"part": "fc", "high": log2(1 + shape[0]) / 13, "wide": 0.35}
    return {"part": "conv", "high": sqrt(min(1.0, shape[1] / side)), "wide": 0.35 + log2(shape[0]) / 9}


# --- a teacher's choice -------------------------------------------------------------------------------------------


def _make_lesson() -> None:
    """Tasks to tick, what to hide, and the link to exactly that, with its QR code."""
    st.caption(t("Choose the tasks, and what to hide. Whoever opens the link sees only these tasks."))
    chosen = st.pills(
        t("Tasks of the lesson"),
        list(TASKS),
        selection_mode="multi",
        default=list(current().tasks),
        format_func=lambda key: _numbered(TASKS[key]),
        key=translated("lesson tasks"),
    )
    hidden = lesson_link.choice()
    if not chosen and not hidden:
        st.caption(t("The link appears here."))
        return
    tasks = tuple(key for key in TASKS if key in chosen)
    state = replace(current(), task=None, tasks=tasks, lesson="", hide=hidden)
    share.link(LEARN, state, t("This link opens the lesson."))
