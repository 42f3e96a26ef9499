"""The parts of a task's workbench: what shows the network of the editor, and what it is compared with."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.comparison import Entry, compare
from vggexplorer.errors import InputError
from vggexplorer.lessons.asks import Ask, Task
from vggexplorer.lessons.lenet import sigmoid, sigmoid_slope
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network
from vggexplorer.ui import components, figures
from vggexplorer.ui.i18n import capital, literal, sentence, t
from vggexplorer.ui.learn import speeds, window
from vggexplorer.ui.learn.answer import own
from vggexplorer.ui.network import compared, inspector, parts, totals
from vggexplorer.ui.run import curves, elsewhere, start_button, timing, view
from vggexplorer.ui.run.rows import all_rows
from vggexplorer.ui.state import current

EDITOR = "editor"
"""The part that stands in the sidebar."""
_LIVE = {"totals": ("totals",), "drawing": ("drawing", "inspector"), "layers": ("layers",), "charts": ("charts",)}


def live(task: Task, ask: Ask) -> list[str]:
    """The parts of a question's workbench that get their figures through the editor."""
    return [part for name in task.bench_of(ask) for part in _LIVE.get(name, ())]


def show(task: Task, ask: Ask) -> None:
    """The parts that a question needs."""
    try:
        summary = summarize(*current().network)
    except InputError as error:
        st.warning(literal(sentence(error)), icon=":material/straighten:")
        return
    for name in task.bench_of(ask):
        if name != EDITOR:
            BENCH[name](task, summary)


def _entries(task: Task) -> list[Entry]:
    """The network on the workbench and those that the task sets beside it, under the same input."""
    own, shape = current().network
    others = [parse_network(params).architecture for params in task.beside]
    return compared.called(compare([own, *others], shape, own.num_classes))


def _compare(task: Task, _: Summary) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="units"):
        totals.units()
    compared.refusals(_entries(task))
    compared.totals(_entries(task))


def _totals(_: Task, __: Summary) -> None:
    parts.totals()
    totals.no_baseline()


def _drawing(_: Task, __: Summary) -> None:
    parts.drawing()
    parts.inspector()


def _sigmoid(_: Task, __: Summary) -> None:
    """The sigmoid, its slope and ReLU's at a place that can be chosen, and the slopes as curves."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="sigmoid"):
        x = st.number_input("x", value=0.0, step=1.0, min_value=-40.0, max_value=40.0, width=130, key="sigmoid x")
        st.metric(capital(t("sigmoid of x")), f"{sigmoid(x):.6g}", width=170)
        st.metric(capital(t("slope of the sigmoid")), f"{sigmoid_slope(x):.3g}", width=170)
        st.metric(capital(t("slope of ReLU")), str(int(x > 0)), width=170)
    alt = t("The slopes of sigmoid and ReLU from −12 to 12")
    components.chart(_slopes(), alt, key="slopes")


def _slopes() -> figures.Figure:
    places = [place / 4 for place in range(-48, 49)]
    lines = (
        (t("slope of the sigmoid"), [sigmoid_slope(x) for x in places], {"dash": "solid"}),
        (t("slope of ReLU"), [int(x > 0) for x in places], {"dash": "dash", "shape": "vh"}),
    )
    axis = {"gridcolor": "$grid", "zeroline": False}
    return {
        "data": [
            {"type": "scatter", "mode": "lines", "name": name, "x": places, "y": values, "line": line}
            for name, values, line in lines
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": "x"}},
            "yaxis": axis,
            "legend": {"orientation": "h", "y": 1.2, "x": 0},
            "dragmode": False,
            "height": 260,
            "margin": {"l": 40, "r": 10, "t": 20, "b": 40},
        },
    }


_MOST_CURVES = 2
"""The runs whose curves are drawn together: a question asks for two at most."""


def _train(task: Task, summary: Summary, own_input: bool = False) -> None:
    """The Start button of Train, the newest run as it goes on, and its curves beside those of the one before."""
    if exhibit.nothing_starts():
        elsewhere.show()
        return
    start_button.show(Runs.at(), own_input)
    rows = [row for row in all_rows() if own(row)][:_MOST_CURVES]
    if rows:
        st.markdown(f"**{literal(rows[0].title)}**")
        view.show(rows[0])
    for row in rows[1:]:
        view.brief(row)
    if able := [row.run for row in rows if row.config]:
        curves.show(able, key="task curves")


BENCH: dict[str, Callable[[Task, Summary], None]] = {
    "compare": _compare,
    "stages": lambda task, _: compared.aligned(_entries(task)),
    "time": lambda task, _: timing.show(_entries(task)),
    "totals": _totals,
    "drawing": _drawing,
    "layers": lambda _, __: parts.layers(),
    "charts": lambda _, __: parts.charts(),
    "inspector": lambda _, summary: inspector.show(summary),
    "sigmoid": _sigmoid,
    "speeds": lambda _, __: speeds.show(),
    "window": lambda _, __: window.show(),
    "train": _train,
    "train as it is": partial(_train, own_input=True),
}
"""The parts of the workbench by the names that tasks use, but the editor."""
