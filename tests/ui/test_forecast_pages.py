# ruff: noqa: F401, F811 (fixtures of other modules)
"""The forecast on the pages: before a run, what makes it fit, after it; and the time of layers on Compare."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from streamlit.testing.v1 import AppTest
from test_calibration import seen
from test_compare_page import Compare
from test_i18n import all_chinese, explore
from test_pages import plain
from test_train_page import CPU, ENVIRONMENT, RECORD, TRAIN, Train, a_run, runs, started

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.forecast.correction import Steps
from vggexplorer.forecast.devices import PRESETS
from vggexplorer.forecast.speed import Speed
from vggexplorer.forecast.time import ANY, NOTHING, RESIZE, STEP, UPDATE, Calibration, LayerTime, Rate
from vggexplorer.formatting import about, size
from vggexplorer.processes import StoppedError
from vggexplorer.runs import calibration, forecasts, probes
from vggexplorer.runs.calibration import Timed
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.devices import Device
from vggexplorer.runs.experience import steps_of
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch, parse_network
from vggexplorer.ui import jobs
from vggexplorer.ui.run import timing
from vggexplorer.ui.run.forecast import seconds

SLIM = NETWORKS["VGG-11 slim"]
KNOWN = Calibration(
    "9700X",
    False,
    {
        precision: {
            ANY: (Rate(1e-11, 1e-10, 1e-10, 0, 1e-5), Rate(2e-11, 2e-10, 2e-10, 0, 1e-5)),
            RESIZE: (Rate(0, 1e-10, 1e-10, 0, 0), NOTHING),
            UPDATE: (Rate(0, 1e-10, 1e-10, 0, 0), NOTHING),
            STEP: (Rate(0, 0, 0, 0, 1e-3), NOTHING),
        }
        for precision in ("float32", "bfloat16")
    },
    600 * 2**20,
    2.0,
    0.25,
)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Calibration:
    """The device was measured."""
    monkeypatch.setattr(forecasts, "known_calibration", lambda *_: KNOWN)
    return KNOWN


def expected(config: Config, device: Device = CPU, known: Calibration | None = KNOWN) -> forecasts.Forecast:
    return forecasts.forecast(config, device, known)


def slim(name: str = "quick-demo", speed: Speed | None = None) -> Config:
    return Config(network=SLIM, training=recipe(name, SLIM, speed))


def value(page: Train, label: str) -> str:
    return next(str(metric.value) for metric in page.test.metric if metric.label == label)


# --- before a run --------------------------------------------------------------------------------------------


def test_memory_is_told_before_anything_is_measured(started: list[Config]) -> None:
    page = Train()
    assert value(page, "Memory at its peak") == size(expected(slim(), known=None).memory.total)
    assert "9700X: not measured yet" in page.captions
    assert not [metric for metric in page.test.metric if metric.label == "An epoch"]


def test_a_device_that_was_only_looked_at_has_rough_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """They can be had before anybody measures, and measuring is still offered."""
    looked_at = CPU._replace(pace=1e-10)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [looked_at])
    page = Train()
    found = expected(slim(speed=looked_at.speed("bfloat16")), looked_at, None)
    assert found.time
    assert found.rough
    assert value(page, "All of it") == f"{seconds(found.time.total / 2)} – {seconds(2 * found.time.total)}"
    assert "9700X, measured for a second: the times may be half or twice as long" in page.captions
    assert "Measure this device" in [button.label for button in page.test.button]


def test_before_pytorch_has_said_which_devices_there_are_the_processor_is_told_by_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guessed = CPU._replace(pace=1e-10, estimated=True)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: None)
    monkeypatch.setattr("vggexplorer.runs.devices.by_its_kind", lambda: guessed)
    monkeypatch.setattr("vggexplorer.runs.devices.may_have_gpu", lambda: False)
    monkeypatch.setattr("vggexplorer.ui.run.choice.look_for_devices", lambda: None)
    page = Train()
    found = expected(slim(speed=guessed.speed("float32")), guessed, None)
    assert found.time
    assert found.estimated
    assert value(page, "All of it") == f"{seconds(found.time.total / 2)} – {seconds(2 * found.time.total)}"
    assert "9700X, by what it is, if nothing else computes: the times may be half or twice as long" in page.captions
    assert "Measure this device" not in [button.label for button in page.test.button]


def test_runs_that_ended_here_are_told_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = CPU._replace(pace=1e-10)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [looked_at])
    same = steps_of(slim(), looked_at.precision)._replace(seconds=0.01)
    for steps, said in (
        (same, "9700X: by what the same steps took here before"),
        (same._replace(batch=1), "9700X: by what steps of this network took here before"),
        (same._replace(network=NETWORKS["LeNet"]), "half or twice as long; corrected by what other runs took here"),
    ):
        monkeypatch.setattr("vggexplorer.runs.experience.past", lambda *_, steps=steps: [steps])
        monkeypatch.setattr("vggexplorer.ui.run.choice.kept_speed", lambda *_: None)
        page = Train()
        found = forecasts.forecast(slim(), looked_at, None, [steps])
        assert found.time
        assert value(page, "An epoch") == seconds(found.time.epoch)
        assert said in page.captions
        assert "Measure this device" in [button.label for button in page.test.button]


def test_that_a_fused_step_may_shorten_a_run_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for precision, said in (("bfloat16", True), ("float32", False)):
        gpu = Device("cuda:0", "NVIDIA L4", 24 * 2**30, 2.0, pace=1e-10)
        monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _, gpu=gpu: [gpu])
        page = Train().set("training precision", precision)
        assert ("a fused step is tried on the GPU" in page.captions) is said


def test_the_memory_of_a_gpu_that_was_not_measured_is_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Device("cuda:0", "NVIDIA L4", 24 * 2**30, 2.0)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [gpu])
    page = Train()
    found = expected(slim(speed=gpu.speed("bfloat16")), gpu, None)
    assert value(page, "Memory at its peak") == f"{size(found.memory.total)} – {size(found.most)}"
    assert f"it may be up to {size(found.most)}" in page.captions


def test_a_measured_device_has_times(measured: Calibration) -> None:
    page = Train()
    found = expected(slim())
    assert found.time
    assert value(page, "An epoch") == seconds(found.time.epoch)
    assert value(page, "All of it") == f"{seconds(found.time.low)} – {seconds(found.time.high)}"
    assert "Measured on 9700X" in page.captions
    table = next(text.value for text in page.test.markdown if "workspace" in text.value)
    assert size(found.memory.activations) in table
    assert f"**{size(found.memory.total)}**" in table


def test_the_device_is_measured_by_a_button(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(
        runs: Path, device: Device, progress: calibration.Told, stop: threading.Event, *, own: Steps | None
    ) -> None:
        asked.append((device, own))
        progress(0.5, 62.0)
        stop.wait(10)
        raise StoppedError("It was stopped.")

    monkeypatch.setattr(calibration, "calibrate", measure)
    page = Train()
    page.click("measure device")
    job = next(job for name, job in reversed(jobs._named.items()) if name.startswith("calibrate"))
    wait_until(lambda: job.left, what="how long it will take")
    page.run()
    (shown,) = page.test.get("progress")
    assert shown.text == f"Measuring the device … about {about(62)} left"
    page.click("stop measurement")
    job.wait()
    assert asked == [(CPU, steps_of(slim(), CPU.precision))]
    page.run()
    assert (page.errors, [*page.test.warning]) == ([], [])


def test_while_it_is_measured_the_forecast_gets_better_and_nothing_is_lost(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is drawn anew, without a click, when there are times; what was found stays when it is stopped."""
    kept = replace(KNOWN, missing={"bfloat16": 12}, rates={"bfloat16": KNOWN.rates["bfloat16"]})
    step = threading.Event()

    def measure(runs: Path, _: Device, progress: calibration.Told, stop: threading.Event, **__: Any) -> None:
        progress(0.01, 62.0)
        step.wait(60)
        calibration.keep(runs, "cpu", calibration.Measurements([], kept, 2.0, KNOWN.context))
        progress(0.1, 50.0)
        stop.wait(60)
        raise StoppedError("It was stopped.")

    monkeypatch.setattr(calibration, "calibrate", measure)
    page = Train().click("measure device")
    job = next(job for name, job in reversed(jobs._named.items()) if name.startswith("calibrate"))
    wait_until(lambda: job.answer, what="the first news")
    page.run()
    assert "9700X: not measured yet" in page.captions
    before = job.answer
    step.set()
    wait_until(lambda: job.answer != before, what="the second")
    page.run()
    assert "Measured on 9700X in part" in page.captions
    assert [bar.text for bar in page.test.get("progress")] == [f"Measuring the device … about {about(50)} left"]
    page.click("stop measurement")
    job.wait()
    page.run()
    assert "Measured on 9700X in part" in page.captions


