"""A link: everything that the dashboard shows, as one value and as the parameters of a URL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vggexplorer.architectures import Architecture, Network, check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.paths import RUN_ID
from vggexplorer.summary import DTYPES
from vggexplorer.text import KEYS, format_network, parse_arch, parse_network

DEFAULT_ARCH = "vgg11"
COMMON = ("input", "classes")
"""The keys of a network that are the same for all networks of a comparison."""
MAX_BESIDE = 11
MAX_UNKNOWN = 12
"""The most unknown parts of a link that each get a sentence."""
MAX_PARTS = 20
"""The most parts `;key=text` after an architecture; a network has fewer."""
MAX_BATCH = 65_536
MAX_RUNS = 12
"""The most training runs in view at once."""
COUNTS = {"MACs": 1, "FLOPs": 2}
"""What can be shown for the arithmetic, and how many times the MACs it is."""
LANGUAGES = {"en": "English", "zh": "简体中文"}
HIDEABLE = {
    "network": "the choice of a network",
    "tools": "undo, redo and width",
    "convolutions": "the numbers of convolutions",
    "channels": "the numbers of channels",
    "columns": "adding blocks, and more columns",
    "text": "the blocks as text",
    "input": "the input",
    "head": "the head",
    "hints": "hints",
    "working": "the working",
}
"""The controls that a lesson's link can hide, and what they are called."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A baseline: the texts of a network by key; without `input` and `classes` it follows those in view."""

    params: Mapping[str, str] = field(default_factory=lambda: {"arch": "alexnet"})

    def network(self, beside: Network) -> Network:
        """The network to compare `beside` with."""
        own = Network(parse_arch(self.params["arch"]).architecture, beside.input_shape)
        if "classes" not in self.params:
            own = own._replace(architecture=replace(own.architecture, num_classes=beside.architecture.num_classes))
        return parse_network({key: text for key, text in self.params.items() if key != "arch"}, own)

    @staticmethod
    def of(network: Network) -> "Pin":
        """A pin that holds `network` with its input and classes, whatever is in view later."""
        return Pin(format_network(network) | {key: KEYS[key].format(network) for key in ("input", "classes")})

    @staticmethod
    def beside(network: Network) -> "Pin":
        """A pin of `network` that follows the input and the classes in view."""
        return Pin({key: text for key, text in format_network(network).items() if key not in COMMON})

    def __str__(self) -> str:
        rest = (f"{key}={text}" for key, text in self.params.items() if key != "arch")
        return ";".join([self.params["arch"], *rest])

    @staticmethod
    def parse(text: str) -> "Pin":
        """The pin written as `arch;key=text;...`; `InputError` if it names no network."""
        params = _parts(text)
        if unknown := sorted(params.keys() - KEYS.keys() - {"arch"}):
            raise InputError("The link has an unknown part, {key}.", key=shown(unknown[0]))
        pin = Pin(params)
        pin.network(parse_arch(DEFAULT_ARCH))
        return pin


