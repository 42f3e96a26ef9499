"""Networks side by side: ratios, stages, sentences, sweeps; and `vggexplorer compare`."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from samples import examples
from strategies import networks

from vggexplorer.architectures import NETWORKS
from vggexplorer.comparison import compare, stages, sweep, why
from vggexplorer.export import comparison
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

BOOK = (1, 224, 224)


def entries(*names: str, shape: tuple[int, int, int] = BOOK, classes: int = 10) -> list:
    return compare([parse_arch(name).architecture for name in names], shape, classes)


def test_all_get_the_same_input_and_classes() -> None:
    found = entries("alexnet-tv", "lenet", "vgg11", shape=(3, 96, 80), classes=7)
    assert {entry.network.input_shape for entry in found} == {(3, 96, 80)}
    assert {entry.summary.rows[-1].output_shape for entry in found} == {(7,)}


def test_a_network_that_cannot_take_the_input_says_why_and_the_others_stay() -> None:
    alexnet, vgg11 = entries("alexnet", "vgg11", shape=(1, 56, 56))
    assert alexnet.summary is None
    assert "65×65" in str(alexnet.error)
    assert vgg11.summary == summarize(parse_arch("vgg11").architecture, (1, 56, 56))
    assert why(alexnet, vgg11) == []


def test_ratios_of_the_book() -> None:
    """VGG-11 has 2.75 times the parameters and 8.04 times the MACs of AlexNet; slim, 0.55 times the MACs."""
    ratios = comparison(entries("alexnet", "vgg11", "vgg11-slim"))["ratios"]
    assert set(ratios[0].values()) == {1.0}
    assert (round(ratios[1]["params"], 2), round(ratios[1]["macs"], 2)) == (2.75, 8.04)
    assert (round(ratios[2]["macs"], 2), round(ratios[2]["activations"], 1)) == (0.55, 3.1)
    assert ratios[1]["flops"] == ratios[1]["macs"]


def test_stages_of_the_book_are_aligned_by_resolution() -> None:
    alexnet, vgg11 = (stages(entry.summary) for entry in entries("alexnet", "vgg11"))
    assert [(at, stage.convolutions) for at, stage in vgg11.items()] == [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 2),
        (None, 0),
    ]
    assert [(at, stage.convolutions) for at, stage in alexnet.items()] == [(2, 1), (3, 1), (4, 3), (None, 0)]
    assert alexnet[4].shapes == ((384, 12, 12), (256, 12, 12))


@examples(100)
@given(networks())
def test_stages_add_up_to_the_whole(network) -> None:
    summary = summarize(*network)
    parts = [stage.totals for stage in stages(summary).values()]
    assert tuple(map(sum, zip(*parts, strict=True))) == summary.totals


@examples(100)
@given(networks(), networks())
def test_any_pair_gets_sentences(first, second) -> None:
    pair = compare([first.architecture, second.architecture], (3, 64, 48), 10)
    remarks = [str(remark) for remark in why(*pair)]
    assert bool(remarks) == all(entry.summary for entry in pair)
    assert all("{" not in remark and remark.endswith(".") for remark in remarks)


def test_why_vgg_costs_more_than_alexnet() -> None:
    text = " ".join(map(str, why(*entries("alexnet", "vgg11"))))
    for part in ("2.75×", "8.04×", "12.3×", "96×54×54", "64×224×224", "25,088", "6,400", "806", "240"):
        assert part in text
    assert why(*entries("vgg11", "alexnet")) == why(*entries("alexnet", "vgg11"))


def test_the_first_sentence_is_the_answer_in_short() -> None:
    """More weights and each of them at more positions: the product is how many times the convolutions compute."""
    first = why(*entries("alexnet", "vgg11"))[0]
    assert str(first) == (
        "VGG-11 does 8.04× the MACs of AlexNet: its convolutions hold 2.48× the weights and use each at 3.35× the "
        "positions."
    )
    conv = [entry.summary.totals.conv_macs for entry in entries("alexnet", "vgg11")]
    assert conv[1] / conv[0] == pytest.approx(2.48 * 3.35, rel=0.01)


def test_where_convolutions_are_the_least_of_it_the_totals_come_first() -> None:
    first = why(*entries("1x8,flatten,linear10", "1x8,flatten,linear4096,linear10", shape=(1, 28, 28)))[0]
    assert first.template.startswith("{more} has {params} the parameters")


def test_equal_networks_cost_the_same() -> None:
    [remark] = why(*entries("vgg16", "vgg16"))
    assert str(remark) == "VGG-16 and VGG-16 cost the same."


def test_a_sweep_leaves_out_what_gives_no_scores() -> None:
    """A convolution of 3x3 and Flatten: from 3x3 pixels it makes as many numbers as there are classes."""
    found = sweep(parse_arch("conv9,flatten").architecture, 1, [2, 3, 4, 28])
    assert [totals is not None for totals in found] == [False, True, False, False]


def test_a_sweep_leaves_out_what_is_too_small() -> None:
    architecture = NETWORKS["AlexNet"].architecture
    totals = sweep(architecture, 1, [28, 64, 65, 224])
    assert totals[:2] == [None, None]
    assert totals[2:] == [summarize(architecture, (1, side, side)).totals for side in (65, 224)]


# --- the command line ----------------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vggexplorer", "compare", *arguments]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=60, env={"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    )


def test_json() -> None:
    data = json.loads(run("alexnet", "vgg11", "--input", "1x96x96", "--json").stdout)
    assert data["input_shape"] == [1, 96, 96]
    assert [item["totals"]["params"] for item in data["architectures"]] == [21_598_922, 44_920_074]
    assert data["ratios"][1]["macs"] == pytest.approx(1_399_955_456 / 134_474_112)
    assert data["architectures"][0]["layers"][0]["name"] == "features.0"


def test_options_hold_for_all() -> None:
    data = json.loads(run("vgg11", "lenet", "--width", "1/2", "--head", "gap", "--classes", "5", "--json").stdout)
    assert [item["layers"][0]["output_shape"][0] for item in data["architectures"]] == [32, 3]
    assert all(item["layers"][-1]["output_shape"] == [5] for item in data["architectures"])


def test_table_and_sentences() -> None:
    text = run("alexnet", "vgg11").stdout
    assert "8.04×" in text
    assert "7,547,232,256" in text
    assert "VGG-11 has 2.75× the parameters" in text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["vgg11"], "two or more"),
        (["alexnet", "vgg11", "--input", "1x56x56"], "AlexNet: MaxPool2d of block 4"),
        (["alexnet", "nonsense"], "nonsense"),
        ([], "required"),
    ],
    ids=["one", "too small", "unknown", "none"],
)
def test_bad_input(arguments: list[str], part: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert part in done.stderr.splitlines()[-1]
