"""The bar of actions for the runs that are chosen in the list; it stays in view."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import Pin, State
from vggexplorer.ui.run import actions
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.run.words import data_text, network
from vggexplorer.ui.runs.chosen import choose
from vggexplorer.ui.session import session
from vggexplorer.ui.state import edit, go


def show(chosen: Sequence[Row]) -> None:
    """How many are chosen, and what can be done with them."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="selected"):
        st.markdown(f"**{t('{count} selected', count=len(chosen))}**", width="content")
        if networks := _networks(chosen):
            st.button(
                t("Compare the networks"),
                key="compare chosen",
                icon=":material/balance:",
                on_click=_compare,
                args=(networks,),
            )
        components.downloads([{"label": "CSV", "name": "runs.csv", "text": table(chosen)}], "", key="chosen-csv")
        st.button(t("Choose none"), key="choose none", type="tertiary", on_click=choose, args=([],))
        st.space("stretch")
        doomed = actions.delete_many(chosen)
    if doomed:
        actions.confirm(doomed)


def _networks(chosen: Sequence[Row]) -> list[Pin]:
    """The networks of the chosen runs as they are trained, each once."""
    pins = [Pin.of(row.config.trained) for row in chosen if row.config]
    return list({str(pin): pin for pin in pins}.values())


def _compare(networks: Sequence[Pin]) -> None:
    """Set the networks beside each other on Compare, under the input of the first."""

    def compared(state: State) -> State:
        first, *others = (pin.network(state.network) for pin in networks)
        beside = tuple(Pin.beside(other) for other in others)
        return replace(state, network=first, beside=beside or State().beside, baseline=0)

    edit(compared, actions.PLACE)
    if not session["complaints"]:
        go("compare")


def table(rows: Sequence[Row]) -> str:
    """The runs as CSV, a line for each below the names of the columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ("id", "name", "status", "network", "recipe", "data", "test_acc", "best_test_acc", "seconds", "device")
    writer.writerow((*heads, "bytes", "created"))
    for row in rows:
        recipe, data = (row.config.training.recipe, data_text(row.config.dataset)) if row.config else ("", "")
        asked = row.run.id, row.name, row.status.word, network(row.config), recipe, data
        created = row.created.isoformat() if row.created else ""
        writer.writerow((*asked, row.last, row.best, row.seconds, row.device, row.size, created))
    return out.getvalue()
