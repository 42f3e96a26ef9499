"""A race in a real browser: started with one click, a member killed and resumed, and nobody is the worse for it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Server, wait_until
from real_runs import check_same_records
from safetensors.torch import load_file
from test_train_browser import (  # noqa: F401 (fixtures)
    SMALL,
    Train,
    folder,
    pid_of,
    serve,
    visit,
)
from torch import equal

from vggexplorer.processes import processors
from vggexplorer.runs import launch
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.races import members

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the trainers are killed by POSIX signals")


class Race(Train):
    """The page with a race in view."""

    def press_of(self, member: int, action: str) -> None:
        self.page.locator(f".st-key-{action}-run-{member} button").click()

    def say(self, member: int, *words: str, seconds: float = 60) -> None:
        """Wait until the badge of a member says one of `words`."""
        badge = self.page.locator(f".st-key-watched-{member} .badge")
        wait_until(lambda: badge.inner_text().partition(" ")[2] in words or self.wait(50), seconds, str(words))


def alone(runs: Runs, member: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same run without a race, with as many threads."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(member.environment()["threads"]))
    run = launch.start(runs, member.config())
    wait_until(lambda: not run.status().active, 120, run.end_of_log())
    return run


def test_a_race_is_started_one_is_killed_and_resumed_and_the_bits_are_those_of_runs_alone(
    serve: Callable[[], Server],  # noqa: F811
    visit: Callable[[Server], Race],  # noqa: F811
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    page = visit(serve())
    race = Race(page.page, page.server)
    race.open("/train", **SMALL)
    race.epochs(12)
    race.page.locator(".st-key-race-line").get_by_role("combobox").click()
    race.page.get_by_role("option", name="LeNet", exact=True).click()
    race.page.locator(".st-key-race-line").get_by_role("button", name="Race against").click()
    race.say(1, "running", "testing")
    race.say(2, "running", "testing")
    race.points(more_than=10)
    runs = Runs(folder)
    first, second = members(runs, runs.all(recorded=False)[0])
    assert first.environment()["threads"] == second.environment()["threads"] == max(1, processors() // 2)

    race.press_of(1, "pause")
    race.say(1, "paused")
    os.kill(pid_of(first), signal.SIGKILL)
    race.say(1, "interrupted")
    assert second.status().active or second.status().word == "finished"
    race.press_of(1, "resume")
    race.say(1, "finished", seconds=120)
    race.say(2, "finished", seconds=120)
    race.page.locator(".st-key-after-1 button").nth(2).wait_for()
    for member in (first, second):
        other = alone(runs, member, monkeypatch)
        check_same_records(member, other)
        mine, its = (load_file(run.path / "model.safetensors") for run in (member, other))
        assert all(equal(mine[name], its[name]) for name in mine)
