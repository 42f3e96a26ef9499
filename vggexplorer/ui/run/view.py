"""A run as Train, Runs and Learn show it: its status, how far it is, its figures, what went wrong, what can be done."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import streamlit as st

from vggexplorer.formatting import NO_BREAK, exact, percent, size
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import notice
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import HEARTBEAT_TIMEOUT, Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.text import title
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.run import actions, forecast
from vggexplorer.ui.run.rows import IDLE, Row, read_row, watch
from vggexplorer.ui.run.words import LOOKS, accuracy, bits, data_text, duration, number, precision, status
from vggexplorer.ui.state import current

TICK = 1.0
"""Seconds between looks at a run that is active."""


def badge(of: Status) -> None:
    """The status as a word with an icon."""
    look = LOOKS[of.word]
    st.badge(status(of.word), icon=f":material/{look.icon}:", color=look.color)


def show(row: Row) -> None:
    """Status, progress and figures, which tick; below them what can be done with the run, and what to know of it."""
    st.fragment(_ticking, run_every=TICK if row.status.active else IDLE)(row.run, _drawn(row))
    actions.show(row)
    _say(row)


def missing() -> None:
    """Which runs of the link are not here."""
    for run_id in current().runs:
        if Runs.at().get(run_id) is None:
            st.warning(t("There is no run {id} here.", id=literal(run_id)), icon=":material/search_off:")


def brief(row: Row, open_: Callable[[str], None] | None = None) -> None:
    """A line about a run: its name, as a button if `open_` shows it, its status, and the last test accuracy."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"line of {row.run.id}"):
        if open_:
            st.button(literal(row.title), key=f"look {row.run.id}", on_click=open_, args=(row.run.id,), type="tertiary")
        else:
            st.markdown(f"**{literal(row.title)}**", width="content")
        badge(row.status)
        if row.last is not None:
            st.caption(t("Test accuracy {share}", share=percent(row.last, 1)), width="content")


def looked_at(run: Run, at: Status) -> int | None:
    """The step that there is a close look at: the last one, while a run is paused after it or has ended with it."""
    step = run.json(layout.STEP).get("step") if at.word == Word.PAUSED or not at.active else None
    return step if step == at.step else None


def _drawn(row: Row) -> Hashable:
    """What the page says outside of what ticks; when it changes, the page runs again, and the ticking may stop."""
    word = "" if row.status.active else row.status.word
    return word, tuple(actions.of(row)), actions.stopping(row), looked_at(row.run, row.status)


def _ticking(run: Run, drawn: Hashable) -> None:
    row = read_row(run, watch())
    if _drawn(row) != drawn:
        st.rerun()
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run line"):
        badge(row.status)
        if row.config:
            parts = title(row.config.network), row.config.training.recipe, data_text(row.config.dataset), row.device
            st.caption(" · ".join(map(literal, parts)), width="content")
    if text := _explained(row):
        st.caption(text)
    if row.config:
        _progress(row, row.config)
        _figures(row)
        if row.status.active:
            _device(run)
        else:
            forecast.afterwards(row.forecast)
        if (facts := run.environment()) and (found := notice(row.config, facts)):
            st.caption(bits(found))


def _explained(row: Row) -> str:
    """What a status means for a person; empty where the word says it all."""
    match row.status.word:
        case Word.WAITING if not row.status.ahead:
            return t("It waits until a node of the cluster has room for it.")
        case Word.WAITING:
            return t(
                "{count} {count:run is|runs are} before this one in the line for the device.", count=row.status.ahead
            )
        case Word.INTERRUPTED:
            return t(
                "The trainer was interrupted at step {step}. Resume goes on from its last checkpoint, step {saved}.",
                step=row.status.step,
                saved=row.run.saved_step(),
            )
        case Word.UNRESPONSIVE:
            return t(
                "The trainer has not answered for {seconds} s. It may be suspended, or its computer asleep.",
                seconds=f"{HEARTBEAT_TIMEOUT:g}",
            )
        case Word.STOPPED:
            return t("Stopped at step {step}. Resume goes on there.", step=row.status.step)
    return ""


