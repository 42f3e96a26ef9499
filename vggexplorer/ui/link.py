"""A link: everything that the dashboard shows, as one value and as the parameters of a URL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from vggexplorer.architectures import Architecture, Network, check_int, shown
from vggexplorer.drawing import Quantity
from vggexplorer.errors import InputError
from vggexplorer.lessons import written
from vggexplorer.lessons.asks import Task
from vggexplorer.lessons.packed import pack, unpack
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.written import OWN
from vggexplorer.paths import COMPARE, EXPLORE, LEARN, PAGES, RUN_ID, RUNS, TRAIN
from vggexplorer.summary import DTYPES
from vggexplorer.text import KEYS, format_network, known_network, parse_arch, parse_network, parse_whole, split_network

NETWORK = (EXPLORE, COMPARE, TRAIN, LEARN)
"""The pages whose links carry the network and what is shown of it."""
DEFAULT_ARCH = "vgg11"
COMMON = ("input", "classes")
"""The keys of a network that are the same for all networks of a comparison."""
MAX_BESIDE = 11
MAX_UNKNOWN = 12
"""The most unknown parts of a link that each get a sentence."""
MAX_BATCH = 65_536
MAX_RUNS = 12
"""The most training runs in view at once."""
COUNTS = {"MACs": 1, "FLOPs": 2}
"""What can be shown for the arithmetic, and how many times the MACs it is."""
PROJECTOR = "projector"
"""The view for a room: larger type, and no editor."""
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
TABS = {
    EXPLORE: ("layers", "charts", "field", "check", "away"),
    COMPARE: ("stages", "points", "sizes", "time", "train", "files"),
    RUNS: ("curves", "mistakes", "picture", "inside", "settings", "run-files"),
}
"""The tabs of the pages that have some; the first is open at first. No two pages have one of the same name."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A baseline: the texts of a network by key; without `input` and `classes` it follows those in view."""

    params: Mapping[str, str] = field(default_factory=lambda: {"arch": "alexnet"})

    def network(self, beside: Network) -> Network:
        """The network to compare `beside` with."""
        own = Network(parse_arch(self.params["arch"]).architecture, beside.input_shape)
        own = parse_network({key: text for key, text in self.params.items() if key != "arch"}, own)
        if "classes" not in self.params:
            own = own._replace(architecture=replace(own.architecture, num_classes=beside.architecture.num_classes))
        return own

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
        pin = Pin(known_network(text))
        pin.network(parse_arch(DEFAULT_ARCH))
        return pin


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a link carries.

    `beside` are the networks that Compare shows next to the one being edited, `baseline` is the place of the one
    that the others are set against, `runs` the ids of the training runs in view, `sweep` the id of the sweep in view,
    `task` the key of the task on Learn, `tasks` the keys of those that a lesson has (none: all), `lesson` the text of
    one that a teacher wrote, which is the task `OWN`, `hide` the controls that are not shown, `tab` the open tab,
    `shade` the quantity that the drawing's colours show if they do not show the kinds,
    `view` how the page is shown: `PROJECTOR`, or None.
    """

    network: Network = field(default_factory=lambda: parse_arch(DEFAULT_ARCH))
    pin: Pin = field(default_factory=Pin)
    beside: tuple[Pin, ...] = (Pin(),)
    baseline: int = 0
    batch: int = 1
    dtype: str = "float32"
    count: str = "MACs"
    lang: str | None = None
    runs: tuple[str, ...] = ()
    sweep: str | None = None
    task: str | None = None
    tasks: tuple[str, ...] = ()
    lesson: str = ""
    hide: tuple[str, ...] = ()
    tab: str = ""
    shade: str = ""
    view: str | None = None

    def __post_init__(self) -> None:
        check_int(self.batch, "the batch size", 1, MAX_BATCH)

    @property
    def architecture(self) -> Architecture:
        """The architecture being edited."""
        return self.network.architecture

    def opened(self) -> Task | None:
        """The task that is open on Learn."""
        return self.own_task() if self.task == OWN else TASKS.get(self.task or "")

    def own_task(self) -> Task | None:
        """The task that the text of a lesson gives."""
        return written.read(self.lesson) if self.lesson else None

    def open_tab(self, page: str) -> str:
        """The tab that is open on `page`: `tab`, if the page has it, else its first one."""
        return self.tab if self.tab in TABS[page] else TABS[page][0]


def _choice(choices: Iterable[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            names = ", ".join(choices)
            raise InputError("{what} must be one of {names}, not {value}.", what=what, names=names, value=shown(text))
        return text

    return parse


def _tasks(text: str) -> tuple[str, ...]:
    names = {_choice(TASKS, "the task")(name) for name in text.split(",")}
    return tuple(name for name in TASKS if name in names)


def _lesson(packed: str) -> str:
    text = unpack(packed)
    try:
        written.read(text)
        pack(text)
    except InputError as reason:
        raise InputError("The lesson in the link cannot be used: {reason}", reason=reason) from reason
    return text


def _hidden(text: str) -> tuple[str, ...]:
    names = {_choice(HIDEABLE, "what is hidden")(name) for name in text.split(",")}
    return tuple(name for name in HIDEABLE if name in names)


def _place(text: str) -> int:
    """The place of a network, which people count from 1."""
    number = parse_whole(text, what="the baseline")
    check_int(number, "the baseline", 1, MAX_BESIDE + 1)
    return number - 1


def _run_id(what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not RUN_ID.fullmatch(text):
            raise InputError(what, id=shown(text))
        return text

    return parse


class Part(NamedTuple):
    """A key of a link: the field of `State`, the pages that carry it, how its text is read and written."""

    field: str
    pages: tuple[str, ...]
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str
    most: int = 1
    """How often it may stand in a link; the field of one that may be repeated is a tuple."""


PARTS = {
    "task": Part("task", (LEARN,), _choice((*TASKS, OWN), "the task")),
    "tasks": Part("tasks", (LEARN,), _tasks, ",".join),
    "lesson": Part("lesson", (LEARN,), _lesson, pack),
    "hide": Part("hide", (EXPLORE, TRAIN, LEARN), _hidden, ",".join),
    "tab": Part("tab", tuple(TABS), _choice(tuple(dict.fromkeys(chain(*TABS.values()))), "the tab")),
    "shade": Part("shade", (EXPLORE,), _choice(get_args(Quantity), "what the colours show")),
    "baseline": Part("baseline", (COMPARE,), _place, lambda place: str(place + 1)),
    "pin": Part("pin", NETWORK, Pin.parse),
    "batch": Part("batch", NETWORK, partial(parse_whole, what="the batch size")),
    "dtype": Part("dtype", NETWORK, _choice(DTYPES, "the data type")),
    "count": Part("count", NETWORK, _choice(COUNTS, "the count")),
    "run": Part("runs", (TRAIN, RUNS), _run_id("There is no run {id} here."), most=MAX_RUNS),
    "sweep": Part("sweep", (RUNS,), _run_id("There is no sweep {id} here.")),
    "view": Part("view", PAGES, _choice((PROJECTOR,), "the view")),
    "lang": Part("lang", PAGES, _choice(LANGUAGES, "the language")),
}
"""The keys of a link but those of the network, which are `arch` (repeated on Compare) and the `KEYS` of its text."""


# --- reading -------------------------------------------------------------------------------------------------


def read(params: Mapping[str, str | list[str]]) -> tuple[State, list[InputError]]:
    """The state that a URL's parameters name, and what in them could not be used (and was left out).

    `arch` may be repeated: the first is the network being edited, the others stand beside it. Without `arch` it is
    the network that the task begins with.
    """
    lists = {key: [values] if isinstance(values, str) else list(values) for key, values in params.items()}
    archs = lists.pop("arch", [])
    texts = {key: [text] for key, text in (split_network(archs[0]) if archs else {}).items()} | lists
    last = {key: values[-1] for key, values in texts.items() if values}
    state, errors = _read_parts(texts)
    task = state.opened()
    network, refused = _read_network(last, task.start if task and "arch" not in last else {"arch": DEFAULT_ARCH})
    state, errors = replace(state, network=network), refused + errors
    beside, refused = _read_beside(archs[1:])
    errors += _about_unknown(sorted(last.keys() - KEYS.keys() - PARTS.keys() - {"arch"})) + refused
    state = replace(state, beside=beside or state.beside)
    if state.baseline > len(state.beside):
        errors.append(InputError("There is no network {number} among these.", number=state.baseline + 1))
        state = replace(state, baseline=0)
    return state, errors


def follow(state: State, params: Mapping[str, str | list[str]], page: str) -> tuple[State, list[InputError]]:
    """`state` after Back or Forward to a URL of `page`: what the page's links do not carry stays as it is."""
    found, errors = read(params)
    fields = {part.field for part in PARTS.values() if page in part.pages}
    fields |= {"network"} if page in NETWORK else set()
    fields |= {"beside"} if page == COMPARE else set()
    return replace(state, **{field: getattr(found, field) for field in fields}), errors


