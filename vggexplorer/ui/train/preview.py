"""The stage of Train before there is a run: what will be trained, what it will see, and how such a run went before."""

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import MAX_NAME, Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.runs.options import RANGE
from vggexplorer.text import title
from vggexplorer.ui.i18n import t
from vggexplorer.ui.run import curves, start_button, view, watched
from vggexplorer.ui.run.rows import read_row, scan
from vggexplorer.ui.state import go, look_at

MOST_LOOKED_AT = 30
"""How many of the newest runs are looked at for one to compare with."""


def show(runs: Runs, config: Config) -> None:
    """Empty figures, a picture of each class, and the axes of the whole run with an earlier one in grey."""
    st.text_input(
        t("Name of the run"),
        key=start_button.NAME,
        max_chars=MAX_NAME,
        placeholder=t("Name of the run: {name}", name=title(config.network)),
        label_visibility="collapsed",
        width=360,
    )
    watched.show_before(config)
    curves.show([], key="curves", ghost=earlier(runs, config), ends=curves.span([config]))


def recorded(network: Network) -> None:
    """Where nothing can be trained: how it went elsewhere, with `network` or another one."""
    if run := _recorded(title(network)):
        view.brief(read_row(run), open_=_open)
        curves.show([run], key="curves")


def _open(run_id: str) -> None:
    look_at(run_id)
    go("runs")


def earlier(runs: Runs, config: Config, but: Run | None = None) -> Run | None:
    """A finished run that is most like `config`: the newest of the same network, recipe and data, else a recorded one.

    `but` is not it. What is like a range test is another one alone.
    """
    own = [run for run in scan(runs) if not run.recorded and (but is None or run.id != but.id)][:MOST_LOOKED_AT]
    finished = (row for row in map(read_row, own) if row.status.word == Word.FINISHED and row.config)
    if row := next((row for row in finished if row.config and _kind(row.config) == _kind(config)), None):
        return row.run
    if config.training.schedule == RANGE:
        return None
    return _recorded(title(config.network))


def _recorded(name: str) -> Run | None:
    """A run that ships with the package, of the network called `name` if there is one."""
    ships = Runs(layout.RECORDED).all(recorded=False)
    return min(ships, key=lambda run: (title(run.config().network) != name, run.id), default=None)


def _kind(config: Config) -> tuple[str, str, str, bool]:
    training = config.training
    return title(config.network), training.recipe, str(config.dataset), training.schedule == RANGE
