"""Which precision a run has that leaves it open: one rule, for steps that were timed or forecast."""

from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from vggexplorer.comparison import Remark

WORTHWHILE = 1.1
"""How many times as fast as float32 bfloat16 must be to be chosen."""
BOTH = ("float32", "bfloat16")
"""The precisions that there are to choose from."""


class Why(StrEnum):
    """What a decision stands on."""

    FASTER = "faster"
    NOT_FASTER = "not faster"
    NO_HARDWARE = "no hardware"
    FAILED = "failed"
    NO_ROOM = "no room"
    NOT_TIMED = "not timed"


_WORDS = {
    Why.FASTER: Remark(
        "bfloat16, since a step with {batch} {batch:image|images} takes {bfloat16}, in float32 {float32}"
    ),
    Why.NOT_FASTER: Remark(
        "float32, since a step with {batch} {batch:image|images} takes {float32}, in bfloat16 {bfloat16}"
    ),
    Why.NO_HARDWARE: Remark("float32, since this device does not compute in bfloat16"),
    Why.FAILED: Remark("float32, since a step in bfloat16 failed"),
    Why.NO_ROOM: Remark("bfloat16, since the memory is not enough for a step in float32"),
    Why.NOT_TIMED: Remark("bfloat16, since this device computes in it; no step could be timed"),
}


class Decision(NamedTuple):
    """A precision, and the seconds of a training step of `batch` images in both; None where none was timed."""

    precision: str
    why: Why
    float32: float | None = None
    bfloat16: float | None = None
    batch: int = 0

    @property
    def timed(self) -> bool:
        """Whether it stands on the times of both."""
        return self.float32 is not None and self.bfloat16 is not None

    @property
    def remark(self) -> Remark:
        """The decision in a clause, with the times that it stands on."""
        if self.float32 is None or self.bfloat16 is None:
            return _WORDS[self.why]
        times = {"float32": _milliseconds(self.float32), "bfloat16": _milliseconds(self.bfloat16)}
        return _WORDS[self.why]._replace(values={"batch": self.batch, **times})

    def to_json(self) -> dict[str, Any]:
        """What the files of a run hold."""
        return self._asdict()

    @staticmethod
    def from_json(data: Any) -> "Decision | None":
        """The decision that `to_json` wrote; None if there is none, or it is damaged."""
        try:
            single, half = (read_time(data[name]) for name in BOTH)
            decided = Decision(str(data["precision"]), Why(data["why"]), single, half, int(data["batch"]))
        except (TypeError, KeyError, ValueError, OverflowError):
            return None
        complete = decided.why not in (Why.FASTER, Why.NOT_FASTER) or decided.timed
        return decided if complete and decided.precision in BOTH else None


def read_time(seconds: Any) -> float | None:
    """A time from a file; `ValueError` or `TypeError` if it is none."""
    if seconds is None:
        return None
    if not isfinite(time := float(seconds)) or time < 0:
        raise ValueError("no time")
    return time


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.{1 if seconds < 1 else 0}f} ms"


def decide(in_hardware: bool, float32: float | None, bfloat16: float | None, batch: int = 0) -> Decision:
    """The precision for a device that computes in bfloat16, or not, and takes so many seconds for a step.

    A time is None if there was no step: in float32 because the memory was not enough, in bfloat16 for any reason.
    """
    if not in_hardware:
        return Decision("float32", Why.NO_HARDWARE, float32, bfloat16, batch)
    if float32 is None:
        return Decision("bfloat16", Why.NOT_TIMED if bfloat16 is None else Why.NO_ROOM, float32, bfloat16, batch)
    if bfloat16 is None:
        return Decision("float32", Why.FAILED, float32, bfloat16, batch)
    if float32 > WORTHWHILE * bfloat16:
        return Decision("bfloat16", Why.FASTER, float32, bfloat16, batch)
    return Decision("float32", Why.NOT_FASTER, float32, bfloat16, batch)
