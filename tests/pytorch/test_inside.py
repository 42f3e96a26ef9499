"""Inside a network: when snapshots are kept, what is in them, and the tiles that are drawn of them."""

import base64
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_predict import file_of
from test_runs_page import make
from test_train import EVERYTHING, SMALL
from torch import Tensor

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.pytorch import inside, loop, predict, weights
from vggexplorer.pytorch.data import to_batch
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import safetensors, snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.options import Training
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Session
from vggexplorer.text import parse_network

PICTURE = torch.arange(28 * 28).view(1, 1, 28, 28).remainder(256).to(torch.uint8)


# --- when ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**7), st.integers(1, 200 * 2**20))
def test_snapshots_are_few_and_take_little(num_steps: int, size: int) -> None:
    steps = snapshots.schedule(num_steps, size)
    assert len(steps) <= snapshots.MOST
    assert len(steps) * size <= snapshots.MOST_BYTES
    assert all(0 <= step < num_steps for step in steps)
    assert 0 in steps or size > snapshots.MOST_BYTES


def test_they_lie_ever_farther_apart_and_reach_far() -> None:
    steps = sorted(snapshots.schedule(4690, 2**20))
    assert steps[:3] == [0, 2, 3]
    assert steps[-1] > 4690 / 2
    gaps = [later - before for before, later in pairwise(steps[1:])]
    assert gaps == sorted(gaps)


def test_a_large_network_gets_two() -> None:
    assert len(snapshots.schedule(4690, 40 * 2**20)) == 2


def test_only_whole_files_count(tmp_path: Path) -> None:
    for step in (10, 2, 0):
        path = snapshots.file(tmp_path, step)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        (path.parent / f".{path.name}").touch()
    assert [int(path.stem) for path in snapshots.files(tmp_path)] == [0, 2, 10]
    assert snapshots.files(tmp_path / "nothing") == []


# --- what the trainer keeps ---------------------------------------------------------------------------------


class Keeper(Session):
    """Keeps snapshots, and the convolutions as they were when one was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[int, dict[str, Tensor]] = {}
        self.trainer: loop.Trainer

    def snapshot(self, step: int, write: Callable[[Path], None]) -> None:
        path = snapshots.file(self.path, step)
        path.parent.mkdir(exist_ok=True)
        write(path)
        self.seen[step] = {name: value.clone() for name, value in self.trainer.net.state_dict().items()}


LAYERS = parse_network(
    {
        "arch": "conv4:p1:nobias,bn,leakyrelu0.1,pool3s2p1:ceil,conv8:g4:d2,silu,gap,flatten,linear16,bn1d,gelu,"
        "drop0.1,linear10",
        "input": "1x28x28",
    }
)


@pytest.mark.parametrize(
    ("network", "training"), [(SMALL, {}), (SMALL, {"batch_norm": True}), (LAYERS, {})], ids=["", "norm", "layers"]
)
def test_a_snapshot_has_the_convolutions_of_its_step(
    tmp_path: Path, network: Network, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "APART", 0)  # each step has a record, however fast it is
    asked = Config(network=network, training=replace(EVERYTHING, **training), device="cpu")
    keeper = Keeper(tmp_path)
    keeper.trainer = loop.Trainer(asked, keeper)
    losses = {record.step: record.batch_loss for record in keeper.trainer.run()}
    steps = snapshots.schedule(max(losses), 2 * 4 * 10)
    assert inside.layers(asked) == [
        name for name, _, _ in asked.trained.architecture.named_layers() if "features." in name
    ]
    assert set(keeper.seen) == steps > {0, 1}
    for path in snapshots.files(tmp_path):
        step = int(path.stem)
        about = safetensors.metadata(path)
        assert int(about["step"]) == step
        assert about["loss"] == (repr(losses[step]) if step else "")
        kept = weights.load(path)
        assert kept.keys() == keeper.seen[step].keys(), "the head is small"
        for name, value in kept.items():
            torch.testing.assert_close(value.float(), keeper.seen[step][name].float(), rtol=2**-8, atol=0)


def test_snapshots_change_nothing(tmp_path: Path) -> None:
    asked = Config(network=SMALL, training=EVERYTHING, device="cpu")
    keeper = Keeper(tmp_path)
    ends = []
    for session in (keeper, Session()):
        keeper.trainer = trainer = loop.Trainer(asked, session)
        list(trainer.run())
        ends.append(trainer.net.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(ends[0].values(), ends[1].values(), strict=True))


def test_a_network_without_convolutions_shows_nothing() -> None:
    network = parse_network({"arch": "avgpool2s2,flatten,linear10", "input": "1x28x28"})
    assert inside.layers(Config(network=network, training=EVERYTHING, device="cpu")) == []


# --- what is drawn ------------------------------------------------------------------------------------------


def pixels(tiles: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The sheet, height x width x channels."""
    picture = tiles["picture"]
    flat = np.frombuffer(base64.b64decode(picture["bytes"]), np.uint8)
    return flat.reshape(picture["height"], picture["width"], picture["channels"])


