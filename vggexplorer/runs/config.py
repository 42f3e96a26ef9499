"""What is asked of a run: a network, data, a device, and how to train it.

A recipe is a named `Training`. It never changes the channels or the head of a network: what it does change
(input size, batch norm, dropout) is applied by `Config.trained`, the network as it will be trained.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from vggexplorer.architectures import NETWORKS, Network, check_choice, check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.forecast.speed import Speed
from vggexplorer.processes import shell_line
from vggexplorer.runs import demo
from vggexplorer.runs.datasets import DEFAULT, Dataset
from vggexplorer.runs.demo import OF_ROW, ROWS, USUAL, Picked, Row
from vggexplorer.runs.options import OPTIONS, QUICK, RECIPE_NAMES, Training
from vggexplorer.summary import summarize
from vggexplorer.text import KEYS, checked, format_network, parse_network

VERSION = 1
"""Of config.json."""
RECIPES: dict[str, Training] = {
    QUICK: Training(
        recipe=QUICK,
        epochs=USUAL.epochs,
        images=USUAL.images,
        batch_size=USUAL.batch,
        lr=USUAL.lr,
        schedule=USUAL.schedule,
        momentum=0.9,
        input_size=USUAL.side,
        dropout=0.0,
        batch_norm=True,
        checkpoint_every=60.0,
    ),
    # Dive into Deep Learning: sections 7.2 and 7.1 of the Chinese edition, 8.2 of the English one.
    "d2l-vgg": Training(recipe="d2l-vgg", lr=0.05, input_size=224),
    "d2l-alexnet": Training(recipe="d2l-alexnet", lr=0.01, input_size=224),
    "d2l-en-vgg": Training(recipe="d2l-en-vgg", lr=0.01, input_size=224),
    # A reader's variant for a smaller computer: 160 pixels, meant for VGG-11-160 with its head of 1024 and 128.
    "d2l-160": Training(recipe="d2l-160", lr=0.05, input_size=160),
}
"""By name; `ABOUT` says what each is meant for."""


def recipe(
    name: str,
    network: Network,
    speed: Speed | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
    beside: Network | None = None,
) -> Training:
    """The recipe `name` for `network` with `changes` of its fields; the row of the quick demo is that of `picked`."""
    check_choice(name, "the recipe", RECIPE_NAMES)
    if name != QUICK:
        return replace(RECIPES[name], **changes)
    return replace(as_row(picked(network, speed, changes, beside).row, network), **changes)


def picked(
    network: Network,
    speed: Speed | None,
    changes: Mapping[str, Any] = MappingProxyType({}),
    beside: Network | None = None,
) -> Picked:
    """The row of the quick demo for `network` on a device of that `speed`, at the input size of `changes`, if any.

    `beside` is the heaviest one of those that it is compared with: they learn from as many images.
    """
    network = beside or network
    side = changes.get("input_size", 0)
    return demo.pick(network, speed, network.input_shape[1] if side is None else side)


def nearest(training: Training, network: Network) -> Training:
    """The recipe that `training` names; of the quick demo the row that it is most alike."""
    if training.recipe != QUICK:
        return RECIPES[training.recipe]
    own = asdict(training)

    def differs(other: Training) -> int:
        return sum(value != own[name] for name, value in asdict(other).items())

    return min((as_row(row, network) for row in (USUAL, *ROWS)), key=differs)


def as_row(row: Row, network: Network) -> Training:
    """The quick demo with that row."""
    return replace(
        RECIPES[QUICK],
        input_size=row.input_of(network),
        images=row.images,
        epochs=row.epochs,
        batch_size=row.batch,
        lr=row.lr_of(network),
        schedule=row.schedule,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A run as it was asked for; written once, into config.json."""

    network: Network
    training: Training
    dataset: Dataset = DEFAULT
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_device(self.device)
        classes, known = self.network.architecture.num_classes, self.dataset.known
        if known and classes < len(known.classes):
            raise InputError(
                "{data} has {needed} classes, this network has {classes}.",
                data=known.title,
                needed=len(known.classes),
                classes=classes,
            )
        _check_input(self.trained)

    @property
    def trained(self) -> Network:
        """The network as it will be trained: with the recipe's input size, dropout and batch norm."""
        architecture, (channels, height, width) = self.network
        training = self.training
        if training.dropout is not None:
            architecture = architecture.with_dropout(training.dropout)
        if training.batch_norm is not None:
            architecture = replace(architecture, batch_norm=training.batch_norm)
        if training.input_size is not None:
            height = width = training.input_size
        return Network(architecture, (channels, height, width))

    def on(self, device: str, precision: str) -> "Config":
        """The same run on a device of this machine; where the precision is left open, it is `precision`."""
        training = self.training
        if training.precision == "auto":
            training = replace(training, precision=precision)
        return replace(self, device=device, training=training)

    def to_json(self) -> dict[str, Any]:
        """What config.json holds."""
        asked = {field.name: getattr(self, field.name) for field in fields(self)}
        texts = {"network": format_network(self.network), "dataset": str(self.dataset)}
        return {"version": VERSION} | asked | texts | {"training": asdict(self.training)}

    @staticmethod
    def from_json(data: Any) -> "Config":
        """The config that `to_json` wrote; `InputError` if this program cannot know what it means.

        What came to `Config` or `Training` later, and an older program did not write, has its default. What only a
        newer one knows is refused: a run must not go on as another than was asked for.
        """
        damaged = InputError("The file config.json does not describe a run.")
        if not isinstance(data, Mapping) or type(data.get("version")) is not int:
            raise damaged
        if data["version"] != VERSION:
            raise InputError(
                "The run was written by another version of this program ({version}).", version=shown(data["version"])
            )
        if not data.keys() >= _FIRST or not isinstance(data["training"], Mapping):
            raise damaged
        asked = {name: value for name, value in data.items() if name != "version"}
        _check_known(asked, Config)
        _check_known(asked["training"], Training)
        try:
            read = {"network": _network(tuple(asked["network"].items())), "dataset": Dataset.parse(asked["dataset"])}
            return Config(**(asked | read | {"training": Training(**asked["training"])}))
        except (TypeError, AttributeError, KeyError) as error:
            raise damaged from error


