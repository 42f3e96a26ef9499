"""The tasks of Learn: right answers are accepted, wrong ones refused, and every figure comes from the core."""

import json
import re
from dataclasses import replace
from math import exp, isclose, nextafter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.comparison import Remark
from vggexplorer.formatting import exact, percent, ratio
from vggexplorer.lessons.asks import (
    TOLERANCE,
    Choice,
    Edit,
    Finished,
    Number,
    Order,
    Task,
    Theme,
    Trial,
    parse_number,
    to_predict,
)
from vggexplorer.lessons.common import halvings
from vggexplorer.lessons.glossary import GLOSSARY
from vggexplorer.lessons.lenet import sigmoid, sigmoid_slope
from vggexplorer.lessons.paper import distance
from vggexplorer.lessons.pools import most_convolutions
from vggexplorer.lessons.speeds import TABLE, fewer, least, macs_ratio, most
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.window import RECORDED, Kernel, learned, products, value, window
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.datasets import Dataset
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network

ALL = [(task, ask) for task in TASKS.values() for ask in task.asks]


def of(kind: type) -> Any:
    found = [(task, ask) for task, ask in ALL if isinstance(ask, kind)]
    return pytest.mark.parametrize(("task", "ask"), found, ids=[f"{task.key}.{ask.key}" for task, ask in found])


def book(name: str, side: int = 224) -> Summary:
    return summarize(NETWORKS[name].architecture, (1, side, side))


def by_key(key: str) -> Any:
    task, _, ask = key.partition(".")
    return next(each for each in TASKS[task].asks if each.key == ask)


# The book's networks as PyTorch counts them (parameters; multiply-accumulates of weights): see test_summary.py.
ALEXNET, VGG11, VGG19, SLIM = 46_764_746, 128_806_154, 139_610_058, 43_093_322
VGG16_MACS = 15_470_264_320 - 2 * 64 * 9 * 224**2 - 4096 * 990  # the paper's network with one channel and ten classes
ALEXNET_MACS, VGG11_MACS, VGG11_MACS_96, SLIM_MACS = 938_146_176, 7_547_232_256, 1_399_955_456, 512_155_648
SLIM_MACS_56 = (
    9
    * (
        16 * 56**2
        + 16 * 32 * 28**2
        + (32 * 64 + 64 * 64) * 14**2
        + (64 * 128 + 128 * 128) * 7**2
        + 2 * 128 * 128 * 3**2
    )
    + (128 + 4096 + 10) * 4096
)


def worked_by_hand() -> float:
    """The question's place of the recorded convolution, straight from the file."""
    found = json.loads(RECORDED.read_text("utf-8"))
    pixels, kernel = found["pictures"][0]["pixels"], found["kernels"][9]
    near = [pixels[row][column] for row in (17, 18, 19) for column in (14, 15, 16)]  # row 19, column 16
    return float(sum(a * b for a, b in zip(near, kernel, strict=True)) + found["biases"][9])


