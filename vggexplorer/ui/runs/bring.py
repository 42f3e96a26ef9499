"""Bring a run: the archive of one, from a file."""

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.ui import access
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, look_at
from vggexplorer.ui.widgets import keeps, renew

KEY = "bring run"
MOST_MIB = 256
"""Of a file in the browser: the server has all of it in memory."""


def show() -> None:
    """A folded field for a file; not for whom it would refuse."""
    if exhibit.nothing_starts() or not access.person().teacher:
        return
    with st.expander(t("Bring a run"), key="bring a run"):
        st.caption(
            t(
                "The archive of a run, as its tab Files gives it; up to {most} MiB, a larger one in a terminal. All of "
                "it is checked before the run is in the list.",
                most=MOST_MIB,
            )
        )
        st.file_uploader(t("Archive of a run"), type=["zip"], max_upload_size=MOST_MIB, **keeps(KEY, _bring))
        complain(KEY)
        _tell()


def _tell() -> None:
    """Which run came last, and whether it was there before."""
    run_id, known = session.get("brought run", ("", False))
    if run := Runs.at().get(run_id):
        name = literal(run.name())
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(t("{name} is here already.", name=name) if known else t("{name} is here now.", name=name))
            st.button(t("Open"), key="open brought", type="tertiary", on_click=look_at, args=(run.id,))


def _bring(key: str) -> None:
    if not (file := session[key]):
        return
    session.update({"complaints": [], "brought run": ("", False)})
    try:
        brought = access.bring_run(Runs.at(), file)
        session["brought run"] = brought.run.id, brought.known
    except InputError as error:
        session["complaints"] = [(KEY, error)]
    renew(KEY)  # its bytes need not stay in memory
