"""Every colour that is ours, the same in the drawing, in the charts and on the pages; it stands here and nowhere else.

Python takes it from here, the script of a component gets it with its data. One value is for light and for dark pages.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Pair(NamedTuple):
    """A colour on a light page and on a dark one."""

    light: str
    dark: str

    @property
    def css(self) -> str:
        """The one that goes with the page, for a style sheet."""
        return f"light-dark({self.light}, {self.dark})"


COLORS = {
    "input": "#8a94a3",
    "conv": "#3b6fb6",
    "pool": "#d07c1f",
    "flatten": "#8a94a3",
    "fc": "#3f9361",
    "failed": "#c0503f",
}
"""The parts of a network."""
EDGE = "#14243a"
"""The edges of what is drawn of them."""
SERIES = (
    *("#3b82c4", "#d97706", "#2f9e6e", "#c2528b", "#7c6bd0", "#a3803a"),
    *("#4b9fae", "#c0503f", "#6b7f2a", "#8a5aa8", "#5573d9", "#9c6b5a"),
)
"""Runs, networks or groups of runs that are shown together."""
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "star"),
    *("x", "pentagon", "hexagon", "triangle-down", "bowtie", "hourglass"),
)
"""Their points, for those who do not tell the colours apart."""
CURVES = {"train": SERIES[0], "test": SERIES[1], "batch": COLORS["input"], "ghost": "#8a929c"}
"""The curves of one run alone, and of one that is shown behind it."""
FOUND = SERIES[1]
"""What a layer sees of a picture."""
PAPER: Mapping[str, str] = {"$text": "#1f2937", "$grid": "#d1d5db", "background": "white"}
"""Pictures to take away."""
LINK = Pair("#2563a8", "#8fbdf0")
"""What can be pressed and looks like text."""
ON_PRIMARY = Pair("white", "#12171e")
"""The text of buttons that are filled."""
STRING = Pair("#17753d", "#7fd19b")
"""Text within quotes, in source."""
RED = Pair("#b3261e", "#ff8a80")
"""What ends something or takes it away."""
RED_GROUND = Pair("#fdecea", "#3a2022")
"""What lies below it while the pointer is there."""
GROUND = Pair("#ffffff", "#12171e")
"""The pages themselves, as `.streamlit/config.toml` says it: below what stays in view while they are scrolled."""


HEAT = ("#f4e7cf", "#a3261b")
"""From nothing to the largest share."""


def heat(share: float) -> str:
    """The colour of a share of the largest one, from 0 to 1."""
    low, high = ([int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in HEAT)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(low, high, strict=True))


def series(place: int) -> tuple[str, str]:
    """Colour and symbol of the run, network or group at `place` among those that are shown together."""
    return SERIES[place % len(SERIES)], SYMBOLS[place % len(SYMBOLS)]


def faded(color: str, opacity: float) -> str:
    """`color` (#rrggbb) with what lies behind it shining through."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
