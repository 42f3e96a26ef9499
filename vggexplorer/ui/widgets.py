"""Widgets that show a value of the session's state.

The browser sends the values of all widgets with each request, and a request that was on its way while
the page changed a widget still carries the old value: to Streamlit this looks as if a person had set
it back. So a widget that the page changes gets a new key, and an old value finds nobody.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st


def key_of(name: str) -> str:
    """The present key of the widget `name`."""
    generation = st.session_state.setdefault("generations", {}).get(name, 0)
    return f"{name} #{generation}" if generation else name


def seeded(name: str, value: Any) -> str:
    """The key of the widget `name`, which will show `value`."""
    key = key_of(name)
    if key in st.session_state and st.session_state[key] != value:
        generations = st.session_state["generations"]
        st.session_state["generations"] = generations | {name: generations.get(name, 0) + 1}
        key = key_of(name)
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def number(
    label: str,
    value: float | None,
    name: str,
    on_change: Callable[..., None],
    *args: Any,
    bounds: tuple[float, float],
    **options: Any,
) -> None:
    """A number field; `on_change` gets its key and `args`.

    `value` is the field's default as well: one that is emptied takes it again, not the lowest value.
    """
    key = seeded(name, value)
    st.number_input(label, *bounds, value, key=key, on_change=on_change, args=(key, *args), **options)
