"""Work that a page starts and does not wait for: each in a thread, and few at once of what loads PyTorch."""

import threading
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.formatting import about
from vggexplorer.processes import StoppedError, need_torch
from vggexplorer.server.files import at_end
from vggexplorer.ui.i18n import t
from vggexplorer.ui.session import session

AT_ONCE = 2
"""How many jobs that load PyTorch run at once, of all sessions together: each takes up to 4 GiB and all processors.

With one, a picture would wait for a measurement of minutes; a class that clicks at once must not fill the memory.
"""

_named: dict[str, "Job"] = {}
_changed = threading.Condition()
_line: list["Job"] = []
"""Those that are not over, the oldest first."""


class Job:
    """Work that waits for its turn, runs, and ends with an `error` or an `answer`.

    The work gets the job itself: it may say how far it is (`progress`, from 0 to 1; `tell`) and put what it has found
    so far into `answer`; when `stopped` is set, it should end with a `StoppedError`. `about` is what the job is about.
    An `InputError` of `needs`, which is asked first, is the job's: no thread is started then. `torch` says whether the
    work loads PyTorch, and so whether it waits for others that do.
    """

    def __init__(
        self,
        work: Callable[["Job"], Any],
        about: Any = None,
        *,
        needs: Callable[[], object] = need_torch,
        torch: bool = True,
    ) -> None:
        self.about = about
        self.answer: Any = None
        self.error: InputError | None = None
        self.progress: float | None = None
        self._ends: float | None = None
        self.stopped = threading.Event()
        self._work = work
        self._torch = torch
        self._began: float | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        try:
            exhibit.check()
            needs()
        except InputError as error:
            self.error = error
        else:
            self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is not over yet; it may still wait."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> int:
        """For how long it has had its turn."""
        return int(time.monotonic() - self._began) if self._began else 0

    def tell(self, progress: float, left: float | None) -> None:
        """How far it is, and in how many seconds it will be over, about; None if that is not known."""
        self.progress = progress
        self._ends = None if left is None else time.monotonic() + left

    @property
    def left(self) -> float | None:
        """In how many seconds it will be over, about, as far as it has told."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    @property
    def ahead(self) -> int:
        """How many others must end before it begins."""
        with _changed:
            older = _line[: _line.index(self)] if self._torch and self in _line else []
            return max(0, sum(job._torch for job in older) - AT_ONCE + 1)

    def stop(self) -> None:
        """It is not wanted any more."""
        self.stopped.set()
        with _changed:
            _changed.notify_all()

    def wait(self, seconds: float | None = None) -> "Job":
        """Wait until it is over."""
        if self.running:
            self._thread.join(seconds)
        return self

    def _run(self) -> None:
        with _changed:
            _line.append(self)
            _changed.wait_for(lambda: self.stopped.is_set() or not self.ahead)
        try:
            if self.stopped.is_set():
                raise StoppedError("It was stopped.")
            self._began = time.monotonic()
            self.answer = self._work(self)
        except InputError as error:
            self.error = error
        except Exception as error:
            self.error = InputError("{reason}", reason=f"{type(error).__name__}: {error}")
            raise  # the server's log has the rest
        finally:
            with _changed:
                _line.remove(self)
                _changed.notify_all()


def start(
    name: str, work: Callable[[Job], Any], *, needs: Callable[[], object] = need_torch, torch: bool = True
) -> Job:
    """The job `name`, one for all sessions, started now unless it runs already."""
    with _changed:
        job = _named.get(name)
        if job is None or not job.running:
            job = _named[name] = Job(work, needs=needs, torch=torch)
        return job


def find(name: str) -> Job | None:
    """The job `name`, if it was ever started."""
    return _named.get(name)


def start_own(key: str, work: Callable[[Job], Any], about: Any, *, needs: Callable[[], object] = need_torch) -> Job:
    """The session's job `key`, started now; the one before it is no longer wanted."""
    if before := session.get(key):
        before.stop()
    job = session[key] = Job(work, about, needs=needs)
    return job


def show(job: Job, key: str, say: Callable[[], str]) -> None:
    """What `job` does, as `say` tells; the page is drawn anew when it is over."""
    st.fragment(tick, run_every=0.5)(job, key, say)


def tick(job: Job, key: str, say: Callable[[], str]) -> None:
    """The same within a fragment that is drawn again and again: how far it is or that it waits, and a button."""
    if not job.running:
        st.rerun()
    text, waits = say(), job.ahead
    if job.left is not None:
        text = t("{text} about {time} left", text=text, time=about(job.left))
    if waits:
        text = t("In line until {count} {count:other ends|others end} …", count=waits)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"working {key}"):
        if job.progress is None or waits:
            st.markdown(text, width="content")
        else:
            st.progress(min(1.0, job.progress), text, width=420)
        st.button(t("Stop"), key=f"stop {key}", on_click=job.stop, type="tertiary")


def _end() -> None:
    """When the server ends, so do the processes that it asks."""
    jobs = list(_line)
    for job in jobs:
        job.stop()
    for job in jobs:
        job.wait(5)


at_end.add(_end)
