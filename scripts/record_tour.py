"""Records the moving picture of the README, from a dashboard of its own: `record_tour.py [OUT]`.

An edit on Explore whose figures follow at once, then a demo training from its start to its end. The pages are seen as
they are; only the time between two pictures is another one: a training of half a minute passes in a few seconds. Needs
Playwright, Chromium and PyTorch.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures" / "tour.webp"
SEEN = {"width": 1280, "height": 832}
SHOWN = (1120, 728)
"""Pixels of the browser's window, and of the picture."""
QUALITY = 70
OF_TRAINING = 22
"""So many pictures are kept of a training, evenly."""
PATIENCE = 400
"""Seconds after which a training is given up."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
POINTER = """
addEventListener("DOMContentLoaded", () => {
    const dot = document.createElement("div")
    dot.style.cssText = "position:fixed;z-index:2147483647;width:18px;height:18px;margin:-9px;border-radius:50%;" +
        "background:#d9480f;opacity:.55;pointer-events:none;left:-50px"
    document.documentElement.append(dot)
    addEventListener("mousemove", (event) => {
        dot.style.left = event.clientX + "px"
        dot.style.top = event.clientY + "px"
    }, true)
})
"""
SETTLED = """() => {
    const app = document.querySelector("[data-testid=stApp]")
    return app?.dataset.testScriptState === "notRunning" && !document.querySelector("[data-stale=true]")
}"""


class Film:
    """Pictures of a page, each with the milliseconds for which it is shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._taken: list[tuple[bytes, int]] = []

    def show(self, milliseconds: int) -> None:
        """The page as it is now."""
        self._taken.append((self._page.screenshot(), milliseconds))

    def thin(self, since: int, most: int) -> None:
        """Keep so many of the pictures from one on, evenly."""
        some = self._taken[since:]
        self._taken[since:] = [some[number * len(some) // most] for number in range(most)] if len(some) > most else some

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return sum(time for _, time in self._taken) / 1000

    def save(self, path: Path) -> None:
        """All of it as an animated WebP that begins anew at its end."""
        pictures = [Image.open(io.BytesIO(content)).convert("RGB") for content, _ in self._taken]
        first, *rest = (each.resize(SHOWN, Image.Resampling.LANCZOS) for each in pictures)
        times = [time for _, time in self._taken]
        first.save(path, save_all=True, append_images=rest, duration=times, loop=0, quality=QUALITY, method=4)


def settle(page: Page) -> None:
    """Wait until the page's script has come to its end."""
    page.wait_for_timeout(200)
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(200)


def point(film: Film, page: Page, at: Locator) -> None:
    """Move the pointer there, and press."""
    at.scroll_into_view_if_needed()
    box = at.bounding_box()
    if box:
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    film.show(300)
    at.click()
    if box:
        page.mouse.move(box["x"] - 12, box["y"] + box["height"] + 8)  # out of the way of what is typed


def edit(film: Film, page: Page, label: str, text: str) -> None:
    """Type a number into a field of the editor."""
    field = page.get_by_label(label, exact=True)
    point(film, page, field)
    field.press("Control+a")
    for digit in text:
        field.press(digit)
        film.show(200)
    field.press("Enter")
    film.show(250)
    settle(page)
    film.show(1200)


def explore(film: Film, page: Page, url: str) -> None:
    """Two edits of VGG-11."""
    page.goto(url)
    page.wait_for_selector(".totals .value")
    settle(page)
    film.show(1000)
    edit(film, page, "Channels, block 5", "256")
    edit(film, page, "Convolutions, block 3", "4")


def train(film: Film, page: Page, url: str) -> None:
    """The quick demo of the slim VGG-11."""
    page.goto(f"{url}/train")
    settle(page)
    page.locator("[data-testid=stSidebarCollapseButton] button").click()
    page.wait_for_selector(".plot .xy")
    settle(page)
    film.show(700)
    point(film, page, page.get_by_role("button", name="Start", exact=True).first)
    since, began = len(film), time.monotonic()
    badge = page.locator(".badge").first
    while not (badge.count() and re.search("finished|failed", badge.inner_text())):
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError("The training takes too long.")
        film.show(150)
        page.wait_for_timeout(1000)
    film.thin(since, OF_TRAINING)
    settle(page)
    film.show(2000)


@contextmanager
def dashboard(folder: Path) -> Iterator[str]:
    """The address of a dashboard of its own, with no runs but those that ship."""
    command = [sys.executable, "-m", "vggexplorer", "--no-browser"]
    surroundings = os.environ | {"VGGEXPLORER_RUNS": str(folder / "runs"), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=folder, env=surroundings) as process:  # noqa: S603
        try:
            yield next(found[0] for line in process.stdout or () if (found := re.search(r"http://[\w.:]+", line)))
        finally:
            process.terminate()


def main(arguments: list[str]) -> int:
    """Record it, and say how large it has become."""
    out = Path(arguments[0]) if arguments else OUT
    with tempfile.TemporaryDirectory() as folder, dashboard(Path(folder)) as url, sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, CHROMIUM)), None)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SEEN, locale="en-US")
        page.add_init_script(POINTER)
        film = Film(page)
        explore(film, page, url)
        train(film, page, url)
        film.save(out)
        browser.close()
    print(f"{len(film)} pictures, {film.seconds:.1f} s, {out.stat().st_size / 1e6:.2f} MB: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
