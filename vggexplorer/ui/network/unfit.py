"""A network that cannot take its input: as far as it comes, and the smallest input that it can take."""

import streamlit as st

from vggexplorer.drawing import ENGLISH, Failure, Words, draw
from vggexplorer.summary import UnfitError
from vggexplorer.ui import components
from vggexplorer.ui.i18n import sentence, t
from vggexplorer.ui.state import current, use_input


def show(error: UnfitError) -> None:
    """The drawing up to the layer that fails, and a button for the smallest input if a larger one is the remedy."""
    if side := error.smallest:
        channels = current().network.input_shape[0]
        label = t("Use the smallest input, {side}×{side}", side=side)
        st.button(label, key="smallest input", on_click=use_input, args=((channels, side, side),))
    failure = Failure(error.place, sentence(error.reason))
    components.drawing(draw(error.so_far, words=Words(*map(t, ENGLISH)), failure=failure), key="drawing so far")
