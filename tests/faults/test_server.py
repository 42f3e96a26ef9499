"""The real server, a real browser: Ctrl-C in the terminal, a restart under idle tabs, pages on a full disk."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Server, free_port, status_of, wait_until
from real_runs import check_records
from test_train_browser import SMALL, Train, only_run, stop_all
from test_train_browser import visit as _visit

from faults.test_processes import children, lives, processes
from vggexplorer.runs.folder.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

visit = _visit


class Terminal:
    """A terminal of its own in which the dashboard is started, always with the same port and the same runs."""

    def __init__(self, folder: Path, runs: Path) -> None:
        self.folder, self.runs, self.port = folder, runs, free_port()
        self.started: list[Server] = []

    def start(self) -> Server:
        home = self.folder / f"home {len(self.started)}"
        home.mkdir(parents=True)
        log = home / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "vggexplorer", "--no-browser", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                env=os.environ | {"HOME": str(home), "VGGEXPLORER_RUNS": str(self.runs), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        server = Server(f"http://127.0.0.1:{self.port}", process, log)
        self.started.append(server)
        wait_until(lambda: status_of(f"{server.url}/_stcore/health") == 200, what=server.text())
        return server


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path, tmp_path / "runs")
    yield terminal
    stop_all(terminal.runs)
    for server in terminal.started:
        if server.process.poll() is None:
            server.stop()


def running(page: Train, terminal: Terminal) -> Run:
    """A long run that was started in the browser."""
    page.open("/train", **SMALL)
    page.epochs(500)
    page.press("Start")
    page.points()
    return only_run(terminal.runs)


def tab(page: Train, address: str) -> "Page":
    """A tab with another page than Train."""
    page.page.goto(page.server.url + address)
    return page.page


def has(page: "Page", text: str, seconds: float = 30) -> None:
    page.get_by_text(text).locator("visible=true").first.wait_for(timeout=1000 * seconds)


def test_ctrl_c_ends_the_server_and_idle_tabs_wake_with_the_next(
    terminal: Terminal, visit: Callable[[Server], Train]
) -> None:
    """Ctrl-C goes to all of the terminal's processes. The run goes on; after Stop nothing of it is left."""
    server = terminal.start()
    page = visit(server)
    run = running(page, terminal)
    trainer = run.heartbeat()["pid"]
    page.press("Stop")
    page.status("stopped")
    wait_until(lambda: not lives(trainer))
    assert processes(str(run.path)) == []
    wait_until(lambda: "Z" not in dict(children(server.process.pid)).values(), what="no zombie")

    # Idle tabs: nothing is active, and nobody touches them from here on.
    table, one = tab(visit(server), "/runs"), tab(visit(server), f"/runs?run={run.id}")
    has(table, "stopped")
    has(one, "stopped")
    page.press("Resume")
    page.status("running", "testing")
    for idle in (table, one):  # what another tab started shows
        has(idle, "running")
    page.press("Stop")
    page.status("stopped")
    for idle in (table, one):
        has(idle, "stopped")

    page.press("Resume")
    page.status("running", "testing")
    trainer = run.heartbeat()["pid"]
    at = len(run.records())
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(20) == 0
    assert "Traceback" not in server.text()
    wait_until(lambda: len(run.records()) > at)
    assert lives(trainer)
    os.kill(trainer, signal.SIGTERM)  # it ends while no server is there
    wait_until(lambda: run.outcome())

    terminal.start()
    page.status("stopped", seconds=60)
    for idle in (table, one):
        has(idle, "stopped", 60)


def test_an_idle_tab_shows_what_began_after_the_restart(terminal: Terminal, visit: Callable[[Server], Train]) -> None:
    """Train without any run, and Runs: the server is killed, another one starts, and somebody trains there."""
    server = terminal.start()
    train, table = visit(server).open("/train", **SMALL), tab(visit(server), "/runs")
    has(table, "AlexNet")
    server.process.kill()
    server.process.wait()
    server = terminal.start()
    running(visit(server), terminal)
    has(table, "running", 60)
    wait_until(lambda: train.word() in ("running", "testing") or train.wait(100), 60, "the run on the idle tab")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_on_a_full_disk_the_pages_live_and_say_why(
    small_disk: Path, tmp_path: Path, visit: Callable[[Server], Train]
) -> None:
    terminal = Terminal(tmp_path, small_disk / "runs")
    server = terminal.start()
    try:
        page = visit(server)
        run = running(page, terminal)
        full = small_disk / "full"
        with pytest.raises(OSError, match="No space left"):
            full.write_bytes(bytes(2**21))
        page.status("failed", seconds=60)
        has(page.page, "The disk is full; free some space, then resume the run.")
        page.press("Start another")
        has(page.page, "No space left on device")
        has(tab(visit(server), "/runs"), "failed")
        full.unlink()
        page.press("Resume")
        page.status("running", "testing")
        at = len(run.records())
        wait_until(lambda: len(run.records()) > at)
        check_records(run)
    finally:
        (small_disk / "full").unlink(missing_ok=True)
        stop_all(terminal.runs)
        server.stop()
