"""The doors to the dashboard: what each fetches, how soon the first page stands there, what it takes on the disk.

The static site is built and served on this machine, compressed, without the network between; its browser comes for the
first time (cold) and again (warm). The installs are made in new virtual environments; fetching and installing the
packages is one figure, from the command to the totals on the first page another (cold: the first time).
"""

import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import serve_site  # noqa: E402

EXTRAS = {"light": "", "whole": "[train]"}
NAMES = {
    "site": "a link: `python scripts/build_site.py OUT`",
    "light": "light: `pip install . && vggexplorer`",
    "whole": 'whole: `pip install ".[train]" && vggexplorer`',
}
PATIENCE = 300_000
"""Milliseconds until a page that does not come is given up."""


def size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A page of a browser that remembers what is in `profile`."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch_persistent_context(
            str(profile), executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield chromium.pages[0]
        chromium.close()


def until_totals(page: Page, url: str) -> float:
    """Seconds from the request to the totals of VGG-11, live."""
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(".totals .value", timeout=PATIENCE)
    return time.perf_counter() - began


def site(rounds: int) -> dict[str, Any]:
    """The static site."""
    with tempfile.TemporaryDirectory() as folder:
        out, cold, warm, sent = Path(folder, "site"), [], [], 0
        command = [sys.executable, str(ROOT / "scripts" / "build_site.py"), str(out)]
        seconds = timed(lambda: subprocess.run(command, check=True))
        with serve_site.server(out) as host:
            threading.Thread(target=host.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{host.server_port}/"
            for number in range(rounds):
                with browser(Path(folder, f"profile-{number}")) as page:
                    fetched: list[int] = []
                    page.on("requestfinished", lambda each, to=fetched: to.append(each.sizes()["responseBodySize"]))
                    cold.append(until_totals(page, url))
                    page.wait_for_timeout(2_000)
                    sent = sum(fetched)
                with browser(Path(folder, f"profile-{number}")) as page:
                    warm.append(until_totals(page, url))
            host.shutdown()
        return result(sent, seconds, cold, warm, size(out))


def install(extras: str, rounds: int) -> dict[str, Any]:
    """An install of this checkout with `extras`."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        wheels, environment = Path(folder, "wheels"), Path(folder, "environment")
        python = environment / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
        ours = f"{next(wheels.glob('vggexplorer-*.whl'))}{extras}"
        fetch = [*pip, "wheel", "--no-cache-dir", "--wheel-dir", str(wheels), ours]  # two come as source
        put = [*pip, "install", "--no-index", "--find-links", str(wheels), ours]
        seconds = timed(lambda: subprocess.run(fetch, check=True)) + timed(lambda: subprocess.run(put, check=True))
        for number in range(rounds):
            for times in (cold, warm):
                times.append(started(python, Path(folder, f"profile-{number}")))
        return result(size(wheels), seconds, cold[:1], [*cold[1:], *warm], size(environment))


def started(python: Path, profile: Path) -> float:
    """Seconds from the command to the totals on the first page, in a browser that was open before."""
    with browser(profile) as page:
        began = time.perf_counter()
        command = [str(python), "-m", "vggexplorer", "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=profile) as process:
            try:
                url = next(found[0] for line in process.stdout or () if (found := re.search(r"http://\S+", line)))
                while not answers(url):
                    time.sleep(0.02)
                until_totals(page, url)
                return time.perf_counter() - began
            finally:
                process.terminate()


def answers(url: str) -> bool:
    """Whether the server is there."""
    try:
        urlopen(f"{url.rstrip('/')}/_stcore/health", timeout=1).close()  # noqa: S310 (our own server)
    except OSError:
        return False
    return True


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def result(fetched: int, seconds: float, cold: list[float], warm: list[float], disk: int) -> dict[str, Any]:
    """What was found of a door."""
    times = {"cold": statistics.median(cold), "warm": statistics.median(warm)}
    return {"bytes": fetched, "ready": seconds, **times, "disk": disk}


def rows(found: dict[str, Any]) -> list[list[str]]:
    """The table, its head first."""
    lines = [["door and its command", "fetched", "built or installed in", "first page, cold", "warm", "on the disk"]]
    for name, each in found.items():
        cells = (megabytes(each["bytes"]), *(f"{each[key]:.1f} s" for key in ("ready", "cold", "warm")))
        lines.append([NAMES[name], *cells, megabytes(each["disk"])])
    return lines


def megabytes(count: int) -> str:
    """Bytes in millions of them."""
    return f"{count / 1e6:,.0f} MB"


def measure(doors: Sequence[str], rounds: int) -> dict[str, Any]:
    """Each door by its name."""
    return {door: site(rounds) if door == "site" else install(EXTRAS[door], rounds) for door in doors}
