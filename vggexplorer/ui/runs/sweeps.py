"""Sweeps on Runs: how far one is, accuracy against cost with the Pareto front, and what can be done with it."""

from collections.abc import Sequence

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import short
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import PLANNED, Member, Sweep, find_sweep
from vggexplorer.runs.sweeps.pareto import Point, Result, pareto_front, points_of
from vggexplorer.ui import access
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import MAX_RUNS
from vggexplorer.ui.run import actions, scatter
from vggexplorer.ui.run.rows import EYE, Row, kept_row, read_row
from vggexplorer.ui.run.words import accuracy, duration, sign, status
from vggexplorer.ui.runs.chosen import choose
from vggexplorer.ui.state import complain, current, look_at_sweep
from vggexplorer.ui.widgets import once

PLACE = "sweep"
"""Where complaints about what was done with a sweep are shown."""
REFRESH = 2
"""Seconds between two looks at a sweep that is not over."""
MOST_ACTIVE = 6
"""How many of the runs that are under way are named."""
MOST_ROWS = 60
"""How many rows the table has at first."""


def in_view() -> Sweep | None:
    """The sweep that the link names, if it is there; else that is said."""
    named = current().sweep
    chosen = find_sweep(Runs.at(), named) if named else None
    if named and chosen is None:
        st.warning(t("There is no sweep {id} here.", id=literal(named)), icon=":material/search_off:")
    return chosen


def show(sweep: Sweep) -> None:
    """All of it; it ticks while there is something to see."""
    ticking = _active(sweep)
    with st.container(key="sweep"):
        st.fragment(_section, run_every=REFRESH if ticking else None)(sweep, ticking)


def actions_of(sweep: Sweep) -> None:
    """What can be done with it."""
    try:
        _buttons(_Seen(sweep))
    except InputError:
        _remove(sweep, disabled=not access.may_change_sweep(sweep))


# --- one sweep -------------------------------------------------------------------------------------------------


