"""`st.session_state`, safe in callbacks: the next request does not break one off.

Streamlit looks for a next request whenever the session's state is touched, and begins anew if there is one. In a
callback that would lose an edit for good: its widget has the new value already and will not report it again.
"""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx

T = TypeVar("T")
_waiting: dict[str, list[RerunData]] = {}
"""Requests that came while callbacks ran, by session: Streamlit gets them back once the script has begun."""
_instead: ContextVar[dict[str, Any] | None] = ContextVar("instead", default=None)


@contextmanager
def instead(values: dict[str, Any]) -> Iterator[None]:
    """Within it, `values` stand for those of a session: for a request that comes without one."""
    token = _instead.set(values)
    try:
        yield
    finally:
        _instead.reset(token)


def _values() -> MutableMapping[Any, Any]:
    own = _instead.get()
    return st.session_state if own is None else own


class Session(MutableMapping[str, Any]):
    """The values of the present session by name."""

    def __getitem__(self, name: str) -> Any:
        return _whole(lambda: _values()[name])

    def __setitem__(self, name: str, value: Any) -> None:
        _whole(lambda: _values().__setitem__(name, value))

    def __delitem__(self, name: str) -> None:
        _whole(lambda: _values().__delitem__(name))

    def __iter__(self) -> Iterator[Any]:
        return _whole(lambda: iter(_values()))

    def __len__(self) -> int:
        return _whole(lambda: len(_values()))


def _whole(access: Callable[[], T]) -> T:
    context = None if _instead.get() is not None else get_script_run_ctx()
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
