"""Widgets that show a value of the session's state and report what a person makes of it.

The browser sends the values of all widgets with each request, and a request that was on its way while
the page changed a widget still carries the old value: to Streamlit this looks as if a person had set
it back. So a widget that the page changes gets a new key, and what comes under an old key is ignored.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.link import TABS
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, look_at_tab

Change = Callable[..., None]
SHORTCUTS = {"undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z", "start": "Ctrl+Enter", "next": "Alt+N"}
"""The keys of buttons that are pressed often, as `st.button` takes them."""
ON_A_MAC = {"Ctrl": "⌘", "Alt": "⌥", "Shift": "⇧", "Enter": "↩"}


def key_of(name: str) -> str:
    """The present key of the widget `name`."""
    generation = session.setdefault("generations", {}).get(name, 0)
    return f"{name} #{generation}" if generation else name


DOUBLE_CLICK = 1.5
"""Seconds after a click within which another one is taken for the second half of a double click."""
_clicks: dict[tuple[str, str], float] = {}
_lock = threading.Lock()


def first_click(name: str, key: str) -> bool:
    """Whether this is a click of its own on the button `name`, which was drawn under `key`.

    When clicks follow each other quickly, what the first one's callback wrote into the session's state may
    not be seen by the second one's; so it is remembered here, for each session apart.
    """
    with _lock:
        now, button = time.monotonic(), (session["id"], name)
        if key != key_of(name) or now - _clicks.get(button, float("-inf")) < DOUBLE_CLICK:
            return False
        for old in [each for each, at in _clicks.items() if now - at > DOUBLE_CLICK]:
            del _clicks[old]
        _clicks[button] = now
    renew(name)
    return True


def once(label: str, key: str, on_click: Change, args: Sequence[Any], **options: Any) -> None:
    """A button that starts something: one press counts once, whatever is clicked twice, reloaded or drawn again."""
    present = key_of(key)
    st.button(label, key=present, on_click=_once, args=(key, present, on_click, *args), **options)


def shortcut(name: str, help: str = "") -> dict[str, Any]:
    """What a button that also has the keys of `SHORTCUTS[name]` takes: them, and a help that says them after `help`."""
    keys = SHORTCUTS[name]
    mac = "".join(ON_A_MAC.get(key, key) for key in keys.split("+"))
    text = t("Shortcut: {keys} (on a Mac, {mac})", keys=keys, mac=mac)
    return {"shortcut": keys, "help": f"{help} {text}" if help else text}


def _once(name: str, key: str, act: Change, *args: Any) -> None:
    if first_click(name, key):
        act(*args)


def translated(name: str) -> str:
    """The name of a select whose options are translated: Streamlit tells options apart by what is shown."""
    return name if language() == "en" else f"{name} {language()}"


def renew(name: str) -> None:
    """Have the widget `name` drawn anew, with its default value."""
    generations = session["generations"]
    session["generations"] = generations | {name: generations.get(name, 0) + 1}


def shows(name: str, value: Any, change: Change, *args: Any) -> dict[str, Any]:
    """What a widget needs besides its default, which is to be `value`: key, callback and its arguments.

    `change` gets the key and `args`.
    """
    key = key_of(name)
    if key in session and session[key] != value:
        renew(name)
    return keeps(name, change, *args)


def keeps(name: str, change: Change, *args: Any) -> dict[str, Any]:
    """The same for a widget that keeps what was typed into it."""
    key = key_of(name)
    return {"key": key, "on_change": _changed, "args": (name, key, change, *args)}


def _changed(name: str, key: str, change: Change, *args: Any) -> None:
    if key == key_of(name):
        change(key, *args)


def tabs(page: str, names: Sequence[str], key: str) -> dict[str, TabContainer]:
    """The tabs of `page`, by their keys in `TABS` and in that order; the open one stands in the address."""
    keys = TABS[page]
    open_ = names[keys.index(current().open_tab(page))]

    def open_another(key: str) -> None:
        look_at_tab(keys[names.index(session[key])])

    options = shows(key, open_, open_another)
    drawn = session.get("tabs drawn", {})
    default = drawn.get(options["key"], open_) if options["key"] in session else open_
    session["tabs drawn"] = drawn | {options["key"]: default}  # with another default it would lose the focus
    return dict(zip(keys, st.tabs(names, default=default, **options), strict=True))


def number(label: str, value: Any, name: str, change: Change, *args: Any, **options: Any) -> None:
    """A number field; emptied, it takes `value` again.

    It has no bounds of its own: what is out of bounds gets a sentence from the core, and the field its value back.
    """
    options.setdefault("step", 1)
    st.number_input(label, value=value, **shows(name, value, change, *args), **options)