_KEPT = 2048
"""How many networks are remembered: more than a sweep has runs, each of which may have one of its own."""


@lru_cache(maxsize=_KEPT)
def _network(texts: tuple[tuple[str, str], ...]) -> Network:
    """The network in a config; many runs have the same."""
    return parse_network(dict(texts))


@lru_cache(maxsize=_KEPT)
def _check_input(network: Network) -> None:
    """Raise `InputError` if the input is too small for the network."""
    summarize(*checked(network))


_FIRST = {"network", "training", "dataset", "device", "seed"}
"""What every version has written into config.json."""


def _check_known(data: Mapping[str, Any], kind: type[Config | Training]) -> None:
    """`InputError` if there is something in `data` that is no field of `kind`."""
    known = {field.name for field in fields(kind)}
    if unknown := next((name for name in data if name not in known), None):
        raise InputError(
            "The run was written by a newer version of this program: this one does not know {name}.",
            name=shown(unknown),
        )


def command(config: Config) -> str | None:
    """What trains the same on another machine, whatever was measured there; a device is left to that machine.

    None if a command cannot say it: none takes a recipe's batch norm away, or its dropout from a head of layers.
    """
    training, usual = config.training, RECIPES[config.training.recipe]
    words = ["vggexplorer", "train", ";".join(_arch(config.network)), "--recipe", training.recipe]
    for name, option in OPTIONS.items():
        value = getattr(training, name)
        if option.help and value is not None and (name in {*OF_ROW, "input_size"} or value != getattr(usual, name)):
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [f"{value}"])]
    if training.dropout != usual.dropout:
        if not (dropout := KEYS["dropout"].format(config.trained)):
            return None
        words += ["--dropout", dropout]
    if training.batch_norm != usual.batch_norm:
        if not config.trained.architecture.batch_norm:
            return None
        words.append("--batch-norm")
    words += ["--dataset", str(config.dataset)] if config.dataset != DEFAULT else []
    return shell_line([*words, "--seed", str(config.seed)])


def _arch(network: Network) -> list[str]:
    texts = format_network(network)
    return [texts.pop("arch"), *(f"{key}={text}" for key, text in texts.items())]


def check_seed(seed: Any) -> None:
    """Raise `InputError` unless `seed` can be one."""
    check_int(seed, "the seed", 0, 2**31 - 1)


def check_device(device: Any) -> None:
    """Raise `InputError` unless `device` is auto, cpu, mps, cuda or cuda:N."""
    known = isinstance(device, str) and (
        device in ("auto", "cpu", "mps", "cuda")
        or (device.startswith("cuda:") and device[5:].isascii() and device[5:].isdecimal() and len(device) < 9)
    )
    if not known:
        raise InputError(
            "The device must be auto, cpu, mps, cuda or cuda and a number, as in cuda:0, not {value}.",
            value=shown(device),
        )


@dataclass(frozen=True, slots=True)
class Published:
    """Figures that the book or a reader published for a run: their spread and single runs."""

    test_acc: tuple[float, float]
    builds: int
    runs: tuple[tuple[str, str], ...] = ()


_SLIM = NETWORKS["VGG-11 slim"].architecture
PUBLISHED = {
    # The test accuracies over all published builds of the book, and what readers' notes report.
    "d2l-vgg": Published(
        (0.900, 0.925),
        73,
        (
            ("Dive into Deep Learning 2.0.0", "loss 0.178, train acc 0.935, test acc 0.920, 2463.7 examples/sec"),
            (
                "GTX 1660 Ti",
                "loss 0.177, train acc 0.935, test acc 0.924, 746.9 examples/sec, 14 min 40 s, 3,598 MiB, 98 W",
            ),
            ("another build", "loss 0.220, train acc 0.918, test acc 0.900, 2578.4 examples/sec"),
        ),
    ),
    "d2l-alexnet": Published(
        (0.860, 0.886),
        82,
        (
            ("Dive into Deep Learning 2.0.0", "loss 0.331, train acc 0.878, test acc 0.883, 3941.8 examples/sec"),
            ("GTX 1660 Ti", "test acc 0.864"),
        ),
    ),
}
_BOOKS_OWN = {"d2l-vgg": "VGG-11 slim", "d2l-alexnet": "AlexNet"}


def published(config: Config) -> Published | None:
    """What the book published for this very run (its network, recipe and data), or None."""
    name = config.training.recipe
    if name not in _BOOKS_OWN or config.dataset.kind != "full":
        return None
    own = replace(config.training, precision="auto", checkpoint_every=RECIPES[name].checkpoint_every, keep_best=False)
    same = own == RECIPES[name] and config.trained == NETWORKS[_BOOKS_OWN[name]]
    return PUBLISHED[name] if same else None
