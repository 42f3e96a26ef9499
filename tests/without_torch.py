"""Where PyTorch is not installed: tests that need it are skipped, each with the module that it lacks.

A test needs a module if it imports it, or if what it asks of the package ends with the sentence of `need_torch`. Tests
of a page or of a command, which show that sentence in place of raising it, say that they need PyTorch by the marker
`torch`; those in a browser all do.
"""

import re
from collections.abc import Generator, Sequence
from importlib.util import find_spec

import pytest
from samples import DOORS

from vggexplorer.errors import InputError

MODULES = (
    "torch",
    "torchvision",
    "torchinfo",
    "fvcore",
    "numpy",
    "PIL",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "safetensors",
)
"""Of the extras `train` and `test`: what a light installation lacks, or has by chance."""
LACKING = [name for name in MODULES if find_spec(name) is None]
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
_SENTENCE = re.compile(r"This needs (\w+), which is not installed here")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "torch: needs PyTorch, and shows a sentence without.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked, and what is done in a browser: there `tests/doors` opens every page without PyTorch."""
    in_browser = "browser" in getattr(item, "fixturenames", ()) and DOORS not in item.path.parents
    if "torch" in LACKING and (in_browser or item.get_closest_marker("torch")):
        pytest.skip("torch is not installed")


def lacking(error: BaseException) -> str:
    """The module without which a test ended with `error`; empty if it ended with something else."""
    if isinstance(error, ModuleNotFoundError):
        return among(LACKING, (error.name or "").partition(".")[0])
    found = _SENTENCE.match(str(error)) if isinstance(error, InputError) else None
    return found[1] if found and LACKING else ""


def lacking_at_import(report: str) -> str:
    """The module without which a file of tests could not be imported; empty if it is another error."""
    found = _NO_MODULE.search(report)
    return among(LACKING, found[1]) if found else ""


def among(names: Sequence[str], name: str) -> str:
    return name if name in names else ""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file that cannot be imported without such a module is skipped."""
    report = yield
    if report.failed and (name := lacking_at_import(str(report.longrepr))):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 1, f"Skipped: {name} is not installed")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """So is a test that needs one while it runs."""
    report = yield
    if report.failed and call.excinfo and (name := lacking(call.excinfo.value)):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), (item.location[1] or 0) + 1, f"Skipped: {name} is not installed")
    return report
