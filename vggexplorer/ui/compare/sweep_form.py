"""Training the networks of Compare: a small form, how long it will take, and Start."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.comparison import Entry
from vggexplorer.errors import InputError
from vggexplorer.runs import datasets, devices
from vggexplorer.runs.experience import kept_speed
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import QUICK, RECIPE_NAMES
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps.grid import Grid, Plan, Total, forecast_total, parse_list
from vggexplorer.text import parse_ratio, parse_whole
from vggexplorer.ui import access
from vggexplorer.ui.i18n import literal, say, sentence, t
from vggexplorer.ui.run import choice, elsewhere, forecast, rows
from vggexplorer.ui.session import session
from vggexplorer.ui.state import go, look_at_sweep
from vggexplorer.ui.widgets import once, translated

SEEDS = "0, 1, 2"
"""Three runs of each: the least that have a median and a range."""
MOST_LEFT_OUT = 6
"""The most networks that are left out that each get a sentence."""
_WIDTH = 170


def show(compared: Sequence[Entry]) -> None:
    """What is to be trained, and the button that starts it."""
    if exhibit.nothing_starts():
        elsewhere.show()
        return
    st.caption(t("Every combination is a run. Lists are written with commas; what is empty is the recipe's."))
    with st.container(horizontal=True, gap="small", key="sweep fields"):
        recipes = st.multiselect(t("Recipes"), RECIPE_NAMES, [QUICK], key="sweep recipes", width=300)
        seeds = st.text_input(t("Seeds"), SEEDS, key="sweep seeds", width=_WIDTH)
        sizes = st.text_input(t("Inputs, pixels"), key="sweep sizes", placeholder="28, 56", width=_WIDTH)
        widths = st.text_input(t("Widths"), "1", key="sweep widths", help=t("As in 1, 1/2, 1/4."), width=_WIDTH)
        epochs = st.text_input(t("Epochs"), key="sweep epochs", placeholder=t("the recipe's"), width=_WIDTH)
        words = {kind: t(known.label) for kind, known in datasets.KNOWN.items()}
        data = st.selectbox(
            t("Data"), list(words), format_func=words.__getitem__, key=translated("sweep data"), width=260
        )
        places = {"": t("this machine"), "auto": t("the cluster")}
        own = list(places).index(choice.chosen().cluster)
        cluster = st.selectbox(
            t("Where to run"),
            list(places),
            own,
            format_func=places.__getitem__,
            key=translated("sweep place"),
            width=180,
        )
        name = st.text_input(t("Name"), key="sweep name", placeholder=t("the networks"), width=300)
    runs = Runs.at()
    try:
        changes: dict[str, Any] = {"epochs": parse_whole(epochs, what="the number of epochs")} if epochs.strip() else {}
        grid = Grid(
            networks=[entry.network for entry in compared],
            widths=[parse_ratio(text) for text in parse_list(widths, what="the width")],
            sizes=_numbers(sizes, what="the input size") if sizes.strip() else (None,),
            recipes=recipes or (QUICK,),
            seeds=_numbers(seeds, what="the seed"),
            changes=changes,
            dataset=datasets.Dataset(data),
            speed=None if cluster else kept_speed(runs.path, "auto"),
        )
        plan = grid.plan()
        total = forecast_total(runs, plan.configs)
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    place = replace(choice.place(), cluster=cluster)
    _before(runs, plan, None if cluster else total)
    for remark in grid.said():
        st.caption(say(remark))
    once(
        t("Start {count} {count:run|runs}", count=f"{len(plan.configs):,}"),
        key="start sweep",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(runs, plan, name, place),
    )
    if refused := session.get("sweep error"):
        st.error(literal(sentence(refused)), icon=":material/error:")


def _numbers(text: str, what: str) -> list[int]:
    return [parse_whole(item, what=what) for item in parse_list(text, what=what)]


def _before(runs: Runs, plan: Plan, total: Total | None) -> None:
    """What will be started, how long that takes here, and what cannot be trained so."""
    count = f"{len(plan.configs):,}"
    if total is None:
        st.markdown(t("**{count} {count:run|runs}** on the cluster.", count=count))
        st.caption(t("What a run will take is known of this machine, not of the cluster."))
    else:
        _here(runs, count, total, len(plan.configs) > total.unknown)
    for each in plan.left_out[:MOST_LEFT_OUT]:
        st.caption(t("Left out: {network}. {reason}", network=literal(each.network), reason=_reason(each.reason)))
    if (more := len(plan.left_out) - MOST_LEFT_OUT) > 0:
        st.caption(t("{count} more {count:is|are} left out.", count=more))


def _here(runs: Runs, count: str, total: Total, known: bool) -> None:
    """How long the runs take on this machine, if it was measured."""
    if known:
        low, high = forecast.seconds(total.low), forecast.seconds(total.high)
        st.markdown(
            t("**{count} {count:run|runs}**, one after the other: {low} to {high}.", count=count, low=low, high=high)
        )
    else:
        st.markdown(
            t(
                "**{count} {count:run|runs}**; how long {count:it takes|they take} is not known, "
                "as the device was not measured.",
                count=count,
            )
        )
    if not known or devices.known(runs.path) is None:
        found = choice.look_for_devices()
        if found and not known:
            forecast.measuring(runs, found[0])
    if total.too_large:
        words = t("{count} of them {count:needs|need} more memory than the device has.", count=total.too_large)
        st.warning(words, icon=":material/warning:")


def _reason(error: InputError) -> str:
    return literal(sentence(error))


def _start(runs: Runs, plan: Plan, name: str, place: Place) -> None:
    """Start the sweep, and show it on Runs."""
    session["sweep error"] = None
    try:
        sweep = access.start_sweep(runs, plan.configs, name.strip() or None, place)
    except InputError as error:
        session["sweep error"] = error
        return
    rows.forget()
    look_at_sweep(sweep.id)
    go("runs")
