"""The parts of a page that show one network: components that draw the figures of `answers` (`assets/stage.js`).

The figures come by the table of blocks (`blocks`), which must be on the page; a part itself is sent words only.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from vggexplorer.drawing import Failure
from vggexplorer.palette import COLORS
from vggexplorer.server import style
from vggexplorer.server.files import url
from vggexplorer.summary import UnfitError
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import sentence, t
from vggexplorer.ui.network.layers import pictures

_HATCH = "repeating-linear-gradient(0deg, rgb(255 255 255 / 45%) 0 1px, transparent 1px 4px)"
"""What tells the fully connected part from the convolutions without colour, as in the charts."""
_COLOURS = f"""
.conv {{ --part: {COLORS["conv"]}; }}
.fc {{ --part: {COLORS["fc"]}; }}
i.conv, i.fc {{ background: var(--part); }}
i.fc {{ background-image: {_HATCH}; }}
"""

_title = st.components.v2.component(
    "vgg_title",
    html='<div class="title"><h1></h1><p></p></div>',
    css="""
.title { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.8rem; color: var(--st-text-color); }
.title h1 { font-size: var(--type-title, 1.6rem); line-height: 1.33; font-weight: 650; margin: 0; padding: 0; }
.title p { font-size: var(--type-label, 0.9rem); margin: 0; opacity: 0.8; }
""",
    js=script("title", "stage.js"),
    isolate_styles=False,
)
_totals = st.components.v2.component(
    "vgg_totals",
    html='<ul class="totals"></ul>',
    css=f"""
.totals {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 1rem; margin: 0; }}
.totals {{ padding: 0; list-style: none; }}
.totals, .totals button {{ color: var(--st-text-color); font-size: var(--type-label, 0.87rem); }}
.totals .total {{ border: 1px solid var(--st-border-color); border-radius: 0.5rem; padding: 0.3rem 0.85rem 0.4rem; }}
.totals .total {{ min-width: 0; font-variant-numeric: tabular-nums; }}
.totals .label {{ display: flex; justify-content: space-between; align-items: center; }}
.totals li {{ margin: 0; }}
.totals .value {{ display: flex; justify-content: space-between; align-items: baseline; gap: 0.5rem; }}
.totals .value {{ white-space: nowrap; }}
.totals .value b {{ font-size: var(--type-total, 1.87rem); font-weight: 650; line-height: 1.15; }}
.totals .value span {{ font-weight: 600; }}
.totals .exact {{ display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.6rem; }}
.totals .difference {{ opacity: 0.8; white-space: nowrap; }}
.totals .shares {{ display: flex; align-items: center; gap: 0.5rem; font-size: 0.8rem; margin-top: 0.15rem; }}
.totals .shares span {{ white-space: nowrap; }}
.totals .split {{ flex: 1; display: flex; height: 8px; border-radius: 4px; overflow: hidden; }}
.totals .split i {{ flex: 0 1 0; background: {COLORS["conv"]}; }}
.totals .split i.fc {{ background: {_HATCH}, {COLORS["fc"]}; }}
.totals .lower {{ display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-size: 0.8rem; margin-top: 0.15rem; }}
.totals .lower {{ opacity: 0.85; }}
.totals .why {{ position: relative; width: 1.25rem; height: 1.25rem; border-radius: 50%; flex: none; padding: 0; }}
.totals .why {{ border: 1px solid var(--st-border-color); background: none; font-size: 0.75rem; cursor: help; }}
.totals .why:focus-visible {{ outline: 2px solid var(--st-primary-color); outline-offset: 1px; }}
.totals .tip {{ display: none; position: absolute; right: 0; top: 1.6rem; width: 17rem; z-index: 10; }}
.totals .tip {{ background: var(--st-background-color); border: 1px solid var(--st-border-color); }}
.totals .tip {{ border-radius: 0.4rem; box-shadow: 0 4px 18px rgb(0 0 0 / 25%); padding: 0.6rem 0.8rem; }}
.totals .tip {{ text-align: left; font-size: 0.85rem; line-height: 1.45; }}
.totals .why:not(.shut):is(:hover, :focus-visible) .tip {{ display: block; }}
.totals .rest {{ display: none; }}
@media (max-width: {style.NARROW}px) {{
  .totals {{ grid-template-columns: repeat(auto-fit, minmax(max(8.6rem, 22%), 1fr)); gap: 0.4rem; line-height: 1.3; }}
  .totals .total {{ position: relative; padding: 0.15rem 0.6rem 0.3rem; }}
  .totals .value b {{ font-size: 1.2rem; }}
  .totals .exact {{ flex-wrap: nowrap; font-size: 0.75rem; white-space: nowrap; }}
  .totals .split {{ height: 4px; }}
  .totals .shares {{ margin: 0; }}
  .totals :is(.shares span, .lower) {{ display: none; }}
  .totals .why {{ position: static; width: 1.1rem; height: 1.1rem; }}
  .totals .why::after {{ content: ""; position: absolute; inset: 0; }}
  .totals .tip {{ top: calc(100% + 2px); }}
  .totals .total:nth-child(odd) .tip {{ right: auto; left: 0; }}
  .totals .rest {{ display: block; font-weight: 600; margin-top: 0.4rem; }}
}}
@media (max-width: {style.NARROW}px) and (max-height: 700px) {{ .totals .exact {{ display: none; }} }}
""",
    js=script("totals", "stage.js"),
    isolate_styles=False,
)
_DRAWING = (
    STYLE
    + """
