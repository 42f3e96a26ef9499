"""What a step of the trainer is: a batch, its scores and loss, the gradients, the update.

The loop asks a `Step` for it and knows nothing of how it is made; `Plain` is PyTorch's own, and `trial.py` says when a
fused one is taken in its place. A step of another kind is a class with the same names, made from a `Task`. It holds to
this:

- The float32 parameters of `Task.net` are the weights of the run, and the tensors of `Task.optimizer.state()` its
  momenta: after `learn` both are what the step made of them, in place, since tests, pictures, snapshots and checkpoints
  read them there. What a step keeps beside (copies in another precision) is its own; `refresh` has it made anew.
- Chance comes from PyTorch's default generators alone, which the loop seeds before each step. Images are changed by
  chance as `Task.batch` does it, by the same numbers: `trial.py` compares.
- Batches may have any number of rows, and come in any order of lengths.
- What `learn` returns, and the gradients, are good until the next call. `grad` of the parameters is not for it.
- Nothing in a step waits for the device.
"""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vggexplorer.layers import Shape
from vggexplorer.pytorch import data
from vggexplorer.pytorch.optimizers import Optimizer
from vggexplorer.runs.exactness import PLAIN
from vggexplorer.runs.options import Training


class Task(NamedTuple):
    """What is learned: by which network and optimizer, from which images (n, c, h, w; uint8) and labels, and how.

    `net` is on the device, its convolutions in channels last; `shape` is what it takes.
    """

    net: nn.Sequential
    optimizer: Optimizer
    training: Training
    images: Tensor
    labels: Tensor
    shape: Shape

    def batch(self, rows: Tensor) -> Tensor:
        """The training images `rows` as the network gets them: batch x channels x height x width, channels last."""
        training = self.training
        images = data.to_batch(self.images[rows], self.shape)
        if training.flip or training.crop or training.brightness:
            images = data.augment(images, training.flip, training.crop, training.brightness)
        return images.contiguous(memory_format=torch.channels_last)


class Learned(NamedTuple):
    """The class scores of a batch (rows x classes) before a step, and its mean loss; neither has a gradient.

    The loss has the training's label smoothing, as do all training losses of records; test losses have none.
    """

    scores: Tensor
    loss: Tensor


class Step(Protocol):
    """A way to make steps of gradient descent."""

    kind: str
    """What the run's files call it: one of `runs/exactness.py`."""

    @property
    def settled(self) -> int:
        """After so many steps on whole batches, all further ones on whole batches are made in the same way."""

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        """One step on the training images `rows`, at a learning rate of `lr`.

        `weight` is what the loss counts for beside those of other processes.
        """

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """The gradient of a parameter of the network in the step just made, in its shape; None if it has none."""

    def refresh(self) -> None:
        """Told when weights or momenta were changed by something else than a step: a checkpoint was restored."""


class Plain:
    """PyTorch's own step; `model` is the network as it is called if others train it too."""

    kind = PLAIN
    settled = 0

    def __init__(self, task: Task, precision: str, model: nn.Module | None = None) -> None:
        self.task, self.precision = task, precision
        self.model = model or task.net

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        """One step of gradient descent."""
        task = self.task
        images, labels = task.batch(rows), task.labels[rows]
        self.model.train()
        task.net.zero_grad()
        with autocast(images.device, self.precision):
            scores = self.model(images)
        loss = cross_entropy(scores.float(), labels, label_smoothing=task.training.label_smoothing)
        torch.autograd.backward(loss if weight == 1 else loss * weight)
        task.optimizer.step(lr)
        return Learned(scores.detach(), loss.detach())

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """What PyTorch keeps with the parameter."""
        return parameter.grad

    def refresh(self) -> None:
        """It keeps nothing."""


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The precision that the network computes in within it, on `device`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
