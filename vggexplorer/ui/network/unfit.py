"""A network that cannot take its input: as far as it comes, and the smallest input that it can take."""

import streamlit as st

from vggexplorer.summary import UnfitError
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network import parts
from vggexplorer.ui.state import current, use_input


def show(error: UnfitError) -> None:
    """The drawing up to the layer that fails, and a button for the smallest input if a larger one is the remedy."""
    if side := error.smallest:
        channels = current().network.input_shape[0]
        label = t("Use the smallest input, {side}×{side}", side=side)
        st.button(label, key="smallest input", on_click=use_input, args=((channels, side, side),))
    parts.unfit(error)
