"""The words on the pages in the language of the session."""

import re
from typing import Any

import streamlit as st

from vggexplorer.catalogue import Verbatim, catalogue, fill
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.ui.session import session


def language() -> str:
    """The language of this session: the one chosen, else the browser's."""
    chosen: str | None = session.get("lang")
    return chosen or browser_language()


def browser_language() -> str:
    """Chinese if the browser prefers it, else English."""
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def t(text: str, /, **values: Any) -> str:
    """`text` in the session's language, with its figures put in."""
    if language() == "zh":
        text = catalogue().get(text, text)
    return fill(text, **values) if values else text


def sentence(error: InputError) -> str:
    """What is wrong, in the session's language; a value that is itself an error or a word is translated too."""
    return capital(t(error.template, **{key: _value(value) for key, value in error.values.items()}))


def capital(text: str) -> str:
    """`text` as it stands at the beginning of a line."""
    return text[:1].upper() + text[1:]


def _value(value: Any) -> Any:
    if isinstance(value, InputError):
        return t(value.template, **{key: _value(inner) for key, inner in value.values.items()})
    return t(value) if isinstance(value, str) and not isinstance(value, Verbatim) else value


def plain(remark: Remark) -> str:
    """A remark as text, in the session's language."""
    return t(remark.template, **{key: _value(value) for key, value in remark.values.items()})


def say(remark: Remark) -> str:
    """The same as Markdown."""
    values = {key: _value(value) for key, value in remark.values.items()}
    return t(
        remark.template, **{key: literal(value) if isinstance(value, str) else value for key, value in values.items()}
    )


def literal(text: str) -> str:
    """`text` for a Markdown element that is to show it as it is, whatever a person typed into it."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
