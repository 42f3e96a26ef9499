"""Why one network costs more than another: any two of them, the answer in a sentence, the rest behind a button."""

from collections.abc import Sequence

import streamlit as st

from vggexplorer.comparison import Entry, why
from vggexplorer.ui.i18n import say, t
from vggexplorer.ui.state import current

STYLE = """<style>
.st-key-why-answer p { font-size: 1.25rem; line-height: 1.4; }
</style>"""


def show(entries: Sequence[Entry]) -> None:
    """Two networks to choose, and why they cost differently; at first the baseline and another one."""
    base = current().baseline
    st.html(STYLE)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="why"):
        st.markdown(f"**{t('Why?')}**", width="content")
        first = _choice(entries, t("This network"), f"why {base} {len(entries)}", 0 if base else 1)
        st.markdown(t("compared with"), width="content")
        second = _choice(entries, t("Against that network"), f"why against {base} {len(entries)}", base)
        remarks = why(first, second)
        if len(remarks) > 1:
            with st.popover(
                t("All {count} {count:reason|reasons}", count=len(remarks)), key="all reasons", width="content"
            ):
                st.markdown("\n".join(f"- {say(remark)}" for remark in remarks))
    with st.container(key="why answer"):
        st.markdown(say(remarks[0]) if remarks else t("One of the two cannot take this input."))


def _choice(entries: Sequence[Entry], label: str, key: str, place: int) -> Entry:
    names = [entry.name for entry in entries]
    chosen = st.selectbox(
        label,
        range(len(entries)),
        place,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        width=230,
        key=key,
    )
    return entries[chosen if chosen < len(entries) else place]
