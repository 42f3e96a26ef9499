"""FLOPs are not time: what networks compute and move, and how long their layers take here and now."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from vggexplorer.comparison import Entry
from vggexplorer.forecast.time import works
from vggexplorer.formatting import about, percent, short, size
from vggexplorer.runs import devices
from vggexplorer.runs.calibration import Pace, Timed, seconds_of_layers, time_layers
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.layer_times import Case, recorded
from vggexplorer.summary import Row, Summary, summarize
from vggexplorer.ui import components, jobs
from vggexplorer.ui.figures import row_label
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.network import compared, tables
from vggexplorer.ui.network.tables import FIGURES, Column
from vggexplorer.ui.run.forecast import milliseconds
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, look_at_tab
from vggexplorer.ui.widgets import shows

BATCHES = (1, 16, 64, 128)
ROUNDS = 5
MOST_KEPT = 200
SEEN = 0.01
"""A layer with less of the MACs and less of the time than this share is not shown by itself."""

_measured: dict[Case, Timed] = {}
"""Found on this machine, for all sessions; the oldest goes when there are too many."""


class Times(NamedTuple):
    """A network that can take the input: its place, its name, its costs, what is timed, and its times if known."""

    place: int
    name: str
    summary: Summary
    case: Case
    found: Timed | None
    source: str


def show(entries: Sequence[Entry], base: int = 0) -> None:
    """Share of MACs beside share of time for each layer, then what each network computes, moves and takes."""
    st.markdown(
        t(
            "MACs say how much is computed. Time depends as well on how many bytes move between memory and processor: "
            "a layer with few MACs for each byte waits for the memory."
        )
    )
    _controls(entries)
    _butterflies(_shown(entries))
    _missing(entries)
    columns = [*_work(entries), *(_time(entries, kind) for kind in _kinds())]
    words = t("{batch} {batch:image|images} at once, {precision}.", batch=_batch(), precision=_precision())
    words += " " + t("× and ÷ are against {baseline}.", baseline=entries[base].name)
    tables.table(compared.lines(entries, base), columns, words, "work and time", base)


def _batch() -> int:
    found: int = session.get("images at once", 16)
    return found


def _precision() -> str:
    return "bfloat16" if current().dtype == "bfloat16" else "float32"


def _case(entry: Entry) -> Case:
    return Case(entry.network, _batch(), _precision())


def _controls(entries: Sequence[Entry]) -> None:
    """How many images, in which order the layers stand, and the button that measures."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="time controls"):
        st.segmented_control(
            t("Images at once"),
            BATCHES,
            default=_batch(),
            required=True,
            **shows("timed batch", _batch(), _set_batch),
        )
        orders = {"gap": t("Largest gap first"), "layers": t("As in the network")}
        order = session.get("order of layers", "gap")
        st.segmented_control(
            t("Order of the layers"),
            list(orders),
            format_func=orders.__getitem__,
            default=order,
            required=True,
            **shows("order", order, _set_order),
        )
        _measure_button([_case(entry) for entry in entries if entry.summary])


def _set_batch(key: str) -> None:
    session["images at once"] = session[key]


def _set_order(key: str) -> None:
    session["order of layers"] = session[key]


# --- measuring -----------------------------------------------------------------------------------------------------


def _measure_button(cases: Sequence[Case]) -> None:
    """The button that measures what has not been measured, or how far that is."""
    job = jobs.find(_JOB)
    if job and job.running:
        jobs.show(job, "timing", lambda: t("Training steps are timed, layer by layer …"))
        return
    missing = [case for case in cases if case not in _measured]
    if job and job.error and missing:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    label = t("Measure here and now") if missing else t("Measure again")
    wanted = missing or list(cases)
    st.button(
        f"{label} ({_duration(wanted)})" if _duration(wanted) else label,
        key="measure layers",
        icon=":material/timer:",
        help=t("Longer on a busy machine. It can be stopped."),
        on_click=_measure,
        args=(wanted,),
    )


def _duration(cases: Sequence[Case]) -> str:
    """How long measuring takes; nothing where the device is not known yet."""
    found = devices.known(Runs.at().path)
    return t("about {time}", time=about(_expected(found[0], cases))) if found else ""


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


