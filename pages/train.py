"""Train: does this network learn, how fast, and how well?"""

import streamlit as st

from vggexplorer.paths import IN_BROWSER
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.text import title
from vggexplorer.ui import header
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import choice, rows, start_button, view
from vggexplorer.ui.state import complain
from vggexplorer.ui.train import elsewhere, live, preview, setup

if IN_BROWSER:
    header.show(t("Train"), literal(title(choice.subject())))
    elsewhere.show()
    st.stop()

with st.sidebar:
    setup.show()

runs = Runs.at()
run = start_button.in_view(runs)
config = run and rows.read_row(run).config
header.show(t("Train"), literal(title(config.network if config else choice.subject())))
complain("page")
view.missing()
if run:
    live.show(run)
start_button.show(runs, another=run is not None)
live.others(runs, run)
if not run:
    preview.show()
