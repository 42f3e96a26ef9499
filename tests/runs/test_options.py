"""The table of training options: each row alone gives a check, an option of the command line, a field and a label."""

import argparse
from dataclasses import fields, replace
from typing import Any

import pytest
from test_train_page import Train

from vggexplorer import cli
from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import OPTIONS, Number, OneOf, Option, Switch, Training, Whole, parse_number
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


def test_the_form_has_a_field_for_each() -> None:
    page = Train()
    for name in OPTIONS:
        assert page.widget(f"training {name}")


@pytest.mark.parametrize("text", ["much", "nan", "inf", "1e999", "0x10", "", "1_000"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InputError, match="the time must be a number such as"):
        parse_number(text, "the time")


def test_what_a_recipe_leaves_to_the_network_is_shown_as_the_networks() -> None:
    """Two runs that differ in the dropout of their networks alone differ in their settings."""
    networks = (parse_network({"arch": "vgg11", "dropout": text}) for text in ("0.1", "0.2"))
    one, other = (run_words.settings(Config(network=network, training=Training())) for network in networks)
    assert run_words.differences(one, other) == [("dropout", "0.1", "0.2")]
