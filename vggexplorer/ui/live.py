"""A run while it trains: its status, its progress, its curves, and what can be done with it."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import NO_BREAK, duration, exact, percent, size
from vggexplorer.runs import forecasts, launch
from vggexplorer.runs.config import Config, published
from vggexplorer.runs.records import Record
from vggexplorer.runs.store import PATIENCE, STATUSES, Run, Runs, Status, Watch
from vggexplorer.text import title
from vggexplorer.ui import access, ahead, curves, run_components
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.run_rows import IDLE
from vggexplorer.ui.run_words import data_text
from vggexplorer.ui.state import look_at

TICK = 1.0
"""Seconds between looks at a run that is active."""


class Look(NamedTuple):
    """How a status is shown: an icon, and a colour that goes with it."""

    icon: str
    color: Literal["blue", "green", "orange", "red", "gray"]


LOOKS = {
    "starting": Look("hourglass_empty", "gray"),
    "waiting": Look("hourglass_empty", "gray"),
    "loading": Look("downloading", "blue"),
    "running": Look("play_arrow", "blue"),
    "evaluating": Look("rule", "blue"),
    "saving": Look("save", "blue"),
    "paused": Look("pause", "orange"),
    "unresponsive": Look("error", "red"),
    "interrupted": Look("power_off", "red"),
    "finished": Look("check_circle", "green"),
    "stopped": Look("stop_circle", "orange"),
    "failed": Look("cancel", "red"),
    "damaged": Look("broken_image", "red"),
}
"""By status word."""


def watch() -> Watch:
    """Sees in this session whether trainers are alive."""
    found: Watch = st.session_state.setdefault("watch", Watch())
    return found


def badge(status: Status) -> None:
    """The status as a word with an icon."""
    look = LOOKS.get(status.word, Look("help", "gray"))
    st.badge(t(STATUSES.get(status.word, status.word)), icon=f":material/{look.icon}:", color=look.color)


def show(run: Run) -> None:
    """Everything about a run that trains, or has trained."""
    try:
        config = run.config()
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    status = run.status(watch())
    with st.container(border=True, key="run in view"):
        shown = (status.active, _looked_at(run, status))
        st.fragment(_state, run_every=TICK if status.active else None)(run, config, shown)
        curves.show([run], key="curves", published=published(config))
        _beside_the_book(config, run)
        _close_look(run, status)


def _looked_at(run: Run, status: Status) -> int | None:
    """The step that there is a close look at: the last one, while a run is paused after it."""
    step = run.json("step.json").get("step") if status.word == "paused" else None
    return step if step == status.step else None


def _state(run: Run, config: Config, shown: tuple[bool, int | None]) -> None:
    """Status, progress and buttons; when what is below must change, the page runs again, and the ticking may stop."""
    status = run.status(watch())
    if shown != (status.active, _looked_at(run, status)):
        st.rerun()
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run line"):
        st.markdown(f"**{literal(run.name())}**", width="content")
        badge(status)
        about = (
            title(config.network),
            config.training.recipe,
            data_text(config.dataset),
            run.environment().get("device", ""),
        )
        st.caption(" · ".join(literal(text) for text in about if text), width="content")
        st.space("stretch")
        _buttons(run, status)
    access.explain(run)
    _say(run, status)
    _progress(run, config, status)


# --- buttons -----------------------------------------------------------------------------------------------


def _buttons(run: Run, status: Status) -> None:
    mine = access.may_change(run)
    for name, label, icon, act in _actions(run, status):
        icon = f":material/{icon}:"
        st.button(label, key=f"{name} run", icon=icon, disabled=not mine, on_click=_do, args=(act, run))


def _actions(run: Run, status: Status) -> list[tuple[str, str, str, Callable[[], Any]]]:
    stop = ("stop", t("Stop"), "stop", lambda: launch.stop(run))
    ways: dict[str, list[tuple[str, str, str, Callable[[], Any]]]] = {
        "running": [("pause", t("Pause"), "pause", lambda: run.want(until=0)), stop],
        "paused": [
            ("step", t("One step"), "skip_next", lambda: run.want(until=status.step + 1)),
            ("continue", t("Continue"), "play_arrow", run.want),
            stop,
        ],
        "unresponsive": [("end", t("End it"), "power_settings_new", lambda: launch.kill(run))],
    }
    actions = ways.get(status.word, [stop] if status.active else [])
    if status.word == "unresponsive":
        return actions
    if status.word in ("evaluating", "saving"):
        actions = ways["running"]
    if run.resumable(status):
        actions = [("resume", t("Resume"), "play_arrow", lambda: access.resume(Runs(run.path.parent), run))]
    if run.ignores_stop(status):
        actions = [*filter(stop.__ne__, actions), *ways["unresponsive"]]
    return actions


def _do(act: Callable[[], Any], run: Run) -> None:
    """Do what a button says; what is in the way is said below it."""
    st.session_state.pop("run error", None)
    try:
        access.check(run)
        act()
    except InputError as error:
        st.session_state["run error"] = (run.id, error)
    except OSError as error:
        reason = InputError("The run's files could not be written: {reason}", reason=error.strerror or str(error))
        st.session_state["run error"] = (run.id, reason)


# --- what is said ------------------------------------------------------------------------------------------


def _say(run: Run, status: Status) -> None:
    """What a person should know: what went wrong, whose turn it is, what can be done."""
    if odd := run.environment().get("odd"):
        with st.expander(t("{count} files could not be used", count=len(odd))):
            st.markdown("\n".join(f"- {literal(str(each))}" for each in odd))
    about, error = st.session_state.get("run error", (None, None))
    if about == run.id:
        st.error(literal(sentence(error)), icon=":material/error:")
    outcome = run.outcome()
    if outcome and outcome.reason:
        show_reason = st.error if status.word == "failed" else st.info
        show_reason(literal(sentence(outcome.reason)), icon=":material/info:")
    if text := _explained(run, status):
        st.caption(text)
    if status.word == "interrupted" and (text := run.end_of_log()):
        with st.expander(t("The end of what the trainer wrote")):
            st.code(text, language=None, wrap_lines=True)


def _explained(run: Run, status: Status) -> str:
    """What a status means for a person; empty where the word says it all."""
    match status.word:
        case "waiting" if not status.ahead:
            return t("It waits until a node of the cluster has room for it.")
        case "waiting":
            return t("{count} runs are before this one in the line for the device.", count=status.ahead)
        case "interrupted":
            return t(
                "The trainer was interrupted at step {step}. Resume goes on from its last checkpoint, step {saved}.",
                step=status.step,
                saved=run.saved_step(),
            )
        case "unresponsive":
            return t(
                "The trainer has not answered for {seconds} s. It may be suspended, or its computer asleep.",
                seconds=f"{PATIENCE:g}",
            )
        case "stopped":
            return t("Stopped at step {step}. Resume goes on exactly there.", step=status.step)
    return ""


def _progress(run: Run, config: Config, status: Status) -> None:
    """How far it is, how long it takes still, how fast it is, and what the device is doing."""
    about, last = run.environment(), run.last_record()
    steps = about.get("num_steps")
    if not last or not steps:
        return
    step = max(last.step, status.step)
    parts = [t("epoch {epoch} of {epochs}", epoch=f"{last.epoch:.2f}", epochs=config.training.epochs)]
    if status.active and step < steps:
        parts.append(t("{time} left", time=duration((steps - step) * last.seconds / last.step)))
    parts.append(t("{time} so far", time=duration(last.seconds)))
    parts.append(_speed(last))
    st.progress(min(1.0, step / steps), text=" · ".join(parts))
    st.markdown(_figures(run, last))
    if status.active:
        st.caption(_device(run, last))
    else:
        ahead.afterwards(forecasts.of_run(run))


def _speed(last: Record) -> str:
    return t(
        "{steps} examples/s ({wall} with testing)",
        steps=exact(round(last.examples_per_sec)),
        wall=exact(round(last.examples_per_sec_wall)),
    )


def _figures(run: Run, last: Record) -> str:
    """The figures that the book prints, in its order."""
    outcome = run.outcome()
    tested = outcome.test_acc if outcome and outcome.test_acc is not None else last.test_acc
    figures = [(t("loss"), last.train_loss), (t("train accuracy"), last.train_acc), (t("test accuracy"), tested)]
    return " · ".join(f"{label} **{value:.3f}**" for label, value in figures if value is not None)


def _device(run: Run, last: Record) -> str:
    sample, about = run.telemetry(), run.environment()
    parts = [about.get("title") or about.get("device", ""), about.get("precision", "")]
    if "utilization" in sample:
        parts.append(t("{share} busy", share=percent(sample["utilization"], 100)))
    if "memory" in sample:
        whole = f" / {size(sample['memory_total'])}" if "memory_total" in sample else ""
        parts.append(t("{used} of memory in use", used=size(sample["memory"]) + whole))
    elif last.memory:
        parts.append(t("{used} of memory in use", used=size(last.memory)))
    if "temperature" in sample:
        parts.append(f"{sample['temperature']}{NO_BREAK}°C")
    if "power" in sample:
        parts.append(f"{sample['power']:.0f}{NO_BREAK}W")
    return " · ".join(literal(str(part)) for part in parts if part)


# --- the book's figures ------------------------------------------------------------------------------------


def _beside_the_book(config: Config, run: Run) -> None:
    """Where the run is the book's own: whether it is inside the published spread, and the figures beside it."""
    book = published(config)
    if not book:
        return
    low, high = book.test_acc
    spread = {"low": f"{low:.3f}", "high": f"{high:.3f}", "builds": book.builds}
    text = t("Over {builds} published builds of the book the test accuracy was from {low} to {high}.", **spread)
    outcome = run.outcome()
    if outcome and outcome.status == "finished" and outcome.test_acc is not None:
        inside = low <= outcome.test_acc <= high
        text += " " + (t("This run is inside.") if inside else t("This run is outside."))
    st.caption(text)
    st.markdown("\n".join(f"- {literal(t(source))}: {literal(figures)}" for source, figures in book.runs))


