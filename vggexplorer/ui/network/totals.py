"""The five totals of a network, each with its difference to the pinned baseline."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple, cast

import streamlit as st

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, ratio, short, signed, size
from vggexplorer.summary import DTYPES, Summary, Totals, summarize
from vggexplorer.text import title
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import COUNTS, Pin, State
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
    name = title(network) if network.input_shape == state.network.input_shape else f"{title(network)} @ {shape}"
    try:
        return Baseline(name, summarize(*network), "")
    except InputError as error:
        return Baseline(name, None, sentence(error))


def show(summary: Summary) -> None:
    """Five totals in a row, under them what they are compared with."""
    state = current()
    base = baseline(state)
    with st.container(horizontal=True, gap="xsmall", key="totals"):
        for quantity in _quantities(state, summary.totals):
            _metric(quantity, summary.totals, base.summary.totals if base.summary else None)
    _pinned(base)


class _Quantity(NamedTuple):
    """A total: how it is computed, written, set against the baseline's, and explained."""

    label: str
    of: Callable[[Totals], float]
    write: Callable[[Any], str]
    compare: Callable[[Any, Any], str]
    help: str


def _metric(quantity: _Quantity, own: Totals, other: Totals | None) -> None:
    value, base = quantity.of(own), other and quantity.of(other)
    delta = None if base is None else quantity.compare(value, base)
    arrow = "off" if base in (None, value) else "up" if value > (base or 0) else "down"
    st.metric(
        *(quantity.label, quantity.write(value), delta),
        delta_color="off",
        delta_arrow=cast(Literal["up", "down", "off"], arrow),
        help=quantity.help,
        width=_WIDTH,
    )


_WIDTH = 150
"""Of one total, in pixels: two beside each other on a phone."""
_MANY = 10**12
"""From here on a total is shown in short, its digits in its help."""


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
    return [
        _Quantity(
            t("Parameters"),
            lambda totals: totals.params,
            _count,
            partial(_times, short),
            parts.format(conv=exact(own.conv_params), fc=exact(own.fc_params)),
        ),
        _Quantity(
            state.count,
            lambda totals: totals.macs * times,
            _count,
            partial(_times, short),
            f"{parts.format(conv=exact(own.conv_macs * times), fc=exact(own.fc_macs * times))}. {convention}",
        ),
        _Quantity(
            t("Activation memory"),
            lambda totals: totals.activations * state.batch * element,
            size,
            partial(_times, size),
            elements.format(count=exact(own.activations), batch=state.batch, bytes=element, dtype=state.dtype),
        ),
        _Quantity(
            t("Parameters in FC"),
            lambda totals: totals.fc_params / totals.params,
            _share,
            _points,
            f"{exact(own.fc_params)} / {exact(own.params)}",
        ),
        _Quantity(
            t("{count} in conv", count=state.count),
            lambda totals: totals.conv_macs / totals.macs,
            _share,
            _points,
            f"{exact(own.conv_macs * times)} / {exact(own.macs * times)}",
        ),
    ]


def _count(value: int) -> str:
    return exact(value) if value < _MANY else short(value)


def _share(value: float) -> str:
    return percent(value, 1)


def _times(write: Callable[[int], str], own: int, other: int) -> str:
    """How many times the other's, and by how much more or less."""
    return f"{ratio(own, other)} {signed(write(abs(own - other)), own - other)}"


def _points(own: float, other: float) -> str:
    """The difference of two shares in percentage points."""
    points = round(100 * (own - other), 1)
    return signed(t("{points} points", points=f"{abs(points):.1f}"), points)


def _pinned(base: Baseline) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="pinned"):
        st.markdown(t("Compared with **{name}**", name=literal(base.name)), width="content")
        st.button(
            t("Pin this network"),
            icon=":material/push_pin:",
            type="tertiary",
            key="pin",
            on_click=_pin,
            help=t("Compare all later edits with the network as it is now."),
        )
        if current().pin != Pin():
            st.button(t("Pin AlexNet again"), type="tertiary", key="unpin", on_click=_unpin)
        st.space("stretch")
        units()
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
