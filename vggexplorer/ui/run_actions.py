"""What can be done with runs: rename, stop, resume, start again, delete; what is refused gets a sentence."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, replace
from typing import NamedTuple

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.export import file_name
from vggexplorer.formatting import size
from vggexplorer.paths import root
from vggexplorer.runs import launch
from vggexplorer.runs.records import Record
from vggexplorer.runs.store import Run, Runs
from vggexplorer.ui import access, components, setup, web
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run_rows import Row, forget, read, watch
from vggexplorer.ui.state import current, edit, look_at
from vggexplorer.ui.widgets import first_click, keeps, key_of

PLACE = "runs"
"""Where complaints about actions are shown."""


def go(page: str) -> None:
    """Have `travel` switch to a page, once the callbacks are through."""
    st.session_state["go to"] = page


def travel() -> None:
    """Switch to the page that a callback asked for."""
    if page := st.session_state.pop("go to", None):
        st.switch_page(str(root() / "pages" / f"{page}.py"))


def back() -> None:
    """The way back to the table."""
    st.button(t("All runs"), key="back", type="tertiary", icon=":material/arrow_back:", on_click=_back)


def _back() -> None:
    chosen = st.session_state.get("chosen runs", [])
    look_at(*(chosen if len(chosen) > 1 else ()))


def _tried(action: Callable[[], None], run: Run | None = None) -> bool:
    """Whether `action` was done, on `run` only for who may; why not, is shown by `complain(PLACE)`."""

    def allowed() -> None:
        if run:
            access.check(run)
        action()

    return tried(allowed)


def tried(action: Callable[[], None], place: str = PLACE) -> bool:
    """Whether `action` was done; why not, is shown by `complain(place)`."""
    forget()
    try:
        action()
    except InputError as error:
        st.session_state["complaints"] = [(place, error)]
        return False
    except OSError as error:
        reason = InputError("The run's files could not be changed: {reason}", reason=error.strerror or str(error))
        st.session_state["complaints"] = [(place, reason)]
        return False
    st.session_state["complaints"] = []
    return True


# --- one run ------------------------------------------------------------------------------------------------


def rename(row: Row) -> None:
    """The field that holds the name; what was refused stays in it."""
    name = f"name of {row.run.id}"
    options = keeps(name, _rename, row.run)
    disabled = not access.may_change(row.run)
    st.text_input(t("Name"), row.name, label_visibility="collapsed", width=360, disabled=disabled, **options)


def _rename(key: str, run: Run) -> None:
    _tried(lambda: run.rename(st.session_state[key]), run)


def show(row: Row) -> None:
    """The buttons below the name."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run-actions"):
        if not row.run.recorded:
            rename(row)
        _start_and_stop(row)
        if row.config:
            st.button(t("Open in Explore"), key="explore", icon=":material/tune:", on_click=_explore, args=(row,))
        if not row.status.active and not row.run.recorded:
            icon, mine = ":material/delete:", access.may_change(row.run)
            st.button(t("Delete …"), key="delete", icon=icon, disabled=not mine, on_click=_ask, args=([row.run.id],))
    access.explain(row.run)
    if st.session_state.get("asked to delete") == [row.run.id]:
        _confirm([Doomed(row.run, row.name)])


def _start_and_stop(row: Row) -> None:
    run, again = row.run, key_of("again")
    mine = access.may_change(run)
    if row.status.active and not run.recorded:
        stopping = bool(run.control().get("stop"))
        label = t("Stopping …") if stopping else t("Stop")
        icon = ":material/stop:"
        st.button(label, key="stop", icon=icon, disabled=stopping or not mine, on_click=_stop, args=(run,))
        if row.status.word == "unresponsive" or run.ignores_stop(row.status):
            icon = ":material/dangerous:"
            st.button(t("End its process"), key="kill", icon=icon, disabled=not mine, on_click=_kill, args=(run,))
    if row.config and run.resumable(row.status):
        key = key_of("resume")
        icon = ":material/play_arrow:"
        st.button(t("Resume"), key=key, icon=icon, disabled=not mine, on_click=_resume, args=(key, run))
    if row.config:
        help_ = t("Starts a new run of the same network, data and settings, and shows it on Train.")
        st.button(t("Run again"), key=again, icon=":material/replay:", help=help_, on_click=_again, args=(again, row))