def test_a_device_that_was_measured_in_part_is_said_with_a_button_that_goes_on(runs: Runs) -> None:
    kept = replace(KNOWN, missing={"bfloat16": 12}, rates={"bfloat16": KNOWN.rates["bfloat16"]})
    looks = [seen(look) for look in probes.looks(CPU)[:12]]
    calibration.keep(runs.path, CPU.name, calibration.Measurements(looks, kept, 2.0, KNOWN.context))
    page = Train()
    assert "Measured on 9700X in part, or with another PyTorch: the times are less certain" in page.captions
    found = expected(slim(), known=kept)
    assert found.time
    assert value(page, "All of it") == f"{seconds(found.time.low)} – {seconds(found.time.high)}"
    button = next(each for each in page.test.button if each.key == "measure device")
    assert button.label == "Go on measuring"
    left = calibration.plan(runs.path, CPU)
    assert f"About {about(left.seconds)}, longer on a busy machine, 2:30 at most" in button.help
    page.set("training precision", "float32")
    assert "9700X: not measured in float32 yet" in page.captions
    page.set("training precision", "auto")
    calibration.keep(runs.path, CPU.name, calibration.Measurements(looks, KNOWN, 2.0, KNOWN.context))
    page.run()
    assert "Measured on 9700X" in page.captions
    assert not [each for each in page.test.button if each.key == "measure device"]


