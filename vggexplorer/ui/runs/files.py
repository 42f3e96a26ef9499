"""What of a run can be taken away: its weights, its records, its config, all of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.export import file_name
from vggexplorer.formatting import exact, size
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.server import archives, files, metrics
from vggexplorer.ui import components
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run.rows import Row
from vggexplorer.ui.run.words import accuracy
from vggexplorer.ui.session import session


def show(row: Row) -> None:
    """The weights of the end and the best ones, the records, the config; all of a run that is over."""
    run = row.run
    kept = [{"label": t("Records (CSV)"), "name": f"{run.id}.csv", "url": metrics.table_address(run.id)}]
    if row.config:
        for path, label, ending in _weights(run):
            name = file_name(row.config.trained, ending)
            kept.append({"label": label, "name": name, "url": _offered(path, name)})
        if not row.status.active and not exhibit.nothing_starts():
            label = t("The whole run, to hand on (archive)")
            kept.append({"label": label, "name": f"{run.id}.zip", "url": archives.address(run.id)})
    components.downloads(kept, "", key="run-files")
    if row.config:
        with st.expander(t("The config as JSON")):
            st.code(json.dumps(row.config.to_json(), indent=1, ensure_ascii=False), language="json")


def _weights(run: Run) -> Iterator[tuple[Path, str, str]]:
    """Files of weights: what they are, and the ending of their names."""
    if path := run.weights():
        yield path, t("Weights, safetensors ({size})", size=size(path.stat().st_size)), "safetensors"
    if best := run.best_weights():
        label = t(
            "Best weights (step {step}, test accuracy {accuracy}), safetensors ({size})",
            step=exact(best.step),
            accuracy=accuracy(best.test_acc),
            size=size(best.path.stat().st_size),
        )
        yield best.path, label, layout.BEST


def _offered(path: Path, name: str) -> str:
    """The address of the weights, the same in the whole session for as long as they are the same."""
    offers: dict[tuple[str, int], str] = session.setdefault("offered weights", {})
    about = str(path), path.stat().st_mtime_ns
    if about not in offers:
        offers[about] = files.offer(path, name)
    return offers[about]
