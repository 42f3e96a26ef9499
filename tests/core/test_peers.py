"""The terms by which other tools differ from us: their values, their formulas, and what stays unexplained."""

from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from samples import examples
from strategies import networks

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.layers import Conv2d, Costs, Shape
from vggexplorer.peers import PEERS, Measured, failure, reconcile, refusal, terms
from vggexplorer.summary import Summary, summarize

SMALL = Network(Architecture((Block(1, 8), Block(2, 16)), Head("adaptive", (9,), size=2), batch_norm=True), (1, 17, 12))


def claims(summary: Summary, **wrong: int) -> dict[str, Measured]:
    """What the tools would say; `wrong` gives some an amount too much."""
    totals = summary.totals
    return {
        tool: Measured(
            tool,
            "1.0",
            totals.params,
            totals.macs + sum(term.value for term in terms(summary, tool)) + wrong.get(tool, 0),
        )
        for tool in PEERS
    }


def test_the_terms_of_a_small_network_by_hand() -> None:
    found = {tool: [(term.value, term.formula) for term in terms(summarize(*SMALL), tool)] for tool in PEERS}
    biases = "8 × 17 × 12 + 16 × 8 × 6 + 16 × 8 × 6 + 9 + 10"
    additions = "17 × 12 × 8 × 1 × 3 × 3 + 8 × 6 × 16 × 8 × 3 × 3 + 8 × 6 × 16 × 16 × 3 × 3 + 9 × 64 + 10 × 9"
    normalised = "2 × 8 × 17 × 12 + 2 × 16 × 8 × 6 + 2 × 16 × 8 × 6"
    assert found == {
        "FlopCounterMode": [(summarize(*SMALL).totals.macs, additions)],
        "torchinfo": [(3_187, biases), (80, "2 × 8 + 2 × 16 + 2 × 16")],
        "fvcore": [(192, "16 × 4 × 3"), (6_336, normalised)],
    }


@examples(100)
@given(networks())
def test_a_formula_evaluates_to_its_value_and_no_term_is_empty(network: Network) -> None:
    summary = summarize(*network)
    for tool in PEERS:
        for term in terms(summary, tool):
            assert eval(term.formula.replace("×", "*")) == term.value == sum(map(prod, term.products)) > 0


def test_vgg_11_without_extras_has_few_terms() -> None:
    summary = summarize(*NETWORKS["VGG-11"])
    assert terms(summary, "fvcore") == ()
    assert [term.value for term in terms(summary, "torchinfo")] == [7_426_048 + 8_202]


def test_tools_that_agree_are_explained() -> None:
    summary = summarize(*SMALL)
    checks = reconcile(summary, claims(summary))
    assert [check.tool for check in checks] == list(PEERS)
    for check in checks:
        assert (check.unexplained, check.unexplained_params, check.agrees) == (0, 0, True)
        assert (check.ours, check.our_params) == (summary.totals.macs, summary.totals.params)
        assert check.theirs == check.ours + sum(term.value for term in check.terms)


@pytest.mark.parametrize("amount", [1, -1, 10**12])
@pytest.mark.parametrize("tool", PEERS)
def test_a_corrupted_figure_stays_unexplained(tool: str, amount: int) -> None:
    summary = summarize(*SMALL)
    checks = {check.tool: check for check in reconcile(summary, claims(summary, **{tool: amount}))}
    assert {name: check.unexplained for name, check in checks.items()} == dict.fromkeys(PEERS, 0) | {tool: amount}
    assert not checks[tool].agrees


def test_a_corrupted_number_of_parameters_stays_unexplained() -> None:
    summary = summarize(*SMALL)
    measured = claims(summary)
    measured["fvcore"] = replace(measured["fvcore"], params=summary.totals.params - 3)
    (check,) = [check for check in reconcile(summary, measured) if not check.agrees]
    assert (check.tool, check.unexplained, check.unexplained_params) == ("fvcore", 0, -3)


def test_corrupted_totals_of_ours_stay_unexplained() -> None:
    summary = summarize(*SMALL)
    totals = summary.totals._replace(macs=summary.totals.macs + 5)
    assert [check.unexplained for check in reconcile(replace(summary, totals=totals), claims(summary))] == [-5] * 3


def test_a_wrong_count_of_a_layer_of_ours_stays_unexplained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terms are not what is left over: a convolution that forgets its padding is noticed by every tool."""
    measured = claims(summarize(*SMALL))

    right = Conv2d.costs

    def forgetful(self: Conv2d, shape: Shape) -> Costs:
        macs = prod((shape[1] - 2, shape[2] - 2, self.out_channels, shape[0], 3, 3))
        return *right(self, shape)[:2], macs

    monkeypatch.setattr(Conv2d, "costs", forgetful)
    assert all(check.unexplained > 0 for check in reconcile(summarize(*SMALL), measured))


def test_a_tool_that_says_nothing_is_left_out() -> None:
    summary = summarize(*SMALL)
    measured = claims(summary)
    del measured["torchinfo"]
    measured["fvcore"] = Measured("fvcore", error=failure("fvcore", "MemoryError: –"))
    assert [check.tool for check in reconcile(summary, measured)] == ["FlopCounterMode"]


def test_real_tensors_are_refused_where_they_would_not_fit() -> None:
    assert refusal("fvcore", summarize(*NETWORKS["VGG-19"])) is None
    large = summarize(NETWORKS["VGG-11"].architecture, (1, 1024, 1024))
    error = refusal("fvcore", large)
    assert isinstance(error, InputError)
    assert str(error) == (
        "No figures from fvcore: it computes with real numbers, and this network would need about "
        "18.8 GiB of memory; at most 4.00 GiB are taken.".replace(" GiB", "\N{NO-BREAK SPACE}GiB")
    )