def test_a_measurement_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: Any, **__: Any) -> None:
        raise calibration._failed(InputError("no power"))

    monkeypatch.setattr(calibration, "calibrate", measure)
    page = Train().click("measure device")
    next(job for name, job in reversed(jobs._named.items()) if name.startswith("calibrate")).wait()
    page.run()
    assert "The device could not be measured: no power" in " ".join(plain(each.value) for each in page.test.warning)


def test_a_gpu_that_is_not_here_by_its_data_sheet(measured: Calibration) -> None:
    page = Train()
    page.set("elsewhere", "H100")
    assert "H100: an estimate from its data sheet" in page.captions
    assert value(page, f"Part of {size(next(each.memory for each in PRESETS if each.title == 'H100'))}")


# --- make it fit -----------------------------------------------------------------------------------------------


def test_too_little_time_gets_proposals_and_one_is_applied(measured: Calibration, started: list[Config]) -> None:
    page = Train()
    page.set("recipe", "d2l-vgg")
    before = expected(slim("d2l-vgg"))
    assert before.time
    page.set("minutes", "1")
    proposals = forecasts.fit(slim("d2l-vgg"), CPU, KNOWN, memory=CPU.memory, seconds=60)
    assert proposals
    texts = [plain(text.value) for text in page.test.markdown]
    for proposal in proposals:
        assert any(all(change.after in text for change in proposal.changes) for text in texts)
    page.click("apply 0")
    after = expected(proposals[0].config)
    assert value(page, "Memory at its peak") == size(after.memory.total)
    page.click("start")
    assert [config.on("auto", "auto") for config in started] == [proposals[0].config.on("auto", "auto")]


def test_a_run_that_does_not_fit_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, measured: Calibration, started: list[Config]
) -> None:
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [CPU._replace(memory=2**29)])
    page = Train()
    needed = size(expected(slim()).memory.total)
    assert any(f"This run needs {needed}" in text.value for text in page.test.warning)
    page.click("start")
    assert started == []
    assert any("Start it all the same?" in plain(warning.value) for warning in page.test.warning)
    page.click("start anyway")
    assert len(started) == 1


