"""The time in which a text that holds a network is read, whole or damaged.

    python benchmarks/reading.py [--rounds 10000] [--seed 0] [--json | --markdown]

The texts are those of `tests/reading`: cells of the book, notebooks, classes, Keras; `--rounds` of them are damaged at
up to eight places. Each gives a network or a sentence; whatever else is raised ends the program. The bar is for the
longest.
"""

import statistics
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import Random

import table

from vggexplorer.errors import InputError
from vggexplorer.reading.reader import read

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path += [str(TESTS), str(TESTS / "core"), str(TESTS / "reading")]

from test_round_trips import REAL, damaged  # noqa: E402  # its folder was not known before

BAR = 0.2
"""Seconds."""


def seconds(text: str) -> float:
    """How long it takes to read a text, or to refuse it."""
    start = time.perf_counter()
    with suppress(InputError):
        read(text)
    return time.perf_counter() - start


def times(texts: Iterable[str]) -> list[str]:
    """Median, 99th of 100 and longest, in milliseconds."""
    found = sorted(map(seconds, texts))
    return [f"{1000 * value:.1f}" for value in (statistics.median(found), found[len(found) * 99 // 100], found[-1])]


def main() -> None:
    """Read them all, and print."""
    parser = table.parser(__doc__, 10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice = Random(options.seed)  # noqa: S311  # no secret
    read(REAL[0])  # imports
    whole, broken = times(REAL), times([damaged(dice.choice(REAL), dice) for _ in range(options.rounds)])
    rows = [
        ["texts", "number", "median ms", "99 % ms", "longest ms", f"asked {1000 * BAR:.0f} ms"],
        ["whole", f"{len(REAL)}", *whole, "yes" if float(whole[-1]) <= 1000 * BAR else "no"],
        ["damaged", f"{options.rounds:,}", *broken, "yes" if float(broken[-1]) <= 1000 * BAR else "no"],
    ]
    table.report(options, table.machine([]), {"rows": rows}, rows)


if __name__ == "__main__":
    main()
