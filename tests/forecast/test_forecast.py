"""What is forecast before a run: memory against PyTorch's own bookkeeping, time against tables computed by hand."""

import json
import re
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import networks
from torch import nn

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.forecast.devices import PRESETS, preset
from vggexplorer.forecast.memory import AT_MOST, Added, activations, inference_memory, training_memory
from vggexplorer.forecast.time import (
    ANY,
    LARGE_BLOCK,
    NOTHING,
    RESIZE,
    STEM,
    STEP,
    UPDATE,
    Calibration,
    Rate,
    layer_times,
    training_time,
    works,
)
from vggexplorer.layers import LocalResponseNorm
from vggexplorer.processes import child_environment, peak_memory
from vggexplorer.pytorch.loop import Trainer
from vggexplorer.pytorch.modules import build
from vggexplorer.runs import devices, launch
from vggexplorer.runs.config import PUBLISHED, RECIPES, Config
from vggexplorer.runs.datasets import DEFAULT, Dataset
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.forecasts import (
    CHANGES,
    USABLE,
    Compared,
    Forecast,
    Proposal,
    compare,
    fit,
    forecast,
    images_of,
    may_be_fused,
)
from vggexplorer.runs.options import Training
from vggexplorer.runs.trainer.session import Session
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

BATCH = 43
"""Of no layer's size: by their first dimension, activations are told from the copies of weights."""
PRECISIONS = ("float32", "bfloat16")


def kept_by_autograd(network: Network, precision: str, device: str, batch: int = BATCH) -> int:
    """Bytes of the storages that autograd keeps; parameters, buffers and the copies of weights not counted."""
    net = build(*network).to(memory_format=torch.channels_last).to(device)
    own = {each.untyped_storage().data_ptr() for each in (*net.parameters(), *net.buffers())}
    images = torch.rand(batch, *network.input_shape, device=device).contiguous(memory_format=torch.channels_last)
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        copied = tensor.dtype == torch.bfloat16 and len(tensor) != batch
        if tensor.untyped_storage().data_ptr() not in own and not copied:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # holding it keeps its address from being used again
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        scores = net(images)
    assert scores.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def ambiguous(network: Network) -> bool:
    """Whether maps and the weights that they meet have one channel and one pixel: their format could be either."""
    convolutions = [row for row in summarize(*network).rows if row.kind == "Conv2d"]
    return any(row.input_shape[0] == 1 == row.layer.kernel_size for row in convolutions)


@pytest.mark.parametrize(
    ("name", "size"), [("AlexNet", 3_998_720), ("VGG-11", 48_367_616), ("VGG-11 slim", 12_316_160)]
)
def test_what_the_books_networks_keep(name: str, size: int) -> None:
    """At 224 pixels, in float32, for one example; counted with PyTorch's hooks on the book's own modules."""
    summary = summarize(*NETWORKS[name])
    assert activations(summary, 1, "float32") == size
    assert activations(summary, 128, "float32") == 128 * size


def test_what_a_small_network_keeps() -> None:
    """Worked out by hand: two examples of 1 x 4 x 4, in bytes."""
    summary = summarize(Architecture((Block(1, 3),), Head(hidden=(5,)), batch_norm=True), (1, 4, 4))
    pictures, maps, pooled, hidden = 1 * 4 * 4, 3 * 4 * 4, 3 * 2 * 2, 5
    # The input of the convolution, that of batch norm, the output of ReLU, where the maxima were, the flat copy, the
    # output of ReLU, dropout's mask and output; and mean and deviation of the batch.
    numbers = pictures + maps + maps + pooled + hidden + hidden + hidden
    assert activations(summary, 2, "float32") == 2 * (4 * numbers + 8 * pooled) + 2 * 4 * 3
    assert activations(summary, 2, "bfloat16") == 2 * (2 * numbers + 8 * pooled) + 2 * 4 * 3
    on_gpu = numbers - hidden
    assert activations(summary, 2, "bfloat16", gpu=True) == 2 * (2 * on_gpu + 8 * pooled + hidden) + 2 * 4 * 3