@pytest.mark.parametrize("text", ["0", "-3", "1e9", "soon"])
def test_no_time(text: str, measured: Calibration) -> None:
    page = Train()
    page.set("minutes", text)
    assert len(page.errors) == 1
    assert value(page, "An epoch")


# --- after a run ---------------------------------------------------------------------------------------------------


def test_a_run_shows_how_good_its_forecast_was(runs: Runs) -> None:
    figures = expected(Config(network=parse_network({"arch": "1x4", "hidden": "none"}), training=slim().training))
    run = a_run(
        runs,
        metrics=[RECORD],
        environment=ENVIRONMENT,
        forecast=figures.to_json(),
        outcome={"status": "stopped"},
    )
    compared = forecasts.of_run(run)
    assert set(compared) == {"memory", "step"}
    page = Train(run=run.id)
    assert f"forecast {size(figures.allocated)}, measured {size(RECORD['memory'])}" in page.captions


def test_all_runs_in_a_plot(runs: Runs) -> None:
    figures = expected(Config(network=parse_network({"arch": "1x4", "hidden": "none"}), training=slim().training))
    for _ in range(2):
        a_run(
            runs,
            metrics=[RECORD],
            environment=ENVIRONMENT,
            forecast=figures.to_json(),
            outcome={"status": "stopped"},
        )
    page = Train()
    page.test = page.test.switch_page(str(Path(TRAIN).with_name("runs.py")))
    page.test.session_state["forecasts"] = True
    page.run()
    assert page.errors == []
    assert any("How good the forecasts were" in expander.label for expander in page.test.expander)
    assert {component.key for component in page.test.get("bidi_component")} >= {"forecast memory", "forecast step"}


# --- FLOPs are not time ----------------------------------------------------------------------------------------------


def test_layers_are_timed_on_compare(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> None:
    asked: list[Any] = []
    told: list[Any] = []

    def job() -> jobs.Job:
        return jobs.find("layer times")  # type: ignore[return-value]

    def time_layers(
        network: Any, batch: int, device: str, precision: str, progress: Callable[[float], None], *_: Any
    ) -> Timed:
        asked.append((network, batch, device, precision))
        progress(0.0)
        told.append((job().progress, job().left))
        progress(1.0)
        return Timed(0.5, {row.name: LayerTime(0.001, 0.002) for row in summarize(*network).rows})

    monkeypatch.setattr(timing, "time_layers", time_layers)
    monkeypatch.setattr("vggexplorer.runs.devices.look", lambda *_: [CPU])
    monkeypatch.setattr(timing, "_measured", {})
    page = Compare(tab="time")
    assert page.figures("work and time")[0][3:] == ["–"] * 3
    button = page.test.button(key="measure layers")
    assert re.fullmatch(r"Measure here and now \(about [\d:]+(\ss)?\)", button.label)
    page.click("measure layers")
    job().wait()
    macs = [summarize(*network).totals.macs for network, *_ in asked]
    assert [share for share, _ in told] == [sum(macs[:number]) / sum(macs) for number in range(len(macs))]
    assert all(left is not None for _, left in told)
    page.run()
    assert {batch for _, batch, _, _ in asked} == {16}
    layers = len(summarize(*parse_arch("vgg11")).rows)
    assert page.figures("work and time")[0][3:] == [f"{layers} ms", f"{2 * layers} ms", "500 ms"]
    assert page.figures()[0][3] == f"{layers} ms", "the totals have it, too"
    assert page.part("butterfly")["networks"][0]["source"].endswith("measured here")


# --- in Chinese ----------------------------------------------------------------------------------------------


def test_the_forecast_is_chinese(measured: Calibration, explore: Callable[..., AppTest]) -> None:
    page = explore()
    page = page.switch_page(TRAIN)
    page.run()
    page.text_input(key="minutes").set_value("0.05").run()
    all_chinese(page)
