"""One convolution, pixel by pixel, with the numbers of a network that was trained."""

import json
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact
from vggexplorer.layers import Shape
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.paths import PACKAGE
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

RECORDED = PACKAGE / "assets" / "first_convolution.json"
"""The first convolution of a trained network and some pictures: written by `scripts/record_convolution.py`."""
SIDE = 3
"""The side of a kernel."""
PADDING = 1
START = {"arch": "vgg11-slim", "input": "1x32x32"}
KERNEL = 9
"""The kernel that is looked at first: it finds vertical edges."""
ROW, COLUMN = 19, 16
"""The place that a question asks for, counted from 1."""


class Picture(NamedTuple):
    """A picture as the network gets it: what it shows, and its pixels from 0 to 1, row by row."""

    label: str
    pixels: tuple[tuple[float, ...], ...]


class Kernel(NamedTuple):
    """A kernel of 3×3 weights, row by row, and its bias."""

    weights: tuple[float, ...]
    bias: float


class Learned(NamedTuple):
    """What a network has learned in its first convolution: how well the whole of it does, its kernels, the pictures."""

    test_acc: float
    kernels: tuple[Kernel, ...]
    pictures: tuple[Picture, ...]


@cache
def learned() -> Learned:
    """What was recorded."""
    found = json.loads(RECORDED.read_text("utf-8"))
    return Learned(
        found["test_acc"],
        tuple(Kernel(tuple(weights), bias) for weights, bias in zip(found["kernels"], found["biases"], strict=True)),
        tuple(Picture(each["label"], tuple(map(tuple, each["pixels"]))) for each in found["pictures"]),
    )


def window(pixels: Sequence[Sequence[float]], row: int, column: int) -> list[float]:
    """What the kernel lies on at a position (from 0), row by row: zeros outside of the picture."""
    high, wide = len(pixels), len(pixels[0])
    places = [(row + down - PADDING, column + right - PADDING) for down in range(SIDE) for right in range(SIDE)]
    return [pixels[y][x] if 0 <= y < high and 0 <= x < wide else 0.0 for y, x in places]


def products(pixels: Sequence[Sequence[float]], kernel: Kernel, row: int, column: int) -> list[float]:
    """Each pixel below the kernel times its weight."""
    return [pixel * weight for pixel, weight in zip(window(pixels, row, column), kernel.weights, strict=True)]


def value(pixels: Sequence[Sequence[float]], kernel: Kernel, row: int, column: int) -> float:
    """The sum of the products and the bias: what the convolution gives at a position, before ReLU."""
    return sum(products(pixels, kernel, row, column)) + kernel.bias


def outside() -> int:
    """How many of the places below a kernel are outside of the picture in its corner."""
    inside = SIDE - PADDING
    return SIDE**2 - inside**2


def _asked() -> float:
    found = learned()
    return value(found.pictures[0].pixels, found.kernels[KERNEL], ROW - 1, COLUMN - 1)


def _macs() -> int:
    return summarize(*parse_network(START)).rows[0].macs


def _each_position() -> Sequence[Remark]:
    row = summarize(*parse_network(START)).rows[0]
    shape: Shape = row.output_shape
    values = {"filters": shape[0], "kernel": SIDE**2, "positions": exact(shape[1] * shape[2]), "macs": exact(row.macs)}
    return (Remark("{filters} kernels × {kernel} weights × {positions} positions = {macs} multiplications.", values),)


def _zeros() -> Sequence[Remark]:
    values = {"outside": outside(), "all": SIDE**2}
    return (
        Remark("Zeros stand around the picture: in a corner {outside} of the kernel's {all} places are there.", values),
    )


def _worked() -> Sequence[Remark]:
    found = learned()
    kernel = found.kernels[KERNEL]
    terms = products(found.pictures[0].pixels, kernel, ROW - 1, COLUMN - 1)
    values = {"sum": f"{sum(terms):.3f}", "bias": f"{kernel.bias:.3f}", "value": f"{_asked():.3f}"}
    return (Remark("The nine products add up to {sum}; with the bias of {bias} it is {value}.", values),)


WINDOW = Task(
    key="window",
    title=Remark("One convolution, pixel by pixel"),
    theme=Theme.STRUCTURE,
    minutes=7,
    question=Remark(
        "A kernel slides over the picture. Follow it with the numbers that a network has learned: step by step, or "
        "let it play."
    ),
    start=START,
    bench=("window",),
    asks=(
        Number(
            key="macs",
            text=Remark(
                "The first convolution of the slim VGG-11 has sixteen kernels of 3×3 weights, and the picture 32×32 "
                "pixels. How many multiplications does it take for one picture?"
            ),
            answer=_macs,
            reason=_each_position,
            predict=True,
        ),
        Number(
            key="corner",
            text=Remark(
                "Go to the first position, a corner of the picture. How many of the nine products are zero there, "
                "whatever the picture shows?"
            ),
            answer=outside,
            reason=_zeros,
        ),
        Number(
            key="value",
            text=Remark(
                "With the first picture and kernel {kernel}, go to row {row}, column {column}. What is the sum with "
                "the bias, before ReLU?",
                {"kernel": KERNEL + 1, "row": ROW, "column": COLUMN},
            ),
            answer=_asked,
            reason=_worked,
        ),
        Choice(
            key="black",
            text=Remark(
                "With kernel {kernel}, the map is bright at the right edges of the trousers, and 0 at the left ones. "
                "Why?",
                {"kernel": KERNEL + 1},
            ),
            options=(
                Option(
                    Remark("The picture is black there."),
                    Remark("At both edges one side of the window is bright and the other one black."),
                ),
                Option(
                    Remark("The sum is negative there, and ReLU makes 0 of it."),
                    Remark("Its weights are positive at the left and negative at the right: bright to dark is found."),
                ),
                Option(
                    Remark("The kernel does not get there."),
                    Remark("It gets to every position: the map has as many as the picture."),
                ),
                Option(
                    Remark("Padding puts zeros there."), Remark("Padding stands around the picture, not in the map.")
                ),
            ),
            answer=lambda: 1,
        ),
        Number(
            key="weights",
            text=Remark("How many different weights (no bias) does one kernel need for all positions together?"),
            answer=lambda: SIDE**2,
            reason=lambda: [
                Remark(
                    "{side} × {side} = {weights}, the same at each position: that is why a convolution has few.",
                    {"side": SIDE, "weights": SIDE**2},
                )
            ],
            slips=lambda: [
                (count, Remark("These are the multiplications; the weights are used again and again."))
                for count in (_macs(), _macs() // len(learned().kernels))
            ],
        ),
    ),
    hints=(
        Remark("The arrow keys move the kernel, too, and a click on the picture puts it there."),
        Remark("What is dark outside of the picture is padding: zeros."),
        Remark("Compare the sum with what comes out of ReLU."),
    ),
    terms=("convolution", "kernel", "feature map", "relu"),
)
