"""What a run's network has learned, by its test pictures: the confusion matrix, and what it says in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from vggexplorer.formatting import exact, percent
from vggexplorer.ui.i18n import t


def matrix(result: Mapping[str, Any]) -> list[list[int]]:
    """The confusion matrix, a row for each true class; empty if there is none, or not one of whole numbers."""
    rows, names = result.get("confusion"), result.get("classes")
    if not isinstance(rows, list) or not isinstance(names, list) or len(rows) != len(names):
        return []
    for row in rows:
        if not isinstance(row, list) or len(row) != len(rows) or not all(isinstance(count, int) for count in row):
            return []
    return rows if any(map(any, rows)) else []


def learned(result: Mapping[str, Any], classes: Sequence[str]) -> str:
    """How many test pictures are recognised, and what is mixed up most; `classes` as people read them.

    Empty if the run has no confusion matrix.
    """
    if not (rows := matrix(result)):
        return ""
    count, right = sum(map(sum, rows)), sum(row[place] for place, row in enumerate(rows))
    text = t(
        "{right} of {count} test {count:picture|pictures} {right:is|are} recognised, {share}.",
        right=exact(right),
        count=exact(count),
        share=percent(right, count),
    )
    pairs = ((n, at, to) for at, row in enumerate(rows) for to, n in enumerate(row) if at != to)
    most, true, taken = max(pairs, default=(0, 0, 0))
    if not most:
        return text
    worst = t(
        "Most often {true} is taken for {taken}: {most} {most:time|times}.",
        true=classes[true],
        taken=classes[taken],
        most=most,
    )
    return f"{text} {worst}"