ANSWERS: dict[str, float | int | tuple[int, ...]] = {
    "listing.deeper": VGG16_MACS / VGG11_MACS,
    "listing.convolutions": 8,
    "listing.where": 1,
    "listing.vgg16": 5 + 3,
    "slower.macs": VGG11_MACS / ALEXNET_MACS,
    "slower.layers": (2, 1, 3, 0),  # 256·128·9·56², 128·64·9·112², 25088·4096, 64·9·224²
    "slower.memory": 16_407_050 / 1_333_642,
    "slower.time": 2,
    "parameters.ratio": VGG11 / ALEXNET,
    "parameters.layer": 1,
    "parameters.share": 100 * 119_586_826 / VGG11,
    "parameters.convolutions": 3_723_968,
    "flops.share": 100 * 119_578_624 / VGG11_MACS,
    "flops.conv": 2 * 7_427_653_632 / 1e9,
    "flops.fc": 2 * 119_578_624 / 1e9,
    "flops.why": 0,
    "flops.uses": 224 * 224,
    "speeds.time": 9.29 / 8.22,
    "speeds.why": 1,
    "speeds.most": 6.59,
    "speeds.least": 1.07,
    "speeds.so": 2,
    "head.gap": 128 * 10 + 10,
    "head.macs": 100 * (42_508_288 - 128 * 10) / SLIM_MACS,
    "head.memory": 4 * (42_516_490 - 1290) / 1e6,
    "input.convolutions": 1,
    "input.flat": 512 * 3 * 3,
    "input.macs": VGG11_MACS / VGG11_MACS_96,
    "input.training": 1,
    "table1.more": 100 * (VGG19 / VGG11 - 1),
    "pixels.left": 100 * SLIM_MACS_56 / SLIM_MACS,
    "pixels.vgg": 2**5,
    "pixels.alexnet": 65,
    "pixels.last": 56 // 2 // 2 // 2 // 2 // 2,
    "window.macs": 16 * 9 * 32 * 32,
    "window.corner": 5,
    "window.value": worked_by_hand(),
    "window.black": 1,
    "window.weights": 9,
    "fields.share": 100 * 27 / 49,
    "fields.two": 5,
    "fields.small": 27,
    "fields.large": 49,
    "fields.more": 1,
    # 1·64·9·56² + 64·128·9·28² + 128·256·9·14² + 256·10, and the same with half of the channels
    "deep.half": 100 * (903_168 + 14_450_688 + 14_450_688 + 1_280) / (1_806_336 + 2 * 57_802_752 + 2_560),
    "deep.paper": 2,
    "pools.left": 100 * 7**2 / 224**2,
    "pools.large": 7,
    "pools.small": 4,
    "pools.formula": 2,
    "gigabyte.weights": 6400 * 4096 + 4096 * 4096,
    "gigabyte.size": 171.966464,
    "gigabyte.verdict": 1,
    "lenet.params": ALEXNET / 61_706,
    "lenet.layers": 8 - 5,
    "lenet.slope": exp(-10) / (1 + exp(-10)) ** 2,
    "lenet.four": 100 * 0.25**4,
}


def test_every_question_with_one_answer_has_it_here() -> None:
    assert {f"{task.key}.{ask.key}" for task, ask in ALL if not isinstance(ask, Edit | Trial)} == ANSWERS.keys()


@pytest.mark.parametrize("key", ANSWERS)
def test_the_answer_is_what_is_known_from_elsewhere(key: str) -> None:
    answer = by_key(key).answer()
    assert answer == ANSWERS[key] or isclose(answer, ANSWERS[key], rel_tol=1e-12)


# --- numbers ------------------------------------------------------------------------------------------------


@of(Number)
def test_a_number_is_accepted_up_to_its_tolerance(task: Task, ask: Number) -> None:
    answer, slack = ask.answer(), ask.tolerance * abs(ask.answer())
    assert ask.check(repr(answer)).word == "right"
    slips = [value for value, _ in ask.slips()]
    for edge in (answer - 0.99 * slack, answer + 0.99 * slack):
        assert ask.check(repr(edge)).word == "right" or any(isclose(edge, slip, rel_tol=0.001) for slip in slips)
    for edge in (answer - 1.5 * slack - 1e-9 * answer, answer + 1.5 * slack + 1e-9 * answer):
        assert ask.check(repr(edge)).word != "right"
    assert ask.tolerance == TOLERANCE


@of(Number)
def test_a_wrong_number_is_refused_with_a_direction(task: Task, ask: Number) -> None:
    assert ask.check(repr(7 * ask.answer())) == ("wrong", (Remark("It is less."),))
    assert ask.check(repr(ask.answer() / 7)) == ("wrong", (Remark("It is more."),))
    assert ask.check("-1").word == "wrong"
    for nothing in ("", "many", "1,2,3", "0x10", "nan", "inf", "1e999", "1" * 500):
        assert ask.check(nothing).word == "wrong"


