"""One picture file as one picture: what comes out of every kind of pixels that a file can have."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from vggexplorer.pytorch import pictures
from vggexplorer.pytorch.pictures import levels

Array = np.ndarray[Any, np.dtype[Any]]
BLOCK = 16
"""Each level fills a square of so many pixels, so that lossy formats keep it."""


# --- how the files are written ---------------------------------------------------------------------------


def squares(*values: Any, kind: Any = np.uint8) -> Array:
    """A row of squares, one for each value; a value may be a level or one for each channel."""
    return np.repeat(np.repeat(np.array([values], dtype=kind), BLOCK, 0), BLOCK, 1)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def of(mode: str, kind: str, *values: Any, **options: Any) -> bytes:
    """Squares in a mode of Pillow, saved by it."""
    return saved(Image.fromarray(squares(*values)).convert(mode), kind, **options)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(colour: int, *values: Any, before: bytes = b"") -> bytes:
    """A PNG of sixteen bits a channel; of kind 0 it is grey, 2 coloured, 4 and 6 with alpha."""
    pixels = squares(*values, kind=">u2")
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(
    pixels: Array, photometric: int, *tags: tuple[int, Any], bits: int = 0, packed: bytes = b"", deflated: bool = False
) -> bytes:
    """A TIFF in one strip, in the pixels' order of bytes, with more tags; `packed` are other bytes."""
    order = ">" if pixels.dtype.byteorder == ">" else "<"
    height, width = pixels.shape[:2]
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    content = packed or pixels.tobytes()
    content = zlib.compress(content) if deflated else content
    content += bytes(len(content) % 2)
    entries: dict[int, Any] = {256: width, 257: height, 258: (bits or 8 * pixels.itemsize,) * samples}
    entries[259] = 8 if deflated else 1
    entries |= {262: photometric, 273: 8, 277: samples, 278: height, 279: len(content)}
    entries |= {339: ({"u": 1, "i": 2, "f": 3}[pixels.dtype.kind],) * samples} | dict(tags)
    directory, further = b"", b""
    start = 8 + len(content) + 2 + 12 * len(entries) + 4
    for tag, value in sorted(entries.items()):
        values = value if isinstance(value, tuple) else (value,)
        kind, letter = (11, "f") if any(isinstance(each, float) for each in values) else (4, "I")
        if tag in (258, 259, 262, 274, 277, 284, 320, 338, 339):
            kind, letter = 3, "H"
        data = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(data) > 4:
            further, data = further + data, struct.pack(f"{order}I", start + len(further))
        directory += struct.pack(f"{order}HHI", tag, kind, len(values)) + data.ljust(4, b"\0")
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(content))
    return mark + content + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + further


def twelve(*values: int) -> bytes:
    """A TIFF of twelve bits, two levels in three bytes."""
    pixels = squares(*values, kind="<u2")
    packed = b"".join(
        bytes([first >> 4, (first & 15) << 4 | second >> 8, second & 255])
        for first, second in pixels.reshape(-1, 2).tolist()
    )
    return tiff(pixels, 1, bits=12, packed=packed)


def pfm(*values: float) -> bytes:
    pixels = squares(*values, kind="<f4")[::-1]
    return b"Pf\n%d %d\n-1.0\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


def pgm(most: int, *values: int) -> bytes:
    pixels = squares(*values, kind=">u2" if most > 255 else "u1")
    return b"P5\n%d %d\n%d\n" % (pixels.shape[1], pixels.shape[0], most) + pixels.tobytes()


def ppm(most: int, *values: tuple[int, int, int]) -> bytes:
    pixels = squares(*values, kind=">u2" if most > 255 else "u1")
    return b"P6\n%d %d\n%d\n" % (pixels.shape[1], pixels.shape[0], most) + pixels.tobytes()


def sgi(*values: int) -> bytes:
    """An SGI picture of sixteen bits, run by run."""
    pixels = squares(*values, kind=">u2")
    height, width = pixels.shape
    head = struct.pack(">hBBHHHH", 474, 1, 2, 2, width, height, 1).ljust(512, b"\0")
    line = b"".join(struct.pack(">HH", BLOCK, value) for value in values) + b"\0\0"
    starts = struct.pack(f">{height}I", *[512 + 8 * height + len(line) * row for row in range(height)])
    return head + starts + struct.pack(f">{height}I", *[len(line)] * height) + line * height


