"""The five totals of a network, each with its difference to the pinned baseline."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, ratio, short, signed, size
from vggexplorer.link import COUNTS, MAX_BATCH, Pin, State
from vggexplorer.summary import DTYPES, Summary, Totals, summarize
from vggexplorer.text import title
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.state import current, edit, seeded


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
    own, other = summary.totals, base.summary.totals if base.summary else None
    with st.container(horizontal=True, gap="xsmall", key="totals"):
        for label, value, delta, help_text in _metrics(state, own, other):
            st.metric(label, value, delta, delta_color="off", help=help_text, width=_WIDTH)
    _pinned(base)


_WIDTH = 141
"""Of one total, in pixels: two beside each other on a phone."""
_MANY = 10**12
"""From here on a total is shown in short, its digits in its help."""


class _Metric(NamedTuple):
    label: str
    value: str
    delta: str | None
    help: str


def _metrics(state: State, own: Totals, other: Totals | None) -> list[_Metric]:
    times = COUNTS[state.count]
    element = DTYPES[state.dtype]
    memory = own.activations * state.batch * element
    return [
        _Metric(
            t("Parameters"),
            _count(own.params),
            other and _count_delta(own.params, other.params),
            t("{conv} (convolutions) + {fc} (fully connected)", conv=exact(own.conv_params), fc=exact(own.fc_params)),
        ),
        _Metric(
            state.count,
            _count(own.macs * times),
            other and _count_delta(own.macs * times, other.macs * times),
            t(
                "{conv} (convolutions) + {fc} (fully connected). One MAC is one multiply-accumulate with a weight of a "
                "convolution or a linear layer, forward, for one example; FLOPs = 2 × MACs.",
                conv=exact(own.conv_macs * times),
                fc=exact(own.fc_macs * times),
            ),
        ),
        _Metric(
            t("Activations"),
            size(memory),
            other and _count_delta(memory, other.activations * state.batch * element, size),
            t(
                "{count} elements × batch {batch} × {bytes} bytes ({dtype}): "
                "the output of every layer but Flatten, which is a view.",
                count=exact(own.activations),
                batch=state.batch,
                bytes=element,
                dtype=state.dtype,
            ),
        ),
        _Metric(
            t("Parameters in FC"),
            percent(own.fc_params, own.params),
            other and _share_delta(own.fc_params / own.params, other.fc_params / other.params),
            f"{exact(own.fc_params)} / {exact(own.params)}",
        ),
        _Metric(
            t("{count} in conv", count=state.count),
            percent(own.conv_macs, own.macs),
            other and _share_delta(own.conv_macs / own.macs, other.conv_macs / other.macs),
            f"{exact(own.conv_macs * times)} / {exact(own.macs * times)}",
        ),
    ]


def _count(value: int) -> str:
    return exact(value) if value < _MANY else short(value)


def _count_delta(own: int, other: int, write: Callable[[int], str] = short) -> str:
    return f"{ratio(own, other)} {signed(write(abs(own - other)), own - other)}"


def _share_delta(own: float, other: float) -> str:
    points = 100 * (own - other)
    return signed(f"{abs(points):.1f} pp", round(points, 1))


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
        _units()
    if base.reason:
        st.caption(literal(base.reason))


def _pin() -> None:
    edit(lambda state: replace(state, pin=Pin.of(state.network)))


def _unpin() -> None:
    edit(lambda state: replace(state, pin=Pin()))


def _units() -> None:
    """What is counted: MACs or FLOPs, and the memory of which batch in which data type."""
    state = current()
    st.segmented_control(
        t("Count"),
        list(COUNTS),
        required=True,
        key=seeded("count", state.count),
        on_change=_set,
        args=("count",),
        label_visibility="collapsed",
    )
    st.markdown(t("batch"), width="content")
    bare: dict[str, Any] = {"on_change": _set, "label_visibility": "collapsed"}
    st.number_input(t("batch"), 1, MAX_BATCH, key=seeded("batch", state.batch), args=("batch",), width=108, **bare)
    st.selectbox(t("data type"), list(DTYPES), key=seeded("dtype", state.dtype), args=("dtype",), width=115, **bare)


def _set(field: str) -> None:
    value = st.session_state[field]
    if value is not None:
        edit(lambda state: replace(state, **{field: value}))
