"""What of a run can be taken away: its weights, its records, its config."""

import json

import streamlit as st

from vggexplorer.export import file_name
from vggexplorer.formatting import size
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import files, metrics
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.session import session


def show(row: Row) -> None:
    """The weights, the records, the config."""
    run = row.run
    kept = [{"label": t("Records (CSV)"), "name": f"{run.id}.csv", "url": metrics.table_address(run.id)}]
    if (path := run.weights()) and row.config:
        text = t("Weights, safetensors ({size})", size=size(path.stat().st_size))
        name = file_name(row.config.trained, "safetensors")
        kept.append({"label": text, "name": name, "url": _offered(run, name)})
    components.downloads(kept, "", key="run-files")
    if row.config:
        with st.expander(t("The config as JSON")):
            st.code(json.dumps(row.config.to_json(), indent=1, ensure_ascii=False), language="json")


def _offered(run: Run, name: str) -> str:
    """The address of the weights, the same in the whole session for as long as they are the same."""
    offers: dict[tuple[str, int], str] = session.setdefault("offered weights", {})
    path = run.path / layout.WEIGHTS
    about = run.id, path.stat().st_mtime_ns
    if about not in offers:
        offers[about] = files.offer(path, name)
    return offers[about]
