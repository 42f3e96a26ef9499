"""Archives of runs over the server: made on demand, sent, and gone again."""

import asyncio
import tempfile
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from test_store import CONFIG, lines

from vggexplorer.runs.folder import archive, layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.server import archives


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is over; what is only for a while lies in `tmp_path / "temporary"`."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path / "runs"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    made = Runs.at().create(CONFIG)
    (made.path / layout.METRICS).write_bytes(lines(1, 2))
    write_json(made.path / layout.OUTCOME, Outcome(status=Word.FINISHED, step=2).to_json())
    return made


@pytest.fixture(autouse=True)
def all_room_is_given_back() -> Iterator[None]:
    yield
    assert archives._room._value == archives.MOST


def asked(run_id: str, gone: bool = False) -> tuple[int, bytes]:
    """The status and the body of an answer; who asked may be gone before the body."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if gone and message["type"] == "http.response.body":
            raise OSError("nobody is there")
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody says more")

    async def answer() -> None:
        scope = {"type": "http", "method": "GET", "headers": [], "path_params": {"run": run_id}, "query_string": b""}
        await (await archives.serve(Request(scope)))(scope, receive, send)

    with ThreadPoolExecutor(1) as pool:  # this thread may have Playwright's event loop
        pool.submit(lambda: asyncio.run(answer())).result()
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_what_is_sent_is_what_the_command_writes(run: Run, tmp_path: Path) -> None:
    archive.pack(run, tmp_path / "run.zip")
    assert asked(run.id) == (200, (tmp_path / "run.zip").read_bytes())
    assert not list((tmp_path / "temporary").iterdir())


def test_nothing_stays_when_nobody_takes_it(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nobody is there"):
        asked(run.id, gone=True)
    assert not list((tmp_path / "temporary").iterdir())


def test_why_there_is_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("nobody")[0] == 404
    for _ in range(archives.MOST):
        archives._room.acquire()
    assert asked(run.id) == (409, b"Too many archives are being sent; try again in a minute.")
    for _ in range(archives.MOST):
        archives._room.release()
    monkeypatch.setattr(Run, "locked", lambda _: True)
    assert asked(run.id) == (409, b"The run is not over; stop it first.")
    assert not list((tmp_path / "temporary").iterdir())


def test_without_room_for_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "temporary").rmdir()
    assert asked(run.id) == (409, b"The archive could not be made: No such file or directory")
