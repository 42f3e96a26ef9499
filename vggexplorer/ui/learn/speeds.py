"""The public table of speeds."""

import streamlit as st

from vggexplorer.formatting import ratio
from vggexplorer.lessons import speeds
from vggexplorer.ui.i18n import literal, say, t


def show() -> None:
    """Each row of the table with its quotients."""
    heads = [
        t("Device"),
        *(t("{name}, pictures/s", name=name) for name in ("VGG-11", "VGG-16", "VGG-19")),
        t("Time of VGG-19 against VGG-11"),
        t("Speed of ResNet-50 against VGG-16"),
    ]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *map(_row, speeds.TABLE)]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
    st.caption(
        t(
            "Published by {source}; ResNet-50 has {fewer} fewer MACs than VGG-16, and VGG-19 {ratio} VGG-11's.",
            source=literal(speeds.SOURCE),
            fewer=ratio(speeds.fewer(), 1),
            ratio=ratio(speeds.macs_ratio(), 1),
        )
    )


def _row(speed: speeds.Speed) -> list[str]:
    made = [f"{each:,.2f}" for each in (speed.vgg11, speed.vgg16, speed.vgg19)]
    return [f"{literal(speed.device)}, {say(speed.what)}", *made, ratio(speed.vgg19_time, 1), ratio(speed.resnet50, 1)]
