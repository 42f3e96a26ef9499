"""Copies a finished run to the runs that ship with the package, without its weights: `record_run.py RUN_DIR`."""

import json
import shutil
import sys
from pathlib import Path

from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.layout import RECORDED
from vggexplorer.runs.folder.run import Run

FILES = (layout.CONFIG, layout.CREATED, layout.NAME, layout.ENVIRONMENT, layout.OUTCOME, layout.METRICS, layout.RESULT)
MOST_POINTS = 600
"""Records kept of one run, besides those with test figures: a curve does not need more, and the package stays small."""


def record(source: Run) -> Path:
    """Copy the run; its metrics are thinned to every n-th record."""
    target = RECORDED / source.id
    target.mkdir(parents=True)
    for name in FILES:
        shutil.copy(source.path / name, target / name)
    records = source.records()
    every = max(1, len(records) // MOST_POINTS)
    kept = [record for place, record in enumerate(records) if place % every == 0 or record.test_acc is not None]
    (target / layout.METRICS).write_bytes(b"".join(record.line() for record in kept))
    (target / layout.RESULT).write_text(json.dumps(source.json(layout.RESULT)), "utf-8")
    return target


def main(arguments: list[str]) -> int:
    """Record the run in the folder that is named."""
    if len(arguments) != 1 or not (Path(arguments[0]) / layout.OUTCOME).exists():
        print("usage: record_run.py RUN_DIR (of a run that has ended)", file=sys.stderr)
        return 2
    print(record(Run(Path(arguments[0]).absolute())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
