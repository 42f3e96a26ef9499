"""Files that the browser loads once: our script and Plotly.js, each under a name with its hash."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

import plotly
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from vggexplorer.paths import PACKAGE

FILES = {
    "components.js": PACKAGE / "assets" / "components.js",
    "plotly.min.js": Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
}


@cache
def _packed(name: str) -> tuple[str, bytes]:
    content = FILES[name].read_bytes()
    return hashlib.sha256(content).hexdigest()[:16], gzip.compress(content, 6)


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


async def _home(request: Request) -> Response:
    query = request.url.query
    return RedirectResponse(f"./?{query}" if query else "./")


def routes() -> list[BaseRoute]:
    """The routes that app.py adds to Streamlit's own."""
    return [Route("/assets/{digest}/{name}", _serve), Route("/explore", _home)]
