"""The first line of every page: its title and the language switch."""

from dataclasses import replace

import streamlit as st

from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.link import LANGUAGES
from vggexplorer.ui.session import session
from vggexplorer.ui.state import edit
from vggexplorer.ui.widgets import shows


def show(title: str, subtitle: str) -> None:
    """The page's title (Markdown), what it is about, and the language switch."""
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        st.markdown(f"# {title}", width="content")
        st.markdown(f":small[{subtitle}]", width="content")
        st.space("stretch")
        st.segmented_control(
            t("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            required=True,
            default=language(),
            label_visibility="collapsed",
            **shows("language", language(), _switch_language),
        )


def _switch_language(key: str) -> None:
    chosen = session[key]
    edit(lambda state: replace(state, lang=chosen))
