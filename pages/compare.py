"""Compare: several networks under one input. Which costs more, where, and why?"""

import streamlit as st

from vggexplorer.paths import COMPARE
from vggexplorer.ui import header, widgets
from vggexplorer.ui.compare import chips, sweep_form, takeaway, why
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network import compared
from vggexplorer.ui.run import timing
from vggexplorer.ui.state import complain, current

state = current()
entries = compared.entries(state)
header.show(t("Compare"), t("Which network costs more, where, and why?"))
chips.show(entries)
complain("page")
compared.refusals(entries)
if not any(entry.summary for entry in entries):
    st.stop()

compared.totals(entries, state.baseline, [timing.column(entries)])
why.show(entries)
names = [
    t("Stages"),
    t("Parameters × {count}", count=state.count),
    t("Input size"),
    t("FLOPs ≠ time"),
    t("Train them"),
    t("Take away"),
]
parts = (
    compared.aligned,
    compared.scatter,
    compared.sizes,
    lambda entries: timing.show(entries, state.baseline),
    sweep_form.show,
    takeaway.show,
)
for tab, show in zip(widgets.tabs(COMPARE, names, "comparison tab").values(), parts, strict=True):
    if tab.open:
        with tab:
            show(entries)
