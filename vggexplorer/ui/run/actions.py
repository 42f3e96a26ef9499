"""What can be done with runs: which button a run has by its status, what it does, who may; what is refused is said."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.runs import launch
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.ui import access
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run import choice
from vggexplorer.ui.run.rows import EYE, Row, forget, read_row
from vggexplorer.ui.session import session
from vggexplorer.ui.state import complain, current, edit, go, look_at
from vggexplorer.ui.widgets import keeps, once

PLACE = "runs"
"""Where complaints about what was done with several runs are shown; those about one are shown at its id."""


def tried(action: Callable[[], object], place: str, run: Run | None = None) -> bool:
    """Whether `action` was done, on `run` only for who may; why not, is shown by `complain(place)`."""
    forget()
    session["complaints"] = []
    try:
        if run:
            access.check(run)
        action()
    except InputError as error:
        session["complaints"] = [(place, error)]
    except OSError as error:
        reason = InputError("The run's files could not be changed: {reason}", reason=error.strerror or str(error))
        session["complaints"] = [(place, reason)]
    return not session["complaints"]


# --- what can be done with a run, by its status ---------------------------------------------------------------


class Action(NamedTuple):
    """A button of a run. What `starts` a trainer counts once, however often it is pressed.

    `anybody` may do what leaves the run as it is; all else is for who started it, and for the teacher.
    """

    label: str
    icon: str
    act: Callable[[Row], object]
    starts: bool = False
    anybody: bool = False
    help: str | None = None


def _again(row: Row) -> None:
    if row.config:
        run = access.start_run(Runs.at(), row.config, row.name)
        choice.adopt(row.config)
        look_at(run.id)
        go("train")


def _explore(row: Row) -> None:
    if config := row.config:
        edit(lambda state: replace(state, network=config.trained), row.run.id)
        if not session["complaints"]:
            go("explore")


ACTIONS = {
    "pause": Action("Pause", "pause", lambda row: row.run.want(until=0)),
    "step": Action("One step", "skip_next", lambda row: row.run.want(until=row.status.step + 1)),
    "continue": Action("Continue", "play_arrow", lambda row: row.run.want()),
    "resume": Action("Resume", "play_arrow", lambda row: access.resume_run(Runs.at(), row.run), starts=True),
    "stop": Action("Stop", "stop", lambda row: launch.stop(row.run)),
    "end": Action("End its process", "power_settings_new", lambda row: launch.kill(row.run)),
    "again": Action(
        "Run again",
        "replay",
        _again,
        starts=True,
        anybody=True,
        help="Starts a new run of the same network, data and settings, and shows it on Train.",
    ),
    "explore": Action("Open in Explore", "tune", _explore, anybody=True),
    "delete": Action("Delete …", "delete", lambda row: _ask([row.run.id])),
}
"""All that can be done with a run, in the order of the buttons; besides, its name is changed in a field."""
WAYS = {
    Word.STARTING: ("stop",),
    Word.WAITING: ("stop",),
    Word.LOADING: ("stop",),
    Word.RUNNING: ("pause", "stop"),
    Word.EVALUATING: ("pause", "stop"),
    Word.SAVING: ("pause", "stop"),
    Word.PAUSED: ("step", "continue", "stop"),
    Word.UNRESPONSIVE: ("stop", "end"),
    Word.INTERRUPTED: ("resume", "delete"),
    Word.STOPPED: ("resume", "delete"),
    Word.FAILED: ("resume", "delete"),
    Word.FINISHED: ("delete",),
    Word.DAMAGED: ("delete",),
    Word.DELETED: (),
}
"""What can be done with a run besides repeating it, by status word; one that ships is never changed."""


def of(row: Row) -> list[str]:
    """What can be done with a run now, as keys of `ACTIONS`."""
    allowed = set() if row.run.recorded else set(WAYS[row.status.word])
    if row.run.ignores_stop(row.status):
        allowed.add("end")
    if row.config:
        allowed |= {"again", "explore"}
    if exhibit.nothing_starts():
        allowed -= {"again"}
    return [name for name in ACTIONS if name in allowed]


def stopping(row: Row) -> bool:
    """Whether the run was asked to stop and has not done so yet."""
    return row.status.active and bool(row.run.control()["stop"])


def show(row: Row) -> None:
    """The name in a field, and the buttons; below them why one cannot be pressed, and what was refused."""
    run, mine = row.run, access.may_change(row.run)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run-actions"):
        if not run.recorded:
            options = keeps(f"name of {run.id}", _rename, run)
            st.text_input(t("Name"), row.name, label_visibility="collapsed", width=360, disabled=not mine, **options)
        for name in of(row):
            _button(row, name, "run", mine)
    _said(row)


def show_brief(row: Row, at: str) -> None:
    """The buttons that change a run, where several are shown: `at` tells them apart."""
    mine = access.may_change(row.run)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"{at}-actions"):
        for name in of(row):
            if not ACTIONS[name].anybody:
                _button(row, name, at, mine)
    _said(row)


def _button(row: Row, name: str, at: str, mine: bool) -> None:
    action, waits = ACTIONS[name], name == "stop" and stopping(row)
    button = once if action.starts else st.button
    button(
        t("Stopping …") if waits else t(action.label),
        key=f"{name} {at}",
        icon=f":material/{action.icon}:",
        help=action.help and t(action.help),
        on_click=_do,
        args=(action, row),
        disabled=waits or not (mine or action.anybody),
    )


def _said(row: Row) -> None:
    run = row.run
    access.explain(run)
    complain(run.id)
    if session.get("asked to delete") == [run.id]:
        confirm([Doomed(run, row.name)], run.id)


def _do(action: Action, row: Row) -> None:
    tried(lambda: action.act(row), row.run.id, None if action.anybody else row.run)


def _rename(key: str, run: Run) -> None:
    tried(lambda: run.rename(session[key]), run.id, run)


# --- deleting -----------------------------------------------------------------------------------------------


class Doomed(NamedTuple):
    """A run that may be deleted, and its name."""

    run: Run
    name: str


def _ask(ids: list[str]) -> None:
    session["asked to delete"] = ids


def delete_many(rows: Sequence[Row]) -> list[Doomed]:
    """A button that deletes the chosen runs, but never active, recorded or other people's ones.

    Answers with what would go, once the button was pressed: `confirm` asks first.
    """
    over = (row for row in rows if not row.status.active and not row.run.recorded)
    doomed = [Doomed(row.run, row.name) for row in over if access.may_change(row.run)]
    ids = [each.run.id for each in doomed]
    if not doomed:
        return []
    label, why = t("Delete the chosen runs ({count}) …", count=len(doomed)), None
    if len(doomed) < len(rows):
        label = t("Delete {count} of the {all} chosen runs …", count=len(doomed), all=len(rows))
        why = t("What is active, ships with the package or was started by somebody else stays.")
    st.button(label, key="delete chosen", icon=":material/delete:", help=why, on_click=_ask, args=(ids,))
    return doomed if session.get("asked to delete") == ids else []


def confirm(doomed: Sequence[Doomed], place: str = PLACE) -> None:
    """Name what would be deleted, and ask."""
    names = ", ".join(literal(each.name) for each in doomed)
    with st.container(border=True, key="confirm"):
        st.markdown(t("Delete {names}, with all figures and weights? This cannot be undone.", names=f"**{names}**"))
        with st.container(horizontal=True, gap="small"):
            st.button(t("Delete"), key="delete now", on_click=_delete, args=(doomed, place))
            st.button(t("Keep"), key="keep", on_click=_ask, args=([],))


def _delete(doomed: Sequence[Doomed], place: str) -> None:
    _ask([])
    gone = [each.run.id for each in doomed if _tried_deleting(each.run, place)]
    chosen = [run_id for run_id in session.get("chosen runs", []) if run_id not in gone]
    session["chosen runs"] = chosen
    look_at(*(run_id for run_id in current().runs if run_id not in gone))
    if len(chosen) < 2 and len(current().runs) == 1 and len(gone) > 0:
        look_at()


def _tried_deleting(run: Run, place: str) -> bool:
    """Whether it is gone; it may have been deleted elsewhere, or resumed since the page was drawn."""
    if read_row(run, EYE).status.active:
        session["complaints"] = [(place, InputError("The run is not over; stop it first."))]
        return False
    return not run.path.exists() or tried(run.delete, place, run)
