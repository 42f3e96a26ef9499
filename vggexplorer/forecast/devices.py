"""GPUs that are not here, from their data sheets: a rough forecast for them."""

from typing import NamedTuple

from vggexplorer.forecast.time import ANY, NOTHING, STEP, Calibration, Rate


class Preset(NamedTuple):
    """A GPU by its data sheet: operations a second in float32 and (0 without tensor cores for it) in bfloat16, bytes
    a second, bytes of memory."""

    title: str
    float32: float
    bfloat16: float
    bandwidth: float
    memory: int


PRESETS = (
    # NVIDIA, "Turing GPU architecture" white paper and the product page: 1536 cores x 2 x 1.77 GHz, GDDR6 at 288 GB/s.
    Preset("GTX 1660 Ti", 5.4e12, 0, 288e9, 6 * 2**30),
    # NVIDIA V100 data sheet (SXM2, 16 GB); its tensor cores know float16, not bfloat16.
    Preset("V100", 15.7e12, 0, 900e9, 16 * 2**30),
    # NVIDIA A100 data sheet (SXM, 80 GB); float32 without TF32.
    Preset("A100", 19.5e12, 312e12, 2039e9, 80 * 2**30),
    # NVIDIA H100 data sheet (SXM), without sparsity; float32 without TF32.
    Preset("H100", 67e12, 989e12, 3.35e12, 80 * 2**30),
)
"""GPUs that a reader may have or rent."""
EFFICIENCY = {"float32": 0.6, "bfloat16": 0.3}
"""The share of a data sheet's figures that training reaches, an estimate. A reader's GTX 1660 Ti trained the book's
slim VGG-11 at 0.68 of them; tensor cores are kept waiting more."""
LAUNCH, REST, START = 15e-6, 1e-3, 8.0
"""Seconds that a GPU takes for each layer and each step whatever its size, and until the first step: estimates."""
GPU_CONTEXT = 500 * 2**20
"""Bytes that CUDA and its libraries take, an estimate."""
ROUGH = 1.0
"""The spread of an estimate from a data sheet: half or twice the time."""


def preset(title: str) -> Calibration | None:
    """The calibration that a data sheet gives for the GPU called `title`, an estimate; None if we have none."""
    return next((_of_data_sheet(found) for found in PRESETS if found.title in title), None)


def _of_data_sheet(found: Preset) -> Calibration:
    rates = {}
    for precision, peak in (("float32", found.float32), ("bfloat16", found.bfloat16)):
        if peak:
            share = EFFICIENCY[precision]
            arithmetic, moving = 2 / (share * peak), 1 / (share * found.bandwidth)
            forward = Rate(arithmetic, moving, moving, 0, LAUNCH)
            backward = Rate(2 * arithmetic, 2 * moving, 2 * moving, 0, LAUNCH)
            rates[precision] = {ANY: (forward, backward), STEP: (NOTHING._replace(overhead=REST), NOTHING)}
    return Calibration(found.title, True, rates, GPU_CONTEXT, START, ROUGH, measured=False)
