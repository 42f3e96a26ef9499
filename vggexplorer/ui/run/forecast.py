"""What a run will take, before it starts; what would make it fit; and how good the forecast was."""

from collections.abc import Callable, Mapping, Sequence
from math import log10
from typing import NamedTuple

import streamlit as st

from vggexplorer.forecast.correction import Likeness, Steps
from vggexplorer.forecast.devices import PRESETS
from vggexplorer.forecast.memory import COMPONENTS
from vggexplorer.forecast.time import Calibration
from vggexplorer.formatting import about, duration, percent, signed, size
from vggexplorer.palette import COLORS
from vggexplorer.processes import StoppedError
from vggexplorer.runs import calibration, forecasts
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device
from vggexplorer.runs.experience import steps_of
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import USABLE, Compared, Forecast, Proposal
from vggexplorer.ui import jobs
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import capital, literal, sentence, t
from vggexplorer.ui.run import choice
from vggexplorer.ui.run.words import chart_text
from vggexplorer.ui.widgets import shows, translated

KINDS = {"width": "width", "input": "input", "batch": "batch", "head": "head", "epochs": "epochs"}
"""What a proposal changes."""
MEASURES = {"memory": "memory at its peak", "step": "a step"}
"""What can be compared after a run."""


class RunForecast(NamedTuple):
    """A forecast, and what it stands on."""

    config: Config
    device: Device
    calibration: Calibration | None
    past: Sequence[Steps]
    forecast: Forecast
    seconds: float | None
    """The time that there is."""

    @property
    def fits(self) -> bool:
        """Whether the run keeps within the device's memory and the time."""
        return self.forecast.fits(self.device.memory or None, self.seconds)

    def proposals(self) -> list[Proposal]:
        """What would fit."""
        memory = self.device.memory or None
        known = self.device, self.calibration, self.past
        return forecasts.fit(self.config, *known, memory=memory, seconds=self.seconds)


def expect(runs: Runs, config: Config) -> RunForecast | None:
    """The forecast for a run as it is set up; None as long as the devices are not known.

    `InputError` if the folder with the pictures cannot be read.
    """
    asked = choice.chosen()
    elsewhere = next((each for each in PRESETS if each.title == asked.elsewhere), None)
    if elsewhere:
        speedup = elsewhere.bfloat16 / elsewhere.float32
        there = Device("cuda:0", elsewhere.title, elsewhere.memory, speedup)
        found: tuple[Device, Calibration | None, Sequence[Steps]] | None = (there, None, ())
    else:
        found = forecasts.known(runs.path, config.device)
    if found is None:
        return None
    seconds = None if asked.minutes is None else 60 * asked.minutes
    return RunForecast(config, *found, forecasts.forecast(config, *found), seconds)


def _elsewhere(titles: Sequence[str]) -> None:
    """For which device the forecast is made: the chosen one, or a GPU that is not here."""
    names = ["", *titles]
    st.selectbox(
        t("Forecast for"),
        names,
        names.index(choice.chosen().elsewhere),
        format_func=lambda name: name or t("The device that is chosen"),
        width=260,
        **shows(translated("elsewhere"), choice.chosen().elsewhere, choice.set_choice, "elsewhere"),
    )


def show(runs: Runs, expected: RunForecast | None) -> None:
    """Memory and time, by component if one asks; and what would make it fit."""
    if expected is None:
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="forecast"):
            _elsewhere([each.title for each in PRESETS])
            st.caption(t("What this run will take is said as soon as the devices are known."), width="content")
        return
    found = expected.forecast
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="forecast"):
        for label, value in _totals(expected):
            st.metric(label, value, width=150)
        st.caption(_source(expected), width="content")
        if not choice.chosen().elsewhere and not found.estimated and (found.partial or not found.measured):
            measuring(runs, expected.device, expected)
    if forecasts.may_be_fused(found, expected.config):
        remark = forecasts.MAY_BE_FUSED
        st.caption(t(remark.template))
    with st.expander(t("Forecast: memory by component"), key="forecast parts"):
        st.markdown(_parts(found))
        if found.most > found.memory.total:
            st.caption(
                t(
                    "These are the tensors alone. With what the libraries of a GPU take besides, it may be up to "
                    "{most}; once the device is measured, that is known.",
                    most=size(found.most),
                )
            )
        _elsewhere([each.title for each in PRESETS])
    if not expected.fits:
        _make_it_fit(expected)


