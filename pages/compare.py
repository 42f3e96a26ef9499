"""Compare: several networks under one input. Which costs more, where, and why?"""

import streamlit as st

from vggexplorer.layers import shape_text
from vggexplorer.ui import header
from vggexplorer.ui.compare import sweep_form, takeaway
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network import compared, editor, totals
from vggexplorer.ui.run import timing
from vggexplorer.ui.state import complain, current

state = current()
entries = compared.entries(state)
with st.sidebar:
    compared.sidebar(entries)
    editor.show_input()

shape, classes = shape_text(state.network.input_shape), state.architecture.num_classes
header.show(
    t("Compare"), t("all with input {shape} and {classes} {classes:class|classes}", shape=shape, classes=classes)
)
complain("page")
with st.container(horizontal=True, gap="small", vertical_alignment="center", key="units"):
    totals.units()
compared.refusals(entries)
if not any(entry.summary for entry in entries):
    st.stop()

compared.totals(entries)
sweep_form.show(entries)
compared.reasons(entries)
names = [
    t("Parts"),
    t("Parameters against {count}", count=state.count),
    t("Stage by stage"),
    t("Input sizes"),
    t("Time"),
]
parts, points, stages, sizes, times, files = st.tabs(
    [*names, t("Take away")],
    key="comparison tab",
    on_change="rerun",
)
for tab, show in (
    (parts, compared.parts),
    (points, compared.scatter),
    (stages, compared.aligned),
    (sizes, compared.sizes),
    (times, timing.show),
    (files, takeaway.show),
):
    if tab.open:
        with tab:
            show(entries)
