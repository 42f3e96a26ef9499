"""What Train shows before anything was trained: what the network will see, and the curves of a run that ships."""

import streamlit as st

from vggexplorer.runs.datasets import KNOWN
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.text import title
from vggexplorer.ui import pictures
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import choice, curves
from vggexplorer.ui.run.words import called, classes


def show() -> None:
    """A picture of each class of the data that is chosen, and the curves of the recorded run that is nearest to it."""
    kind = choice.chosen().dataset
    if kind in KNOWN and (of_each := pictures.of_each_class(kind)):
        st.markdown(f"##### {t('What it will see')}")
        names = classes(list(KNOWN[kind].classes))
        items: list[pictures.Item] = [
            {"picture": picture, "caption": name, "good": None} for name, picture in zip(names, of_each, strict=True)
        ]
        pictures.pictures(items, key="classes", side=56)
    if run := _nearest():
        st.markdown(f"##### {t('How a training goes: {name}', name=literal(called(run)))}")
        st.caption(t("A run that ships with the package"))
        curves.show([run], key="recorded curves")


def _nearest() -> Run | None:
    """The recorded run of the network that is chosen, else the first."""
    found = Runs(layout.RECORDED).all(recorded=False)
    wanted = title(choice.subject())
    return min(found, key=lambda run: (title(run.config().network) != wanted, run.id), default=None)
