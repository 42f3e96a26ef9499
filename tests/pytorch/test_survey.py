"""What is said of a data set: counts as a run has them, sizes and levels by hand, pictures as a step gets them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from test_copies import noise
from test_data import needs_debian

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.pytorch import data, survey
from vggexplorer.runs import survey as asked
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.options import Training
from vggexplorer.runs.survey import ROLLS, Sizes


def config(dataset: Dataset, **changes: Any) -> Config:
    """LeNet, at 28 x 28 pixels, which changes nothing at random unless it is told to."""
    network = NETWORKS["LeNet"]
    return Config(network=network, training=Training(**changes), dataset=dataset)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes; a copy, pictures that were saved again, one that cannot be read."""
    root, generator = tmp_path_factory.mktemp("pictures"), np.random.default_rng(3)
    for name, count in (("cat", 20), ("dog", 6)):
        (root / name).mkdir()
        for number in range(count):
            noise(generator, 1.5, 60, 40).save(root / name / f"{number:02}.png")
    shutil.copy(root / "dog" / "05.png", root / "dog" / "copy.png")
    with Image.open(root / "cat" / "00.png") as picture:
        ImageEnhance.Brightness(picture).enhance(1.03).save(root / "cat" / "lighter.png")
    Image.new("L", (20, 20), 200).save(root / "dog" / "small.png")
    (root / "dog" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def found(folder: Path) -> asked.Survey:
    """What a process of its own says."""
    return asked.survey(config(Dataset("folder", str(folder))))


def test_the_counts_are_those_of_the_run(found: asked.Survey, folder: Path) -> None:
    read = data.load(Dataset("folder", str(folder)), (1, 28, 28))
    assert found.counts == {"cat": (18, 3), "dog": (6, 2)}
    assert [list(each) for each in found.counts.values()] == read.counts
    assert (found.said, found.odd, found.num_odd) == (read.said, read.odd, 1)


def test_pictures_that_look_alike_are_shown_with_their_files(found: asked.Survey) -> None:
    """The copy is none of them: it is the same."""
    assert (found.compared, found.alike, found.across) == (29, 2, 2)
    (pair,) = found.nearest
    assert sorted(zip(pair.parts, pair.files, strict=True)) == [("test", "cat/00.png"), ("train", "cat/lighter.png")]
    assert pair.classes == ("cat", "cat")
    assert pair.distance <= found.distance < found.bits
    assert all(each["width"] == each["height"] == 28 for each in pair.pictures)


def test_the_sizes_are_those_of_the_files(found: asked.Survey) -> None:
    """By hand: one is smaller than 28 x 28 and as wide as high; of the others the sides are as 3 to 2."""
    assert found.sizes == Sizes(29, (20, 20), (40, 60), (40, 60), enlarged=1, squeezed=28)


def test_the_levels_of_two_pictures() -> None:
    """By hand: 0 and 1 in red, 0.2 in green, 0 and 0.4 in blue."""
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    images[1, 0], images[:, 1], images[1, 2] = 255, 51, 102
    mean, spread = survey.levels(images)
    assert mean == pytest.approx([0.5, 0.2, 0.2])
    assert spread == pytest.approx([0.5, 0, 0.2], abs=1e-4)


def test_of_very_many_pictures_the_levels_are_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.arange(100, dtype=torch.uint8).view(100, 1, 1, 1)
    monkeypatch.setattr(survey, "MOST_LEVELS", 4)
    assert survey.levels(images)[0] == pytest.approx([(0 + 25 + 50 + 75) / 4 / 255])


@needs_debian
def test_the_levels_of_fashion_mnist_are_the_published_ones() -> None:
    """0.2860 and 0.3530, the constants that everybody normalises Fashion-MNIST with."""
    mean, spread = survey.levels(data.load(Dataset("full"), (1, 28, 28)).train_images)
    assert (round(mean[0], 4), round(spread[0], 4)) == (0.2860, 0.3530)


# --- as a step gets them -------------------------------------------------------------------------------------


def pixels(roll: "list[asked.Shown]") -> list[Any]:
    return [each.picture for each in roll]


def test_a_roll_is_always_the_same_and_the_next_one_another() -> None:
    about = config(Dataset("sample"), crop=2, flip=True)
    first = asked.rolls(about, 0)
    assert len(first) == ROLLS
    assert all(len(roll) == survey.PICTURES for roll in first)
    assert next(survey.rolls(about, 2)) == [tuple(each) for each in first[2]]
    assert len({json.dumps(pixels(roll)) for roll in first}) == ROLLS


def test_nothing_is_changed_but_what_the_training_changes() -> None:
    images = data.load(Dataset("sample"), (1, 28, 28)).train_images

    ways = {
        "as it is": {content(survey.look.picture(image)) for image in images},
        "mirrored": {content(survey.look.picture(image.flip(2))) for image in images},
    }

    def shown(**changes: Any) -> set[str]:
        """In which ways the pictures of some rolls are those of the set."""
        rolls = survey.rolls(config(Dataset("sample"), **changes), 0)
        pictures = [content(picture) for roll in rolls for picture, _ in roll]
        return {next((way for way in ways if picture in ways[way]), "otherwise") for picture in pictures}

    assert shown() == {"as it is"}
    assert shown(flip=True) == {"as it is", "mirrored"}
    assert shown(brightness=0.5) == {"otherwise"}


def content(picture: dict[str, Any]) -> str:
    return str(picture["bytes"])


def test_large_pictures_are_shown_smaller() -> None:
    assert survey.shown(torch.zeros(3, 224, 224))["width"] == 112
    assert survey.shown(torch.ones(1, 1, 300))["width"] == 100
    assert survey.shown(torch.zeros(4, 128, 96))["channels"] == 3


def test_of_a_folder_what_cannot_be_read_is_passed_over(folder: Path) -> None:
    for roll in survey.rolls(config(Dataset("folder", str(folder))), 0):
        assert {name for _, name in roll} <= {"cat", "dog"}
        assert len(roll) == survey.PICTURES


def test_what_is_wrong_with_the_data_is_a_sentence(tmp_path: Path) -> None:
    about = config(Dataset("folder", str(tmp_path)))
    for ask in (asked.survey, survey.survey, lambda about: next(survey.rolls(about, 0))):
        with pytest.raises(InputError, match="at least 2 folders"):
            ask(about)
