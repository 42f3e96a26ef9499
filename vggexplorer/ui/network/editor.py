"""The editor in the sidebar: presets, the table of blocks, input, head. Every widget edits the session's state."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import streamlit as st

from vggexplorer.architectures import ACTIVATIONS, NETWORKS, Architecture, Head, Item, Network
from vggexplorer.layers import Layer, Shape, shape_text
from vggexplorer.notation import format_arch, format_items
from vggexplorer.origins import note
from vggexplorer.reading.values import Says
from vggexplorer.text import (
    KEYS,
    format_tuple,
    is_spelling,
    parse_items,
    title,
)
from vggexplorer.ui.i18n import literal, say, t
from vggexplorer.ui.link import State
from vggexplorer.ui.network import blocks, bring, named
from vggexplorer.ui.network.answers import Shown, figures_of, fits
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, current, edit_architecture, edit_network, publish, redo, undo
from vggexplorer.ui.widgets import Change, keeps, number, shortcut, shows, translated

CUSTOM = "custom"


def show(parts: Sequence[str] = (), alone: bool = False) -> None:
    """The whole editor, but for what the link hides; the figures of `parts` of the page go with its edits.

    `alone` says that nothing else on the page depends on the items of the network and the layer that is selected.
    """
    session.update({"drawn": _rest(alone), "whole run": True})
    _items(tuple(parts), alone)
    if "text" not in current().hide:
        bring.file("paste", _take_read)
    if "input" not in current().hide:
        with _group("input", t("Input"), shape_text(current().network.input_shape)):
            _input()
    if "head" not in current().hide:
        with _group("head", t("Head"), _about_head(current().architecture)):
            _head()


@st.fragment
def _items(parts: Sequence[str], alone: bool) -> None:
    """What an edit of the items changes in the editor: where nothing else depends on them, this alone runs again."""
    if _rest(alone) != session["drawn"]:
        st.rerun()
    publish(session["page"])
    hidden = current().hide
    if "network" not in hidden:
        _presets(current().network)
    if "tools" not in hidden:
        _history()
    blocks.show(Shown.now().query(), lambda: figures_of(current(), parts))
    if "text" not in hidden:
        _paste()


def _rest(alone: bool) -> tuple[Any, ...]:
    """What only a run of the whole page shows."""
    state = current()
    own = state.architecture
    complaints = [error for place, error in session["complaints"] if place != blocks.KEY]
    if not alone or not fits(state.network) or complaints:
        return (state, session.get("layer"), complaints)
    around = (own.head, own.num_classes, own.batch_norm, own.activation, own.activates, bool(own.blocks))
    return (replace(state, network=State().network, shade=""), state.network.input_shape, *around)


def _group(name: str, label: str, summary: str) -> Any:
    """A part of the editor that is folded, and says what is in it."""
    return st.expander(f"**{label}** · {literal(summary)}", key=f"group {name}")


def _about_head(architecture: Architecture) -> str:
    """The head in a few words: hidden layers and classes."""
    head, classes = architecture.head, architecture.num_classes
    if not isinstance(head, Head):
        return t("{n} {n:layer|layers}", n=len(head))
    widths = ", ".join(map(str, head.hidden))
    return f"{widths} → {classes}" if widths else f"→ {classes}"


def show_input() -> None:
    """The input and the number of classes alone."""
    _input()
    _classes()


# --- presets, undo, width ------------------------------------------------------------------------------


def show_network(network: Network, on_choice: Callable[[], None]) -> None:
    """The choice of a named network alone, where `network` is chosen; `on_choice` is told when a person chooses."""
    _presets(network, on_choice)


def _presets(network: Network, on_choice: Callable[[], None] = lambda: None) -> None:
    name = title(network)
    chosen = name if name in NETWORKS else CUSTOM
    options = [*named.NAMES, *([CUSTOM] if chosen == CUSTOM else [])]
    help_text = t("Start from a named network; everything can be edited afterwards.")
    if about := note(chosen):
        help_text += f"\n\n{say(about)}"
    st.selectbox(
        t("Network"),
        options,
        options.index(chosen),
        format_func=lambda item: t("Your own") if item == CUSTOM else named.label(item),
        **shows(translated("preset"), chosen, _choose_preset, on_choice),
        help=help_text,
    )


def _choose_preset(key: str, on_choice: Callable[[], None]) -> None:
    chosen = session[key]
    if chosen in NETWORKS:
        on_choice()
        edit_network(lambda network: _keeping_choices(network, NETWORKS[chosen]))


def _keeping_choices(network: Network, new: Network) -> Network:
    """The new network; an input or a number of classes that the person set stays."""
    own = [other for other in NETWORKS.values() if is_spelling(other.architecture, network.architecture)]
    if network.input_shape not in [other.input_shape for other in own or NETWORKS.values()]:
        new = new._replace(input_shape=network.input_shape)
    classes = {other.architecture.num_classes for other in own or [NETWORKS["VGG-11"]]}
    if network.architecture.num_classes not in classes:
        new = new._replace(architecture=replace(new.architecture, num_classes=network.architecture.num_classes))
    return new


def _history() -> None:
    with st.container(horizontal=True, gap="xsmall", key="tools"):
        for name, icon, label, step in (("past", "undo", t("Undo"), undo), ("future", "redo", t("Redo"), redo)):
            options: dict[str, Any] = {"disabled": not session[name], "type": "tertiary", **shortcut(icon)}
            st.button(label, icon=f":material/{icon}:", key=icon, on_click=step, **options)


# --- what can be written as text -------------------------------------------------------------------------


def _folded(label: str, what: str, name: str, items: Sequence[Item], change: Change) -> None:
    with st.expander(label, key=f"fold {name}"):
        help_text = t("As in conv64:k3:p1, pool3s2, bn, relu, drop0.5: what is not said is as in PyTorch.")
        st.text_area(what, format_items(items), height=68, help=help_text, **_text(name, format_items(items), change))
        complain(name)


# --- the table as text -----------------------------------------------------------------------------------


def _text(name: str, text: str, change: Change) -> dict[str, Any]:
    """A text widget shows `text`, or what was typed into it if that could not be used."""
    if any(place == name for place, _ in session["complaints"]):
        return keeps(name, change)
    return shows(name, text, change)


def _paste() -> None:
    architecture = current().architecture
    text = format_tuple(architecture) or format_arch(architecture)
    with st.container(key="paste box"):
        bring.box("paste", t("As text: copy it, or paste a network"), text, _take_read, height=68)


def _take_read(new: Network, says: Says) -> None:
    edit_network(lambda network: _read(network, new, says), "paste")


def _read(network: Network, new: Network, says: Says) -> Network:
    """What was read; the person's own input, head and number of classes stay where the text does not say them."""
    if says == Says.NAME:
        return _keeping_choices(network, new)
    if says == Says.ALL:
        return new
    own = network.architecture
    head = own.head if isinstance(own.head, Head) else new.architecture.head
    items = replace(own, items=new.architecture.items, head=head, num_classes=own.num_classes)
    return network._replace(architecture=items)


