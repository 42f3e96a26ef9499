"""What devices can do is measured by a process of its own, and kept; what ends it early, loses nothing."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from filelock import FileLock

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.forecast.correction import Steps as OwnSteps
from vggexplorer.forecast.memory import Added, training_memory
from vggexplorer.forecast.time import ANY, NOTHING, PARTIAL, STEP, Calibration, LayerTime, Rate, Work, layer_times
from vggexplorer.processes import NoAnswerError, StoppedError, module_command
from vggexplorer.pytorch import calibrate as measuring
from vggexplorer.pytorch import device_memory
from vggexplorer.pytorch.layer_times import Steps
from vggexplorer.runs import calibration, probes
from vggexplorer.runs.calibration import Timed, calibrate, known_calibration, known_price, time_layers
from vggexplorer.runs.devices import Device, machine
from vggexplorer.runs.experience import note, past
from vggexplorer.runs.probes import LOADING, PROBES, Look, Probe, Seen, looks, seconds, version
from vggexplorer.summary import summarize

CPU = Device("cpu", "CPU", 2**34, 1.0)
FOUND = Calibration(
    "CPU",
    False,
    {
        "float32": {
            ANY: (Rate(1e-9, 1e-10, 1e-10, 0, 1e-4), Rate(2e-9, 2e-10, 2e-10, 0, 1e-4)),
            STEP: (Rate(0, 0, 0, 0, 1e-3), NOTHING),
        }
    },
    context=2**29,
    start=0.0,
    spread=0.2,
)


LOOKS = looks(CPU)
ENOUGH = probes.FIRST
"""The looks from which on the stand-in tells a calibration."""


def seen(look: Look) -> Seen:
    """What a look may have found."""
    rows = 0 if look.again else len(summarize(*PROBES[look.probe].network).rows)
    return Seen(look, 0.01, 0.5, 1e-4, 1e-4, (LayerTime(1e-3, 2e-3),) * rows)


def partly(made: int) -> Calibration:
    """The calibration after so many looks."""
    return replace(FOUND, missing={"float32": max(0, 2 * len(PROBES) - made)})


class StandIn:
    """In place of the process: makes `most` of the looks that it is asked for, then ends, with an `error` if any."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = len(LOOKS)
        self.own: float | None = None
        self.error: BaseException | None = None
        self.asked: list[dict[str, Any]] = []
        monkeypatch.setattr(calibration, "ask", self.ask)

    def ask(self, module: str, *, given: bytes, **_: Any) -> Iterator[dict[str, Any]]:
        asked = json.loads(given)
        self.asked.append(asked)
        yield {"looks": len(asked["looks"])}
        if asked["own"]:
            yield {"own": self.own, "share": 0.9}
        for number, look in enumerate(asked["looks"][: self.most], len(asked["seen"]) + 1):
            found = partly(number).to_json() if number >= ENOUGH else None
            yield json.loads(json.dumps({"seen": seen(Look(*look)), "context": 2**29, "calibration": found}))
        if self.error:
            raise self.error


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return StandIn(monkeypatch)


def test_a_device_is_measured_once(tmp_path: Path, stand_in: StandIn) -> None:
    assert known_calibration(tmp_path, "cpu") is None
    told: list[tuple[float, float | None]] = []
    found = calibrate(tmp_path / "runs", CPU, lambda *news: told.append(news))
    shares, left = zip(*told, strict=True)
    assert shares == tuple(sorted(shares))
    assert (shares[0], shares[-1]) == (0, 1)
    assert left[0] > 0 == left[-1]
    assert found.rates == FOUND.rates
    assert not found.partial("float32")
    assert 0 < found.start < 60  # until the first line
    assert calibrate(tmp_path / "runs", CPU) == known_calibration(tmp_path / "runs", "cpu") == found
    assert known_calibration(tmp_path / "runs", "cuda:0") is None
    assert len(stand_in.asked) == 1
    assert calibration.plan(tmp_path / "runs", CPU).missing == 0


