"""A dashboard that is there to look at, in a browser: on its own, and in the frame of another site."""

import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from conftest import Server, StartServer
from test_browser import Explore, summary

from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs

if TYPE_CHECKING:
    from conftest import OpenTab

REFUSED = "This dashboard is there to look at"


@pytest.fixture(scope="module")
def demo(server: StartServer) -> Server:
    return server(sys.executable, "-m", "vggexplorer", "--demo")


@pytest.fixture
def visitor(tab: "OpenTab", demo: Server) -> Iterator[Explore]:
    visitor = Explore(tab(), demo)
    yield visitor
    assert not visitor.complaints


def test_a_visitor_edits_and_looks_at_a_recorded_run(visitor: Explore) -> None:
    page = visitor.open().page
    visitor.fill("Channels, block 3", "320")
    visitor.shows(summary(arch="1x64,1x128,2x320,2x512,2x512"))
    page.get_by_role("link", name=re.compile(r"\bTrain$")).click()
    page.get_by_text(REFUSED).wait_for()
    page.get_by_role("button", name="Look at recorded runs").click()
    run = Runs(layout.RECORDED).all(recorded=False)[0]
    page.locator(f"[data-run='{run.id}'] th.name .open").click()
    page.locator(".plot:not([data-points='0']) .main-svg").first.wait_for()
    assert page.get_by_text("Run again").count() == 0


def test_a_notebook_is_read_from_a_file(visitor: Explore) -> None:
    page = visitor.open().page
    page.get_by_text("From a file").click()
    source = b"import torchvision\nnet = torchvision.models.vgg13()\n"
    page.locator("input[type=file]").set_input_files({"name": "net.py", "mimeType": "text/x-python", "buffer": source})
    visitor.shows(summary(arch="vgg13", input="3x224x224", classes="1000", head="adaptive"))


@pytest.fixture
def site(demo: Server) -> Iterator[str]:
    """A page of another site, with the demo in a frame."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{demo.url}/" width="1400" height="1200"></iframe>'.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://localhost:{host.server_port}/"
        host.shutdown()


def test_another_site_has_it_in_a_frame_and_it_lives_there(visitor: Explore, site: str) -> None:
    page = visitor.page
    page.goto(site)
    frame = page.frame_locator("iframe")
    frame.locator(".totals .value").first.wait_for()
    box = frame.get_by_label("Channels, block 3", exact=True)
    box.fill("320")
    box.press("Enter")
    expected = f"{summary(arch='1x64,1x128,2x320,2x512,2x512').totals.params:,}"
    frame.get_by_text(expected).first.wait_for()
