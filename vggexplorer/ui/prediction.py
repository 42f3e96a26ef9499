"""What a trained network makes of a picture: PyTorch is asked in a process of its own."""

import base64
import hashlib
import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from vggexplorer.errors import InputError, reason_from_json
from vggexplorer.paths import child_environment
from vggexplorer.runs import snapshots
from vggexplorer.runs.store import Run
from vggexplorer.ui.run_components import Picture

TIMEOUT = 60
"""Seconds that the process may take once it is its turn."""
_MODULE = "vggexplorer.pytorch.predict"
_at_once = threading.BoundedSemaphore(2)


class Prediction:
    """One picture shown to one network: first `running`, then there is an `answer` or an `error`.

    With the name of a `layer` it is about the inside of the network, at every snapshot that there is.
    """

    def __init__(self, run: Run, content: bytes, invert: str, layer: str = "") -> None:
        self.about = about(run, content, invert, layer)
        self.answer: dict[str, Any] = {}
        self.error: InputError | None = None
        self._started = time.monotonic()
        self._command = [sys.executable, "-P", "-m", _MODULE, str(run.path), "--invert", invert, "--layer", layer]
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(content,), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the answer is still to come."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> int:
        """How long ago it was asked."""
        return int(time.monotonic() - self._started)

    def stop(self) -> None:
        """The answer is not wanted any more."""
        self._ended = True
        if self._process and self._process.poll() is None:
            self._process.kill()

    def wait(self) -> "Prediction":
        """Wait until it is not running."""
        self._thread.join()
        return self

    def _run(self, content: bytes) -> None:
        try:
            with _at_once:
                if not self._ended:
                    self.answer = self._ask(content)
        except InputError as error:
            self.error = error
        except OSError as error:
            self.error = InputError("PyTorch could not be asked: {reason}", reason=error.strerror or str(error))

    def _ask(self, content: bytes) -> dict[str, Any]:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 (our own module, with a path of our own)
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment()
        )
        if self._ended:  # while it was started
            self._process.kill()
        try:
            out, log = self._process.communicate(content, TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise InputError("No answer within {seconds} s.", seconds=TIMEOUT) from None
        return _parsed(out, log, self._process.returncode)


def about(run: Run, content: bytes, invert: str, layer: str = "") -> tuple[str | int, ...]:
    """What a prediction depends on."""
    kept = len(snapshots.files(run.path)) if layer else 0
    return run.id, hashlib.sha256(content).hexdigest(), invert, layer, kept, run.weights() is not None


def _parsed(out: bytes, log: bytes, code: int) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    with suppress(ValueError, IndexError):
        answer = dict(json.loads(out.splitlines()[-1]))
    if "error" in answer:
        raise reason_from_json(answer["error"])
    if answer:
        return answer
    last = log.decode(errors="replace").strip().rpartition("\n")[2][:300] or f"status {code}"
    raise InputError("PyTorch could not be asked: {reason}", reason=last)


def as_file(picture: Picture) -> bytes:
    """A picture of a run as a file (PGM or PPM)."""
    kind = "P5" if picture["channels"] == 1 else "P6"
    head = f"{kind} {picture['width']} {picture['height']} 255\n"
    return head.encode() + base64.b64decode(picture["bytes"])
