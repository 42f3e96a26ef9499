"""`vggexplorer cluster`: what a cluster has."""

import argparse
import json

from vggexplorer.runs.cluster.holder import ask
from vggexplorer.runs.places import Place


def look(options: argparse.Namespace) -> int:
    """Print what a cluster has, and what of it is free."""
    free = ask(Place(cluster=options.cluster).cluster)
    if options.json:
        print(json.dumps(free._asdict(), indent=2))
    else:
        print(f"nodes       {free.nodes}")
        print(f"processors  {free.processors}, {free.free_processors} free")
        print(f"GPUs        {free.gpus}, {free.free_gpus} free")
    return 0