def _read_parts(texts: Mapping[str, list[str]]) -> tuple[State, list[InputError]]:
    """The state of all parts but the networks."""
    state, errors = State(), list[InputError]()
    for key, part in PARTS.items():
        state, refused = _with(state, part, texts.get(key, []))
        errors += refused
    if state.task == OWN and not state.lesson:
        errors += [] if errors else [InputError("There is no lesson in the link.")]
        state = replace(state, task=None)
    return state, errors


def _with(state: State, part: Part, texts: list[str]) -> tuple[State, list[InputError]]:
    """`state` with the field of `part` read from its texts, of which the last counts if there may be one only."""
    values: list[Any] = []
    errors: list[InputError] = []
    for text in list(dict.fromkeys(texts))[: part.most] if part.most > 1 else texts[-1:]:
        try:
            value = part.parse(text)
            values.append(value)
            changes: dict[str, Any] = {part.field: tuple(values) if part.most > 1 else value}
            state = replace(state, **changes)
        except InputError as error:
            errors.append(error)
    return state, errors


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


# --- writing -------------------------------------------------------------------------------------------------


def write(state: State, page: str = EXPLORE, own: bool = False) -> dict[str, str | list[str]]:
    """The URL parameters of a state on `page`: what it carries, without what is at its default.

    On Train even the default network stands there if it is a person's `own`.
    """
    params = _write_network(state, page, own) if page in NETWORK else {}
    default = State()
    if page in TABS and state.open_tab(page) == TABS[page][0]:
        state = replace(state, tab="")
    for key, part in PARTS.items():
        value = getattr(state, part.field)
        if page in part.pages and value != getattr(default, part.field):
            params[key] = [part.format(each) for each in value] if part.most > 1 else part.format(value)
    return params


def _write_network(state: State, page: str, own: bool) -> dict[str, str | list[str]]:
    texts: dict[str, str | list[str]] = {**format_network(state.network)}
    if page == COMPARE:
        archs = _archs(state)
        common = {key: text for key, text in texts.items() if key in COMMON}
        return common if archs == _archs(State()) else {"arch": archs, **common}
    if page == LEARN and (task := state.opened()):
        return {} if state.network == parse_network(task.start) else texts
    if texts["arch"] == DEFAULT_ARCH and not (own and page == TRAIN):
        del texts["arch"]
    return texts


def _archs(state: State) -> list[str]:
    """The networks of a comparison, each with its own head and options."""
    return [str(Pin.beside(state.network)), *map(str, state.beside)]


def address(page: str, params: Mapping[str, str | list[str]]) -> str:
    """The address of a page in this very state."""
    query = urlencode(params, doseq=True, safe=":,;*=")
    return f"{page}{'?' if query else ''}{query}"