def _parts(text: str) -> dict[str, str]:
    arch, *rest = text.split(";", MAX_PARTS)  # what is beyond stays in the last one, and is complained about there
    return {"arch": arch} | dict(part.partition("=")[::2] for part in rest)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a link carries.

    `beside` are the networks that Compare shows next to the one being edited, `runs` the ids of the
    training runs in view, `sweep` the id of the sweep in view, `task` the key of the task on Learn, `hide` the
    controls that are not shown.
    """

    network: Network = field(default_factory=lambda: parse_arch(DEFAULT_ARCH))
    pin: Pin = field(default_factory=Pin)
    beside: tuple[Pin, ...] = (Pin(),)
    batch: int = 1
    dtype: str = "float32"
    count: str = "MACs"
    lang: str | None = None
    runs: tuple[str, ...] = ()
    sweep: str | None = None
    task: str | None = None
    hide: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_int(self.batch, "the batch size", 1, MAX_BATCH)

    @property
    def architecture(self) -> Architecture:
        """The architecture being edited."""
        return self.network.architecture


def _choice(choices: Iterable[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            names = ", ".join(choices)
            raise InputError("{what} must be one of {names}, not {value}.", what=what, names=names, value=shown(text))
        return text

    return parse


def _batch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError("{what} must be a whole number, not {value}.", what="the batch size", value=shown(text))
    return int(text)


def _hidden(text: str) -> tuple[str, ...]:
    names = {_choice(HIDEABLE, "what is hidden")(name) for name in text.split(",")}
    return tuple(name for name in HIDEABLE if name in names)


_LESSON: dict[str, Callable[[str], Any]] = {"task": _choice(TASKS, "the task"), "hide": _hidden}
"""Keys that only some pages write."""
_OTHERS: dict[str, Callable[[str], Any]] = {
    "pin": Pin.parse,
    "batch": _batch,
    "dtype": _choice(DTYPES, "the data type"),
    "count": _choice(COUNTS, "the count"),
    "lang": _choice(LANGUAGES, "the language"),
}


def read(params: Mapping[str, str | list[str]]) -> tuple[State, list[InputError]]:
    """The state that a URL's parameters name, and what in them could not be used (and was left out).

    `arch` may be repeated: the first is the network being edited, the others stand beside it. Without `arch` it is
    the network that the task begins with.
    """
    lists = {key: [values] if isinstance(values, str) else list(values) for key, values in params.items()}
    archs = lists.pop("arch", [])
    runs = tuple(dict.fromkeys(run for run in lists.pop("run", []) if RUN_ID.fullmatch(run)))[:MAX_RUNS]
    swept = next((sweep for sweep in lists.pop("sweep", []) if RUN_ID.fullmatch(sweep)), None)
    texts = (_parts(archs[0]) if archs else {}) | {key: values[-1] for key, values in lists.items() if values}
    task = TASKS.get(texts.get("task", ""))
    network, errors = _read_network(texts, task.start if task and "arch" not in texts else {"arch": DEFAULT_ARCH})
    state = State(network=network)
    others = _OTHERS | _LESSON
    for key in sorted(texts.keys() & others.keys()):
        try:
            state = replace(state, **{key: others[key](texts[key])})
        except InputError as error:
            errors.append(error)
    beside, refused = _read_beside(archs[1:])
    errors += _about_unknown(sorted(texts.keys() - KEYS.keys() - others.keys() - {"arch"})) + refused
    return replace(state, beside=beside or state.beside, runs=runs, sweep=swept), errors


def _about_unknown(keys: list[str]) -> list[InputError]:
    errors = [InputError("The link has an unknown part, {key}.", key=shown(key)) for key in keys[:MAX_UNKNOWN]]
    if (more := len(keys) - MAX_UNKNOWN) > 0:
        errors.append(InputError("The link has {count} unknown {count:part|parts} more.", count=f"{more:,}"))
    return errors


def _read_network(texts: Mapping[str, str], begin: Mapping[str, str]) -> tuple[Network, list[InputError]]:
    errors = []
    good = dict(begin)
    for key in ("arch", *KEYS):
        if key in texts:
            try:
                parse_network(good | {key: texts[key]})
                good[key] = texts[key]
            except InputError as error:
                errors.append(error)
    return parse_network(good), errors


def _read_beside(texts: list[str]) -> tuple[tuple[Pin, ...], list[InputError]]:
    pins, errors = [], []
    for text in texts[:MAX_BESIDE]:
        try:
            pins.append(Pin.parse(text))
        except InputError as error:
            errors.append(error)
    if len(texts) > MAX_BESIDE:
        errors.append(InputError("At most {most} networks can be compared.", most=MAX_BESIDE + 1))
    return tuple(pins), errors


def write(state: State) -> dict[str, str]:
    """The URL parameters of a state on Explore; what is at its default is left out."""
    params = format_network(state.network)
    if params["arch"] == DEFAULT_ARCH:
        del params["arch"]
    return params | _write_hidden(state) | _write_others(state)


def write_lesson(state: State) -> dict[str, str]:
    """The URL parameters of a state on Learn: the network that a task begins with is left out."""
    if not state.task:
        return write(state)
    begins = parse_network(TASKS[state.task].start)
    network = {} if state.network == begins else format_network(state.network)
    return {"task": state.task} | network | _write_hidden(state) | _write_others(state)


def _write_hidden(state: State) -> dict[str, str]:
    return {"hide": ",".join(state.hide)} if state.hide else {}


def write_comparison(state: State) -> dict[str, str | list[str]]:
    """The URL parameters of a state on Compare: `arch` for every network, with its own head and options in it."""
    common = {key: text for key, text in format_network(state.network).items() if key in COMMON}
    archs = [str(Pin.beside(state.network)), *map(str, state.beside)]
    default = State()
    if archs == [str(Pin.beside(default.network)), *map(str, default.beside)]:
        archs = []
    return ({"arch": archs} if archs else {}) | common | _write_others(state)


def write_runs(state: State) -> dict[str, str | list[str]]:
    """The URL parameters of a state on Runs."""
    lang = {"lang": state.lang} if state.lang else {}
    sweep = {"sweep": state.sweep} if state.sweep else {}
    return ({"run": list(state.runs)} if state.runs else {}) | sweep | lang


def write_training(state: State, own: bool) -> dict[str, str | list[str]]:
    """The URL parameters of a state on Train: the network (even the default one if it is a person's `own`), the run."""
    named = {"arch": DEFAULT_ARCH} if own else {}
    return named | write(state) | write_runs(replace(state, sweep=None))


def _write_others(state: State) -> dict[str, str]:
    default = State()
    return {key: str(getattr(state, key)) for key in _OTHERS if getattr(state, key) != getattr(default, key)}
