"""The gate before everything that the server answers: pages, files, figures of runs, the WebSocket.

It stands in the application itself (`app.py`), so that no way of starting the server gets around it. On this
machine's own address everybody may come in, but only by this machine's own names (no foreign site can use its
visitor's browser to get here). On any other address, and before a proxy, a login (Streamlit's OIDC) or the cookie
that comes with a link is needed. A dashboard that is there to look at (`exhibit.py`) lets everybody in: nothing in it
is anybody's. `docs/security.md` says against whom this helps.
"""

import base64
import hashlib
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.errors import StreamlitSecretNotFoundError

from vggexplorer import exhibit, paths
from vggexplorer.errors import InputError
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import answers, files
from vggexplorer.server.keys import COOKIE_DAYS, HERE, VISITOR, Keys, Person
from vggexplorer.server.visitors import Visitors

if TYPE_CHECKING:
    from vggexplorer.server.login import Login

URL = "VGGEXPLORER_URL"
"""The environment variable with the address under which others reach a dashboard that a proxy stands before."""
PERSON = "x-vggexplorer-person"
"""The header by which a session learns who is there; what comes from outside under this name is dropped."""
OPEN_PATHS = ("/_stcore/health",)
"""Says `ok` to everybody, so that a start can be awaited."""
LOGIN_PATHS = ("/auth/login", "/auth/logout", "/oauth2callback")
"""Streamlit's own, by which somebody logs in and out. Like `OPEN_PATHS` they lie below the `prefix`."""
_NEEDS_LINK = InputError("To come in, open the link that you were given, or that the terminal of the server shows.")
_OLD_LINK = InputError("This link is no longer valid; ask for a new one.")
_NEEDS_START = InputError("Only this machine itself can open this dashboard; vggexplorer --address opens it to others.")
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""A request with one of these came through a proxy: it is from this machine only in appearance."""
_FRAME = b"x-frame-options"
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    _FRAME: b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
}
"""With each answer: no guessing of types, no other site's frame around the page, no address given away by a link."""


def _policy(host: str, frames: str = "'self'") -> bytes:
    """What the browser may load and run on our pages: what this server sends, and no script that stands in a text.

    Streamlit's own page has inline scripts; they are allowed by their hashes. Not all browsers count a WebSocket to
    the same host as 'self'. Pages of `frames` may have ours in a frame.
    """
    return (
        f"default-src 'self' data: blob:; script-src 'self' blob: {_inline_scripts()}; "
        f"style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob: ws://{host} wss://{host}; "
        f"frame-ancestors {frames}; object-src 'none'; base-uri 'self'"
    ).encode()


@cache
def _inline_scripts() -> str:
    scripts = re.findall(r"<script>(.*?)</script>", files.document(), re.DOTALL)
    hashes = (hashlib.sha256(text.encode()).digest() for text in scripts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)


def prefix() -> str:
    """The path below which Streamlit serves everything, such as `/vgg`: its `server.baseUrlPath`, empty unless set."""
    return paths.prefix(str(st.get_option("server.baseUrlPath") or ""))


standing = False
"""Whether there is a gate before this process's sessions; where there is none, `keys.ungated` sits at them."""


