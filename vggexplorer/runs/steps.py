"""Which kind of step a run takes, PyTorch's own or the fused one: one rule, for what was asked and what was found.

The fused step (`pytorch/fast.py`) computes in bfloat16 on one NVIDIA GPU, by kernels that Triton compiles at the start.
It is tried where it may be (`ruled_out`) and pays (`pays`), and taken if it then does on the device what PyTorch's own
does, and is faster there.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from vggexplorer.comparison import Remark
from vggexplorer.forecast.precision import read_time
from vggexplorer.runs.exactness import FAST, PLAIN
from vggexplorer.runs.options import Training

GAIN = 36_489 / 11_692
"""How many times as fast as PyTorch's own step in bfloat16 a fused one is taken to be before it was tried: examples a
second of a prototype and of this trainer, slim VGG-11, 224 pixels, batch 128, on one H100 80GB. Not checked for other
networks and devices: there, what a trial costs may be lost, but no more."""
COMPILING = 4.0
"""Seconds in which the kernels of a prototype compiled on a slow core; they come from Triton's cache in 0.4 s later."""
TRIED = 20
"""Steps that a trial makes, and a few more."""
MOST_REASON = 300
"""Characters of what an error says."""


class Why(StrEnum):
    """What a choice stands on."""

    FASTER = "faster"
    NOT_FASTER = "not faster"
    EXACT = "exact"
    ADAM = "Adam"
    SEVERAL = "several"
    DEVICE = "device"
    FLOAT32 = "float32"
    NO_BFLOAT16 = "no bfloat16"
    NO_TRITON = "no Triton"
    SHORT = "short"
    UNFINISHED = "unfinished"
    NOTHING_TO_COMPARE = "nothing to compare"
    NO_NUMBER = "no number"
    LOSS = "loss"
    GRADIENT = "gradient"
    UPDATE = "update"
    REPEATED = "repeated"
    NO_MEMORY = "no memory"
    FAILED = "failed"


_WORDS = {
    Why.FASTER: Remark("fused, since a step with {batch} {batch:image|images} takes {fast}, PyTorch's own {plain}"),
    Why.NOT_FASTER: Remark(
        "PyTorch's own, since with {batch} {batch:image|images} it takes {plain}, a fused one {fast}"
    ),
    Why.EXACT: Remark("PyTorch's own, since the run is exact"),
    Why.ADAM: Remark("PyTorch's own, since no fused one has Adam"),
    Why.SEVERAL: Remark("PyTorch's own, since several processes train together"),
    Why.DEVICE: Remark("PyTorch's own, since fused ones are for NVIDIA GPUs"),
    Why.FLOAT32: Remark("PyTorch's own, since a fused one does not compute in float32"),
    Why.NO_BFLOAT16: Remark("PyTorch's own, since this device does not compute in bfloat16"),
    Why.NO_TRITON: Remark("PyTorch's own, since Triton is not installed"),
    Why.SHORT: Remark("PyTorch's own, since all steps that are left take {left}: a fused one would not pay"),
    Why.UNFINISHED: Remark("PyTorch's own, since the last trial of a fused one on this device did not come to its end"),
    Why.NOTHING_TO_COMPARE: Remark("PyTorch's own, since its loss is not a number: a fused one cannot be checked"),
    Why.NO_NUMBER: Remark("PyTorch's own, since a fused one gave something that is not a number ({what})"),
    Why.LOSS: Remark("PyTorch's own, since the loss or the scores of a fused one differ"),
    Why.GRADIENT: Remark("PyTorch's own, since a gradient of a fused one differs ({what})"),
    Why.UPDATE: Remark("PyTorch's own, since a fused one moves weights elsewhere ({what})"),
    Why.REPEATED: Remark("PyTorch's own, since a fused one does not do the same again"),
    Why.NO_MEMORY: Remark("PyTorch's own, since the memory is not enough for a fused one"),
    Why.FAILED: Remark("PyTorch's own, since a fused one failed: {what}"),
}


class Choice(NamedTuple):
    """The kind of step of a run, and why: seconds of a step of both kinds with `batch` images, as far as there are.

    `what` is the name of a parameter, or what an error says; `left` the seconds that PyTorch's own would take for all
    steps that were left.
    """

    why: Why
    plain: float | None = None
    fast: float | None = None
    batch: int = 0
    left: float | None = None
    what: str = ""

    @property
    def kind(self) -> str:
        """Which of our steps it is."""
        return FAST if self.why is Why.FASTER else PLAIN

    @property
    def remark(self) -> Remark:
        """The choice in a clause."""
        times = {name: _shown(getattr(self, name)) for name in ("plain", "fast", "left")}
        return _WORDS[self.why]._replace(values=times | {"batch": self.batch, "what": self.what[:MOST_REASON]})

    def to_json(self) -> dict[str, Any]:
        """What the files of a run hold."""
        return self._asdict()

    @staticmethod
    def from_json(data: Any) -> "Choice | None":
        """The choice that `to_json` wrote; None if there is none, or it is damaged."""
        try:
            plain, fast, left = (read_time(data[name]) for name in ("plain", "fast", "left"))
            return Choice(Why(data["why"]), plain, fast, int(data["batch"]), left, str(data["what"])[:MOST_REASON])
        except (TypeError, KeyError, ValueError, OverflowError):
            return None


def told(environment: Mapping[str, Any]) -> Remark | None:
    """How the kind of step of a run was chosen, where there are two: on a GPU."""
    choice = Choice.from_json(environment.get("step"))
    return None if choice is None or choice.why is Why.DEVICE else choice.remark


def _shown(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{1000 * seconds:,.1f} ms" if seconds < 1 else f"{seconds:,.1f} s"


class Place(NamedTuple):
    """Where a run trains, as far as its steps depend on it.

    `nvidia` says whether it is one of NVIDIA's GPUs, `bfloat16` whether it computes in that, `triton` whether Triton is
    there, `processes` how many train together.
    """

    nvidia: bool
    bfloat16: bool
    triton: bool
    processes: int = 1


def ruled_out(training: Training, precision: str, place: Place) -> Why | None:
    """Why a run cannot have the fused step; None if it can. `precision` is what it may compute in."""
    rules = {
        Why.DEVICE: not place.nvidia,
        Why.EXACT: training.exact,
        Why.SEVERAL: place.processes > 1,
        Why.ADAM: training.optimizer == "adam",
        Why.NO_BFLOAT16: not place.bfloat16,
        Why.FLOAT32: precision != "bfloat16",
        Why.NO_TRITON: not place.triton,
    }
    return next((why for why, holds in rules.items() if holds), None)


def pays(plain: float, left: int) -> bool:
    """Whether the fused step saves more than its trial costs, if PyTorch's own takes `plain` seconds, and so many steps
    are left.
    """
    return plain * left * (1 - 1 / GAIN) > COMPILING + plain * TRIED
