"""Inside a run's network, at each snapshot and at the end: its first filters, what its layers make of a picture.

One layer has all its maps drawn, the others on the way to the answer have some small ones. The answer itself is known
at the end, and at the snapshots that have the head, too.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.pytorch import look, weights
from vggexplorer.pytorch.data import to_batch
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import safetensors, snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.summary import FEATURES, summarize

MOST_FILTERS, MOST_MAPS = 96, 32
"""How many are drawn, the first ones."""
SIDE = 48
"""Pixels of the longer side of a map; larger ones are averaged."""
FEW, SMALL = 4, 24
"""How many maps each layer on the way to the answer has, and the pixels of their longer side."""
ZERO = 128
"""The grey of 0 where there are values below it; else it is black."""


def inside(run: Run, image: Tensor, layer: str) -> dict[str, Any]:
    """What goes to stdout for a picture, 1 x channels x height x width in uint8; `InputError` if nothing can be seen.

    A stage for each snapshot, and a last one, its `step` None, for the trained weights. Each has `filters`, `maps` (of
    the `layer`), `way` (some small maps of each layer of `Summary.pipeline`), and `chances`, None without a head.
    """
    config = run.config()
    if layer not in layers(config):
        raise InputError("There is no layer {name} to look into.", name=shown(layer))
    batch, pipeline = to_batch(image, config.trained.input_shape), summarize(*config.trained).pipeline()
    stages = [
        {"step": step, "loss": loss, **_stage(net, batch, layer, [row.name for row in pipeline])}
        for step, loss, net in _stages(run, config)
        if all(bool(value.isfinite().all()) for value in _features(net).parameters())
    ]
    if not stages:
        raise InputError("Nothing is kept of the inside of this run.")
    return {"stages": stages, "picture": look.picture(image[0, :3] if image.shape[1] >= 3 else image[0, :1])}


def layers(config: Config) -> list[str]:
    """The names of the layers that can be looked into."""
    return [row.name for row in summarize(*config.trained).seen_inside()]


def _stages(run: Run, config: Config) -> Iterator[tuple[int | None, float | None, nn.Module]]:
    """Step, loss of its batch, and network, whose head may be without weights; what is damaged is left out."""
    for path in snapshots.files(run.path):
        with suppress(OSError, ValueError, KeyError, RuntimeError):
            about = safetensors.metadata(path)
            yield int(about["step"]), float(about["loss"]) if about["loss"] else None, _network(config, path)
    if end := run.weights():
        with suppress(OSError, ValueError, KeyError, RuntimeError):
            yield None, None, _network(config, end)


def _network(config: Config, path: Path) -> nn.Module:
    with torch.device("meta"):
        net = build(*config.trained).eval()
    kept = {name: _single(value) for name, value in weights.load(path).items()}
    features = {name.removeprefix(FEATURES): value for name, value in kept.items() if name.startswith(FEATURES)}
    _features(net).load_state_dict(features, assign=True)
    if len(kept) > len(features):
        net.load_state_dict(kept, assign=True)
    return net


def _features(net: nn.Module) -> nn.Sequential:
    features: nn.Sequential = net.get_submodule(FEATURES.rstrip("."))  # type: ignore[assignment]
    return features


def _single(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


@torch.no_grad()
def _stage(net: nn.Module, batch: Tensor, layer: str, way: Sequence[str]) -> dict[str, Any]:
    features = _features(net)
    first = next(module for module in features if isinstance(module, nn.Conv2d)).weight
    value, seen = batch, {}
    for name, module in features.named_children():
        value = module(value)
        seen[FEATURES + name] = value[0].nan_to_num()
    return {
        "filters": filters(first),
        "maps": feature_maps(seen[layer]),
        "way": [small_maps(seen[name]) for name in way],
        "chances": _chances(net, batch),
    }


def _chances(net: nn.Module, batch: Tensor) -> list[float] | None:
    """The answer; None without a head, or if it is none of numbers."""
    if any(value.is_meta for value in net.state_dict().values()):
        return None
    chances = net(batch)[0].float().softmax(0)
    return [round(chance, 4) for chance in chances.tolist()] if bool(chances.isfinite().all()) else None


def filters(weight: Tensor) -> dict[str, Any]:
    """The filters (out x in x height x width) as tiles: in colour for 3 input channels, else the mean of them."""
    drawn = weight[:MOST_FILTERS]
    tiles = drawn if drawn.shape[1] == 3 else drawn.mean(1, keepdim=True)
    return _tiles(tiles, len(weight), signed=True)


def feature_maps(maps: Tensor) -> dict[str, Any]:
    """What comes out of a layer (channels x height x width) as tiles, at most `SIDE` pixels large."""
    tiles = _shrunk(maps[:MOST_MAPS], SIDE)
    return _tiles(tiles, len(maps), signed=bool(tiles.min() < 0))


def small_maps(maps: Tensor) -> dict[str, Any]:
    """The first of what comes out of a layer, small and below each other."""
    tiles = _shrunk(maps[:FEW], SMALL)
    return _tiles(tiles, len(maps), signed=bool(tiles.min() < 0), columns=1)


def _shrunk(maps: Tensor, most: int) -> Tensor:
    """Maps (count x height x width) as tiles whose longer side has at most so many pixels."""
    scale = min(1.0, most / max(maps.shape[1:]))
    height, width = (max(1, math.floor(scale * side)) for side in maps.shape[1:])
    return adaptive_avg_pool2d(maps[:, None], (height, width))


def _tiles(tiles: Tensor, of: int, *, signed: bool, columns: int | None = None) -> dict[str, Any]:
    """One picture of all tiles (count x channels x height x width); the same grey is the same value in all of them."""
    largest = float(tiles.abs().max())
    scaled = tiles / (largest or 1.0)
    levels = ZERO + (255 - ZERO) * scaled if signed else 255 * scaled
    return {
        "picture": look.picture(_side_by_side(levels.round().to(torch.uint8), columns)),
        "tile": list(tiles.shape[2:]),
        "count": len(tiles),
        "of": of,
        "signed": signed,
        "largest": largest,
        "silent": int((tiles.flatten(1).abs().amax(1) == 0).sum()),
    }


def _side_by_side(tiles: Tensor, columns: int | None = None) -> Tensor:
    """Tiles (count x channels x height x width) in rows, a pixel apart: channels x height x width."""
    count, channels, height, width = tiles.shape
    columns = columns or min(count, math.ceil(math.sqrt(4 / 3 * count * height / width)))
    rows = math.ceil(count / columns)
    sheet = torch.full((channels, rows * (height + 1) - 1, columns * (width + 1) - 1), ZERO, dtype=torch.uint8)
    for place, tile in enumerate(tiles):
        top, left = (place // columns) * (height + 1), (place % columns) * (width + 1)
        sheet[:, top : top + height, left : left + width] = tile
    return sheet
