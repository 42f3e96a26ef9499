"""The layouts of `test_folders`: the page, the forecast, the run's reader and the run say the same of each."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from test_cli_forecast import runs  # noqa: F401 (a fixture)
from test_cli_train import TINY, last_line, real, really_train  # noqa: F401 (a fixture)
from test_folders import ALL_TESTED, BOTH, CLASSES, LAYOUTS, USABLE, Layout, for_testing, picture, write
from test_train_page import Train

from vggexplorer import cli
from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.pytorch import data, folder
from vggexplorer.runs import folders
from vggexplorer.runs.datasets import Dataset, check_present


def read(root: Path) -> data.Data:
    return data.load(Dataset("folder", str(root)), (1, 4, 4))


def as_json(layout: Layout) -> dict[str, Any]:
    classes = {name: {"train": train, "test": test} for name, (train, test) in layout.counts.items()}
    return {"classes": classes, "said": list(layout.said)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_run_reads_what_was_promised(tmp_path: Path, name: str) -> None:
    layout = LAYOUTS[name]
    root = write(tmp_path / "root", layout.content)
    if layout.refused:
        for refuses in (read, lambda _: check_present(Dataset("folder", str(root)))):
            with pytest.raises(InputError, match=layout.refused):
                refuses(root)
        return
    check_present(Dataset("folder", str(root)))
    found = read(root)
    assert dict(zip(found.classes, map(tuple, found.counts), strict=True)) == layout.counts
    assert tuple(map(str, found.said)) == layout.said
    assert (found.odd, found.num_odd) == ((), 0)
    pixels = [image.flatten().tolist() for image in (*found.train_images, *found.test_images)]
    assert len({tuple(each) for each in pixels}) == len(pixels), "no picture is there twice"


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_forecast_says_the_same(
    tmp_path: Path,
    runs: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    layout = LAYOUTS[name]
    root = write(tmp_path / "root", layout.content)
    asked = ["forecast", "vgg11-slim", "--recipe", "d2l-vgg", "--dataset", f"folder:{root}"]
    status = cli.main([*asked, "--json"])
    out, err = capsys.readouterr()
    if layout.refused:
        assert status == 2
        assert err.count("\n") == 1
        return
    assert json.loads(out)["data"] == as_json(layout)
    cli.main(asked)
    lines = capsys.readouterr().out.splitlines()
    for name, (train, test) in layout.counts.items():
        assert any(line.split()[-2:] == [str(train), str(test)] and shown(name)[:9] in line for line in lines)
    assert [line for line in lines if line in layout.said] == list(layout.said)


@pytest.fixture(scope="module")
def page() -> Iterator[Train]:
    """The page of a session, for one layout after another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vggexplorer.runs.devices.known", lambda _: [])
        yield Train().set("dataset", "folder")


