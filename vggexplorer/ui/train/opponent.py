"""The row of Train that starts a race: against which network, and what the two take together."""

import streamlit as st

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.text import title
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.run import choice, race
from vggexplorer.ui.session import session
from vggexplorer.ui.widgets import shows

FIRST, SECOND = "AlexNet", "VGG-11 slim"
"""Whom a network races against if nobody was chosen; AlexNet itself races against the second."""


def line(runs: Runs) -> None:
    """The choice of an opponent and the button, unless the runs are for a cluster."""
    if choice.chosen().cluster:
        return
    own = title(choice.subject())
    names = [name for name in NETWORKS if name != own]
    chosen = session.get("opponent", FIRST)
    opponent = chosen if chosen in names else FIRST if own != FIRST else SECOND
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="race line"):
        try:
            asked = race.configs([choice.subject(), NETWORKS[opponent]])
        except InputError as error:
            asked = []
            st.caption(literal(sentence(error)), width="content")
        if asked:
            race.button(runs, asked, t("Race against"))
        st.selectbox(
            t("Race against"),
            names,
            names.index(opponent),
            label_visibility="collapsed",
            width=200,
            **shows("opponent choice", opponent, _choose),
        )
        if asked:
            race.what(runs, asked)


def _choose(key: str) -> None:
    session["opponent"] = session[key]
