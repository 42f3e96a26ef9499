"""Runs on a Ray cluster. `python -m vggexplorer.runs.cluster RUN_DIR` holds a run's folder here while it trains there.

Ray queues a run until a node has what it asks for, places it, and gives it another place when a node dies; what runs
there is a `Node`. This process asks it for what is new and writes it into the run's folder, so that for everybody else
the run is one like all others. `python -m vggexplorer.runs.cluster --look ADDRESS` prints what a cluster has.

This is the only module that loads Ray, and only in these processes of its own.
"""

import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from vggexplorer.errors import InputError
from vggexplorer.processes import NoAnswerError, answer, tell
from vggexplorer.runs import places
from vggexplorer.runs.cluster.node import PIECE, Node, Offset, Piece, Update
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import json_bytes, move
from vggexplorer.runs.folder.line import CLUSTER, Line
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Phase
from vggexplorer.runs.places import Place
from vggexplorer.runs.trainer import worker
from vggexplorer.runs.trainer.session import Command
from vggexplorer.runs.trainer.worker import FolderSession

MOST_OFTEN = 0.1
"""Seconds from one question for updates to the next: a run that writes a thousand records a second asks ten times."""
LOST = 5.0
"""Seconds without an answer after which a run counts as waiting for another node."""
RETRIES = 3
"""How many nodes of a run may die before it is over; it can be resumed then."""
LOOK = "--look"
CONNECTING = 5.0
"""Seconds that the head of a cluster may take to answer."""
CLUSTER_TIMEOUT = 60
"""Seconds that a cluster may take to say what it has."""
RAY_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
"""Environment variables that Ray reads: it tells nobody that it was used."""


# --- the cluster -------------------------------------------------------------------------------------------


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster at `address` (auto: that of this machine); `InputError` if that cannot be."""
    places.need_ray()
    os.environ.update(RAY_SETTINGS)
    if address == "auto":
        address = _of_this_machine()
    host, _, port = address.rpartition(":")
    if host in ("127.0.0.1", "localhost"):
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else Ray takes it for the address that others know
    ray = import_module("ray")
    try:
        socket.create_connection((host, int(port)), CONNECTING).close()  # Ray would try for minutes
        ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    except Exception as error:  # of many kinds: ConnectionError, ValueError, RuntimeError, its own
        raise InputError(
            "There is no cluster at {address}, or this machine is no node of it: {reason}",
            address=address,
            reason=_first_line(error),
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _of_this_machine() -> str:
    """The address of the cluster that this machine is a node of, where Ray itself looks for it."""
    named = os.environ.get("RAY_ADDRESS")
    with suppress(OSError):
        return named or Path(tempfile.gettempdir(), "ray", "ray_current_cluster").read_text("utf-8").strip()
    raise InputError("This machine is no node of a cluster: `ray start` makes it one.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:300].rstrip(".")


def wanted(ray: Any, config: Config, place: Place) -> tuple[str, dict[str, float]]:
    """The device of the node, and what is asked of Ray: a GPU, or processors.

    `InputError` if no node has as much, even when nothing else runs.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if config.device == "mps":
        raise InputError("There is no device {name} here; there are {names}.", name="mps", names="cpu, cuda")
    if config.device == "auto":
        cuda = any(node.get("GPU", 0) >= 1 for node in nodes)
    else:
        cuda = config.device.startswith("cuda")
    kind, count = ("GPU", 1) if cuda else ("CPU", place.cores)
    most = max((int(node.get(kind, 0)) for node in nodes), default=0)
    if most < count:
        if cuda:
            raise InputError("No node of the cluster has a GPU.")
        raise InputError(
            "No node of the cluster has {count} {count:processor|processors}; the one with the most has {most}.",
            count=count,
            most=most,
        )
    if cuda:
        return "cuda:0", {"num_gpus": count, "num_cpus": 0}
    return "cpu", {"num_cpus": count}


# --- a run -------------------------------------------------------------------------------------------------


def train(session: FolderSession) -> Outcome:
    """Have the run trained on its cluster to its end; how it ended."""
    run = session.run
    Line(Runs(run.path.parent)).ahead(run, CLUSTER)  # there it waits, and for no device of this machine
    session.heartbeat.tell(Phase.WAITING)
    place, config = Place.of(run), run.config()
    with connected(place.cluster) as ray, session.signals():  # Ray has handlers of its own
        device, resources = wanted(ray, config, place)
        node = (
            ray.remote(Node)
            .options(**resources, max_restarts=RETRIES, max_task_retries=-1)  # all that is asked can be asked again
            .remote()
        )
        remote = RemoteRun(ray, node, session, replace(config, device=device))
        try:
            return remote.follow()
        except ray.exceptions.RayActorError as error:
            print(error, flush=True)
            raise InputError(
                "The run lost its node, and so did those that went on with it; resume it once the cluster is well."
            ) from error
        except ray.exceptions.RayError as error:
            raise InputError("The cluster does not answer: {reason}", reason=_first_line(error)) from error


class Stopped(Exception):  # noqa: N818 (nothing is wrong)
    """Somebody wants the run to stop, and no node answers that could."""


