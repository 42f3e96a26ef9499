"""What a page shows of a network that trains: a step seen closely, and its mistakes on the test pictures."""

import base64
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Gradient = Callable[[nn.Parameter], Tensor | None]
"""Tells the gradient of a parameter in the step just done."""
MOST_MISTAKES = 36
MOST_PICTURES = 32
EACH = 6
"""How many pictures of each cell of the confusion matrix are kept."""
MOST_CLASSES = 20
"""The most classes whose cells have pictures."""
MOST_BYTES = 2**20
"""What the pictures of all cells take at most."""
WATCHED = 12
"""Test pictures whose answers are shown while a network trains."""
SHOWN_SIDE = 32
"""About how many pixels wide and high those are at least, if they are larger."""


def result(images: Tensor, labels: Tensor, scores: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """What a network makes of the test images (n, c, h, w): confusion matrix, and its worst mistakes, surest first.

    `scores` (n x classes) may have columns for classes that the data lacks; a guess is one of those it has. A row of
    the matrix holds the guesses for one class.
    """
    count = len(classes)
    guesses = scores[:, :count].argmax(1)
    cells = (labels * count + guesses).bincount(minlength=count * count)
    chances = scores.softmax(1).gather(1, guesses[:, None])[:, 0]
    surest = chances.where(guesses != labels, -1).argsort(descending=True, stable=True)
    worst = surest[: min(MOST_MISTAKES, int((guesses != labels).sum()))]
    return {
        "classes": list(classes),
        "confusion": cells.reshape(count, count).tolist(),
        "mistakes": _guesses(images[worst], labels[worst], guesses[worst], chances[worst]),
        "examples": _examples(images, labels, guesses, chances) if count <= MOST_CLASSES else [],
    }


def _examples(images: Tensor, labels: Tensor, guesses: Tensor, chances: Tensor) -> list[dict[str, Any]]:
    """Some pictures of each cell of the confusion matrix, the surest first; fewer, or none, of large ones."""
    surest = chances.argsort(descending=True, stable=True)
    cells = (labels * MOST_CLASSES + guesses)[surest]
    filled = sorted(set(cells.tolist()))
    most = min(EACH, MOST_BYTES // max(1, images[:1].numel() * len(filled)))
    some = torch.cat([surest[cells == cell][:most] for cell in filled] or [surest])
    return _guesses(images[some], labels[some], guesses[some], chances[some])


def step(net: nn.Module, gradient: Gradient, images: Tensor, labels: Tensor, scores: Tensor) -> dict[str, Any]:
    """A close look at the step just done on `images` (n, c, h, w): what was guessed, how large the gradients were.

    The gradient of a layer is the norm of those of its weight and bias; None if that is not a number.
    """
    gradients = {
        name: _norm(map(gradient, module.parameters()))
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    chances, guesses = scores.float().softmax(1).max(1)
    most = slice(MOST_PICTURES)
    return {
        "correct": int((guesses == labels).sum()),
        "examples": len(labels),
        "gradients": gradients,
        "pictures": _guesses(images[most], labels[most], guesses[most], chances[most]),
    }


def some(labels: Tensor) -> Tensor:
    """The places of a dozen pictures with these labels: of each class the first one, then of each the second, …"""
    one_hot = nn.functional.one_hot(labels)
    rank = one_hot.cumsum(0).gather(1, labels[:, None])[:, 0]
    return (rank * one_hot.shape[1] + labels).argsort(stable=True)[:WATCHED]


def answers(images: Tensor, labels: Tensor, scores: Tensor) -> list[dict[str, Any]]:
    """What a network takes the pictures `images` (n, c, h, w) for; large ones are shown smaller."""
    chances, guesses = scores.float().softmax(1).max(1)
    every = max(1, max(images.shape[-2:]) // SHOWN_SIDE)
    return _guesses(images[..., ::every, ::every], labels, guesses, chances)


def _norm(gradients: Iterable[Tensor | None]) -> float | None:
    norm = math.sqrt(sum(float(each.double().square().sum()) for each in gradients if each is not None))
    return norm if math.isfinite(norm) else None


def _guesses(images: Tensor, labels: Tensor, guesses: Tensor, chances: Tensor) -> list[dict[str, Any]]:
    columns = (labels.tolist(), guesses.tolist(), chances.tolist())
    return [
        {"picture": picture(image), "label": label, "guess": guess, "chance": round(chance, 4)}
        for image, label, guess, chance in zip(images.cpu(), *columns, strict=True)
    ]


def picture(image: Tensor) -> dict[str, Any]:
    """A uint8 image (channels x height x width) for a page: its size, and its bytes (pixel by pixel) in base 64."""
    channels, height, width = image.shape
    content = image.permute(1, 2, 0).contiguous().cpu().numpy().tobytes()
    return {"width": width, "height": height, "channels": channels, "bytes": base64.b64encode(content).decode()}


def drawn(image: Tensor) -> dict[str, Any]:
    """What a network gets, (channels, height, width) from 0 to 1, for a page: one or three channels of bytes."""
    some = image[:3] if len(image) >= 3 else image[:1]
    return picture((255 * some).round().clamp(0, 255).to(torch.uint8))
