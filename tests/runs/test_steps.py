"""Which kind of step a run takes, from what was asked, where it is and what a trial found."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from vggexplorer.runs.exactness import FAST, PLAIN
from vggexplorer.runs.options import Training
from vggexplorer.runs.steps import Choice, Place, Why, pays, ruled_out, told

ABLE = Place(nvidia=True, bfloat16=True, triton=True)


@pytest.mark.parametrize(
    ("training", "precision", "place", "why"),
    [
        ({}, "bfloat16", ABLE, None),
        ({"momentum": 0.9, "weight_decay": 1e-3, "flip": True}, "bfloat16", ABLE, None),
        ({}, "float32", ABLE, Why.FLOAT32),
        ({"optimizer": "adam"}, "bfloat16", ABLE, Why.ADAM),
        ({"exact": True}, "bfloat16", ABLE, Why.EXACT),
        ({}, "bfloat16", ABLE._replace(processes=2), Why.SEVERAL),
        ({}, "bfloat16", ABLE._replace(triton=False), Why.NO_TRITON),
        ({}, "bfloat16", ABLE._replace(bfloat16=False), Why.NO_BFLOAT16),
        ({"exact": True, "optimizer": "adam"}, "float32", Place(False, False, False, 2), Why.DEVICE),
    ],
)
def test_a_step_is_ruled_out_by_what_was_asked_and_where_it_is(
    training: dict[str, Any], precision: str, place: Place, why: Why | None
) -> None:
    assert ruled_out(replace(Training(), **training), precision, place) is why


@pytest.mark.parametrize(
    ("plain", "left", "worth"),
    [
        (128 / 11_692, 4690, True),  # ten epochs of Fashion-MNIST on an H100, which take 51 s
        (128 / 11_692, 469, False),  # one of them: 3.5 s would be saved
        (2.3 / 210, 210, False),  # the quick demo, with 2.3 s of steps
        (1.0, 20, False),  # as many steps as a trial makes
        (1.0, 100, True),
        (1e-4, 10_000, False),
    ],
)
def test_a_trial_is_made_if_it_saves_more_than_it_costs(plain: float, left: int, worth: bool) -> None:
    assert pays(plain, left) is worth


@pytest.mark.parametrize("why", Why)
def test_each_reason_is_a_clause_that_is_read_again(why: Why) -> None:
    choice = Choice(why, 0.0109, 0.0035, 128, 51.3, "features.0.weight")
    again = Choice.from_json(json.loads(json.dumps(choice.to_json())))
    assert again == choice
    assert choice.kind == (FAST if why is Why.FASTER else PLAIN)
    assert str(choice.remark).startswith("fused, " if why is Why.FASTER else "PyTorch's own, ")
    assert "{" not in str(choice.remark)
    assert told({"step": choice.to_json()}) == (None if why is Why.DEVICE else choice.remark)


def test_the_times_stand_in_it() -> None:
    assert str(Choice(Why.FASTER, 0.0109, 0.0035, 128).remark) == (
        "fused, since a step with 128 images takes 3.5 ms, PyTorch's own 10.9 ms"
    )
    assert "all steps that are left take 2.3 s" in str(Choice(Why.SHORT, 0.01, None, 128, 2.3).remark)
    assert str(Choice(Why.FAILED, what="x" * 999).remark).endswith("failed: " + "x" * 300)


@pytest.mark.parametrize(
    "damage", [{"why": "whim"}, {"plain": -1}, {"fast": math.nan}, {"left": "soon"}, {"batch": "all"}, {"batch": None}]
)
def test_a_damaged_choice_is_none(damage: dict[str, Any]) -> None:
    data = Choice(Why.FASTER, 2.0, 1.0, 8).to_json()
    assert Choice.from_json(data | damage) is None
    for broken in ({}, None, 5, [], "fast"):
        assert Choice.from_json(broken) is None
        assert told({"step": broken}) is None
    assert told({}) is None