@examples(150)
@given(networks().filter(lambda network: not ambiguous(network)), st.sampled_from(PRECISIONS))
def test_autograd_keeps_what_is_forecast(network: Network, precision: str) -> None:
    assert activations(summarize(*network), BATCH, precision) == kept_by_autograd(network, precision, "cpu")


@pytest.mark.gpu
@examples(100)
@given(networks().filter(lambda network: not ambiguous(network)), st.sampled_from(PRECISIONS))
def test_autograd_keeps_what_is_forecast_on_a_gpu(network: Network, precision: str) -> None:
    own = activations(summarize(*network), BATCH, precision, gpu=True)
    assert own == pytest.approx(kept_by_autograd(network, precision, "cuda"), rel=0.05)


# --- the peak ---------------------------------------------------------------------------------------------


LARGE = [
    Network(NETWORKS["VGG-11 slim"].architecture, (1, 64, 64)),
    Network(NETWORKS["AlexNet"].architecture, (1, 96, 96)),
    Network(Architecture((Block(2, 32, lrn=True), Block(2, 64)), Head("gap", hidden=())), (3, 48, 48)),
    Network(Architecture((Block(2, 24, pool_type="avg"),) * 2, Head("adaptive"), batch_norm=True), (1, 56, 56)),
    Network(Architecture((Block(1, 16), Block(2, 32)), Head(hidden=(2048,)), activation="sigmoid"), (1, 40, 40)),
]
LAYERED = Network(
    parse_arch(
        "avgpool2s2,drop0.1,conv32:p1,silu,conv32:p1:g32:nobias,bn,silu,conv64:k1,gelu,pool3s2p1:ceil,conv64:d2:g2,tanh,"
        "gap,flatten,linear2048,bn1d,leakyrelu,linear10"
    ).architecture,
    (1, 88, 88),
)


def trainer(network: Network, device: str, **training: Any) -> Trainer:
    recipe = Training(input_size=None, batch_size=32, **training)
    return Trainer(Config(network=network, training=recipe, device=device), Session())


def steps(trainer: Trainer, count: int) -> None:
    rows = torch.arange(trainer.training.batch_size, device=trainer.device)
    for _ in range(count):
        trainer.descent.learn(rows, trainer.training.lr)


def allocations(profile: Any) -> Iterator[int]:
    """Bytes taken (above 0) and given back, in order."""
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        yield event.nbytes()


def highest(changes: Iterator[int]) -> int:
    level = peak = 0
    for change in changes:
        level += change
        peak = max(peak, level)
    return peak


