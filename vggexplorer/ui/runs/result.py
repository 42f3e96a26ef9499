"""One run: what was asked, how it went, what the trained network gets right and wrong, and a picture of one's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from vggexplorer.formatting import exact, percent, short, size
from vggexplorer.layers import shape_text
from vggexplorer.palette import COLORS, faded
from vggexplorer.paths import RUNS
from vggexplorer.runs.config import Config, published, recipe
from vggexplorer.runs.exactness import exactness
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.summary import summarize
from vggexplorer.text import title
from vggexplorer.ui import components, header, pictures
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import curves, view
from vggexplorer.ui.run.learned import learned, matrix
from vggexplorer.ui.run.rows import Row, read_row, watch
from vggexplorer.ui.run.words import (
    chart_text,
    classes,
    data_text,
    differences,
    label,
    moment,
    parts,
    precision,
    setting,
    training,
)
from vggexplorer.ui.runs import files, inside, try_picture
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, look_at
from vggexplorer.ui.widgets import tabs

MOST_COUNTS = 24
"""The most classes whose confusion matrix shows its counts."""
MOST_MISTAKES = 24
"""How many mistakes are shown."""


def show(run: Run) -> None:
    """Everything about `run`."""
    row = read_row(run, watch())
    header.show(literal(row.title), t("A run that ships with the package") if run.recorded else run.id)
    st.button(t("All runs"), key="back", type="tertiary", icon=":material/arrow_back:", on_click=_back)
    complain("page")
    view.show(row)
    if row.config is None:
        return
    names = [t("Curves"), t("Mistakes"), t("Try a picture"), t("Inside"), t("Settings"), t("Files")]
    for (name, tab), draw in zip(tabs(RUNS, names, "run tab").items(), DRAWN, strict=True):
        if tab.open:
            with tab, st.container(key=f"tab-{name}"):
                draw(row, row.config)


def _back() -> None:
    """To the table."""
    chosen = session.get("chosen runs", [])
    look_at(*(chosen if len(chosen) > 1 else ()))


def _curves(row: Row, config: Config) -> None:
    curves.show([row.run], key=f"curves {row.run.id}", published=published(config))


# --- what was asked -----------------------------------------------------------------------------------------


def _asked(row: Row, config: Config) -> None:
    """Network, recipe, data, device, dates; two columns of facts."""
    left, right = st.columns(2, gap="large")
    with left:
        _facts(_network_facts(config) | _recipe_facts(config))
    with right:
        _facts(_machine_facts(row, config))


def _facts(facts: Mapping[str, str]) -> None:
    lines = (t("{name}: {value}", name=name, value=f"**{literal(value)}**") for name, value in facts.items())
    st.markdown("\n".join(f"- {line}" for line in lines))


def _network_facts(config: Config) -> dict[str, str]:
    totals = summarize(*config.trained).totals
    return {
        t("Network"): title(config.trained),
        t("Input"): shape_text(config.trained.input_shape),
        t("Parameters"): exact(totals.params),
        "MACs": f"{exact(totals.macs)} ({short(totals.macs)})",
    }


def _recipe_facts(config: Config) -> dict[str, str]:
    """The recipe, its main settings, and all that is not as in the recipe."""
    asked, own = training(config.training), asdict(recipe(config.training.recipe, config.network))
    usual = {name: one for name, one, _ in differences({name: own[name] for name in asked}, asked)}
    facts = {t("Recipe"): config.training.recipe}
    for name in dict.fromkeys(("epochs", "batch_size", "lr", *usual)):
        facts[label(name)] = setting(name, asked[name])
        if name in usual:
            facts[label(name)] = t(
                "{value} (the recipe: {usual})", value=facts[label(name)], usual=setting(name, usual[name])
            )
    return facts


def _machine_facts(row: Row, config: Config) -> dict[str, str]:
    environment = row.run.environment()
    device = " ".join(str(environment[key]) for key in ("device", "title") if environment.get(key))
    known = {name: environment.get(name) for name in ("threads", "torch")}
    if environment.get("processes") != 1:
        known["processes"] = environment.get("processes")
    return {
        t("Data"): data_text(config.dataset),
        t("Training and test pictures"): _examples(environment),
        label("seed"): str(config.seed),
        t("Device"): device or config.device,
        **({label("precision"): words} if (words := precision(environment)) else {}),
        **{label(name): setting(name, value) for name, value in known.items() if value is not None},
        t("Equal bits with the same seed"): t("yes") if exactness(config, environment).holds else t("no"),
        t("Started"): moment(row.created),
        t("Size on the disk"): size(row.size),
        **({t("Time of the last start"): spent} if (spent := parts(row.run.outcome())) else {}),
    }


def _examples(environment: Mapping[str, Any]) -> str:
    counts = [environment.get(name) for name in ("train_examples", "test_examples")]
    return " + ".join(exact(count) if isinstance(count, int) else "–" for count in counts)


# --- how it ended -------------------------------------------------------------------------------------------


def _mistaken(row: Row, config: Config) -> None:
    """What is taken for what, and the worst mistakes."""
    result = row.run.json(layout.RESULT)
    if not matrix(result):
        st.caption(t("The trainer tests the network at the end; before it there is no list of its mistakes."))
    _confusion(result)
    _mistakes(result)


def _confusion(result: Mapping[str, Any]) -> None:
    if not (rows := matrix(result)):
        return
    names = classes(result["classes"])
    st.markdown(f"##### {t('Which classes are taken for which?')}")
    alt = learned(result, names)
    with st.container(key="run-confusion"):
        components.chart(heatmap(rows, names), alt, key="confusion")
    st.caption(literal(alt))


def heatmap(rows: Sequence[Sequence[int]], names: Sequence[str]) -> Figure:
    """The confusion matrix: true classes down, what they are taken for across; colour is the share of the row."""
    shares = [[n / max(1, sum(row)) for n in row] for row in rows]
    labels = list(map(chart_text, names))
    counts = len(rows) <= MOST_COUNTS
    axis = {"tickvals": list(range(len(rows))), "ticktext": labels, "automargin": True, "showgrid": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "z": shares,
                "text": [[str(n or "") for n in row] for row in rows],
                "hovertext": _hover(rows, labels),
                "hovertemplate": "%{hovertext}<extra></extra>",
                "texttemplate": "%{text}" if counts else "",
                "textfont": {"color": "$text", "size": 13},
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


def _mistakes(result: Mapping[str, Any]) -> None:
    names = classes(result.get("classes"))
    items = [item for each in _listed(result) if (item := _mistake(each, names))]
    if items:
        st.markdown(f"##### {t('The worst mistakes')}")
        st.caption(t("The wrong answers that the network was surest of."))
        pictures.pictures(items[:MOST_MISTAKES], key="mistakes")


def _listed(result: Mapping[str, Any]) -> list[Any]:
    found = result.get("mistakes")
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


# --- test pictures to try -----------------------------------------------------------------------------------


def _try(row: Row, config: Config) -> None:
    try_picture.show(row.run, config, _to_try(row, config))


def _inside(row: Row, config: Config) -> None:
    inside.show(row.run, config, _to_try(row, config))


def _files(row: Row, config: Config) -> None:
    files.show(row)


def _to_try(row: Row, config: Config) -> list[pictures.Item]:
    """A few test pictures: one of each class of a known data set, or of a folder those that were mistaken."""
    known = config.dataset.known
    if known is None or known.of_each is None:
        result = row.run.json(layout.RESULT)
        names = classes(result.get("classes"))
        found = (_mistake(each, names) for each in _listed(result)[:10])
        true = ((item, each) for item, each in zip(found, _listed(result), strict=False) if item)
        return [{**item, "caption": names[each["label"]], "good": None} for item, each in true]
    names = classes(list(known.classes))
    of_each = enumerate(pictures.of_each_class(config.dataset.kind))
    return [{"picture": picture, "caption": names[label_], "good": None} for label_, picture in of_each]


DRAWN: Sequence[Callable[[Row, Config], None]] = (_curves, _mistaken, _try, _inside, _asked, _files)
"""What the tabs show, in their order."""
