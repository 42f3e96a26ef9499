"""What a data set holds: `python -m vggexplorer.pytorch.survey [--roll FIRST]`, with a run's config on stdin.

One JSON object goes to stdout. With a roll it has `rolls`: for this one and the next, training pictures as the network
will get them, each with the name of its class. Without, all pictures are read: it has the fields of
`runs.survey.Survey`, the counts as lists of name, train and test.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vggexplorer.comparison import remark_to_json
from vggexplorer.processes import tell
from vggexplorer.pytorch import data, folder, look, pictures
from vggexplorer.pytorch.chance import seed_of
from vggexplorer.pytorch.copies import BITS, MOST, NEAR, Pair, digest, hashes, near
from vggexplorer.pytorch.data import Data
from vggexplorer.runs.config import Config
from vggexplorer.runs.folders import TEST, TRAIN, readable
from vggexplorer.runs.survey import ROLLS, Sizes

PICTURES = 12
"""How many pictures a roll has."""
SIDE = 128
"""Larger pictures are shown smaller: about so many pixels of the longer side."""
MOST_SIZES = 2000
"""Of how many files the size is looked up."""
MOST_LEVELS = 10**9
"""How many levels the mean and the spread are of."""
MOST_NEAR = 6
"""How many pairs of pictures that look the same are shown."""
SQUEEZED = 1.1
_AT_ONCE = 1000
MAX_THREADS = 2


# --- as the network gets them --------------------------------------------------------------------------


def rolls(config: Config, first: int) -> Iterator[list[tuple[dict[str, Any], str]]]:
    """For each roll from `first` on some training pictures, and the names of their classes."""
    found = None if config.dataset.known is None else data.load(config.dataset, config.trained.input_shape)
    for roll in range(first, first + ROLLS):
        seed = seed_of(config.seed, "roll", roll)
        chance = Random(seed)  # noqa: S311 (which pictures are shown is no secret)
        images, names = _some(found, chance) if found else _some_of_folder(config, chance)
        torch.manual_seed(seed)
        batch = as_trained(images, config)
        yield [(shown(image), name) for image, name in zip(batch, names, strict=True)]


def as_trained(images: Tensor, config: Config) -> Tensor:
    """A batch as a step of the training gets it: resized, and changed at random as the training says."""
    training, batch = config.training, data.to_batch(images, config.trained.input_shape)
    return data.augment(batch, training.flip, training.crop, training.brightness)


def shown(image: Tensor) -> dict[str, Any]:
    """An image (channels x height x width) of values from 0 to 1 for a page: smaller if it is large."""
    every = -(-max(image.shape[1:]) // SIDE)
    return look.drawn(avg_pool2d(image, [min(every, side) for side in image.shape[1:]]))


def _some(found: Data, chance: Random) -> tuple[Tensor, list[str]]:
    count = len(found.train_labels)
    places = chance.sample(range(count), min(PICTURES, count))
    return found.train_images[places], [found.classes[label] for label in found.train_labels[places].tolist()]


def _some_of_folder(config: Config, chance: Random) -> tuple[Tensor, list[str]]:
    return folder.some(config.dataset.path, config.trained.input_shape, PICTURES, chance)


# --- all pictures --------------------------------------------------------------------------------------


class _All(NamedTuple):
    """All pictures of a data set, and of a folder their files: first those to train on, then those to test on."""

    data: Data
    files: Sequence[Path] = ()


def _load(config: Config) -> _All:
    if config.dataset.known:
        return _All(data.load(config.dataset, config.trained.input_shape))
    read = folder.read(config.dataset.path, config.trained.input_shape)
    return _All(data.of_folder(read), [*read.train.files, *read.test.files])


def survey(config: Config) -> dict[str, Any]:
    """What the data set of a config holds; ready for JSON."""
    found, files = _load(config)
    mean, spread = levels(found.train_images)
    return {
        "counts": [(name, *both) for name, both in zip(found.classes, found.counts, strict=True)],
        "mean": mean,
        "spread": spread,
        "sizes": sizes(files, config.trained.input_shape[1:]),
        "said": [remark_to_json(remark) for remark in found.said],
        "odd": list(found.odd),
        "num_odd": found.num_odd,
        **_alike(found, [str(file.relative_to(config.dataset.path)) for file in files]),
    }


def levels(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of the levels of images in uint8, from 0 to 1, by channel."""
    images = images[_evenly(len(images), max(1, MOST_LEVELS // images[0].numel()))]
    sums = torch.zeros(2, images.shape[1], dtype=torch.float64)
    for part in torch.split(images, _AT_ONCE):
        values = part.to(torch.float32) / 255
        sums += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
    mean, square = sums / (images.numel() / images.shape[1])
    return mean.tolist(), (square - mean.square()).clamp(min=0).sqrt().tolist()


def _evenly(count: int, most: int) -> Tensor:
    """The places of so many at most, evenly out of all."""
    few = min(count, most)
    return torch.arange(few) * count // max(1, few)


def sizes(files: Sequence[Path], wanted: Sequence[int]) -> Sizes | None:
    """How large the pictures in files are; None if there are no such."""
    found = []
    for place in _evenly(len(files), MOST_SIZES).tolist():
        with suppress(Exception), pictures.opened(files[place]) as picture:
            found.append((picture.height, picture.width))
    if not found:
        return None
    found.sort(key=lambda size: size[0] * size[1])
    height, width = wanted
    enlarged = sum(own[0] < height and own[1] < width for own in found)
    squeezed = sum(not 1 / SQUEEZED <= own[0] * width / (own[1] * height) <= SQUEEZED for own in found)
    return Sizes(len(found), found[0], found[len(found) // 2], found[-1], enlarged, squeezed)


def _alike(found: Data, files: Sequence[str]) -> dict[str, Any]:
    """What is said of pictures that look the same but are not."""
    count = len(found.train_labels)
    places = _evenly(count + len(found.test_labels), MOST)
    to_train, to_test = places[places < count], places[places >= count] - count
    images = torch.cat([found.train_images[to_train], found.test_images[to_test]])
    labels = torch.cat([found.train_labels[to_train], found.test_labels[to_test]]).tolist()
    grey = (data.to_batch(part, (1, *images.shape[2:])) for part in torch.split(images, _AT_ONCE))
    pairs = near(torch.cat(list(map(hashes, grey))))
    pairs = [pair for pair in pairs if digest(images[pair.one]) != digest(images[pair.other])]
    parts = [TRAIN] * len(to_train) + [TEST] * len(to_test)
    across = [pair for pair in pairs if parts[pair.one] != parts[pair.other]]

    def told(pair: Pair) -> tuple[Any, ...]:
        both = pair.one, pair.other
        names = [readable(files[int(places[each])]) if files else "" for each in both]
        return (
            pair.distance,
            [shown(images[each] / 255) for each in both],
            [found.classes[labels[each]] for each in both],
            [parts[each] for each in both],
            names,
        )

    return {
        "distance": NEAR,
        "bits": BITS,
        "compared": len(places),
        "alike": len({each for pair in pairs for each in (pair.one, pair.other)}),
        "across": len({each for pair in across for each in (pair.one, pair.other)}),
        "nearest": list(map(told, (across + [pair for pair in pairs if pair not in across])[:MOST_NEAR])),
    }


# --- the process ---------------------------------------------------------------------------------------


def main(argv: list[str]) -> int:
    """The process: 0, or 1 if there is nothing but a sentence."""
    parser = ArgumentParser(prog="python -m vggexplorer.pytorch.survey")
    parser.add_argument("--roll", type=int, help="show training pictures as the network gets them, from this roll on")
    options = parser.parse_args(argv[1:])
    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))
    return tell(_answer(options.roll))


def _answer(roll: int | None) -> Iterator[dict[str, Any]]:
    config = Config.from_json(json.load(sys.stdin))
    yield survey(config) if roll is None else {"rolls": list(rolls(config, roll))}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
