"""What a run's network has learned, by its test pictures, in the session's language."""

from collections.abc import Iterable

import streamlit as st

from vggexplorer.comparison import Remark
from vggexplorer.runs import verdict
from vggexplorer.runs.verdict import Facts
from vggexplorer.ui.i18n import plain, say


def learned(known: Facts) -> str:
    """How many test pictures are recognised, and what is mixed up most."""
    return _joined(verdict.summary(known))


def show(known: Facts) -> None:
    """That in bold, and below it how it is over the classes."""
    st.markdown(f"**{_said(verdict.summary(known))}**")
    st.caption(_said(verdict.by_class(known)))


def judge(known: Facts) -> None:
    """What the figures mean, where they may be taken for something else."""
    if told := verdict.judge(known):
        st.info(_said(told), icon=":material/info:")


def _joined(remarks: Iterable[Remark]) -> str:
    return " ".join(map(plain, remarks))


def _said(remarks: Iterable[Remark]) -> str:
    return " ".join(map(say, remarks))
