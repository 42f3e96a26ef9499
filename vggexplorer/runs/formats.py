"""The files in which data sets are published: IDX, as MNIST's are, and the batches of CIFAR-10's archive for Python."""

import gzip
import math
import pickletools
import struct
import zlib
from itertools import islice
from pathlib import Path

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError

Idx = tuple[tuple[int, ...], bytes]
"""The shape of an array of unsigned bytes, and its values in C order."""

LARGEST = 16 + 60_000 * 28 * 28
"""The bytes of the largest of all files, MNIST's training images, not compressed; no more is read of any."""
_CIFAR = (3, 32, 32)
_OPCODES = 200_000
"""The most opcodes that are looked at: a few for each of 10,000 images are enough."""
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2"}
_TEXTS = {"STRING", "SHORT_BINSTRING", "BINSTRING", "UNICODE", "BINUNICODE"}


def content(path: Path, unpack: bool = True) -> bytes:
    """What the file holds, not compressed if `unpack`; one byte too many if it is larger than any known file."""
    try:
        with path.open("rb") as file:
            compressed = unpack and file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return (gzip.GzipFile(fileobj=file) if compressed else file).read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path) from error
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}.", file=quoted(path), reason=error.strerror or str(error)
        ) from error


def read_idx(path: Path) -> Idx:
    """Shape and values of the unsigned bytes in an IDX file, compressed by gzip or not.

    `InputError` if it is cut short, damaged or something else. The format is described on MNIST's page,
    http://yann.lecun.com/exdb/mnist/.
    """
    return idx(content(path), path)[0]


def idx(content: bytes, path: Path) -> tuple[Idx]:
    """The array in an IDX file, of which `path` is told in errors.

    The header: two zero bytes, 8 for unsigned bytes, the number of dimensions, each as a big-endian integer.
    """
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if not 1 <= dimensions <= 3 or len(content) > LARGEST:
        raise InputError("{file} is not a file of MNIST's format (IDX, unsigned bytes).", file=quoted(path))
    shape = struct.unpack(f">{dimensions}I", content[4:start].ljust(4 * dimensions, b"\0"))
    if len(content) != start + math.prod(shape):
        raise _damaged(path)
    return ((shape, content[start:]),)


def cifar_batch(content: bytes, path: Path) -> tuple[Idx, Idx]:
    """Images (n, 3, 32, 32) and labels (n,) in a batch of CIFAR-10's archive for Python.

    That is a pickled dictionary: `labels` has a list of numbers, `data` an array with the bytes of all images. It is
    not unpickled, which could run anything: `pickletools` says what stands there, and of that the numbers after the
    word `labels` and the one long text after `data` are taken. This is smaller than a reader of the archive for C
    besides, and these are the files that torchvision downloads and whose MD5 it has. The format is described on the
    set's page, https://www.cs.toronto.edu/~kriz/cifar.html; no original was at hand when this was written.
    """
    pixels, labels, key = "", bytearray(), ""
    try:
        for opcode, argument, _ in islice(pickletools.genops(content), _OPCODES):
            if opcode.name in _TEXTS and isinstance(argument, str):
                if argument in ("data", "labels", "filenames", "batch_label"):
                    key = argument
                elif key == "data":
                    pixels = max(pixels, argument, key=len)
            elif opcode.name in _NUMBERS and key == "labels" and isinstance(argument, int):
                labels.append(argument)
        images = pixels.encode("latin-1")
    except (ValueError, TypeError, UnicodeError) as error:
        raise _damaged(path) from error
    if not labels or len(images) != len(labels) * math.prod(_CIFAR):
        raise _damaged(path)
    return ((len(labels), *_CIFAR), images), ((len(labels),), bytes(labels))


def quoted(path: Path) -> str:
    """A path in a sentence."""
    return shown(str(path), 200)


def _damaged(path: Path) -> InputError:
    return InputError(
        "{file} is damaged or incomplete. Delete it and get it again, or name another folder.", file=quoted(path)
    )