def test_filters_are_grey_around_zero() -> None:
    weight = torch.tensor([[[[0.0, 0.5], [-1.0, 1.0]]], [[[0.25, 0.0], [0.0, 0.0]]]])
    tiles = inside.filters(weight)
    assert (tiles["count"], tiles["of"], tiles["largest"], tiles["silent"]) == (2, 2, 1.0, 0)
    sheet = pixels(tiles)[:, :, 0]
    assert sheet.tolist() == [[128, 192, 128, 160, 128], [1, 255, 128, 128, 128]]
    assert tiles["tile"] == [2, 2]


def test_filters_of_colours_are_in_colour_and_of_many_channels_the_mean() -> None:
    assert pixels(inside.filters(torch.rand(4, 3, 5, 5))).shape[2] == 3
    several = torch.stack([torch.full((2, 2), -1.0), torch.full((2, 2), 3.0)])[None]
    assert pixels(inside.filters(several))[:, :, 0].tolist() == [[255, 255], [255, 255]]


def test_maps_are_black_at_zero_and_say_which_are_silent() -> None:
    maps = torch.zeros(40, 100, 60)
    maps[1] = 2.0
    tiles = inside.feature_maps(maps)
    assert (tiles["count"], tiles["of"], tiles["largest"], tiles["silent"]) == (inside.MOST_MAPS, 40, 2.0, 31)
    sheet = pixels(tiles)[:, :, 0]
    assert (sheet[:48, :28] == 0).all()
    assert (sheet[:48, 29:57] == 255).all()
    assert (sheet[:, 28] == inside.ZERO).all()


