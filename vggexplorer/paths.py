"""Where the application's files are: beside the package in a checkout, inside it once installed."""

import os
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
RUN_ID = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9-])?")
"""The name of a run's folder: nothing that leads out of the folder of all runs, nor is another one on Windows.

There `nul` and the like are devices, with an ending too, and a point at the end is left out.
"""
DEBIAN = Path("/usr/share/datasets")
"""Where Debian's packages of data sets put their files, each in a folder of its own; elsewhere there is none."""
WINDOWS = os.name == "nt"
"""Whether this is Windows, where a file that is open cannot be replaced, among other things."""
IN_BROWSER = sys.platform == "emscripten"
"""Whether this Python runs in a browser, as on the static site: it starts no process or thread and keeps no file."""

PAGES = EXPLORE, COMPARE, TRAIN, RUNS, LEARN = "", "compare", "train", "runs", "learn"
"""The last part of each page's address."""


def prefix(base: str) -> str:
    """A path below which everything is served, as it stands before other paths: `/vgg` for `vgg/`, empty for none."""
    path = base.strip("/")
    return path and f"/{path}"


def root() -> Path:
    """The folder that holds app.py, pages/ and .streamlit/."""
    return PACKAGE if (PACKAGE / "app.py").exists() else PACKAGE.parent
