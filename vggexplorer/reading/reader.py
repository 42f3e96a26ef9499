"""The door: a network from whatever a person of this field has at hand. Nothing of it is ever executed."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from vggexplorer.architectures import Head, Network, shown
from vggexplorer.errors import InputError
from vggexplorer.reading import cell, notebook, printed
from vggexplorer.reading.values import Reading, Says
from vggexplorer.text import checked, find_named, parse_arch

MAX_CHARACTERS = 200_000
"""The most characters of a text or a file that are read."""
FILES = (".py", ".ipynb", ".txt", ".md")
"""The ends of the names of files that can be read."""
_MAX_OCTETS = 4 * MAX_CHARACTERS
_CODE = re.compile(r"[(\[{=\n]")
_NUMBERS = re.compile(r"[\s\d,()\[\]]+")


def _own(text: str) -> Reading | None:
    """A name, or text of blocks and layers."""
    if _CODE.search(text.strip()) and not _NUMBERS.fullmatch(text):
        return None
    if named := find_named(text):
        return Reading({"": named}, says=Says.NAME)
    network = parse_arch(text)
    return Reading({"": network}, says=Says.ITEMS if isinstance(network.architecture.head, Head) else Says.ALL)


FORMS: tuple[Callable[[str], Reading | None], ...] = (_own, notebook.read, printed.read, cell.read)
"""The forms of a text in the order in which they are tried; each gives None to what is not of its form."""


def read(text: str) -> Reading:
    """The networks of a text: a name, blocks and layers, a table, a list, Python source, a notebook, a printed model.

    `InputError` says what could not be read, and where.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            "The text is too long: {n} characters, at most {most} are read.", n=len(text), most=MAX_CHARACTERS
        )
    plain = unicodedata.normalize("NFKC", text)[:MAX_CHARACTERS].replace("、", ",")
    try:
        found = next(filter(None, (form(plain) for form in FORMS)), None)
    except RecursionError:
        raise InputError("This text is nested too deeply.") from None
    if found is None:
        shortly = shown(" ".join(plain.split()))
        raise InputError("There is no network in {text} that could be read.", text=shortly)
    return found._replace(networks={name: checked(network) for name, network in found.networks.items()})


def read_file(path: Path) -> Reading:
    """The networks of a file; `InputError` if there is none that can be read."""
    try:
        with path.open("rb") as file:
            return read(decoded(file.read(_MAX_OCTETS + 1), path.name))
    except OSError as error:
        raise InputError(
            "The file {path} cannot be read: {reason}.", path=str(path), reason=error.strerror or ""
        ) from error


def decoded(octets: bytes, name: str) -> str:
    """The text of a file called `name`."""
    if len(octets) > _MAX_OCTETS:
        raise InputError(
            "The file {path} is too large: at most {most} characters are read.", path=name, most=MAX_CHARACTERS
        )
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("The file {path} is not text.", path=name) from error


def picked(reading: Reading, name: str | None) -> Network:
    """The network of a name, or the only one; `InputError` names those that there are."""
    if name is None and len(reading.networks) == 1:
        return next(iter(reading.networks.values()))
    if name is not None and name in reading.networks:
        return reading.networks[name]
    names = ", ".join(reading.networks)
    if name is None:
        raise InputError("The text has several networks, {names}: pick one of them.", names=names)
    raise InputError("{name} is not one of {names}.", name=shown(name), names=names)
