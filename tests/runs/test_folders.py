"""Folders of pictures in every layout that people have: the classes, the parts, the files, and what is said."""

import os
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from vggexplorer.errors import InputError
from vggexplorer.runs import folders
from vggexplorer.runs.folders import DEPTH, MAX_ODD, find, lately

Counts = Mapping[str, tuple[int, int]]
NO_COUNTS: Counts = MappingProxyType({})
ALL_TESTED = "The first of every 7 pictures of a class is for testing."
BOTH: Counts = {"cat": (6, 2), "dog": (6, 2)}
APART: Counts = {"cat": (5, 2), "dog": (5, 2)}
TRAIN: Mapping[str, int | None] = {"train/cat": 5, "train/dog": 5}


class Layout(NamedTuple):
    """A layout: so many pictures in each folder, or a file (None); the counts and all that is said, or a refusal."""

    content: Mapping[str, int | None]
    counts: Counts = NO_COUNTS
    said: tuple[str, ...] = ()
    refused: str = ""


def within(folder: str, content: Mapping[str, int | None]) -> dict[str, int | None]:
    """The same in a folder."""
    return {f"{folder}/{path}": count for path, count in content.items()}


def for_testing(part: str) -> str:
    return f"The pictures in “{part}” are for testing."


def unused(*parts: str) -> tuple[str, ...]:
    return tuple(f"“{part}” is not used." for part in parts)


def looked_in(folder: str) -> str:
    return f"The pictures are looked for in “{folder}”."


def nobody_knows(part: str) -> str:
    return (
        f"“{part}” is not used: it has no folders with files that are called as the classes, so that nobody knows what "
        "its pictures show."
    )


