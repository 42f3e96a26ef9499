"""FLOPs are not time: what networks compute and move, and how long their layers take here and now."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.comparison import Entry
from vggexplorer.forecast.time import works
from vggexplorer.formatting import about, ratio, short, size
from vggexplorer.layers import Kind
from vggexplorer.runs import devices
from vggexplorer.runs.calibration import Pace, Timed, seconds_of_layers, time_layers
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.summary import Summary, summarize
from vggexplorer.ui import components, jobs
from vggexplorer.ui.figures import Figure, by_layer
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.network.tables import against, table
from vggexplorer.ui.run.forecast import milliseconds
from vggexplorer.ui.state import current

BATCHES = (1, 16, 64, 128)
ROUNDS = 5
MOST_KEPT = 200


class Case(NamedTuple):
    """What is measured: a network, how many images at once, and in which precision."""

    network: Network
    batch: int
    precision: str


_measured: dict[Case, Timed] = {}
"""Found on this machine, for all sessions; the oldest goes when there are too many."""


def show(compared: Sequence[Entry]) -> None:
    """Work and time of each network, then of each layer of one of them."""
    able = [(entry.name, entry.network, entry.summary) for entry in compared if entry.summary]
    precision = "bfloat16" if current().dtype == "bfloat16" else "float32"
    st.markdown(
        t(
            "MACs say how much is computed. Time depends as well on how many bytes move between memory and processor: "
            "a layer with few MACs for each byte waits for the memory."
        )
    )
    batch = st.segmented_control(t("images at once"), BATCHES, default=16, required=True, key="timed batch") or 16
    cases = {name: Case(network, batch, precision) for name, network, _ in able}
    _button(list(cases.values()))
    _networks([(name, summary, cases[name]) for name, _, summary in able])
    _layers([(name, summary, cases[name]) for name, _, summary in able])


# --- measuring -----------------------------------------------------------------------------------------------------


def _button(cases: Sequence[Case]) -> None:
    """The button that measures what has not been measured, or how far that is."""
    job = jobs.find(_JOB)
    if job and job.running:
        jobs.show(job, "timing", lambda: t("Training steps are timed, layer by layer …"))
        return
    if job and job.error and not all(case in _measured for case in cases):
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    missing = [case for case in cases if case not in _measured]
    label = t("Measure here and now") if missing else t("Measure again")
    wanted = missing or list(cases)
    found = devices.known(Runs.at().path)
    st.button(
        label,
        key="measure layers",
        icon=":material/timer:",
        help=t("About {time}, longer on a busy machine.", time=about(_expected(found[0], wanted))) if found else None,
        on_click=_measure,
        args=(wanted,),
    )


def _expected(device: Device, cases: Sequence[Case]) -> float:
    return sum(seconds_of_layers(device, *case, ROUNDS) for case in cases)


_JOB = "layer times"


def _measure(cases: Sequence[Case]) -> None:
    runs = Runs.at()

    def work(job: jobs.Job) -> None:
        job.progress = 0.0
        device = devices.look(runs.path, job.stopped)[0]
        job.tell(0.0, _expected(device, cases))
        macs = [summarize(*case.network).totals.macs for case in cases]
        pace = Pace()
        for number, case in enumerate(cases):

            def told(share: float, number: int = number) -> None:
                done = (sum(macs[:number]) + share * macs[number]) / sum(macs)
                if done:
                    job.tell(done, pace.left(done))

            _measured[case] = time_layers(*case[:2], device.name, case.precision, told, ROUNDS, job.stopped)
            while len(_measured) > MOST_KEPT:
                _measured.pop(next(iter(_measured)))

    jobs.start(_JOB, work)


# --- what is shown ---------------------------------------------------------------------------------------------------


def _networks(networks: Sequence[tuple[str, Summary, Case]]) -> None:
    """A row for each network; ratios are to the first."""
    lines: dict[str, list[str]] = {}
    macs = [case.batch * summary.totals.macs for _, summary, case in networks]
    moved = [_moved(summary, case) for _, summary, case in networks]
    lines["MACs"] = against(short, macs)
    lines[t("bytes moved")] = against(size, moved)
    lines[t("MACs per byte")] = [f"{count / each:.1f}" for count, each in zip(macs, moved, strict=True)]
    times = [_measured.get(case) for *_, case in networks]
    first = times[0]
    kinds: tuple[tuple[str, Callable[[Timed], float]], ...] = (
        (t("forward"), lambda timed: sum(each.forward for each in timed.layers.values())),
        (t("backward"), lambda timed: sum(each.backward for each in timed.layers.values())),
        (t("a whole step"), lambda timed: timed.step),
    )
    for label, seconds in kinds:
        base = seconds(first) if first else 0.0
        lines[label] = [_time(seconds(each), base) if each else "–" for each in times]
    alt = t(
        "Forward, {batch} {batch:image|images}, {precision}; in brackets times the first network",
        batch=networks[0][2].batch,
        precision=networks[0][2].precision,
    )
    table([name for name, *_ in networks], lines, alt)


def _moved(summary: Summary, case: Case) -> int:
    return sum(forward.moved for forward, _ in works(summary, case.batch, case.precision))


def _time(seconds: float, first: float) -> str:
    text = milliseconds(seconds)
    return f"{text} ({ratio(seconds, first)})" if first and seconds != first else text


def _layers(networks: Sequence[tuple[str, Summary, Case]]) -> None:
    """MACs, bytes and milliseconds of each layer, beside each other."""
    names = [name for name, *_ in networks]
    chosen = st.selectbox(t("layer by layer"), names, key="timed network", width=260)
    summary, case = next((found[1:] for found in networks if found[0] == chosen), networks[0][1:])
    alt = t("MACs, bytes moved and measured time of each layer of {name}", name=chosen or names[0])
    components.chart(_bars(summary, case), alt, key="layer times")
    st.caption(alt)


def _bars(summary: Summary, case: Case) -> Figure:
    found = _measured.get(case)
    moved = [forward.moved for forward, _ in works(summary, case.batch, case.precision)]
    forward = [1000 * each.forward for each in found.layers.values()] if found else [0.0] * len(moved)
    rows = [each for each in zip(summary.rows, moved, forward, strict=True) if each[0].kind != Kind.FLATTEN]
    measures: list[tuple[str, Sequence[float], str]] = [
        ("MACs", [case.batch * row.macs for row, *_ in rows], "%{x:,d} MACs"),
        (t("bytes moved"), [each for _, each, _ in rows], "%{x:.4s}B"),
    ]
    if found:
        measures.append((t("forward, ms"), [each for *_, each in rows], "%{x:.3g} ms"))
    return by_layer([row for row, *_ in rows], measures)
