"""The networks of Compare as chips, and what holds for all of them: the baseline, the input, the units."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.architectures import Network
from vggexplorer.comparison import Entry
from vggexplorer.errors import InputError
from vggexplorer.layers import shape_text
from vggexplorer.reading.values import Says
from vggexplorer.runs import races
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import style
from vggexplorer.text import slug
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import MAX_BESIDE, Pin, State
from vggexplorer.ui.network import bring, compared, editor, named, tables, totals
from vggexplorer.ui.run import race
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit, go
from vggexplorer.ui.widgets import keeps, renew, shows

_chips = st.components.v2.component(
    "vgg_chips",
    html='<ul class="chips part"></ul>',
    css=components.STYLE
    + """
.chips { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0; padding: 0; list-style: none; font-size: 0.95rem; }
li { position: relative; display: inline-flex; border: 1px solid var(--st-border-color); border-radius: 1.25rem; }
li { background: var(--st-secondary-background-color); min-height: 2.4rem; cursor: grab; box-sizing: border-box; }
.more { display: inline-flex; align-items: center; gap: 0.4em; padding: 0 0.2rem 0 0.8rem; font-weight: 600; }
.more small { font-weight: 400; opacity: 0.75; }
.remove { padding: 0 0.8rem 0 0.4rem; font-size: 1.15rem; border-radius: 1rem; }
.remove:disabled { opacity: 0.3; cursor: default; }
.more:hover, .remove:hover:enabled { color: var(--st-link-color); }
.swatch { width: 0.8em; height: 0.8em; border-radius: 50%; flex: none; }
.menu { position: absolute; top: calc(100% + 0.3rem); left: 0; z-index: 20; display: grid; min-width: 13rem; }
.menu { border: 1px solid var(--st-border-color); border-radius: 0.5rem; background: var(--st-background-color); }
.menu { padding: 0.4rem 0; box-shadow: 0 6px 20px rgb(0 0 0 / 20%); cursor: default; width: max-content; }
.menu { max-width: 80vw; }
.menu small { padding: 0.1rem 0.9rem 0.4rem; opacity: 0.75; overflow-wrap: anywhere; max-width: 22rem; }
.menu small:empty { display: none; }
.menu button { display: block; width: 100%; padding: 0.4rem 0.9rem; }
.menu button:hover:enabled, .menu button:focus-visible { background: var(--st-secondary-background-color); }
.menu button:disabled { display: none; }
"""
    + style.narrow(":is(.more, .remove, .menu button) { min-width: 40px; min-height: 40px; }"),
    js=components.script("chips", "compare.js"),
)


def show(entries: Sequence[Entry]) -> None:
    """The chips with the way to add another, and below them what all networks share."""
    with st.container(horizontal=True, gap="small", vertical_alignment="top", key="networks"):
        _chips(key="chips", data=_data(entries), on_act_change=_act, width="content")
        with st.popover(t("Add"), icon=":material/add:", key="add network", width="content"):
            _add()
        _race(entries)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="units"):
        _baseline(entries)
        _input()
        totals.units()


def _race(entries: Sequence[Entry]) -> None:
    """A race of the networks, if they are not too many."""
    able = [entry.network for entry in entries if entry.summary]
    if exhibit.nothing_starts() or not 2 <= len(able) <= races.MOST:
        return
    with suppress(InputError):  # one that cannot be trained is not raced; Train says why
        race.button(Runs.at(), race.configs(able), t("Race them"), keys=True)


def _data(entries: Sequence[Entry]) -> dict[str, Any]:
    base = current().baseline
    words = {
        "networks": t("Networks"),
        "edit": t("Edit on Explore"),
        "baseline": t("Make it the baseline"),
        "left": t("Move left"),
        "right": t("Move right"),
    }
    chips = [
        {
            "name": entry.name,
            "notation": compared.notation(entry),
            "color": tables.colour(place),
            "baseline": place == base,
            "remove": t("Remove {name}", name=entry.name),
        }
        for place, entry in enumerate(entries)
    ]
    return {"chips": chips, "words": words, "removable": len(entries) > 2, "seen": _seen(current())}


def _seen(state: State) -> str:
    """What the places in an answer of the browser refer to: an older answer must not move other networks."""
    return " ".join([str(Pin.beside(state.network)), *map(str, state.beside)])


# --- what can be done with a chip ------------------------------------------------------------------------


def _act() -> None:
    asked = session["chips"].get("act")
    if asked and asked.get("seen") == _seen(current()):
        act(str(asked["what"]), int(asked["place"]), int(asked["to"]))


def act(what: str, place: int, to: int = 0) -> None:
    """Do with the network at `place` what its chip was asked for: remove, move (to a place), baseline, or edit."""
    if what == "baseline":
        edit(lambda state: replace(state, baseline=place))
        return
    edit(lambda state: ordered(state, _order(len(state.beside) + 1, what, place, to)))
    if what == "edit":
        go("explore")


def _order(count: int, what: str, place: int, to: int) -> list[int]:
    """The places of the networks in their new order."""
    rest = [other for other in range(count) if other != place]
    if what == "remove":
        return rest if len(rest) > 1 else list(range(count))
    return [*rest[:to], place, *rest[to:]]


def ordered(state: State, order: Sequence[int]) -> State:
    """The state with the networks at these places in this order: Explore edits the first, the baseline stays itself."""
    pins = [Pin.beside(state.network), *state.beside]
    first, *others = (pins[place] for place in order)
    architecture = first.network(state.network).architecture
    architecture = replace(architecture, num_classes=state.architecture.num_classes)
    return replace(
        state,
        network=Network(architecture, state.network.input_shape),
        beside=tuple(others),
        baseline=order.index(state.baseline) if state.baseline in order else 0,
    )


def _add() -> None:
    st.selectbox(
        t("Add a network"),
        named.NAMES,
        index=None,
        format_func=named.label,
        placeholder=t("choose a network"),
        **keeps("add preset", _add_preset),
    )
    bring.box("add text", t("Or paste one"), "", _add_read, height=68, placeholder="((1, 64), (1, 128), (2, 256))")
    bring.file("add text", _add_read)


def _add_preset(key: str) -> None:
    if chosen := session[key]:
        edit(lambda state: _with(state, Pin({"arch": slug(chosen)})), "add text")
        renew("add preset")


def _add_read(network: Network, says: Says) -> None:
    edit(lambda state: _with(state, Pin.beside(network)), "add text")


def _with(state: State, pin: Pin) -> State:
    if len(state.beside) >= MAX_BESIDE:
        raise InputError("At most {most} networks can be compared.", most=MAX_BESIDE + 1)
    return replace(state, beside=(*state.beside, pin))


# --- what holds for all ----------------------------------------------------------------------------------


def _baseline(entries: Sequence[Entry]) -> None:
    """Which network the others are set against."""
    base = current().baseline
    names = [t("Baseline: {name}", name=entry.name) for entry in entries]
    st.selectbox(
        t("Baseline"),
        range(len(entries)),
        base,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        width=260,
        **shows("baseline", base, _set_baseline),
    )


def _set_baseline(key: str) -> None:
    place = session[key]
    edit(lambda state: replace(state, baseline=place))


def _input() -> None:
    """The input and the classes of all, in short; they can be changed there."""
    network = current().network
    shape, classes = shape_text(network.input_shape), network.architecture.num_classes
    label = t("Input {shape} · {classes} {classes:class|classes}", shape=shape, classes=classes)
    with st.popover(label, key="common input", width="content"):
        editor.show_input()