CLASSES: Mapping[str, int | None] = {"cat": 8, "dog": 8}
MAC = {"__MACOSX/cat/._00.pgm": None, ".DS_Store": None, "cat/.DS_Store": None, "dog/._00.pgm": None}
WINDOWS = {"Thumbs.db": None, "cat/Thumbs.db": None, "dog/desktop.ini": None, "cat/THUMBS.DB": None}
LAYOUTS = {
    "a folder for each class": Layout(CLASSES, BOTH, (ALL_TESTED,)),
    "train and test": Layout({**TRAIN, "test/cat": 2, "test/dog": 2}, APART, (for_testing("test"),)),
    "train and val": Layout({**TRAIN, "val/cat": 2, "val/dog": 2}, APART, (for_testing("val"),)),
    "train and valid": Layout({**TRAIN, "valid/cat": 2, "valid/dog": 2}, APART, (for_testing("valid"),)),
    "train and validation": Layout(
        {**TRAIN, "validation/cat": 2, "validation/dog": 2}, APART, (for_testing("validation"),)
    ),
    "train and eval": Layout({**TRAIN, "eval/cat": 2, "eval/dog": 2}, APART, (for_testing("eval"),)),
    "Training and Testing": Layout(
        {"Training/cat": 5, "Training/dog": 5, "Testing/cat": 2, "Testing/dog": 2}, APART, (for_testing("Testing"),)
    ),
    "TRAIN and Validation": Layout(
        {"TRAIN/cat": 5, "TRAIN/dog": 5, "Validation/cat": 2, "Validation/dog": 2}, APART, (for_testing("Validation"),)
    ),
    "three parts": Layout(
        {**TRAIN, "val/cat": 3, "val/dog": 3, "test/cat": 2, "test/dog": 2},
        APART,
        (for_testing("test"), *unused("val")),
    ),
    "a test without labels beside val": Layout(
        {**TRAIN, "val/cat": 2, "val/dog": 2, "test": 4}, APART, (nobody_knows("test"), for_testing("val"))
    ),
    "a test without labels": Layout(
        {"train/cat": 8, "train/dog": 8, "test": 4}, BOTH, (nobody_knows("test"), ALL_TESTED)
    ),
    "a test without labels in a folder, as Keras has it": Layout(
        {"train/cat": 8, "train/dog": 8, "test/unknown": 4}, BOTH, (nobody_knows("test"), ALL_TESTED)
    ),
    "an empty test": Layout(
        {"train/cat": 8, "train/dog": 8, "test/cat": 0, "test/dog": 0}, BOTH, (nobody_knows("test"), ALL_TESTED)
    ),
    "train alone": Layout(within("train", CLASSES), BOTH, (looked_in("train"), ALL_TESTED)),
    "a train among other vehicles": Layout(
        {"car": 8, "train": 8, "ship": 8}, {"car": (6, 2), "ship": (6, 2), "train": (6, 2)}, (ALL_TESTED,)
    ),
    "one folder around": Layout(within("pets", CLASSES), BOTH, (looked_in("pets"), ALL_TESTED)),
    "two folders around": Layout(within("pets/pets", CLASSES), BOTH, (looked_in("pets/pets"), ALL_TESTED)),
    "one folder around parts": Layout(
        within("pets", {**TRAIN, "test/cat": 2, "test/dog": 2}), APART, (looked_in("pets"), for_testing("pets/test"))
    ),
    "a zip of a Mac": Layout({**CLASSES, **MAC}, BOTH, (ALL_TESTED,)),
    "a zip of a Mac with a folder around": Layout(
        {**within("pets", CLASSES), **within("pets", MAC), "__MACOSX/pets/cat/._00.pgm": None},
        BOTH,
        (looked_in("pets"), ALL_TESTED),
    ),
    "a folder of Windows": Layout({**CLASSES, **WINDOWS}, BOTH, (ALL_TESTED,)),
    "folders within classes": Layout(
        {"cat/black": 3, "cat/white/old": 4, "cat": 1, "dog/black": 8},
        BOTH,
        (ALL_TESTED, "15 files lie in folders within those of the classes and are used, too."),
    ),
    "files beside the classes": Layout(
        {**CLASSES, "README.md": None, "labels.csv": None},
        BOTH,
        (ALL_TESTED, "2 files beside the folders are not used: “README.md”, “labels.csv”."),
    ),
    "a file beside the parts": Layout(
        {**TRAIN, "test/cat": 2, "test/dog": 2, "data.yaml": None},
        APART,
        (for_testing("test"), "1 file beside the folders is not used: “data.yaml”."),
    ),
    "a class that is not tested": Layout(
        {**TRAIN, "test/cat": 2},
        {"cat": (5, 2), "dog": (5, 0)},
        (
            for_testing("test"),
            "1 class has no pictures in “test”, so that nobody will know how well it is recognised: “dog”.",
        ),
    ),
    "a class that is not trained": Layout(
        {**TRAIN, "test/cat": 2, "test/dog": 2, "test/bird": 2, "test/fish": 2},
        APART,
        (
            for_testing("test"),
            "2 folders in “test” are not used, since there is no such class to train: “bird”, “fish”.",
        ),
    ),
    "another case in the test": Layout(
        {"train/Cat": 5, "train/DOG": 5, "test/cat": 2, "test/Dog": 2},
        {"Cat": (5, 2), "DOG": (5, 2)},
        (for_testing("test"),),
    ),
    "accents written in two ways": Layout(
        {"train/caf\u00e9": 5, "train/tea": 5, "test/cafe\u0301": 2, "test/tea": 2},
        {"caf\u00e9": (5, 2), "tea": (5, 2)},
        (for_testing("test"),),
    ),
    "ultralytics, parts around classes": Layout(
        within("images", {**TRAIN, "val/cat": 2, "val/dog": 2}), APART, (looked_in("images"), for_testing("images/val"))
    ),
    "ultralytics, with labels beside": Layout(
        {
            **within("images", {**TRAIN, "val/cat": 2, "val/dog": 2}),
            **{f"labels/{part}/{number}.txt": None for part in ("train", "val") for number in range(3)},
        },
        APART,
        (*unused("labels"), looked_in("images"), for_testing("images/val")),
    ),
    "parts within the classes": Layout(
        {"cat/train": 5, "cat/test": 2, "dog/train": 5, "dog/test": 2, "dog/val": 1},
        APART,
        (*unused("dog/val"), "In the folder of each class the pictures in “test” are for testing."),
    ),
    "Kaggle, each part doubled": Layout(
        {
            **within("seg_train/seg_train", {"cat": 5, "dog": 5}),
            **within("seg_test/seg_test", {"cat": 2, "dog": 2}),
            "seg_pred/seg_pred": 3,
        },
        APART,
        (for_testing("seg_test"), *unused("seg_pred")),
    ),
    "Kaggle, training_set and test_set": Layout(
        {
            **within("training_set/training_set", {"cat": 5, "dog": 5}),
            **within("test_set/test_set", {"cat": 2, "dog": 2}),
        },
        APART,
        (for_testing("test_set"),),
    ),
    "train2017 and val2017": Layout(
        {"train2017/cat": 5, "train2017/dog": 5, "val2017/cat": 2, "val2017/dog": 2}, APART, (for_testing("val2017"),)
    ),
    "a copy beside the parts": Layout(
        {**TRAIN, "test/cat": 2, "test/dog": 2, "pets/train/cat": 5, "pets/test/cat": 2},
        APART,
        (for_testing("test"), *unused("pets")),
    ),
    "Chinese": Layout({"猫": 8, "狗": 8}, {"狗": (6, 2), "猫": (6, 2)}, (ALL_TESTED,)),
    "very long names": Layout({"c" * 255: 8, "d" * 255: 8}, {"c" * 255: (6, 2), "d" * 255: (6, 2)}, (ALL_TESTED,)),
    "names with spaces and signs": Layout(
        {"a <b>_c_": 8, "x, y; “z”": 8}, {"a <b>_c_": (6, 2), "x, y; “z”": (6, 2)}, (ALL_TESTED,)
    ),
    "the class in the name": Layout(
        {f"{name}.{number}.jpg": None for name in ("cat", "dog") for number in range(9)},
        refused="holds 18 files and no folders of classes. Their names begin with “cat”, “dog”: make a folder",
    ),
    "the class in the name, in train": Layout(
        {**{f"train/{name} ({number}).jpg": None for name in ("cat", "dog") for number in range(9)}, "test": 3},
        refused="train” holds 18 files and no folders of classes. Their names begin with “cat”, “dog”: make a folder",
    ),
    "pictures in one folder": Layout(
        {f"IMG_{number}.jpg": None for number in range(9)},
        refused="holds 9 files and no folders of classes. Make a folder for each class",
    ),
    "boxes of objects": Layout(
        {"images": 9, **{f"labels/{number:02}.txt": None for number in range(9)}},
        refused="images” holds 9 files and no folders of classes. Make a folder for each class",
    ),
    "one class": Layout({"cat": 8}, refused="at least 2 folders, one for the pictures of each class; there is 1"),
    "nothing": Layout({}, refused="at least 2 folders, one for the pictures of each class; there are 0"),
    "an empty class": Layout({**CLASSES, "fish": 0}, refused="The class “fish” in “.*” has no files"),
    "a class with one picture": Layout(
        {**CLASSES, "fish": 1}, refused="The class “fish” has 1 file; at least 2 pictures are needed"
    ),
    "an empty class in train": Layout(
        {**TRAIN, "train/fish": 0, "test/cat": 2}, refused="The class “fish” in “.*train” has no files"
    ),
    "two folders to train on": Layout(
        {**TRAIN, "training/cat": 5, "training/dog": 5, "test/cat": 2},
        refused="holds “train”, “training”: it is not clear which of them is to train on",
    ),
    "test and val without train": Layout(
        {"test/cat": 2, "test/dog": 2, "val/cat": 2}, refused="holds “test”, “val”, but no folder train"
    ),
    "several data sets": Layout(
        {**within("a", {**TRAIN, "test/cat": 2}), **within("b", {**TRAIN, "test/cat": 2})},
        refused="holds several data sets: “a”, “b”. Name the folder of one",
    ),
    "some classes in parts": Layout(
        {"cat/train": 5, "cat/test": 2, "dog": 8},
        refused="“cat” has folders for training and for testing, and “dog” has",
    ),
}
"""The layouts, by what a person would call each."""
if sys.platform == "linux":  # elsewhere Cat and cat are one folder, and names are text
    LAYOUTS["classes that differ in case"] = Layout(
        {"Cat": 8, "cat": 8, "dog": 8},
        {"Cat": (6, 2), "cat": (6, 2), "dog": (6, 2)},
        (ALL_TESTED, "These classes differ only in how they are written: “Cat”, “cat”."),
    )
    LAYOUTS["names that are no text"] = Layout(
        {os.fsdecode(b"\xff"): 8, os.fsdecode(b"\xfe"): 8}, {"\\xfe": (6, 2), "\\xff": (6, 2)}, (ALL_TESTED,)
    )
