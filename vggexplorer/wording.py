"""Sentences with figures put in, and the words that go with a count."""

from string import Formatter
from typing import Any


class _Forms(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        one, several, many = format_spec.partition("|")
        if not several:
            return str(super().format_field(value, format_spec))
        return one if str(value) == "1" else many


def fill(template: str, /, **values: Any) -> str:
    """`template` as `str.format` fills it, and `{count:run|runs}` is the word that goes with `count`: a run, 2 runs."""
    return _Forms().vformat(template, (), values)
