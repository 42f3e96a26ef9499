"""Take away in a real browser: every download is fetched, opened, and holds the right integers."""

import csv
import io
import json
import re
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import onnx
import pytest
from conftest import DIRECT, OpenTab, Server, StartServer, status_of
from test_browser import Explore, summary

from vggexplorer.catalogue import catalogue
from vggexplorer.drawing import WIDTH
from vggexplorer.formatting import exact
from vggexplorer.summary import Summary, summarize
from vggexplorer.ui.link import read

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SMALL = {"arch": "1x8,2x6:nopool", "input": "2x33x30", "hidden": "16", "classes": "7"}
SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


OpenPage = Callable[..., Explore]


@pytest.fixture
def away(tab: OpenTab, dashboard: Server) -> Iterator[OpenPage]:
    """Opens Explore at its last tab: `away(arch="alexnet")`."""

    def open_page(locale: str = "en-US", server: Server = dashboard, **params: str) -> Explore:
        page = Explore(tab(locale, height=1200), server).open(**params)
        page.click(page.page.get_by_role("tab").last)
        page.page.locator(".st-key-pictures button").first.wait_for()
        page.page.locator("[data-testid=stCode]").last.wait_for()  # the browser loads later what shows code
        pages.append(page)
        return page

    pages: list[Explore] = []
    yield open_page
    assert [page.complaints for page in pages if page.complaints] == []


def fetch(explore: Explore, button: "Locator") -> tuple[str, bytes]:
    """The name and the content of the file that a button gives."""
    with explore.page.expect_download() as waiting:
        button.click()
    name = waiting.value.suggested_filename
    assert SAFE.fullmatch(name)
    return name, waiting.value.path().read_bytes()


def test_the_source_runs_and_prints_the_number_of_parameters(away: OpenPage, tmp_path: Path) -> None:
    explore = away(arch="vgg11", input="1x64x64", hidden="32")
    name, content = fetch(explore, explore.button("Download .py"))
    assert name == "vgg11-1x64x64-hidden32.py"
    done = subprocess.run([sys.executable, "-c", content.decode()], capture_output=True, text=True, timeout=120)
    params = summary(arch="vgg11", input="1x64x64", hidden="32").totals.params
    assert done.stdout.splitlines()[-1] == f"parameters: {params}"
    shown = explore.page.locator("[data-testid=stCode]").first.inner_text()
    assert f"# Expected: {params} parameters" in shown.replace("\N{NO-BREAK SPACE}", " ")


def test_csv_json_and_markdown_hold_the_totals(away: OpenPage) -> None:
    explore = away(arch="alexnet")
    totals = summary(arch="alexnet").totals
    name, content = fetch(explore, explore.button("CSV"))
    assert name == "alexnet-1x224x224.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert sum(int(row["params"]) for row in rows) == totals.params == 46_764_746
    assert sum(int(row["macs"]) for row in rows) == totals.macs
    name, content = fetch(explore, explore.button("JSON"))
    assert name == "alexnet-1x224x224.json"
    assert json.loads(content)["totals"]["activations"] == totals.activations
    name, content = fetch(explore, explore.button("Markdown"))
    assert name == "alexnet-1x224x224.md"
    assert f"| {exact(totals.params)} | {exact(totals.macs)} |" in content.decode()


def test_the_drawing_as_svg_and_every_picture_as_png(away: OpenPage) -> None:
    explore = away(arch="vgg13")
    buttons = explore.page.locator(".st-key-pictures .download")
    assert buttons.count() == 4
    name, content = fetch(explore, buttons.nth(0))
    assert name == "vgg13-1x224x224.svg"
    root = ElementTree.fromstring(content)
    labels = [element.get("aria-label", "") for element in root.iter()]
    assert "Linear classifier.0: 4096, 102,764,544 parameters" in labels
    names = []
    for index in (1, 2, 3):
        name, content = fetch(explore, buttons.nth(index))
        names.append(name)
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", content[16:24])
        assert width == 2 * (WIDTH if index == 1 else 1000), "the drawing, then the charts"
        assert height >= 400
        assert len(content) > 15_000
    assert names == [f"vgg13-1x224x224.{end}" for end in ("png", "by-layer.png", "conv-fc.png")]


def whites(explore: Explore, content: bytes) -> float:
    """The share of a picture's pixels that are white."""
    share: float = explore.page.evaluate(
        """async (bytes) => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], {type: 'image/png'}))
            const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
            canvas.drawImage(image, 0, 0)
            const data = canvas.getImageData(0, 0, image.width, image.height).data
            let white = 0
            for (let i = 0; i < data.length; i += 4) white += data[i] + data[i + 1] + data[i + 2] + data[i + 3] === 1020
            return white / (data.length / 4)
        }""",
        list(content),
    )
    return share


def test_the_png_has_the_drawing_on_white(away: OpenPage) -> None:
    explore = away(arch="lenet")
    _, content = fetch(explore, explore.button("Drawing (PNG)"))
    assert 0.5 < whites(explore, content) < 0.97


