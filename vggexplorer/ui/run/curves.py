"""The curves of runs: drawn in the browser, which asks the server for what it has not got yet.

No page runs for a new point: `assets/curves.js` polls `ui.records` while a run is active, and adds to its
plot what comes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from vggexplorer.palette import CURVES, series
from vggexplorer.runs.config import Config, Published
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.options import RANGE
from vggexplorer.server import metrics, style
from vggexplorer.server.files import url
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import capital, t
from vggexplorer.ui.run.words import called

Axis = Literal["epoch", "examples", "seconds", "step", "lr"]
"""What curves can be drawn against; the learning rate of range tests alone."""

_curves = st.components.v2.component(
    "vgg_curves",
    html='<div class="part"><div class="tools"></div><div class="around"><div class="plot" role="img"></div>'
    '<p class="note" role="status" hidden></p></div><p class="means"></p></div>',
    css=STYLE
    + """
.tools { display: flex; flex-wrap: wrap; gap: 0.35rem; align-items: center; font-size: 0.85rem; min-height: 2rem; }
.tools button { padding: 0.15rem 0.6rem; border: 1px solid var(--st-border-color); border-radius: 1rem; }
.tools button[aria-pressed=true] { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.tools span { opacity: 0.8; }
.tools .gap { flex: 1; }
.around { position: relative; }
.note { position: absolute; top: 0.4rem; left: 50%; transform: translateX(-50%); margin: 0; padding: 0.2rem 0.8rem; }
.note { font-size: var(--type-label, 0.875rem); background: var(--st-secondary-background-color); }
.note { border-radius: 0.4rem; pointer-events: none; text-align: center; }
.note[hidden] { display: none; }
.means { margin: 0.25rem 0 0; font-size: 0.8rem; opacity: 0.75; }
"""
    + style.narrow(".tools button { min-height: 36px; }"),
    js=script("curves", "curves.js"),
    isolate_styles=False,
)


def show(
    runs: Sequence[Run],
    key: str,
    published: Published | None = None,
    places: Sequence[int] | None = None,
    ghost: Run | None = None,
    against: Axis = "epoch",
    ends: Mapping[str, float] | None = None,
) -> None:
    """Loss and accuracy of `runs` against `against` at first; the book's spread as a band if there is one.

    Range tests are drawn against the learning rate at first.

    `places` says which colours of `palette.series` the runs have, where they are not the first ones. `ghost` is drawn
    in grey behind them. `ends` is where axes end, where that is not as the runs were asked for.
    """
    configs = [run.config() for run in runs]
    if configs and all(config.training.schedule == RANGE for config in configs):
        against = "lr"
    band = None
    if published:
        band = {"low": published.test_acc[0], "high": published.test_acc[1], "label": t("Test accuracy in the book")}
    data: dict[str, Any] = {
        "runs": [_named(run, place) for run, place in zip(runs, places or range(len(runs)), strict=True)],
        "ghost": ghost and _ghost(ghost),
        "colors": CURVES,
        "band": band,
        "span": ends or span(configs),
        "against": against,
        "rates": _rates(configs) if against == "lr" else None,
        "trains_here": any(run.environment().get("device", "cpu") == "cpu" for run in runs),
        "plotly": url("plotly.min.js"),
        "words": _words() | ({} if runs else {"empty": _to_come(ghost)}),
    }
    _curves(key=key, data=data)


def _rates(configs: Sequence[Config]) -> tuple[float, float]:
    """The lowest and the highest learning rate of range tests."""
    trainings = [config.training for config in configs]
    return min(each.lr / each.range_ratio for each in trainings), max(each.lr for each in trainings)


def _to_come(ghost: Run | None) -> str:
    """What is said where there is no run yet."""
    if ghost is None:
        return t("Your curves will be here.")
    return t("Your curves will be here; in grey {name}", name=_ghost(ghost)["name"])


def _ghost(run: Run) -> dict[str, Any]:
    end = t("recorded") if run.recorded else t("earlier")
    return {"id": run.id, "name": f"{called(run)} ({end})", "end": end, "url": metrics.address(run.id)}


def span(configs: Sequence[Config]) -> dict[str, float]:
    """The epochs of whole runs, and the examples if they are known; nothing if one of them may end before."""
    if not configs or any(config.training.may_end_early for config in configs):
        return {}
    ends: dict[str, float] = {"epoch": max(config.training.epochs for config in configs)}
    if all(config.dataset.known for config in configs):
        ends["examples"] = max(config.training.epochs * _images(config) for config in configs)
    return ends


def _images(config: Config) -> int:
    known = config.dataset.known
    return config.training.num_images(known.sizes[0]) if known else 0


def _named(run: Run, place: int) -> dict[str, Any]:
    """What the browser is told of a run; that it is active again wakes curves that have come to rest."""
    color, symbol = series(place)
    about = {"id": run.id, "name": called(run), "url": metrics.address(run.id), "active": run.status().active}
    return about | {"color": color, "symbol": symbol}


def _words() -> dict[str, Any]:
    return {
        "alt": t("Loss and accuracy of the run while it trains"),
        "loss": capital(t("loss")),
        "accuracy": capital(t("accuracy")),
        "train_loss": capital(t("train loss")),
        "test_loss": capital(t("test loss")),
        "batch_loss": capital(t("batch loss")),
        "train_acc": capital(t("train accuracy")),
        "test_acc": capital(t("test accuracy")),
        "ends": {
            "train_loss": t("train"),
            "test_loss": t("test"),
            "batch_loss": t("batch"),
            "train_acc": t("train"),
            "test_acc": t("test"),
        },
        "epoch": capital(t("epochs")),
        "examples": capital(t("examples seen")),
        "seconds": capital(t("seconds")),
        "step": capital(t("steps")),
        "lr": capital(t("learning rate")),
        "against": t("X axis"),
        "smooth": t("Smooth the batch loss"),
        "reset": t("Reset the zoom"),
        "log": t("Logarithmic loss"),
        "means": t("Train figures are means over the epoch so far, as in the book: they begin anew with each epoch."),
        "offline": t("The dashboard does not answer; the run itself goes on. Trying again …"),
        "empty": t("No figures yet."),
        "damaged": t("A part of the figures is damaged; what comes before it is shown."),
    }
