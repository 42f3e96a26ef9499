"""What a run is asked for: its bounds, its JSON, its recipes, and when the book's figures stand beside it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import networks

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.runs import config as config_module
from vggexplorer.runs.config import RECIPES, Config, check_device, published, recipe
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.options import ABOUT, INITS, OPTIMIZERS, PRECISIONS, RECIPE_NAMES, SCHEDULES, Training
from vggexplorer.text import parse_network

SMALL = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "none"})
NAN = float("nan")
HUGE = 10**400

BAD = [
    ({"recipe": "vgg"}, "the recipe must be one of quick-demo, d2l-vgg"),
    ({"epochs": 0}, "the number of epochs must be from 1 to 10,000, not 0."),
    ({"epochs": True}, "the number of epochs must be a whole number"),
    ({"epochs": 2.0}, "the number of epochs must be a whole number"),
    ({"epochs": HUGE}, "the number of epochs must be from 1 to 10,000, not ≈10^400."),
    ({"images": 0}, "the number of training images must be from 1 to 10,000,000, not 0."),
    ({"batch_size": "128"}, "the batch size must be a whole number, not “128”."),
    ({"batch_size": 65_537}, "the batch size must be from 1"),
    ({"lr": 0}, "the learning rate must be above 0 and at most 1,000, not 0."),
    ({"lr": NAN}, "the learning rate must be above 0"),
    ({"lr": float("inf")}, "the learning rate must be above 0"),
    ({"lr": HUGE}, "the learning rate must be above 0"),
    ({"lr": "0.05"}, "the learning rate must be above 0"),
    ({"lr": True}, "the learning rate must be above 0"),
    (
        {"schedule": "sine"},
        "the learning rate schedule must be one of constant, linear, step, cosine, range, not “sine”.",
    ),
    ({"momentum": 1}, "the momentum must be at least 0 and below 1, not 1."),
    ({"momentum": -0.1}, "the momentum must be at least 0"),
    ({"weight_decay": 1.5}, "the weight decay must be from 0 to 1, not 1.5."),
    ({"conv_init": "xavier_uniform"}, "the initialisation of convolutions must be one of pytorch, xavier"),
    ({"linear_init": None}, "the initialisation of linear layers must be one of"),
    ({"precision": "float16"}, "the precision must be one of auto, float32, bfloat16"),
    ({"crop": 65}, "the random shift must be from 0 to 64"),
    ({"brightness": 1.01}, "the change of brightness must be from 0 to 1"),
    ({"time_budget": 0.5}, "the time budget must be from 1 to"),
    ({"checkpoint_every": 0}, "the time between checkpoints must be from 1 to"),
    ({"flip": "no"}, "the random mirroring must be true or false, not “no”."),
    ({"batch_norm": 1}, "the batch norm must be true or false, not 1."),
    ({"dropout": NAN}, "the dropout must be at least 0 and below 1, not nan."),
    ({"dropout": 1.0}, "the dropout must be at least 0"),
    ({"dropout": "half"}, "the dropout must be at least 0"),
    ({"input_size": 0}, "the input size must be from 1 to 8,192, not 0."),
    ({"input_size": HUGE}, "the input size must be from 1"),
    ({"input_size": True}, "the input size must be a whole number"),
    ({"input_size": 56.0}, "the input size must be a whole number"),
]


@pytest.mark.parametrize(("values", "sentence"), BAD, ids=lambda value: str(value)[:40])
def test_what_is_out_of_bounds_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Training(**values)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"seed": -1},
        {"seed": 2**31},
        {"seed": True},
        {"device": "gpu"},
        {"network": parse_network({"arch": "1x4", "classes": "9"})},
    ],
    ids=str,
)
def test_a_config_that_cannot_be_trained_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Config(**{"network": SMALL, "training": Training()} | values)


def test_a_folder_may_have_fewer_classes() -> None:
    network = parse_network({"arch": "1x4", "classes": "2"})
    assert Config(network=network, training=Training(), dataset=Dataset("folder", "pictures")).trained == network


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:15"])
def test_devices(device: str) -> None:
    check_device(device)


@pytest.mark.parametrize(
    "device", ["", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:²", "cuda:12345", None, 0, "cuda:0 "]
)
def test_what_is_no_device(device: Any) -> None:
    with pytest.raises(InputError, match="The device must be auto, cpu"):
        check_device(device)


# --- JSON ------------------------------------------------------------------------------------------------

trainings = st.builds(
    Training,
    recipe=st.sampled_from(RECIPE_NAMES),
    epochs=st.integers(1, 10_000),
    images=st.none() | st.integers(1, 10**7),
    batch_size=st.integers(1, 65_536),
    lr=st.floats(0, 1000, exclude_min=True),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    schedule=st.sampled_from(list(SCHEDULES)),
    step_epochs=st.integers(1, 10_000),
    step_factor=st.floats(0, 1, exclude_min=True),
    warmup=st.floats(0, 10_000),
    range_ratio=st.floats(1, 10**12, exclude_min=True),
    momentum=st.floats(0, 1, exclude_max=True),
    weight_decay=st.floats(0, 1),
    label_smoothing=st.floats(0, 1, exclude_max=True),
    dropout=st.none() | st.floats(0, 1, exclude_max=True),
    batch_norm=st.none() | st.booleans(),
    conv_init=st.sampled_from(list(INITS)),
    linear_init=st.sampled_from(list(INITS)),
    precision=st.sampled_from(list(PRECISIONS)),
    flip=st.booleans(),
    crop=st.integers(0, 64),
    brightness=st.floats(0, 1),
    time_budget=st.none() | st.floats(1, 10**7),
    patience=st.none() | st.integers(1, 10_000),
    keep_best=st.booleans(),
    checkpoint_every=st.floats(1, 10**7),
)


@examples(100)
@given(networks(), trainings, st.integers(0, 2**31 - 1), st.sampled_from(["auto", "cpu", "cuda:3"]))
def test_json_holds_all_of_it(network: Network, training: Training, seed: int, device: str) -> None:
    config = Config(network=network, training=training, seed=seed, device=device, dataset=Dataset("folder", "x"))
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config


GOOD = Config(network=SMALL, training=RECIPES["quick-demo"]).to_json()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "text",
        GOOD | {"more": 1},
        {key: value for key, value in GOOD.items() if key != "seed"},
        GOOD | {"network": None},
        GOOD | {"network": {"arch": 5}},
        GOOD | {"network": []},
        GOOD | {"network": {}},
        GOOD | {"training": {"nonsense": 1}},
        GOOD | {"training": ["lr"]},
        GOOD | {"training": None},
        GOOD | {"training": {"lr": "high"}},
        GOOD | {"training": {"lr": HUGE}},
        GOOD | {"dataset": 7},
        GOOD | {"device": []},
        GOOD | {"seed": "0"},
        GOOD | {"version": "1"},
        GOOD | {"version": True},
    ],
    ids=lambda data: str(data)[-60:],
)
def test_json_that_describes_no_run_is_refused(data: Any) -> None:
    with pytest.raises(InputError):
        Config.from_json(data)


@pytest.mark.parametrize("version", [0, 2, HUGE])
def test_another_version_is_named(version: int) -> None:
    with pytest.raises(InputError, match="written by another version of this program"):
        Config.from_json(GOOD | {"version": version, "unheard_of": 1})


def test_a_config_of_an_older_version_takes_the_defaults_of_what_came_later(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class LaterTraining(Training):
        mood: int = 5

    @dataclass(frozen=True, slots=True, kw_only=True)
    class LaterConfig(Config):
        note: str = "none"

    monkeypatch.setattr(config_module, "Training", LaterTraining)
    monkeypatch.setattr(config_module, "Config", LaterConfig)
    later = Config.from_json(GOOD)
    assert isinstance(later, LaterConfig)
    assert isinstance(later.training, LaterTraining)
    assert (later.note, later.training.mood) == ("none", 5)
    assert later.to_json() == GOOD | {"note": "none", "training": GOOD["training"] | {"mood": 5}}


@pytest.mark.parametrize("newer", [{"warp": 1}, {"training": {"warp": True}}], ids=str)
def test_what_only_a_newer_version_knows_is_named(newer: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="by a newer version of this program: this one does not know “warp”"):
        Config.from_json(GOOD | newer)


# --- recipes ---------------------------------------------------------------------------------------------


def test_every_recipe_is_described_and_named_after_itself() -> None:
    assert list(RECIPES) == list(ABOUT) == list(RECIPE_NAMES)
    assert all(RECIPES[name].recipe == name for name in RECIPES)


@pytest.mark.parametrize("title", list(NETWORKS))
def test_the_quick_demo_fits_every_named_network(title: str) -> None:
    network = NETWORKS[title]
    training = recipe("quick-demo", network)
    config = Config(network=network, training=training)
    smallest = network.architecture.min_side()
    assert config.trained.input_shape == (network.input_shape[0], *[max(32, smallest)] * 2)
    assert config.trained.architecture == replace(network.architecture.with_dropout(0), batch_norm=True)


def test_a_recipe_that_is_not_there() -> None:
    with pytest.raises(InputError, match="the recipe must be one of"):
        recipe("best", SMALL)


def test_what_is_trained_is_the_network_with_the_recipes_input_dropout_and_batch_norm() -> None:
    config = Config(network=SMALL, training=Training(input_size=40, dropout=0.25, batch_norm=True))
    own = SMALL.architecture
    assert config.trained.input_shape == (1, 40, 40)
    assert config.trained.architecture == replace(own, head=replace(own.head, dropout=0.25), batch_norm=True)
    assert Config(network=SMALL, training=Training()).trained == SMALL


def test_on_a_device_only_an_open_precision_is_filled_in() -> None:
    config = Config(network=SMALL, training=Training()).on("cuda:0", "bfloat16")
    assert (config.device, config.training.precision) == ("cuda:0", "bfloat16")
    fixed = Config(network=SMALL, training=Training(precision="float32")).on("cpu", "bfloat16")
    assert fixed.training.precision == "float32"


# --- the book's figures ----------------------------------------------------------------------------------

BOOK = Config(network=NETWORKS["VGG-11 slim"], training=RECIPES["d2l-vgg"], dataset=Dataset("full"))


def test_the_books_own_runs_have_published_figures() -> None:
    slim = published(BOOK)
    assert slim is not None
    assert slim.test_acc == (0.900, 0.925)
    alexnet = published(Config(network=NETWORKS["AlexNet"], training=RECIPES["d2l-alexnet"], dataset=Dataset("full")))
    assert alexnet is not None
    assert alexnet.test_acc == (0.860, 0.886)


@pytest.mark.parametrize(
    "same",
    [
        replace(BOOK, seed=7, device="cuda:0"),
        replace(BOOK, dataset=Dataset("full", "/data")),
        replace(BOOK, training=replace(BOOK.training, precision="bfloat16", checkpoint_every=5.0)),
    ],
    ids=["seed and device", "place of the data", "precision"],
)
def test_what_does_not_matter_leaves_them_there(same: Config) -> None:
    assert published(same)


@pytest.mark.parametrize(
    "other",
    [
        replace(BOOK, dataset=Dataset("sample")),
        replace(BOOK, network=NETWORKS["VGG-11"]),
        replace(BOOK, training=RECIPES["d2l-en-vgg"]),
        replace(BOOK, training=replace(BOOK.training, epochs=9)),
        replace(BOOK, training=replace(BOOK.training, lr=0.1)),
        replace(BOOK, training=replace(BOOK.training, input_size=96)),
        replace(BOOK, training=replace(BOOK.training, time_budget=60.0)),
        replace(BOOK, training=replace(BOOK.training, batch_norm=True)),
        replace(BOOK, training=recipe("quick-demo", BOOK.network)),
    ],
    ids=["sample", "network", "recipe", "epochs", "lr", "input", "time", "batch norm", "quick demo"],
)
def test_another_run_has_none(other: Config) -> None:
    assert published(other) is None
