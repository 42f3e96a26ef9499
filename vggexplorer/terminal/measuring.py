"""A device is measured before a forecast, and it is said how far that is."""

import sys
from pathlib import Path

from vggexplorer.forecast.time import Calibration
from vggexplorer.formatting import about, duration
from vggexplorer.runs import experience, forecasts
from vggexplorer.runs.calibration import calibrate
from vggexplorer.runs.config import Config
from vggexplorer.runs.devices import Device
from vggexplorer.terminal.tables import plain


def measure(folder: Path, device: Device, config: Config, whole: bool = False) -> Calibration:
    """What `device` is measured at, or goes on to be, which is kept in `folder`; Ctrl-C leaves with a sentence.

    Unless all is wanted, it ends after some seconds, with the first rates by which `config` can be forecast. What is
    known before is said at once.
    """
    past = experience.past(folder, device.name)
    first = forecasts.precision_of(config, device, None, past)
    own = experience.steps_of(config, first)
    before = forecasts.forecast(config, device, None, past).time
    if before:
        print(f"at first sight {duration(before.low)} to {duration(before.high)}", file=sys.stderr)
    try:
        return calibrate(folder, device, _say_progress, first="" if whole else first, own=own)
    except KeyboardInterrupt:
        print("\nWhat was measured is kept; `vggexplorer forecast` with --measure goes on.", file=sys.stderr)
        raise


def _say_progress(share: float, left: float | None) -> None:
    time = f", about {plain(about(left))} left" if left else ""
    text = f"measuring the device: {share:.0%}{time}"
    print(f"{text:<70}", end="\n" if share == 1 else "\r", file=sys.stderr, flush=True)
