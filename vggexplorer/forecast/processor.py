"""About how fast a processor trains, by what it is: before anything was measured, and without PyTorch."""

from typing import NamedTuple

from vggexplorer.processor import Processor


class Unit(NamedTuple):
    """What a core does in a cycle: multiply-accumulates in float32, and how many times as many in bfloat16."""

    flag: str
    macs: float
    bfloat16: float = 0.0


# Agner Fog, "Instruction tables", and Intel's and Arm's optimization guides: lanes times what is begun in a cycle.
# AVX-512 begins two on servers, one (or two halves) on laptops and AMD Zen 4: between them. Without FMA, a product and
# a sum are two instructions. In bfloat16 less than the short measurement showed on an EPYC (1.7 to 1.8), of AMX less
# than its tiles could: memory is the limit.
UNITS = (
    Unit("amx_bf16", 24, 3.0),
    Unit("avx512_bf16", 24, 1.5),
    Unit("avx512f", 24),
    Unit("avx2", 16),
    Unit("avx", 8),
    Unit("asimddp", 8),  # from Arm's Cortex-A75 and Neoverse N1 on, and Apple's
    Unit("asimd", 4),
    Unit("sse4_1", 4),
    Unit("sse2", 4),
)
"""The best first."""
SHARE = 0.6
"""The part of all those that training reaches: 0.4 to 0.8 on processors with AVX2, whose clock is not always the one
that is told."""
CLOCK = 2e9
"""Hertz where the system does not say."""
PASSES = 3
"""MACs of a step for each MAC of its forward pass."""


class Estimate(NamedTuple):
    """Seconds of a step for each MAC in float32, and how many times as fast bfloat16 is; 0 where there is none."""

    pace: float
    speedup: float


def estimate(found: Processor) -> Estimate | None:
    """What a device that was looked at has been measured at, about; None if too little is known of the processor."""
    unit = next((each for each in UNITS if each.flag in found.flags), None)
    if unit is None or not found.cores:
        return None
    rate = SHARE * found.cores * (found.clock or CLOCK) * unit.macs
    return Estimate(PASSES / rate, unit.bfloat16)
