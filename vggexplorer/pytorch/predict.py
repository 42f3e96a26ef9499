"""What a network makes of a picture: `python -m vggexplorer.pytorch.predict RUN [--invert auto|yes|no] [--layer NAME]`.

The bytes of a picture file come on stdin; one JSON object goes to stdout: `classes`, `chances` (one for each
class, from 0 to 1), `picture` (what the network gets, as `ui.pictures` draws it), `inverted`, `frames` (how
many pictures the file holds; the first is taken).
With a layer it is what `inside` says.
"""

import io
import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vggexplorer.errors import InputError
from vggexplorer.processes import limited, tell
from vggexplorer.pytorch import look, pictures, weights
from vggexplorer.pytorch.data import to_batch
from vggexplorer.pytorch.inside import inside
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 10 * 2**20
"""The largest picture file that is read."""
SHARP = 512
"""Pixels that the longer side of a large picture keeps until its edges are trimmed."""
UNPACKING_TIMEOUT = 0.75
"""Seconds of the processor's time that unpacking may take, where the system can say so."""
LIGHT = 160
"""The grey level from which on the corners of a picture are a light background."""
CLOSE = 13
"""How far from the background a grey level is still background: 5 % of 255, as Fashion-MNIST's makers had it."""
MAX_THREADS = 2


class Seen(NamedTuple):
    """A picture made ready for a network: (1, channels, height, width) in uint8."""

    image: Tensor
    inverted: bool
    frames: int


# --- the picture -------------------------------------------------------------------------------------


def read(content: bytes, config: Config, invert: str = "auto") -> Seen:
    """The picture in a file's bytes as the run's training pictures are; `InputError` says why it cannot be used.

    For data of light things on black, as Fashion-MNIST, it is brought into their form: grey, the edges trimmed, in the
    middle of a picture of theirs. With `auto` it is inverted if its corners are light; others only if `invert` is yes.
    """
    known = config.dataset.known
    on_black = known is not None and known.on_black
    picture, frames = _open(content, max(config.trained.input_shape[1:]))
    channels, height, width = known.shape if known else config.trained.input_shape
    pillow = import_module("PIL.Image")
    picture = picture.convert("L" if channels == 1 else "RGB")
    if not on_black:
        picture = picture.resize((width, height), pillow.Resampling.BILINEAR)
    inverted = invert == "yes" or (invert == "auto" and on_black and _background(picture) >= LIGHT)
    if inverted:
        picture = import_module("PIL.ImageOps").invert(picture)
    if on_black and picture.size != (width, height):
        picture = _framed(picture, width, height)
    pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1)
    return Seen(pixels.permute(2, 0, 1)[None], inverted, frames)


def _open(content: bytes, side: int) -> "tuple[Image.Image, int]":
    """The first picture in the file as `unpacked` gives it, and how many there are."""
    if len(content) > MAX_BYTES:
        raise InputError("The file is too large: at most {most} MiB are read.", most=MAX_BYTES // 2**20)
    try:
        with limited(UNPACKING_TIMEOUT):
            file = io.BytesIO(content)
            return pictures.unpacked(file, max(SHARP, side)), pictures.count(file)
    except TimeoutError as error:
        raise InputError("The picture takes too long to unpack.") from error
    except Exception as error:  # Pillow's plugins raise all sorts on broken files
        raise pictures.reason(error) from error


def _background(picture: "Image.Image") -> int:
    """The grey level of the corners: the middle of the four."""
    levels = np.asarray(picture.convert("L"))
    return int(np.median(levels[[0, 0, -1, -1], [0, -1, 0, -1]]))


def _framed(picture: "Image.Image", most_wide: int, most_high: int) -> "Image.Image":
    """The grey picture without its empty edges in the middle of so many pixels of its background."""
    pillow = import_module("PIL.Image")
    background = _background(picture)
    box = picture.point([255 * (abs(level - background) > CLOSE) for level in range(256)]).getbbox()
    picture = picture.crop(box) if box else picture
    scale = min(most_wide / picture.width, most_high / picture.height)
    width, height = (max(1, round(scale * side)) for side in picture.size)
    frame: Image.Image = pillow.new("L", (most_wide, most_high), background)
    place = (most_wide - width) // 2, (most_high - height) // 2
    frame.paste(picture.resize((width, height), pillow.Resampling.BOX), place)
    return frame


# --- the network -------------------------------------------------------------------------------------


def trained(run: Run, config: Config) -> nn.Module:
    """The run's trained network, ready to be asked; `InputError` if its weights are gone or damaged."""
    path = run.weights()
    if path is None:
        raise InputError("The weights of this run are not kept any more.")
    with torch.device("meta"):
        net = build(*config.trained).eval()
    try:
        net.load_state_dict(weights.load(path), assign=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InputError("The weights of this run are damaged.") from error
    return net


def predict(run: Run, content: bytes, invert: str = "auto") -> dict[str, Any]:
    """What goes to stdout, for the bytes of a picture file."""
    config = run.config()
    seen = read(content, config, invert)
    with torch.no_grad():
        scores = trained(run, config)(to_batch(seen.image, config.trained.input_shape))
    chances = scores[0].float().softmax(0).tolist()
    if not all(map(math.isfinite, chances)):
        raise InputError("The trained weights are not numbers any more.")
    own = config.dataset.known.classes if config.dataset.known else ()
    classes = list(run.environment().get("classes") or run.json(layout.RESULT).get("classes") or own)
    return {
        "classes": classes,
        "chances": chances[: len(classes)],
        "picture": look.drawn(to_batch(seen.image, config.trained.input_shape)[0]),
        "inverted": seen.inverted,
        "frames": seen.frames,
    }


def main(argv: list[str]) -> int:
    """The process: 0, or 1 if there is nothing but a sentence."""
    parser = ArgumentParser(prog="python -m vggexplorer.pytorch.predict")
    parser.add_argument("run", type=Path)
    parser.add_argument("--invert", choices=("auto", "yes", "no"), default="auto")
    parser.add_argument("--layer", default="", help="look into the network, at what comes out of this layer")
    options = parser.parse_args(argv[1:])
    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))
    return tell(_answer(options))


def _answer(options: Namespace) -> Iterator[dict[str, Any]]:
    run, content = Run(options.run.absolute()), sys.stdin.buffer.read(MAX_BYTES + 1)
    if options.layer:
        yield inside(run, read(content, run.config(), options.invert).image, options.layer)
    else:
        yield predict(run, content, options.invert)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
