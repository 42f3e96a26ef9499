"""Several networks side by side: what pages show of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from vggexplorer import published
from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import Entry, Stage, compare, stages
from vggexplorer.formatting import exact, percent, ratio, short, size
from vggexplorer.layers import shape_text
from vggexplorer.summary import DTYPES, Summary, Totals
from vggexplorer.text import title
from vggexplorer.ui import components
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import COUNTS, State
from vggexplorer.ui.network import compared_figures, named, tables
from vggexplorer.ui.network.compared_figures import Able
from vggexplorer.ui.network.tables import FIGURES, Column, Line
from vggexplorer.ui.state import current


def entries(state: State) -> list[Entry]:
    """The network being edited and those beside it, all under its input and its number of classes."""
    own = state.network
    architectures = [own.architecture, *(pin.network(own).architecture for pin in state.beside)]
    return called(compare(architectures, own.input_shape, own.architecture.num_classes))


def called(compared: Sequence[Entry]) -> list[Entry]:
    """The same under the names that people call them by; equal names get a number."""
    names = [named.heading(entry.network) for entry in compared]
    seen: Counter[str] = Counter()
    found = []
    for entry, name in zip(compared, names, strict=True):
        seen[name] += 1
        found.append(entry._replace(name=f"{name} ({seen[name]})" if names.count(name) > 1 else name))
    return found


def refusals(compared: Sequence[Entry]) -> None:
    """Which networks cannot take the common input, and why."""
    for entry in compared:
        if entry.error:
            st.warning(literal(f"{entry.name}: {sentence(entry.error)}"), icon=":material/straighten:")


def able(compared: Sequence[Entry]) -> list[Able]:
    """Those that can take the input."""
    return [(place, entry.name, entry.summary) for place, entry in enumerate(compared) if entry.summary]


def notation(entry: Entry) -> str:
    """How a network is written down, where its name does not say it."""
    written = title(entry.network)
    return "" if written in NETWORKS else written


# --- totals ----------------------------------------------------------------------------------------------


def lines(compared: Sequence[Entry], base: int | None = None) -> list[Line]:
    """A row for each network; that at `base` is marked."""
    return [
        Line(entry.name, notation(entry), t("baseline") if place == base else "")
        for place, entry in enumerate(compared)
    ]


def totals(compared: Sequence[Entry], base: int = 0, more: Sequence[Column] = ()) -> None:
    """A row for each network: its totals as bars, and how many times the baseline's they are."""
    state = current()
    times, element = COUNTS[state.count], state.batch * DTYPES[state.dtype]
    columns = [
        Column(t("Parameters"), _values(compared, "params"), exact),
        Column(state.count, _values(compared, "macs", times), exact),
        Column(t("Activation memory"), _values(compared, "activations", element), size),
        *more,
    ]
    words = t("× and ÷ are against {baseline}.", baseline=compared[base].name)
    tables.table(lines(compared, base), columns, words, "totals of all", base)


def _values(compared: Sequence[Entry], field: str, times: int = 1) -> list[Mapping[str, float] | None]:
    return [_split(entry.summary.totals, field, times) if entry.summary else None for entry in compared]


def _split(totals: Totals, field: str, times: int) -> dict[str, float]:
    return {part: times * getattr(totals, f"{part}_{field}") for part in tables.parts()}


# --- parameters against MACs -------------------------------------------------------------------------------


def scatter(compared: Sequence[Entry]) -> None:
    """Parameters against MACs, the named networks behind; beside it what is published of accuracy."""
    own, count = current().network, current().count
    family = compare((network.architecture for network in NETWORKS.values()), *_common(own))
    shown = {entry.network.architecture for entry in compared}
    others = [(-1, name, entry.summary) for name, entry in zip(NETWORKS, family, strict=True) if entry.summary]
    behind = [each for each in others if each[2].architecture not in shown]
    alt = t("Parameters against {count} of each network, with the named networks behind in grey", count=count)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown(f"**{t('Parameters × {count}', count=count)}**")
        components.chart(compared_figures.scatter(able(compared), behind), alt, key="scatter")
        st.caption(alt)
    with right:
        _accuracy(compared)


def _common(network: Network) -> tuple[tuple[int, ...], int]:
    return network.input_shape, network.architecture.num_classes


def _accuracy(compared: Sequence[Entry]) -> None:
    """What well-known networks reach on ImageNet against what they cost there, and what that says."""
    st.markdown(f"**{t('Published accuracy × MACs')}**")
    alt = t("ImageNet top-1 (the first answer is right) against MACs")
    places = {
        each: place for place, entry in enumerate(compared) if (each := published.find(entry.network.architecture))
    }
    components.chart(compared_figures.accuracy(places), alt, key="accuracy")
    vgg, res = (published.named(name) for name in ("VGG-16", "ResNet-50"))
    values = {
        "more": percent(res.top1, 100),
        "less": percent(vgg.top1, 100),
        "macs": ratio(vgg.giga_macs, res.giga_macs),
        "params": ratio(vgg.params, res.params),
    }
    st.caption(
        t(
            "ResNet-50 is right {more} of the time and VGG-16 {less}, with {macs} the MACs and {params} the "
            "parameters: why nobody builds a VGG today.",
            **values,
        )
        + " "
        + t(
            "All figures here hold for 3×224×224 and {classes} {classes:class|classes}; source: {source}.",
            classes=exact(published.CLASSES),
            source=published.SOURCE,
        )
    )


