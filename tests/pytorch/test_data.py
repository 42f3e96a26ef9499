"""Data sets as tensors: equal to torchvision's transforms, folders of all sorts of pictures, random changes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision import transforms

from vggexplorer.errors import InputError
from vggexplorer.paths import DEBIAN
from vggexplorer.pytorch import data
from vggexplorer.pytorch import folder as reader
from vggexplorer.pytorch.data import augment, load, to_batch
from vggexplorer.runs import datasets
from vggexplorer.runs.datasets import CLASSES, KNOWN, SAMPLE, Dataset
from vggexplorer.runs.folders import MAX_ODD

LEVEL = 1.001 / 255
"""One grey level and the rounding of float32."""


@pytest.fixture(scope="module")
def sample() -> data.Data:
    return load(Dataset("sample"), (1, 28, 28))


def photo(height: int, width: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Noise, edges and shades: what resizing can get wrong."""
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture = Image.fromarray(levels)
    ImageDraw.Draw(picture).rectangle((2, 2, width // 2, height // 2), fill=(255, 0, 0), outline=(0, 0, 255))
    return picture.convert(mode)


def tensor(picture: Image.Image) -> Tensor:
    """The picture as uint8 (channels, height, width)."""
    return transforms.functional.pil_to_tensor(picture)


def by_torchvision(picture: Image.Image, height: int, width: int) -> Tensor:
    return transforms.Compose([transforms.Resize((height, width)), transforms.ToTensor()])(picture)


# --- the sets that have names ------------------------------------------------------------------------


def test_the_sample_is_there(sample: data.Data) -> None:
    train, test = KNOWN["sample"].sizes
    assert sample.train_images.shape == (train, 1, 28, 28)
    assert sample.test_images.shape == (test, 1, 28, 28)
    assert sample.train_images.dtype == sample.test_images.dtype == torch.uint8
    assert sample.train_labels.dtype == sample.test_labels.dtype == torch.int64
    assert (sample.classes, sample.odd) == (CLASSES, ())
    assert sample.train_labels.bincount().tolist() == [train // 10] * 10
    assert sample.test_labels.bincount().tolist() == [test // 10] * 10


def test_fewer_images_are_taken_evenly_out_of_each_class(sample: data.Data) -> None:
    few = data.limited(sample, 1505)
    assert sorted(few.train_labels.bincount().tolist()) == [150] * 5 + [151] * 5
    all_images = sample.train_images.flatten(1).tolist()
    places = [all_images.index(image) for image in few.train_images.flatten(1).tolist()]
    assert places == sorted(set(places))
    assert torch.equal(sample.train_labels[places], few.train_labels)
    for images in (None, 6000, 9999):
        assert data.limited(sample, images) is sample


needs_debian = pytest.mark.skipif(
    not (DEBIAN / "fashion-mnist").is_dir(), reason="Debian's package dataset-fashion-mnist is not there"
)


@needs_debian
def test_the_full_set_is_what_torchvision_reads(tmp_path: Path) -> None:
    import gzip

    from torchvision.datasets import FashionMNIST

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DEBIAN / "fashion-mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    ours = load(Dataset("full", str(tmp_path)), (1, 28, 28))
    for train, images, labels in ((True, *ours[:2]), (False, *ours[2:4])):
        theirs = FashionMNIST(tmp_path, train=train)
        assert torch.equal(images[:, 0], theirs.data)
        assert torch.equal(labels, theirs.targets)


def test_a_missing_full_set_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets, "find", lambda dataset: None)
    with pytest.raises(InputError, match=r"vggexplorer\.pytorch\.download.*dataset-fashion-mnist.*full:FOLDER"):
        load(Dataset("full"), (1, 28, 28))
    with pytest.raises(InputError, match=f"“{tmp_path}” does not hold the 4 files"):
        load(Dataset("full", str(tmp_path)), (1, 28, 28))


def test_a_part_of_the_set_is_not_taken_for_the_full_one() -> None:
    with pytest.raises(InputError, match="is not that of Fashion-MNIST"):
        load(Dataset("full", str(SAMPLE)), (1, 28, 28))


# --- batches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [14, 20, 28, 56, 65, 96, 160, 224])
def test_resizing_is_torchvisions(sample: data.Data, side: int) -> None:
    images = sample.test_images[:100]
    batch = to_batch(images, (1, side, side))
    expected = torch.stack([by_torchvision(Image.fromarray(image[0].numpy()), side, side) for image in images])
    assert batch.shape == (100, 1, side, side)
    assert (batch - expected).abs().max() <= LEVEL
    assert batch.dtype == torch.float32
    assert batch.min() >= 0
    assert batch.max() <= 1


@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((40, 60), (40, 60)),
        ((40, 60), (17, 23)),
        ((40, 60), (96, 96)),
        ((40, 60), (80, 30)),
        ((40, 60), (20, 60)),
        ((200, 150), (7, 7)),
        ((9, 9), (224, 224)),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_are_resized_as_by_torchvision(size: tuple[int, int], to: tuple[int, int], mode: str) -> None:
    pictures = [photo(*size, seed, mode) for seed in range(3)]
    channels = len(mode) if mode == "RGB" else 1
    batch = to_batch(torch.stack(list(map(tensor, pictures))), (channels, *to))
    expected = torch.stack([by_torchvision(picture, *to) for picture in pictures])
    assert (batch - expected).abs().max() <= LEVEL


def test_without_resizing_nothing_is_rounded(sample: data.Data) -> None:
    images = sample.test_images[:10]
    assert torch.equal(to_batch(images, (1, 28, 28)), images / 255)


@pytest.mark.parametrize("channels", [2, 3, 5])
def test_grey_images_repeat_their_channel(sample: data.Data, channels: int) -> None:
    images = sample.test_images[:10]
    batch = to_batch(images, (channels, 33, 40))
    assert batch.shape == (10, channels, 33, 40)
    assert all(torch.equal(batch[:, [index]], to_batch(images, (1, 33, 40))) for index in range(channels))


def test_colours_become_grey_as_pillow_does_it() -> None:
    picture = photo(30, 20)
    batch = to_batch(tensor(picture)[None], (1, 30, 20))
    assert (batch[0] - tensor(picture.convert("L")) / 255).abs().max() <= LEVEL


# --- random changes ----------------------------------------------------------------------------------


def numbered(count: int = 400, height: int = 6, width: int = 5) -> Tensor:
    """Images of two channels in which every pixel has a value of its own, from 0.25 to 0.5."""
    pixels = torch.linspace(0.25, 0.5, 2 * height * width).view(1, 2, height, width)
    return pixels.repeat(count, 1, 1, 1)


def test_nothing_asked_for_changes_and_draws_nothing() -> None:
    batch = numbered()
    state = torch.get_rng_state()
    assert torch.equal(augment(batch, False, 0, 0.0), batch)
    assert torch.equal(torch.get_rng_state(), state)


def test_half_of_the_images_are_mirrored() -> None:
    torch.manual_seed(0)
    batch = numbered()
    result = augment(batch, True, 0, 0.0)
    mirrored = (result == batch.flip(3)).flatten(1).all(1)
    same = (result == batch).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert 150 <= int(mirrored.sum()) <= 250


def test_a_crop_moves_each_image_and_fills_with_black() -> None:
    torch.manual_seed(0)
    batch = numbered(2000)
    result = augment(batch, False, 2, 0.0)
    padded = torch.nn.functional.pad(batch[:1], (2, 2, 2, 2))[0]
    windows = torch.stack([padded[:, top : top + 6, left : left + 5] for top in range(5) for left in range(5)])
    found = (result[:, None] == windows[None]).flatten(2).all(2)
    assert found.sum(1).eq(1).all()
    assert found.sum(0).min() >= 40  # 80 of each window are expected
    assert result.shape == batch.shape


def test_a_factor_of_brightness_for_each_image() -> None:
    torch.manual_seed(0)
    batch = numbered(2000)
    factors = (augment(batch, False, 0, 0.4) / batch).flatten(1)
    assert (factors.max(1).values - factors.min(1).values).max() < 1e-5
    assert factors.min() >= 0.6 - 1e-5
    assert factors.max() <= 1.4 + 1e-5
    assert abs(float(factors.mean()) - 1) < 0.02
    assert float(factors.std()) == pytest.approx(0.8 / 12**0.5, rel=0.1)


def test_brightness_stays_from_0_to_1() -> None:
    torch.manual_seed(0)
    result = augment(torch.ones(100, 1, 2, 2), False, 0, 1.0)
    assert result.max() == 1
    assert 0 <= result.min() < 0.2


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return augment(numbered(), True, 2, 0.3)

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_the_batch_given_is_left_alone(sample: data.Data) -> None:
    torch.manual_seed(0)
    batch = to_batch(sample.test_images[:20], (3, 28, 28))
    before = batch.clone()
    assert not torch.equal(augment(batch, True, 3, 0.5), before)
    assert torch.equal(batch, before)


class Counter(TorchDispatchMode):
    """Counts what torch is asked to compute."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def test_a_larger_batch_is_no_more_work_for_python_and_no_number_is_waited_for() -> None:
    """On the meta device there are no numbers: whatever asks for one fails."""

    def operations(count: int) -> int:
        images = torch.zeros(count, 1, 28, 28, dtype=torch.uint8, device="meta")
        with Counter() as counter:
            assert augment(to_batch(images, (3, 20, 32)), True, 2, 0.2).shape == (count, 3, 20, 32)
        return counter.count

    assert 0 < operations(4) == operations(64)


# --- a folder of pictures ----------------------------------------------------------------------------


def folder(root: Path, *classes: str, count: int = 8, mode: str = "RGB") -> Path:
    """A folder of pictures 00.png, 01.png, ... for each class; `count` of them, all different."""
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for index in range(count):
            photo(12, 10, 100 * number + index, mode).save(root / name / f"{index:02}.png")
    return root


def read(root: Path, *shape: int) -> data.Data:
    return load(Dataset("folder", str(root)), shape or (3, 12, 10))


def plain(path: Path, **options: Any) -> Path:
    """One white picture, as a file that `options` describe to Pillow."""
    Image.new("RGB", (10, 12), "white").save(path, **options)
    return path


def test_every_seventh_picture_of_a_class_is_for_the_test(tmp_path: Path) -> None:
    result = read(folder(tmp_path, "dog", "cat", count=8))
    assert result.classes == ("cat", "dog")
    assert result.train_labels.tolist() == [0] * 6 + [1] * 6
    assert result.test_labels.tolist() == [0, 0, 1, 1]
    for place, name in enumerate(("cat/00", "cat/07", "dog/00", "dog/07")):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert torch.equal(result.test_images[place], tensor(picture))
    assert result.train_images.shape == (12, 3, 12, 10)
    assert result.train_images.dtype == torch.uint8
    assert result.train_labels.dtype == torch.int64
    assert result.odd == ()


def test_few_images_of_a_folder_are_of_all_classes(tmp_path: Path) -> None:
    few = data.limited(read(folder(tmp_path, "a", "b", "c", count=8)), 4)
    assert few.train_labels.tolist() == [0, 0, 1, 2]


def test_train_and_test_folders_are_kept(tmp_path: Path) -> None:
    folder(tmp_path / "train", "b", "a", count=8)
    folder(tmp_path / "test", "a", "b", "stranger", count=3)
    result = read(tmp_path)
    assert result.classes == ("a", "b")
    assert result.train_labels.bincount().tolist() == [8, 8]
    assert result.test_labels.bincount().tolist() == [3, 3]
    assert result.odd == ()


def test_a_class_without_test_pictures_is_not_tested(tmp_path: Path) -> None:
    folder(tmp_path / "train", "a", "b")
    folder(tmp_path / "test", "a", "b", count=3)
    for place in range(3):
        (tmp_path / "test" / "b" / f"{place:02}.png").write_text("no picture")
    result = read(tmp_path)
    assert (result.test_labels.tolist(), result.counts) == ([0, 0, 0], [[8, 3], [8, 0]])
    for place in range(3):
        (tmp_path / "test" / "a" / f"{place:02}.png").write_text("no picture")
    with pytest.raises(InputError, match="None of the pictures for testing can be used"):
        read(tmp_path)


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 24, 20), (3, 6, 20)])
def test_pictures_get_the_size_and_the_channels_of_the_input(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    result = read(folder(tmp_path, "a", "b"), *shape)
    assert result.train_images.shape[1:] == shape
    with Image.open(tmp_path / "a" / "00.png") as picture:
        expected = by_torchvision(picture.convert("L" if shape[0] == 1 else "RGB"), *shape[1:])
    assert torch.equal(to_batch(result.test_images[:1], shape)[0], expected)


def test_other_numbers_of_channels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Pictures have 1 or 3 channels; this network takes 4"):
        read(folder(tmp_path, "a", "b"), 4, 8, 8)


def test_odd_files_are_listed_and_the_others_used(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b")
    a = tmp_path / "a"
    (a / "notes.txt").write_text("hello")
    (a / "empty.png").touch()
    (a / ".hidden").write_text("hello")
    (a / "gone.png").symlink_to(a / "nowhere")
    photo(200, 200).save(a / "cut.jpg")
    (a / "cut.jpg").write_bytes((a / "cut.jpg").read_bytes()[:5000])
    whole = (a / "00.png").read_bytes()
    (a / "bad.png").write_bytes(whole[:60] + bytes(40) + whole[100:])
    plain(a / "drawing.eps")
    Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32)).save(a / "float.tiff")
    result = read(tmp_path)
    reasons = dict(entry.split(": ", 1) for entry in result.odd)
    assert reasons.pop("“a/cut.jpg”").startswith("cannot be unpacked: image file is truncated")
    assert reasons.pop("“a/bad.png”")
    assert reasons == {
        "“a/notes.txt”": "not a picture",
        "“a/empty.png”": "the file is empty",
        "“a/drawing.eps”": "EPS is not read; save it as PNG, JPEG or TIFF",
        "“a/gone.png”": "not a file",
        "“a/float.tiff”": "not all levels are numbers",
    }
    assert len(result.train_images) + len(result.test_images) == 16


def test_odd_files_do_not_change_which_pictures_test(tmp_path: Path) -> None:
    before = read(folder(tmp_path, "a", "b"))
    (tmp_path / "a" / "000.txt").write_text("sorted before all")
    assert torch.equal(read(tmp_path).test_images, before.test_images)


def test_endless_odd_files_are_not_all_listed(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b", count=2)
    for index in range(MAX_ODD + 5):
        (tmp_path / "a" / f"{index}.txt").touch()
    found = read(tmp_path)
    assert (len(found.odd), found.num_odd) == (MAX_ODD, MAX_ODD + 5)


def test_a_picture_of_too_many_pixels_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, "a", "b")
    Image.new("1", (150, 100)).save(tmp_path / "a" / "large.png")
    Image.new("1", (500, 100)).save(tmp_path / "b" / "larger.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    assert read(tmp_path).odd == ("“a/large.png”: too many pixels", "“b/larger.png”: too many pixels")


def test_a_folder_that_takes_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 16 * 360 - 1)
    with pytest.raises(InputError, match="16 pictures of 12×10 take"):
        read(folder(tmp_path, "a", "b"))


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_needs_two_pictures(tmp_path: Path, count: int) -> None:
    folder(tmp_path, "a", "b")
    folder(tmp_path, "c", count=0)
    for number in range(count):
        photo(12, 10, 900 + number).save(tmp_path / "c" / f"{number}.png")
    for name in ("x", "y"):
        (tmp_path / "c" / f"{name}.txt").write_text("hello")
    with pytest.raises(InputError, match=f"The class “c” has {count} pictures? that can be used; at least 2"):
        read(tmp_path)


def test_copies_are_trained_on(tmp_path: Path) -> None:
    """Whatever they are called and however they are packed; others take their places in the test."""
    folder(tmp_path, "a", "b", count=15)
    for name in ("00", "14"):
        with Image.open(tmp_path / "a" / f"{name}.png") as picture:
            picture.save(tmp_path / "a" / f"{name} (2).bmp")
    result = read(tmp_path)
    assert result.counts == [[14, 3], [12, 3]]
    tested = [place for place in range(15) if same(result.test_images, tmp_path / "a" / f"{place:02}.png")]
    assert tested == [1, 6, 13]
    for name in ("00", "14"):
        assert same(result.train_images, tmp_path / "a" / f"{name}.png") == 2
    assert list(map(str, result.said)) == [
        "The first of every 7 pictures of a class is for testing.",
        "4 pictures have copies that are the same to the pixel; all of these are trained on, and the test is of "
        "others.",
    ]


def same(images: Tensor, path: Path) -> int:
    """How many of the images are the one in the file."""
    with Image.open(path) as picture:
        return sum(torch.equal(image, tensor(picture)) for image in images)


def test_a_class_of_copies_is_not_tested_and_it_is_said(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b", "c", count=8)
    for place in range(8):
        shutil.copy(tmp_path / "b" / f"{place:02}.png", tmp_path / "b" / f"{place:02} copy.png")
    result = read(tmp_path)
    assert result.counts == [[6, 2], [16, 0], [6, 2]]
    assert "Of “b” no picture is left to test on: each has a copy." in map(str, result.said)


def test_where_each_picture_has_a_copy_nothing_can_be_tested(tmp_path: Path) -> None:
    folder(tmp_path, "a", "b", count=4)
    for file in list(tmp_path.glob("*/*.png")):
        shutil.copy(file, file.with_name(f"copy of {file.name}"))
    with pytest.raises(InputError, match=r"Each picture has a copy .* sort the pictures into folders train and test"):
        read(tmp_path)


def test_copies_in_several_classes_and_in_both_parts_are_told(tmp_path: Path) -> None:
    folder(tmp_path / "train", "a", "b", "c", count=4)
    folder(tmp_path / "test", "a", "b", "c", count=3)
    for name in ("train/b", "test/c"):
        shutil.copy(tmp_path / "train" / "a" / "03.png", tmp_path / name / "more.png")
    result = read(tmp_path)
    assert result.counts == [[4, 3], [5, 3], [4, 4]]
    assert list(map(str, result.said))[1:] == [
        "10 pictures for testing are trained on, too, the same to the pixel: the test flatters the network.",
        "1 picture is in more than one class, the same to the pixel: “a”, “b”, “c”.",
    ]


def test_two_pictures_of_a_class_are_enough(tmp_path: Path) -> None:
    result = read(folder(tmp_path, "a", "b", count=2))
    assert result.train_labels.tolist() == result.test_labels.tolist() == [0, 1]


def test_a_folder_needs_two_classes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 2 folders, one for the pictures of each class; there is 1"):
        read(folder(tmp_path, "a"))
    (tmp_path / "b.png").touch()
    (tmp_path / ".git").mkdir()
    with pytest.raises(InputError, match="there is 1"):
        read(tmp_path)


def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone” cannot be read: No such file"):
        read(tmp_path / "gone")
    with pytest.raises(InputError, match="cannot be read"):
        read(plain(tmp_path / "a.png"))


def test_the_default_data_set_needs_no_look_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_candidates", lambda dataset: pytest.fail("the sample ships with the package"))
    assert load(Dataset("sample"), (3, 64, 64)).train_images.shape == (6000, 1, 28, 28)
