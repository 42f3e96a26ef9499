"""`st.session_state`, safe in callbacks: the next request does not break one off.

Streamlit looks for a next request whenever the session's state is touched, and begins anew if there is one. In a
callback that would lose an edit for good: its widget has the new value already and will not report it again.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx

T = TypeVar("T")
_waiting: dict[str, list[RerunData]] = {}
"""Requests that came while callbacks ran, by session: Streamlit gets them back once the script has begun."""


class Session(MutableMapping[str, Any]):
    """The values of the present session by name."""

    def __getitem__(self, name: str) -> Any:
        return _whole(lambda: st.session_state[name])

    def __setitem__(self, name: str, value: Any) -> None:
        _whole(lambda: st.session_state.__setitem__(name, value))

    def __delitem__(self, name: str) -> None:
        _whole(lambda: st.session_state.__delitem__(name))

    def __iter__(self) -> Iterator[Any]:
        return _whole(lambda: iter(st.session_state))

    def __len__(self) -> int:
        return _whole(lambda: len(st.session_state))


def _whole(access: Callable[[], T]) -> T:
    context = get_script_run_ctx()
    if context is None:
        return access()
    if getattr(context, "has_script_started", True):  # Streamlit 1.67 says it; before, nothing breaks a callback off
        for request in _waiting.pop(context.session_id, []):
            if context.script_requests:
                context.script_requests.request_rerun(request)
        return access()
    while True:
        try:
            return access()
        except RerunException as request:
            _waiting.setdefault(context.session_id, []).append(request.rerun_data)


session = Session()
