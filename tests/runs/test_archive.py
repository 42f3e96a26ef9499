"""Archives of runs: the same run after a round trip, and a sentence for each that is odd."""

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from samples import dice  # noqa: F401 (a fixture)
from test_store import CONFIG, lines

from vggexplorer.errors import InputError
from vggexplorer.runs.folder import archive, layout, safetensors
from vggexplorer.runs.folder.files import json_bytes, write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word

Files = dict[str, bytes]


def tensors(path: Path, value: float = 1.0) -> None:
    path.parent.mkdir(exist_ok=True)
    content = struct.pack("<2f", value, value)
    safetensors.write(path, [("weight", "F32", (2,), memoryview(content))], {"step": "2", "test_acc": "0.5"})


def made(runs: Runs, owner: str = "") -> Run:
    """A run that is over, with every file that a run can have."""
    run = runs.create(CONFIG, "of a friend", owner)
    (run.path / layout.METRICS).write_bytes(lines(1, 2))
    for name in (layout.ENVIRONMENT, layout.RESULT, layout.STEP, layout.ANSWERS, layout.FORECAST):
        write_json(run.path / name, {"of": name})
    for name in (layout.TELEMETRY, layout.LOG, layout.LOCK, layout.WATCHED, layout.STARTED):
        (run.path / name).write_bytes(b"")
    for name in (layout.HEARTBEAT, layout.CONTROL, layout.PLACE):
        write_json(run.path / name, {})
    for name in (layout.WEIGHTS, layout.BEST, layout.CHECKPOINT, f"{layout.SNAPSHOTS}/000000001.safetensors"):
        tensors(run.path / name)
    write_json(run.path / layout.OUTCOME, Outcome(status=Word.FINISHED, step=2).to_json())
    return run


@pytest.fixture
def here(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "here")


@pytest.fixture
def packed(here: Runs, tmp_path: Path) -> bytes:
    """The archive of a run in `here`."""
    archive.pack(made(here, "anna"), tmp_path / "run.zip")
    return (tmp_path / "run.zip").read_bytes()


@pytest.fixture
def there(tmp_path: Path) -> Runs:
    """Another folder of runs."""
    return Runs(tmp_path / "there")


def files_of(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(files: Files, **settings: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **settings) as made:  # type: ignore[call-overload]
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content, settings.get("compression"))
    return out.getvalue()


def signed(files: Files) -> Files:
    """The files with a manifest that fits them."""
    manifest = json.loads(files[archive.MANIFEST])
    manifest["files"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if name != archive.MANIFEST
    }
    return files | {archive.MANIFEST: json_bytes(manifest)}


def bring(runs: Runs, content: bytes, owner: str = "") -> archive.Brought:
    return archive.bring_file(runs, io.BytesIO(content), owner)


