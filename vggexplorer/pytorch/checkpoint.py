"""All that a resume needs, in one file: weights, what the optimizer keeps, the sums of the epoch; as texts the rest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from vggexplorer.forecast.precision import Decision
from vggexplorer.pytorch import weights
from vggexplorer.pytorch.optimizers import Optimizer
from vggexplorer.runs.folder import safetensors
from vggexplorer.runs.trainer.session import useless


class Best(NamedTuple):
    """The best test accuracy so far, and after how many steps it was reached first."""

    step: int
    accuracy: float


class Reached(NamedTuple):
    """How far a run is: its steps, the seconds that they took, those of all of it, its best test."""

    step: int = 0
    step_seconds: float = 0.0
    seconds: float = 0.0
    best: Best | None = None

    def texts(self) -> dict[str, str]:
        """For the texts of a checkpoint."""
        best = {"best_step": str(self.best.step), "best_test_acc": repr(self.best.accuracy)} if self.best else {}
        return {
            "step": str(self.step),
            "step_seconds": repr(self.step_seconds),
            "seconds": repr(self.seconds),
            **best,
        }

    @staticmethod
    def of(texts: Mapping[str, str]) -> "Reached":
        """As the texts of a checkpoint have it; `KeyError` or `ValueError` if they are damaged."""
        best = Best(int(texts["best_step"]), float(texts["best_test_acc"])) if "best_step" in texts else None
        return Reached(int(texts["step"]), float(texts["step_seconds"]), float(texts["seconds"]), best)


class Kept(NamedTuple):
    """The tensors of a checkpoint, on their device: `sums` beside those of the network and the optimizer."""

    net: nn.Module
    optimizer: Optimizer
    sums: Tensor

    def write(self, path: Path, about: Mapping[str, str]) -> None:
        """The file, with texts about it."""
        tensors = dict(self.net.state_dict()) | {"sums": self.sums.cpu().double()}
        weights.save(path, tensors | self.optimizer.state(), about)

    def read(self, path: Path) -> None:
        """Have what the file holds; an error if it is damaged, or does not fit."""
        tensors = weights.load(path)
        self.sums.copy_(tensors.pop("sums"))
        for name, value in self.optimizer.state().items():
            value.copy_(tensors.pop(name))
        self.net.load_state_dict(tensors)


def about(path: Path) -> dict[str, str]:
    """The texts in a checkpoint; `InputError` if it is damaged."""
    try:
        texts = safetensors.metadata(path)
        int(texts["step"]), int(texts["threads"])
    except (OSError, ValueError, KeyError) as error:
        raise useless(error) from error
    return texts


def decided(texts: Mapping[str, str]) -> Decision | None:
    """How the precision of a checkpoint was chosen, if it was not asked for."""
    try:
        return Decision.from_json(json.loads(texts.get("decided", "null")))
    except ValueError:
        return None