USABLE = {name: layout for name, layout in LAYOUTS.items() if not layout.refused}


def picture(number: int) -> bytes:
    """A grey picture of 4 x 4 pixels, each of another level for another number."""
    return b"P5 4 4 255\n" + number.to_bytes(2, "big") * 8


def write(root: Path, content: Mapping[str, int | None]) -> Path:
    """A folder with what a layout says."""
    root.mkdir(exist_ok=True)
    total = 0
    for path, count in content.items():
        folder = root / path if count is not None else (root / path).parent
        folder.mkdir(parents=True, exist_ok=True)
        if count is None:
            (root / path).write_bytes(b"no picture")
        for number in range(count or 0):
            total += 1
            (folder / f"{number:02}.pgm").write_bytes(picture(total))
    return root


def test_there_are_enough_layouts() -> None:
    assert len(LAYOUTS) >= 25


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout(tmp_path: Path, name: str) -> None:
    layout = LAYOUTS[name]
    root = write(tmp_path / "root", layout.content)
    if layout.refused:
        with pytest.raises(InputError, match=layout.refused):
            find(root)
        return
    found = find(root)
    assert found.counts == layout.counts
    assert tuple(map(str, found.said)) == layout.said
    assert found.odd.count == 0


def test_what_is_no_file_is_listed_and_no_link_leads_round_for_ever(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {**CLASSES, "cat/more": 1})
    (root / "cat" / "gone.pgm").symlink_to(root / "nowhere")
    (root / "cat" / "more" / "round").symlink_to(root / "cat")
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "linked").symlink_to(root / "dog")
    found = find(root)
    assert found.counts == {"cat": (7, 2), "dog": (6, 2), "elsewhere": (6, 2)}
    assert found.odd.listed == [
        *("“cat/gone.pgm”: not a file", "“cat/self”: not a file"),
        "“cat/more/round”: a link to a folder that it is in",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    root = write(tmp_path / "root", CLASSES)
    os.mkfifo(root / "cat" / "pipe")
    assert find(root).odd.listed == ["“cat/pipe”: not a file"]


def test_what_is_too_deep_is_listed(tmp_path: Path) -> None:
    deep = "/".join(["more"] * DEPTH)
    root = write(tmp_path / "root", {**CLASSES, f"cat/{deep}": 1, f"dog/{deep}/more": 1})
    found = find(root)
    assert found.counts == {"cat": (7, 2), "dog": (6, 2)}
    assert found.odd.listed == [f"“dog/{deep}/more”: too deep"]


def test_many_odd_files_are_counted_and_some_listed(tmp_path: Path) -> None:
    root = write(tmp_path / "root", CLASSES)
    for number in range(MAX_ODD + 5):
        (root / "cat" / f"{number}").symlink_to(root / "nowhere")
    found = find(root)
    assert (len(found.odd.listed), found.odd.count) == (MAX_ODD, MAX_ODD + 5)


@pytest.mark.parametrize("limit", ["MOST", "MOST_FOLDERS"])
def test_a_whole_disk_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    root = write(tmp_path / "root", {**CLASSES, "cat/a": 1, "cat/b": 1, "cat/c": 1})
    assert find(root).counts["cat"] == (9, 2)
    monkeypatch.setattr(folders, limit, 3)
    with pytest.raises(InputError, match=r"holds more than [0-9,]+ files or [0-9,]+ folders"):
        find(root)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this person may read everything")
def test_a_folder_that_may_not_be_read_is_listed(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {**CLASSES, "cat/locked": 1})
    (root / "cat" / "locked").chmod(0)
    assert find(root).odd.listed == ["“cat/locked”: cannot be read: Permission denied"]
    (root / "dog").chmod(0)
    with pytest.raises(InputError, match="dog” cannot be read: Permission denied"):
        find(root)


def test_a_folder_that_goes_while_it_is_looked_at_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder within a class is listed with the files that could not be used, the class itself is missed."""
    root = write(tmp_path / "root", {**CLASSES, "cat/more": 1})
    scan = os.scandir

    def gone(name: str) -> None:
        def scandir(path: Path) -> "os.ScandirIterator[str]":
            return scan(root / "gone" if Path(path).name == name else path)

        monkeypatch.setattr(os, "scandir", scandir)

    gone("more")
    found = find(root)
    assert found.counts == BOTH
    assert found.odd.listed == ["“cat/more”: cannot be read: No such file or directory"]
    gone("dog")
    with pytest.raises(InputError, match="dog” cannot be read: No such file"):
        find(root)


@pytest.mark.parametrize("path", ["gone", "a\0b", "x" * 5000, "x/" * 3000])
def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        find(tmp_path / path)


def test_what_was_found_can_be_told_to_other_programs(tmp_path: Path) -> None:
    layout = LAYOUTS["a class that is not tested"]
    assert find(write(tmp_path / "root", layout.content)).to_json() == {
        "classes": {"cat": {"train": 5, "test": 2}, "dog": {"train": 5, "test": 0}},
        "said": list(layout.said),
    }


@pytest.mark.parametrize(
    ("copied", "chosen"),
    [
        ("", []),
        (".", [0]),
        ("...............", [0, 7, 14]),
        ("c..c...........", [1, 7, 14]),
        ("..............c", [0, 1, 7]),
        ("ccccccccccccccc", []),
        ("cccccccc.cccccc", [8]),
    ],
)
def test_of_a_class_the_first_of_every_seven_is_for_testing_that_has_no_copy(copied: str, chosen: list[int]) -> None:
    assert sorted(folders.for_testing([each == "c" for each in copied])) == chosen


def test_a_system_of_folders_is_given_up_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders with files of which hardly one is a picture; folders that hold folders do not count."""
    monkeypatch.setattr(folders, "FEW_PICTURES", 4)
    for kind, name in product(("cat", "dog"), ("a", "b", "c")):
        (inner := tmp_path / kind / name / "images").mkdir(parents=True)
        (inner / "1.JPG").touch()
    assert find(tmp_path).counts == {"cat": (2, 1), "dog": (2, 1)}
    for name in "abc":
        (tmp_path / "cat" / name / "images" / "1.JPG").rename(tmp_path / "cat" / name / "images" / "1.txt")
    with pytest.raises(InputError, match=r"Of the files in 4 folders below “.*” only 1 has the name of a picture"):
        find(tmp_path)


def test_a_folder_is_as_it_was_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page asks several times while it is drawn; later, and of another folder, it is looked at anew."""
    now = 100.0
    monkeypatch.setattr(folders.time, "monotonic", lambda: now)
    one, two = (write(tmp_path / name, {"cat": 2, "dog": 2}) for name in ("one", "two"))
    assert lately(one).counts == find(one).counts
    (one / "cat" / "more.png").touch()
    assert lately(one).counts == {"cat": (1, 1), "dog": (1, 1)}
    assert lately(two).counts == {"cat": (1, 1), "dog": (1, 1)}
    assert lately(one).counts == {"cat": (2, 1), "dog": (1, 1)}
    (one / "dog" / "more.png").touch()
    now += 2 * folders.MOMENT
    assert lately(one).counts == {"cat": (2, 1), "dog": (2, 1)}


def test_what_is_wrong_with_a_folder_is_so_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longer it takes to find out, the longer it is believed."""
    clock = iter(range(100, 1000, 5))
    now = 100.0
    monkeypatch.setattr(folders.time, "monotonic", lambda: now)
    with pytest.raises(InputError, match="at least 2 folders"):
        lately(tmp_path)
    write(tmp_path, {"cat": 2, "dog": 2})
    with pytest.raises(InputError, match="at least 2 folders"):
        lately(tmp_path)
    monkeypatch.setattr(folders.time, "monotonic", lambda: float(next(clock) + 5))
    assert lately(tmp_path).counts == {"cat": (1, 1), "dog": (1, 1)}
    (tmp_path / "cat" / "more.png").touch()
    assert [lately(tmp_path).counts["cat"] for _ in range(12)] == 10 * [(1, 1)] + 2 * [(2, 1)]
