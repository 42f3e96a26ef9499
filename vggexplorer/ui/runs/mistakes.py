"""What a run's network mixes up: the confusion matrix, the pictures behind each of its cells, the worst mistakes."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.palette import COLORS, faded
from vggexplorer.runs import verdict
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import style
from vggexplorer.ui import components, pictures
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.run import learned
from vggexplorer.ui.run.words import chart_text, classes

MOST_CELLS = 20
"""The most classes whose matrix has cells to be pressed; of more it is a chart."""
MOST_MISTAKES = 24
"""How many mistakes are shown."""

_matrix = st.components.v2.component(
    "vgg_matrix",
    html='<div class="part"><div class="square"><table class="matrix"></table></div>'
    '<section aria-live="polite"><h2></h2><p class="note"></p><div class="pictures"></div></section></div>',
    css=STYLE
    + pictures.LOOKS
    + style.stays(".square")
    + """
.part { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; --width: 35rem; }
.square { flex: 0 1 var(--width); min-width: 0; }
section { flex: 1 1 16rem; min-width: 12rem; }
h2 { font-size: var(--type-text, 1rem); margin: 0 0 0.5rem; }
.note { font-size: var(--type-label, 0.8667rem); opacity: 0.8; margin: 0 0 0.7rem; }
.note:empty { display: none; }
.matrix { border-collapse: separate; border-spacing: 1px; table-layout: fixed; width: var(--width); }
.matrix { height: var(--width); font-size: var(--type-label, 0.8667rem); font-variant-numeric: tabular-nums; }
.matrix th { font-weight: 400; padding: 0.1rem 0.4rem 0.1rem 0; overflow: hidden; text-overflow: ellipsis; }
.matrix tbody th { text-align: right; }
.matrix thead th { height: 5.6rem; padding: 0.2rem 0; vertical-align: bottom; }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; max-height: 5.6rem; }
.matrix .upright span { transform: none; text-orientation: upright; letter-spacing: -0.1em; }
.matrix .corner { width: 6rem; text-align: left; font-size: 0.8rem; opacity: 0.8; vertical-align: bottom; }
.matrix td { padding: 0; }
.matrix thead .recall span { font-weight: 600; }
.matrix td.recall { padding-left: 0.3rem; text-align: right; white-space: nowrap; font-size: 0.8rem; }
.matrix .recall { width: 4rem; }
.matrix button { display: block; width: 100%; height: 100%; text-align: center; border-radius: 2px; }
.matrix button:hover { outline: 1px solid currentColor; outline-offset: -1px; }
.matrix button[aria-pressed=true] { outline: 3px solid var(--st-text-color); outline-offset: -3px; font-weight: 700; }
.matrix button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }
.matrix button:focus-visible { box-shadow: inset 0 0 0 5px var(--st-background-color); }
""",
    js=script("matrix", "mistakes.js"),
)


def show(run: Run) -> None:
    """The sentence, the matrix with the pictures of the cell that is pressed, the worst mistakes."""
    result = run.json(layout.RESULT)
    names = classes(result.get("classes"))
    if not (known := verdict.of_run(run)):
        st.caption(t("The trainer tests the network at the end; before it there is no list of its mistakes."))
    else:
        learned.show(known)
        if len(known.rows) > MOST_CELLS:
            components.chart(heatmap(known.rows, names), learned.learned(known), key="confusion")
        else:
            _matrix(key=f"confusion {run.id}", data=cells(result, known.rows, names))
    worst = [item for each in _listed(result, "mistakes") if (item := _mistake(each, names))]
    if worst:
        st.markdown(f"## {t('The worst mistakes')}")
        st.caption(t("The wrong answers that the network was surest of."))
        pictures.pictures(worst[:MOST_MISTAKES], key="mistakes")


def without_answers(result: Mapping[str, Any]) -> list[pictures.Item]:
    """The pictures of the worst mistakes, each with the name of what it shows."""
    names = classes(result.get("classes"))
    found = ((each, _mistake(each, names)) for each in _listed(result, "mistakes"))
    return [{**item, "caption": names[each["label"]], "good": None} for each, item in found if item]


# --- the matrix ---------------------------------------------------------------------------------------------


def cells(result: Mapping[str, Any], rows: Sequence[Sequence[int]], names: Sequence[str]) -> dict[str, Any]:
    """The matrix for the browser: its cells row by row, the pictures of each, and which one is pressed at first."""
    examples = _listed(result, "examples")
    kept = _by_cell(examples or _listed(result, "mistakes"), names)
    flat = [(n, at, to) for at, row in enumerate(rows) for to, n in enumerate(row)]
    _, at, to = max((cell for cell in flat if cell[1] != cell[2]), default=flat[0])
    return {
        "names": names,
        "rows": [
            [_cell(n, at, to, sum(row), names, kept.get((at, to), [])) for to, n in enumerate(row)]
            for at, row in enumerate(rows)
        ],
        "recalls": ["–" if recall is None else percent(recall, 1) for recall in verdict.figures(rows).recalls],
        "first": [at, to],
        "upright": language() == "zh",
        "words": {
            "alt": t("The confusion matrix: true classes down, what they are taken for across"),
            "corner": t("True class, taken for"),
            "recall": t("Recall"),
            "older": "" if examples else t("Of this run only the worst mistakes are kept as pictures."),
        },
    }


def _cell(n: int, at: int, to: int, whole: int, names: Sequence[str], kept: list[pictures.Item]) -> dict[str, Any]:
    strong = 0.1 + 0.5 * (n / max(1, whole)) ** 0.5 if n else 0.03
    note = t("{shown} of {count} {count:picture|pictures}, the surest first.", shown=len(kept), count=n)
    return {
        "count": n,
        "color": faded(COLORS["conv" if at == to else "failed"], round(strong, 3)),
        "label": t("{true}, taken for {taken}: {count}", true=names[at], taken=names[to], count=n),
        "note": note if len(kept) < n else "",
        "pictures": kept,
    }


def _by_cell(found: Sequence[Any], names: Sequence[str]) -> dict[tuple[int, int], list[pictures.Item]]:
    """Pictures by their true class and what it is taken for; what cannot be read is left out."""
    kept: dict[tuple[int, int], list[pictures.Item]] = {}
    for each in found:
        if item := _mistake(each, names):
            sure = t("Sure: {sure}", sure=percent(float(each["chance"]), 1))
            good = each["label"] == each["guess"]
            kept.setdefault((each["label"], each["guess"]), []).append({**item, "caption": sure, "good": good})
    return kept


def heatmap(rows: Sequence[Sequence[int]], names: Sequence[str]) -> Figure:
    """The confusion matrix: true classes down, what they are taken for across; colour is the share of the row."""
    shares = [[n / max(1, sum(row)) for n in row] for row in rows]
    labels = list(map(chart_text, names))
    axis = {"tickvals": list(range(len(rows))), "ticktext": labels, "automargin": True, "showgrid": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "z": shares,
                "hovertext": _hover(rows, labels),
                "hovertemplate": "%{hovertext}<extra></extra>",
                "colorscale": [
                    [0, faded(COLORS["conv"], 0.04)],
                    [0.1, faded(COLORS["conv"], 0.2)],
                    [1, faded(COLORS["conv"], 0.62)],
                ],
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
            }
        ],
        "layout": {
            "xaxis": {**axis, "side": "top", "title": {"text": t("Taken for")}, "zeroline": False},
            "yaxis": {
                **axis,
                "autorange": "reversed",
                "title": {"text": t("True class"), "standoff": 14},
                "zeroline": False,
            },
            "dragmode": False,
            "height": 130 + min(700, max(200, 36 * len(rows))),
            "margin": {"l": 10, "r": 10, "t": 60, "b": 10},
        },
    }


def _hover(rows: Sequence[Sequence[int]], labels: Sequence[str]) -> list[list[str]]:
    return [
        [
            t("{true}, taken for {taken}: {count}", true=labels[at], taken=labels[to], count=n)
            for to, n in enumerate(row)
        ]
        for at, row in enumerate(rows)
    ]


def _listed(result: Mapping[str, Any], name: str) -> list[Any]:
    found = result.get(name)
    return found if isinstance(found, list) else []


def _mistake(each: Any, names: Sequence[str]) -> pictures.Item | None:
    """A mistake as a picture with its caption; None if it cannot be read."""
    try:
        picture = pictures.checked(each["picture"])
        true, taken, sure = names[each["label"]], names[each["guess"]], percent(float(each["chance"]), 1)
    except (KeyError, TypeError, IndexError, ValueError):
        return None
    caption = t("True: {true}\nTaken for: {taken}\nSure: {sure}", true=true, taken=taken, sure=sure)
    return {"picture": picture, "caption": caption, "good": False}
