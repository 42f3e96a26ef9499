"""What a trained network makes of a picture: the picture made ready, and the process that answers."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from test_runs_page import config, make, result_json
from torch.testing import assert_close

from vggexplorer.errors import InputError
from vggexplorer.pytorch import data, predict, weights
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import CLASSES, SAMPLE, Dataset
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.formats import read_idx
from vggexplorer.text import parse_network
from vggexplorer.ui.pictures import grey
from vggexplorer.ui.runs import prediction
from vggexplorer.ui.runs.prediction import as_file


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def shirt(mode: str = "L", background: Any = "white", colour: Any = "black", size: tuple[int, int] = (200, 120)) -> Any:
    """A filled rectangle of 80 x 40, off the middle."""
    picture = Image.new(mode, size, background)
    ImageDraw.Draw(picture).rectangle((20, 30, 99, 69), fill=colour)
    return picture


def in_palette(picture: Image.Image) -> Image.Image:
    picture.putpalette([0, 0, 0, 90, 90, 90])
    return picture


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


WHOLE = file_of(shirt())
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "a text": (b"hello", "not a picture"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is not read; save it as PNG"),
    "a postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS is not read; save it as PNG"),
    "a truncated png": (WHOLE[:-60], "cannot be unpacked"),
    "a truncated jpeg": (file_of(shirt("RGB"), "JPEG")[:700], "cannot be unpacked"),
    "a damaged png": (WHOLE[:60] + b"\0\0\0\0" + WHOLE[64:], "cannot be unpacked"),
    "a head alone": (WHOLE[:20], "cannot be unpacked|damaged"),
    "30000 x 30000": (png(30_000, 30_000), "too many pixels"),
    "9000 x 9000": (png(9_000, 9_000), "too many pixels"),
    "too large a file": (WHOLE + bytes(predict.MAX_BYTES), "too large"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_gets_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        predict.read(content, config())


GOOD: dict[str, bytes] = {
    "grey": WHOLE,
    "colour": file_of(shirt("RGB")),
    "jpeg": file_of(shirt("RGB"), "JPEG", quality=95),
    "cmyk jpeg": file_of(shirt("RGB").convert("CMYK"), "JPEG", quality=95),
    "webp": file_of(shirt("RGB"), "WEBP", lossless=True),
    "bmp": file_of(shirt("RGB"), "BMP"),
    "gif": file_of(shirt(), "GIF"),
    "tiff": file_of(shirt(), "TIFF"),
    "tga": file_of(shirt(), "TGA"),
    "palette": file_of(shirt("RGB").quantize(4)),
    "one bit": file_of(shirt("1", 1, 0)),
    "16 bits": file_of(
        Image.fromarray((torch.tensor(list(shirt().tobytes())).view(120, 200).numpy() * 257).astype("<u2"))
    ),
    "transparent": file_of(shirt("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))),
    "grey and alpha": file_of(shirt("LA", (0, 0), (0, 255))),
    "transparent palette": file_of(in_palette(shirt("P", 1, 0)), transparency=1),
    "animated": file_of(shirt(), "GIF", save_all=True, append_images=[Image.new("L", (200, 120), 0)]),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_black_on_white_becomes_white_on_black_without_its_edges(content: bytes) -> None:
    seen = predict.read(content, config())
    assert seen.inverted
    assert seen.image.shape == (1, 1, 28, 28)
    rows = seen.image[0, 0].float()
    assert rows[7:21, 1:27].min() > 240  # 80 x 40 became 28 x 14, in the middle
    assert rows[:6].max() < 15
    assert rows[22:].max() < 15


def test_the_first_of_several_pictures_is_taken_and_said() -> None:
    assert predict.read(GOOD["animated"], config()).frames == 2
    assert predict.read(WHOLE, config()).frames == 1


def test_a_dark_background_stays_and_what_is_asked_wins() -> None:
    dark = file_of(shirt(background="black", colour="white"))
    assert not predict.read(dark, config()).inverted
    assert torch.equal(predict.read(dark, config()).image, predict.read(WHOLE, config()).image)
    assert predict.read(dark, config(), "yes").inverted
    assert not predict.read(WHOLE, config(), "no").inverted


def test_a_picture_of_the_data_set_stays_as_it_is() -> None:
    (_, height, width), pixels = read_idx(SAMPLE / "t10k-images-idx3-ubyte.gz")
    first = pixels[: height * width]
    seen = predict.read(as_file(grey(first, width, height)), config())
    assert bytes(seen.image.flatten().tolist()) == first


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000), (28, 28)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    assert predict.read(file_of(Image.new("L", size, 255)), config()).image.shape == (1, 1, 28, 28)


def test_a_picture_upright_by_its_exif() -> None:
    picture = shirt("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    turned = predict.read(file_of(picture, "JPEG", exif=exif, quality=95), config())
    assert turned.image[0, 0, 3:25, 8:20].float().min() > 200


def test_pictures_for_a_folders_classes_keep_their_colours_and_are_stretched(tmp_path: Path) -> None:
    network = parse_network({"arch": "1x4,1x8", "hidden": "none", "input": "3x32x48", "classes": "2"})
    asked = Config(network=network, training=config(input_size=None).training, dataset=Dataset("folder", str(tmp_path)))
    seen = predict.read(file_of(Image.new("RGB", (10, 10), (250, 10, 20))), asked)
    assert not seen.inverted
    assert seen.image.shape == (1, 3, 32, 48)
    assert seen.image[0, :, 5, 5].tolist() == [250, 10, 20]


# --- the answer ---------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A finished run with weights, which nobody trained."""
    made = make(tmp_path, "one")
    torch.manual_seed(0)
    weights.save(made.path / "model.safetensors", build(*made.config().trained).state_dict(), {})
    return made


