"""Pictures that people send: of every kind, damaged, or made to fill the memory. Each gives a picture or a sentence."""

import ctypes
import gc
import re
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from conftest import StartServer, wait_until
from PIL import Image
from test_predict import BAD, GOOD, file_of, shirt
from test_runs_page import config, make

from vggexplorer.errors import InputError
from vggexplorer.pytorch import data, pictures, predict, weights
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.text import parse_network
from vggexplorer.ui.runs.try_picture import TYPES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 1.2
"""The most time of the processor for one picture; a tenth of a second and more goes by before a limit is noticed."""
BYTES = 200 * 10**6
"""The most memory for one picture."""
SIDE = 4_000
"""16 megapixels, the most that is unpacked of most formats."""


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *before: bytes, colour: int = 2, depth: int = 8, rows: int | None = None) -> bytes:
    """A black PNG, packed as tightly as it can be; with chunks before its pixels, and some rows only if asked."""
    line = bytes(1 + width * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] * depth // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(line) for _ in range(height if rows is None else rows)) + packer.flush()
    palette = [chunk(b"PLTE", bytes(768)), chunk(b"tRNS", bytes(256))] if colour == 3 else []
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join([*palette, *before, chunk(b"IDAT", packed), chunk(b"IEND", b"")])


def frames(count: int) -> bytes:
    """A GIF of so many pictures of one pixel."""
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return file_of(Image.new("P", (2, 2)), "GIF")[:-1] + picture * count + b";"


def riff(width: int, height: int) -> bytes:
    """The beginning of a WebP that claims to be so large."""
    content = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(40)
    return b"RIFF" + struct.pack("<I", len(content) + 12) + b"WEBPVP8L" + struct.pack("<I", len(content)) + content


def blank(mode: str, side: int = SIDE) -> Image.Image:
    return Image.new(mode, (side, side))


LARGEST: dict[str, Callable[[], bytes]] = {
    "colour": lambda: png(SIDE, SIDE),
    "colour and alpha": lambda: png(SIDE, SIDE, colour=6),
    "sixteen bits, colour and alpha": lambda: png(SIDE, SIDE, colour=6, depth=16),
    "sixteen bits, few used": lambda: png(SIDE, SIDE, depth=16),
    "sixteen bits, few used, of fewer pixels": lambda: png(SIDE, 3_000, depth=16),
    "sixteen bits": lambda: png(SIDE, SIDE, colour=0, depth=16),
    "grey and alpha": lambda: png(SIDE, SIDE, colour=4),
    "a transparent palette": lambda: png(SIDE, SIDE, colour=3),
    "a few rows": lambda: png(2**16, 240, colour=6),
    "a few columns": lambda: png(240, 2**16, colour=6),
    "one column": lambda: png(1, SIDE * SIDE, colour=6),
    "jpeg": lambda: file_of(blank("RGB", 5_000), "JPEG"),
    "progressive jpeg": lambda: file_of(blank("RGB", 5_000), "JPEG", progressive=True, subsampling=0),
    "cmyk jpeg": lambda: file_of(blank("CMYK", 5_000), "JPEG"),
    "webp": lambda: file_of(blank("RGBA", 3_310), "WEBP", lossless=True, quality=0, method=0),
    "animated webp": lambda: file_of(
        blank("RGBA", 3_310), "WEBP", save_all=True, append_images=[Image.new("RGBA", (3_310, 3_310), "red")], method=0
    ),
    "jpeg 2000": lambda: file_of(blank("RGB", 2_828), "JPEG2000"),
    "avif": lambda: file_of(blank("RGB", 3_464), "AVIF", speed=10),
    "tga": lambda: file_of(blank("RGBA"), "TGA", compression="tga_rle"),
    "fax": lambda: file_of(blank("1"), "TIFF", compression="group4"),
    "tiff of ink": lambda: file_of(blank("CMYK"), "TIFF", compression="tiff_lzw"),
    "tiff of floats": lambda: file_of(blank("F"), "TIFF", compression="tiff_lzw"),
    "qoi": lambda: file_of(blank("RGB", 1_414), "QOI"),
    "icon": lambda: file_of(Image.new("RGBA", (256, 256)), "ICO"),
    "gif": lambda: file_of(blank("P"), "GIF"),
    "bmp": lambda: file_of(blank("1"), "BMP"),
    "half a million frames": lambda: frames(500_000),
    "half a million chunks": lambda: png(2, 2, chunk(b"vpAg", b"") * 800_000),
    "megabytes of text": lambda: png(
        2, 2, *(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6))) for _ in range(70))
    ),
    "a large profile": lambda: png(2, 2, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8)))),
    "30,000 x 30,000": lambda: png(30_000, 30_000, rows=30),
    "2^31 x 2^31": lambda: png(2**31 - 1, 2**31 - 1, rows=0),
    "a huge gif": lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + frames(1)[13:],
    "a huge webp": lambda: riff(16_383, 16_383),
    "a huge bmp": lambda: b"BM" + struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
    "a huge ppm": lambda: b"P6 1000000 1000000 255\n",
    "a huge jpeg": lambda: re.sub(
        rb"(\xff\xc0..\x08)....",
        lambda found: found[1] + b"\xff" * 4,
        file_of(blank("RGB", 16), "JPEG"),
        flags=re.DOTALL,
    ),
}
COLOURED = Config(
    network=parse_network({"arch": "1x4,1x8", "hidden": "none", "input": "3x32x48"}),
    training=config(input_size=None).training,
    dataset=Dataset("folder", "x"),
)


