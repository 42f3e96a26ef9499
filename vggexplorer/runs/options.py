"""The options of a training, one row for each: how it is called, read and checked, and what it is if not given.

The command line, the form on the page Train and the lists of a run's settings are made of these rows. A new option is a
row of `Training` and what the training loop makes of it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from vggexplorer.architectures import MAX_SIDE, check_choice, check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.text import parse_whole

QUICK = "quick-demo"
ABOUT = {
    QUICK: "Learns within half a minute: as many images as this device has time for, batch norm, momentum.",
    "d2l-vgg": "The book's training of the slim VGG-11: 224 pixels, learning rate 0.05, ten epochs.",
    "d2l-alexnet": "The book's training of AlexNet: 224 pixels, learning rate 0.01, ten epochs.",
    "d2l-en-vgg": "The English edition's training of the slim VGG-11: 224 pixels, learning rate 0.01, ten epochs.",
    "d2l-160": "A reader's variant for smaller computers: 160 pixels, learning rate 0.05, ten epochs.",
}
"""The recipes, and what each is meant for."""
RECIPE_NAMES = tuple(ABOUT)
INITS = {
    "pytorch": "PyTorch's default",
    "xavier": "Xavier",
    "kaiming": "Kaiming",
    "normal": "normal, σ = 0.01",
    "constant": "constant 1",
    "uniform10": "U(−10, 10), |w| < 5 → 0",
}
"""How the weights of a convolution or a linear layer can begin; biases keep PyTorch's default."""
PRECISIONS = {"auto": "the faster one here", "float32": "float32", "bfloat16": "bfloat16"}
OPTIMIZERS = {"sgd": "gradient descent (SGD)", "adam": "Adam"}
"""How weights follow their gradients."""
SCHEDULES = {
    "constant": "constant",
    "linear": "falls linearly to 0",
    "step": "falls in steps",
    "cosine": "falls along a cosine to 0",
    "range": "rises exponentially (range test)",
}
"""How the learning rate of a step can follow from how much of the training is over."""
RANGE = "range"
"""The schedule of a run that is there to show what becomes of the loss as the learning rate rises."""
MAX_EPOCHS = 10_000
MAX_BATCH = 65_536
MAX_IMAGES = 10**7
MAX_TIME = 10**7
"""Seconds."""


# --- what people type --------------------------------------------------------------------------------


def parse_number(text: str, what: str) -> float:
    """The finite number in `text`; `what` names it in the `InputError` if there is none."""
    form = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?"
    if not re.fullmatch(form, text.strip().lower()) or len(text) > 30 or not math.isfinite(float(text)):
        raise InputError("{what} must be a number such as 0.05 or 1e-3, not {value}.", what=what, value=shown(text))
    return float(text)


