"""What of a run can be taken away: its weights, its records, its config."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, fields

import streamlit as st

from vggexplorer.export import file_name
from vggexplorer.formatting import size
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import files
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.session import session


def show(row: Row) -> None:
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
    offers: dict[tuple[str, int], str] = session.setdefault("offered weights", {})
    path = run.path / layout.WEIGHTS
    about = run.id, path.stat().st_mtime_ns
    if about not in offers:
        offers[about] = files.offer(path, name)
    return offers[about]


def records_csv(records: Iterable[Record]) -> str:
    """A line for each record, below the names of its fields."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return out.getvalue()
