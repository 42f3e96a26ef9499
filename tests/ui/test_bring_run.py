"""Runs: a run is brought as a file, by whom it is allowed."""

import io
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT
from test_runs_page import Page, folder, make  # noqa: F401 (a fixture)

from vggexplorer.errors import InputError
from vggexplorer.runs.folder import archive
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import keys
from vggexplorer.server.keys import Person
from vggexplorer.ui import access
from vggexplorer.ui.runs.bring import MOST_MIB

STUDENT, TEACHER = Person("ben", False), Person("tea", True)


@pytest.fixture
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The archive of a run that is elsewhere."""
    path = tmp_path_factory.mktemp("elsewhere")
    archive.pack(make(path, "from **afar**"), path / "run.zip")
    return (path / "run.zip").read_bytes()


def brought(page: Page, content: bytes) -> Page:
    page.test.file_uploader[0].set_value(("run.zip", content, "application/zip"))
    return page.run()


def test_the_server_takes_as_large_a_file_as_the_page_says() -> None:
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    assert server["maxUploadSize"] == MOST_MIB


def test_a_run_is_brought_and_is_in_the_list(folder: Path, packed: bytes) -> None:  # noqa: F811
    page = brought(Page(), packed)
    (run,) = Runs(folder).all()
    assert (run.name(), run.brought()) == ("from **afar**", True)
    assert "is here now." in page.text
    assert "is here already." in brought(page, packed).text
    page.click("open brought")
    assert page.test.session_state["state"].runs == (run.id,)


def test_an_odd_file_gets_its_sentence(folder: Path, packed: bytes) -> None:  # noqa: F811
    page = brought(Page(), packed[:-30])
    assert "it is no zip file, or its end is missing" in page.text
    assert not Runs(folder).all()
    assert "is here now." in brought(page, packed).text


def test_only_the_teacher_brings_runs(
    folder: Path,  # noqa: F811
    packed: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "ungated", TEACHER)
    page = Page()
    monkeypatch.setattr(keys, "ungated", STUDENT)
    assert not Page().test.file_uploader
    brought(page, packed)
    with pytest.raises(InputError, match="Only the teacher can bring a run"):
        access.bring_run(Runs(folder), io.BytesIO(packed))
    assert not Runs(folder).all()
    monkeypatch.setattr(keys, "ungated", TEACHER)
    assert access.bring_run(Runs(folder), io.BytesIO(packed)).run.owner() == "tea"
