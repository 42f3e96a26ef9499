"""Our safetensors files against the library of that name."""

import json
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from samples import examples

from vggexplorer.pytorch import weights
from vggexplorer.runs.folder import safetensors

DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    return (torch.randn(shape, generator=generator) * 100).to(draw(st.sampled_from(DTYPES)))


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(lambda n: n != "__metadata__")
texts = st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=3)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        a.dtype == second[name].dtype and a.shape == second[name].shape and torch.equal(a, second[name])
        for name, a in first.items()
    )


@examples(100)
@given(kept=st.dictionaries(names, tensors(), max_size=4), about=texts)
def test_the_library_reads_what_we_write_and_we_what_it_writes(
    kept: dict[str, torch.Tensor], about: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "file.safetensors"
    weights.save(path, kept, about)
    assert same(load_file(path), kept)
    with safe_open(path, "pt") as opened:
        assert {name: text for name, text in opened.metadata().items() if name != "crc32"} == about
    assert same(weights.load(path), kept)
    assert safetensors.metadata(path) == about
    save_file(kept, path, about or None)
    assert same(weights.load(path), kept)
    assert safetensors.metadata(path) == about


def test_a_tensor_in_another_order_of_memory_keeps_its_values(tmp_path: Path) -> None:
    kept = {"w": torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last), "t": torch.randn(3, 4).T}
    weights.save(tmp_path / "f", kept, {})
    assert same(weights.load(tmp_path / "f"), kept)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "file.safetensors"
    weights.save(path, {"w": torch.ones(7, 3), "n": torch.tensor(5)}, {"step": "5"})
    return path


def test_every_file_that_is_cut_off_is_refused(good: Path) -> None:
    content = good.read_bytes()
    for length in range(len(content)):
        good.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"file\.safetensors"):
            weights.load(good)


def test_every_flipped_bit_is_noticed(good: Path) -> None:
    kept, content = weights.load(good), good.read_bytes()
    for place in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        good.write_bytes(damaged)
        try:
            tensors = weights.load(good)
        except ValueError:
            continue
        # All that a flip may do is to the name of the checksum: nothing is checked then, and nothing else is changed.
        assert same(tensors, kept)
        assert safetensors.metadata(good)["step"] == "5"


def entry(**values: object) -> object:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | values}


@pytest.mark.parametrize(
    "header",
    [
        [],
        None,
        5,
        {"w": 5},
        {"w": {}},
        {"__metadata__": 5},
        entry(dtype="F31"),
        entry(dtype=[]),
        entry(shape=[3]),
        entry(shape=[-2]),
        entry(shape=[True, 2]),
        entry(shape="2"),
        entry(shape=None),
        entry(data_offsets=[0]),
        entry(data_offsets=[0, 8, 16]),
        entry(data_offsets=[-8, 0]),
        entry(data_offsets=[8, 16]),
        entry(data_offsets=[8, 0]),
        entry(data_offsets=[0, 8.0]),
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused(header: object, tmp_path: Path) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "file"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 8)
    with pytest.raises(ValueError, match="file"):
        weights.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 8, b"\xff" * 100, struct.pack("<Q", 4) + b"{{{{", struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc"],
    ids=repr,
)
def test_what_is_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="file"):
        safetensors.read_layout(path)


def test_nested_garbage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(struct.pack("<Q", 100_000) + b"[" * 100_000)
    with pytest.raises(ValueError, match="file"):
        safetensors.read_layout(path)
