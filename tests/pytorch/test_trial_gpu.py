"""On a real GPU: the fused step is taken for the book's networks, and a run with it is one with PyTorch's own."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_train import Keeper, Whenever, config

from vggexplorer.architectures import NETWORKS
from vggexplorer.pytorch import deterministic, trial
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.trial import fused
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.exactness import FAST, PLAIN
from vggexplorer.runs.steps import Choice, Why
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Command, Session

pytestmark = pytest.mark.gpu
BOOK = replace(RECIPES["d2l-vgg"], precision="bfloat16", epochs=2)
NAMES = ("VGG-11 slim", "AlexNet", "VGG-11")
NEAR, MORE = 0.05, 1.1
"""How far the mean loss of an epoch may be from that with PyTorch's own step; how much more memory a step may take."""


@pytest.fixture(autouse=True)
def _every_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each step has its record, and is worth a trial."""
    monkeypatch.setattr(rhythm, "APART", 0.0)
    monkeypatch.setattr(trial, "pays", lambda *_: True)
    yield
    deterministic.switch(False)


def asked(name: str = "VGG-11 slim", **training: Any) -> Config:
    return Config(network=NETWORKS[name], training=replace(BOOK, **training), device="cuda:0", seed=1)


def taken(trainer: Trainer) -> Choice:
    """The choice of a trainer, which must not be that of an error."""
    assert trainer.choice is not None
    assert trainer.choice.why in (Why.FASTER, Why.NOT_FASTER), trainer.choice
    return trainer.choice


@pytest.mark.parametrize("name", NAMES)
def test_it_does_what_pytorchs_own_does_and_is_faster(name: str) -> None:
    choice = taken(Trainer(asked(name, batch_size=128 if name != "VGG-11" else 32), Session(), fused))
    assert choice.why is Why.FASTER, choice


@pytest.mark.parametrize(
    "training",
    [
        {"batch_norm": True},
        {"momentum": 0.9, "weight_decay": 5e-4},
        {"flip": True, "crop": 4, "brightness": 0.2, "label_smoothing": 0.1},
        {"batch_size": 1000},
        {"images": 100},
    ],
    ids=str,
)
def test_with_every_option_it_agrees(training: dict[str, Any]) -> None:
    """Whether it is faster or not."""
    taken(Trainer(asked(**training), Session(), fused))


def test_it_agrees_where_no_kernel_applies() -> None:
    small = config(batch_size=64, precision="bfloat16")
    for network in (NETWORKS["LeNet"], small.network):
        taken(Trainer(replace(small, network=network, device="cuda:0"), Session(), fused))


def test_the_losses_are_those_of_pytorchs_own_step(tmp_path: Path) -> None:
    both = {}
    for kind, make in ((FAST, fused), (PLAIN, None)):
        keeper = Keeper(tmp_path / kind)
        trainer = Trainer(asked(), keeper, make)
        ends = [record for record in trainer.run() if record.test_acc is not None]
        assert keeper.environment["kind"] == kind
        both[kind] = [record.train_loss for record in ends]
    assert both[FAST] == pytest.approx(both[PLAIN], rel=NEAR)


def test_a_replay_drops_what_the_seed_says() -> None:
    trainer = Trainer(asked(), Session(), fused)
    assert trainer.descent.kind == FAST, trainer.choice
    rows = torch.arange(128, device="cuda:0")

    def loss(seed: int) -> float:
        torch.manual_seed(seed)
        return trainer.descent.learn(rows, 0.0).loss.item()

    assert loss(1) == pytest.approx(loss(1), rel=1e-4)
    assert abs(loss(1) - loss(2)) > 1e-4 * loss(1)


def test_it_is_stopped_three_steps_before_the_end_of_an_epoch_and_gone_on_with(tmp_path: Path) -> None:
    whole, half = Keeper(tmp_path / "a"), tmp_path / "b"
    records = list(fit(asked(), whole, fused))
    steps = -(-6000 // 128)
    before = list(fit(asked(), Keeper(half, [Command.GO] * (steps - 3) + [Command.STOP], view_at=5), fused))
    rest = Keeper(half)
    after = list(fit(asked(), rest, fused))
    assert (before[-1].step, after[0].step, rest.environment["changed"]) == (steps - 3, steps - 2, None)
    assert after[-1].train_loss == pytest.approx(records[-1].train_loss, rel=NEAR)


def test_a_step_without_a_record_does_not_wait_for_the_gpu() -> None:
    trainer = Trainer(asked(), Session(), fused)
    trainer.rhythm = Whenever(trainer.steps_per_epoch)
    for length in (128, 112):
        rows = torch.arange(length, device="cuda:0")
        list(trainer._one_step(0, rows))
        torch.cuda.set_sync_debug_mode("error")
        try:
            assert list(trainer._one_step(1, rows)) == []
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_it_takes_no_more_memory_than_is_forecast_of_pytorchs_own() -> None:
    """The trial is not counted: only what steps and tests take afterwards."""
    most = {}
    for kind, make in ((PLAIN, None), (FAST, fused)):
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        trainer = Trainer(asked(epochs=1), Session(), make)
        assert trainer.descent.kind == kind, trainer.choice
        most[kind] = [record.memory or 0 for record in trainer.run()][-1]
        del trainer
    assert most[FAST] < MORE * most[PLAIN], most
