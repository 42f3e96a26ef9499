"""The editor in the sidebar: presets, the table of blocks, input, head. Every widget edits the session's state."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Any, cast

import streamlit as st

from vggexplorer.architectures import ACTIVATIONS, NETWORKS, Architecture, Block, Head, Item, Network
from vggexplorer.layers import Layer, Shape
from vggexplorer.notation import format_arch, format_items
from vggexplorer.origins import note
from vggexplorer.reading.values import Says
from vggexplorer.text import (
    KEYS,
    MAX_BLOCKS,
    format_tuple,
    is_spelling,
    parse_items,
    title,
)
from vggexplorer.ui.i18n import say, t
from vggexplorer.ui.network import bring, named
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, current, edit_architecture, edit_network, redo, undo
from vggexplorer.ui.widgets import Change, keeps, number, shows, translated

POOLS: dict[str, dict[str, Any]] = {
    "none": {"pool": None},
    "max 2/2": {"pool": (2, 2), "pool_type": "max"},
    "max 3/2": {"pool": (3, 2), "pool_type": "max"},
    "avg 2/2": {"pool": (2, 2), "pool_type": "avg"},
    "avg 3/2": {"pool": (3, 2), "pool_type": "avg"},
}
ACTIONS = {
    "add": "Add a block below",
    "duplicate": "Duplicate",
    "up": "Move up",
    "down": "Move down",
    "delete": "Delete",
}
CUSTOM = "custom"


def show() -> None:
    """The whole editor, but for what the link hides."""
    parts: dict[str, Callable[[], None]] = {
        "network": lambda: _presets(current().network),
        "tools": _history,
        "": _blocks,
        "text": _paste,
        "input": _input,
        "head": _head,
    }
    for name, part in parts.items():
        if name not in current().hide:
            part()


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
            disabled = not session[name]
            st.button(label, icon=f":material/{icon}:", key=icon, on_click=step, disabled=disabled, type="tertiary")
        st.space("stretch")
        for ratio, text in (("1/4", "× ¼"), ("1/2", "× ½"), ("2", "× 2")):
            help_text = t("All channels × {ratio}, rounded down; the head stays.", ratio=ratio)
            st.button(text, key=f"width {ratio}", on_click=_scale, args=(ratio,), help=help_text)


def _scale(ratio: str) -> None:
    edit_network(lambda network: network._replace(architecture=network.architecture.scaled(Fraction(ratio))))


# --- blocks --------------------------------------------------------------------------------------------


def _blocks() -> None:
    hidden = set(current().hide)
    if hidden >= {"columns", "convolutions", "channels"}:
        return
    if current().architecture.blocks:
        _heads(hidden)
    for is_block, run in groupby(enumerate(current().architecture.items), lambda item: isinstance(item[1], Block)):
        if is_block:
            for row, block in run:
                _block(row, cast(Block, block))
        else:
            _layers([row for row, _ in run])


def _heads(hidden: set[str]) -> None:
    """What stands over the rows of blocks."""
    if "columns" not in hidden:
        help_text = t("Kernel, stride, padding, pooling, LRN.")
        st.toggle(t("More columns"), key="more", persist_state="session", help=help_text)
    with st.container(horizontal=True, gap="xsmall", key="block heads"):
        for name, label, width in (
            ("", t("block"), _MENU),
            ("convolutions", t("convolutions"), _CONVS),
            ("channels", t("channels"), _CHANNELS),
        ):
            if name not in hidden:
                st.caption(label, width=width)


_MENU, _CONVS, _CHANNELS = 54, 124, 124
"""Widths in pixels."""


def _block(row: int, block: Block) -> None:
    hidden = current().hide
    whole = "columns" not in hidden
    place = t("block {number}", number=row + 1)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"block {row}"):
        if whole:
            _menu(row)
        else:
            st.markdown(f"**{row + 1}**", width=_MENU)
        for name, field, label, width in (
            ("convolutions", "num_convs", t("Convolutions, {place}", place=place), _CONVS),
            ("channels", "out_channels", t("Channels, {place}", place=place), _CHANNELS),
        ):
            if name not in hidden:
                options: dict[str, Any] = {"width": width, "label_visibility": "collapsed"}
                number(label, getattr(block, field), f"{field} {row}", _set_field, row, field, **options)
    if whole and session.get("more"):
        _more(row, block)
    if (growth := 2 * block.padding - block.kernel_size + 1) > 0 and block.stride == 1:
        st.caption(
            t(
                "Each convolution of {place} adds {growth} to height and width: padding {padding} on both sides, "
                "kernel {kernel}.",
                place=place,
                growth=growth,
                padding=block.padding,
                kernel=block.kernel_size,
            )
        )


def _menu(row: int) -> None:
    st.menu_button(
        f"**{row + 1}**",
        _actions(row),
        format_func=lambda action: t(ACTIONS[action]),
        key=f"menu {row}",
        type="tertiary",
        on_click=_act,
        args=(row,),
        width=_MENU,
    )


def _actions(row: int) -> list[str]:
    architecture = current().architecture
    last = len(architecture.items) - 1
    barred = {"up": row == 0, "down": row == last, "delete": last == 0}
    full = len(architecture.blocks) >= MAX_BLOCKS
    return [action for action in ACTIONS if not barred.get(action, full and action in ("add", "duplicate"))]


def _more(row: int, block: Block) -> None:
    """Kernel, stride, padding, pooling and LRN of one block; the first row's labels are the others' heads."""
    place = t("block {number}", number=row + 1)
    visible: Any = "collapsed" if row else "visible"
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="bottom", key=f"more row {row}"):
        for field, label in (("kernel_size", "kernel"), ("stride", "stride"), ("padding", "padding")):
            text = t("{what}, {place}", what=t(label), place=place) if row else t(label)
            options: dict[str, Any] = {"width": 62, "label_visibility": visible}
            number(text, getattr(block, field), f"{field} {row}", _set_field, row, field, **options)
        own = _pool_name(block)
        pools = [*POOLS, *([own] if own not in POOLS else [])]
        st.selectbox(
            t("{what}, {place}", what=t("pooling"), place=place) if row else t("pooling"),
            pools,
            pools.index(own),
            format_func=lambda name: t("none") if name == "none" else name,
            **shows(translated(f"pool {row}"), own, _set_pool, row),
            width=100,
            label_visibility=visible,
        )
        st.checkbox("LRN", block.lrn, **shows(f"lrn {row}", block.lrn, _set_field, row, "lrn"))


def _pool_name(block: Block) -> str:
    return f"{block.pool_type} {block.pool[0]}/{block.pool[1]}" if block.pool else "none"


def _set_field(key: str, row: int, field: str) -> None:
    """Put a widget's value into a block."""
    value = session[key]
    _edit_block(row, lambda block: _with_field(block, field, value))


