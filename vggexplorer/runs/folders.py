"""What a folder of pictures holds: its classes, its parts and its files, the same for a page and for a trainer.

`find` knows the layouts in which people have their pictures. No file is opened. A folder for each class is the
simplest; below it all files are of that class, in however many folders. Folders called `train` and `test` (or `val`;
`_ROLES` has all such words) are parts, around the classes or within each. One folder that is around all is looked
through. What is left out, and what a person may not expect, is said in remarks.
"""

import math
import os
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from vggexplorer.architectures import shown
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError

TEST_EVERY = 7
"""Where a folder has no test pictures of its own, the first of every so many of a class becomes one."""
MAX_ODD = 100
"""The most files that are listed because they could not be used."""
MOST = 1_000_000
"""The most files that are looked at."""
MOST_FOLDERS = 20_000
"""The most folders that are looked at."""
FEW_PICTURES = 1000
"""In so many folders with files, fewer files than folders that are called as pictures say that it is a whole system."""
DEPTH = 8
"""How many folders deep the pictures of a class may lie."""
AROUND = 4
"""The most folders, one in the other, that may be around all."""
MOMENT, TIMES = 1.0, 10
"""Seconds for which `lately` takes a folder to be as it was, and how many times as long as the look took, if longer."""
NAMED = 5
"""The most names that a remark lists."""

TRAIN, VAL, TEST = "train", "val", "test"
_ROLES = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "eval"), VAL),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What a folder is a part for, by its name in small letters."""
_NO_DATA = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin", "lost+found"}
"""What systems put beside people's files, in small letters; so they do with all that begins with a dot."""
_PICTURES, _TABLES = {"images", "imgs"}, {"labels", "annotations", "masks"}
"""Names of a folder that is around the pictures, and of those that may be beside it."""
_CALLED_PICTURE = re.compile(r".*\.(jpe?g|jfif|png|bmp|gif|tiff?|webp|avif|jp2|p[bgnp]m|tga|ico)", re.IGNORECASE)
_NUMBERED = re.compile(r"(.*?[^\W\d_].*?)[\s._()-]*\d+[\s)]*\.\w+")
"""A file's name that may begin with its class: cat.0.jpg, dog (12).png, n01440764_10026.JPEG."""


class Odd:
    """The files below a folder that cannot be used: how many, and the first of them, each with a reason."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: list[str] = []
        self.count = 0

    def note(self, path: Path, reason: str) -> None:
        """Take in one more."""
        self.count += 1
        if len(self.listed) < MAX_ODD:
            self.listed.append(f"{_named(path.relative_to(self.root))}: {reason}")


Files = tuple[tuple[Path, ...], ...]
"""The files of each class."""


class Found(NamedTuple):
    """What `find` found: the names of the classes, all different, and the files of each to train and to test on.

    Without a part to test on, `test` is empty: then `for_testing` says which of the pictures that can be read are.
    `said` is what a person should know of it.
    """

    classes: tuple[str, ...]
    train: Files
    test: Files
    said: tuple[Remark, ...]
    odd: Odd

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """How many files of each class are there to train and to test on."""
        if self.test:
            both = zip(map(len, self.train), map(len, self.test), strict=True)
        else:
            tests = [math.ceil(len(files) / TEST_EVERY) for files in self.train]
            both = zip((len(files) - test for files, test in zip(self.train, tests, strict=True)), tests, strict=True)
        return dict(zip(self.classes, both, strict=True))

    def to_json(self) -> dict[str, Any]:
        """The counts and what is said, for other programs."""
        return data_json(self.counts, self.said)


def for_testing(copied: Sequence[bool]) -> set[int]:
    """Which of a class's pictures are for testing, by their places: of each `TEST_EVERY` the first.

    One that is `copied`, of which there is another to the pixel, is trained on; the first that is left over takes its
    place.
    """
    turns = range(0, len(copied), TEST_EVERY)
    chosen = {place for place in turns if not copied[place]}
    left = (place for place, is_copied in enumerate(copied) if not is_copied and place % TEST_EVERY)
    return chosen.union(islice(left, len(turns) - len(chosen)))


def data_json(counts: Mapping[str, tuple[int, int]], said: Sequence[Remark]) -> dict[str, Any]:
    """How many pictures of each class are there to train and to test on, and what is said, for other programs."""
    classes = {name: {TRAIN: train, TEST: test} for name, (train, test) in counts.items()}
    return {"classes": classes, "said": list(map(str, said))}


class _Seen(NamedTuple):
    """What a look at a folder came to, and until when that is believed."""

    path: Path
    until: float
    found: Found | InputError


_last: _Seen | None = None


def find(path: Path) -> Found:
    """What is in a folder of pictures.

    `InputError` if it cannot be read, has fewer than two classes or one with too few files, or is of a layout that
    leaves open what is meant.
    """
    return _Look(path).found()


def lately(path: Path) -> Found:
    """What `find` finds, or found a moment ago: a page that is drawn asks several times."""
    global _last
    began = time.monotonic()
    last = _last
    if not last or last.path != path or began > last.until:
        found = _outcome(path)
        now = time.monotonic()
        last = _last = _Seen(path, now + max(MOMENT, TIMES * (now - began)), found)
    if isinstance(last.found, InputError):
        raise last.found.with_traceback(None)
    return last.found


def _outcome(path: Path) -> Found | InputError:
    try:
        return find(path)
    except InputError as error:
        return error


def _named(path: Path | str) -> str:
    return shown(readable(str(path)), 100)


def _whole(path: Path) -> str:
    return shown(readable(str(path)), 200)


def readable(name: str) -> str:
    """The name of a file as text: bytes that are none are written as `\\xff`, so that different names stay so."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def in_words(names: Sequence[str]) -> str:
    """Names in a sentence, the first of many."""
    more = ["…"] if len(names) > NAMED else []
    return ", ".join([*(_named(name) for name in names[:NAMED]), *more])


