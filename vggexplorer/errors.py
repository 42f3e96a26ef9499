"""The one kind of error that is meant for a person: a sentence with figures put in."""

from typing import Any

from vggexplorer.wording import fill


class InputError(ValueError):
    """What was typed, clicked or linked cannot be used; `str(error)` is a sentence that says why.

    The sentence is kept as a template and its values, so that a user interface can show it in
    another language. A value may itself be an `InputError`: a reason inside a reason.
    """

    def __init__(self, template: str, /, **values: Any) -> None:
        self.template = template
        self.values = values
        super().__init__(fill(template, **values))


class ShapeError(InputError):
    """A layer cannot take the shape that reaches it."""