@given(st.integers(1, 40), st.integers(1, 70), st.integers(1, 70))
def test_every_map_has_its_place(count: int, height: int, width: int) -> None:
    maps = torch.rand(count, height, width) + 0.5
    tiles = inside.feature_maps(maps)
    sheet = pixels(tiles)[:, :, 0]
    least = min(count, inside.MOST_MAPS) * min(height, inside.SIDE * height // max(height, width, inside.SIDE) or 1)
    assert (sheet != inside.ZERO).sum() >= least * 0.9
    assert max(sheet.shape) < 10 * inside.SIDE * 8


# --- the answer ---------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with batch norm, two snapshots and weights, which nobody trained."""
    network = parse_network({"arch": "1x4,1x8", "hidden": "none", "input": "1x28x28", "bn": "1"})
    made = make(tmp_path, "one", asked=Config(network=network, training=Training(input_size=None)))
    snapshots.file(made.path, 0).parent.mkdir()
    for seed, step in enumerate((0, 7)):
        state = network_of(made, seed).state_dict()
        halves = {name: value.bfloat16() if value.is_floating_point() else value for name, value in state.items()}
        kept = {name: value for name, value in halves.items() if name.startswith("features.")}
        weights.save(snapshots.file(made.path, step), kept, {"step": str(step), "loss": "2.5" if step else ""})
    weights.save(made.path / "model.safetensors", network_of(made, 2).state_dict(), {})
    return made


def network_of(run: Run, seed: int) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    return build(*run.config().trained).eval()


def test_a_stage_for_each_snapshot_and_one_for_the_end(run: Run) -> None:
    stages = inside.inside(run, PICTURE, "features.2")["stages"]
    assert [(stage["step"], stage["loss"]) for stage in stages] == [(0, None), (7, 2.5), (None, None)]
    for seed, stage in enumerate(stages):
        net = network_of(run, seed)
        if stage["step"] is not None:
            net = net.bfloat16().float()
        assert stage["filters"] == inside.filters(net.get_submodule("features.0").weight.detach())
        with torch.no_grad():
            value = to_batch(PICTURE, (1, 28, 28))
            for name in ("features.0", "features.1", "features.2"):
                value = net.get_submodule(name)(value)
        assert stage["maps"]["largest"] == pytest.approx(float(value.max()), rel=0.01)
        assert [len(stage["way"]), stage["way"][0]["tile"], stage["way"][-1]["tile"]] == [4, [24, 24], [7, 7]]
    assert [stage["chances"] is None for stage in stages] == [True, True, False], "snapshots have no head here"
    assert json.loads(json.dumps(stages)) == stages


def test_the_answer_of_a_snapshot_is_known_if_it_has_the_head(run: Run) -> None:
    state = {name: value.bfloat16() for name, value in network_of(run, 5).state_dict().items()}
    state = {name: value if value.is_floating_point() else value.long() for name, value in state.items()}
    weights.save(snapshots.file(run.path, 7), state, {"step": "7", "loss": "2.5"})
    net = network_of(run, 5).bfloat16().float()
    with torch.no_grad():
        chances = net(to_batch(PICTURE, (1, 28, 28)))[0].softmax(0)
    found = inside.inside(run, PICTURE, "features.0")["stages"]
    assert found[0]["chances"] is None
    assert found[1]["chances"] == pytest.approx(chances.tolist(), abs=1e-3)
    assert sum(found[2]["chances"]) == pytest.approx(1, abs=1e-2)


def test_the_head_is_kept_where_all_snapshots_of_the_whole_network_are_small() -> None:
    most = snapshots.MOST_BYTES // snapshots.MOST
    assert snapshots.with_head(most)
    assert not snapshots.with_head(most + 1)
    assert len(snapshots.schedule(10**6, most)) == snapshots.MOST


@pytest.mark.parametrize("layer", ["classifier.0", "features.99", "", "flatten", "<b>"])
def test_a_layer_that_is_not_there(run: Run, layer: str) -> None:
    with pytest.raises(InputError, match="no layer"):
        inside.inside(run, PICTURE, layer)


def test_what_is_damaged_is_left_out(run: Run) -> None:
    first, second = snapshots.files(run.path)
    first.write_bytes(b"x")
    stages = inside.inside(run, PICTURE, "features.0")["stages"]
    assert [stage["step"] for stage in stages] == [7, None]
    (run.path / "model.safetensors").unlink()
    content = bytearray(second.read_bytes())
    content[-3] ^= 1
    second.write_bytes(content)
    with pytest.raises(InputError, match="Nothing is kept"):
        inside.inside(run, PICTURE, "features.0")


def test_weights_that_are_not_numbers_are_left_out(run: Run) -> None:
    net = network_of(run, 0)
    net.get_submodule("features.0").weight.data.fill_(math.nan)
    weights.save(run.path / "model.safetensors", net.state_dict(), {})
    assert [stage["step"] for stage in inside.inside(run, PICTURE, "features.0")["stages"]] == [0, 7]


def test_the_process_answers(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    content = file_of(Image.fromarray(PICTURE[0, 0].numpy()))
    for layer, key in (("features.0", "stages"), ("nothing", "error")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        predict.main(["predict", str(run.path), "--invert", "no", "--layer", layer])
        assert key in json.loads(capsys.readouterr().out)


def test_with_the_weights_the_snapshots_go_too(run: Run) -> None:
    run.drop_weights()
    assert snapshots.files(run.path) == []
    assert run.weights() is None
