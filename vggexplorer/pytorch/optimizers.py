"""How the parameters of a network follow their gradients.

Making one of PyTorch's optimizers imports the compiler of `torch.compile`: a second and a hundred megabytes at the
start of every run. Gradient descent with the arithmetic of `torch.optim.SGD` needs none of it.
"""

import torch
from torch import Tensor, nn

from vggexplorer.runs.options import Training


class SGD:
    """Moves the parameters of a network against their gradients; a momentum for each, by name, if there is any."""

    def __init__(self, net: nn.Module, training: Training) -> None:
        self.momentum, self.weight_decay = training.momentum, training.weight_decay
        self._parameters = dict(net.named_parameters())
        self._momenta: dict[str, Tensor] = {}
        if self.momentum:
            self._momenta = {name: torch.zeros_like(parameter) for name, parameter in self._parameters.items()}

    def state(self) -> dict[str, Tensor]:
        """What it keeps from step to step, by name: its own tensors, all 0 before the first step."""
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
