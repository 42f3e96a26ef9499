"""How a run is put into words: its status with a sign, times, names of classes, names of its settings."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vggexplorer import formatting
from vggexplorer.forecast.precision import Decision
from vggexplorer.runs import datasets, steps
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.exactness import Exactness
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.status import STATUSES, Word
from vggexplorer.runs.options import OPTIONS, Number, OneOf, Option, Training
from vggexplorer.runs.trainer.session import PARTS
from vggexplorer.text import format_network, title
from vggexplorer.ui.i18n import capital, say, t

LEAST_PART = 0.05
"""Seconds from which on a part of a run's time is shown."""


class Look(NamedTuple):
    """How a status is shown: a sign, an icon, and a colour that goes with it."""

    sign: str
    icon: str
    color: Literal["blue", "green", "orange", "red", "gray"]


LOOKS = {
    Word.STARTING: Look("…", "hourglass_empty", "gray"),
    Word.WAITING: Look("…", "hourglass_empty", "gray"),
    Word.LOADING: Look("…", "downloading", "blue"),
    Word.RUNNING: Look("▶", "play_arrow", "blue"),
    Word.EVALUATING: Look("▶", "rule", "blue"),
    Word.SAVING: Look("▶", "save", "blue"),
    Word.PAUSED: Look("‖", "pause", "orange"),
    Word.UNRESPONSIVE: Look("⚠", "error", "red"),
    Word.INTERRUPTED: Look("↯", "power_off", "red"),
    Word.FINISHED: Look("✓", "check_circle", "green"),
    Word.STOPPED: Look("■", "stop_circle", "orange"),
    Word.FAILED: Look("✗", "cancel", "red"),
    Word.DAMAGED: Look("⚠", "broken_image", "red"),
    Word.DELETED: Look("–", "delete", "gray"),
}
"""By status word."""
LABELS = {
    "arch": "blocks",
    "input": "input",
    "classes": "classes",
    "head": "head",
    "hidden": "hidden layers of the head",
    "dropout": "dropout",
    "bn": "batch norm",
    "act": "activation",
    "recipe": "recipe",
    **{name: option.label for name, option in OPTIONS.items()},
    "dataset": "data",
    "device": "device",
    "seed": "seed",
    "torch": "PyTorch",
    "threads": "threads",
    "processes": "processes",
    "kind": "kind of step",
}
"""What the settings of a run are called, by their names in config.json and environment.json."""


def data_text(dataset: Dataset) -> str:
    """What the data of a run are called; of a folder its name."""
    words = t(datasets.LABELS[dataset.kind])
    return words if dataset.known else f"{words}: {Path(dataset.folder).name}"


def label(name: str) -> str:
    """What the setting `name` is called, at the beginning of a line, and the unit of its value."""
    return capital(with_unit(t(LABELS[name]), OPTIONS.get(name)))


def with_unit(label: str, option: Option | None) -> str:
    """The label of an option and the unit of its value, if it has one."""
    unit = option.unit if isinstance(option, Number) else ""
    return t("{label}, {unit}", label=label, unit=t(unit)) if unit else label


def sign(word: Word) -> str:
    """The sign of a status word."""
    return LOOKS[word].sign


def status(word: Word) -> str:
    """A status word as people read it."""
    return t(STATUSES[word])


def bits(found: Exactness) -> str:
    """What can be promised of a run's bits, as Markdown."""
    return " ".join(map(say, found.remarks))


def number(value: Any) -> float | None:
    """`value`, if it is a number that can be shown."""
    shown = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if shown else None


def accuracy(value: float | None) -> str:
    """As in the book: 0.9241 -> '0.924'."""
    return "–" if value is None else f"{value:.3f}"


def loss(value: float | None) -> str:
    """As in the book: 0.1784 -> '0.178'."""
    return "–" if value is None else formatting.loss(value)


def duration(seconds: float | None) -> str:
    """Minutes and seconds."""
    return "–" if seconds is None else formatting.duration(seconds)


def moment(when: datetime | None) -> str:
    """Date and time, to the minute."""
    return f"{when:%Y-%m-%d %H:%M}" if when else "–"


def classes(names: Any) -> list[str]:
    """Names of classes: those of a known data set in the session's language, those of a folder as they are."""
    if not isinstance(names, list):
        return []
    known = any(names == list(each.classes) for each in datasets.KNOWN.values())
    return list(map(t, names)) if known else list(map(str, names))


def chart_text(text: str) -> str:
    """A text of a person for a Plotly chart, which takes some HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def settings(config: Config) -> dict[str, Any]:
    """All that was asked for and means anything, by the names in `LABELS`."""
    data, network = config.to_json(), format_network(config.network)
    asked = training(config.training)
    changed = {name: value for name, value in asked.items() if value is not None or name not in network}
    return network | changed | {key: data[key] for key in ("dataset", "device", "seed")}


def training(asked: Training) -> dict[str, Any]:
    """How to train, without the options that mean nothing beside the others."""
    return {name: value for name, value in asdict(asked).items() if name not in OPTIONS or asked.applies(name)}


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Names and both values of the settings that differ, in the order of `LABELS`."""
    both = ((name, first.get(name), second.get(name)) for name in LABELS)
    return [(name, one, other) for name, one, other in both if one != other]


def setting(name: str, value: Any) -> str:
    """The value of the setting `name`, in the words of the form if it is one of the training's."""
    option = OPTIONS.get(name)
    if value is None:
        return t(option.empty) if option and option.empty else "–"
    if isinstance(option, OneOf) and isinstance(value, str) and value in option.words:
        words, each = option.words, value
        return t(words[each])
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    return f"{value:g}" if isinstance(value, float) else str(value)


def precision(environment: Mapping[str, Any]) -> str:
    """The precision of a run, and how it was chosen if it was left open; empty before it has begun."""
    decided = Decision.from_json(environment.get("decided"))
    if decided is None:
        return str(environment.get("precision", ""))
    remark = decided.remark
    return t(remark.template, **remark.values)


def step(environment: Mapping[str, Any]) -> str:
    """Which kind of step a run takes on a GPU, and why; elsewhere there is one."""
    remark = steps.told(environment)
    return t(remark.template, **remark.values) if remark else ""


def parts(outcome: Outcome | None) -> str:
    """Where the time of a run's last start went, in its order; what takes no time is left out. Empty before its end."""
    seconds = outcome.parts if outcome else {}
    known = [(PARTS[name], seconds[name]) for name in PARTS if seconds.get(name, 0) >= LEAST_PART]
    return t(", ").join(f"{t(words)} {spent:.1f} s" for words, spent in known)


def called(run: Run) -> str:
    """The name of a run; of those that ship with the package in the session's language."""
    return t(run.name()) if run.recorded else run.name()


def network(config: Config | None) -> str:
    """The title of a run's network."""
    return title(config.network) if config else "–"
