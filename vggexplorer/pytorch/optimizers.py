"""How the parameters of a network follow their gradients.

Making one of PyTorch's optimizers imports the compiler of `torch.compile`: a second and a hundred megabytes at the
start of every run. Gradient descent with the arithmetic of `torch.optim.SGD` needs none of it.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from vggexplorer.runs.options import Training


class Optimizer(Protocol):
    """Moves the parameters of a network against their gradients."""

    def step(self, lr: float) -> None:
        """Change each parameter that has a gradient."""

    def state(self) -> dict[str, Tensor]:
        """What it keeps from step to step, by name: its own tensors, all 0 before the first step."""


def optimizer(net: nn.Module, training: Training) -> Optimizer:
    """The optimizer of `training` for the parameters of `net`."""
    return (Adam if training.optimizer == "adam" else SGD)(net, training)


class SGD:
    """Stochastic gradient descent, with a momentum for each parameter if there is any."""

    def __init__(self, net: nn.Module, training: Training) -> None:
        self.momentum, self.weight_decay = training.momentum, training.weight_decay
        self._parameters = dict(net.named_parameters())
        self._momenta: dict[str, Tensor] = {}
        if self.momentum:
            self._momenta = {name: torch.zeros_like(parameter) for name, parameter in self._parameters.items()}

    def state(self) -> dict[str, Tensor]:
        """The momenta."""
        return {f"momentum.{name}": value for name, value in self._momenta.items()}

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """w <- w - lr v with v <- momentum v + gradient + weight_decay w, for each parameter w."""
        for name, parameter in self._parameters.items():
            change = parameter.grad
            if change is None:
                continue
            if self.weight_decay:
                change = change.add(parameter, alpha=self.weight_decay)
            if self.momentum:
                change = torch.add(change, self._momenta[name], alpha=self.momentum, out=self._momenta[name])
            parameter.add_(change, alpha=-lr)


class Adam:
    """PyTorch's Adam, with its default decay of the means of gradients (0.9) and of their squares (0.999)."""

    def __init__(self, net: nn.Module, training: Training) -> None:
        self._parameters = dict(net.named_parameters())
        # Fused, it goes over the memory once and changes all in place; else it takes six times as long on a processor.
        self._adam = torch.optim.Adam(self._parameters.values(), weight_decay=training.weight_decay, fused=True)
        for parameter in self._parameters.values():
            self._adam.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    def state(self) -> dict[str, Tensor]:
        """Both means, and the number of steps, of each parameter."""
        return {
            f"{what}.{name}": value
            for name, parameter in self._parameters.items()
            for what, value in self._adam.state[parameter].items()
        }

    def step(self, lr: float) -> None:
        """w <- w - lr m / (sqrt(v) + 1e-8), with m and v without their bias, for each parameter w."""
        for group in self._adam.param_groups:
            group["lr"] = lr
        self._adam.step()
