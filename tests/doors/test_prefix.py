"""Behind a proxy that has the dashboard below a path: in a browser every page works, whoever takes the path away."""

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from conftest import OpenTab, StartServer
from test_browser import Explore, summary
from test_takeaway_browser import fetch

from vggexplorer.catalogue import catalogue
from vggexplorer.server.dashboard import BASE_PATH

PREFIX = "/vgg"
STUDENTS = re.compile(r"students, as often as they like: (\S+)")


class Proxy(ThreadingTCPServer):
    """Passes on what comes for `/vgg/…` to the `port` of a dashboard, and answers 404 to everything else."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, strips: bool) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.strips = strips
        self.url = f"http://127.0.0.1:{self.server_address[1]}{PREFIX}"
        self.port = 0
        self.outside: list[str] = []


class Passing(StreamRequestHandler):
    """A connection for one request, or for one WebSocket."""

    server: Proxy

    def handle(self) -> None:
        head = list(iter(self.rfile.readline, b"\r\n"))
        if not head or not head[-1]:  # a browser that connected ahead, and left
            return
        request, headers = head[0], head[1:]
        path = request.split()[1].decode()
        if not path.startswith(f"{PREFIX}/"):
            self.server.outside.append(path)
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if self.server.strips:
            request = request.replace(f" {PREFIX}/".encode(), b" /", 1)
        if not any(header.lower().startswith(b"upgrade:") for header in headers):
            headers = [header for header in headers if not header.lower().startswith(b"connection:")]
            headers.append(b"Connection: close\r\n")
        headers.append(b"X-Forwarded-For: 192.0.2.9\r\n")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.server.port)) as inner:
            inner.sendall(b"".join([request, *headers, b"\r\n"]))
            Thread(target=passed, args=(self.rfile.read1, inner.sendall), daemon=True).start()
            passed(inner.recv, self.connection.sendall)


def passed(source: Any, sink: Any) -> None:
    """Pass on all that comes, until one of the two ends."""
    with suppress(OSError, ValueError):  # the latter of a connection that was closed here
        while data := source(65_536):
            sink(data)


@pytest.fixture(params=[True, False], ids=["the proxy takes the path away", "Streamlit has the path"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with Proxy(request.param) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.mark.sample(1)
def test_every_page_works_below_a_path(proxy: Proxy, server: StartServer, tab: OpenTab) -> None:
    env = {} if proxy.strips else {BASE_PATH: PREFIX[1:]}
    served = server(sys.executable, "-m", "vggexplorer", "--url", proxy.url, env=env)
    proxy.port = int(served.url.removeprefix("http://127.0.0.1:").partition("/")[0])
    assert ("must take /vgg away" if proxy.strips else "must leave /vgg in") in served.text()
    link = STUDENTS.findall(served.text())[0]
    assert link.startswith(f"{proxy.url}/?token=")

    explore = Explore(tab(height=1200), served._replace(url=proxy.url))
    page, refused, failed = explore.page, [], []
    page.on("response", lambda answer: answer.status >= 400 and refused.append(answer.url))
    page.on("requestfailed", lambda request: "ABORTED" in request.failure or failed.append(request.url))
    page.goto(link)
    explore.settle()
    explore.shows(summary())
    explore.fill("Channels, block 1", "32")
    explore.shows(summary(arch="1x32,1x128,2x256,2x512,2x512"))
    assert explore.params() == {"arch": "1x32,1x128,2x256,2x512,2x512"}
    page.locator(".drawing svg").wait_for()
    page.get_by_role("tab", name="Charts").click()
    page.locator("[role=tabpanel]:visible .js-plotly-plot .main-svg").first.wait_for()
    page.get_by_role("tab").last.click()
    assert b"Conv2d" in fetch(explore, explore.button("CSV"))[1]
    assert fetch(explore, page.locator(".st-key-pictures .download").last)[1].startswith(b"\x89PNG")

    compared = page.locator("[role=tabpanel]:visible").locator("table, .js-plotly-plot .main-svg").first
    page.get_by_role("link", name="Compare").click()
    compared.wait_for()
    assert page.url.startswith(f"{proxy.url}/compare?")
    page.get_by_role("link", name="Runs").click()
    page.locator("tbody th.name button").first.click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.wait_for_url(f"{proxy.url}/runs?run=*")
    page.get_by_role("link", name="Learn").click()
    page.get_by_role("heading", name="Learn").wait_for()
    page.get_by_text("中", exact=True).click()
    page.get_by_role("heading", name=catalogue()["Learn"]).wait_for()

    page.goto(f"{proxy.url}/compare/?arch=1x8,2x16:nopool")
    compared.wait_for()
    assert page.url.startswith(f"{proxy.url}/compare?arch=1x8")
    page.goto(f"{proxy.url}/explore?arch=alexnet")
    explore.settle()
    explore.shows(summary(arch="alexnet"))
    assert page.url == f"{proxy.url}/?arch=alexnet"
    assert (refused, failed, proxy.outside, explore.complaints) == ([], [], [], [])
