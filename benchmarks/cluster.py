"""What a run on a Ray cluster costs beside the same run as a process of this machine.

    python benchmarks/cluster.py [--rounds 5] [--seconds 15] [--waiting 4] [--json | --markdown]

In turns, on a cluster of this machine alone: from the call that starts a run to its first record; seconds of a step
of a small network; how much later a record is in the run's folder than in the
copy on the node. Then the memory (PSS: what is shared counts in parts) and the processor time of the processes that a
run has more than it would have here, and of those that it has while it waits for a node.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import table

from vggexplorer.runs import devices, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.runs.places import Place
from vggexplorer.text import parse_network

T = TypeVar("T")
CONFIG = Config(
    network=parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "8"}),
    training=Training(epochs=10_000, batch_size=20, lr=0.01, precision="float32"),
    device="cpu",
)
"""Some milliseconds a step."""
WARM_UP = 50
"""Steps before those that count."""
TICKS = os.sysconf("SC_CLK_TCK")


def until(condition: Callable[[], T], seconds: float = 120) -> T:
    """The first true value of `condition()`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s")
        time.sleep(0.002)
    return value


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of a cluster of one node with one processor, and the id of the process that started it."""
    temporary = Path(tempfile.mkdtemp(prefix="ray"))  # the path of a socket has a hundred characters
    port, log = 26_379, folder / "ray.log"
    options = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--num-gpus=0", "--include-dashboard=false"]
    options += [f"--port={port}", f"--temp-dir={temporary}", "--object-store-memory=80000000"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ
            | {
                "RAY_USAGE_STATS_ENABLED": "0",
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # 127.0.0.1 is meant
                "VGGEXPLORER_RUNS": str(folder / "node"),
            },
        )
    try:
        until(lambda: "Ray runtime started" in log.read_text("utf-8") or process.poll() is not None)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        everything = descendants(process.pid)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for pid in everything:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        shutil.rmtree(temporary, ignore_errors=True)


# --- processes ------------------------------------------------------------------------------------------------------


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text("utf-8").rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found + [each for child in found for each in descendants(child)]


def command(pid: int) -> str:
    """What a process was started as."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def memory(pid: int) -> float:
    """MiB of a process; what it shares with others counts in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def used(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


# --- what is measured -------------------------------------------------------------------------------------------------


def ended(run: Run) -> None:
    """Stop a run and wait until it is over."""
    launch.stop(run)
    until(lambda: not run.status().active)


def trainer_of(run: Run, head: int) -> int:
    """The process that trains, here or on the node that the process `head` has started."""
    there = (pid for pid in descendants(head) if "pytorch.train" in command(pid))
    return next(there, int(run.heartbeat()["pid"]))


def one(runs: Runs, place: Place, head: int, seconds: float) -> dict[str, float]:
    """Seconds to the first record, and of a step: by the clock, and of processor time."""
    began = time.monotonic()
    run = launch.start(runs, CONFIG, place=place)
    until(run.last_record)
    start = time.monotonic() - began
    first = until(lambda: (record := run.last_record()) and record.step >= WARM_UP and record)
    trainer = trainer_of(run, head)
    before = used(trainer)
    time.sleep(seconds)
    last, after = until(run.last_record), used(trainer)
    ended(run)
    steps = last.step - first.step
    return {"start": start, "step": (last.seconds - first.seconds) / steps, "work": (after - before) / steps}


def delays(here: Path, there: Path, seconds: float) -> list[float]:
    """For each look at both files: how long ago the longer one was as long as the other one is now."""
    grown: list[tuple[int, float]] = []
    found = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        size, now = there.stat().st_size, time.monotonic()
        if not grown or size > grown[-1][0]:
            grown.append((size, now))
        had = here.stat().st_size
        missing = next((when for size, when in grown if size > had), now)
        found.append(now - missing)
        time.sleep(0.002)
    return found


def more(runs: Runs, place: Place, head: int, folder: Path, seconds: float, waiting: int) -> dict[str, Any]:
    """The delay of records, and what the processes of a run take that it would not have here."""
    run = launch.start(runs, CONFIG, place=place)
    until(lambda: (record := run.last_record()) and record.step >= WARM_UP)
    copy = until(lambda: list(folder.glob("node/copies/*/run/metrics.jsonl")))[0]
    late = delays(run.path / "metrics.jsonl", copy, seconds)
    holder = run.heartbeat()["pid"]
    trainer = trainer_of(run, head)
    node = int(Path(f"/proc/{trainer}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    before = {pid: used(pid) for pid in (holder, node, trainer)}
    records = len(run.records())
    time.sleep(seconds)
    records = len(run.records()) - records
    share = {pid: (used(pid) - seconds_before) / seconds for pid, seconds_before in before.items()}
    others = [launch.start(runs, CONFIG, place=place) for _ in range(waiting)]
    until(lambda: all(other.status().word == "waiting" for other in others))
    time.sleep(10)  # they have connected
    pids = [other.heartbeat()["pid"] for other in others]
    idle = {pid: used(pid) for pid in pids}
    time.sleep(seconds)
    found = {
        "delay": statistics.median(late),
        "longest delay": max(late),
        "records a second": records / seconds,
        "holder": memory(holder),
        "node": memory(node),
        "trainer": memory(trainer),
        "holder's share": share[holder],
        "node's share": share[node],
        "waiting": statistics.mean(map(memory, pids)) if pids else 0.0,
        "waiting's share": statistics.mean((used(pid) - idle[pid]) / seconds for pid in pids) if pids else 0.0,
        "ray": sum(memory(pid) for pid in descendants(head) if pid not in (node, trainer)),
    }
    for each in (*others, run):
        ended(each)
    return found


def measure(rounds: int, seconds: float, waiting: int) -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cpu = {"name": "cpu", "title": "CPU", "memory": 2**33, "speedup": 1.0}
        for each in ("here", "node"):  # nobody asks PyTorch for its devices: that is done once for each machine
            (folder / each).mkdir()
            known = {"machine": devices.machine(), "devices": [cpu]}
            write_json(folder / each / "devices.json", known)
        runs = Runs(folder / "here")
        os.environ["OMP_NUM_THREADS"] = "1"  # as many as Ray gives a run of one processor
        with cluster(folder) as (address, head):
            places = {"here": Place(), "cluster": Place(cluster=address)}
            taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in places}
            for _ in range(rounds):
                for kind, place in places.items():
                    taken[kind].append(one(runs, place, head, seconds))
            return {"turns": taken, **more(runs, places["cluster"], head, folder, seconds, waiting)}


def rows(found: dict[str, Any]) -> list[list[str]]:
    """The table."""
    lines = [["", "here", "on the cluster"]]
    medians = {
        kind: {what: statistics.median(each[what] for each in turns) for what in ("start", "step", "work")}
        for kind, turns in found["turns"].items()
    }
    here, there = medians["here"], medians["cluster"]
    both = found["holder's share"] + found["node's share"]
    lines += [
        ["from the start to the first record", f"{here['start']:.2f} s", f"{there['start']:.2f} s"],
        ["a step", milliseconds(here["step"]), milliseconds(there["step"])],
        ["processor time of the trainer for a step", milliseconds(here["work"]), milliseconds(there["work"])],
        ["of the two processes between for a record", "", milliseconds(both / found["records a second"])],
        ["a record is in the run's folder later by", "0", f"{found['delay']:.3f} s"],
        ["at most", "0", f"{found['longest delay']:.3f} s"],
        ["memory of the trainer", f"{found['trainer']:.0f} MiB", f"{found['trainer']:.0f} MiB"],
        ["of the process that holds the run", "", f"{found['holder']:.0f} MiB"],
        ["of the process on the node", "", f"{found['node']:.0f} MiB"],
        [f"processor of the holder, {found['records a second']:.0f} records a second", "", percent(found, "holder's")],
        ["processor of the process on the node", "", percent(found, "node's")],
        ["a run that waits: memory", "", f"{found['waiting']:.0f} MiB"],
        ["a run that waits: processor", "", percent(found, "waiting's")],
        ["Ray itself on a head without runs: memory", "", f"{found['ray']:.0f} MiB"],
    ]
    return lines


def milliseconds(seconds: float) -> str:
    """To a thousandth."""
    return f"{1000 * seconds:.3f} ms"


def percent(found: dict[str, Any], whose: str) -> str:
    """The share of a processor."""
    return f"{100 * found[f'{whose} share']:.1f} %"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15, help="of each training that counts")
    parser.add_argument("--waiting", type=int, default=4, help="runs that wait")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    os.environ.pop("VGGEXPLORER_RUNS", None)
    found = measure(options.rounds, options.seconds, options.waiting)
    about = table.machine(["torch", "ray"])
    if options.json:
        print(json.dumps({"machine": about, **found}, indent=1))
        return
    print(table.sentence(about), end="\n\n")
    print((table.markdown if options.markdown else table.text)(rows(found)))


if __name__ == "__main__":
    main()
