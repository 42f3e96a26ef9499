"""Lesson links: a teacher chooses what is not shown, and hands on a link that opens exactly that."""

from dataclasses import replace

import streamlit as st

from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import HIDEABLE, address, write
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import translated


def notice() -> None:
    """That the link hides some controls, and a button that shows them."""
    hidden = current().hide
    if hidden:
        names = t(", ").join(t(HIDEABLE[name]) for name in hidden)
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="hidden parts"):
            st.caption(t("Not shown in this lesson: {names}.", names=names), width="content")
            st.button(t("Show all"), key="show all", type="tertiary", on_click=_show_all)


def _show_all() -> None:
    edit(lambda state: replace(state, hide=()))


def show(url: str, page: str) -> None:
    """The choice of what a lesson hides, and the link to `page`, which is at `url`, in this state; folded at first."""
    with st.expander(t("Link for a lesson"), key="lesson", on_change="rerun") as lesson:
        if lesson.open:
            _show(url, page)


def _show(url: str, page: str) -> None:
    hidden = st.multiselect(
        t("Hide in the lesson"),
        list(HIDEABLE),
        default=list(current().hide),
        format_func=lambda name: t(HIDEABLE[name]),
        placeholder=t("nothing"),
        key=translated("hide"),
    )
    state = replace(current(), hide=tuple(name for name in HIDEABLE if name in hidden))
    st.code(address(url, write(state, page)), language=None, wrap_lines=True)
