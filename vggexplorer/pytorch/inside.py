"""Inside a run's network: its first filters and what a layer makes of a picture, at each snapshot and at the end."""

import math
from collections.abc import Iterator
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
ZERO = 128
"""The grey of 0 where there are values below it; else it is black."""


def inside(run: Run, image: Tensor, layer: str) -> dict[str, Any]:
    """What goes to stdout for a picture, 1 x channels x height x width in uint8; `InputError` if nothing can be seen.

    A stage for each snapshot, and a last one, its `step` None, for the trained weights.
    """
    config = run.config()
    if layer not in layers(config):
        raise InputError("There is no layer {name} to look into.", name=shown(layer))
    batch = to_batch(image, config.trained.input_shape)
    stages = [
        {"step": step, "loss": loss, **_stage(features, batch, layer)}
        for step, loss, features in _stages(run, config)
        if all(bool(value.isfinite().all()) for value in features.parameters())
    ]
    if not stages:
        raise InputError("Nothing is kept of the inside of this run.")
    return {"stages": stages}


def layers(config: Config) -> list[str]:
    """The names of the layers that can be looked into."""
    return [row.name for row in summarize(*config.trained).seen_inside()]


def _stages(run: Run, config: Config) -> Iterator[tuple[int | None, float | None, nn.Sequential]]:
    """Step, loss of its batch, and convolutions; what is damaged is left out."""
    for path in snapshots.files(run.path):
        with suppress(OSError, ValueError, KeyError, RuntimeError):
            about = safetensors.metadata(path)
            yield int(about["step"]), float(about["loss"]) if about["loss"] else None, _features(config, path)
    if end := run.weights():
        with suppress(OSError, ValueError, KeyError, RuntimeError):
            yield None, None, _features(config, end)


def _features(config: Config, path: Path) -> nn.Sequential:
    with torch.device("meta"):
        features: nn.Sequential = build(*config.trained).eval().get_submodule(FEATURES.rstrip("."))  # type: ignore[assignment]
    kept = {
        name.removeprefix(FEATURES): value for name, value in weights.load(path).items() if name.startswith(FEATURES)
    }
    features.load_state_dict({name: _single(value) for name, value in kept.items()}, assign=True)
    return features


def _single(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


@torch.no_grad()
def _stage(features: nn.Sequential, batch: Tensor, layer: str) -> dict[str, Any]:
    first = next(module for module in features if isinstance(module, nn.Conv2d)).weight
    maps = batch
    for name, module in features.named_children():
        maps = module(maps)
        if name == layer.removeprefix(FEATURES):
            break
    return {"filters": filters(first), "maps": feature_maps(maps[0].nan_to_num())}


def filters(weight: Tensor) -> dict[str, Any]:
    """The filters (out x in x height x width) as tiles: in colour for 3 input channels, else the mean of them."""
    drawn = weight[:MOST_FILTERS]
    tiles = drawn if drawn.shape[1] == 3 else drawn.mean(1, keepdim=True)
    return _tiles(tiles, len(weight), signed=True)


def feature_maps(maps: Tensor) -> dict[str, Any]:
    """What comes out of a layer (channels x height x width) as tiles, at most `SIDE` pixels large."""
    scale = min(1.0, SIDE / max(maps.shape[1:]))
    height, width = (max(1, math.floor(scale * side)) for side in maps.shape[1:])
    tiles = adaptive_avg_pool2d(maps[:MOST_MAPS, None], (height, width))
    return _tiles(tiles, len(maps), signed=bool(tiles.min() < 0))


def _tiles(tiles: Tensor, of: int, *, signed: bool) -> dict[str, Any]:
    """One picture of all tiles (count x channels x height x width); the same grey is the same value in all of them."""
    largest = float(tiles.abs().max())
    scaled = tiles / (largest or 1.0)
    levels = ZERO + (255 - ZERO) * scaled if signed else 255 * scaled
    return {
        "picture": look.picture(_side_by_side(levels.round().to(torch.uint8))),
        "tile": list(tiles.shape[2:]),
        "count": len(tiles),
        "of": of,
        "signed": signed,
        "largest": largest,
        "silent": int((tiles.flatten(1).abs().amax(1) == 0).sum()),
    }


def _side_by_side(tiles: Tensor) -> Tensor:
    """Tiles (count x channels x height x width) in rows, a pixel apart: channels x height x width."""
    count, channels, height, width = tiles.shape
    columns = min(count, math.ceil(math.sqrt(4 / 3 * count * height / width)))
    rows = math.ceil(count / columns)
    sheet = torch.full((channels, rows * (height + 1) - 1, columns * (width + 1) - 1), ZERO, dtype=torch.uint8)
    for place, tile in enumerate(tiles):
        top, left = (place // columns) * (height + 1), (place % columns) * (width + 1)
        sheet[:, top : top + height, left : left + width] = tile
    return sheet
