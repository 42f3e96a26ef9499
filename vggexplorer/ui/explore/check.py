"""Check: what PyTorch, torchinfo and fvcore count for the network in view, and why it is not what we count."""

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.formatting import NO_BREAK, exact, signed
from vggexplorer.layers import shape_text
from vggexplorer.peers import PEERS, Check, Measured, reconcile
from vggexplorer.runs.crosscheck import crosscheck
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import title
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.session import session

_STYLE = "<style>[class*=st-key-check-] [data-testid=stMarkdownContainer] { overflow-x: auto; }</style>"
"""On a phone a table that is wider than its box can be moved sideways."""
_MOST_PRODUCTS = 3
"""How many products of a formula are written out."""


def show(summary: Summary) -> None:
    """The button, and below it how far the tools are, or what they say."""
    network = Network(summary.architecture, summary.input_shape)
    job: jobs.Job | None = session.get("crosscheck")
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="check-line"):
        st.button(
            t("Check with PyTorch, torchinfo and fvcore"),
            icon=":material/fact_check:",
            key="check",
            on_click=_start,
            args=(network,),
            disabled=bool(job and job.running and job.about == network),
        )
        st.caption(t("Each counts differently. What a tool counts beyond our MACs is computed by formulas."))
    if job:
        if job.about != network:
            st.info(_of_an_earlier(job.about), icon=":material/history:")
        ticking = job.running
        st.fragment(_results, run_every=0.5 if ticking else None)(job, ticking)


def _start(network: Network) -> None:
    """Ask the tools about `network`; whatever was still running is ended."""

    def work(job: jobs.Job) -> dict[str, Measured]:
        measured: dict[str, Measured] = {}
        job.answer, job.progress = measured, 0.0
        for found in crosscheck(network, job.stopped):
            measured[found.tool] = found
            job.progress = len(measured) / len(PEERS)
        return measured

    jobs.start_own("crosscheck", work, network)


def _of_an_earlier(network: Network) -> str:
    name, shape = literal(title(network)), shape_text(network.input_shape)
    return t(
        "These figures are of an earlier network: {name}, input {shape}, {classes} {classes:class|classes}. "
        "Check again to see those of the network above.",
        name=name,
        shape=shape,
        classes=network.architecture.num_classes,
    )


def _results(job: jobs.Job, ticking: bool) -> None:
    """What is known so far; once all is, the page runs again and the ticking stops."""
    measured = dict(job.answer or {})
    if ticking:
        text = t("{done} of {all} tools {done:has|have} answered …", done=len(measured), all=len(PEERS))
        jobs.tick(job, "check", lambda: text)
    elif job.error:
        st.error(literal(sentence(job.error)), icon=":material/error:")
    for found in measured.values():
        if found.error:
            st.warning(literal(sentence(found.error)), icon=":material/warning:")
    st.html(_STYLE)
    for check in reconcile(summarize(*job.about), measured):
        _tool(check, measured[check.tool])


def _tool(check: Check, measured: Measured) -> None:
    with st.container(border=True, key=f"check-{check.tool}"):
        seconds = f"{measured.seconds:.2f}{NO_BREAK}s"
        st.markdown(f"**{check.tool}** :small[{literal(check.version)} · {seconds}]  \n{_verdict(check)}")
        heading = f"| {check.tool} | {t('count')} | {t('parameters')} |\n|:--|--:|--:|"
        st.markdown("\n".join([heading, *(f"| {' | '.join(line)} |" for line in _lines(check))]))


def _verdict(check: Check) -> str:
    if check.agrees:
        return f":green[✓ {t('explained to the digit')}]"
    amounts = []
    if check.unexplained:
        amounts.append(signed(exact(abs(check.unexplained)), check.unexplained))
    if difference := check.unexplained_params:
        amounts.append(t("{count} parameters", count=signed(exact(abs(difference)), difference)))
    return f":red[✗ {t('unexplained: {amounts}', amounts=', '.join(amounts))}]"


def _lines(check: Check) -> list[tuple[str, str, str]]:
    """The lines of the table: our figures, the terms, what they leave unexplained, and the tool's figures."""
    lines = [(t("our figures (MACs)"), exact(check.ours), exact(check.our_params))]
    for term in check.terms:
        lines.append((f"+ {t(term.name)} · :small[{_formula(term.products)}]", exact(term.value), ""))
    if not check.agrees:
        count, params = (signed(exact(abs(n)), n) for n in (check.unexplained, check.unexplained_params))
        lines.append((f":red[**{t('unexplained')}**]", count, params))
    lines.append((f"**{check.tool}**", f"**{exact(check.theirs)}**", f"**{exact(check.their_params)}**"))
    return lines


def _formula(products: tuple[tuple[int, ...], ...]) -> str:
    """The first products, and for how many layers there is one."""
    texts = [" × ".join(map(str, factors)) for factors in products]
    if len(texts) <= _MOST_PRODUCTS:
        return " + ".join(texts)
    return t("{sum} + … ({layers} layers)", sum=" + ".join(texts[:_MOST_PRODUCTS]), layers=len(texts))
