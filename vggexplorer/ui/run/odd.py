"""The files of a folder of pictures that cannot be used, each with its reason."""

from collections.abc import Sequence

import streamlit as st

from vggexplorer.runs.reasons import reason_of
from vggexplorer.ui.i18n import literal, say, t


def list_odd(count: int, listed: Sequence[str]) -> None:
    """How many there are, and when opened the first of them; nothing if there are none."""
    if count:
        with st.expander(t("{count} {count:file|files} could not be used", count=count)):
            more = [t("and {count} more", count=count - len(listed))] if count > len(listed) else []
            st.markdown("\n".join(f"- {each}" for each in [*map(_line, listed), *more]))


def _line(line: str) -> str:
    before, reason = reason_of(line)
    return literal(before) + (say(reason) if reason else "")