def test_a_run_that_came_is_the_same_byte_by_byte(here: Runs, there: Runs, packed: bytes, tmp_path: Path) -> None:
    (run,) = here.all(recorded=False)
    brought = bring(there, packed, "ben")
    assert (brought.run.id, brought.known) == (run.id, False)
    kept = set(files_of(packed)) - {archive.MANIFEST}
    assert kept == {*layout.ARCHIVED, f"{layout.SNAPSHOTS}/000000001.safetensors"}
    for name in kept - {layout.CREATED}:
        assert (brought.run.path / name).read_bytes() == (run.path / name).read_bytes()
    assert {path.relative_to(brought.run.path).as_posix() for path in brought.run.path.rglob("*.*")} == kept
    archive.pack(brought.run, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed
    assert [brought.run.status(), brought.run.name(), brought.run.created(), len(brought.run.records())] == [
        *(run.status(), run.name(), run.created()),
        len(run.records()),
    ]


def test_it_belongs_to_who_brings_it_and_its_config_was_not_asked_for_here(
    here: Runs, there: Runs, packed: bytes
) -> None:
    assert b"anna" not in packed
    run = bring(there, packed, "ben").run
    assert (run.owner(), run.brought(), run.recorded) == ("ben", True, False)
    assert not here.all(recorded=False)[0].brought()


def test_nobody_comes_in_by_what_an_archive_says_of_its_owner(there: Runs, packed: bytes) -> None:
    files = signed(files_of(packed) | {layout.CREATED: b'{"time": "2026-01-01T00:00:00+00:00", "owner": "anna"}'})
    assert bring(there, zipped(files)).run.owner() == ""


def test_the_checkpoint_comes_if_it_is_asked_for(here: Runs, there: Runs, tmp_path: Path) -> None:
    run = made(here)
    archive.pack(run, tmp_path / "run.zip", checkpoint=True)
    assert archive.bring(there, tmp_path / "run.zip").run.saved_step() == 2


def test_the_same_run_is_there_already_and_another_one_gets_an_id_of_its_own(
    here: Runs, there: Runs, packed: bytes
) -> None:
    (run,) = here.all(recorded=False)
    first = bring(here, packed)
    assert (first.known, first.run.path) == (True, run.path)
    run.rename("called otherwise")
    assert bring(here, packed).known
    other = zipped(signed(files_of(packed) | {layout.METRICS: lines(1)}))
    second = bring(here, other)
    assert (second.known, second.run.id.startswith(run.id)) == (False, True)
    again = bring(here, other)
    assert (again.known, again.run.id) == (True, second.run.id)
    run.drop_weights()
    assert not bring(here, packed).known
    assert len(here.all(recorded=False)) == 3
    assert bring(there, packed).run.id == run.id


def test_a_run_that_ships_can_be_handed_on(there: Runs, tmp_path: Path) -> None:
    run = there.all()[-1]
    assert run.recorded
    archive.pack(run, tmp_path / "run.zip")
    brought = archive.bring(there, tmp_path / "run.zip")
    assert brought.known
    assert brought.run.recorded


def test_it_may_be_packed_tighter_by_hand(there: Runs, packed: bytes) -> None:
    tight = zipped(files_of(packed), compression=zipfile.ZIP_DEFLATED)
    assert len(tight) < len(packed)
    assert bring(there, tight).run.name() == "of a friend"


def test_what_is_not_over_stays(here: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made(here)
    monkeypatch.setattr(Run, "locked", lambda _: True)
    with pytest.raises(InputError, match="not over"):
        archive.pack(run, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def test_what_begins_while_it_is_read_is_not_packed(
    here: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, answers = made(here), iter([False, True])
    monkeypatch.setattr(Run, "locked", lambda _: next(answers))
    with pytest.raises(InputError, match="not over"):
        archive.pack(run, tmp_path / "run.zip")
    assert os.listdir(tmp_path) == ["here"]


def test_what_is_damaged_is_not_handed_on(here: Runs, tmp_path: Path) -> None:
    run = made(here)
    weights = run.path / layout.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"model\.safetensors of the run is damaged"):
        archive.pack(run, tmp_path / "run.zip")


# --- odd archives ---------------------------------------------------------------------------------------------


def more(name: str, content: bytes = b"x") -> Callable[[bytes], bytes]:
    return lambda packed: zipped(signed(files_of(packed) | {name: content}))


def unsigned(name: str, content: bytes) -> Callable[[bytes], bytes]:
    return lambda packed: zipped(files_of(packed) | {name: content})


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda packed: zipped({each: content for each, content in files_of(packed).items() if each != name})


def manifest(**changed: object) -> Callable[[bytes], bytes]:
    def change(packed: bytes) -> bytes:
        files = files_of(packed)
        return zipped(files | {archive.MANIFEST: json_bytes(json.loads(files[archive.MANIFEST]) | changed)})

    return change


def twice(packed: bytes) -> bytes:
    out = io.BytesIO(packed)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as opened:
        opened.writestr(zipfile.ZipInfo(layout.CONFIG), b"{}")
    return out.getvalue()


def link(packed: bytes) -> bytes:
    out, entry = io.BytesIO(packed), zipfile.ZipInfo(f"{layout.SNAPSHOTS}/000000002.safetensors")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(out, "a") as opened:
        opened.writestr(entry, "/etc/passwd")
    return out.getvalue()


def encrypted(packed: bytes) -> bytes:
    start = packed.index(b"PK\x01\x02")
    return packed[: start + 8] + b"\x01" + packed[start + 9 :]


def with_nul(packed: bytes) -> bytes:
    return more("resu\1t.json")(packed).replace(b"resu\1t.json", b"resu\0t.json")


def bomb(packed: bytes) -> bytes:
    return zipped(signed(files_of(packed) | {layout.TELEMETRY: bytes(10**7)}), compression=zipfile.ZIP_DEFLATED)


def bomb_that_lies(packed: bytes) -> bytes:
    """One that says in its list of files and in its manifest that it is small."""
    content = zipped(files_of(packed) | {layout.TELEMETRY: bytes(10**7)}, compression=zipfile.ZIP_DEFLATED)
    return content.replace(struct.pack("<L", 10**7), struct.pack("<L", 10**5))


def many(packed: bytes) -> bytes:
    return zipped(files_of(packed) | {f"{number:060d}": b"" for number in range(1000)})


NEWER = json_bytes(CONFIG.to_json() | {"version": 99})
ODD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "no zip file"),
    "no zip": (lambda _: b"hello" * 100, "no zip file"),
    "cut off": (lambda packed: packed[:-30], "no zip file, or its end is missing"),
    "its beginning is missing": (lambda packed: packed[1000:], "damaged"),
    "another zip": (lambda _: zipped({}), f"has no {archive.MANIFEST}"),
    "no manifest": (without(archive.MANIFEST), f"has no {archive.MANIFEST}"),
    "many files": (many, "more files than any run"),
    "climbs": (more("../x"), "leads out"),
    "climbs within": (more("snapshots/../../x"), "leads out"),
    "absolute": (more("/etc/passwd"), "leads out"),
    "backslash": (more("..\\x"), "characters that lead elsewhere"),
    "drive": (more("C:x"), "characters that lead elsewhere"),
    "NUL": (with_nul, "characters that lead elsewhere"),
    "line break": (more("a\nb"), "characters that lead elsewhere"),
    "twice": (twice, "has “config.json” twice"),
    "case": (more("Config.json"), "large and small letters"),
    "encrypted": (encrypted, "encrypted"),
    "link": (link, "a link"),
    "folder": (more("snapshots/", b""), "no file"),
    "unknown": (more("notes.txt"), "no run has: “notes.txt”"),
    "log": (more(layout.LOG), "no run has"),
    "heartbeat": (more(layout.HEARTBEAT), "no run has"),
    "pickle": (more("model.pt"), "no run has"),
    "packed otherwise": (lambda packed: zipped(files_of(packed), compression=zipfile.ZIP_BZIP2), "in a way"),
    "bomb": (bomb, "far larger"),
    "bomb that lies": (bomb_that_lies, "damaged|far larger|digest"),
    "wrong digest": (unsigned(layout.METRICS, lines(1)), f"{layout.METRICS} is not what its digest"),
    "no digest": (unsigned("snapshots/000000003.safetensors", b""), "no digest of"),
    "no file to a digest": (without(layout.METRICS), "lacks a file"),
    "manifest of another version": (manifest(version=2), "another version"),
    "manifest without files": (manifest(files=[]), "is damaged"),
    "manifest without an id": (manifest(run="../x"), "is damaged"),
    "manifest that is no JSON": (unsigned(archive.MANIFEST, b"["), "is damaged"),
    "deep manifest": (unsigned(archive.MANIFEST, b"[" * 60_000), "is damaged"),
    "long manifest": (unsigned(archive.MANIFEST, b" " * 10**5), "is damaged"),
    "no config": (lambda packed: zipped(signed(files_of(without(layout.CONFIG)(packed)))), "does not describe a run"),
    "newer config": (more(layout.CONFIG, NEWER), "another version"),
    "config that is no JSON": (more(layout.CONFIG, b"x"), "does not describe a run"),
    "weights that are none": (more(layout.WEIGHTS, b"\x80\x04."), "model.safetensors of the run is damaged"),
    "no weights": (more(layout.WEIGHTS, b""), "model.safetensors of the run is damaged"),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_archive_is_refused_with_a_sentence(odd: str, packed: bytes, there: Runs) -> None:
    change, sentence = ODD[odd]
    with pytest.raises(InputError, match=sentence):
        bring(there, change(packed))
    assert not there.path.exists() or not os.listdir(there.path)


def test_a_bit_that_fell_over_in_weights_is_seen_though_the_digests_fit(packed: bytes, there: Runs) -> None:
    weights = files_of(packed)[layout.WEIGHTS]
    with pytest.raises(InputError, match=r"model\.safetensors of the run is damaged"):
        bring(there, more(layout.WEIGHTS, weights[:-1] + bytes([weights[-1] ^ 1]))(packed))
    assert not os.listdir(there.path)


def test_a_flipped_byte_is_refused_or_changes_nothing(packed: bytes, there: Runs, dice: Random) -> None:  # noqa: F811
    """Half of the places are among what `zipfile` reads first: the list of files at the end."""
    bring(there, packed)
    listed = packed.index(b"PK\x01\x02")
    for number in range(100):
        place = dice.randrange(listed if number % 2 else 0, len(packed))
        flipped = bytearray(packed)
        flipped[place] ^= dice.randrange(1, 256)
        with suppress(InputError):
            assert bring(there, bytes(flipped)).known, place
        assert len(os.listdir(there.path)) == 1, place


def test_a_full_disk_leaves_nothing(packed: bytes, there: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        bring(there, packed)
    assert not os.listdir(there.path)


def test_a_file_that_is_not_there(there: Runs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read"):
        archive.bring(there, tmp_path / "none.zip")


def test_a_file_that_cannot_be_written(here: Runs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be written"):
        archive.pack(made(here), tmp_path / "none" / "run.zip")