@of(Number)
def test_a_known_slip_is_close_and_says_which(task: Task, ask: Number) -> None:
    for slip, remark in ask.slips():
        assert ask.check(repr(slip)) == ("close", (remark,))


def test_close_is_said_of_a_near_value_and_of_a_wrong_unit() -> None:
    size = by_key("gigabyte.size")
    assert size.check("165") == ("close", (Remark("Almost: count or round more exactly."),))
    assert size.check("171966464").remarks == (Remark("The digits are right, the unit is not."),)
    assert size.check("0.172").remarks == (Remark("The digits are right, the unit is not."),)


@pytest.mark.parametrize("text", ["172.0", "172", " 172.0 ", "172.0 MB", "172.0MB", "１７２．０", "1.72e2", "+172"])
def test_ways_to_write_a_size(text: str) -> None:
    assert by_key("gigabyte.size").check(text).word == "right"


@pytest.mark.parametrize(
    "text",
    [
        "42991616",
        "42,991,616",
        "４２９９１６１６",
        "４２，９９１，６１６",
        "42 991 616",
        "42_991_616",
        "42'991'616",
        "42、991、616",
        "43 million",
        "42.99 M",
        "42.99M",
        "4300万",
        "0.43 亿个",
    ],
)
def test_ways_to_write_a_count(text: str) -> None:
    assert by_key("gigabyte.weights").check(text).word == "right"


@pytest.mark.parametrize("text", ["14.86", "14.86 G", "14.86 GFLOPs", "14.86g"])
def test_a_letter_belongs_to_the_unit_where_there_is_one(text: str) -> None:
    assert by_key("flops.conv").check(text).word == "right"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("92.8 %", 92.8),
        ("8.04×", 8.04),
        ("8.04倍", 8.04),
        ("4.54e-5", 4.54e-5),
        ("4.54E−05", 4.54e-5),
        (".5", 0.5),
        ("1,5", None),
        ("12,34,567", None),
        ("--1", None),
        ("5 minutes and more", None),
    ],
)
def test_numbers_are_read_strictly(text: str, number: float | None) -> None:
    assert parse_number(text) == number


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_number_or_nothing(text: str) -> None:
    parse_number(text)


@given(st.integers(-(10**15), 10**15), st.booleans())
def test_every_whole_number_is_read_back(number: int, grouped: bool) -> None:
    assert parse_number(f"{number:,}" if grouped else str(number)) == number


# --- choices and orders -------------------------------------------------------------------------------------


@of(Choice)
def test_only_one_option_is_right(task: Task, ask: Choice) -> None:
    words = [ask.check(place).word for place in range(len(ask.options))]
    assert words.count("right") == 1
    assert words.count("wrong") == len(words) - 1


@of(Order)
def test_an_order_is_right_close_or_wrong(task: Task, ask: Order) -> None:
    answer = list(ask.answer())
    assert ask.check(answer).word == "right"
    assert ask.check([answer[1], answer[0], *answer[2:]]).word == "close"
    assert ask.check(answer[::-1]).word == "wrong"
    assert ask.check(answer[:2]).word == "wrong"
    assert ask.check([]).word == "wrong"


@of(Choice)
def test_each_option_has_a_sentence_of_its_own(task: Task, ask: Choice) -> None:
    assert len({option.reason.template for option in ask.options}) == len(ask.options)
    for place, option in enumerate(ask.options):
        assert ask.check(place).remarks[0] == option.reason


# --- guesses ------------------------------------------------------------------------------------------------


def test_every_task_begins_with_a_guess() -> None:
    for task in TASKS.values():
        assert [to_predict(ask) for ask in task.asks] == [True] + [False] * (len(task.asks) - 1)


