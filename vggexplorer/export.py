"""A network's costs as plain data: what `vggexplorer profile` and `compare` print with `--json`."""

from collections.abc import Sequence
from typing import Any, NoReturn

from vggexplorer.architectures import Network
from vggexplorer.comparison import Entry
from vggexplorer.errors import InputError
from vggexplorer.summary import Row, Summary, Totals
from vggexplorer.text import KEYS, format_blocks, format_network, format_tuple, title


def profile(summary: Summary) -> dict[str, Any]:
    """A summary as dictionaries, lists, texts and integers, ready for JSON.

    Shapes are lists without the batch, counts are for one example, `receptive_field` is in input
    pixels and None from Flatten on. `architecture` holds every text that `parse_network` reads.
    """
    return {
        "architecture": _architecture(Network(summary.architecture, summary.input_shape)),
        "input_shape": list(summary.input_shape),
        "totals": _totals(summary.totals),
        "layers": [_layer(row) for row in summary.rows],
    }


def comparison(entries: Sequence[Entry]) -> dict[str, Any]:
    """Several networks under one input, and every total as a multiple of the first one's.

    `InputError` if a network cannot take the input.
    """
    summaries = [entry.summary or _refuse(entry) for entry in entries]
    base = _totals(summaries[0].totals)
    return {
        "input_shape": list(summaries[0].input_shape),
        "architectures": [profile(summary) for summary in summaries],
        "ratios": [
            {name: count / base[name] for name, count in _totals(summary.totals).items()} for summary in summaries
        ],
    }


def _refuse(entry: Entry) -> NoReturn:
    raise InputError("{name}: {reason}", name=entry.name, reason=entry.error)


def _architecture(network: Network) -> dict[str, str | None]:
    blocks = network.architecture.blocks
    texts = {key: form(network) for key, (_, form) in KEYS.items()}
    written_out = {"blocks": format_blocks(blocks), "tuple": format_tuple(blocks)}
    return {"name": title(network), "arch": format_network(network)["arch"]} | written_out | texts


def _totals(totals: Totals) -> dict[str, int]:
    return {
        "params": totals.params,
        "conv_params": totals.conv_params,
        "fc_params": totals.fc_params,
        "macs": totals.macs,
        "conv_macs": totals.conv_macs,
        "fc_macs": totals.fc_macs,
        "flops": totals.flops,
        "activations": totals.activations,
    }


def _layer(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "input_shape": list(row.input_shape),
        "output_shape": list(row.output_shape),
        "params": row.params,
        "macs": row.macs,
        "receptive_field": row.receptive_field,
    }
