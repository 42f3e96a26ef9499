"""The tasks of Learn: right answers are accepted, wrong ones refused, and every figure comes from the core."""

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
from vggexplorer.lessons.asks import Choice, Edit, Finished, Number, Order, Task, Trial, parse_number
from vggexplorer.lessons.common import halvings
from vggexplorer.lessons.glossary import GLOSSARY
from vggexplorer.lessons.lenet import sigmoid, sigmoid_slope
from vggexplorer.lessons.paper import distance
from vggexplorer.lessons.pools import most_convolutions
from vggexplorer.lessons.tasks import TASKS
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
ALEXNET, VGG11, SLIM = 46_764_746, 128_806_154, 43_093_322
ALEXNET_MACS, VGG11_MACS, VGG11_MACS_96, SLIM_MACS = 938_146_176, 7_547_232_256, 1_399_955_456, 512_155_648

ANSWERS: dict[str, float | int | tuple[int, ...]] = {
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
    "flops.conv": 2 * 7_427_653_632 / 1e9,
    "flops.fc": 2 * 119_578_624 / 1e9,
    "flops.why": 0,
    "flops.uses": 224 * 224,
    "head.gap": 128 * 10 + 10,
    "head.macs": 100 * (42_508_288 - 128 * 10) / SLIM_MACS,
    "head.memory": 4 * (42_516_490 - 1290) / 1e6,
    "input.convolutions": 1,
    "input.flat": 512 * 3 * 3,
    "input.macs": VGG11_MACS / VGG11_MACS_96,
    "input.training": 1,
    "pixels.vgg": 2**5,
    "pixels.alexnet": 65,
    "pixels.last": 56 // 2 // 2 // 2 // 2 // 2,
    "fields.two": 5,
    "fields.small": 27,
    "fields.large": 49,
    "fields.more": 1,
    "deep.paper": 2,
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
    for edge in (answer - 0.99 * slack, answer + 0.99 * slack):
        assert ask.check(repr(edge)).word == "right"
    for edge in (answer - 1.5 * slack - 1e-9 * answer, answer + 1.5 * slack + 1e-9 * answer):
        assert ask.check(repr(edge)).word != "right"
    assert ask.tolerance < 0.05


@of(Number)
def test_a_wrong_number_is_refused_with_a_direction(task: Task, ask: Number) -> None:
    assert ask.check(repr(7 * ask.answer())) == ("wrong", (Remark("It is less."),))
    assert ask.check(repr(ask.answer() / 7)) == ("wrong", (Remark("It is more."),))
    assert ask.check("-1").word == "wrong"
    for nothing in ("", "many", "1,2,3", "0x10", "nan", "inf", "1e999", "1" * 500):
        assert ask.check(nothing).word == "wrong"


@of(Number)
def test_a_known_slip_is_close_and_says_which(task: Task, ask: Number) -> None:
    for value, remark in ask.slips():
        assert ask.check(repr(value)) == ("close", (remark,))


def test_close_is_said_of_a_near_value_and_of_a_wrong_unit() -> None:
    size = by_key("gigabyte.size")
    assert size.check("170") == ("close", (Remark("Almost: count or round more exactly."),))
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
    ],
)
def test_ways_to_write_a_count(text: str) -> None:
    assert by_key("gigabyte.weights").check(text).word == "right"


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


# --- the working --------------------------------------------------------------------------------------------


def working(key: str) -> str:
    return " ".join(map(str, TASKS[key].working()))


def figures() -> dict[str, list[str]]:
    """What the working of each task must show, recomputed here."""
    alexnet, vgg, small, slim = book("AlexNet"), book("VGG-11"), book("VGG-11", 96), book("VGG-11 slim")
    deep = [summarize(*run.config.network).totals for run in (WIDE_RUN, DEEP_RUN)]
    gap = summarize(replace(slim.architecture, head=Head("gap", hidden=())), (1, 224, 224)).totals
    return {
        "listing": ["8 lines + 3 hidden = 11 layers", "8 lines + 8 hidden = 16 layers"],
        "slower": [
            ratio(vgg.totals.macs, alexnet.totals.macs),
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
        "table1": ["133 million", "134 million", "138 million", "144 million"],  # Table 2 of the paper
        "pixels": ["56 → 28 → 14 → 7 → 3 → 1", "84 → 42 → 21 → 10 → 5 → 2", "65×65", "32×32"],
        "fields": ["5×5 with 18 C²", "5×5 with 25 C²", "7×7 with 27 C²", "7×7 with 49 C²"],
        "deep": [exact(totals.macs) for totals in deep] + [exact(totals.params) for totals in deep],
        "pools": ["rounded down 7", "rounded down 6", "rounded down 4"],
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
def test_the_working_shows_what_the_core_computes(key: str) -> None:
    text = working(key)
    assert [figure for figure in figures()[key] if figure not in text] == []


KNOWN = re.compile(r"float32|\(1 − s\)|VGG-\d+|[1357]×[1357]|slope 1|\b224\b|(?<![\d.])2 ×|at 0,|at 10\.|log₂")
"""Names, sizes of kernels, the book's resolution, the two FLOPs of a MAC, places on an axis: no result."""


@pytest.mark.parametrize("key", TASKS)
def test_no_result_is_typed_into_a_working(key: str) -> None:
    for remark in TASKS[key].working():
        assert not re.search(r"\d", KNOWN.sub("", re.sub(r"\{\w+\}", "", remark.template))), remark.template


def test_a_working_follows_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another AlexNet all its figures change."""
    before = working("parameters")
    monkeypatch.setitem(NETWORKS, "AlexNet", NETWORKS["LeNet"])
    assert working("parameters") != before
    assert exact(summarize(NETWORKS["LeNet"].architecture, (1, 224, 224)).totals.params) in working("parameters")


# --- the rest -----------------------------------------------------------------------------------------------


def test_tasks_are_complete() -> None:
    assert len(TASKS) == 13
    for key, task in TASKS.items():
        assert task.key == key
        assert re.fullmatch("[a-z0-9]+", key)
        assert task.hints
        assert task.bench
        assert task.terms
        assert set(task.terms) <= GLOSSARY.keys()
        assert len({ask.key for ask in task.asks}) == len(task.asks)
        summarize(*parse_network(task.start))
        for params in task.beside:
            parse_network(params)
    assert set(GLOSSARY) == {term for task in TASKS.values() for term in task.terms}


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
