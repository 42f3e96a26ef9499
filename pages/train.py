"""Train: does this network learn, how fast, and how well?"""

import streamlit as st

from vggexplorer.runs.store import Runs
from vggexplorer.text import title
from vggexplorer.ui import choice, header, launching, live, run_rows, run_view, setup
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.state import complain

with st.sidebar:
    setup.show()

runs = Runs.at()
run = launching.in_view(runs)
config = run and run_rows.read(run).config
header.show(t("Train"), literal(title(config.network if config else choice.subject())))
complain("page")
run_view.missing()
if run:
    live.show(run)
launching.show(runs, another=run is not None)
live.others(runs, run)
