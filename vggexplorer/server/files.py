"""What the server answers beside what Streamlit does.

The HTML of the pages, files that the browser loads once (our scripts and Plotly.js, each under an address that changes
with it), and large downloads, streamed from the disk under addresses that nobody can guess. The addresses that pages
get are relative: they hold below a path, too.
"""

import atexit
import gzip
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from vggexplorer.paths import PACKAGE, PAGES
from vggexplorer.server import archives, live, metrics
from vggexplorer.server.style import STYLE


def _folder_of(package: str) -> Path:
    """Where an installed package lies; it is not imported for that."""
    found = find_spec(package)
    if not found or not found.origin:
        raise ModuleNotFoundError(f"No module named {package!r}")
    return Path(found.origin).parent


OWN = (
    *("components.js", "live.js", "stage.js", "blocks.js", "curves.js", "runs.js", "inside.js", "inspector.js"),
    *("learn.js", "bar.js", "compare.js", "watch.js", "list.js", "mistakes.js", "window.js"),
)
"""Our own scripts import each other, so they lie side by side: one hash of them all is in their addresses."""
PLOTLY = "plotly.min.js"
"""Plotly's version is in its address: to know that, nobody needs the 5 MB of the file."""
FILES = (*OWN, PLOTLY)
"""The names of what is served."""


def place(name: str) -> Path:
    """Where the file `name` of `FILES` lies on the disk."""
    return _folder_of("plotly") / "package_data" / name if name == PLOTLY else PACKAGE / "assets" / name


@cache
def url(name: str) -> str:
    """Where a page gets the file `name` of `FILES`: an address relative to the page's, which changes with the file."""
    if name == PLOTLY:
        return f"assets/{version('plotly')}/{name}"
    content = b"".join(place(own).read_bytes() for own in OWN)
    return f"assets/{hashlib.sha256(content).hexdigest()[:16]}/{name}"


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(place(name).read_bytes(), 6)


_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Encoding": "gzip",
    "Vary": "Accept-Encoding",
}


async def _serve(request: Request) -> Response:
    name, edition = request.path_params["name"], request.path_params["edition"]
    if name not in FILES or f"assets/{edition}/{name}" != url(name):
        return Response(status_code=404)
    return Response(_packed(name), media_type="text/javascript", headers=_HEADERS)


@cache
def document() -> str:
    """Streamlit's HTML for all pages, with our style sheet after its own.

    It is told where the server is: else the browser asks below each page's address first, and logs that nothing is
    there.
    """
    document = (_folder_of("streamlit") / "static" / "index.html").read_text("utf-8")
    base = '<script>window.__streamlit = { BACKEND_BASE_URL: new URL("./", location.href).href }</script>'
    document = document.replace("<head>", f"<head>{base}", 1)
    return document.replace("</body>", f"<style>{STYLE}</style></body>", 1)


async def _page(_request: Request) -> Response:
    return HTMLResponse(document(), headers={"Cache-Control": "no-cache"})


_offered: dict[str, tuple[Path, str]] = {}
"""Downloads by token: the file, and the name that it gets."""


def offer(path: Path, name: str) -> str:
    """Where a page gets the file `path`, under the name `name`, for as long as the file exists: a relative address."""
    for token in [token for token, (file, _) in _offered.items() if not file.exists()]:
        _offered.pop(token, None)
    token = secrets.token_urlsafe(32)
    _offered[token] = (path, name)
    return f"download/{token}/{name}"


async def _download(request: Request) -> Response:
    path, name = _offered.get(request.path_params["token"], (None, ""))
    if path is None or name != request.path_params["name"] or not path.exists():
        return Response(status_code=404)
    return FileResponse(
        path, media_type="application/octet-stream", filename=name, headers={"Cache-Control": "no-store"}
    )


def _moved(address: str) -> Callable[[Request], Awaitable[Response]]:
    """Leads to the relative `address`, with the parameters of the request."""

    async def lead(request: Request) -> Response:
        query = request.url.query
        return RedirectResponse(f"{address}?{query}" if query else address)

    return lead


def routes(prefix: str) -> list[BaseRoute]:
    """The routes that app.py adds to Streamlit's own, below the path `prefix`, such as `/vgg`."""
    return [
        *(Route(f"{prefix}/{page}", _page) for page in PAGES),
        # Streamlit would lead from there to an absolute address, and away from a path that a proxy took off.
        *(Route(f"{prefix}/{page}/", _moved(f"../{page}")) for page in PAGES if page),
        Route(f"{prefix}/explore", _moved("./")),
        Route(f"{prefix}/assets/{{edition}}/{{name}}", _serve),
        Route(f"{prefix}/download/{{token}}/{{name}}", _download),
        Route(f"{prefix}/{live.ADDRESS}", live.serve),
        Route(f"{prefix}/{metrics.address('{run}')}", metrics.serve),
        Route(f"{prefix}/{metrics.table_address('{run}')}", metrics.serve_table),
        Route(f"{prefix}/{archives.address('{run}')}", archives.serve),
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