def test_the_chances_are_those_of_the_network(run: Run) -> None:
    answer = predict.predict(run, WHOLE)
    net = build(*run.config().trained).eval()
    net.load_state_dict(weights.load(run.path / "model.safetensors"))
    batch = data.to_batch(predict.read(WHOLE, run.config()).image, (1, 28, 28))
    with torch.no_grad():
        assert_close(torch.tensor(answer["chances"]), net(batch)[0].softmax(0))
    assert sum(answer["chances"]) == pytest.approx(1, abs=1e-5)
    assert answer["classes"] == list(CLASSES)
    assert answer["picture"]["width"] == 28
    assert answer["inverted"] is True


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_weights_get_a_sentence(run: Run, content: bytes) -> None:
    (run.path / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        predict.predict(run, WHOLE)


def test_weights_of_another_network_or_none_get_a_sentence(run: Run) -> None:
    other = build(*parse_network({"arch": "1x2", "input": "1x28x28"}))
    weights.save(run.path / "model.safetensors", other.state_dict(), {})
    with pytest.raises(InputError, match="damaged"):
        predict.predict(run, WHOLE)
    (run.path / "model.safetensors").unlink()
    with pytest.raises(InputError, match="not kept"):
        predict.predict(run, WHOLE)


def test_weights_that_are_not_numbers_get_a_sentence(run: Run) -> None:
    net = build(*run.config().trained)
    torch.nn.utils.vector_to_parameters(torch.full((4290,), torch.nan), net.parameters())
    weights.save(run.path / "model.safetensors", net.state_dict(), {})
    with pytest.raises(InputError, match="not numbers"):
        predict.predict(run, WHOLE)


def test_the_process_answers_with_json(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for content, status, key in ((WHOLE, 0, "chances"), (b"x", 1, "error")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        assert predict.main(["predict", str(run.path), "--invert", "no"]) == status
        assert key in json.loads(capsys.readouterr().out)


@pytest.mark.long
def test_the_dashboard_gets_the_answer_or_the_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(prediction.predict(run, WHOLE, "auto")["chances"]) == 10
    with pytest.raises(InputError, match="not a picture"):
        prediction.predict(run, b"x", "auto")
    monkeypatch.setattr(prediction, "PREDICTION_TIMEOUT", 0.05)
    with pytest.raises(InputError, match=r"PyTorch could not be asked: no answer within 0\.05 s"):
        prediction.predict(run, WHOLE, "auto")


def test_classes_of_a_run_without_an_environment(run: Run) -> None:
    (run.path / "environment.json").unlink()
    (run.path / "result.json").write_text(json.dumps(result_json() | {"classes": [f"c{n}" for n in range(10)]}))
    assert predict.predict(run, WHOLE)["classes"] == [f"c{n}" for n in range(10)]
