"""The data on Train: its classes, and once they are read the pictures as the network gets them, their sizes, levels."""

from collections.abc import Mapping, Sequence

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent
from vggexplorer.layers import shape_text
from vggexplorer.palette import SERIES
from vggexplorer.runs import folders
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folders import TEST, TRAIN
from vggexplorer.runs.survey import ROLLS, Near, Shown, Sizes, Survey, balance, rolls, survey
from vggexplorer.ui import access, components, jobs, pictures
from vggexplorer.ui.figures import Figure
from vggexplorer.ui.i18n import literal, say, sentence, t
from vggexplorer.ui.run.odd import list_odd
from vggexplorer.ui.run.words import chart_text
from vggexplorer.ui.session import session

MOST_BARS = 30
"""The most classes that have a bar."""

Counts = Mapping[str, tuple[int, int]]


def show(runs: Runs, config: Config) -> None:
    """The part of the page; nothing if the data cannot be used, which is said where it is chosen."""
    try:
        access.check_data(runs, config.dataset)
        counts = {} if config.dataset.known else folders.lately(config.dataset.path).counts
    except InputError:
        return
    with st.expander(t("The data, as the network gets it"), icon=":material/photo_library:", key="the data"):
        job = _kept("survey", _about(config))
        found: Survey | None = None if job is None or job.running else job.answer
        if counts := found.counts if found else counts:
            _classes(config, counts)
        if job is None:
            _button(t("Read all pictures"), config)
            st.caption(t("PyTorch is loaded for it. Nothing is trained or changed."))
            return
        _rolls(config)
        if job.running:
            jobs.show(job, "survey", lambda: t("The pictures are read … {seconds} s", seconds=job.seconds))
        elif job.error:
            st.error(literal(sentence(job.error)), icon=":material/error:")
            _button(t("Read them again"), config)
        elif found:
            _figures(config, found)
            _nearest(config, found)


# --- work --------------------------------------------------------------------------------------------------


def _about(config: Config) -> object:
    """What is read depends on it."""
    return config.dataset, config.trained.input_shape


def _about_rolls(config: Config, roll: int) -> object:
    training = config.training
    return _about(config), training.flip, training.crop, training.brightness, config.seed, roll // ROLLS


def _kept(key: str, about: object) -> jobs.Job | None:
    """The session's job, if it is about what is asked now."""
    job: jobs.Job | None = session.get(key)
    return job if job and job.about == about else None


def _button(label: str, config: Config) -> None:
    st.button(label, icon=":material/visibility:", key="read pictures", on_click=_start, args=(config,))


def _start(config: Config) -> None:
    _roll(config, 0)
    jobs.start_own("survey", lambda job: survey(config, job.stopped), _about(config))


def _roll(config: Config, roll: int) -> None:
    """Show this roll; ask for it if it was not told yet."""
    session["roll"] = roll
    if _kept("rolls", about := _about_rolls(config, roll)) is None:
        first = roll - roll % ROLLS
        jobs.start_own("rolls", lambda job: rolls(config, first, job.stopped), about)


# --- classes -----------------------------------------------------------------------------------------------


def _classes(config: Config, counts: Counts) -> None:
    """A bar for each class, and in a sentence how even they are."""
    names = {name: _shown(config, name) for name in counts}
    found = balance(counts)
    values = {"largest": names[found.largest], "smallest": names[found.smallest], "ratio": f"{found.ratio:.3g}"}
    text = t("There are about as many training pictures of each class.")
    if not found.even:
        text = t("There are {ratio} times as many training pictures of {largest} as of {smallest}.", **values)
    if found.vote is not None:
        vote = t(
            "A network that takes everything for {largest} is right in {share} of the test.",
            **values,
            share=percent(found.vote, 1),
        )
        text = f"{text} {vote}"
    st.markdown(literal(text))
    if len(counts) > MOST_BARS:
        st.caption(t("The {most} classes with the most pictures, of {count}:", most=MOST_BARS, count=len(counts)))
    components.chart(_bars(counts, names), text, key="class counts")


def _shown(config: Config, name: str) -> str:
    """The name of a class: of a known data set in the session's language, of a folder as it is."""
    return t(name) if config.dataset.known else name


def _bars(counts: Counts, names: Mapping[str, str]) -> Figure:
    """A bar for each class: the pictures to train on, and after them those to test on."""
    listed = list(counts)
    if len(listed) > MOST_BARS:
        listed = sorted(listed, key=lambda name: -sum(counts[name]))[:MOST_BARS]
    parts = ((t("to train on"), 0, SERIES[0]), (t("to test on"), 1, SERIES[1]))
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": label,
                "x": [counts[name][place] for name in listed],
                "y": list(range(len(listed))),
                "marker": {"color": color},
                "hovertemplate": "%{x:,d} " + label + "<extra></extra>",
            }
            for label, place, color in parts
        ],
        "layout": {
            "barmode": "stack",
            "xaxis": {"rangemode": "tozero", "gridcolor": "$grid", "fixedrange": True, "side": "top", "nticks": 5},
            "yaxis": {
                "tickvals": list(range(len(listed))),
                "ticktext": [chart_text(names[name]) for name in listed],
                "autorange": "reversed",
                "automargin": True,
                "ticksuffix": " ",
                "fixedrange": True,
            },
            "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "traceorder": "normal"},
            "dragmode": False,
            "height": 90 + 22 * len(listed),
            "margin": {"l": 10, "r": 10, "t": 30, "b": 30},
        },
    }