# --- a close look at one step ------------------------------------------------------------------------------


def _close_look(run: Run, status: Status) -> None:
    """The step that was done alone: its images, what the network took them for, its gradients."""
    if _looked_at(run, status) is None:
        return
    view = run.json("step.json")
    with st.expander(t("A close look at step {step}", step=view["step"]), expanded=True, key="close look"):
        st.markdown(
            t(
                "loss **{loss}** · {correct} of {examples} right",
                loss=f"{view['loss']:.4f}",
                correct=view["correct"],
                examples=view["examples"],
            )
        )
        classes = run.environment().get("classes", [])
        run_components.pictures([_item(item, classes) for item in view["pictures"]], key="batch")
        largest = max(view["gradients"].values(), default=0) or 1
        lines = (
            f"| {name} | {value:.3g} | {'█' * round(20 * value / largest)} |"
            for name, value in view["gradients"].items()
        )
        st.markdown("\n".join([f"| {t('layer')} | {t('gradient norm')} | |", "|:--|--:|:--|", *lines]))


def _item(item: dict[str, Any], classes: list[str]) -> run_components.Item:
    names = [t(classes[place]) if place < len(classes) else str(place) for place in (item["label"], item["guess"])]
    good = item["label"] == item["guess"]
    caption = names[0] if good else f"{names[0]} → {names[1]}"
    return {"picture": item["picture"], "caption": f"{caption}\n{percent(item['chance'], 1)}", "good": good}


