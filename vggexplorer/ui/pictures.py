"""Small pictures with captions: to look at, and to pick one."""

import base64
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypedDict

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.runs import datasets
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.session import session


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


def grey(content: bytes, width: int, height: int) -> Picture:
    """A grey picture from its bytes, row by row."""
    return {"width": width, "height": height, "channels": 1, "bytes": base64.b64encode(content).decode()}


@cache
def of_each_class(kind: str) -> list[Picture]:
    """A test picture of each class of the known data set `kind`, in their order; empty where there are none."""
    known = datasets.KNOWN[kind]
    try:
        return [grey(pixels, *known.shape[:0:-1]) for pixels in datasets.of_each_class(known)]
    except (InputError, ValueError):
        return []


def checked(picture: Any) -> Picture:
    """`picture`, if it can be drawn; `ValueError`, `KeyError` or `TypeError` if a file held something else."""
    width, height, channels = (picture[name] for name in ("width", "height", "channels"))
    if channels not in (1, 3) or len(base64.b64decode(picture["bytes"])) != width * height * channels:
        raise ValueError("not a picture")
    return {"width": width, "height": height, "channels": channels, "bytes": picture["bytes"]}


LOOKS = """
.pictures { display: flex; flex-wrap: wrap; gap: 0.9rem 0.75rem; }
figure { margin: 0; width: max(var(--side), 6.2rem); }
canvas { display: block; width: var(--side); height: var(--side); image-rendering: pixelated; object-fit: contain; }
canvas { background: var(--st-secondary-background-color); border-radius: 4px; }
figcaption { font-size: 0.78rem; line-height: 1.3; margin-top: 0.25rem; white-space: pre-line; }
figcaption { overflow-wrap: anywhere; }
.good, .bad { font-weight: 700; }
"""
"""How pictures in a box `.pictures` look, in a component's style sheet."""
_pictures = st.components.v2.component(
    "vgg_pictures",
    html='<div class="pictures part"></div>',
    css=STYLE + LOOKS,
    js=script("pictures", "runs.js"),
)


def pictures(items: Sequence[Item], key: str, side: int = 84) -> None:
    """Show pictures `side` pixels large side by side, each with its caption and a ✓ or ✗ where `good` says so."""
    _pictures(key=key, data={"items": list(items), "side": side})


_pick = st.components.v2.component(
    "vgg_pick",
    html='<div class="pictures part"></div>',
    css=STYLE + LOOKS + "figure { width: 4.4rem; } button:hover canvas { outline: 2px solid var(--st-primary-color); }",
    js=script("pictures", "runs.js"),
)


def pick(items: Sequence[Item], key: str, on_pick: Callable[[int], None], side: int = 56) -> None:
    """The same pictures as buttons: `on_pick` gets the place of the one that was clicked."""

    def picked() -> None:
        place = session[key].get("pick")
        if isinstance(place, int) and 0 <= place < len(items):
            on_pick(place)

    _pick(key=key, data={"items": list(items), "side": side, "pick": True}, on_pick_change=picked)
