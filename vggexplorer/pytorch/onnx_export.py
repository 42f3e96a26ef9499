"""A network as an ONNX model: `python -m vggexplorer.pytorch.onnx_export OUT_FILE`.

The texts that `parse_network` reads come as JSON on stdin; one line of JSON about the file goes to
stdout. PyTorch's exporter needs the packages onnx and onnxscript.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vggexplorer.architectures import Network
from vggexplorer.export import check_weights
from vggexplorer.processes import tell
from vggexplorer.pytorch.modules import build
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

SEED = 0
"""Of the weights: nothing is trained, and the same network always gives the same file."""


def seeded(network: Network) -> nn.Sequential:
    """The network, freshly initialised by PyTorch from `SEED`, in evaluation mode."""
    torch.manual_seed(SEED)
    return build(*network).eval()


def export(params: Mapping[str, str], path: Path) -> dict[str, Any]:
    """Write the network that `params` name to `path`: 'input' (batch, C, H, W) to 'scores' (batch, classes).

    The batch is dynamic, weights are inside the file. Answers the file's size in bytes and the number of
    parameters; `InputError` if there is no such network or it is too large.
    """
    network = parse_network(params)
    summary = summarize(*network)
    check_weights(summary)
    example = torch.zeros(()).expand(2, *network.input_shape)  # one number in memory, whatever the shape
    torch.onnx.export(
        seeded(network),
        (example,),
        path,
        input_names=["input"],
        output_names=["scores"],
        dynamo=True,  # the default since 2.9; the older one knows no adaptive pooling with uneven bins
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )
    return {"bytes": path.stat().st_size, "parameters": summary.totals.params}


def answer(path: Path) -> Iterator[dict[str, Any]]:
    """The line to print about the network that standard input names."""
    yield export(json.load(sys.stdin), path)


if __name__ == "__main__":
    sys.exit(tell(answer(Path(sys.argv[1]))))
