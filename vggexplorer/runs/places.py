"""Where a run's trainer is started: on this machine or a cluster, as one process or as several that share each batch.

It is kept in the run's folder as place.json, beside config.json and not in it: a run that goes on may do so elsewhere,
and what was asked of it stays what it was. Of a race, `races`, each member's says who the members are.
"""

import re
from dataclasses import asdict, dataclass
from importlib.util import find_spec

from vggexplorer.architectures import check_int, shown
from vggexplorer.errors import InputError
from vggexplorer.paths import RUN_ID
from vggexplorer.processes import processors
from vggexplorer.runs import devices, exactness
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.line import SEATS
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

MAX_PROCESSES = 1024
_ADDRESS = re.compile(r"auto|[A-Za-z0-9][A-Za-z0-9.-]{0,252}:[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`nproc` processes of PyTorch's torchrun; `cluster` is the address of a cluster, empty for this machine.

    On a cluster a run is one process, which asks for a GPU or for so many `cores`. `race` are the ids of all runs that
    train beside each other on one device, in the order of their seats; empty for a run of its own.
    """

    nproc: int = 1
    cluster: str = ""
    cores: int = 1
    race: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_int(self.nproc, "the number of processes", 1, MAX_PROCESSES)
        check_int(self.cores, "the number of processors", 1, MAX_PROCESSES)
        if self.cluster and not _ADDRESS.fullmatch(self.cluster):
            raise InputError(
                "The address of a cluster is auto, or a host and a port as in 127.0.0.1:6379, not {value}.",
                value=shown(self.cluster),
            )
        if self.cluster and self.nproc > 1:
            raise InputError("On a cluster a run is one process.")
        object.__setattr__(self, "race", _ids(self.race))
        if self.race and (self.cluster or self.nproc > 1):
            raise InputError("The members of a race are single processes on this machine.")

    @staticmethod
    def of(run: Run) -> "Place":
        """Where the trainer of `run` is started; `Place()` if nothing is kept of it, or what is kept is damaged."""
        try:
            place = Place(**run.json(layout.PLACE))
        except (TypeError, ValueError):
            return Place()
        return place if not place.race or run.id in place.race else Place()

    def keep(self, run: Run) -> None:
        """Write it into the folder of `run`; `InputError` if that cannot be."""
        try:
            write_json(run.path / layout.PLACE, asdict(self))
        except OSError as error:
            raise InputError("The run could not be changed: {reason}", reason=error.strerror or str(error)) from error

    def check(self, config: Config, runs: Runs) -> None:
        """`InputError` if this machine cannot train `config` here: it asks for too many processes.

        Each of several processes needs a GPU or a processor of its own. What a cluster has, the cluster knows.
        """
        check_batch(config, self.nproc)
        exactness.check(config.training, config.device, self.nproc)
        if self.cluster:
            need_ray()
        if self.nproc == 1 or self.cluster:
            return
        first = devices.resolve(config.device, runs.path).name
        if first == "cpu" and self.nproc > processors():
            raise InputError(
                "There {count:is|are} {count} {count:processor|processors} here; a run of {n} processes needs as many.",
                count=processors(),
                n=self.nproc,
            )
        for name in several(first, self.nproc):
            devices.resolve(name, runs.path)


def _ids(race: object) -> tuple[str, ...]:
    """The ids of a race as they are kept; `ValueError` if they are none, or none of a race."""
    ids = tuple(race) if isinstance(race, list | tuple) else None
    if ids is None or not all(isinstance(each, str) and RUN_ID.fullmatch(each) for each in ids):
        raise ValueError("These are no ids of runs.")
    if ids and (not 2 <= len(ids) <= SEATS or len({*ids}) < len(ids)):
        raise ValueError("These are no members of a race.")
    return ids


def need_ray() -> None:
    """`InputError` if Ray is not installed here."""
    if find_spec("ray") is None:
        raise InputError(
            "Runs on a cluster need Ray, which is not installed here; {command} helps.",
            command='pip install "vggexplorer[cluster]"',
        )


def check_batch(config: Config, nproc: int) -> None:
    """`InputError` if a batch of `config` has fewer examples than there are processes to share it."""
    if config.training.batch_size < nproc:
        raise InputError(
            "A batch of {batch} {batch:example|examples} is too small for {n} processes: each needs an example.",
            batch=config.training.batch_size,
            n=nproc,
        )


def several(first: str, count: int) -> list[str]:
    """The devices of `count` processes on one machine: GPUs from `first` on, or the processor for all of them."""
    kind, _, number = first.partition(":")
    if kind == "cuda":
        return [f"cuda:{int(number or 0) + place}" for place in range(count)]
    if kind == "mps" and count > 1:
        raise InputError("On the device {name} a run is one process.", name=first)
    return [first]
