"""All runs: the table, and what the chosen ones have in common and what not."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.formatting import size
from vggexplorer.palette import series
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.runs import KEEP_WEIGHTS
from vggexplorer.runs.folder.status import Word
from vggexplorer.summary import summarize
from vggexplorer.ui import components
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import MAX_RUNS
from vggexplorer.ui.run import actions, curves, forecast, scatter
from vggexplorer.ui.run.rows import IDLE, Row, all_rows
from vggexplorer.ui.run.words import (
    accuracy,
    data_text,
    differences,
    duration,
    label,
    moment,
    network,
    number,
    setting,
    settings,
    sign,
    status,
)
from vggexplorer.ui.runs import table
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, go, look_at

_STYLE = "<style>.st-key-run-differences [data-testid=stMarkdownContainer] { overflow-x: auto; }</style>"
"""On a phone a table that is wider than its box can be moved sideways."""
REFRESH = 2
"""Seconds between two looks at runs that are not over."""
# --- the table --------------------------------------------------------------------------------------------


def show() -> None:
    """The table, the chosen runs, what can be done with them."""
    found = all_rows()
    if not found:
        _nothing()
        return
    if "chosen runs" not in session or len(current().runs) > 1:
        here = {row.run.id for row in found}
        session["chosen runs"] = [run_id for run_id in current().runs if run_id in here]
    active = any(row.status.active for row in found)
    st.fragment(_table, run_every=REFRESH if active else None)(active)
    if not active:
        st.fragment(_wait, run_every=IDLE)(_known(found))
    _disk(found)
    _forecasts(found)
    chosen = [row for row in found if row.run.id in session["chosen runs"]]
    _chosen(sorted(chosen, key=lambda row: session["chosen runs"].index(row.run.id)), found)


def _nothing() -> None:
    st.info(
        t("No network was trained here yet. A run appears here as soon as it is started, and stays after it."),
        icon=":material/history:",
    )
    st.button(t("Train a network"), type="primary", key="to train", on_click=go, args=("train",))


def _table(ticking: bool) -> None:
    """The table; the page runs again when something was chosen in it, and when the last run is over."""
    found = all_rows()
    if session.pop("runs moved", False) or ticking != any(row.status.active for row in found):
        st.rerun()
    table.table(
        {
            "columns": _columns(),
            "rows": [_line(row) for row in found],
            "chosen": session["chosen runs"],
            "colors": {run_id: series(place)[0] for place, run_id in enumerate(session["chosen runs"])},
            "stamp": session.get("chosen stamp", 0),
            "most": MAX_RUNS,
            "words": _words(),
        },
        key="runs table",
        on_open=_open,
        on_choose=_choose,
    )


def _wait(known: list[tuple[str, ...]]) -> None:
    """Sends nothing until there is something new: a run was started, renamed or deleted elsewhere."""
    if _known(all_rows()) != known:
        st.rerun()


def _known(found: Sequence[Row]) -> list[tuple[str, ...]]:
    return [(row.run.id, row.name, row.status.word) for row in found]


def _columns() -> list[dict[str, Any]]:
    texts = [t("Status"), t("Name"), t("Network"), t("Recipe"), t("Data")]
    numbers = [t("Last test accuracy"), t("Best test accuracy"), t("Time")]
    columns = [(text, False) for text in texts] + [(text, True) for text in numbers]
    columns += [(t("Device"), False), (t("Size"), True), (t("Started"), True)]
    return [{"label": text, "number": is_number} for text, is_number in columns]


def _words() -> dict[str, str]:
    return {
        "alt": t("All runs, the newest first"),
        "filter": t("Filter the runs"),
        "count": t("{shown} of {all} shown"),
        "choose": t("Choose {name}"),
        "most": t("At most {most} runs can be chosen.", most=MAX_RUNS),
        "none": t("No run matches the filter."),
        "recorded": t("Ships with the package"),
    }


def _line(row: Row) -> dict[str, Any]:
    """A run for the table: texts, and what they are sorted by where that is not the text."""
    config, word = row.config, row.status.word
    cells = [
        {"text": network(config)},
        {"text": config.training.recipe if config else "–"},
        {"text": data_text(config.dataset) if config else "–"},
        {"text": accuracy(row.last), "value": row.last},
        {"text": accuracy(row.best), "value": row.best},
        {"text": duration(row.seconds), "value": row.seconds},
        {"text": row.device},
        {"text": size(row.size), "value": row.size},
        {"text": moment(row.created), "value": row.created.timestamp() if row.created else None},
    ]
    return {
        "id": row.run.id,
        "name": row.title,
        "status": word,
        "sign": sign(word),
        "word": status(word),
        "reason": sentence(row.error) if row.error else None,
        "recorded": row.run.recorded,
        "cells": cells,
    }


def _open(run_id: str) -> None:
    look_at(run_id)
    session["runs moved"] = True


def _choose(ids: list[str], stamp: int) -> None:
    choose(ids)
    session.update({"chosen stamp": stamp, "runs moved": True})


def choose(ids: Sequence[str]) -> None:
    """Have these runs chosen in the table; two and more are in the link too."""
    session["chosen runs"] = list(dict.fromkeys(ids))[:MAX_RUNS]
    look_at(*(ids[:MAX_RUNS] if len(ids) > 1 else ()))


def _disk(found: Sequence[Row]) -> None:
    used = sum(row.size for row in found if not row.run.recorded)
    with st.container(horizontal=True, vertical_alignment="center", key="runs-disk"):
        st.caption(
            t(
                "Disk used by runs: {size}. The weights of the newest {most} are kept.",
                size=size(used),
                most=KEEP_WEIGHTS,
            )
        )
    chosen = set(session["chosen runs"])
    actions.delete_many(row for row in found if row.run.id in chosen)


# --- how good the forecasts were ------------------------------------------------------------------------------


def _forecasts(found: Sequence[Row]) -> None:
    """Forecast against measured, memory and the time of a step, of all runs that have both."""
    compared = {row.name: row.forecast for row in found if row.forecast}
    if not compared:
        return
    with st.expander(t("How good the forecasts were ({count} {count:run|runs})", count=len(compared)), key="forecasts"):
        left, right = st.columns(2)
        for column, name in zip((left, right), forecast.MEASURES, strict=True):
            with column:
                alt = t("{what}: forecast against measured; on the line it was right", what=t(forecast.MEASURES[name]))
                components.chart(forecast.chart(compared, name), alt, key=f"forecast {name}")
                st.caption(alt)


# --- the chosen runs --------------------------------------------------------------------------------------


def _one(row: Row | None) -> None:
    """The curves of one run: the chosen one, else the newest."""
    if row:
        st.markdown(f"##### {literal(row.title)}")
        curves.show([row.run], key="one curve")


def _chosen(chosen: Sequence[Row], found: Sequence[Row]) -> None:
    able = [row for row in chosen if row.config]
    if len(able) < 2:
        st.caption(t("Choose two or more runs to lay their curves over each other."))
        _one(able[0] if able else next((row for row in found if row.config), None))
        return
    st.markdown(f"##### {t('{count} {count:run|runs} compared', count=len(able))}")
    places = [_place(row) for row in able]
    curves.show([row.run for row in able], key="chosen curves", places=places)
    if len(able) == 2:
        _differences(able[0], able[1])
    _scatter(able)


def _place(row: Row) -> int:
    """The place of a run among the chosen ones, which gives it its colour wherever it is drawn."""
    ids: list[str] = session["chosen runs"]
    return ids.index(row.run.id)


def _differences(first: Row, second: Row) -> None:
    """What differs in what was asked, and how both ended."""
    asked = [
        (label(name), setting(name, one), setting(name, other))
        for name, one, other in differences(_all_settings(first), _all_settings(second))
    ]
    st.markdown(f"##### {t('What differs')}")
    if not asked:
        st.caption(t("Both were asked for the same: config, device, precision and PyTorch."))
    results = zip(_results(first).items(), _results(second).values(), strict=True)
    lines = [*asked, *((f"**{name}**", one, other) for (name, one), other in results)]
    head = f"| | {literal(first.title)} | {literal(second.title)} |\n|:--|:--|:--|"
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
    speed, loss, train = map(number, (outcome.examples_per_sec, outcome.loss, outcome.train_acc))
    return {
        t("Status"): f"{sign(row.status.word)} {status(row.status.word)}",
        t("Best test accuracy"): accuracy(row.best),
        t("Last test accuracy"): accuracy(row.last),
        t("Train accuracy"): accuracy(train),
        t("Train loss"): accuracy(loss),
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
        scatter.Mark(row.title, cost, row.best, row.best, row.best, _place(row))
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