# --- stages ------------------------------------------------------------------------------------------------

_stages = st.components.v2.component(
    "vgg_stages",
    html='<div class="part"></div>',
    css=components.STYLE
    + FIGURES
    + """
th, td { vertical-align: top; overflow-wrap: anywhere; }
tr > :first-child { width: 9.5rem; }
.name { font-weight: 600; align-items: baseline; }
.block { display: block; height: 1.9rem; margin-bottom: 0.2rem; }
.block i { display: block; height: 100%; min-width: 2px; border-radius: 2px; background-color: var(--color); }
.line { display: block; font-size: 0.87rem; }
.none { opacity: 0.5; }
@container (max-width: 900px) {
  table { display: flex; flex-direction: column; }
  caption { order: 1; }
  thead, .none { display: none; }
  tbody, tr, th, td { display: block; }
  tbody th { padding-bottom: 0; }
  tbody td { border: 0; display: grid; grid-template-columns: 6rem 1fr; padding-right: 0; }
  td::before { content: attr(data-label); grid-row: 1 / 4; font-size: 0.87rem; }
  .block { height: 0.9rem; }
}
""",
    js=components.script("stages", "compare.js"),
)


def aligned(compared: Sequence[Entry]) -> None:
    """Stage by stage: a block for what each network does at about the same resolution, as wide as its MACs."""
    count = current().count
    found = [stages(summary) for _, _, summary in able(compared)]
    halvings = [*sorted({at for item in found for at in item if at is not None}), None]
    most = max((stage.totals.macs for item in found for stage in item.values()), default=1)
    data = {
        "caption": t("A block is as wide as its {count}.", count=count),
        "key": tables.key_of_colours(),
        "corner": t("Network"),
        "columns": [_stage_name(at, current().network.input_shape) for at in halvings],
        "rows": [
            {
                "name": name,
                "color": tables.colour(place),
                "cells": [_stage(item.get(at), summary, most) for at in halvings],
            }
            for (place, name, summary), item in zip(able(compared), found, strict=True)
        ],
    }
    _stages(key="stages", data=data)


def _stage_name(halvings: int | None, shape: tuple[int, ...]) -> str:
    if halvings is None:
        return t("Fully connected")
    height, width = (max(1, side >> max(0, halvings)) for side in shape[1:])
    return f"≈ {height}×{width}"


def _stage(stage: Stage | None, summary: Summary, most: int) -> dict[str, object] | None:
    """The block of a stage, what stands under it, and the whole sentence for the pointer."""
    if stage is None:
        return None
    count, macs = current().count, stage.totals.macs
    figures = f"{short(macs * COUNTS[count])} {count}"
    share = percent(macs, summary.totals.macs)
    what, exactly = _content(stage)
    return {
        "bar": tables.bar("fc" if stage.halvings is None else "conv", macs / (most or 1)),
        "lines": [f"{figures} · {share}", what],
        "title": t(
            "{content}: {figures}, {share} of the network's; {params} parameters",
            content=exactly,
            figures=figures,
            share=share,
            params=exact(stage.totals.params),
        ),
    }


def _content(stage: Stage) -> tuple[str, str]:
    """What a stage consists of, in short and exactly."""
    if not stage.convolutions:
        params = t("{params} parameters", params=short(stage.totals.params))
        return params, t("no convolution")
    channels = ", ".join(str(shape[0]) for shape in stage.shapes)
    shapes = ", ".join(map(shape_text, stage.shapes))
    return f"{stage.convolutions} × {t('conv')} {channels}", f"{stage.convolutions} × {t('conv')}, {shapes}"


# --- over input sizes --------------------------------------------------------------------------------------


def sizes(compared: Sequence[Entry]) -> None:
    """How parameters and MACs grow with the input, and from which size on each network works."""
    networks = [(entry.name, entry.network.architecture) for entry in compared]
    alt = t("Parameters and {count} over square inputs from 28 to 256 pixels", count=current().count)
    components.chart(compared_figures.sizes(networks, current().network.input_shape[0]), alt, key="sizes")
    st.caption(alt)
    smallest = [(name, architecture.min_side()) for name, architecture in networks]
    needs = [
        t("{name} needs at least {side}×{side}.", name=literal(name), side=side)
        for name, side in smallest
        if side > compared_figures.SIDES[0]
    ]
    st.caption(" ".join(needs))
