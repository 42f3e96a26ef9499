"""What is said of a trained network: a table of cases, and the figures by class behind it."""

from dataclasses import replace
from typing import Any

import pytest

from vggexplorer.runs import verdict
from vggexplorer.runs.config import RECIPES, Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.options import RANGE
from vggexplorer.text import parse_network

NOTHING, HEART, VOTE = "learned nothing", "by heart", "majority vote"
GUESSED = [[10] * 10 for _ in range(10)]
RIGHT = [[90 if at == to else 0 for to in range(10)] for at in range(10)]
TWO = [[9, 9], [9, 9]]


def facts(rows: list[list[int]], train_acc: float | None, trained: Any = (), **changed: Any) -> verdict.Facts:
    network = parse_network({"arch": "1x4,1x8", "input": "1x32x32", "classes": str(len(rows)), "hidden": "16"})
    training = replace(RECIPES["quick-demo"], **changed)
    config = Config(network=network, training=training, dataset=Dataset.parse("folder:/pictures"), device="cpu")
    names = [f"class {place}" for place in range(len(rows))]
    found = verdict.facts({"confusion": rows, "classes": names}, config, train_acc, trained or ())
    assert found
    return found


def said(known: verdict.Facts) -> str:
    return " ".join(map(str, verdict.judge(known))).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("rows", "train_acc", "trained", "words"),
    [
        (RIGHT, 0.9, None, []),
        (RIGHT, None, None, []),
        (GUESSED, 0.1, None, [NOTHING]),
        (GUESSED, 0.11, [600] * 10, [NOTHING]),
        (GUESSED, 0.15, [600] * 10, []),  # it has begun to learn
        (GUESSED, None, None, []),  # nobody knows
        (GUESSED, 1.0, None, [HEART]),  # training does not say so
        (TWO, 0.5, [51, 51], [NOTHING]),
        (TWO, 0.59, [51, 51], [NOTHING]),  # chance makes as much of 102 pictures
        (TWO, 0.7, [51, 51], [HEART]),
        ([[18, 0], [18, 0]], 1.0, [51, 51], [HEART]),  # the small set of a few steps, as it was
        ([[90, 0], [10, 0]], 0.9, [540, 60], [VOTE, NOTHING]),
        ([[90, 0], [10, 0]], 0.97, [540, 60], [VOTE]),
        ([[90, 0], [10, 0]], 1.0, [540, 60], [VOTE]),  # 1.0 and 0.9 are near
        ([[0, 10], [0, 90]], 0.9, [60, 540], [VOTE, NOTHING]),
        ([[88, 2], [2, 8]], 0.97, [540, 60], []),
        ([[70, 20], [2, 8]], 0.75, [540, 60], []),  # below the share of the largest, but each class is recognised
        ([[90, 0], [90, 0]], 0.8, [90, 90], [HEART]),  # one answer, but no class is the larger one
        ([[60, 40], [40, 60]], 0.95, None, [HEART]),
        ([[95, 5], [5, 95]], 1.0, None, []),
        ([[3, 1], [1, 3]], 1.0, None, []),  # of eight pictures chance makes as much
    ],
)
def test_what_the_figures_mean(rows: Any, train_acc: float | None, trained: Any, words: list[str]) -> None:
    text = said(facts(rows, train_acc, trained))
    assert [word for word in (VOTE, NOTHING, HEART) if word in text] == words
    assert ("What may help" in text) is (NOTHING in words or HEART in words)


def test_a_majority_vote_is_named_with_its_figures() -> None:
    assert said(facts([[90, 0], [10, 0]], 0.97, [540, 60])) == (
        "100 of 100 test pictures are taken for class 0, the class that has 90.0 % of them: the accuracy of 90.0 % is "
        "that of a majority vote. Balanced over the classes it is 50.0 %."
    )


AT_FIRST = "another learning rate, more epochs"


