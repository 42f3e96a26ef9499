"""All runs: the list, beside it what is chosen in it, below both what can be done with that."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.palette import GROUND, series
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.sweeps.folder import all_sweeps
from vggexplorer.server import style
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run import forecast
from vggexplorer.ui.run.rows import EYE, IDLE, Row, all_rows, read_row, scan
from vggexplorer.ui.runs import bring, drawer, selected, sweeps, table
from vggexplorer.ui.runs.chosen import choose
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, go, look_at, look_at_sweep

STYLE = f"""<style>
[data-testid=stMainBlockContainer] {{ padding-bottom: 1rem; }}
[data-testid=stMainBlockContainer] > [data-testid=stVerticalBlock] {{ gap: 0.75rem; }}
.st-key-runs-page > div {{ flex: 1 1 0; min-width: 0; }}
.st-key-runs-page > div:has(> .st-key-runs-drawer) {{ position: sticky; top: 4rem; }}
.st-key-runs-drawer {{ max-height: calc(100vh - 9rem); overflow: auto; }}
[data-testid=stLayoutWrapper]:has(> .st-key-runs-bar) {{ position: sticky; bottom: 0; z-index: 3; }}
.st-key-runs-bar {{ background: {GROUND.css}; border-top: 1px solid rgb(128 128 128 / 25%); }}
.st-key-runs-bar {{ padding: 0.6rem 0; }}
@media (max-width: 1099px) {{
  .st-key-runs-page {{ flex-direction: column; }}
  .st-key-runs-page > div {{ flex: none; width: 100%; position: static !important; }}
  .st-key-runs-drawer {{ max-height: none; }}
}}
@media (max-width: {style.NARROW}px) {{
  [data-testid=stLayoutWrapper]:has(> .st-key-runs-bar) {{ bottom: var(--vgg-pages); }}
}}
</style>"""


def show() -> None:
    """The list, the drawer, the bar of actions."""
    found = scan(Runs.at())
    sweep = sweeps.in_view()
    if not found and not all_sweeps(Runs.at()):
        _nothing()
        return
    _follow_the_link(sweep is not None)
    chosen = [_row(run) for run_id in session["chosen runs"] if (run := Runs.at().get(run_id))]
    newest = next((row for row in map(_row, found) if row.config), None)
    st.html(STYLE)
    with st.container(horizontal=True, gap="medium", key="runs-page"):
        with st.container(key="runs-list"):
            _list(chosen or ([newest] if newest and not sweep else []), found[0].id if found else None)
        with st.container(key="runs-drawer"):
            if sweep:
                sweeps.show(sweep)
            else:
                drawer.show(chosen, newest)
    _forecasts()
    bring.show()
    if sweep or chosen:
        with st.container(key="runs-bar"):
            if sweep:
                sweeps.actions_of(sweep)
            else:
                selected.show(chosen)


def _row(run: Run) -> Row:
    return read_row(run, EYE)


def _follow_the_link(sweep: bool) -> None:
    """What is chosen is what the link names, once in a session and whenever it names several; beside a sweep none."""
    if sweep:
        session["chosen runs"] = []
    elif "chosen runs" not in session or len(current().runs) > 1:
        session["chosen runs"] = [run_id for run_id in current().runs if Runs.at().get(run_id)]


def _nothing() -> None:
    st.info(
        t("No network was trained here yet. A run appears here as soon as it is started, and stays after it."),
        icon=":material/history:",
    )
    st.button(t("Train a network"), type="primary", key="to train", on_click=go, args=("train",))
    bring.show()
    st.fragment(_wait, run_every=IDLE)()


def _wait() -> None:
    """Nothing, until there is a run."""
    if scan(Runs.at()):
        st.rerun()


# --- the list -----------------------------------------------------------------------------------------------


def _list(shown: Sequence[Row], newest: str | None) -> None:
    ids: list[str] = session["chosen runs"]
    table.show(
        ids,
        {run_id: series(place)[0] for place, run_id in enumerate(ids)},
        newest,
        {row.run.id: row.status.active for row in shown},
        {"open": look_at, "choose": _choose, "group": _look_at_group, "changed": lambda _: None},
    )


def _choose(choice: dict[str, Any]) -> None:
    choose([str(run_id) for run_id in choice["ids"]])
    session["chosen stamp"] = int(choice["stamp"])


def _look_at_group(sweep: str) -> None:
    look_at_sweep(sweep)


# --- how good the forecasts were ------------------------------------------------------------------------------


def _forecasts() -> None:
    """Forecast against measured, memory and the time of a step, of all runs that have both; read once it is opened."""
    with st.expander(t("How good the forecasts were"), key="forecasts", on_change="rerun") as opened:
        if not opened.open:
            return
        compared = {row.name: found for row in all_rows() if (found := row.forecast)}
        if not compared:
            st.caption(t("No run has both a forecast and what was measured."))
            return
        left, right = st.columns(2)
        for column, name in zip((left, right), forecast.MEASURES, strict=True):
            with column:
                alt = t("{what}: forecast against measured; on the line it was right", what=t(forecast.MEASURES[name]))
                components.chart(forecast.chart(compared, name), alt, key=f"forecast {name}")
                st.caption(alt)
