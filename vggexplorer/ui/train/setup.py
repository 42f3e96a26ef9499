"""Setting up a run in the sidebar: network, recipe, data, device, and all that can be changed about the training."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.formatting import decimal_size, exact, size
from vggexplorer.layers import shape_text
from vggexplorer.runs import datasets, folders
from vggexplorer.runs.cluster import holder
from vggexplorer.runs.config import command
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.demo import MOST
from vggexplorer.runs.folder.runs import Runs
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
from vggexplorer.runs.places import need_ray
from vggexplorer.runs.reasons import kinds_not_read, said_of_kinds
from vggexplorer.summary import DTYPES
from vggexplorer.ui import access, jobs
from vggexplorer.ui.i18n import capital, literal, say, sentence, t
from vggexplorer.ui.network import editor
from vggexplorer.ui.run.choice import (
    Choice,
    change,
    choose,
    chosen,
    config,
    dataset_of,
    device_there,
    look_for_devices,
    row,
    set_choice,
    subject,
    take_as_own,
    training,
)
from vggexplorer.ui.run.odd import list_odd
from vggexplorer.ui.run.words import with_unit
from vggexplorer.ui.session import session
from vggexplorer.ui.state import edit_network
from vggexplorer.ui.train.downloading import download
from vggexplorer.ui.widgets import number, shows, translated


def show() -> None:
    """All that can be chosen."""
    editor.show_network(subject(), take_as_own)
    _recipe()
    _data()
    _where()
    _time()
    with st.expander(t("More settings"), key="more settings"):
        _more()


def _recipe() -> None:
    names = list(RECIPE_NAMES)
    st.selectbox(t("Recipe"), names, names.index(chosen().recipe), **shows("recipe", chosen().recipe, _choose_recipe))
    st.caption(t(ABOUT[chosen().recipe]))
    if chosen().recipe == QUICK:
        _row()


def _row() -> None:
    """Which row of the quick demo this device gets and why; what to do if that takes long; the same elsewhere."""
    found = row()
    said = list(found.said(chosen().changes))
    if said:
        st.caption("\n\n".join(map(say, said)))
    if said and found.long and training().time_budget is None:
        text = t("Set a time budget of {seconds} s", seconds=f"{MOST:.0f}")
        st.button(text, key="time budget", on_click=change, args=("time_budget", MOST), type="tertiary")
    with suppress(InputError):
        if words := command(config()):
            with st.expander(t("The same on another machine"), key="same elsewhere"):
                st.code(words, language=None, wrap_lines=True)


def _choose_recipe(key: str) -> None:
    choose(recipe=session[key], changes={})


def _data() -> None:
    choice, names = chosen(), list(datasets.LABELS)
    st.selectbox(
        t("Data"),
        names,
        names.index(choice.dataset),
        format_func=lambda name: t(datasets.LABELS[name]),
        **shows(translated("dataset"), choice.dataset, set_choice, "dataset"),
    )
    known = datasets.KNOWN.get(choice.dataset)
    if known is None or not known.ships:
        label = t("Folder, if elsewhere") if known else t("Folder with one subfolder for each class")
        st.text_input(label, choice.folder, **shows("data folder", choice.folder, set_choice, "folder"))
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
        access.check_data(Runs.at(), dataset := dataset_of(choice))
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
    if not named:
        st.caption(t("Each subfolder is a class. Subfolders train and test may be around them."))
        return
    try:
        access.check_data(Runs.at(), dataset := Dataset(datasets.FOLDER, named))
        found = folders.lately(dataset.path)
    except InputError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    counts = found.counts
    names = ", ".join(
        f"{literal(shown(name))} ({exact(train)} + {exact(test)})"
        for name, (train, test) in list(counts.items())[:_MOST_NAMED]
    )
    st.caption(
        t(
            "{count} {count:class|classes}, with the number of files to train and to test on: {names}",
            count=len(counts),
            names=names,
        )
    )
    kinds = kinds_not_read(file for files in (*found.train, *found.test) for file in files)
    said = (*found.said, *said_of_kinds(kinds))
    st.caption("\n".join(f"- {say(remark)}" for remark in said))
    list_odd(found.odd.count, found.odd.listed)
    classes = subject().architecture.num_classes
    if classes != len(counts):
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
    take_as_own()
    edit_network(lambda _: network._replace(architecture=replace(network.architecture, num_classes=classes)))


def _where() -> None:
    """On a device of this machine, or on the cluster that it is a node of."""
    words = {"": t("This machine"), "auto": capital(t("the cluster"))}
    own = chosen().cluster
    st.selectbox(
        t("Where to run"),
        list(words),
        list(words).index(own),
        format_func=words.__getitem__,
        **shows(translated("cluster"), own, set_choice, "cluster"),
    )
    if own:
        _cluster(own)
    else:
        _device()


_free: dict[str, holder.Free] = {}
"""What clusters said of themselves when they were asked last."""


def _ask_cluster(address: str) -> None:
    _free.pop(address, None)

    def work(job: jobs.Job) -> None:
        _free[address] = holder.ask(address, job.stopped)

    jobs.start("cluster", work, needs=need_ray, torch=False)


def _cluster(address: str) -> None:
    """What the cluster has and what of it is free, asked in a process of its own; what of it the run asks for."""
    if jobs.find("cluster") is None:
        _ask_cluster(address)
    job = jobs.find("cluster")
    if job and job.running:
        jobs.show(job, "cluster", lambda: t("Asking the cluster what is free …"))
    elif job and job.error:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    words = {"auto": t("A GPU, or else processors"), "cpu": t("Processors"), "cuda": t("A GPU")}
    device = device_there()
    st.selectbox(
        t("Device"),
        list(words),
        list(words).index(device),
        format_func=words.__getitem__,
        **shows(translated("device of the cluster"), device, set_choice, "device"),
    )
    if device != "cuda":
        number(t("Processors for the run"), chosen().cores, "cores", set_choice, "cores")
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
        format_func=lambda name: f"{capital(t('the best one'))}{best}" if name == "auto" else name,
        **shows(f"{translated('device')}{best}", chosen().device, set_choice, "device"),
    )
    shown = about.get(chosen().device) or (found[0] if found and chosen().device == "auto" else None)
    if shown:
        precision = shown.precision if shown.speedup > 0 else t("float32, no bfloat16")
        st.caption(f"{literal(shown.title)} · {size(shown.memory)} · {precision}")


def _time() -> None:
    """The time that the person has, for the forecast."""
    minutes = chosen().minutes
    text = "" if minutes is None else f"{minutes:g}"
    label = t("time you have, minutes")
    st.text_input(
        capital(label),
        text,
        placeholder=t("Any"),
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


# --- more settings -----------------------------------------------------------------------------------------


def _more() -> None:
    """Numbers, then choices, each with the numbers that mean something with what is chosen."""
    asked = training()
    with st.container(horizontal=True, gap="xsmall", key="training numbers"):
        for name, option in OPTIONS.items():
            if isinstance(option, Number) and option.only is None:
                _number(name, option, getattr(asked, name))
        number(capital(t("seed")), chosen().seed, "seed", set_choice, "seed", width=_WIDTH)
    for name, option in OPTIONS.items():
        if not isinstance(option, Number):
            _select(name, option, getattr(asked, name))
            _numbers_of((name, getattr(asked, name)), asked)
    if chosen().changes:
        st.button(
            t("Back to the recipe"), key="back to recipe", on_click=choose, kwargs={"changes": {}}, type="tertiary"
        )


_WIDTH = 150


def _numbers_of(choice: tuple[str, Any], training: Training) -> None:
    """The numbers that belong to a choice, if there are any, below it."""
    if own := {name: option for name, option in OPTIONS.items() if option.only == choice}:
        with st.container(horizontal=True, gap="xsmall"):
            for name, option in own.items():
                if isinstance(option, Number):
                    _number(name, option, getattr(training, name))


def _number(name: str, option: Number, value: float | None) -> None:
    """A field for a number: a text field if it may be left out, since a number field cannot be emptied again."""
    label = capital(with_unit(t(option.label), option))
    if option.empty:
        text = "" if value is None else f"{value:g}"
        widget = shows(f"training {name}", text, _set_optional, name)
        st.text_input(label, text, width=_WIDTH, placeholder=capital(t(option.empty)), **widget)
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
        change(name, value)


def _select(name: str, option: Option, value: Any) -> None:
    """A list of what there is to choose, or a checkbox."""
    values: dict[str, Any] = {"own": None, "yes": True, "no": False}
    words: Mapping[str, str] = {"own": option.empty, "yes": "yes", "no": "no"}
    if isinstance(option, OneOf):
        values, words = {each: each for each in option.words}, option.words
    elif not option.empty:
        st.checkbox(capital(t(option.label)), value, **shows(f"training {name}", value, _set_training, name))
        return
    names = list(values)
    own = names[list(values.values()).index(value)]
    st.selectbox(
        capital(t(option.label)),
        names,
        names.index(own),
        format_func=lambda each: each if each in DTYPES else capital(t(words[each])),
        **shows(translated(f"training {name}"), own, _set_option, name, values),
    )


def _set_option(key: str, name: str, values: dict[str, Any]) -> None:
    change(name, values[session[key]])


def _set_training(key: str, name: str) -> None:
    change(name, session[key])
