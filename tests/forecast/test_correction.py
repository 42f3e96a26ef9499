"""By how much past runs correct a forecast: the most alike count, and one odd run among them does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggexplorer.architectures import NETWORKS
from vggexplorer.forecast.correction import RECENT, SPREAD, Likeness, Steps, correction, factor

SLIM = Steps(NETWORKS["VGG-11 slim"], 64, 1, "float32")
OTHERS = {
    Likeness.NETWORK: SLIM._replace(batch=128),
    Likeness.DEVICE: SLIM._replace(network=NETWORKS["LeNet"]),
}
TIMES = st.floats(1e-4, 1e3)


def expected(_: Steps) -> float:
    return 0.1


def test_nothing_is_known_without_runs_of_the_precision() -> None:
    assert correction([], SLIM, expected) is None
    assert correction([SLIM._replace(precision="bfloat16", seconds=1)], SLIM, expected) is None


@pytest.mark.parametrize("likeness", list(OTHERS))
def test_the_most_alike_count(likeness: Likeness) -> None:
    other = OTHERS[likeness]._replace(seconds=0.3)
    alone = correction([other], SLIM, expected)
    assert alone
    assert alone == (pytest.approx(3), likeness, SPREAD[likeness])
    both = correction([SLIM._replace(seconds=0.05), other], SLIM, expected)
    assert both
    assert (both.factor, both.likeness) == (pytest.approx(0.5), Likeness.STEPS)


def test_one_that_was_disturbed_does_not_count_and_the_newest_do() -> None:
    runs = [SLIM._replace(seconds=each) for each in (0.1, 2.0, 0.1)]
    found = correction(runs, SLIM, expected)
    assert found
    assert found.factor == pytest.approx(1)
    assert found.spread == pytest.approx(19)
    slower = [SLIM._replace(seconds=0.2)] * RECENT
    assert factor([*runs, *slower], expected) == pytest.approx(2)


def test_a_machine_is_taken_to_be_as_busy_as_it_was_last() -> None:
    idle, busy = SLIM._replace(seconds=0.1, share=0.9), SLIM._replace(seconds=0.5, share=0.2)
    for runs, expected_factor, spread in (
        ([busy], 5, 4.0),
        ([idle, busy], 5, 4.0),
        ([busy, busy, idle], 1, 0.25),
        ([idle, busy, idle, busy, busy], 5, 4.0),
    ):
        found = correction(runs, SLIM, expected)
        assert found
        assert found == (pytest.approx(expected_factor), Likeness.STEPS, pytest.approx(spread))
        assert factor(runs, expected) == pytest.approx(1)  # alone


@given(st.lists(TIMES, min_size=1, max_size=9))
def test_all_of_the_newest_are_within_the_spread(times: list[float]) -> None:
    found = correction([SLIM._replace(seconds=each) for each in times], SLIM, expected)
    assert found
    for each in times[-RECENT:]:
        assert 1 / (1 + found.spread) <= each / 0.1 / found.factor * (1 + 1e-9)
        assert each / 0.1 / found.factor <= (1 + found.spread) * (1 + 1e-9)


@given(TIMES, TIMES)
def test_it_makes_up_for_whatever_the_forecast_was(took: float, forecast: float) -> None:
    found = correction([SLIM._replace(seconds=took)], SLIM, lambda _: forecast)
    assert found
    assert found.factor * forecast == pytest.approx(took)
