"""A run that would take too long is made to fit in a real browser, and then trained."""

# ruff: noqa: F401, F811 (fixtures of another module)

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Server, wait_until
from test_forecast_pages import KNOWN
from test_train_browser import SMALL, Train, folder, only_run, serve, visit

from vggexplorer.forecast.time import Calibration
from vggexplorer.runs import devices, forecasts
from vggexplorer.runs.calibration import Measurements, keep
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.forecasts import Forecast

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the trainers are stopped by POSIX signals")


def test_a_proposal_is_applied_and_its_run_trained(
    serve: Callable[[], Server], visit: Callable[[Server], Train], folder: Path
) -> None:
    found = [device._replace(pace=0.0) for device in devices.look(folder)]  # of no known speed: the usual row
    write_json(folder / "devices.json", {"machine": devices.machine(), "devices": [each._asdict() for each in found]})
    name = found[-1].name
    slow = KNOWN.to_json() | {"start": 60.0}  # seconds before the first step: three minutes do, one does not
    for kinds in slow["rates"].values():
        kinds["step"][0][-1] = 1.0
    keep(folder, name, Measurements([], Calibration.from_json(slow), 60.0, KNOWN.context))
    train = visit(serve())
    train.open("/train", **SMALL)
    train.page.get_by_role("combobox", name="Device").click()
    train.page.get_by_role("option", name=name, exact=True).click()
    train.page.get_by_text("measured on").wait_for()
    train.fill("Time you have, minutes", "2")
    epochs = train.page.locator("[class*=st-key-proposal]").filter(has_text="epochs")
    epochs.wait_for()
    wait_until(lambda: "3 → 1" in epochs.inner_text() or train.wait(50), what="one epoch in place of three")
    assert train.page.get_by_text("This run takes about").is_visible()
    epochs.get_by_role("button", name="Apply").click()
    train.page.locator(".st-key-make-it-fit").wait_for(state="detached")
    train.press("Start")
    train.status("finished", seconds=120)
    run = only_run(folder)
    assert run.config().training.epochs == 1
    kept = Forecast.from_json(json.loads((run.path / "forecast.json").read_text()))
    assert kept
    assert kept.time
    assert kept.time.total < 120
    assert forecasts.of_run(run).keys() == {"memory", "step"}
    train.page.get_by_text("Memory at its peak: forecast").wait_for()
