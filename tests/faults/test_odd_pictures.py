"""Pictures of every format, damaged: each is read or gets a reason, soon and in little memory."""

import io
import sys
import time
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image
from samples import either
from test_pictures import NAMED, TABLE, readable, saved

from faults.test_images import BYTES, memory
from vggexplorer.pytorch import data, pictures
from vggexplorer.runs.datasets import Dataset

COUNT = 10_000
"""How many damaged files there are to draw from."""
SECONDS = 8.0
"""The most time of the processor for one of them: two megapixels of QOI, pixel by pixel in Python."""
LARGE = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "JPEG2000", "BMP", "TGA")
"""The formats of which a larger picture is damaged, too."""


@cache
def whole() -> list[tuple[str, bytes]]:
    """A picture of each row of the table of pixel formats, and larger ones."""
    small = [(name, write()) for name, (write, *_) in TABLE.items() if readable(name)]
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    large = Image.fromarray(noise).resize((480, 320))
    return small + [(f"large {kind}", saved(large, kind)) for kind in LARGE]


def damaged(seed: str) -> tuple[str, bytes]:
    """One of the pictures with up to eight bits flipped, many near its beginning; some end early or in noise."""
    dice = Random(seed)
    name, content = dice.choice(whole())
    bits = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        place = dice.randrange(len(bits)) if dice.random() < 0.5 else dice.randrange(min(len(bits), 100))
        bits[place] ^= 1 << dice.randrange(8)
    if dice.random() < 0.1:
        del bits[dice.randrange(len(bits)) :]
    if dice.random() < 0.05:
        bits[dice.randrange(len(bits)) :] = dice.randbytes(dice.randrange(2000))
    return name, bytes(bits)


def reason(content: bytes) -> str:
    """Why a file is not read; empty if it is."""
    try:
        levels = pictures.levels(io.BytesIO(content), "RGB", 8, 8)
    except Exception as error:  # Pillow's plugins raise all sorts
        return str(pictures.reason(error))
    assert levels.shape == (8, 8, 3)
    return ""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of this process is looked at in /proc")
def test_a_damaged_picture_is_read_or_gets_a_reason(dice: Random) -> None:
    reason(whole()[0][1])
    before, refused = memory("VmRSS"), 0
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # from now on VmHWM is the most from now on
    for number in range(either(COUNT, 300)):
        name, content = damaged(seed := f"{dice.random()} {number}")
        start = time.process_time()
        why = reason(content)
        took = time.process_time() - start
        refused += bool(why)
        assert len(why) < 150, (seed, name)
        assert took < SECONDS, (seed, name, took)
    assert refused
    assert memory("VmHWM") - before < BYTES


def test_a_folder_of_damaged_pictures_is_read_without_them(dice: Random, tmp_path: Path) -> None:
    for each in ("a", "b"):
        (tmp_path / each).mkdir()
        for number in range(2):
            NAMED.save(tmp_path / each / f"{number}.png")
    count = 90
    for number in range(count):
        (tmp_path / "a" / f"{number:02} damaged.png").write_bytes(damaged(f"{dice.random()} {number}")[1])
    found = data.load(Dataset("folder", str(tmp_path)), (3, 8, 8))
    assert len(found.train_images) + len(found.test_images) + found.num_odd == count + 4
    assert len(found.odd) == found.num_odd
    assert all(entry.partition("”: ")[2] for entry in found.odd)