class _Entries(NamedTuple):
    """What is in a folder, by name, without what is no data; `others` are no files: links to nothing, pipes."""

    folders: list[str]
    files: list[str]
    others: list[str]


class _Look:
    """One look at a folder: what is in it, and what was said of it so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.odd = Odd(path)
        self.said: list[Remark] = []
        self.looked = self.with_files = self.pictures = 0
        self.entries: dict[Path, _Entries] = {}
        self.deeper = 0
        self.beside: list[str] = []
        """Files, by their paths from the folder, that lie beside folders of classes or of parts."""

    def found(self) -> Found:
        """The classes, by the first layout that fits."""
        root = self._inner(self.path)
        if root != self.path:
            self.said.append(_remark("The pictures are looked for in {folder}.", folder=self._below_path(root)))
        folders = self._list(root).folders
        if parts := _parts(folders):
            found = self._by_part(root, parts)
        elif within := self._parts_within(root, folders):
            found = self._by_class(root, within)
        else:
            found = self._classes(root)
        self._say_the_rest(found)
        return found._replace(said=tuple(self.said))

    # --- layouts ---

    def _classes(self, root: Path) -> Found:
        """Folders of classes without parts."""
        folders = self._class_folders(root)
        train = tuple(self._trained(folder, 2) for folder in folders.values())
        self.said.append(_every())
        return self._found(list(folders), train, ())

    def _by_part(self, root: Path, parts: Mapping[str, Sequence[str]]) -> Found:
        """Parts with the folders of the classes in each."""
        if len(parts[TRAIN]) > 1:
            raise InputError(
                "{folder} holds {names}: it is not clear which of them is to train on. Rename one, or name the "
                "folder that is meant.",
                folder=_whole(root),
                names=in_words(parts[TRAIN]),
            )
        self._leave(root)
        inner = self._inner(root / parts[TRAIN][0])
        folders = self._class_folders(inner)
        train = tuple(self._trained(folder) for folder in folders.values())
        test = self._tested(root, [*parts.get(TEST, ()), *parts.get(VAL, ())], list(folders))
        used = {name for each in parts.values() for name in each}
        self._say_unused(root, [name for name in self._list(root).folders if name not in used])
        return self._found(list(folders), train, test)

    def _tested(self, root: Path, parts: Sequence[str], classes: Sequence[str]) -> Files:
        """The files of each class in the first of the parts that has folders of classes; none if there is no such."""
        for place, name in enumerate(parts):
            folders, surplus = self._matched(self._inner(root / name, classes), classes)
            test = tuple(self._walk(folders[each]) if each in folders else () for each in classes)
            if any(test):
                part = self._below_path(root / name)
                self.said.append(_remark("The pictures in {part} are for testing.", part=part))
                self._say_missing(part, classes, test)
                if surplus:
                    self.said.append(
                        _remark(
                            "{count} {count:folder|folders} in {part} {count:is|are} not used, since there is no "
                            "such class to train: {names}.",
                            part=part,
                            count=f"{len(surplus):,}",
                            names=in_words(surplus),
                        )
                    )
                self._say_unused(root, parts[place + 1 :])
                return test
            self.said.append(
                _remark(
                    "{part} is not used: it has no folders with files that are called as the classes, so that nobody "
                    "knows what its pictures show.",
                    part=self._below_path(root / name),
                )
            )
        self.said.append(_every())
        return ()

    def _by_class(self, root: Path, within: Mapping[str, Mapping[str, Sequence[str]]]) -> Found:
        """Folders of classes with parts in each."""
        self._leave(root)
        role = TEST if any(TEST in parts for parts in within.values()) else VAL
        train, test = [], []
        for name, parts in within.items():
            own = [each[0] for each in (parts[TRAIN], parts.get(role)) if each]
            train.append(self._trained(root / name / own[0]))
            test.append(self._walk(root / name / own[1]) if len(own) > 1 else ())
            self._leave(root / name)
            self._say_unused(root / name, [each for each in self._list(root / name).folders if each not in own])
        part = _named(next(parts[role][0] for parts in within.values() if role in parts))
        self.said.append(_remark("In the folder of each class the pictures in {part} are for testing.", part=part))
        self._say_missing(part, list(within), test)
        return self._found(list(within), tuple(train), tuple(test))

    def _parts_within(self, root: Path, folders: Sequence[str]) -> dict[str, dict[str, list[str]]]:
        """The parts within the folder of each class; none if the classes are not parted."""
        within = {name: _parts(self._list(root / name).folders) for name in folders}
        parted, whole = ([name for name in within if bool(within[name]) == is_so] for is_so in (True, False))
        if len(folders) < 2 or not parted:
            return {}
        if whole:
            raise InputError(
                "In {folder} {one} has folders for training and for testing, and {other} has not; sort them alike.",
                folder=_whole(root),
                one=_named(parted[0]),
                other=_named(whole[0]),
            )
        if all(len(self._list(root / name / within[name][TRAIN][0]).folders) > 1 for name in parted):
            raise InputError(
                "{folder} holds several data sets: {names}. Name the folder of one.",
                folder=_whole(root),
                names=in_words(parted),
            )
        return within

    # --- folders of classes ---

    def _class_folders(self, root: Path) -> dict[str, Path]:
        """The folders of the classes in a folder, by name; `InputError` if there are fewer than two."""
        entries = self._list(root)
        if not entries.folders and entries.files:
            raise _no_folders(root, entries.files)
        if len(entries.folders) > 1 and all(name.casefold() in _ROLES for name in entries.folders):
            raise InputError(
                "{folder} holds {names}, but no folder {train}.",
                folder=_whole(root),
                names=in_words(entries.folders),
                train="train",
            )
        if len(entries.folders) < 2:
            raise InputError(
                "{folder} must hold at least 2 folders, one for the pictures of each class; there {count:is|are} "
                "{count}.",
                folder=_whole(root),
                count=len(entries.folders),
            )
        self._leave(root)
        return {name: root / name for name in entries.folders}

    def _matched(self, root: Path, names: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
        """The folders in a part by the names of the classes, and those that are of no class.

        Case and the way in which a letter's accent is written do not matter, where they leave no doubt.
        """
        entries = self._list(root)
        left = dict.fromkeys(entries.folders)
        matched = {name: root / name for name in names if name in left}
        keys = Counter(map(_key, names))
        for name in names:
            same = [each for each in left if _key(each) == _key(name) and each not in matched]
            if name not in matched and len(same) == 1 and keys[_key(name)] == 1:
                matched[name] = root / same[0]
        used = {folder.name for folder in matched.values()}
        if matched:
            self._leave(root)
        return matched, [name for name in left if name not in used]

    def _trained(self, folder: Path, least: int = 1) -> tuple[Path, ...]:
        """The files of a class to train on; `InputError`, before others are looked at, if there are too few."""
        files = self._walk(folder)
        if not files:
            raise InputError(
                "The class {name} in {folder} has no files.", name=_named(folder.name), folder=_whole(folder.parent)
            )
        _check_enough(folder.name, len(files), least)
        return files

    def _found(self, names: Sequence[str], train: Files, test: Files) -> Found:
        for name, files in zip(names, train, strict=True):
            _check_enough(name, len(files), 1 if any(test) else 2)
        return Found(tuple(map(readable, names)), train, test if any(test) else (), (), self.odd)

    # --- what is said ---

    def _say_missing(self, part: str, classes: Sequence[str], test: Sequence[tuple[Path, ...]]) -> None:
        """Which classes have nothing in the part that is tested on."""
        if missing := [name for name, files in zip(classes, test, strict=True) if not files]:
            self.said.append(
                _remark(
                    "{count} {count:class has|classes have} no pictures in {part}, so that nobody will know how well "
                    "{count:it is|they are} recognised: {names}.",
                    part=part,
                    count=f"{len(missing):,}",
                    names=in_words(missing),
                )
            )

    def _say_unused(self, root: Path, names: Sequence[str]) -> None:
        """Which folders are left out, if there are files in them."""
        for name in names:
            if self._below(root / name, Odd(self.path), ()):
                self.said.append(_remark("{part} is not used.", part=self._below_path(root / name)))

    def _say_the_rest(self, found: Found) -> None:
        if self.deeper:
            self.said.append(
                _remark(
                    "{count} {count:file lies|files lie} in folders within those of the classes and {count:is|are} "
                    "used, too.",
                    count=f"{self.deeper:,}",
                )
            )
        same = Counter(map(_key, found.classes))
        if double := [name for name in found.classes if same[_key(name)] > 1]:
            self.said.append(
                _remark("These classes differ only in how they are written: {names}.", names=in_words(double))
            )
        if self.beside:
            self.said.append(
                _remark(
                    "{count} {count:file|files} beside the folders {count:is|are} not used: {names}.",
                    count=f"{len(self.beside):,}",
                    names=in_words(self.beside),
                )
            )

    def _below_path(self, path: Path) -> str:
        """A folder's path from the one that was named, in a sentence."""
        return _named(path.relative_to(self.path))

    # --- the disk ---

    def _inner(self, path: Path, names: Sequence[str] = ()) -> Path:
        """The folder that is not merely around another one; one of a class, of which there are `names`, never is."""
        for _ in range(AROUND):
            folders = self._list(path).folders
            pictures = [name for name in folders if name in _PICTURES]
            around = len(pictures) == 1 and _TABLES.issuperset({*folders} - _PICTURES)
            inner = pictures if around else folders
            if len(inner) != 1 or inner[0] in names or not (around or self._list(path / inner[0]).folders):
                return path
            self._leave(path)
            self._say_unused(path, [name for name in folders if name != inner[0]])
            path /= inner[0]
        return path

    def _leave(self, path: Path) -> None:
        """Keep the files that are beside folders in mind."""
        self.beside += [str((path / name).relative_to(self.path)) for name in self._list(path).files]

    def _walk(self, folder: Path) -> tuple[Path, ...]:
        """The files of a class: those in its folder, then those in each folder within."""
        files = self._below(folder, self.odd, ())
        self.deeper += len(files) - len(self._list(folder).files)
        return tuple(files)

    def _below(self, folder: Path, odd: Odd, above: tuple[tuple[int, int] | None, ...]) -> list[Path]:
        """The files below a folder; `above` are the folders that it is in, by device and number."""
        entries = self._list(folder)
        here = _number(folder)
        files = [folder / name for name in entries.files]
        for name in entries.others:
            odd.note(folder / name, "not a file")
        for name in entries.folders:
            inner = folder / name
            if _number(inner) in (here, *above):
                odd.note(inner, "a link to a folder that it is in")
            elif len(above) == DEPTH:
                odd.note(inner, "too deep")
            else:
                try:
                    files += self._below(inner, odd, (*above, here))
                except UnreadableError as error:
                    odd.note(inner, f"cannot be read: {error.values['reason']}")
        return files

    def _list(self, path: Path) -> _Entries:
        """What is in a folder, sorted by name."""
        if path not in self.entries:
            found = _Entries([], [], [])
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        if not (entry.name.startswith(".") or entry.name.casefold() in _NO_DATA):
                            _kind(entry, found).append(entry.name)
                            self._count()
                self._check_pictures(found.files)
            except InputError:
                raise
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise UnreadableError(
                    "The folder {folder} cannot be read: {reason}.", folder=_whole(path), reason=reason
                ) from error
            self.entries[path] = _Entries(*map(sorted, found))
        return self.entries[path]

    def _count(self) -> None:
        self.looked += 1
        if self.looked > MOST or len(self.entries) > MOST_FOLDERS:
            raise InputError(
                "{folder} holds more than {most} files or {folders} folders.",
                folder=_whole(self.path),
                most=f"{MOST:,}",
                folders=f"{MOST_FOLDERS:,}",
            )

    def _check_pictures(self, files: Sequence[str]) -> None:
        """`InputError` if many folders with files were looked at and hardly a picture is among those."""
        self.with_files += bool(files)
        self.pictures += sum(map(bool, map(_CALLED_PICTURE.fullmatch, files)))
        if self.pictures < self.with_files >= FEW_PICTURES:
            raise InputError(
                "Of the files in {folders} folders below {folder} only {count} {count:has the name|have names} of a "
                "picture. Name the folder that holds the pictures.",
                folder=_whole(self.path),
                folders=f"{self.with_files:,}",
                count=f"{self.pictures:,}",
            )


