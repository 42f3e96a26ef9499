"""The list of all runs: the component in which the browser draws it."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from vggexplorer.paths import IN_BROWSER
from vggexplorer.server import style
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.link import MAX_RUNS
from vggexplorer.ui.runs import listing
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current

_CARDS = """
.tools { display: grid; grid-template-columns: 1fr 1fr; }
.tools :is(input[type=search], select, summary) { height: 40px; max-width: none; width: 100%; font-size: 16px; }
.tools input[type=search] { grid-column: 1 / -1; }
.tools .columns { display: none; }
.tools [role=status] { grid-column: 1 / -1; }
.scroll { max-height: none; overflow: visible; background: none; }
table, tbody { display: block; }
thead { display: block; }
thead tr { display: flex; flex-wrap: wrap; gap: 0 1rem; }
thead tr > * { display: none; border: 0; padding: 0; position: static !important; }
thead tr > :is([data-column=name], [data-column=accuracy], [data-column=time], [data-column=started]) {
  display: block;
}
thead button { min-height: 40px; opacity: 0.85; }
tbody tr { display: grid; grid-template-columns: 2.6rem minmax(0, 1fr) auto; gap: 0.1rem 0.6rem; align-items: center; }
tbody tr { grid-template-areas: "box name accuracy" "box network spark" "box progress time"; padding: 0.4rem 0; }
tbody tr { border-bottom: 1px solid var(--st-border-color); }
tbody tr > * { display: none; padding: 0; border: 0; position: static !important; background: none !important; }
tbody tr > :first-child { display: grid; grid-area: box; place-items: center; align-self: stretch; }
tbody tr > th.name { display: block; grid-area: name; max-width: none; min-width: 0; }
tbody tr > [data-column=accuracy] { display: block; grid-area: accuracy; font-size: 1.2rem; font-weight: 650; }
tbody tr > [data-column=spark] { display: block; grid-area: spark; }
tbody tr > [data-column=network] { display: block; grid-area: network; opacity: 0.85; min-width: 0; max-width: none; }
tbody tr > [data-column=progress] { display: block; grid-area: progress; }
tbody tr > [data-column=time] { display: block; grid-area: time; }
tbody tr.member { padding-left: 1.2rem; }
tbody tr.member th.name { padding-left: 0; }
.open { min-height: 40px; }
.title { align-items: center; }
.fold { min-width: 40px; min-height: 40px; }
input[type=checkbox] { width: 1.5rem; height: 1.5rem; }
td:first-child { position: relative; }
"""
"""On a phone a run is a card: name, status, accuracy, curve and time; the other columns are on the run's own page."""

