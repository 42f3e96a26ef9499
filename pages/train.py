"""Train: does this network learn, how fast, and how well?"""

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.text import title
from vggexplorer.ui import header
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import choice, elsewhere, rows, start_button, view
from vggexplorer.ui.state import complain
from vggexplorer.ui.train import dataset, live, opponent, preview, racing, setup

if exhibit.nothing_starts():
    header.show(t("Train"), literal(title(choice.subject())))
    elsewhere.show()
    preview.recorded(choice.subject())
    st.stop()

with st.sidebar:
    setup.show()

runs = Runs.at()
run = start_button.in_view(runs)
config = run and rows.read_row(run).config
names = [each.name() for each in racing.members(runs, run)] or [title(config.network if config else choice.subject())]
header.show(t("Train"), literal(" · ".join(names)))
complain("page")
view.missing()
prepared = start_button.prepare(runs)
if prepared:
    start_button.line(runs, prepared, another=run is not None)
    opponent.line(runs)
with st.container(border=True, key="stage"):
    if run:
        live.show(runs, run)
    elif prepared:
        preview.show(runs, prepared.config)
live.others(runs, run)
if prepared:
    dataset.show(runs, prepared.config)
    start_button.details(runs, prepared, exact_bits=run is None)
