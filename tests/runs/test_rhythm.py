"""When a step has a record: by its number and by the clock alone, put in here."""

from itertools import count, pairwise, takewhile

import pytest

from vggexplorer.runs.trainer.rhythm import Rhythm


def recorded(steps_per_epoch: int, epochs: int, step_seconds: float) -> dict[int, float]:
    """The steps with a record, and when each is done."""
    rhythm = Rhythm(steps_per_epoch)
    times = {step: step * step_seconds for step in range(1, steps_per_epoch * epochs + 1)}
    return {step: now for step, now in times.items() if rhythm.due(step, now)}


def drawn_by_the_book(num_batches: int, epochs: int) -> set[int]:
    """As in the book's `train_ch6`: `(i + 1) % (num_batches // 5) == 0 or i == num_batches - 1`."""
    return {
        epoch * num_batches + i + 1
        for epoch in range(epochs)
        for i in range(num_batches)
        if (i + 1) % (num_batches // 5) == 0 or i == num_batches - 1
    }


@pytest.mark.parametrize("step_seconds", [0.0003, 0.003, 0.05, 1.0])
@pytest.mark.parametrize("num_batches", [5, 47, 469])
def test_every_point_of_the_book_and_at_most_five_a_second_besides(num_batches: int, step_seconds: float) -> None:
    found, book = recorded(num_batches, 3, step_seconds), drawn_by_the_book(num_batches, 3)
    assert book <= found.keys()
    besides = [now for step, now in found.items() if step not in book]
    for at, now in enumerate(besides):
        assert len([*takewhile(lambda later, now=now: later < now + 1, besides[at:])]) <= 5  # type: ignore[misc]


def test_steps_of_three_milliseconds_leave_no_gap_that_an_eye_could_see() -> None:
    found = recorded(469, 10, 0.003)
    assert max(after - before for before, after in pairwise(found.values())) < 0.21
    assert len(found) / max(found.values()) < 5 + 6 / (469 * 0.003)


def test_steps_of_a_second_have_a_record_each() -> None:
    assert list(recorded(47, 2, 1.0)) == list(range(1, 95))


def test_the_first_step_of_a_start_has_a_record_wherever_it_begins() -> None:
    assert Rhythm(469).due(1, 1000.0)
    assert Rhythm(469).due(777, 0.0)


def test_an_epoch_of_a_few_steps() -> None:
    rhythm = Rhythm(2)
    assert all(rhythm.due(step, 0.0) for step, _ in zip(count(1), range(6), strict=False))
