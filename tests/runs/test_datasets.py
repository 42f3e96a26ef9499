"""Fashion-MNIST's files: found, checked, refused with a sentence; the sample that ships with the package."""

import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

from vggexplorer import paths
from vggexplorer.errors import InputError
from vggexplorer.runs import datasets, formats
from vggexplorer.runs.datasets import (
    CLASSES,
    KNOWN,
    OF_EACH,
    SAMPLE,
    Arrays,
    Dataset,
    cache_folder,
    download_folder,
    downloaded_bytes,
    find,
    read,
)
from vggexplorer.runs.formats import Idx, read_idx

DEBIAN = paths.DEBIAN / "fashion-mnist"
PART, WHOLE_SET = KNOWN["sample"], KNOWN["full"]
LABELS = "t10k-labels-idx1-ubyte"
needs_debian = pytest.mark.skipif(
    not DEBIAN.is_dir(), reason=f"{DEBIAN} is not there (Debian's package dataset-fashion-mnist)"
)


def idx(*shape: int, content: bytes = b"", kind: int = 8) -> bytes:
    """An IDX file, not compressed."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape) + content


def put(folder: Path, name: str, content: bytes = b"") -> Path:
    """A file in a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def complete(folder: Path, ending: str = ".gz") -> Path:
    """A folder with four files of the right names."""
    for name in WHOLE_SET.files:
        put(folder, name + ending)
    return folder


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Fashion-MNIST: an empty home, working folder, cache, and no Debian package."""
    here = tmp_path / "home" / "work"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.delenv("VGGEXPLORER_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(datasets, "DEBIAN", tmp_path / "debian")
    return tmp_path


# --- names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "sample",
        "full",
        "mnist",
        "kmnist:/data",
        "cifar10",
        "full:/data",
        "folder:~/pets",
        "folder:C:\\pets",
        "full:数据",
    ],
)
def test_a_data_set_has_one_of_four_forms(text: str) -> None:
    assert str(Dataset.parse(text)) == text


NONE = ["", "MNIST", "cifar", "Sample", "sample:/data", "full:", "folder", "folder:", "folder: ", "full:a\0b"]


@pytest.mark.parametrize("text", NONE)
def test_another_text_is_no_data_set(text: str) -> None:
    with pytest.raises(InputError, match="is not a data set; there are sample, full"):
        Dataset.parse(text)


def test_a_home_folder_is_written_out() -> None:
    assert Dataset.parse("folder:~/my pets").path == Path.home() / "my pets"
    assert Dataset.parse("full:/a:b").path == Path("/a:b")


# --- places ------------------------------------------------------------------------------------------


def test_there_may_be_none(nowhere: Path) -> None:
    assert find(Dataset("full")) is None
    assert find(Dataset("full", str(nowhere))) is None
    assert find(Dataset("full", "x" * 5000)) is None


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_first_complete_folder_is_taken(nowhere: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    raw = Path("FashionMNIST", "raw")
    places = [nowhere / "debian" / "fashion-mnist", nowhere / "cache" / raw, nowhere / "home" / "data" / raw]
    places += [nowhere / "home" / "work" / "data" / raw, nowhere / "named"]
    monkeypatch.setenv("VGGEXPLORER_DATA", str(nowhere / "named"))
    for place in places:
        complete(place, ending)
        found = find(Dataset("full"))
        assert found is not None
        assert found.is_absolute()
        assert found.resolve() == place


def test_a_folder_with_a_file_missing_is_passed_over(nowhere: Path) -> None:
    (complete(nowhere / "cache" / "FashionMNIST" / "raw") / f"{LABELS}.gz").unlink()
    complete(nowhere / "debian" / "fashion-mnist")
    assert find(Dataset("full")) == nowhere / "debian" / "fashion-mnist"


@pytest.mark.parametrize("below", ["", "raw", "FashionMNIST/raw"])
def test_a_named_folder_may_be_torchvisions_root(nowhere: Path, below: str) -> None:
    complete(nowhere / "debian" / "fashion-mnist")
    complete(nowhere / "mine" / below)
    assert find(Dataset("full", str(nowhere / "mine"))) == nowhere / "mine" / below


def test_without_platformdirs_there_is_a_cache_folder_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder().name == "vggexplorer"
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert cache_folder() == Path.home() / ".cache" / "vggexplorer"


def test_the_progress_of_a_download_counts_compressed_files(nowhere: Path) -> None:
    assert downloaded_bytes(WHOLE_SET) == 0
    raw = download_folder() / "FashionMNIST" / "raw"
    put(raw, f"{LABELS}.gz", bytes(100))
    put(raw, LABELS, bytes(1000))
    assert downloaded_bytes(WHOLE_SET) == 100
    assert WHOLE_SET.download_bytes == 30_878_645


# --- files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_idx_file_is_read(tmp_path: Path, pack: "type[bytes]") -> None:
    path = put(tmp_path, "file", pack(idx(2, 3, content=b"abcdef")))
    assert read_idx(path) == ((2, 3), b"abcdef")


WHOLE = gzip.compress(idx(4, 100, content=bytes(range(200)) * 2), mtime=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a file of MNIST's format"),
        (b"\0", "is not a file of MNIST's format"),
        (idx(2, content=b"ab", kind=9), "is not a file of MNIST's format"),
        (b"\x89PNG\r\n", "is not a file of MNIST's format"),
        (idx(*[1] * 200, content=b"a"), "is not a file of MNIST's format"),
        (idx(content=b"a"), "is not a file of MNIST's format"),
        (gzip.compress(b"hello", mtime=0), "is not a file of MNIST's format"),
        (idx(2, 3)[:9], "is damaged or incomplete"),
        (idx(2, 3, content=b"abcde"), "is damaged or incomplete"),
        (idx(2, 3, content=b"abcdefg"), "is damaged or incomplete"),
        (idx(2**32 - 1, 2**32 - 1, 2**32 - 1), "is damaged or incomplete"),
        (WHOLE[:-12], "is damaged or incomplete"),
        (WHOLE[:-4], "is damaged or incomplete"),
        (WHOLE[:5], "is damaged or incomplete"),
        (WHOLE[:-8] + b"crc!" + WHOLE[-4:], "is damaged or incomplete"),
        (WHOLE[:40] + bytes([WHOLE[40] ^ 255]) + WHOLE[41:], "is damaged or incomplete"),
    ],
)
def test_what_is_not_whole_gets_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=f"broken.gz” {words}"):
        read_idx(put(tmp_path, "broken.gz", content))


def test_a_file_that_unpacks_without_end_is_not_read_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LARGEST", 1000)
    assert len(read_idx(put(tmp_path, "a", gzip.compress(idx(992, content=bytes(992)))))[1]) == 992
    with pytest.raises(InputError, match="is not a file of MNIST's format"):
        read_idx(put(tmp_path, "b", gzip.compress(idx(993, content=bytes(993)))))
    assert len(formats.content(put(tmp_path, "c", gzip.compress(bytes(10**6))))) == 1001


def test_a_file_that_cannot_be_opened_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone” cannot be read: No such file"):
        read_idx(tmp_path / "gone")
    with pytest.raises(InputError, match="cannot be read"):
        read_idx(tmp_path)


def small(folder: Path, **changes: bytes) -> Path:
    """A folder with three training images and two test images; `changes` replace the content of files."""
    for part, count in (("train", 3), ("t10k", 2)):
        images = changes.get(f"{part}_images", idx(count, 28, 28, content=bytes(count * 784)))
        put(folder, f"{part}-images-idx3-ubyte", images)
        put(folder, f"{part}-labels-idx1-ubyte", changes.get(f"{part}_labels", idx(count, content=bytes(count))))
    return folder


def test_a_part_of_the_set_is_read(tmp_path: Path) -> None:
    arrays = read(PART, small(tmp_path))
    assert [shape for shape, _ in arrays] == [(3, 28, 28), (3,), (2, 28, 28), (2,)]


def test_a_part_of_the_set_is_not_the_full_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte” is not that of Fashion-MNIST: .*SHA-256"):
        read(WHOLE_SET, small(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"train_images": idx(3, 28, 27, content=bytes(3 * 28 * 27))},
        {"train_images": idx(2, 28, 28, content=bytes(2 * 784))},
        {"t10k_labels": idx(1, 2, content=bytes(2)), "t10k_images": idx(1, 28, 28, content=bytes(784))},
        {"t10k_labels": idx(2, content=b"\0\x0a")},
        {"t10k_labels": idx(0), "t10k_images": idx(0, 28, 28)},
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, changes: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match="are not those of Fashion-MNIST"):
        read(PART, small(tmp_path, **changes))


@pytest.mark.parametrize("name", WHOLE_SET.files)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (small(tmp_path) / name).unlink()
    with pytest.raises(InputError, match=f"The file {name} is missing in “{tmp_path}”"):
        read(PART, tmp_path)


@pytest.fixture(scope="module")
def official() -> Arrays:
    return read(WHOLE_SET, DEBIAN)


@needs_debian
def test_the_official_files_are_accepted(official: Arrays) -> None:
    train, test = WHOLE_SET.sizes
    assert [shape for shape, _ in official] == [(train, 28, 28), (train,), (test, 28, 28), (test,)]
    assert Counter(official.train_labels[1]) == dict.fromkeys(range(10), 6000)


@needs_debian
def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    for path in DEBIAN.iterdir():
        (tmp_path / path.name).symlink_to(path)
    content = bytearray(gzip.decompress((DEBIAN / f"{LABELS}.gz").read_bytes()))
    put(tmp_path, LABELS, bytes(content))
    assert read(WHOLE_SET, tmp_path).test_labels == read_idx(DEBIAN / f"{LABELS}.gz")
    content[-1] ^= 1
    put(tmp_path, LABELS, bytes(content))
    with pytest.raises(InputError, match=f"{LABELS}” is not that of Fashion-MNIST"):
        read(WHOLE_SET, tmp_path)
    put(tmp_path, LABELS, bytes(content[:-1]))
    with pytest.raises(InputError, match=f"{LABELS}” is damaged or incomplete"):
        read(WHOLE_SET, tmp_path)


# --- the sample --------------------------------------------------------------------------------------


def test_the_sample_is_balanced_mixed_and_small() -> None:
    arrays = read(PART, SAMPLE)
    for (shape, labels), count in zip((arrays.train_labels, arrays.test_labels), PART.sizes, strict=True):
        assert shape == (count,)
        assert Counter(labels) == dict.fromkeys(range(len(CLASSES)), count // len(CLASSES))
        assert set(labels[:100]) == set(labels[-100:]) == set(range(len(CLASSES)))
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) <= 4_000_000


def test_a_picture_of_each_class_is_the_first_of_the_sample() -> None:
    arrays = read(PART, SAMPLE)
    known = pairs(arrays.test_images, arrays.test_labels)
    firsts = {label: pixels for pixels, label in reversed(known)}
    assert datasets.of_each_class(PART) == [firsts[label] for label in range(len(CLASSES))]


def test_the_sample_says_where_it_is_from() -> None:
    words = (SAMPLE / "README.md").read_text("utf-8")
    assert [word for word in ("zalandoresearch", "make_sample.py", "MIT", "2017 Zalando SE") if word not in words] == []


@needs_debian
def test_the_sample_is_what_the_script_makes(tmp_path: Path) -> None:
    made = tmp_path / "sample"
    script = [sys.executable, str(ROOT / "scripts" / "make_sample.py"), "--source", str(DEBIAN), "--to", str(made)]
    subprocess.run(script, check=True, timeout=120, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert {path.name for path in made.iterdir()} == {path.name for path in SAMPLE.iterdir()}
    assert (made / "README.md").read_text("utf-8") == (SAMPLE / "README.md").read_text("utf-8")
    assert read(PART, made) == read(PART, SAMPLE)
    assert read_idx(tmp_path / OF_EACH.name) == read_idx(OF_EACH)


@needs_debian
def test_the_sample_holds_official_images_with_their_labels(official: Arrays) -> None:
    arrays = read(PART, SAMPLE)
    for half in (slice(0, 2), slice(2, 4)):
        known = set(pairs(*official[half]))
        assert len(known & set(pairs(*arrays[half]))) == len(set(pairs(*arrays[half])))


def pairs(images: Idx, labels: Idx) -> list[tuple[bytes, int]]:
    pixels = images[1]
    return [(pixels[place * 784 : place * 784 + 784], label) for place, label in enumerate(labels[1])]


# --- downloading -------------------------------------------------------------------------------------


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder that stands for the user's cache."""
    module = pytest.importorskip("vggexplorer.pytorch.download")
    for place in (datasets, module):
        monkeypatch.setattr(place, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def fake(monkeypatch: pytest.MonkeyPatch, fails: Exception | None = None, cut: str = "") -> list[Path]:
    """torchvision's class replaced by one that copies Debian's files; answers the roots that it was called with."""
    calls: list[Path] = []

    def download(root: Path, download: bool) -> SimpleNamespace:
        assert download
        calls.append(root)
        raw = root / "FashionMNIST" / "raw"
        assert not raw.exists(), "half a file of an earlier download would be taken for a whole one"
        raw.mkdir(parents=True)
        for name in WHOLE_SET.files if DEBIAN.is_dir() else ():
            shutil.copy(DEBIAN / f"{name}.gz", raw)
            if name == cut:
                put(raw, name, gzip.decompress((raw / f"{name}.gz").read_bytes())[:-1])
        if fails:
            raise fails
        return SimpleNamespace()

    monkeypatch.setattr("torchvision.datasets.FashionMNIST", download)
    return calls


def run_download(monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Has it downloaded; answers the sentence if there is one."""
    from vggexplorer.pytorch import download

    monkeypatch.setattr("socket.setdefaulttimeout", lambda seconds: None)
    try:
        list(download.answer())
    except InputError as error:
        return str(error)
    return None


@needs_debian
def test_a_download_ends_up_in_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from vggexplorer.processes import tell
    from vggexplorer.pytorch import download

    calls = fake(monkeypatch)
    put(cache / "download" / "FashionMNIST" / "raw", LABELS, b"half")
    put(cache / "FashionMNIST" / "raw", LABELS, b"half")
    assert run_download(monkeypatch) is None
    assert tell(download.answer()) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(cache / "FashionMNIST" / "raw")}
    assert find(Dataset("full", str(cache))) == cache / "FashionMNIST" / "raw"
    assert read(WHOLE_SET, cache / "FashionMNIST" / "raw").test_labels[0] == (10_000,)
    assert not (cache / "download").exists()
    assert run_download(monkeypatch) is None
    assert calls == [cache / "download"], "what is there is not downloaded again"


@needs_debian
def test_a_broken_download_is_not_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, cut=LABELS)
    assert "is damaged or incomplete" in (run_download(monkeypatch) or "")
    assert {path.name for path in cache.iterdir()} <= {"download.lock"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("Error downloading a.gz:\nTried http://b, got:\n<urlopen error no internet>\n"), "no internet>"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_a_failed_download_is_one_sentence(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    fake(monkeypatch, fails=error)
    sentence = run_download(monkeypatch) or ""
    assert sentence.startswith("Fashion-MNIST could not be downloaded: ")
    assert reason in sentence
    assert "\n" not in sentence
    assert {path.name for path in cache.iterdir()} <= {"download.lock"}


def test_two_downloads_do_not_meet(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    calls = fake(monkeypatch)
    cache.mkdir()
    with FileLock(cache / "download.lock"):
        assert run_download(monkeypatch) == "Fashion-MNIST is being downloaded already."
    assert calls == []


def test_a_cache_that_cannot_be_made_is_one_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write_text("in the way", encoding="utf-8")
    assert "could not be downloaded" in (run_download(monkeypatch) or "")
