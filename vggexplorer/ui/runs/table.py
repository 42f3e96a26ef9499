"""The table of all runs."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.session import session

_table = st.components.v2.component(
    "vgg_runs",
    html='<div class="part"><div class="tools"><input type="search"><span role="status"></span></div>'
    '<div class="scroll" tabindex="-1"><table class="runs"></table></div></div>',
    css=STYLE
    + """
.tools { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; margin-bottom: 0.4rem; font-size: 0.85rem; }
.tools input { font: inherit; color: inherit; background: var(--st-secondary-background-color); min-width: 14rem; }
.tools input { border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); }
.tools input { padding: 0.4rem 0.6rem; }
.tools input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.tools span { opacity: 0.8; }
.scroll { overflow: auto; max-height: 34rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.32rem 0.5rem; border-bottom: 1px solid var(--st-border-color); white-space: nowrap; }
th, td { text-align: left; font-weight: 400; vertical-align: top; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--st-background-color); vertical-align: bottom; }
thead th { white-space: normal; }
thead button { font-weight: 600; white-space: normal; }
.number, .number button { text-align: right; }
td.wide { white-space: normal; min-width: 8rem; max-width: 16rem; overflow-wrap: anywhere; }
th.name { white-space: normal; min-width: 9rem; max-width: 18rem; overflow-wrap: anywhere; }
th.name button { text-decoration: underline; text-decoration-color: var(--st-border-color); font-weight: 600; }
th.name button:hover { color: var(--st-primary-color); }
small { display: block; opacity: 0.75; }
input[type=checkbox] { width: 1.1rem; height: 1.1rem; margin: 0.1rem 0 0; accent-color: var(--st-primary-color); }
input[type=checkbox]:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
tbody tr:hover, tr.chosen { background: var(--st-secondary-background-color); }
tr.chosen { box-shadow: inset 4px 0 0 var(--run, var(--st-primary-color)); }
.sign { display: inline-block; width: 1.3em; font-weight: 700; }
.finished .sign { color: var(--st-green-text-color); }
.failed .sign, .damaged .sign, .unresponsive .sign { color: var(--st-red-text-color); }
.running .sign, .evaluating .sign, .saving .sign { color: var(--st-primary-color); }
""",
    js=script("runs", "runs.js"),
)


def table(
    data: dict[str, Any], key: str, on_open: Callable[[str], None], on_choose: Callable[[list[str], int], None]
) -> None:
    """The table of runs that `ui.history` describes; told which run is opened, and which are chosen.

    Each choice has a number (`stamp`): the table believes what it gets only once that is its last one.
    """

    def opened() -> None:
        if isinstance(run_id := session[key].get("open"), str):
            on_open(run_id)

    def chose() -> None:
        if isinstance(choice := session[key].get("choose"), dict):
            on_choose([str(run_id) for run_id in choice["ids"]], int(choice["stamp"]))

    _table(key=key, data=data, on_open_change=opened, on_choose_change=chose)
