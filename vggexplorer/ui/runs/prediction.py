"""What a trained network makes of a picture: PyTorch is asked in a process of its own."""

import base64
import hashlib
import threading
from typing import Any

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.processes import NoAnswerError, answer
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.run import Run
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t
from vggexplorer.ui.pictures import Picture
from vggexplorer.ui.session import session

PREDICTION_TIMEOUT = 60.0
"""Seconds that the process may take."""


def predict(
    run: Run, content: bytes, invert: str, layer: str = "", stop: threading.Event | None = None
) -> dict[str, Any]:
    """What `python -m vggexplorer.pytorch.predict` says of the picture in a file; `stop` as in `processes.ask`.

    With the name of a `layer` it is about the inside of the network, at every snapshot that there is.
    """
    module, options = "vggexplorer.pytorch.predict", ("--invert", invert, "--layer", layer)
    try:
        return answer(module, str(run.path), *options, given=content, timeout=PREDICTION_TIMEOUT, stop=stop)
    except NoAnswerError as error:
        raise InputError("PyTorch could not be asked: {reason}", reason=error) from error


def about(run: Run, content: bytes, invert: str, layer: str = "") -> tuple[str | int, ...]:
    """What a prediction depends on."""
    kept = len(snapshots.files(run.path)) if layer else 0
    return run.id, hashlib.sha256(content).hexdigest(), invert, layer, kept, run.weights() is not None


def ask(key: str, run: Run, content: bytes, invert: str, layer: str = "") -> dict[str, Any] | None:
    """The answer of the session's one prediction `key`, once it is there; until then how far it is, or why not."""
    job: jobs.Job | None = session.get(key)
    asked = about(run, content, invert, layer)
    if job is None or job.about != asked:
        job = jobs.start_own(key, lambda job: predict(run, content, invert, layer, job.stopped), asked)
    if job.running:
        jobs.show(job, key, lambda: t("PyTorch looks at the picture … {seconds} s", seconds=job.seconds))
    elif job.error:
        st.error(literal(sentence(job.error)), icon=":material/image_not_supported:")
        st.button(t("Ask again"), key=f"again {key}", on_click=session.pop, args=(key,), type="tertiary")
    else:
        answer: dict[str, Any] = job.answer
        return answer
    return None


def as_file(picture: Picture) -> bytes:
    """A picture of a run as a file (PGM or PPM)."""
    kind = "P5" if picture["channels"] == 1 else "P6"
    head = f"{kind} {picture['width']} {picture['height']} 255\n"
    return head.encode() + base64.b64decode(picture["bytes"])
