"""The light installation, without PyTorch: every page opens, and what needs PyTorch says so with the one command."""

import json
import os
import re
import subprocess
import venv
from pathlib import Path

import pytest
from conftest import OpenTab, StartServer
from test_browser import Explore
from test_imports import BEHIND_STREAMLIT, DASHBOARD, PROGRAM, SCIENCE, core, modules
from test_wheel import pip, wheel  # noqa: F401 (a fixture)

from vggexplorer.processes import INSTALL
from vggexplorer.runs.folder.layout import RECORDED

NEEDED = f"This needs PyTorch, which is not installed here; {INSTALL} helps."
LEFT_OUT = ("torch", "torchvision", "torchinfo", "fvcore", "onnx", "onnxscript", "pynvml", "ray", "pytest")
"""Modules that are not there."""
RUN = min(RECORDED.iterdir()).name
"""A run that ships with the package."""
NO_NETWORK = re.compile("NewConnectionError|ConnectTimeout|NameResolutionError|ProxyError|Network is unreachable")


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The interpreter of a new environment that has the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder)
    found = next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())
    try:
        pip("--python", str(found), "install", "--no-compile", str(wheel), cwd=folder)
    except AssertionError as error:
        if NO_NETWORK.search(str(error)) and not os.environ.get("VGGEXPLORER_REQUIRE_NETWORK"):
            pytest.skip("without a network nothing can be installed")
        raise
    return found


@pytest.fixture(scope="module")
def command(python: Path) -> str:
    """The command `vggexplorer` of that environment."""
    (found,) = python.parent.glob("vggexplorer*")
    return str(found)


def said(folder: Path, *program: str) -> "subprocess.CompletedProcess[str]":
    """What a program of that environment says, which knows of no other one and starts from an empty folder."""
    own = {"PYTHONPATH": os.devnull, "HOME": str(folder), "VGGEXPLORER_RUNS": str(folder / "runs")}
    surroundings = os.environ | own
    return subprocess.run(program, cwd=folder, env=surroundings, capture_output=True, encoding="utf-8", timeout=120)


def test_what_is_large_is_not_installed(python: Path, tmp_path: Path) -> None:
    program = "import sys; from importlib.util import find_spec; print(*filter(find_spec, sys.argv[1:]))"
    done = said(tmp_path, str(python), "-c", program, *LEFT_OUT, "streamlit", "vggexplorer")
    assert done.stdout.split() == ["streamlit", "vggexplorer"]


def test_all_modules_but_pytorchs_are_imported_and_all_pages_shown(python: Path, tmp_path: Path) -> None:
    """The core without what Streamlit brings for itself."""
    (package,) = python.parent.parent.rglob("site-packages/vggexplorer")
    parts = [name for name in modules("ui") if name != "vggexplorer.ui.main"]
    pages = [str(package / "ui" / "main.py"), *map(str, sorted((package / "pages").glob("*.py")))]
    assert len(pages) > 4
    stages = ((*DASHBOARD, *SCIENCE, "PIL"), core()), ((), [*BEHIND_STREAMLIT, *parts, *pages])
    done = said(tmp_path, str(python), "-c", PROGRAM, json.dumps(stages))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "profile lenet --check",
        "forecast lenet",
        "train lenet",
        "train lenet --nproc 2",
        "train lenet --on auto",
        "race lenet alexnet",
        f"resume {RUN}",
        "sweep start lenet --seed 0,1",
    ],
)
def test_a_command_that_needs_pytorch_says_so(command: str, tmp_path: Path, arguments: str) -> None:
    done = said(tmp_path, command, *arguments.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{NEEDED}\n")


def test_a_cluster_needs_ray(command: str, tmp_path: Path) -> None:
    done = said(tmp_path, command, "cluster")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith('pip install "vggexplorer[cluster]" helps.\n')


class Light(Explore):
    """Any page as a person uses it."""

    def settle(self) -> "Light":
        self.page.get_by_role("heading", level=1).wait_for()
        app = "[data-testid=stApp][data-test-script-state=notRunning]:not(:has([data-stale=true]))"
        self.page.locator(app).wait_for()
        return self

    def tab(self, name: str) -> "Light":
        self.click(self.page.get_by_role("tab", name=name, exact=True))
        return self

    def needed(self, count: int, button: str = "") -> None:
        """The sentence stands there so often, after a click on a button."""
        if button:
            self.click(self.button(button))
        said = self.page.get_by_text(NEEDED, exact=True)
        self.until(lambda: said.count() == count, f"the sentence, {count} times")


def test_every_page_opens_and_says_what_needs_pytorch(command: str, server: StartServer, tab: OpenTab) -> None:
    page = Light(tab(), server(command, env={"PYTHONPATH": os.devnull}))
    page.open("/").needed(0)
    page.tab("Check").needed(1, "Check with PyTorch, torchinfo and fvcore")
    page.tab("Take away").needed(1, "Write the ONNX model")
    page.open("/compare").tab("FLOPs ≠ time").needed(1, "Measure here and now")
    page.open("/train").needed(1)
    page.needed(2, "Start")
    page.open("/runs").needed(0)
    page.open("/runs", run=RUN).needed(1, "Run again")
    page.open("/learn").needed(0)
    page.open("/learn", task="table1").needed(0)
    assert page.complaints == []
    page.server.stop()
