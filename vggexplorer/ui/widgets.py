"""Widgets that show a value of the session's state."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def seeded(key: str, value: Any) -> str:
    """The widget key `key`, whose widget will show `value`: set only if it differs, so that no typing is disturbed."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def number(
    label: str,
    value: float,
    key: str,
    on_change: Callable[..., None],
    *args: Any,
    bounds: tuple[float, float],
    **options: Any,
) -> None:
    """A number field. `value` is its default as well: an emptied field takes it again, in place of the lowest value."""
    st.number_input(label, *bounds, value, key=seeded(key, value), on_change=on_change, args=(key, *args), **options)
