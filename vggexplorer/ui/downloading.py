"""Downloading a data set: a process of its own, the same for all sessions, with a progress bar."""

import subprocess
import sys
from functools import partial

import streamlit as st

from vggexplorer.errors import InputError
from vggexplorer.formatting import decimal_size
from vggexplorer.paths import child_environment
from vggexplorer.runs import datasets
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t


def download(label: str, kind: str) -> None:
    """A button called `label` for a known data set; while the download runs, how far it is; if it failed, why."""
    job = jobs.find(_name(kind))
    if job and job.running:
        st.fragment(_progress, run_every=0.5)(kind)
        return
    if job and job.error:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    st.button(label, icon=":material/download:", key="download data", on_click=_start, args=(kind,))


def _name(kind: str) -> str:
    return f"download {kind}"


def _start(kind: str) -> None:
    jobs.start(_name(kind), partial(_download, kind))


def _progress(kind: str) -> None:
    job = jobs.find(_name(kind))
    if job is None or not job.running:
        st.rerun()
    known = datasets.KNOWN[kind]
    done, whole = datasets.downloaded_bytes(known), known.download_bytes
    text = t("{done} of {whole}", done=decimal_size(done), whole=decimal_size(whole))
    st.progress(min(1.0, done / whole), text=text)


def _download(kind: str) -> None:
    done = subprocess.run(  # noqa: S603 (our own module, with a word from a table)
        [sys.executable, "-P", "-m", "vggexplorer.pytorch.download", kind],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=child_environment(),
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise InputError("{reason}", reason=words or f"status {done.returncode}")
