"""The book's loop, for the programs that measure something beside it: `train_ch6` with `load_data_fashion_mnist`.

A DataLoader whose processes stay alive from one epoch to the next, torchvision's `Resize` and `ToTensor` on PIL images,
float32, sums by `.item()` after each step.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms


class Sums(NamedTuple):
    """Of a batch: the sum of the losses, how many were guessed right, the number of examples."""

    loss: float
    correct: float
    count: int


class Pictures:
    """Images (n, 1, h, w) in uint8 as torchvision's FashionMNIST gives them: PIL through `Resize` and `ToTensor`."""

    def __init__(self, images: Tensor, labels: Tensor, side: int) -> None:
        self.images, self.labels = images.numpy(), labels.tolist()
        self.transform = transforms.Compose([transforms.Resize(side), transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.images[index][0])), self.labels[index]


def loader(pictures: Pictures, batch: int, workers: int = 4) -> Any:
    """Batches in another order each epoch; the book has four processes."""
    return DataLoader(pictures, batch, shuffle=True, num_workers=workers, persistent_workers=True)


def xavier(net: nn.Module) -> None:
    """The weights as the chapter begins with them."""
    net.apply(lambda m: nn.init.xavier_uniform_(m.weight) if isinstance(m, nn.Conv2d | nn.Linear) else None)


def epoch(net: nn.Module, optimizer: torch.optim.Optimizer, batches: Any, device: str) -> Iterator[Sums]:
    """Train on all batches, with the sums of each."""
    net.train()
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        scores = net(images)
        loss = nn.functional.cross_entropy(scores, labels)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            sums = Sums(loss.item() * len(labels), (scores.argmax(1) == labels).sum().item(), len(labels))
        yield sums


def steps(net: nn.Module, optimizer: torch.optim.Optimizer, batches: Any, device: str) -> Iterator[Sums]:
    """Epoch after epoch, without an end."""
    while True:
        yield from epoch(net, optimizer, batches, device)