class UnreadableError(InputError):
    """A folder cannot be read."""


def _number(folder: Path) -> tuple[int, int] | None:
    """What is the same for a folder by whatever path."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _kind(entry: "os.DirEntry[str]", found: _Entries) -> list[str]:
    """Where an entry of a folder belongs."""
    try:
        return found.files if entry.is_file() else found.folders if entry.is_dir() else found.others
    except OSError:  # a link into a folder that may not be looked at, or round in a circle
        return found.others


def _remark(template: str, /, **values: Any) -> Remark:
    return Remark(template, values)


def _every() -> Remark:
    return _remark("The first of every {n} pictures of a class is for testing.", n=TEST_EVERY)


def _key(name: str) -> str:
    """The same for names that differ only in case, or in how an accent is written."""
    return unicodedata.normalize("NFC", name).casefold()


def _check_enough(name: str, count: int, least: int) -> None:
    """`InputError` if a class has not a picture to train on, and one to test on where there are no others for it."""
    if count < least:
        raise InputError(
            "The class {name} has {count} {count:file|files}; at least 2 pictures are needed, one for the test.",
            name=_named(name),
            count=count,
        )


def _parts(folders: Sequence[str]) -> dict[str, list[str]]:
    """The folders that are parts, by what each is for, if one is to train on and another is not.

    Each is called by a word of `_ROLES`, or all have the same besides, as in `seg_train` and `seg_test`.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for name in folders:
        words = re.findall(r"[^\W\d_]+|\d+", name.casefold())
        if len(roles := [word for word in words if word in _ROLES]) == 1:
            rest = " ".join(word for word in words if word not in _ROLES)
            groups.setdefault(rest, {}).setdefault(_ROLES[roles[0]], []).append(name)
    complete = [group for _, group in sorted(groups.items()) if TRAIN in group and len(group) > 1]
    return complete[0] if complete else {}


def _no_folders(path: Path, files: Sequence[str]) -> InputError:
    """What to say of pictures that lie in one folder: how to sort them, by their names if those say the class."""
    numbered = (_NUMBERED.fullmatch(name) for name in files)
    names = Counter(match[1] for match in numbered if match)
    if len(names) > 1 and min(names.values()) > 1 and 2 * names.total() > len(files):
        return InputError(
            "{folder} holds {count} files and no folders of classes. Their names begin with {names}: make a folder "
            "of each of these names, and move the files into the one that their name begins with.",
            folder=_whole(path),
            count=f"{len(files):,}",
            names=in_words(sorted(names)),
        )
    return InputError(
        "{folder} holds {count} {count:file|files} and no folders of classes. Make a folder for each class, and move "
        "its pictures there.",
        folder=_whole(path),
        count=f"{len(files):,}",
    )
