"""A race in view: its members side by side, and their curves in one chart."""

from collections.abc import Sequence

import streamlit as st

from vggexplorer.palette import series
from vggexplorer.runs import races
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.ui.i18n import say
from vggexplorer.ui.run import actions, curves, view, watched
from vggexplorer.ui.run.rows import EYE, Row, read_row
from vggexplorer.ui.train import after


def members(runs: Runs, run: Run | None) -> list[Run]:
    """The members of the race of `run`; empty if it is in none, or the others are gone."""
    found = races.members(runs, run) if run else []
    return found if len(found) > 1 else []


def show(racing: Sequence[Run]) -> None:
    """Each member with what can be done with it, one chart of all, and what each has learned."""
    found = [read_row(run, EYE) for run in racing]
    for place, (column, row) in enumerate(zip(st.columns(len(found), border=True), found, strict=True)):
        with column:
            _member(row, place)
    able = [row.run for row in found if row.config]
    if able:
        curves.show(able, key="curves", against="examples")
    st.caption(say(races.SHARED))
    for place, (column, row) in enumerate(zip(st.columns(len(found)), found, strict=True)):
        with column:
            after.show(row, f"after {place + 1}")
            view.notes(row)


def _member(row: Row, place: int) -> None:
    watched.show_brief(row, f"watched {place + 1}", series(place)[0])
    actions.show_brief(row, f"run {place + 1}")
