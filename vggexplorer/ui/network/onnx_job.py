"""ONNX models, made by PyTorch in a process of its own: the dashboard itself never loads it."""

import json
import shutil
import threading
from pathlib import Path
from tempfile import mkdtemp

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.export import file_name
from vggexplorer.processes import NoAnswerError, answer, need_torch
from vggexplorer.server.files import at_end, offer
from vggexplorer.text import format_network

EXPORT_TIMEOUT = 180.0
"""How long the process may take, in seconds; VGG-19 takes 13 s on two cores."""
KEEP = 3600
"""How long a model is kept for its download, in seconds."""


def need_exporter() -> None:
    """`InputError` unless PyTorch is installed with the packages that it exports by."""
    need_torch("onnx", "onnxscript")


class Model:
    """A model in a file of `bytes` bytes, to be downloaded from `url` under `name` until it is discarded."""

    def __init__(self, network: Network, stop: threading.Event | None = None) -> None:
        """Write it; `stop` as in `processes.ask`. `InputError` if it cannot be written."""
        self.name = file_name(network, "onnx")
        self.folder = Path(mkdtemp(prefix="vggexplorer-onnx-"))  # only we may look into it
        at_end.add(self.discard)
        given = json.dumps(format_network(network)).encode()
        file = self.folder / self.name
        try:
            module = "vggexplorer.pytorch.onnx_export"
            self.bytes: int = answer(module, str(file), given=given, timeout=EXPORT_TIMEOUT, stop=stop)["bytes"]
        except BaseException as error:
            self.discard()
            if isinstance(error, NoAnswerError):
                raise InputError("PyTorch could not write the model: {reason}", reason=error) from error
            raise
        self.url = offer(file, self.name)
        timer = threading.Timer(KEEP, self.discard)
        timer.daemon = True
        timer.start()

    def discard(self) -> None:
        """Remove the file."""
        shutil.rmtree(self.folder, ignore_errors=True)
        at_end.discard(self.discard)