def test_a_guess_is_told_how_far_off_it_is() -> None:
    ask = by_key("slower.macs")
    reason = tuple(ask.reason())
    assert ask.guessed("8.04") == ("right", reason)
    far = ask.guessed("4")
    assert far == (
        "wrong",
        (Remark("The answer is {off} your guess.", {"off": ratio(VGG11_MACS / ALEXNET_MACS, 4)}), *reason),
    )
    assert ask.guessed("9").word == "close"
    assert str(ask.guessed("80.4480")[1][0]) == "Your guess is 10.00× the answer."
    for odd in ("0", "-3"):
        assert ask.guessed(odd) == ("wrong", reason)
    assert ask.guessed("many").remarks == ask.check("many").remarks


def test_a_guessed_choice_is_told_both_reasons() -> None:
    ask = by_key("fields.more")
    assert ask.guessed("1") == ask.check(1)
    assert ask.guessed("0") == ("wrong", (ask.options[0].reason, ask.options[1].reason))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(8.0448, "×", "8.045×"), (1290, "", "1,290"), (171.966464, "MB", "172.0 MB"), (0.09765625, "%", "0.09766 %")],
)
def test_the_truth_is_written_in_four_digits(value: float, unit: str, text: str) -> None:
    ask = Number(key="x", text=Remark("?"), answer=lambda: value, unit=unit)
    assert str(ask.truth()).replace("\N{NO-BREAK SPACE}", " ") == text


# --- edits --------------------------------------------------------------------------------------------------


@of(Edit)
def test_an_edit_is_right_when_it_is_done_and_not_before(task: Task, ask: Edit) -> None:
    assert ask.check(parse_network(ask.solution)).word == "right"
    begun = ask.check(parse_network(task.start))
    assert begun.word != "right"
    assert begun.remarks
    assert ask.check(parse_network({"arch": "1x8", "input": "1x8x8"})).word != "right"


@pytest.mark.parametrize("name", ["VGG-11", "VGG-13", "VGG-16", "VGG-16-C", "VGG-19"])
def test_a_network_of_the_paper_is_at_no_distance_from_itself(name: str) -> None:
    assert distance(NETWORKS[name], name) == []
    imagenet = Network(replace(NETWORKS[name].architecture, num_classes=1000), (3, 224, 224))
    assert distance(imagenet, name) == []


def paper(arch: str, name: str, **params: str) -> list[str]:
    return list(map(str, distance(parse_network({"arch": arch} | params), name)))


def test_the_distance_names_what_differs() -> None:
    assert paper("2x64,2x128,2x256,3x512,3x512", "VGG-16") == ["Block 3: convolutions 2, in the paper 3."]
    assert paper("2x64,2x128,3x250,3x512,3x512", "VGG-16")[0] == (
        "Block 3, convolution 1: 250 channels, in the paper 256."
    )
    assert paper("vgg16", "VGG-16-C")[0] == "Block 3, convolution 3: kernel 3×3, in the paper 1×1."
    assert paper("2x64,2x128", "VGG-16") == ["The network has 2 poolings, the paper 5."]
    assert paper("vgg16", "VGG-16", hidden="4096") == [
        "The paper's head has hidden layers of 4096, 4096 units, no global pool."
    ]
    assert paper("vgg16", "VGG-16", head="gap") != []
    assert paper("vgg16", "VGG-16", head="adaptive") == []
    others = "The convolutions are the paper's, but not all other layers between them."
    for changed in ({"act": "sigmoid"}, {"bn": "1"}):
        assert paper("vgg16", "VGG-16", **changed) == [others]
    assert paper("2x64:avgpool2s2,2x128,3x256,3x512,3x512", "VGG-16") == [others]


def test_it_does_not_matter_how_the_rows_are_cut() -> None:
    assert paper("1x64:nopool,1x64,2x128,1x256:nopool,2x256,3x512,3x512", "VGG-16") == []


