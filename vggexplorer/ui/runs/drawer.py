"""Beside the list of runs: the curves of what is chosen, what differs, and the accuracy against its cost."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.status import Word
from vggexplorer.summary import summarize
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import curves, scatter
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.run.words import (
    accuracy,
    differences,
    duration,
    label,
    loss,
    number,
    setting,
    settings,
    sign,
    status,
)
from vggexplorer.ui.runs.chosen import place
from vggexplorer.ui.state import look_at

_STYLE = "<style>.st-key-run-differences [data-testid=stMarkdownContainer] { overflow-x: auto; }</style>"
"""On a phone a table that is wider than its box can be moved sideways."""


def show(chosen: Sequence[Row], newest: Row | None) -> None:
    """The chosen runs that can be read; if there are none, the newest run."""
    able = [row for row in chosen if row.config]
    if len(able) < 2:
        _one(able[0] if able else newest)
        st.caption(t("Choose two or more runs to lay their curves over each other."))
        return
    st.markdown(f"## {t('{count} {count:run|runs} compared', count=len(able))}")
    places = [place(row.run.id) for row in able]
    curves.show([row.run for row in able], key="chosen curves", places=places)
    if len(able) == 2:
        _differences(able[0], able[1])
    _scatter(able)


def _one(row: Row | None) -> None:
    if row:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run beside"):
            st.markdown(f"## {literal(row.title)}", width="content")
            st.button(t("Open"), key="open run", type="tertiary", on_click=look_at, args=(row.run.id,))
        curves.show([row.run], key="one curve")


def _differences(first: Row, second: Row) -> None:
    """What differs in what was asked, and how both ended."""
    asked = [
        (label(name), setting(name, one), setting(name, other))
        for name, one, other in differences(_all_settings(first), _all_settings(second))
    ]
    st.markdown(f"## {t('What differs')}")
    if not asked:
        st.caption(t("Both were asked for the same: config, device, precision and PyTorch."))
    results = zip(_results(first).items(), _results(second).values(), strict=True)
    lines = [*asked, *((f"**{name}**", one, other) for (name, one), other in results)]
    head = f"| {t('Settings')} | {literal(first.title)} | {literal(second.title)} |\n|:--|:--|:--|"
    st.html(_STYLE)
    with st.container(key="run-differences"):
        rows = (f"| {name} | {literal(one)} | {literal(other)} |" for name, one, other in lines)
        st.markdown("\n".join([head, *rows]))


def _all_settings(row: Row) -> dict[str, Any]:
    environment = row.run.environment()
    own = settings(row.config) if row.config else {}
    return own | {
        name: environment[name] for name in ("device", "precision", "threads", "torch") if name in environment
    }


def _results(row: Row) -> dict[str, str]:
    outcome = row.run.outcome() or Outcome(status=Word.INTERRUPTED)
    speed, last, train = map(number, (outcome.examples_per_sec, outcome.loss, outcome.train_acc))
    return {
        t("Status"): f"{sign(row.status.word)} {status(row.status.word)}",
        t("Best test accuracy"): accuracy(row.best),
        t("Last test accuracy"): accuracy(row.last),
        t("Train accuracy"): accuracy(train),
        t("Train loss"): loss(last),
        t("Examples per second"): "–" if speed is None else f"{speed:,.1f}",
        t("Time"): duration(row.seconds),
        t("Parameters"): _totals(row, "params"),
        "MACs": _totals(row, "macs"),
    }


def _totals(row: Row, field: str) -> str:
    return f"{getattr(summarize(*row.config.trained).totals, field):,}" if row.config else "–"


def _scatter(chosen: Sequence[Row]) -> None:
    """The best test accuracy against what it cost."""
    cost = scatter.against("runs against")
    points = [(row, _cost(row, cost)) for row in chosen]
    marks = [
        scatter.Mark(row.title, cost, row.best, row.best, row.best, place(row.run.id))
        for row, cost in points
        if cost and row.best is not None
    ]
    alt = t("Best test accuracy of each chosen run against its cost: {cost}", cost=scatter.costs()[cost])
    if missing := len(chosen) - len(marks):
        alt += t(" ({count} without a test yet)", count=missing)
    scatter.show(marks, cost, alt, "runs scatter")


def _cost(row: Row, field: str) -> float | None:
    if field == "seconds" or row.config is None:
        return row.seconds
    return float(getattr(summarize(*row.config.trained).totals, field))