# --- as the network gets them ------------------------------------------------------------------------------


def _rolls(config: Config) -> None:
    """Training pictures as a step gets them, and the dice."""
    roll = session.get("roll", 0)
    job = _kept("rolls", _about_rolls(config, roll))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="dice line"):
        st.button(
            t("Draw others"),
            icon=":material/casino:",
            key="dice",
            on_click=_roll,
            args=(config, roll + (job is not None)),
        )
        st.caption(_changes(config), width="stretch")
    if job is None:
        return
    if job.running:
        jobs.show(job, "rolls", lambda: t("Pictures are drawn … {seconds} s", seconds=job.seconds))
    elif job.error:
        st.error(literal(sentence(job.error)), icon=":material/error:")
    else:
        told: Sequence[Shown] = job.answer[roll % ROLLS]
        items = [_item(each.picture, _shown(config, each.name)) for each in told]
        pictures.pictures(items, key="drawn", side=96)


def _item(picture: object, caption: str) -> pictures.Item:
    return {"picture": pictures.checked(picture), "caption": caption, "good": None}


def _changes(config: Config) -> str:
    """What is done to a picture on its way into the network."""
    training = config.training
    steps = [t("resized to {shape}", shape=shape_text(config.trained.input_shape))]
    steps += [t("every other one mirrored")] if training.flip else []
    steps += [t("moved by up to {count} {count:pixel|pixels}", count=training.crop)] if training.crop else []
    if training.brightness:
        steps.append(t("lighter or darker by up to {part}", part=percent(training.brightness, 1)))
    if len(steps) == 1:
        steps.append(t("nothing changed at random"))
    return t("A batch as a step of the training gets it: {steps}.", steps=t(", ").join(steps))


# --- sizes, levels, pictures that look alike ---------------------------------------------------------------


def _figures(config: Config, found: Survey) -> None:
    lines = [_levels(found), *(_sizes(config, found.sizes) if found.sizes else ()), *map(say, found.said)]
    st.markdown("\n".join(f"- {line}" for line in lines))
    list_odd(found.num_odd, found.odd)


def _levels(found: Survey) -> str:
    mean, spread = (" / ".join(f"{each:.4f}" for each in values) for values in (found.mean, found.spread))
    levels = t("mean {mean}, standard deviation {spread}", mean=mean, spread=spread)
    if len(found.mean) > 1:
        return t("Levels of the training pictures, from 0 to 1, red / green / blue: {levels}.", levels=levels)
    return t("Levels of the training pictures, from black 0 to white 1: {levels}.", levels=levels)


def _sizes(config: Config, sizes: Sizes) -> list[str]:
    """How large the pictures are, and what making them one size does to them."""
    smallest, median, largest, wanted = map(
        _size, (sizes.smallest, sizes.median, sizes.largest, config.trained.input_shape[1:])
    )
    lines = [
        t(
            "Of {count} files looked at, the smallest is {smallest}, the middle one {median}, the largest {largest} "
            "(height × width).",
            count=exact(sizes.looked_at),
            smallest=smallest,
            median=median,
            largest=largest,
        )
    ]
    if sizes.enlarged:
        share = percent(sizes.enlarged, sizes.looked_at)
        lines.append(
            t("{share} are smaller than {size} and made larger: that adds no detail.", share=share, size=wanted)
        )
    if sizes.squeezed:
        share = percent(sizes.squeezed, sizes.looked_at)
        lines.append(t("{share} have another shape and are squeezed into {size}.", share=share, size=wanted))
    return lines


def _size(size: Sequence[int]) -> str:
    return "×".join(map(str, size))


def _nearest(config: Config, found: Survey) -> None:
    """How many pictures look like another one, and the most alike of them."""
    values = {"compared": exact(found.compared), "alike": exact(found.alike), "across": exact(found.across)}
    values["about"] = t(
        "at most {distance} of {bits} bits of their difference hashes differ", distance=found.distance, bits=found.bits
    )
    if not found.alike:
        st.caption(t("Of {compared} pictures none looks like another one ({about}).", **values))
        return
    st.markdown(
        t(
            "Of {compared} pictures **{alike}** look like another one ({about}), **{across}** of them like one in the "
            "other part: what is known from training is no test.",
            **values,
        )
    )
    with st.container(horizontal=True, gap="small", key="nearest"):
        for place, pair in enumerate(found.nearest):
            with st.container(border=True, width="content"):
                pictures.pictures(_pair(config, pair), key=f"near {place}", side=84)


def _pair(config: Config, pair: Near) -> list[pictures.Item]:
    parts = {TRAIN: t("to train on"), TEST: t("to test on")}
    captions = (
        [_shown(config, name), parts[part], file]
        for name, part, file in zip(pair.classes, pair.parts, pair.files, strict=True)
    )
    return [
        _item(picture, "\n".join(filter(None, lines))) for picture, lines in zip(pair.pictures, captions, strict=True)
    ]