def _stop(run: Run) -> None:
    _tried(lambda: launch.stop(run), run)


def _kill(run: Run) -> None:
    _tried(lambda: launch.kill(run), run)


def _resume(key: str, run: Run) -> None:
    if first_click("resume", key):
        _tried(lambda: access.resume(Runs.at(), run))


def _again(key: str, row: Row) -> None:
    def start() -> None:
        if row.config:
            run = access.start(Runs.at(), row.config, row.name)
            setup.adopt(row.config)
            look_at(run.id)
            go("train")

    if first_click("again", key):
        _tried(start)


def _explore(row: Row) -> None:
    if config := row.config:
        edit(lambda state: replace(state, network=config.trained), PLACE)
        if not st.session_state["complaints"]:
            go("explore")


# --- files --------------------------------------------------------------------------------------------------


def files(row: Row) -> None:
    """The weights, the records, the config."""
    run = row.run
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="run-files"):
        label, file = t("Records (CSV)"), f"{run.id}.csv"
        st.download_button(
            label, lambda: records_csv(run.records()), file, "text/csv", key="take records", on_click="ignore"
        )
        if (path := run.weights()) and row.config:
            text = t("Weights, safetensors ({size})", size=size(path.stat().st_size))
            name = file_name(row.config.trained, "safetensors")
            components.downloads([{"label": text, "name": name, "url": _offered(run, name)}], "", key="weights")
    if row.config:
        with st.expander(t("The config as JSON")):
            st.code(json.dumps(row.config.to_json(), indent=1, ensure_ascii=False), language="json")


def _offered(run: Run, name: str) -> str:
    """The address of the weights, the same in the whole session for as long as they are the same."""
    offers: dict[tuple[str, int], str] = st.session_state.setdefault("offered weights", {})
    path = run.path / "model.safetensors"
    about = run.id, path.stat().st_mtime_ns
    if about not in offers:
        offers[about] = web.offer(path, name)
    return offers[about]


def records_csv(records: Iterable[Record]) -> str:
    """A line for each record, below the names of its fields."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return out.getvalue()


# --- deleting -----------------------------------------------------------------------------------------------


class Doomed(NamedTuple):
    """A run that may be deleted, and its name."""

    run: Run
    name: str


def _ask(ids: list[str]) -> None:
    st.session_state["asked to delete"] = ids


def delete_many(chosen: Iterable[Row]) -> None:
    """A button that deletes the chosen runs, but never active, recorded or other people's ones; it asks first."""
    over = (row for row in chosen if not row.status.active and not row.run.recorded)
    doomed = [Doomed(row.run, row.name) for row in over if access.may_change(row.run)]
    ids = [each.run.id for each in doomed]
    if not doomed:
        return
    label = t("Delete the chosen runs ({count}) …", count=len(doomed))
    st.button(label, key="delete chosen", icon=":material/delete:", on_click=_ask, args=(ids,))
    if st.session_state.get("asked to delete") == ids:
        _confirm(doomed)


def _confirm(doomed: list[Doomed]) -> None:
    names = ", ".join(literal(each.name) for each in doomed)
    with st.container(border=True, key="confirm"):
        st.markdown(t("Delete {names}, with all figures and weights? This cannot be undone.", names=f"**{names}**"))
        with st.container(horizontal=True, gap="small"):
            st.button(t("Delete"), type="primary", key="delete now", on_click=_delete, args=(doomed,))
            st.button(t("Keep"), key="keep", on_click=_ask, args=([],))


def _delete(doomed: list[Doomed]) -> None:
    _ask([])
    gone = [each.run.id for each in doomed if _tried_deleting(each.run)]
    chosen = [run_id for run_id in st.session_state.get("chosen runs", []) if run_id not in gone]
    st.session_state["chosen runs"] = chosen
    look_at(*(run_id for run_id in current().runs if run_id not in gone))
    if len(chosen) < 2 and len(current().runs) == 1 and len(gone) > 0:
        look_at()


def _tried_deleting(run: Run) -> bool:
    """Whether it is gone; it may have been deleted elsewhere, or resumed since the page was drawn."""
    if read(run, watch()).status.active:
        error = InputError("The run is not over; stop it first.")
        st.session_state["complaints"] = [(PLACE, error)]
        return False
    return not run.path.exists() or _tried(run.delete, run)
