"""Formulas of a lesson: right to the digit, quick whatever they are, and never run."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples

from vggexplorer.errors import InputError
from vggexplorer.lessons.formula import LARGEST, MOST_TEXT, evaluate, of_layer, of_network
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

COSTS = {name: summarize(*parse_arch(arch)) for name, arch in (("A", "vgg11"), ("B", "alexnet"), ("小网络", "lenet"))}
A, B, SMALL = COSTS.values()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A.macs / B.macs", A.totals.macs / B.totals.macs),
        ("（A.macs − B.macs）÷ 小网络.macs", (A.totals.macs - B.totals.macs) / 416_520),
        ("2 × A.conv_macs", A.totals.flops - 2 * A.totals.fc_macs),
        ('A["features.0"].macs', 64 * 9 * 224**2),
        ("A[“classifier.0”].inputs", 512 * 7 * 7),
        ("A['features.3'].receptive_field", 8),
        ("B.conv_layers + 10 * B.fc_layers + 100 * B.layers", 5 + 30 + 800),
        ("小网络.bytes", 4 * 61_706),
        ("224² + 2^3 + 2³", 224**2 + 16),
        ("100 * 0.25**4", 0.390625),
        ("max(A.params, B.params, 1) - min(A.params, B.params)", A.totals.params - B.totals.params),
        ("round(A.macs / B.macs, 1) + round(2.5) + round(12345, -2)", 8.0 + 2 + 12300),
        ("-(-3) + +2", 5),
        ("(224 - 11) // 4 + 1", 54),
        ("1e3 + .5 + 2.", 1002.5),
        ("１２＋３", 15),
    ],
)
def test_a_formula_is_what_it_says(text: str, value: float) -> None:
    assert evaluate(text, COSTS).value == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no formula."),
        ("A.macs /", "is not a formula"),
        ("1 2", "is not a formula"),
        ("(1", "is not a formula"),
        ("①", "is not a formula"),
        ("1 / (2 - 2)", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("5 // 0", "division by zero"),
        ("10**10**10", "an exponent up to 64"),
        ("2**1e30", "an exponent up to 64"),
        ("(10**30)**64", "larger than 10³⁰"),
        ("1e999", "larger than 10³⁰"),
        ("9" * MOST_TEXT, "larger than 10³⁰"),
        ("1e20 * 1e20", "larger than 10³⁰"),
        ("(-8)**0.5", "negative number"),
        ("1" * (MOST_TEXT + 1), "at most 200 characters"),
        ("-" * 60 + "1", "nested too deeply"),
        ("1,000", "has no commas here, and a formula gives one number: “1,000”"),
        ("min(1)", "another count of numbers, not 1"),
        ("round(1, 2, 3)", "another count of numbers, not 3"),
        ("round(1.5, 0.5)", "whole number of digits"),
        ("A", "Write which figure of A, as in “A.macs”."),
        ("C.macs", "No network is called C here; there are: “A, B, 小网络”."),
        ("answer", "No network is called answer here"),
        ("A.speed", "There is no figure “speed”; there are: “params, macs,"),
        (
            'A["features.99"].macs',
            "There is no layer “features.99”; those with parameters are: “features.0, features.3,",
        ),
        ('A["flatten"].height', "There is no figure “height”"),
        ('A["classifier.0"].receptive_field', "There is no figure “receptive_field”"),
        ('A["features.3"]', '“A["features.3"]” cannot stand'),
        ("A.macs.real", "“A.macs.real” cannot stand"),
        ("A[0].macs", "cannot stand"),
        ("sqrt(2)", "“sqrt(2)” cannot stand"),
        ("round(number=1)", "cannot stand"),
        ("True", "cannot stand"),
        ("None", "cannot stand"),
        ('"a"', "cannot stand"),
        ("5 % 3", "“%” cannot stand"),
        ("~5", "“~” cannot stand"),
        ("1_000", "cannot stand"),
        ("0x10", "cannot stand"),
        ("2j", "cannot stand"),
        ("1 if 2 else 3", "cannot stand"),
        ("1 and 2", "cannot stand"),
        ("[1][0]", "cannot stand"),
        ("(lambda: 1)()", "cannot stand"),
        ('f"{1}"', "cannot stand"),
        ('__import__("os").system("x")', "cannot stand"),
        ("A.__class__", "There is no figure “__class__”"),
        ("A.macs\0", "cannot stand"),
    ],
)
def test_what_is_no_formula_is_refused_at_once_with_a_sentence(text: str, said: str) -> None:
    began = perf_counter()
    with pytest.raises(InputError) as refused:
        evaluate(text, COSTS)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")
    assert perf_counter() - began < 1


def test_values_may_have_names() -> None:
    assert evaluate("answer / 2", COSTS, {"answer": 7}) == (3.5, "7 / 2")
    with pytest.raises(InputError, match="there are: “–”"):
        evaluate("A.macs", {})


def test_the_figures_are_put_in() -> None:
    assert evaluate("A.macs÷B.macs", COSTS).filled == "7,547,232,256/938,146,176"
    assert evaluate("小网络.params * 2**3", COSTS).filled == "61,706 × 2^3"
    assert evaluate("max(A.params, 5)", COSTS).filled == "max(128806154, 5)"


def test_figures_have_the_same_names_for_all_and_for_the_parts() -> None:
    found = of_network(A)
    whole = [name for name in found if not name.startswith(("conv_", "fc_"))]
    assert {f"{part}{name}" for part in ("", "conv_", "fc_") for name in whole} == found.keys()
    assert all(found[name] == found[f"conv_{name}"] + found[f"fc_{name}"] for name in whole)


@pytest.mark.parametrize("summary", COSTS.values(), ids=list(COSTS))
def test_the_layers_sum_to_the_network(summary: object) -> None:
    rows = [of_layer(row) for row in summary.rows]  # type: ignore[attr-defined]
    whole = of_network(summary)  # type: ignore[arg-type]
    for name in ("params", "macs", "flops", "activations", "bytes"):
        assert sum(row[name] for row in rows) == whole[name]


parts = st.sampled_from(
    [
        *"+-*/().,^ 0123456789[]\"'{}:=%e",
        "**",
        "//",
        "A",
        "B",
        "A.macs",
        'A["features.0"]',
        ".params",
        "max(",
        "1e30",
        "²",
    ]
)


@given(st.lists(parts, max_size=40).map("".join) | st.text(max_size=MOST_TEXT))
@examples(2000)
def test_any_text_gives_a_number_or_a_sentence(text: str) -> None:
    try:
        result = evaluate(text, COSTS)
    except InputError:
        return
    assert abs(result.value) <= LARGEST
