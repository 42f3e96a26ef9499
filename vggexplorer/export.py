"""A network's costs as plain data: what `vggexplorer profile` and `compare` print with `--json`; and as files."""

import csv
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import StringIO
from typing import Any, NoReturn

from vggexplorer.architectures import Network
from vggexplorer.comparison import Entry
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, size
from vggexplorer.layers import shape_text
from vggexplorer.notation import format_arch
from vggexplorer.peers import Check, Measured
from vggexplorer.summary import COLUMNS, Row, Summary, Totals
from vggexplorer.text import KEYS, format_network, format_tuple, title


def profile(summary: Summary) -> dict[str, Any]:
    """A summary as dictionaries, lists, texts and integers, ready for JSON.

    Shapes are lists without the batch, counts are for one example, `receptive_field` is in input
    pixels and None from Flatten on. `architecture` holds every text that `parse_network` reads; a head of
    layers is in `arch`.
    """
    return {
        "architecture": _architecture(Network(summary.architecture, summary.input_shape)),
        "input_shape": list(summary.input_shape),
        "totals": _totals(summary.totals),
        "layers": [_layer(row) for row in summary.rows],
    }


def comparison(entries: Sequence[Entry]) -> dict[str, Any]:
    """Several networks under one input, and every total as a multiple of the first one's (None of nothing).

    `InputError` if a network cannot take the input.
    """
    summaries = [entry.summary or _refuse(entry) for entry in entries]
    base = _totals(summaries[0].totals)
    return {
        "input_shape": list(summaries[0].input_shape),
        "architectures": [profile(summary) for summary in summaries],
        "ratios": [
            {name: count / base[name] if base[name] else None for name, count in _totals(summary.totals).items()}
            for summary in summaries
        ],
    }


def checked_by(measured: Mapping[str, Measured], checks: Sequence[Check]) -> list[dict[str, Any]]:
    """What other tools count beside our figures, ready for JSON; a tool that failed has `tool` and `error` alone."""
    failed = [{"tool": found.tool, "error": str(found.error)} for found in measured.values() if found.error]
    return [_check(check, measured[check.tool].seconds) for check in checks] + failed


def _check(check: Check, seconds: float) -> dict[str, Any]:
    return {
        "tool": check.tool,
        "version": check.version,
        "params": check.their_params,
        "count": check.theirs,
        "our_params": check.our_params,
        "our_macs": check.ours,
        "terms": [{"name": term.name, "value": term.value, "formula": term.formula} for term in check.terms],
        "unexplained": check.unexplained,
        "unexplained_params": check.unexplained_params,
        "seconds": seconds,
    }


def _refuse(entry: Entry) -> NoReturn:
    raise InputError("{name}: {reason}", name=entry.name, reason=entry.error)


def _architecture(network: Network) -> dict[str, str | None]:
    own = network.architecture
    texts = {key: text for key, (_, form) in KEYS.items() if (text := form(network))}
    written_out = {"blocks": format_arch(own), "tuple": format_tuple(own)}
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


# --- files -----------------------------------------------------------------------------------------------

MAX_WEIGHTS = 2**30
"""The most bytes of weights that are written to a file; a file of ONNX ends at 2 GiB."""
_STEM = 60
"""The most characters of a file's name before its ending."""


def rows_csv(summary: Summary) -> str:
    """One line per layer under English headers, for other programs: plain integers, shapes as 64x112x112.

    Counts are for one example, blocks are numbered from 1; what a layer has not is left empty.
    """
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in summary.rows:
        writer.writerow("x".join(map(str, cell)) if isinstance(cell, tuple) else cell for cell in row.cells())
    return file.getvalue()


def totals_csv(summaries: Sequence[Summary]) -> str:
    """One line per network under English headers: its name, its text, the input, and the totals for one example."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = list(_totals(summaries[0].totals))
    writer.writerow(["network", "arch", "input", "classes", *names])
    for summary in summaries:
        architecture = summary.architecture
        network = Network(architecture, summary.input_shape)
        shape = "x".join(map(str, summary.input_shape))
        about = (title(network), format_arch(architecture), shape, architecture.num_classes)
        writer.writerow((*about, *_totals(summary.totals).values()))
    return file.getvalue()


def markdown(summary: Summary) -> str:
    """The layers, the totals and the counting convention as a table in GitHub's Markdown."""
    network, totals = Network(summary.architecture, summary.input_shape), summary.totals
    name, classes = title(network).replace("_", r"\_"), summary.architecture.num_classes
    lines = [
        f"**{name}**, input {shape_text(summary.input_shape)}, {classes} classes",
        "",
        "| Layer | Kind | Output shape | Parameters | MACs | Activations |",
        "|---|---|---:|---:|---:|---:|",
        *(_layer_line(row) for row in summary.rows),
        _line("convolutional part", "", "", totals.conv_params, totals.conv_macs, totals.conv_activations),
        _line("fully connected part", "", "", totals.fc_params, totals.fc_macs, totals.fc_activations),
        _line("**total**", "", "", totals.params, totals.macs, totals.activations),
        "",
        "One MAC is one multiply-accumulate with a weight of a convolution or a linear layer, forward, for one "
        f"example; FLOPs = 2 × MACs = {exact(totals.flops)}. Activations are the elements of every layer's output.",
    ]
    return "\n".join(lines) + "\n"


def _layer_line(row: Row) -> str:
    return _line(row.name, row.kind, shape_text(row.output_shape), row.params, row.macs, row.activations)


def _line(*cells: str | int) -> str:
    return "| " + " | ".join(exact(cell) if isinstance(cell, int) else cell for cell in cells) + " |"


def file_name(network: Network, ending: str) -> str:
    """A file name that says what is inside and is safe everywhere: 'vgg11-1x224x224.csv'.

    What differs from the named network is in it too; long names are cut, with a short hash of the rest.
    """
    params = format_network(network)
    extras = (f"{key}{text}" for key, text in params.items() if key not in ("arch", "input"))
    parts = (params["arch"], KEYS["input"].format(network), *extras)
    whole = "-".join(parts).replace(",", "_")
    stem = re.sub(r"[^a-z0-9._]+", "-", whole)
    if len(stem) > _STEM:
        stem = f"{stem[: _STEM - 9]}-{sha256(whole.encode()).hexdigest()[:8]}"
    return f"{stem}.{ending}"


def check_weights(summary: Summary) -> None:
    """Raise `InputError` if the weights in float32 are too much for a file."""
    weights = 4 * summary.totals.params
    if weights > MAX_WEIGHTS:
        raise InputError(
            "The file would hold {size} of weights ({params} parameters × 4 bytes); at most {most} is written.",
            size=size(weights),
            params=exact(summary.totals.params),
            most=size(MAX_WEIGHTS),
        )