def rows_of(*values: int) -> bytes:
    return squares(*values).tobytes()


def sun(*values: int) -> bytes:
    return struct.pack(">8I", 0x59A66A95, 3 * BLOCK, BLOCK, 8, 0, 1, 0, 0) + rows_of(*values)


def psd(*values: int) -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 1, BLOCK, 3 * BLOCK, 8, 1) + bytes(14) + rows_of(*values)


def cursor(*values: int) -> bytes:
    """A cursor of 24 bits; its mask shows all of it."""
    pixels = np.repeat(squares(*values)[..., None], 3, 2)[::-1].tobytes()
    info = struct.pack("<IiiHHIIiiII", 40, 3 * BLOCK, 2 * BLOCK, 1, 24, 0, 0, 0, 0, 0, 0)
    return struct.pack("<HHHBBBBHHII", 0, 2, 1, 48, 16, 0, 0, 0, 0, 99, 22) + info + pixels + bytes(8 * BLOCK)


def dcx(*values: int) -> bytes:
    return struct.pack("<3I", 0x3ADE68B1, 12, 0) + of("L", "PCX", *values)


def xpm(*colours: str) -> bytes:
    lines = [
        f'"{3 * BLOCK} {BLOCK} 3 1",',
        *(f'"{letter} c {each}",' for letter, each in zip("abc", colours, strict=True)),
    ]
    row = '"' + "".join(letter * BLOCK for letter in "abc") + '",'
    return "\n".join(["/* XPM */", "static char *a[] = {", *lines, *[row] * BLOCK, "};", ""]).encode()


def gimp(*values: int) -> bytes:
    return struct.pack(">5I4sI", 29, 2, 3 * BLOCK, BLOCK, 1, b"GIMP", 10) + b"\0" + rows_of(*values)


def ftex(*values: int) -> bytes:
    content = np.repeat(squares(*values)[..., None], 3, 2).tobytes()
    return b"FTEX" + struct.pack("<i2i2i2ii", 1, 3 * BLOCK, BLOCK, 1, 1, 1, 32, len(content)) + content


def pixar(*values: int) -> bytes:
    head = bytearray(1024)
    head[:4] = b"\x80\xe8\0\0"
    struct.pack_into("<HH", head, 416, BLOCK, 3 * BLOCK)
    struct.pack_into("<HH", head, 424, 14, 2)
    return bytes(head) + np.repeat(squares(*values)[..., None], 3, 2).tobytes()


def thumbnail(*values: int) -> bytes:
    """Of the viewer xv: three bits of red and green, two of blue."""
    return b"P7 332\n#END_OF_COMMENTS\n%d %d 255\n" % (3 * BLOCK, BLOCK) + rows_of(*values)


def film(*values: int) -> bytes:
    """A FLIC of one picture, its pixels as they are, in the 256 greys that hold unless it says others."""
    content = rows_of(*values)
    part = struct.pack("<IH", 6 + len(content), 16) + content
    frame = struct.pack("<IHH8x", 16 + len(part), 0xF1FA, 1) + part
    head = struct.pack("<IHHHHHHI", 128 + len(frame), 0xAF12, 1, 3 * BLOCK, BLOCK, 8, 3, 70)
    return head.ljust(128, b"\0") + frame


def kodak(*values: int) -> bytes:
    """A PhotoCD, 768 x 512 as all of them, without colours."""
    line = np.repeat(np.array(values, dtype=np.uint8), 256).tobytes()
    both = line * 2 + bytes([156]) * 384 + bytes([137]) * 384
    return (bytes(2048) + b"PCD_").ljust(96 * 2048, b"\0") + both * 256


def premultiplied(kind: int) -> bytes:
    """Half a grey's light, as it lies in a TIFF whose alpha was multiplied in, and black and white."""
    return tiff(squares((0, 255), (64, 128), (255, 255)), 1, (338, kind))


# --- the table -----------------------------------------------------------------------------------------------