class Gate:
    """The application with the gate before it; `Middleware(Gate)` in app.py."""

    def __init__(self, app: ASGIApp) -> None:
        global standing
        standing = True
        self._exhibit = exhibit.on()
        self._app = Visitors(app) if self._exhibit else app
        self._address = str(st.get_option("server.address") or "0.0.0.0")  # noqa: S104 (Streamlit's own default)
        self._allowed = [str(host).strip().lower().rstrip(".") for host in st.get_option("server.allowedHosts") or []]
        self._prefix = prefix()
        self._login = None if self._exhibit else _login()
        foreign = [host for host in self._allowed if not _is_here(host)]
        self._shared = not _is_here(self._address) or bool(foreign) or bool(os.environ.get(URL))
        self._keys, self._closed = None, _NEEDS_START
        if self._shared and not self._login and not self._exhibit:
            try:
                self._keys, self._closed = Keys(Runs.at().path), _NEEDS_LINK
            except InputError as error:
                self._closed = error
                print(error, flush=True)
        self._cookie = f"vggexplorer-{st.get_option('server.port')}"
        self._announce()

    # --- requests ------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with who it is from, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        answer = self._answer(connection)
        path, careful = self._path(scope), _careful(send, connection, framed=self._exhibit)
        if isinstance(answer, Response) and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif isinstance(answer, Response):
            await answer(scope, receive, careful)
        else:
            led = _led_home(careful, f"{self._prefix}/", path) if path in LOGIN_PATHS else careful
            await self._app(_with_person(scope, answer), receive, led)

    def _path(self, scope: Scope) -> str:
        """What was asked for below the prefix; empty where that is not below it."""
        path = str(scope["path"])
        return path.removeprefix(self._prefix) if path.startswith(f"{self._prefix}/") else ""

    def _answer(self, connection: HTTPConnection) -> Person | Response | None:
        """Who it is from; a response in place of the application's; None for what everybody may have."""
        if reason := self._foreign(connection):
            return answers.page(connection, reason)
        path = self._path(connection.scope)
        is_http = connection.scope["type"] == "http"
        if is_http and path in OPEN_PATHS:
            return None
        person = self._person(connection)
        if is_http and self._keys and "token" in connection.query_params:
            return self._admitted(connection, self._keys, person)
        if person:
            return person
        if self._login and is_http:
            if path in LOGIN_PATHS:
                return None
            return self._login.page(connection, path)
        return answers.page(connection, self._closed)

    def _person(self, connection: HTTPConnection) -> Person | None:
        if self._exhibit:
            return VISITOR
        if self._login:
            return self._login.person(connection)
        if self._keys:
            return self._keys.person(connection.cookies.get(self._cookie))
        return HERE if not self._shared and _from_here(connection) else None

    def _admitted(self, connection: HTTPConnection, keys: Keys, known: Person | None) -> Response:
        """The same address without the token, and the cookie for it; a used link is no harm to who is in."""
        if connection.scope["method"] != "GET" or "sec-purpose" in connection.headers:  # a browser looks ahead
            return answers.page(connection, _NEEDS_LINK)
        before = keys.teacher_token
        person = keys.admit(connection.query_params["token"], known)
        if person is None and known is None:
            return answers.page(connection, _OLD_LINK)
        rest = "&".join(part for part in connection.url.query.split("&") if not part.startswith("token="))
        path = f"./{quote(connection.url.path.rpartition('/')[2])}"
        response = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        if person:
            response.set_cookie(
                self._cookie,
                keys.cookie(person),
                max_age=COOKIE_DAYS * 86_400,
                path=self._prefix or None,  # the browser takes the page's folder, as a proxy may have taken a path off
                httponly=True,
                samesite="strict",
                secure=connection.url.scheme == "https",
            )
        if keys.teacher_token != before:
            print(f"The teacher's link was used. The next one, once: {self._link(keys.teacher_token)}", flush=True)
        return response

    # --- Host and Origin -----------------------------------------------------------------------------------

    def _foreign(self, connection: HTTPConnection) -> InputError | None:
        """Why a request is not answered at all: it is for another host, or another site's page sent it."""
        hosts = connection.headers.getlist("host")
        host = _name(hosts[0]) if len(hosts) == 1 else None
        if host is None or not (self._exhibit or self._is_ours(host, connection.scope)):
            return InputError("This dashboard does not answer under this name.")
        if self._exhibit:
            return None
        origin = connection.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != hosts[0].lower():
            return InputError("Another site's page may not use this dashboard.")
        method = connection.scope.get("method")
        opened = method == "GET" and connection.headers.get("sec-fetch-mode") == "navigate"
        top = connection.headers.get("sec-fetch-dest", "document") == "document"
        if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site") and not (opened and top):
            return InputError("Another site's page may not use this dashboard.")
        return None

    def _is_ours(self, host: str, scope: Scope) -> bool:
        """Whether the server is known as `host`: by this machine's own names, the address it was reached at, or those
        that it was told; `*` (which Streamlit takes for all names) stands for the machine's name."""
        if _is_here(host) or any(_matches(host, pattern) for pattern in self._allowed):
            return True
        server = scope.get("server")
        if server and _ip(host) is not None and _ip(host) == _ip(str(server[0])):
            return True
        name = socket.gethostname().lower()
        return self._shared and host in (name, f"{name}.local")

    # --- what the terminal says ----------------------------------------------------------------------------

    def _announce(self) -> None:
        if self._exhibit:
            print(
                f"Whoever can reach {self._base()} may look at everything. Nobody trains or measures here, and nothing "
                "is kept.",
                flush=True,
            )
        elif self._login:
            print("Whoever opens the dashboard has to log in.", flush=True)
        elif not self._shared:
            print(
                "Nobody but programs on this machine can open its address. docs/class.md says how a class comes in:\n"
                "vggexplorer --address 0.0.0.0",
                flush=True,
            )
        elif self._keys:
            print(
                "The dashboard is open to other computers. Nobody comes in without one of these links:\n"
                f"  the teacher, once:              {self._link(self._keys.teacher_token)}\n"
                f"  students, as often as they like: {self._link(self._keys.student_token)}\n"
                "The teacher may change every run, a student only their own. The links are valid until the server\n"
                "ends; a browser that came in stays in, over a restart too. docs/security.md says what this is worth.",
                flush=True,
            )
            if _leads_here(self._base()):
                print("Their address is this machine's own: nobody else can open it. --url says another.", flush=True)

    def _link(self, token: str) -> str:
        return f"{self._base()}/?token={token}"

    def _base(self) -> str:
        """The address that others open."""
        if base := os.environ.get(URL, "").rstrip("/"):
            return base
        address = _ip(self._address)
        name = _own_address() if address is None or address.is_unspecified else str(address)
        return f"http://{f'[{name}]' if ':' in name else name}:{st.get_option('server.port')}{self._prefix}"


