"""Downloading a data set: a process of its own, the same for all sessions, with a progress bar."""

from functools import partial

import streamlit as st

from vggexplorer.formatting import decimal_size
from vggexplorer.processes import answer, need_torch
from vggexplorer.runs import datasets
from vggexplorer.ui import jobs
from vggexplorer.ui.i18n import literal, sentence, t


def download(label: str, kind: str) -> None:
    """A button called `label` for a known data set; while the download runs, how far it is; if it failed, why."""
    job = jobs.find(_name(kind))
    if job and job.running:
        jobs.show(job, "download", lambda: _so_far(job, kind))
        return
    if job and job.error:
        st.warning(literal(sentence(job.error)), icon=":material/warning:")
    st.button(label, icon=":material/download:", key="download data", on_click=_start, args=(kind,))


def _name(kind: str) -> str:
    return f"download {kind}"


def _start(kind: str) -> None:
    def work(job: jobs.Job) -> None:
        answer("vggexplorer.pytorch.download", kind, stop=job.stopped)

    jobs.start(_name(kind), work, needs=partial(need_torch, "torchvision"), torch=False)


def _so_far(job: jobs.Job, kind: str) -> str:
    known = datasets.KNOWN[kind]
    done, whole = datasets.downloaded_bytes(known), known.download_bytes
    job.progress = done / whole
    return t("{done} of {whole}", done=decimal_size(done), whole=decimal_size(whole))
