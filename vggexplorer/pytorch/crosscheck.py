"""Asks other tools for their counts: `python -m vggexplorer.pytorch.crosscheck`, a process of its own.

Standard input holds the texts of a network as a JSON object, by the keys of `parse_network`. Standard
output gets one JSON object in a line for each tool as soon as it is done: `tool`, `version`, `params`,
`count` and `seconds`, or `tool` and `error`, a sentence as `reason_to_json` writes it.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError, reason_to_json
from vggexplorer.peers import failure, refusal
from vggexplorer.processes import need_torch, tell
from vggexplorer.pytorch.modules import build
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

MAX_THREADS = 2


def flop_counter_mode(network: Network) -> tuple[int, int]:
    """Parameters and FLOPs by torch's own counter, on the meta device."""
    net, image = _on("meta", network)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops()


def by_torchinfo(network: Network) -> tuple[int, int]:
    """Parameters and mult-adds by torchinfo, on the meta device."""
    net, image = _on("meta", network)
    info = import_module("torchinfo").summary(net, input_data=image, device="meta", mode="eval", verbose=0)
    return info.total_params, info.total_mult_adds


def by_fvcore(network: Network) -> tuple[int, int]:
    """Parameters and flops by fvcore, on real tensors: tracing fails on the meta device with torch 2.15."""
    if error := refusal("fvcore", summarize(*network)):
        raise error
    fvcore = import_module("fvcore.nn")
    net, image = _on("cpu", network)
    with torch.no_grad():
        count = fvcore.FlopCountAnalysis(net, image).total()
    return fvcore.parameter_count(net)[""], count


TOOLS: dict[str, tuple[str, Callable[[Network], tuple[int, int]]]] = {
    "FlopCounterMode": ("torch", flop_counter_mode),
    "torchinfo": ("torchinfo", by_torchinfo),
    "fvcore": ("fvcore", by_fvcore),
}
"""By name: the distribution that holds the tool, a module of the same name, and what asks it."""


def measure(tool: str, network: Network) -> dict[str, Any]:
    """What `tool` says of the network, or why it says nothing; ready for JSON."""
    distribution, ask = TOOLS[tool]
    start = time.perf_counter()
    try:
        need_torch(distribution)
        params, count = map(int, ask(network))
        seconds = round(time.perf_counter() - start, 3)
        return {"tool": tool, "version": version(distribution), "params": params, "count": count, "seconds": seconds}
    except InputError as error:
        reason = error
    except Exception as error:
        words = str(error).strip().partition("\n")[0] or "–"
        reason = failure(tool, f"{type(error).__name__}: {words[:300]}")
    return {"tool": tool, "error": reason_to_json(reason)}


def answers() -> Iterator[dict[str, Any]]:
    """What all tools say, one after the other, of the network that standard input names."""
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))
    torch.set_flush_denormal(True)  # memory that nobody filled may hold them, and they are slow
    network = parse_network(json.load(sys.stdin))
    for tool in TOOLS:
        yield measure(tool, network)


def _on(device: str, network: Network) -> tuple[nn.Module, torch.Tensor]:
    """The network in evaluation mode, its weights not initialised, and a batch of one."""
    with torch.device("meta"):
        net = build(*network).eval()
    return net.to_empty(device=device), torch.zeros(1, *network.input_shape, device=device)


if __name__ == "__main__":
    sys.exit(tell(answers()))
