"""Where the application's files are: beside the package in a checkout, inside it once installed."""

import os
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
RUN_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
"""The name of a run's folder: nothing that leads out of the folder of all runs."""

PAGES = EXPLORE, COMPARE, TRAIN, RUNS, LEARN = "", "compare", "train", "runs", "learn"
"""The last part of each page's address."""


def root() -> Path:
    """The folder that holds app.py, pages/ and .streamlit/."""
    return PACKAGE if (PACKAGE / "app.py").exists() else PACKAGE.parent


FOR_TORCH = {
    # Threads that wait sleep: with threads that spin, two programs on two cores were seven times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Large tensors on large pages, where Linux has them: at 224 pixels half of the time went into page faults.
    "THP_MEM_ALLOC_ENABLE": "1",
}
"""Environment variables that PyTorch reads when it is loaded, for every process of ours that computes on a CPU."""


def child_environment() -> dict[str, str]:
    """This process's environment for a child, in which this very package can be imported."""
    environment = FOR_TORCH | os.environ
    if PACKAGE.parent.name.endswith("-packages"):
        return environment
    paths = [path for path in (os.environ.get("PYTHONPATH"), str(PACKAGE.parent)) if path]
    return environment | {"PYTHONPATH": os.pathsep.join(paths)}