@pytest.mark.parametrize(
    ("key", "arch", "params"),
    [
        ("head.edit", "vgg11-slim", {"hidden": "300,300"}),
        ("head.edit", "vgg11-slim", {"head": "adaptive:1", "hidden": "1024"}),
        ("pixels.edit", "1x16,1x16,2x32,4x64:nopool", {"input": "1x84x84"}),
        ("deep.edit", "3x24,3x48,3x96", {"input": "1x56x56", "head": "gap", "hidden": "none"}),
        ("pools.edit", "1x8,1x8,1x8,1x8,1x8,1x8,1x8", {"head": "gap"}),
        ("lenet.edit", "1x6:k5:pool3s2,1x16:k5:p0", {"input": "1x28x28", "dropout": "0.3"}),
    ],
)
def test_other_ways_to_do_it_are_right_too(key: str, arch: str, params: dict[str, str]) -> None:
    assert by_key(key).check(parse_network({"arch": arch} | params)).word == "right"


@pytest.mark.parametrize(
    ("key", "arch", "params", "text"),
    [
        ("head.edit", "1x8,1x8", {"head": "gap", "hidden": "none"}, "The blocks are not those"),
        ("input.edit", "vgg13", {"input": "1x96x96"}, "not VGG-11 any more"),
        ("input.edit", "vgg11", {"input": "3x96x96"}, "1×96×96 is asked for"),
        ("pixels.edit", "2x16,2x32,2x64,2x64", {"input": "1x60x60"}, "a side of 56 or 84"),
        ("pixels.edit", "1x16,1x32", {"input": "1x56x56"}, "at least 8"),
        ("fields.edit", "2x64:nopool", {"input": "64x32x32"}, "sees 5×5; 7×7"),
        ("fields.edit", "2x64:s2:nopool", {"input": "64x32x32"}, "strides or poolings"),
        ("fields.edit", "3x32:nopool", {"input": "64x32x32"}, "64 channels"),
        ("deep.edit", "2x64,2x128,2x255", {"input": "1x56x56", "head": "gap", "hidden": "none"}, "count as equal"),
        ("deep.edit", "2x32,2x64,2x256", {"input": "1x56x56", "head": "gap", "hidden": "none"}, "not narrower"),
        ("pools.edit", "2x8,1x8,1x8,1x8,1x8,1x8,1x8", {}, "not one 3×3"),
        ("lenet.edit", "lenet", {"act": "relu", "dropout": "0.5"}, "max pooling"),
    ],
)
def test_what_is_missing_is_said(key: str, arch: str, params: dict[str, str], text: str) -> None:
    verdict = by_key(key).check(parse_network({"arch": arch} | params))
    assert verdict.word != "right"
    assert text in " ".join(map(str, verdict.remarks))


# --- runs ---------------------------------------------------------------------------------------------------


def run(name: str, params: dict[str, str], acc: float = 0.85, **changes: Any) -> Finished:
    network = parse_network(params)
    seed, dataset = changes.pop("seed", 0), Dataset(changes.pop("dataset", "sample"))
    training = replace(recipe("quick-demo", network), **changes)
    return Finished(name, Config(network=network, training=training, dataset=dataset, seed=seed), acc)


SLIM_RUN = run("book", {"arch": "vgg11-slim"})
SMALL_RUN = run("small pictures", {"arch": "vgg11-slim"}, input_size=56)
GAP_RUN = run("gap", {"arch": "vgg11-slim", "head": "gap", "hidden": "none"}, 0.825)
DEEP = {"input": "1x56x56", "head": "gap", "hidden": "none"}
WIDE_RUN = run("wide", {"arch": "1x64,1x128,1x256"} | DEEP)
DEEP_RUN = run("deep", {"arch": "2x32,2x64,2x128"} | DEEP, 0.875)


def test_two_runs_that_differ_in_the_head_show_its_price() -> None:
    verdict = by_key("head.runs").check([WIDE_RUN, GAP_RUN, SLIM_RUN])
    assert verdict.word == "right"
    assert {percent(0.85, 1), percent(0.825, 1)} <= set(verdict.remarks[0].values.values())


