"""MNIST, KMNIST and CIFAR-10 in files of the layout that was published: found, checked, read, downloaded.

The files are written here; of the originals only what is published of them is known.
"""

import gzip
import hashlib
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_datasets import cache, idx, nowhere, put  # noqa: F401 (fixtures)

from vggexplorer.errors import InputError
from vggexplorer.runs import datasets, formats
from vggexplorer.runs.datasets import KNOWN, Arrays, Dataset, Known, download_folder, downloaded_bytes, find, read
from vggexplorer.runs.formats import cifar_batch

NEW = ("mnist", "kmnist", "cifar10")
SIDE = 32 * 32


def text(value: bytes) -> bytes:
    """A text in a pickle of Python 2: its length in one byte, or in four."""
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<I", len(value)) + value


def batch(labels: Sequence[int], pixels: bytes, order: Sequence[str] = ("batch_label", "labels", "data")) -> bytes:
    """A batch of CIFAR-10, pickled as Python 2 does it: a dictionary with a list, and an array of NumPy."""
    count = struct.pack("<H", len(labels))
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87R(K\x01M"
    array += count + b"M\x00\x0c\x86cnumpy\ndtype\nq\x07U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
    array += b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + text(pixels) + b"tb"
    parts = {
        "batch_label": text(b"training batch 1 of 5"),
        "labels": b"]q\x03(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
        "data": array,
        "filenames": b"](" + b"".join(text(b"labels_s_%06d.png" % label) + b"q\x04" for label in labels) + b"e",
    }
    content = b"".join(text(name.encode()) + b"q\x02" + parts[name] for name in (*order, "filenames"))
    return b"\x80\x02}q\x01(" + content + b"u."


def pixels(count: int, first: int = 0) -> bytes:
    return bytes((first + place) % 251 for place in range(count * 3 * SIDE))


def content_of(kind: str, known: Known) -> dict[str, bytes]:
    """Files as they were published, but with three training images, or two in each batch, and two test images."""
    if kind == "cifar10":
        return {name: batch([place, 9 - place], pixels(2, place)) for place, name in enumerate(known.files)}
    parts = [idx(3, 28, 28, content=pixels(1)[: 3 * 784]), idx(3, content=b"\0\x09\5")]
    parts += [idx(2, 28, 28, content=pixels(1, 7)[: 2 * 784]), idx(2, content=b"\1\2")]
    packed = [
        gzip.compress(part, mtime=0) if name.endswith(".gz") else part
        for name, part in zip(known.files, parts, strict=True)
    ]
    return dict(zip(known.files, packed, strict=True))


@pytest.fixture(params=NEW)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The word of a data set of which our files are the published ones."""
    word: str = request.param
    known = KNOWN[word]
    kinds = {64: hashlib.sha256, 32: hashlib.md5}
    sums = {
        name: kinds[len(known.files[name])](content).hexdigest() for name, content in content_of(word, known).items()
    }
    monkeypatch.setitem(KNOWN, word, replace(known, files=sums))
    return word


def complete(folder: Path, kind: str) -> Path:
    for name, content in content_of(kind, KNOWN[kind]).items():
        put(folder, name, content)
    return folder


def check(arrays: Arrays, kind: str) -> None:
    if kind == "cifar10":
        assert arrays.train_images == ((10, 3, 32, 32), b"".join(pixels(2, place) for place in range(5)))
        assert arrays.train_labels == ((10,), bytes([0, 9, 1, 8, 2, 7, 3, 6, 4, 5]))
        assert arrays.test_images == ((2, 3, 32, 32), pixels(2, 5))
        assert arrays.test_labels == ((2,), b"\5\4")
    else:
        assert arrays.train_images == ((3, 28, 28), pixels(1)[: 3 * 784])
        assert arrays.train_labels == ((3,), b"\0\x09\5")
        assert arrays.test_images == ((2, 28, 28), pixels(1, 7)[: 2 * 784])
        assert arrays.test_labels == ((2,), b"\1\2")


def test_what_torchvision_publishes_of_them_is_what_we_ask_for() -> None:
    module = pytest.importorskip("torchvision.datasets")
    lists = module.CIFAR10.train_list + module.CIFAR10.test_list
    assert dict(lists) == KNOWN["cifar10"].files
    assert module.CIFAR10.filename == KNOWN["cifar10"].archive
    for kind in ("mnist", "kmnist"):
        theirs = getattr(module, KNOWN[kind].torchvision).resources
        assert [name.removesuffix(".gz") for name in KNOWN[kind].files] == [name[:-3] for name, _ in theirs]
    assert module.KMNIST.classes == list(datasets.KANA)


def test_the_files_are_read(kind: str, tmp_path: Path) -> None:
    check(read(KNOWN[kind], complete(tmp_path, kind)), kind)


def test_they_are_read_compressed_if_their_content_is_known(tmp_path: Path, kind: str) -> None:
    for name, content in content_of(kind, KNOWN[kind]).items():
        put(tmp_path, name if name.endswith(".gz") else f"{name}.gz", gzip.compress(content, 1))
    if kind == "kmnist":
        with pytest.raises(InputError, match=r"SHA-256|not a file of MNIST's format"):
            read(KNOWN[kind], tmp_path)
    else:
        check(read(KNOWN[kind], tmp_path), kind)


def test_a_changed_byte_is_noticed(kind: str, tmp_path: Path) -> None:
    known = KNOWN[kind]
    for name in known.files:
        content = bytearray(complete(tmp_path, kind).joinpath(name).read_bytes())
        content[len(content) // 2] ^= 1
        put(tmp_path, name, bytes(content))
        with pytest.raises(InputError, match=f"{name}” is (not that of {known.title}: .*|damaged or incomplete)"):
            read(known, tmp_path)
        put(tmp_path, name, bytes(content[: len(content) // 2]))
        with pytest.raises(InputError, match=f"{name}” is damaged or incomplete"):
            read(known, tmp_path)


@pytest.mark.parametrize("below", ["named", "named/raw", "named/folder/raw", "home/data/raw", "cache/raw"])
def test_they_are_found_where_torchvision_puts_them(
    nowhere: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    below: str,
) -> None:
    known = KNOWN[kind]
    monkeypatch.setenv("VGGEXPLORER_DATA", str(nowhere / "named"))
    places = {
        "named/raw": f"named/{Path(known.raw).name}",
        "named/folder/raw": f"named/{known.raw}",
        "home/data/raw": f"home/data/{known.raw}",
        "cache/raw": f"cache/{known.raw}",
    }
    assert find(Dataset(kind)) is None
    place = complete(nowhere / places.get(below, below), kind)
    found = find(Dataset(kind))
    assert found is not None
    assert found.resolve() == place


def test_files_of_another_set_with_the_same_names_are_passed_over(
    nowhere: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """A variable that leads to one of the sets hides no other one; whoever names its folder is told what is wrong."""
    if kind == "cifar10":
        pytest.skip("its files are called otherwise")
    other = "kmnist" if kind == "mnist" else "mnist"
    complete(nowhere / "named", kind)
    for path in (nowhere / "named").iterdir():
        if other == "kmnist":
            put(path.parent, f"{path.name}.gz", gzip.compress(path.read_bytes(), mtime=0))
    monkeypatch.setenv("VGGEXPLORER_DATA", str(nowhere / "named"))
    assert find(Dataset(kind)) == nowhere / "named"
    assert find(Dataset(other)) is None
    assert find(Dataset(other, str(nowhere / "named"))) == nowhere / "named"
    with pytest.raises(InputError, match=f"is not that of {KNOWN[other].title}"):
        read(KNOWN[other], nowhere / "named")


def test_they_become_tensors(kind: str, tmp_path: Path) -> None:
    data = pytest.importorskip("vggexplorer.pytorch.data")
    known = KNOWN[kind]
    found = data.load(Dataset(kind, str(complete(tmp_path, kind))), (3, 32, 32))
    assert found.train_images.shape[1:] == found.test_images.shape[1:] == known.shape
    assert found.classes == known.classes
    assert sum(map(sum, found.counts)) == len(found.train_images) + len(found.test_images)
    if kind == "cifar10":
        assert bytes(found.test_images.flatten().tolist()) == pixels(2, 5)


def test_a_missing_one_says_how_to_get_it(nowhere: Path, kind: str) -> None:  # noqa: F811
    count = len(KNOWN[kind].files)
    words = rf"vggexplorer\.pytorch\.download {kind}`, or name the folder of its {count} files: {kind}:FOLDER"
    with pytest.raises(InputError, match=words):
        datasets.official(Dataset(kind))
    with pytest.raises(InputError, match=f"does not hold the {count} files of {KNOWN[kind].title}"):
        datasets.official(Dataset(kind, str(nowhere)))


# --- CIFAR-10's batches -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [("batch_label", "labels", "data"), ("data", "labels", "batch_label")])
def test_a_batch_is_what_unpickling_gives(tmp_path: Path, order: Sequence[str]) -> None:
    numpy = pytest.importorskip("numpy")
    content = batch([3, 0, 9], pixels(3), order)
    theirs: dict[str, Any] = pickle.loads(content, encoding="latin1")
    images, labels = cifar_batch(content, tmp_path)
    assert labels == ((3,), bytes(theirs["labels"]))
    assert images == ((3, 3, 32, 32), theirs["data"].astype(numpy.uint8).tobytes())


class Trap:
    """What runs something where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (sys.exit, ("unpickled",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"no pickle",
        batch([1, 2], pixels(1)),
        batch([], b""),
        batch([1, 2], pixels(2))[:-3000],
        pickle.dumps({"labels": [1], "data": Trap()}, 2),
        pickle.dumps({"labels": [256, -1, 10**30], "data": "x" * 3072}, 2),
        pickle.dumps({"labels": [1], "data": "\u4e2d" * 3072}, 2),
        b"\x80\x02" + b"0" * 300_000 + b".",
    ],
    ids=range(10),
)
def test_what_is_no_batch_gets_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="is damaged or incomplete"):
        cifar_batch(content, tmp_path)


