"""The table of training options: each row alone gives a check, an option of the command line, a field and a label."""

import argparse
from dataclasses import fields, replace
from typing import Any

import pytest
from test_train_page import Train

from vggexplorer import cli
from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import OPTIONS, SCHEDULES, Number, OneOf, Option, Switch, Training, Whole, parse_number
from vggexplorer.text import parse_network
from vggexplorer.ui.run import words as run_words

ROWS = pytest.mark.parametrize(("name", "option"), OPTIONS.items(), ids=list(OPTIONS))
TYPED_ROWS = {name: option for name, option in OPTIONS.items() if option.help}
TYPED = pytest.mark.parametrize(("name", "option"), TYPED_ROWS.items(), ids=list(TYPED_ROWS))


def other(name: str, option: Option) -> Any:
    """A value that the option can have and has not by itself."""
    usual = getattr(Training(), name)
    match option:
        case OneOf():
            return next(word for word in option.words if word != usual)
        case Switch():
            return not usual
        case Whole():
            return int(option.low) + 3
        case Number():
            return (option.low + min(option.high, option.low + 1)) / 2
    raise AssertionError(option)


def test_every_field_but_the_recipe_has_a_row() -> None:
    assert OPTIONS.keys() == {field.name for field in fields(Training)} - {"recipe"}


@ROWS
def test_what_a_row_allows_is_allowed(name: str, option: Option) -> None:
    option.check(getattr(Training(), name))
    assert getattr(replace(Training(), **{name: other(name, option)}), name) == other(name, option)


@ROWS
@pytest.mark.parametrize("value", [object(), float("nan"), -1], ids=["object", "nan", "-1"])
def test_what_no_row_allows_is_refused_by_its_name(name: str, option: Option, value: Any) -> None:
    with pytest.raises(InputError, match=f"^the {option.label} must be"):
        Training(**{name: value})


@ROWS
def test_only_a_row_that_says_what_it_means_may_be_left_empty(name: str, option: Option) -> None:
    if option.empty:
        assert getattr(Training(**{name: None}), name) is None
    else:
        with pytest.raises(InputError):
            Training(**{name: None})


@TYPED
@pytest.mark.parametrize("command", ["train", "forecast", "sweep start"])
def test_the_command_line_takes_it(name: str, option: Option, command: str) -> None:
    value = other(name, option)
    flag = f"--{name.replace('_', '-')}"
    words = [flag] if isinstance(option, Switch) else [flag, str(value)]
    asked: argparse.Namespace = cli._parser().parse_args([*command.split(), "lenet", *words])
    assert option.parse(getattr(asked, name)) == value


@ROWS
def test_lists_have_a_label_for_it(name: str, option: Option) -> None:
    unit = [option.unit] if isinstance(option, Number) and option.unit else []
    assert run_words.label(name).lower() == ", ".join([option.label, *unit])


def test_the_form_has_a_field_for_each_that_means_anything() -> None:
    page = Train()
    for name, option in OPTIONS.items():
        if option.only and page.widget(f"training {option.only[0]}").value != option.only[1]:
            with pytest.raises(KeyError):
                page.widget(f"training {name}")
            page.set(f"training {option.only[0]}", option.only[1])
        assert page.widget(f"training {name}")


@ROWS
def test_what_an_option_needs_is_another_ones_value(name: str, option: Option) -> None:
    if option.only:
        OPTIONS[option.only[0]].check(option.only[1])


def test_what_means_nothing_is_no_setting_of_a_run() -> None:
    """Two runs whose rates fall linearly do not differ in the factor of falls that they do not have."""
    network = parse_network({"arch": "lenet"})
    asked = Training(schedule="linear", step_factor=0.5, warmup=1.0)
    shown = run_words.settings(Config(network=network, training=asked))
    assert (shown["schedule"], shown["warmup"]) == ("linear", 1.0)
    assert not shown.keys() & {"step_epochs", "step_factor"}
    falling = run_words.settings(Config(network=network, training=replace(asked, schedule="step")))
    assert (falling["step_epochs"], falling["step_factor"]) == (3, 0.5)


# --- the learning rate ---------------------------------------------------------------------------------


def rates(steps_per_epoch: int, **training: Any) -> list[float]:
    asked = Training(**{"lr": 0.8, "epochs": 4} | training)
    return [asked.lr_at(step, steps_per_epoch) for step in range(asked.epochs * steps_per_epoch)]


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({}, [0.8] * 8),
        ({"schedule": "linear"}, [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
        ({"schedule": "step", "step_epochs": 1, "step_factor": 0.5}, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]),
        ({"schedule": "step"}, [0.8] * 6 + [0.08] * 2),
        ({"schedule": "cosine", "epochs": 2}, [0.8, 0.4 + 0.4 * 0.5**0.5, 0.4, 0.4 - 0.4 * 0.5**0.5]),
        ({"schedule": "range", "range_ratio": 8.0, "epochs": 2}, [0.1, 0.2, 0.4, 0.8]),
        ({"schedule": "range", "epochs": 1}, [0.0008, 0.8]),
        ({"warmup": 2.0}, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8, 0.8]),
        ({"warmup": 1.5, "schedule": "linear", "epochs": 2}, [0.8 / 3, 0.6 * 2 / 3, 0.4, 0.2]),
        ({"warmup": 100.0, "epochs": 1}, [0.8 / 200, 0.8 / 100]),
        ({"warmup": 0.1}, [0.8] * 8),
    ],
    ids=str,
)
def test_the_learning_rate_of_each_step(training: dict[str, Any], expected: list[float]) -> None:
    assert rates(2, **training) == pytest.approx(expected, rel=1e-12)


def test_a_rate_is_never_0_and_never_above_what_was_asked_for() -> None:
    for schedule in SCHEDULES:
        for warmup in (0.0, 0.3, 2.0):
            assert all(0 < each <= 0.8 for each in rates(7, schedule=schedule, warmup=warmup))


@pytest.mark.parametrize("text", ["much", "nan", "inf", "1e999", "0x10", "", "1_000"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InputError, match="the time must be a number such as"):
        parse_number(text, "the time")


def test_what_a_recipe_leaves_to_the_network_is_shown_as_the_networks() -> None:
    """Two runs that differ in the dropout of their networks alone differ in their settings."""
    networks = (parse_network({"arch": "vgg11", "dropout": text}) for text in ("0.1", "0.2"))
    one, other = (run_words.settings(Config(network=network, training=Training())) for network in networks)
    assert run_words.differences(one, other) == [("dropout", "0.1", "0.2")]
