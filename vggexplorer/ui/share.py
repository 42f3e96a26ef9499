"""Share: the link to exactly what is shown, as text and as QR code, and what a lesson's link hides."""

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

import segno
import streamlit as st

from vggexplorer.lessons.written import OWN
from vggexplorer.paths import EXPLORE
from vggexplorer.ui import lesson_link
from vggexplorer.ui.components import script
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import PARTS, State, address, write
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current

MOST = 1200
"""Characters of a link above which its QR code is too fine to be read from a screen."""

_qr = st.components.v2.component(
    "vgg_qr", html='<img class="qr">', css=".qr { width: 11rem; display: block; }", js=script("qr", "bar.js")
)


def show(page: str) -> None:
    """The button; what it opens is made when it is open."""
    with st.popover(t("Share"), icon=":material/share:", type="tertiary", key="share", on_change="rerun") as panel:
        if panel.open:
            _show(page)


def _show(page: str) -> None:
    with st.container(key="share panel", width=400):
        top = st.container()
        hidden = lesson_link.choice() if page in PARTS["hide"].pages else current().hide
        with top:
            about = t("This link opens the lesson.") if hidden else t("This link opens exactly what you see.")
            link(page, replace(current(), hide=hidden, lesson=_lesson_in_view()), about)


def _lesson_in_view() -> str:
    """The text of the teacher's lesson, unless another task is open."""
    return current().lesson if current().task in (None, OWN) else ""


def link(page: str, state: State, about: str) -> None:
    """The link to `state` on the page that is in view, as text and as QR code; `about` says what it opens."""
    link = address(_base(page), write(state, page, session["own network"]))
    st.markdown(about)
    hand_out(link)
    if not local(link) and len(link) <= MOST:
        _qr(key="qr", data={"code": code(link), "alt": t("The link as QR code")})
    elif not local(link):
        st.caption(t("The link is too long for a QR code, and some programs cut such links."))


def hand_out(link: str) -> None:
    """A link to be copied; and that it opens on this machine only, if it does."""
    st.code(link, language=None, wrap_lines=True)
    if local(link):
        st.caption(
            t("The address is this machine's own: nobody else can open it. docs/class.md says how a class comes in.")
        )


def _base(page: str) -> str:
    """The page's address without its parameters."""
    url = (st.context.url or "").rstrip("/")
    return f"{url}/" if page == EXPLORE else url


def local(link: str) -> bool:
    """Whether an address leads to the machine that opens it."""
    host = urlsplit(link).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def code(link: str) -> str:
    """The QR code of a link as an SVG picture, in an address for `<img>`: black on white, with its quiet zone."""
    return segno.make(link, micro=False).svg_data_uri(scale=4, border=4, light="white")
