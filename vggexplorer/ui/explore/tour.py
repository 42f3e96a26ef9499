"""A short tour of Explore: cards beside what they are about, while the rest is dark."""

import streamlit as st

from vggexplorer.ui.components import script
from vggexplorer.ui.i18n import t

_tour = st.components.v2.component(
    "vgg_tour",
    html='<div class="tour"></div>',
    css="""
.tour { color: var(--st-text-color); font-size: 0.92rem; }
.tour button { font: inherit; color: inherit; background: none; border: 0; padding: 0.2rem 0; cursor: pointer; }
.tour button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tour .again { width: 2.3rem; height: 2.3rem; border: 1px solid var(--st-border-color); border-radius: 50%; }
.tour .again:hover { border-color: var(--st-primary-color); }
.tour .light { position: fixed; z-index: 1000000; pointer-events: none; border-radius: 0.5rem; }
.tour .light { box-shadow: 0 0 0 200vmax rgb(0 0 0 / 45%); }
.tour .card { position: fixed; z-index: 1000001; width: min(340px, calc(100vw - 24px)); box-sizing: border-box; }
.tour .card { background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: 0.5rem; }
.tour .card { padding: 0.9rem 1rem; box-shadow: 0 4px 18px rgb(0 0 0 / 25%); }
.tour .card p { margin: 0.4rem 0 0.7rem; line-height: 1.45; }
.tour .buttons { display: flex; gap: 1rem; justify-content: flex-end; }
.tour .buttons button { text-decoration: underline; }
.tour .buttons .next { font-weight: 600; }
""",
    js=script("tour", "learn.js"),
    isolate_styles=False,
)


def show() -> None:
    """The button that opens the tour, and its card while it is open."""
    steps = (
        (".st-key-totals", t("These are the totals: parameters, arithmetic, memory, each beside that of a baseline.")),
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
    data = {"steps": [{"part": part, "text": text} for part, text in steps], "words": words}
    _tour(key="tour", data=data, width="content")
