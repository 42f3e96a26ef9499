"""Runs: what was trained here, and what came of it?"""

import streamlit as st

from vggexplorer.runs.store import Runs
from vggexplorer.ui import header, history, result, run_actions, run_view, sweeps
from vggexplorer.ui.i18n import t
from vggexplorer.ui.state import complain, current

ids = current().runs
if len(ids) == 1 and (run := Runs.at().get(ids[0])):
    result.show(run)
    st.stop()

header.show(t("Runs"), t("what was trained here, and what came of it"))
complain("page")
complain(run_actions.PLACE)
run_view.missing()
sweeps.show()
history.show()
