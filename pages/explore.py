"""Explore: what is this network, and what does every layer cost?"""

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.layers import shape_text
from vggexplorer.summary import UnfitError, summarize
from vggexplorer.text import title
from vggexplorer.ui import figures, header, lesson_link
from vggexplorer.ui.explore import check, tour
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.network import editor, inspector, layers, takeaway, totals, unfit
from vggexplorer.ui.state import complain, current

network = current().network
top, figures_of_all = st.container(), st.container()
summary = error = None
with figures_of_all:  # first of all: they are what a person who edits waits for
    try:
        summary = summarize(*network)
        totals.show(summary)
    except InputError as found:
        error = found
        st.warning(literal(sentence(error)), icon=":material/straighten:")
with top:
    shape, classes = shape_text(network.input_shape), network.architecture.num_classes
    header.show(
        literal(title(network)), t("input {shape}, {classes} {classes:class|classes}", shape=shape, classes=classes)
    )
    complain("page")
    lesson_link.notice()
with st.sidebar:
    editor.show()
if isinstance(error, UnfitError):
    unfit.show(error)
if not summary:
    st.stop()

layers.drawing(summary)
layers.panel(summary)
tabs = [t("Layers"), t("Charts"), t("Receptive field"), t("Check"), t("Take away")]
table, charts, seen, peers, away = st.tabs(tabs, key="tab", on_change="rerun")
if table.open:
    with table:
        layers.table(summary)
if charts.open:
    with charts:
        figures.show(summary)
if seen.open:
    with seen:
        inspector.show(summary)
if peers.open:
    with peers:
        check.show(summary)
if away.open:
    with away:
        takeaway.show(summary)
tour.show()
