"""Downloading Fashion-MNIST: a process of its own, the same for all sessions, with a progress bar."""

import subprocess
import sys

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import decimal_size
from vggexplorer.paths import child_environment
from vggexplorer.runs import datasets
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t

_NAME = "download"


def download(label: str) -> None:
    """A button called `label`; while the download runs, how far it is; if it failed, why."""
    job = jobs.find(_NAME)
    if job and job.running:
        st.fragment(_progress, run_every=0.5)()
        return
    if job and job.error:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    st.button(label, icon=":material/download:", key="download data", on_click=_start)


def _start() -> None:
    jobs.start(_NAME, _download)


def _progress() -> None:
    job = jobs.find(_NAME)
    if job is None or not job.running:
        st.rerun()
    done, whole = datasets.downloaded_bytes(), datasets.DOWNLOAD_BYTES
    text = t("{done} of {whole}", done=decimal_size(done), whole=decimal_size(whole))
    st.progress(min(1.0, done / whole), text=text)


def _download() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vggexplorer.pytorch.download"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=child_environment(),
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise InputError("{reason}", reason=words or f"status {done.returncode}")
