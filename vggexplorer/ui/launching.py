"""The Start button. One press makes exactly one run, whatever is clicked twice, reloaded or drawn again."""

from contextlib import suppress

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.store import Run, Runs
from vggexplorer.ui import access, ahead, run_rows, setup
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.run_words import data_text
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, look_at
from vggexplorer.ui.widgets import once


def in_view(runs: Runs) -> Run | None:
    """The run that the link names, else one that is active now; it is the one shown."""
    if named := [run for run_id in current().runs[:1] if (run := runs.get(run_id))]:
        return named[0]
    for run_id in current().runs[:1]:
        st.warning(t("There is no run {id} here.", id=literal(run_id)), icon=":material/search_off:")
    if session.get("run offered"):
        return None
    active = next((run for run in runs.all(recorded=False)[:50] if run.status().active), None)
    if active:
        session["run offered"] = True
        look_at(active.id)
    return active


def show(runs: Runs, another: bool) -> None:
    """The network as it will be trained, and the button; `another` if a run stands above it."""
    heading = t("Another run: the network as it will be trained") if another else t("The network as it will be trained")
    st.markdown(f"##### {heading}")
    try:
        config = setup.config()
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    setup.as_trained(config)
    before = None
    if setup.chosen().cluster:
        st.caption(t("What a run will take is known of this machine, not of the cluster."))
    else:
        try:
            before = ahead.look(runs, config)
        except InputError as error:
            st.error(literal(sentence(error)), icon=":material/error:")
        ahead.show(runs, before)
    here = None if setup.chosen().elsewhere else before
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="start line"):
        once(
            t("Start"),
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(runs, config, here),
        )
        st.caption(_what(config), width="content")
    if here and not here.fits and session.get("start question") == config:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="start question line"):
            st.warning(f"{ahead.why_not(here)} {t('Start it all the same?')}", icon=":material/help:")
            once(t("Start anyway"), key="start anyway", on_click=_start_now, args=(runs, config))
    _say_limits()
    if refused := session.get("start error"):
        st.error(literal(sentence(refused)), icon=":material/error:")


def _say_limits() -> None:
    """How long a run may take; what exceeds another limit is said when it is started."""
    with suppress(InputError):
        if minutes := access.allowed().minutes:
            st.caption(
                t("The teacher allows a run {minutes} {minutes:minute|minutes} here; then it is over.", minutes=minutes)
            )


def _what(config: Config) -> str:
    parts = [
        config.training.recipe,
        data_text(config.dataset),
        config.device if config.device != "auto" else t("the best one"),
        *([t("the cluster")] if setup.chosen().cluster else []),
    ]
    return " · ".join(literal(part) for part in parts)


def _start(runs: Runs, config: Config, before: ahead.Ahead | None) -> None:
    """Start the run; one that will not fit is asked about first."""
    if before and not before.fits:
        session["start question"] = config
    else:
        _start_now(runs, config)


def _start_now(runs: Runs, config: Config) -> None:
    """Start the run, and show it."""
    session.update({"start error": None, "start question": None})
    try:
        look_at(access.start(runs, config, place=setup.place()).id)
        run_rows.forget()
    except InputError as error:
        session["start error"] = error
