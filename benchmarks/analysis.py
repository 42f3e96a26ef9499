"""The time of one full analysis of a network beside that of other tools, on the same work, in turns.

    python benchmarks/analysis.py [--networks alexnet,vgg16] [--side 224] [--rounds 5] [--json | --markdown]

Ours is `summarize`: shapes, parameters, MACs, activations and receptive fields of every layer, nothing kept from one
call to the next. The others start from a model that is built already; "… and building the model" adds the time to
build that model on the same device (initialised, on the CPU). In each round every tool is measured right after ours,
the quick ones several times, and a ratio is the median of all such pairs. Each tool's parameters and its count (of
MACs, mult-adds or FLOPs) are held against ours by the tool's own terms, to the digit. Tools that are not installed
are left out, and named.

Then the growth: microseconds of processor time per layer of networks of 10 to 10,000 layers.

The exit status is 1 if figures disagree, and 0 otherwise: what is slow today may only be a busy machine.
"""

import argparse
import contextlib
import io
import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from math import prod
from typing import Any, NamedTuple

import table
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vggexplorer.architectures import Architecture, Block, Head, Network
from vggexplorer.peers import PEERS, terms
from vggexplorer.pytorch.modules import build
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_arch

BAR = 80
"""How many times faster than the fastest of the others."""
GROWTH_BAR = 1.5
"""How much dearer a layer may be in one network than in another of the growth table."""
TURNS = {"meta": 5, "cpu": 1}
"""Measurements of a tool in one round, by its device."""
CALLS = 50
"""Calls of ours in one measurement."""
LAYERS = (10, 100, 1_000, 10_000)
GROWTH_ROUNDS = 31

Counts = tuple[int, int]
"""What a tool says: parameters, and MACs or whatever it counts instead."""


# --- the tools -----------------------------------------------------------------------------------------------------


def by_torchinfo(net: nn.Module, image: torch.Tensor) -> Counts:
    """By torchinfo, on the image's device."""
    summary = import_module("torchinfo").summary
    info = summary(net, input_data=image, device=image.device.type, mode="eval", verbose=0)
    return info.total_params, info.total_mult_adds


def by_flop_counter(net: nn.Module, image: torch.Tensor) -> Counts:
    """By torch's own counter, which counts no parameters: they are added up beside it."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops()


def by_fvcore(net: nn.Module, image: torch.Tensor) -> Counts:
    """By fvcore, with real tensors: tracing fails on the meta device."""
    fvcore = import_module("fvcore.nn")
    with torch.no_grad():
        return fvcore.parameter_count(net)[""], fvcore.FlopCountAnalysis(net, image).total()


def by_thop(net: nn.Module, image: torch.Tensor) -> Counts:
    """By thop."""
    macs, params = import_module("thop").profile(net, (image,), verbose=False)
    return int(params), int(macs)


def by_ptflops(net: nn.Module, image: torch.Tensor) -> Counts:
    """By ptflops with its default backend."""
    ask = import_module("ptflops").get_model_complexity_info
    macs, params = ask(net, tuple(image.shape[1:]), as_strings=False, print_per_layer_stat=False)
    return params, macs


class Tool(NamedTuple):
    """One of the others: the module that must be installed, the device it is asked on, and how it is asked."""

    name: str
    module: str
    device: str
    ask: Callable[[nn.Module, torch.Tensor], Counts]

    @property
    def title(self) -> str:
        """The name with the device if it is not the usual one."""
        return f"{self.name}, meta device" if self.device == "meta" else self.name


TOOLS = (
    Tool("FlopCounterMode", "torch", "meta", by_flop_counter),
    Tool("torchinfo", "torchinfo", "meta", by_torchinfo),
    Tool("torchinfo", "torchinfo", "cpu", by_torchinfo),
    Tool("fvcore", "fvcore", "cpu", by_fvcore),
    Tool("thop", "thop", "cpu", by_thop),
    Tool("ptflops", "ptflops", "cpu", by_ptflops),
)


def expected(summary: Summary, tool: str) -> int:
    """What `tool` should count for the network, by its own terms (`vggexplorer.peers` knows three of the tools)."""
    macs = summary.totals.macs
    if tool in PEERS:
        return macs + sum(term.value for term in terms(summary, tool))
    elements = [(row.kind, prod(row.input_shape), prod(row.output_shape)) for row in summary.rows]
    if tool == "thop":  # average pooling: one for each output element
        return macs + sum(out for kind, _, out in elements if kind == "AvgPool2d")
    # ptflops: biases, and twice each input element of pooling and each output element of ReLU
    biases = sum(out for kind, _, out in elements if kind in ("Conv2d", "Linear"))
    return macs + biases + 2 * sum(size for kind, size, _ in elements if "Pool2d" in kind or kind == "ReLU")


# --- measuring -----------------------------------------------------------------------------------------------------


class Sample(NamedTuple):
    """Seconds: the tool's, those of building its model in this round, and ours just before."""

    tool: float
    building: float
    ours: float


