"""The words for what a run does: a trainer's own for its phases, and those that follow from the files of a run.

Files, JSON and `--json` have the values; people read `STATUSES`.
"""

from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """What a trainer says in its heartbeat that it does."""

    STARTING = "starting"
    WAITING = "waiting"
    LOADING = "loading"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"
    PAUSED = "paused"


class Word(StrEnum):
    """What a run does, as everybody sees it."""

    STARTING = "starting"
    WAITING = "waiting"
    LOADING = "loading"
    RUNNING = "running"
    EVALUATING = "evaluating"
    SAVING = "saving"
    PAUSED = "paused"
    UNRESPONSIVE = "unresponsive"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    DAMAGED = "damaged"
    DELETED = "deleted"


STATUSES = {
    Word.STARTING: "starting",
    Word.WAITING: "waiting in line",
    Word.LOADING: "loading",
    Word.RUNNING: "running",
    Word.EVALUATING: "testing",
    Word.SAVING: "saving",
    Word.PAUSED: "paused",
    Word.UNRESPONSIVE: "not responding",
    Word.INTERRUPTED: "interrupted",
    Word.FINISHED: "finished",
    Word.STOPPED: "stopped",
    Word.FAILED: "failed",
    Word.DAMAGED: "cannot be read",
    Word.DELETED: "deleted",
}
"""Status words as people read them."""
OF_PHASE = {
    Phase.STARTING: Word.STARTING,
    Phase.WAITING: Word.WAITING,
    Phase.LOADING: Word.LOADING,
    Phase.TRAINING: Word.RUNNING,
    Phase.EVALUATING: Word.EVALUATING,
    Phase.SAVING: Word.SAVING,
    Phase.PAUSED: Word.PAUSED,
}
"""The status of a run whose trainer answers."""
OUTCOMES = (Word.FINISHED, Word.STOPPED, Word.FAILED)
"""How a run ends whose trainer says so."""
RESUMABLE = (Word.INTERRUPTED, Word.STOPPED, Word.FAILED)
"""What can go on from where it is."""
_OVER = (*OUTCOMES, Word.INTERRUPTED, Word.DAMAGED, Word.DELETED)


class Status(NamedTuple):
    """What a run does; `ahead` runs are before it in the line."""

    word: Word
    step: int = 0
    ahead: int = 0

    @property
    def active(self) -> bool:
        """Whether a trainer is at it, or about to be."""
        return self.word not in _OVER
