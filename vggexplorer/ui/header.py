"""The first line of every page: its title and what it is about."""

import streamlit as st


def show(title: str, subtitle: str) -> None:
    """The page's title and what it is about (both Markdown), on one baseline."""
    with st.container(horizontal=True, key="header"):
        st.markdown(f"# {title}", width="content")
        with st.container(key="subtitle", width="content"):
            st.markdown(subtitle, width="content")