# --- input and head --------------------------------------------------------------------------------------


def _input() -> None:
    channels, height, width = current().network.input_shape
    with st.container(horizontal=True, gap="xsmall", key="input row"):
        number(t("Height"), height, "input 1", _set_input, 1, width=88)
        options: dict[str, Any] = {"width": 88, "placeholder": f"= {height}"}
        number(t("Width"), None if width == height else width, "input 2", _set_input, 2, **options)
        number(t("Input channels"), channels, "input 0", _set_input, 0, width=88)


def _classes() -> None:
    name, value = "num_classes", current().architecture.num_classes
    number(t("Classes"), value, name, _set_architecture, name, width=108)


def _set_input(key: str, axis: int) -> None:
    """Change one number of the input shape; an empty width is that of a square."""
    value = session[key]
    edit_network(lambda network: network._replace(input_shape=_with_side(network.input_shape, axis, value)))


def _with_side(shape: Shape, axis: int, value: int | None) -> Shape:
    channels, height, width = shape
    if axis == 1:
        return channels, cast(int, value), cast(int, value) if width == height else width
    if axis == 2:
        return channels, height, height if value is None else value
    return cast(int, value), height, width


LAYERS = "layers"
POOLINGS = {
    "flatten": "flatten: follows the input",
    "adaptive": "adaptive: fixed size",
    "gap": "gap: global average",
    "layers": "layers, one by one",
}


