"""The parts of the pages about runs that Streamlit has no widget for: pictures, the table of runs.

Their script is `assets/runs.js`.
"""

from collections.abc import Sequence
from typing import TypedDict

import streamlit as st

from vggexplorer.ui.components import STYLE, script


class Picture(TypedDict):
    """Pixels, row by row: `bytes` has `channels` (1 or 3) unsigned bytes for each of them, in base 64."""

    width: int
    height: int
    channels: int
    bytes: str


class Item(TypedDict):
    """A picture with what is written below it (lines end with a newline), and whether it was recognised."""

    picture: Picture
    caption: str
    good: bool | None


_pictures = st.components.v2.component(
    "vgg_pictures",
    html='<div class="pictures part"></div>',
    css=STYLE
    + """
.pictures { display: flex; flex-wrap: wrap; gap: 0.9rem 0.75rem; }
figure { margin: 0; width: max(var(--side), 5.6rem); }
canvas { display: block; width: var(--side); height: var(--side); image-rendering: pixelated; object-fit: contain; }
canvas { background: var(--st-secondary-background-color); border-radius: 4px; }
figcaption { font-size: 0.78rem; line-height: 1.3; margin-top: 0.25rem; white-space: pre-line; }
figcaption { overflow-wrap: anywhere; }
.good, .bad { font-weight: 700; }
""",
    js=script("pictures", "runs.js"),
)


def pictures(items: Sequence[Item], key: str, side: int = 84) -> None:
    """Show pictures `side` pixels large side by side, each with its caption and a ✓ or ✗ where `good` says so."""
    _pictures(key=key, data={"items": list(items), "side": side})
