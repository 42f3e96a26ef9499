"""What is installed: the wheel is built, installed beside nothing but its dependencies, and used from elsewhere."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, StartServer, status_of

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "*.egg-info", "build", "dist")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "checkout", ignore=LEFT_OUT)
    pip("wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(folder), cwd=folder / "checkout")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `vggexplorer` of a new virtual environment that borrows its dependencies from this one.

    A `.pth` file names this environment's site-packages; the `.pth` files in there, such as that
    of an editable installation, are not followed.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder)
    commands = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pip("--python", str(next(commands.glob("python*"))), "install", "--no-deps", "--no-index", str(wheel), cwd=folder)
    (packages,) = {found.parent for found in folder.rglob("site-packages/vggexplorer")}
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)), "utf-8")
    (command,) = commands.glob("vggexplorer*")
    return command


def pip(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_everything_inside_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"vggexplorer"}
    beside = [ROOT / "app.py", ROOT / ".streamlit" / "config.toml", *(ROOT / "pages").glob("*.py")]
    inside = [path for path in (ROOT / "vggexplorer").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {f"vggexplorer/{path.relative_to(ROOT).as_posix()}" for path in beside}
    expected |= {path.relative_to(ROOT).as_posix() for path in inside}
    assert "vggexplorer/py.typed" in expected
    assert expected <= names


def test_the_installed_command_profiles(installed: Path, tmp_path: Path) -> None:
    output = subprocess.check_output([str(installed), "profile", "vgg11", "--json"], cwd=tmp_path)
    assert json.loads(output)["totals"]["params"] == 128_806_154


def test_the_installed_package_is_the_one_in_use(installed: Path, tmp_path: Path) -> None:
    python = next(installed.parent.glob("python*"))
    program = "from vggexplorer.paths import root; print(root())"
    output = subprocess.check_output([str(python), "-c", program], cwd=tmp_path, text=True)
    assert Path(output.strip()).is_relative_to(installed.parent.parent.resolve())


def test_the_installed_dashboard_answers(installed: Path, server: StartServer) -> None:
    started = server(str(installed), env={"PYTHONPATH": os.devnull})
    assert status_of(f"{started.url}/_stcore/health") == 200
    assert status_of(f"{started.url}/") == 200
    started.stop()
