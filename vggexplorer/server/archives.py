"""The archive of a run that is over, made when somebody asks for it: `/archives/{run}.zip`.

It lies on the disk only while it is sent.
"""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from threading import BoundedSemaphore

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.runs.folder import archive
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs

MOST = 4
"""How many lie on the disk at once, for all who ask."""
_room = BoundedSemaphore(MOST)


def address(run: str) -> str:
    """Where a page gets the archive of the run with this id: an address relative to the page's."""
    return f"archives/{run}.zip"


class _Sent(FileResponse):
    """A file in a folder of its own, which goes once it was sent, or nobody takes it any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            _discard(Path(self.path).parent)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _room.release()


def _folder() -> Path:
    """A new folder that only we may look into; `InputError` if there is no room for it."""
    if not _room.acquire(blocking=False):
        raise InputError("Too many archives are being sent; try again in a minute.")
    try:
        return Path(mkdtemp(prefix="vggexplorer-archive-"))
    except OSError as error:
        _room.release()
        raise InputError("The archive could not be made: {reason}", reason=error.strerror or str(error)) from error


def _made(run: Run) -> Path:
    """The archive of a run, in a folder of its own; `InputError` if it cannot be made now, or nothing may be kept."""
    exhibit.check()
    folder = _folder()
    try:
        archive.pack(run, path := folder / f"{run.id}.zip")
    except BaseException:
        _discard(folder)
        raise
    return path


async def serve(request: Request) -> Response:
    """`/archives/{run}.zip`: all that is handed on of a run; why not, if it is not over."""
    run = Runs.at().get(request.path_params["run"])
    if run is None:
        return Response(status_code=404)
    try:
        path = await run_in_threadpool(_made, run)
    except InputError as error:
        return PlainTextResponse(str(error), status_code=409)
    return _Sent(path, media_type="application/zip", filename=path.name, headers={"Cache-Control": "no-store"})
