"""A device is measured before a forecast, and it is said how far that is."""

import sys
from pathlib import Path

from vggexplorer.forecast.time import Calibration
from vggexplorer.formatting import about
from vggexplorer.runs.calibration import calibrate
from vggexplorer.runs.devices import Device
from vggexplorer.terminal.tables import plain


def measure(folder: Path, device: Device) -> Calibration:
    """What `device` is measured at, or goes on to be, which is kept in `folder`; Ctrl-C leaves with a sentence."""
    try:
        return calibrate(folder, device, _say_progress)
    except KeyboardInterrupt:
        print("\nWhat was measured is kept; `vggexplorer forecast` with --measure goes on.", file=sys.stderr)
        raise


def _say_progress(share: float, left: float | None) -> None:
    time = f", about {plain(about(left))} left" if left else ""
    text = f"measuring the device, once: {share:.0%}{time}"
    print(f"{text:<70}", end="\n" if share == 1 else "\r", file=sys.stderr, flush=True)
