"""A lesson's text in a link: compressed, in the letters of URLs, and within bounds whatever a link has in its place."""

import base64
import binascii
import zlib

from vggexplorer.errors import InputError
from vggexplorer.lessons.written import MOST_TEXT

MOST_PACKED = 30_000
"""Characters of a lesson in a link: what a server takes in the first line of a request is more, but not endless."""
_MOST_BYTES = 4 * MOST_TEXT


def pack(text: str) -> str:
    """A lesson's text as a link has it; `InputError` if it is too long for one."""
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(errors="replace"), 9)).decode().rstrip("=")
    if len(packed) > MOST_PACKED:
        raise InputError("The lesson is too long for a link: shorten its texts.")
    return packed


def unpack(packed: str) -> str:
    """The text that `pack` was given; `InputError` if it is none of `pack`."""
    damaged = InputError("The lesson in the link cannot be read: a part of it is missing or was changed.")
    if len(packed) > MOST_PACKED:
        raise damaged
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        text = stream.decompress(data, _MOST_BYTES + 1).decode()
    except (ValueError, binascii.Error, zlib.error):
        raise damaged from None
    if not stream.eof or stream.unused_data or len(text) > MOST_TEXT:
        raise damaged
    return text