def test_what_an_exact_step_costs_is_measured_on_a_gpu_and_kept(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[bool] = []

    def time(network: Network, batch: int, device: str, precision: str, *, exact: bool, **_: Any) -> Timed:
        timed.append(exact)
        if len(timed) <= 2 and exact:
            raise NoAnswerError("out of memory")
        return Timed(0.13 if exact else 0.1, {})

    monkeypatch.setattr(calibration, "time_layers", time)
    calibrate(tmp_path, CPU)
    assert timed == []  # a processor's steps are exact anyway
    gpu = CPU._replace(name="cuda:0", title="NVIDIA H100")
    calibrate(tmp_path, gpu)
    assert known_price(tmp_path, "cuda:0") is None
    calibrate(tmp_path, gpu)  # once more, as that failed
    assert known_price(tmp_path, "cuda:0") == pytest.approx(1.3)
    calibrate(tmp_path, gpu)
    assert timed == [False, True] * 2
    assert known_price(tmp_path, "cpu") is None


def test_the_precision_of_most_runs_comes_first() -> None:
    assert [look.precision for look in looks(CPU)] == ["float32"] * 24 + ["bfloat16"] * 24
    assert looks(CPU._replace(speedup=2.0))[0] == Look("bfloat16", 0, False)
    assert {look.precision for look in looks(CPU._replace(name="mps"))} == {"float32"}


def test_measuring_goes_on_with_what_is_missing(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.most = 10
    first = calibrate(tmp_path, CPU)
    assert first.partial("float32")
    assert first.range("float32") == PARTIAL > first.spread
    plan = calibration.plan(tmp_path, CPU)
    assert (plan.missing, plan.all) == (38, 48)
    shares: list[float] = []
    second = calibrate(tmp_path, CPU, lambda share, _: shares.append(share))
    assert [Look(*each) for each in stand_in.asked[1]["looks"]] == LOOKS[10:]
    assert [Look(*each[0]) for each in stand_in.asked[1]["seen"]] == LOOKS[:10]
    assert stand_in.asked[1]["context"] == 2**29
    assert 0 < shares[0] < shares[-1] < 1
    assert second.missing == {"float32": 4}
    assert second.start == first.start
    stand_in.most = 48
    assert not calibrate(tmp_path, CPU).partial("float32")


def test_how_long_it_takes_follows_from_how_long_it_took(tmp_path: Path, stand_in: StandIn) -> None:
    usual = calibration.plan(tmp_path, CPU).seconds
    assert usual == pytest.approx(LOADING + seconds(CPU, LOOKS))
    stand_in.most = 10
    calibrate(tmp_path, CPU)
    slowness = 10 * 0.5 / seconds(CPU, LOOKS[:10])
    assert calibration.plan(tmp_path, CPU).seconds == pytest.approx(LOADING + slowness * seconds(CPU, LOOKS[10:]))
    slow = CPU._replace(pace=1e-9)
    assert seconds(slow, LOOKS) > 10 * seconds(CPU, LOOKS)
    halves = (each for each in LOOKS if each.precision == "bfloat16")
    assert seconds(slow, halves) == pytest.approx(seconds(slow, LOOKS) / 2)


@pytest.mark.parametrize("most", [10, 2, 0])
@pytest.mark.parametrize("error", [NoAnswerError("{reason}", reason="status -9"), StoppedError("It was stopped.")])
def test_whatever_ends_it_what_was_measured_is_kept(
    tmp_path: Path, stand_in: StandIn, error: InputError, most: int
) -> None:
    stand_in.most, stand_in.error = most, error
    with pytest.raises(InputError) as raised:
        calibrate(tmp_path, CPU)
    if isinstance(error, StoppedError):
        assert raised.value is error
    elif most:
        assert "Measuring ended early: status -9. What was measured is kept" in str(raised.value)
    else:
        assert str(raised.value) == "The device could not be measured: status -9"
    assert calibration.plan(tmp_path, CPU).missing == 48 - most
    found = known_calibration(tmp_path, "cpu")
    assert (found and found.rates) == (FOUND.rates if most >= ENOUGH else None)
    stand_in.most, stand_in.error = 48, None
    assert not calibrate(tmp_path, CPU).partial("float32")


def test_too_little_time_is_said(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.most = 3
    with pytest.raises(InputError, match=r"3 of 48 measurements took 2 s\. They are kept"):
        calibrate(tmp_path, CPU)
    assert known_calibration(tmp_path, "cpu") is None
    assert calibrate(tmp_path, CPU).partial("float32")


def test_it_can_be_stopped_while_another_process_measures(tmp_path: Path, stand_in: StandIn) -> None:
    stop = threading.Event()
    with FileLock(tmp_path / "calibration-cpu.lock"):
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(StoppedError):
            calibrate(tmp_path, CPU, stop=stop)
    assert stand_in.asked == []
    assert calibrate(tmp_path, CPU)


def test_what_another_machine_did_is_not_known(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate(tmp_path, CPU)
    monkeypatch.setattr(calibration, "machine", lambda: machine() | {"host": "another"})
    assert known_calibration(tmp_path, "cpu") is None
    assert calibration.plan(tmp_path, CPU).missing == 48


@pytest.mark.parametrize("change", ["pytorch", "probes"])
def test_what_is_outdated_is_an_estimate_until_it_is_measured_again(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    calibrate(tmp_path, CPU)
    if change == "pytorch":
        monkeypatch.setattr(calibration, "machine", lambda: machine() | {"torch": "99"})
    else:
        monkeypatch.setattr(calibration, "version", lambda: "other networks")
    old = known_calibration(tmp_path, "cpu")
    assert old
    assert (old.outdated, old.rates, old.range("float32")) == (True, FOUND.rates, PARTIAL)
    assert calibration.plan(tmp_path, CPU).missing == 48
    stand_in.most = ENOUGH - 1
    assert calibrate(tmp_path, CPU).outdated
    assert known_calibration(tmp_path, "cpu") == old
    stand_in.most = 48
    assert not calibrate(tmp_path, CPU).outdated
    assert len(stand_in.asked[2]["looks"]) == 49 - ENOUGH


def test_the_first_rates_are_had_after_a_few_looks_and_the_rest_goes_on(tmp_path: Path, stand_in: StandIn) -> None:
    shares: list[float] = []
    found = calibrate(tmp_path, CPU, lambda share, _: shares.append(share), first="float32")
    assert [Look(*each) for each in stand_in.asked[0]["looks"]] == LOOKS[:ENOUGH]
    assert (shares[0], shares[-1]) == (0, 1)
    assert found.partial("float32")
    assert known_calibration(tmp_path, "cpu") == found
    assert calibrate(tmp_path, CPU, first="float32") == found
    assert len(stand_in.asked) == 1
    assert not calibrate(tmp_path, CPU).partial("float32")
    assert [Look(*each) for each in stand_in.asked[1]["looks"]] == LOOKS[ENOUGH:]


OWN = OwnSteps(NETWORKS["LeNet"], 64, 1, "float32")


def test_the_steps_of_the_run_that_is_asked_about_are_measured_first(tmp_path: Path, stand_in: StandIn) -> None:
    device = CPU._replace(pace=1e-10)
    stand_in.own = 0.25
    calibrate(tmp_path, device, first="float32", own=OWN)
    assert past(tmp_path, "cpu") == [OWN._replace(seconds=0.25, share=0.9)]
    note(tmp_path, "cpu", OWN._replace(seconds=0.5))
    assert past(tmp_path, "cpu") == [OWN._replace(seconds=0.5)]  # a run knows better
    stand_in.own = None
    calibrate(tmp_path, device, own=OWN._replace(batch=1))
    assert len(past(tmp_path, "cpu")) == 1


@pytest.mark.parametrize("device", [CPU, CPU._replace(pace=1e-6)])
def test_steps_that_take_long_or_nobody_knows_how_long_are_not(
    tmp_path: Path, stand_in: StandIn, device: Device
) -> None:
    calibrate(tmp_path, device, own=OWN)
    assert stand_in.asked[0]["own"] is None


def damaged(**changes: Any) -> str:
    found = FOUND.to_json()
    whole = {"machine": machine(), "probes": version(), "seen": [seen(LOOKS[0])], "start": 1, "context": 1}
    return json.dumps(whole | {"calibration": found} | changes)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", '{"machine": 1}', damaged(calibration=5), damaged(machine={}), damaged(calibration=None)],
)
def test_a_damaged_file_is_as_if_nothing_was_measured(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration-cpu.json").write_text(content)
    assert known_calibration(tmp_path, "cpu") is None


@pytest.mark.parametrize(
    "found",
    [
        5,
        [5],
        [[["float32", 0, False], 1, 1, 1, 1, []]],
        [[["float32", 99, False], 1, 1, 1, 1, []]],
        [[["float32", 0, True], -1, 1, 1, 1, []]],
    ],
)
def test_damaged_measurements_are_made_again(tmp_path: Path, found: Any, stand_in: StandIn) -> None:
    (tmp_path / "calibration-cpu.json").write_text(damaged())
    assert calibration.plan(tmp_path, CPU).missing == 47
    (tmp_path / "calibration-cpu.json").write_text(damaged(seen=found))
    assert calibration.plan(tmp_path, CPU).missing == 48
    calibrate(tmp_path, CPU)
    assert stand_in.asked[0]["seen"] == []


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "CALIBRATION_TIMEOUT", 0.2)
    with pytest.raises(InputError, match=r"The device could not be measured: no answer within 0\.2 s"):
        calibrate(tmp_path, CPU)


@pytest.mark.long
def test_the_process_says_that_a_device_is_not_there() -> None:
    asked = {"device": "cuda:99", "looks": LOOKS, "seen": [], "context": 0, "seconds": 60}
    done = subprocess.run(
        module_command("vggexplorer.pytorch.calibrate"),
        cwd=ROOT,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "The device cuda:99 cannot be used" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- the measurement itself ------------------------------------------------------------------------------


def test_rates_are_found_that_explain_the_times() -> None:
    works = [
        Work(10**9, 10**6, 0, 0),
        Work(10**6, 10**8, 0, 10**8),
        Work(10**8, 10**7, 0, 0),
        Work(0, 100, 0, 0),
        Work(10**7, 10**9, 0, 0),
        Work(10**6, 10**6, 10**8, 0),
    ]
    true = Rate(2e-11, 1e-10, 3e-10, 2e-10, 1e-4)
    found = measuring.fit([measuring.Sample(work, true.seconds(work)) for work in works])
    assert found == pytest.approx(true, rel=1e-6)


def test_no_rate_is_below_zero() -> None:
    samples = [measuring.Sample(Work(0, size, 0, 0), seconds) for size, seconds in ((10, 3.0), (100, 2.0), (1000, 1.0))]
    found = measuring.fit(samples)
    assert min(found) >= 0
    assert measuring.fit([]) == NOTHING


def on_gpu(added: Added, precision: str, off: float = 0.0, most: int = len(PROBES)) -> list[Seen]:
    """First looks on a GPU that adds so much; every other peak is higher than it should be by a share `off`."""
    found = []
    for place, (network, batch) in enumerate(PROBES[:most]):
        memory = training_memory(summarize(*network), batch, precision, gpu=True, added=added._replace(cached=0))
        peak = round(memory.total * (1 + off * (place % 2)))
        found.append(seen(Look(precision, place, False))._replace(allocated=peak, reserved=peak + added.cached))
    return found


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("copies", [0.0, 0.25, 1.0, 2.25])
@pytest.mark.parametrize("libraries", [0, 8_519_680, 170 * 10**6])
def test_what_a_gpu_adds_is_found_from_its_peaks(precision: str, copies: float, libraries: int) -> None:
    added = Added(libraries, copies, cached=30 * 2**20)
    assert measuring.fit_memory(on_gpu(added, precision), precision) == added


def test_peaks_that_scatter_say_how_far_forecasts_may_be_off() -> None:
    found = measuring.fit_memory(on_gpu(Added(10**8, 0.5), "float32", off=0.06), "float32")
    assert found is not None
    assert 0.02 < found.spread < 0.07


def test_few_peaks_and_those_of_a_processor_tell_nothing() -> None:
    few = on_gpu(Added(10**8), "float32", most=probes.FIRST - 1)
    assert measuring.fit_memory(few, "float32") is None
    assert measuring.fit_memory([each._replace(allocated=0) for each in on_gpu(Added(), "float32")], "float32") is None


def test_a_look_without_peaks_stays_readable() -> None:
    whole = json.loads(json.dumps(on_gpu(Added(), "float32")[0]))
    assert Seen.from_json(whole).allocated > 0
    assert Seen.from_json(whole[:-2]) == seen(LOOKS[0])
    with pytest.raises(ValueError, match="no measurement"):
        Seen.from_json([*whole[:-2], -1, 0])


def test_the_peak_of_a_network_is_what_its_trainer_alone_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An allocator that counts: others have 100, the images of this trainer take theirs, a step 3000 at its most."""
    asked: list[str] = []
    images = 7000 * (28 * 28 + 8)
    figures = {"memory_allocated": 100, "memory_reserved": 200, "device_count": 1}
    figures |= {"max_memory_allocated": 3100 + images, "max_memory_reserved": 5200 + images}
    for name in ("synchronize", "empty_cache", "reset_peak_memory_stats", *figures):
        monkeypatch.setattr(torch.cuda, name, lambda *_, name=name: (asked.append(name), figures.get(name))[1])
    monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: asked.append("clear"), raising=False)
    before = device_memory.in_use("cuda:0")
    assert before == (100, 200)
    steps = Steps(NETWORKS["LeNet"], 8, "cpu", "float32")
    monkeypatch.setattr(steps.trainer, "device", torch.device("cuda:0"))
    monkeypatch.setattr(steps, "whole", lambda: asked.append("step"))
    asked.clear()
    assert device_memory.most(steps, before) == (3000, 5000)
    measured = ["reset_peak_memory_stats", *["step"] * device_memory.STEPS, "max_memory_allocated"]
    assert asked == ["synchronize", "clear", "empty_cache", *measured, "max_memory_reserved"]


SMALL = (
    Probe(Network(Architecture((Block(1, 8),), Head(hidden=(16,))), (1, 28, 28)), 8),
    Probe(Network(Architecture((Block(2, 16),), Head("gap", hidden=()), batch_norm=True), (1, 32, 32)), 8),
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two small networks that are enough: the figures are looked at by benchmarks/forecast.py, on a quiet machine."""
    monkeypatch.setattr(probes, "PROBES", SMALL)
    monkeypatch.setattr(measuring, "PROBES", SMALL)
    monkeypatch.setattr(measuring, "FIRST", 2)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def measure(wanted: list[Look], seen: list[Any], context: int = 0, budget: float = 600.0) -> list[dict[str, Any]]:
    asked = {"device": "cpu", "looks": wanted, "seen": seen, "context": context, "seconds": budget}
    return [json.loads(json.dumps(each)) for each in measuring.calibrate(json.loads(json.dumps(asked)))]


@pytest.mark.long
def test_pytorch_is_measured_and_goes_on_with_the_rest(small: None) -> None:
    wanted = looks(CPU)
    assert len(wanted) == 8
    ready, *first = measure(wanted[:3], [])
    assert ready == {"looks": 3}
    assert [each["calibration"] is None for each in first] == [True, False, False]
    assert [Seen.from_json(each["seen"]).look for each in first] == wanted[:3]
    _, *rest = measure(wanted[3:], [each["seen"] for each in first], first[-1]["context"])
    found = Calibration.from_json(rest[-1]["calibration"])
    assert found.to_json() == rest[-1]["calibration"]
    assert found.rates.keys() == {"float32", "bfloat16"}
    assert found.context == first[0]["context"] > 0
    assert found.spread >= measuring.LEAST_SPREAD
    summary = summarize(*SMALL[1].network)
    for precision in found.rates:
        times = layer_times(summary, 8, precision, found)
        assert all(min(each) >= 0 for each in times)
        assert 0 < sum(map(sum, times)) < 10


def failing() -> float:
    """A step for which the memory is not enough."""
    raise MemoryError


@pytest.mark.long
def test_the_own_steps_of_a_run_are_timed(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "OWN", 0.05)
    asked = {"device": "cpu", "looks": [], "seen": [], "context": 0, "seconds": 0}
    own = {"network": {"arch": "lenet"}, "batch": 8, "kept": 1, "precision": "float32"}
    _, told = measuring.calibrate(asked | {"own": own})
    assert 0 < told["own"] < 5
    assert 0 < told["share"] <= 1
    monkeypatch.setattr(Steps, "whole", lambda _: failing())
    *_, told = measuring.calibrate(asked | {"own": own})
    assert told["own"] is None


@pytest.mark.long
def test_no_look_is_begun_when_the_time_is_up(small: None) -> None:
    assert measure(looks(CPU), [], budget=-1) == [{"looks": 8}]
    assert len(measure(looks(CPU), [], budget=1e-9)) == 1


@pytest.mark.long
def test_a_real_measurement_that_is_stopped_goes_on(tmp_path: Path) -> None:
    """With all networks; the first look is made, then it is stopped, and a process of its own goes on."""
    stop = threading.Event()
    with pytest.raises(StoppedError):
        calibrate(tmp_path, CPU, lambda share, _: stop.set() if share else None, stop)
    left = calibration.plan(tmp_path, CPU).missing
    assert left < 48
    stop.clear()
    with pytest.raises(StoppedError):
        calibrate(
            tmp_path, CPU, lambda *_: stop.set() if calibration.plan(tmp_path, CPU).missing < left else None, stop
        )
    assert calibration.plan(tmp_path, CPU).missing < left


@pytest.mark.long
def test_layers_are_timed_by_a_process_of_its_own() -> None:
    shares: list[float] = []
    found = time_layers(NETWORKS["LeNet"], 8, "cpu", "float32", shares.append, rounds=2)
    assert shares == [0, 0.25, 0.5, 0.75, 1]
    assert list(found.layers) == [row.name for row in summarize(*NETWORKS["LeNet"]).rows]
    assert all(min(each) >= 0 for each in found.layers.values())
    assert found.step > 0


@pytest.mark.long
def test_what_cannot_be_timed_is_a_sentence() -> None:
    with pytest.raises(InputError, match="the batch size must be from 1"):
        time_layers(NETWORKS["LeNet"], 0, "cpu", "float32", rounds=2)
