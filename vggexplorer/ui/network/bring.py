"""A network of one's own: a box for any text that holds one, a file with it, and the choice where there are several."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.reading.reader import FILES, decoded, picked, read
from vggexplorer.reading.values import Reading, Says
from vggexplorer.ui.i18n import say, t
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain
from vggexplorer.ui.widgets import keeps, shows

Take = Callable[[Network, Says], None]
"""Takes a network that was read, and how much its text says: what it does not say stays the person's own."""


def box(name: str, label: str, shown: str, take: Take, **options: Any) -> None:
    """A box that shows a network's text and takes any text with a network; what is wrong, or was left out, is said."""
    change = _reads(name, take)
    waits = _several(name) or any(place == name for place, _ in session["complaints"])
    st.text_area(
        label,
        shown,
        help=t(
            "A tuple like ((1, 64), (2, 128)), a list like [64, 'M', 128, 'M'], blocks and layers like "
            "1x64,2x128:nopool,bn, a name like vgg16; or code: a cell of the book, nn.Sequential, a class, Keras, a "
            "printed model. It is read, never run."
        ),
        **(keeps(name, change) if waits else shows(name, shown, change)),
        **options,
    )
    _pick(name, take)
    complain(name)
    _left_out(name, shown)


def file(name: str, take: Take) -> None:
    """A folded field that a notebook or a file of source can be dropped into."""
    with st.expander(t("From a file"), key=f"fold {name} file"):
        st.file_uploader(
            t("A notebook or a file with source"),
            type=[end[1:] for end in FILES],
            **keeps(f"{name} file", _reads_file(name, take)),
        )


def _reads(name: str, take: Take) -> Callable[[str], None]:
    return lambda key: _read(name, lambda: read(session[key]), take)


def _reads_file(name: str, take: Take) -> Callable[[str], None]:
    def change(key: str) -> None:
        if file := session[key]:
            _read(name, lambda: read(decoded(file.getvalue(), file.name)), take)

    return change


def _read(name: str, reading: Callable[[], Reading], take: Take) -> None:
    """Take what a text holds, or let the person choose."""
    session.update({"readings": {}, "shown as read": None})
    try:
        found = reading()
    except InputError as error:
        session["complaints"] = [(name, error)]
        return
    session["complaints"] = []
    session["readings"] = {name: found}
    if len(found.networks) == 1:
        take(picked(found, None), found.says)


def _found(name: str) -> Reading | None:
    """What was read last in a box."""
    readings: dict[str, Reading] = session.get("readings", {})
    return readings.get(name)


def _several(name: str) -> bool:
    found = _found(name)
    return found is not None and len(found.networks) > 1


def _pick(name: str, take: Take) -> None:
    """Which network of a text that has several."""
    if (found := _found(name)) and _several(name):

        def change(key: str) -> None:
            if session[key] is not None:
                take(picked(found, session[key]), found.says)
                session["readings"] = {}

        st.selectbox(
            t("The text has several networks"),
            list(found.networks),
            index=None,
            placeholder=t("choose a network"),
            **keeps(f"{name} pick", change),
        )


def _left_out(name: str, shown: str) -> None:
    """What was left out of the text that was read last, while its network is shown as it was."""
    if session.get("shown as read") is None:
        session["shown as read"] = shown
    if (found := _found(name)) and session["shown as read"] == shown:
        for remark in found.left_out:
            st.caption(say(remark))