def _progress(row: Row, config: Config) -> None:
    """How far it is, how long it takes still, and how fast it is with all that is not a step."""
    found = row.run.progress(row.status)
    if not found:
        return
    parts = [t("Epoch {epoch} of {epochs}", epoch=f"{found.last.epoch:.2f}", epochs=config.training.epochs)]
    if row.status.active and found.left is not None:
        parts.append(t("{time} left", time=duration(found.left)))
    parts.append(t("{speed} examples/s with testing", speed=exact(round(found.last.examples_per_sec_wall))))
    st.progress(min(1.0, found.step / found.steps), text=" · ".join(parts))


def _figures(row: Row) -> None:
    """The figures that the book prints, in its order, and what they cost."""
    last, outcome = row.run.last_record(), row.run.outcome() or Outcome(status=Word.INTERRUPTED)
    speed = number(last.examples_per_sec if last else outcome.examples_per_sec)  # of the steps alone, as in the book
    values = {
        t("Train loss"): accuracy(number(last.train_loss if last else outcome.loss)),
        t("Train accuracy"): accuracy(number(last.train_acc if last else outcome.train_acc)),
        t("Last test accuracy"): accuracy(row.last),
        t("Best test accuracy"): accuracy(row.best),
        t("Time"): duration(row.seconds),
        t("Examples per second"): "–" if speed is None else exact(round(speed)),
        t("Memory"): size(last.memory) if last and last.memory else "–",
    }
    with st.container(horizontal=True, gap="medium", key="run-figures"):
        for name, value in values.items():
            st.metric(name, value, width="content")


def _device(run: Run) -> None:
    """What the device is doing, in the order of nvidia-smi: temperature, power, memory, how busy it is."""
    sample, about = run.telemetry(), run.environment()
    if names := [each for each in (about.get("title"), precision(about)) if each]:
        st.caption(" · ".join(literal(str(each)) for each in names))
    if figures := _telemetry(sample, about):
        with st.container(horizontal=True, gap="medium", key="run-device"):
            for name, value in figures.items():
                st.metric(name, value, width="content")


def _telemetry(sample: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, str]:
    """The last sample of the device in words."""
    known = {key: value for key in sample if (value := number(sample[key])) is not None}
    figures = {}
    if "temperature" in known:
        figures[t("Temperature")] = f"{known['temperature']:g}{NO_BREAK}°C"
    if "power" in known:
        limit = f" / {known['power_limit']:.0f}" if "power_limit" in known else ""
        figures[t("Power")] = f"{known['power']:.0f}{limit}{NO_BREAK}W"
    if "memory" in known:
        whole = f" / {size(round(known['memory_total']))}" if "memory_total" in known else ""
        figures[t("Memory in use")] = f"{size(round(known['memory']))}{whole}"
    if "utilization" in known:
        gpu = str(about.get("device")).startswith("cuda")
        figures[t("GPU busy") if gpu else t("Processors busy")] = f"{known['utilization']:.0f}{NO_BREAK}%"
    return figures


def _say(row: Row) -> None:
    """Why it cannot be read, or ended as it did, with the end of what it wrote; what could not be used of the data."""
    if row.error:
        st.error(literal(sentence(row.error)), icon=":material/broken_image:")
    outcome = row.run.outcome()
    if outcome and outcome.reason:
        tell = st.error if outcome.status == Word.FAILED else st.info
        tell(literal(sentence(outcome.reason)), icon=":material/info:")
    if row.status.word in (Word.FAILED, Word.INTERRUPTED) and (text := row.run.end_of_log()):
        with st.expander(t("The end of what the trainer wrote")):
            st.code(text, language=None, wrap_lines=True)
    count, odd = row.run.odd_files()
    if count:
        with st.expander(t("{count} {count:file|files} could not be used", count=count)):
            more = [t("and {count} more", count=count - len(odd))] if count > len(odd) else []
            st.markdown("\n".join(f"- {each}" for each in [*map(literal, odd), *more]))