# --- the networks ----------------------------------------------------------------------------------------------------


def column(entries: Sequence[Entry]) -> Column:
    """The time of a forward pass, as far as it was measured here, and a way to measure the rest."""
    missing = [_case(entry) for entry in entries if entry.summary and _case(entry) not in _measured]
    note = t("forward, {batch} {batch:image|images}", batch=_batch())

    def measure() -> None:
        look_at_tab("time")
        _measure(missing)

    return _time(entries, _kinds()[0])._replace(
        label=t("Time"), note=note, action=t("Measure") if missing else "", on_action=measure if missing else None
    )


def _work(entries: Sequence[Entry]) -> list[Column]:
    """What is computed, what is moved, and how much of the one there is for the other."""
    summaries = [entry.summary for entry in entries]
    macs = [_by_part(summary, _macs(summary)) if summary else None for summary in summaries]
    moved = [_by_part(summary, _moved(summary)) if summary else None for summary in summaries]
    each = [
        {"input": sum(count.values()) / sum(bytes_.values())} if count and bytes_ else None
        for count, bytes_ in zip(macs, moved, strict=True)
    ]
    return [
        Column("MACs", macs, short),
        Column(t("Bytes moved"), moved, size),
        Column(t("MACs per byte"), each, lambda value: f"{value:.1f}"),
    ]


def _macs(summary: Summary) -> list[float]:
    return [_batch() * row.macs for row in summary.rows]


def _moved(summary: Summary) -> list[float]:
    return [forward.moved for forward, _ in works(summary, _batch(), _precision())]


def _by_part(summary: Summary, values: Sequence[float]) -> dict[str, float]:
    sums = dict.fromkeys(tables.parts(), 0.0)
    for row, value in zip(summary.rows, values, strict=True):
        sums[row.part] += value
    return sums


class Kind(NamedTuple):
    """A time that is shown, and how it is taken from what was timed."""

    label: str
    of: Callable[[Summary, Timed], Mapping[str, float]]


def _kinds() -> tuple[Kind, ...]:
    return (
        Kind(t("Forward"), lambda summary, timed: _by_part(summary, _seconds(timed))),
        Kind(
            t("Backward"), lambda summary, timed: _by_part(summary, [each.backward for each in timed.layers.values()])
        ),
        Kind(t("A whole step"), lambda _, timed: {"input": timed.step}),
    )


def _seconds(timed: Timed) -> list[float]:
    return [each.forward for each in timed.layers.values()]


def _time(entries: Sequence[Entry], kind: Kind) -> Column:
    values = [
        kind.of(entry.summary, _measured[_case(entry)]) if entry.summary and _case(entry) in _measured else None
        for entry in entries
    ]
    return Column(kind.label, values, milliseconds)


# --- the layers ------------------------------------------------------------------------------------------------------

_butterfly = st.components.v2.component(
    "vgg_butterfly",
    html='<div class="part"></div>',
    css=components.STYLE
    + FIGURES
    + """
.part { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.2rem 2.5rem; }
.part { align-items: start; }
caption { caption-side: top; opacity: 1; padding: 0 0 0.3rem; }
.name { display: inline-flex; align-items: baseline; margin-right: 0.6em; font-size: 1rem; }
th, td { padding: 0.15rem 0.25rem; vertical-align: middle; border: 0 !important; }
th { text-align: center; width: 13rem; font-size: 0.87rem; overflow-wrap: anywhere; }
thead th { vertical-align: bottom; }
th.macs, th.time { width: auto; }
@container (max-width: 500px) { th { width: 7rem; } }
th.macs { text-align: right; }
th.time { text-align: left; }
.side { display: flex; align-items: center; gap: 0.4rem; }
td.time .side { flex-direction: row-reverse; }
.figure { font-size: 0.87rem; width: 3.4rem; white-space: nowrap; flex: none; text-align: right; }
.side .bar { flex: 1; height: 0.8rem; }
td.macs .bar { justify-content: end; }
tfoot td { text-align: center; font-size: 0.87rem; opacity: 0.75; }
tbody tr:hover { background: var(--st-secondary-background-color); }
""",
    js=components.script("butterfly", "compare.js"),
)