.part { position: relative; container-type: inline-size; }
.drawing svg { display: block; width: 100%; min-width: 0; height: auto; max-height: max(12rem, 20.4vh); }
.drawing.narrow svg { max-width: 600px; max-height: none; margin: auto; }
.vgg-scales { display: none; }
.drawing [data-layer] { cursor: pointer; outline: none; }
.drawing .pointed .vgg-body { filter: brightness(1.2); stroke: var(--st-primary-color); stroke-width: 3; }
.shades { display: flex; gap: 0.25rem; justify-content: flex-end; font-size: 0.82rem; position: absolute; right: 0; }
.shades { background: var(--st-background-color); border-radius: 1rem; }
.shades button { padding: 0.1rem 0.6rem; border-radius: 1rem; border: 1px solid transparent; }
.shades button:hover { border-color: var(--st-border-color); }
.shades [aria-pressed=true] { background: var(--st-secondary-background-color); font-weight: 600; }
@container (max-width: 44rem) { .shades { position: static; } }
"""
    + style.narrow(".shades { position: static; justify-content: center; } .shades button { min-height: 40px; }")
)
_drawing = st.components.v2.component(
    "vgg_drawing",
    html='<div class="part"><div class="shades" role="group"></div><div class="drawing"></div></div>',
    css=_DRAWING,
    js=script("drawing", "stage.js"),
)
_picture = st.components.v2.component(
    "vgg_picture", html='<div class="drawing part"></div>', css=_DRAWING, js=script("picture", "stage.js")
)
_inspector = st.components.v2.component(
    "vgg_layer",
    html='<section class="layer part" aria-live="polite"></section>',
    css=STYLE
    + _COLOURS
    + """
.layer { border: 1px solid var(--st-border-color); border-radius: 0.5rem; padding: 0.7rem 0.9rem; }
h2 { font-size: 1.07rem; margin: 0; border-left: 4px solid var(--part, var(--st-border-color)); padding-left: 0.55rem; }
h2 small { font-weight: 400; font-size: 0.82rem; opacity: 0.8; margin-left: 0.5rem; }
.shapes { margin: 0.35rem 0 0.5rem; font-variant-numeric: tabular-nums; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: 1fr auto; gap: 0 0.6rem; padding: 0.25rem 0; }
dl div { border-top: 1px solid var(--st-border-color); }
dt { font-size: 0.85rem; opacity: 0.85; }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; text-align: right; }
.formula { grid-column: 1 / -1; font-weight: 400; font-size: 0.82rem; opacity: 0.85; overflow-wrap: anywhere; }
.field { display: flex; gap: 0.7rem; align-items: center; margin-top: 0.5rem; }
.field span { border: 1px solid var(--st-text-color); opacity: 0.8; display: grid; place-items: center; flex: none; }
.field i { background: var(--st-primary-color); opacity: 0.75; }
""",
    js=script("inspector", "stage.js"),
)
_layers = st.components.v2.component(
    "vgg_layers",
    html='<div class="part"><table class="layers"></table></div>',
    css=STYLE
    + _COLOURS
    + style.stays(".part")
    + """
