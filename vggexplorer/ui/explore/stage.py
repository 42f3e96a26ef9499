"""The frame of Explore: the heading with what is compared and counted, and the inspector at the side."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from vggexplorer.server import style
from vggexplorer.ui.explore import tour
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network import parts, totals

STYLE = f"""<style>
[data-testid=stMainBlockContainer] > [data-testid=stVerticalBlock] {{ gap: 0.5rem; }}
.st-key-begin button, .st-key-begin p {{ min-height: 1.5rem; line-height: 1.5rem; }}
.st-key-beside {{ align-items: flex-start; }}
.st-key-beside > div:has(> .st-key-side) {{ position: sticky; top: 4rem; }}
@media (max-width: 900px) {{
  .st-key-beside {{ flex-direction: column; }}
  .st-key-beside > div, .st-key-side {{ width: 100% !important; position: static !important; }}
}}
@media (max-width: {style.NARROW}px) {{
  .st-key-begin {{ gap: 0; flex-direction: column; align-items: flex-start; }}
  .st-key-begin [data-testid] button {{ min-height: 40px; }}
}}
</style>"""
_SIDE = 330
"""The width of the inspector, in pixels."""


def header() -> None:
    """What the network is called, what it is compared with, and what is counted."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="header"):
        parts.title()
        st.space("stretch")
        with st.popover(t("Compared with"), icon=":material/push_pin:", key="baseline", on_change="rerun") as panel:
            if panel.open:
                totals.pinned()
        with (
            st.popover(t("Units"), icon=":material/straighten:", key="counted"),
            st.container(horizontal=True, gap="small", vertical_alignment="center", key="units"),
        ):
            totals.units()
        tour.show()


@contextmanager
def beside(side: Callable[[], None]) -> Iterator[None]:
    """What is drawn within it stands at the left of `side`, which stays in view."""
    st.html(STYLE)
    with st.container(horizontal=True, gap="medium", key="beside"):
        with st.container(width="stretch", key="main"):
            yield
        with st.container(width=_SIDE, key="side"):
            side()
