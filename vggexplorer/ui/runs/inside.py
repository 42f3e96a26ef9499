"""Inside a run's network: its first filters, and what a layer makes of a picture, from snapshot to snapshot."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.layers import Kind
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.summary import Row, summarize
from vggexplorer.ui import pictures
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.figures import row_label
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.rows import IDLE
from vggexplorer.ui.runs import prediction, try_picture
from vggexplorer.ui.runs.prediction import as_file
from vggexplorer.ui.session import session

_inside = st.components.v2.component(
    "vgg_inside",
    html='<div class="inside part"><div class="scrub"><button type="button"></button>'
    '<input type="range" min="0" step="1"></div><output></output><div class="tiles"></div></div>',
    css=STYLE
    + """
.scrub { display: flex; gap: 0.8rem; align-items: center; }
.scrub[hidden] { display: none; }
.scrub button { white-space: nowrap; min-width: 6rem; text-align: left; padding: 0.35rem 0.7rem; }
.scrub button { border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); }
.scrub input { flex: 1; min-width: 6rem; accent-color: var(--st-primary-color); }
.scrub input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
output { display: block; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 16rem; max-width: 30rem; }
canvas { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
figcaption { font-size: 0.85rem; margin: 0.25rem 0; }
""",
    js=script("inside", "inside.js"),
)


_BEFORE_ACTIVATION = (Kind.CONV2D, Kind.BATCH_NORM2D)


def show(run: Run, config: Config, test_pictures: Sequence[pictures.Item]) -> None:
    """The choice of a layer, and what it makes of the picture that was tried last, or of the first test picture."""
    active = run.status().active
    if active:
        st.fragment(_wait, run_every=IDLE)(run, len(snapshots.files(run.path)))
    rows = summarize(*config.trained).seen_inside()
    if not rows or not (run.weights() or snapshots.files(run.path)):
        st.caption(t("It can be seen from the first step on.") if active and rows else t("Nothing is kept of it."))
        return
    st.caption(
        t("The filters of the first convolution, and what a layer makes of a picture, from the first step to the last.")
    )
    activation = next((place for place, row in enumerate(rows) if row.kind not in _BEFORE_ACTIVATION), 0)
    st.selectbox(
        t("Feature maps of"),
        range(len(rows)),
        activation,
        format_func=lambda place: row_label(rows[place]),
        key="inside layer",
        width=420,
    )
    content = try_picture.tried(run) or (as_file(test_pictures[0]["picture"]) if test_pictures else None)
    if content is None:
        st.caption(t("Try a picture above to see what the network makes of it."))
    elif session.get("looked inside") != run.id:
        st.button(t("Look inside"), key="look inside", on_click=_look, args=(run,), icon=":material/visibility:")
    else:
        _answer(run, rows[session["inside layer"]], content)


def _wait(run: Run, known: int) -> None:
    """Nothing, until there is one more snapshot."""
    if len(snapshots.files(run.path)) != known:
        st.rerun()


def _look(run: Run) -> None:
    session["looked inside"] = run.id


def _answer(run: Run, row: Row, content: bytes) -> None:
    if answer := prediction.ask("asked inside", run, content, try_picture.inverted(run), row.name):
        _found(answer["stages"], row)


def _found(stages: Sequence[dict[str, Any]], row: Row) -> None:
    words = {
        "filters": t("Filters of the first convolution"),
        "maps": t("Feature maps of {layer}", layer=row_label(row)),
        "slider": t("Step of the training"),
        "play": t("Play"),
        "stop": t("Stop"),
    }
    data = {"stages": [_stage(stage) for stage in stages], "words": words}
    _inside(key="inside", data=data)


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    """One step of the training with its texts."""
    if stage["step"] is None:
        when = t("After the last step")
    elif stage["step"] == 0:
        when = t("Before the first step")
    else:
        when = t("After step {step}, loss {loss}", step=f"{stage['step']:,}", loss=f"{stage['loss']:.3f}")
    return {
        "when": when,
        "filters": stage["filters"] | {"caption": _caption(stage["filters"])},
        "maps": stage["maps"] | {"caption": _caption(stage["maps"])},
    }


def _caption(tiles: dict[str, Any]) -> str:
    """How many of how many, and what the greys mean."""
    count, of, largest = tiles["count"], tiles["of"], f"{tiles['largest']:.3g}"
    text = t("All {of}", of=of) if count == of else t("The first {count} of {of}", count=count, of=of)
    if tiles["signed"]:
        text += t("; black is −{largest}, grey 0, white {largest}", largest=largest)
    else:
        text += t("; black is 0, white {largest}", largest=largest)
    if tiles["silent"]:
        text += t("; {silent} of them {silent:is|are} 0 everywhere", silent=tiles["silent"])
    return text
