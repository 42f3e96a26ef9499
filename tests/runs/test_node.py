"""The copy of a run on a node: what is new in it, in pieces and in an order in which nothing can be lost."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import wait_until

from vggexplorer.runs.cluster import node
from vggexplorer.runs.cluster.node import Node, Offset, Update
from vggexplorer.runs.folder.files import replace_by
from vggexplorer.runs.folder.layout import CHECKPOINT, ENVIRONMENT, METRICS, OUTCOME

TRAINER = """
import sys, time
from pathlib import Path
run = Path(sys.argv[1])
while not (run / "control.json").exists() or b"stop" not in (run / "control.json").read_bytes():
    time.sleep(0.01)
"""
GO, STOP = b"{}", b'{"stop": true}'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A trainer that only waits for a stop, small pieces, and devices that nobody asks for."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(node, "PIECE", 100)
    monkeypatch.setattr(node, "UPDATE_WAIT", 0.0)
    monkeypatch.setattr(node.devices, "look", lambda runs: (runs / "devices.json").write_text("[]"))
    real = subprocess.Popen

    def started(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        assert command[2:4] == ["-m", "vggexplorer.runs.cluster.node"]
        return real([sys.executable, "-c", TRAINER, command[4]], **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(node.subprocess, "Popen", started)


@pytest.fixture
def place() -> Iterator[Node]:
    place = Node()
    yield place
    place.leave()


def begun(place: Node) -> Path:
    """The copy's folder, after a trainer was started in it."""
    place.put("config.json", 0, b"{}")
    assert place.begin({"config.json": 2})
    return copy_of(place)


def copy_of(place: Node) -> Path:
    found: Path = place._run.path
    return found


class Reader:
    """The other side: keeps what it gets, as `cluster.RemoteRun` does."""

    def __init__(self, place: Node) -> None:
        self.place = place
        self.offsets: dict[str, Offset] = {}
        self.files: dict[str, bytes] = {}
        self.order: list[str] = []

    def ask(self, control: bytes = GO) -> Update:
        update = self.place.update(self.offsets, control)
        assert update is not None
        assert self.place.update(self.offsets, control) == update  # the same question has the same answer
        assert sum(len(piece.content) for piece in update.pieces) <= node.PIECE
        for piece in update.pieces:
            before = self.files.get(piece.name, b"") if piece.start else b""
            if not piece.version:
                before = self.files.get(piece.name, b"")
            assert len(before) == piece.start
            self.files[piece.name] = before + piece.content
            self.offsets[piece.name] = Offset(piece.start + len(piece.content), piece.version)
            if piece.start + len(piece.content) == piece.whole or not piece.version:
                self.order.append(piece.name)
        return update

    def all(self) -> None:
        while self.ask().pieces:
            pass


def test_a_new_node_knows_nothing_and_begins_only_with_all_of_the_files(place: Node) -> None:
    assert place.update({}, GO) is None
    place.put("config.json", 0, b"12345")
    place.put("config.json", 5, b"678")
    place.put("config.json", 5, b"678")  # asked twice
    assert not place.begin({"config.json": 8, METRICS: 0})
    assert not place.begin({"config.json": 9})
    assert place.update({}, GO) is None
    assert place.begin({"config.json": 8})
    assert place.begin({"config.json": 8})
    assert (copy_of(place) / "config.json").read_bytes() == b"12345678"
    assert (copy_of(place).parent / "devices.json").exists()


def test_records_come_after_the_environment_and_before_the_checkpoint_that_they_led_to(place: Node) -> None:
    run = begun(place)
    reader = Reader(place)
    (run / METRICS).write_bytes(b"r" * 250)
    (run / "checkpoint").mkdir()
    (run / CHECKPOINT).write_bytes(b"c" * 250)
    assert not reader.ask().pieces  # from where on records are new is not known yet
    (run / ENVIRONMENT).write_bytes(b"{}")
    reader.all()
    assert reader.order == [ENVIRONMENT]

    reader.offsets[METRICS] = Offset(0)
    reader.all()
    assert reader.files[METRICS] == b"r" * 250
    assert reader.files[CHECKPOINT] == b"c" * 250
    assert reader.order.index(CHECKPOINT) > max(place for place, name in enumerate(reader.order) if name == METRICS)


