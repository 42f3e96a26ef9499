"""The five totals of a network, each with its difference to the pinned baseline."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, ratio, short, signed, size
from vggexplorer.summary import DTYPES, Summary, Totals, summarize
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import COUNTS, Pin, State
from vggexplorer.ui.network.named import heading
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import number, shows


class Baseline(NamedTuple):
    """The pinned network: its name, and its summary or why it has none for this input."""

    name: str
    summary: Summary | None
    reason: str


def baseline(state: State) -> Baseline:
    """The pinned network beside the one in view."""
    network = state.pin.network(state.network)
    shape = "×".join(map(str, network.input_shape))
    called = heading(network)
    name = called if network.input_shape == state.network.input_shape else f"{called} @ {shape}"
    try:
        return Baseline(name, summarize(*network), "")
    except InputError as error:
        return Baseline(name, None, sentence(error))


def described(summary: Summary) -> list[dict[str, Any]]:
    """Each total as data: what it is, how large (in short and exactly), beside the baseline's, its parts, its help."""
    state, own = current(), summary.totals
    base = baseline(state)
    return [_card(quantity, own, base) for quantity in _quantities(state, own)]


class _Quantity(NamedTuple):
    """A total: its value, how it is written in short and exactly, its two parts, what else is said and explained."""

    label: str
    of: Callable[[Totals], int]
    short: Callable[[int], str]
    exact: Callable[[int], str]
    parts: Callable[[Totals], tuple[int, int]] | None
    lower: tuple[tuple[str, int], ...]
    help: str


def _card(quantity: _Quantity, own: Totals, base: Baseline) -> dict[str, Any]:
    value = quantity.of(own)
    card: dict[str, Any] = {"label": quantity.label, "short": quantity.short(value), "exact": quantity.exact(value)}
    if base.summary:
        other = quantity.of(base.summary.totals)
        card["ratio"] = ratio(value, other)
        card["difference"] = signed(quantity.short(abs(value - other)), value - other)
    conv, fc = quantity.parts(own) if quantity.parts else (0, 0)
    if conv + fc:
        card["conv"] = conv / (conv + fc)
        card["split"] = [f"conv {percent(conv, conv + fc)}", f"fc {percent(fc, conv + fc)}"]
    if quantity.lower:
        card["lower"] = [f"{dtype} {size(count)}" for dtype, count in quantity.lower]
    return card | {"help": quantity.help}


LOWER = {"float16": 2, "int8": 1}
"""Bytes of an element of the types in which a trained network is often stored and run."""


def _quantities(state: State, own: Totals) -> list[_Quantity]:
    times, element = COUNTS[state.count], DTYPES[state.dtype]
    parts = t("{conv} (convolutions) + {fc} (fully connected)")
    convention = t(
        "One MAC is one multiply-accumulate with a weight of a convolution or a linear layer, "
        "forward, for one example; FLOPs = 2 × MACs."
    )
    elements = t(
        "{count} elements × batch {batch} × {bytes} bytes ({dtype}): "
        "the output of every layer but Flatten, which is a view."
    )
    weights = t(
        "{count} parameters × {bytes} bytes ({dtype}). In int8 the scales come on top, and whether the accuracy holds "
        "has to be tried."
    )
    kept = own.activations * state.batch
    return [
        _Quantity(
            t("Parameters"),
            lambda totals: totals.params,
            *(short, exact),
            lambda totals: (totals.conv_params, totals.fc_params),
            (),
            parts.format(conv=exact(own.conv_params), fc=exact(own.fc_params)),
        ),
        _Quantity(
            state.count,
            lambda totals: totals.macs * times,
            *(short, exact),
            lambda totals: (totals.conv_macs, totals.fc_macs),
            (),
            f"{parts.format(conv=exact(own.conv_macs * times), fc=exact(own.fc_macs * times))}. {convention}",
        ),
        _Quantity(
            t("Activation memory"),
            lambda totals: totals.activations * state.batch * element,
            *(size, _bytes),
            None,
            tuple((dtype, kept * each) for dtype, each in LOWER.items()),
            elements.format(count=exact(own.activations), batch=state.batch, bytes=element, dtype=state.dtype),
        ),
        _Quantity(
            t("Weights on disk"),
            lambda totals: totals.params * element,
            *(size, _bytes),
            None,
            tuple((dtype, own.params * each) for dtype, each in LOWER.items()),
            weights.format(count=exact(own.params), bytes=element, dtype=state.dtype),
        ),
    ]


def _bytes(count: int) -> str:
    return f"{exact(count)} B"


# --- what they are compared with, and what is counted ---------------------------------------------------------


def pinned() -> None:
    """The baseline, and ways to another one."""
    base = baseline(current())
    st.markdown(t("Compared with **{name}**", name=literal(base.name)))
    st.button(
        t("Pin this network"),
        icon=":material/push_pin:",
        key="pin",
        on_click=_pin,
        help=t("Compare all later edits with the network as it is now."),
    )
    if current().pin != Pin():
        st.button(t("Pin AlexNet again"), key="unpin", on_click=_unpin)
    if base.summary:
        _offer_another()


def no_baseline() -> None:
    """Why there is nothing to compare with, if that is so, and what there could be."""
    base = baseline(current())
    if base.reason:
        st.caption(literal(f"{base.name}: {base.reason}"))
        _offer_another()


def _offer_another() -> None:
    """Named networks that can take the input in view, in place of the pinned one, which cannot."""
    state = current()
    others = {name: Pin.beside(other) for name, other in NETWORKS.items() if other.architecture != state.architecture}
    able = [name for name, pin in others.items() if baseline(replace(state, pin=pin)).summary]
    if able:
        words = t("Compare with another network")
        options: dict[str, Any] = {"placeholder": words, "label_visibility": "collapsed", "width": 300}
        st.selectbox(words, able, None, **options, **shows("another baseline", None, _pin_named))


def _pin_named(key: str) -> None:
    if chosen := session[key]:
        edit(lambda state: replace(state, pin=Pin.beside(NETWORKS[chosen])))


def _pin() -> None:
    edit(lambda state: replace(state, pin=Pin.of(state.network)))


def _unpin() -> None:
    edit(lambda state: replace(state, pin=Pin()))


def units() -> None:
    """What is counted: MACs or FLOPs, and the memory of which batch in which data type."""
    state = current()
    st.segmented_control(
        t("Count"),
        list(COUNTS),
        default=state.count,
        required=True,
        label_visibility="collapsed",
        **shows("count", state.count, _set, "count"),
    )
    st.markdown(t("batch"), width="content")
    hidden: dict[str, Any] = {"label_visibility": "collapsed"}
    number(t("batch"), state.batch, "batch", _set, "batch", width=108, **hidden)
    dtypes = list(DTYPES)
    widget = shows("dtype", state.dtype, _set, "dtype")
    st.selectbox(t("data type"), dtypes, dtypes.index(state.dtype), width=115, **hidden, **widget)


def _set(key: str, field: str) -> None:
    value = session[key]
    edit(lambda state: replace(state, **{field: value}))
