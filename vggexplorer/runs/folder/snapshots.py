"""Snapshots of a network that trains: its convolutions after some of the steps, so that one can see them form.

Where the head is small, it is kept with them, so that one can see the answer form, too.
"""

from pathlib import Path

from vggexplorer.runs.folder import layout

MOST = 14
"""How many are kept of a run."""
MOST_BYTES = 96 * 2**20
"""What all of a run's take on the disk: VGG-19 gets two, the slim VGG-11 all."""


def schedule(num_steps: int, size: int) -> frozenset[int]:
    """After which of `num_steps` steps one of `size` bytes is kept: 0, then ever farther apart, as learning slows down.

    The end is not among them: the trained weights are kept as a whole.
    """
    most = min(MOST, MOST_BYTES // max(1, size))
    return frozenset([0][:most]) | {round(num_steps ** (place / most)) for place in range(1, most)} - {num_steps}


def with_head(size: int) -> bool:
    """Whether the head is kept, too: if as many as ever of the whole network, of `size` bytes, take no more."""
    return MOST * size <= MOST_BYTES


def file(run: Path, step: int) -> Path:
    """Where the snapshot after `step` steps is."""
    return run / layout.SNAPSHOTS / f"{step:09d}.safetensors"


def files(run: Path) -> list[Path]:
    """The snapshots of the run in a folder, the first one first."""
    return sorted((run / layout.SNAPSHOTS).glob("[0-9]*.safetensors"))
