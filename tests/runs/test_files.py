"""Files on a system that moves, removes and opens nothing while another process has it: Windows, played here."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from vggexplorer.paths import RUN_ID
from vggexplorer.runs.folder import files


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Has a method of `Path` refused some times, as for a file that somebody reads."""
    monkeypatch.setattr(files, "WINDOWS", True)
    monkeypatch.setattr(files.time, "sleep", lambda _: None)

    def refuse(name: str, times: int) -> None:
        left, real = [times], getattr(Path, name)

        def once_free(path: Path, *arguments: object, **named: object) -> object:
            left[0] -= 1
            if left[0] >= 0:
                raise PermissionError(errno.EACCES, "in use")
            return real(path, *arguments, **named)

        monkeypatch.setattr(Path, name, once_free)

    return refuse


def test_a_file_is_replaced_once_nobody_reads_it(windows: Callable[[str, int], None], tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    files.write_json(path, {"stop": False})
    windows("replace", 3)
    files.write_json(path, {"stop": True})
    assert files.read_json(path) == {"stop": True}


def test_a_file_is_removed_once_nobody_reads_it(windows: Callable[[str, int], None], tmp_path: Path) -> None:
    (path := tmp_path / "outcome.json").write_bytes(b"{}")
    windows("unlink", 3)
    files.remove(path)
    assert not path.exists()
    files.remove(path)


def test_a_command_is_not_forgotten_while_its_file_is_replaced(
    windows: Callable[[str, int], None], tmp_path: Path
) -> None:
    (path := tmp_path / "control.json").write_bytes(b'{"until": 7}')
    windows("read_bytes", 3)
    assert files.read_json(path) == {"until": 7}


def test_what_stays_open_is_told_after_a_while(windows: Callable[[str, int], None], tmp_path: Path) -> None:
    (path := tmp_path / "line").write_bytes(b"")
    windows("unlink", 10_000)
    with pytest.raises(PermissionError):
        files.remove(path)


def test_elsewhere_nothing_is_tried_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried = []
    monkeypatch.setattr(files, "WINDOWS", False)
    monkeypatch.setattr(Path, "unlink", lambda path, **_: tried.append(path) or (_ for _ in ()).throw(PermissionError))
    with pytest.raises(PermissionError):
        files.remove(tmp_path)
    assert tried == [tmp_path]


@pytest.mark.parametrize("name", ["nul", "con", "com1", "lpt9.txt", "aux.1", "20261130.", "-1", "..", "A"])
def test_a_run_is_not_called_as_a_device_of_windows_or_as_another_run(name: str) -> None:
    assert not RUN_ID.fullmatch(name)


@pytest.mark.parametrize("name", ["0", "console", "nul-1", "com10", "20261122-133836-vgg-11-slim-ba3f", "a" * 100])
def test_other_names_are_names_of_runs(name: str) -> None:
    assert RUN_ID.fullmatch(name)
    assert not RUN_ID.fullmatch(name + "a" * 100)