.part { container-type: inline-size; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0.4rem; border-bottom: 1px solid var(--st-border-color); white-space: nowrap; }
thead th { white-space: normal; position: sticky; top: 0; background: var(--st-background-color); }
thead th { font-weight: 600; vertical-align: bottom; }
th { font-weight: 400; }
.text { text-align: left; }
.number { text-align: right; position: relative; }
.bar { position: absolute; left: 0.4rem; bottom: 2px; height: 4px; max-width: calc(100% - 0.8rem); border-radius: 2px; }
tbody tr { cursor: pointer; }
tbody tr:is(:hover, .pointed), tbody tr:is(:hover, .pointed) th { background: var(--st-secondary-background-color); }
tr.selected, tr.selected th:first-child { background: var(--st-secondary-background-color); }
tr.selected th:first-child { box-shadow: inset 4px 0 0 var(--st-primary-color); }
tr.holds th:first-child { box-shadow: inset 4px 0 0 var(--st-border-color); }
tr.group { cursor: default; }
tr.inner th { padding-left: 2rem; }
.arrow, .nofold { display: inline-block; width: 1.2rem; }
.arrow { font-size: 1.2em; line-height: 1; }
small { opacity: 0.7; }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.all { font-weight: 400; font-size: 0.8rem; text-decoration: underline; opacity: 0.85; }
.share { font-size: 0.8rem; opacity: 0.75; display: inline-block; min-width: 3.4rem; }
@container (max-width: 48rem) { .share { display: none; } }
@container (max-width: 42rem) {
  table { font-size: 0.8rem; }
  th, td { padding-inline: 0.2rem; }
  .arrow, .nofold { width: 0.9rem; }
  tr > :nth-child(6) { display: none; }
  tr > :first-child { white-space: normal; min-width: 7.5rem; }
  thead th:not(:first-child) { background: none; }
}
"""
    + style.narrow(":is(.fold, .name, .all) { min-height: 2.2rem; }"),
    js=script("layers", "stage.js"),
)
_charts = st.components.v2.component(
    "vgg_charts",
    html='<div class="charts"></div>',
    css="""
.charts { color: var(--st-text-color); }
.charts p { margin: 0 0 0.5rem; }
.charts h2 { font-size: 1rem; font-weight: 600; margin: 0; padding: 0; }
""",
    js=script("charts", "stage.js"),
    isolate_styles=False,
)


def title() -> None:
    """What the network is called, and what it takes and gives."""
    _title(key="title")


def totals() -> None:
    """The four totals as cards, each beside the baseline's."""
    words = {"against": t("Beside the baseline's"), "lower": t("The same in other data types")}
    _totals(key="totals", data={"words": words})


def drawing() -> None:
    """The network as a drawing whose parts can be selected, and the choice of its colours."""
    shades = {"": t("Kinds"), "params": t("Parameters"), "macs": t("MACs"), "activations": t("Activations")}
    _drawing(key="drawing", data={"words": {"shade": t("Colours show"), "shades": shades}})


def inspector() -> None:
    """The selected layer with its numbers, and the formula of each with the figures put in."""
    words = {"field": t("sees {side}×{side} of {height}×{width} pixels")}
    _inspector(key="panel", data={"words": words})


def layers() -> None:
    """The layer table."""
    _layers(key="layers")


def charts() -> None:
    """Cost by layer, convolutions against the fully connected part."""
    _charts(key="charts", data={"plotly": url("plotly.min.js")})


def unfit(error: UnfitError) -> None:
    """The drawing of a network that cannot take its input, up to the layer that fails."""
    failure = Failure(error.place, sentence(error.reason))
    _picture(key="drawing so far", data=pictures(error.so_far, failure=failure))


PARTS: dict[str, Callable[[], Any]] = {
    "title": title,
    "totals": totals,
    "drawing": drawing,
    "inspector": inspector,
    "layers": layers,
    "charts": charts,
}
"""The parts by the names that `answers` knows them by."""
