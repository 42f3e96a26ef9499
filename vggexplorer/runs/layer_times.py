"""How long the layers of a network take: what is measured, and the example that ships with the package."""

import json
from functools import cache
from typing import NamedTuple

from vggexplorer.architectures import Network
from vggexplorer.forecast.time import LayerTime
from vggexplorer.paths import PACKAGE
from vggexplorer.runs.calibration import Timed
from vggexplorer.text import parse_network

RECORDED = PACKAGE / "assets" / "layer_times.json"
"""Written by `scripts/record_layer_times.py`."""


class Case(NamedTuple):
    """What is measured: a network, how many images at once, and in which precision."""

    network: Network
    batch: int
    precision: str


class Machine(NamedTuple):
    """Where the example was recorded: the processor's name, its threads, the version of PyTorch."""

    processor: str
    threads: int
    torch: str


class Recorded(NamedTuple):
    """The example: its machine, and what was timed there."""

    machine: Machine
    times: dict[Case, Timed]


@cache
def recorded() -> Recorded:
    """The example that ships with the package."""
    data = json.loads(RECORDED.read_text("utf-8"))
    times = {
        Case(parse_network(each["network"]), each["batch"], each["precision"]): Timed(
            each["step"], {name: LayerTime(*seconds) for name, seconds in each["layers"].items()}
        )
        for each in data["networks"]
    }
    return Recorded(Machine(**data["machine"]), times)
