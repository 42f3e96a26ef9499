"""The Start button. One press makes exactly one run, whatever is clicked twice, reloaded or drawn again."""

from contextlib import suppress
from itertools import chain
from math import ceil
from typing import NamedTuple

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, size
from vggexplorer.layers import shape_text
from vggexplorer.paths import TRAIN
from vggexplorer.runs.calibration import known_price
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import notice
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.summary import summarize
from vggexplorer.ui import access
from vggexplorer.ui.i18n import capital, literal, sentence, t
from vggexplorer.ui.run import choice, forecast, rows
from vggexplorer.ui.run.words import bits, data_text
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, look_at, publish
from vggexplorer.ui.widgets import once, shortcut


def in_view(runs: Runs) -> Run | None:
    """The run that the link names, else one that is active now, else the one that this visitor started last."""
    if named := current().runs:
        session["seen on Train"] = named[0]
        return runs.get(named[0])
    mine = access.started()
    active = sorted(runs.active(), key=lambda run: run.id not in mine)
    before = (run for run_id in (*mine, session.get("seen on Train", "")) if (run := runs.get(run_id)))
    found = next(chain(active, before), None)
    if found:
        look_at(found.id)
        publish(TRAIN)
    return found


NAME = "name of the next run"
"""The key of a field for it, where there is one."""


class Prepared(NamedTuple):
    """A run as it is set up, and what it will take if that is known."""

    config: Config
    before: forecast.RunForecast | None


def prepare(runs: Runs, own_input: bool = False) -> Prepared | None:
    """What would be started; why it cannot be is said.

    With `own_input` it is trained at the input that it has, whatever the recipe says.
    """
    try:
        config = choice.config(own_input)
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return None
    before = None
    with suppress(InputError):  # a folder that cannot be read: that is said beside its field, and at the start
        before = None if choice.chosen().cluster else forecast.expect(runs, config)
    return Prepared(config, before)


def line(runs: Runs, prepared: Prepared, another: bool = False) -> None:
    """The button, and beside it what the run will take; `another` if a run is in view already."""
    config, before = prepared
    here = None if choice.chosen().elsewhere else before
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="start line"):
        once(
            t("Start another") if another else t("Start"),
            key="start",
            type="secondary" if another else "primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(runs, config, here),
            **shortcut("start"),
        )
        st.caption(_what(config, here), width="content")
    if here and not here.fits and session.get("start question") == config:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="start question line"):
            st.warning(f"{forecast.why_not(here)} {t('Start it all the same?')}", icon=":material/help:")
            once(t("Start anyway"), key="start anyway", on_click=_start_now, args=(runs, config))
    _say_limits()
    if refused := session.get("start error"):
        st.error(literal(sentence(refused)), icon=":material/error:")


def details(runs: Runs, prepared: Prepared, exact_bits: bool) -> None:
    """The network as it will be trained, and its forecast; `exact_bits` if what holds of the bits is said nowhere."""
    config, before = prepared
    st.markdown(f"## {t('The network as it will be trained')}")
    _as_trained(config)
    if choice.chosen().cluster:
        st.caption(t("What a run will take is known of this machine, not of the cluster."))
        return
    forecast.show(runs, before)
    if exact_bits or config.training.exact:
        _say_exactness(runs, before)


def show(runs: Runs, own_input: bool = False) -> None:
    """The network as it will be trained, with its forecast, and the button."""
    if prepared := prepare(runs, own_input):
        details(runs, prepared, exact_bits=True)
        line(runs, prepared)


def _say_exactness(runs: Runs, before: forecast.RunForecast | None) -> None:
    """Whether two runs of one seed will have equal bits, where that is not so by itself or was asked for."""
    if before is None or choice.chosen().elsewhere:
        return
    facts = {"device": before.device.name, "price": known_price(runs.path, before.device.name)}
    if found := notice(before.config, facts):
        st.caption(bits(found))


def _say_limits() -> None:
    """How long a run may take; what exceeds another limit is said when it is started."""
    with suppress(InputError):
        if minutes := access.allowed().minutes:
            st.caption(
                t("The teacher allows a run {minutes} {minutes:minute|minutes} here; then it is over.", minutes=minutes)
            )


def _what(config: Config, here: forecast.RunForecast | None) -> str:
    """What will be started, how long it takes and how much memory, and where."""
    parts = [config.training.recipe, data_text(config.dataset)]
    if here:
        found = here.forecast
        parts += [t("about {time}", time=forecast.seconds(found.time.total))] if found.time else []
        parts.append(size(found.memory.total))
    parts.append(config.device if config.device != "auto" else here.device.title if here else t("the best one"))
    parts += [t("the cluster")] if choice.chosen().cluster else []
    return " · ".join(literal(part) for part in parts)


def _start(runs: Runs, config: Config, before: forecast.RunForecast | None) -> None:
    """Start the run; one that will not fit is asked about first."""
    if before and not before.fits:
        session["start question"] = config
    else:
        _start_now(runs, config)


def _start_now(runs: Runs, config: Config) -> None:
    """Start the run, and show it."""
    session.update({"start error": None, "start question": None})
    try:
        name = session.get(NAME, "").strip() or None
        look_at(access.start_run(runs, config, name, choice.place()).id)
        rows.forget()
    except InputError as error:
        session["start error"] = error


# --- the network as it will be trained ---------------------------------------------------------------------


def _as_trained(run: Config) -> None:
    """The network with what the training changes of it, and its totals."""
    asked, trained = run.network, run.trained
    totals = summarize(*trained).totals
    with st.container(horizontal=True, gap="small", key="as trained"):
        st.metric(t("Parameters"), exact(totals.params), width=150)
        st.metric("MACs", exact(totals.macs), width=150)
        st.metric(capital(t("input")), shape_text(trained.input_shape), width=150)
        st.metric(capital(t("steps")), _steps(run), width=150)
    changes = _changes(asked, trained)
    if changes:
        before = _params(asked)
        text = t("The training changes the network: {changes}.", changes=t(", ").join(changes))
        st.caption(f"{text} {t('Before, it has {params} parameters.', params=before)}" if before else text)


def _params(network: Network) -> str:
    try:
        return exact(summarize(*network).totals.params)
    except InputError:
        return ""


def _steps(run: Config) -> str:
    known, training = run.dataset.known, run.training
    steps = exact(ceil(training.num_images(known.sizes[0]) / training.batch_size)) if known else "…"
    return f"{training.epochs} × {steps}"


def _changes(asked: Network, trained: Network) -> list[str]:
    changes = []
    if asked.input_shape != trained.input_shape:
        changes.append(f"{t('input')} {shape_text(asked.input_shape)} → {shape_text(trained.input_shape)}")
    if asked.architecture.batch_norm != trained.architecture.batch_norm:
        changes.append(t("with batch norm") if trained.architecture.batch_norm else t("without batch norm"))
    before, after = asked.architecture.dropout, trained.architecture.dropout
    if before != after:
        changes.append(f"{t('dropout')} {before:g} → {after:g}")
    return changes