@pytest.mark.parametrize(
    "other",
    [
        run("again", {"arch": "vgg11-slim"}),
        run("seed", {"arch": "vgg11-slim", "head": "gap", "hidden": "none"}, seed=1),
        run("epochs", {"arch": "vgg11-slim", "head": "gap", "hidden": "none"}, epochs=9),
        run("data", {"arch": "vgg11-slim", "head": "gap", "hidden": "none"}, dataset="full"),
        run("input", {"arch": "vgg11-slim", "head": "gap", "hidden": "none"}, input_size=84),
        run("blocks", {"arch": "vgg11", "head": "gap", "hidden": "none"}),
    ],
    ids=lambda finished: finished.name,
)
def test_runs_that_differ_otherwise_do_not(other: Finished) -> None:
    assert by_key("head.runs").check([SLIM_RUN, other]).word == "wrong"


def test_a_deep_and_a_wide_run_of_equal_cost_are_a_pair() -> None:
    verdict = by_key("deep.runs").check([WIDE_RUN, SLIM_RUN, DEEP_RUN])
    assert verdict.word == "right"
    assert (verdict.remarks[0].values["first"], verdict.remarks[0].values["second"]) == ("deep", "wide")
    unequal = run("small", {"arch": "2x16,2x32,2x64"} | DEEP)
    assert by_key("deep.runs").check([WIDE_RUN, unequal]).word == "wrong"
    assert by_key("deep.runs").check([WIDE_RUN]).word == "wrong"


def test_a_run_with_small_pictures_needs_enough_layers_and_accuracy() -> None:
    asked = by_key("pixels.run")
    assert asked.check([SMALL_RUN]).word == "right"
    assert asked.check([run("bad", {"arch": "vgg11-slim"}, 0.79, input_size=56)]).word == "wrong"
    assert asked.check([SLIM_RUN]).word == "wrong"  # of the quick demo's 32 pixels
    assert asked.check([run("large", {"arch": "vgg11-slim"}, input_size=64)]).word == "wrong"
    assert asked.check([WIDE_RUN]).word == "wrong"
    assert asked.check([]).remarks[0].values == {"count": 0}


@of(Trial)
def test_no_run_is_not_enough(task: Task, ask: Trial) -> None:
    assert ask.check([]).word == "wrong"


# --- the reasons --------------------------------------------------------------------------------------------


def reasons(task: Task) -> list[Remark]:
    """What is said to right answers."""
    found: list[Remark] = []
    for ask in task.asks:
        match ask:
            case Number() | Order():
                found += ask.reason()
            case Choice():
                found += ask.reason()
            case Edit():
                found += ask.check(parse_network(ask.solution)).remarks
    return found


def reason(key: str) -> str:
    return " ".join(map(str, reasons(TASKS[key])))


