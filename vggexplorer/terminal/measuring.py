"""What is said while a device is measured, before a forecast."""

import sys

from vggexplorer.formatting import about
from vggexplorer.terminal.tables import plain


def say_progress(share: float, left: float | None) -> None:
    """Say on standard error how much of it is done, and how many seconds are left, if that is known."""
    time = f", about {plain(about(left))} left" if left else ""
    text = f"measuring the device, once: {share:.0%}{time}"
    print(f"{text:<70}", end="\n" if share == 1 else "\r", file=sys.stderr, flush=True)
