"""What a training loop asks of its surroundings: may it go on, is there a checkpoint, should one be written?"""

import time
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import Decision
from vggexplorer.runs.folder.ranks import Rank
from vggexplorer.runs.folder.status import Phase


class Command(Enum):
    """What is wanted of the loop before its next step."""

    GO = "go"
    PAUSE = "pause"
    STOP = "stop"


PARTS = {
    "python": "Python",
    "line": "waiting in line",
    "import": "loading PyTorch",
    "device": "the device",
    "data": "the data",
    "network": "the network",
    "precision": "choosing the precision",
    "step": "choosing the step",
    "first step": "the first step",
    "steps": "all other steps",
    "tests": "tests",
    "checkpoints": "checkpoints",
    "snapshots": "snapshots",
    "looks": "close looks",
    "pauses": "pauses",
    "end": "the end",
}
"""What a trainer does from its start to its end, as people read it."""


class Parts:
    """Where the time of a start goes: seconds by part (a key of `PARTS`), which add up to all of it."""

    def __init__(self, age: float = 0.0) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter() - age

    def over(self, part: str) -> None:
        """Add what has passed since the last call, or since the process began that is `age` seconds old, to `part`."""
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now


class Session:
    """Surroundings that let the loop train to its end and keep nothing; a run folder's are in `worker`."""

    rank = Rank()
    """Which of how many processes that train together this is: all of them have to do the same."""

    @cached_property
    def parts(self) -> Parts:
        """Told whenever a part of the work is over."""
        return Parts()

    def known_decision(self, steps: str) -> Decision | None:
        """How the precision of such `steps` was chosen before, by an earlier run."""
        return None

    def keep_decision(self, steps: str, decision: Decision) -> None:
        """Told how it was chosen, from the times of both precisions."""

    def begin_trial(self, device: str) -> bool:
        """Told that the fused step is tried on `device`; False if the last trial there did not come to its end."""
        return True

    def end_trial(self, device: str) -> None:
        """Told that the trial is over, whatever came of it."""

    def begin(self, environment: Mapping[str, Any]) -> None:
        """Told once, before the first step: device, precision, threads, data, steps in an epoch."""

    def phase(self, phase: Phase) -> None:
        """Told what the loop does now."""

    def command(self, step: int) -> Command:
        """What is wanted after `step` steps."""
        return Command.GO

    def sleep(self) -> None:
        """Wait a moment for another command."""

    def wants_view(self, step: int) -> bool:
        """Whether somebody wants to look at step number `step` (from 0) closely."""
        return False

    def show(self, view: Mapping[str, Any]) -> None:
        """Told what a step looked like: pictures, predictions, gradients."""

    def wants_answers(self) -> bool:
        """Whether somebody watches who is to see what the network takes some test pictures for."""
        return False

    def answer(self, step: int, answers: Callable[[], list[dict[str, Any]]]) -> None:
        """Have `answers` worked out after `step` steps, and keep them."""

    def snapshot(self, step: int, write: Callable[[Path], None]) -> None:
        """Have the convolutions after `step` steps written by `write`, which gets the path of the new file."""

    def checkpoint(self) -> Path | None:
        """The checkpoint to go on from, if there is one."""
        return None

    def wants_checkpoint(self) -> bool:
        """Whether it is time to write one."""
        return False

    def save(self, write: Callable[[Path], None]) -> None:
        """Have a checkpoint written by `write`, which gets the path of the new file."""

    def keep_best(self, write: Callable[[Path], None]) -> None:
        """Have the weights with the best test accuracy so far written by `write`; a checkpoint of them was saved."""

    def finish(
        self, write: Callable[[Path], None], result: Mapping[str, Any], reason: InputError | None = None
    ) -> None:
        """Have the trained weights written by `write`, and keep what is known of the trained network.

        `reason` says why it ended before its last epoch, if it did.
        """

    def end(self, reason: InputError) -> None:
        """Told why it is over without a trained network, although nothing failed."""


def useless(error: Exception) -> InputError:
    """What to say of a checkpoint that cannot be read, or does not fit."""
    return InputError(
        "The checkpoint cannot be used: {reason}. Start a new run with the same settings.",
        reason=str(error).strip().partition("\n")[0][:300].rstrip(".:"),
    )
