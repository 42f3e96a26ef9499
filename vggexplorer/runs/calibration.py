"""What devices can do, as it was measured on them: `python -m vggexplorer.pytorch.calibrate` is asked, until all is."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.forecast.correction import Steps
from vggexplorer.forecast.time import Calibration, LayerTime
from vggexplorer.processes import NoAnswerError, StoppedError, ask
from vggexplorer.runs.devices import Device, machine
from vggexplorer.runs.experience import note
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.probes import LOADING, Look, Seen, first_looks, looks, seconds, step_seconds, version
from vggexplorer.text import format_network

MODULE = "vggexplorer.pytorch.calibrate"
BUDGET = 150.0
"""Seconds after which no measurement is begun: all take half a minute, on a busy machine many times as long."""
CALIBRATION_TIMEOUT = 300.0
"""Seconds after which the process is ended."""
LONGEST = 0.5
"""Seconds of a run's own step up to which it is measured: some of them are made."""
Told = Callable[[float, float | None], None]
"""Told how much is done, from 0 to 1, and in how many seconds the rest will be, about; None if that is not known."""


def nobody(share: float, left: float | None) -> None:
    """Is told."""


class Measurements(NamedTuple):
    """What was seen of a device, and the calibration that follows from it; the seconds until PyTorch is ready, and the
    bytes that it takes."""

    seen: list[Seen]
    calibration: Calibration | None
    start: float
    context: int
    exact: float | None = None
    """How many times as long an exact step takes."""

    def missing(self, wanted: Sequence[Look]) -> list[Look]:
        """The looks that were not made, in their order."""
        made = {each.look for each in self.seen}
        return [look for look in wanted if look not in made]


def _measurements(runs: Path, device: str) -> Measurements:
    """What was measured of `device`; nothing if it is damaged, and of what is outdated the calibration alone."""
    data, known = _read(runs, device), known_calibration(runs, device)
    with suppress(*_DAMAGED):
        if _of_now(data):
            seen = [*map(Seen.from_json, data["seen"])]
            return Measurements(seen, known, float(data["start"]), int(data["context"]), _price(data))
    return Measurements([], known if known and known.outdated else None, 0.0, 0)


def _read(runs: Path, device: str) -> Any:
    """What the file says, if it is of this machine."""
    with suppress(OSError, *_DAMAGED):
        data = json.loads(_file(runs, device).read_bytes())
        return data if data["machine"] | {"torch": ""} == machine() | {"torch": ""} else {}
    return {}


def _of_now(data: Any) -> bool:
    """Whether it is of this PyTorch, and of the probes that are measured now."""
    return bool((data["machine"], data["probes"]) == (machine(), version()))


_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


def _file(runs: Path, device: str) -> Path:
    return runs / f"calibration-{device.replace(':', '-')}.json"


def keep(runs: Path, device: str, done: Measurements) -> None:
    """Write it down."""
    found = done.calibration and done.calibration.to_json()
    about = {"machine": machine(), "probes": version(), "start": done.start, "context": done.context}
    about |= {"exact": done.exact}
    write_json(_file(runs, device), about | {"seen": done.seen, "calibration": found})


def known_calibration(runs: Path, device: str) -> Calibration | None:
    """What was measured of `device` (as PyTorch names it) on this machine, maybe in part.

    What was measured with another PyTorch, or by other probes, is outdated, and kept until there is something newer.
    None if that is too little for a forecast.
    """
    with suppress(*_DAMAGED):
        data = _read(runs, device)
        found = Calibration.from_json(data["calibration"])
        return found if _of_now(data) else replace(found, outdated=True)
    return None


def known_price(runs: Path, device: str) -> float | None:
    """How many times as long an exact step takes on `device`; None if that was not measured here."""
    with suppress(*_DAMAGED):
        return _price(_read(runs, device))
    return None


def _price(data: Any) -> float | None:
    found = data.get("exact")
    return None if found is None else float(found)


class Plan(NamedTuple):
    """What is missing of a measurement: how many of all looks, and the seconds that they take, about."""

    missing: int
    all: int
    seconds: float


def plan(runs: Path, device: Device) -> Plan:
    """What measuring `device` would do now.

    If something was measured already, on a machine as busy as it was then, else on one that does nothing else.
    """
    done = _measurements(runs, device.name)
    missing = done.missing(wanted := looks(device))
    return Plan(len(missing), len(wanted), LOADING + _slowness(device, done) * seconds(device, missing))


def _slowness(device: Device, done: Measurements) -> float:
    usual = seconds(device, (each.look for each in done.seen))
    return sum(each.took for each in done.seen) / usual if usual else 1.0