def _totals(expected: RunForecast) -> list[tuple[str, str]]:
    found, memory = expected.forecast, expected.device.memory
    lines = [(capital(t("memory at its peak")), _range(found, size))]
    if memory:
        lines.append((t("Part of {all}", all=size(memory)), _range(found, lambda needed: percent(needed, memory))))
    if time := found.time:
        lines += [(t("An epoch"), seconds(time.epoch)), (t("All of it"), f"{seconds(time.low)} – {seconds(time.high)}")]
    return lines


def _range(found: Forecast, write: Callable[[int], str]) -> str:
    """The memory that is needed, from the least to the most where that is not the same."""
    return " – ".join(map(write, sorted({found.memory.total, found.most})))


def seconds(value: float) -> str:
    """A forecast of time for people: one decimal below ten seconds."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s" if value < 100 else duration(value)


def _source(expected: RunForecast) -> str:
    title, by_runs = literal(expected.device.title), expected.forecast.by_runs
    if by_runs is Likeness.STEPS:
        return t("{device}: by what the same steps took here before", device=title)
    if by_runs is Likeness.NETWORK:
        return t("{device}: by what steps of this network took here before", device=title)
    if by_runs is Likeness.DEVICE:
        return t("{source}; corrected by what other runs took here", source=_known_by(expected, title))
    return _known_by(expected, title)


def _known_by(expected: RunForecast, title: str) -> str:
    if expected.forecast.partial:
        return t("Measured on {device} in part, or with another PyTorch: the times are less certain", device=title)
    if expected.forecast.measured:
        return t("Measured on {device}", device=title)
    if expected.forecast.estimated:
        return t(
            "{device}, by what it is, if nothing else computes: the times may be half or twice as long", device=title
        )
    if expected.forecast.rough:
        return t("{device}, measured for a second: the times may be half or twice as long", device=title)
    if expected.forecast.time:
        return t("{device}: an estimate from its data sheet", device=title)
    if expected.calibration:
        return t("{device}: not measured in {precision} yet", device=title, precision=expected.forecast.precision)
    return t("{device}: not measured yet", device=title)


def _parts(found: Forecast) -> str:
    rows = [[t("Memory"), t("Training"), t("Inference")], ["---", "---:", "---:"]]
    for name in COMPONENTS:
        rows.append([t(COMPONENTS[name]), size(getattr(found.memory, name)), size(getattr(found.inference, name))])
    rows.append([f"**{t('Total')}**", *(f"**{size(each.total)}**" for each in (found.memory, found.inference))])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# --- measuring the device --------------------------------------------------------------------------------------


def measuring(runs: Runs, device: Device, expected: RunForecast | None = None) -> None:
    """A button that measures `device`, and first of all the steps that are `expected`; or how far that is.

    The page is drawn anew whenever the forecast has become a better one.
    """
    name = f"calibrate {runs.path} {device.name}"
    job = jobs.find(name)
    if job and job.running:
        shown = job.answer

        def say() -> str:
            if job.answer != shown:
                st.rerun()
            return t("Measuring the device …")

        jobs.show(job, "measurement", say)
        return
    if job and job.error and not isinstance(job.error, StoppedError):
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    plan = calibration.plan(runs.path, device)
    if not plan.missing:
        return
    texts = {"time": about(plan.seconds), "most": about(calibration.BUDGET)}
    st.button(
        t("Go on measuring") if plan.missing < plan.all else t("Measure this device"),
        key="measure device",
        icon=":material/speed:",
        help=t(
            "About {time}, longer on a busy machine, {most} at most; then the time of any run can be told. It can be "
            "stopped: what was measured is kept and used, and measuring goes on with the rest.",
            **texts,
        ),
        on_click=_measure,
        args=(name, runs, device, expected and steps_of(expected.config, expected.forecast.precision)),
    )


ROUNDS = 4
"""How often a forecast is refined while a device is measured, beside the first time."""


def _measure(name: str, runs: Runs, device: Device, own: Steps | None) -> None:
    def work(job: jobs.Job) -> None:
        def told(share: float, left: float | None) -> None:
            job.tell(share, left)
            known = calibration.known_calibration(runs.path, device.name)
            job.answer = known is not None, int(ROUNDS * share)

        calibration.calibrate(runs.path, device, told, job.stopped, own=own)

    jobs.start(name, work)


# --- make it fit -----------------------------------------------------------------------------------------------


def _make_it_fit(expected: RunForecast) -> None:
    """Why it does not fit, and changes that would help, each with a button."""
    with st.container(border=True, key="make it fit"):
        st.warning(why_not(expected), icon=":material/warning:")
        found = expected.proposals()
        if not found:
            st.markdown(t("No change of width, input, batch, head or epochs would be enough."))
        for place, proposal in enumerate(found):
            with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"proposal {place}"):
                st.button(t("Apply"), key=f"apply {place}", on_click=choice.adopt, args=(proposal.config,))
                st.markdown(_changed(proposal), width="content")


def why_not(expected: RunForecast) -> str:
    """In a sentence, what does not fit."""
    found, memory = expected.forecast, expected.device.memory
    if memory and not found.fits(memory, None):
        values = {"needed": _range(found, size), "most": size(round(USABLE * memory)), "all": size(memory)}
        return t("This run needs {needed}; of the {all} there, it may take {most}.", **values)
    time = found.time.total if found.time else 0.0
    return t(
        "This run takes about {time}; there are {given}.", time=seconds(time), given=seconds(expected.seconds or 0)
    )


def _changed(proposal: Proposal) -> str:
    changes = t(", ").join(f"{t(KINDS[each.what])} {each.before} → **{each.after}**" for each in proposal.changes)
    after = proposal.forecast
    needs = [size(after.memory.total)] + ([seconds(after.time.total)] if after.time else [])
    saved = []
    if proposal.saved_memory > 0:
        saved.append(size(proposal.saved_memory))
    if proposal.saved_seconds > 0:
        saved.append(seconds(proposal.saved_seconds))
    text = f"{changes}: {t(', ').join(needs)}"
    return f"{text} ({t('saves {what}', what=t(', ').join(saved))})" if saved else text


# --- afterwards ----------------------------------------------------------------------------------------------------


def afterwards(compared: Mapping[str, Compared]) -> None:
    """What was forecast beside what was measured, with the errors; nothing if there was no forecast."""
    if not compared:
        return
    write: dict[str, Callable[[float], str]] = {"memory": lambda value: size(round(value)), "step": milliseconds}
    parts = [
        t(
            "{what}: forecast {forecast}, measured {measured} ({error})",
            what=t(MEASURES[name]),
            forecast=write[name](found.forecast),
            measured=write[name](found.measured),
            error=error(found),
        )
        for name, found in compared.items()
    ]
    st.caption(capital(t("; ").join(parts)), width="content")


def milliseconds(value: float) -> str:
    """The time of a step."""
    return f"{1000 * value:,.0f} ms" if value >= 0.01 else f"{1000 * value:.2g} ms"


def error(found: Compared) -> str:
    """By how much the forecast was too high or too low."""
    return signed(percent(abs(found.error), 1), round(found.error, 3))


def chart(compared: Mapping[str, Mapping[str, Compared]], name: str) -> Figure:
    """Forecast against measured of each run, by name, on logarithmic axes with the line of equality."""
    found = {run: each[name] for run, each in compared.items() if name in each}
    ends = [value for each in found.values() for value in each]
    line = [min(ends, default=1) / 1.3, max(ends, default=1) * 1.3]
    axis = {"type": "log", "gridcolor": "$grid", "zeroline": False, "exponentformat": "SI", "nticks": 6}
    axis |= {"range": [*map(log10, line)], "ticksuffix": "B" if name == "memory" else "s"}
    return {
        "data": [
            {"x": line, "y": line, "mode": "lines", "line": {"color": "$grid", "width": 2}, "hoverinfo": "skip"},
            {
                "x": [each.measured for each in found.values()],
                "y": [each.forecast for each in found.values()],
                "text": [f"{chart_text(run)} ({error(each)})" for run, each in found.items()],
                "mode": "markers",
                "marker": {"color": COLORS["conv"], "size": 10, "opacity": 0.8},
                "hovertemplate": "%{text}<extra></extra>",
            },
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": t("Measured")}},
            "yaxis": {**axis, "title": {"text": t("Forecast")}, "automargin": True},
            "showlegend": False,
            "dragmode": False,
            "height": 300,
            "margin": {"l": 60, "r": 10, "t": 10, "b": 50},
        },
    }
