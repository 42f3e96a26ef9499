"""Compare: the list of networks in the sidebar, and what the page shows of them."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Entry, Stage, compare, stages, why
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, short, size
from vggexplorer.layers import shape_text
from vggexplorer.reading.values import Says
from vggexplorer.summary import DTYPES, Summary
from vggexplorer.text import slug
from vggexplorer.ui import components
from vggexplorer.ui.i18n import literal, say, sentence, t
from vggexplorer.ui.link import COUNTS, MAX_BESIDE, Pin, State
from vggexplorer.ui.network import bring, compared_figures, named
from vggexplorer.ui.network.tables import against, table
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import keeps, renew


def entries(state: State) -> list[Entry]:
    """The network being edited and those beside it, all under its input and its number of classes."""
    own = state.network
    architectures = [own.architecture, *(pin.network(own).architecture for pin in state.beside)]
    return compare(architectures, own.input_shape, own.architecture.num_classes)


# --- the list of networks ------------------------------------------------------------------------------


def sidebar(compared: Sequence[Entry]) -> None:
    """The networks with what can be done with each, and two ways to add another."""
    st.markdown(f"**{t('Networks')}**")
    for place, entry in enumerate(compared):
        _entry(place, entry, removable=len(compared) > 2)
    _add()


def _entry(place: int, entry: Entry, removable: bool) -> None:
    name = literal(entry.name)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"network {place}"):
        st.markdown(f"{place + 1}. **{name}**" if place == 0 else f"{place + 1}. {name}", width="stretch")
        if place:
            st.button(
                t("first"),
                key=f"first {place}",
                type="tertiary",
                on_click=_make_first,
                args=(place - 1,),
                help=t("Put this network first: the others are compared with it, and Explore edits it."),
            )
            st.button(
                "✕",
                key=f"remove {place}",
                type="tertiary",
                disabled=not removable,
                on_click=_remove,
                args=(place - 1,),
                help=t("Remove {name}", name=name),
            )


def _make_first(place: int) -> None:
    def change(state: State) -> State:
        pins = list(state.beside)
        chosen = pins[place].network(state.network)
        pins[place] = Pin.beside(state.network)
        architecture = replace(chosen.architecture, num_classes=state.architecture.num_classes)
        return replace(state, network=Network(architecture, state.network.input_shape), beside=tuple(pins))

    edit(change)


def _remove(place: int) -> None:
    edit(lambda state: replace(state, beside=state.beside[:place] + state.beside[place + 1 :] or state.beside))


def _add() -> None:
    st.selectbox(
        t("Add a network"),
        named.NAMES,
        index=None,
        format_func=named.label,
        placeholder=t("choose a network"),
        **keeps("add preset", _add_preset),
    )
    bring.box("add text", t("or paste one"), "", _add_read, height=68, placeholder="((1, 64), (1, 128), (2, 256))")
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


# --- what the page shows -------------------------------------------------------------------------------


def refusals(compared: Sequence[Entry]) -> None:
    """Which networks cannot take the common input, and why."""
    for entry in compared:
        if entry.error:
            st.warning(literal(f"{entry.name}: {sentence(entry.error)}"), icon=":material/straighten:")


def _able(compared: Sequence[Entry]) -> list[tuple[str, Summary]]:
    return [(entry.name, entry.summary) for entry in compared if entry.summary]


def totals(compared: Sequence[Entry]) -> None:
    """A row for each network: its totals, and how many times the first one's they are."""
    able, state = _able(compared), current()
    own = [summary.totals for _, summary in able]
    times, element = COUNTS[state.count], state.batch * DTYPES[state.dtype]
    lines = {
        t("Parameters"): against(exact, [each.params for each in own]),
        state.count: against(exact, [each.macs * times for each in own]),
        t("Activation memory"): against(size, [each.activations * element for each in own]),
        t("Parameters in FC"): [percent(each.fc_params, each.params) for each in own],
        t("{count} in conv", count=state.count): [percent(each.conv_macs, each.macs) for each in own],
    }
    table([name for name, _ in able], lines, t("Totals of the networks and their ratios to the first"))


def reasons(compared: Sequence[Entry]) -> None:
    """Why each network costs more or less than the first, in sentences; the first answer is open."""
    first, *others = compared
    answers = [(entry.name, why(first, entry)) for entry in others if first.summary and entry.summary]
    for place, (name, remarks) in enumerate(answers):
        heading = t("Why do {first} and {other} cost differently?", first=literal(first.name), other=literal(name))
        with st.expander(heading, expanded=place == 0):
            st.markdown("\n".join(f"- {say(remark)}" for remark in remarks))


def parts(compared: Sequence[Entry]) -> None:
    """Stacked bars: the convolutional and the fully connected part of each network."""
    able = _able(compared)
    alt = t("Convolutional and fully connected part of each network")
    components.chart(compared_figures.parts(able), alt, key="parts")
    st.caption(alt)


def scatter(compared: Sequence[Entry]) -> None:
    """Parameters against MACs, the named networks behind."""
    own = current().network
    family = compare((network.architecture for network in NETWORKS.values()), *_common(own))
    alt = t("Parameters against {count} of each network, with the named networks behind", count=current().count)
    components.chart(compared_figures.scatter(_able(compared), _able(family)), alt, key="scatter")
    st.caption(alt)


def _common(network: Network) -> tuple[tuple[int, ...], int]:
    return network.input_shape, network.architecture.num_classes


def aligned(compared: Sequence[Entry]) -> None:
    """Stage by stage: what each network does at about the same resolution."""
    able = _able(compared)
    found = [stages(summary) for _, summary in able]
    halvings = sorted({at for item in found for at in item if at is not None})
    shape = current().network.input_shape
    lines = {_stage_name(at, shape): [_stage(item.get(at)) for item in found] for at in (*halvings, None)}
    table(
        [name for name, _ in able], lines, t("Convolutions, channels and {count} by resolution", count=current().count)
    )


def _stage_name(halvings: int | None, shape: tuple[int, ...]) -> str:
    if halvings is None:
        return t("fully connected")
    height, width = (max(1, side >> max(0, halvings)) for side in shape[1:])
    return f"≈ {height}×{width}"


def _stage(stage: Stage | None) -> str:
    if stage is None:
        return "–"
    macs = f"{short(stage.totals.macs * COUNTS[current().count])} {current().count}"
    if not stage.convolutions:
        return t("{params} parameters, {macs}", params=short(stage.totals.params), macs=macs)
    shapes = ", ".join(map(shape_text, stage.shapes))
    return f"{stage.convolutions} × {t('conv')}, {shapes}, {macs}"


def sizes(compared: Sequence[Entry]) -> None:
    """How parameters and MACs grow with the input, and from which size on each network works."""
    lines = [(entry.name, entry.network.architecture) for entry in compared]
    alt = t("Parameters and {count} over square inputs from 28 to 256 pixels", count=current().count)
    components.chart(compared_figures.sizes(lines, current().network.input_shape[0]), alt, key="sizes")
    st.caption(alt)
    for name, architecture in lines:
        smallest = architecture.min_side()
        if smallest > compared_figures.SIDES[0]:
            st.caption(t("{name} needs at least {side}×{side}.", name=literal(name), side=smallest))
