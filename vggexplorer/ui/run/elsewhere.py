"""Training where nothing can be trained: in a browser, and in a dashboard that is there to look at."""

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.state import go


def show() -> None:
    """Where the rest is, and a way to the recorded runs."""
    try:
        exhibit.check()
    except InputError as error:
        st.info(literal(sentence(error)), icon=":material/laptop:")
    st.button(t("Look at recorded runs"), key="to runs", on_click=go, args=("runs",))