def figures() -> dict[str, list[str]]:
    """What the reasons of each task must show, recomputed here."""
    alexnet, vgg, small, slim = book("AlexNet"), book("VGG-11"), book("VGG-11", 96), book("VGG-11 slim")
    deep = [summarize(*run.config.network).totals for run in (WIDE_RUN, DEEP_RUN)]
    gap = summarize(replace(slim.architecture, head=Head("gap", hidden=())), (1, 224, 224)).totals
    return {
        "speeds": ["9.29 / 8.22", "1.130×", "2.58×", "531.5", "574.7", "1.08×", "6.59×", "3.78×", "1.07×"],
        "window": [exact(16 * 9 * 1024), f"{worked_by_hand():.3f}", "3 × 3 = 9", "5 of the kernel's 9"],
        "listing": [exact(VGG16_MACS), "1 + 1 + 2 + 2 + 2 = 8", "8 lines + 3 hidden = 11", "8 lines + 8 hidden = 16"],
        "slower": [
            ratio(vgg.totals.macs, alexnet.totals.macs),
            exact(256 * 128 * 9 * 56**2),
            ratio(slim.totals.activations, alexnet.totals.activations),
            "2463.7 and 3941.8",  # printed in the book (2.0.0), see runs/config.py
        ],
        "parameters": [exact(alexnet.totals.params), exact(vgg.totals.params), exact(vgg.rows[-7].params)],
        "flops": [exact(2 * vgg.totals.conv_macs), exact(2 * vgg.totals.fc_macs), exact(224**2)],
        "head": [
            exact(slim.totals.fc_params),
            exact(gap.fc_params),
            percent(slim.totals.macs - gap.macs, slim.totals.macs),
        ],
        "input": [
            exact(small.totals.fc_params),
            exact(vgg.totals.conv_params),
            ratio(vgg.totals.macs, small.totals.macs),
        ],
        "table1": ["133 million", "134 million", "138 million", "144 million", exact(VGG19)],  # Table 2 of the paper
        "pixels": ["56 → 28 → 14 → 7 → 3 → 1", "84 → 42 → 21 → 10 → 5 → 2", "65×65", "32×32"],
        "fields": ["5×5 with 18 C²", "5×5 with 25 C²", "7×7 with 27 C²", "7×7 with 49 C²"],
        "deep": [exact(totals.macs) for totals in deep] + [exact(totals.params) for totals in deep],
        "pools": ["rounded down 7", "rounded down 6", "rounded down 4", exact(224**2)],
        "gigabyte": ["42,991,616", "172.0", percent(171_966_464, 1e9)],
        "lenet": [
            "61,706",
            exact(alexnet.totals.params),
            "0.25 at 0",
            f"{exp(-10) / (1 + exp(-10)) ** 2:.2e}",
            "0.0039",
        ],
    }


@pytest.mark.parametrize("key", TASKS)
def test_the_reasons_show_what_the_core_computes(key: str) -> None:
    text = reason(key)
    assert [figure for figure in figures()[key] if figure not in text] == []


def test_every_right_answer_has_a_reason() -> None:
    for task, ask in ALL:
        match ask:
            case Number() | Choice() | Order():
                assert ask.reason(), f"{task.key}.{ask.key}"
            case Edit():
                assert ask.check(parse_network(ask.solution)).remarks


KNOWN = re.compile(
    r"float32|\(1 − s\)|VGG-\d+|[1357]×[1357]|slope 1|\b224\b|(?<![\d.])2 ×|at 0,|at 10\.|log₂|top-1|section 4\.1"
    r"|until 1 is left"
)
"""Names, sizes of kernels, the book's resolution, the two FLOPs of a MAC, places on an axis: no result."""


@pytest.mark.parametrize("key", TASKS)
def test_no_result_is_typed_into_a_reason(key: str) -> None:
    for remark in reasons(TASKS[key]):
        assert not re.search(r"\d", KNOWN.sub("", re.sub(r"\{\w+\}", "", remark.template))), remark.template


