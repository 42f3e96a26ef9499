"""Numbers for people, as a table of examples."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples

from vggexplorer import formatting
from vggexplorer.layers import Terms

EXAMPLES = [
    ("exact", (0,), "0"),
    ("exact", (999,), "999"),
    ("exact", (138_357_544,), "138,357,544"),
    ("exact", (-1_234,), "-1,234"),
    ("short", (0,), "0"),
    ("short", (640,), "640"),
    ("short", (9_999,), "9,999"),
    ("short", (10_000,), "10.0 k"),
    ("short", (61_100_840,), "61.1 M"),
    ("short", (138_357_544,), "138.4 M"),
    ("short", (7_547_232_256,), "7.55 G"),
    ("short", (999_949,), "999.9 k"),
    ("short", (999_950,), "1.00 M"),
    ("short", (9_994_000,), "9.99 M"),
    ("short", (9_996_000,), "10.0 M"),
    ("short", (2.5,), "2.50"),
    ("short", (-61_100_840,), "-61.1 M"),
    ("short", (10**21,), "1,000.0 E"),
    ("size", (0,), "0 B"),
    ("size", (1023,), "1023 B"),
    ("size", (1024,), "1.00 KiB"),
    ("size", (65_628_200,), "62.6 MiB"),
    ("size", (1024**3 - 1,), "1.00 GiB"),
    ("size", (515_224_616,), "491.4 MiB"),
    ("decimal_size", (999,), "999 B"),
    ("decimal_size", (1000,), "1.00 kB"),
    ("decimal_size", (171_966_464,), "172.0 MB"),
    ("about", (0,), "5 s"),
    ("about", (62,), "65 s"),
    ("about", (90,), "90 s"),
    ("about", (91,), "2:00"),
    ("about", (150,), "2:30"),
    ("percent", (1, 8), "12.5 %"),
    ("percent", (119_586_826, 128_806_154), "92.8 %"),
    ("percent", (119_578_624, 7_547_232_256), "1.6 %"),
    ("percent", (0, 5), "0.0 %"),
    ("percent", (1, 0), "–"),
    ("ratio", (11, 4), "2.75×"),
    ("ratio", (7_547_232_256, 938_146_176), "8.04×"),
    ("ratio", (1, 1), "1.00×"),
    ("factor", (11, 4), "× 2.75"),
    ("factor", (4, 11), "÷ 2.75"),
    ("factor", (938_146_176, 7_547_232_256), "÷ 8.04"),
    ("factor", (4, 4), "× 1.00"),
    ("factor", (5_000, 2), "× 2,500"),
    ("factor", (0, 4), "–"),
    ("factor", (1, 0), "–"),
    ("ratio", (1, 64), "0.016×"),
    ("ratio", (5_000, 2), "2,500×"),
    ("ratio", (0, 4), "0×"),
    ("ratio", (1, 0), "–"),
    ("signed", ("5", 5), "+5"),
    ("signed", ("5", -5), "−5"),
    ("signed", ("0", 0), "±0"),
    ("loss", (0.17842,), "0.178"),
    ("loss", (123456.7891,), "123456.789"),
    ("loss", (2.9005e28,), "2.9e+28"),
    ("sum_of_products", (((64, 1, 3, 3), (64,)),), "64 × 1 × 3 × 3 + 64"),
    ("sum_of_products", ((),), "0"),
]


@pytest.mark.parametrize(("function", "arguments", "text"), EXAMPLES)
def test_examples(function: str, arguments: tuple[object, ...], text: str) -> None:
    assert getattr(formatting, function)(*arguments).replace(formatting.NO_BREAK, " ") == text


def test_a_unit_is_never_torn_from_its_number() -> None:
    texts = [formatting.short(138_357_544), formatting.size(5), formatting.size(10**7), formatting.percent(1, 8)]
    assert not any(" " in text for text in texts)


@examples(100)
@given(st.lists(st.lists(st.integers(1, 10**6), min_size=1, max_size=6).map(tuple), max_size=3).map(tuple))
def test_a_sum_of_products_evaluates_to_the_number(terms: Terms) -> None:
    assert eval(formatting.sum_of_products(terms).replace("×", "*")) == sum(map(prod, terms))


@examples(100)
@given(st.integers(0, 10**24))
def test_a_short_number_is_the_number_to_within_its_last_digit(count: int) -> None:
    text = formatting.short(count).replace(",", "")
    number, _, prefix = text.partition(formatting.NO_BREAK)
    unit = 1000 ** ["", "k", "M", "G", "T", "P", "E"].index(prefix)
    last_digit = 10 ** -len(number.partition(".")[2]) * unit
    assert abs(float(number) * unit - count) <= last_digit * 0.501
