"""One run: what was asked, how it went, what the trained network gets right and wrong, and a picture of one's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from vggexplorer.formatting import exact, short, size
from vggexplorer.layers import shape_text
from vggexplorer.paths import RUNS
from vggexplorer.runs.config import Config, nearest, published
from vggexplorer.runs.exactness import exactness
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.summary import summarize
from vggexplorer.text import title
from vggexplorer.ui import header, pictures
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import curves, view
from vggexplorer.ui.run.rows import EYE, Row, read_row
from vggexplorer.ui.run.words import (
    classes,
    data_text,
    differences,
    label,
    moment,
    parts,
    precision,
    setting,
    step,
    training,
)
from vggexplorer.ui.runs import files, inside, mistakes, try_picture
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, look_at
from vggexplorer.ui.widgets import tabs

MOST_TO_TRY = 10
"""How many pictures of a folder are offered to be tried."""


def show(run: Run) -> None:
    """Everything about `run`."""
    row = read_row(run, EYE)
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
    asked, own = training(config.training), asdict(nearest(config.training, config.network))
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
        **({t("Kind of step"): words} if (words := step(environment)) else {}),
        **{label(name): setting(name, value) for name, value in known.items() if value is not None},
        t("Equal bits with the same seed"): t("yes") if exactness(config, environment).holds else t("no"),
        t("Started"): moment(row.created),
        t("Size on the disk"): size(row.size),
        **({t("Time of the last start"): spent} if (spent := parts(row.run.outcome())) else {}),
    }


def _examples(environment: Mapping[str, Any]) -> str:
    counts = [environment.get(name) for name in ("train_examples", "test_examples")]
    return " + ".join(exact(count) if isinstance(count, int) else "–" for count in counts)


# --- test pictures to try -----------------------------------------------------------------------------------


def _mistakes(row: Row, config: Config) -> None:
    mistakes.show(row.run)


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
        return mistakes.without_answers(row.run.json(layout.RESULT))[:MOST_TO_TRY]
    names = classes(list(known.classes))
    of_each = enumerate(pictures.of_each_class(config.dataset.kind))
    return [{"picture": picture, "caption": names[label_], "good": None} for label_, picture in of_each]


DRAWN: Sequence[Callable[[Row, Config], None]] = (_curves, _mistakes, _try, _inside, _asked, _files)
"""What the tabs show, in their order."""