def test_a_reason_follows_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another AlexNet all its figures change."""
    before = reason("parameters")
    monkeypatch.setitem(NETWORKS, "AlexNet", NETWORKS["LeNet"])
    assert reason("parameters") != before
    assert exact(summarize(NETWORKS["LeNet"].architecture, (1, 224, 224)).totals.params) in reason("parameters")


# --- the recorded convolution, the public table -------------------------------------------------------------


def test_a_window_has_zeros_outside_of_the_picture() -> None:
    pixels = [[1.0, 2.0], [3.0, 4.0]]
    assert window(pixels, 0, 0) == [0, 0, 0, 0, 1, 2, 0, 3, 4]
    assert window(pixels, 1, 1) == [1, 2, 0, 3, 4, 0, 0, 0, 0]
    kernel = Kernel((1, 2, 3, 4, 5, 6, 7, 8, 9), 0.5)
    assert products(pixels, kernel, 0, 0) == [0, 0, 0, 0, 5, 12, 0, 24, 36]
    assert value(pixels, kernel, 0, 0) == 77.5


def test_the_recorded_convolution_is_that_of_the_network_of_its_task() -> None:
    found = json.loads(RECORDED.read_text("utf-8"))
    network = parse_network(found["network"])
    task = TASKS["window"]
    assert network == parse_network(task.start)
    row = summarize(*network).rows[0]
    assert (len(found["kernels"]), len(found["kernels"][0])) == (row.output_shape[0], 9)
    assert row.params == sum(map(len, found["kernels"])) + len(found["biases"])
    assert 0.8 < found["test_acc"] < 1
    for picture in learned().pictures:
        assert (len(picture.pixels), len(picture.pixels[0])) == row.output_shape[1:]
        assert all(0 <= pixel <= 1 for line in picture.pixels for pixel in line)


def test_what_is_said_of_the_edges_of_the_trousers_is_so() -> None:
    """From left to right at the height of the legs: 0 where it becomes bright, large where it becomes dark again."""
    picture, kernel = learned().pictures[0], learned().kernels[9]
    assert picture.label == "trouser"
    line = [value(picture.pixels, kernel, 18, column) for column in range(32)]
    rises = [place for place in range(1, 32) if picture.pixels[18][place] - picture.pixels[18][place - 1] > 0.4]
    falls = [place for place in range(1, 32) if picture.pixels[18][place - 1] - picture.pixels[18][place] > 0.4]
    assert rises
    assert falls
    assert all(min(line[place - 1], line[place]) < 0 for place in rises)
    assert all(max(line[place - 1], line[place]) > 0.5 for place in falls)


def test_the_quotients_of_the_public_table_are_those_that_are_published_with_it() -> None:
    """The table's quotients as they are published with it, and the MACs as torchvision and the core count them."""
    assert [round(each.vgg19_time, 2) for each in TABLE] == [2.09, 2.29, 2.2, 2.19, 2.15, 1.44, 1.13]
    assert round(macs_ratio(), 2) == 2.58
    assert round(fewer(), 2) == 3.78
    assert most().device.startswith("Core i9")
    assert least().device.startswith("RTX PRO 6000")


# --- the rest -----------------------------------------------------------------------------------------------


def test_tasks_are_complete() -> None:
    assert len(TASKS) == 15
    for key, task in TASKS.items():
        assert task.key == key
        assert re.fullmatch("[a-z0-9]+", key)
        assert task.hints
        assert task.bench
        assert task.terms
        assert 3 <= task.minutes <= 15
        assert set(task.terms) <= GLOSSARY.keys()
        assert len({ask.key for ask in task.asks}) == len(task.asks)
        summarize(*parse_network(task.start))
        for params in task.beside:
            parse_network(params)
    assert set(GLOSSARY) == {term for task in TASKS.values() for term in task.terms}


def test_tasks_are_listed_by_theme() -> None:
    themes = [task.theme for task in TASKS.values()]
    assert themes == sorted(themes, key=list(Theme).index)


def test_every_start_is_within_what_the_page_can_show() -> None:
    for task in TASKS.values():
        assert summarize(*parse_network(task.start)).totals.params < 10**9


@pytest.mark.parametrize("side", [1, 2, 3, 28, 56, 96, 223, 224, 255, 256])
def test_as_many_convolutions_as_halvings(side: int) -> None:
    assert most_convolutions(side) == side.bit_length() - 1


def test_halvings_are_floors() -> None:
    assert halvings(Architecture((Block(1, 8),) * 2), (1, 7, 7)) == "7 → 3 → 1"


@given(st.floats(-700, 700))
def test_the_sigmoid_and_its_slope(x: float) -> None:
    assert 0 <= sigmoid(x) <= 1
    assert isclose(sigmoid(x) + sigmoid(-x), 1)
    assert 0 < sigmoid_slope(x) <= nextafter(0.25, 1)
    assert isclose(sigmoid_slope(x), sigmoid_slope(-x))