RAMP = (0, 128, 255)
MASK = (0, 255, 255)
RED = ((255, 0, 0), (128, 128, 128), (0, 0, 255))
Row = tuple[Callable[[], bytes], Sequence[Any]] | tuple[Callable[[], bytes], Sequence[Any], int]
"""A file, what its three squares must be, and by how much they may differ."""
FLOATS = partial(squares, kind="<f4")
SIXTEEN = partial(squares, kind="<u2")
COLOURS = ((65535, 0, 0), (32768, 32768, 32768), (0, 0, 65535))
TWELVE = ((4095, 0, 0), (2048, 2048, 2048), (0, 0, 4095))
NAMED = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).resize((3 * BLOCK, BLOCK), 0)
NAMED.putpalette([255, 0, 0, 128, 128, 128, 0, 0, 255])
PALETTE = tuple(257 * level for level in (255, 128, 0, *[0] * 253, 0, 128, *[0] * 254, 0, 128, 255, *[0] * 253))
TABLE: dict[str, Row] = {
    # more than eight bits, grey
    "png of 16 bits": (lambda: png(0, 0, 32768, 65535), RAMP),
    "png of 16 bits, 14 used": (lambda: png(0, 0, 8192, 16383), RAMP),
    "png of 16 bits, 12 used": (lambda: png(0, 0, 2048, 4095), RAMP),
    "png of 16 bits, 10 used": (lambda: png(0, 0, 512, 1023), RAMP),
    "png of 16 bits, 8 used": (lambda: png(0, 0, 128, 255), RAMP),
    "png of 16 bits, one is clear": (lambda: png(0, 0, 32768, 65535, before=chunk(b"tRNS", b"\x80\0")), MASK),
    "tiff of 16 bits": (lambda: tiff(SIXTEEN(0, 32768, 65535), 1), RAMP),
    "tiff of 16 bits, 12 used": (lambda: tiff(SIXTEEN(0, 2048, 4095), 1), RAMP),
    "tiff of 16 bits, 12 used, of 16": (lambda: tiff(SIXTEEN(0, 2048, 4095), 1, (281, 65535)), (0, 8, 16)),
    "tiff of 16 bits, 10 used, of 12": (lambda: tiff(SIXTEEN(0, 512, 1023), 1, (281, 4000)), (0, 32, 64)),
    "tiff of 16 bits that says too little": (lambda: tiff(SIXTEEN(0, 2048, 4095), 1, (281, 255)), RAMP),
    "tiff of 16 bits, the larger first": (lambda: tiff(squares(0, 2048, 4095, kind=">u2"), 1), RAMP),
    "tiff of 16 bits, inverted": (lambda: tiff(SIXTEEN(4095, 2047, 0), 0), RAMP),
    "tiff of 16 bits, deflated": (lambda: tiff(SIXTEEN(0, 2048, 4095), 1, deflated=True), RAMP),
    "tiff of 12 bits": (lambda: twelve(0, 2048, 4095), RAMP),
    "tiff of 12 bits, 10 used": (lambda: twelve(0, 512, 1023), (0, 32, 64)),
    "tiff of 16 bits with sign": (lambda: tiff(squares(-1000, 1, 1000, kind="<i2"), 1), RAMP),
    "tiff of 16 bits with sign, the larger first": (lambda: tiff(squares(0, 2048, 4095, kind=">i2"), 1), RAMP),
    "tiff of 32 bits": (lambda: tiff(squares(0, 2**31, 2**32 - 1, kind="<u4"), 1), RAMP),
    "tiff of 32 bits, 12 used": (lambda: tiff(squares(0, 2048, 4095, kind="<u4"), 1), RAMP),
    "tiff of 32 bits with sign": (lambda: tiff(squares(0, 2**23, 2**24 - 1, kind="<i4"), 1), RAMP),
    "tiff of 32 bits with sign, below 0": (lambda: tiff(squares(-1000, 1, 1000, kind=">i4"), 1), RAMP),
    "jpeg 2000 of 16 bits": (lambda: saved(Image.fromarray(SIXTEEN(0, 32768, 65535)), "JPEG2000"), RAMP),
    "pgm of 16 bits": (lambda: pgm(65535, 0, 32768, 65535), RAMP),
    "pgm of 12 bits": (lambda: pgm(4095, 0, 2048, 4095), RAMP),
    "pgm of 12 bits, 10 used": (lambda: pgm(4095, 0, 512, 1023), (0, 32, 64)),
    "pgm of 4 bits": (lambda: pgm(15, 0, 8, 15), (0, 136, 255)),
    "plain pgm": (lambda: b"P2 48 16 4095 " + (b"0 " * 16 + b"2048 " * 16 + b"4095 " * 16) * 16, RAMP),
    # with a point
    "floats to 1": (lambda: tiff(FLOATS(0, 0.5, 1), 1), RAMP),
    "floats to 1, dark": (lambda: tiff(FLOATS(0, 0.25, 0.5), 1), (0, 64, 128)),
    "floats to 255": (lambda: tiff(FLOATS(0, 128, 255), 1), RAMP),
    "floats to 100": (lambda: tiff(FLOATS(0, 50, 100), 1), (0, 50, 100)),
    "floats beyond white": (lambda: tiff(FLOATS(0, 2, 4), 1), RAMP),
    "floats to 4000": (lambda: tiff(FLOATS(0, 2000, 4000), 1), RAMP),
    "floats below 0": (lambda: tiff(FLOATS(-1, 0, 1), 1), RAMP),
    "floats of which one would be 1": (lambda: tiff(FLOATS(0, 0.25, 0.5), 1, (341, 1.0)), (0, 64, 128)),
    "floats, the larger byte first": (lambda: tiff(squares(0, 0.5, 1, kind=">f4"), 1), RAMP),
    "floats, inverted": (lambda: tiff(FLOATS(1, 0.5, 0), 0), (0, 127, 255)),
    "pfm": (lambda: pfm(0, 0.5, 1), RAMP),
    "spider": (lambda: saved(Image.fromarray(FLOATS(0, 0.5, 1)), "SPIDER"), RAMP),
    "all the same": (lambda: tiff(FLOATS(-3, -3, -3), 1), (0, 0, 0)),
    # more than eight bits, coloured
    "png of 3 x 16 bits": (lambda: png(2, *COLOURS), RED),
    "png of 3 x 16 bits, 12 used": (lambda: png(2, *TWELVE), RED),
    "png of 3 x 16 bits, 8 used": (lambda: png(2, *RED), RED),
    "png of 3 x 16 bits, one is clear": (
        lambda: png(2, *COLOURS, before=chunk(b"tRNS", struct.pack(">3H", 65535, 0, 0))),
        ((255, 255, 255), *RED[1:]),
    ),
    "png of 16 bits and alpha": (lambda: png(4, (0, 65535), (32768, 65535), (9, 0)), RAMP),
    "png of 16 bits and alpha, 12 used": (lambda: png(4, (0, 4095), (2048, 4095), (4095, 4095)), RAMP),
    "png of 4 x 16 bits, 12 used": (lambda: png(6, *((*colour, 65535) for colour in TWELVE)), RED),
    "tiff of 3 x 16 bits": (lambda: tiff(SIXTEEN(*COLOURS), 2), RED),
    "tiff of 3 x 16 bits, 12 used": (lambda: tiff(SIXTEEN(*TWELVE), 2), RED),
    "tiff of 3 x 16 bits, 12 used, the larger first": (lambda: tiff(squares(*TWELVE, kind=">u2"), 2), RED),
    "tiff of 3 x 16 bits, 12 used, deflated": (lambda: tiff(SIXTEEN(*TWELVE), 2, deflated=True), RED),
    "tiff of 4 x 16 bits, 12 used": (lambda: tiff(SIXTEEN(*((*each, 4095) for each in TWELVE)), 2, (338, 2)), RED),
    "tiff of 4 x 16 bits of ink": (
        lambda: tiff(SIXTEEN((0, 0, 0, 65535), (0, 0, 0, 32768), (0, 0, 0, 0)), 5),
        (0, 127, 255),
    ),
    "tiff of 4 x 16 bits of little ink": (
        lambda: tiff(SIXTEEN((0, 0, 0, 4095), (0, 0, 0, 2048), (0, 0, 0, 0)), 5),
        (240, 247, 255),
    ),
    "ppm of 3 x 12 bits": (lambda: ppm(4095, *TWELVE), RED),
    "sgi of 16 bits": (lambda: sgi(0, 32768, 65535), RAMP),
    "sgi of 16 bits, 12 used": (lambda: sgi(0, 2048, 4095), RAMP),
    # few bits and palettes
    "png of 1 bit": (lambda: of("1", "PNG", 0, 255, 255), MASK),
    "tiff of 1 bit": (lambda: of("1", "TIFF", 0, 255, 255), MASK),
    "tiff of 1 bit, inverted": (lambda: tiff(squares(255, 0, 0), 0, bits=1, packed=b"\xff\xff\0\0\0\0" * BLOCK), MASK),
    "fax": (lambda: of("1", "TIFF", 0, 255, 255, compression="group4"), MASK),
    "pbm": (lambda: of("1", "PPM", 0, 255, 255), MASK),
    "bmp of 1 bit": (lambda: of("1", "BMP", 0, 255, 255), MASK),
    "tiff of 4 bits": (
        lambda: tiff(squares(0, 8, 15), 1, bits=4, packed=(bytes(8) + b"\x88" * 8 + b"\xff" * 8) * 16),
        (0, 136, 255),
    ),
    "tiff of 8 bits, inverted": (lambda: tiff(squares(255, 127, 0), 0), RAMP),
    "png with a palette": (lambda: saved(NAMED, "PNG"), RED),
    "png with a palette of 2 bits": (lambda: saved(NAMED, "PNG", bits=2), RED),
    "png with a palette, one is clear": (lambda: saved(NAMED, "PNG", transparency=0), ((255, 255, 255), *RED[1:])),
    "gif": (lambda: saved(NAMED, "GIF"), RED),
    "tiff with a palette": (lambda: saved(NAMED, "TIFF"), RED),
    "tiff with a palette and alpha": (
        lambda: tiff(squares((0, 255), (1, 255), (2, 0)), 3, (338, 2), (320, PALETTE)),
        (*RED[:2], (255, 255, 255)),
    ),
    # other channels
    "png with alpha": (lambda: saved(Image.fromarray(squares((0, 255), (0, 127), (0, 0)), "LA"), "PNG"), RAMP),
    "tiff with alpha": (lambda: tiff(squares((0, 255), (0, 127), (0, 0)), 1, (338, 2)), RAMP),
    "tiff with alpha multiplied in": (lambda: premultiplied(1), (0, 191, 255), 1),
    "tiff of 4 channels": (lambda: tiff(squares(*((*each, 255) for each in RED)), 2, (338, 2)), RED),
    "tiff of 4 channels, multiplied in": (
        lambda: tiff(squares((255, 0, 0, 255), (64, 64, 64, 128), (0, 0, 0, 0)), 2, (338, 1)),
        ((255, 0, 0), (191, 191, 191), (255, 255, 255)),
        1,
    ),
    "tiff of ink": (lambda: of("CMYK", "TIFF", *RED), RED, 1),
    "jpeg of ink": (lambda: of("CMYK", "JPEG", *RED, quality=100, subsampling=0), RED, 3),
    "tiff of light and colour": (lambda: saved(Image.fromarray(squares(*RED)).convert("YCbCr"), "TIFF"), RED, 2),
    "tiff of lab": (lambda: tiff(squares((0, 0, 0), (137, 0, 0), (255, 0, 0)), 8), RAMP, 1),
    # formats
    "jpeg": (lambda: of("RGB", "JPEG", *RED, quality=100, subsampling=0), RED, 3),
    "grey jpeg": (lambda: of("L", "JPEG", *RAMP, quality=100), RAMP, 1),
    "mpo": (
        lambda: saved(
            Image.fromarray(squares(*RAMP)), "MPO", save_all=True, append_images=[NAMED.convert("L")], quality=100
        ),
        RAMP,
        1,
    ),
    "png": (lambda: of("RGB", "PNG", *RED), RED),
    "webp": (lambda: of("RGB", "WEBP", *RED, lossless=True), RED),
    "avif": (lambda: of("RGB", "AVIF", *RED, quality=100, subsampling="4:4:4"), RED, 3),
    "bmp": (lambda: of("RGB", "BMP", *RED), RED),
    "dib": (lambda: of("RGB", "DIB", *RED), RED),
    "jpeg 2000": (lambda: of("RGB", "JPEG2000", *RED), RED),
    "ico": (lambda: of("RGBA", "ICO", *RED, sizes=[(48, 16)]), RED),
    "ico with a bmp": (lambda: of("RGBA", "ICO", *RED, sizes=[(48, 16)], bitmap_format="bmp"), RED),
    "icns": (lambda: of("RGBA", "ICNS", *RED), RED),
    "cur": (lambda: cursor(*RAMP), RAMP),
    "dds": (lambda: of("RGB", "DDS", *RED), RED),
    "dds in blocks": (lambda: of("RGBA", "DDS", *RED, pixel_format="DXT1"), RED, 4),
    "psd": (lambda: psd(*RAMP), RAMP),
    "qoi": (lambda: of("RGB", "QOI", *RED), RED),
    "sgi": (lambda: of("RGB", "SGI", *RED), RED),
    "pcx": (lambda: of("RGB", "PCX", *RED), RED),
    "dcx": (lambda: dcx(*RAMP), RAMP),
    "sun": (lambda: sun(*RAMP), RAMP),
    "xbm": (lambda: of("1", "XBM", 0, 255, 255), MASK),
    "xpm": (lambda: xpm("#FF0000", "#808080", "#0000FF"), RED),
    "blp": (lambda: saved(NAMED, "BLP"), RED),
    "ftex": (lambda: ftex(*RAMP), RAMP),
    "flic": (lambda: film(*RAMP), RAMP),
    "msp": (lambda: of("1", "MSP", 0, 255, 255), MASK),
    "pixar": (lambda: pixar(*RAMP), RAMP),
    "xv": (lambda: thumbnail(0, 0b10010010, 255), ((0, 0, 0), (145, 145, 170), (255, 255, 255))),
    "gimp's brush": (lambda: gimp(*RAMP), RAMP),
    "photo cd": (lambda: kodak(0, 94, 188), RAMP, 2),
    "tga": (lambda: of("RGB", "TGA", *RED), RED),
    "tga, packed": (lambda: of("RGB", "TGA", *RED, compression="tga_rle"), RED),
}


