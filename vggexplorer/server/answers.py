"""What the gate answers itself: a page with a sentence."""

from collections.abc import Mapping
from html import escape

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from vggexplorer.catalogue import catalogue, fill
from vggexplorer.errors import InputError


def page(
    connection: HTTPConnection, reason: InputError, links: Mapping[str, str] | None = None, status: int = 403
) -> Response:
    """A page with a sentence, in the browser's language, and links to log in (by provider) or out (without)."""
    chinese = connection.headers.get("accept-language", "").lower().startswith("zh")

    def said(error: InputError) -> str:
        text = catalogue().get(error.template, error.template) if chinese else error.template
        return escape(fill(text, **error.values))

    labels = {
        url: said(InputError("Log in with {name}", name=name) if name else InputError("Log out"))
        for url, name in (links or {}).items()
    }
    items = "".join(f'<p><a href="{escape(url)}">{label}</a></p>' for url, label in labels.items())
    # A link on another site's page comes without our cookie, which is SameSite=Strict; asking again brings it.
    again = status == 403 and _opened_elsewhere(connection)
    once_more = "<meta http-equiv=refresh content=0>" if again else ""
    return HTMLResponse(
        f"<!doctype html><html lang={'zh' if chinese else 'en'}><meta charset=utf-8>{once_more}"
        "<meta name=viewport content='width=device-width'><title>vggexplorer</title>"
        "<body style='font:1.1rem system-ui;max-width:36rem;margin:15vh auto;padding:0 1rem'>"
        f"<h1>vggexplorer</h1><p>{said(reason)}</p>{items}",
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def up(path: str) -> str:
    """The way from the page at `path` below our root up to there, as a relative address."""
    return "../" * (path.count("/") - 1) or "./"


def _opened_elsewhere(connection: HTTPConnection) -> bool:
    about = connection.headers
    return about.get("sec-fetch-mode") == "navigate" and about.get("sec-fetch-site") in ("cross-site", "same-site")