def timed(call: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """The seconds of one call, as the mean of so many, and what the last one gave."""
    start = time.perf_counter()
    for _ in range(times):
        found = call()
    return (time.perf_counter() - start) / times, found


def built(network: Network, device: str) -> tuple[nn.Module, torch.Tensor]:
    """The network in evaluation mode on a device, and a batch of one."""
    with torch.device(device):
        return build(*network).eval(), torch.zeros(1, *network.input_shape)


def one_round(network: Network, tools: list[Tool]) -> Iterator[tuple[Tool, Counts, Sample]]:
    """Each tool, every time right after ours."""
    for device in ("meta", "cpu"):
        building, (net, image) = timed(partial(built, network, device))
        for tool in (tool for tool in tools if tool.device == device):
            for _ in range(TURNS[device]):
                ours, _ = timed(partial(summarize, *network), CALLS)
                theirs, counts = timed(partial(tool.ask, net, image))
                yield tool, counts, Sample(theirs, building, ours)


def compare(network: Network, tools: list[Tool], rounds: int) -> dict[str, Any]:
    """Ours and the tools on one network: medians of several rounds."""
    summary = summarize(*network)
    counts: dict[Tool, Counts] = {}
    samples: dict[Tool, list[Sample]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, counts[tool], sample in one_round(network, tools):
            samples[tool].append(sample)
    ours = [sample.ours for found in samples.values() for sample in found]
    return {
        "seconds": statistics.median(ours),
        "params": summary.totals.params,
        "macs": summary.totals.macs,
        "activations": summary.totals.activations,
        "tools": [result(tool, counts[tool], samples[tool], summary) for tool in tools],
    }


def result(tool: Tool, counts: Counts, samples: list[Sample], summary: Summary) -> dict[str, Any]:
    """One tool's medians, and whether its figures are ours by its own terms."""
    median = statistics.median
    params, count = counts
    return {
        "tool": tool.title,
        "seconds": median(sample.tool for sample in samples),
        "ratio": median(sample.tool / sample.ours for sample in samples),
        "seconds_with_building": median(sample.tool + sample.building for sample in samples),
        "ratio_with_building": median((sample.tool + sample.building) / sample.ours for sample in samples),
        "params": params,
        "count": count,
        "expected_count": expected(summary, tool.name),
        "agrees": (params, count) == (summary.totals.params, expected(summary, tool.name)),
    }


def growth(sizes: tuple[int, ...], rounds: int = GROWTH_ROUNDS) -> dict[int, float]:
    """Microseconds of processor time per layer: networks of 3x3 convolutions of 64 channels, Flatten and Linear."""
    networks = {size: Architecture((Block(1, 64, pool=None),) * (size // 2 - 1), Head(hidden=()), 10) for size in sizes}
    found: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, architecture in networks.items():
            calls = max(sizes) // size
            start = time.thread_time()
            for _ in range(calls):
                summarize(architecture, (3, 224, 224))
            found[size].append((time.thread_time() - start) / calls / architecture.num_layers * 1e6)
    return {size: statistics.median(times) for size, times in found.items()}


# --- saying it -----------------------------------------------------------------------------------------------------


def time_text(value: float) -> str:
    """A time as people read it: 43 µs, 8.2 ms, 740 ms, 3.1 s."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.{1 if value < 10 * size else 0}f} {unit}"
    return f"{value * 1e6:.0f} µs"


def main_table(results: dict[str, dict[str, Any]], cell: Callable[[float, float], str]) -> list[list[str]]:
    """A column for each network, two rows for each tool; `cell` writes a time and its ratio to ours."""
    found = list(results.values())
    rows = [["", *results], ["this project", *(time_text(one["seconds"]) for one in found)]]
    for tools in zip(*(one["tools"] for one in found), strict=True):
        mark = "✓" if all(tool["agrees"] for tool in tools) else "✗"
        rows.append([f"{tools[0]['tool']} {mark}", *(cell(tool["seconds"], tool["ratio"]) for tool in tools)])
        both = (cell(tool["seconds_with_building"], tool["ratio_with_building"]) for tool in tools)
        rows.append(["… and building the model", *both])
    return rows


def growth_table(found: dict[int, float]) -> list[list[str]]:
    """Layers in the head, microseconds per layer below."""
    return [
        ["layers", *(f"{size:,}" for size in found)],
        ["µs per layer", *(f"{value:.2f}" for value in found.values())],
    ]


def verdict(results: dict[str, dict[str, Any]], spread: float) -> dict[str, Any]:
    """Whether the bar is met: the lowest of all ratios, the growth, and the figures."""
    tools = [(title, tool) for title, one in results.items() for tool in one["tools"]]
    title, fastest = min(tools, key=lambda pair: pair[1]["ratio"])
    wrong = [f"{tool['tool']} of {title}" for title, tool in tools if not tool["agrees"]]
    met = not wrong and fastest["ratio"] >= BAR and spread <= GROWTH_BAR
    line = (
        f"The bar is {'met' if met else 'missed'}: at least {fastest['ratio']:.0f} times faster than the fastest "
        f"of the others ({fastest['tool']}, model built, {title}; {BAR} asked); "
        f"{'other figures: ' + ', '.join(wrong) if wrong else 'the same integers'}; "
        f"time per layer within a factor of {spread:.2f} ({GROWTH_BAR} asked)."
    )
    return {"met": met, "agree": not wrong, "lowest_ratio": fastest["ratio"], "growth": spread, "line": line}


LEGEND = (
    "The time of one analysis, and how many times ours that is; medians of {rounds} rounds, in turns. "
    "✓: the same parameters and, by the tool's own terms, the same count."
)


def show(report: dict[str, Any], as_markdown: bool) -> None:
    """Print the report for people."""
    draw = table.markdown if as_markdown else table.text
    print(table.sentence(report["machine"]), end="\n\n")
    rows = main_table(
        report["networks"], lambda time, ratio: f"{time_text(time)}{' · ' * as_markdown or '  '}{ratio:,.0f}×"
    )
    print(draw(rows), end="\n\n")
    print(LEGEND.format(rounds=report["rounds"]))
    for missing in report["not_installed"]:
        print(f"{missing} is not installed and is left out (pip install {missing}).")
    print("", draw(growth_table(report["growth"])), "", report["bar"]["line"], sep="\n")


# --- the program ---------------------------------------------------------------------------------------------------


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="alexnet,vgg11,vgg16,vgg19", help="names, with commas between them")
    parser.add_argument("--side", type=int, default=224, help="height and width of the input, in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", default=",".join(map(str, LAYERS)), help="sizes in the growth table (even numbers)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    return parser.parse_args()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what the tools print, warn and log."""
    logging.disable(logging.ERROR)
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        yield
    logging.disable(logging.NOTSET)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    sizes = tuple(int(size) for size in asked.layers.split(","))
    per_layer = growth(sizes)
    tools = [tool for tool in TOOLS if find_spec(tool.module)]
    list(one_round(Network(parse_arch("lenet").architecture, (1, 28, 28)), tools))  # loads what they load late
    results = {}
    for name in asked.networks.split(","):
        print(f"{name} …", file=sys.stderr, flush=True)
        network = Network(parse_arch(name).architecture, (1, asked.side, asked.side))
        results[name] = compare(network, tools, asked.rounds)
    return {
        "machine": table.machine(sorted({"vggexplorer", *(tool.module for tool in TOOLS)})),
        "rounds": asked.rounds,
        "input": [1, asked.side, asked.side],
        "networks": results,
        "growth": per_layer,
        "not_installed": sorted({tool.module for tool in TOOLS if tool not in tools}),
        "bar": verdict(results, max(per_layer.values()) / min(per_layer.values())),
    }


def main() -> int:
    """Measure and print; 1 if figures disagree."""
    asked = options()
    with quiet():
        report = measure(asked)
    if asked.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        show(report, asked.markdown)
    return 0 if report["bar"]["agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