def calibrate(
    runs: Path,
    device: Device,
    progress: Told = nobody,
    stop: threading.Event | None = None,
    *,
    first: str = "",
    own: Steps | None = None,
) -> Calibration:
    """Measure what is missing of `device`; each measurement is kept at once, whatever ends this.

    With `first`, a precision, it ends as soon as there are rates in it. The steps of a run, `own`, are measured before
    all else, if they are not too long. `stop` as in `processes.ask`; `InputError` if it cannot be measured, or if too
    little is known in the end.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with _alone(runs, device, stop):
        done, wanted = _measurements(runs, device.name), first_looks(first) if first else looks(device)
        if missing := done.missing(wanted):
            slowness = _slowness(device, done)
            left = LOADING + slowness * seconds(device, missing)
            progress(1 - seconds(device, missing) / seconds(device, wanted), left)
            done = _measure(runs, device, done, wanted, own, progress, stop)
        if device.name.startswith("cuda") and done.exact is None:
            keep(runs, device.name, done._replace(exact=_measured_price(device, stop)))
    if done.calibration is None:
        raise InputError(
            "The device is busy or slow: {count} of {all} {all:measurement|measurements} took {seconds} s. They are "
            "kept, and measuring can go on.",
            count=len(done.seen),
            all=len(looks(device)),
            seconds=f"{sum(each.took for each in done.seen):.0f}",
        )
    return done.calibration


@contextmanager
def _alone(runs: Path, device: Device, stop: threading.Event | None) -> Iterator[None]:
    """Only one process measures a device, and writes its file."""
    lock = FileLock(_file(runs, device.name).with_suffix(".lock"), timeout=0.2)
    while not lock.is_locked:
        with suppress(Timeout):
            lock.acquire()
        if stop and stop.is_set():
            break
    try:
        if stop and stop.is_set():
            raise StoppedError("It was stopped.")
        yield
    finally:
        lock.release()


def _measure(
    runs: Path,
    device: Device,
    done: Measurements,
    wanted: Sequence[Look],
    own: Steps | None,
    progress: Told,
    stop: threading.Event | None,
) -> Measurements:
    """Make the looks that are wanted and missing, as far as the time goes."""
    missing, whole, began = done.missing(wanted), seconds(device, wanted), time.monotonic()
    asked = {"device": device.name, "looks": missing, "seen": done.seen, "context": done.context, "seconds": BUDGET}
    asked["own"] = own and _short(device, own)
    pace, made = Pace(), 0
    try:
        for news in ask(MODULE, given=json.dumps(asked).encode(), timeout=CALIBRATION_TIMEOUT, stop=stop):
            if "looks" in news:  # a trainer would begin now
                done = done._replace(start=done.start or time.monotonic() - began)
                pace = Pace(1 - seconds(device, missing) / whole)
                continue
            if "own" in news:
                if own and news["own"]:
                    taken = own._replace(seconds=float(news["own"]), share=float(news["share"]))
                    note(runs, device.name, taken, ended=False)
                continue
            made += 1
            done = done._replace(seen=[*done.seen, Seen.from_json(news["seen"])])
            found = _found(device, done, news["calibration"])
            done = done._replace(calibration=found or done.calibration, context=int(news["context"]))
            keep(runs, device.name, done)
            share = 1 - seconds(device, missing[made:]) / whole
            progress(share, pace.left(share))
            if made == len(missing):  # it may take seconds to end
                break
    except NoAnswerError as error:
        if made:
            raise InputError(
                "Measuring ended early: {reason}. What was measured is kept, and measuring can go on.", reason=error
            ) from error
        raise _failed(error) from error
    return done


def _found(device: Device, done: Measurements, told: Any) -> Calibration | None:
    """The calibration that a process has told, with what it does not know of; None if it told none."""
    if told is None:
        return None
    found, missing = Calibration.from_json(told), done.missing(looks(device))
    left = {precision: sum(look.precision == precision for look in missing) for precision in found.rates}
    return replace(found, start=done.start, missing=left)


def _short(device: Device, own: Steps) -> dict[str, Any] | None:
    """What the process is told of a run's own steps; None if they take too long, by what is known of the device."""
    if not device.pace or step_seconds(device, own.network, own.batch, own.precision) > LONGEST:
        return None
    about = {"network": format_network(own.network), "batch": own.batch, "kept": own.kept}
    return about | {"precision": own.precision}


class Pace:
    """How long the rest of some work takes, from how long its part after the share `done` took."""

    def __init__(self, done: float = 0.0) -> None:
        self._done, self._began = done, time.monotonic()

    def left(self, share: float) -> float | None:
        """Seconds, when `share` of all is done; None if that is nothing yet."""
        part = share - self._done
        return (time.monotonic() - self._began) * (1 - share) / part if part > 0 else None


class Timed(NamedTuple):
    """Seconds of a whole step, and of each layer by name, forward and backward."""

    step: float
    layers: dict[str, LayerTime]


def time_layers(
    network: Network,
    batch: int,
    device: str,
    precision: str,
    progress: Callable[[float], None] = lambda share: None,
    rounds: int = 10,
    stop: threading.Event | None = None,
    exact: bool = False,
) -> Timed:
    """Time the layers of a network on a device now, in a process of its own; `progress` and `stop` as in `calibrate`.

    `exact` steps are those with equal bits each time. `InputError` if it cannot be done.
    """
    asked = {"batch": batch, "device": device, "precision": precision, "exact": exact, "rounds": rounds}
    given = json.dumps(asked | {"network": format_network(network)}).encode()
    try:
        for news in ask("vggexplorer.pytorch.layer_times", given=given, timeout=CALIBRATION_TIMEOUT, stop=stop):
            if "round" in news:
                progress(news["round"] / news["rounds"])
    except NoAnswerError as error:
        raise _failed(error) from error
    layers = {each["name"]: LayerTime(each["forward"], each["backward"]) for each in news["layers"]}
    return Timed(float(news["step"]), layers)


def seconds_of_layers(device: Device, network: Network, batch: int, precision: str, rounds: int) -> float:
    """About how many seconds `time_layers` takes on a device that nobody else uses."""
    return LOADING + (2 * rounds + 2) * step_seconds(device, network, batch, precision)


PRICED = NETWORKS["VGG-11 slim"]._replace(input_shape=(1, 96, 96)), 128
"""What an exact step is measured with, and the images in a step: enough for any GPU, little for its memory."""


def _measured_price(device: Device, stop: threading.Event | None) -> float | None:
    """How many times as long an exact step takes; None if it cannot be done. Each kind is timed in its own process."""
    with suppress(InputError):
        plain, exact = (
            time_layers(*PRICED, device.name, device.precision, rounds=5, stop=stop, exact=each).step
            for each in (False, True)
        )
        return exact / plain
    return None


def _failed(reason: InputError) -> InputError:
    return InputError("The device could not be measured: {reason}", reason=reason)