def test_a_checkpoint_that_is_replaced_while_it_is_sent_comes_whole(place: Node) -> None:
    run = begun(place)
    (run / ENVIRONMENT).write_bytes(b"{}")
    (run / "checkpoint").mkdir()
    (run / CHECKPOINT).write_bytes(b"1" * 250)
    reader = Reader(place)
    reader.offsets[METRICS] = Offset(0)
    while len(reader.files.get(CHECKPOINT, b"")) < 100:
        reader.ask()
    replace_by(run / CHECKPOINT, lambda path: path.write_bytes(b"2" * 220))
    while len(reader.files[CHECKPOINT]) < 250:
        reader.ask()
    assert reader.files[CHECKPOINT] == b"1" * 250
    reader.all()
    assert reader.files[CHECKPOINT] == b"2" * 220


def test_what_was_put_there_does_not_come_back(place: Node) -> None:
    place.put("config.json", 0, b"{}")
    place.put(CHECKPOINT, 0, b"1" * 150)
    assert place.begin({"config.json": 2, CHECKPOINT: 150})
    (copy_of(place) / ENVIRONMENT).write_bytes(b"{}")
    reader = Reader(place)
    reader.offsets[METRICS] = Offset(0)
    reader.all()
    assert reader.order == [ENVIRONMENT]


def test_the_end_is_said_when_nothing_is_left(place: Node) -> None:
    run = begun(place)
    reader = Reader(place)
    reader.offsets |= {METRICS: Offset(0), "output.log": Offset(0)}
    reader.all()
    assert not reader.ask().ended
    (run / OUTCOME).write_bytes(b"o" * 150)
    (run / "snapshots").mkdir()
    (run / "snapshots" / "000000001.safetensors").write_bytes(b"s" * 50)
    assert place.update(reader.offsets, STOP)
    wait_until(lambda: place._trainer and place._trainer.poll() is not None)
    assert json.loads((run / "control.json").read_bytes()) == {"stop": True}
    (run / METRICS).write_bytes(b"the last one\n")
    update = reader.ask(STOP)
    while not update.ended:
        assert update.pieces
        update = reader.ask(STOP)
    assert reader.files[METRICS] == b"the last one\n"
    assert len(reader.files[OUTCOME]) == 150
    assert "snapshots/000000001.safetensors" in reader.files


def test_copies_that_nobody_holds_any_more_are_removed(place: Node) -> None:
    run = begun(place)
    home = run.parent.parent
    left = home / "left"
    (left / "run").mkdir(parents=True)
    other = Node()
    assert not left.exists()
    assert run.exists()
    other.leave()
    assert [path.name for path in home.iterdir()] == [run.parent.name]


@pytest.mark.skipif(sys.platform != "linux", reason="a signal of Linux")
def test_a_trainer_dies_with_its_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (tmp_path / "run").mkdir()
    program = f"""
import subprocess, sys, time
from vggexplorer.runs.cluster import node
pid = subprocess.Popen([sys.executable, "-c", '''
import os, sys
from vggexplorer.runs import launch
from vggexplorer.runs.cluster import node
launch.command = lambda run, *_: [sys.executable, "-c", "import time; time.sleep(60)"]
node.main(["node", {str(tmp_path / "run")!r}, str(os.getppid())])
''']).pid
print(pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=dict(os.environ))
    assert process.stdout
    pid = int(process.stdout.readline())
    wait_until(lambda: b"sleep(60)" in _command(pid) and b"vggexplorer" not in _command(pid))
    process.kill()
    process.wait()
    wait_until(lambda: _command(pid) == b"", 20)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
