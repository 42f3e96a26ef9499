"""One picture file as one picture: every kind of pixels becomes eight bits, upright and on white."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vggexplorer.pytorch.pictures import levels

Levels = np.ndarray[Any, np.dtype[np.uint8]]


def through_file(folder: Path, picture: Image.Image, name: str = "a.png", mode: str = "RGB", **options: Any) -> Levels:
    """How a picture that was saved is read at its own size."""
    picture.save(folder / name, **options)
    return levels(folder / name, mode, picture.height, picture.width)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_white(tmp_path: Path, mode: str) -> None:
    assert through_file(tmp_path, Image.new(mode, (4, 4))).min() == 255
    black = Image.new("RGBA", (4, 4), (0, 0, 0, 255)).convert(mode)
    assert through_file(tmp_path, black).max() == 0


@pytest.mark.parametrize("clear", [False, True])
def test_a_palette_is_looked_up(tmp_path: Path, clear: bool) -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    if clear:
        picture.info["transparency"] = 1
    assert through_file(tmp_path, picture)[0, 0].tolist() == ([255] * 3 if clear else [200, 100, 50])


def test_the_first_picture_of_an_animation_is_taken(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    read = through_file(tmp_path, first, "a.gif", save_all=True, append_images=[second])
    assert read[0, 0].tolist() == [255, 0, 0]


def test_a_picture_is_turned_as_its_camera_was(tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8), "white")
    picture.paste("black", (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the top becomes the right side
    read = through_file(tmp_path, picture, "a.jpg", "L", exif=exif, quality=100)
    assert read[:, :3].min() > 200
    assert read[:, -3:].max() < 50


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    sixteen = np.array([[0, 256, 32768, 65535]] * 4, dtype=np.uint16)
    assert through_file(tmp_path, Image.fromarray(sixteen), mode="L")[0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("mode", ["1", "CMYK"])
def test_other_kinds_of_pixels_are_converted(tmp_path: Path, mode: str) -> None:
    name = "a.png" if mode == "1" else "a.tiff"
    assert through_file(tmp_path, Image.new("RGB", (4, 4), "white").convert(mode), name).min() == 255
