"""The state of a session: the value of `vggexplorer.ui.link`, its place in the URL, its past.

Callbacks change the state by `edit`. Every run begins with `begin`, which reads the URL where it counts,
and with `publish`, which writes it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vggexplorer.architectures import ChannelsLastError, Network
from vggexplorer.errors import InputError
from vggexplorer.layers import Shape
from vggexplorer.paths import EXPLORE, PAGES, RUNS, TRAIN, root
from vggexplorer.text import checked
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import TABS, State, follow, read, write
from vggexplorer.ui.session import session

MAX_UNDO = 200
VIEW = ("runs", "sweep", "task", "tasks", "lesson", "hide", "tab", "shade", "view")
"""What is in view rather than edited: Undo leaves it."""


def current() -> State:
    """The state of this session."""
    state: State = session["state"]
    return state


def begin() -> None:
    """Read the URL in a new session and after Back or Forward; call it first in every run."""
    context = get_script_run_ctx()
    params = {key: st.query_params.get_all(key) for key in st.query_params}
    if "state" not in session:
        session["id"] = secrets.token_hex(8)
        _take(*read(params))
        session["own network"] = not {"arch", "task"}.isdisjoint(params)
        session.update(past=[], future=[])
    elif getattr(context, "is_history_navigation", False) and not _passing(params):  # Streamlit 1.67 has it
        _take(*follow(current(), params, _page()))


def _take(state: State, errors: list[InputError]) -> None:
    _show(state)
    session["complaints"] = [("page", error) for error in errors]


def _passing(params: Mapping[str, list[str]]) -> bool:
    """Whether the URL is one that was never seen: from each change to another page the browser keeps two.

    One of the page that is left, with the parameters of the other, and a bare one of the other.
    """
    is_left = params == session.get("passed", {}).get(_page())
    session["passing"] = is_left and (session["page"] != _page() or session.get("passing", False))  # it may come twice
    return session["passing"] or (not params and bool(session.get("pages changed")))


def _page() -> str:
    last = urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2]
    return last if last in PAGES else EXPLORE


def visit(page: str) -> None:
    """Note which page is shown; by its tab one comes to what it shows first: to the list of Runs, to what Train trains.

    A callback, a link and Back lead to what they say.
    """
    sent, before = session.pop("sent", False), session.setdefault("page", page)
    if page == before:
        return
    session.update({"page": page, "pages changed": True, "left": before})
    if page in (TRAIN, RUNS) and not sent and not st.query_params:
        chosen = session.get("chosen runs", [])
        look_at(*(chosen if page == RUNS and len(chosen) > 1 else ()))


def publish(page: str) -> None:
    """Make the URL that of `page` with what is in view now."""
    params = write(current(), page, session["own network"])
    shown = {key: st.query_params.get_all(key) for key in st.query_params}
    wanted = {key: [text] if isinstance(text, str) else text for key, text in params.items()}
    if left := session.pop("left", None):
        session["passed"] = session.get("passed", {}) | {left: wanted}
    if shown != wanted:
        st.query_params.from_dict(params)


def edit(change: Callable[[State], State], at: str = "page") -> None:
    """Change the state and remember the one before; what is not allowed is said at `at` and changes nothing."""
    before = current()
    try:
        after = change(before)
        checked(after.network)
    except InputError as error:
        session["complaints"] = [(at, error)]
        return
    session["complaints"] = []
    if after != before:
        session["past"] = [*session["past"][-MAX_UNDO:], before]
        session["future"] = []
        _show(after)


def edit_network(change: Callable[[Network], Network], at: str = "page") -> None:
    """Change the network being edited."""
    edit(lambda state: replace(state, network=change(state.network)), at)


def edit_architecture(at: str = "page", **changes: Any) -> None:
    """Change fields of the architecture being edited."""
    edit_network(lambda network: network._replace(architecture=replace(network.architecture, **changes)), at)


def look_at(*runs: str, tab: str = "") -> None:
    """Have the training runs with these ids in view, a single one on Runs with `tab` open; nothing to be undone."""
    state = current()
    _show(replace(state, runs=runs, tab=tab if tab or state.tab in TABS[RUNS] else state.tab))


def look_at_sweep(sweep: str | None) -> None:
    """Have the sweep with this id in view, and no runs; nothing that can be undone."""
    _show(replace(current(), runs=(), sweep=sweep))


def look_at_tab(tab: str) -> None:
    """Have a tab of the page open; nothing that can be undone."""
    _show(replace(current(), tab=tab))


def look_at_lesson(text: str) -> None:
    """Have the lesson with this text in view, or none; nothing that can be undone."""
    _show(replace(current(), lesson=text))


def look_by(shade: str) -> None:
    """Have the drawing coloured by the shares of a quantity, or by the kinds of layers; nothing that can be undone."""
    _show(replace(current(), shade=shade))


def look_from(view: str | None) -> None:
    """Have the page shown as `view` says; nothing that can be undone."""
    _show(replace(current(), view=view))


def go(page: str) -> None:
    """Have `travel` switch to a page, once the callbacks are through."""
    session["go to"] = page


def travel() -> None:
    """Switch to the page that a callback asked for."""
    if page := session.pop("go to", None):
        session["sent"] = True
        st.switch_page(str(root() / "pages" / f"{page}.py"))


def undo() -> None:
    """Go back to the state before the last edit."""
    _step("past", "future")


def redo() -> None:
    """Take the last undo back."""
    _step("future", "past")


def _step(source: str, target: str) -> None:
    if session[source]:
        *rest, state = session[source]
        session[target] = [*session[target], current()]
        now = current()
        state = replace(state, **{name: getattr(now, name) for name in VIEW})
        session[source] = rest
        session["complaints"] = []
        _show(state)


def _show(state: State) -> None:
    session.update(state=state, lang=state.lang)


def complain(at: str) -> bool:
    """Show what was wrong in the last edit made at `at`; whether there was anything."""
    errors = [error for place, error in session["complaints"] if place == at]
    for error in errors:
        st.error(literal(sentence(error)), icon=":material/error:")
        if isinstance(error, ChannelsLastError):
            text = "x".join(map(str, error.shape))
            st.button(t("Use {input}", input=text), key=f"use {text} {at}", on_click=use_input, args=(error.shape,))
    return bool(errors)


def use_input(shape: Shape) -> None:
    """Give the network in view another input."""
    edit_network(lambda network: network._replace(input_shape=shape))
