"""A sweep on a real cluster of two nodes, in a real browser: from Compare to the Pareto chart on Runs."""

from typing import TYPE_CHECKING

from conftest import StartServer, wait_until
from samples import either
from test_sweeps_browser import ask_for, front_is_drawn

from cluster.conftest import Cluster
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps.folder import all_sweeps

if TYPE_CHECKING:
    from playwright.sync_api import Browser


SEEDS = either((0, 1, 2), (0, 1))
RUNS = 4 * len(SEEDS)


def test_a_sweep_on_two_nodes(browser: "Browser", cluster: Cluster, runs: Runs, server: StartServer) -> None:
    dashboard = server(env={"VGGEXPLORER_RUNS": str(runs.path), "RAY_ADDRESS": cluster.address})
    context = browser.new_context(viewport={"width": 1440, "height": 1400}, locale="en-US")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{dashboard.url}/compare?lang=en&input=1x28x28&arch=1x4;hidden=none&arch=1x8,1x16;hidden=none")
    ask_for(page, **{"Seeds": ", ".join(map(str, SEEDS)), "Epochs": "1", "Inputs, pixels": "28", "Widths": "1, 1/2"})
    page.get_by_label("Where to run").click()
    page.get_by_role("option", name="the cluster").click()
    page.get_by_text(f"{RUNS} runs on the cluster.").wait_for()
    page.get_by_role("button", name=f"Start {RUNS} runs").click()
    page.get_by_role("button", name="Stop all").wait_for()

    (sweep,) = all_sweeps(runs)
    assert sweep.asked().place == Place(cluster="auto")
    most = 0
    finished = page.get_by_text(f"{RUNS} of {RUNS} runs finished")

    def over() -> bool:
        nonlocal most
        words = [member.status.word for member in sweep.members() if member.status]
        most = max(most, words.count("running"))
        page.wait_for_timeout(50)
        return finished.count() > 0

    wait_until(over, 240, "the sweep")
    assert most == 2, "both nodes were at work"
    members = sweep.members()
    assert all(Place.of(member.run) == sweep.asked().place for member in members)
    assert all(member.run.weights() for member in members)
    front_is_drawn(page, sweep)
    context.close()
    assert errors == []