def test_a_batch_may_be_of_another_protocol(tmp_path: Path) -> None:
    content = pickle.dumps({"labels": [7], "data": "\xff" * 3072}, 2)
    assert cifar_batch(content, tmp_path) == (((1, 3, 32, 32), b"\xff" * 3072), ((1,), b"\7"))


def test_no_file_of_theirs_is_larger_than_what_is_read() -> None:
    for kind in NEW:
        known = KNOWN[kind]
        each = known.sizes[1] if known.archive else max(known.sizes)
        assert each * known.shape[0] * known.shape[1] * known.shape[2] <= formats.LARGEST - 16


# --- downloading --------------------------------------------------------------------------------------


def test_a_download_ends_up_in_the_cache(
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    from vggexplorer.pytorch import download

    known = KNOWN[kind]
    arrived = []

    def fake(root: Path, download: bool) -> SimpleNamespace:
        if known.archive:
            put(root, known.archive, bytes(100))
        complete(root / known.raw, kind)
        for name in () if known.archive else known.files:
            put(root / known.raw, f"{name.removesuffix('.gz')}.gz", (root / known.raw / name).read_bytes())
        arrived.append(downloaded_bytes(known))
        return SimpleNamespace()

    monkeypatch.setattr(f"torchvision.datasets.{known.torchvision}", fake)
    monkeypatch.setattr("socket.setdefaulttimeout", lambda seconds: None)
    assert list(download.answer(kind)) == [{"folder": str(cache / known.raw)}]
    assert arrived[0] > 0
    check(read(known, cache / known.raw), kind)
    assert not download_folder().exists()
