"""Tables of networks: a row for each, ratios to the first."""

from collections.abc import Callable, Sequence

import streamlit as st

from vggexplorer.formatting import ratio
from vggexplorer.ui.i18n import literal

NO_BREAK_HYPHEN = "\N{NON-BREAKING HYPHEN}"


def against(write: Callable[[int], str], counts: Sequence[int]) -> list[str]:
    """The counts as they are written, all but the first as multiples of the first too."""
    first, *others = counts
    return [write(first), *(f"{write(count)} ({ratio(count, first)})" for count in others)]


def table(names: Sequence[str], lines: dict[str, list[str]], alt: str) -> None:
    """A Markdown table with a row for each network, and a sentence about it."""
    head = "| | " + " | ".join(lines) + " |"
    rule = "|---|" + "---:|" * len(lines)
    rows = (
        f"| **{literal(name.replace('-', NO_BREAK_HYPHEN))}** | " + " | ".join(cells) + " |"
        for name, cells in zip(names, zip(*lines.values(), strict=True), strict=True)
    )
    st.markdown("\n".join([head, rule, *rows]))
    st.caption(alt)
