"""A run that leaves its precision open times steps of its own network, and is then as if it had not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_train import EVERYTHING, WITH_DROPOUT, Keeper, config, timeless

from vggexplorer.architectures import NETWORKS
from vggexplorer.forecast.precision import Decision, Why, decide
from vggexplorer.pytorch import devices, precision
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.step import Plain
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import Training
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Command, Session

AUTO = replace(EVERYTHING, precision="auto")
ASKED = Config(network=WITH_DROPOUT, training=AUTO, device="cpu", seed=3)


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor says that it computes in bfloat16."""
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: True)


def timed(monkeypatch: pytest.MonkeyPatch, **seconds: float | Exception) -> None:
    """Steps are made, but take so long, or fail."""
    real = precision._steps

    def steps(step: Plain, rows: torch.Tensor, count: int) -> float:
        real(step, rows, 1)
        found = seconds[step.precision]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(precision, "_steps", steps)


def test_a_device_without_bfloat16_makes_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)
    monkeypatch.setattr(precision, "_steps", None)
    trainer = Trainer(ASKED, Session())
    assert (trainer.precision, trainer.decided) == ("float32", decide(False, None, None))
    assert trainer.environment()["decided"]["why"] == "no hardware"


@pytest.mark.parametrize(
    ("capability", "hip", "able"),
    [((7, 0), None, False), ((7, 5), None, False), ((8, 0), None, True), ((9, 0), "6", True)],
)
def test_gpus_before_ampere_do_not_compute_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], hip: str | None, able: bool
) -> None:
    """A V100, a T4, an A100; AMD's have it, whatever they call themselves."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.version, "hip", hip)
    assert devices.has_bfloat16(torch.device("cuda:0")) == able


@pytest.mark.parametrize(
    ("seconds", "chosen", "why"),
    [
        ({"float32": 2.0, "bfloat16": 1.0}, "bfloat16", Why.FASTER),
        ({"float32": 1.0, "bfloat16": 8.0}, "float32", Why.NOT_FASTER),
        ({"float32": torch.OutOfMemoryError("CUDA out of memory."), "bfloat16": 1.0}, "bfloat16", Why.NO_ROOM),
        ({"float32": RuntimeError("can't allocate memory"), "bfloat16": MemoryError()}, "bfloat16", Why.NOT_TIMED),
        ({"float32": 1.0, "bfloat16": RuntimeError("not implemented for 'BFloat16'")}, "float32", Why.FAILED),
    ],
)
def test_the_decision_and_its_times_are_facts_of_the_run(
    able: None, monkeypatch: pytest.MonkeyPatch, seconds: dict[str, Any], chosen: str, why: Why
) -> None:
    timed(monkeypatch, **seconds)
    about = Trainer(ASKED, Session()).environment()
    times = [each if isinstance(each, float) else None for each in seconds.values()]
    assert about["precision"] == chosen
    assert Decision.from_json(about["decided"]) == Decision(chosen, why, *times, AUTO.batch_size)


def test_what_goes_wrong_in_float32_goes_wrong_in_the_run(able: None, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, float32=RuntimeError("CUDA error: unspecified launch failure"), bfloat16=1.0)
    with pytest.raises(RuntimeError, match="launch failure"):
        Trainer(ASKED, Session())


def test_the_run_is_as_if_its_precision_had_been_asked_for(
    able: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bits: nothing of the steps is left in weights, statistics, momenta and chance."""
    monkeypatch.setattr(rhythm, "APART", 0.0)
    timed(monkeypatch, float32=1.0, bfloat16=2.0)
    found, plain = Keeper(tmp_path / "a"), Keeper(tmp_path / "b")
    records = list(fit(ASKED, found))
    assert found.environment["decided"]["why"] == "not faster"
    again = list(fit(replace(ASKED, training=replace(AUTO, precision="float32")), plain))
    assert plain.environment["decided"] is None
    assert timeless(records) == timeless(again)
    assert all(torch.equal(tensor, plain.weights[name]) for name, tensor in found.weights.items())


def test_a_resumed_run_keeps_what_was_decided(able: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, float32=2.0, bfloat16=1.0)
    path = tmp_path / "checkpoint"
    first = Keeper(path, [Command.GO, Command.STOP])
    list(fit(ASKED, first))
    monkeypatch.setattr(precision, "_steps", None)  # it would be tried again
    rest = Keeper(path, [Command.STOP])
    list(fit(ASKED, rest))
    assert rest.environment["precision"] == "bfloat16"
    assert rest.environment["decided"] == first.environment["decided"] is not None


class Folder(Session):
    """Keeps what was decided."""

    def __init__(self) -> None:
        self.kept: dict[str, Decision] = {}

    def known_decision(self, steps: str) -> Decision | None:
        return self.kept.get(steps)

    def keep_decision(self, steps: str, decision: Decision) -> None:
        self.kept[steps] = decision


def test_the_next_run_of_the_same_steps_has_the_same_precision(able: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that two runs of one seed have equal bits, however busy the machine was when they began."""
    folder = Folder()
    timed(monkeypatch, float32=2.0, bfloat16=1.0)
    first = Trainer(ASKED, folder).decided
    timed(monkeypatch, float32=1.0, bfloat16=1.0)
    assert Trainer(replace(ASKED, seed=4), folder).decided == first
    assert Trainer(replace(ASKED, training=replace(AUTO, batch_size=499)), folder).precision == "float32"
    assert len(folder.kept) == 2
    timed(monkeypatch, float32=1.0, bfloat16=MemoryError())  # of the moment
    assert Trainer(replace(ASKED, training=replace(AUTO, batch_size=498)), folder).precision == "float32"
    assert len(folder.kept) == 2


def test_several_processes_have_one_precision(able: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them is better off with float32."""
    timed(monkeypatch, float32=2.0, bfloat16=1.0)
    monkeypatch.setattr("vggexplorer.pytorch.distributed.SingleProcess.most", lambda *_: 1)
    trainer = Trainer(ASKED, Session())
    assert (trainer.precision, trainer.decided) == ("float32", None)


def test_a_processor_makes_steps_that_take_a_moment() -> None:
    """As many images as the run has, unless they are too much work; two at least where there is batch norm."""
    large = Training(input_size=512, batch_size=128, precision="float32")
    for training, count in ((large, 1), (replace(large, batch_norm=True), 2), (replace(large, input_size=32), 74)):
        asked = Config(network=NETWORKS["VGG-11 slim"], training=training, device="cpu")
        trainer = Trainer.__new__(Trainer)
        trainer.config, trainer.training, trainer.device = asked, training, torch.device("cpu")
        trainer.train_labels = torch.zeros(6000)
        assert precision.images(trainer) == count
        trainer.device = torch.device("cuda:0")
        assert precision.images(trainer) == 128


def test_no_more_steps_than_a_moment_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Trainer(config(precision="float32"), Session()).descent
    rows = torch.arange(4)
    for seconds, counts in ((1e-3, [1, 1, 10, 10]), (0.03, [1, 1, 3, 3]), (2.0, [1, 1, 1])):
        made: list[int] = []
        monkeypatch.setattr(precision, "_steps", lambda *asked, s=seconds, m=made: (m.append(asked[2]), s)[1])
        assert precision._seconds(step, rows) == seconds
        assert made == counts
