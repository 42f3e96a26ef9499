"""`vggexplorer export` and `import` in a terminal."""

from pathlib import Path

import pytest

from vggexplorer import cli
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs

RUN = "20261122-140638-alexnet-36bd"
"""One that ships."""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs where nothing ships with the package."""
    monkeypatch.setattr(layout, "RECORDED", tmp_path / "none")
    return tmp_path / "empty"


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    file = tmp_path / "run.zip"
    assert cli.main(["export", RUN, str(file)]) == 0
    assert f"{file} has the run, " in capsys.readouterr().out
    empty = request.getfixturevalue("empty")
    for word in ("now", "already"):
        assert cli.main(["import", str(file), "--runs", str(empty)]) == 0
        assert capsys.readouterr().out == f"The run is there {word}: {RUN}\n"
    assert [run.id for run in Runs(empty).all()] == [RUN]


def test_without_a_name_the_file_is_called_after_the_run_and_none_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", RUN]) == 0
    before = (tmp_path / f"{RUN}.zip").read_bytes()
    assert cli.main(["export", RUN]) == 2
    assert "already; name another file." in capsys.readouterr().err
    assert (tmp_path / f"{RUN}.zip").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "nobody"), "There is no run “nobody” in "),
        (("export", RUN, "no/such/folder.zip"), "could not be written: No such file or directory."),
        (("import", "nothing.zip"), "could not be read: No such file or directory."),
        (("import", __file__), "This is no archive of a run: it is no zip file, or its end is missing."),
    ],
)
def test_a_sentence(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "--runs", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