@pytest.mark.sample(8)
@pytest.mark.parametrize("name", LAYOUTS)
def test_the_page_says_the_same(tmp_path: Path, page: Train, name: str) -> None:
    layout = LAYOUTS[name]
    page.set("data folder", str(write(tmp_path / "root", layout.content)))
    if layout.refused:
        assert len(page.errors) == 1
        return
    assert page.errors == []
    captions = page.captions
    for name, (train, test) in layout.counts.items():
        assert f"{shown(name)} ({train} + {test})" in captions
    for remark in layout.said:
        assert remark in captions


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", USABLE)
def test_the_run_says_the_same(real: Path, tmp_path: Path, name: str) -> None:  # noqa: F811
    layout = USABLE[name]
    root = write(tmp_path / "root", layout.content)
    classes = str(len(layout.counts))
    done = really_train(real, *TINY, "--classes", classes, "--dataset", f"folder:{root}", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(last_line(done.stdout))
    assert outcome["data"] == as_json(layout)
    _, _, after = done.stderr.partition(f"run {outcome['run']}\n")
    assert tuple(after.splitlines()[: len(layout.said)]) == layout.said


# --- a folder that changes ----------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "root", CLASSES)


def while_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Have a folder changed after its first picture was read."""
    levels, calls = folder.levels, iter([change])

    def changed(*arguments: Any) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        result = levels(*arguments)
        next(calls, lambda: None)()
        return result

    monkeypatch.setattr(folder, "levels", changed)


def changed(root: Path, came: int, gone: int) -> str:
    files = "file" if came == 1 else "files"
    return f"The folder was changed while its pictures were read: {came} {files} came and are not used, {gone} went."


def test_a_file_that_goes_is_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    while_read(monkeypatch, (root / "dog" / "03.pgm").unlink)
    found = read(root)
    assert found.odd == ("“dog/03.pgm”: cannot be read: No such file or directory",)
    assert tuple(map(str, found.said)) == (ALL_TESTED, changed(root, 0, 1))
    assert found.counts == [[6, 2], [6, 1]]


def test_a_file_that_comes_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    while_read(monkeypatch, lambda: write(root, {"cat/more": 1}))
    found = read(root)
    assert tuple(map(str, found.said)) == (ALL_TESTED, changed(root, 1, 0))
    assert (found.odd, found.counts) == ((), [[6, 2], [6, 2]])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_file_that_becomes_a_folder_or_a_pipe_is_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change() -> None:
        for make, name in ((os.mkdir, "03.pgm"), (os.mkfifo, "04.pgm")):
            (root / "dog" / name).unlink()
            make(root / "dog" / name)

    while_read(monkeypatch, change)
    found = read(root)
    assert found.odd == ("“dog/03.pgm”: not a file", "“dog/04.pgm”: not a file")
    assert tuple(map(str, found.said)) == (ALL_TESTED, changed(root, 0, 2))


def test_a_class_that_goes_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    while_read(monkeypatch, lambda: (root / "cat").rename(root.parent / "elsewhere"))
    with pytest.raises(InputError, match="The class “cat” has 1 picture that can be used"):
        read(root)


def test_a_folder_that_fits_no_more_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    while_read(monkeypatch, (root / "fish").mkdir)
    found = read(root)
    first, second = map(str, found.said)
    assert first == ALL_TESTED
    assert second.startswith("The folder was changed while its pictures were read: The class “fish” in ")
    assert found.counts == [[6, 2], [6, 2]]


def test_a_folder_that_changes_all_the_time_gives_pictures_or_a_sentence(root: Path, dice: Random) -> None:
    """Files and folders come, go and take each other's place; nothing but a sentence is raised, nothing unsaid."""
    over = Event()

    def change() -> None:
        while not over.is_set():
            path = (
                root / dice.choice(("cat", "dog", "fish", "train", "test", "cat/old")) / f"{dice.randrange(9):02}.pgm"
            )
            with suppress(OSError):
                dice.choice(
                    (
                        path.unlink,
                        path.rmdir,
                        path.mkdir,
                        lambda path=path: path.write_bytes(picture(dice.randrange(999))),
                        lambda path=path: path.parent.mkdir(parents=True),
                        lambda path=path: path.parent.rename(path.parent.with_name("away")),
                        lambda path=path: path.parent.with_name("away").rename(path.parent),
                    )
                )()

    changer = Thread(target=change)
    changer.start()
    try:
        for _ in range(60):
            with suppress(InputError):
                found = read(root)
                assert found.num_odd >= len(found.odd)
                assert len(found.train_images) + len(found.test_images) == sum(map(sum, found.counts))
    finally:
        over.set()
        changer.join()


def test_a_folder_that_changes_after_the_survey_is_read_as_it_is(root: Path) -> None:
    assert folders.find(root).counts == BOTH
    write(root, {"train/cat": 5, "train/dog": 5, "test/cat": 2, "test/dog": 2})
    found = read(root)
    assert str(found.said[0]) == for_testing("test")
    assert found.counts == [[5, 2], [5, 2]]
    assert [str(each) for each in found.said[1:]] == ["“cat” is not used.", "“dog” is not used."]
