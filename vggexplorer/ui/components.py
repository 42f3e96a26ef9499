"""What the pages share that Streamlit has no widget for: charts, and files to take away (`assets/components.js`)."""

from typing import Any

import streamlit as st

from vggexplorer.palette import PAPER
from vggexplorer.server.files import url


def script(name: str, file: str = "components.js") -> str:
    """The two lines that a component sends with each of its messages: they load `file` and call its export `name`."""
    return f"""const parts = import(new URL("{url(file)}", document.baseURI).href)
export default (component) => {{ parts.then((part) => part.{name}(component)) }}"""


STYLE = """
:host, .part { color: var(--st-text-color); font-family: var(--st-font), sans-serif; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left; }
button:focus-visible, [data-layer]:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""

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


def chart(figure: dict[str, Any], alt: str, key: str) -> None:
    """Show a Plotly figure, with `alt` as its text alternative; the colours $text and $grid follow the theme."""
    _chart(key=key, data={"figure": figure, "alt": alt, "plotly": url("plotly.min.js")})


def downloads(files: list[dict[str, Any]], failed: str, key: str) -> None:
    """Buttons that save files; each has a `label`, a `name`, and one of `text`, `svg`, `figure` (made PNG) and `url`.

    `failed` is what is said if a picture cannot be made.
    """
    _downloads(key=key, data={"files": files, "failed": failed, "paper": dict(PAPER), "plotly": url("plotly.min.js")})
