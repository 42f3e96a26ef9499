"""One picture file as one picture: what is read, how large it may be, and how its pixels become eight bits."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""The picture formats that are read; Pillow knows more, and some of them start other programs."""
MEGAPIXELS = {"JPEG": 25, "WEBP": 11}
"""The largest pictures that are unpacked, by format: none takes 200 MB. JPEG is unpacked smaller than it is."""
OTHER_MEGAPIXELS = 16
"""Of all other formats."""
MAX_EDGE = 2**16
"""The most pixels of a side: each line takes memory of its own."""
SIDE = 1024
"""Pixels of the longer side from twice which on a picture is made smaller before anything else is done with it."""


def levels(file: Path, mode: str, height: int, width: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """The picture in a file at a size: height x width x channels, or height x width if the mode is grey."""
    with opened(file) as found:
        picture = unpacked(found, max(SIDE, height, width))
        picture = picture.convert(mode).resize((width, height), import_module("PIL.Image").Resampling.BILINEAR)
    return np.array(picture)


@contextmanager
def opened(file: Path | IO[bytes], formats: Sequence[str] = FORMATS) -> "Iterator[Image.Image]":
    """The picture in a file as Pillow found it, still packed; too many pixels are an error, and nothing warns."""
    pillow = import_module("PIL.Image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with pillow.open(file, formats=formats) as found:
            yield found


def unpacked(opened: "Image.Image", side: int = SIDE) -> "Image.Image":
    """The first picture in a file, upright, eight bits a channel, on white where it is transparent.

    If the longer side has twice `side` pixels or more, both are divided by the same whole number. What has too many
    pixels to be unpacked raises Pillow's `DecompressionBombError`.
    """
    if opened.width * opened.height > most_megapixels(opened.format) * 10**6 or max(opened.size) > MAX_EDGE:
        raise import_module("PIL.Image").DecompressionBombError("too many pixels")
    opened.draft(None, (side, side))
    picture = _eight_bits(opened)
    shrink = max(picture.size) // side
    if shrink > 1:
        if picture.mode in ("1", "P", "PA"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        picture = picture.reduce(shrink)
    return _opaque(import_module("PIL.ImageOps").exif_transpose(picture))


def most_megapixels(kind: str | None) -> int:
    """The megapixels of the largest picture of a format that is unpacked."""
    return MEGAPIXELS.get(kind or "", OTHER_MEGAPIXELS)


def _eight_bits(picture: "Image.Image") -> "Image.Image":
    """The picture with 16-bit grey levels brought to 8 bits; Pillow's `convert` would clip them."""
    if picture.mode == "F":
        raise ValueError("levels are not whole numbers")
    if not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture) >> 8
    grey: Image.Image = import_module("PIL.Image").fromarray(levels.clip(0, 255).astype(np.uint8))
    return grey


def _opaque(picture: "Image.Image") -> "Image.Image":
    """The picture on white, if parts of it are transparent."""
    if not picture.has_transparency_data:
        return picture
    pillow = import_module("PIL.Image")
    colours = picture.convert("RGBA")
    composed: Image.Image = pillow.alpha_composite(pillow.new("RGBA", colours.size, "white"), colours)
    return composed


def reason(error: Exception) -> str:
    """Why a picture could not be used, in a few words."""
    kind = type(error).__name__
    if kind == "UnidentifiedImageError":
        return "not a picture"
    if kind.startswith("DecompressionBomb"):
        return "too many pixels"
    words = (getattr(error, "strerror", None) or str(error)).strip().partition("\n")[0]
    return words[:80] or kind