def test_text_and_link_open_the_same_state(away: OpenPage) -> None:
    explore = away(arch="1x8:k5,2x16:nopool", batch="4")
    texts = explore.page.locator("[data-testid=stCode]").all_inner_texts()
    assert "1x8:k5,2x16:nopool" in texts
    url = texts[-1].strip()
    assert url == f"{explore.server.url}/?arch=1x8:k5,2x16:nopool&tab=away&batch=4"
    explore.page.goto(url)
    explore.settle()
    assert explore.params() == {"arch": "1x8:k5,2x16:nopool", "tab": "away", "batch": "4"}
    state, errors = read(explore.params())
    assert not errors
    explore.until(lambda: explore.totals()[0] == exact(summarize(*state.network).totals.params))


def test_the_tuple_is_there_for_a_vgg(away: OpenPage) -> None:
    texts = away().page.locator("[data-testid=stCode]").all_inner_texts()
    assert "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))" in texts


# --- ONNX ------------------------------------------------------------------------------------------------


def make_onnx(explore: Explore) -> "Locator":
    """Have the model written; the button that gives it."""
    explore.page.get_by_role("button", name="Write the ONNX model").click()
    explore.page.get_by_text("PyTorch writes the model").wait_for()
    button = explore.page.locator(".st-key-onnx-file .download")
    button.wait_for(timeout=120_000)
    return button


def params_in(path: Path) -> int:
    weights = [item for item in onnx.load(path).graph.initializer if item.data_type == 1]
    assert weights
    return sum(len(item.raw_data) // 4 for item in weights)


def small() -> Summary:
    return summary(**SMALL)


def test_the_onnx_model_holds_the_parameters(away: OpenPage, tmp_path: Path) -> None:
    explore = away(**SMALL)
    button = make_onnx(explore)
    name, content = fetch(explore, button)
    assert name == "1x8_2x6-nopool-2x33x30-classes7-hidden16.onnx"
    (tmp_path / "net.onnx").write_bytes(content)
    assert params_in(tmp_path / "net.onnx") == small().totals.params
    explore.settle()
    href = button.get_attribute("href") or ""
    with DIRECT.open(f"{explore.server.url}/{href}", timeout=20) as answer:
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.read() == content
    token = href.split("/")[1]
    for other in (href.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B")), href[:-1]):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            DIRECT.open(f"{explore.server.url}/{other}", timeout=20)


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_no_process_and_no_file_is_left(away: OpenPage, server: StartServer, tmp_path: Path) -> None:
    ours = server(env={"TMPDIR": str(tmp_path)})
    explore = away(server=ours, **SMALL)
    button = make_onnx(explore)
    children = Path(f"/proc/{ours.process.pid}/task/{ours.process.pid}/children").read_text(encoding="utf-8").split()
    assert children == []
    assert not re.search("torch", Path(f"/proc/{ours.process.pid}/maps").read_text(encoding="utf-8"))
    assert status_of(f"{ours.url}/{button.get_attribute('href')}") == 200
    assert len(list(tmp_path.glob("vggexplorer-onnx-*"))) == 1
    explore.page.get_by_role("button", name="× ½").click()
    explore.page.get_by_role("button", name="Write the ONNX model").click()
    explore.page.get_by_text("PyTorch writes the model").wait_for()
    ours.process.terminate()
    ours.process.wait(20)
    explore.page.goto("about:blank")
    explore.complaints.clear()  # of the browser, about the server that is gone
    assert list(tmp_path.glob("vggexplorer-onnx-*")) == []
    time.sleep(0.3)
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert [line for line in running if bytes(tmp_path) in line and b"onnx_export" in line] == []


def test_a_model_that_is_too_large_is_refused_with_its_size(away: OpenPage) -> None:
    explore = away(arch="vgg11", hidden="16384")
    assert explore.page.locator("p").get_by_text("420,441,354 parameters × 4 bytes").is_visible()
    assert not explore.page.get_by_role("button", name="Write the ONNX model").is_visible()


# --- both languages, small screens -----------------------------------------------------------------------


def test_it_is_chinese(away: OpenPage) -> None:
    explore = away("zh-CN", arch="lenet")
    pictures = explore.page.locator(".st-key-pictures .downloads").inner_text()
    text = explore.page.get_by_role("tabpanel").last.inner_text() + pictures
    for english in ("PyTorch source", "Numbers", "Pictures", "Drawing (PNG)", "Text and link", "Write the ONNX model"):
        assert catalogue()[english] in text
        assert english not in text
    name, content = fetch(explore, explore.page.locator(".st-key-pictures .download").first)
    assert name == "lenet-1x28x28.svg"
    assert catalogue()["convolution"] in content.decode()


def test_it_fits_on_a_phone(away: OpenPage) -> None:
    explore = away()
    explore.page.set_viewport_size({"width": 390, "height": 844})
    explore.page.wait_for_timeout(500)
    assert explore.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
