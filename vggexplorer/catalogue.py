"""Words for people: English in the code, Chinese in assets/zh.json by the English text, with figures put in."""

import json
from functools import cache
from string import Formatter
from typing import Any

from vggexplorer.paths import PACKAGE


@cache
def catalogue() -> dict[str, str]:
    """English text -> Chinese text."""
    return dict(json.loads((PACKAGE / "assets" / "zh.json").read_text(encoding="utf-8")))


class Verbatim(str):
    """A text of a person's own among the values of a sentence: it is the same in every language."""

    __slots__ = ()


class _Forms(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        one, several, many = format_spec.partition("|")
        if not several:
            return str(super().format_field(value, format_spec))
        return one if str(value) == "1" else many


def fill(template: str, /, **values: Any) -> str:
    """`template` as `str.format` fills it, and `{count:run|runs}` is the word that goes with `count`: a run, 2 runs."""
    return _Forms().vformat(template, (), values)


def is_plain(template: str) -> bool:
    """Whether all that is put into `template` are named values as they are, with separators (`,`), or as a word (`|`).

    A template from a file is filled only if it is: a width such as `{n:999999999}` would fill the memory.
    `ValueError` if it is no template.
    """
    return all(
        name is None
        or (name.isidentifier() and not conversion and (not form or form == "," or ("|" in form and "{" not in form)))
        for _, name, form, conversion in Formatter().parse(template)
    )
