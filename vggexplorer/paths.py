"""Where the application's files are: beside the package in a checkout, inside it once installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds app.py, pages/ and .streamlit/."""
    return PACKAGE if (PACKAGE / "app.py").exists() else PACKAGE.parent
