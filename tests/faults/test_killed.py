"""The trainer dies by SIGKILL, anywhere; resumed, it ends with the same bits as one that was left alone."""

import signal
from collections.abc import Callable
from functools import partial
from random import Random

from samples import Sample

from faults.conftest import (
    CONFIG,
    SAVE_EVERY,
    STEPS,
    Nursery,
    Whole,
    boundaries,
    check_the_end,
    check_what_is_left,
    saved_before,
)
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

RANDOM = 25
"""How many times it is killed at a random moment, and how many at a random call."""


def die_at(nursery: Nursery, run: Run, whole: Whole, number: int, half: bool) -> int:
    """Die at the call with that number, the first time; the last whole checkpoint is there."""
    status = nursery.train(run, "killed", number, half)
    assert run.outcome() or run.saved_step() == saved_before(whole.calls, number)
    return status


def kill_and_resume(nursery: Nursery, run: Run, whole: Run, *kills: Callable[[], int]) -> None:
    """Die in each of these ways, while there is something to do, and go on to the end."""
    for die in kills:
        assert die() in (-signal.SIGKILL, 0)
        if check_what_is_left(run, whole):
            break
    else:
        assert nursery.train(run) == 0
    check_the_end(run, whole)


# --- at every write boundary -----------------------------------------------------------------------------


def test_the_calls_that_are_watched_are_all_that_count(whole: Whole) -> None:
    """What a trainer does to its folder, as the table in docs/faults.md names it."""
    kinds = {tuple(call.split(" ", 1)) for call in whole.calls}
    written = {name.removeprefix("RUN/").lstrip(".") for call, name in kinds if "write" in call}
    assert {"metrics.jsonl", "heartbeat", "environment.json", "outcome.json", "model.safetensors"} <= written
    assert {"checkpoint/.state.safetensors", "result.json"} <= written
    assert ("replace", "RUN/checkpoint/.state.safetensors") in kinds
    assert ("fsync", "RUN/metrics.jsonl") in kinds
    assert ("unlink", "state.safetensors") in kinds
    assert whole.calls.count("write RUN/metrics.jsonl") == STEPS
    assert whole.calls.count("replace RUN/checkpoint/.state.safetensors") == (STEPS - 1) // SAVE_EVERY


def test_killed_at_every_write_boundary(nursery: Nursery, whole: Whole, runs: Runs, sample: Sample) -> None:
    places = boundaries(whole.calls)
    assert len(places) >= 60
    for number, half in sample(places, 5):
        run = runs.create(CONFIG)
        try:
            kill_and_resume(nursery, run, whole.run, partial(die_at, nursery, run, whole, number, half))
        except AssertionError as error:
            raise AssertionError(f"killed at {number}, {whole.calls[number - 1]}, half done: {half}") from error


def test_killed_at_random_calls_and_again_after_the_resume(
    nursery: Nursery, whole: Whole, runs: Runs, dice: Random, sample: Sample
) -> None:
    """Half of the calls are in the second half, where the second epoch's lost order would show."""
    last = len(whole.calls)
    first = [dice.randint(1, last) if place % 2 else dice.randint(last // 2, last) for place in range(RANDOM)]
    for number in sample(first, 2):
        run = runs.create(CONFIG)
        places = (number, number % 2 == 0), (last // 4 + number % 40, number % 2 == 0)
        deaths = (partial(nursery.train, run, "killed", *place) for place in places)
        kill_and_resume(nursery, run, whole.run, *deaths)


def test_killed_at_random_moments(nursery: Nursery, whole: Whole, runs: Runs, dice: Random, sample: Sample) -> None:
    for after in sample([dice.uniform(0.02, whole.seconds) for _ in range(RANDOM)], 2):
        run = runs.create(CONFIG)
        deaths = (partial(nursery.train, run, after=seconds) for seconds in (after, after / 2))
        kill_and_resume(nursery, run, whole.run, *deaths)