_list = st.components.v2.component(
    "vgg_list",
    html='<div class="part"><div class="tools"><input type="search"><select class="status"></select>'
    '<select class="network"></select><details class="columns"><summary></summary><div class="menu"></div></details>'
    '<span role="status"></span></div><div class="scroll" tabindex="-1"><table class="runs"></table></div>'
    '<p class="disk"></p></div>',
    css=STYLE
    + style.scrolls(".scroll")
    + """
.tools { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-bottom: 0.5rem; }
.tools, .disk { font-size: var(--type-label, 0.8667rem); }
.tools :is(input[type=search], select, summary) { font: inherit; color: inherit; box-sizing: border-box; }
.tools :is(input[type=search], select, summary) { background: var(--st-secondary-background-color); }
.tools :is(input[type=search], select, summary) { border: 1px solid var(--st-border-color); }
.tools :is(input[type=search], select, summary) { border-radius: var(--st-button-radius); padding: 0.4rem 0.6rem; }
.tools :is(input[type=search], select, summary) { height: 2.25rem; }
.tools input[type=search] { flex: 1 1 9rem; min-width: 7rem; max-width: 16rem; }
.tools select { max-width: 11rem; }
.tools :focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.tools [role=status] { opacity: 0.8; }
.columns { position: relative; }
.columns summary { cursor: pointer; list-style: none; white-space: nowrap; }
.columns summary::after { content: " ▾"; }
.columns .menu { position: absolute; top: calc(100% + 0.3rem); right: 0; z-index: 5; display: grid; gap: 0.35rem; }
.columns .menu { padding: 0.7rem 0.9rem; border: 1px solid var(--st-border-color); border-radius: 0.5rem; }
.columns .menu { background: var(--st-background-color); box-shadow: 0 6px 20px rgb(0 0 0 / 20%); width: max-content; }
.columns label { display: flex; gap: 0.5rem; align-items: center; }
.scroll { overflow-y: auto; max-height: max(14rem, calc(100vh - 18rem)); }
.disk { margin: 0.5rem 0 0; opacity: 0.8; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-variant-numeric: tabular-nums; }
table { font-size: var(--type-label, 0.8667rem); }
th, td { padding: 0.32rem 0.5rem; border-bottom: 1px solid var(--st-border-color); white-space: nowrap; }
th, td { text-align: left; font-weight: 400; vertical-align: middle; }
thead :is(th, td) { position: sticky; top: 0; z-index: 2; background: var(--st-background-color); }
thead :is(th, td) { vertical-align: bottom; white-space: normal; font-weight: 600; }
thead button { font-weight: 600; white-space: normal; }
.number, .number button { text-align: right; }
td.wide { white-space: normal; min-width: 8rem; max-width: 16rem; overflow-wrap: anywhere; }
th.name { white-space: normal; min-width: 10rem; max-width: 15rem; overflow-wrap: anywhere; }
.title { display: flex; gap: 0.4em; align-items: baseline; }
.open { text-decoration: underline; text-decoration-color: var(--st-border-color); font-weight: 600; }
.open:hover { color: var(--st-link-color); }
.fold { width: 1em; font-size: 1.1em; line-height: 1; }
small { display: block; opacity: 0.75; margin-left: 1.4em; }
input[type=checkbox] { width: 1.1rem; height: 1.1rem; margin: 0; accent-color: var(--st-primary-color); }
input[type=checkbox]:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
tbody tr:hover, tr.chosen, tr.looked { background: var(--st-secondary-background-color); }
tr.chosen td:first-child { box-shadow: inset 4px 0 0 var(--run, var(--st-primary-color)); }
tr.member th.name { padding-left: 2rem; }
.sign { flex: none; width: 1em; font-weight: 700; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.finished .sign { color: var(--st-green-text-color); }
:is(.failed, .damaged, .unresponsive, .interrupted) .sign { color: var(--st-red-text-color); }
:is(.running, .evaluating, .saving) .sign { color: var(--st-link-color); }
:is(.stopped, .paused) .sign { color: var(--st-orange-text-color); }
.spark { display: block; overflow: visible; }
.spark polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke: currentColor; }
.spark .train { opacity: 0.35; }
.spark .test { stroke: var(--st-link-color); }
.spark circle { fill: var(--st-link-color); }
.progress { display: inline-block; width: 3.6rem; height: 0.5rem; margin-right: 0.5rem; border-radius: 0.25rem; }
.progress { background: var(--st-border-color); overflow: hidden; vertical-align: 0.05em; }
.progress i { display: block; height: 100%; background: var(--st-primary-color); }
"""
    + style.narrow(_CARDS),
    js=script("list", "list.js"),
)


def show(
    chosen: list[str],
    colors: Mapping[str, str],
    newest: str | None,
    seen: Mapping[str, bool],
    acts: Mapping[str, Callable[[Any], None]],
) -> None:
    """The list, with the `chosen` runs ticked and in their colours.

    `acts` says what is done when a run is opened (`open`), runs are chosen (`choose`), a group is brought into view
    (`group`), or what the page itself shows is out of date (`changed`): `newest` is the newest run then, or a run is
    not as active as it was `seen`. Each choice has a number (`stamp`): the list believes what it gets only once that
    is its last one.
    """

    def told(name: str) -> Callable[[], None]:
        def tell() -> None:
            if (value := session[KEY].get(name)) is not None:
                acts[name](value)

        return tell

    labels = listing.labels()
    data = {
        "columns": {name: {"label": labels[name], "number": number} for name, number in listing.COLUMNS.items()},
        "address": f"{listing.ADDRESS}?lang={language()}",
        "answer": listing.listed(language()).whole() if IN_BROWSER else None,
        "chosen": chosen,
        "colors": dict(colors),
        "stamp": session.get("chosen stamp", 0),
        "group": current().sweep,
        "newest": newest,
        "seen": dict(seen),
        "most": MAX_RUNS,
        "words": _words(),
    }
    callbacks: dict[str, Any] = {f"on_{name}_change": told(name) for name in acts}
    _list(key=KEY, data=data, **callbacks)


KEY = "runs table"


def _words() -> dict[str, str]:
    return {
        "alt": t("All runs, the newest first"),
        "name": t("Name"),
        "filter": t("Filter the runs"),
        "status": t("Status"),
        "anyStatus": t("Every status"),
        "network": t("Network"),
        "anyNetwork": t("Every network"),
        "columns": t("Columns"),
        "count": t("{shown} of {all} shown"),
        "reading": t("Reading the runs … {count}"),
        "choose": t("Choose {name}"),
        "members": t("The runs of {name}"),
        "most": t("At most {most} runs can be chosen.", most=MAX_RUNS),
        "none": t("No run matches the filter."),
        "recorded": t("Ships with the package"),
        "sweep": t("Sweep"),
        "offline": t("The dashboard does not answer; the run itself goes on. Trying again …"),
    }
