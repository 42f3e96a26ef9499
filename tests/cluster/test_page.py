"""The Train page with a real cluster: what is free, and a run that is started there."""

import pytest
from conftest import wait_until
from test_train_page import Train

from cluster.conftest import Cluster
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.launch import stop
from vggexplorer.runs.places import Place
from vggexplorer.ui import jobs


def test_the_page_shows_what_is_free_and_starts_a_run_there(
    cluster: Cluster, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(runs.path))
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    page = Train(arch="1x4", hidden="none")
    page.set("cluster", "auto")
    wait_until(lambda: (job := jobs.find("cluster")) and not job.running)
    page.run()
    assert "2 nodes; processors: 2 of 2 free; GPUs: 0 of 0 free." in page.captions
    page.click("start")
    (run,) = runs.all(recorded=False)
    assert Place.of(run) == Place(cluster="auto")
    wait_until(lambda: run.last_record(), 60)
    page.run()
    assert not page.errors
    stop(run)
    wait_until(lambda: not run.status().active, 60)
