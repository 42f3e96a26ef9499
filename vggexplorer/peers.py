"""What other tools count for the same network, by the terms in which they differ.

The tools are torch's `FlopCounterMode`, torchinfo and fvcore, all in evaluation mode with a batch of
one. Each term is computed from the shapes by a formula of its own, never as what is left over, so
that a wrong count on either side stays unexplained.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from vggexplorer.errors import InputError
from vggexplorer.formatting import size, sum_of_products
from vggexplorer.layers import BATCH_NORMS, Kind, Shape, Terms
from vggexplorer.summary import Row, Summary

# --- the terms ---------------------------------------------------------------------------------------


class Term(NamedTuple):
    """What a tool counts beyond our MACs: in words (to be translated), and as a sum of a product for each layer."""

    name: str
    products: Terms

    @property
    def value(self) -> int:
        """The sum of the products."""
        return sum(map(prod, self.products))

    @property
    def formula(self) -> str:
        """The sum as it is written, figures put in."""
        return sum_of_products(self.products)


class _Rule(NamedTuple):
    """The layers that a term is about, by kind, and the product that each of them adds to it, if any."""

    name: str
    kinds: tuple[Kind, ...]
    product: Callable[[Row], Shape | None]


def _biased(row: Row) -> Shape | None:
    """The output, if a bias is added to each of its elements."""
    weights_and_bias = row.layer.param_terms(row.input_shape)
    return row.output_shape if len(weights_and_bias) > 1 else None


_WEIGHTED = (Kind.CONV2D, Kind.LINEAR)

PEERS: dict[str, tuple[_Rule, ...]] = {
    "FlopCounterMode": (
        _Rule(
            "an addition with each multiplication",
            _WEIGHTED,
            lambda row: row.layer.mac_terms(row.input_shape)[0],
        ),
    ),
    "torchinfo": (
        _Rule(
            "biases: one for each output element of Conv2d and Linear",
            _WEIGHTED,
            _biased,
        ),
        _Rule(
            "batch normalisation: its parameters, 2 for each channel",
            BATCH_NORMS,
            lambda row: (2, row.output_shape[0]),
        ),
    ),
    "fvcore": (
        _Rule(
            "adaptive pooling: one for each input element",
            (Kind.ADAPTIVE_AVG_POOL2D,),
            lambda row: row.input_shape,
        ),
        _Rule(
            "batch normalisation: 2 for each output element",
            BATCH_NORMS,
            lambda row: (2, *row.output_shape),
        ),
    ),
}
"""The tools by name, and what each counts beyond our MACs; none counts pooling, LRN, activations or dropout."""


def terms(summary: Summary, tool: str) -> tuple[Term, ...]:
    """What `tool` counts beyond our MACs for this network; a term that no layer adds to is left out."""
    found = (Term(rule.name, tuple(_products(summary, rule))) for rule in PEERS[tool])
    return tuple(term for term in found if term.products)


def _products(summary: Summary, rule: _Rule) -> Iterator[Shape]:
    for row in summary.rows:
        if row.kind in rule.kinds and (product := rule.product(row)) is not None:
            yield product


# --- what the tools say ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """What a tool says of a network, and in how many seconds; or why it says nothing."""

    tool: str
    version: str = ""
    params: int = 0
    count: int = 0
    seconds: float = 0.0
    error: InputError | None = None


class Check(NamedTuple):
    """Our figures and a tool's: `theirs` should be `ours` (MACs) plus the terms, and the parameters equal."""

    tool: str
    version: str
    our_params: int
    their_params: int
    ours: int
    theirs: int
    terms: tuple[Term, ...]

    @property
    def unexplained(self) -> int:
        """How much more the tool counts than our MACs and the terms say; 0 if all is explained."""
        return self.theirs - self.ours - sum(term.value for term in self.terms)

    @property
    def unexplained_params(self) -> int:
        """How many more parameters the tool counts."""
        return self.their_params - self.our_params

    @property
    def agrees(self) -> bool:
        """Whether every digit is explained."""
        return not (self.unexplained or self.unexplained_params)


def reconcile(summary: Summary, measured: Mapping[str, Measured]) -> list[Check]:
    """Our figures beside those of each tool that gave some, in the order of `PEERS`."""
    totals = summary.totals
    return [
        Check(
            *(tool, found.version, totals.params, found.params),
            *(totals.macs, found.count, terms(summary, tool)),
        )
        for tool in PEERS
        if (found := measured.get(tool)) and not found.error
    ]


# --- why a tool says nothing -------------------------------------------------------------------------

MAX_BYTES = 4 * 2**30
"""The most memory that a tool which needs real tensors may take, roughly."""


def refusal(tool: str, summary: Summary) -> InputError | None:
    """Why `tool`, on real tensors, is not run: it needs too much memory (every float32 counted twice)."""
    totals = summary.totals
    need = 2 * 4 * (totals.params + totals.activations + prod(summary.input_shape))
    if need <= MAX_BYTES:
        return None
    return InputError(
        "No figures from {tool}: it computes with real numbers, and this network would need about {need} of memory; "
        "at most {most} are taken.",
        tool=tool,
        need=size(need),
        most=size(MAX_BYTES),
    )


def failure(tool: str, reason: object) -> InputError:
    """`tool` broke down; `reason` is in its own words, or a sentence."""
    return InputError("No figures from {tool}: {reason}", tool=tool, reason=reason)
