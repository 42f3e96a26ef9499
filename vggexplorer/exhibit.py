"""A dashboard that is there to look at: `vggexplorer --demo`. Who comes trains nothing, and leaves nothing behind."""

import os
from pathlib import Path

from vggexplorer.errors import InputError
from vggexplorer.paths import IN_BROWSER

VARIABLE = "VGGEXPLORER_DEMO"
"""The environment variable that makes a dashboard one, whichever way it is started."""
NOWHERE = Path(os.devnull)
"""In place of the folder of runs: it has none, and no system can make anything below it."""
WHOLE = 'pip install ".[train]" && vggexplorer'
"""What installs everything from a copy of this project, and starts it."""


def on() -> bool:
    """Whether this dashboard is one."""
    return bool(os.environ.get(VARIABLE))


def begin() -> None:
    """Make the dashboard that this process serves one."""
    os.environ[VARIABLE] = "1"


def nothing_starts() -> bool:
    """Whether nothing can be trained or measured, whatever is installed: in a browser, and in such a dashboard."""
    return IN_BROWSER or on()


def check() -> None:
    """`InputError` where nothing can be started or kept."""
    if IN_BROWSER:
        raise InputError(
            "This needs PyTorch, which no browser has. On a computer of your own, {command} in a copy of vggexplorer "
            "starts the whole dashboard.",
            command=WHOLE,
        )
    if on():
        raise InputError(
            "This dashboard is there to look at: nothing is trained, measured or kept here. On a computer of your own, "
            "{command} in a copy of vggexplorer starts the whole one.",
            command=WHOLE,
        )
