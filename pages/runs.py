"""Runs: what was trained here, and how it ended."""

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.ui import header
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run import actions, view
from vggexplorer.ui.runs import history, result
from vggexplorer.ui.state import complain, current

ids = current().runs
if len(ids) == 1 and (run := Runs.at().get(ids[0])):
    result.show(run)
    st.stop()

about = t("Runs that ship with the package") if exhibit.nothing_starts() else t("Everything that was trained here")
header.show(t("Runs"), about)
complain("page")
complain(actions.PLACE)
view.missing()
history.show()
