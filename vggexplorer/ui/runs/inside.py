"""Inside a run's network: a picture on its way through the layers to the answer, from snapshot to snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.layers import POOLS, Kind
from vggexplorer.palette import FOUND
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import style
from vggexplorer.summary import Row, summarize
from vggexplorer.ui import pictures
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.figures import row_label
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.rows import IDLE
from vggexplorer.ui.run.words import classes
from vggexplorer.ui.runs import prediction, try_picture
from vggexplorer.ui.runs.prediction import as_file
from vggexplorer.ui.session import session
from vggexplorer.ui.widgets import shows

_inside = st.components.v2.component(
    "vgg_inside",
    html='<div class="inside part"><div class="way" role="group"></div><div class="scrub">'
    '<button type="button"></button><input type="range" min="0" step="1"></div><output></output>'
    '<div class="tiles"></div></div>',
    css=STYLE
    + style.scrolls(".way")
    + """
.way { display: flex; gap: 0.5rem; align-items: flex-start; padding: 3px 3px 0.8rem; }
.column { flex: 0 0 4.3rem; box-sizing: border-box; padding: 0.3rem; border-radius: 6px; }
.column canvas { image-rendering: pixelated; border-radius: 3px; margin-bottom: 3px; }
button.column:hover { background: var(--st-secondary-background-color); }
button.column[aria-pressed=true] { box-shadow: inset 0 0 0 2px var(--st-primary-color); }
.head { display: block; font-size: 0.8rem; line-height: 1.25; min-height: 2.6rem; overflow-wrap: anywhere; }
.head small { display: block; opacity: 0.8; font-size: 0.75rem; }
.start { flex-basis: 8rem; }
.frame { display: block; position: relative; }
.mark { position: absolute; border: 2px solid; box-sizing: border-box; pointer-events: none; }
.mark[hidden] { display: none; }
.answer { flex: 1 0 15rem; max-width: 24rem; }
.answer ul { list-style: none; margin: 0; padding: 0; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.answer li { display: grid; grid-template-columns: 5.5rem 1fr 3.4rem; gap: 0.5rem; align-items: center; }
.answer li { line-height: 1.6; }
.answer .name { text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.answer .share { text-align: right; }
.answer .bar { background: var(--st-secondary-background-color); height: 0.7rem; border-radius: 2px; }
.answer .bar i { display: block; height: 100%; background: var(--st-primary-color); border-radius: 2px; }
.answer.last .bar i { background: var(--st-border-color); }
.note { font-size: 0.8rem; opacity: 0.85; margin: 0.4rem 0 0; }
.scrub { display: flex; gap: 0.8rem; align-items: center; }
.scrub[hidden] { display: none; }
.scrub button { white-space: nowrap; min-width: 6rem; text-align: left; padding: 0.35rem 0.7rem; }
.scrub button { border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); }
.scrub input { flex: 1; min-width: 6rem; accent-color: var(--st-primary-color); }
.scrub input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
output { display: block; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 16rem; max-width: 26rem; }
figure.large { flex: 0 1 15rem; }
.pick { cursor: pointer; }
.pick:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
canvas { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
figcaption { font-size: 0.85rem; margin: 0.25rem 0; }
"""
    + f".mark {{ border-color: {FOUND}; }}",
    js=script("inside", "inside.js"),
)


MOST_CLASSES = 10
"""How many classes get a bar: those that are likeliest in the end."""
MOST_KEPT = 6
"""How many answers, about one layer each, a session keeps."""
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
    chosen = _chosen(rows)
    st.selectbox(
        t("Feature maps of"),
        range(len(rows)),
        chosen,
        format_func=lambda place: row_label(rows[place]),
        width=420,
        **shows("inside layer", chosen, lambda key: _choose(rows[session[key]].name)),
    )
    content = try_picture.tried(run) or (as_file(test_pictures[0]["picture"]) if test_pictures else None)
    if content is None:
        st.caption(t("Try a picture first to see what the network makes of it."))
    elif session.get("looked inside") != run.id:
        st.button(t("Look inside"), key="look inside", on_click=_look, args=(run,), icon=":material/visibility:")
    else:
        _answer(run, config, rows[chosen], content)


def _chosen(rows: Sequence[Row]) -> int:
    """The place of the layer that was chosen last, else of the first activation."""
    names = [row.name for row in rows]
    if (name := session.get("layer inside")) in names:
        return names.index(name)
    return next((place for place, row in enumerate(rows) if row.kind not in _BEFORE_ACTIVATION), 0)


def _choose(name: str) -> None:
    session["layer inside"] = name


def _wait(run: Run, known: int) -> None:
    """Nothing, until there is one more snapshot."""
    if len(snapshots.files(run.path)) != known:
        st.rerun()


def _look(run: Run) -> None:
    session["looked inside"] = run.id


def _answer(run: Run, config: Config, row: Row, content: bytes) -> None:
    """What is known of this layer; until that is there, what is known of the one before."""
    invert = try_picture.inverted(run)
    answers: dict[tuple[str | int, ...], dict[str, Any]] = session.setdefault("answers inside", {})
    asked = prediction.about(run, content, invert, row.name)
    found = answers.get(asked) or prediction.ask("asked inside", run, content, invert, row.name)
    if found:
        kept = [(key, answer) for key, answer in answers.items() if key != asked][1 - MOST_KEPT :]
        session["answers inside"] = dict([*kept, (asked, found | {"layer": row.name})])
        _found(run, config, found, row)
    elif before := [answer for key, answer in answers.items() if key[:3] == asked[:3]]:
        _found(run, config, before[-1], summarize(*config.trained).row(before[-1]["layer"]) or row)


def _found(run: Run, config: Config, found: Mapping[str, Any], row: Row) -> None:
    summary = summarize(*config.trained)
    names = classes(run.environment().get("classes"))
    stages = found["stages"]
    last: list[float] = next((stage["chances"] for stage in reversed(stages) if stage["chances"]), [])
    best = sorted(range(len(names)), key=lambda place: -_share(last, place))[:MOST_CLASSES]
    side = row.receptive_field
    height, width = config.trained.input_shape[1:]
    words = {
        "picture": t("Picture"),
        "way": t("From the picture to the answer"),
        "answer": t("Taken for"),
        "unknown": t("The answer at this step is not known: its head was not kept. This is the last step's."),
        "filters": t("Filters of the first convolution"),
        "maps": t("Feature maps of {layer}", layer=row_label(row)),
        "map": t("Map {number}"),
        "field": side and t("Point at it: a pixel sees {side}×{side} of the picture.", side=side),
        "slider": t("Step of the training"),
        "play": t("Play"),
        "stop": t("Stop"),
    }
    data = {
        "picture": found["picture"],
        "way": [_passed(each) for each in summary.pipeline()],
        "layer": row.name,
        "field": [side / width, side / height] if side else None,
        "stages": [_stage(stage, [names[place] for place in best], best, last) for stage in stages],
        "words": words,
    }
    _inside(key="inside", data=data, on_layer_change=_pressed)


def _pressed() -> None:
    if name := session["inside"].get("layer"):
        _choose(str(name))


def _passed(row: Row) -> dict[str, Any]:
    """A column on the way: which layer it is, and what comes out of it."""
    channels, *sides = row.output_shape
    label = t("pool") if row.kind in POOLS else t("conv {channels}", channels=channels)
    return {"name": row.name, "label": label, "shape": "×".join(map(str, sides))}


def _share(chances: Sequence[float], place: int) -> float:
    return chances[place] if place < len(chances) else 0.0


def _stage(stage: dict[str, Any], names: Sequence[str], places: Sequence[int], last: Sequence[float]) -> dict[str, Any]:
    """One step of the training with its texts."""
    if stage["step"] is None:
        when = t("After the last step")
    elif stage["step"] == 0:
        when = t("Before the first step")
    else:
        when = t("After step {step}, loss {loss}", step=f"{stage['step']:,}", loss=f"{stage['loss']:.3f}")
    shares = [_share(stage["chances"] or last, place) for place in places]
    return {
        "when": when,
        "filters": stage["filters"] | {"caption": _caption(stage["filters"])},
        "maps": stage["maps"] | {"caption": _caption(stage["maps"])},
        "way": stage["way"],
        "known": stage["chances"] is not None,
        "answer": [
            {"name": name, "share": share, "text": percent(share, 1)} for name, share in zip(names, shares, strict=True)
        ],
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
