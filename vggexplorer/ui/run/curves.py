"""The curves of runs: drawn in the browser, which asks the server for what it has not got yet.

No page runs for a new point: `assets/curves.js` polls `ui.records` while a run is active, and adds to its
plot what comes.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.palette import CURVES, series
from vggexplorer.runs.config import Published
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import metrics
from vggexplorer.server.files import url
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import capital, t
from vggexplorer.ui.run.words import called

_curves = st.components.v2.component(
    "vgg_curves",
    html='<div class="part"><div class="tools"></div><div class="plot" role="img"></div>'
    '<p class="note" role="status"></p><p class="means"></p></div>',
    css=STYLE
    + """
.tools { display: flex; flex-wrap: wrap; gap: 0.35rem; align-items: center; font-size: 0.85rem; min-height: 2rem; }
.tools button { padding: 0.15rem 0.6rem; border: 1px solid var(--st-border-color); border-radius: 1rem; }
.tools button[aria-pressed=true] { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.tools span { opacity: 0.8; }
.tools .gap { flex: 1; }
.note { margin: 0; font-size: 0.85rem; opacity: 0.85; }
.note:empty { display: none; }
.means { margin: 0.25rem 0 0; font-size: 0.8rem; opacity: 0.75; }
.plot[data-points="0"] { display: none; }
""",
    js=script("curves", "curves.js"),
    isolate_styles=False,
)


def show(
    runs: Sequence[Run], key: str, published: Published | None = None, places: Sequence[int] | None = None
) -> None:
    """Loss and accuracy of `runs` against epochs, seconds or steps; the book's spread as a band if there is one.

    `places` says which colours of `palette.series` the runs have, where they are not the first ones.
    """
    band = None
    if published:
        band = {"low": published.test_acc[0], "high": published.test_acc[1], "label": t("Test accuracy in the book")}
    data: dict[str, Any] = {
        "runs": [_named(run, place) for run, place in zip(runs, places or range(len(runs)), strict=True)],
        "colors": CURVES,
        "band": band,
        "plotly": url("plotly.min.js"),
        "words": _words(),
    }
    _curves(key=key, data=data)


def _named(run: Run, place: int) -> dict[str, Any]:
    """What the browser is told of a run; that it is active again wakes curves that have come to rest."""
    color, symbol = series(place)
    about = {"id": run.id, "name": called(run), "url": metrics.address(run.id), "active": run.status().active}
    return about | {"color": color, "symbol": symbol}


def _words() -> dict[str, str]:
    return {
        "alt": t("Loss and accuracy of the run while it trains"),
        "loss": capital(t("loss")),
        "accuracy": capital(t("accuracy")),
        "train_loss": capital(t("train loss")),
        "test_loss": capital(t("test loss")),
        "batch_loss": capital(t("batch loss")),
        "train_acc": capital(t("train accuracy")),
        "test_acc": capital(t("test accuracy")),
        "epoch": capital(t("epochs")),
        "seconds": capital(t("seconds")),
        "step": capital(t("steps")),
        "against": t("X axis"),
        "smooth": t("Smooth the batch loss"),
        "reset": t("Reset the zoom"),
        "log": t("Logarithmic loss"),
        "means": t("Train figures are means over the epoch so far, as in the book: they begin anew with each epoch."),
        "offline": t("The dashboard does not answer; the run itself goes on. Trying again …"),
        "empty": t("No figures yet."),
        "damaged": t("A part of the figures is damaged; what comes before it is shown."),
    }