class _Seen:
    """A sweep as it is seen now: its runs, what they reached."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.name = sweep, sweep.asked().name
        self._rows: dict[str, Row] = {}
        self.members = sweep.members(self._look)
        self.points = points_of([self._result(each) for each in self.members if each.word != Word.DELETED])
        self.status = sweep.status(self.members)

    def _look(self, run: Run) -> Status:
        row = self._rows[run.id] = kept_row(run) or read_row(run, EYE)
        return row.status

    def _result(self, member: Member) -> Result:
        row = self._rows.get(member.run.id) if member.made else None
        return Result(member.config, row.best if row else None, row.seconds if row else None)

    def count(self, word: Word | None) -> int:
        """How many runs have this status; planned ones have none."""
        return sum(member.word == word for member in self.members)


def _active(sweep: Sweep) -> bool:
    try:
        return _Seen(sweep).status == Word.RUNNING
    except InputError:
        return False


def _section(sweep: Sweep, ticking: bool) -> None:
    """All of it; when it begins or ends, the page runs again."""
    complain(PLACE)
    try:
        seen = _Seen(sweep)
    except InputError as error:
        if sweep.path.exists():
            st.error(literal(sentence(error)), icon=":material/error:")
            return
        st.rerun()
    if (seen.status == Word.RUNNING) != ticking:
        st.rerun()
    words = t("{name}: {value}", name=literal(seen.name), value=status(seen.status))
    st.markdown(f"## {sign(seen.status)} {words}")
    _progress(seen)
    if seen.status in (Word.INTERRUPTED, Word.FAILED) and (text := sweep.end_of_log()):
        st.code(text, language=None, wrap_lines=True)
    _scatter(seen.points)
    _table(seen)


def _progress(seen: _Seen) -> None:
    """How many runs do what, and how far those are that are under way."""
    done, whole = seen.count(Word.FINISHED), len(seen.members)
    if seen.count(Word.DELETED) == whole:
        st.caption(t("All its runs were deleted."))
        return
    words = dict.fromkeys(member.word for member in seen.members)
    parts = [t("{done} of {all} {all:run|runs} finished", done=done, all=whole)]
    parts += [f"{seen.count(word)} {_said(word)}" for word in words if word != Word.FINISHED]
    st.progress(done / whole, text=" · ".join(parts))
    active = [member for member in seen.members if member.active]
    for member in active[:MOST_ACTIVE]:
        st.caption(t("{name}: {value}", name=literal(member.name), value=_doing(member)))


def _said(word: Word | None) -> str:
    return status(word) if word else t(PLANNED)


def _doing(member: Member) -> str:
    if member.status is None:
        return t(PLANNED)
    steps = member.run.environment().get("num_steps")
    words = status(member.status.word)
    if member.status.step and isinstance(steps, int):
        return t("{status}, step {step} of {steps}", status=words, step=member.status.step, steps=steps)
    return words


def _buttons(seen: _Seen) -> None:
    sweep, running = seen.sweep, seen.status == Word.RUNNING
    mine = access.may_change_sweep(sweep)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="sweep-actions"):
        if running:
            stopping = sweep.stopping()
            label = t("Stopping …") if stopping else t("Stop all")
            disabled = stopping or not mine
            st.button(label, key="stop all", icon=":material/stop:", disabled=disabled, on_click=_stop, args=(sweep,))
        elif any(member.rest for member in seen.members):
            once(
                t("Resume the rest"),
                key="resume the rest",
                icon=":material/play_arrow:",
                help=t("Goes on with what was stopped, interrupted or failed, and starts what is not started yet."),
                disabled=not mine,
                on_click=_resume,
                args=(sweep,),
            )
        if not running:
            _remove(sweep, disabled=not mine)
        ids = [member.run.id for member in seen.members if member.made]
        if len(ids) > 1:
            st.button(
                t("Curves of its runs"),
                key="curves of sweep",
                icon=":material/show_chart:",
                help=t("Chooses its first {most} runs in the list.", most=MAX_RUNS),
                on_click=choose,
                args=(ids,),
            )
    if not mine:
        st.caption(t("You can watch this sweep. Only who started it, or the teacher, can change it."))


def _remove(sweep: Sweep, disabled: bool) -> None:
    st.button(
        t("Remove the group"),
        key="remove sweep",
        icon=":material/delete:",
        help=t("The runs stay; only their group goes."),
        disabled=disabled,
        on_click=_delete,
        args=(sweep,),
    )


def _stop(sweep: Sweep) -> None:
    def action() -> None:
        access.check_sweep(sweep)
        start.stop_sweep(sweep)

    actions.tried(action, PLACE)


def _resume(sweep: Sweep) -> None:
    def action() -> None:
        access.check_sweep(sweep)
        start.resume_sweep(sweep, access.allowed())

    actions.tried(action, PLACE)


def _delete(sweep: Sweep) -> None:
    def action() -> None:
        access.check_sweep(sweep)
        sweep.delete()
        look_at_sweep(None)

    actions.tried(action, PLACE)


# --- what came of it -------------------------------------------------------------------------------------------


def _scatter(points: Sequence[Point]) -> None:
    """The median of the best test accuracies against what it cost, with the Pareto front."""
    if not any(point.tested for point in points):
        st.caption(t("The chart begins with the first test of a run."))
        return
    cost = scatter.against("sweep against")
    best = pareto_front(points, cost)
    marks = {id(point): mark for place, point in enumerate(points) if (mark := _mark(place, point, cost))}
    names = ", ".join(literal(point.label) for point in best)
    alt = t(
        "Best test accuracy against its cost: {cost}. Points are medians over the seeds with their range; "
        "on the Pareto front, from the cheapest on: {names}",
        cost=scatter.costs()[cost],
        names=names,
    )
    front = [mark for point in best if (mark := marks.get(id(point)))]
    scatter.show(list(marks.values()), cost, alt, "sweep scatter", front)
    if len(marks) > scatter.MOST_APART:
        st.caption(t("Of so many points, those behind the front are small and without their range."))


def _mark(place: int, point: Point, cost: str) -> scatter.Mark | None:
    price = getattr(point, cost)
    if not price or point.best is None or point.low is None or point.high is None:
        return None
    return scatter.Mark(point.label, price, point.best, point.low, point.high, place)


def _table(seen: _Seen) -> None:
    """A row for each group of runs that differ in their seed only."""
    heads = [t("Network"), t("Tested"), t("Best test accuracy"), t("Parameters"), "MACs", t("Time")]
    rows = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for point in seen.points[:MOST_ROWS]:
        spread = f" ({accuracy(point.low)}–{accuracy(point.high)})" if point.tested > 1 else ""
        cells = [
            literal(point.label),
            f"{point.tested}/{point.runs}",
            accuracy(point.best) + spread,
            short(point.params),
            short(point.macs),
            duration(point.seconds),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    st.markdown("\n".join(rows))
    st.caption(t("Medians over the runs that were tested already; the range is that of the accuracies."))
    if more := max(0, len(seen.points) - MOST_ROWS):
        st.caption(t("{count} more {count:row is|rows are} in the files of the runs.", count=more))
