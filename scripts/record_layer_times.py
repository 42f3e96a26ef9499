"""Times the layers of two networks for the example that ships with the package: `record_layer_times.py [--to FILE]`.

They are timed as Compare does, on this machine's processor; nothing else should run meanwhile.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

from vggexplorer.architectures import NETWORKS
from vggexplorer.errors import InputError
from vggexplorer.processes import processor_name, processors
from vggexplorer.runs.calibration import Timed, time_layers
from vggexplorer.runs.layer_times import RECORDED, Case
from vggexplorer.text import format_network

NAMES = ("VGG-11", "AlexNet")
BATCH = 16
ROUNDS = 3


def timed() -> dict[str, object]:
    """The machine, and for each network its case and its seconds."""
    cases = [Case(NETWORKS[name], BATCH, "float32") for name in NAMES]
    return {
        "machine": {"processor": processor_name(), "threads": processors(), "torch": version("torch")},
        "networks": [_with(case, time_layers(*case[:2], "cpu", case.precision, rounds=ROUNDS)) for case in cases],
    }


def _with(case: Case, found: Timed) -> dict[str, object]:
    layers = {name: [round(each.forward, 6), round(each.backward, 6)] for name, each in found.layers.items()}
    return {
        "network": format_network(case.network),
        "batch": case.batch,
        "precision": case.precision,
        "step": round(found.step, 6),
        "layers": layers,
    }


def main() -> None:
    """The command: exits with 1 and a sentence on stderr if the layers cannot be timed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=RECORDED, help="file to write to")
    target = parser.parse_args().to
    try:
        target.write_text(json.dumps(timed()) + "\n", "utf-8")
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
