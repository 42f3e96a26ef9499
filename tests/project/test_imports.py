"""Who imports what: the core stands alone, and the dashboard's process never maps PyTorch."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "vggexplorer"
OUTSIDE = ("ui", "pytorch", "assets")
BEHIND_STREAMLIT = ("vggexplorer.server.gate", "vggexplorer.server.login")
"""What stands in the server process before Streamlit's pages and needs something of it."""
DASHBOARD = ("streamlit", "plotly", "pandas")
SCIENCE = ("ray", "torch", "torchvision", "torchinfo", "fvcore", "numpy")

TRITON = "triton"
"""Comes with PyTorch where it can be used; of ours, only `WITH_TRITON` needs it."""
WITH_TRITON = ("vggexplorer.pytorch.kernels", "vggexplorer.pytorch.fast")
NO_TORCH = tuple(name for name in SCIENCE if name != "numpy")

PROGRAM = """
import importlib, json, sys
from pathlib import Path
app = None

def show(path):
    global app
    if app is None:
        from streamlit.testing.v1 import AppTest
        from vggexplorer.server import keys
        keys.ungated = keys.HERE
        app = AppTest.from_file(path, default_timeout=60)
    else:
        app.switch_page(path)
    app.run()
    if app.exception:
        sys.exit(app.exception[0].message)

for forbidden, names in json.loads(sys.argv[1]):
    for name in names:
        show(name) if name.endswith(".py") else importlib.import_module(name)
        if found := set(forbidden) & set(sys.modules):
            sys.exit(f"{Path(name).name} loads {', '.join(sorted(found))}")
"""
"""Imports modules and shows pages one after the other; says which one loads what it must not."""


LOADED = """
import importlib, json, sys
loaded = {}
for name in json.loads(sys.argv[1]):
    for each in [each for each in sys.modules if each.partition(".")[0] == "vggexplorer"]:
        del sys.modules[each]
    importlib.import_module(name)
    loaded[name] = [each for each in sys.modules if each.startswith("vggexplorer.")]
print(json.dumps(loaded))
"""
"""Imports modules one by one, each as if it were the first of ours, and says what of ours each loads."""
IMPORT = re.compile(r'^ *(?:import|from) ([\w.]+)|\bimport_module\("([\w.]+)', re.MULTILINE)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(folder: str) -> list[str]:
    return sorted(module_name(path) for path in (PACKAGE / folder).rglob("*.py"))


def core() -> list[str]:
    paths = (path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in OUTSIDE)
    return sorted(set(map(module_name, paths)) - set(BEHIND_STREAMLIT))


Stage = tuple[Sequence[str], Sequence[str]]
"""What must not be loaded, and what is imported or shown without loading it."""


def complaint(*stages: Stage) -> str:
    """What a fresh interpreter complains about that goes through the stages; empty if it comes to their end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(stages)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    return done.stderr.strip()[-2000:] or f"status {done.returncode}" if done.returncode else ""


def test_the_lists_of_modules_are_not_empty() -> None:
    assert {"vggexplorer", "vggexplorer.cli", "vggexplorer.text"} <= set(core())
    assert "vggexplorer.ui" in modules("ui")
    assert "vggexplorer.pytorch" in modules("pytorch")


def test_the_check_itself_finds_a_culprit() -> None:
    assert complaint(((), ["string"]), (["json", "csv"], ["csv"])) == "csv loads csv, json"


def test_the_core_needs_the_standard_library_only_and_the_dashboard_loads_no_torch() -> None:
    parts = [name for name in modules("ui") if name != "vggexplorer.ui.main"]  # a script, which comes with the pages
    pages = [str(PACKAGE / "ui" / "main.py"), *sorted(map(str, (ROOT / "pages").glob("*.py")))]
    assert len(pages) > 4
    stages = ((*DASHBOARD, *SCIENCE), core()), (NO_TORCH, BEHIND_STREAMLIT), (NO_TORCH, parts), (NO_TORCH, pages)
    assert complaint(*stages) == ""


def test_what_costs_are_counted_with_loads_nothing_of_runs_lessons_or_pages() -> None:
    """The modules beside the rooms, but for the command line, which is a door to them."""
    doors = {"vggexplorer", "vggexplorer.cli", "vggexplorer.__main__"}
    flat = {module_name(path) for path in PACKAGE.glob("*.py")} - doors
    assert {"vggexplorer.text", "vggexplorer.summary", "vggexplorer.drawing", "vggexplorer.codegen"} <= flat
    program = [sys.executable, "-c", LOADED, json.dumps(sorted(flat))]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    for name, loaded in json.loads(done.stdout).items():
        assert set(loaded) <= flat, f"{name} loads {', '.join(sorted(set(loaded) - flat))}"


def test_every_module_has_its_room_in_the_picture_that_the_linter_holds() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = (contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers")
    rooms = {room for layer in layers for room in layer.split(" : ")}
    modules = {module_name(path) for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")}
    homeless = {name for name in modules if not any(f"{name}.".startswith(f"{room}.") for room in rooms)}
    assert homeless == set()
    pages = {path.parent.name for path in (PACKAGE / "ui").glob("*/__init__.py")} - {"network", "run"}
    (apart,) = (contract["modules"] for contract in settings["contracts"] if contract["type"] == "independence")
    assert set(apart) == {f"vggexplorer.ui.{page}" for page in pages}


@pytest.mark.torch
def test_what_pytorchs_room_imports_is_in_the_extra_train_and_nothing_of_it_is_ordinary() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ordinary, train = (
        {re.match(r"[\w-]+", line)[0].lower() for line in lines}
        for lines in (project["dependencies"], project["optional-dependencies"]["train"])
    )
    assert ordinary & train == set()
    owners = packages_distributions()
    text = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "pytorch").glob("*.py"))
    named = {"".join(found).partition(".")[0] for found in IMPORT.findall(text)} - set(sys.stdlib_module_names)
    needed = {owners[name][0].lower() for name in named - {"vggexplorer", TRITON}}
    assert {"torch", "torchvision", "torchinfo", "fvcore", "numpy", "pillow"} <= needed <= train | ordinary
    for extra in ("test", "cluster"):
        assert "vggexplorer[train]" in project["optional-dependencies"][extra]


@pytest.mark.torch
def test_pytorch_modules_load_nothing_of_the_dashboard() -> None:
    here = [name for name in modules("pytorch") if name not in WITH_TRITON or find_spec(TRITON)]
    assert complaint((DASHBOARD, here)) == ""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_init_files_are_empty(path: Path) -> None:
    assert path.read_text("utf-8") == ""


def test_no_module_hides_another_packages() -> None:
    """Streamlit puts the folder of app.py on `sys.path`: in an installed copy that is the package's own folder."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    others = {name for name, owners in packages_distributions().items() if owners != ["vggexplorer"]}
    assert names & (others | set(sys.stdlib_module_names)) - {"__init__", "__main__", "__pycache__"} == set()
