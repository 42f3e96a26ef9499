"""After a run: what it has learned in a sentence, and the ways to all that can be seen of it."""

from typing import NamedTuple

import streamlit as st

from vggexplorer.runs import verdict
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import learned
from vggexplorer.ui.run.rows import Row, read_row, scan
from vggexplorer.ui.state import go, look_at, look_at_tab


class Way(NamedTuple):
    """A button that leads to a tab of a run's page."""

    label: str
    icon: str


WAYS = {
    "mistakes": Way("Confusion matrix and mistakes", "grid_on"),
    "picture": Way("Try my picture", "add_photo_alternate"),
    "inside": Way("Look inside", "visibility"),
}
"""By the tab of the run's page."""


def show(row: Row, key: str = "after") -> None:
    """Nothing, unless the run has finished; `key` tells it from that of another run."""
    if row.status.word != Word.FINISHED:
        return
    if known := verdict.of_run(row.run):
        learned.show(known)
    with st.container(horizontal=True, gap="small", key=key):
        for tab, way in (WAYS if known else {}).items():
            st.button(
                t(way.label), key=f"{key}: to {tab}", icon=f":material/{way.icon}:", on_click=_to, args=(row.run, tab)
            )
        if other := _another(row.run):
            st.button(
                t("Compare with {name}", name=literal(other.title)),
                key=f"{key}: to comparison",
                icon=":material/stacked_line_chart:",
                on_click=_compare,
                args=(row.run, other.run),
            )


def _to(run: Run, tab: str) -> None:
    look_at(run.id)
    look_at_tab(tab)
    go("runs")


def _another(run: Run) -> Row | None:
    """The newest other run that has finished; no older one is read."""
    others = (read_row(other) for other in scan(Runs.at()) if other.id != run.id)
    return next((row for row in others if row.status.word == Word.FINISHED), None)


def _compare(run: Run, other: Run) -> None:
    look_at(run.id, other.id)
    go("runs")
