"""The bars of all pages: at the top, beside Streamlit's own links, the live run, Share, projector and language.

On a narrow screen the links to the pages stand in a bar at the bottom, and the sidebar is a sheet above it.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from vggexplorer import exhibit, palette
from vggexplorer.paths import TRAIN
from vggexplorer.server import live, style
from vggexplorer.ui import access, share
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.link import LANGUAGES, PROJECTOR
from vggexplorer.ui.run.words import LOOKS, status
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit, go, look_at, look_from
from vggexplorer.ui.widgets import shows

SHORT = {"en": "EN", "zh": "中"}
"""What the languages are called in the bar."""

_live = st.components.v2.component(
    "vgg_live",
    html='<div class="live part" hidden><button type="button"><span class="ring"><svg viewBox="0 0 20 20" '
    'aria-hidden="true"><circle class="track" cx="10" cy="10" r="8"/><circle class="arc" cx="10" cy="10" r="8"/></svg>'
    '<span class="sign"></span></span><span class="name"></span><span class="state"></span></button>'
    '<span role="status"></span></div>',
    css=STYLE
    + """
.live[hidden] { display: none; }
button { display: flex; align-items: center; gap: 0.45rem; height: 2.2rem; padding: 0 0.5rem; }
button { border-radius: 0.4rem; font-size: var(--type-label, 0.875rem); white-space: nowrap; }
button:hover { background: var(--st-secondary-background-color); }
.ring { position: relative; width: 1.35rem; height: 1.35rem; flex: none; color: var(--st-primary-color); }
.finished .ring { color: var(--st-green-text-color); }
:is(.failed, .damaged, .unresponsive, .interrupted) .ring { color: var(--st-red-text-color); }
:is(.stopped, .paused) .ring { color: var(--st-orange-text-color); }
svg { display: block; transform: rotate(-90deg); }
circle { fill: none; stroke-width: 3; stroke: currentColor; }
.track { opacity: 0.22; }
.arc { stroke-dasharray: 0 51; }
.sign { position: absolute; inset: 0; display: grid; place-items: center; font-size: 0.75rem; font-weight: 700; }
.name { display: var(--vgg-run-name, inline); max-width: 11rem; overflow: hidden; text-overflow: ellipsis; }
.state { font-variant-numeric: tabular-nums; font-weight: 600; }
[role=status] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 1180px) { .name { display: none; } }
""",
    js=script("live", "bar.js"),
)
_page = st.components.v2.component("vgg_page", html="<div></div>", js=script("page", "bar.js"))

_sheet = st.components.v2.component(
    "vgg_sheet",
    html='<button type="button" class="part"><svg viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M4 7h9m6 0h1M4 17h1m6 0h9"/><circle cx="16" cy="7" r="2.5"/><circle cx="8" cy="17" r="2.5"/></svg>'
    "<span></span></button>",
    css=STYLE
    + """
.part { display: flex; align-items: center; gap: 0.5rem; height: 2.9rem; padding: 0 1.1rem; border-radius: 1.45rem; }
.part { background: var(--st-primary-color); font-weight: 600; white-space: nowrap; }
.part { box-shadow: 0 3px 12px rgb(0 0 0 / 35%); color: """
    + palette.ON_PRIMARY.css
    + """; }
svg { width: 1.3rem; height: 1.3rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; }
""",
    js=script("sheet", "bar.js"),
)


def bottom(pages: Sequence[StreamlitPage], here: StreamlitPage) -> None:
    """What a narrow screen has instead of the links at the top and the sidebar."""
    with st.container(horizontal=True, gap=None, key="pages"):
        for page in pages:
            st.page_link(page, label=page.title, icon=page.icon)
    edit = t("Set up a run") if here.url_path == TRAIN else t("Edit the network")
    data = {"here": [page.url_path for page in pages].index(here.url_path), "narrow": style.NARROW}
    _sheet(key="sheet", data=data | {"words": {"edit": edit, "pages": t("Pages")}}, width="content")


def show(page: str) -> None:
    """The top bar's right part on `page`."""
    _page(key="page language", data={"lang": language()})
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="bar"):
        if not exhibit.nothing_starts():
            _live_run()
        share.show(page)
        _projector()
        st.segmented_control(
            t("Language"),
            list(LANGUAGES),
            format_func=SHORT.__getitem__,
            required=True,
            default=language(),
            label_visibility="collapsed",
            **shows("language", language(), _switch_language),
        )


def _live_run() -> None:
    """The live run; what is known of it the browser asks for itself."""

    def opened() -> None:
        if isinstance(run_id := session["live"].get("open"), str):
            look_at(run_id)
            go(TRAIN)

    words = {
        "show": t("Show the run"),
        "left": t("{time} left"),
        "status": {word: status(word) for word in LOOKS},
        "signs": {word: look.sign for word, look in LOOKS.items()},
    }
    data = {"route": live.ADDRESS, "owner": access.person().id, "words": words}
    _live(key="live", data=data, on_open_change=opened, width="content")


def _projector() -> None:
    on = current().view == PROJECTOR
    st.button(
        t("Normal view") if on else t("Projector view"),
        key="projector",
        type="tertiary",
        icon=":material/close_fullscreen:" if on else ":material/present_to_all:",
        help=t("Normal type, and the editor") if on else t("Larger type, no editor; the link has it, too"),
        on_click=look_from,
        args=(None if on else PROJECTOR,),
    )


def _switch_language(key: str) -> None:
    chosen = session[key]
    edit(lambda state: replace(state, lang=chosen))
