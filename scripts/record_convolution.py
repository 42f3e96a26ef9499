"""Copies the first convolution of a trained network to the package: `record_convolution.py RUN_DIR`.

The run must have finished; its first convolution takes one channel. A few pictures go with it, as the network
gets them.
"""

import json
import struct
import sys
from pathlib import Path
from typing import Any

from vggexplorer.lessons.window import RECORDED
from vggexplorer.runs import datasets
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.safetensors import read_layout
from vggexplorer.text import format_network

WEIGHT, BIAS = "features.0.weight", "features.0.bias"
PICTURES = (1, 8, 7)
"""Classes of Fashion-MNIST with clear edges: trouser, bag, sneaker."""
DIGITS = 4


def numbers(path: Path, name: str) -> tuple[tuple[int, ...], list[float]]:
    """The shape and the values of a float32 tensor in a file."""
    entry = read_layout(path).tensors[name]
    content = path.read_bytes()[entry.begin : entry.end]
    return entry.shape, [round(value, DIGITS) for value in struct.unpack(f"<{len(content) // 4}f", content)]


def recorded(run: Run) -> dict[str, Any]:
    """What is kept of the run."""
    config, outcome = run.config(), run.outcome()
    network = config.trained
    path = run.path / layout.WEIGHTS
    (filters, _, side, _), weights = numbers(path, WEIGHT)
    known = datasets.KNOWN[config.dataset.kind]
    pictures = [datasets.of_each_class(known)[place] for place in PICTURES]
    return {
        "network": format_network(network),
        "test_acc": outcome.test_acc if outcome else None,
        "epochs": config.training.epochs,
        "kernels": [weights[at * side**2 : (at + 1) * side**2] for at in range(filters)],
        "biases": numbers(path, BIAS)[1],
        "pictures": [
            {"label": known.classes[place], "pixels": resized(pixels, known.shape[1:], network.input_shape[1:])}
            for place, pixels in zip(PICTURES, pictures, strict=True)
        ],
    }


def resized(pixels: bytes, size: tuple[int, ...], wanted: tuple[int, ...]) -> list[list[float]]:
    """A picture as the network gets it: enlarged bilinearly as in training, from 0 to 1, row by row."""
    (high, wide), (rows, columns) = size, wanted
    picture = [[pixel / 255 for pixel in pixels[row * wide : (row + 1) * wide]] for row in range(high)]
    down, right = _between(high, rows), _between(wide, columns)
    return [
        [
            round(
                (1 - low) * ((1 - left) * picture[y][x] + left * picture[y][other])
                + low * ((1 - left) * picture[below][x] + left * picture[below][other]),
                DIGITS,
            )
            for x, other, left in right
        ]
        for y, below, low in down
    ]


def _between(size: int, wanted: int) -> list[tuple[int, int, float]]:
    """For each place of the larger picture the two of the smaller one that it is between, and how far."""
    places = [max(0.0, (place + 0.5) * size / wanted - 0.5) for place in range(wanted)]
    return [(int(place), min(int(place) + 1, size - 1), place - int(place)) for place in places]


def main(arguments: list[str]) -> int:
    """Record the first convolution of the run in the folder that is named."""
    if len(arguments) != 1 or not (Path(arguments[0]) / layout.WEIGHTS).exists():
        print("usage: record_convolution.py RUN_DIR (of a run that has finished)", file=sys.stderr)
        return 2
    RECORDED.write_text(json.dumps(recorded(Run(Path(arguments[0]).absolute()))), "utf-8")
    print(RECORDED)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
