"""Lesson links: a teacher chooses what is not shown, and who opens the link is told of it."""

from dataclasses import replace

import streamlit as st

from vggexplorer.ui.i18n import capital, t
from vggexplorer.ui.link import HIDEABLE
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


def choice() -> tuple[str, ...]:
    """A choice of what the link hides; what was chosen."""
    hidden = st.multiselect(
        t("Hide in the lesson"),
        list(HIDEABLE),
        default=list(current().hide),
        format_func=lambda name: capital(t(HIDEABLE[name])),
        placeholder=t("Nothing"),
        key=translated("hide"),
    )
    return tuple(name for name in HIDEABLE if name in hidden)
