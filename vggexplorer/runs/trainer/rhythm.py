"""Which steps of a run have a record: one rule for all devices, which knows the step and the time alone.

A record waits for the device, since its figures have to be fetched; no other step does.
"""

import math

EACH_EPOCH = 5
"""How many points of an epoch the book's `train_ch6` draws, and one more at its end."""
APART = 0.2
"""Seconds from a record to the next one that the book would not draw: at most five a second."""


class Rhythm:
    """A record at every step that the book draws, and at most five a second besides."""

    def __init__(self, steps_per_epoch: int) -> None:
        self._steps = steps_per_epoch
        self._every = max(1, steps_per_epoch // EACH_EPOCH)
        self._last = -math.inf

    def due(self, step: int, now: float) -> bool:
        """Whether there is a record after `step` steps, at `now` seconds of a clock that never goes back."""
        due = self.drawn(step) or now - self._last >= APART
        if due:
            self._last = now
        return due

    def drawn(self, step: int) -> bool:
        """Whether the book draws a point after `step` steps."""
        index = (step - 1) % self._steps + 1
        return index % self._every == 0 or index == self._steps