def squares_of(content: bytes, mode: str = "RGB") -> list[Any]:
    """The levels in the middle of each of the three squares."""
    read = levels(io.BytesIO(content), mode, BLOCK, 3 * BLOCK)
    return [read[BLOCK // 2, place * BLOCK + BLOCK // 2].tolist() for place in range(3)]


@pytest.mark.parametrize("name", TABLE)
def test_the_levels_of_every_kind_of_pixels(name: str) -> None:
    write, expected, *near = TABLE[name]
    if not readable(name):
        pytest.skip("this Pillow does not have the format")
    for found, level in zip(squares_of(write()), expected, strict=True):
        wanted = [level] * 3 if isinstance(level, int) else list(level)
        assert np.abs(np.subtract(found, wanted)).max() <= (near[0] if near else 0), (found, wanted)


def readable(name: str) -> bool:
    return not name.startswith("avif") or bool(features.check("avif"))


def test_every_format_that_is_read_is_in_the_table() -> None:
    Image.init()
    kinds = set()
    for name, (write, *_) in TABLE.items():
        if readable(name):
            with pictures.opened(io.BytesIO(write())) as found:
                kinds.add(str(found.format).upper())
    assert kinds == {kind for kind in pictures.FORMATS if kind in Image.OPEN} | {"MPO"}


# --- around the pixels ---------------------------------------------------------------------------------------


def corner(kind: Any, white: float) -> Image.Image:
    """Black but for a white corner, wider than high."""
    pixels = np.zeros((2 * BLOCK, 3 * BLOCK), dtype=kind)
    pixels[:BLOCK, :BLOCK] = white
    return Image.fromarray(pixels)


KEEPING = [
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("TIFF", mode) for mode in ("1", "L", "P", "RGB", "CMYK", "I;16", "I", "F")),
    *(("JPEG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("MPO", "RGB"), ("WEBP", "RGB"), ("AVIF", "RGB")),
]
"""The formats that say how a camera was held, and what they can hold."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "mode"), KEEPING)
def test_a_picture_is_turned_as_its_camera_was(kind: str, mode: str, orientation: int) -> None:
    if not readable(kind.lower()):
        pytest.skip("this Pillow does not have the format")
    wide = {"I;16": corner("<u2", 4095), "I": corner("<i4", 4095), "F": corner("<f4", 1)}.get(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(wide or corner("u1", 255).convert(mode), kind, exif=exif)
    read = levels(io.BytesIO(content), "L", *((48, 32) if orientation > 4 else (32, 48))) > 128
    first, second = (read.any(axis).nonzero()[0] for axis in (1, 0))
    places = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left"}
    places |= {5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left"}
    place = f"{'bottom' if first.min() > 8 else 'top'} {'right' if second.min() > 8 else 'left'}"
    assert (place, len(first), len(second)) == (places[orientation], BLOCK, BLOCK)


def test_a_damaged_note_of_the_camera_leaves_the_picture_as_it_is() -> None:
    content = of("L", "PNG", *RAMP, exif=b"Exif\0\0" + b"MM\0*\xff\xff\xff\xff")
    assert squares_of(content) == [[level] * 3 for level in RAMP]


def test_the_first_picture_of_an_animation_is_taken_and_all_are_counted() -> None:
    second = Image.fromarray(squares(255, 255, 255))
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO"):
        content = of("L", kind, *RAMP, save_all=True, append_images=[second], lossless=True, quality=100)
        assert np.abs(np.subtract(squares_of(content, "L"), RAMP)).max() <= 2
        assert pictures.count(io.BytesIO(content)) == 2


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "the file is empty"),
    "a text": (lambda: b"hello\nwidth: 3\n", "not a picture"),
    "not a number": (lambda: tiff(FLOATS(0, float("nan"), 1), 1), "not all levels are numbers"),
    "infinity": (lambda: tiff(FLOATS(0, float("-inf"), 1), 1), "not all levels are numbers"),
    "64 bits": (lambda: tiff(squares(0, 0.5, 1, kind="<f8"), 1), "damaged, or a kind of TIFF that is not read"),
    "channel after channel": (
        lambda: tiff(SIXTEEN(*TWELVE), 2, (284, 2), (273, (8, 1544, 3080)), (279, (1536, 1536, 1536))),
        "16 bits, channel after channel, are not read",
    ),
    "sgi of 16 bits that is not packed": (
        lambda: struct.pack(">hBBHHHH", 474, 0, 2, 2, 3, 1, 1).ljust(512, b"\0") + struct.pack(">3H", 0, 2048, 4095),
        "16 bits, of which few are used, are not read in SGI",
    ),
    "a telephone's": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC is not read; save it as PNG, JPEG or TIFF"),
    "jpeg xl": (lambda: b"\xff\x0a" + bytes(20), "JPEG XL is not read"),
    "svg": (lambda: b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is not read"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS is not read"),
    "wrapped postscript": (
        lambda: b"\x1c\x03\x3c\0\x02\1\0" + b"\x1c\x08\x0a\0\x0b%!PS-Adobe-\n",
        "not a picture",
    ),
    "a truncated png": (lambda: of("L", "PNG", *RAMP)[:-40], "cannot be unpacked: "),
    "a truncated tiff": (lambda: tiff(SIXTEEN(0, 1, 2), 1)[:-60], ""),
    "too wide": (lambda: saved(Image.new("1", (2**16 + 1, 1)), "PNG"), "at most 65,536 of a side"),
    "too large": (lambda: saved(Image.new("1", (4001, 4000)), "PNG"), "at most 16 megapixels"),
    "a large icon": (lambda: icon(saved(Image.new("1", (4000, 3000)), "PNG")), "too many pixels"),
}


def icon(content: bytes) -> bytes:
    """An icon that says it is small, around a PNG."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(content), 22) + content


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_a_reason(name: str) -> None:
    write, words = REFUSED[name]
    with pytest.raises(Exception) as error:  # noqa: PT011 - Pillow's plugins raise all sorts
        levels(io.BytesIO(write()), "L", 4, 4)
    assert str(pictures.reason(error.value)).startswith(words) or words in str(pictures.reason(error.value))


def test_a_file_on_the_disk_is_read_and_closed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(png(2, *TWELVE))
    assert (
        squares_of((tmp_path / "a").read_bytes()) == levels(tmp_path / "a", "RGB", BLOCK, 3 * BLOCK)[8, 8::16].tolist()
    )
    with pytest.raises(FileNotFoundError) as gone:
        levels(tmp_path / "b", "L", 4, 4)
    assert str(pictures.reason(gone.value)) == "cannot be read: No such file or directory"
