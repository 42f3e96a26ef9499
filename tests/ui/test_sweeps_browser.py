"""A sweep in a real browser, with real trainers: from Compare to its Pareto chart on Runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Server, StartServer, wait_until
from real_runs import end_all

from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps
from vggexplorer.runs.sweeps.pareto import Result, pareto_front, points_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LINES = """() => [...document.querySelectorAll('.st-key-sweep .chart .scatterlayer .trace')].length"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs; what still trains in the end is killed."""
    yield tmp_path / "runs"
    end_all(Runs(tmp_path / "runs"))


@pytest.fixture
def dashboard(server: StartServer, folder: Path) -> Server:
    return server(env={"VGGEXPLORER_RUNS": str(folder), "OMP_NUM_THREADS": "1"})


def ask_for(page: "Page", **fields: str) -> None:
    """Fill in `fields` of the form of Compare."""
    page.get_by_role("tab", name="Train them").click()
    for label, text in fields.items():
        field = page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Enter")


def front_is_drawn(page: "Page", sweep: Sweep) -> None:
    """The page names the networks on the Pareto front, computed anew from what the runs have reached."""
    results = [
        Result(each.config, outcome.best_test_acc, outcome.seconds)
        for each in sweep.members()
        if (outcome := each.run.outcome())
    ]
    front = pareto_front(points_of(results), "params")
    text = page.get_by_text("on the Pareto front, from the cheapest on").first
    text.wait_for()
    assert text.inner_text().endswith(", ".join(point.label for point in front))


def test_networks_of_compare_are_trained_and_their_front_is_drawn(
    browser: "Browser", dashboard: Server, folder: Path
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1400}, locale="en-US")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{dashboard.url}/compare?lang=en&input=1x28x28&arch=1x4;hidden=none&arch=1x8,1x16;hidden=none")
    ask_for(page, **{"Seeds": "0, 1", "Epochs": "1", "Inputs, pixels": "28"})
    start = page.get_by_role("button", name="Start 4 runs")
    start.wait_for()
    start.dblclick()
    page.get_by_role("button", name="Stop all").wait_for()
    assert "/runs?sweep=" in page.url
    (sweep,) = all_sweeps(Runs(folder))  # a double click is one sweep
    assert sweep.id in page.url
    assert len(sweep.members()) == 4
    page.get_by_text("4 of 4 runs finished", exact=True).wait_for(timeout=120_000)
    front_is_drawn(page, sweep)
    wait_until(lambda: page.evaluate(LINES) == 3 or page.wait_for_timeout(50), 20, "a line and two points")
    page.locator(".st-key-sweep-against").get_by_text("MACs").click()
    page.get_by_text("Best test accuracy against its cost: MACs").first.wait_for()
    sweep.members()[0].run.delete()
    page.reload()
    page.get_by_text("3 of 4 runs finished · 1 deleted").wait_for()
    assert page.get_by_role("button", name="Resume the rest").count() == 0
    page.get_by_role("button", name="Remove the group").click()
    wait_until(lambda: "sweep=" not in page.url or page.wait_for_timeout(50), 10, "the group to go")
    assert len(Runs(folder).all(recorded=False)) == 3
    context.close()
    assert errors == []
