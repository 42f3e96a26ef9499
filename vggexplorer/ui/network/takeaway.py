"""Take it away: the network as source, tables, pictures, an ONNX model, text and a link."""

import json
from typing import Any

import streamlit as st

from vggexplorer import codegen, export
from vggexplorer.architectures import Network
from vggexplorer.drawing import ENGLISH, Words, svg_file
from vggexplorer.errors import InputError
from vggexplorer.formatting import size
from vggexplorer.notation import format_arch
from vggexplorer.summary import Summary
from vggexplorer.text import format_tuple
from vggexplorer.ui import components, figures, jobs, link, share
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.network.onnx_job import Model, need_exporter
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current


def show(summary: Summary) -> None:
    """The source on one side, everything else beside it."""
    network = Network(summary.architecture, summary.input_shape)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _source(network)
    with right:
        _tables(summary, network)
        _pictures(summary, network)
        _onnx(summary, network)
        _texts(network)


def _source(network: Network) -> None:
    source = codegen.source(*network)
    st.markdown(f"## {t('PyTorch source')}")
    st.code(source, language="python", height=560)
    file = {"label": t("Download {name}", name=".py"), "name": export.file_name(network, "py"), "text": source}
    components.downloads([file], "", key="take-source")


def _tables(summary: Summary, network: Network) -> None:
    st.markdown(f"## {t('Numbers')}")
    texts = {
        ("CSV", "csv"): export.rows_csv(summary),
        ("JSON", "json"): json.dumps(export.profile(summary), indent=2, ensure_ascii=False) + "\n",
        ("Markdown", "md"): export.markdown(summary),
    }
    files = [
        {"label": label, "name": export.file_name(network, ending), "text": text}
        for (label, ending), text in texts.items()
    ]
    components.downloads(files, "", key="take-numbers")


def _pictures(summary: Summary, network: Network) -> None:
    svg = svg_file(summary, Words(*map(t, ENGLISH)))
    pictures: list[tuple[str, str, dict[str, Any]]] = [
        (t("Drawing (SVG)"), "svg", {"svg": svg}),
        (t("Drawing (PNG)"), "png", {"svg": svg}),
        (t("Cost by layer (PNG)"), "by-layer.png", {"figure": figures.cost_by_layer(summary)}),
        (t("Convolutions and FC (PNG)"), "conv-fc.png", {"figure": figures.conv_against_fc(summary)}),
    ]
    files = [{"label": label, "name": export.file_name(network, ending), **what} for label, ending, what in pictures]
    st.markdown(f"## {t('Pictures')}")
    components.downloads(files, t("The picture could not be made."), key="pictures")


def _texts(network: Network) -> None:
    own = network.architecture
    st.markdown(f"## {t('Text and link')}")
    for text in filter(None, (format_tuple(own), format_arch(own))):
        st.code(text, language=None, wrap_lines=True)
    page = (st.context.url or "").rstrip("/") + "/"
    share.hand_out(link.address(page, link.write(current())))


# --- ONNX ------------------------------------------------------------------------------------------------


def _onnx(summary: Summary, network: Network) -> None:
    st.markdown("## ONNX")
    job: jobs.Job | None = session.get("onnx")
    if job is None or job.about != network:
        _offer_onnx(summary, network, None)
    elif job.running:
        jobs.show(job, "onnx", lambda: t("PyTorch writes the model … {seconds} s", seconds=job.seconds))
    elif model := job.answer:
        label = t("Download the ONNX model ({size})", size=size(model.bytes))
        components.downloads([{"label": label, "name": model.name, "url": model.url}], "", key="onnx-file")
    else:
        _offer_onnx(summary, network, job.error)


def _offer_onnx(summary: Summary, network: Network, error: InputError | None) -> None:
    try:
        export.check_weights(summary)
    except InputError as refusal:
        st.caption(literal(sentence(refusal)))
        return
    if error:
        st.error(literal(sentence(error)), icon=":material/error:")
    weights = size(4 * summary.totals.params)
    note = t("PyTorch writes it in a process of its own: untrained weights ({size}), any batch size.", size=weights)
    st.button(t("Write the ONNX model"), key="onnx-start", on_click=_start, args=(network,), help=note)


def _start(network: Network) -> None:
    """Start the export; the session's earlier one is no longer wanted."""
    before: jobs.Job | None = session.get("onnx")
    if before and before.answer:
        before.answer.discard()
    jobs.start_own("onnx", lambda job: Model(network, job.stopped), network, needs=need_exporter)
