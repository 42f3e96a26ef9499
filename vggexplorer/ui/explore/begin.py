"""Three questions to begin with, on a first visit: each leads to where its answer can be found."""

from dataclasses import replace

import streamlit as st

from vggexplorer.paths import COMPARE, TRAIN
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import Pin, State
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit, go, look_by


def show() -> None:
    """The questions, as long as nothing was edited and the link named nothing."""
    if session.get("cheaper") and current().pin == Pin.beside(State().network):
        st.info(
            t(
                "The colours show where the parameters are. Change channels, convolutions, the input or the head: each "
                "total says how many times **{name}** it is now.",
                name="VGG-11",
            ),
            icon=":material/savings:",
        )
    if current().network != State().network or session["past"] or session["own network"]:
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="begin"):
        st.caption(t("Where to begin:"), width="content")
        for key, label, icon, act in (
            ("cheaper", t("Make VGG-11 cheaper"), "savings", _cheaper),
            ("slower", t("Why is it slower than AlexNet?"), "balance", lambda: go(COMPARE)),
            ("train", t("Train it in 30 seconds"), "play_circle", lambda: go(TRAIN)),
        ):
            st.button(label, icon=f":material/{icon}:", key=f"begin {key}", type="tertiary", on_click=act)


def _cheaper() -> None:
    """VGG-11 becomes what everything is compared with, and the colours show where its parameters are."""
    session["cheaper"] = True
    edit(lambda state: replace(state, pin=Pin.beside(state.network)))
    look_by("params")