def _with_field(block: Block, field: str, value: Any) -> Block:
    """The block with another value; padding that keeps the size follows the kernel."""
    if field == "kernel_size" and block.padding == block.kernel_size // 2:
        return replace(block, kernel_size=value, padding=value // 2)
    return replace(block, **{field: value})


def _set_pool(key: str, row: int) -> None:
    pool = POOLS.get(session[key], {})
    _edit_block(row, lambda block: replace(block, **pool))


def _act(row: int) -> None:
    """Add, duplicate, move or delete a block."""
    changes: dict[str, Callable[[list[Item]], list[Item]]] = {
        "add": lambda items: [*items[: row + 1], Block(1, cast(Block, items[row]).out_channels), *items[row + 1 :]],
        "duplicate": lambda items: [*items[: row + 1], *items[row:]],
        "up": lambda items: [*items[: row - 1], items[row], items[row - 1], *items[row + 1 :]],
        "down": lambda items: [*items[:row], *items[row + 1 : row + 2], items[row], *items[row + 2 :]],
        "delete": lambda items: [*items[:row], *items[row + 1 :]],
    }
    if action := session[f"menu {row}"]:
        _edit_items(row, changes[action])


def _edit_block(row: int, change: Callable[[Block], Block]) -> None:
    """Change one block."""
    _edit_items(row, lambda items: [*items[:row], change(cast(Block, items[row])), *items[row + 1 :]])


def _edit_items(row: int, change: Callable[[list[Item]], list[Item]]) -> None:
    """Change the list of items, unless block `row` is already gone (a second click on Delete)."""

    def changed(network: Network) -> Network:
        items = list(network.architecture.items)
        if row >= len(items) or not isinstance(items[row], Block):
            return network
        return _with_items(network, change(items))

    edit_network(changed)


def _with_items(network: Network, items: Sequence[Item]) -> Network:
    return network._replace(architecture=replace(network.architecture, items=tuple(items)))


# --- what is no block --------------------------------------------------------------------------------------


def _layers(rows: Sequence[int]) -> None:
    """Layers that are in no block, as one folded row that opens as text."""
    first, after = rows[0], rows[-1] + 1
    name = f"layers {first}"
    place = str(after) if len(rows) == 1 else f"{first + 1}–{after}"
    _folded(
        t("**{place}** · {n} {n:layer|layers}", place=place, n=len(rows)),
        t("{place}, in no block, as text; emptied, it is gone", place=place),
        name,
        current().architecture.items[first:after],
        lambda key: edit_network(lambda network: _with_layers(network, first, after, session[key]), name),
    )


def _folded(label: str, what: str, name: str, items: Sequence[Item], change: Change) -> None:
    with st.expander(label, key=f"fold {name}"):
        help_text = t("As in conv64:k3:p1, pool3s2, bn, relu, drop0.5: what is not said is as in PyTorch.")
        st.text_area(what, format_items(items), height=68, help=help_text, **_text(name, format_items(items), change))
        complain(name)


def _with_layers(network: Network, first: int, after: int, text: str) -> Network:
    items = network.architecture.items
    return _with_items(network, (*items[:first], *(parse_items(text) if text.strip() else ()), *items[after:]))


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
        bring.file("paste", _take_read)


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
        number(t("input height"), height, "input 1", _set_input, 1, width=108)
        options: dict[str, Any] = {"width": 108, "placeholder": f"= {height}"}
        number(t("input width"), None if width == height else width, "input 2", _set_input, 2, **options)
        number(t("input channels"), channels, "input 0", _set_input, 0, width=108)


def _classes() -> None:
    name, value = "num_classes", current().architecture.num_classes
    number(t("classes"), value, name, _set_architecture, name, width=108)


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
            t("head"),
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
            t("hidden layers"),
            text,
            width=222,
            help=t("As in 4096,4096; none, or nothing at all, for no hidden layer."),
            **_text("hidden", text, _set_hidden),
        )
        options: dict[str, Any] = {"step": 0.1, "format": "%g", "width": 108}
        number(t("dropout"), head.dropout, "dropout", _set_head, "dropout", **options)
    complain("hidden")


def _norm(architecture: Architecture) -> None:
    """What the blocks, and the hidden layers of a `Head`, are made with; nothing where there are none."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="norm row"):
        if architecture.blocks:
            st.toggle(
                t("batch norm"),
                architecture.batch_norm,
                help=t("Batch normalisation after each convolution of a block; the convolution keeps its bias."),
                **shows("batch_norm", architecture.batch_norm, _set_architecture, "batch_norm"),
            )
        if architecture.activates:
            names = list(ACTIVATIONS)
            st.selectbox(
                t("activation"),
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