def memory(what: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(text.split(f"{what}:")[1].split()[0])


def peak(ask: Callable[[], Any]) -> int:
    """By how many bytes the memory of this process was larger than before, at the most."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # from now on VmHWM is the most from now on
    before = memory("VmRSS")
    ask()
    return memory("VmHWM") - before


def shape_or_sentence(content: bytes, asked: Config) -> str:
    try:
        seen = predict.read(content, asked)
    except InputError as error:
        return str(error)
    shape = (1, 3, 32, 48) if asked is COLOURED else (1, 1, 28, 28)
    assert seen.image.shape == shape
    return "a picture"


@pytest.mark.sample(10)
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of this process is looked at in /proc")
@pytest.mark.parametrize("asked", [config(), COLOURED], ids=["grey", "coloured"])
@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_pictures_take_little_memory_and_time(name: str, asked: Config) -> None:
    content = LARGEST[name]()
    assert len(content) <= predict.MAX_BYTES
    start = time.process_time()
    most = peak(lambda: shape_or_sentence(content, asked))
    took = time.process_time() - start
    print(f"{name}: {most / 1e6:.0f} MB, {took:.2f} s")
    assert most < BYTES
    assert took < SECONDS


@pytest.mark.parametrize("name", ["30,000 x 30,000", "2^31 x 2^31", "one column", "a huge gif", "a huge webp"])
def test_what_claims_to_be_huge_gets_a_sentence(name: str) -> None:
    assert "too many pixels" in shape_or_sentence(LARGEST[name](), config())


def test_what_is_just_too_large_gets_the_limit_of_its_format() -> None:
    for kind, most in (
        ("PNG", pictures.OTHER_MEGAPIXELS),
        *((kind, pictures.MEGAPIXELS[kind]) for kind in ("JPEG", "WEBP")),
    ):
        over = Image.new("L", (1_000_001, most)) if kind == "PNG" else Image.new("RGB", (most * 1_000 // 3, 3_001))
        assert f"at most {most} megapixels" in shape_or_sentence(file_of(over, kind), config())


@pytest.mark.parametrize("content", [*GOOD.values(), *(content for content, _ in BAD.values())], ids=[*GOOD, *BAD])
def test_every_kind_also_for_a_network_of_colours(content: bytes) -> None:
    shape_or_sentence(content, COLOURED)


def test_a_large_picture_is_made_smaller_not_other() -> None:
    """Four times as large a picture gives the same 28 x 28 pixels, but for their rounding."""
    small, large = shirt(size=(1_000, 600)), shirt(size=(1_000, 600)).resize((4_000, 2_400), 0)
    first, second = (predict.read(file_of(each, "PNG"), config()).image.float() for each in (small, large))
    assert (first - second).abs().mean() < 6


def test_a_folder_with_bombs_is_trained_on_without_them(tmp_path: Path) -> None:
    for red, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        for number in range(3):
            picture = shirt("RGB", colour=(red, 50 * number, 0))
            (tmp_path / name / f"{number}.png").write_bytes(file_of(picture))
        for number, (content, _) in enumerate(BAD.values()):
            if len(content) < predict.MAX_BYTES:
                (tmp_path / name / f"bad {number}.png").write_bytes(content)
    found = data.load(Dataset("folder", str(tmp_path)), (3, 32, 32))
    assert len(found.train_images) + len(found.test_images) >= 6
    assert any("too many pixels" in reason for reason in found.odd)


# --- through the page --------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the server's memory is looked at in /proc")
def test_uploads_get_an_answer_and_the_server_stays_small(
    browser: "Browser", server: StartServer, tmp_path: Path
) -> None:
    run = make(tmp_path / "runs", "one")
    torch.manual_seed(0)
    weights.save(run.path / "model.safetensors", build(*run.config().trained).state_dict(), {})
    dashboard = server(env={"VGGEXPLORER_RUNS": str(tmp_path / "runs")})
    used = Path(f"/proc/{dashboard.process.pid}/status")
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{dashboard.url}/runs?run={run.id}&tab=picture")
    area = page.locator(".st-key-guess-bars, [data-testid=stAlert]")
    uploads = {name: LARGEST[name]() for name in ("30,000 x 30,000", "colour and alpha", "half a million chunks")}
    uploads |= {name: BAD[name][0] for name in ("nothing", "a text", "a page", "a truncated png")}
    uploads |= {"animated": GOOD["animated"], "cmyk jpeg": GOOD["cmyk jpeg"]}
    before = 0
    for place, (name, content) in enumerate({"first": GOOD["grey"], **uploads}.items()):
        text = page.locator("[data-testid=stMain]").inner_text()
        name = f"{place} {name}.png"
        page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
        page.wait_for_timeout(300)
        wait_until(
            lambda text=text: (
                (
                    area.count()
                    and page.locator(".st-key-working-prediction").count() == 0
                    and page.locator("[data-testid=stMain]").inner_text() != text
                )
                or page.wait_for_timeout(50)
            ),
            30,
            name,
        )
        assert page.locator("[data-testid=stException]").count() == 0
        resident = 1024 * int(used.read_text(encoding="utf-8").split("VmRSS:")[1].split()[0])
        before = before or resident
        assert resident - before < BYTES
    assert set(TYPES) >= {"png", "jpg"}
    context.close()
