"""Try a picture: a person's own, or one of the test pictures, shown to a run's trained network."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.formatting import percent
from vggexplorer.palette import COLORS
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.ui import components, pictures
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import literal, t
from vggexplorer.ui.run.words import chart_text, classes, number
from vggexplorer.ui.runs.prediction import as_file, ask
from vggexplorer.ui.session import session
from vggexplorer.ui.widgets import shows

TYPES = [
    *(
        "png",
        "jpg",
        "jpeg",
        "jfif",
        "webp",
        "gif",
        "bmp",
        "tif",
        "tiff",
        "avif",
        "jp2",
        "j2k",
        "ppm",
        "pgm",
        "pbm",
        "pfm",
    ),
    *("ico", "cur", "icns", "dds", "psd", "qoi", "sgi", "pcx", "dcx", "ras", "xbm", "xpm", "tga"),
]
"""How the files are called that may be tried; what they are is found out from their first bytes."""
MOST_MIB = 10
"""The largest file that is taken."""
_STYLE = "<style>.st-key-guess-bars { min-width: 250px; }</style>"
"""On a phone the bars stand below the picture."""
MOST_CLASSES = 10
"""How many classes get a bar."""


def show(run: Run, config: Config, test_pictures: Sequence[pictures.Item]) -> None:
    """The choice of a picture, and what the network takes it for."""
    weights = run.weights()
    if not weights:
        active = run.status().active
        none = t("The weights come with the end of the run.") if active else t("The weights of this run are not kept.")
        st.caption(none)
        if not snapshots.files(run.path):
            return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _pictures(run, test_pictures)
    if weights:
        with right:
            _answer(run, config)


def tried(run: Run) -> bytes | None:
    """The file of the picture that was tried with this run, if any was."""
    content: bytes | None = session.get("tried picture")
    return content if session.get("tried with") == run.id else None


def inverted(run: Run) -> str:
    """Whether the picture that was tried with this run is to be inverted: auto, yes or no."""
    invert: str = session["tried invert"] if tried(run) else "auto"
    return invert


def _pictures(run: Run, test_pictures: Sequence[pictures.Item]) -> None:
    st.file_uploader(
        t("A picture of your own, up to {most} MiB", most=MOST_MIB),
        type=TYPES,
        max_upload_size=MOST_MIB,
        key="own picture",
        on_change=_uploaded,
        args=(run,),
    )
    if test_pictures:
        st.caption(t("Or one of the test pictures; none of them was trained on"))
        pictures.pick(
            test_pictures,
            key="test pictures",
            on_pick=lambda place: _try(run, as_file(test_pictures[place]["picture"])),
        )


def _uploaded(run: Run) -> None:
    if file := session["own picture"]:
        _try(run, file.getvalue())


def _try(run: Run, content: bytes, invert: str = "auto") -> None:
    """Have this run's network try a picture; whether to invert it, is found out from its corners."""
    session.update({"tried with": run.id, "tried picture": content, "tried invert": invert})


def _answer(run: Run, config: Config) -> None:
    content: bytes | None = session.get("tried picture")
    if content is None:
        return
    invert: str = session["tried invert"]
    if session["tried with"] != run.id:
        label = t("Try the last picture with this network too")
        st.button(label, key="try again", on_click=_try, args=(run, content, invert))
        return
    if answer := ask("prediction", run, content, invert):
        _found(answer, config)


def _found(answer: dict[str, Any], config: Config) -> None:
    """The network's answer: in a sentence, as bars, and what it was shown."""
    names, chances = classes(answer["classes"]), [number(chance) or 0.0 for chance in answer["chances"]]
    best = sorted(zip(chances, names, strict=False), reverse=True)[:MOST_CLASSES]
    text = t("Taken for {name}, {sure} sure.", name=best[0][1], sure=percent(best[0][0], 1))
    st.markdown(f"**{literal(text)}**")
    st.html(_STYLE)
    with st.container(horizontal=True, gap="medium", key="guess"):
        with st.container(width=190):
            _seen(answer, config)
        with st.container(width="stretch", key="guess-bars"):
            components.chart(_bars(best), text, key="chances")


def _seen(answer: dict[str, Any], config: Config) -> None:
    height, width = config.trained.input_shape[1:]
    caption = t("As the network sees it, {width}×{height}", width=width, height=height)
    item: pictures.Item = {"picture": answer["picture"], "caption": caption, "good": None}
    pictures.pictures([item], key="seen", side=168)
    st.checkbox(
        t("Light background: invert"),
        value=bool(answer["inverted"]),
        help=t("Fashion-MNIST shows light things on black. It is on by itself when the corners are light."),
        **shows("invert", bool(answer["inverted"]), _invert),
    )
    if answer["frames"] > 1:
        st.caption(t("The file holds {count} pictures; the first is shown.", count=answer["frames"]))


def _invert(key: str) -> None:
    session["tried invert"] = "yes" if session[key] else "no"


def _bars(best: Sequence[tuple[float, str]]) -> Figure:
    """A bar for each class, the likeliest on top."""
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [100 * chance for chance, _ in best],
                "y": list(range(len(best))),
                "text": [percent(chance, 1) for chance, _ in best],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": [COLORS["conv"]] + [COLORS["input"]] * (len(best) - 1)},
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": {"range": [0, 115], "visible": False, "fixedrange": True},
            "yaxis": {
                "tickvals": list(range(len(best))),
                "ticktext": [chart_text(name) for _, name in best],
                "autorange": "reversed",
                "automargin": True,
                "ticksuffix": " ",
                "fixedrange": True,
            },
            "dragmode": False,
            "height": 40 + 26 * len(best),
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        },
    }