@pytest.mark.sample(3)
@pytest.mark.parametrize("network", [*LARGE, LAYERED], ids=lambda network: str(network.input_shape))
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("training", [{}, {"momentum": 0.9}, {"optimizer": "adam"}], ids=str)
def test_the_most_that_a_step_takes(
    network: Network, precision: str, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer's own step, every allocation as PyTorch's profiler reports it: no heap, no libraries."""
    learner = trainer(network, "cpu", precision=precision, **training)
    kept = learner.training.kept
    steps(learner, 1)
    learner.net.zero_grad()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        steps(learner, 2)
    summary = summarize(*network)
    before = 4 * summary.totals.params * (1 + kept)
    monkeypatch.setattr("vggexplorer.forecast.memory.HEAP_SHARE", 0)
    own = training_memory(summary, 32, precision, kept=kept)
    assert own.total == pytest.approx(before + highest(allocations(profile)), rel=0.1)
    assert own.optimizer == 4 * summary.totals.params * kept
    assert min(own) >= 0


def test_one_constant_explains_what_a_gpu_had_beside_tensors() -> None:
    """MB measured on an H100 in one process, in this order: each step, and what the trainers before had left."""
    measured = [361, 531, 611, 752, 769, 964]
    left = 0
    rests, peaks = [], []
    for number, peak in enumerate(measured):
        network, precision = LARGE[number % len(LARGE)], PRECISIONS[number // len(LARGE)]
        summary = summarize(*network)
        images = images_of(Config(network=network, training=Training(input_size=None), dataset=DEFAULT)).bytes
        own = training_memory(summary, 32, precision, gpu=True, data=images).total
        peaks.append(peak - left / 1e6)
        rests.append(peaks[-1] - own / 1e6)
        left += 2 * 4 * summary.totals.params + images  # weights, gradients
    libraries = statistics.median(rests)
    assert 0 < libraries < AT_MOST.libraries / 1e6 * 1.3
    assert all(abs(rest - libraries) < 0.03 * peak for rest, peak in zip(rests, peaks, strict=True))


ADDED = Added(libraries=2**27, copies=0.5, cached=2**24)


def test_what_a_gpu_adds() -> None:
    """Worked out by hand: a convolution of 1 to 3 channels, both filled up to 8, on images of 4 x 4."""
    summary, batch = summarize(Architecture((Block(1, 3),), Head("gap", hidden=(), dropout=0)), (1, 4, 4)), 32
    whole = 4 * (batch * (8 * 16 + 8 * 16) + 3 * 9 + 3)
    plain = training_memory(summary, batch, "float32", gpu=True)
    copied = training_memory(summary, batch, "float32", gpu=True, added=Added(copies=100.0))
    assert 99 * whole < copied.total - plain.total <= 100 * whole
    found = training_memory(summary, batch, "float32", gpu=True, context=5, added=ADDED._replace(copies=0))
    assert found == plain._replace(workspace=plain.workspace + 2**27, context=5 + 2**24)
    tested = inference_memory(summary, batch, "float32", gpu=True, added=ADDED)
    assert tested.workspace - inference_memory(summary, batch, "float32", gpu=True).workspace == 2**27 + whole // 2


H100 = Device("cuda:0", "NVIDIA H100 80GB HBM3", 80 * 2**30, 2.0)


def test_without_a_calibration_a_gpus_memory_is_a_range() -> None:
    found = forecast(SLIM, H100, None)
    assert found.most > found.memory.total + AT_MOST.libraries
    assert found.allocated == found.memory.total - found.memory.context
    limit = round(found.most / USABLE)
    assert (found.fits(limit + 1, None), found.fits(limit - 2**20, None)) == (True, False)
    assert forecast(SLIM, CPU, PLAIN).most == forecast(SLIM, CPU, PLAIN).memory.total


def test_with_a_calibration_it_is_one_number() -> None:
    known = replace(PLAIN, gpu=True, added={"float32": ADDED})
    asked = replace(SLIM, training=replace(SLIM.training, precision="float32"))
    found, bare = forecast(asked, H100, known), forecast(asked, H100, replace(known, added={}))
    assert found.most == found.memory.total
    assert found.memory.context == bare.memory.context + 2**24
    assert bare.memory.total + 2**27 < found.memory.total < bare.most + 2**24
    assert found.allocated == found.memory.total - found.memory.context


def test_files_of_a_version_that_did_not_know_it_stay_readable() -> None:
    old = PLAIN.to_json()
    del old["added"]
    assert Calibration.from_json(old) == PLAIN
    kept = forecast(SLIM, CPU, PLAIN).to_json()
    del kept["most"]
    assert Forecast.from_json(kept) == forecast(SLIM, CPU, PLAIN)


def peak_of_a_run(runs: Runs, config: Config) -> int:
    """The most memory of a real trainer, which trains for a few seconds in a process of its own."""
    run = runs.create(config)
    subprocess.run(launch.command(run), env=child_environment(), stdout=subprocess.DEVNULL, timeout=300, check=True)
    record = run.last_record()
    assert record is not None
    assert record.memory is not None
    return record.memory


@pytest.mark.long
@pytest.mark.skipif(peak_memory() is None, reason="the system does not say how much memory a process had")
def test_the_most_that_a_trainer_takes(tmp_path: Path) -> None:
    """The small network says what a process takes beside its network, as in a calibration."""
    few = {"input_size": None, "batch_size": 64, "time_budget": 3.0, "precision": "float32"}
    write_json(tmp_path / "devices.json", {"machine": devices.machine(), "devices": [CPU._asdict()]})
    runs = Runs(tmp_path)
    peaks, forecasts = [], []
    for network in (NETWORKS["LeNet"], LARGE[1]):
        config = Config(network=network, training=Training(**few), device="cpu")
        peaks.append(peak_of_a_run(runs, config))
        forecasts.append(forecast(config, CPU, PLAIN).memory.total - PLAIN.context)
    context = peaks[0] - forecasts[0]
    assert context + forecasts[1] == pytest.approx(peaks[1], rel=0.15)


def test_inference_needs_no_gradients() -> None:
    summary = summarize(*LARGE[0])
    training, inference = training_memory(summary, 32, "float32"), inference_memory(summary, 32, "float32")
    assert (inference.gradients, inference.optimizer, inference.weights) == (0, 0, training.weights)
    assert inference.activations == 32 * 4 * 2 * 16 * 64 * 64  # in and out of the first ReLU
    assert inference.total < training.total


def test_layers_that_are_not_in_place_or_normalise_keep_more() -> None:
    assert not any(isinstance(module, nn.ReLU) and module.inplace for module in build(*NETWORKS["VGG-11"]).modules())
    assert LocalResponseNorm().saved_for_backward((8, 4, 4), gpu=False).extra == 4 * (12 + 2 * 8) * 16


# --- time -------------------------------------------------------------------------------------------------


PLAIN = Calibration(
    title="a device",
    gpu=False,
    rates={
        "float32": {
            ANY: (Rate(0, 1e-9, 1e-9, 0, 1e-3), Rate(0, 2e-9, 2e-9, 0, 2e-3)),
            STEM: (Rate(1e-9, 0, 0, 0, 0), Rate(3e-9, 0, 0, 0, 0)),
            RESIZE: (Rate(0, 1e-9, 1e-9, 0, 0), NOTHING),
            UPDATE: (Rate(0, 1e-9, 1e-9, 0, 0), NOTHING),
            STEP: (Rate(0, 0, 0, 0, 0.5), NOTHING),
        }
    },
    context=100,
    start=7.0,
    spread=0.25,
)
TINY = summarize(Architecture((Block(1, 8, pool=None),), Head("gap", hidden=(), dropout=0)), (1, 4, 4))
"""conv 1 -> 8 (3 x 3), ReLU, average pool to 1 x 1, flatten, linear 8 -> 10."""


def test_work_is_counted_in_whole_vectors() -> None:
    """8 channels are computed as 16, the one of the image as it is; by hand, for two examples in float32."""
    convolution, relu, pool, flatten, linear = (forward for forward, _ in works(TINY, 2, "float32"))
    maps, pictures = 2 * 8 * 16, 2 * 16
    assert convolution == (2 * 16 * 16 * 9, 4 * (pictures + maps), 4 * (8 * 9 + 8), 0)
    assert relu == (0, 4 * 2 * maps, 0, 0)
    assert pool == (0, 4 * (maps + 2 * 8), 0, 0)
    assert flatten == (0, 4 * 2 * 8, 0, 0)
    assert linear == (2 * 8 * 10, 4 * (2 * 8 + 2 * 10), 4 * (8 * 10 + 10), 0)


def test_large_blocks_are_fresh() -> None:
    batch = LARGE_BLOCK // (4 * 8 * 16)
    forward, backward = works(TINY, batch, "float32")[1]
    assert (forward.fresh, backward.fresh) == (LARGE_BLOCK, LARGE_BLOCK)
    assert works(TINY, batch - 1, "float32")[1][0].fresh == 0


def test_a_step_is_the_sum_of_its_parts() -> None:
    convolution, *others = works(TINY, 2, "float32")
    times = layer_times(TINY, 2, "float32", PLAIN)
    assert times[0] == pytest.approx((1e-9 * convolution[0].macs, 3e-9 * convolution[0].macs))
    moved = sum(forward.moved for forward, _ in others)
    layers = 4e-9 * convolution[0].macs + 3e-9 * moved + len(others) * 3e-3
    resize, update = 1e-9 * 4 * 2 * 16, 1e-9 * 3 * 4 * TINY.totals.params
    found = training_time(TINY, 2, "float32", PLAIN, epochs=3, examples=9, tests=64)
    assert found.step == pytest.approx(layers + resize + update + 0.5)
    testing = sum(forward for forward, _ in layer_times(TINY, 32, "float32", PLAIN)) + 1e-9 * 4 * 32 * 16
    assert found.epoch == pytest.approx(5 * found.step + 2 * testing)
    assert found.total == pytest.approx(7 + 3 * found.epoch)
    assert (found.low, found.high) == (pytest.approx(found.total / 1.25), pytest.approx(found.total * 1.25))
    with_momentum = training_time(TINY, 2, "float32", PLAIN, epochs=3, examples=9, tests=64, kept=1)
    assert with_momentum.step - found.step == pytest.approx(1e-9 * 2 * 4 * TINY.totals.params)


@pytest.mark.parametrize("added", [{}, {"bfloat16": Added(2**27, 0.25, 2**21, 0.05)}])
def test_a_calibration_survives_json(added: dict[str, Added]) -> None:
    known = replace(PLAIN, added=added)
    assert Calibration.from_json(json.loads(json.dumps(known.to_json()))) == known


@pytest.mark.parametrize(
    "damage", [{"rates": {}}, {"rates": {"float32": {}}}, {"rates": 5}, {"start": "soon"}, {"added": {"float32": [1]}}]
)
def test_a_damaged_calibration_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        Calibration.from_json(PLAIN.to_json() | damage)


def test_data_sheets_agree_with_the_reader_who_has_one() -> None:
    """The book's slim VGG-11 on a GTX 1660 Ti took a reader 14 min 40 s and 3,598 MiB; the source is in PUBLISHED."""
    text = next(text for name, text in PUBLISHED["d2l-vgg"].runs if name == "GTX 1660 Ti")
    minutes, seconds, mebibytes = (
        int(re.search(p, text)[1].replace(",", "")) for p in (r"(\d+) min", r"(\d+) s", r"([\d,]+) MiB")
    )  # type: ignore[index]
    device = Device("cuda:0", "NVIDIA GeForce GTX 1660 Ti", 6 * 2**30, 0.0)
    config = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"], dataset=Dataset("full"))
    found = forecast(config, device, None)
    assert found.time is not None
    assert found.time.low < 60 * minutes + seconds < found.time.high
    assert 0.5 < found.memory.total / (mebibytes * 2**20) < 1
    assert not found.measured


@pytest.mark.parametrize("known", PRESETS, ids=lambda known: known.title)
def test_every_data_sheet_makes_a_forecast(known: Any) -> None:
    found = preset(f"NVIDIA {known.title} PCIe")
    assert found is not None
    assert not found.measured
    assert ("bfloat16" in found.rates) == bool(known.bfloat16)
    assert training_time(TINY, 8, "float32", found, epochs=1, examples=80, tests=80).total > 0


def test_a_device_that_was_looked_at_for_a_second_has_a_rough_time() -> None:
    """By hand: of LeNet's step, 2 ms, the pace for each of its MACs, 5e6 of them a layer, 32 a parameter."""
    config = Config(network=NETWORKS["LeNet"], training=Training(epochs=3, batch_size=100, precision="float32"))
    looked_at = Device("cpu", "CPU", 2**33, 2.0, pace=1e-9)
    found, totals = forecast(config, looked_at, None), summarize(*config.trained)
    step = 2e-3 + 1e-9 * (5e6 * len(totals.rows) + 32 * totals.totals.params + 100 * totals.totals.macs)
    assert found.time
    assert found.time.step == pytest.approx(step)
    assert found.time.epoch == pytest.approx(60 * step + 1000 / 100 * step / 3)
    assert found.time.total == pytest.approx(5 + 3 * found.time.epoch)
    assert (found.time.low, found.time.high) == pytest.approx((found.time.total / 2, 2 * found.time.total))
    assert found.rough
    assert not found.measured
    assert Forecast.from_json(found.to_json()) == found


def test_a_rough_time_is_that_of_the_faster_precision_and_a_gpu_calls_faster() -> None:
    config = Config(network=NETWORKS["VGG-11 slim"], training=Training(batch_size=64))
    pace = Device("cpu", "CPU", 2**33, 2.0, pace=1e-9)
    steps = [
        found.time.step
        for device in (pace, pace._replace(speedup=0.5), pace._replace(name="cuda:0"))
        if (found := forecast(config, device, None)).time
    ]
    assert 1.5 < steps[1] / steps[0] <= 2  # the arithmetic alone
    assert steps[2] < steps[0]


def test_other_devices_have_no_data_sheet() -> None:
    assert preset("AMD EPYC") is None


# --- of a run -----------------------------------------------------------------------------------------------


CPU = Device("cpu", "CPU", 2**33, 1.0)
SLIM = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"], dataset=Dataset("full"))


def test_a_forecast_survives_json() -> None:
    for calibration in (PLAIN, None):
        found = forecast(SLIM, CPU, calibration)
        assert Forecast.from_json(json.loads(json.dumps(found.to_json()))) == found
        assert (found.time is None) == (calibration is None)
    for damaged in (None, {}, [], {"memory": 5}, found.to_json() | {"memory": {}}):
        assert Forecast.from_json(damaged) is None


def test_a_time_budget_ends_a_run() -> None:
    config = replace(SLIM, training=replace(SLIM.training, time_budget=30.0))
    found = forecast(config, CPU, PLAIN)
    assert found.time is not None
    assert found.time.total == found.time.high == 30


def test_pictures_of_a_folder_are_counted(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(7):
            (tmp_path / name / f"{number}.png").touch()
    config = replace(SLIM, dataset=Dataset("folder", str(tmp_path)))
    assert images_of(config) == (12, 2, 14 * (224 * 224 + 8))
    assert images_of(SLIM) == (60_000, 10_000, 70_000 * (28 * 28 + 8))
    few = replace(SLIM.training, images=5)
    assert images_of(replace(config, training=few)) == (5, 2, 7 * (224 * 224 + 8))
    assert images_of(replace(SLIM, training=few)) == (5, 10_000, 10_005 * (28 * 28 + 8))


def test_a_run_on_a_gpu_may_be_shorter_than_forecast_by_the_fused_step() -> None:
    """Where it may be and pays: in bfloat16, by gradient descent, if the steps take long enough."""
    gpu = Device("cuda:0", "a GPU", 2**36, 3.0, pace=1e-13)
    training = replace(SLIM.training, precision="bfloat16")
    long, cases = replace(SLIM, training=training), {}
    for name, options in {
        "long": {},
        "Adam": {"optimizer": "adam"},
        "float32": {"precision": "float32"},
        "exact": {"exact": True},
        "short": {"images": 1280, "epochs": 1},
    }.items():
        asked = replace(long, training=replace(training, **options))
        cases[name] = may_be_fused(forecast(asked, gpu, None), asked)
    assert cases == {"long": True, "Adam": False, "float32": False, "exact": False, "short": False}
    assert not may_be_fused(forecast(long, CPU._replace(pace=1e-10), None), long)
    assert not may_be_fused(forecast(long, gpu._replace(pace=0.0), None), long)


def test_what_was_measured_stands_beside_the_forecast() -> None:
    found = forecast(SLIM, CPU, PLAIN)
    figures = {"epoch": 1.0, "batch_loss": 1.0, "train_loss": 1.0, "train_acc": 0.5, "lr": 0.05, "seconds": 9.0}
    last = Record(step=9, examples=1152, examples_per_sec=64.0, examples_per_sec_wall=60.0, memory=2**31, **figures)
    compared = compare(found, SLIM, last)
    assert found.time is not None
    assert compared["step"] == Compared(found.time.step, 2.0)
    assert compared["memory"] == Compared(found.memory.total, 2**31)
    assert compared["step"].error == pytest.approx(found.time.step / 2 - 1)
    assert compare(forecast(SLIM, CPU, None), SLIM, replace(last, memory=None)) == {}
    rough = forecast(SLIM, CPU._replace(pace=1e-9), None)
    assert rough.time
    assert "step" not in compare(rough, SLIM, last)


# --- make it fit --------------------------------------------------------------------------------------------


def check(proposals: list[Proposal], memory: int | None, seconds: float | None, config: Config = SLIM) -> None:
    now = forecast(config, CPU, PLAIN)
    for each in proposals:
        assert each.forecast == forecast(each.config, CPU, PLAIN)
        assert each.forecast.fits(memory, seconds)
        assert each.saved_memory == now.memory.total - each.forecast.memory.total
        assert {change.what for change in each.changes} <= set(CHANGES)
        assert each.config != config


def test_what_fits_needs_no_proposal() -> None:
    assert fit(SLIM, CPU, PLAIN, memory=2**34, seconds=None) == []
    assert fit(SLIM, CPU, PLAIN, memory=None, seconds=None) == []


def test_a_single_change_makes_room() -> None:
    memory = forecast(SLIM, CPU, PLAIN).memory.total
    proposals = fit(SLIM, CPU, PLAIN, memory=memory, seconds=None)  # a tenth is left to others
    assert memory > USABLE * memory
    check(proposals, memory, None)
    assert [each.changes[0].what for each in proposals] == ["width", "input", "batch", "head"]
    assert all(len(each.changes) == 1 and each.saved_memory > 0 for each in proposals)
    width, size, batch, _ = (each.changes[0] for each in proposals)
    assert (width.before, size.before, batch.before) == ("1", "224", "128")
    assert (size.after, batch.after) == ("192", "64")


def test_a_single_change_saves_time() -> None:
    found = forecast(SLIM, CPU, PLAIN).time
    assert found is not None
    proposals = fit(SLIM, CPU, PLAIN, memory=None, seconds=found.total * 0.55)
    check(proposals, None, found.total * 0.55)
    epochs = next(each.changes[0] for each in proposals if each.changes[0].what == "epochs")
    assert (epochs.before, epochs.after) == ("10", "5")
    assert all(each.saved_seconds > 0 for each in proposals)


def test_two_changes_together() -> None:
    found = forecast(SLIM, CPU, PLAIN)
    assert found.time is not None
    memory, seconds = found.memory.total // 3, found.time.total / 60
    proposals = fit(SLIM, CPU, PLAIN, memory=memory, seconds=seconds)
    check(proposals, memory, seconds)
    assert proposals
    assert all(len(each.changes) >= 2 for each in proposals)


def test_all_changes_together() -> None:
    """Where no pair of changes does, several do."""
    fast = replace(PLAIN, start=0.0, rates={"float32": PLAIN.rates["float32"] | {STEP: (Rate(0, 0, 0, 0, 0), NOTHING)}})
    config = replace(SLIM, training=replace(SLIM.training, epochs=1, batch_size=512))
    found = forecast(config, CPU, fast)
    assert found.time is not None
    memory, seconds = PLAIN.context + 2**28, found.time.total / 80
    proposals = fit(config, CPU, fast, memory=memory, seconds=seconds)
    assert len(proposals) == 1
    assert len(proposals[0].changes) > 2
    assert proposals[0].forecast.fits(memory, seconds)


def test_nothing_helps() -> None:
    assert fit(SLIM, CPU, PLAIN, memory=2**20, seconds=None) == []
