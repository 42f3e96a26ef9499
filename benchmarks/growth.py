"""How a sweep's costs grow with its runs: 500 of them beside 1,000, in this process, without training.

    python benchmarks/growth.py [--runs 500] [--rounds 7] [--json | --markdown]

Seconds of the processor, medians over the rounds, in which both sizes take turns: to plan a sweep and write it down;
its keeper, if each trainer has finished as soon as it is started; `vggexplorer sweep list` and `vggexplorer runs`; a
look of who follows it in a terminal; on Runs, the list read for the first time, a look at it in which nothing is new,
and the sweep in view; and the bytes of the list as it is sent. What is linear takes twice as long for twice the runs.
"""

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import table
from streaming import made

from vggexplorer.architectures import NETWORKS
from vggexplorer.runs import launch
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.limits import Limits
from vggexplorer.runs.sweeps import keeper, start
from vggexplorer.runs.sweeps.grid import Grid
from vggexplorer.terminal import runs as listed_runs
from vggexplorer.terminal import sweeps as listed_sweeps
from vggexplorer.terminal.sweep_progress import Followed
from vggexplorer.ui.run import rows as seen
from vggexplorer.ui.runs import listing, sweeps

BAR = 2.5
"""How many times as long twice the runs may take: timings of the same work differ."""


def sized(folder: Path, count: int) -> dict[str, float]:
    """Seconds of the processor for each, and the bytes that are sent, of a sweep of so many runs."""
    runs, origin = Runs(folder / "runs"), made(Runs(folder / "origin"), 100, "one")
    found: dict[str, float] = {}

    def took(what: str, action: Callable[[], Any]) -> Any:
        gc.collect()  # what was made before is no work of this action
        began = time.process_time()
        value = action()
        found[what] = time.process_time() - began
        return value

    def finished(_: Sequence[str], log: Path, *__: object) -> None:
        for name in (layout.METRICS, layout.OUTCOME):
            shutil.copy(origin.path / name, log.parent)
        Line(runs).leave(Run(log.parent))

    start._keep, launch.detached = (lambda *_: None), finished  # type: ignore[assignment]
    grid = Grid(networks=[NETWORKS["LeNet"]], seeds=range(count))
    sweep = took("planned and written", lambda: start.start_sweep(runs, grid.plan().configs))
    took("its keeper", lambda: keeper.keep(sweep, Limits()))
    took("sweep list", lambda: listed_sweeps.rows(runs))
    took("runs", lambda: listed_runs.rows(runs.all()))
    followed = Followed(sweep)
    followed.look()
    took("followed, a look", followed.look)
    seen.forget()
    page = listing.Listed(runs, "en")
    whole = took("page, first", page.whole)
    page._looked = float("-inf")
    took("page, a look", lambda: page.answer(whole["start"], whole["number"]))
    took("sweep in view", lambda: sweeps._Seen(sweep))
    return found | {"bytes sent": len(listing._bytes(whole))}


def rows(found: dict[int, dict[str, float]]) -> list[list[str]]:
    """Both sizes beside each other."""
    few, many = found
    lines = [["", f"{few:,} runs", f"{many:,} runs", "ratio", "bar", "met"]]
    for name in found[few]:
        ratio = found[many][name] / found[few][name]
        both = (found[size][name] for size in found)
        numbers = [f"{value / 1024:.0f} KiB" if name == "bytes sent" else f"{value:.3f} s" for value in both]
        lines.append([name, *numbers, f"{ratio:.2f}x", f"{BAR}x", "yes" if ratio <= BAR else "no"])
    return lines


def main() -> None:
    """Measure and print."""
    parser = table.parser(__doc__, rounds=7)
    parser.add_argument("--runs", type=int, default=500)
    options = parser.parse_args()
    sizes = (options.runs, 2 * options.runs)
    measured: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    for _ in range(options.rounds):
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                measured[size].append(sized(Path(folder), size))
    found = {
        size: {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        for size, rounds in measured.items()
    }
    table.report(options, table.machine([]), {"sizes": found}, rows(found))


if __name__ == "__main__":
    main()