# --- kinds of options --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is known of an option, whatever its kind.

    `label` is its name in forms and lists, `help` what the command line says of it; without, it is none there. `empty`
    is what a form calls None; without, it cannot be None. `only` is another option and its value, without which this
    one means nothing.
    """

    label: str
    help: str = ""
    empty: str = ""
    only: tuple[str, str] | None = None
    metavar: ClassVar[str] = "NAME"

    @property
    def what(self) -> str:
        """Its name in a sentence."""
        return f"the {self.label}"

    def check(self, value: Any) -> None:
        """Raise `InputError` unless the option can be `value`."""
        if value is not None or not self.empty:
            self._check(value)

    def parse(self, given: Any) -> Any:
        """What was typed as a value, which is not checked yet; `InputError` if it is of another kind."""
        return given

    def _check(self, value: Any) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Option):
    """A number from `low` (or `above` it) to `high` (or `below` it), which a form changes by `step`."""

    low: float = 0
    high: float
    above: bool = False
    below: bool = False
    step: float = 1
    unit: str = ""
    metavar: ClassVar[str] = "X"

    def parse(self, given: str) -> float:
        """The number in a text."""
        return parse_number(given, self.what)

    def _check(self, value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        inside = number and self.low <= value <= self.high
        if inside and not (self.above and value == self.low) and not (self.below and value == self.high):
            return
        values = {"what": self.what, "low": f"{self.low:,}", "high": f"{self.high:,}", "value": shown(value)}
        if self.above:
            raise InputError("{what} must be above {low} and at most {high}, not {value}.", **values)
        if self.below:
            raise InputError("{what} must be at least {low} and below {high}, not {value}.", **values)
        raise InputError("{what} must be from {low} to {high}, not {value}.", **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Number):
    """A whole number from `low` to `high`."""

    metavar: ClassVar[str] = "N"

    def parse(self, given: str) -> int:
        """The whole number in a text."""
        return parse_whole(given, self.what)

    def _check(self, value: Any) -> None:
        check_int(value, self.what, int(self.low), int(self.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Option):
    """One of some names; `words` says what each is called in a form."""

    words: Mapping[str, str]

    def _check(self, value: Any) -> None:
        check_choice(value, self.what, tuple(self.words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Option):
    """True or false; the command line can say true only."""

    def _check(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise InputError("{what} must be true or false, not {value}.", what=self.what, value=shown(value))


# --- the table ---------------------------------------------------------------------------------------

_Value = TypeVar("_Value")


def _row(default: _Value, option: Option) -> _Value:
    return field(default=default, metadata={"option": option})


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How to train: by itself with plain stochastic gradient descent on the cross-entropy loss, as in the book.

    `None` for `input_size`, `dropout` or `batch_norm` leaves the network's own; the command line has the last two among
    the options of the network. `None` for `images` takes all training images.
    """

    recipe: str = "d2l-vgg"
    epochs: int = _row(10, Whole(label="number of epochs", help="number of epochs", low=1, high=MAX_EPOCHS))
    images: int | None = _row(
        None,
        Whole(
            label="number of training images",
            help="train on N images only, of each class in proportion (all, if there are fewer)",
            empty="all",
            low=1,
            high=MAX_IMAGES,
        ),
    )
    batch_size: int = _row(128, Whole(label="batch size", help="examples in a step", low=1, high=MAX_BATCH))
    optimizer: str = _row(
        "sgd",
        OneOf(
            label="optimizer",
            help="sgd, or adam, which needs a learning rate of its own: 0.001 is PyTorch's default",
            words=OPTIMIZERS,
        ),
    )
    lr: float = _row(
        0.05,
        Number(
            label="learning rate",
            help="learning rate; with a schedule the highest one",
            high=1000,
            above=True,
            step=0.01,
        ),
    )
    schedule: str = _row(
        "constant",
        OneOf(
            label="learning rate schedule",
            help="constant; linear or cosine: the learning rate falls from step to step, to 0 after the last one; "
            "step: it falls every few epochs; range: a test, in which it rises until the loss is not a number any more",
            words=SCHEDULES,
        ),
    )
    step_epochs: int = _row(
        3,
        Whole(
            label="epochs between two falls",
            help="with the schedule step: epochs from one fall of the learning rate to the next",
            low=1,
            high=MAX_EPOCHS,
            only=("schedule", "step"),
        ),
    )
    step_factor: float = _row(
        0.1,
        Number(
            label="factor of a fall",
            help="with the schedule step: what the learning rate is multiplied by at each fall, from 0 to 1",
            high=1,
            above=True,
            step=0.1,
            only=("schedule", "step"),
        ),
    )
    range_ratio: float = _row(
        1000.0,
        Number(
            label="rise of the learning rate",
            help="with the schedule range: how many times its first value the learning rate is in the end",
            low=1,
            high=10**12,
            above=True,
            step=100,
            only=("schedule", RANGE),
        ),
    )
    warmup: float = _row(
        0.0,
        Number(
            label="warm-up",
            help="epochs in which the learning rate rises from step to step, to what its schedule says",
            high=MAX_EPOCHS,
            unit="epochs",
        ),
    )
    momentum: float = _row(
        0.0,
        Number(
            label="momentum",
            help="with the optimizer sgd: momentum, from 0 to below 1",
            high=1,
            below=True,
            step=0.1,
            only=("optimizer", "sgd"),
        ),
    )
    weight_decay: float = _row(0.0, Number(label="weight decay", help="weight decay, from 0 to 1", high=1, step=0.0001))
    label_smoothing: float = _row(
        0.0,
        Number(
            label="label smoothing",
            help="share of each label that goes to all classes alike, from 0 to below 1; the training loss that is "
            "shown has it, the test loss has not",
            high=1,
            below=True,
            step=0.1,
        ),
    )
    input_size: int | None = _row(
        None,
        Whole(
            label="input size",
            help="height and width of the pictures in training, in pixels",
            empty="its own",
            low=1,
            high=MAX_SIDE,
            unit="pixels",
        ),
    )
    dropout: float | None = _row(None, Number(label="dropout", empty="its own", high=1, below=True))
    batch_norm: bool | None = _row(None, Switch(label="batch norm", empty="its own"))
    conv_init: str = _row(
        "xavier",
        OneOf(
            label="initialisation of convolutions",
            help="how the weights of convolutions begin (see below)",
            words=INITS,
        ),
    )
    linear_init: str = _row(
        "xavier",
        OneOf(
            label="initialisation of linear layers",
            help="how the weights of linear layers begin (see below)",
            words=INITS,
        ),
    )
    precision: str = _row("auto", OneOf(label="precision", help=", ".join(PRECISIONS), words=PRECISIONS))
    exact: bool = _row(
        False,
        Switch(
            label="exact bits",
            help="on a GPU: give the same bits with the same seed, and after a resume; steps take longer",
        ),
    )
    flip: bool = _row(False, Switch(label="random mirroring", help="mirror pictures at random"))
    crop: int = _row(
        0, Whole(label="random shift", help="shift pictures at random by up to N pixels", high=64, unit="pixels")
    )
    brightness: float = _row(
        0.0,
        Number(
            label="change of brightness",
            help="change the brightness at random by up to X, from 0 to 1",
            high=1,
            step=0.1,
        ),
    )
    time_budget: float | None = _row(
        None,
        Number(
            label="time budget",
            help="finish after X seconds, whatever the epoch",
            empty="none",
            low=1,
            high=MAX_TIME,
            unit="seconds",
        ),
    )
    patience: int | None = _row(
        None,
        Whole(
            label="patience",
            help="finish after N epochs without a better test accuracy",
            empty="none",
            low=1,
            high=MAX_EPOCHS,
            unit="epochs",
        ),
    )
    keep_best: bool = _row(
        False,
        Switch(
            label="best weights kept",
            help="keep the weights with the best test accuracy too, beside those of the end; each better test writes "
            "them and a checkpoint",
        ),
    )
    checkpoint_every: float = _row(
        15.0,
        Number(
            label="time between checkpoints",
            help="seconds between checkpoints",
            low=1,
            high=MAX_TIME,
            step=10,
            unit="seconds",
        ),
    )

    def __post_init__(self) -> None:
        check_choice(self.recipe, "the recipe", RECIPE_NAMES)
        for name, option in OPTIONS.items():
            option.check(getattr(self, name))

    def num_images(self, count: int) -> int:
        """How many of `count` training images are used."""
        return min(count, self.images or count)

    @property
    def kept(self) -> int:
        """How many numbers the optimizer keeps for each weight, from step to step."""
        return 2 if self.optimizer == "adam" else int(self.momentum > 0)

    @property
    def may_end_early(self) -> bool:
        """Whether its last step may not be the one that it was asked for."""
        return self.time_budget is not None or self.patience is not None or self.schedule == RANGE

    def applies(self, name: str) -> bool:
        """Whether the option `name` means anything beside the others."""
        only = OPTIONS[name].only
        return only is None or getattr(self, only[0]) == only[1]

    def lr_at(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of a step, the first one being 0, where an epoch has so many steps.

        It follows from the step alone. A time budget does not change it: what ends early ends before the rate is 0.
        While it warms up, it is a part of what it would be otherwise: after n of N such steps, (n + 1) / N.
        """
        warm = self.warmup * steps_per_epoch
        share = (step + 1) / warm if step + 1 < warm else 1
        return self.lr * self._scheduled(step, steps_per_epoch) * share

    def _scheduled(self, step: int, steps_per_epoch: int) -> float:
        """What the schedule makes of a learning rate of 1."""
        over = step / (self.epochs * steps_per_epoch)
        match self.schedule:
            case "linear":
                return 1 - over
            case "cosine":
                return (1 + math.cos(math.pi * over)) / 2
            case "step":
                return self.step_factor ** (step // (self.step_epochs * steps_per_epoch))
            case "range":
                last = max(1, self.epochs * steps_per_epoch - 1)
                return math.pow(self.range_ratio, step / last - 1)
        return 1


OPTIONS: dict[str, Option] = {each.name: each.metadata["option"] for each in fields(Training) if each.metadata}
"""The options by the names of their fields; all of `Training` but the recipe."""
