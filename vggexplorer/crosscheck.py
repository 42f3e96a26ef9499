"""Asking other tools for their counts: starts `vggexplorer.pytorch.crosscheck` and collects what it prints."""

import json
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import IO, Any

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.paths import child_environment
from vggexplorer.peers import PEERS, Measured, failure
from vggexplorer.text import format_network

PATIENCE = 120.0
"""Seconds after which the process is ended."""


class Crosscheck:
    """The tools at work on `network`, in a process of their own that is started here and never outlives `patience`.

    `measured` fills while it runs. A thread reads what the process prints and reaps it, whatever
    becomes of this object.
    """

    def __init__(self, network: Network, patience: float = PATIENCE) -> None:
        """`InputError` if PyTorch is not installed."""
        if find_spec("torch") is None:
            raise InputError(
                "The check needs PyTorch, which is not installed here; pip install torch torchinfo fvcore helps."
            )
        self.network = network
        self.measured: dict[str, Measured] = {}
        self.patience = patience
        self._late = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the thread)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vggexplorer.pytorch.crosscheck"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_environment(),
        )
        self._timer = threading.Timer(patience, self._time_out)
        self._timer.daemon = True
        self._timer.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        """Whether figures may still come."""
        return self._reader.is_alive()

    def stop(self) -> None:
        """End the process now; nothing happens if it has ended."""
        self._process.kill()

    def wait(self) -> dict[str, Measured]:
        """What every tool says, once all are done."""
        try:
            self._reader.join()
        except BaseException:
            self.stop()
            raise
        return self.measured

    def _time_out(self) -> None:
        self._late = True
        self.stop()

    def _read(self) -> None:
        with self._errors, self._process as process:
            self._tell(process)
            for line in process.stdout or ():
                if line.startswith(b'{"tool"'):  # not what somebody's sitecustomize prints
                    found = _parse(line)
                    self.measured[found.tool] = found
                if self.measured.keys() >= PEERS.keys():
                    process.kill()  # PyTorch takes a second to tidy up
            process.wait()
            self._timer.cancel()
            self._give_reasons(process.returncode)

    def _tell(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin:
            with suppress(OSError):  # it has ended already: its status says why
                process.stdin.write(json.dumps(format_network(self.network)).encode())
            with suppress(OSError):
                process.stdin.close()

    def _give_reasons(self, status: int) -> None:
        """Every tool that said nothing gets a sentence."""
        last_words = self._last_words()
        for tool in PEERS.keys() - self.measured.keys():
            if self._late:
                error = InputError(
                    "No figures from {tool} within {seconds} s.", tool=tool, seconds=f"{self.patience:g}"
                )
            else:
                error = failure(tool, last_words or f"status {status}")
            self.measured[tool] = Measured(tool, error=error)

    def _last_words(self) -> str:
        """The last line that the process wrote on standard error."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _parse(line: bytes) -> Measured:
    data: dict[str, Any] = json.loads(line)
    if "error" in data:
        return Measured(data["tool"], error=InputError(data["template"], **data["values"]))
    return Measured(**data)
