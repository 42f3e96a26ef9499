"""Where a number comes from: each figure with its formula, the figures put in."""

from typing import NamedTuple

from vggexplorer.formatting import sum_of_products
from vggexplorer.summary import Row, Summary


class Explanation(NamedTuple):
    """One figure of a layer; `formula` evaluates to `value`, or is None where nothing is calculated."""

    quantity: str
    value: int
    formula: str | None


def explain(summary: Summary, row: Row) -> list[Explanation]:
    """The figures of one layer: output sides, parameters, MACs, activations, receptive field, stride."""
    figures = [
        *_sides(row),
        Explanation("parameters", row.params, _formula(row.layer.param_terms(row.input_shape))),
        Explanation("MACs", row.macs, _formula(row.layer.mac_terms(row.input_shape))),
        Explanation("activations", row.activations, sum_of_products((row.output_shape,)) if row.activations else None),
    ]
    return figures + _field(summary, row)


def _formula(terms: tuple[tuple[int, ...], ...]) -> str | None:
    return sum_of_products(terms) if terms else None


def _sides(row: Row) -> list[Explanation]:
    if len(row.output_shape) != 3 or len(row.input_shape) != 3:
        return []
    height, width = row.input_shape[1:]
    names = ["output side"] if height == width else ["output height", "output width"]
    sides = [height] if height == width else [height, width]
    return [
        Explanation(name, out, row.layer.side_formula(side))
        for name, side, out in zip(names, sides, row.output_shape[1:], strict=False)
    ]


def _field(summary: Summary, row: Row) -> list[Explanation]:
    """Receptive field and stride with the arithmetic of Araujo, Norris and Sim (2019): r + (k - 1) j and j s."""
    if row.receptive_field is None:
        return []
    before = summary.rows[summary.rows.index(row) - 1] if summary.rows[0] is not row else None
    field, stride = (before.receptive_field, before.stride) if before else (1, 1)
    window, step = row.layer.field(row.input_shape)
    moves = stride is not None and (window, step) != (1, 1)
    formula = f"{field} + ({window} − 1) × {stride}" if moves else None
    result = [Explanation("receptive field", row.receptive_field, formula)]
    if row.stride is not None:
        result.append(Explanation("stride", row.stride, f"{stride} × {step}" if moves else None))
    return result
