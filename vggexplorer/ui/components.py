"""The parts of the pages that Streamlit has no widget for: drawing, layer table, charts.

Their script is `assets/components.js`. Each reports the layer that was chosen in it by a trigger named
`layer`; `chosen` puts it into the session.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from vggexplorer.palette import PAPER
from vggexplorer.server.files import url
from vggexplorer.ui.session import session


def script(name: str, file: str = "components.js") -> str:
    """The two lines that a component sends with each of its messages: they load `file` and call its export `name`."""
    return f"""const parts = import(new URL("{url(file)}", document.baseURI).href)
export default (component) => {{ parts.then((part) => part.{name}(component)) }}"""


STYLE = """
:host, .part { color: var(--st-text-color); font-family: var(--st-font), sans-serif; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left; }
button:focus-visible, [data-layer]:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""

_drawing = st.components.v2.component(
    "vgg_drawing",
    html='<div class="drawing part"></div>',
    css=STYLE
    + """
.drawing { overflow-x: auto; }
.drawing svg { display: block; width: 100%; min-width: 780px; height: auto; }
.drawing [data-layer] { cursor: pointer; outline: none; }
""",
    js=script("drawing"),
)

_table = st.components.v2.component(
    "vgg_layers",
    html='<div class="part"><table class="layers"></table></div>',
    css=STYLE
    + """
.part { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0.4rem; border-bottom: 1px solid var(--st-border-color); white-space: nowrap; }
thead th { white-space: normal; position: sticky; top: 0; background: var(--st-background-color); }
thead th { font-weight: 600; vertical-align: bottom; }
th { font-weight: 400; }
.text { text-align: left; }
.number { text-align: right; position: relative; }
.bar { position: absolute; right: 0.5rem; bottom: 2px; height: 3px; max-width: calc(100% - 1rem); }
.bar { border-radius: 2px; background: var(--st-primary-color); }
tbody tr { cursor: pointer; }
tbody tr:hover { background: var(--st-secondary-background-color); }
tr.selected { background: var(--st-secondary-background-color); box-shadow: inset 4px 0 0 var(--st-primary-color); }
tr.holds { box-shadow: inset 4px 0 0 var(--st-border-color); }
tr.group { cursor: default; }
tr.inner th { padding-left: 2rem; }
.arrow, .nofold { display: inline-block; width: 1.2rem; }
.arrow { font-size: 1.2em; line-height: 1; }
small { opacity: 0.7; }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.all { font-weight: 400; font-size: 0.8rem; text-decoration: underline; opacity: 0.85; }
""",
    js=script("table"),
)

_chart = st.components.v2.component(
    "vgg_chart",
    html='<div class="chart" role="img"></div>',
    js=script("chart"),
    isolate_styles=False,
)

_downloads = st.components.v2.component(
    "vgg_downloads",
    html='<div class="downloads part"></div>',
    css=STYLE
    + """
.downloads { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.download { display: inline-flex; align-items: center; min-height: 2.5rem; padding: 0.25rem 0.75rem; }
.download { border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); box-sizing: border-box; }
.download { color: inherit; font-size: 0.875rem; text-decoration: none; }
.download:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.download:disabled { opacity: 0.5; }
""",
    js=script("downloads"),
)


def _chosen(key: str) -> Callable[[], None]:
    def choose() -> None:
        if name := session[key].get("layer"):
            session["layer"] = name

    return choose


def drawing(svg: str, key: str) -> None:
    """Show an SVG drawing made by the core; its items are clickable layers."""
    _drawing(key=key, data={"svg": svg}, on_layer_change=_chosen(key))


def table(data: dict[str, Any], key: str) -> None:
    """Show the layer table that `ui.layers` describes."""
    _table(key=key, data=data, on_layer_change=_chosen(key))


def chart(figure: dict[str, Any], alt: str, key: str) -> None:
    """Show a Plotly figure, with `alt` as its text alternative; the colours $text and $grid follow the theme."""
    _chart(key=key, data={"figure": figure, "alt": alt, "plotly": url("plotly.min.js")}, on_layer_change=_chosen(key))


def downloads(files: list[dict[str, Any]], failed: str, key: str) -> None:
    """Buttons that save files; each has a `label`, a `name`, and one of `text`, `svg`, `figure` (made PNG) and `url`.

    `failed` is what is said if a picture cannot be made.
    """
    _downloads(key=key, data={"files": files, "failed": failed, "paper": dict(PAPER), "plotly": url("plotly.min.js")})
