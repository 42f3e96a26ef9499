"""What batch norm takes in tests: estimated as PyTorch does it, from the weights alone, and nothing else is touched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_train import EVERYTHING, WITH_DROPOUT, Keeper, timeless
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import update_bn

from vggexplorer.pytorch import batch_norm, data, machine, weights
from vggexplorer.pytorch.chance import make_network
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Command, Session
from vggexplorer.text import parse_network

SLIM = parse_network({"arch": "1x8,1x16,2x32", "input": "1x32x32", "classes": "2", "hidden": "32"})
OF_VECTORS = parse_network(
    {"arch": "conv8:p1,bn,relu,pool2s2,conv16:p1,bn,relu,gap,flatten,linear32,bn1d,relu,drop0.2,linear2"}
    | {"input": "1x32x32", "classes": "2"}
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.setattr(machine, "threads", lambda *_: 1)
    monkeypatch.setattr(rhythm, "APART", 0.0)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def separable(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A folder of 60 bright and 60 dark noisy pictures."""
    path, chance = tmp_path_factory.mktemp("separable"), np.random.default_rng(0)
    for name, level in (("bright", 180), ("dark", 70)):
        (path / name).mkdir()
        for number in range(60):
            levels = (level + chance.normal(0, 30, (32, 32))).clip(0, 255).astype(np.uint8)
            Image.fromarray(levels).save(path / name / f"{number}.png")
    return Dataset.parse(f"folder:{path}")


def small(dataset: Dataset, **changed: Any) -> Config:
    """A few steps on the separable pictures, with all that draws by chance."""
    training = replace(EVERYTHING, batch_size=64, epochs=3, **changed)
    network = parse_network({"arch": "1x4,1x8", "input": "1x32x32", "classes": "2", "hidden": "8", "dropout": "0.5"})
    return Config(network=network, training=training, dataset=dataset, device="cpu", seed=3)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("network", [SLIM, OF_VECTORS], ids=["blocks", "layers"])
def test_pictures_that_are_told_apart_easily_are_learned(separable: Dataset, name: str, network: Any) -> None:
    training = replace(RECIPES[name], batch_norm=True, input_size=32, precision="float32")
    config = Config(network=network, training=training, dataset=separable, device="cpu")
    last = list(fit(config))[-1]
    assert last.test_acc is not None
    assert last.test_acc >= 0.95


def trained(config: Config) -> Trainer:
    trainer = Trainer(config, Session())
    list(trainer.run())
    return trainer


def test_the_estimate_is_pytorchs_own_over_the_same_batches(separable: Dataset) -> None:
    trainer = trained(small(separable, dropout=0.0))
    net = make_network(trainer.config).to(memory_format=torch.channels_last)
    net.load_state_dict(trainer.net.state_dict())
    places = batch_norm.batches(3, 102, 64)
    assert [len(each) for each in places] == [51, 51]
    images = [data.to_batch(trainer.train_images[each], trainer.shape) for each in places]
    update_bn([each.contiguous(memory_format=torch.channels_last) for each in images], net)
    assert any("running_var" in name for name in net.state_dict())
    for name, value in net.state_dict().items():
        assert torch.equal(value, trainer.net.state_dict()[name]), name


def test_of_many_images_it_takes_a_few_the_same_at_each_test() -> None:
    places = batch_norm.batches(7, 3000, 64)
    assert [len(each) for each in places] == [64] * 3
    assert torch.cat(places).unique().shape == (192,)
    assert torch.equal(torch.cat(places), torch.cat(batch_norm.batches(7, 3000, 64)))
    assert not torch.equal(torch.cat(places), torch.cat(batch_norm.batches(8, 3000, 64)))
    assert sum(map(len, batch_norm.batches(0, 60_000, 500))) == 3000
    assert [len(each) for each in batch_norm.batches(0, 33, 32)] == [17, 16]


def test_it_leaves_chance_and_the_layers_as_they_were(separable: Dataset) -> None:
    trainer = Trainer(small(separable), Session())
    chance = torch.get_rng_state()
    trainer.test()
    assert torch.equal(torch.get_rng_state(), chance)
    norms = [module for module in trainer.net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [(norm.momentum, norm.training) for norm in norms] == [(0.1, False)] * 2


@pytest.mark.parametrize("normalizes", [True, False])
def test_no_weight_depends_on_it(
    separable: Dataset, normalizes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, one, other = small(separable, batch_norm=normalizes), Keeper(tmp_path / "a"), Keeper(tmp_path / "b")
    with_it = timeless(fit(config, one))
    monkeypatch.setattr(batch_norm, "estimate", lambda *_: None)
    without = timeless(fit(config, other))
    differ = {name for name, value in one.weights.items() if not torch.equal(value, other.weights[name])}
    ends = ("running_mean", "running_var", "num_batches_tracked")
    assert differ == {name for name in one.weights if name.endswith(ends)}
    assert bool(differ) is normalizes
    tests = ("test_loss", "test_acc") if normalizes else ()
    for before, after in zip(with_it, without, strict=True):
        assert {k: v for k, v in before.items() if k not in tests} == {k: v for k, v in after.items() if k not in tests}


def scores_of(path: Path, trainer: Trainer) -> Tensor:
    net = make_network(trainer.config).to(memory_format=torch.channels_last)
    net.load_state_dict(weights.load(path))
    images = data.to_batch(trainer.test_images, trainer.shape).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        scores: Tensor = net.eval()(images)
    return scores


def test_the_weights_that_are_kept_are_those_that_were_tested(separable: Dataset, tmp_path: Path) -> None:
    config, keeper = small(separable, keep_best=True), Keeper(tmp_path / "checkpoint")
    records = list(fit(config, keeper))
    trainer = Trainer(config, Session())
    by_step = {record.step: record for record in records}
    for file, step in (("model", records[-1].step), ("best", keeper.kept[-1][0])):
        scores = scores_of(tmp_path / file, trainer)
        assert by_step[step].test_loss == pytest.approx(cross_entropy(scores, trainer.test_labels).item(), abs=1e-6)
        assert by_step[step].test_acc == (scores.argmax(1) == trainer.test_labels).float().mean().item()


@pytest.mark.parametrize("stop", range(1, 6))
def test_stopped_at_any_step_and_resumed_it_is_the_same_to_the_bit(
    separable: Dataset, tmp_path: Path, stop: int
) -> None:
    config, path = small(separable, keep_best=True), tmp_path / "checkpoint"
    whole, rest = Keeper(tmp_path / "whole"), Keeper(path)
    records = timeless(fit(config, whole))
    before = timeless(fit(config, Keeper(path, [Command.GO] * stop + [Command.STOP])))
    assert before + timeless(fit(config, rest)) == records
    assert {**whole.result} == {**rest.result}
    assert whole.weights.keys() == rest.weights.keys()
    assert all(torch.equal(value, rest.weights[name]) for name, value in whole.weights.items())


def test_nothing_goes_through_a_network_without_batch_norm() -> None:
    def forward(_: Tensor) -> None:
        pytest.fail("it was asked")

    net = make_network(Config(network=WITH_DROPOUT, training=replace(EVERYTHING, batch_norm=False), device="cpu"))
    net.train()
    batch_norm.estimate(net, [torch.zeros(2, 1, 28, 28)], forward)
    assert net.training
