"""What one visitor may cost a dashboard that everybody may look at: open pages, requests, messages, files.

A visitor is an address, and for IPv6 the network of a house. All others of a school may come from the same one, so
there is room for a class. The most that a file and a message may be, Streamlit is told (`dashboard.SMALL`).
"""

import asyncio
import ipaddress
import re
import time
from collections import Counter
from collections.abc import Callable
from math import ceil

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vggexplorer.errors import InputError
from vggexplorer.server import answers

PAGES, PAGES_OF_ALL = 40, 200
"""How many pages may be open at once, of one visitor and of all."""
REQUESTS = 300, 20.0
"""How many requests a visitor may make at once, and then in each second; but for files, which are read and sent."""
MESSAGES = 60, 10.0
"""The same of messages from pages, each of which may run a page's script. What is more is heard later, not refused."""
FILES = 30, 1 / 60
"""The same of files that are sent here: each stays in memory while its page is open."""
_PLAIN = re.compile(r"/(static|assets)/")
"""Paths of what is the same for all."""
_MOST_KNOWN = 10_000
_BUSY = InputError("There are many visitors here just now. Come back in some minutes.")
_TOO_FAST = InputError("These were many requests at once. Wait a minute, and load the page anew.")


class Rate:
    """So many at once of each visitor, and then so many in each second."""

    def __init__(self, most: int, each_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._each_second, self._clock = most, each_second, clock
        self._rested: dict[str, float] = {}
        """When each may make the most again; who has rested is forgotten."""

    def wait(self, who: str) -> float:
        """In how many seconds `who` may make one more; 0 if now, and then it is made."""
        now, one = self._clock(), 1 / self._each_second
        rested = max(now, self._rested.get(who, now)) + one
        if (early := rested - self._most * one - now) > 1e-9:
            return early
        if len(self._rested) >= _MOST_KNOWN:
            self._rested = {each: when for each, when in self._rested.items() if when > now}
        self._rested[who] = rested
        return 0.0


class Visitors:
    """The application, with what each visitor may cost it; it stands behind the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests, self._messages, self._files = Rate(*REQUESTS), Rate(*MESSAGES), Rate(*FILES)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or a page's connection on, or answer that there is no room for it."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and _PLAIN.search(scope["path"])):
            await self._app(scope, receive, send)
            return
        who = _address(scope)
        if scope["type"] == "websocket":
            await self._connect(who, scope, receive, send)
            return
        rate = self._requests if scope["method"] in ("GET", "HEAD", "OPTIONS") else self._files
        if seconds := rate.wait(who):
            answer = answers.page(HTTPConnection(scope), _TOO_FAST, status=429)
            answer.headers["Retry-After"] = str(ceil(seconds))
            await answer(scope, receive, send)
        elif _opens(scope) and self._full(who):
            await answers.page(HTTPConnection(scope), _BUSY, status=503)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _connect(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._full(who):
            await send({"type": "websocket.close", "code": 1013})
            return
        self._open[who] += 1
        try:
            await self._app(scope, lambda: self._heard(who, receive), send)
        finally:
            self._open[who] -= 1
            self._open += Counter()  # without those that have none

    async def _heard(self, who: str, receive: Receive) -> Message:
        message = await receive()
        if message["type"] == "websocket.receive":
            while seconds := self._messages.wait(who):
                await asyncio.sleep(seconds)
        return message

    def _full(self, who: str) -> bool:
        return self._open[who] >= PAGES or self._open.total() >= PAGES_OF_ALL


def _opens(scope: Scope) -> bool:
    """Whether somebody opens a page with it."""
    return HTTPConnection(scope).headers.get("sec-fetch-mode") == "navigate"


def _address(scope: Scope) -> str:
    """The address of a visitor, as the proxy says it if it is on this machine or in `FORWARDED_ALLOW_IPS`."""
    client = str((scope.get("client") or ("",))[0])
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return client
