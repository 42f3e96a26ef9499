"""On a real GPU: equal bits of exact runs, of one that was stopped too, and no waiting between records."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_train import EVERYTHING, Keeper, Whenever, timeless

from vggexplorer.pytorch import deterministic
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.runs.config import Config
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Command, Session
from vggexplorer.text import parse_network

pytestmark = pytest.mark.gpu
NETWORKS = {
    "vgg": {"arch": "1x16,2x32,1x64", "hidden": "64,64", "dropout": "0.5"},
    "adaptive": {"arch": "1x16,2x24", "head": "adaptive", "hidden": "64", "dropout": "0.5"},
    "gap": {"arch": "1x16:lrn,2x24:pool3s2", "head": "gap", "hidden": "64", "bn": "1"},
    "average": {"arch": "1x16:k5:avg,1x32", "hidden": "none", "act": "sigmoid"},
}


@pytest.fixture(autouse=True)
def _every_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rhythm, "APART", 0.0)
    yield
    deterministic.switch(False)


def asked(name: str, precision: str) -> Config:
    network: Any = parse_network({"input": "1x48x48", **NETWORKS[name]})
    training = replace(EVERYTHING, batch_size=128, images=2600, input_size=None, batch_norm=None, precision=precision)
    return Config(network=network, training=replace(training, exact=True), device="cuda:0", seed=3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_exact_runs_have_equal_bits_and_so_has_one_that_was_stopped(tmp_path: Path, name: str, precision: str) -> None:
    config = asked(name, precision)
    one, two, halves = (Keeper(tmp_path / each) for each in "abc")
    records = timeless(fit(config, one))
    assert timeless(fit(config, two)) == records
    before = timeless(fit(config, Keeper(halves.path, [Command.GO] * 29 + [Command.STOP])))
    rest = Keeper(halves.path)
    assert before + timeless(fit(config, rest)) == records
    assert rest.environment["exact"] is True
    assert all(torch.equal(value, two.weights[name]) for name, value in one.weights.items())
    assert all(torch.equal(value, rest.weights[name]) for name, value in one.weights.items())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_without_a_record_does_not_wait_for_the_gpu(name: str) -> None:
    trainer = Trainer(asked(name, "bfloat16"), Session())
    trainer.rhythm = Whenever(trainer.steps_per_epoch)
    rows = torch.arange(128, device="cuda:0")
    list(trainer._one_step(0, rows))  # the libraries get ready
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert list(trainer._one_step(1, rows)) == []
    finally:
        torch.cuda.set_sync_debug_mode("default")
