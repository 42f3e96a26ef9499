"""How evenly pictures are spread over classes."""

import pytest

from vggexplorer.runs.survey import balance

COUNTS = {"cat": (30, 6), "dog": (90, 3), "fox": (31, 1)}


def test_the_largest_class_and_what_voting_for_it_gets() -> None:
    """By hand: 90 / 30, and 3 of the 10 that are for testing."""
    assert balance(COUNTS) == ("dog", "cat", 3.0, 0.3)
    assert not balance(COUNTS).even


@pytest.mark.parametrize(("count", "even"), [(100, True), (105, True), (106, False)])
def test_up_to_a_twentieth_more_is_about_as_many(count: int, even: bool) -> None:
    assert balance({"cat": (100, 10), "dog": (count, 10)}).even is even


def test_without_a_test_nobody_knows_what_a_vote_gets() -> None:
    assert balance({"cat": (3, 0), "dog": (1, 0)}).vote is None
