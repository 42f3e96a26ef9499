"""About how long a step takes on a device of which no more is known than a short measurement."""

from enum import StrEnum
from typing import NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.summary import summarize

LEAST = 2e-3
"""Seconds of a step at least."""
LAYER, UPDATE = 5e6, 32
"""As many MACs of an image take as long, on a processor, as what a layer and a parameter cost in a step besides.

They go with what was measured: on a busy machine, or an old one, all takes longer. Steps of the slim VGG-11 with
64 images of 32 pixels are 0.9 to 1.2 times as long on idle cores; on busy ones half of what was measured was seen.
"""
GPU_LAYER, GPU_UPDATE = 5e-5, 2e-10
"""Seconds for both on a GPU, about; not checked on one."""


class By(StrEnum):
    """What a speed is known by: what the processor is, a short measurement, runs that have ended."""

    PROCESSOR = "processor"
    LOOK = "look"
    RUNS = "runs"


class Speed(NamedTuple):
    """Seconds of a step for each MAC of an image, for each layer, and for each parameter."""

    mac: float
    layer: float
    weight: float
    by: By = By.LOOK

    @staticmethod
    def measured(pace: float, speedup: float, gpu: bool, by: By = By.LOOK) -> "Speed":
        """Where a MAC takes `pace` seconds in float32, and in the precision of the run that part by `speedup`."""
        if gpu:
            return Speed(pace / speedup, GPU_LAYER, GPU_UPDATE, by)
        return Speed(pace / speedup, LAYER * pace, UPDATE * pace, by)

    def times(self, factor: float, by: By) -> "Speed":
        """One with which all takes `factor` times as long, and by what that is known."""
        return Speed(factor * self.mac, factor * self.layer, factor * self.weight, by)

    def step(self, network: Network, batch: int) -> float:
        """Of a network at its own input; `InputError` if it is too small."""
        summary = summarize(*network)
        beside = self.layer * len(summary.rows) + self.weight * summary.totals.params
        return LEAST + beside + self.mac * batch * summary.totals.macs