def _login() -> "Login | None":
    """The login that secrets.toml asks for, if it does; one that nobody gets through, if it cannot be read."""
    auth: Any = {}
    people: Any = {}
    damaged = False
    try:
        auth, people = st.secrets.get("auth"), st.secrets.get("vggexplorer")
    except StreamlitSecretNotFoundError as error:
        if getattr(error, "error_id", "") == "no-secrets-found":
            return None
        damaged = True
    except Exception:  # whatever is wrong with the file, nobody comes in by it
        damaged = True
    if auth is None:
        return None
    if damaged or not isinstance(auth, Mapping) or not isinstance(people, Mapping | None):
        auth, people, damaged = {}, {}, True
    login: Login = import_module("vggexplorer.server.login").Login(auth, people or {}, damaged)
    return login


# --- names and addresses -----------------------------------------------------------------------------------


def _name(host: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is none
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname.rstrip(".") if parts.hostname else None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_here(name: str) -> bool:
    """Whether a name or address always means this very machine."""
    address = _ip(name)
    return name == "localhost" if address is None else address.is_loopback


def _leads_here(url: str) -> bool:
    """Whether an address leads to the machine that opens it."""
    try:
        return _is_here(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _from_here(connection: HTTPConnection) -> bool:
    """Whether a program on this machine sent it, and no proxy for somebody else."""
    ends = connection.scope.get("client"), connection.scope.get("server")
    if any(header in connection.headers for header in _FORWARDED):
        return False
    return all(end is not None and _is_here(str(end[0])) for end in ends)


def _matches(host: str, pattern: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _own_address() -> str:
    """The address of this machine in its network, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only asks which way that would go (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _with_person(scope: Scope, person: Person | None) -> Scope:
    """The request with who it is from; and without the Origin of an HTTP request, which has been checked, and of a
    visitor's page, which may be in a frame of any site.

    Streamlit asks a server on the internet for this machine's address to compare it with an Origin that it does not
    know, as is that of a proxy.
    """
    dropped = {PERSON.encode(), *([b"origin"] if scope["type"] == "http" or person == VISITOR else [])}
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
    if person:
        headers.append((PERSON.encode(), f"{'t' if person.teacher else 's'} {person.id}".encode()))
    return dict(scope) | {"headers": headers}


def _careful(send: Send, connection: HTTPConnection, framed: bool) -> Send:
    """`send`, with the headers that keep a page in its place in each answer that has no own; `framed` if that may be a
    frame of another site."""
    host = connection.headers.get("host", "")
    ours = _HEADERS | {b"content-security-policy": _policy(host, "*" if framed else "'self'")}
    if framed:
        del ours[_FRAME]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            message["headers"] = headers + [(name, value) for name, value in ours.items() if name not in present]
        await send(message)

    return sent


def _led_home(send: Send, home: str, path: str) -> Send:
    """`send`, with Streamlit's way `home` after a login said from where the browser is: at `path` below our root, which
    a proxy may have put below a path of its own."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            if headers.get("location") == home:
                headers["location"] = answers.up(path)
        await send(message)

    return sent
