"""What of Streamlit is private and used all the same: each name is there in the version that is installed.

`pyproject.toml` allows no version whose minor number was not tried: to try another one, raise the bound, run all tests.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import streamlit
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.version import Version

SOURCES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "vggexplorer").rglob("*.py")]
SCRIPTS = [*SOURCES, *(ROOT / "vggexplorer" / "assets").glob("*.js")]
STATIC = Path(streamlit.__file__).parent / "static"
TESTID = re.compile(r"data-testid[\^*]?=\\?[\"']?(st\w+)")
OWN = {"stBaseButton"}
"""The beginning of names that its scripts put together."""
ATTRIBUTES = (
    ("streamlit.auth_util", "encode_provider_token", "server/login.py"),
    ("streamlit.web.server.starlette.starlette_websocket", "_get_signed_cookie_with_chunks", "server/login.py"),
)
"""Names that are not imported, but taken from a module: the module, the name, who needs it."""
OF_CONTEXT = {
    "session_id": "ui/session.py",
    "script_requests": "ui/session.py",
    "has_script_started": "ui/session.py",
    "is_history_navigation": "ui/state.py",
}
"""What is asked of Streamlit's context of a script, and by whom; of the last two an older Streamlit may lack."""


def lacks(what: str, who: str) -> str:
    found = f"Streamlit {streamlit.__version__} has no {what}"
    return f"{found}, which {who} needs: mend that, or the bound in pyproject.toml."


def imported() -> Iterator[tuple[str, str, str]]:
    """What is imported from within Streamlit: the module, the name, who needs it."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "streamlit":
                for each in node.names:
                    yield str(node.module), each.name, path.relative_to(ROOT).as_posix()


NAMES = sorted({*imported(), *ATTRIBUTES})


def test_the_list_is_not_empty() -> None:
    assert len(NAMES) > len(ATTRIBUTES) + 5


@pytest.mark.parametrize(("module", "name", "who"), NAMES)
def test_a_name_is_there(module: str, name: str, who: str) -> None:
    try:
        found = hasattr(import_module(module), name) or import_module(f"{module}.{name}") is not None
    except ModuleNotFoundError:
        found = False
    assert found, lacks(f"{module}.{name}", who)


@pytest.mark.parametrize("name", OF_CONTEXT)
def test_the_context_of_a_script_has_it(name: str) -> None:
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

    known = {each.name for each in fields(ScriptRunContext)} if is_dataclass(ScriptRunContext) else set()
    assert name in known or hasattr(ScriptRunContext, name), lacks(f"ScriptRunContext.{name}", OF_CONTEXT[name])


def test_its_page_can_be_told_where_the_server_is() -> None:
    """By what `server/files.py` puts into it."""
    page = (STATIC / "index.html").read_text("utf-8")
    assert page.count("<head>") == page.count("</body>") == 1
    assert "BACKEND_BASE_URL" in shipped(), lacks("BACKEND_BASE_URL in its scripts", "server/files.py")


@cache
def shipped() -> str:
    """All scripts that Streamlit sends."""
    return "\n".join(path.read_text("utf-8", "replace") for path in STATIC.rglob("*.js"))


def asked_for() -> dict[str, str]:
    """The parts of Streamlit's pages that styles and scripts of ours look for by name, and who does."""
    return {
        name: path.relative_to(ROOT).as_posix() for path in SCRIPTS for name in TESTID.findall(path.read_text("utf-8"))
    }


@pytest.mark.parametrize("name", sorted(set(asked_for()) - OWN))
def test_a_part_of_its_pages_has_that_name(name: str) -> None:
    assert re.search(rf"[\"'`]{name}[\"'`]", shipped()), lacks(f'data-testid="{name}"', asked_for()[name])


def test_only_the_minor_version_that_was_tried_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (need,) = (each for each in map(Requirement, project["dependencies"]) if each.name == "streamlit")
    here = Version(streamlit.__version__)
    assert need.specifier.contains(here)
    assert not need.specifier.contains(f"{here.major}.{here.minor + 1}")
