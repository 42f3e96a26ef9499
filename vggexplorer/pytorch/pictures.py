"""One picture file as one picture: what is read, how large it may be, and how its levels become eight bits.

Eight bits are taken as they are. Of other levels hardly a file says which one is white: twelve bits of a camera or a
microscope lie in sixteen, at the dark end. So what becomes white is found out from each picture by itself, the same for
the same file wherever it is read, by the first of these that holds:

- If some levels are negative, the smallest becomes black and the largest white.
- JPEG 2000 and PPM say how many levels they have; Pillow has them fill sixteen bits.
- Of whole numbers, the largest level of 8, 10, 12, 14, 16, 24 or 32 bits, the fewest that hold all levels. Instruments
  have these depths; the largest level itself would make each dark picture a light one. What a TIFF says in its
  `BitsPerSample` and `MaxSampleValue` counts as if a pixel had it.
- Of numbers with a point, 1 if none is larger, else 255 if none is larger and one reaches `DIM`, else the largest.

What is not a number is refused.
"""

import math
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vggexplorer.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

File = Path | BytesIO
Levels = np.ndarray[Any, np.dtype[Any]]

FORMATS = (
    *("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "DIB", "JPEG2000", "PPM", "ICO", "CUR", "ICNS"),
    *("DDS", "PSD", "QOI", "SGI", "PCX", "DCX", "SUN", "XBM", "XPM", "BLP", "FTEX", "FLI", "MSP", "PIXAR", "XVTHUMB"),
    *("GBR", "SPIDER", "PCD", "TGA"),
)
"""The picture formats that are read, as far as this Pillow has them; those with no mark of their own come last.

Pillow knows more. EPS starts Ghostscript, WMF is drawn by Windows, IPTC opens whatever it wraps, EPS too. BUFR, GRIB,
HDF5 and MPEG are recognised, not decoded. Any text might be IM or IMT. FITS and MCIDAS hold measurements, whose scale
and sign Pillow leaves out.
"""
MEGAPIXELS = {
    **{"JPEG": 25, "MPO": 25, "WEBP": 11, "AVIF": 12, "JPEG2000": 8},
    **dict.fromkeys(("QOI", "DDS", "XPM", "BLP", "ICO", "ICNS"), 2),
}
"""The largest pictures that are unpacked, by format: none takes 200 MB. JPEG is unpacked smaller than it is.

The last are unpacked by Python, pixel by pixel, or may hold a larger picture of another format.
"""
OTHER_MEGAPIXELS = 16
"""Of all other formats."""
TWICE_MEGAPIXELS = 12
"""Of what is unpacked twice: colours of sixteen bits of which few are used."""
MAX_EDGE = 2**16
"""The most pixels of a side: each line takes memory of its own."""
SIDE = 1024
"""Pixels of the longer side from twice which on a picture is made smaller before anything else is done with it."""
DEPTHS: tuple[int, ...] = (8, 10, 12, 14, 16, 24, 32)
"""The bits of a level that are thought of."""
DIM = 16
"""Numbers with a point that reach this are levels from 0 to 255; fewer, above 1, are light beyond white."""
TINY = 1e-30
"""The least difference between black and white."""
AT_ONCE = 2**18
"""Pixels that are looked at as numbers at the same time."""
WRAPPING = (b"\0\0\1\0", b"icns", b"BLP1")
"""How files begin that hold a picture of another format, which may be larger than they say."""
READ = {
    **{"JPEG": rb"\xff\xd8\xff", "PNG": rb"\x89PNG", "GIF": rb"GIF8", "WEBP": rb"RIFF....WEBP", "DDS": rb"DDS "},
    **{"PSD": rb"8BPS", "TIFF": rb"II[*+]\0|MM\0[*+]", "JPEG 2000": rb"....jP  |\xff\x4f\xff\x51"},
    **{"AVIF": rb"....ftypavi", "BMP": rb"BM"},
}
"""How files begin of formats that are read, though not all kinds of them."""
NOT_READ = {
    **{"HEIC": rb"....ftyp(hei[cxms]|hevc|mif1|msf1)", "JPEG XL": rb"\xff\x0a|....JXL ", "DICOM": rb".{128}DICM"},
    **{"PDF": rb"%PDF", "EPS": rb"%!PS|\xc5\xd0\xd3\xc6", "SVG": rb".*<svg", "FITS": rb"SIMPLE  ="},
    **{"OpenEXR": rb"v/1\x01", "Radiance": rb"#\?RADIANCE", "NumPy": rb"\x93NUMPY"},
}
"""How files begin of formats that are not."""
PHOTOMETRIC, BITS, MAX_SAMPLE, PLANES, SAMPLE_FORMAT, MAX_FLOAT = 262, 258, 281, 284, 339, 341
"""Tags of TIFF."""
MIN_IS_WHITE = 0
"""A `PHOTOMETRIC`."""
FILLED = ("JPEG2000", "PPM")
"""Formats whose levels Pillow has fill sixteen bits, if they have more than eight."""
DEEP = "SGI16|(L|LA|RGB|RGBA|RGBa|RGBX|CMYK);16[LBN]"
"""How Pillow calls sixteen bits a channel of which it takes eight."""
LOWER = {
    **{f"{mode};16{order}": f"{mode};16{other}" for mode in ("RGB", "RGBA", "RGBX") for order, other in ("LB", "BL")},
    **{f"{mode};16N": f"{mode};16{'B' if sys.byteorder == 'little' else 'L'}" for mode in ("RGB", "RGBA", "RGBX")},
    **{"LA;16B": "RGBA", "L;16B": "L;16"},
}
"""How Pillow is told to take the lower instead of the upper eight of sixteen bits."""
TURNS = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
"""What makes a picture upright that a camera took with orientation 2, 3 and so on."""


def levels(file: File, mode: str, height: int, width: int) -> Levels:
    """The picture in a file at a size in uint8: height x width x channels, or height x width if the mode is grey."""
    picture = unpacked(file, max(SIDE, height, width))
    return np.array(picture.convert(mode).resize((width, height), _pillow().Resampling.BILINEAR))


def unpacked(file: File, side: int = SIDE) -> "Image.Image":
    """The first picture in a file, upright, eight bits a channel, on white where it is transparent.

    If the longer side has twice `side` pixels or more, both are divided by the same whole number. `InputError` says why
    it cannot be used, where that is known; Pillow's plugins raise all sorts on broken files.
    """
    with opened(file) as found:
        _check_size(found, MEGAPIXELS.get(found.format or "", OTHER_MEGAPIXELS))
        found.draft(None, (side, side))
        picture = _eight_bits(found, file)
        turn = _turn(found)
    shrink = max(picture.size) // side
    if shrink > 1:
        if picture.mode in ("1", "P", "PA"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        picture = picture.reduce(shrink)
    return _opaque(picture if turn is None else picture.transpose(turn))


def count(file: File) -> int:
    """How many pictures are in a file."""
    with suppress(Exception), opened(file) as found:  # a later one may be damaged
        return int(getattr(found, "n_frames", 1))
    return 1


@contextmanager
def opened(file: File) -> "Iterator[ImageFile]":
    """The picture in a file as Pillow found it, still packed; `InputError` says what else the file is."""
    pillow = _pillow()
    pillow.init()
    head = _head(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with _few_pixels(head):
            try:
                found = pillow.open(file, formats=[each for each in FORMATS if each in pillow.OPEN])
            except pillow.UnidentifiedImageError as error:
                raise _no_picture(head) from error
            with found:
                yield found


def reason(error: Exception) -> InputError:
    """Why a picture could not be used, in a few words."""
    if isinstance(error, InputError):
        return error
    if type(error).__name__.startswith("DecompressionBomb") or isinstance(error, MemoryError):
        return InputError("too many pixels")
    if isinstance(error, OSError) and error.strerror:
        return InputError("cannot be read: {reason}", reason=error.strerror)
    words = str(error).strip().partition("\n")[0]
    return InputError("cannot be unpacked: {reason}", reason=words[:80] or type(error).__name__)


def _pillow() -> Any:
    return import_module("PIL.Image")


# --- what a file is ----------------------------------------------------------------------------------


def _head(file: File) -> bytes:
    if isinstance(file, BytesIO):
        return file.getvalue()[:256]
    with file.open("rb") as begun:
        return begun.read(256)


def _no_picture(head: bytes) -> InputError:
    """What a file is that is no picture, by its first bytes."""
    if not head:
        return InputError("the file is empty")
    for name, beginning in READ.items():
        if re.match(beginning, head, re.DOTALL):
            return InputError("damaged, or a kind of {format} that is not read", format=name)
    for name, beginning in NOT_READ.items():
        if re.match(beginning, head, re.DOTALL):
            return InputError("{format} is not read; save it as PNG, JPEG or TIFF", format=name)
    return InputError("not a picture")


@contextmanager
def _few_pixels(head: bytes) -> Iterator[None]:
    """While a file that begins so is read, what may be wrapped in it has few pixels, or is an error."""
    pillow = _pillow()
    most = pillow.MAX_IMAGE_PIXELS
    if head.startswith(WRAPPING):
        pillow.MAX_IMAGE_PIXELS = min(most or math.inf, MEGAPIXELS["ICO"] * 10**6)
    try:
        yield
    finally:
        pillow.MAX_IMAGE_PIXELS = most


def _check_size(found: "ImageFile", most: int) -> None:
    if found.width * found.height > most * 10**6:
        raise InputError("too many pixels: at most {most} megapixels are read", most=most)
    if max(found.size) > MAX_EDGE:
        raise InputError("too many pixels: at most {most} of a side are read", most=f"{MAX_EDGE:,}")


def _turn(found: "ImageFile") -> Any:
    """How an unpacked picture is made upright, if it is not; a damaged note of its camera says nothing."""
    with suppress(Exception):
        orientation = int(found.getexif().get(0x0112, 1))
        if 2 <= orientation <= 8:
            return getattr(_pillow().Transpose, TURNS[orientation - 2])
    return None


def _opaque(picture: "Image.Image") -> "Image.Image":
    """The picture on white, if parts of it are transparent."""
    if not picture.has_transparency_data:
        return picture
    pillow = _pillow()
    colours = picture.convert("RGBA")
    composed: Image.Image = pillow.alpha_composite(pillow.new("RGBA", colours.size, "white"), colours)
    return composed


# --- its levels --------------------------------------------------------------------------------------


def _eight_bits(found: "ImageFile", file: File) -> "Image.Image":
    """The picture unpacked, with eight bits a channel and colours that Pillow can convert."""
    if found.mode == "F" or found.mode.startswith("I"):
        return _grey(found)
    if _tag(found, PLANES) == (2,) and max(_tag(found, BITS), default=1) > 8:  # Pillow takes them for eight
        raise InputError("16 bits, channel after channel, are not read")
    if deep := _deep(found):
        return _coloured(found, file, deep)
    found.load()
    if found.mode == "LAB":
        cms = import_module("PIL.ImageCms")
        lab, rgb = cms.createProfile("LAB"), cms.createProfile("sRGB")
        coloured: Image.Image = cms.profileToProfile(found, lab, rgb, outputMode="RGB")
        return coloured
    straight = {"La": "LA", "RGBa": "RGBA"}.get(found.mode)
    return found.convert(straight) if straight else found


def _grey(found: "ImageFile") -> "Image.Image":
    """A picture of one channel whose levels have more than eight bits, or a point."""
    found.load()
    black, white = _range(found)
    pillow, clear = _pillow(), found.info.get("transparency")
    grey: Image.Image = pillow.new("L", found.size)
    for top, numbers in _strips(found):
        strip = _scaled(numbers, black, white)
        if isinstance(clear, int):
            strip[numbers == clear] = 255
        grey.paste(pillow.fromarray(strip), (0, top))
    inverted = _tag(found, PHOTOMETRIC) == (MIN_IS_WHITE,)
    return import_module("PIL.ImageOps").invert(grey) if inverted else grey


def _range(found: "ImageFile") -> tuple[float, float]:
    """The levels that become black and white, as the top of this file says."""
    said = [*_tag(found, MAX_FLOAT)]
    if found.mode != "F":
        said += [*_tag(found, MAX_SAMPLE), *(2**bits - 1 for bits in _tag(found, BITS) if bits == 12)]
    smallest, largest = math.inf, max([0.0, *(each for each in said if 0 < each < 2**32)])
    for _, numbers in _strips(found):
        if not np.isfinite(numbers).all():
            raise InputError("not all levels are numbers")
        smallest, largest = min(smallest, float(numbers.min())), max(largest, float(numbers.max()))
    if smallest < 0:
        return smallest, largest
    if found.mode != "F":
        return 0, 2**16 - 1 if found.format in FILLED else _most(largest)
    return 0, 1 if largest <= 1 else 255 if DIM <= largest <= 255 else largest


def _most(largest: float) -> int:
    """The largest level of the fewest bits that hold a level."""
    return int(2 ** next(bits for bits in DEPTHS if largest < 2**bits)) - 1


def _scaled(numbers: Levels, black: float, white: Any) -> Levels:
    """In eight bits, levels of which these are black and white; white may be one for each channel."""
    eight: Levels = ((numbers - black) * (255 / np.maximum(white - black, TINY))).round().clip(0, 255).astype(np.uint8)
    return eight


def _strips(picture: "ImageFile") -> Iterator[tuple[int, Levels]]:
    """The levels of an unpacked picture, some rows at a time, each with the first row's place."""
    height = max(1, AT_ONCE // picture.width)
    unsigned = picture.mode == "I" and _tag(picture, SAMPLE_FORMAT, 1) == (1,)
    for top in range(0, picture.height, height):
        numbers = np.asarray(picture.crop((0, top, picture.width, min(top + height, picture.height))))
        yield top, (numbers.view(np.uint32) if unsigned else numbers).astype(np.float64)


def _tag(found: "ImageFile", number: int, *default: int) -> tuple[float, ...]:
    """The numbers of a TIFF's tag; none for other formats."""
    tags = getattr(found, "tag_v2", None)
    if tags is None:
        return ()
    said = tags.get(number, default)
    return tuple(each for each in (said if isinstance(said, tuple) else (said,)) if isinstance(each, int | float))


# --- sixteen bits a channel --------------------------------------------------------------------------


def _deep(found: "ImageFile") -> str:
    """How coloured levels of sixteen bits lie in the file, in Pillow's words; empty if there are none."""
    for codec, _, _, how in found.tile or ():
        for word in (codec, *(how if isinstance(how, tuple) else (how,))):
            if isinstance(word, str) and re.fullmatch(DEEP, word):
                return word
    return ""


def _coloured(found: "ImageFile", file: File, packed: str) -> "Image.Image":
    """A picture of which Pillow takes the upper eight of sixteen bits, which are all but empty where few are used.

    Ink is left so: little of it is no dark picture.
    """
    found.load()
    if isinstance(clear := found.info.get("transparency"), tuple):
        found.info["transparency"] = tuple(level >> 8 for level in clear)
    whites = _whites(found)
    if whites[0] == 2**16 - 1 or found.mode == "CMYK":
        return found
    _check_size(found, TWICE_MEGAPIXELS)
    with opened(file) as again:
        lower = _lower(again, packed)
    for top, upper in _strips(found):
        box = (0, top, found.width, top + len(upper))
        strip = 256 * upper + np.asarray(lower.crop(box))
        found.paste(_pillow().fromarray(_scaled(strip, 0, np.array(whites)), found.mode), box)
    return found


def _whites(upper: "Image.Image") -> list[int]:
    """The level of each channel that becomes white, by the upper eight bits; that of the colours is one."""
    largest: dict[str, Any] = {band: upper.getchannel(band).getextrema()[1] for band in upper.getbands()}
    bands = {band: 256 * level + 255 for band, level in largest.items()}
    colours = _most(max(level for band, level in bands.items() if band != "A"))
    return [_most(level) if band == "A" else colours for band, level in bands.items()]


def _lower(again: "ImageFile", packed: str) -> "Image.Image":
    """The lower eight of sixteen bits: Pillow takes them for the upper ones if it is told the other order of bytes."""
    other = LOWER.get(packed)
    if other is None:
        raise InputError("16 bits, of which few are used, are not read in {format}", format=again.format)
    again.tile = [_tile(each, packed, other) for each in again.tile]
    again.load()
    if other != "RGBA":
        return again
    _, level, _, alpha = again.split()  # each level of grey, then its transparency, in two bytes
    merged: Image.Image = _pillow().merge("RGBA", (level, level, level, alpha))
    return merged


def _tile(tile: Any, packed: str, other: str) -> Any:
    """A part of a file, its bytes in another order."""
    words = tile[3] if isinstance(tile[3], tuple) else tile[3:]
    changed = tuple(other if word == packed else word for word in words)
    return getattr(tile, "_make", tuple)((*tile[:3], changed if isinstance(tile[3], tuple) else changed[0]))
