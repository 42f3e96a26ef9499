"""Where the application's files are: beside the package in a checkout, inside it once installed."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds app.py, pages/ and .streamlit/."""
    return PACKAGE if (PACKAGE / "app.py").exists() else PACKAGE.parent


def child_environment() -> dict[str, str]:
    """This process's environment for a child, in which this very package can be imported."""
    if PACKAGE.parent.name.endswith("-packages"):
        return dict(os.environ)
    paths = [path for path in (os.environ.get("PYTHONPATH"), str(PACKAGE.parent)) if path]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
