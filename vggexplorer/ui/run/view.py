"""A run as Train, Runs and Learn show it: its status, how far it is, its figures, what went wrong, what can be done."""

from collections.abc import Callable

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.runs import verdict
from vggexplorer.runs.exactness import notice
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.ui.i18n import literal, plain, sentence, t
from vggexplorer.ui.run import actions, forecast, learned, watched
from vggexplorer.ui.run.odd import list_odd
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.run.words import LOOKS, bits, status
from vggexplorer.ui.state import current

TICK = 1.0
"""Seconds between looks at a run that is active."""


def badge(of: Status) -> None:
    """The status as a word with an icon."""
    look = LOOKS[of.word]
    st.badge(status(of.word), icon=f":material/{look.icon}:", color=look.color)


def show(row: Row) -> None:
    """What can be done with a run; its status, progress and figures, which go on; what to know of it."""
    actions.show(row)
    watched.show(row)
    notes(row)


def missing() -> None:
    """Which runs of the link are not here."""
    for run_id in current().runs:
        if Runs.at().get(run_id) is None:
            st.warning(t("There is no run {id} here.", id=literal(run_id)), icon=":material/search_off:")


def brief(row: Row, open_: Callable[[str], None] | None = None) -> None:
    """A line about a run: its name, as a button if `open_` shows it, its status, and the last test accuracy."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"line of {row.run.id}"):
        if open_:
            st.button(literal(row.title), key=f"look {row.run.id}", on_click=open_, args=(row.run.id,), type="tertiary")
        else:
            st.markdown(f"**{literal(row.title)}**", width="content")
        badge(row.status)
        if row.last is not None:
            st.caption(t("Test accuracy {share}", share=percent(row.last, 1)), width="content")


def notes(row: Row) -> None:
    """How good the forecast was, what can be promised of the bits, and what went wrong."""
    if not row.status.active:
        forecast.afterwards(row.forecast)
    if row.config and (facts := row.run.environment()) and (found := notice(row.config, facts)):
        st.caption(bits(found))
    _say(row)


def _say(row: Row) -> None:
    """Why it cannot be read, or ended as it did; what its figures mean; the end of what it wrote; what was not used."""
    if row.error:
        st.error(literal(sentence(row.error)), icon=":material/broken_image:")
    outcome = row.run.outcome()
    if outcome and outcome.reason:
        tell = st.error if outcome.status == Word.FAILED else st.info
        tell(literal(sentence(outcome.reason)), icon=":material/info:")
    if row.status.word == Word.FINISHED and (known := verdict.of_run(row.run)):
        learned.judge(known)
    if row.status.word in (Word.FAILED, Word.INTERRUPTED) and (text := row.run.end_of_log()):
        with st.expander(t("The end of what the trainer wrote")):
            st.code(text, language=None, wrap_lines=True)
    if said := row.run.said_of_data():
        st.caption("\n".join(f"- {literal(plain(remark))}" for remark in said))
    list_odd(*row.run.odd_files())
