"""Which precision is chosen, by the times of devices that were measured; and that a forecast goes by the same rule."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from test_forecast import CPU, PLAIN, SLIM

from vggexplorer.forecast.precision import BOTH, WORTHWHILE, Decision, Why, decide
from vggexplorer.forecast.time import Calibration
from vggexplorer.runs.devices import Device
from vggexplorer.runs.forecasts import forecast, suffices

BATCH = 128
TIMES = {
    # examples a second in float32 and bfloat16, measured with the slim VGG-11 at 224 pixels, and AlexNet's
    "H100": (True, BATCH / 10_146, BATCH / 11_692, "bfloat16", Why.FASTER),
    "H100, another call": (True, BATCH / 9_346, BATCH / 10_768, "bfloat16", Why.FASTER),
    "H100, AlexNet": (True, BATCH / 14_291, BATCH / 18_269, "bfloat16", Why.FASTER),
    # an A100 whose data sheet has sixteen times the operations in bfloat16 as in float32
    "A100": (True, 312 * 1e-4, 19.5 * 1e-4, "bfloat16", Why.FASTER),
    # a GPU that imitates bfloat16 is not timed in it, and not believed if it was
    "T4": (False, 0.1, None, "float32", Why.NO_HARDWARE),
    "T4, timed": (False, 0.1, 0.05, "float32", Why.NO_HARDWARE),
    # examples a second of a processor with AMX, and times of one whose bfloat16 is hardly worth the change
    "CPU with AMX": (True, BATCH / 34, BATCH / 87, "bfloat16", Why.FASTER),
    "CPU with AVX512-BF16": (True, 1.0, 0.95, "float32", Why.NOT_FASTER),
    "CPU without": (False, None, None, "float32", Why.NO_HARDWARE),
    "small memory": (True, None, 0.1, "bfloat16", Why.NO_ROOM),
    "no memory": (True, None, None, "bfloat16", Why.NOT_TIMED),
    "an operation is missing": (True, 0.1, None, "float32", Why.FAILED),
}


@pytest.mark.parametrize(("hardware", "single", "half", "precision", "why"), TIMES.values(), ids=TIMES)
def test_each_device_gets_what_is_faster_there(
    hardware: bool, single: float | None, half: float | None, precision: str, why: Why
) -> None:
    decided = decide(hardware, single, half, BATCH)
    assert decided == Decision(precision, why, single, half, BATCH)
    assert str(decided.remark).startswith(f"{precision}, since ")
    assert Decision.from_json(json.loads(json.dumps(decided.to_json()))) == decided


def test_a_little_faster_is_not_worthwhile() -> None:
    assert decide(True, WORTHWHILE, 1.0).precision == "float32"
    assert decide(True, math.nextafter(WORTHWHILE, 2), 1.0).precision == "bfloat16"


def test_the_decision_says_its_two_times_and_its_step() -> None:
    assert str(decide(True, BATCH / 10_146, BATCH / 11_692, BATCH).remark) == (
        "bfloat16, since a step with 128 images takes 10.9 ms, in float32 12.6 ms"
    )
    assert "with 1 image takes 1,500 ms, in bfloat16 1,400 ms" in str(decide(True, 1.5, 1.4, 1).remark)
    assert "does not compute in bfloat16" in str(decide(False, None, None).remark)


@pytest.mark.parametrize(
    "damage",
    [
        {"precision": "int8"},
        {"why": "whim"},
        {"why": "faster", "float32": None},
        {"float32": "soon"},
        {"float32": math.nan},
        {"bfloat16": -1},
        {"batch": "all"},
    ],
)
def test_a_damaged_decision_is_none(damage: dict[str, Any]) -> None:
    assert Decision.from_json(decide(True, 2.0, 1.0, 8).to_json() | damage) is None
    assert Decision.from_json({}) is Decision.from_json(None) is None


# --- before a run -------------------------------------------------------------------------------------------


def both(bfloat16: float) -> Calibration:
    """A device that takes so many times as long in bfloat16 as in float32."""
    single = PLAIN.rates["float32"]
    half = {
        kind: tuple(
            rate._replace(**{name: bfloat16 * value for name, value in rate._asdict().items()}) for rate in pair
        )
        for kind, pair in single.items()
    }
    return replace(PLAIN, rates={"float32": single, "bfloat16": half})  # type: ignore[dict-item]


ABLE = CPU._replace(speedup=2.0)


@pytest.mark.parametrize(
    ("device", "calibration", "precision"),
    [
        (ABLE, both(0.8), "bfloat16"),
        (ABLE, both(1.9), "float32"),  # measured since, and of this network: it counts more than the short measurement
        (CPU, both(0.8), "bfloat16"),
        (CPU._replace(speedup=0.0), both(0.8), "float32"),  # its trainer would not try
        (ABLE, PLAIN, "bfloat16"),
        (CPU, None, "float32"),
        (Device("cuda:0", "NVIDIA H100 80GB HBM3", 80 * 2**30, 0.9), None, "bfloat16"),
        (Device("cuda:0", "Tesla V100-SXM2-16GB", 16 * 2**30, 0.0), None, "float32"),
    ],
)
def test_a_forecast_is_of_the_precision_that_the_trainer_will_choose(
    device: Device, calibration: Calibration | None, precision: str
) -> None:
    assert forecast(SLIM, device, calibration).precision == precision
    assert suffices(calibration, SLIM, device) == bool(calibration and precision in calibration.rates)
    for asked in BOTH:
        fixed = replace(SLIM, training=replace(SLIM.training, precision=asked))
        assert forecast(fixed, device, calibration).precision == asked
