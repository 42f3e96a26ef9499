"""Starting a race with one click: networks that train side by side on one device."""

from collections.abc import Sequence

import streamlit as st

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.formatting import size
from vggexplorer.runs import races
from vggexplorer.runs.config import Config
from vggexplorer.runs.demo import heaviest
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.ui import access
from vggexplorer.ui.i18n import literal, say, t
from vggexplorer.ui.run import choice, forecast, rows
from vggexplorer.ui.session import session
from vggexplorer.ui.state import go, look_at
from vggexplorer.ui.widgets import once, shortcut


def configs(networks: Sequence[Network]) -> list[Config]:
    """What each of them would be trained with: what is chosen on Train; `InputError` if one cannot be."""
    beside = heaviest(networks, choice.speed())
    return [choice.config(network=network, beside=beside) for network in networks]


def button(runs: Runs, asked: Sequence[Config], label: str, keys: bool = False) -> None:
    """A button that starts a race and shows it on Train, and what the race will take; `keys` if Start's are its own."""
    once(
        label,
        key="start race",
        icon=":material/sports_score:",
        on_click=_start,
        args=(runs, asked),
        **(shortcut("start", say(races.SHARED)) if keys else {"help": say(races.SHARED)}),
    )


def what(runs: Runs, asked: Sequence[Config]) -> None:
    """What a race will take together; that it does not fit is a warning."""
    try:
        together = races.forecast_race(runs, asked)
    except InputError:  # a folder that cannot be read: that is said where it was named
        return
    if together is None:
        return
    parts = [t("about {time}", time=forecast.seconds(together.seconds))] if together.seconds else []
    text = " · ".join([*parts, t("{size} together", size=size(together.memory))])
    if together.fits:
        st.caption(literal(text), width="content")
    else:
        st.warning(
            t(
                "Together they need {needed}; the device has {all}.",
                needed=size(together.most),
                all=size(together.device.memory),
            ),
            icon=":material/memory:",
        )


def _start(runs: Runs, asked: Sequence[Config]) -> None:
    session["complaints"] = []
    try:
        members = access.start_race(runs, asked)
    except InputError as error:
        session["complaints"] = [("page", error)]
        return
    rows.forget()
    look_at(members[0].id)
    go("train")
