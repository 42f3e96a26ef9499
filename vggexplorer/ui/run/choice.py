"""What is chosen for the next run: network, recipe, data, device.

What is chosen lives in the session as a `Choice`; the network is the one being edited, but for the
first visit: VGG-11 takes hours on a laptop, so it is the slim one until the person has chosen or edited one.
"""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import streamlit as st

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.forecast.speed import Speed
from vggexplorer.runs import datasets, devices
from vggexplorer.runs.config import Config, check_seed, picked, recipe
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.demo import Picked
from vggexplorer.runs.experience import kept_speed
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import (
    QUICK,
    Training,
)
from vggexplorer.runs.places import Place
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.link import State
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit_network

FIRST = NETWORKS["VGG-11 slim"]
"""What is trained on a first visit."""
MAX_MINUTES = 100_000
"""The most time that can be asked for: ten weeks."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose; `changes` are fields of the training that differ from the recipe's."""

    recipe: str = QUICK
    changes: dict[str, Any] = field(default_factory=dict)
    dataset: str = datasets.DEFAULT.kind
    folder: str = ""
    device: str = "auto"
    cluster: str = ""
    """The address of a cluster; empty for this machine."""
    cores: int = 1
    """How many processors a run asks the cluster for, if it gets no GPU."""
    seed: int = 0
    minutes: float | None = None
    """The time that the person has."""
    elsewhere: str = ""
    """A GPU that is not here, for which the forecast is made."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        Place(cores=self.cores)
        if self.minutes is not None and not 0 < self.minutes <= MAX_MINUTES:
            raise InputError("The time must be above 0 and at most {most} minutes.", most=MAX_MINUTES)


def chosen() -> Choice:
    """What is chosen in this session."""
    choice: Choice = session.setdefault("choice", Choice())
    return choice


def choose(**changes: Any) -> None:
    """Choose something else; what is not allowed is said on the page and changes nothing."""
    session["complaints"] = []
    try:
        choice = replace(chosen(), **changes)
        recipe(choice.recipe, subject(), changes=choice.changes)
    except InputError as error:
        session["complaints"] = [("page", error)]
    else:
        session["choice"] = choice


def change(name: str, value: Any) -> None:
    """Set one field of the training; what is the recipe's own is not a change."""
    choose(changes=chosen().changes | {name: value})
    session["choice"] = replace(chosen(), changes=changes_of(training(), subject()))


def subject() -> Network:
    """The network to train: the one being edited, or the slim VGG-11 if nobody has chosen or edited one."""
    network = current().network
    return network if session["own network"] or network != State().network else FIRST


def config(own_input: bool = False, network: Network | None = None, beside: Network | None = None) -> Config:
    """The run as it is set up, of another `network`, or at its own input; `InputError` if it cannot be trained so.

    `beside` is the heaviest one that it is compared with.
    """
    choice, network = chosen(), network or subject()
    return Config(
        network=network,
        training=recipe(choice.recipe, network, speed(), _changes(own_input), beside),
        dataset=dataset_of(choice),
        device=device_there() if choice.cluster else choice.device,
        seed=choice.seed,
    )


def training() -> Training:
    """How the network is trained as it is set up."""
    return recipe(chosen().recipe, subject(), speed(), chosen().changes)


def row(own_input: bool = False) -> Picked:
    """The row of the quick demo that the network gets here."""
    return picked(subject(), speed(), _changes(own_input))


def speed() -> Speed | None:
    """How fast the device that is chosen trains, if that was measured; of a cluster that is not known."""
    return None if chosen().cluster else kept_speed(Runs.at().path, chosen().device)


def _changes(own_input: bool) -> dict[str, Any]:
    return chosen().changes | ({"input_size": None} if own_input else {})


def changes_of(training: Training, network: Network) -> dict[str, Any]:
    """What `training` has otherwise than its recipe has it here."""
    usual = recipe(training.recipe, network, speed())
    changes = {} if training.input_size == usual.input_size else {"input_size": training.input_size}
    usual = recipe(training.recipe, network, speed(), changes)
    differs = (each.name for each in fields(Training) if getattr(training, each.name) != getattr(usual, each.name))
    return changes | {name: getattr(training, name) for name in differs}


def dataset_of(choice: Choice) -> Dataset:
    """The data that are chosen; `InputError` if their folder is not named yet."""
    known, named = datasets.KNOWN.get(choice.dataset), choice.folder.strip()
    if known is None and not named:
        raise InputError("Choose a folder that has one subfolder for each class.")
    return Dataset(choice.dataset, "" if known and known.ships else named)


def take_as_own() -> None:
    """Have the network in view trained, not the one of a first visit."""
    session["own network"] = True


def set_choice(key: str, name: str) -> None:
    """Choose the value of a widget: `name` is a field of `Choice`."""
    choose(**{name: session[key]})


def adopt(run: Config) -> None:
    """Choose everything as in another run, so that the page shows what was trained."""
    data = run.dataset
    session["choice"] = replace(
        chosen(), recipe=run.training.recipe, dataset=data.kind, folder=data.folder, device=run.device, seed=run.seed
    )
    session["choice"] = replace(chosen(), changes=changes_of(run.training, run.network))
    take_as_own()
    edit_network(lambda _: run.network)


def place() -> Place:
    """Where the run is to be trained."""
    return Place(cluster=chosen().cluster, cores=chosen().cores)


def device_there() -> str:
    """What is asked of a cluster: it chooses by itself which GPU."""
    kind = chosen().device.partition(":")[0]
    return kind if kind in ("cpu", "cuda") else "auto"


def look_for_devices() -> list[devices.Device] | None:
    """The devices that PyTorch finds; it is asked in a process of its own, on the first visit."""
    runs = Runs.at().path
    found = devices.known(runs)
    if found is None:
        if jobs.find("devices") is None:
            _ask_for_devices(runs)
        job = jobs.find("devices")
        if job and job.running:
            jobs.show(job, "devices", lambda: t("Asking PyTorch which devices there are …"))
        elif job and job.error:
            st.warning(literal(sentence(job.error)), icon=":material/warning:")
            st.button(t("Ask again"), key="ask devices", on_click=_ask_for_devices, args=(runs,), type="tertiary")
    return found


def _ask_for_devices(runs: Path) -> None:
    jobs.start("devices", lambda job: devices.look(runs, job.stopped))
