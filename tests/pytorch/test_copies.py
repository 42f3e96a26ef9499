"""Pictures that look the same: saved again, made smaller or lighter; and those that do not."""

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from vggexplorer.pytorch import copies
from vggexplorer.pytorch.copies import BITS, NEAR, hashes, near
from vggexplorer.pytorch.data import to_batch

Picture = Image.Image
COUNT = 12


def noise(generator: np.random.Generator, smoothness: float, width: int = 200, height: int = 150) -> Picture:
    """A picture whose details have the strength that those of photographs have, about: amplitude by frequency."""
    frequency = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.fftfreq(width)[None] ** 2
    frequency[0, 0] = 1
    channels = []
    for _ in range(3):
        spectrum = np.fft.fft2(generator.normal(size=(height, width))) / frequency ** (smoothness / 2)
        plane = np.fft.ifft2(spectrum).real
        channels.append((plane - plane.min()) / (plane.max() - plane.min()))
    return Image.fromarray((255 * np.stack(channels, 2)).astype("uint8"))


def saved_again(picture: Picture, quality: int) -> Picture:
    picture.save(file := BytesIO(), "JPEG", quality=quality)
    return Image.open(file)


CHANGES: Mapping[str, Callable[[Picture], Picture]] = MappingProxyType(
    {
        "jpeg 90": lambda picture: saved_again(picture, 90),
        "jpeg 40": lambda picture: saved_again(picture, 40),
        "smaller": lambda picture: picture.resize((160, 120), Image.Resampling.BICUBIC),
        "lighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.05),
        "grey": lambda picture: picture.convert("L"),
    }
)


def hashed(*pictures: Picture, side: int = 64) -> Tensor:
    """The hashes of pictures as a network gets them."""
    arrays = [np.array(picture.convert("RGB").resize((side, side))) for picture in pictures]
    return hashes(to_batch(torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2), (1, side, side)))


@pytest.fixture(scope="module", params=[1.0, 1.5, 2.0])
def pictures(request: pytest.FixtureRequest) -> list[Picture]:
    generator = np.random.default_rng(7)
    return [noise(generator, request.param) for _ in range(COUNT)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_near_the_one_that_it_was(pictures: list[Picture], change: str) -> None:
    pairs = near(hashed(*pictures, *map(CHANGES[change], pictures)))
    assert {(pair.one, pair.other) for pair in pairs} == {(place, place + COUNT) for place in range(COUNT)}


def test_different_pictures_are_far_apart(pictures: list[Picture]) -> None:
    all_hashes = hashed(*pictures)
    apart = (all_hashes[:, None] != all_hashes[None]).sum(2)
    assert apart.shape == (COUNT, COUNT)
    assert all_hashes.shape == (COUNT, BITS)
    assert int(apart[~torch.eye(COUNT, dtype=torch.bool)].min()) > 6 * NEAR


def test_plain_pictures_are_near_to_none() -> None:
    red, blue = (Image.new("RGB", (30, 30), color) for color in ("red", "blue"))
    assert near(hashed(red, blue, red)) == []


def test_the_distance_is_that_of_the_bits_whatever_is_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: three bits apart, `NEAR`, one more."""
    bits = torch.zeros(4, BITS, dtype=torch.bool)
    bits[:, : copies.PLAIN] = True
    for place, apart in ((1, 3), (2, NEAR), (3, BITS - copies.PLAIN)):
        bits[place, copies.PLAIN : copies.PLAIN + apart] = True
    whole = near(bits)
    assert whole == [(3, 0, 1), (NEAR - 3, 1, 2), (NEAR, 0, 2)]
    monkeypatch.setattr(copies, "_AT_ONCE", 1)
    assert near(bits) == whole
