"""The Streamlit entry: `streamlit run app.py`, or simply `vggexplorer`."""

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vggexplorer.paths import PACKAGE
from vggexplorer.server.files import lifespan, routes
from vggexplorer.server.gate import Gate, prefix
from vggexplorer.server.heads import allow_long_links


async def answer(request: Request) -> Response:
    """The figures of a network, for a browser that edits it."""
    from vggexplorer.ui.network.answers import serve  # noqa: PLC0415 (the server starts sooner without the pages)

    return await serve(request)


async def watch(request: Request) -> Response:
    """How a run is now, for a browser that shows it."""
    from vggexplorer.ui.run.watched import serve  # noqa: PLC0415 (as above)

    return await serve(request)


async def listed(request: Request) -> Response:
    """What is new in the list of runs, for a browser that shows it."""
    from vggexplorer.ui.runs.listing import serve  # noqa: PLC0415

    return await serve(request)


allow_long_links()
app = st.App(
    PACKAGE / "ui" / "main.py",
    routes=[
        *routes(prefix()),
        Route(f"{prefix()}/answer", answer),
        Route(f"{prefix()}/watch/{{run}}", watch),
        Route(f"{prefix()}/listed", listed),
    ],
    middleware=[Middleware(Gate)],
    lifespan=lifespan,
)
