"""Who imports what: the core stands alone, and the dashboard's process never maps PyTorch."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "vggexplorer"
OUTSIDE = ("ui", "pytorch", "assets")
DASHBOARD = ("streamlit", "plotly", "pandas")
SCIENCE = ("ray", "torch", "torchvision", "torchinfo", "fvcore", "numpy")

PROGRAM = """
import importlib, sys
forbidden = set(sys.argv[1].split(","))
for name in sys.argv[2:]:
    importlib.import_module(name)
    if found := forbidden & set(sys.modules):
        sys.exit(f"{name} loads {', '.join(sorted(found))}")
"""
PAGES = """
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from vggexplorer import keys
keys.ungated = keys.HERE
app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
for page in sys.argv[2:]:
    app.switch_page(page).run()
    if found := {"ray", "torch", "torchvision", "torchinfo", "fvcore"} & set(sys.modules):
        sys.exit(f"{Path(page).name} loads {', '.join(sorted(found))}")
if app.exception:
    sys.exit(app.exception[0].message)
"""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(folder: str) -> list[str]:
    return sorted(module_name(path) for path in (PACKAGE / folder).rglob("*.py"))


def core() -> list[str]:
    paths = (path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in OUTSIDE)
    return sorted(map(module_name, paths))


def complaint(program: str, *arguments: str) -> str:
    """What `program` complains about in a fresh interpreter; empty if it runs to its end."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    return done.stderr.strip()[-2000:] or f"status {done.returncode}" if done.returncode else ""


def test_the_lists_of_modules_are_not_empty() -> None:
    assert {"vggexplorer", "vggexplorer.cli", "vggexplorer.text"} <= set(core())
    assert "vggexplorer.ui" in modules("ui")
    assert "vggexplorer.pytorch" in modules("pytorch")


def test_the_check_itself_finds_a_culprit() -> None:
    assert complaint(PROGRAM, "json,csv", "string", "json") == "json loads json"


def test_core_modules_need_the_standard_library_only() -> None:
    forbidden = ",".join((*DASHBOARD, *SCIENCE))
    with ThreadPoolExecutor(4) as pool:
        complaints = pool.map(lambda name: complaint(PROGRAM, forbidden, name), core())
    assert list(filter(None, complaints)) == []


def test_pytorch_modules_load_nothing_of_the_dashboard() -> None:
    assert complaint(PROGRAM, ",".join(DASHBOARD), *modules("pytorch")) == ""


def test_ui_modules_do_not_load_torch() -> None:
    names = [name for name in modules("ui") if name != "vggexplorer.ui.main"]  # a script; see the next test
    assert complaint(PROGRAM, ",".join(SCIENCE[:-1]), *names) == ""


def test_running_the_pages_does_not_load_torch() -> None:
    pages = sorted(map(str, (ROOT / "pages").glob("*.py")))
    assert pages
    assert complaint(PAGES, str(PACKAGE / "ui" / "main.py"), *pages) == ""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_init_files_are_empty(path: Path) -> None:
    assert path.read_text("utf-8") == ""


def test_no_module_hides_another_packages() -> None:
    """Streamlit puts the folder of app.py on `sys.path`: in an installed copy that is the package's own folder."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    others = {name for name, owners in packages_distributions().items() if owners != ["vggexplorer"]}
    assert names & (others | set(sys.stdlib_module_names)) - {"__init__", "__main__", "__pycache__"} == set()
