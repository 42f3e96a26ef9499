"""ONNX models, made by PyTorch in a process of its own: the dashboard itself never loads it."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.export import file_name
from vggexplorer.paths import child_environment
from vggexplorer.text import format_network
from vggexplorer.ui.web import at_end, offer

TIMEOUT = 180
"""How long the process may take, in seconds; VGG-19 takes 13 s on two cores."""
KEEP = 3600
"""How long a model is kept for its download, in seconds."""
_MODULE = "vggexplorer.pytorch.onnx_export"
_one_at_a_time = threading.Lock()


class Export:
    """The making of one model: first `running`, then there is an `error` or a `url`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.error: InputError | None = None
        self.url = ""
        self.bytes = 0
        self._started = time.monotonic()
        self._process: subprocess.Popen[str] | None = None
        self._ended = False
        self.name = file_name(network, "onnx")
        self._folder = Path(mkdtemp(prefix="vggexplorer-onnx-"))  # only we may look into it
        self._file = self._folder / self.name
        at_end.add(self.discard)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still being made."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> int:
        """How long ago it was started."""
        return int(time.monotonic() - self._started)

    def discard(self) -> None:
        """End the process, if it still runs, and remove the file."""
        self._ended = True
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        at_end.discard(self.discard)

    def _run(self) -> None:
        try:
            with _one_at_a_time:
                about = self._make()
            self.bytes = about["bytes"]
            self.url = offer(self._file, self.name)
        except InputError as error:
            self.error = error
            self.discard()
        else:
            timer = threading.Timer(KEEP, self.discard)
            timer.daemon = True
            timer.start()

    def _make(self) -> dict[str, Any]:
        if self._ended:
            raise InputError("The model was not written: it was stopped.")
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 (our own module, with a path of our own)
            [sys.executable, "-m", _MODULE, str(self._file)],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            encoding="utf-8",
            cwd=self._folder,
            env=child_environment() | {"PYTHONIOENCODING": "utf-8"},
        )
        return self._answer(self._process, json.dumps(format_network(self.network)))

    def _answer(self, process: "subprocess.Popen[str]", texts: str) -> dict[str, Any]:
        try:
            answer, log = process.communicate(texts, TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise InputError("The model was not written within {seconds} s.", seconds=TIMEOUT) from None
        if process.returncode:
            last = log.strip().rpartition("\n")[2][:300] or f"status {process.returncode}"
            raise InputError("PyTorch could not write the model: {reason}", reason=last)
        return dict(json.loads(answer))