def _shown(entries: Sequence[Entry]) -> list[Times]:
    """The networks whose times are known; where there are none, those of the example."""
    known = [_times(place, name, summary, _case(entries[place])) for place, name, summary in compared.able(entries)]
    found = [each for each in known if each.found]
    if found:
        return found
    cases = list(recorded().times)
    return [
        _times(place, entry.name, entry.summary, case)
        for place, (entry, case) in enumerate(zip(_examples(cases), cases, strict=True))
        if entry.summary
    ]


def _examples(cases: Sequence[Case]) -> list[Entry]:
    summaries = [summarize(*case.network) for case in cases]
    return compared.called(
        [Entry("", case.network, summary, None) for case, summary in zip(cases, summaries, strict=True)]
    )


def _times(place: int, name: str, summary: Summary, case: Case) -> Times:
    """A network with its times: measured here, else recorded elsewhere, else none."""
    if found := _measured.get(case):
        return Times(place, name, summary, case, found, t("measured here"))
    return Times(place, name, summary, case, recorded().times.get(case), _recorded_on())


def _recorded_on() -> str:
    machine = recorded().machine
    return t(
        "an example, measured on {processor}, {threads} {threads:thread|threads}, PyTorch {torch}", **machine._asdict()
    )


def _butterflies(networks: Sequence[Times]) -> None:
    """For each layer its share of the MACs to the left and its share of the time to the right."""
    data = {
        "words": {"macs": t("Share of MACs"), "layer": t("Layer"), "time": t("Share of time, forward")},
        "networks": [_layers(each, each.found) for each in networks if each.found],
    }
    _butterfly(key="butterfly", data=data)


def _missing(entries: Sequence[Entry]) -> None:
    """Which networks have no times yet."""
    shown = {each.name for each in _shown(entries)}
    if names := [name for _, name, _ in compared.able(entries) if name not in shown]:
        st.caption(t("Not measured yet: {names}.", names=literal(", ".join(names))))


def _layers(network: Times, found: Timed) -> dict[str, Any]:
    macs, seconds = [row.macs for row in network.summary.rows], _seconds(found)
    shares = [
        (row, own / (sum(macs) or 1), time / (sum(seconds) or 1), time)
        for row, own, time in zip(network.summary.rows, macs, seconds, strict=True)
    ]
    seen = [each for each in shares if max(each[1], each[2]) >= SEEN]
    if session.get("order of layers", "gap") == "gap":
        seen.sort(key=lambda each: -abs(each[2] - each[1]))
    most = max((max(each[1], each[2]) for each in seen), default=1)
    images = t("{batch} {batch:image|images}", batch=network.case.batch)
    return {
        "name": network.name,
        "color": tables.colour(network.place),
        "source": f"{images}, {network.case.precision}; {network.source}",
        "layers": [_layer(*each, most) for each in seen],
        "rest": _rest([each[1:3] for each in shares if each not in seen]),
    }


def _layer(row: Row, macs: float, time: float, seconds: float, most: float) -> dict[str, Any]:
    label = row_label(row)
    return {
        "label": label,
        "macs": {"text": percent(macs, 1), "bar": _bar(row, macs / most)},
        "time": {"text": percent(time, 1), "bar": _bar(row, time / most)},
        "title": t(
            "{layer}: {macs} of the MACs, {time} of the time ({seconds})",
            layer=label,
            macs=percent(macs, 1),
            time=percent(time, 1),
            seconds=milliseconds(seconds),
        ),
    }


def _bar(row: Row, share: float) -> list[dict[str, Any]]:
    return [tables.bar(row.part, share)] if share else []


def _rest(shares: Sequence[tuple[float, float]]) -> str:
    if not shares:
        return ""
    macs, time = (percent(sum(each), 1) for each in zip(*shares, strict=True))
    return t(
        "{count} more {count:layer|layers}: {macs} of the MACs, {time} of the time",
        count=len(shares),
        macs=macs,
        time=time,
    )
