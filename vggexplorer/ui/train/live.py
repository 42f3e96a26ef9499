"""The run in view on Train: the run itself, its curves, the book's figures, a close look at a step; the others."""

from typing import Any

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.runs.config import Config, published
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.ui import pictures
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import actions, curves, view, watched
from vggexplorer.ui.run.rows import EYE, IDLE, Row, read_row
from vggexplorer.ui.session import session
from vggexplorer.ui.state import look_at
from vggexplorer.ui.train import after, racing
from vggexplorer.ui.train.preview import earlier

_gradients = st.components.v2.component(
    "vgg_gradients",
    html='<div class="part"><table></table></div>',
    css=STYLE
    + """
table { border-collapse: collapse; font-size: var(--type-label, 0.875rem); font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 0.75rem 0.15rem 0; text-align: left; font-weight: 400; }
thead th { font-weight: 600; }
.number { text-align: right; }
.bar { width: min(22rem, 40vw); padding-right: 0; }
.bar div { height: 0.6rem; border-radius: 2px; background: var(--st-primary-color); }
""",
    js=script("norms", "runs.js"),
)


def show(runs: Runs, run: Run) -> None:
    """Everything about a run that trains, or has trained; of a race, about all members."""
    if members := racing.members(runs, run):
        racing.show(members)
        return
    row = read_row(run, EYE)
    actions.show(row)
    watched.show(row)
    after.show(row)
    view.notes(row)
    if row.config:
        ghost = earlier(runs, row.config, but=run)
        curves.show([run], key="curves", published=published(row.config), ghost=ghost)
        _beside_the_book(row.config, run)
        _close_look(row)


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
    if outcome and outcome.status == Word.FINISHED and outcome.test_acc is not None:
        inside = low <= outcome.test_acc <= high
        text += " " + (t("This run is inside.") if inside else t("This run is outside."))
    st.caption(text)
    st.markdown("\n".join(f"- {literal(t(source))}: {literal(figures)}" for source, figures in book.runs))


# --- a close look at one step ------------------------------------------------------------------------------


def _close_look(row: Row) -> None:
    """The step that was done alone: its images, what the network took them for, its gradients."""
    if watched.looked_at(row) is None:
        return
    step = row.run.json(layout.STEP)
    with st.expander(t("A close look at step {step}", step=step["step"]), expanded=True, key="close look"):
        st.markdown(
            t(
                "loss **{loss}** · {correct} of {examples} right",
                loss=f"{step['loss']:.4f}",
                correct=step["correct"],
                examples=step["examples"],
            )
        )
        classes = row.run.environment().get("classes", [])
        pictures.pictures([_item(item, classes) for item in step["pictures"]], key="batch")
        _show_gradients(step["gradients"])


def _show_gradients(norms: dict[str, float]) -> None:
    """The norm of each layer's gradient, as a figure and as a bar beside the largest of them."""
    largest = max(norms.values(), default=0) or 1
    rows = [{"name": name, "text": f"{norm:.3g}", "share": norm / largest} for name, norm in norms.items()]
    _gradients(key="gradients", data={"rows": rows, "heads": [t("Layer"), t("Gradient norm")]})


def _item(item: dict[str, Any], classes: list[str]) -> pictures.Item:
    names = [t(classes[place]) if place < len(classes) else str(place) for place in (item["label"], item["guess"])]
    good = item["label"] == item["guess"]
    caption = names[0] if good else f"{names[0]} → {names[1]}"
    return {"picture": item["picture"], "caption": f"{caption}\n{percent(item['chance'], 1)}", "good": good}


# --- other runs --------------------------------------------------------------------------------------------


def others(runs: Runs, shown: Run | None) -> None:
    """The other runs that are active now, each a button that shows it."""
    before = _going_on(runs, shown)
    if before[1] or not before[0]:  # else the figures of the run that is shown say when there is another
        st.fragment(_others, run_every=2 * view.TICK if before[1] else IDLE)(runs, shown, before)


def _going_on(runs: Runs, shown: Run | None) -> tuple[bool, bool]:
    """Whether the run that is shown is active, and whether others are."""
    return bool(shown and shown.status().active), bool(_active(runs, shown))


def _active(runs: Runs, shown: Run | None) -> list[Row]:
    return [read_row(run) for run in runs.active() if not shown or run.id != shown.id]


def _others(runs: Runs, shown: Run | None, before: tuple[bool, bool]) -> None:
    if session.pop("moved", False) or before != _going_on(runs, shown):
        st.rerun()
    if not before[1]:
        return
    st.markdown(f"## {t('Other runs that are active')}")
    for row in _active(runs, shown):
        view.brief(row, _look_at)


def _look_at(run_id: str) -> None:
    look_at(run_id)
    session["moved"] = True
