"""Each formula under a figure is arithmetic that gives this very figure."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from samples import examples
from strategies import edited_networks, networks

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import ShapeError
from vggexplorer.explain import Explanation, explain
from vggexplorer.summary import Row, Summary, summarize
from vggexplorer.text import parse_arch

VGG11 = NETWORKS["VGG-11"].architecture
MORE = {
    "batch norm": Network(replace(VGG11, batch_norm=True)),
    "not square": Network(VGG11, (3, 96, 64)),
    "adaptive": Network(replace(VGG11, head=Head("adaptive")), (3, 96, 64)),
    "adaptive, uneven bins": Network(replace(VGG11, head=Head("adaptive", size=3)), (3, 160, 160)),
    "gap": Network(replace(VGG11, head=Head("gap", hidden=())), (3, 96, 64)),
    "no pooling": Network(Architecture((Block(2, 8, kernel_size=1, pool=None),), Head(hidden=())), (1, 5, 5)),
    "average pool": Network(Architecture((Block(1, 8, pool=(3, 2), pool_type="avg"),)), (1, 9, 8)),
}
SUMMARIES = {name: summarize(*network) for name, network in (NETWORKS | MORE).items()}


@pytest.fixture(params=SUMMARIES)
def summary(request: pytest.FixtureRequest) -> Summary:
    return SUMMARIES[request.param]


def value_of(formula: str) -> int:
    """What a formula gives; the result that some end with (`… = 112`) must be it."""
    left, _, right = formula.partition(" = ")
    signs = {"×": "*", "−": "-", "⌊": "(", "⌋": ")", "⌈": "-(-", "⌉": ")"}
    text = left.translate(str.maketrans(signs)).replace(" / ", " // ")
    assert re.fullmatch(r"[0-9()*/+\- ]+", text), formula
    assert text.count("//") == left.count("⌊") + left.count("⌈"), f"a division that is not rounded: {formula}"
    value = eval(text)
    assert right in ("", str(value)), formula
    return int(value)


def expected(row: Row) -> dict[str, int | None]:
    height, width = row.output_shape[1:] if len(row.output_shape) == 3 else (None, None)
    return {
        "output side": height if height == width else None,
        "output height": height,
        "output width": width,
        "parameters": row.params,
        "MACs": row.macs,
        "activations": row.activations,
        "receptive field": row.receptive_field,
        "stride": row.stride,
    }


def check(row: Row, figures: list[Explanation]) -> None:
    quantities = [figure.quantity for figure in figures]
    assert len(set(quantities)) == len(quantities)
    wanted = expected(row)
    for quantity, value, formula in figures:
        assert value == wanted[quantity], f"{row.name}: {quantity}"
        assert formula is None or value_of(formula) == value, f"{row.name}: {quantity} = {value}, not {formula}"
    # What every layer has, and a formula for all that is not nothing.
    counted = [figure for figure in figures if figure.quantity in ("parameters", "MACs", "activations")]
    assert len(counted) == 3
    assert all((figure.formula is None) == (figure.value == 0) for figure in counted)


def test_every_formula_gives_its_figure(summary: Summary) -> None:
    for row in summary.rows:
        check(row, explain(summary, row))


@given(networks() | edited_networks())
@examples(200)
def test_every_formula_of_any_network_gives_its_figure(network: Network) -> None:
    try:
        summary = summarize(*network)
    except ShapeError:
        return
    for row in summary.rows:
        check(row, explain(summary, row))


def test_nothing_is_missing_for_a_convolution(summary: Summary) -> None:
    for row in summary.rows:
        if row.kind != "Conv2d":
            continue
        square = row.input_shape[1] == row.input_shape[2]
        sides = ["output side"] if square else ["output height", "output width"]
        figures = explain(summary, row)
        rest = ["parameters", "MACs", "activations", "receptive field", "stride"]
        assert [figure.quantity for figure in figures] == sides + rest
        still = (row.layer.kernel_size, row.layer.stride) == (1, 1)
        without = [figure.quantity for figure in figures if figure.formula is None]
        assert without == (["receptive field", "stride"] if still else [])


def figures(network: str, layer: str) -> list[Explanation]:
    row = SUMMARIES[network].row(layer)
    assert row
    return explain(SUMMARIES[network], row)


def test_figures_written_out() -> None:
    """VGG-11's second convolution, first pool and first linear layer, AlexNet's first convolution, by hand."""
    assert figures("VGG-11", "features.3") == [
        ("output side", 112, "⌊(112 + 2 × 1 − 3) / 1⌋ + 1 = 112"),
        ("parameters", 73_856, "128 × 64 × 3 × 3 + 128"),
        ("MACs", 924_844_032, "112 × 112 × 128 × 64 × 3 × 3"),
        ("activations", 1_605_632, "128 × 112 × 112"),
        ("receptive field", 8, "4 + (3 − 1) × 2"),
        ("stride", 2, "2 × 1"),
    ]
    assert figures("VGG-11", "features.2") == [
        ("output side", 112, "⌊(224 − 2) / 2⌋ + 1 = 112"),
        ("parameters", 0, None),
        ("MACs", 0, None),
        ("activations", 802_816, "64 × 112 × 112"),
        ("receptive field", 4, "3 + (2 − 1) × 1"),
        ("stride", 2, "1 × 2"),
    ]
    assert figures("AlexNet", "features.0")[0] == ("output side", 54, "⌊(224 + 2 × 1 − 11) / 4⌋ + 1 = 54")
    assert figures("VGG-11", "classifier.0") == [
        ("parameters", 102_764_544, "4096 × 25088 + 4096"),
        ("MACs", 102_760_448, "4096 × 25088"),
        ("activations", 4096, "4096"),
    ]


def test_normalisation_adaptive_pooling_and_flatten() -> None:
    assert ("parameters", 128, "2 × 64") in figures("batch norm", "features.1")
    pool = {quantity: (value, formula) for quantity, value, formula in figures("adaptive, uneven bins", "avgpool")}
    assert pool["output side"][0] == 3
    assert pool["receptive field"][1]
    assert "stride" not in pool
    assert figures("gap", "flatten") == [("parameters", 0, None), ("MACs", 0, None), ("activations", 0, None)]


def test_behind_uneven_bins_the_steps_have_no_formula() -> None:
    """2 -> 3 -> 2 bins: what comes after them is not a stride apart; a larger window has no one field either."""
    shown = summarize(parse_arch("conv4,adaptive3,conv4:k1:s2,conv4:k2,gap,flatten").architecture, (1, 7, 7))
    for row in shown.rows:
        check(row, explain(shown, row))
    quantities = {row.name: [figure.quantity for figure in explain(shown, row)] for row in shown.rows}
    assert quantities["features.2"][-1] == "receptive field"
    assert quantities["features.3"][-1] == "activations"
