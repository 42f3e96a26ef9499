"""The one kind of error that is meant for a person: a sentence with figures put in."""

from collections.abc import Mapping
from typing import Any

from vggexplorer.catalogue import fill, is_plain

_MOST_TEXT = 2_000
"""Characters of a reason's template, and of each of its values."""


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


def reason_to_json(reason: InputError) -> dict[str, Any]:
    """A sentence with its template and values apart, so that a page can translate it."""
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in reason.values.items()}
    return {"text": str(reason), "template": reason.template, "values": values}


def reason_from_json(data: Mapping[str, Any]) -> InputError:
    """The sentence that `reason_to_json` wrote."""
    try:
        template, values = data["template"], data["values"]
        if len(template) > _MOST_TEXT or any(
            isinstance(value, str) and len(value) > _MOST_TEXT for value in values.values()
        ):
            raise ValueError("too long")
        if not is_plain(template):
            raise ValueError("no plain names")
        reason = InputError(template, **values)
        str(reason).encode()  # half of a surrogate pair can be shown nowhere
        return reason
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise ValueError("no reason") from error
