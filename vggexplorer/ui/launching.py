"""The Start button. One press makes exactly one run, whatever is clicked twice, reloaded or drawn again."""

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.runs import launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.store import Run, Runs
from vggexplorer.ui import setup
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.run_words import data_text
from vggexplorer.ui.state import current, look_at
from vggexplorer.ui.widgets import first_click, key_of


def in_view(runs: Runs) -> Run | None:
    """The run that the link names, else one that is active now; it is the one shown."""
    if named := [run for run_id in current().runs[:1] if (run := runs.get(run_id))]:
        return named[0]
    for run_id in current().runs[:1]:
        st.warning(t("There is no run {id} here.", id=literal(run_id)), icon=":material/search_off:")
    if st.session_state.get("run offered"):
        return None
    active = next((run for run in runs.all(recorded=False)[:50] if run.status().active), None)
    if active:
        st.session_state["run offered"] = True
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
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="start line"):
        key = key_of("start")
        st.button(
            t("Start"),
            key=key,
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(key, runs, config),
        )
        st.caption(_what(config), width="content")
    if refused := st.session_state.get("start error"):
        st.error(literal(sentence(refused)), icon=":material/error:")


def _what(config: Config) -> str:
    parts = [
        config.training.recipe,
        data_text(config.dataset),
        config.device if config.device != "auto" else t("the best one"),
    ]
    return " · ".join(literal(part) for part in parts)


def _start(key: str, runs: Runs, config: Config) -> None:
    """Start the run, unless this very button has started one already or the click is half of a double click."""
    if not first_click("start", key):
        return
    st.session_state["start error"] = None
    try:
        look_at(launch.start(runs, config).id)
    except InputError as error:
        st.session_state["start error"] = error
