"""Makes the sample of Fashion-MNIST that ships with the package: `python scripts/make_sample.py [--to FOLDER]`.

A picture of each class lies beside it, for the pages that show just these. The official files are read from --source,
or from where the dashboard would find them, and checked.
"""

import argparse
import gzip
import hashlib
import struct
import sys
from pathlib import Path

from vggexplorer.errors import InputError
from vggexplorer.runs.datasets import CLASSES, KNOWN, OF_EACH, SAMPLE, Arrays, Dataset, find, read
from vggexplorer.runs.formats import Idx

README = """# A sample of Fashion-MNIST

{train:,} training and {test:,} test images of Fashion-MNIST, the same number of each of its ten classes, so that a
training can start without the internet. The files have the format and the names of the original ones (IDX, gzip).

`scripts/make_sample.py` made them from the official files (<https://github.com/zalandoresearch/fashion-mnist>, here as
in Debian's package dataset-fashion-mnist): the first {train_each} training and {test_each} test images of each class in
the order of the files, then put in another order that is fixed. The images themselves are not changed.

H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms.
arXiv:1708.07747, 2017.

## Licence of Fashion-MNIST

The MIT License (MIT)

Copyright © 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the “Software”), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def chosen(labels: bytes, each: int) -> list[int]:
    """The places of the first `each` images of every class, in an order that looks random and is always the same."""
    places = [place for label in range(len(CLASSES)) for place in _places(labels, label)[:each]]
    return sorted(places, key=lambda place: hashlib.sha256(str(place).encode()).digest())


def _places(labels: bytes, label: int) -> list[int]:
    return [place for place, value in enumerate(labels) if value == label]


def pick(images: Idx, labels: Idx, each: int) -> tuple[bytes, bytes]:
    """IDX files of `each` images of every class and of their labels, from images (n, 28, 28) and labels (n,)."""
    places = chosen(labels[1], each)
    picked = bytes(labels[1][place] for place in places)
    return _pictures(images, places), struct.pack(">BBBBI", 0, 0, 8, 1, len(places)) + picked


def _pictures(images: Idx, places: list[int]) -> bytes:
    """An IDX file of the images (n, 28, 28) at these places."""
    _, height, width = KNOWN["sample"].shape
    size = height * width
    pixels = b"".join(images[1][place * size : (place + 1) * size] for place in places)
    return struct.pack(">BBBBIII", 0, 0, 8, 3, len(places), height, width) + pixels


def of_each(sample: Arrays) -> bytes:
    """An IDX file of the first test image of each class."""
    places = [sample.test_labels[1].index(label) for label in range(len(CLASSES))]
    return _pictures(sample.test_images, places)


def make(source: Path, target: Path) -> None:
    """Write the four files and the README to `target`, and the picture of each class beside it."""
    train, test = KNOWN["sample"].sizes
    each = {"train_each": train // len(CLASSES), "test_each": test // len(CLASSES)}
    arrays = read(KNOWN["full"], source)
    files = pick(*arrays[:2], each["train_each"]) + pick(*arrays[2:], each["test_each"])
    target.mkdir(parents=True, exist_ok=True)
    for name, content in zip(KNOWN["sample"].files, files, strict=True):
        (target / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    (target / "README.md").write_text(README.format(train=train, test=test, **each), "utf-8")
    (target.parent / OF_EACH.name).write_bytes(gzip.compress(of_each(read(KNOWN["sample"], target)), mtime=0))


def main() -> None:
    """The command: exits with 1 and a sentence on stderr if there is no Fashion-MNIST."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder with the official files")
    parser.add_argument("--to", type=Path, default=SAMPLE, help="folder to write to")
    options = parser.parse_args()
    source = options.source or find(Dataset("full"))
    if not source:
        sys.exit("Fashion-MNIST was not found; name its folder with --source.")
    try:
        make(source, options.to)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
