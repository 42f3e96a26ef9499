"""Work that a page starts and does not wait for: in a thread, the same for all sessions."""

import threading
import time
from collections.abc import Callable
from typing import Any

from vggexplorer.errors import InputError

_jobs: dict[str, "Job"] = {}
_lock = threading.Lock()


class Job:
    """Work that runs; when it is over, there may be an `error`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.error: InputError | None = None
        self.ended: float | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is not over yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        except InputError as error:
            self.error = error
        finally:
            self.ended = time.monotonic()


def start(name: str, work: Callable[[], Any]) -> Job:
    """The job `name`, started now unless it runs already."""
    with _lock:
        job = _jobs.get(name)
        if job is None or not job.running:
            job = _jobs[name] = Job(work)
        return job


def find(name: str) -> Job | None:
    """The job `name`, if it was ever started."""
    return _jobs.get(name)
