"""What the server answers beside what Streamlit does.

The HTML of the pages, files that the browser loads once (our scripts and Plotly.js, each under a name with its hash),
and large downloads, streamed from the disk under addresses that nobody can guess.
"""

import atexit
import gzip
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from vggexplorer.paths import PACKAGE, PAGES
from vggexplorer.server.metrics import serve


def _folder_of(package: str) -> Path:
    """Where an installed package lies; it is not imported for that."""
    found = find_spec(package)
    if not found or not found.origin:
        raise ModuleNotFoundError(f"No module named {package!r}")
    return Path(found.origin).parent


OWN = ("components.js", "curves.js", "runs.js", "inside.js", "inspector.js", "learn.js")
"""Our own scripts import each other, so they lie side by side: one hash of them all is in their addresses."""
FILES = {name: PACKAGE / "assets" / name for name in OWN} | {
    "plotly.min.js": _folder_of("plotly") / "package_data" / "plotly.min.js"
}
"""What is served, by name."""


@cache
def _packed(name: str) -> tuple[str, bytes]:
    content = FILES[name].read_bytes()
    hashed = b"".join(FILES[own].read_bytes() for own in OWN) if name in OWN else content
    return hashlib.sha256(hashed).hexdigest()[:16], gzip.compress(content, 6)


def url(name: str) -> str:
    """Where the browser gets the file `name` of `FILES`; the address changes with the content."""
    return f"/assets/{_packed(name)[0]}/{name}"


_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Encoding": "gzip",
    "Vary": "Accept-Encoding",
}


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES or request.url.path != url(name):
        return Response(status_code=404)
    return Response(_packed(name)[1], media_type="text/javascript", headers=_HEADERS)


@cache
def document() -> str:
    """Streamlit's HTML for all pages, told where the server is: else the browser asks below each page's address first,
    and logs that nothing is there."""
    document = (_folder_of("streamlit") / "static" / "index.html").read_text("utf-8")
    base = '<script>window.__streamlit = { BACKEND_BASE_URL: new URL("./", location.href).href }</script>'
    return document.replace("<head>", f"<head>{base}", 1)


async def _page(_request: Request) -> Response:
    return HTMLResponse(document(), headers={"Cache-Control": "no-cache"})


_offered: dict[str, tuple[Path, str]] = {}
"""Downloads by token: the file, and the name that it gets."""


def offer(path: Path, name: str) -> str:
    """Where the browser gets the file `path`, under the name `name`, for as long as the file exists."""
    for token in [token for token, (file, _) in _offered.items() if not file.exists()]:
        _offered.pop(token, None)
    token = secrets.token_urlsafe(32)
    _offered[token] = (path, name)
    return f"/download/{token}/{name}"


async def _download(request: Request) -> Response:
    path, name = _offered.get(request.path_params["token"], (None, ""))
    if path is None or name != request.path_params["name"] or not path.exists():
        return Response(status_code=404)
    return FileResponse(
        path, media_type="application/octet-stream", filename=name, headers={"Cache-Control": "no-store"}
    )


async def _home(request: Request) -> Response:
    query = request.url.query
    return RedirectResponse(f"./?{query}" if query else "./")


def routes() -> list[BaseRoute]:
    """The routes that app.py adds to Streamlit's own."""
    return [
        *(Route(f"/{page}", _page) for page in PAGES),
        Route("/assets/{digest}/{name}", _serve),
        Route("/download/{token}/{name}", _download),
        Route("/explore", _home),
        Route("/records/{run}", serve),
    ]


at_end: set[Callable[[], None]] = set()
"""What is called when the server ends."""


@atexit.register
def _end() -> None:
    for clean_up in tuple(at_end):
        clean_up()


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """From the server's start to its end; a server that is terminated never gets as far as `atexit`."""
    yield
    _end()