@pytest.mark.parametrize(
    ("rows", "train_acc", "changed", "advice"),
    [
        (GUESSED, 0.1, {}, AT_FIRST),
        (GUESSED, 0.1, {"batch_norm": False}, f"batch norm, {AT_FIRST}"),
        (GUESSED, 0.1, {"momentum": 0.0, "batch_norm": False}, f"batch norm, momentum, {AT_FIRST}"),
        (GUESSED, 0.1, {"optimizer": "adam", "momentum": 0.0}, AT_FIRST),
        (GUESSED, 0.1, {"conv_init": "constant"}, f"Xavier initialisation, {AT_FIRST}"),
        (GUESSED, 0.1, {"time_budget": 9.0}, "another learning rate, a larger time budget"),
        (GUESSED, 1.0, {}, "more training pictures, random mirroring, random shift, dropout"),
        (
            GUESSED,
            1.0,
            {"flip": True, "dropout": 0.5},
            "more training pictures, random shift, weight decay, change of brightness",
        ),
        (
            GUESSED,
            1.0,
            {"flip": True, "crop": 4, "dropout": 0.5, "weight_decay": 1e-3, "brightness": 0.2},
            "more training pictures",
        ),
    ],
)
def test_advice_never_names_what_is_on(rows: Any, train_acc: float, changed: Any, advice: str) -> None:
    assert said(facts(rows, train_acc, None, **changed)).endswith(f"What may help: {advice}.")


def test_of_a_range_test_nothing_is_said() -> None:
    assert verdict.judge(facts(GUESSED, 0.1, None, schedule=RANGE)) == []


def test_each_class_counts_alike_in_the_balanced_accuracy() -> None:
    found = verdict.figures([[8, 2, 0], [0, 0, 0], [1, 0, 3]])
    assert (found.tested, found.right, found.recalls) == (14, 11, (0.8, None, 0.75))
    assert (found.accuracy, found.balanced) == (pytest.approx(11 / 14), pytest.approx(0.775))
    known = facts([[8, 2, 0], [0, 0, 0], [1, 0, 3]], 0.8, [70, 5, 30])
    assert [str(remark).replace("\N{NO-BREAK SPACE}", " ") for remark in verdict.by_class(known)] == [
        "Accuracy 78.6 %, balanced accuracy 77.5 %.",
        "Recall is from 75.0 % (class 2) to 80.0 % (class 0).",
    ]
    assert verdict.to_json(known) == {
        "balanced_acc": pytest.approx(0.775),
        "recalls": {"class 0": 0.8, "class 1": None, "class 2": 0.75},
        "remarks": [],
    }


def test_what_a_network_has_learned_is_a_sentence() -> None:
    told = [str(remark).replace("\N{NO-BREAK SPACE}", " ") for remark in verdict.summary(facts([[3, 1], [2, 4]], 0.7))]
    assert told == [
        "7 of 10 test pictures are recognised, 70.0 %.",
        "Most often class 1 is taken for class 0: 2 times.",
    ]
    assert len(verdict.summary(facts([[2, 0], [0, 1]], 1.0))) == 1


@pytest.mark.parametrize(
    "cells",
    [
        *(None, [], {}, [[1, 2]], [["a", "b"], ["c", "d"]], [[1, 2], [3]], [[0, 0], [0, 0]], [1, 2]),
        *([[-1, 2], [1, 1]], [[10**400, 0], [0, 1]]),
    ],
)
def test_a_confusion_matrix_that_is_none_is_not_shown(cells: Any) -> None:
    config = facts(TWO, 0.5).config
    assert verdict.facts({"classes": ["a", "b"], "confusion": cells}, config, 0.5) is None


@pytest.mark.parametrize("trained", [[], [1], [0, 0], [-1, 2], [10**400, 1]])
def test_without_the_counts_of_training_those_of_the_test_are_taken(trained: Any) -> None:
    assert facts([[3, 1], [2, 4]], 0.7, trained).trained == [4, 6]


def test_names_of_classes_cannot_move_a_terminals_cursor() -> None:
    config = facts(TWO, 0.5).config
    known = verdict.facts({"classes": ["\x1b[2J", "b\n"], "confusion": TWO}, config, 0.5)
    assert known
    assert known.names == (" [2J", "b ")
