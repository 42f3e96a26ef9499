"""Who sits at this session, what they may do with a run, and how they start one."""

from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.runs import launch, limits
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder import archive, layout
from vggexplorer.runs.folder.archive import Brought
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import Sweep
from vggexplorer.server import gate, keys
from vggexplorer.server.keys import HERE, NOBODY, Person
from vggexplorer.ui.i18n import t
from vggexplorer.ui.session import session


def person() -> Person:
    """Who is there: what the gate said of the WebSocket of this session; without a gate, anybody could say it."""
    if not gate.standing:
        return keys.ungated
    text = st.context.headers.get(gate.PERSON)
    if text is None:
        return NOBODY
    role, _, name = text.partition(" ")
    return Person(name, role == "t")


def may_change(run: Run) -> bool:
    """Whether who is there may stop, resume, rename and delete `run`."""
    return person().may_change(run.owner())


def check(run: Run) -> None:
    """`InputError` unless `may_change`; called by whatever acts, since a button that is not shown can be pressed."""
    exhibit.check()
    if not may_change(run):
        raise InputError("Only who started this run, or the teacher, can do that.")


def explain(run: Run) -> None:
    """Why the buttons of `run` cannot be pressed, if that is so."""
    if not run.recorded and not may_change(run):
        st.caption(t("You can watch this run. Only who started it, or the teacher, can change it."))


def allowed() -> Limits:
    """What who is there may start; `InputError` if the limits cannot be read.

    A teacher who came in as one is not limited. The person at the machine is: there, everybody is.
    """
    here = person()
    return Limits() if here.teacher and here != HERE else Limits.read()


def _starter() -> Person:
    """Who is there, to start something; `InputError` if that is nobody, or nothing is started here."""
    exhibit.check()
    here = person()
    if here == NOBODY:
        raise InputError("To come in, open the link that you were given, or that the terminal of the server shows.")
    return here


def start_run(runs: Runs, config: Config, name: str | None = None, place: Place = launch.HERE) -> Run:
    """Start a run of who is there; `InputError` if it cannot be, or is more than the teacher allows."""
    here = _starter()
    check_data(runs, config.dataset)
    run = limits.start(runs, config, name, here.id, allowed(), place=place)
    session["started"] = [run.id, *started()]
    return run


def start_race(runs: Runs, configs: Sequence[Config], names: Sequence[str | None] | None = None) -> list[Run]:
    """Start a race of who is there, all members in the order of their seats; `InputError` as in `start_run`."""
    here = _starter()
    for dataset in {config.dataset for config in configs}:
        check_data(runs, dataset)
    members = limits.start_race(runs, configs, here.id, allowed(), names)
    session["started"] = [*(run.id for run in members), *started()]
    return members


def started() -> list[str]:
    """The ids of the runs that were started in this session, the newest first."""
    ids: list[str] = session.get("started", [])
    return ids


def resume_run(runs: Runs, run: Run) -> None:
    """Go on with a run; `InputError` if it cannot be, or is not theirs, or is more than the teacher allows."""
    check(run)
    limits.resume(runs, run, allowed())


def start_sweep(runs: Runs, configs: Sequence[Config], name: str | None = None, place: Place = launch.HERE) -> Sweep:
    """Start a sweep of who is there; `InputError` as in `start_run`."""
    here = _starter()
    for dataset in {config.dataset for config in configs}:
        check_data(runs, dataset)
    return start.start_sweep(runs, configs, name, here.id, allowed(), place)


def bring_run(runs: Runs, file: BinaryIO) -> Brought:
    """The run that an archive is of, as one of who is there; `InputError` if it cannot be, or they may not.

    An archive can say what it likes of what a run has reached, and fills the disk: that is for the teacher alone.
    """
    here = _starter()
    if not here.teacher:
        raise InputError("Only the teacher can bring a run.")
    return archive.bring_file(runs, file, here.id)


def may_change_sweep(sweep: Sweep) -> bool:
    """Whether who is there may stop and resume `sweep` and remove it; one that cannot be read is the teacher's."""
    owner = ""
    with suppress(InputError):
        owner = sweep.asked().owner
    return person().may_change(owner)


def check_sweep(sweep: Sweep) -> None:
    """`InputError` unless `may_change_sweep`."""
    exhibit.check()
    if not may_change_sweep(sweep):
        raise InputError("Only who started this sweep, or the teacher, can do that.")


def check_data(runs: Runs, dataset: Dataset) -> None:
    """`InputError` for a student's folder, unless the teacher trained on it: nobody reads the machine's disk by us."""
    if not dataset.folder or person().teacher:
        return
    named = str(dataset.absolute())  # as it stands in a config
    asked = (run for run in runs.all(recorded=False) if not run.brought())  # an archive may name any folder
    if any(run.json(layout.CONFIG).get("dataset") == named for run in asked):
        return
    raise InputError("Only the teacher can name a folder on the server; then everybody can train on it.")
