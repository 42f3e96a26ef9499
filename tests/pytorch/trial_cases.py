"""What `test_kernels.py` has run in a process of its own: a run that takes the fused step after its trial.

As in `kernel_cases.py`: in float32 in Triton's interpreter, in bfloat16 on a GPU. There the trial's own times count.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fast_cases import PRECISION
from kernel_cases import DEVICE, INTERPRETED
from test_train import Keeper

from vggexplorer.pytorch import trial
from vggexplorer.pytorch.fast import Fast
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.trial import Trial
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import FAST, PLAIN
from vggexplorer.runs.options import Training
from vggexplorer.runs.steps import Place
from vggexplorer.text import parse_network

NETWORK = parse_network({"arch": "1x4", "input": "1x28x28", "hidden": "8", "dropout": "0.5"})
TRAINING = Training(epochs=2, batch_size=4, images=10, lr=0.05, momentum=0.9, precision="bfloat16", input_size=None)


def test_a_run_takes_it_and_ends_with_the_weights_of_pytorchs_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial sees kernels that are right; the last batch of an epoch is a smaller one."""
    seconds, asked = {PLAIN: 2.0, FAST: 1.0}, Config(network=NETWORK, training=TRAINING, device=str(DEVICE), seed=3)
    real = Trial.seconds
    monkeypatch.setattr(trial, "place", lambda *_: Place(True, True, True))
    monkeypatch.setattr(trial, "pays", lambda *_: True)
    monkeypatch.setattr(Trial, "seconds", lambda self, step: (real(self, step), seconds[step.kind])[1])
    monkeypatch.setattr(trial, "TIMED", 1)
    fused, plain = Keeper(tmp_path / "a"), Keeper(tmp_path / "b")
    list(fit(asked, fused, lambda task: Fast(task, PRECISION)))
    assert (fused.environment["kind"], fused.environment["step"]["why"]) == (FAST, "faster")
    list(Trainer(replace(asked, training=replace(TRAINING, precision=PRECISION)), plain).run())
    near = {"rtol": 1e-4, "atol": 1e-6} if INTERPRETED else {"rtol": 0.1, "atol": 1e-2}
    for name, value in fused.weights.items():
        assert torch.allclose(value, plain.weights[name], **near), name