def _head() -> None:
    architecture = current().architecture
    head = architecture.head
    with st.container(horizontal=True, gap="xsmall", key="head row"):
        own = head.pooling if isinstance(head, Head) else LAYERS
        poolings = [name for name in POOLINGS if name != LAYERS or own == LAYERS]
        st.selectbox(
            t("Head"),
            poolings,
            poolings.index(own),
            format_func=lambda name: t(POOLINGS[name]),
            width=222,
            **shows(translated("pooling"), own, _set_pooling),
        )
        _classes()
    if isinstance(head, Head):
        _hidden(head)
    else:
        _head_layers(head)
    _norm(architecture)


def _head_layers(head: Sequence[Layer]) -> None:
    _folded(
        t("Head · {n} {n:layer|layers}", n=len(head)),
        t("The head as text, from flatten on"),
        "head layers",
        head,
        lambda key: edit_network(lambda network: _with_head_layers(network, session[key]), "head layers"),
    )


def _with_head_layers(network: Network, text: str) -> Network:
    layers = cast(tuple[Layer, ...], parse_items(text))
    return network._replace(architecture=Architecture(network.architecture.items, layers))


def _hidden(head: Head) -> None:
    with st.container(horizontal=True, gap="xsmall", key="hidden row"):
        text = KEYS["hidden"].format(current().network)
        st.text_input(
            t("Hidden layers"),
            text,
            width=222,
            help=t("As in 4096,4096; none, or nothing at all, for no hidden layer."),
            **_text("hidden", text, _set_hidden),
        )
        options: dict[str, Any] = {"step": 0.1, "format": "%g", "width": 108}
        number(t("Dropout"), head.dropout, "dropout", _set_head, "dropout", **options)
    complain("hidden")


def _norm(architecture: Architecture) -> None:
    """What the blocks, and the hidden layers of a `Head`, are made with; nothing where there are none."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="norm row"):
        if architecture.blocks:
            st.toggle(
                t("Batch norm"),
                architecture.batch_norm,
                help=t("Batch normalisation after each convolution of a block; the convolution keeps its bias."),
                **shows("batch_norm", architecture.batch_norm, _set_architecture, "batch_norm"),
            )
        if architecture.activates:
            names = list(ACTIVATIONS)
            st.selectbox(
                t("Activation"),
                names,
                names.index(architecture.activation),
                format_func=lambda name: ACTIVATIONS[name].kind,
                label_visibility="collapsed",
                width=150,
                **shows("activation", architecture.activation, _set_architecture, "activation"),
            )


def _set_hidden(key: str) -> None:
    edit_network(lambda network: KEYS["hidden"].parse(session[key])(network), "hidden")


def _set_pooling(key: str) -> None:
    if session[key] in POOLINGS and session[key] != LAYERS:
        _set_head(key, "pooling")


def _set_head(key: str, field: str) -> None:
    value = session[key]
    edit_network(lambda network: _with_head(network, field, value))


def _with_head(network: Network, field: str, value: Any) -> Network:
    own = network.architecture.head
    head = replace(own if isinstance(own, Head) else Head(), **{field: value})
    return network._replace(architecture=replace(network.architecture, head=head))


def _set_architecture(key: str, field: str) -> None:
    edit_architecture(**{field: session[key]})
