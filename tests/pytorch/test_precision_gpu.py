"""On a real GPU: a run that leaves its precision open has the faster one, and choosing it leaves no trace."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_exact_gpu import asked
from test_train import Keeper, timeless

from vggexplorer.architectures import NETWORKS
from vggexplorer.forecast.precision import BOTH, Why, decide
from vggexplorer.pytorch import deterministic
from vggexplorer.pytorch.devices import has_bfloat16
from vggexplorer.pytorch.layer_times import Steps
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Session

pytestmark = pytest.mark.gpu
BOOK = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"], device="cuda:0")
ROUNDS, ROOM = 20, 1.3
"""Steps of which the shortest counts, and how many times as long the chosen precision may take all the same."""


@pytest.fixture(autouse=True)
def _every_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rhythm, "APART", 0.0)
    yield
    deterministic.switch(False)


def test_what_is_left_open_is_decided_by_the_times_of_both() -> None:
    trainer = Trainer(BOOK, Session())
    decided = trainer.decided
    assert decided is not None
    assert decided.precision == trainer.precision
    if has_bfloat16(trainer.device):
        assert decided == decide(True, decided.float32, decided.bfloat16, BOOK.training.batch_size)
        assert decided.timed
    else:
        assert decided.why is Why.NO_HARDWARE


def test_the_chosen_precision_is_the_faster_one() -> None:
    chosen = Trainer(BOOK, Session()).precision
    seconds = {}
    for precision in BOTH:
        steps = Steps(BOOK.trained, BOOK.training.batch_size, "cuda:0", precision)
        steps.warm_up(1.0)
        seconds[precision] = min(steps.whole() for _ in range(ROUNDS))
    assert seconds[chosen] < ROOM * min(seconds.values()), seconds


def test_choosing_leaves_no_trace(tmp_path: Path) -> None:
    open_ = asked("vgg", "auto")
    found = Keeper(tmp_path / "a")
    records = timeless(fit(open_, found))
    told = replace(open_, training=replace(open_.training, precision=found.environment["precision"]))
    again = Keeper(tmp_path / "b")
    assert timeless(fit(told, again)) == records
    assert all(torch.equal(value, again.weights[name]) for name, value in found.weights.items())
