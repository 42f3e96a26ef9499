"""A lesson in a link comes back as it was; whatever else stands there is refused, and grows to nothing."""

import base64
import tracemalloc
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples

from vggexplorer.errors import InputError
from vggexplorer.lessons.packed import MOST_PACKED, pack, unpack
from vggexplorer.lessons.written import MOST_TEXT, example

DAMAGED = "The lesson in the link cannot be read"


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
@examples(200)
def test_a_text_comes_back(text: str) -> None:
    assert unpack(pack(text)) == text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_example_is_short_in_a_link(language: str) -> None:
    text = example(language)
    assert unpack(pack(text)) == text
    assert len(pack(text)) < 1500


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert unpack(pack("a\ud800b")) == "a?b"


@given(st.text(max_size=300) | st.binary(max_size=300).map(packed))
@examples(400)
def test_anything_else_is_refused(text: str) -> None:
    try:
        unpack(text)
    except InputError as refused:
        reason = str(refused)
    else:
        return
    assert DAMAGED in reason


def test_a_link_that_was_cut_or_changed_is_refused(dice: Random) -> None:
    whole = pack(example("en"))
    for place in range(0, len(whole) - 1, 7):
        changed = "A" if whole[place] != "A" else "B"
        for wrong in (whole[:place], whole[:place] + changed + whole[place + 1 :], whole + "AAAA"):
            with pytest.raises(InputError, match=DAMAGED):
                unpack(wrong)


def test_what_would_grow_is_refused_before_it_does() -> None:
    bomb = packed(zlib.compress(b"x" * 20_000_000, 9))
    assert len(bomb) <= MOST_PACKED
    tracemalloc.start()
    with pytest.raises(InputError, match=DAMAGED):
        unpack(bomb)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert unpack(pack("x" * MOST_TEXT)) == "x" * MOST_TEXT
    with pytest.raises(InputError, match=DAMAGED):
        unpack(pack("x" * (MOST_TEXT + 1)))


def test_a_text_that_cannot_be_made_short_is_too_long_for_a_link(dice: Random) -> None:
    text = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(MOST_TEXT))
    with pytest.raises(InputError, match="too long for a link"):
        pack(text)
    with pytest.raises(InputError, match=DAMAGED):
        unpack("A" * (MOST_PACKED + 1))
