"""A Ray cluster on this machine, of two nodes with one processor each; the first one is the dashboard's machine."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import free_port, wait_until
from real_runs import end_all, folder_of_runs

from vggexplorer.runs.folder.runs import Runs

START = """
import sys
from ray._private import services
services.resolve_ip_for_localhost = lambda host: host
from ray.scripts.scripts import main
sys.argv[0] = "ray"
main()
"""
"""The command `ray`. It takes 127.0.0.1 for an address that others reach this machine by; here it must not."""
SMALL = ("--num-cpus=1", "--num-gpus=0", "--object-store-memory=80000000")
"""What `ray start` is told of each node."""


@dataclass
class Member:
    """A node: `ray start --block`, and what it has started."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def raylet(self) -> int:
        """The id of the process that is the node for the others."""
        found = [pid for pid in descendants(self.process.pid) if program(pid) == "raylet"]
        assert found, self.log.read_text()
        return found[0]

    def die(self) -> None:
        """As in a power cut, or nearly so."""
        os.kill(self.raylet(), signal.SIGKILL)

    def end(self) -> None:
        """End all that it has started."""
        everything = descendants(self.process.pid)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        for pid in [self.process.pid, *everything]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def program(pid: int) -> str:
    """The name of the program that a process runs."""
    with suppress(OSError):
        return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name
    return ""


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found + [each for child in found for each in descendants(child)]


class Cluster:
    """The nodes by name; `address` is the head's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.members: dict[str, Member] = {}
        self.runs = folder_of_runs(folder / "of the nodes").path
        self.temporary = Path(tempfile.mkdtemp(prefix="ray"))  # the path of a socket has a hundred characters

    def start(self, name: str) -> Member:
        """Start the node `name`; the first one is the head."""
        where = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.temporary}"]
        if self.members:
            where = [f"--address={self.address}"]
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", START, "start", "--block"),
                    *(*where, "--node-ip-address=127.0.0.1", *SMALL),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {
                    "RAY_USAGE_STATS_ENABLED": "0",
                    "VGGEXPLORER_RUNS": str(self.runs),
                    "OMP_NUM_THREADS": "1",
                },
                cwd=self.folder,
            )
        member = self.members[name] = Member(process, log)

        def up() -> bool:
            assert process.poll() is None, log.read_text()
            return "Ray runtime started" in log.read_text()

        wait_until(up, 60, f"the node {name}")
        return member

    def end(self) -> None:
        """End all nodes, the head at last."""
        for member in reversed(self.members.values()):
            member.end()
        shutil.rmtree(self.temporary, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _token() -> Iterator[None]:
    """Only who has it may talk to the cluster."""
    if find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'vggexplorer[cluster]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="session")
def _started(tmp_path_factory: pytest.TempPathFactory, _token: None) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start("head")
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def cluster(_started: Cluster) -> Cluster:
    """The head and a second node, which is started again if a test has killed it."""
    second = _started.members.get("second")
    if second is None or second.process.poll() is not None:
        _started.start("second")
    return _started


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """A folder of runs where the devices are known; what still trains in the end is killed."""
    runs = folder_of_runs(tmp_path / "runs")
    yield runs
    end_all(runs)
