"""Setting up a run: network, recipe, data, device, and everything that can be changed about the training.

What is chosen lives in the session as a `Choice`; the network is the one being edited, but for the
first visit: VGG-11 takes hours on a laptop, so it is the slim one until the person has chosen or edited one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import ceil
from pathlib import Path
from typing import Any

import streamlit as st

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.formatting import decimal_size, exact, size
from vggexplorer.layers import shape_text
from vggexplorer.link import State
from vggexplorer.runs import cluster, datasets, devices
from vggexplorer.runs.config import Config, check_seed, recipe
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.options import (
    ABOUT,
    OPTIONS,
    QUICK,
    RECIPE_NAMES,
    Number,
    OneOf,
    Option,
    Training,
    Whole,
    parse_number,
)
from vggexplorer.runs.places import Place
from vggexplorer.runs.store import Runs
from vggexplorer.summary import summarize
from vggexplorer.ui import access, editor, jobs
from vggexplorer.ui.downloading import download
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit_network
from vggexplorer.ui.widgets import number, shows, translated

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
        replace(recipe(choice.recipe, subject()), **choice.changes)
    except InputError as error:
        session["complaints"] = [("page", error)]
    else:
        session["choice"] = choice


def subject() -> Network:
    """The network to train: the one being edited, or the slim VGG-11 if nobody has chosen or edited one."""
    network = current().network
    return network if session["own network"] or network != State().network else FIRST


def config() -> Config:
    """The run as it is set up; `InputError` if it cannot be trained so."""
    choice, network = chosen(), subject()
    return Config(
        network=network,
        training=replace(recipe(choice.recipe, network), **choice.changes),
        dataset=_dataset(choice),
        device=_device_there() if choice.cluster else choice.device,
        seed=choice.seed,
    )


def _dataset(choice: Choice) -> Dataset:
    """The data that are chosen; `InputError` if their folder is not named yet."""
    known, named = datasets.KNOWN.get(choice.dataset), choice.folder.strip()
    if known is None and not named:
        raise InputError("Choose a folder that has one subfolder for each class.")
    return Dataset(choice.dataset, "" if known and known.ships else named)


# --- the sidebar -------------------------------------------------------------------------------------------


def show() -> None:
    """All that can be chosen."""
    editor.show_network(subject(), _own)
    _recipe()
    _data()
    _where()
    _time()
    with st.expander(t("More settings"), key="more settings"):
        _more()


def _own() -> None:
    session["own network"] = True


def _recipe() -> None:
    names = list(RECIPE_NAMES)
    st.selectbox(t("Recipe"), names, names.index(chosen().recipe), **shows("recipe", chosen().recipe, _choose_recipe))
    st.caption(t(ABOUT[chosen().recipe]))


def _choose_recipe(key: str) -> None:
    choose(recipe=session[key], changes={})


def _data() -> None:
    choice, names = chosen(), list(datasets.LABELS)
    st.selectbox(
        t("Data"),
        names,
        names.index(choice.dataset),
        format_func=lambda name: t(datasets.LABELS[name]),
        **shows(translated("dataset"), choice.dataset, _set_choice, "dataset"),
    )
    known = datasets.KNOWN.get(choice.dataset)
    if known is None or not known.ships:
        label = t("folder, if elsewhere") if known else t("folder with one subfolder for each class")
        st.text_input(label, choice.folder, **shows("data folder", choice.folder, _set_choice, "folder"))
    about_data(choice)


def about_data(choice: Choice) -> None:
    """Which images are used, and where they are."""
    known = datasets.KNOWN.get(choice.dataset)
    if known is None:
        _about_folder(choice.folder.strip())
        return
    counts = t(
        "{train} images to train, {test} to test, {shape}, {count} {count:class|classes}.",
        train=exact(known.sizes[0]),
        test=exact(known.sizes[1]),
        shape=shape_text(known.shape),
        count=len(known.classes),
    )
    if known.ships:
        st.caption(t("{counts} They come with this program.", counts=counts))
        return
    try:
        access.check_data(Runs.at(), dataset := _dataset(choice))
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    if found := datasets.find(dataset):
        st.caption(t("{counts} Found in {folder}.", counts=counts, folder=literal(str(found))))
    else:
        st.caption(t("Not found on this computer."))
        download(t("Download ({size})", size=decimal_size(known.download_bytes)), dataset.kind)


def _about_folder(named: str) -> None:
    """What is in the folder, and whether the network has as many classes."""
    st.caption(t("Each subfolder is a class. Without subfolders train and test, every seventh image is for testing."))
    try:
        if named:
            access.check_data(Runs.at(), Dataset(datasets.FOLDER, named))
        counts = datasets.survey(named) if named else {}
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    names = ", ".join(f"{literal(name)} ({exact(count)})" for name, count in list(counts.items())[:_MOST_NAMED])
    if counts:
        st.caption(
            t("{count} {count:class|classes}, with the number of files: {names}", count=len(counts), names=names)
        )
    classes = subject().architecture.num_classes
    if counts and classes != len(counts):
        text = t(
            "The network has {classes} {classes:class|classes}, the folder {count}.", classes=classes, count=len(counts)
        )
        st.warning(text, icon=":material/category:")
        if classes > len(counts):
            st.button(t("Give it {count}", count=len(counts)), key="fit classes", on_click=_fit, args=(len(counts),))


_MOST_NAMED = 20


def _fit(classes: int) -> None:
    """Give the network as many classes as the folder has."""
    network = subject()
    _own()
    edit_network(lambda _: network._replace(architecture=replace(network.architecture, num_classes=classes)))


def adopt(run: Config) -> None:
    """Choose everything as in another run, so that the page shows what was trained."""
    own = recipe(run.training.recipe, run.network)
    changed = {each.name: getattr(run.training, each.name) for each in fields(Training)}
    changes = {name: value for name, value in changed.items() if value != getattr(own, name)}
    data = run.dataset
    choice = replace(chosen(), recipe=run.training.recipe, changes=changes, dataset=data.kind, folder=data.folder)
    session["choice"] = replace(choice, device=run.device, seed=run.seed)
    _own()
    edit_network(lambda _: run.network)


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


def place() -> Place:
    """Where the run is to be trained."""
    return Place(cluster=chosen().cluster, cores=chosen().cores)


def _where() -> None:
    """On a device of this machine, or on the cluster that it is a node of."""
    words = {"": t("this machine"), "auto": t("the cluster")}
    own = chosen().cluster
    st.selectbox(
        t("Where to run"),
        list(words),
        list(words).index(own),
        format_func=words.__getitem__,
        **shows(translated("cluster"), own, _set_choice, "cluster"),
    )
    if own:
        _cluster(own)
    else:
        _device()


def _device_there() -> str:
    """What is asked of a cluster: it chooses by itself which GPU."""
    kind = chosen().device.partition(":")[0]
    return kind if kind in ("cpu", "cuda") else "auto"


_free: dict[str, cluster.Free] = {}
"""What clusters said of themselves when they were asked last."""


def _ask_cluster(address: str) -> None:
    _free.pop(address, None)
    jobs.start("cluster", lambda job: _free.update({address: cluster.ask(address, job.stopped)}), torch=False)


def _cluster(address: str) -> None:
    """What the cluster has and what of it is free, asked in a process of its own; what of it the run asks for."""
    if jobs.find("cluster") is None:
        _ask_cluster(address)
    job = jobs.find("cluster")
    if job and job.running:
        jobs.show(job, "cluster", lambda: t("Asking the cluster what is free …"))
    elif job and job.error:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    words = {"auto": t("a GPU, or else processors"), "cpu": t("processors"), "cuda": t("a GPU")}
    device = _device_there()
    st.selectbox(
        t("Device"),
        list(words),
        list(words).index(device),
        format_func=words.__getitem__,
        **shows(translated("device of the cluster"), device, _set_choice, "device"),
    )
    if device != "cuda":
        number(t("processors for the run"), chosen().cores, "cores", _set_choice, "cores")
    if free := _free.get(address):
        counts = {name: exact(count) for name, count in free._asdict().items()}
        st.caption(
            t(
                "{nodes} {nodes:node|nodes}; processors: {free_processors} of {processors} free; GPUs: "
                "{free_gpus} of {gpus} free.",
                **counts,
            )
        )
    st.button(t("Ask again"), key="ask cluster", on_click=_ask_cluster, args=(address,), type="tertiary")


def _device() -> None:
    """The device to train on."""
    found = look_for_devices()
    about = {device.name: device for device in found or []}
    names = ["auto", *(about or ("cpu",))]
    if chosen().device not in names:
        names.append(chosen().device)
    best = f" → {found[0].name}" if found else ""
    st.selectbox(
        t("Device"),
        names,
        names.index(chosen().device),
        format_func=lambda name: f"{t('the best one')}{best}" if name == "auto" else name,
        **shows(f"{translated('device')}{best}", chosen().device, _set_choice, "device"),
    )
    shown = about.get(chosen().device) or (found[0] if found and chosen().device == "auto" else None)
    if shown:
        st.caption(f"{literal(shown.title)} · {size(shown.memory)} · {shown.precision}")


def _time() -> None:
    """The time that the person has, for the forecast."""
    minutes = chosen().minutes
    text = "" if minutes is None else f"{minutes:g}"
    label = t("time you have, minutes")
    st.text_input(
        label,
        text,
        placeholder=t("any"),
        help=t("A lesson has 5 or 45. If the run would take longer, changes are proposed that make it fit."),
        **shows("minutes", text, _set_minutes, label),
    )


def _set_minutes(key: str, label: str) -> None:
    text = session[key].strip()
    try:
        minutes = parse_number(text, label) if text else None
    except InputError as error:
        session["complaints"] = [("page", error)]
    else:
        choose(minutes=minutes)


def elsewhere(titles: Sequence[str]) -> None:
    """For which device the forecast is made: the chosen one, or a GPU that is not here."""
    names = ["", *titles]
    st.selectbox(
        t("Forecast for"),
        names,
        names.index(chosen().elsewhere),
        format_func=lambda name: name or t("the device that is chosen"),
        width=260,
        **shows(translated("elsewhere"), chosen().elsewhere, _set_choice, "elsewhere"),
    )


def _set_choice(key: str, name: str) -> None:
    choose(**{name: session[key]})


# --- more settings -----------------------------------------------------------------------------------------


def _more() -> None:
    training = replace(recipe(chosen().recipe, subject()), **chosen().changes)
    with st.container(horizontal=True, gap="xsmall", key="training numbers"):
        for name, option in OPTIONS.items():
            if isinstance(option, Number):
                _number(name, option, getattr(training, name))
        number(t("seed"), chosen().seed, "seed", _set_choice, "seed", width=_WIDTH)
    for name, option in OPTIONS.items():
        if not isinstance(option, Number):
            _select(name, option, getattr(training, name))
    if chosen().changes:
        st.button(
            t("Back to the recipe"), key="back to recipe", on_click=choose, kwargs={"changes": {}}, type="tertiary"
        )


_WIDTH = 150


def _number(name: str, option: Number, value: float | None) -> None:
    """A field for a number: a text field if it may be left out, since a number field cannot be emptied again."""
    label = t(option.label)
    if option.unit:
        label = t("{label}, {unit}", label=label, unit=t(option.unit))
    if option.empty:
        text = "" if value is None else f"{value:g}"
        widget = shows(f"training {name}", text, _set_optional, name)
        st.text_input(label, text, width=_WIDTH, placeholder=t(option.empty), **widget)
    elif isinstance(option, Whole):
        number(label, value, f"training {name}", _set_training, name, width=_WIDTH)
    else:
        how = {"width": _WIDTH, "step": float(option.step), "format": "%g"}
        number(label, value and float(value), f"training {name}", _set_training, name, **how)


def _set_optional(key: str, name: str) -> None:
    """Take a number from a text field, or nothing if it is empty."""
    text = session[key].strip()
    try:
        value = OPTIONS[name].parse(text) if text else None
    except InputError as error:
        session["complaints"] = [("page", error)]
    else:
        _change(name, value)


def _select(name: str, option: Option, value: Any) -> None:
    """A list of what there is to choose, or a checkbox."""
    values: dict[str, Any] = {"own": None, "yes": True, "no": False}
    words: Mapping[str, str] = {"own": option.empty, "yes": "yes", "no": "no"}
    if isinstance(option, OneOf):
        values, words = {each: each for each in option.words}, option.words
    elif not option.empty:
        st.checkbox(t(option.label), value, **shows(f"training {name}", value, _set_training, name))
        return
    names = list(values)
    own = names[list(values.values()).index(value)]
    st.selectbox(
        t(option.label),
        names,
        names.index(own),
        format_func=lambda each: t(words[each]),
        **shows(translated(f"training {name}"), own, _set_option, name, values),
    )


def _set_option(key: str, name: str, values: dict[str, Any]) -> None:
    _change(name, values[session[key]])


def _set_training(key: str, name: str) -> None:
    _change(name, session[key])


def _change(name: str, value: Any) -> None:
    """Set one field of the training; what is the recipe's own is not a change."""
    own = getattr(recipe(chosen().recipe, subject()), name)
    rest = {other: kept for other, kept in chosen().changes.items() if other != name}
    choose(changes=rest if value == own else rest | {name: value})


