"""Explore: what is this network, and what does every layer cost?"""

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.paths import EXPLORE
from vggexplorer.summary import UnfitError, summarize
from vggexplorer.ui import lesson_link
from vggexplorer.ui.explore import begin, check, stage
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.network import answers, editor, inspector, parts, takeaway, totals, unfit
from vggexplorer.ui.state import complain, current
from vggexplorer.ui.widgets import tabs

tab = current().open_tab(EXPLORE)
names = ("title", "totals", "drawing", "inspector", tab)
with st.sidebar:
    editor.show(names, alone=tab in parts.PARTS)
answers.carry(names)
stage.header()
complain("page")
lesson_link.notice()
try:
    summary = summarize(*current().network)
except InputError as error:
    st.warning(literal(sentence(error)), icon=":material/straighten:")
    if isinstance(error, UnfitError):
        unfit.show(error)
    st.stop()

parts.totals()
totals.no_baseline()
begin.show()
parts.drawing()
with stage.beside(parts.inspector):
    found = tabs(EXPLORE, [t("Layers"), t("Charts"), t("Receptive field"), t("Check"), t("Take away")], "tab")
    with found[tab]:
        match tab:
            case "field":
                inspector.show(summary)
            case "check":
                check.show(summary)
            case "away":
                takeaway.show(summary)
            case _:
                parts.PARTS[tab]()
