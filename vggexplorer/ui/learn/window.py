"""One convolution worked out: the kernel on the picture, nine products and their sum, the map that comes of it."""

from typing import Any

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.lessons import window
from vggexplorer.lessons.window import Kernel, Picture
from vggexplorer.palette import FOUND
from vggexplorer.runs import datasets
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run import words
from vggexplorer.ui.widgets import translated

DIGITS = 3
_window = st.components.v2.component(
    "vgg_window",
    html='<div class="window part"><div class="tools"></div><div class="stage"></div></div>',
    css=STYLE
    + """
.tools { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-bottom: 0.7rem; }
.tools button { border: 1px solid var(--st-border-color); border-radius: 0.4rem; min-height: 2.4rem; }
.tools button { padding: 0.2rem 0.8rem; }
.tools button:hover { border-color: var(--st-primary-color); }
.tools input { flex: 1; min-width: 8rem; accent-color: var(--st-primary-color); }
.tools input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tools output { font-variant-numeric: tabular-nums; font-size: 0.87rem; min-width: 9rem; }
.stage { display: flex; flex-wrap: wrap; gap: 1.2rem 1.6rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 13rem; max-width: 22rem; }
figcaption { font-size: 0.85rem; margin-bottom: 0.3rem; }
.frame { position: relative; display: block; width: 100%; padding: 0; cursor: crosshair; }
canvas { display: block; width: 100%; image-rendering: pixelated; border-radius: 3px; }
.frame canvas { background: black; }
[data-focus=map] canvas {
  background: repeating-linear-gradient(135deg, transparent 0 7px, rgb(128 128 128 / 18%) 7px 14px);
}
.mark { position: absolute; box-sizing: border-box; pointer-events: none; }
.sum { flex: 1 1 15rem; max-width: 24rem; font-variant-numeric: tabular-nums; }
.grid { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3px; margin-bottom: 0.6rem; }
.cell { border: 1px solid var(--st-border-color); border-radius: 3px; padding: 0.2rem 0.3rem; font-size: 0.8rem; }
.cell b { display: block; font-size: 0.93rem; font-weight: 650; }
.cell.outside { background: repeating-linear-gradient(135deg, transparent 0 5px, rgb(128 128 128 / 18%) 5px 10px); }
.sum p { margin: 0.15rem 0; font-size: 0.93rem; display: flex; justify-content: space-between; }
.sum p.result { font-weight: 650; border-top: 1px solid var(--st-border-color); padding-top: 0.2rem; }
@media (max-width: 640px) {
  .stage { gap: 1rem 0.7rem; }
  figure { flex-basis: 8rem; }
  .sum { order: 1; flex-basis: 100%; }
}
"""
    + f".mark {{ border: 2px solid {FOUND}; }}",
    js=script("convolution", "window.js"),
)


def show() -> None:
    """The choice of a picture and a kernel, and the convolution at each position."""
    learned = window.learned()
    classes = list(datasets.KNOWN["sample"].classes)
    named = dict(zip(classes, words.classes(classes), strict=True))
    names = [named[picture.label] for picture in learned.pictures]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="window choice"):
        picture = st.segmented_control(
            t("Picture"),
            range(len(learned.pictures)),
            default=0,
            required=True,
            format_func=names.__getitem__,
            key=translated("window picture"),
        )
        kernel = st.selectbox(
            t("Kernel"),
            range(len(learned.kernels)),
            window.KERNEL,
            format_func=lambda place: str(place + 1),
            width=110,
            key="window kernel",
        )
    _window(key="window", data=_data(learned.pictures[picture or 0], learned.kernels[kernel]))
    st.caption(
        t(
            "Weights of the first convolution of a slim VGG-11 that was trained on a sample of Fashion-MNIST, without "
            "batch norm; it gets {share} of the test pictures right. The figures are rounded after they are worked "
            "out.",
            share=percent(learned.test_acc, 1),
        )
    )


def _data(picture: Picture, kernel: Kernel) -> dict[str, Any]:
    pixels = picture.pixels
    places = [(row, column) for row in range(len(pixels)) for column in range(len(pixels[0]))]
    values = [window.value(pixels, kernel, *place) for place in places]
    return {
        "side": len(pixels),
        "pixels": [round(value, DIGITS) for row in pixels for value in row],
        "weights": [round(weight, DIGITS) for weight in kernel.weights],
        "bias": round(kernel.bias, DIGITS),
        "products": [[round(term, DIGITS) for term in window.products(pixels, kernel, *place)] for place in places],
        "sums": [round(value - kernel.bias, DIGITS) for value in values],
        "values": [round(value, DIGITS) for value in values],
        "after": [round(max(0.0, value), DIGITS) for value in values],
        "largest": max(values),
        "words": {
            "picture": t("Picture, and the window on it"),
            "sum": t("Pixel × weight = product"),
            "map": t("Feature map so far"),
            "place": t("row {row}, column {column}"),
            "back": t("One step back"),
            "step": t("One step"),
            "play": t("Play"),
            "stop": t("Stop"),
            "position": t("Position"),
            "products": t("Sum of the products"),
            "bias": t("Bias"),
            "value": t("Sum with the bias"),
            "after": t("After ReLU"),
        },
    }
