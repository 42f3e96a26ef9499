"""`vggexplorer` without a command: the dashboard is served."""

import argparse

from vggexplorer import exhibit
from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.runs.limits import Limits, whole
from vggexplorer.server import dashboard
from vggexplorer.terminal.arguments import LIMITS


def serve(options: argparse.Namespace) -> int:
    """Serve it until Ctrl-C."""
    Limits(**{name: whole(getattr(options, f"max_{name}"), name) for name in LIMITS}).tell()
    if options.demo:
        exhibit.begin()
    dashboard.serve(_port(options.port), not options.no_browser, options.address or dashboard.ADDRESS, options.url)
    return 0


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise InputError("The port must be a whole number from 1 to 65535, not {text}.", text=shown(text))
    return int(text)