# --- the network as it will be trained ---------------------------------------------------------------------


def as_trained(run: Config) -> None:
    """The network with what the training changes of it, and its totals."""
    asked, trained = run.network, run.trained
    totals = summarize(*trained).totals
    with st.container(horizontal=True, gap="small", key="as trained"):
        st.metric(t("Parameters"), exact(totals.params), width=150)
        st.metric("MACs", exact(totals.macs), width=150)
        st.metric(t("input"), shape_text(trained.input_shape), width=150)
        st.metric(t("steps"), _steps(run), width=150)
    changes = _changes(asked, trained)
    if changes:
        before = _params(asked)
        text = t("The training changes the network: {changes}.", changes=t(", ").join(changes))
        st.caption(f"{text} {t('Before, it has {params} parameters.', params=before)}" if before else text)


def _params(network: Network) -> str:
    try:
        return exact(summarize(*network).totals.params)
    except InputError:
        return ""


def _steps(run: Config) -> str:
    known, training = run.dataset.known, run.training
    steps = exact(ceil(training.num_images(known.sizes[0]) / training.batch_size)) if known else "…"
    return f"{training.epochs} × {steps}"


def _changes(asked: Network, trained: Network) -> list[str]:
    changes = []
    if asked.input_shape != trained.input_shape:
        changes.append(f"{t('input')} {shape_text(asked.input_shape)} → {shape_text(trained.input_shape)}")
    if asked.architecture.batch_norm != trained.architecture.batch_norm:
        changes.append(t("with batch norm") if trained.architecture.batch_norm else t("without batch norm"))
    before, after = asked.architecture.head.dropout, trained.architecture.head.dropout
    if before != after and trained.architecture.head.hidden:
        changes.append(f"{t('dropout')} {before:g} → {after:g}")
    return changes