class RemoteRun:
    """A run's folder here, and its copy on a node."""

    def __init__(self, ray: Any, node: Any, session: FolderSession, config: Config) -> None:
        self._ray = ray
        self._node = node
        self._session = session
        self._run = session.run
        self._config = json_bytes(config.to_json())
        self._offsets: dict[str, Offset] = {}
        self._step = 0
        self._has_answered = False
        self._last_words = b""

    def follow(self) -> Outcome:
        """Take over all that is new, until the trainer on the node has ended; its outcome."""
        try:
            while True:
                began = time.monotonic()
                update = self._ask("update", self._offsets, json_bytes(self._control()))
                if update is None:
                    self._begin()
                    continue
                self._take(update)
                if update.ended:
                    return self._outcome()
                if sum(len(piece.content) for piece in update.pieces) < PIECE:
                    time.sleep(max(0.0, began + MOST_OFTEN - time.monotonic()))
        except Stopped:
            return self._session.outcome()
        finally:
            if self._has_answered:
                with suppress(Exception):  # it may be gone; then there is nothing to put away
                    self._ray.get(self._node.leave.remote(), timeout=LOST)
            self._ray.kill(self._node)

    def _control(self) -> dict[str, Any]:
        """What is wanted of the trainer; a signal to this process is a command to stop."""
        return self._run.control() | {"stop": self._stops()}

    def _stops(self) -> bool:
        return self._session.command(self._step) is Command.STOP

    def _ask(self, method: str, *arguments: Any) -> Any:
        """The node's answer, whenever it comes; Ray asks the next node if this one dies. `Stopped` as it says."""
        answer = getattr(self._node, method).remote(*arguments)
        asked = time.monotonic()
        while not self._ray.wait([answer], timeout=0.25)[0]:
            if not self._has_answered or time.monotonic() - asked > LOST:
                self._session.heartbeat.tell(Phase.WAITING)
                if self._stops():
                    raise Stopped
        self._has_answered = True
        return self._ray.get(answer)

    # --- to the node

    def _begin(self) -> None:
        """Give a new node what it needs to go on from the last checkpoint; it says by itself if it cannot."""
        self._session.heartbeat.tell(Phase.LOADING)
        self._offsets = {}
        sizes = {layout.CONFIG: len(self._config)}
        self._ask("put", layout.CONFIG, 0, self._config)
        for name in (layout.METRICS, layout.CHECKPOINT, layout.BEST):
            with suppress(FileNotFoundError), (self._run.path / name).open("rb") as file:
                sizes[name] = 0
                while content := file.read(PIECE):
                    self._ask("put", name, sizes[name], content)
                    sizes[name] += len(content)
        if self._ask("begin", sizes):
            self._offsets = {name: Offset() for name in layout.GROWING if name != layout.METRICS}

    # --- from the node

    def _take(self, update: Update) -> None:
        for piece in update.pieces:
            if piece.name == layout.OUTCOME:  # written when this process lets go of the run
                self._last_words = piece.content
            elif piece.version:
                self._put_together(piece)
            else:
                self._append(piece)
            self._offsets[piece.name] = Offset(piece.start + len(piece.content), piece.version)
        self._step = update.step
        self._session.heartbeat.at(update.step)
        self._session.heartbeat.tell(Phase.LOADING if update.phase in (Phase.STARTING, Phase.WAITING) else update.phase)

    def _append(self, piece: Piece) -> None:
        if piece.name == layout.LOG:
            sys.stdout.buffer.write(piece.content)
            sys.stdout.flush()
        else:
            with (self._run.path / piece.name).open("ab") as file:
                file.write(piece.content)

    def _put_together(self, piece: Piece) -> None:
        """Write a piece beside the file that it belongs to, and move it there once it is whole."""
        path = self._run.path / piece.name
        beside = path.with_name(f".{path.name}")
        path.parent.mkdir(exist_ok=True)
        size = piece.start + len(piece.content)
        with beside.open("r+b" if piece.start else "wb") as file:
            file.seek(piece.start)
            file.write(piece.content)
            if size == piece.whole:
                file.flush()
                os.fsync(file.fileno())
        if size == piece.whole:
            metrics = self._run.path / layout.METRICS
            if piece.name == layout.ENVIRONMENT:  # a trainer that begins goes back to its checkpoint
                self._run.cut_back(self._run.saved_step())
                self._run.check_best_weights()
                self._offsets[layout.METRICS] = Offset(metrics.stat().st_size)
            if piece.name == layout.CHECKPOINT:  # it must not outlast the records before it
                with metrics.open("ab") as file:
                    os.fsync(file.fileno())
            move(beside, path)

    def _outcome(self) -> Outcome:
        try:
            return Outcome.from_json(json.loads(self._last_words))
        except ValueError as error:
            raise InputError("The trainer on the node ended without a word; the run can be resumed.") from error


# --- what there is -----------------------------------------------------------------------------------------


class Free(NamedTuple):
    """What a cluster has, and what of it nobody uses now."""

    nodes: int
    processors: int
    free_processors: int
    gpus: int
    free_gpus: int


def ask(address: str, stop: threading.Event | None = None) -> Free:
    """What the cluster at `address` has; `stop` as in `processes.ask`, `InputError` if there is no answer."""
    places.need_ray()
    try:
        return Free(**answer("vggexplorer.runs.cluster", LOOK, address, timeout=CLUSTER_TIMEOUT, stop=stop))
    except NoAnswerError as error:
        raise InputError("The cluster does not answer: {reason}", reason=error) from error


def _look(address: str) -> Iterator[dict[str, Any]]:
    """What the cluster has, the line to print."""
    with connected(address) as ray:
        total, free = ray.cluster_resources(), ray.available_resources()
        nodes = sum(node["Alive"] for node in ray.nodes())
        counts = [int(each.get(kind, 0)) for kind in ("CPU", "GPU") for each in (total, free)]
        yield Free(nodes, *counts)._asdict()


def main(argv: list[str]) -> int:
    """Train the run in the folder `argv[1]` on its cluster, as `worker.main` does here; or print what a cluster has."""
    if argv[1:2] == [LOOK]:
        return tell(_look(argv[2]))
    return worker.main(argv, train)
