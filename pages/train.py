"""Train: does this network learn, how fast, and how well?"""

import streamlit as st

from vggexplorer.runs.store import Runs
from vggexplorer.text import title
from vggexplorer.ui import header, launching, live, setup
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.state import complain

with st.sidebar:
    setup.show()

header.show(t("Train"), literal(title(setup.subject())))
complain("page")
runs = Runs.at()
run = launching.in_view(runs)
if run:
    live.show(run)
launching.show(runs, another=run is not None)
live.others(runs, run)