def others(runs: Runs, shown: Run | None) -> None:
    """The other runs that are active now, each a button that shows it."""
    before = _going_on(runs, shown)
    st.fragment(_others, run_every=2 * TICK if before[1] else IDLE)(runs, shown, before)


def _going_on(runs: Runs, shown: Run | None) -> tuple[bool, bool]:
    """Whether the run that is shown is active, and whether others are."""
    return bool(shown and shown.status().active), bool(_active(runs, shown))


def _active(runs: Runs, shown: Run | None) -> list[tuple[Run, Status]]:
    found = ((run, run.status()) for run in runs.all(recorded=False)[:50] if not shown or run.id != shown.id)
    return [(run, status) for run, status in found if status.active]


def _others(runs: Runs, shown: Run | None, before: tuple[bool, bool]) -> None:
    if st.session_state.pop("moved", False) or before != _going_on(runs, shown):
        st.rerun()
    if not before[1]:
        return
    st.markdown(f"##### {t('Other runs that are active')}")
    for run, status in _active(runs, shown):
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"other {run.id}"):
            st.button(literal(run.name()), key=f"look {run.id}", on_click=_look_at, args=(run.id,), type="tertiary")
            badge(status)


def _look_at(run_id: str) -> None:
    look_at(run_id)
    st.session_state["moved"] = True
