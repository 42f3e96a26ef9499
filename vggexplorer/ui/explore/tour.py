"""A short tour of Explore for the first visit. The browser remembers that it was left; it can be opened again."""

import streamlit as st

from vggexplorer.palette import LINK
from vggexplorer.ui.components import script
from vggexplorer.ui.i18n import t

_tour = st.components.v2.component(
    "vgg_tour",
    html='<div class="tour"></div>',
    css="""
.tour { color: var(--st-text-color); font-size: 0.92rem; }
.tour button { font: inherit; color: inherit; background: none; border: 0; padding: 0.2rem 0; cursor: pointer; }
.tour button { text-decoration: underline; }
.tour button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tour .card { position: fixed; right: 1.5rem; bottom: 1.5rem; z-index: 1000; width: min(21rem, calc(100vw - 5rem)); }
.tour .card { background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: 0.5rem; }
.tour .card { padding: 0.9rem 1rem; box-shadow: 0 4px 18px rgb(0 0 0 / 25%); }
.tour .card p { margin: 0.4rem 0 0.7rem; line-height: 1.45; }
.tour .buttons { display: flex; gap: 1rem; justify-content: flex-end; }
.tour .buttons .next { font-weight: 600; }
""",
    js=script("tour", "learn.js"),
    isolate_styles=False,
)


def show() -> None:
    """The tour's card until it is left, and a button that opens it again."""
    steps = (
        (".st-key-totals", t("These are the totals: parameters, arithmetic, memory. A baseline stands below each.")),
        (
            "[data-testid=stSidebar]",
            t("Here you edit the network: choose one, or change convolutions, channels, input and head."),
        ),
        (".st-key-drawing", t("The drawing shows what each layer makes of the picture. Click a layer to choose it.")),
        (".st-key-panel", t("This is the chosen layer: each number with its formula, the figures put in.")),
        (
            "[data-testid=stTabs]",
            t("Tables, charts, a check with other tools, files to take away. More is in the menu: Learn has tasks."),
        ),
    )
    words = {
        "tour": t("Tour"),
        "count": t("{step} of {steps}"),
        "next": t("Next"),
        "back": t("Back"),
        "leave": t("Leave the tour"),
        "end": t("Done"),
        "again": t("Show the tour"),
    }
    data = {"steps": [{"part": part, "text": text} for part, text in steps], "ring": LINK.css, "words": words}
    _tour(key="tour", data=data)
