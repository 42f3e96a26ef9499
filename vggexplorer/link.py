"""A link: everything that the dashboard shows, as one value and as the parameters of a URL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vggexplorer.architectures import Architecture, Network, check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.summary import DTYPES
from vggexplorer.text import KEYS, format_network, parse_arch, parse_network

DEFAULT_ARCH = "vgg11"
MAX_BATCH = 65_536
COUNTS = {"MACs": 1, "FLOPs": 2}
"""What can be shown for the arithmetic, and how many times the MACs it is."""
LANGUAGES = {"en": "English", "zh": "简体中文"}


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

    def __str__(self) -> str:
        rest = (f"{key}={text}" for key, text in self.params.items() if key != "arch")
        return ";".join([self.params["arch"], *rest])

    @staticmethod
    def parse(text: str) -> "Pin":
        """The pin written as `arch;key=text;...`; `InputError` if it names no network."""
        arch, *rest = text.split(";")
        params = {"arch": arch} | dict(part.partition("=")[::2] for part in rest)
        if unknown := sorted(params.keys() - KEYS.keys() - {"arch"}):
            raise InputError("The link has an unknown part, {key}.", key=shown(unknown[0]))
        pin = Pin(params)
        pin.network(parse_arch(DEFAULT_ARCH))
        return pin


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a link carries."""

    network: Network = field(default_factory=lambda: parse_arch(DEFAULT_ARCH))
    pin: Pin = field(default_factory=Pin)
    batch: int = 1
    dtype: str = "float32"
    count: str = "MACs"
    lang: str | None = None

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
    check_int(int(text), "the batch size", 1, MAX_BATCH)
    return int(text)


_OTHERS: dict[str, Callable[[str], Any]] = {
    "pin": Pin.parse,
    "batch": _batch,
    "dtype": _choice(DTYPES, "the data type"),
    "count": _choice(COUNTS, "the count"),
    "lang": _choice(LANGUAGES, "the language"),
}


def read(params: Mapping[str, str]) -> tuple[State, list[InputError]]:
    """The state that a URL's parameters name, and what in them could not be used (and was left out)."""
    errors = []
    good: dict[str, str] = {}
    for key in ("arch", *KEYS):
        if key in params:
            try:
                parse_network({"arch": DEFAULT_ARCH} | good | {key: params[key]})
                good[key] = params[key]
            except InputError as error:
                errors.append(error)
    state = State(network=parse_network({"arch": DEFAULT_ARCH} | good))
    for key in sorted(params.keys() - KEYS.keys() - {"arch"}):
        try:
            if key not in _OTHERS:
                raise InputError("The link has an unknown part, {key}.", key=shown(key))
            state = replace(state, **{key: _OTHERS[key](params[key])})
        except InputError as error:
            errors.append(error)
    return state, errors


def write(state: State) -> dict[str, str]:
    """The URL parameters of a state; what is at its default is left out."""
    params = format_network(state.network)
    if params["arch"] == DEFAULT_ARCH:
        del params["arch"]
    default = State()
    return params | {key: str(getattr(state, key)) for key in _OTHERS if getattr(state, key) != getattr(default, key)}
